//! What an answer about all symbols says of each of those that it was asked for: the same as an answer
//! about that one alone, as far as it can.

use super::Question;
use super::facts::Rejected;
use super::reading::Whole;
use crate::domain::{
    Collector, Coverage, Day, Fact, Finding, Key, Op, Origin, Reject, Row, Severity, Symbol, Window,
};
use serde::Deserialize;
use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::convert::Infallible;

/// What is recorded of a symbol that an answer about all stocks of a day lacks: there are stocks that
/// the service knows and leaves out there, so it is no last word.
pub(super) const LACKS: &str =
    "the service's answer about all stocks of the day lacks it; it is asked about alone next";

/// What is recorded of a symbol whose bar there cannot be.
pub(super) const REJECTED: &str = "its bar in the service's answer about all stocks of the day was \
                                   rejected; it is asked about alone next";

/// What an answer says of one symbol.
pub(super) struct Part<'w> {
    /// As if it had been asked about alone.
    pub(super) question: Question,
    /// Its events.
    pub(super) windows: Cow<'w, [Window]>,
    /// How many they are.
    pub(super) rows: u64,
    /// First and last day of them.
    pub(super) days: Option<(Day, Day)>,
    /// What of it was rejected.
    pub(super) rejected: Rejected,
}

/// The parts of an answer: itself, or one for each symbol that it was asked for.
pub(super) fn parts<'w>(about: &Question, whole: &'w Whole) -> Vec<Part<'w>> {
    if about.only.is_empty() {
        return vec![Part {
            question: about.clone(),
            windows: Cow::Borrowed(&whole.windows),
            rows: whole.rows.accepted,
            days: whole.days,
            rejected: whole.rejected.clone(),
        }];
    }
    let mut rows: BTreeMap<&Symbol, Vec<Row<'_>>> = BTreeMap::new();
    let mut rejects: BTreeMap<Symbol, Vec<&Reject>> = BTreeMap::new();
    for window in &whole.windows {
        for row in window.rows.iter() {
            rows.entry(row.symbol).or_default().push(row);
        }
        for reject in &window.rejects {
            let Some(symbol) = named(reject) else { continue };
            rejects.entry(symbol).or_default().push(reject);
        }
    }
    let part = |symbol: &Symbol| {
        let rows = rows.remove(symbol).unwrap_or_default();
        let rejects = rejects.remove(symbol).unwrap_or_default();
        let days = || rows.iter().map(|row| row.head.day);
        let undated = rejects.len() as u64;
        Part {
            question: Question { symbol: Some(symbol.clone()), only: Vec::new(), ..about.clone() },
            rows: rows.len() as u64,
            days: days().min().zip(days().max()),
            rejected: Rejected { count: undated, undated, days: BTreeSet::new() },
            windows: Cow::Owned(windows_of(&rows, &rejects)),
        }
    };
    about.only.iter().map(part).collect()
}

/// The symbol that a rejected bar names, if it does.
fn named(reject: &Reject) -> Option<Symbol> {
    #[derive(Deserialize)]
    struct Bar<'a> {
        #[serde(rename = "T", borrow)]
        name: Cow<'a, str>,
    }
    let bar: Bar<'_> = serde_json::from_str(&reject.raw).ok()?;
    Symbol::exact(&bar.name).ok()
}

fn windows_of(rows: &[Row<'_>], rejects: &[&Reject]) -> Vec<Window> {
    let mut windows = Vec::new();
    let mut take = |window: &mut Window| -> Result<(), Infallible> {
        windows.push(std::mem::take(window));
        Ok(())
    };
    let mut out = Collector::new(&mut take);
    for row in rows {
        let (head, values) = (row.head, row.values.iter());
        let key = Key { symbol: row.symbol, day: head.day, item: row.item };
        let Ok(()) = out.event(Origin::from(head), head.series, Op::Put, key, row.shape, values);
    }
    for r in rejects {
        let Ok(()) = out.reject(Origin::from(*r), r.series, &r.code, &r.raw);
    }
    let Ok(_) = out.finish();
    windows
}

/// Takes out of an answer what it says of some symbols.
pub(super) fn leave_out(whole: &mut Whole, symbols: &BTreeSet<Symbol>) {
    if symbols.is_empty() {
        return;
    }
    let kept = |reject: &&Reject| named(reject).is_none_or(|of| !symbols.contains(&of));
    let rows = whole.windows.iter().flat_map(|window| window.rows.iter());
    let rows: Vec<Row<'_>> = rows.filter(|row| !symbols.contains(row.symbol)).collect();
    let rejects = whole.windows.iter().flat_map(|window| &window.rejects);
    let rejects: Vec<&Reject> = rejects.filter(kept).collect();
    let (accepted, rejected) = (rows.len() as u64, rejects.len() as u64);
    let windows = windows_of(&rows, &rejects);
    whole.windows = windows;
    (whole.rows.accepted, whole.rows.rejected) = (accepted, rejected);
    whole.rows.read = accepted + rejected;
}

/// Says of a symbol of which an answer about others has nothing why that is not for good.
pub(super) fn explain(told: &mut [Coverage], whole: &Whole, part: &Part<'_>) {
    let of_others = part.question.is_about_all_stocks() && part.question.symbol.is_some();
    let why = match part.rejected.count {
        0 if whole.others > 0 || whole.days.is_some() => LACKS,
        0 => return,
        _ => REJECTED,
    };
    let lacking = told.iter_mut().filter(|fact| of_others && fact.fact == Fact::Empty);
    lacking.for_each(|fact| fact.text = why.to_owned());
}

/// Answers about all symbols of which only some were taken.
#[derive(Debug, Default)]
pub(super) struct Passed {
    answers: u64,
    held: u64,
    taken: u64,
}

impl Passed {
    /// Counts an answer as it came.
    pub(super) fn add(&mut self, question: &Question, whole: &Whole) {
        if !question.only.is_empty() {
            self.answers += 1;
            self.held += whole.others + whole.rows.read;
            self.taken += whole.rows.read;
        }
    }

    /// What is said of them, in one sentence.
    pub(super) fn finding(&self) -> Option<Finding> {
        let Self { answers, held, taken } = *self;
        let one = answers == 1;
        let (these, have) = if one { ("answer", "has") } else { ("answers", "have") };
        let text = format!(
            "{answers} {these} about all stocks of a day {have} {held} bars: the {taken} of stocks that \
             were asked for are taken, the others are not"
        );
        (held > taken).then(|| Finding {
            count: held - taken,
            ..Finding::about(0, "not_asked_for", Severity::Info, text)
        })
    }
}
