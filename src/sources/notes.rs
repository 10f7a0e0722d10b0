//! Gathering what is noticed row by row into one finding per code.

use super::ReadSummary;
use crate::domain::{Calendar, Day, Finding, Severity};
use std::collections::BTreeSet;

/// Lines named in the text of a summed finding.
const EXAMPLES: usize = 5;

/// How often one code was met, and where first.
#[derive(Debug)]
struct Count<'m> {
    code: &'m str,
    count: u64,
    day: Option<Day>,
    lines: Vec<u32>,
}

/// Counts per code, in the order in which the codes were first met.
#[derive(Debug, Default)]
pub(super) struct Counts<'m>(Vec<Count<'m>>);

impl<'m> Counts<'m> {
    /// Counts one row.
    pub(super) fn add(&mut self, code: &'m str, line: u32, day: Option<Day>) {
        let known = self.0.iter().position(|count| count.code == code);
        let known = known.unwrap_or_else(|| {
            let lines = Vec::with_capacity(EXAMPLES);
            self.0.push(Count { code, count: 0, day, lines });
            self.0.len() - 1
        });
        if let Some(count) = self.0.get_mut(known) {
            count.count += 1;
            if count.lines.len() < EXAMPLES {
                count.lines.push(line);
            }
        }
    }

    /// The count of everything.
    pub(super) fn total(&self) -> u64 {
        self.0.iter().map(|count| count.count).sum()
    }

    /// One finding per code; `what` is what is counted, as one and as many, and `unit` is where it
    /// stands ("line", "item").
    pub(super) fn findings(
        &self,
        source: u32,
        severity: Severity,
        what: [&'m str; 2],
        unit: &str,
    ) -> impl Iterator<Item = Finding> {
        self.findings_by(source, unit, move |_| (severity, what))
    }

    /// As [`Self::findings`], with a severity and words for each code.
    pub(super) fn findings_by<'w>(
        &self,
        source: u32,
        unit: &str,
        what: impl Fn(&str) -> (Severity, [&'w str; 2]),
    ) -> impl Iterator<Item = Finding> {
        self.0.iter().map(move |count| {
            let (severity, [one, many]) = what(count.code);
            Finding {
                code: count.code.to_owned(),
                severity,
                source,
                line: count.lines.first().copied(),
                day: count.day,
                count: count.count,
                text: format!(
                    "{} {}: {}",
                    count.count,
                    if count.count == 1 { one } else { many },
                    at_lines(unit, &count.lines, count.count),
                ),
            }
        })
    }
}

/// "line 4" or "lines 4, 7, 9 and 12 more".
fn at_lines(unit: &str, lines: &[u32], count: u64) -> String {
    let listed: Vec<String> = lines.iter().map(u32::to_string).collect();
    let plural = if count == 1 { "" } else { "s" };
    match count.saturating_sub(lines.len() as u64) {
        0 => format!("{unit}{plural} {}", listed.join(", ")),
        more => format!("{unit}{plural} {} and {more} more", listed.join(", ")),
    }
}

/// What the days of the accepted rows tell: their range, closed days, rows out of order.
#[derive(Debug)]
pub(super) struct DayNotes<'m> {
    calendar: &'m Calendar,
    /// Whether a day is known to be open, by its number since 1970; asking the calendar costs
    /// more than all other work on a date.
    open: Vec<bool>,
    closed: BTreeSet<Day>,
    closed_lines: Counts<'m>,
    unsorted: Counts<'m>,
    range: Option<(Day, Day)>,
}

/// Days after 1970 that are remembered as open: until 2106.
const MEMO_DAYS: usize = 50_000;

impl<'m> DayNotes<'m> {
    pub(super) fn new(calendar: &'m Calendar) -> Self {
        Self {
            calendar,
            open: vec![false; MEMO_DAYS],
            closed: BTreeSet::new(),
            closed_lines: Counts::default(),
            unsorted: Counts::default(),
            range: None,
        }
    }

    /// Takes in an accepted row; `previous` is the day of the symbol's row before it.
    pub(super) fn add(&mut self, day: Day, previous: Option<Day>, line: u32) {
        self.range = Some(match self.range {
            Some((first, last)) => (first.min(day), last.max(day)),
            None => (day, day),
        });
        if previous.is_some_and(|previous| day < previous) {
            self.unsorted.add("unsorted_rows", line, Some(day));
        }
        let slot = usize::try_from(day.0).ok();
        let slot = slot.and_then(|slot| self.open.get_mut(slot));
        match slot {
            Some(open) if *open => {}
            Some(open) if self.calendar.is_open(day) => *open = true,
            None if self.calendar.is_open(day) => {}
            _ => {
                self.closed.insert(day);
                self.closed_lines.add("non_trading_days", line, Some(day));
            }
        }
    }

    /// Writes what was noticed into the summary.
    pub(super) fn finish(self, summary: &mut ReadSummary, source: u32, unit: &str) {
        let warning = Severity::Warning;
        let words = ["row out of order", "rows out of order"];
        let unsorted = self.unsorted.findings(source, warning, words, unit);
        summary.findings.extend(unsorted);
        let words = ["row on a day without trading", "rows on days without trading"];
        let closed = self.closed_lines.findings(source, warning, words, unit);
        summary.findings.extend(closed);
        summary.non_trading_days = self.closed.into_iter().collect();
        summary.days = self.range;
    }
}
