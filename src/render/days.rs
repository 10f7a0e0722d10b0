//! Days of a symbol in words and in the terminal: weeks × weekdays, a sign for each.

use super::svg::{MONTHS, rows, week, weekday, years};
use super::{Document, Grid, Look, numbers};
use crate::app::report::{DayKind, Days, DaysView};
use crate::domain::Day;
use serde_json::Value as Json;

/// The kinds in the order of the legend.
pub(super) const KINDS: [DayKind; 5] =
    [DayKind::Value, DayKind::Missing, DayKind::Empty, DayKind::ClosedValue, DayKind::NotAsked];

/// The word for a kind.
pub fn kind_name(kind: DayKind) -> &'static str {
    match kind {
        DayKind::Value => "value",
        DayKind::Missing => "missing",
        DayKind::Empty => "asked, nothing there",
        DayKind::ClosedValue => "value on a closed day",
        DayKind::NotAsked => "not asked",
    }
}

/// The sign for a day; `None` is a closed one.
fn sign(kind: Option<DayKind>, unicode: bool) -> char {
    match (kind, unicode) {
        (Some(DayKind::Value), true) => '■',
        (Some(DayKind::Value), false) => '#',
        (Some(DayKind::Missing), true) => '□',
        (Some(DayKind::Missing), false) => 'o',
        (Some(DayKind::Empty), _) => '/',
        (Some(DayKind::ClosedValue), _) => '!',
        (Some(DayKind::NotAsked), _) => '?',
        (None, true) => '·',
        (None, false) => '.',
    }
}

impl DaysView {
    /// What is seen, in a sentence.
    pub(super) fn sentence(&self) -> String {
        let counts = &self.counts;
        let mut parts = vec![
            format!("{} with a value", numbers::counted(counts.value + counts.closed_value, "day")),
            format!("{} missing", numbers::counted(counts.missing, "session")),
        ];
        for (count, text) in [
            (counts.empty, "asked about, with nothing there"),
            (counts.closed_value, "with a value though the exchange was closed"),
            (counts.not_asked, "not asked about"),
        ] {
            if count > 0 {
                parts.push(format!("{} {text}", numbers::count(count)));
            }
        }
        format!("{}, {} … {}: {}.", self.series, self.from, self.to, parts.join(", "))
    }
}

impl Days {
    pub(super) fn title(&self) -> String {
        format!("{}: days known, at #{}", self.symbol, self.position)
    }

    /// What is seen of each view, in a sentence.
    pub(super) fn sentence(&self) -> String {
        self.views.iter().map(DaysView::sentence).collect::<Vec<_>>().join(" ")
    }
}

impl Document for Days {
    fn text(&self, look: &Look) -> String {
        let mut out = format!("{}\n", self.title());
        for view in &self.views {
            out += &format!("\n{}\n", view.sentence());
            let ends = view.from.parse::<Day>().ok().zip(view.to.parse::<Day>().ok());
            let Some((from, to)) = ends else { continue };
            let rows = rows(view);
            for (year, known) in years(view) {
                out += &months(year, rows);
                for row in 0..rows {
                    let mut line = vec![' '; 54];
                    let whole = Day::from_ymd(year, 1, 1).zip(Day::from_ymd(year, 12, 31));
                    let Some((first, last)) = whole else { continue };
                    let days = (from.max(first).0..=to.min(last).0).map(Day);
                    for day in days.filter(|day| weekday(*day) == row) {
                        if let Some(slot) = line.get_mut(week(day) as usize) {
                            *slot = sign(known.get(&day).copied(), look.unicode);
                        }
                    }
                    let name = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];
                    let name = name.get(row as usize).copied().unwrap_or_default();
                    let line: String = line.iter().collect();
                    out += format!("  {name} {line}").trim_end();
                    out.push('\n');
                }
            }
        }
        let legend = KINDS
            .iter()
            .map(|kind| format!("{} {}", sign(Some(*kind), look.unicode), kind_name(*kind)));
        let closed = format!("{} exchange closed", sign(None, look.unicode));
        let legend: Vec<String> = legend.chain([closed]).collect();
        let width = look.width.map_or(100, usize::from).max(40);
        out.push('\n');
        let mut line = String::from(" ");
        for item in legend {
            if line.chars().count() + 2 + item.chars().count() > width {
                out += &format!("{}\n", line.trim_end());
                line = String::from(" ");
            }
            line += &format!(" {item} ");
        }
        out + line.trim_end() + "\n"
    }

    fn grid(&self) -> Grid {
        let columns = ["series", "date", "kind"].map(str::to_owned).to_vec();
        let mut rows = Vec::new();
        for view in &self.views {
            for (day, kind) in &view.days {
                let kind = serde_json::to_value(kind).unwrap_or(Json::Null);
                rows.push(vec![view.series.into(), day.as_str().into(), kind]);
            }
        }
        Grid { columns, rows }
    }
}

/// The year, and each month's name over its first week.
fn months(year: i32, rows: i32) -> String {
    let mut line = vec![' '; 58];
    for (month, name) in (1u32..).zip(MONTHS) {
        let Some(first) = Day::from_ymd(year, month, 1) else { continue };
        let column = week(first) + i32::from(weekday(first) >= rows);
        for (slot, c) in line.iter_mut().skip(column as usize).zip(name.chars()) {
            *slot = c;
        }
    }
    let line: String = line.iter().collect();
    format!(" {year} {}\n", line.trim_end())
}
