//! Differences: what a staged batch would change, and how two states of a view differ.

use super::view::Record;
use crate::domain::series::{self, Unit};
use crate::domain::{Calendar, Day, Field, Series, Symbol, Value};
use rust_decimal::Decimal;

/// How a value differs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ChangeKind {
    /// The value differs by more than the threshold, or is no volatility.
    Changed,
    /// The value is shown now and would not be any more.
    Removed,
    /// The value differs by less than the threshold.
    Drifted,
    /// The day is there already and gets a field that it did not have.
    Added,
    /// The day is not there yet.
    New,
    /// The same within a millionth, with other digits.
    Same,
}

impl ChangeKind {
    /// The word used in JSON and tables.
    pub fn name(self) -> &'static str {
        match self {
            Self::Changed => "changed",
            Self::Removed => "removed",
            Self::Drifted => "drifted",
            Self::Added => "added",
            Self::New => "new",
            Self::Same => "same",
        }
    }
}

/// One cell that differs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// How.
    pub kind: ChangeKind,
    /// The view.
    pub series: Series,
    /// The symbol.
    pub symbol: Symbol,
    /// The day.
    pub day: Day,
    /// What tells the record apart from others of the day; empty in daily series.
    pub item: Box<str>,
    /// The field's name.
    pub field: Field,
    /// The value before; `None` when there was none.
    pub old: Option<Value>,
    /// The value after; `None` when there would be none.
    pub new: Option<Value>,
    /// The difference in volatility points (of volatilities), rounded to 6 decimals.
    pub delta_points: Option<Decimal>,
}

impl Change {
    /// Whether another value is meant, not only other digits of the same.
    pub fn is_real(&self) -> bool {
        match (&self.old, &self.new) {
            (Some(old), Some(new)) => !old.same_meaning(new),
            _ => true,
        }
    }
}

/// A hole in a series: two neighbouring days with trading days between them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Gap {
    /// The day before the hole.
    pub from: Day,
    /// The day after it.
    pub to: Day,
    /// Trading days missing.
    pub missing: u32,
}

/// The difference for one symbol of one view.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SymbolDiff {
    /// The view.
    pub series: Series,
    /// The symbol.
    pub symbol: Symbol,
    /// First and last day of the batch.
    pub days: Option<(Day, Day)>,
    /// Largest difference that counts as drift, in volatility points.
    pub threshold_points: Option<Decimal>,
    /// Days that the view does not have yet.
    pub new: u64,
    /// Days whose primary value differs by more than the threshold.
    pub changed: u64,
    /// Days whose primary value differs by less.
    pub drifted: u64,
    /// Days whose primary value is the same within a millionth.
    pub same: u64,
    /// Days, of any kind but new, that get further fields or other secondary values.
    pub extended: u64,
    /// Days that stay and get another value in anything.
    pub touched: u64,
    /// Days that the view would not show any more.
    pub removed: u64,
    /// Days of the view that the batch says nothing about.
    pub only_here: u64,
    /// Rows that repeat a key with equal values.
    pub identical: u64,
    /// Rows that repeat a key with other values.
    pub conflicting: u64,
    /// Holes between neighbouring days of the batch.
    pub gaps: Vec<Gap>,
    /// New and changed days without a value in the `hv` view.
    pub missing_hv: u64,
    /// New and changed days without a value in the `spot` view.
    pub missing_spot: u64,
}

/// Holes between neighbouring days (ascending, distinct), in trading days.
pub fn gaps(days: &[Day], calendar: &Calendar) -> Vec<Gap> {
    let pairs = days.iter().zip(days.iter().skip(1));
    let gap = |(from, to): (&Day, &Day)| {
        let missing = calendar.open_days_between(*from, *to);
        (missing > 0).then_some(Gap { from: *from, to: *to, missing })
    };
    pairs.filter_map(gap).collect()
}

/// How far apart two values are, rounded to a millionth of the unit (a ten-thousandth of a
/// volatility point), as `tomic.md` 4.2 has it.
fn distance(unit: Option<Unit>, old: &Value, new: &Value) -> Option<(i128, Decimal)> {
    let difference = new.decimal()?.checked_sub(old.decimal()?)?;
    let millionths = difference.checked_mul(Decimal::from(1_000_000))?.round();
    let size = millionths.abs().mantissa() / 10i128.pow(millionths.scale());
    let points = match unit {
        Some(Unit::Vol) => difference.checked_mul(Decimal::from(100))?.round_dp(6),
        _ => difference.round_dp(6),
    };
    Some((size, points.normalize()))
}

/// Classifies one value against the one before it.
fn classify(
    field: &Field,
    old: Option<&Value>,
    new: Option<&Value>,
    threshold: Option<Decimal>,
) -> (ChangeKind, Option<Decimal>) {
    let unit = match field {
        Field::Known(code) => series::field(*code).map(|def| def.unit),
        _ => None,
    };
    let is_vol = unit == Some(Unit::Vol);
    match (old, new) {
        (_, None) => (ChangeKind::Removed, None),
        (None | Some(Value::Null), Some(Value::Null)) => (ChangeKind::Same, None),
        (None, Some(_)) => (ChangeKind::Added, None),
        (Some(old), Some(new)) => match distance(unit, old, new) {
            Some((size, points)) => {
                let points = is_vol.then_some(points);
                let limit =
                    threshold.filter(|_| is_vol).map(|points| points * Decimal::from(10_000));
                let kind = match limit {
                    Some(_) if size <= 1 => ChangeKind::Same,
                    Some(limit) if Decimal::from(size) <= limit => ChangeKind::Drifted,
                    None if old.same_meaning(new) => ChangeKind::Same,
                    _ => ChangeKind::Changed,
                };
                (kind, points)
            }
            None if old == new => (ChangeKind::Same, None),
            None => (ChangeKind::Changed, None),
        },
    }
}

/// Compares one day before and after, hands every differing cell to `each`, and says what the
/// day's primary value did.
pub fn compare_day(
    view: Series,
    symbol: &Symbol,
    before: Option<&Record>,
    after: Option<&Record>,
    threshold: Option<Decimal>,
    each: &mut dyn FnMut(Change),
) -> DayKind {
    let (day, item) = match (before, after) {
        (Some(record), _) | (_, Some(record)) => record.key(),
        (None, None) => {
            return DayKind { kind: ChangeKind::Same, extended: false };
        }
    };
    let change = |kind, field: &Field, old: Option<&Value>, new: Option<&Value>, delta| Change {
        kind,
        series: view,
        symbol: symbol.clone(),
        day,
        item: item.into(),
        field: field.clone(),
        old: old.cloned(),
        new: new.cloned(),
        delta_points: delta,
    };
    let (Some(old), Some(new)) = (before, after) else {
        let kind = if after.is_some() { ChangeKind::New } else { ChangeKind::Removed };
        for cell in after.into_iter().flat_map(|record| &record.cells) {
            each(change(kind, &cell.field, None, Some(&cell.value), None));
        }
        for cell in before.into_iter().flat_map(|record| &record.cells) {
            each(change(kind, &cell.field, Some(&cell.value), None, None));
        }
        return DayKind { kind, extended: false };
    };
    let primary = Field::Known(view.primary());
    let (mut day_kind, mut extended, mut others) = (None, false, ChangeKind::Same);
    for cell in &new.cells {
        let was = old.cell(&cell.field).map(|cell| &cell.value);
        let (mut kind, delta) = classify(&cell.field, was, Some(&cell.value), threshold);
        if cell.field == primary {
            // A day whose primary value was missing is updated by getting one.
            if matches!(was, None | Some(Value::Null)) && cell.value != Value::Null {
                kind = ChangeKind::Changed;
            }
            day_kind = Some(kind);
        } else if kind != ChangeKind::Same {
            extended = true;
            others = others.min(kind);
        }
        // The same number with other digits is told too: an export would differ.
        if kind != ChangeKind::Same || !was.is_some_and(|was| was.same_text(&cell.value)) {
            each(change(kind, &cell.field, was, Some(&cell.value), delta));
        }
    }
    for cell in old.cells.iter().filter(|cell| new.cell(&cell.field).is_none()) {
        each(change(ChangeKind::Removed, &cell.field, Some(&cell.value), None, None));
        if cell.field == primary {
            day_kind = Some(ChangeKind::Changed);
        } else {
            extended = true;
            others = others.min(ChangeKind::Changed);
        }
    }
    // Days without a primary value are classed by what else they have.
    let fallback = match others {
        ChangeKind::Same => ChangeKind::Same,
        ChangeKind::Drifted => ChangeKind::Drifted,
        _ => ChangeKind::Changed,
    };
    DayKind { kind: day_kind.unwrap_or(fallback), extended: extended && day_kind.is_some() }
}

/// What a day did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DayKind {
    /// What its primary value did.
    pub kind: ChangeKind,
    /// Whether other fields changed or came besides.
    pub extended: bool,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{BatchId, Class, EventId};
    use crate::projections::view::Cell;

    fn record(day: i32, cells: &[(u16, &str)]) -> Record {
        let event = EventId { batch: BatchId(1), seq: 0 };
        let cells = cells.iter().map(|(code, text)| Cell {
            field: Field::Known(*code),
            value: if *text == "null" { Value::Null } else { Value::from_json_number(text) },
            event,
            class: Class::Vendor,
        });
        Record { day: Day(day), item: "".into(), order: Vec::new(), cells: cells.collect() }
    }

    fn kind(old: &[(u16, &str)], new: &[(u16, &str)]) -> (&'static str, bool, usize) {
        let symbol = "A".parse().unwrap();
        let (old, new) = (record(1, old), record(1, new));
        let mut count = 0;
        let threshold = Some(Decimal::from(3));
        let day = compare_day(Series::Iv, &symbol, Some(&old), Some(&new), threshold, &mut |_| {
            count += 1;
        });
        (day.kind.name(), day.extended, count)
    }

    #[test]
    fn the_threshold_is_three_points_in_integers() {
        // tomic.md 4.2: floats decide these four by noise, integers do not.
        for (old, new) in [("0.40", "0.43"), ("0.20", "0.23"), ("0.50", "0.53"), ("0.35", "0.38")] {
            assert_eq!(kind(&[(10, old)], &[(10, new)]).0, "drifted", "{old} {new}");
        }
        assert_eq!(kind(&[(10, "0.40")], &[(10, "0.430001")]).0, "changed");
        assert_eq!(kind(&[(10, "0.24109999999999998")], &[(10, "0.2411")]), ("same", false, 1));
        assert_eq!(kind(&[(10, "0.2411")], &[(10, "0.2411")]), ("same", false, 0));
        assert_eq!(kind(&[(10, "0.2411")], &[(10, "0.24110")]), ("same", false, 1));
        assert_eq!(kind(&[(10, "0.241100")], &[(10, "0.241101")]).0, "same");
        assert_eq!(kind(&[(10, "0.241100")], &[(10, "0.241102")]).0, "drifted");
        assert_eq!(kind(&[(10, "null")], &[(10, "0.2")]).0, "changed");
    }

    #[test]
    fn secondary_fields_extend_a_day_without_reclassing_it() {
        assert_eq!(kind(&[(10, "0.2")], &[(10, "0.2"), (11, "0.3")]), ("same", true, 1));
        assert_eq!(kind(&[(10, "0.2"), (19, "1")], &[(10, "0.2")]), ("same", true, 1));
        assert_eq!(kind(&[(19, "1")], &[(19, "2")]), ("changed", false, 1));
        let both = [(10, "0.2"), (19, "1")];
        assert_eq!(kind(&both, &both), ("same", false, 0));
    }

    #[test]
    fn a_primary_value_that_comes_or_goes_changes_the_day() {
        assert_eq!(kind(&[(19, "1")], &[(10, "0.2"), (19, "1")]), ("changed", false, 1));
        assert_eq!(kind(&[(10, "0.2"), (19, "1")], &[(19, "1")]), ("changed", false, 1));
        let (was, is) = ([(10, "0.2"), (19, "1")], [(19, "2")]);
        assert_eq!(kind(&was, &is), ("changed", true, 2), "and another field besides");
        // Null says no more than nothing does; another writing of it is told.
        assert_eq!(kind(&[(19, "1")], &[(10, "null"), (19, "1")]), ("same", false, 1));
        assert_eq!(kind(&[(10, "null")], &[(10, "null")]), ("same", false, 0));
        assert_eq!(kind(&[(10, "0.2")], &[(10, "null")]), ("changed", false, 1));
    }

    #[test]
    fn a_day_without_a_primary_value_is_what_its_worst_field_is() {
        let (near, far) = ((11, "0.31"), (11, "0.9"));
        assert_eq!(kind(&[(11, "0.30"), (19, "1")], &[near, (19, "1")]), ("drifted", false, 1));
        assert_eq!(kind(&[(11, "0.30"), (19, "1")], &[near, (19, "2")]), ("changed", false, 2));
        assert_eq!(kind(&[(19, "1"), (11, "0.30")], &[(19, "2"), near]), ("changed", false, 2));
        assert_eq!(kind(&[(11, "0.30"), (19, "1")], &[far, (19, "1")]), ("changed", false, 1));
        assert_eq!(kind(&[(11, "0.30"), (19, "1")], &[(11, "0.30")]), ("changed", false, 1));
        assert_eq!(kind(&[(19, "1")], &[(11, "0.30"), (19, "1")]), ("changed", false, 1));
        assert_eq!(kind(&[(19, "1")], &[(19, "1")]), ("same", false, 0));
    }

    #[test]
    fn differences_are_told_in_volatility_points_and_of_volatilities_alone() {
        let told = |old: Option<&Record>, new: Option<&Record>| {
            let (mut found, three) = (Vec::new(), Some(Decimal::from(3)));
            let symbol = "A".parse().unwrap();
            let day = compare_day(Series::Iv, &symbol, old, new, three, &mut |change| {
                let points = change.delta_points.map(|points| points.to_string());
                let text = |value: Option<Value>| value.map(|value| value.to_string());
                found.push((change.kind.name(), text(change.old), text(change.new), points));
            });
            (day.kind.name(), found)
        };
        let texts =
            |old: Option<&str>, new: Option<&str>| (old.map(str::to_owned), new.map(str::to_owned));
        let one = |kind, old, new, points: Option<&str>| {
            let (old, new) = texts(old, new);
            (kind, vec![(kind, old, new, points.map(str::to_owned))])
        };
        let (low, high) = (record(1, &[(10, "0.2012345")]), record(1, &[(10, "0.25")]));
        let (less, more) = (record(1, &[(19, "1")]), record(1, &[(19, "3.5")]));
        let (low_text, high_text) = (Some("0.2012345"), Some("0.25"));
        let up = one("changed", low_text, high_text, Some("4.87655"));
        assert_eq!(told(Some(&low), Some(&high)), up);
        let down = one("changed", high_text, low_text, Some("-4.87655"));
        assert_eq!(told(Some(&high), Some(&low)), down);
        let skew = one("changed", Some("1"), Some("3.5"), None);
        assert_eq!(told(Some(&less), Some(&more)), skew);
        assert_eq!(told(None, Some(&high)), one("new", None, high_text, None));
        assert_eq!(told(Some(&high), None), one("removed", high_text, None, None));
        assert_eq!(told(None, None), ("same", Vec::new()));
    }

    #[test]
    fn texts_are_the_same_or_another() {
        let text = |text: &str| Value::Text(text.into());
        let field = Field::Known(10);
        let kind = |old: Value, new: Value| classify(&field, Some(&old), Some(&new), None);
        assert_eq!(kind(text("a"), text("a")), (ChangeKind::Same, None));
        assert_eq!(kind(text("a"), text("b")), (ChangeKind::Changed, None));
        let number = Value::from_json_number("1");
        assert_eq!(kind(text("1"), number), (ChangeKind::Changed, None));
    }

    #[test]
    fn holes_are_counted_in_trading_days() {
        let days = ["2024-11-27", "2024-11-29", "2024-12-02", "2024-12-05"];
        let days: Vec<Day> = days.iter().map(|day| day.parse().unwrap()).collect();
        let found = gaps(&days, Calendar::nyse());
        let last = found.last().unwrap();
        assert_eq!((last.from.to_string(), last.missing), ("2024-12-02".into(), 2));
    }
}
