//! `log --follow`: each decision as it is made, by whichever command or server makes it.
//!
//! Only HEAD is looked at while nothing happens; the ledger is opened, as `log` does it, when HEAD has
//! moved.

use crate::app::report::{EntryLine, Log};
use crate::app::{outside, trace};
use crate::cli::context::Context;
use crate::cli::error::{Failure, Outcome};
use crate::cli::exit::Exit;
use crate::cli::ui::Ui;
use crate::render::{Form, entry_line, json};
use std::time::Duration;

/// How often HEAD is looked at.
const LOOK: Duration = Duration::from_millis(400);

/// Entries that are shown before the first new one, unless it is said how many.
const BEFORE: usize = 10;

/// Shows the last entries, oldest first, and then each new one; ends when it is interrupted, or when
/// nobody reads it any more.
pub(super) fn follow(ui: &mut Ui, ctx: &Context, before: Option<usize>) -> Outcome<Exit> {
    if !matches!(ui.manner().form, Form::Table | Form::JsonLines) {
        let hint = "leave the form out, or take `-o jsonl`";
        return Err(Failure::usage("what is followed is told line by line", hint));
    }
    let directory = ctx.directory()?;
    // The last entry that was shown, if there was any.
    let (mut seen, mut last) = (None, None::<Option<EntryLine>>);
    loop {
        let head = outside::head(&directory);
        // Where there is no HEAD for a moment, somebody is putting another ledger there.
        if last.is_none() || head.is_some() && head != seen {
            match ctx.open(ui) {
                Ok(ledger) => {
                    let log = trace::log(&ledger, None, None, None)?;
                    drop(ledger); // nobody has to wait for a slow terminal
                    let from = match &last {
                        None => few(&log, before),
                        Some(last) => after(ui, &log, last.as_ref()),
                    };
                    for entry in log.entries.iter().rev().filter(|entry| entry.position > from) {
                        tell(ui, entry)?;
                    }
                    ui.let_go()?;
                    (seen, last) = (head, Some(log.entries.into_iter().next()));
                }
                // Whoever has the ledger now is soon done with it.
                Err(Failure::Told(told)) if told.exit == Exit::Held && last.is_some() => {}
                Err(failure) => return Err(failure),
            }
        }
        std::thread::sleep(LOOK);
    }
}

/// The position after which the entries begin that are shown first; 0 of `before` means all.
fn few(log: &Log, before: Option<usize>) -> u64 {
    match before.unwrap_or(BEFORE) {
        0 => 0,
        few => log.position.saturating_sub(few as u64),
    }
}

/// The position of the last entry that was shown; the start, where another log stands in its place.
fn after(ui: &mut Ui, log: &Log, last: Option<&EntryLine>) -> u64 {
    let Some(last) = last else { return 0 };
    let now = log.entries.iter().find(|entry| entry.position == last.position);
    if now.is_some_and(|now| json::line(now) == json::line(last)) {
        return last.position;
    }
    ui.note("another ledger stands here now; its log from the start");
    0
}

fn tell(ui: &mut Ui, entry: &EntryLine) -> Outcome<()> {
    match ui.for_people() {
        true => ui.tell(&entry_line(entry)),
        false => ui.answer(json::line(entry) + "\n"),
    }
}
