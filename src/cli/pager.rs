//! Long tables through a pager, at a terminal.

use super::interrupt;
use crate::app::spool::Spool;
use crate::config::Settings;
use std::process::{Command, Stdio};

/// The pager's command line: `VOLLEDGER_PAGER`, `PAGER`, else `less -FRS` if there is one.
pub(super) fn choose(settings: &Settings) -> Option<String> {
    match &settings.pager {
        Some(named) if named.trim().is_empty() || named.trim() == "cat" => None,
        Some(named) => Some(named.clone()),
        None => settings.has_program("less").then(|| "less -FRS".to_owned()),
    }
}

/// Shows a text; `false` when the pager could not be started. Ctrl-C is the pager's meanwhile: ending
/// here would leave it alone with a terminal that the shell reads from as well.
pub(super) fn show(command: &str, text: &mut Spool) -> bool {
    interrupt::instead(|| {}, || shown(command, text))
}

fn shown(command: &str, text: &mut Spool) -> bool {
    let shell = Command::new("sh").arg("-c").arg(command).stdin(Stdio::piped()).spawn();
    let Ok(mut child) = shell else { return false };
    if let Some(mut input) = child.stdin.take() {
        // A reader who leaves early has seen enough.
        let _ = text.tell(&mut input);
    }
    // 127 is the shell's word for "not found".
    child.wait().is_ok_and(|status| status.code() != Some(127))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_pager_means_none() {
        let mut settings = Settings::from_lookup(&|_| None).unwrap();
        assert_eq!(choose(&settings), None);
        for (named, want) in [("", None), ("cat", None), ("more", Some("more".to_owned()))] {
            settings.pager = Some(named.to_owned());
            assert_eq!(choose(&settings), want);
        }
        let mut text = Spool::from("text".to_owned());
        assert!(!show("no-such-pager-of-this-name 2> /dev/null", &mut text));
    }

    /// Without a handler this ends the tests.
    #[test]
    fn an_interrupt_is_left_to_the_pager() {
        let mut text = Spool::from("text".to_owned());
        assert!(show("kill -INT $PPID && sleep 2 && cat > /dev/null", &mut text));
    }
}
