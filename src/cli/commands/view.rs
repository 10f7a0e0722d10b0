//! `view`: the days of a view.

use crate::app::Ledger;
use crate::app::erased::Place;
use crate::app::lookup::{self, ViewQuery};
use crate::cli::args::{Knowledge, in_order};
use crate::cli::context::Context;
use crate::cli::error::Outcome;
use crate::cli::exit::Exit;
use crate::cli::series::SeriesParser;
use crate::cli::ui::Ui;
use crate::domain::{Day, Series, Symbol};
use clap::Args;

const EXAMPLES: &str = "\
EXAMPLES
  volledger view iv AAPL --from 2024-08-01 --to 2024-08-09
  volledger view iv AAPL --at 2024-06-30              what was known on that day
  volledger view iv AAPL --first                      the values that were confirmed first
  volledger view hv AAPL MSFT --columns hv20,hv252 -o csv";

/// The days of a view
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(in crate::cli) struct ViewArgs {
    /// The view: iv, hv, spot, chain and so on
    #[arg(value_parser = SeriesParser, hide_possible_values = true)]
    series: Series,
    #[command(flatten)]
    which: Which,
}

/// Which days and columns of a view.
#[derive(Debug, Args)]
pub(in crate::cli) struct Which {
    /// The symbols; none means all
    symbols: Vec<Symbol>,
    /// From this day, YYYY-MM-DD
    #[arg(long, value_name = "DATE")]
    from: Option<Day>,
    /// To this day, included
    #[arg(long, value_name = "DATE")]
    to: Option<Day>,
    /// Only these columns, for example atm_iv,skew
    #[arg(long, value_delimiter = ',', value_name = "NAMES")]
    columns: Vec<String>,
    #[command(flatten)]
    knowledge: Knowledge,
}

impl Which {
    pub(super) fn query(
        &self,
        series: Series,
        ctx: &Context,
        ledger: &Ledger,
    ) -> Outcome<ViewQuery> {
        in_order(self.from, self.to)?;
        Ok(ViewQuery {
            series,
            symbols: self.symbols.clone(),
            at: ctx.at(ledger, self.knowledge.past.at.as_deref())?,
            from: self.from,
            to: self.to,
            first: self.knowledge.first,
            columns: self.columns.clone(),
        })
    }
}

/// Where a query looks.
pub(super) fn place_of(query: &ViewQuery) -> Place<'_> {
    let ViewQuery { symbols, from, to, at, .. } = query;
    let series = std::slice::from_ref(&query.series);
    Place { series, symbols, from: *from, to: *to, at: *at }
}

pub(in crate::cli) fn run(ui: &mut Ui, ctx: &Context, args: &ViewArgs) -> Outcome<Exit> {
    let ledger = ctx.open(ui)?;
    let query = args.which.query(args.series, ctx, &ledger)?;
    // First, since a symbol of which everything was erased is not known any more.
    ctx.loud(ui, &ledger, &place_of(&query))?;
    let all_columns = !query.columns.is_empty();
    let mut text = ui.view(all_columns);
    lookup::each_view(&ledger, &query, |view, alone| text.add(&view, alone))?;
    let text = text.finish();
    ui.paged(text)?;
    Ok(Exit::Done)
}
