//! `sql`: a query over the views and the facts behind them.

use crate::app::erased::Place;
use crate::app::vantage::Vantage;
use crate::app::{Which, sql};
use crate::cli::args::Past;
use crate::cli::context::Context;
use crate::cli::error::{Failure, Outcome};
use crate::cli::exit::Exit;
use crate::cli::ui::Ui;
use clap::Args;
use std::io::Read;
use std::sync::Arc;

const EXAMPLES: &str = "\
EXAMPLES
  volledger sql \"SELECT symbol, count(*), max(date) FROM iv GROUP BY symbol\"
  volledger sql \"SELECT date, atm_iv, hv20, atm_iv - hv20 AS spread
                 FROM iv JOIN hv USING (symbol, date)
                 WHERE symbol = 'AAPL' AND date >= '2025-01-01'\"
  volledger sql \"SELECT symbol, percentile(atm_iv, 75) FROM iv GROUP BY symbol\" -o csv
  volledger sql \"SELECT symbol, date, iv_rank(atm_iv, 252)
                 OVER (PARTITION BY symbol ORDER BY date) AS r FROM iv\"
  volledger sql \"SELECT * FROM assertions
                 WHERE symbol = 'AAPL' AND date = '2024-08-05'\" --at '#4'
  volledger sql --tables                             the tables and their columns
  volledger sql - -o csv < query.sql                 the query from standard input

The dialect is SQLite's. Tables: the views (iv, hv, spot, bars, chain …), batches, events, sources
and assertions. Dates are texts (YYYY-MM-DD), volatilities fractions; further functions are
percentile(x, 75), median(x), stddev(x), ln, log10, exp, sqrt, pow, and over a window
iv_rank(x, n), iv_percentile(x, n) and garch(close, n, omega, alpha, beta): the annual volatility
that GARCH(1,1) sees after n returns, its parameters given. Projections (`projection list`) are
tables too. A query sees one position and cannot write.";

/// Ask with SQL, over the views and the facts behind them
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(in crate::cli) struct SqlArgs {
    /// The query; - for standard input
    #[arg(required_unless_present = "tables", conflicts_with = "tables")]
    query: Option<String>,
    /// List the tables and their columns
    #[arg(long)]
    tables: bool,
    /// As confirmed first, not as corrected; of the strongest source, since it was last taken back
    #[arg(long)]
    first: bool,
    #[command(flatten)]
    past: Past,
}

pub(in crate::cli) fn run(ui: &mut Ui, ctx: &Context, args: &SqlArgs) -> Outcome<Exit> {
    let query = match args.query.as_deref() {
        // Nobody else waits for the ledger while it comes.
        Some("-") => {
            let mut text = String::new();
            let read = std::io::stdin().read_to_string(&mut text);
            read.map_err(|error| Failure::unreadable("standard input", error))?;
            Some(text)
        }
        query => query.map(str::to_owned),
    };
    let ledger = ctx.open(ui)?;
    let at = ctx.at(&ledger, args.past.at.as_deref())?;
    ctx.loud(ui, &ledger, &Place { at, ..Place::default() })?;
    let which = if args.first { Which::First } else { Which::Latest };
    let vantage = Vantage::new(Arc::new(ledger), &ctx.run().registry, at, which)?;
    let Some(query) = &query else {
        if !ui.for_people() {
            ui.show(&sql::tables(&vantage))?;
            return Ok(Exit::Done);
        }
        for (table, columns) in sql::written(&vantage)? {
            ui.answer(format!("{table}: {}\n", columns.join(", ")))?;
        }
        return Ok(Exit::Done);
    };
    ui.page(&sql::query(&vantage, query)?)?;
    Ok(Exit::Done)
}
