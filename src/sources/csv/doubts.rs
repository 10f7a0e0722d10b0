//! What only the numbers of a whole file tell: whether they agree on their decimal mark, and whether they
//! are in the unit that the mapping says.

use super::numbers::Marked;
use crate::domain::{Finding, Severity};
use crate::sources::mapping::{CellUnit, Column, Mapping};
use rust_decimal::Decimal;
use std::cmp::Ordering;

/// The first lines of what numbers tell of the decimal mark: of each kind, of the point and of the comma.
#[derive(Debug, Default)]
pub(super) struct Marks {
    /// Where it can only be the decimal mark.
    sure: [Option<u32>; 2],
    /// Where it stands before three digits and was taken for it.
    doubtful: [Option<u32>; 2],
    /// Where it stands before three digits and was taken to group thousands.
    grouped: [Option<u32>; 2],
}

impl Marks {
    /// Takes in what a number of this line tells.
    pub(super) fn add(&mut self, marked: Marked, line: u32) {
        let (kind, mark) = match marked {
            Marked::Not => return,
            Marked::Sure(mark) => (&mut self.sure, mark),
            Marked::Doubtful(mark) => (&mut self.doubtful, mark),
            Marked::Grouped(mark) => (&mut self.grouped, mark),
        };
        let [point, comma] = kind;
        (if mark == b',' { comma } else { point }).get_or_insert(line);
    }

    /// Numbers that were read one way while others of the file say, or were read as if, the mark meant
    /// the other thing: one of the two is a thousand times too large or too small. Where the file is written
    /// as where the comma is decimal (`comma_land`), points that all stand before three digits do not tell.
    pub(super) fn finding(&self, source: u32, comma_land: bool) -> Option<Finding> {
        let [sure_point, sure_comma] = self.sure;
        let [point, comma] = self.doubtful;
        let [grouped_point, grouped_comma] = self.grouped;
        let decimal = |name: &str, doubtful: Option<u32>, other: &str, sure: Option<u32>| {
            let (line, sure) = doubtful.zip(sure)?;
            let text = format!(
                "line {line} has a {name} before three digits, read as the decimal mark, which in \
                 line {sure} is the {other}; `decimal = \"{other}\"` in a mapping says which one it is"
            );
            Some((line, text))
        };
        // Programs that write every number with three places do so with whole ones. Where it surely groups
        // thousands elsewhere (1.234.567), it does here.
        let thousands = |name: &str, grouped: Option<u32>, [sure, not]: [Option<u32>; 2]| {
            let (line, sure) = grouped.zip(sure).filter(|_| not.is_none())?;
            let text = format!(
                "line {line} has a {name} before three digits, read as the thousands mark, which in \
                 line {sure} is the decimal one; `decimal = \"{name}\"` in a mapping says which one it is"
            );
            Some((line, text))
        };
        let both = |name: &str, grouped: Option<u32>, doubtful: Option<u32>| {
            let (line, other) = grouped.zip(doubtful)?;
            let text = format!(
                "line {line} has a {name} before three digits, read as the thousands mark, and line \
                 {other} one that is read as the decimal mark; `decimal = \"point\"` or \
                 `decimal = \"comma\"` in a mapping says which one it is"
            );
            Some((line.min(other), text))
        };
        let every = || {
            let line = point.filter(|_| comma_land && sure_point.is_none())?;
            let text = "every point of the numbers stands before three digits, where it groups thousands in \
                 files with semicolons or dates like 31.01.2024; it was read as the decimal mark; \
                 `decimal = \"point\"` or `decimal = \"comma\"` in a mapping says which one it is";
            Some((line, text.to_owned()))
        };
        let (line, text) = decimal("point", point, "comma", sure_comma)
            .or_else(|| decimal("comma", comma, "point", sure_point))
            .or_else(|| thousands("point", grouped_point, [sure_point, sure_comma]))
            .or_else(|| thousands("comma", grouped_comma, [sure_comma, sure_point]))
            .or_else(|| both("point", grouped_point, point))
            .or_else(|| both("comma", grouped_comma, comma))
            .or_else(every)?;
        let found = Finding::about(source, "decimal_marks", Severity::Warning, text);
        Some(Finding { line: Some(line), ..found })
    }
}

/// From so many numbers on, those of one column tell by themselves.
const ENOUGH: u64 = 10;

/// How many numbers of a column there are, zeros left out, and how many of them would rather be of another unit.
#[derive(Clone, Copy, Debug, Default)]
struct Tally {
    count: u64,
    odd: u64,
    first: u32,
}

/// The numbers of the columns whose unit is judged by most of them. Realised volatility is below 1 % on
/// quiet days of some stocks and above 300 % of others, so no single number tells.
#[derive(Debug)]
pub(super) struct Units(Vec<Tally>);

impl Units {
    /// For so many columns.
    pub(super) fn new(columns: usize) -> Self {
        Self(vec![Tally::default(); columns])
    }

    /// Takes in a number, given by how it compares.
    pub(super) fn add(
        &mut self,
        (index, column): (usize, &Column),
        line: u32,
        cmp: impl Fn(&Decimal) -> Ordering,
    ) {
        if cmp(&Decimal::ZERO).is_eq() {
            return; // the same in every unit
        }
        let range = &column.range;
        let is = |bound: &Option<Decimal>, wanted: fn(Ordering) -> bool| {
            bound.as_ref().is_some_and(|bound| wanted(cmp(bound)))
        };
        let odd =
            is(&range.mostly_from, Ordering::is_lt) || is(&range.mostly_below, Ordering::is_ge);
        if let Some(tally) = self.0.get_mut(index) {
            tally.count += 1;
            if odd {
                tally.first = if tally.odd == 0 { line } else { tally.first };
                tally.odd += 1;
            }
        }
    }

    /// The columns, in the order of their indices, of which half the numbers or more would rather be of
    /// another unit. A few numbers tell only where all columns agree: while a stock is being taken over, its
    /// last 20 days are as quiet as a fraction, and its last year is not.
    pub(super) fn finding<'m>(
        &self,
        source: u32,
        mapping: &Mapping,
        columns: impl Iterator<Item = &'m Column>,
    ) -> Option<Finding> {
        let odd = self.0.iter().zip(columns).filter(|(of, _)| of.odd > 0 && of.odd * 2 >= of.count);
        let mut odd: Vec<(&Tally, &Column)> = odd.collect();
        let agree = odd.len() == self.0.iter().filter(|of| of.count > 0).count();
        odd.retain(|(of, _)| agree || of.count >= ENOUGH);
        let (_, column) = odd.first()?;
        let names: Vec<&str> =
            odd.iter().filter_map(|(_, of)| Some(of.names.first()?.text.as_str())).collect();
        let (count, all) =
            odd.iter().fold((0, 0), |(odd, all), (of, _)| (odd + of.odd, all + of.count));
        let percent = column.unit == CellUnit::Percent;
        let bound = match (&column.range.mostly_from, &column.range.mostly_below) {
            (Some(from), _) => format!("below {from}"),
            (None, below) => format!("{} or more", below.unwrap_or_default()),
        };
        let (unit, other, bounded) = match percent {
            true => (" %", "fractions", "mostly_from"),
            false => ("", "percentages", "mostly_below"),
        };
        let instead = mapping.in_other_unit(column);
        let instead = instead.map(|id| format!(", which `--mapping {id}` reads"));
        let text = format!(
            "{count} of {all} numbers of {} are {bound}{unit}: they look like {other}{}; a mapping \
             with another `{bounded}` takes them as they are",
            names.join(", "),
            instead.unwrap_or_default()
        );
        let line = odd.iter().map(|(of, _)| of.first).min();
        let found = Finding::about(source, "suspect_scale", Severity::Warning, text);
        Some(Finding { line, count, ..found })
    }
}
