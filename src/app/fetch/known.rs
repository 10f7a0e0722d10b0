//! Whether an answer says nothing new: then nothing of it needs to be recorded.
//!
//! An answer is known when the same days were answered before, as finally as now and with the same
//! items; what a vendor computes anew at each call is not compared. Only fetched batches that are
//! staged or active are looked at: a file with the same values may be rolled back on its own.

use super::Question;
use super::coverage::{CoverageMap, days_in, only_of};
use super::meaning::gave;
use crate::app::error::Result;
use crate::app::views::ViewReader;
use crate::domain::{Coverage, Day, Fact, Field, Symbol, Value, Window, series};
use crate::projections::view::{Which, fold};
use std::collections::BTreeMap;

/// The items of a symbol: by day and item, the values by field name.
type Items = BTreeMap<(Day, String), BTreeMap<String, String>>;

/// Whether the facts and events of an answer are known.
pub fn is_known(
    reader: &ViewReader<'_>,
    coverage: &CoverageMap,
    question: &Question,
    told: &[Coverage],
    windows: &[Window],
) -> Result<bool> {
    if told.iter().all(|fact| has_same(coverage, fact)) {
        return Ok(true);
    }
    // Parts of an earlier answer's days, asked again because they were provisional.
    let Some(symbol) = &question.symbol else { return Ok(false) };
    let usable = |fact: &Coverage| matches!(fact.fact, Fact::Data | Fact::Empty);
    if !told.iter().all(|fact| usable(fact) && each_day_known(coverage, fact)) {
        return Ok(false);
    }
    let range = told.iter().fold((question.from, question.to), |(from, to), fact| {
        (from.min(fact.from), to.max(fact.to))
    });
    Ok(fetched(reader, question, symbol, range)? == answered(windows))
}

/// Whether the newest fact about exactly these days says the same, as finally, and no later answer is
/// shown on some of them: a value that the later one corrected may be corrected back.
fn has_same(coverage: &CoverageMap, fact: &Coverage) -> bool {
    let known = coverage.about(fact.series, fact.symbol.as_ref(), &fact.scope);
    let same_days = known.filter(|known| (known.from, known.to) == (fact.from, fact.to));
    same_days.last().is_some_and(|known| {
        let settled = |of: &Coverage| of.settled.min(of.to).max(Day(of.from.0 - 1));
        // An answer that was asked anew because of a split is recorded, or it would be asked for ever.
        coverage.counts(known, fact.symbol.as_ref(), fact.from)
            && known.fact == fact.fact
            && known.meaning == fact.meaning
            && (!gave(known)
                || coverage.shown(fact).is_some_and(|shown| std::ptr::eq(shown, known)))
            && settled(known) >= settled(fact)
    })
}

/// Whether each day of a fact was answered before, as finally as now.
fn each_day_known(coverage: &CoverageMap, fact: &Coverage) -> bool {
    days_in(fact.from, fact.to).all(|day| {
        let known = coverage.fact(fact.series, fact.symbol.as_ref(), &fact.scope, day);
        known.is_some_and(|known| {
            let usable = matches!(known.fact, Fact::Data | Fact::Empty)
                && coverage.counts(known, fact.symbol.as_ref(), day);
            usable && (day <= known.settled || day > fact.settled)
        })
    })
}

fn lasting(field: &Field) -> bool {
    !field.is_mark() && !matches!(field, Field::Known(code) if series::is_volatile(*code))
}

/// The items of an answer.
fn answered(windows: &[Window]) -> Items {
    let mut items = Items::new();
    for row in windows.iter().flat_map(|window| window.rows.iter()) {
        let values = items.entry((row.head.day, row.item.to_owned())).or_default();
        for (field, value) in row.fields().filter(|(field, _)| lasting(field)) {
            values.insert(
                field.name().to_owned(),
                value.as_ref().map(Value::to_string).unwrap_or_default(),
            );
        }
    }
    items
}

/// What active fetched batches say of a symbol's days.
fn fetched(
    reader: &ViewReader<'_>,
    question: &Question,
    symbol: &Symbol,
    (from, to): (Day, Day),
) -> Result<Items> {
    let (view, ledger) = (question.series, reader.ledger());
    let activity = only_of(ledger, view, ledger.position(), question.endpoint.provider());
    let history = reader.history_between(view, symbol, from, to)?;
    let mut items = Items::new();
    for record in fold(view, &history, &activity, Which::Latest) {
        if !(from..=to).contains(&record.day) {
            continue;
        }
        let cells = record.cells.iter().filter(|cell| lasting(&cell.field));
        let values = cells.map(|cell| (cell.field.name().to_owned(), cell.value.to_string()));
        items.insert((record.day, record.item.to_string()), values.collect());
    }
    Ok(items)
}
