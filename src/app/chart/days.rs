//! What is known of each day of a symbol: there, missing, closed, or asked about in vain.

use super::super::error::{AppError, Result};
use super::super::lookup;
use super::super::report::{CoverageLine, DayCounts, DayKind, Days, DaysView, GapsLine};
use crate::domain::{Calendar, Day, Fact, Position, Series, Symbol};
use crate::ledger::Ledger;
use crate::projections::view::Which;
use std::collections::BTreeSet;

/// The days of a symbol, view by view, from the first that is told of to the last.
///
/// # Errors
/// As [`lookup::gaps`], and [`AppError::NotFound`] when no view has a day of it and no service was
/// asked.
pub fn days(
    ledger: &Ledger,
    symbol: &Symbol,
    series: Option<Series>,
    at: Option<Position>,
    which: Which,
) -> Result<Days> {
    let gaps = lookup::gaps(ledger, std::slice::from_ref(symbol), series, at, which)?;
    let views: Vec<DaysView> = gaps.rows.iter().filter_map(view).collect();
    if views.is_empty() {
        return Err(AppError::NotFound(format!("no day of {symbol} is known")));
    }
    Ok(Days { symbol: symbol.to_string(), position: gaps.position, views })
}

fn day(text: &str) -> Option<Day> {
    text.parse().ok()
}

/// One view's days; `None` where nothing is told of any.
fn view(line: &GapsLine) -> Option<DaysView> {
    let calendar = Calendar::nyse();
    // That a range was answered with data says nothing about a day of it that has none.
    let vain = |range: &&CoverageLine| range.fact == Fact::Empty.name();
    let range = |range: &CoverageLine| Some((day(&range.from)?, day(&range.to)?));
    let asked: Vec<(Day, Day)> = line.coverage.iter().filter(vain).filter_map(range).collect();
    let shown = line.from.as_deref().and_then(day).zip(line.to.as_deref().and_then(day));
    let all = || asked.iter().chain(&shown);
    let (from, to) = (all().map(|(from, _)| *from).min()?, all().map(|(_, to)| *to).max()?);
    let holes: Vec<(Day, Day)> =
        line.gaps.iter().filter_map(|gap| Some((day(&gap.from)?, day(&gap.to)?))).collect();
    let odd: BTreeSet<Day> = line.non_trading_days.iter().filter_map(|text| day(text)).collect();
    // A hole is told by the days with a value at both its ends.
    let in_hole = |day: Day| {
        let after = holes.partition_point(|(from, _)| *from < day);
        let hole = after.checked_sub(1).and_then(|index| holes.get(index));
        hole.is_some_and(|(_, to)| day < *to)
    };
    let inside = |ranges: &[(Day, Day)], day: Day| {
        ranges.iter().any(|(from, to)| (*from..=*to).contains(&day))
    };
    let mut counts = DayCounts::default();
    let mut days = Vec::new();
    for day in (from.0..=to.0).map(Day) {
        let open = calendar.is_open(day);
        let between = shown.is_some_and(|(first, last)| (first..=last).contains(&day));
        let (kind, count) = match () {
            () if odd.contains(&day) => (DayKind::ClosedValue, &mut counts.closed_value),
            () if !open => continue,
            () if between && !in_hole(day) => (DayKind::Value, &mut counts.value),
            () if inside(&asked, day) => (DayKind::Empty, &mut counts.empty),
            () if between => (DayKind::Missing, &mut counts.missing),
            () => (DayKind::NotAsked, &mut counts.not_asked),
        };
        *count += 1;
        days.push((day.to_string(), kind));
    }
    Some(DaysView { series: line.series, from: from.to_string(), to: to.to_string(), counts, days })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::report::GapLine;

    fn asked(from: &str, to: &str, fact: Fact) -> CoverageLine {
        let (from, to) = (from.to_owned(), to.to_owned());
        CoverageLine { from, to, fact: fact.name(), text: String::new(), split: None }
    }

    #[test]
    fn what_was_asked_in_vain_is_told_from_what_is_missing() {
        // Values on 2024-01-08 (Monday), 09 and 12, and on Saturday 13.
        let gap = GapLine { from: "2024-01-09".into(), to: "2024-01-12".into(), missing: 2 };
        let line = GapsLine {
            series: "spot",
            symbol: "A".into(),
            from: Some("2024-01-08".into()),
            to: Some("2024-01-13".into()),
            days: 4,
            missing: 2,
            gaps: vec![gap],
            non_trading_days: vec!["2024-01-13".into()],
            coverage: vec![
                asked("2024-01-02", "2024-01-03", Fact::Empty),
                asked("2024-01-08", "2024-01-10", Fact::Data),
                asked("2024-01-11", "2024-01-11", Fact::Empty),
                asked("2024-01-15", "2024-01-19", Fact::Failed),
            ],
        };
        let view = view(&line).unwrap();
        let told: Vec<String> =
            view.days.iter().map(|(day, kind)| format!("{} {kind:?}", &day[8..])).collect();
        let want = "02 Empty,03 Empty,04 NotAsked,05 NotAsked,08 Value,09 Value,10 Missing,\
                    11 Empty,12 Value,13 ClosedValue";
        assert_eq!(told.join(","), want);
        let counts = DayCounts { value: 3, missing: 1, empty: 3, closed_value: 1, not_asked: 2 };
        assert_eq!((view.counts, view.from.as_str()), (counts, "2024-01-02"));
        let nothing = GapsLine { from: None, to: None, coverage: Vec::new(), ..line };
        assert!(super::view(&nothing).is_none());
    }
}
