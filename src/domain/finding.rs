//! What a reader noticed about its input: data, not an error.

use super::Day;

/// How much a finding matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// Worth knowing; nothing to decide.
    Info,
    /// Something was odd and handled; the rows are used.
    Warning,
    /// A row cannot be used; it is kept as a `reject` event.
    Reject,
    /// The source cannot be used at all.
    Fatal,
}

impl Severity {
    /// The word used in JSON.
    pub fn name(self) -> &'static str {
        match self {
            Self::Info => "info",
            Self::Warning => "warning",
            Self::Reject => "reject",
            Self::Fatal => "fatal",
        }
    }
}

/// One thing noticed, with a stable code.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding {
    /// Stable code, for example `invalid_iv30`.
    pub code: String,
    /// How much it matters.
    pub severity: Severity,
    /// Index of the source in its batch.
    pub source: u32,
    /// Physical line, counted from 1, where one line is meant.
    pub line: Option<u32>,
    /// The day meant, if one could be read.
    pub day: Option<Day>,
    /// How many rows or cells it is about.
    pub count: u64,
    /// One sentence for a person, without a full stop.
    pub text: String,
}

/// Stands before the cell for which the first of several rows was rejected.
const FIRST: &str = "; the first for ";

impl Finding {
    /// A finding about a whole source: no line, no day, once.
    pub fn about(source: u32, code: &str, severity: Severity, text: String) -> Self {
        Self { code: code.to_owned(), severity, source, line: None, day: None, count: 1, text }
    }

    /// Says for which cell the first of the rows was rejected that this is about.
    #[must_use]
    pub fn first_for(mut self, cell: &str) -> Self {
        self.text = self.text + FIRST + cell;
        self
    }

    /// The cell for which the first row was rejected, where that was said.
    pub fn first(&self) -> Option<&str> {
        self.text.split_once(FIRST).map(|(_, cell)| cell)
    }
}
