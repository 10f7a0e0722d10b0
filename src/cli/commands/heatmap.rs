//! `heatmap`: many symbols over the months.

use super::picture::{self, Files};
use crate::app::AppError;
use crate::app::chart::{self, Heat, Metric};
use crate::app::erased::Place;
use crate::cli::args::{Knowledge, in_order};
use crate::cli::context::Context;
use crate::cli::error::Outcome;
use crate::cli::exit::Exit;
use crate::cli::ui::Ui;
use crate::domain::{Day, Symbol};
use clap::{Args, ValueEnum};

const EXAMPLES: &str = "\
EXAMPLES
  volledger heatmap                                  all symbols, the newest 24 months
  volledger heatmap AAPL MSFT --metric iv_rank_252
  volledger heatmap --from 2020-01-01 --svg heat.svg
  volledger heatmap --limit 0 --html heat.html       every symbol

Each cell is the last session of the month with an observation; cells without a value are empty.";

/// By what the columns are cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum By {
    /// A column a month
    Month,
}

/// What the cells hold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Named(Metric);

impl ValueEnum for Named {
    fn value_variants<'a>() -> &'a [Self] {
        const ALL: [Named; 5] = [
            Named(Metric::ALL[0]),
            Named(Metric::ALL[1]),
            Named(Metric::ALL[2]),
            Named(Metric::ALL[3]),
            Named(Metric::ALL[4]),
        ];
        &ALL
    }

    fn to_possible_value(&self) -> Option<clap::builder::PossibleValue> {
        Some(clap::builder::PossibleValue::new(self.0.name()))
    }
}

/// Symbols × months: where implied volatility stood at the end of each
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(in crate::cli) struct HeatmapArgs {
    /// The symbols; none means all
    symbols: Vec<Symbol>,
    /// By what the columns are cut
    #[arg(long, value_enum, default_value = "month")]
    by: By,
    /// What the cells hold
    #[arg(long, value_enum, default_value = "iv_percentile_252")]
    metric: Named,
    /// First day [default: the newest 24 months]
    #[arg(long)]
    from: Option<Day>,
    /// Last day
    #[arg(long)]
    to: Option<Day>,
    /// Most symbols, the highest first; 0 is all
    #[arg(long, value_name = "N", default_value_t = 60)]
    limit: usize,
    #[command(flatten)]
    files: Files,
    #[command(flatten)]
    knowledge: Knowledge,
}

pub(in crate::cli) fn run(ui: &mut Ui, ctx: &Context, args: &HeatmapArgs) -> Outcome<Exit> {
    in_order(args.from, args.to)?;
    let ledger = ctx.open(ui)?;
    let By::Month = args.by;
    let heat = Heat {
        symbols: args.symbols.clone(),
        metric: args.metric.0,
        from: args.from,
        to: args.to,
        at: ctx.at(&ledger, args.knowledge.past.at.as_deref())?,
        which: args.knowledge.which(),
        limit: args.limit,
    };
    let (symbols, at) = (&heat.symbols, heat.at);
    let place = Place { symbols, from: heat.from, to: heat.to, at, ..Place::default() };
    ctx.loud(ui, &ledger, &place)?;
    let map = chart::heatmap(&ledger, &heat)?;
    if map.months.is_empty() && args.files.any() {
        let text = "there is nothing to draw: no symbol has an implied volatility there";
        return Err(AppError::NotFound(text.to_owned()).into());
    }
    picture::show(ui, &args.files, &map)
}
