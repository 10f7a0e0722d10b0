//! The note that goes with an answer into the inbox: which question it answers, and how it came.

use super::{Endpoint, Question};
use crate::domain::{Day, Position, Series, Symbol};
use crate::ledger::{Arrival, Inbox};
use serde::{Deserialize, Serialize};

/// An answer's question, page and circumstances.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Note {
    /// The run that asked, so that two runs' answers to one question are not mixed.
    pub run: String,
    /// Number of the question in the run.
    pub number: u32,
    /// The ledger's position when it was planned: a batch with this answer was staged later.
    #[serde(default)]
    pub position: u64,
    endpoint: String,
    series: String,
    symbol: String,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    only: Vec<String>,
    scope: String,
    from: String,
    to: String,
    asked: String,
    /// Number of the page, from 0.
    pub page: u32,
    /// Whether the answer is complete with it.
    pub last: bool,
    /// Path and query of this page.
    pub target: String,
    /// HTTP status; 0 when no answer came.
    pub status: u16,
    /// Attempts until it came.
    pub attempts: u32,
    /// Chosen headers.
    pub headers: Vec<(String, String)>,
    /// When it came, ms since 1970 UTC, by the clock of this machine.
    pub observed_ms: i64,
    /// When it came by the service's clock, where it told.
    #[serde(default)]
    pub server_ms: Option<i64>,
    /// `ok`, or how it failed.
    pub ended: String,
    /// What the service said, or what went wrong.
    pub text: String,
}

impl Note {
    /// The note of a page of a question; its circumstances are set by the caller.
    pub fn of(run: &str, number: u32, question: &Question) -> Self {
        Self {
            run: run.to_owned(),
            number,
            position: 0,
            endpoint: question.endpoint.name().to_owned(),
            series: question.series.name().to_owned(),
            symbol: question.symbol.as_ref().map(ToString::to_string).unwrap_or_default(),
            only: question.only.iter().map(ToString::to_string).collect(),
            scope: question.scope.clone(),
            from: question.from.to_string(),
            to: question.to.to_string(),
            asked: question.target.clone(),
            page: 0,
            last: false,
            target: question.target.clone(),
            status: 0,
            attempts: 0,
            headers: Vec::new(),
            observed_ms: 0,
            server_ms: None,
            ended: String::new(),
            text: String::new(),
        }
    }

    /// The id of the run that asked, as its diagnostics have it.
    pub fn run_id(&self) -> &str {
        let found = self.headers.iter().find(|(name, _)| name == super::ask::CORRELATION);
        found.map_or("", |(_, run)| run)
    }

    /// When it had come by the earlier of both clocks. What is final is judged by this, so that a clock
    /// that runs ahead cannot make days final that are not over.
    pub fn certain_ms(&self) -> i64 {
        self.server_ms.map_or(self.observed_ms, |server| server.min(self.observed_ms))
    }

    /// The note without the bytes of its answer: it still says what was asked, and how often.
    pub(super) fn without(self, ended: &str) -> Self {
        Self { ended: ended.to_owned(), text: String::new(), ..self }
    }

    /// The question that it answers; `None` for a note of another version.
    pub fn question(&self) -> Option<Question> {
        let endpoint = Endpoint::named(&self.endpoint)?;
        let series: Series = self.series.parse().ok()?;
        let (from, to): (Day, Day) = (self.from.parse().ok()?, self.to.parse().ok()?);
        let symbol = match self.symbol.as_str() {
            "" => None,
            name => Some(Symbol::exact(name).ok()?),
        };
        let only = self.only.iter().map(|name| Symbol::exact(name).ok());
        let only = only.collect::<Option<Vec<Symbol>>>()?;
        let (scope, target) = (self.scope.clone(), self.asked.clone());
        Some(Question { endpoint, series, symbol, only, scope, from, to, target })
    }
}

/// A question with all pages of its answer.
#[derive(Clone, Debug)]
pub struct Answered {
    /// The question.
    pub question: Question,
    /// The pages, in order, with their notes.
    pub pages: Vec<(Note, Arrival)>,
}

/// How an answer ended, where its bytes were removed because something of it was erased.
pub(super) const ERASED: &str = "erased";

/// How long a snapshot of an interrupted fetch may be used instead of a new one.
const FRESH_MS: i64 = 15 * 60_000;

impl Answered {
    /// Whether the question was answered; a failure is no answer.
    pub fn is_answer(&self) -> bool {
        let ended = self.pages.last().map_or("", |(note, _)| note.ended.as_str());
        matches!(ended, "ok" | "repeated" | "not-found" | "not-entitled")
    }

    /// Whether anything came; of a failed answer the pages before the failure count.
    pub(super) fn gave(&self) -> bool {
        self.pages.iter().any(|(note, _)| matches!(note.ended.as_str(), "ok" | "incomplete"))
    }

    /// The ledger's position when it was planned.
    pub(super) fn position(&self) -> Position {
        Position(self.pages.first().map_or(0, |(note, _)| note.position))
    }

    /// Whether its bytes were taken away.
    pub(super) fn is_erased(&self) -> bool {
        self.pages.iter().any(|(note, _)| note.ended == ERASED)
    }

    /// Whether it need not be asked again now: this morning's snapshot says nothing of the close.
    pub fn stands(&self, now_ms: i64) -> bool {
        let of_now = self.question.endpoint.is_of_now();
        let observed = self.pages.last().map_or(0, |(note, _)| note.observed_ms);
        self.is_answer() && (!of_now || now_ms.saturating_sub(observed) <= FRESH_MS)
    }
}

/// The whole answers that wait in an inbox, in the order in which they were begun, and how many
/// pages belong to answers that are not whole.
pub fn waiting(inbox: &Inbox) -> (Vec<Answered>, usize) {
    let mut found = every(inbox);
    let all = inbox.arrivals().len();
    found.retain(|answered| answered.pages.last().is_some_and(|(note, _)| note.last));
    let whole: usize = found.iter().map(|answered| answered.pages.len()).sum();
    (found, all - whole)
}

/// The answers in an inbox, whole or not, in the order in which they were begun.
pub(super) fn every(inbox: &Inbox) -> Vec<Answered> {
    let mut found: Vec<Answered> = Vec::new();
    for arrival in inbox.arrivals() {
        let Ok(note) = serde_json::from_str::<Note>(&arrival.note) else { continue };
        let Some(question) = note.question() else { continue };
        let same = |answered: &&mut Answered| {
            let first = answered.pages.first();
            first.is_some_and(|(first, _)| (&first.run, first.number) == (&note.run, note.number))
        };
        match found.iter_mut().find(same) {
            Some(answered) => answered.pages.push((note, arrival.clone())),
            None => found.push(Answered { question, pages: vec![(note, arrival.clone())] }),
        }
    }
    found
}
