//! Days with a value. A record may be there without one: what was asked for in vain is `null`, and is to be
//! asked for again as if there were no record (`tomic.md` 2.1).

use super::{Activity, History, Shown, Which, each};
use crate::domain::{Day, Field, Series, Value};

impl Shown<'_> {
    /// The day.
    pub fn day(&self) -> Day {
        match self {
            Self::Event(row) => row.head.day,
            Self::Record(record) => record.day,
        }
    }

    /// As [`Record::number`](super::Record::number).
    pub fn number(&self, code: u16) -> Option<f64> {
        match self {
            Self::Event(row) => row.value(&Field::Known(code))?.float(),
            Self::Record(record) => record.number(code),
        }
    }
}

/// Whether a value makes a day of the view one with a value.
fn counts(view: Series, field: &Field, value: &Value) -> bool {
    view.is_measured_by(field) && *value != Value::Null
}

/// Whether what is shown of a key has what its view is about.
pub fn has_value(view: Series, shown: &Shown<'_>) -> bool {
    match shown {
        Shown::Event(row) => {
            let mut fields = row.fields();
            fields.any(|(field, value)| value.is_some_and(|v| counts(view, field, &v)))
        }
        Shown::Record(record) => {
            record.cells.iter().any(|cell| counts(view, &cell.field, &cell.value))
        }
    }
}

/// The days with a value, ascending, and whether anything is shown at all.
pub fn days_with_value(
    view: Series,
    history: &History,
    activity: &Activity,
    which: Which,
) -> (Vec<Day>, bool) {
    let (mut days, mut any) = (Vec::new(), false);
    each(view, history, activity, which, &mut |shown| {
        any = true;
        days.extend(has_value(view, &shown).then_some(shown.day()));
    });
    (days, any)
}

#[cfg(test)]
mod tests {
    use super::super::tests::{active, put};
    use super::*;
    use crate::domain::{Class, code};

    #[test]
    fn a_null_is_no_value_and_zero_is_one() {
        const IV: Field = Field::Known(code::ATM_IV);
        const SKEW: Field = Field::Known(code::SKEW);
        let mut history = History::default();
        put(&mut history, 1, 0, 5, &[IV, SKEW], &["0.1", "3"]);
        put(&mut history, 1, 1, 6, &[IV, SKEW], &["null", "3"]);
        put(&mut history, 1, 2, 7, &[SKEW], &["3"]);
        put(&mut history, 1, 3, 8, &[IV], &["0.0"]);
        put(&mut history, 1, 4, 9, &[IV], &["null"]);
        put(&mut history, 2, 0, 9, &[IV], &["0.2"]);
        let (one, both) = (active(&[(1, Class::Vendor)]), [(1, Class::Vendor), (2, Class::Fill)]);
        let days = |activity: &Activity, which| {
            let (days, any) = days_with_value(Series::Iv, &history, activity, which);
            assert!(any);
            days.iter().map(|day| day.0).collect::<Vec<_>>()
        };
        assert_eq!(days(&one, Which::Latest), [5, 8]);
        // A value that only fills goes after whatever a vendor said, also that he has none.
        assert_eq!(days(&active(&both), Which::Latest), [5, 8]);
        let both = active(&[(1, Class::Vendor), (2, Class::Vendor)]);
        assert_eq!(days(&both, Which::Latest), [5, 8, 9]);
        assert_eq!(days(&both, Which::First), [5, 8]);
        assert_eq!(
            days_with_value(Series::Iv, &history, &active(&[]), Which::Latest),
            (vec![], false)
        );
        // Of volatilities over several spans any one is a value.
        let mut history = History::default();
        put(&mut history, 1, 0, 5, &[Field::Known(code::HV252)], &["0.1"]);
        assert_eq!(
            days_with_value(Series::Hv, &history, &one, Which::Latest),
            (vec![Day(5)], true)
        );
    }
}
