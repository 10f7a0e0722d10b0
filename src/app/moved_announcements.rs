//! Announcements whose day was changed: a calendar that says another day for the same quarter takes
//! the old day back, in the batch that brings the new one (`iv_crush.md` A10.4).

use super::draft::Draft;
use super::error::Result;
use super::prepared::{Prepared, Staged};
use super::views::ViewReader;
use super::{Run, known};
use crate::domain::{Day, Field, Finding, Op, Origin, Series, Severity, Symbol, Value, code};
use crate::ledger::Ledger;
use crate::projections::view::{Activity, Record, Which, fold};
use crate::quant::earnings::moves::QUARTER;
use std::collections::BTreeMap;

/// Days and symbols that a finding names.
const NAMED: usize = 5;

/// An announcement that is read from a source.
struct Incoming {
    /// Its number in the batch.
    seq: u32,
    origin: Origin,
    confirmed: bool,
}

/// A day that the views show and the batch contradicts.
struct Old {
    symbol: Symbol,
    day: Day,
    new: Day,
    origin: Origin,
}

fn is_one(value: Option<&Value>) -> bool {
    value.and_then(Value::decimal).is_some_and(|number| number == 1.into())
}

/// Seals a batch that was read from tables; of announcements with the days that they take back.
///
/// # Errors
/// Those of [`Prepared::settle`].
pub fn seal(
    mut prepared: Prepared,
    ledger: &mut Ledger,
    mut draft: Draft,
    full: bool,
    run: &Run<'_>,
) -> Result<Staged> {
    // What a service answers at another time is another answer, though its bytes be the same.
    if draft.series == Series::Earnings && draft.manifest.coverage.is_empty() {
        draft.read = Some(prepared.read());
    }
    match superseded_days(ledger, &mut prepared, &mut draft, run) {
        Ok(()) => prepared.settle(ledger, draft, full, run),
        Err(error) => {
            prepared.abandon(ledger)?;
            Err(error)
        }
    }
}

/// Adds to a batch of announcements the rows that take back the days which they replace. A day
/// that is confirmed is not taken back by one that is not: both stay, and a finding says so.
///
/// # Errors
/// A ledger that cannot be read or written.
fn superseded_days(
    ledger: &mut Ledger,
    prepared: &mut Prepared,
    draft: &mut Draft,
    run: &Run<'_>,
) -> Result<()> {
    if draft.series != Series::Earnings {
        return Ok(());
    }
    let mut taken_back = Vec::new();
    let mut conflicts = Vec::new();
    let view = Shown::of(ledger, draft)?;
    for (symbol, incoming) in incoming(ledger, prepared)? {
        for (day, confirmed) in view.days(&symbol)? {
            if incoming.contains_key(&day) {
                continue;
            }
            let from = Day(day.0.saturating_sub(QUARTER - 1));
            let to = Day(day.0.saturating_add(QUARTER - 1));
            let near = incoming.range(from..=to).min_by_key(|(new, _)| (new.0 - day.0).abs());
            let Some((new, row)) = near else { continue };
            let old = Old { symbol: symbol.clone(), day, new: *new, origin: row.origin };
            match confirmed && !row.confirmed {
                true => conflicts.push(old),
                false => taken_back.push(old),
            }
        }
    }
    drop(view);
    draft.rows.retracted += taken_back.len() as u64;
    let words = "of another day in the ledger, which is taken back";
    draft.findings.extend(finding("date_corrected", words, &taken_back));
    let words = "not confirmed, and the ledger has a confirmed one nearby: both stay";
    draft.findings.extend(finding("date_conflict", words, &conflicts));
    prepared.extend(ledger, run, |out| {
        for old in &taken_back {
            out.row(old.origin, Series::Earnings, Op::Retract, &old.symbol, old.day, &[], [])?;
        }
        Ok(())
    })
}

fn finding(code: &str, words: &str, days: &[Old]) -> Option<Finding> {
    let first = days.first()?;
    let named = days.iter().take(NAMED);
    let named = named.map(|old| format!("{} {} (was {})", old.symbol, old.new, old.day));
    let mut text = format!("{} {words}: {}", days.len(), named.collect::<Vec<_>>().join(", "));
    if days.len() > NAMED {
        text += &format!(" and {} more", days.len() - NAMED);
    }
    Some(Finding {
        code: code.to_owned(),
        severity: Severity::Warning,
        source: first.origin.source,
        line: Some(first.origin.line),
        day: Some(first.new),
        count: days.len() as u64,
        text,
    })
}

/// The announcements of the batch, by symbol and day, each with its place in its own source: what is taken
/// back for it is said by that row, and erasing it takes the bytes of that source.
fn incoming(
    ledger: &Ledger,
    prepared: &Prepared,
) -> Result<BTreeMap<Symbol, BTreeMap<Day, Incoming>>> {
    let (events, batch) = prepared.events(ledger);
    let mut found: BTreeMap<Symbol, BTreeMap<Day, Incoming>> = BTreeMap::new();
    let mut blocks = events.read(batch);
    while let Some(window) = blocks.next_window()? {
        for row in window.rows.iter() {
            let head = row.head;
            if (head.series, head.op) != (Series::Earnings, Op::Put) {
                continue;
            }
            let said = row.value(&Field::Known(code::CONFIRMED));
            let (seq, origin) = (head.seq, Origin::from(head));
            let new = Incoming { seq, origin, confirmed: is_one(said.as_ref()) };
            let days = found.entry(row.symbol.clone()).or_default();
            // Of a day that stands twice the last row counts.
            let last = days.get(&head.day).filter(|known| known.seq > seq).is_none();
            if last {
                days.insert(head.day, new);
            }
        }
    }
    Ok(found)
}

/// What the view shows. Batches of the same sources are left out, so that reading a file with another
/// mapping takes back what it took back before.
struct Shown<'l> {
    reader: ViewReader<'l>,
    activity: Activity,
}

impl<'l> Shown<'l> {
    fn of(ledger: &'l Ledger, draft: &Draft) -> Result<Self> {
        let mut activity = Activity::at(ledger.batches(), Series::Earnings, ledger.position());
        let sources: Vec<_> = draft.manifest.sources.iter().map(|source| source.digest).collect();
        for batch in known::took_back(ledger, Series::Earnings, &sources)? {
            activity = activity.without(batch);
        }
        Ok(Self { reader: ViewReader::new(ledger)?, activity })
    }

    /// The days that are shown of a symbol, and whether each is confirmed.
    fn days(&self, symbol: &Symbol) -> Result<Vec<(Day, bool)>> {
        let history = self.reader.history(Series::Earnings, symbol)?;
        let records = fold(Series::Earnings, &history, &self.activity, Which::Latest);
        let of = |record: &Record| {
            (record.day, is_one(record.known(code::CONFIRMED).map(|cell| &cell.value)))
        };
        Ok(records.iter().map(of).collect())
    }
}
