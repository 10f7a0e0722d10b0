//! One history seen twice: before and after batches come or go.

use super::{Activity, Assertion, Cell, History, Rank, Record, Which, record, says_something};
use crate::domain::{BatchId, Day, Row, Series};

/// One key of a symbol, before and after.
#[derive(Debug)]
pub struct Sides<'h, 's> {
    view: Series,
    about: Row<'h>,
    before: &'s [Assertion<'h>],
    after: &'s [Assertion<'h>],
    /// Whether other assertions count after than before; where not, both show the same.
    pub moved: bool,
}

impl<'h> Sides<'h, '_> {
    /// Day and item.
    pub fn key(&self) -> (Day, &'h str) {
        (self.about.head.day, self.about.item)
    }

    /// Whether anything is shown before.
    pub fn shows_before(&self) -> bool {
        shows(self.view, self.before)
    }

    /// Whether anything is shown after.
    pub fn shows_after(&self) -> bool {
        shows(self.view, self.after)
    }

    /// Whether another value is meant after than before, or one comes or goes; other digits of the
    /// same number are no difference.
    pub fn differs(&self) -> bool {
        if let (Some(old), Some(new)) = (sole(self.view, self.before), sole(self.view, self.after))
            && old.shape == new.shape
        {
            let fields = || new.shape.iter().filter(|field| !field.is_mark());
            let mut values = old.values.refs().zip(new.values.refs()).zip(fields()).enumerate();
            return values.any(|(index, ((old, new), field))| {
                // A field that is named twice shows its last value.
                !old.same_meaning(new) && !fields().skip(index + 1).any(|later| later == field)
            });
        }
        let (old, new) = (self.before(), self.after());
        let cells = |record: Option<Record>| record.map(|record| record.cells).unwrap_or_default();
        let (old, new) = (cells(old), cells(new));
        let same = |cell: &Cell| {
            let was = old.iter().find(|was| was.field == cell.field);
            was.is_some_and(|was| was.value.same_meaning(&cell.value))
        };
        old.len() != new.len() || !new.iter().all(same)
    }

    /// What is shown before, of the newest assertions.
    pub fn before(&self) -> Option<Record> {
        self.before.first().and_then(|(_, r, _)| record(self.view, *r, self.before, Which::Latest))
    }

    /// What is shown after, of the newest assertions.
    pub fn after(&self) -> Option<Record> {
        self.after.first().and_then(|(_, r, _)| record(self.view, *r, self.after, Which::Latest))
    }

    /// Whether what is shown after is what one batch says, as if no other spoke of the key.
    pub fn follows_from(&self, batch: BatchId) -> bool {
        let of_it = |(_, _, id): &&Assertion<'_>| *id == batch;
        if self.after.iter().all(|assertion| of_it(&assertion)) {
            return true;
        }
        let own: Vec<_> = self.after.iter().filter(of_it).copied().collect();
        let alone = own.first().and_then(|(_, r, _)| record(self.view, *r, &own, Which::Latest));
        alone == self.after()
    }
}

fn shows(view: Series, assertions: &[Assertion<'_>]) -> bool {
    match assertions {
        [] => false,
        // Whatever was said before it, the last word puts a value.
        [.., (_, last, _)] if says_something(last) => true,
        [_] => false,
        [(_, row, _), ..] => record(view, *row, assertions, Which::Latest).is_some(),
    }
}

/// The event whose values are all that is shown, where none before it speaks of another field.
fn sole<'h>(view: Series, assertions: &[Assertion<'h>]) -> Option<Row<'h>> {
    let ((_, last, _), earlier) = assertions.split_last()?;
    // An announcement's time may be an earlier one's.
    if view == Series::Earnings && !earlier.is_empty() {
        return None;
    }
    let covered = |(_, row, _): &Assertion<'_>| {
        std::ptr::eq(row.shape, last.shape) || row.shape.iter().all(|of| last.shape.contains(of))
    };
    (says_something(last) && earlier.iter().all(covered)).then_some(*last)
}

/// Goes through a history key by key, with what counts before and what counts after.
pub fn sides(
    view: Series,
    history: &History,
    before: &Activity,
    after: &Activity,
    take: &mut dyn FnMut(&Sides<'_, '_>),
) {
    let (mut left, mut right): (Vec<Assertion<'_>>, Vec<Assertion<'_>>) = Default::default();
    let (mut about, mut moved): (Option<Row<'_>>, bool) = (None, false);
    let mut hand = |about: Row<'_>, moved, left: &mut Vec<_>, right: &mut Vec<_>| {
        for side in [&mut *left, &mut *right] {
            if side.len() > 1 {
                side.sort_by_key(|(rank, ..): &Assertion<'_>| *rank);
            }
        }
        if !left.is_empty() || !right.is_empty() {
            take(&Sides { view, about, before: left, after: right, moved });
        }
        left.clear();
        right.clear();
    };
    // Neighbours are mostly of one batch, so its ranks are asked for once.
    let mut last = None;
    for (row, batch) in history.rows.iter().zip(&history.batches) {
        let id = BatchId(*batch);
        if let Some(first) = about
            && (first.head.day, first.item) != (row.head.day, row.item)
        {
            hand(first, moved, &mut left, &mut right);
            (about, moved) = (Some(row), false);
        }
        about.get_or_insert(row);
        let (was, is) = match last {
            Some((known, ranks)) if known == id => ranks,
            _ => (before.rank(id), after.rank(id)),
        };
        last = Some((id, (was, is)));
        moved |= was != is;
        for (rank, side) in [(was, &mut left), (is, &mut right)] {
            if let Some((class, committed)) = rank {
                side.push((Rank { class, committed, seq: row.head.seq }, row, id));
            }
        }
    }
    if let Some(about) = about {
        hand(about, moved, &mut left, &mut right);
    }
}

/// How many records a part of a sorted history shows whichever of its batches count, as long as one
/// of each key does; `None` where an event takes back or says nothing, so that it depends on them.
pub fn keys_shown(history: &History, range: std::ops::Range<usize>) -> Option<u64> {
    let (mut keys, mut last, mut kind) = (0, None, None);
    let heads = history.rows.heads().get(range.clone()).unwrap_or_default();
    for (index, head) in range.zip(heads) {
        // Neighbours are mostly alike, so what one of them says is looked at once.
        if kind.replace((head.op, head.shape)) != Some((head.op, head.shape))
            && !history.rows.get(index).is_some_and(|row| says_something(&row))
        {
            return None;
        }
        let key = Some((head.day, head.item));
        keys += u64::from(last != key);
        last = key;
    }
    Some(keys)
}

#[cfg(test)]
mod tests {
    use super::super::tests::{active, history_of_three, push, put};
    use super::*;
    use crate::domain::{Class, Field, Op, code};
    use crate::projections::diff::compare_day;
    use crate::projections::view::fold;

    #[test]
    fn sides_are_what_two_folds_show() {
        let mut history = history_of_three();
        // Other digits; a field that is named twice; another one besides.
        for (batch, day, texts) in
            [(1, 8, ["3", "0.1"]), (2, 8, ["3.0", "0.1"]), (3, 8, ["3", "0.2"])]
        {
            put(&mut history, batch, 9, day, &[Field::Known(19), Field::Known(10)], &texts);
        }
        for (batch, texts) in [(1, ["1", "2"]), (2, ["5", "2.0"]), (3, ["1", "3"])] {
            put(&mut history, batch, 10, 9, &[Field::Known(10), Field::Known(10)], &texts);
        }
        put(&mut history, 1, 11, 10, &[Field::Known(10)], &["1"]);
        put(&mut history, 3, 11, 10, &[Field::Known(10), Field::Known(11)], &["1", "2"]);
        // One field, and that field taken back.
        put(&mut history, 1, 12, 11, &[Field::Known(10)], &["1"]);
        push(&mut history, 3, 12, 11, Op::Retract, &[Field::Known(10)], &[]);
        // Times of announcements, of which one that is unknown gives way.
        for (day, words) in [(12, ["AMC", "UNKNOWN", "BMO"]), (13, ["UNKNOWN", "BMO", "UNKNOWN"])] {
            for (batch, word) in (1..).zip(words) {
                put(&mut history, batch, 13, day, &[Field::Known(code::TIMING)], &[word]);
            }
        }
        for view in [Series::Iv, Series::Earnings] {
            both_sides(view, &history);
        }
    }

    fn both_sides(view: Series, history: &History) {
        let vendor = Class::Vendor;
        let choices: [&[(u32, Class)]; 6] = [
            &[],
            &[(1, vendor)],
            &[(1, vendor), (2, vendor)],
            &[(2, vendor), (3, Class::Fill)],
            &[(1, vendor), (2, vendor), (3, vendor)],
            &[(3, vendor)],
        ];
        for (a, b) in choices.iter().flat_map(|a| choices.iter().map(move |b| (a, b))) {
            let (before, after) = (active(a), active(b));
            let (mut old, mut new) = (Vec::new(), Vec::new());
            sides(view, history, &before, &after, &mut |key| {
                let (was, is) = (key.before(), key.after());
                assert_eq!((was.is_some(), is.is_some()), (key.shows_before(), key.shows_after()));
                let (symbol, mut real) = ("AAPL".parse().unwrap(), false);
                let (left, right) = (was.as_ref(), is.as_ref());
                compare_day(view, &symbol, left, right, None, &mut |c| real |= c.is_real());
                assert_eq!(key.differs(), real, "{a:?} {b:?} {:?}", key.key());
                assert!(key.moved || was == is, "{a:?} {b:?} {:?}", key.key());
                assert!(was.iter().chain(&is).all(|record| record.key() == key.key()));
                old.extend(was);
                new.extend(is);
            });
            assert_eq!(old, fold(view, history, &before, Which::Latest));
            assert_eq!(new, fold(view, history, &after, Which::Latest));
        }
    }

    #[test]
    fn keys_are_counted_where_no_event_takes_back_or_says_nothing() {
        const IV: Field = Field::Known(10);
        let mut history = History::default();
        put(&mut history, 1, 0, 5, &[IV], &["0.1"]);
        put(&mut history, 2, 0, 5, &[IV], &["0.2"]);
        put(&mut history, 1, 1, 6, &[Field::DateMark], &[]);
        assert_eq!(keys_shown(&history, 0..3), Some(2));
        put(&mut history, 1, 2, 7, &[], &[]);
        assert_eq!((keys_shown(&history, 0..3), keys_shown(&history, 0..4)), (Some(2), None));
        let mut history = History::default();
        put(&mut history, 1, 0, 5, &[IV], &["0.1"]);
        push(&mut history, 2, 0, 5, Op::Retract, &[], &[]);
        assert_eq!(keys_shown(&history, 0..2), None);
    }
}
