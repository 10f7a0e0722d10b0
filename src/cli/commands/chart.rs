//! `chart`: a series as a picture in the terminal.

use crate::app::chart::{self, Drawn};
use crate::app::outside;
use crate::cli::args::Past;
use crate::cli::context::Context;
use crate::cli::error::Outcome;
use crate::cli::exit::Exit;
use crate::cli::ui::Ui;
use crate::domain::{Day, Series, Symbol};
use crate::render::svg;
use clap::Args;
use std::path::PathBuf;

const EXAMPLES: &str = "\
EXAMPLES
  volledger chart iv AAPL                     all of it
  volledger chart hv AAPL --field hv252 --from 2024-01-01
  volledger chart iv AAPL --at '#4'           as the ledger stood after #4
  volledger chart spot AAPL --svg aapl.svg    a picture for a browser

Every session has a place; sessions without a value are holes in the line.";

/// A series as a picture in the terminal
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(in crate::cli) struct ChartArgs {
    /// The view: iv, hv, spot or index
    series: Series,
    /// The symbol
    symbol: Symbol,
    /// The field [default: the first of the view]
    #[arg(long)]
    field: Option<String>,
    /// First day
    #[arg(long)]
    from: Option<Day>,
    /// Last day
    #[arg(long)]
    to: Option<Day>,
    /// Write a picture instead, for a browser
    #[arg(long, value_name = "FILE")]
    svg: Option<PathBuf>,
    #[command(flatten)]
    past: Past,
}

pub(in crate::cli) fn run(ui: &mut Ui, ctx: &Context, args: &ChartArgs) -> Outcome<Exit> {
    let ledger = ctx.open(ui)?;
    let drawn = Drawn {
        series: args.series,
        symbol: args.symbol.clone(),
        field: args.field.clone(),
        from: args.from,
        to: args.to,
        at: ctx.at(&ledger, args.past.at.as_deref())?,
    };
    let chart = chart::chart(&ledger, &drawn)?;
    match &args.svg {
        Some(file) => {
            outside::replace_file(file, svg(&chart).as_bytes())?;
            ui.tell(&format!("Wrote {}", file.display()))?;
        }
        None => ui.show(&chart)?,
    }
    Ok(Exit::Done)
}
