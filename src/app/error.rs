//! What can go wrong above the ledger, with the kind that gives the exit code.

use super::report::ErasureLine;
use crate::domain::batch::Refusal;
use crate::domain::{BatchId, Day, Digest, Finding, Position, Series, Symbol};
use crate::ledger::LedgerError;
use crate::ledger::proof::ProofError;

/// As what a file was to be read that cannot be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReadAs {
    /// The series of the mapping.
    pub series: Series,
    /// The bundled mapping of that series, which a mapping of one's own starts from.
    pub mapping: &'static str,
    /// Other series whose own mappings find the columns that they need.
    pub fits: Vec<Series>,
    /// Other bundled mappings of the series that find theirs.
    pub others: Vec<&'static str>,
}

/// An error of the application.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum AppError {
    /// The ledger failed.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// A decision cannot be made.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// A file cannot be read.
    #[error("cannot read {name}")]
    Unreadable {
        /// The file.
        name: String,
        /// Why not.
        source: std::io::Error,
    },
    /// A file cannot be written.
    #[error("cannot write {name}")]
    Unwritable {
        /// The file.
        name: String,
        /// Why not.
        source: std::io::Error,
    },
    /// A file is to be written where a ledger has its own.
    #[error("{name} lies inside the ledger {ledger}, where only the ledger itself writes")]
    InsideLedger {
        /// The file.
        name: String,
        /// The ledger's directory.
        ledger: String,
    },
    /// A source cannot be used at all.
    #[error("cannot use {name}: {}", .finding.text)]
    Fatal {
        /// The source.
        name: String,
        /// What it is about.
        finding: Box<Finding>,
        /// As what a mapping was to read it; nothing where no mapping has a part in it.
        read_as: Option<Box<ReadAs>>,
    },
    /// A backup, or the file of a batch, cannot be used.
    #[error("cannot use {name}: {why}")]
    Bundle {
        /// The file.
        name: String,
        /// Why not.
        why: LedgerError,
    },
    /// A file changed while it was read.
    #[error("{0} changed while it was being read")]
    Changed(String),
    /// A file that was presumed to be what most files are is otherwise; it is then read with care.
    #[error("{0} is not what it was presumed to be")]
    NotAsPresumed(String),
    /// A mapping is of another series than what is to be read.
    #[error("mapping {name}: is for {series}, not for {asked}")]
    OtherSeries {
        /// Its name or file.
        name: String,
        /// What it reads.
        series: Series,
        /// What is to be read.
        asked: Series,
    },
    /// A mapping is not known or not right.
    #[error("mapping {name}: {why}")]
    Mapping {
        /// Its name or file.
        name: String,
        /// Why not.
        why: String,
    },
    /// The symbol of a file is not known.
    #[error("which symbol is {0}?")]
    NoSymbol(String),
    /// Something was asked for that was erased.
    #[error("{what} was {erasure}")]
    Erased {
        /// What.
        what: String,
        /// By which erasure.
        erasure: Box<ErasureLine>,
    },
    /// Something was asked for that is not there.
    #[error("{0}")]
    NotFound(String),
    /// A projection was named that is not there.
    #[error("{0}")]
    NoProjection(String),
    /// The command's words do not fit together.
    #[error("{0}")]
    Usage(String),
    /// The content was rolled back before.
    #[error("this content was {state} before, as {batch} at {at}{}", .reason.as_ref().map(|r| format!(" ({r})")).unwrap_or_default())]
    RolledBackBefore {
        /// As which batch.
        batch: BatchId,
        /// Its state now.
        state: String,
        /// When.
        at: String,
        /// Why.
        reason: Option<String>,
        /// The batch in which the same content waits for a decision.
        staged: Option<BatchId>,
    },
    /// Rows of a source were erased, and it would bring them back.
    #[error("rows of {name} were {erasure}")]
    ErasedBefore {
        /// The source's name.
        name: String,
        /// By which erasure.
        erasure: Box<ErasureLine>,
    },
    /// The view changed since the review.
    #[error("cannot confirm {batch}: the view changed since the review at {base}")]
    Stale {
        /// Which batch.
        batch: BatchId,
        /// Where it was reviewed.
        base: Position,
        /// The cells that another decision or an erasure touched, some of them.
        cells: Vec<String>,
        /// How many in all.
        count: u64,
    },
    /// What was to be taken back is not the last thing that was decided.
    #[error("{what}")]
    NotLast {
        /// What was decided since.
        what: String,
        /// What to do.
        next: String,
    },
    /// The token is not that of the present review.
    #[error("cannot confirm {batch}: the review's token is {} now, not {expected:.12}", .found.short())]
    TokenDiffers {
        /// Which batch.
        batch: BatchId,
        /// What was expected.
        expected: String,
        /// What it is.
        found: Digest,
    },
    /// This build was made without a part of the program.
    #[error("this volledger was built without {what}")]
    NotBuilt {
        /// What it lacks.
        what: &'static str,
        /// The cargo feature that brings it.
        feature: &'static str,
    },
    /// A decision was made and is durable, but the views could not be brought up to it.
    #[error("the decision is made, as {at}, but the views could not be updated")]
    ViewsBehind {
        /// Where the decision stands.
        at: Position,
        /// Why not.
        source: LedgerError,
    },
    /// A view would hold more of a symbol than can be read back.
    #[error(
        "{view} of {symbol} would have {events} rows {}, counting those of every batch, and that is \
         more than a view can hold",
        if *.dense { format!("on {}", Day(*.period)) } else { format!("in {period}") }
    )]
    NoRoom {
        /// The view.
        view: Series,
        /// Of which symbol.
        symbol: Symbol,
        /// The year, in a dense view the day since 1970.
        period: i32,
        /// Whether it is a day.
        dense: bool,
        /// Rows of all batches, of those too that were taken back.
        events: usize,
    },
    /// A query cannot be answered.
    #[error("{0}")]
    Sql(String),
    /// A condition on metrics cannot be asked.
    #[error("{why}")]
    Condition {
        /// Why not.
        why: String,
        /// The names that it could use.
        known: Vec<String>,
    },
    /// A file of rules is not right.
    #[error("rules {name}: {}", .problems.join("; "))]
    Rules {
        /// The name of the set or file.
        name: String,
        /// Everything that is wrong, at least one.
        problems: Vec<String>,
        /// What could be used instead.
        known: String,
    },
    /// A projection cannot be answered, kept or dropped.
    #[error("{0}")]
    Projection(String),
    /// A signing key cannot be used.
    #[error("{file}: {why}")]
    Key {
        /// Its file.
        file: String,
        /// Why not.
        why: String,
        /// What to do.
        next: String,
    },
    /// A key has signed what the log does not begin with: it is another ledger's, or this is no longer
    /// what was signed.
    #[error("{why}")]
    SignedOther {
        /// The key's file.
        file: String,
        /// What does not fit.
        why: LedgerError,
    },
    /// Nothing that was signed speaks of what is to be proven.
    #[error("{what}")]
    NoCheckpoint {
        /// Of what.
        what: String,
    },
    /// A stored view is not what the log gives.
    #[error("{0}")]
    ProjectionDiffers(String),
}

impl AppError {
    /// None of these views ever had the symbol: a misspelt one must not pass for one without values.
    pub(super) fn nothing_about(symbol: &Symbol, views: &[Series]) -> Self {
        Self::NotFound(match views {
            [Series::Index] if !symbol.is_index() => {
                format!("view index has nothing about {symbol}; the names of indices are as I:VIX")
            }
            [view] => format!("view {view} has nothing about {symbol}"),
            _ => format!("nothing is known of {symbol}"),
        })
    }
}

impl From<ProofError> for AppError {
    fn from(error: ProofError) -> Self {
        Self::Ledger(error.into())
    }
}

/// A result of the application.
pub type Result<T> = std::result::Result<T, AppError>;
