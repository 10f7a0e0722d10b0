//! `status`: what is in the ledger and what waits.

use crate::app::report::StatusOutdated;
use crate::app::{derive, lookup, outside, projection};
use crate::cli::context::Context;
use crate::cli::error::Outcome;
use crate::cli::exit::Exit;
use crate::cli::ui::Ui;

pub(in crate::cli) fn run(ui: &mut Ui, ctx: &Context) -> Outcome<Exit> {
    let mut opened = ctx.opened()?;
    opened.notes.extend(outside::open_to_others(&opened.ledger));
    let mut status = lookup::status(&opened.ledger, &opened.notes)?;
    status.stale = projection::stale(&mut opened.ledger, &ctx.run())?;
    status.outdated = derive::outdated(&opened.ledger)?.into_iter().map(line).collect();
    ui.show(&status)?;
    match status.open.first() {
        Some(batch) => ui.hint(&format!("review with `volledger batch diff {batch}`")),
        None if status.position == 0 => {
            ui.hint("stage a file with `volledger import iv FILE -s SYMBOL`");
        }
        None if !status.stale.is_empty() => {
            ui.hint("bring projections up to the head with `volledger projection refresh`");
        }
        None => {
            if let Some(line) = status.outdated.first() {
                ui.hint(&format!("compute it anew with `volledger derive {}`", line.series));
            }
        }
    }
    Ok(Exit::Done)
}

fn line(of: derive::Outdated) -> StatusOutdated {
    let symbols = of.symbols.iter().map(ToString::to_string).collect();
    StatusOutdated { series: of.what.series().name(), symbols }
}
