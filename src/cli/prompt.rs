//! Asking a person, once, with the safe answer as default.

use super::ui::Ui;
use crate::render::numbers::short;

/// What decides whether a person is there to answer.
#[derive(Clone, Copy, Debug)]
pub(super) struct Circumstances {
    /// Standard input is a terminal.
    pub(super) stdin: bool,
    /// Standard error is a terminal.
    pub(super) stderr: bool,
    /// `--no-input`.
    pub(super) no_input: bool,
    /// `CI` is set.
    pub(super) ci: bool,
    /// The answer is a table, so that the review was seen.
    pub(super) table: bool,
}

/// Whether to ask. A line is read, nothing is drawn, so a dumb terminal will do.
pub(super) fn may_ask(at: &Circumstances) -> bool {
    at.stdin && at.stderr && !at.no_input && !at.ci && at.table
}

/// What a person wants done with a staged batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Answer {
    /// Confirm it.
    Yes,
    /// Keep it staged.
    No,
    /// See all changes first.
    Diff,
    /// Throw it away.
    Discard,
    /// There is nobody any more.
    Gone,
}

/// Asks until the answer is understood.
pub(super) fn confirm(ui: &mut Ui, batch: &str, token: Option<&str>) -> Answer {
    let token = token.map(|token| format!(" (token {})", short(token))).unwrap_or_default();
    let question =
        format!("Confirm {batch}{token}? [y]es  [n]o, keep staged  [d]iff  discard [x]  (n) ›");
    loop {
        let Some(line) = ui.ask(&question) else {
            return Answer::Gone;
        };
        match understood(&line) {
            Some(answer) => return answer,
            None => ui.say("Please answer y, n, d or x."),
        }
    }
}

fn understood(line: &str) -> Option<Answer> {
    let word = line.trim().to_lowercase();
    // Esc arrives as a control character before the line's end.
    if word.is_empty() || word.starts_with('\u{1b}') {
        return Some(Answer::No);
    }
    match word.as_str() {
        "y" | "yes" => Some(Answer::Yes),
        "n" | "no" => Some(Answer::No),
        "d" | "diff" => Some(Answer::Diff),
        "x" | "discard" => Some(Answer::Discard),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_person_at_a_terminal_is_asked() {
        let person =
            Circumstances { stdin: true, stderr: true, no_input: false, ci: false, table: true };
        assert!(may_ask(&person));
        for other in [
            Circumstances { stdin: false, ..person },
            Circumstances { stderr: false, ..person },
            Circumstances { no_input: true, ..person },
            Circumstances { ci: true, ..person },
            Circumstances { table: false, ..person },
        ] {
            assert!(!may_ask(&other), "{other:?}");
        }
    }

    #[test]
    fn the_default_is_to_keep_it_staged() {
        for (line, want) in [
            ("\n", Some(Answer::No)),
            ("\u{1b}\n", Some(Answer::No)),
            ("Y\r\n", Some(Answer::Yes)),
            ("diff", Some(Answer::Diff)),
            ("x", Some(Answer::Discard)),
            ("yikes", None),
            ("да", None),
        ] {
            assert_eq!(understood(line), want, "{line:?}");
        }
    }
}
