//! Heat maps in words and in the terminal.

use super::metrics::NO_IV;
use super::numbers::{self, MISSING};
use super::svg::month_name;
use super::table::wrapped;
use super::{Document, Grid, Look, json};
use crate::app::report::{HeatCell, Heatmap};
use serde_json::Value as Json;

/// The shades of a heat map: ten bands of values.
#[derive(Clone, Debug)]
pub(super) struct Bands {
    /// The lower ends of the bands but the first.
    edges: Vec<f64>,
    ends: (String, String),
}

impl Bands {
    /// Ranks are shaded by tens. Volatilities have no natural ends, so a tenth of the cells shown
    /// has each shade.
    pub(super) fn of(map: &Heatmap) -> Self {
        if map.metric != "atm_iv" {
            let edges = (1..10).map(|edge| f64::from(edge) * 10.0).collect();
            return Self { edges, ends: ("0".to_owned(), "100".to_owned()) };
        }
        let cells = map.rows.iter().flat_map(|row| row.cells.iter().flatten());
        let mut values: Vec<f64> = cells.filter_map(|cell| cell.value).collect();
        values.sort_by(f64::total_cmp);
        let at = |share: usize| values.get(values.len() * share / 10).copied();
        let edges = (1..10).map(|share| at(share).unwrap_or(0.0)).collect();
        let end = |value: Option<&f64>| {
            value.map_or_else(|| MISSING.to_owned(), |value| format!("{:.1} %", value * 100.0))
        };
        Self { edges, ends: (end(values.first()), end(values.last())) }
    }

    /// The band of a value, 0 to 9.
    pub(super) fn band(&self, value: f64) -> usize {
        self.edges.iter().filter(|edge| value >= **edge).count()
    }

    /// What the first and the last shade stand for.
    pub(super) fn ends(&self) -> (String, String) {
        self.ends.clone()
    }
}

/// The number in a cell: whole points of a rank, whole percent of a volatility.
pub(super) fn cell_text(map: &Heatmap, value: f64) -> String {
    let value = if map.metric == "atm_iv" { value * 100.0 } else { value };
    format!("{value:.0}")
}

/// The value as it is read out.
pub(super) fn value_text(map: &Heatmap, value: f64) -> String {
    match map.metric {
        "atm_iv" => format!("{:.2} %", value * 100.0),
        _ => format!("{value:.1}"),
    }
}

/// What hovering over a cell tells.
pub(super) fn told(map: &Heatmap, symbol: &str, month: &str, cell: Option<&HeatCell>) -> String {
    match cell {
        None => format!("{symbol} {month}: no observation"),
        Some(HeatCell { date, value: None, n }) => {
            format!("{symbol} {date}: too few observations or a flat range, n {n}")
        }
        Some(HeatCell { date, value: Some(value), n }) => {
            format!("{symbol} {date}: {}, n {n}", value_text(map, *value))
        }
    }
}

/// The heading.
pub(super) fn wide_title(map: &Heatmap) -> String {
    format!("{} by {}", map.metric, map.by)
}

impl Heatmap {
    /// The definition, and of which day a cell is.
    pub(super) fn definition_line(&self) -> String {
        let each = "Each cell is the last session of the month with an observation.";
        format!("{} {each}", self.definition)
    }

    /// What is left out, and where it stands.
    pub(super) fn note(&self) -> String {
        let first = self.which.map_or("", |_| ", values as first known");
        let mut text =
            format!("At #{}{first}. n: observations before the newest cell.", self.position);
        if self.hidden > 0 {
            let (hidden, shown) = (numbers::counted(self.hidden, "symbol"), self.rows.len());
            text += &format!(" {hidden} with lower values not shown (limit {shown}).");
        }
        text
    }

    /// What is seen, in a sentence.
    pub(super) fn sentence(&self) -> String {
        let (symbols, months) = (self.rows.len() as u64, self.months.len() as u64);
        let (symbols, months) =
            (numbers::counted(symbols, "symbol"), numbers::counted(months, "month"));
        let valued = |row: &&crate::app::report::HeatRow| row.newest.is_some();
        let told = |row: &crate::app::report::HeatRow| {
            let value = row.newest.map(|value| value_text(self, value)).unwrap_or_default();
            // Of each its own newest month: some symbols ended long before others.
            let last = row.cells.iter().rposition(Option::is_some);
            let month = last.and_then(|at| self.months.get(at)).map_or("", String::as_str);
            format!("{} at {value} ({month})", row.symbol)
        };
        let ends = self.rows.iter().find(valued).zip(self.rows.iter().rfind(valued));
        let ends = ends.map_or_else(String::new, |(first, last)| {
            format!("; newest: highest {}, lowest {}", told(first), told(last))
        });
        format!("{} of {symbols} over {months}{ends}. {}", self.metric, self.definition_line())
    }
}

/// Columns of a cell in the terminal.
const CELL: usize = 5;

impl Document for Heatmap {
    fn text(&self, look: &Look) -> String {
        if self.months.is_empty() {
            return NO_IV.to_owned();
        }
        let bands = Bands::of(self);
        let widest = self.rows.iter().map(|row| row.symbol.len()).max().unwrap_or(0).max(6);
        let width = look.width.map_or(usize::MAX, usize::from);
        let room = (width.saturating_sub(widest + 2 + 6) / CELL).max(1);
        let skipped = self.months.len().saturating_sub(room);
        let mut out = format!("{}\n", wide_title(self));
        let (mut years, mut months) = (String::new(), String::new());
        let mut year = "";
        for month in self.months.iter().skip(skipped) {
            let of = month.get(..4).unwrap_or_default();
            years += &format!("{:>CELL$}", if of == year { "" } else { of });
            year = of;
            months += &format!("{:>CELL$}", month_name(month));
        }
        out += format!("  {:widest$}{years}", "").trim_end();
        out += &format!("\n  {:widest$}{months}     n\n", "symbol");
        for row in &self.rows {
            out += &format!("  {:widest$}", row.symbol);
            for cell in row.cells.iter().skip(skipped) {
                out += &match cell.as_ref().and_then(|cell| cell.value) {
                    Some(value) => {
                        let text = cell_text(self, value);
                        let shade = shade(bands.band(value), look.unicode);
                        format!(" {shade}{text:>3}")
                    }
                    None => format!("{MISSING:>CELL$}"),
                };
            }
            out += &format!("{:>6}\n", row.n);
        }
        let (low, high) = bands.ends();
        let shades: String = (0..10).step_by(2).map(|band| shade(band, look.unicode)).collect();
        let mut notes =
            format!("{low} {shades} {high}. {} {}", self.definition_line(), self.note());
        if skipped > 0 {
            let months = numbers::counted(skipped as u64, "older month");
            notes += &format!(" {months} not shown for want of width; --svg and --html have them.");
        }
        for line in wrapped(&notes, width.clamp(40, 100) - 2) {
            out += &format!("  {line}\n");
        }
        out
    }

    fn json_lines(&self) -> Vec<String> {
        json::lines(&self.rows)
    }

    fn grid(&self) -> Grid {
        let fixed = ["symbol", "newest", "n"].map(str::to_owned);
        let columns = fixed.into_iter().chain(self.months.iter().cloned()).collect();
        let row = |row: &crate::app::report::HeatRow| {
            let fixed = [Json::from(row.symbol.as_str()), row.newest.into(), row.n.into()];
            let cells = row.cells.iter().map(|cell| cell.as_ref().and_then(|c| c.value).into());
            fixed.into_iter().chain(cells).collect()
        };
        Grid { columns, rows: self.rows.iter().map(row).collect() }
    }
}

/// A character that is darker in a higher band.
fn shade(band: usize, unicode: bool) -> char {
    let shades =
        if unicode { [' ', '░', '▒', '▓', '█'] } else { [' ', '.', ':', '%', '#'] };
    shades.get(band / 2).copied().unwrap_or(' ')
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::report::HeatRow;

    pub(in crate::render) fn map(metric: &'static str, values: &[&[Option<f64>]]) -> Heatmap {
        let cell = |value: &Option<f64>| {
            Some(HeatCell { date: "2025-01-31".into(), value: *value, n: 252 })
        };
        let row = |(index, values): (usize, &&[Option<f64>])| HeatRow {
            symbol: format!("S{index}"),
            newest: values.iter().rev().flatten().next().copied(),
            n: 252,
            cells: values.iter().map(cell).collect(),
        };
        let months = values.first().map_or(0, |row| row.len());
        Heatmap {
            position: 2,
            which: None,
            metric,
            definition: "A definition.",
            by: "month",
            months: (0..months).map(|i| format!("{}-{:02}", 2024 + i / 12, i % 12 + 1)).collect(),
            rows: values.iter().enumerate().map(row).collect(),
            hidden: 3,
        }
    }

    #[test]
    fn ten_shades_cover_the_range() {
        let ranks = Bands::of(&map("iv_percentile_252", &[&[Some(0.0)]]));
        let bands = [0.0, 9.99, 10.0, 55.0, 99.9, 100.0].map(|value| ranks.band(value));
        assert_eq!(bands, [0, 0, 1, 5, 9, 9]);
        let values: Vec<Option<f64>> = (1..=20).map(|i| Some(f64::from(i) / 10.0)).collect();
        let vols = Bands::of(&map("atm_iv", &[&values]));
        assert_eq!((vols.band(0.1), vols.band(1.05), vols.band(2.0)), (0, 4, 9));
        assert_eq!(vols.ends(), ("10.0 %".to_owned(), "200.0 %".to_owned()));
        // Equal values, and none, are shaded without fault.
        assert!(Bands::of(&map("atm_iv", &[&[Some(0.2), Some(0.2)]])).band(0.2) <= 9);
        assert_eq!(Bands::of(&map("atm_iv", &[&[None]])).ends().0, MISSING);
    }

    #[test]
    fn a_narrow_terminal_shows_the_newest_months_and_says_so() {
        let row: Vec<Option<f64>> =
            (0..24).map(|i| (i != 20).then(|| f64::from(i) * 4.0)).collect();
        let map = map("iv_rank_252", &[&row, &row]);
        let page = map.text(&Look { width: Some(80), unicode: true });
        assert!(page.lines().all(|line| line.chars().count() <= 80), "{page}");
        assert!(page.contains("92") && page.contains('–') && page.contains("Dec"), "{page}");
        let flat = page.replace("\n ", "");
        assert!(flat.contains("11 older months not shown"), "{page}");
        assert!(flat.contains("3 symbols with lower values not shown"), "{page}");
        let plain = map.text(&Look { width: None, unicode: false });
        assert!(
            plain.contains("Jan") && !plain.contains('█') && !plain.contains("older"),
            "{plain}"
        );
    }
}
