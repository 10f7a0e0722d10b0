//! `init`: start a ledger.

use crate::app::{outside, status};
use crate::cli::context::Context;
use crate::cli::error::{Failure, Outcome};
use crate::cli::exit::Exit;
use crate::cli::ui::Ui;

pub(in crate::cli) fn run(ui: &mut Ui, ctx: &Context) -> Outcome<Exit> {
    let directory = ctx.new_directory();
    if directory.is_file() {
        let error = format!("{} is a file; a ledger is a directory", directory.display());
        return Err(Failure::of(Exit::Failed, error, "name another place with `-L DIR`"));
    }
    let ledger = outside::create_with(&directory, &ctx.options())?;
    if ui.for_people() {
        ui.tell(&format!("Created ledger {}", directory.display()))?;
    } else {
        ui.show(&status::status(&ledger, None, &[])?)?;
    }
    if let Some(warning) = outside::open_to_others(&ledger) {
        ui.note(&warning);
    }
    ui.hint("stage a file with `volledger import iv FILE -s SYMBOL`");
    Ok(Exit::Done)
}
