//! What a chart says in words: units, names, and the sentence that tells what is seen.

use super::super::numbers;
use crate::app::report::{Chart, ChartLine};

/// How the numbers of a unit are written: times a factor, between a prefix and a suffix.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(in crate::render) struct Scale {
    /// What the axis is in.
    pub(in crate::render) heading: &'static str,
    pub(in crate::render) factor: f64,
    pub(in crate::render) prefix: &'static str,
    pub(in crate::render) suffix: &'static str,
    /// Digits of a value that is read out.
    pub(in crate::render) digits: usize,
    /// Both ends of the axis, where they do not follow from the values.
    pub(in crate::render) fixed: Option<(f64, f64)>,
}

/// The scale of a unit.
pub(in crate::render) fn scale(unit: &str) -> Scale {
    let of = |heading, factor, prefix, suffix, digits| Scale {
        heading,
        factor,
        prefix,
        suffix,
        digits,
        fixed: None,
    };
    match unit {
        "vol" => of("volatility, percent a year", 100.0, "", " %", 2),
        "points" => of("volatility points", 1.0, "", " pts", 2),
        "rank" => Scale { fixed: Some((0.0, 100.0)), ..of("0 to 100", 1.0, "", "", 1) },
        "price" => of("US dollars", 1.0, "$", "", 2),
        "count" => of("number", 1.0, "", "", 0),
        _ => of("level", 1.0, "", "", 2),
    }
}

impl Scale {
    /// The ends of the axis that a line's values ask for: of ranks that TOMIC stored beyond 0 to
    /// 100 too.
    pub(in crate::render) fn ends(&self, low: f64, high: f64) -> (f64, f64) {
        self.fixed.map_or((low, high), |(bottom, top)| (bottom.min(low), top.max(high)))
    }

    /// A value that is already multiplied, with that many digits.
    pub(in crate::render) fn scaled(&self, value: f64, digits: usize) -> String {
        let text = format!("{:.digits$}", value.abs());
        let zero = text.chars().all(|c| matches!(c, '0' | '.'));
        let sign = if value < 0.0 && !zero { "−" } else { "" };
        let (whole, rest) = text.split_once('.').map_or((text.as_str(), ""), |(w, r)| (w, r));
        let whole = whole.parse().map_or_else(|_| whole.to_owned(), numbers::count);
        let point = if rest.is_empty() { "" } else { "." };
        format!("{sign}{}{whole}{point}{rest}{}", self.prefix, self.suffix)
    }

    /// A value as it is read out: `45.53 %`.
    pub(in crate::render) fn shown(&self, value: f64) -> String {
        self.scaled(value * self.factor, self.digits)
    }
}

impl Chart {
    /// The values of a line with their places.
    pub(in crate::render) fn known(&self, line: usize) -> impl Iterator<Item = (usize, f64)> {
        let value =
            move |point: &crate::app::report::ChartPoint| point.values.get(line).copied().flatten();
        self.points.iter().enumerate().filter_map(move |(at, point)| Some((at, value(point)?)))
    }

    /// Lowest and highest value of the lines of a panel, in the data's unit.
    pub(in crate::render) fn range(&self, panel: usize) -> Option<(f64, f64)> {
        let of = self.lines.iter().enumerate().filter(|(_, line)| line.panel == panel);
        let values = of.flat_map(|(index, _)| self.known(index)).map(|(_, value)| value);
        values.fold(None, |range, value| match range {
            None => Some((value, value)),
            Some((low, high)) => Some((value.min(low), value.max(high))),
        })
    }

    /// How many panels there are.
    pub(in crate::render) fn panels(&self) -> usize {
        self.lines.iter().map(|line| line.panel + 1).max().unwrap_or(0)
    }

    /// The lines of a panel with their numbers.
    pub(in crate::render) fn of_panel(
        &self,
        panel: usize,
    ) -> impl Iterator<Item = (usize, &ChartLine)> {
        self.lines.iter().enumerate().filter(move |(_, line)| line.panel == panel)
    }

    /// The heading of the whole picture.
    pub(in crate::render) fn title(&self) -> String {
        let names: Vec<_> = self.lines.iter().map(|line| line.field).collect();
        let what = match self.kind {
            "all" => "volatilities and price".to_owned(),
            "rank" => "rank of implied volatility".to_owned(),
            kind => format!("{kind} {}", names.join(", ")),
        };
        format!("{}: {what}", self.symbol)
    }

    /// From when to when, at which position, and whose values.
    pub(in crate::render) fn place(&self) -> String {
        let day = |point: Option<&crate::app::report::ChartPoint>| {
            point.map(|point| point.date.clone()).unwrap_or_default()
        };
        let first = self.which.map_or("", |_| ", values as first known");
        let (from, to) = (day(self.points.first()), day(self.points.last()));
        format!("{from} … {to}, at #{}{first}", self.position)
    }

    /// What is seen of one line, in a sentence.
    pub(in crate::render) fn sentence_of(&self, index: usize) -> Option<String> {
        let line = self.lines.get(index)?;
        let scale = scale(line.unit);
        let known: Vec<(usize, f64)> = self.known(index).collect();
        let least = known.iter().copied().min_by(|a, b| a.1.total_cmp(&b.1))?;
        let most = known.iter().copied().max_by(|a, b| a.1.total_cmp(&b.1))?;
        let last = known.last()?;
        let told = |(at, value): (usize, f64)| {
            let day = self.points.get(at).map(|point| point.date.as_str()).unwrap_or_default();
            format!("{} on {day}", scale.shown(value))
        };
        let name = line.field;
        let missing = match line.missing {
            0 => "none missing".to_owned(),
            missing => format!("{} missing", numbers::count(missing)),
        };
        let sessions = numbers::counted(line.known, "session");
        let range = match known.len() {
            1 => String::new(),
            _ => format!(", lowest {}, highest {}", told(least), told(most)),
        };
        let of = |field| format!("{field} of {}", self.symbol);
        // The lines of a preview are one field twice: without a batch, and with it.
        let whose = match name {
            "now" => format!("Now {} stands at", of(self.field)),
            "if confirmed" => format!("If confirmed, {} would stand at", of(self.field)),
            "before" => format!("Before it {} stood at", of(self.field)),
            "with it" => format!("With it {} stood at", of(self.field)),
            field => format!("{} stood at", of(field)),
        };
        Some(format!("{whose} {}{range}; {sessions}, {missing}.", told(*last)))
    }

    /// What is seen, in a sentence for each line, and what is not there.
    pub(in crate::render) fn sentence(&self) -> String {
        let lines = (0..self.lines.len()).filter_map(|index| self.sentence_of(index));
        let mut text = lines.collect::<Vec<_>>().join(" ");
        if !self.absent.is_empty() {
            text += &format!(" Not drawn: {}.", self.absent.join(", "));
        }
        text
    }
}

/// What the words of a rank chart mean.
pub(in crate::render) const RANKS: &str = "rank: place between lowest and highest of the last \
    observations, the day's own included; percentile: share of the observations before the day \
    that are lower. A day with fewer than 252 observations before it (504: 378) has none.";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_carry_their_unit_and_a_real_minus() {
        for (unit, value, want) in [
            ("vol", 0.4553, "45.53 %"),
            ("vol", 12.5, "1,250.00 %"),
            ("points", -1.5, "−1.50 pts"),
            ("points", -0.001, "0.00 pts"),
            ("price", 1234.5, "$1,234.50"),
            ("rank", 48.04, "48.0"),
            ("count", 415799.0, "415,799"),
            ("number", 14.2, "14.20"),
        ] {
            assert_eq!(scale(unit).shown(value), want, "{unit}");
        }
        assert_eq!(scale("rank").ends(3.0, 140.0), (0.0, 140.0));
    }
}
