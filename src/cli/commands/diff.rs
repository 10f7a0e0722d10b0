//! `diff`: how the views differ between two positions.

use super::projection;
use crate::app::AppError;
use crate::app::erased::Place;
use crate::app::lookup;
use crate::cli::context::Context;
use crate::cli::error::Outcome;
use crate::cli::exit::Exit;
use crate::cli::series::SeriesParser;
use crate::cli::ui::Ui;
use crate::domain::projection::ProjectionName;
use crate::domain::{Series, Symbol};
use clap::Args;

const EXAMPLES: &str = "\
EXAMPLES
  volledger diff 3 5                       what the decisions #4 and #5 changed
  volledger diff 2024-12-31 2025-01-31     what changed in January
  volledger diff 3 5 --series iv --symbol AAPL
  volledger diff hv_estimators@2 hv_estimators@3     what another version of a projection answers";

/// How the views differ between two positions, or two versions of a projection
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(in crate::cli) struct DiffArgs {
    /// From: a position (#3) or a time; or a version of a projection (rich@1)
    #[arg(value_name = "POSITION_A")]
    from: String,
    /// To: a position or a time; or a version of a projection
    #[arg(value_name = "POSITION_B")]
    to: String,
    /// Only this view: iv, hv, spot, chain and so on
    #[arg(long, value_parser = SeriesParser, hide_possible_values = true)]
    series: Option<Series>,
    /// Only this symbol
    #[arg(short, long)]
    symbol: Option<Symbol>,
    /// Exit with 10 if there are changes
    #[arg(long)]
    exit_code: bool,
}

/// The version of a projection that a word names; nothing of a position or a time.
fn version(word: &str) -> Outcome<Option<ProjectionName>> {
    if !word.contains('@') {
        return Ok(None);
    }
    let name = word.parse::<ProjectionName>();
    name.map(Some).map_err(|error| AppError::Usage(error.to_string()).into())
}

pub(in crate::cli) fn run(ui: &mut Ui, ctx: &Context, args: &DiffArgs) -> Outcome<Exit> {
    let both = match (version(&args.from)?, version(&args.to)?) {
        (Some(from), Some(to)) => Some([from, to]),
        (None, None) => None,
        _ => {
            let text = "two positions are compared, or two versions of projections";
            return Err(AppError::Usage(text.to_owned()).into());
        }
    };
    if let Some([from, to]) = &both {
        if args.series.is_some() || args.symbol.is_some() {
            let text = "--series and --symbol are for two positions";
            return Err(AppError::Usage(text.to_owned()).into());
        }
        let ledger = ctx.open(ui)?;
        let differs = projection::compare(ui, ctx, ledger, None, [from, to])?;
        return Ok(if args.exit_code && differs { Exit::Changes } else { Exit::Done });
    }
    let ledger = ctx.open(ui)?;
    let from = lookup::position_of(&ledger, &args.from)?;
    let to = lookup::position_of(&ledger, &args.to)?;
    let views = args.series.map_or_else(|| Series::ALL.to_vec(), |view| vec![view]);
    lookup::known_at(&ledger, args.symbol.as_slice(), &views, from.max(to))?;
    let diff = lookup::diff(&ledger, from, to, args.series, args.symbol.as_ref())?;
    ui.page(&diff)?;
    for at in [from, to] {
        let place = Place {
            series: args.series.as_slice(),
            symbols: args.symbol.as_slice(),
            at: Some(at),
            ..Place::default()
        };
        ctx.erased(ui, &ledger, &place)?;
    }
    let differs = args.exit_code && !diff.changes.is_empty();
    Ok(if differs { Exit::Changes } else { Exit::Done })
}
