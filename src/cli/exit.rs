//! The exit codes, as the contract lists them.

use std::process::ExitCode;

/// How a command ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Exit {
    /// Done, or nothing to do.
    Done = 0,
    /// Failed: not found, unreadable, wrong state, fatal finding.
    Failed = 1,
    /// The words of the command do not fit.
    Usage = 2,
    /// `--exit-code`: there are changes.
    Changes = 10,
    /// Findings need a decision.
    Findings = 11,
    /// An answer was needed and could not be asked; still staged.
    NotAsked = 12,
    /// Reviewed data changed before confirming, or `--expect` differs.
    Stale = 20,
    /// Another process holds the ledger.
    Held = 21,
    /// Disk full or not writable; nothing changed (an erasure that was begun goes on later).
    NotWritable = 22,
    /// Content was rolled back before, or rows of it were erased.
    RolledBackBefore = 23,
    /// The ledger is damaged.
    Damaged = 30,
    /// A projection differs from its rebuild.
    ProjectionDiffers = 31,
    /// Written by a newer version.
    Newer = 32,
    /// The network failed, after retries.
    Network = 40,
    /// Credentials are missing or refused.
    Credentials = 41,
    /// The plan does not include the data.
    Plan = 42,
    /// A bug.
    Bug = 70,
    /// Interrupted; nothing half-written.
    Interrupted = 130,
}

impl Exit {
    /// Every exit code, with what it means: the manual's table.
    pub const ALL: [(Self, &'static str); 18] = [
        (Self::Done, "done, or nothing to do"),
        (Self::Failed, "failed: not found, unreadable, wrong state, fatal finding"),
        (Self::Usage, "usage"),
        (Self::Changes, "--exit-code: there are changes"),
        (Self::Findings, "findings need a decision"),
        (Self::NotAsked, "an answer was needed and could not be asked; still staged"),
        (Self::Stale, "reviewed data changed before confirming, or --expect differs"),
        (Self::Held, "another process holds the ledger"),
        (
            Self::NotWritable,
            "disk full or not writable; nothing changed, or an erasure goes on later",
        ),
        (Self::RolledBackBefore, "content was rolled back or erased before (--again)"),
        (Self::Damaged, "ledger damaged"),
        (Self::ProjectionDiffers, "a projection differs from its rebuild"),
        (Self::Newer, "written by a newer version"),
        (Self::Network, "network, after retries"),
        (Self::Credentials, "credentials missing or refused"),
        (Self::Plan, "plan does not include the data"),
        (Self::Bug, "bug"),
        (Self::Interrupted, "interrupted; nothing half-written"),
    ];

    /// The number.
    pub fn code(self) -> u8 {
        self as u8
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.code())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_codes_are_those_of_the_contract() {
        let codes: Vec<u8> = Exit::ALL.iter().map(|(exit, _)| exit.code()).collect();
        let contract = [0, 1, 2, 10, 11, 12, 20, 21, 22, 23, 30, 31, 32, 40, 41, 42, 70, 130];
        assert_eq!(codes, contract);
    }
}
