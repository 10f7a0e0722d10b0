//! Answers in the inbox that would bring back what was rolled back or erased after they were planned.
//! They are left out; `--again` asks anew.

use super::coverage::{CoverageMap, taken_at};
use super::endpoint::Provider;
use super::note::{Answered, ERASED, every};
use super::reading::{Read, read};
use super::{Question, bodies};
use crate::app::error::Result;
use crate::domain::{Coverage, Day, Digest, Fact, Series, Symbol};
use crate::ledger::erase::Selection;
use crate::ledger::{Inbox, Ledger, LedgerError, OpenOptions};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

/// The answers in the inbox that may still be used.
///
/// # Errors
/// A manifest that cannot be read.
pub fn unless_taken_back(ledger: &Ledger, mut waiting: Vec<Answered>) -> Result<Vec<Answered>> {
    let oldest = waiting.iter().map(Answered::position).min().unwrap_or(ledger.position());
    let mut taken = ledger.batches().iter().filter_map(|(_, batch)| taken_at(batch));
    if !taken.any(|at| at > oldest) {
        return Ok(waiting);
    }
    let mut days: BTreeMap<Series, (Day, Day)> = BTreeMap::new();
    for Answered { question, .. } in &waiting {
        let days = days.entry(question.series).or_insert((question.from, question.to));
        *days = (days.0.min(question.from), days.1.max(question.to));
    }
    for (series, (from, to)) in days {
        let coverage = CoverageMap::of(ledger, (series, from, to))?;
        waiting.retain_mut(|answer| {
            let (question, since) = (&answer.question, answer.position());
            if question.series != series {
                return true;
            }
            let mut left = question.symbols();
            left.retain(|symbol| {
                coverage.taken_back_since(&[about(question, *symbol)], since).is_none()
            });
            let any = !left.is_empty();
            let left: Vec<Symbol> = left.into_iter().flatten().cloned().collect();
            if !question.only.is_empty() {
                answer.question.only = left;
            }
            any
        });
    }
    Ok(waiting)
}

/// The most that a question may bring of one of its symbols: data on all its days.
pub(super) fn about(question: &Question, symbol: Option<&Symbol>) -> Coverage {
    Coverage {
        series: question.series,
        symbol: symbol.cloned(),
        scope: question.scope.clone(),
        from: question.from,
        to: question.to,
        fact: Fact::Data,
        settled: question.to,
        observed_ms: 0,
        meaning: Digest::default(),
        text: String::new(),
    }
}

/// What an erasure took from the inbox.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Forgotten {
    /// Answers whose bytes are gone.
    pub answers: usize,
    /// Whether a fetch is under way: its answers are not looked at now, but left out when it ends.
    pub held: bool,
}

/// Removes the bytes of every answer in the inbox that holds something of what is to be erased: the
/// same symbol, day, view and service. The note of the request stays.
///
/// # Errors
/// A ledger that cannot be read, an inbox that cannot be written.
pub fn forget(ledger: &Ledger, selection: &Selection) -> Result<Forgotten> {
    let nothing = Forgotten::default();
    let Some(directory) = ledger.directory() else { return Ok(nothing) };
    if !Inbox::bytes_waiting(directory).is_ok_and(|bytes| bytes.is_some_and(|bytes| bytes > 0)) {
        return Ok(nothing);
    }
    let gone = gone(ledger, selection)?;
    if gone.is_empty() {
        return Ok(nothing);
    }
    // A fetch takes the inbox first and the ledger after it: waiting for the inbox here could last for
    // ever.
    let mut inbox = match Inbox::open(directory, &OpenOptions::new("erase", Duration::ZERO)) {
        Err(LedgerError::Held { .. }) => return Ok(Forgotten { held: true, ..nothing }),
        inbox => inbox?,
    };
    let (mut notes, mut answers) = (BTreeMap::new(), 0);
    for answer in every(&inbox) {
        if says(&inbox, &answer, &gone)? {
            answers += 1;
            for (note, arrival) in answer.pages {
                let note = serde_json::to_string(&note.without(ERASED)).unwrap_or_default();
                notes.insert(arrival.offset(), note);
            }
        }
    }
    inbox.blank(&notes)?;
    Ok(Forgotten { answers, held: false })
}

/// The symbols and days of which something is to be erased, by service and view.
type Gone = BTreeMap<(Provider, Series), BTreeSet<(Symbol, Day)>>;

fn gone(ledger: &Ledger, selection: &Selection) -> Result<Gone> {
    let mut gone = Gone::new();
    for (id, numbers) in selection {
        let batch = ledger.batches().get(*id);
        let provider = batch.and_then(|batch| Provider::of_mapping(&batch.stage.mapping.id));
        let Some(provider) = provider else { continue };
        let mut reader = ledger.read(*id);
        while let Some(window) = reader.next_window()? {
            for row in window.rows.iter().filter(|row| numbers.contains(&row.head.seq)) {
                let days = gone.entry((provider, row.head.series)).or_default();
                days.insert((row.symbol.clone(), row.head.day));
            }
        }
    }
    Ok(gone)
}

/// Whether an answer holds something of what is to go. An unreadable answer may.
fn says(inbox: &Inbox, answer: &Answered, gone: &Gone) -> Result<bool> {
    let question = &answer.question;
    let Some(gone) = gone.get(&(question.endpoint.provider(), question.series)) else {
        return Ok(false);
    };
    if question.symbol.as_ref().is_some_and(|symbol| !gone.iter().any(|(of, _)| of == symbol)) {
        return Ok(false);
    }
    if bodies::too_large(&answer.pages).is_some() {
        return Ok(true);
    }
    // Of an answer about all symbols the bytes have those, too, that nobody asked for.
    let whole = Question { only: Vec::new(), ..question.clone() };
    match read(&whole, &bodies::Bodies::new(inbox, &answer.pages), 0) {
        Ok(Read::Of(all)) => Ok(all.windows.iter().any(|window| {
            let mut rows = window.rows.iter();
            rows.any(|row| gone.contains(&(row.symbol.clone(), row.head.day)))
        })),
        Ok(Read::Not(_)) => Ok(true),
        Err(error) => bodies::damage(&error).map(|_| true).ok_or(error),
    }
}
