//! Why a command failed, as a person is told: exit code, one line, its causes, the next command.

mod fatal;
mod settings;

use super::exit::Exit;
use crate::app::{AppError, LedgerError, ProofError};
use crate::domain::batch::Refusal;
use std::error::Error;
use std::io;

/// The failure of a command.
#[derive(Debug)]
pub(super) enum Failure {
    /// The reader of standard output went away: not a failure.
    Closed,
    /// Anything else.
    Told(Box<Told>),
}

/// What a person is told about a failure.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Told {
    pub(super) exit: Exit,
    pub(super) error: String,
    pub(super) causes: Vec<String>,
    pub(super) hint: Option<String>,
}

/// The hint where the words of a command do not fit together; [`Failure::about`] names the command.
pub(super) const SEE_HELP: &str = "see `volledger help`";

/// What to do where a key has signed another ledger.
pub(super) const ANOTHER_KEY: &str = "another ledger needs a key of its own: `volledger key new -O \
    other.key`, then `volledger checkpoint sign --key-file other.key`";

/// The result of a command.
pub(super) type Outcome<T> = Result<T, Failure>;

impl Failure {
    /// The words of the command do not fit.
    pub(super) fn usage(error: impl Into<String>, hint: impl Into<String>) -> Self {
        Self::of(Exit::Usage, error, hint)
    }

    pub(super) fn of(exit: Exit, error: impl Into<String>, hint: impl Into<String>) -> Self {
        let hint = Some(hint.into());
        Self::Told(Box::new(Told { exit, error: error.into(), causes: Vec::new(), hint }))
    }

    /// A file that cannot be read.
    pub(super) fn unreadable(name: &str, source: io::Error) -> Self {
        AppError::Unreadable { name: name.to_owned(), source }.into()
    }

    /// A file that cannot be written.
    pub(super) fn unwritable(name: &str, source: io::Error) -> Self {
        AppError::Unwritable { name: name.to_owned(), source }.into()
    }
}

impl Failure {
    /// Names the command whose help says more, where nothing better was known.
    pub(super) fn about(mut self, command: &str) -> Self {
        if let (Self::Told(told), false) = (&mut self, command.is_empty())
            && told.hint.as_deref() == Some(SEE_HELP)
        {
            told.hint = Some(format!("see `volledger {command} --help`"));
        }
        self
    }
}

impl From<io::Error> for Failure {
    /// An error of standard output or standard input; files name themselves.
    fn from(error: io::Error) -> Self {
        if error.kind() == io::ErrorKind::BrokenPipe {
            return Self::Closed;
        }
        let mut failure = Self::unwritable("standard output", error);
        if let Self::Told(told) = &mut failure {
            // It is the last thing that a command does.
            told.hint = Some(
                "whatever was to be done is done, and only what it says is lost: look with `volledger \
                 log` before you run it again"
                    .to_owned(),
            );
        }
        failure
    }
}

impl From<AppError> for Failure {
    fn from(error: AppError) -> Self {
        // Who reads a pipe that was named as a file may go away as well.
        if let AppError::Unwritable { source, .. } = &error
            && source.kind() == io::ErrorKind::BrokenPipe
        {
            return Self::Closed;
        }
        let mut causes: Vec<String> = Vec::new();
        let mut source = error.source();
        while let Some(cause) = source {
            causes.push(cause.to_string());
            source = cause.source();
        }
        let mut told = Told { exit: exit(&error), error: error.to_string(), causes, hint: None };
        told.hint = Some(hint(&error, &mut told.causes));
        Self::Told(Box::new(told))
    }
}

fn exit(error: &AppError) -> Exit {
    match error {
        AppError::Ledger(error) => match error {
            LedgerError::Damaged { .. }
            | LedgerError::Malformed { .. }
            | LedgerError::Bundle { .. } => Exit::Damaged,
            LedgerError::Proof(ProofError::Fails(_)) => Exit::Damaged,
            LedgerError::Newer { .. } => Exit::Newer,
            LedgerError::Held { .. } => Exit::Held,
            LedgerError::NoPlace { .. } => Exit::Usage,
            LedgerError::NotWritable { .. }
            | LedgerError::Unfinished { .. }
            | LedgerError::Moved
            | LedgerError::Poisoned => Exit::NotWritable,
            _ => Exit::Failed,
        },
        AppError::Bundle { why: LedgerError::Bundle { .. }, .. } => Exit::Damaged,
        AppError::SignedOther { .. } => Exit::Damaged,
        AppError::Unwritable { .. } => Exit::NotWritable,
        AppError::Refused(Refusal::SamePerson { .. }) => Exit::NotAsked,
        AppError::Stale { .. } | AppError::TokenDiffers { .. } => Exit::Stale,
        AppError::RolledBackBefore { .. } | AppError::ErasedBefore { .. } => Exit::RolledBackBefore,
        AppError::ProjectionDiffers(_) => Exit::ProjectionDiffers,
        AppError::Sql(_)
        | AppError::NotBuilt { .. }
        | AppError::Usage(_)
        | AppError::InsideLedger { .. }
        | AppError::Condition { .. }
        | AppError::Rules { .. }
        | AppError::Mapping { .. }
        | AppError::OtherSeries { .. }
        | AppError::NoSymbol(_) => Exit::Usage,
        _ => Exit::Failed,
    }
}

/// The next command; what else the error knows goes to the causes.
fn hint(error: &AppError, causes: &mut Vec<String>) -> String {
    match error {
        AppError::Ledger(error) => ledger_hint(error),
        AppError::Refused(refusal) => refusal_hint(refusal),
        AppError::Bundle { why: LedgerError::NoBundle { .. }, .. } => {
            "`volledger restore FILE DIR` takes a file of `volledger backup`, `volledger batch \
             import FILE` one of `volledger batch export`"
                .to_owned()
        }
        AppError::Bundle { .. } => {
            "nothing was changed; take another copy of the file, or write it again where it came \
             from"
                .to_owned()
        }
        // Only where files are imported its text is our own.
        AppError::Unreadable { name, source }
            if source.kind() == io::ErrorKind::IsADirectory && source.get_ref().is_some() =>
        {
            format!("name the files in it: `{}/*.csv`", name.trim_end_matches('/'))
        }
        AppError::Unreadable { .. } => "check the path and the file's permissions".to_owned(),
        AppError::Unwritable { .. } => {
            "nothing was changed; make room or choose another place".to_owned()
        }
        AppError::InsideLedger { .. } => "nothing was written; name a place outside of it".to_owned(),
        AppError::Fatal { finding, read_as, .. } => {
            let line = finding.line.map(|line| format!(" at line {line}")).unwrap_or_default();
            causes.push(format!("finding {}{line}", finding.code));
            fatal::hint(&finding.code, read_as.as_deref())
        }
        AppError::Changed(_) | AppError::NotAsPresumed(_) => {
            "run the command again when the file is complete".to_owned()
        }
        AppError::OtherSeries { series, .. } => format!(
            "with it `volledger import {series}` reads the file, or say another mapping"
        ),
        AppError::Mapping { .. } => {
            "`volledger import iv --help` lists the mappings, `--print-mapping ID` prints one with what \
             its keys mean; a file of your own is given by its path: `--mapping ./my.toml`"
                .to_owned()
        }
        AppError::NoSymbol(_) => {
            "name it with `-s SYMBOL`, or say where it stands: `--symbol-from name` (a file's name \
             that begins with it, such as AAPL.csv) or `--symbol-from column`"
                .to_owned()
        }
        AppError::Sql(_) => {
            "`volledger sql --tables` lists the tables and their columns".to_owned()
        }
        AppError::Condition { known, .. } => {
            format!("conditions are SQL over these columns: {}", known.join(", "))
        }
        AppError::Rules { known, .. } => known.clone(),
        AppError::Key { next, .. } | AppError::NotLast { next, .. } => next.clone(),
        AppError::SignedOther { file, .. } => {
            causes.push(format!("noted beside {file}, with which it was signed"));
            format!("if it is the ledger that was signed, look for its newest copy; {ANOTHER_KEY}")
        }
        AppError::NoCheckpoint { .. } => {
            "sign the log with `volledger checkpoint sign`; `volledger checkpoint list` shows what \
             was signed"
                .to_owned()
        }
        AppError::NoProjection(_) => "`volledger projection list` shows them".to_owned(),
        AppError::Projection(_) => {
            "nothing else was touched; `volledger projection list` shows what there is".to_owned()
        }
        AppError::Erased { erasure, .. } => format!(
            "it is gone for good; `volledger show '#{}'` has the entry, `volledger log --audit` what \
             was done with the batch",
            erasure.entry
        ),
        AppError::NotFound(_) => "`volledger status` says what there is".to_owned(),
        AppError::RolledBackBefore { staged: Some(staged), .. } => format!(
            "it waits for a decision as {staged}: `volledger batch diff {staged}`, then `volledger \
             batch confirm {staged}` or `volledger batch discard {staged}`"
        ),
        AppError::RolledBackBefore { batch, .. } => format!(
            "bring it back with `volledger batch reinstate {batch}`, or stage it anew with \
             `--again --reason TEXT`"
        ),
        AppError::ErasedBefore { erasure, .. } => format!(
            "it would bring them back: leave it out, or stage it with `--again --reason TEXT`; \
             `volledger show '#{}'` has the entry",
            erasure.entry
        ),
        AppError::Stale { batch, cells, count, .. } => {
            if !cells.is_empty() {
                let more = count.saturating_sub(cells.len() as u64);
                let tail = if more > 0 { format!(" and {more} more") } else { String::new() };
                causes.push(format!("another decision touched {}{tail}", cells.join(", ")));
            }
            format!(
                "look again with `volledger batch diff {batch}`, then `volledger batch confirm \
                 {batch}` with the new token"
            )
        }
        AppError::TokenDiffers { batch, .. } => format!(
            "look again with `volledger batch diff {batch}`; the token stands below its heading"
        ),
        AppError::ProjectionDiffers(_) => {
            "nothing recorded is lost; rebuild it with `volledger projection rebuild NAME`"
                .to_owned()
        }
        AppError::NotBuilt { feature, .. } => {
            format!("build it with `cargo build --release --features {feature}`")
        }
        AppError::NoRoom { .. } => {
            "nothing was confirmed; import what is needed of it, in fewer rows".to_owned()
        }
        AppError::ViewsBehind { .. } => {
            "do not repeat it; make room, and the next command brings the views up to date"
                .to_owned()
        }
        AppError::Usage(_) => SEE_HELP.to_owned(),
    }
}

fn ledger_hint(error: &LedgerError) -> String {
    match error {
        LedgerError::NotFound(_) => {
            "make one with `volledger init`, or name it with `-L DIR`".to_owned()
        }
        LedgerError::Exists(_) => "use it as it is: `volledger status`".to_owned(),
        LedgerError::NoPlace { .. } => {
            "nothing was done; name a directory that is not there yet, or an empty one, from outside of it"
                .to_owned()
        }
        LedgerError::Damaged { .. } | LedgerError::Malformed { .. } => {
            "nothing was changed. `volledger recover DIR NEWDIR` writes everything that verifies \
             into a new ledger; what is sound can also be read with `--at POSITION`"
                .to_owned()
        }
        LedgerError::Newer { .. } => {
            "update volledger; nothing was changed (`volledger --version`)".to_owned()
        }
        LedgerError::Held { .. } => {
            "wait for it, or let this one wait longer: `VOLLEDGER_LOCK_WAIT=60 volledger …`"
                .to_owned()
        }
        LedgerError::Moved => {
            "put it back or name it as it is called now, look with `volledger log` whether this was \
             done, and run it again if not"
                .to_owned()
        }
        // Whoever writes has the lock first.
        LedgerError::NotWritable { what, .. } if what == "the lock" => {
            "nothing was changed: set the permissions of the directory, or name another ledger with \
             `-L DIR`"
                .to_owned()
        }
        LedgerError::Unfinished { .. } => {
            "make room or set permissions, then open the ledger with any command (`volledger status`): \
             that goes on with it"
                .to_owned()
        }
        // Sources are kept before anything speaks of them.
        LedgerError::NotWritable { what, .. } if what == "a source" => {
            "nothing of the batch was kept (what was confirmed before it still counts): make room or set \
             permissions, and run it again"
                .to_owned()
        }
        LedgerError::NotWritable { .. } | LedgerError::Poisoned => {
            "whatever was done before still counts; make room or set permissions, look with \
             `volledger log` whether this was done, and run it again if not"
                .to_owned()
        }
        LedgerError::Proof(ProofError::Fails(_)) => {
            "do not rely on it: keep it, ask for a new one, and compare the ledger with a checkpoint \
             that was kept elsewhere (`volledger verify --against FILE`)"
                .to_owned()
        }
        LedgerError::Proof(ProofError::Malformed(_)) => {
            "it may be cut off or be another file; ask for it again".to_owned()
        }
        LedgerError::NoSuchEvent(event) => format!(
            "`volledger batch show {}` says how many rows it has, `volledger batch list` which batches there \
             are",
            event.batch
        ),
        LedgerError::NoSuchBatch(_) => "`volledger batch list` shows the batches".to_owned(),
        LedgerError::NoSuchEntry(_) => "`volledger log` shows the entries".to_owned(),
        LedgerError::NoSuchPosition { .. } => "`volledger log` shows the positions".to_owned(),
        LedgerError::TooManyEvents => "split the file and import the parts".to_owned(),
        LedgerError::Stopped => "start it again whenever you like".to_owned(),
        // It stops `verify` too.
        LedgerError::Io { what, .. } if what == "the mirror" => {
            "it is a copy beside the log: set its permissions, or move it out of the ledger's directory, and \
             it is written anew; `VOLLEDGER_MIRROR=0 volledger …` goes without it"
                .to_owned()
        }
        LedgerError::NoSuchSource(_) => {
            "its bytes were lost: `volledger verify` says of which batch; importing the same file again puts a \
             file back"
                .to_owned()
        }
        _ => "look at the ledger with `volledger verify --deep`".to_owned(),
    }
}

fn refusal_hint(refusal: &Refusal) -> String {
    match refusal {
        Refusal::NoSuchBatch(_) => "`volledger batch list` shows the batches".to_owned(),
        Refusal::WrongState { batch, .. } => {
            format!("see where it stands with `volledger batch show {batch}`")
        }
        Refusal::SamePerson { batch, .. } => format!(
            "another person runs `volledger batch confirm {batch}` (the rule is `two_person` of \
             `volledger config show`); you may discard it with `volledger batch discard {batch}`"
        ),
        Refusal::NothingToUndo | Refusal::NothingToRedo => {
            "`volledger log` shows the decisions".to_owned()
        }
        Refusal::MovedOn { batch, .. } => {
            format!("decide on the batch itself: `volledger batch show {batch}`")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{BatchId, Digest, Finding, Position, Series, Severity};

    fn told(error: AppError) -> Told {
        match Failure::from(error) {
            Failure::Told(told) => *told,
            Failure::Closed => panic!("closed"),
        }
    }

    fn full() -> io::Error {
        io::Error::other("no space left")
    }

    #[test]
    fn every_error_has_its_exit_code_and_a_next_command() {
        let text = |text: &str| text.to_owned();
        let batch = BatchId(2);
        let finding = Finding {
            code: text("no_header"),
            severity: Severity::Fatal,
            source: 0,
            line: Some(1),
            day: None,
            count: 1,
            text: text("no header"),
        };
        let at = Position(1);
        let bundle = |why| AppError::Bundle { name: "x".to_owned(), why };
        let cases: Vec<(AppError, Exit)> = vec![
            (LedgerError::Held { holder: text("7") }.into(), Exit::Held),
            (LedgerError::damaged("x").into(), Exit::Damaged),
            (LedgerError::Malformed { what: "x" }.into(), Exit::Damaged),
            (LedgerError::Bundle { what: text("x") }.into(), Exit::Damaged),
            (bundle(LedgerError::Bundle { what: text("x") }), Exit::Damaged),
            (bundle(LedgerError::NoBundle { what: "x" }), Exit::Failed),
            (LedgerError::Newer { found: 2, known: 1 }.into(), Exit::Newer),
            (LedgerError::write("x", full()).into(), Exit::NotWritable),
            (LedgerError::Poisoned.into(), Exit::NotWritable),
            (LedgerError::unfinished(at, LedgerError::Poisoned).into(), Exit::NotWritable),
            (LedgerError::Moved.into(), Exit::NotWritable),
            (LedgerError::NoPlace { directory: "x".into(), why: "y" }.into(), Exit::Usage),
            (LedgerError::NotFound("x".into()).into(), Exit::Failed),
            (LedgerError::NoSuchPosition { at, head: at }.into(), Exit::Failed),
            (Refusal::NothingToUndo.into(), Exit::Failed),
            (Refusal::SamePerson { batch, whole: None, actor: text("x") }.into(), Exit::NotAsked),
            (AppError::Unreadable { name: text("x"), source: full() }, Exit::Failed),
            (AppError::Unwritable { name: text("x"), source: full() }, Exit::NotWritable),
            (
                AppError::Fatal { name: text("x"), finding: Box::new(finding), read_as: None },
                Exit::Failed,
            ),
            (AppError::Mapping { name: text("x"), why: text("y") }, Exit::Usage),
            (
                AppError::OtherSeries { name: text("x"), series: Series::Hv, asked: Series::Iv },
                Exit::Usage,
            ),
            (AppError::NoSymbol(text("x")), Exit::Usage),
            (AppError::Usage(text("x")), Exit::Usage),
            (AppError::NotBuilt { what: "x", feature: "y" }, Exit::Usage),
            (AppError::Condition { why: text("x"), known: vec![text("y")] }, Exit::Usage),
            (
                AppError::Rules { name: text("x"), problems: vec![text("y")], known: text("z") },
                Exit::Usage,
            ),
            (AppError::NotFound(text("x")), Exit::Failed),
            (
                AppError::RolledBackBefore {
                    batch,
                    state: text("s"),
                    at: text("t"),
                    reason: None,
                    staged: None,
                },
                Exit::RolledBackBefore,
            ),
            (
                AppError::ErasedBefore { name: text("x"), erasure: Box::default() },
                Exit::RolledBackBefore,
            ),
            (AppError::Stale { batch, base: at, cells: vec![text("c")], count: 3 }, Exit::Stale),
            (
                AppError::TokenDiffers { batch, expected: text("a"), found: Digest([1; 32]) },
                Exit::Stale,
            ),
            (AppError::Projection(text("x")), Exit::Failed),
            (ProofError::fails("x").into(), Exit::Damaged),
            (ProofError::malformed("x").into(), Exit::Failed),
            (AppError::Key { file: text("x"), why: text("y"), next: text("z") }, Exit::Failed),
            (AppError::NoCheckpoint { what: text("x") }, Exit::Failed),
            (
                AppError::SignedOther { file: text("x"), why: ProofError::fails("y").into() },
                Exit::Damaged,
            ),
            (AppError::ViewsBehind { at, source: LedgerError::Poisoned }, Exit::Failed),
            (AppError::ProjectionDiffers(text("x")), Exit::ProjectionDiffers),
        ];
        for (error, exit) in cases {
            let name = error.to_string();
            let told = told(error);
            assert_eq!(told.exit, exit, "{name}");
            assert!(told.hint.is_some_and(|hint| !hint.ends_with('.')), "{name}");
        }
    }

    #[test]
    fn causes_are_told_the_nearest_first() {
        let told = told(LedgerError::write("the log", full()).into());
        assert_eq!(told.error, "cannot write the log");
        assert_eq!(told.causes, ["no space left"]);
        assert!(matches!(
            Failure::from(io::Error::from(io::ErrorKind::BrokenPipe)),
            Failure::Closed
        ));
    }
}
