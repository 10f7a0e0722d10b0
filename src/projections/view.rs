//! The fold: from the assertions about a symbol to the records that a user sees.
//!
//! For each field of a day the assertion with the greatest (class, commit position, row number)
//! among the active batches decides: a `put` shows its value, a `retract` shows nothing. Nothing
//! here depends on the order in which batches were added or removed.
//!
//! An announcement's time that nobody told is silence: `UNKNOWN` is shown where no assertion that
//! counts has a time, whatever their ranks.

mod activity;
mod sides;
mod valued;

pub use activity::Activity;
pub use sides::{Sides, keys_shown, sides};
pub use valued::{days_with_value, has_value};

use crate::domain::{
    BatchId, Class, Day, EventId, Field, Op, Position, Row, Rows, Series, Value, code,
};

/// One shown value and the event that asserted it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cell {
    /// The field; marks carry no value.
    pub field: Field,
    /// The value as asserted, `Null` included.
    pub value: Value,
    /// The asserting event.
    pub event: EventId,
    /// The class of the asserting batch in this view.
    pub class: Class,
}

/// What a view shows of one symbol on one day (and about one item of it).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// The day.
    pub day: Day,
    /// What tells it apart from other records of the day; empty in daily series.
    pub item: Box<str>,
    /// The fields and marks in the record's order.
    pub order: Vec<Field>,
    /// The shown values, in the record's order.
    pub cells: Vec<Cell>,
}

impl Record {
    /// Day and item: records of a symbol are ascending by it.
    pub fn key(&self) -> (Day, &str) {
        (self.day, &self.item)
    }

    /// The shown value of a field.
    pub fn cell(&self, field: &Field) -> Option<&Cell> {
        self.cells.iter().find(|cell| cell.field == *field)
    }

    /// The shown number of a known field as a float, for analytics.
    pub fn number(&self, code: u16) -> Option<f64> {
        self.known(code)?.value.float()
    }

    /// The shown number of a field by its name in views (`atm_iv`), in the unit that it is stored
    /// in (volatilities as fractions); nothing where the day has none.
    pub fn number_of(&self, name: &str) -> Option<f64> {
        self.cells.iter().find(|cell| cell.field.name() == name)?.value.float()
    }

    /// The shown value of a known field.
    pub fn known(&self, code: u16) -> Option<&Cell> {
        self.cells.iter().find(|cell| cell.field == Field::Known(code))
    }
}

/// Whether the newest or the earliest assertion decides.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Which {
    /// The view as it is known at the position.
    #[default]
    Latest,
    /// For each cell the first value that is still held to be true: the earliest commit among the
    /// active batches of the highest class.
    First,
}

impl Which {
    /// How a report says that it shows the earliest values.
    pub fn told(self) -> Option<&'static str> {
        (self == Self::First).then_some("first")
    }
}

/// The events of one symbol in one view, with the batch of each.
#[derive(Clone, Debug, Default)]
pub struct History {
    /// Events, sorted by day and item.
    pub rows: Rows,
    /// The batch of each event.
    pub batches: Vec<u32>,
}

/// Folds the events of one symbol into records, ascending by day.
pub fn fold(view: Series, history: &History, activity: &Activity, which: Which) -> Vec<Record> {
    let mut records = Vec::new();
    by_key(history, activity, &mut |assertions| {
        if let Some((_, row, _)) = assertions.first() {
            records.extend(record(view, *row, assertions, which));
        }
    });
    records
}

/// What is shown of a key, as far as it had to be worked out.
#[derive(Debug)]
pub enum Shown<'a> {
    /// One event alone decides: its values are what is shown.
    Event(Row<'a>),
    /// Several events decide.
    Record(Record),
}

/// What [`fold`] gives, key by key, without making records where one event alone decides.
pub fn each(
    view: Series,
    history: &History,
    activity: &Activity,
    which: Which,
    take: &mut dyn FnMut(Shown<'_>),
) {
    by_key(history, activity, &mut |assertions| match assertions {
        [(_, row, _)] if row.head.op == Op::Put => {
            if says_something(row) {
                take(Shown::Event(*row));
            }
        }
        [] => {}
        several => {
            if let Some(record) =
                several.first().and_then(|(_, r, _)| record(view, *r, several, which))
            {
                take(Shown::Record(record));
            }
        }
    });
}

/// An event with its rank and batch.
type Assertion<'a> = (Rank, Row<'a>, BatchId);

/// Hands over the assertions that count, key by key, lowest rank first.
fn by_key<'a>(history: &'a History, activity: &Activity, take: &mut dyn FnMut(&[Assertion<'a>])) {
    let mut key: Vec<Assertion<'a>> = Vec::new();
    // Neighbours are mostly of one batch, so its rank is asked for once.
    let mut last = None;
    for (row, batch) in history.rows.iter().zip(&history.batches) {
        let other = key.first().is_some_and(|(_, first, _)| {
            (first.head.day, first.head.item) != (row.head.day, row.head.item)
        });
        if other {
            hand_over(&mut key, take);
        }
        let rank = match last {
            Some((known, rank)) if known == *batch => rank,
            _ => activity.rank(BatchId(*batch)),
        };
        last = Some((*batch, rank));
        if let Some((class, committed)) = rank {
            let seq = row.head.seq;
            key.push((Rank { class, committed, seq }, row, BatchId(*batch)));
        }
    }
    hand_over(&mut key, take);
}

fn hand_over<'a>(key: &mut Vec<Assertion<'a>>, take: &mut dyn FnMut(&[Assertion<'a>])) {
    if key.len() > 1 {
        key.sort_by_key(|(rank, ..)| *rank);
    }
    if !key.is_empty() {
        take(key);
    }
    key.clear();
}

/// Whether a put alone makes a record.
fn says_something(row: &Row<'_>) -> bool {
    row.head.op == Op::Put && (!row.values.is_empty() || row.shape.iter().any(Field::is_mark))
}

/// The word for an announcement's time that nobody told.
const UNTOLD: &str = "UNKNOWN";

/// Whether a value says of an announcement that its time is not known.
fn is_silent(view: Series, field: &Field, value: &Value) -> bool {
    view == Series::Earnings
        && *field == Field::Known(code::TIMING)
        && matches!(value, Value::Text(word) if **word == *UNTOLD)
}

/// What decides between assertions about one field; greater wins.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Rank {
    class: Class,
    committed: Position,
    seq: u32,
}

/// One key's record from its assertions, lowest rank first; `None` when nothing is shown.
fn record(
    view: Series,
    about: Row<'_>,
    assertions: &[Assertion<'_>],
    which: Which,
) -> Option<Record> {
    let mut order: Vec<Field> = Vec::new();
    let mut cells: Vec<Cell> = Vec::new();
    // A record without any field (`{"date": …}`) exists too, if its source said so.
    let mut bare = false;
    let mut held: Vec<(Field, Rank)> = Vec::new();
    for (rank, row, batch) in assertions {
        if row.head.op == Op::Retract {
            // What was taken back is no longer what the next value would have to give way to.
            if row.shape.is_empty() {
                cells.clear();
                held.clear();
                bare = false;
            } else {
                cells.retain(|cell| !row.shape.contains(&cell.field));
                held.retain(|(field, _)| !row.shape.contains(field));
            }
            continue;
        }
        let explicit = row.shape.iter().any(Field::is_mark);
        bare |= explicit;
        if explicit {
            let earlier = std::mem::replace(&mut order, row.shape.to_vec());
            order.extend(earlier.into_iter().filter(|f| !f.is_mark() && !row.shape.contains(f)));
        } else {
            for field in row.shape {
                if !order.contains(field) {
                    order.push(field.clone());
                }
            }
        }
        for (field, value) in row.fields() {
            let Some(value) = value else { continue };
            let event = EventId { batch: *batch, seq: row.head.seq };
            let cell = Cell { field: field.clone(), value, event, class: rank.class };
            let slot = cells.iter_mut().find(|known| known.field == *field);
            let hushed = slot.as_ref().is_some_and(|known| is_silent(view, field, &known.value));
            if slot.is_some() && !hushed && is_silent(view, field, &cell.value) {
                continue;
            }
            if which == Which::First && slot.is_some() {
                // Within its own batch the last row of a key is the effective one.
                let first = held.iter().find(|(known, _)| known == field).map(|(_, rank)| *rank);
                if hushed
                    || first.is_some_and(|f| (f.class, f.committed) == (rank.class, rank.committed))
                    || first.is_some_and(|f| f.class < rank.class)
                {
                    held.retain(|(known, _)| known != field);
                } else {
                    continue;
                }
            }
            match slot {
                Some(slot) => *slot = cell,
                None => cells.push(cell),
            }
            if which == Which::First {
                held.push((field.clone(), *rank));
            }
        }
    }
    if cells.is_empty() && !bare {
        return None;
    }
    if !order.contains(&Field::DateMark) {
        // Sources without an order of their own: the key comes first.
        let marks: &[Field] = match view {
            Series::Spot => &[Field::SymbolMark, Field::DateMark],
            _ => &[Field::DateMark],
        };
        order.splice(0..0, marks.iter().cloned());
    }
    order.retain(|field| field.is_mark() || cells.iter().any(|cell| cell.field == *field));
    if cells.len() > 1 {
        let place = |cell: &Cell| order.iter().position(|field| *field == cell.field);
        cells.sort_by_key(place);
    }
    Some(Record { day: about.head.day, item: about.item.into(), order, cells })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::rows::Place;

    pub(super) fn put(
        history: &mut History,
        batch: u32,
        seq: u32,
        day: i32,
        shape: &[Field],
        texts: &[&str],
    ) {
        push(history, batch, seq, day, Op::Put, shape, texts);
    }

    pub(super) fn push(
        history: &mut History,
        batch: u32,
        seq: u32,
        day: i32,
        op: Op,
        shape: &[Field],
        texts: &[&str],
    ) {
        let place = Place { seq, source: 0, line: 0, offset: 0, len: 0 };
        let symbol = history.rows.intern_symbol(&"AAPL".parse().unwrap());
        let shape = history.rows.intern_shape(shape);
        let values = texts.iter().map(|text| match *text {
            "null" => Value::Null,
            word if word.starts_with(char::is_alphabetic) => Value::Text(word.into()),
            number => Value::from_json_number(number),
        });
        history.rows.push(place, Series::Iv, op, symbol, Day(day), shape, values);
        history.batches.push(batch);
    }

    pub(super) fn active(batches: &[(u32, Class)]) -> Activity {
        batches.iter().fold(Activity::default(), |activity, (batch, class)| {
            activity.with(BatchId(*batch), *class, Position(u64::from(*batch) * 10))
        })
    }

    fn shown(history: &History, activity: &Activity) -> String {
        let records = fold(Series::Iv, history, activity, Which::Latest);
        let one = |record: &Record| {
            let cells = record.cells.iter();
            let cells: Vec<_> =
                cells.map(|cell| format!("{}={}", cell.field.name(), cell.value)).collect();
            format!("{}:{}", record.day.0, cells.join(","))
        };
        records.iter().map(one).collect::<Vec<_>>().join(" ")
    }

    /// Three batches about three days: newer values, a part taken back, a day taken back.
    pub(super) fn history_of_three() -> History {
        let mut history = History::default();
        put(&mut history, 1, 0, 5, &[Field::DateMark, IV, SKEW], &["0.1", "3"]);
        put(&mut history, 1, 1, 5, &[IV], &["0.15"]);
        push(&mut history, 2, 0, 5, Op::Retract, &[SKEW], &[]);
        put(&mut history, 1, 2, 6, &[IV], &["0.2"]);
        put(&mut history, 3, 0, 6, &[IV], &["0.3"]);
        put(&mut history, 2, 1, 7, &[IV], &["0.4"]);
        push(&mut history, 3, 1, 7, Op::Retract, &[], &[]);
        history
    }

    const IV: Field = Field::Known(10);
    const SKEW: Field = Field::Known(19);

    #[test]
    fn the_latest_commit_wins_per_field_and_fill_only_fills() {
        let mut history = History::default();
        put(&mut history, 1, 0, 5, &[Field::DateMark, IV, SKEW], &["0.1", "3"]);
        put(&mut history, 2, 0, 5, &[IV], &["0.2"]);
        put(&mut history, 3, 0, 5, &[IV], &["0.3"]);
        put(&mut history, 3, 1, 6, &[IV], &["0.6"]);
        let vendor = Class::Vendor;
        let all = active(&[(1, vendor), (2, vendor), (3, Class::Fill)]);
        assert_eq!(shown(&history, &all), "5:atm_iv=0.2,skew=3 6:atm_iv=0.6");
        let undone = all.clone().without(BatchId(2));
        assert_eq!(shown(&history, &undone), "5:atm_iv=0.1,skew=3 6:atm_iv=0.6");
        let only_fill = active(&[(3, Class::Fill)]);
        assert_eq!(shown(&history, &only_fill), "5:atm_iv=0.3 6:atm_iv=0.6");
        assert_eq!(shown(&history, &Activity::default()), "");
        let first = fold(Series::Iv, &history, &all, Which::First);
        assert_eq!(first[0].known(10).unwrap().value.to_string(), "0.1");
    }

    /// Whoever says nothing of the time takes none back, in whichever order and class they came; and a
    /// time that was taken back by name is gone.
    #[test]
    fn an_untold_time_is_shown_where_nobody_told_one() {
        let timing = [Field::Known(code::TIMING)];
        let (vendor, fill) = (Class::Vendor, Class::Fill);
        let shown = |said: &[(&str, Class)], which| {
            let mut history = History::default();
            for (batch, (word, _)) in (1..).zip(said) {
                match *word {
                    "" => push(&mut history, batch, 0, 5, Op::Retract, &timing, &[]),
                    word => put(&mut history, batch, 0, 5, &timing, &[word]),
                }
            }
            let active: Vec<_> = (1..).zip(said.iter().map(|(_, class)| *class)).collect();
            let records = fold(Series::Earnings, &history, &self::tests::active(&active), which);
            let cell = records.first().and_then(|record| record.known(code::TIMING).cloned());
            cell.map_or(String::new(), |cell| format!("{} b{}", cell.value, cell.event.batch.0))
        };
        for which in [Which::Latest, Which::First] {
            let of = |said: &[(&str, Class)]| shown(said, which);
            assert_eq!(of(&[("AMC", vendor), ("UNKNOWN", vendor)]), "AMC b1");
            assert_eq!(of(&[("UNKNOWN", vendor), ("AMC", vendor)]), "AMC b2");
            assert_eq!(of(&[("AMC", fill), ("UNKNOWN", vendor)]), "AMC b1");
            assert_eq!(of(&[("UNKNOWN", vendor), ("AMC", fill)]), "AMC b2");
            assert_eq!(of(&[("AMC", vendor), ("", vendor), ("UNKNOWN", vendor)]), "UNKNOWN b3");
            assert_eq!(of(&[("AMC", vendor), ("UNKNOWN", vendor), ("", vendor)]), "");
        }
        let (bmo, amc) = (("BMO", vendor), ("AMC", vendor));
        let untold = ("UNKNOWN", vendor);
        assert_eq!(shown(&[untold, bmo, untold, amc, untold], Which::Latest), "AMC b4");
        assert_eq!(shown(&[untold, bmo, untold, amc, untold], Which::First), "BMO b2");
        assert_eq!(shown(&[untold, untold], Which::Latest), "UNKNOWN b2");
    }

    #[test]
    fn retracts_hide_fields_or_the_whole_key_and_the_last_row_of_a_file_wins() {
        let mut history = History::default();
        put(&mut history, 1, 0, 5, &[IV, SKEW], &["0.1", "3"]);
        put(&mut history, 1, 1, 5, &[IV], &["0.15"]);
        push(&mut history, 2, 0, 5, Op::Retract, &[SKEW], &[]);
        push(&mut history, 3, 0, 5, Op::Retract, &[], &[]);
        let vendor = Class::Vendor;
        assert_eq!(shown(&history, &active(&[(1, vendor)])), "5:atm_iv=0.15,skew=3");
        assert_eq!(shown(&history, &active(&[(1, vendor), (2, vendor)])), "5:atm_iv=0.15");
        assert_eq!(shown(&history, &active(&[(1, vendor), (3, vendor)])), "");
    }

    #[test]
    fn the_first_value_is_looked_for_after_what_was_taken_back() {
        let mut history = History::default();
        put(&mut history, 1, 0, 5, &[IV, SKEW], &["0.1", "1"]);
        push(&mut history, 2, 0, 5, Op::Retract, &[], &[]);
        put(&mut history, 3, 0, 5, &[IV, SKEW], &["0.3", "3"]);
        put(&mut history, 4, 0, 5, &[IV], &["0.4"]);
        let first = |class| {
            let vendor = Class::Vendor;
            let all = active(&[(1, class), (2, vendor), (3, vendor), (4, vendor)]);
            fold(Series::Iv, &history, &all, Which::First)[0].known(10).unwrap().value.to_string()
        };
        assert_eq!(first(Class::Vendor), "0.3");
        assert_eq!(first(Class::Fill), "0.3", "a fill that was taken back raises nothing");
        // The last row of a file is its effective one, here too.
        let mut history = History::default();
        put(&mut history, 1, 0, 5, &[IV], &["0.1"]);
        push(&mut history, 2, 0, 5, Op::Retract, &[IV], &[]);
        put(&mut history, 3, 0, 5, &[IV], &["0.3"]);
        put(&mut history, 3, 1, 5, &[IV], &["0.35"]);
        let all = active(&[(1, Class::Vendor), (2, Class::Vendor), (3, Class::Vendor)]);
        let first = fold(Series::Iv, &history, &all, Which::First);
        assert_eq!(first[0].known(10).unwrap().value.to_string(), "0.35");
    }

    #[test]
    fn a_records_order_is_that_of_its_last_ordered_source() {
        let mut history = History::default();
        put(&mut history, 1, 0, 5, &[Field::DateMark, IV, SKEW], &["0.1", "3"]);
        put(&mut history, 2, 0, 5, &[SKEW, Field::DateMark], &["4"]);
        put(&mut history, 3, 0, 5, &[Field::Known(11)], &["0.5"]);
        let vendor = Class::Vendor;
        let all = active(&[(1, vendor), (2, vendor), (3, vendor)]);
        let records = fold(Series::Iv, &history, &all, Which::Latest);
        let names: Vec<_> = records[0].order.iter().map(Field::name).collect();
        assert_eq!(names, ["skew", "date", "atm_iv", "iv30_ma20"]);
        let cells = records[0].cells.iter().map(|cell| cell.field.name());
        assert_eq!(cells.collect::<Vec<_>>(), ["skew", "atm_iv", "iv30_ma20"]);
        let csv = fold(Series::Iv, &history, &active(&[(3, vendor)]), Which::Latest);
        assert_eq!(csv[0].order, [Field::DateMark, Field::Known(11)]);
        let spot = fold(Series::Spot, &history, &active(&[(3, vendor)]), Which::Latest);
        assert_eq!(spot[0].order, [Field::SymbolMark, Field::DateMark, Field::Known(11)]);
        // Taking back a field that nobody spoke of gives it no place before others.
        let mut later = History::default();
        push(&mut later, 1, 0, 5, Op::Retract, &[SKEW], &[]);
        put(&mut later, 2, 0, 5, &[IV], &["0.1"]);
        put(&mut later, 3, 0, 5, &[SKEW], &["3"]);
        assert_eq!(shown(&later, &all), "5:atm_iv=0.1,skew=3");
        // A field whose value was taken back has no place any more.
        push(&mut history, 4, 0, 5, Op::Retract, &[SKEW], &[]);
        let all = all.with(BatchId(4), vendor, Position(40));
        let records = fold(Series::Iv, &history, &all, Which::Latest);
        assert_eq!(records[0].order, [Field::DateMark, IV, Field::Known(11)]);
    }

    #[test]
    fn a_record_without_any_field_exists_if_its_source_said_so() {
        let mut history = History::default();
        put(&mut history, 1, 0, 5, &[Field::DateMark], &[]);
        push(&mut history, 2, 0, 5, Op::Retract, &[], &[]);
        put(&mut history, 1, 1, 6, &[IV], &["0.1"]);
        push(&mut history, 2, 1, 6, Op::Retract, &[IV], &[]);
        let vendor = Class::Vendor;
        assert_eq!(shown(&history, &active(&[(1, vendor)])), "5: 6:atm_iv=0.1");
        assert_eq!(shown(&history, &active(&[(1, vendor), (2, vendor)])), "");
    }
}
