//! Noticing one snapshot under two dates: tables of chains are labelled by hand, and a label can
//! be wrong although every row is right.

use super::Run;
use super::error::Result;
use super::groups::Groups;
use super::report::SAME_QUOTES;
use super::views::ViewReader;
use crate::domain::{BatchId, Day, Field, Finding, Op, Series, Severity, Symbol, Value, code};
use crate::ledger::Ledger;
use crate::projections::view::{Activity, History, Which, fold};
use std::collections::BTreeMap;

/// What two snapshots of different sessions cannot share: quotes, sizes, volume, open interest.
/// Greeks are left out: a vendor computes them anew at each call.
const WITNESSES: [u16; 6] =
    [code::BID, code::ASK, code::BID_SIZE, code::ASK_SIZE, code::DAY_VOLUME, code::OPEN_INTEREST];

/// A contract's witnesses; `None` where nothing is said.
type Quotes = [Option<Value>; WITNESSES.len()];

/// The contracts of a day.
type Chain = BTreeMap<Box<str>, Quotes>;

/// Compares each day of a batch's chains with the other days that the view shows, and with the
/// batch's own other days.
pub fn findings(
    ledger: &Ledger,
    events: &Ledger,
    batch: BatchId,
    run: &Run<'_>,
) -> Result<Vec<Finding>> {
    let reader = ViewReader::new(ledger)?;
    let activity = Activity::at(ledger.batches(), Series::Chain, ledger.position());
    let activity = activity.without(batch);
    let mut found = Vec::new();
    let mut groups = Groups::of(events, &[batch])?;
    let count = groups.symbol_count() as u64;
    run.progress.begin("looking for the same quotes", Some(count), "symbols");
    let mut done = 0;
    while let Some(group) = groups.next(events)? {
        for (symbol, events) in group {
            done += 1;
            run.progress.at(done);
            let Some(own) = events.views.get(&Series::Chain) else { continue };
            let own = of_batch(own);
            let mut days: Vec<(Day, Chain)> = Vec::new();
            for day in reader.periods(Series::Chain, &symbol)?.into_iter().map(Day) {
                // One stored day is held at a time.
                let history = reader.history_between(Series::Chain, &symbol, day, day)?;
                let stored = shown(&history, &activity, day);
                let others = own.iter().filter(|(other, _)| **other != day);
                for (other, chain) in others {
                    found.extend(compared(&symbol, *other, chain, day, &stored, "confirmed"));
                }
            }
            for (day, chain) in own {
                for (other, earlier) in &days {
                    found.extend(compared(&symbol, day, &chain, *other, earlier, "in this batch"));
                }
                days.push((day, chain));
            }
        }
    }
    run.progress.end();
    Ok(found)
}

/// The finding, when two days have the same quotes.
fn compared(
    symbol: &Symbol,
    day: Day,
    chain: &Chain,
    other: Day,
    stored: &Chain,
    place: &str,
) -> Option<Finding> {
    let (mut common, mut equal) = (0, 0);
    for (contract, quotes) in chain {
        let Some(theirs) = stored.get(contract) else { continue };
        // A contract that nobody quotes is the same every day.
        let told = |(ours, theirs): (&Option<Value>, &Option<Value>)| {
            Some(ours.as_ref()?.same_meaning(theirs.as_ref()?))
        };
        let mut same = quotes.iter().zip(theirs).filter_map(told).peekable();
        if same.peek().is_some() {
            common += 1;
            equal += usize::from(same.all(|same| same));
        }
    }
    // Files leave contracts out, and single rows are retouched; a new session changes most.
    let enough = common * 2 >= chain.len().min(stored.len()).max(1);
    (enough && equal * 20 >= common * 19 && equal > 0).then(|| Finding {
        code: SAME_QUOTES.into(),
        severity: Severity::Warning,
        source: 0,
        line: None,
        day: Some(day),
        count: equal as u64,
        text: format!(
            "{equal} of {common} contracts of {symbol} on {day} have the bids, asks, sizes, volume \
             and open interest that are {place} under {other}: one of the dates is wrong"
        ),
    })
}

fn witnesses(value: impl Fn(&Field) -> Option<Value>) -> Quotes {
    WITNESSES.map(|code| value(&Field::Known(code)).filter(|v| *v != Value::Null))
}

/// A batch's chains, by day; the last row of a contract counts.
fn of_batch(history: &History) -> BTreeMap<Day, Chain> {
    let mut days: BTreeMap<Day, Chain> = BTreeMap::new();
    for row in history.rows.iter().filter(|row| row.head.op == Op::Put) {
        let chain = days.entry(row.head.day).or_default();
        chain.insert(row.item.into(), witnesses(|field| row.value(field)));
    }
    days
}

/// The chain that the view shows on a day.
fn shown(history: &History, activity: &Activity, day: Day) -> Chain {
    let records = fold(Series::Chain, history, activity, Which::Latest);
    let records = records.into_iter().filter(|record| record.day == day);
    let chain = records.map(|record| {
        let quotes = witnesses(|field| Some(record.cell(field)?.value.clone()));
        (record.item, quotes)
    });
    chain.collect()
}
