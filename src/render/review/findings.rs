//! What the reader noticed, as lines: many of one kind are one.

use super::{FEW, ReviewPage, short};
use crate::app::report::FindingLine;
use crate::render::Look;
use crate::render::numbers::{count, counted};
use crate::render::table::{Side, Table};
use std::collections::BTreeMap;

impl ReviewPage<'_> {
    pub(super) fn findings(&self, look: &Look) -> String {
        let all = &self.review.findings;
        if all.is_empty() {
            return if self.check { "\nNo findings.\n".to_owned() } else { String::new() };
        }
        let mut groups = alike(all, self.full);
        groups.sort_by_key(|group| std::cmp::Reverse(group.first().map(|first| rank(first))));
        let hidden = if self.full { 0 } else { groups.len().saturating_sub(FEW) };
        let hidden = groups.split_off(groups.len() - hidden);
        let hidden: usize = hidden.iter().map(Vec::len).sum();
        let named = self.review.sources.len() > 1;
        let mut lines = Vec::with_capacity(groups.len());
        for group in &groups {
            let Some((first, more)) = group.split_first() else { continue };
            let sign = if rank(first) > 0 { "!" } else { "·" };
            let (place, text) = match more.last() {
                Some(last) => {
                    // Of very many rejected rows only the first are listed; their sum says how many.
                    let (severity, code, sum) = kind(first);
                    let summed = all.iter().any(|other| kind(other) == (severity, code, !sum));
                    let listed = if summed && !sum { "listed" } else { "times" };
                    let how_many = format!("{} {listed}", count(group.len() as u64));
                    together(first, last, (&how_many, named))
                }
                None => (place(first, named), first.text.clone()),
            };
            lines.push([sign.to_owned(), first.code.clone(), place, text]);
        }
        let mut out = format!("\nFindings\n{}", listed(lines, look));
        let folded = groups.iter().any(|group| group.len() > 1);
        let how = if self.check { "`--full`".to_owned() } else { self.all() };
        if hidden > 0 {
            let hidden = counted(hidden as u64, "finding");
            out += &look.flow(&format!("  … and {hidden} more; {how} shows all\n"));
        } else if folded {
            let folded = format!("  Findings of one kind stand in one line; {how} shows each\n");
            out += &look.flow(&folded);
        }
        out
    }
}

/// Findings in columns, or each with its text below where the terminal has no room for both.
fn listed(lines: Vec<[String; 4]>, look: &Look) -> String {
    let mut table = Table::bare(look, vec![Side::Left; 4]);
    let mut below = String::new();
    for line in lines {
        let [sign, code, place, text] = line.each_ref().map(|text| look.cell(text));
        below += &look.flow(&format!("  {sign} {code} {place}\n    {text}\n"));
        table.row(line);
    }
    let table = table.finish();
    let width = table.lines().map(|line| line.chars().count()).max();
    let fits = look.width.is_none_or(|room| width <= Some(usize::from(room)));
    if fits { table } else { below }
}

fn rank(finding: &FindingLine) -> u8 {
    match finding.severity {
        "fatal" => 3,
        "reject" => 2,
        "warning" => 1,
        _ => 0,
    }
}

/// What makes findings of one kind: severity, code, and whether each sums several rows.
fn kind(finding: &FindingLine) -> (&str, &str, bool) {
    (finding.severity, &finding.code, finding.count > 1)
}

/// The findings in their order, each alone; many of one kind are together where the first of them stands.
fn alike(all: &[FindingLine], full: bool) -> Vec<Vec<&FindingLine>> {
    let mut counts: BTreeMap<_, usize> = BTreeMap::new();
    for finding in all {
        *counts.entry(kind(finding)).or_default() += 1;
    }
    let mut groups: Vec<Vec<&FindingLine>> = Vec::new();
    let mut begun: BTreeMap<_, usize> = BTreeMap::new();
    for finding in all {
        let kind = kind(finding);
        // Each file that cannot be used at all has its own reason.
        let many = !full && rank(finding) < 3 && counts.get(&kind).is_some_and(|n| *n >= FEW);
        match begun.get(&kind).and_then(|at| groups.get_mut(*at)) {
            Some(group) if many => group.push(finding),
            _ => {
                begun.insert(kind, groups.len());
                groups.push(vec![finding]);
            }
        }
    }
    groups
}

/// Place and text of many findings of one kind, by the first and the last of them; `how_many` of them.
fn together(
    first: &FindingLine,
    last: &FindingLine,
    (how_many, named): (&str, bool),
) -> (String, String) {
    let mut places = vec![place(first, named), place(last, named)];
    places.retain(|place| !place.is_empty());
    places.dedup();
    let places = [places.join(" … "), how_many.to_owned()];
    let place = places.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(", ");
    let text = match first.text == last.text {
        true => first.text.clone(),
        false => format!("the first: {}", first.text),
    };
    (place, text)
}

/// Where a finding is: `VOLB.csv line 68 (2020-01-17)`.
fn place(finding: &FindingLine, named: bool) -> String {
    let mut parts = Vec::new();
    if let (true, Some(source)) = (named, &finding.source) {
        parts.push(short(source).to_owned());
    }
    // Rows of a JSON document are counted by item.
    let json = finding.source.as_ref().is_some_and(|source| source.ends_with(".json"));
    let row = if json { "item" } else { "line" };
    match (finding.line, finding.count) {
        (Some(line), ..=1) => parts.push(format!("{row} {line}")),
        (Some(line), more) => parts.push(format!("{row} {line}, {} in all", count(more))),
        (None, ..=1) => {}
        (None, more) => parts.push(format!("{} times", count(more))),
    }
    if let Some(date) = &finding.date {
        parts.push(format!("({date})"));
    }
    parts.join(" ")
}
