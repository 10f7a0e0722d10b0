//! `chart`: a series as a picture, in the terminal or a file.

use super::picture::{self, Files};
use crate::app::chart::{self, Drawn, Kind};
use crate::app::erased::Place;
use crate::cli::args::{Knowledge, in_order};
use crate::cli::context::Context;
use crate::cli::error::{Failure, Outcome};
use crate::cli::exit::Exit;
use crate::cli::series::SeriesParser;
use crate::cli::ui::Ui;
use crate::domain::{Day, Series, Symbol};
use clap::Args;
use std::str::FromStr;

const EXAMPLES: &str = "\
EXAMPLES
  volledger chart iv AAPL                     all of it
  volledger chart hv AAPL --field hv20 --field hv252 --from 2024-01-01
  volledger chart all AAPL --html aapl.html   volatilities and price, to zoom into
  volledger chart rank AAPL --svg rank.svg    where IV stood among its own past
  volledger chart gaps AAPL --svg gaps.svg    day by day: there, missing, closed
  volledger chart iv AAPL --at '#4'           as the ledger stood after #4
  volledger chart iv AAPL --first             with the values that were known first

Every session has a place; sessions without a value are holes in the line. Under the time axis
stands the batch that asserts the values. A page of --html works without any network.";

/// What the first word names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum What {
    Lines(Kind),
    Gaps,
}

impl FromStr for What {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "gaps" => Ok(Self::Gaps),
            text => text.parse().map(Self::Lines),
        }
    }
}

/// A series as a picture, in the terminal or a file
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(in crate::cli) struct ChartArgs {
    /// A view (iv, hv, spot, index), `all` (volatilities and price; of an index its level), `rank`, or `gaps`
    what: What,
    /// The symbol
    symbol: Symbol,
    /// The field, several times for several lines [default: the first of the view]
    #[arg(long)]
    field: Vec<String>,
    /// With gaps: only this view
    #[arg(long, value_parser = SeriesParser, hide_possible_values = true)]
    series: Option<Series>,
    /// First day
    #[arg(long)]
    from: Option<Day>,
    /// Last day
    #[arg(long)]
    to: Option<Day>,
    #[command(flatten)]
    files: Files,
    #[command(flatten)]
    knowledge: Knowledge,
}

pub(in crate::cli) fn run(ui: &mut Ui, ctx: &Context, args: &ChartArgs) -> Outcome<Exit> {
    let words = match args.what {
        What::Gaps => !args.field.is_empty() || args.from.or(args.to).is_some(),
        What::Lines(_) => args.series.is_some(),
    };
    if words {
        return Err(Failure::usage(
            "these words do not go together",
            "`chart gaps` takes --series; the other charts take --field, --from and --to",
        ));
    }
    in_order(args.from, args.to)?;
    let ledger = ctx.open(ui)?;
    let at = ctx.at(&ledger, args.knowledge.past.at.as_deref())?;
    let which = args.knowledge.which();
    let symbols = std::slice::from_ref(&args.symbol);
    let (from, to) = (args.from, args.to);
    ctx.loud(ui, &ledger, &Place { symbols, from, to, at, ..Place::default() })?;
    match args.what {
        What::Lines(kind) => {
            let (symbol, fields) = (args.symbol.clone(), args.field.clone());
            let (from, to) = (args.from, args.to);
            let drawn = Drawn { kind, symbol, fields, from, to, at, which };
            picture::show(ui, &args.files, &chart::chart(&ledger, &drawn)?)
        }
        What::Gaps => {
            let days = chart::days(&ledger, &args.symbol, args.series, at, which)?;
            picture::show(ui, &args.files, &days)
        }
    }
}
