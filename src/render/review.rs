//! The review of a batch: what was read, what would change, what was noticed.

mod findings;

use super::changes::Named;
use super::numbers::{self, count, counted};
use super::table::{Side, Table};
use super::{Document, Grid, Look, changes};
use crate::app::report::{ChangeLine, GapLine, Review, SeriesLine};
use crate::domain::Position;
use serde::{Serialize, Serializer};
use std::collections::BTreeSet;

/// At most so many lines of a list that has a command to show all of it.
const FEW: usize = 20;

/// A review to show.
#[derive(Clone, Copy, Debug)]
pub struct ReviewPage<'a> {
    /// The review.
    pub review: &'a Review,
    /// Whether all changes were asked for.
    pub full: bool,
    /// Only the quality of the input is of interest.
    pub check: bool,
    /// The position that it is seen from; now when absent.
    pub at: Option<Position>,
}

impl<'a> ReviewPage<'a> {
    /// A review as it is now.
    pub fn new(review: &'a Review, full: bool) -> Self {
        Self { review, full, check: false, at: None }
    }
}

impl Serialize for ReviewPage<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.review.serialize(serializer)
    }
}

impl Document for ReviewPage<'_> {
    fn text(&self, look: &Look) -> String {
        let mut out = look.flow(&self.heading());
        if !self.check {
            out += &self.effect(look);
            out += &self.changes(look);
        }
        out += &self.findings(look);
        if !self.check {
            out += &self.holes(look);
            out += &self.support(look);
        }
        out
    }

    fn grid(&self) -> Grid {
        if self.check {
            let columns = ["severity", "code", "source", "line", "date", "count", "text"];
            return Grid::of(&columns, &self.review.findings);
        }
        let columns = ["kind", "series", "symbol", "date", "field", "old", "new", "delta_points"];
        Grid::of(&columns, &self.review.changes)
    }
}

/// A source's name for a person: of a request the path is enough to know it by.
fn short(name: &str) -> &str {
    match name.starts_with('/') {
        true => name.split('?').next().unwrap_or(name),
        false => name,
    }
}

impl ReviewPage<'_> {
    fn heading(&self) -> String {
        let review = self.review;
        let rows = &review.rows;
        let mut out = String::new();
        let days = days(&review.series);
        let one = review.sources.len() == 1;
        for source in review.sources.iter().take(5) {
            let size = numbers::size(source.bytes);
            out += &format!("Read {}: {size}", short(&source.name));
            if one {
                out += &format!(", {}{days}", counted(rows.read, "row"));
            }
            out += "\n";
        }
        if !one {
            let sources = review.sources.len() as u64;
            if sources > 5 {
                out += &format!("  … and {} more\n", count(sources - 5));
            }
            let answers = sources > 0 && review.sources.iter().all(|source| source.kind == "http");
            let noun = if answers { "answer page" } else { "file" };
            out += &format!("{}: {}{days}\n", counted(sources, noun), counted(rows.read, "row"));
        }
        let items = self.review.series.iter().any(|line| numbers::noun(line.series) != "day");
        let noun = if items { "record" } else { "day" };
        let mut parts = vec![format!("{} usable", counted(rows.effective, noun))];
        if rows.rejected > 0 {
            parts.push(format!("{} rejected", counted(rows.rejected, "row")));
        }
        if rows.retracted > 0 {
            parts.push(format!("{} retracted", counted(rows.retracted, "value")));
        }
        let repeats = rows.accepted.saturating_sub(rows.effective);
        if repeats > 0 && rows.effective > 0 {
            parts.push(counted(repeats, "repeated row"));
        }
        if rows.blank > 0 {
            parts.push(counted(rows.blank, "blank row"));
        }
        let parts = parts.join(", ");
        let mapping = &review.mapping;
        out += &match (&review.batch, review.state) {
            (Some(batch), Some(state)) => {
                let at = self.at.map(|at| format!(" at {at}")).unwrap_or_default();
                format!("Batch {batch} {state}{at}, read with mapping {mapping}\n  {parts}\n")
            }
            _ if self.check => format!("Read with mapping {mapping}\n  {parts}\n"),
            _ => format!("Dry run, nothing staged, read with mapping {mapping}\n  {parts}\n"),
        };
        // A past one confirms nothing now: what it is about may have been changed since.
        if let (Some("staged"), Some(token), None) = (review.state, &review.token, self.at) {
            out += &format!("  confirm token {}\n", numbers::short(token));
        }
        if let Some(old) = &review.supersedes {
            out += &format!("Confirming it replaces batch {old} in the views\n");
        }
        if review.overlap == "keep" {
            out += "It only fills holes (--overlap keep): values that are shown stay\n";
        }
        out
    }

    fn effect(&self, look: &Look) -> String {
        let review = self.review;
        let title = |what: &str| match review.state {
            Some("staged") | None => format!("\nIf confirmed, {what} would change like this:\n"),
            _ => format!("\nWhat it says about {what}, against position #{}:\n", review.position),
        };
        match review.series.as_slice() {
            [] => "\nNothing in it would change a view.\n".to_owned(),
            [one] => {
                let title = title(&format!("view {} {}", one.series, one.symbol));
                look.flow(&title) + &single(one, look)
            }
            many => look.flow(&title("the views")) + &self.several(many, look),
        }
    }

    fn several(&self, all: &[SeriesLine], look: &Look) -> String {
        let extended = all.iter().any(|line| line.extended > 0);
        let removed = all.iter().any(|line| line.removed > 0);
        let mut headings = vec![">+ new", ">~ changed", ">≈ drifted", ">= same"];
        headings.extend(extended.then_some(">+ extended"));
        headings.extend(removed.then_some(">- removed"));
        headings.push(">- only here");
        let weight = |line: &SeriesLine| {
            (line.changed + line.removed, line.drifted, line.new + line.extended)
        };
        let mut order: Vec<&SeriesLine> = all.iter().collect();
        if order.len() > FEW && !self.full {
            // Stable: symbols that change alike keep their order.
            order.sort_by_key(|line| std::cmp::Reverse(weight(line)));
            order.truncate(FEW);
        }
        let cells = |line: &SeriesLine| {
            let mut cells = vec![line.new, line.changed, line.drifted, line.same];
            cells.extend(extended.then_some(line.extended));
            cells.extend(removed.then_some(line.removed));
            cells.push(line.only_here);
            cells
        };
        let totals = all
            .iter()
            .map(cells)
            .reduce(|sum, line| sum.iter().zip(line).map(|(a, b)| a + b).collect());
        let totals = totals.unwrap_or_default();
        let table = |days: bool| {
            let first = ["view", "symbol"].into_iter().chain(days.then_some("days"));
            let mut table =
                Table::new(look, &first.chain(headings.iter().copied()).collect::<Vec<_>>());
            if !days {
                // What would be taken away or changed is missed most.
                let named = headings.iter().enumerate().skip(1).rev();
                let spare = named.map(|(index, name)| (index + 2, name.trim_start_matches('>')));
                let kept = ["~ changed", "- removed"];
                let spare: Vec<_> = spare.filter(|(_, name)| !kept.contains(name)).collect();
                table.spare(&spare);
            }
            let mut row = |names: [&str; 2], span: String, numbers: Vec<u64>| {
                let names = names.map(str::to_owned).into_iter().chain(days.then_some(span));
                table.row(names.chain(numbers.into_iter().map(count)));
            };
            for line in &order {
                row([line.series, &line.symbol], span(line), cells(line));
            }
            row(["all", &counted(symbols(all), "symbol")], String::new(), totals.clone());
            table.finish()
        };
        let mut out = table(true);
        let width = out.lines().map(|line| line.chars().count()).max();
        if look.width.is_some_and(|room| width > Some(usize::from(room))) {
            let days = "  The days of each stand in a wider terminal, and in `--json`\n";
            out = table(false) + &look.flow(days);
        }
        out += &legend(all).map_or_else(String::new, |legend| look.below(&legend));
        let hidden = all.len() - order.len();
        if hidden > 0 {
            let told = format!("  The {FEW} that change most; {hidden} more in {}\n", self.all());
            out += &look.flow(&told);
        }
        out
    }

    fn changes(&self, look: &Look) -> String {
        let review = self.review;
        let told = |change: &&ChangeLine| self.full || change.kind != "new";
        let shown: Vec<&ChangeLine> = review.changes.iter().filter(told).collect();
        if shown.is_empty() {
            return String::new();
        }
        let several = |of: fn(&SeriesLine) -> &str| {
            let all: BTreeSet<&str> = review.series.iter().map(of).collect();
            all.len() > 1
        };
        let named =
            Named { view: several(|line| line.series), symbol: several(|line| &line.symbol) };
        let (old, new) = match review.state {
            Some("staged") | None => ("now", "file"),
            _ => ("before", "after"),
        };
        let mut out = String::from("\n");
        out += &changes::table(&shown, named, (old, new), look);
        let total = review.changes_total;
        let hidden = total.saturating_sub(shown.len() as u64);
        if hidden > 0 {
            let most = counted(shown.len() as u64, "largest change");
            out += &look.flow(&format!(
                "  The {most} of {}. All: {}\n",
                counted(total, "differing value"),
                self.all()
            ));
        }
        out
    }

    /// The command that shows everything.
    fn all(&self) -> String {
        // A shell takes the `#` of a position for a comment.
        let at = self.at.map(|at| format!(" --at {}", at.0)).unwrap_or_default();
        match &self.review.batch {
            Some(batch) => format!("`volledger batch diff {batch} --full{at}`"),
            None => "the same command with `--full`".to_owned(),
        }
    }

    fn holes(&self, look: &Look) -> String {
        let mut table = Table::bare(look, vec![Side::Left, Side::Left, Side::Right, Side::Left]);
        let mut hidden = 0;
        for line in self.review.series.iter().filter(|line| !line.gaps.is_empty()) {
            if !self.full && table.len() >= FEW {
                hidden += 1;
                continue;
            }
            let missing: u64 = line.gaps.iter().map(|gap| u64::from(gap.missing)).sum();
            table.row([
                line.series.to_owned(),
                line.symbol.clone(),
                counted(missing, "day"),
                gaps(&line.gaps, 3),
            ]);
        }
        if table.is_empty() {
            return String::new();
        }
        let title =
            "\nTrading days missing between its days (so many between the two that are named)\n";
        let mut out = look.flow(title) + &table.finish();
        if hidden > 0 {
            let hidden = counted(hidden as u64, "more symbol");
            out += &look.flow(&format!("  … and {hidden}; {}\n", self.all()));
        }
        out
    }

    fn support(&self, look: &Look) -> String {
        let sum = |of: fn(&SeriesLine) -> u64| {
            let iv = self.review.series.iter().filter(|line| line.series == "iv");
            iv.map(of).sum::<u64>()
        };
        let days = sum(|line| line.new + line.changed);
        let mut table = Table::bare(look, vec![Side::Left; 3]);
        for (series, missing) in
            [("hv", sum(|line| line.missing_hv)), ("spot", sum(|line| line.missing_spot))]
        {
            if missing > 0 {
                table.row([
                    series.to_owned(),
                    format!("none for {} of {}", count(missing), counted(days, "day")),
                    format!("`volledger import {series} FILE -s SYMBOL`"),
                ]);
            }
        }
        if table.is_empty() {
            return String::new();
        }
        look.flow("\nSupport data for the new and changed days\n") + &table.finish()
    }
}

/// What the signs above the counts mean, of those that count something.
fn legend(all: &[SeriesLine]) -> Option<String> {
    let any = |count: fn(&SeriesLine) -> u64| all.iter().any(|line| count(line) > 0);
    let limits: BTreeSet<String> = all
        .iter()
        .filter_map(|line| line.threshold_points.as_ref().and_then(numbers::decimal))
        .map(|points| numbers::fixed(points, 2))
        .collect();
    let limits = limits.iter().map(String::as_str).collect::<Vec<_>>().join(" or ");
    let differs = any(|line| line.changed + line.drifted) && !limits.is_empty();
    let parts = [
        differs.then(|| format!("~ by more than {limits} vol points, ≈ by that or less")),
        any(|line| line.extended)
            .then(|| "extended: of these, with further or other values in other fields".to_owned()),
        any(|line| line.only_here)
            .then(|| "only here: in the view but not in the file (would stay)".to_owned()),
    ];
    let parts: Vec<String> = parts.into_iter().flatten().collect();
    (!parts.is_empty()).then(|| parts.join("; "))
}

/// The counts of one view and symbol, one kind a line.
fn single(line: &SeriesLine, look: &Look) -> String {
    let threshold = line.threshold_points.as_ref().and_then(numbers::decimal);
    let points = threshold.map(|points| numbers::fixed(points, 2));
    let (changed, drifted) = match points {
        Some(points) => {
            (format!("by more than {points} vol points"), format!("by {points} vol points or less"))
        }
        None => ("to another value".to_owned(), String::new()),
    };
    let mut table = Table::bare(look, vec![Side::Left, Side::Left, Side::Right, Side::Left]);
    let mut kind = |sign: &str, name: &str, number: u64, what: String, always: bool| {
        if always || number > 0 {
            table.row([sign.to_owned(), name.to_owned(), count(number), what]);
        }
    };
    kind("+", "new", line.new, span(line), true);
    kind("~", "changed", line.changed, changed, true);
    kind("≈", "drifted", line.drifted, drifted, threshold.is_some());
    kind("=", "same", line.same, String::new(), true);
    let besides = "of these, with further or other values in other fields".to_owned();
    kind("+", "extended", line.extended, besides, false);
    kind("-", "removed", line.removed, "would not be shown any more".to_owned(), false);
    let stay = "in the view but not in the file (would stay)".to_owned();
    kind("-", "only here", line.only_here, stay, true);
    table.finish()
}

fn symbols(lines: &[SeriesLine]) -> u64 {
    lines.iter().map(|line| line.symbol.as_str()).collect::<BTreeSet<_>>().len() as u64
}

/// The days of a batch in one view: `2022-01-03 … 2024-12-31`.
fn span(line: &SeriesLine) -> String {
    match (&line.from, &line.to) {
        (Some(from), Some(to)) if from == to => from.clone(),
        (Some(from), Some(to)) => format!("{from} … {to}"),
        _ => String::new(),
    }
}

/// First and last day over all views, with a comma before them.
fn days(lines: &[SeriesLine]) -> String {
    let from = lines.iter().filter_map(|line| line.from.as_deref()).min();
    let to = lines.iter().filter_map(|line| line.to.as_deref()).max();
    match (from, to) {
        (Some(from), Some(to)) => format!(", {from} … {to}"),
        _ => String::new(),
    }
}

/// Holes as text, the first few of them.
pub(super) fn gaps(all: &[GapLine], few: usize) -> String {
    let one = |gap: &GapLine| format!("{} … {} ({})", gap.from, gap.to, gap.missing);
    let mut parts: Vec<String> = all.iter().take(few).map(one).collect();
    if all.len() > few {
        let more = all.len() - few;
        parts.push(counted(more as u64, "more hole"));
    }
    parts.join(", ")
}

#[cfg(test)]
#[path = "review_tests.rs"]
mod tests;
