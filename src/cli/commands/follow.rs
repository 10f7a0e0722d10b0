//! `log --follow`: each decision as it is made, by whichever command or server makes it.
//!
//! Only HEAD is looked at while nothing happens, so nobody has to wait for this command.

use crate::app::report::{EntryLine, Log};
use crate::app::{outside, trace};
use crate::cli::context::Context;
use crate::cli::error::{Failure, Outcome, Told};
use crate::cli::exit::Exit;
use crate::cli::ui::Ui;
use crate::render::{Form, json};
use std::time::Duration;

/// How often HEAD is looked at.
const LOOK: Duration = Duration::from_millis(400);

/// Entries that are shown before the first new one, unless it is said how many.
const BEFORE: usize = 10;

/// Shows the last entries, oldest first, and then each new one; ends when it is interrupted, or when
/// nobody reads it any more.
pub(super) fn follow(ui: &mut Ui, ctx: &Context, before: Option<usize>) -> Outcome<Exit> {
    if !matches!(ui.manner().form, Form::Table | Form::Json | Form::JsonLines) {
        let hint = "leave the form out, or take `-o jsonl`";
        return Err(Failure::usage("what is followed is told line by line, as text or JSON", hint));
    }
    let directory = ctx.directory()?;
    let (mut seen, mut shown) = (None, None);
    loop {
        let head = outside::head(&directory);
        if seen.is_none() || head != seen {
            match newest(ctx) {
                Ok(log) => {
                    let few = before.unwrap_or(BEFORE) as u64;
                    let from = shown.unwrap_or(log.position.saturating_sub(few));
                    for entry in log.entries.iter().rev().filter(|entry| entry.position > from) {
                        let line = line(ui.for_people(), entry);
                        ui.answer(&line)?;
                    }
                    (seen, shown) = (head, Some(log.position));
                }
                // Whoever has the ledger now is soon done with it.
                Err(Failure::Told(told)) if in_use(&told) && shown.is_some() => {}
                Err(failure) => return Err(failure),
            }
        }
        std::thread::sleep(LOOK);
    }
}

fn newest(ctx: &Context) -> Outcome<Log> {
    let opened = ctx.opened()?;
    Ok(trace::log(&opened.ledger, None, None)?)
}

fn in_use(told: &Told) -> bool {
    told.exit == Exit::Held
}

fn line(for_people: bool, entry: &EntryLine) -> String {
    if !for_people {
        return json::line(entry) + "\n";
    }
    let reason = entry.reason.as_ref().map(|reason| format!(": {reason}")).unwrap_or_default();
    let text = if entry.kind == "note" { "note" } else { &entry.text };
    format!("#{} {} {} {text}{reason}\n", entry.position, entry.time, entry.actor)
}
