//! Lists and states: batches, gaps, status, verify, exports.

use super::numbers::{MISSING, count, counted, or_missing, short, size};
use super::table::{Side, Table};
use super::{Document, Grid, Look, json, review};
use crate::app::report::{
    Batches, Exported, Gaps, GapsLine, Part, Status, StatusView, VerifyReport,
};

fn day(at: &str) -> String {
    at.get(..10).unwrap_or(at).to_owned()
}

impl Document for Batches {
    fn text(&self, look: &Look) -> String {
        if self.batches.is_empty() {
            return "No batches yet.\n".to_owned();
        }
        let headings = [
            "batch",
            "state",
            "views",
            ">symbols",
            ">rows",
            ">rejected",
            "source",
            "mapping",
            "staged",
            "confirmed",
            "reason",
        ];
        let mut table = Table::new(look, &headings);
        // The state says most of what the day of confirming does.
        let mut spare = vec![(7, "mapping"), (9, "confirmed"), (3, "symbols"), (5, "rejected")];
        spare.push((8, "staged"));
        if self.batches.iter().all(|line| line.reason.is_none()) {
            spare.insert(0, (10, ""));
        }
        table.spare(&spare);
        for line in &self.batches {
            table.row([
                line.batch.clone(),
                line.state.to_owned(),
                line.series.join(" "),
                count(u64::from(line.symbols)),
                count(line.rows),
                count(line.rejected),
                line.source.clone(),
                line.mapping.clone(),
                day(&line.staged_at),
                line.confirmed_at.as_deref().map_or_else(|| MISSING.to_owned(), day),
                line.reason.clone().unwrap_or_default(),
            ]);
        }
        table.finish()
    }

    fn json_lines(&self) -> Vec<String> {
        json::lines(&self.batches)
    }

    fn grid(&self) -> Grid {
        Grid::whole(&self.batches)
    }
}

impl Gaps {
    /// Answers of a service that gave no data: why a hole is a hole.
    fn asked(&self, look: &Look) -> String {
        let mut table = Table::bare(look, vec![Side::Left; 5]);
        for line in &self.rows {
            for known in line.coverage.iter().filter(|known| known.fact != "data") {
                table.row([
                    format!("{} {}", line.series, line.symbol),
                    format!("{} … {}", known.from, known.to),
                    known.fact.replace('-', " "),
                    known.text.clone(),
                ]);
            }
        }
        match table.is_empty() {
            true => String::new(),
            false => format!("\nAsked, without data\n{}", table.finish()),
        }
    }

    /// Days with data that a split made another.
    fn restated(&self, look: &Look) -> String {
        let mut table = Table::bare(look, vec![Side::Left; 3]);
        for line in &self.rows {
            for known in &line.coverage {
                let Some(split) = &known.split else { continue };
                table.row([
                    format!("{} {}", line.series, line.symbol),
                    format!("{} … {}", known.from, known.to),
                    format!("before the split of {split}: `fetch {}` asks again", line.series),
                ]);
            }
        }
        match table.is_empty() {
            true => String::new(),
            false => format!("\nPrices on the scale of before a split\n{}", table.finish()),
        }
    }
}

impl Document for Gaps {
    fn text(&self, look: &Look) -> String {
        if self.rows.is_empty() {
            return "No days are shown, so none is missing.\n".to_owned();
        }
        let headings = ["view", "symbol", "days", ">shown", ">missing", ">closed", "largest holes"];
        let mut table = Table::new(look, &headings);
        table.spare(&[(5, "closed")]);
        for line in &self.rows {
            let GapsLine { from, to, .. } = line;
            let span = match (from, to) {
                (Some(from), Some(to)) => format!("{from} … {to}"),
                _ => MISSING.to_owned(),
            };
            let mut holes = line.gaps.clone();
            holes.sort_by_key(|gap| std::cmp::Reverse(gap.missing));
            table.row([
                line.series.to_owned(),
                line.symbol.clone(),
                span,
                count(line.days),
                count(line.missing),
                count(line.non_trading_days.len() as u64),
                review::gaps(&holes, 3),
            ]);
        }
        let mut out = table.finish();
        out += &look.below(
            "missing: trading days without a value between first and last; closed: days shown on which \
             the exchange was closed; a hole (of so many days) is between the two days named.",
        );
        out += super::metrics::first_values(self.which);
        out += &self.asked(look);
        out += &self.restated(look);
        if self.rows.iter().any(|line| line.gaps.len() > 3 || !line.non_trading_days.is_empty()) {
            out += "  Every hole and day: `volledger gaps … --json`\n";
        }
        out
    }

    fn json_lines(&self) -> Vec<String> {
        json::lines(&self.rows)
    }

    fn grid(&self) -> Grid {
        let names = ["series", "symbol", "from", "to", "missing"];
        let mut grid = Grid { columns: names.map(str::to_owned).to_vec(), rows: Vec::new() };
        for line in &self.rows {
            for gap in &line.gaps {
                grid.rows.push(vec![
                    line.series.into(),
                    line.symbol.clone().into(),
                    gap.from.clone().into(),
                    gap.to.clone().into(),
                    gap.missing.into(),
                ]);
            }
        }
        grid
    }
}

fn view_table(views: &[StatusView], look: &Look) -> String {
    let mut table = Table::new(look, &["view", ">symbols", ">days", "from", "to"]);
    table.spare(&[(1, "symbols"), (3, "from")]);
    for view in views {
        table.row([
            view.series.to_owned(),
            count(view.symbols),
            count(view.days),
            or_missing(&view.from),
            or_missing(&view.to),
        ]);
    }
    if table.is_empty() { String::new() } else { table.finish() }
}

impl Document for Status {
    fn text(&self, look: &Look) -> String {
        let root = short(&self.log_root);
        let mut table = Table::bare(look, vec![Side::Left; 2]);
        let mut fact = |name: &str, text: String| table.row([name.to_owned(), text]);
        fact("ledger", format!("{} (format {})", self.ledger, self.format));
        fact("head", format!("#{} {root}", self.position));
        if let Some(last) = &self.last_entry {
            fact("last entry", last.clone());
        }
        fact("events", counted(self.events, "row event"));
        let states = self.batches.iter().filter(|(_, number)| **number > 0);
        let states: Vec<_> =
            states.map(|(state, number)| format!("{} {state}", count(*number))).collect();
        fact("batches", if states.is_empty() { "none".to_owned() } else { states.join(", ") });
        if !self.open.is_empty() {
            fact("waiting", format!("{} for a decision", self.open.join(" ")));
        }
        if self.inbox > 0 {
            let bytes = size(self.inbox);
            fact("inbox", format!("{bytes} of answers that came; `volledger fetch` settles them"));
        }
        fact("on disk", size(self.bytes));
        for note in &self.notes {
            fact("note", note.clone());
        }
        let mut out = table.finish();
        let views = view_table(&self.views, look);
        if !views.is_empty() {
            out += "\n";
            out += &views;
        }
        for line in &self.stale {
            let parts = line.stale_parts.map(|parts| format!(", {}", counted(parts, "symbol")));
            let at = line.at.map(|at| format!(", shows #{at}")).unwrap_or_default();
            let parts = parts.unwrap_or_default();
            out += &look.flow(&format!(
                "  ! projection {}@{}: {}{at}{parts}\n",
                line.name, line.version, line.state
            ));
        }
        for line in &self.outdated {
            let symbols = line.symbols.len() as u64;
            out += &look.flow(&format!(
                "  ! {} of {} no longer follows from what it was computed from\n",
                line.series,
                counted(symbols, "symbol")
            ));
        }
        if !self.coverage.is_empty() {
            let headings =
                ["asked for", ">questions", ">data", ">empty", ">not entitled", ">failed"];
            let mut table = Table::new(look, &headings);
            table.spare(&[(3, "empty"), (2, "data"), (1, "questions")]);
            for line in &self.coverage {
                let counts =
                    [line.asked, line.data, line.empty, line.not_entitled, line.failed].map(count);
                table.row(std::iter::once(line.series.to_owned()).chain(counts));
            }
            out += "\n";
            out += &table.finish();
        }
        out
    }

    fn grid(&self) -> Grid {
        Grid::of(&["series", "symbols", "days", "from", "to"], &self.views)
    }
}

impl Document for VerifyReport {
    fn text(&self, look: &Look) -> String {
        let root = short(&self.log_root);
        let mut table = Table::bare(look, vec![Side::Left; 2]);
        let word = |good: bool| if good { "ok" } else { "! not as recorded" };
        let depth = if self.deep {
            "hashes, order, roots, HEAD; every block and source read whole"
        } else {
            "hashes, order, roots, HEAD"
        };
        let sizes = [
            format!(
                "{}, {}, {}",
                counted(self.events, "event"),
                counted(self.batches, "batch"),
                counted(self.sources, "stored file")
            ),
            String::new(),
        ];
        if !self.views_only || !self.damage.is_empty() {
            table.row(sizes);
            table.row([depth.to_owned(), word(self.damage.is_empty()).to_owned()]);
        }
        // Views are compared by a deep verification only, and only of a log that is sound.
        if self.projections > 0 || !self.stale.is_empty() {
            table.row([
                format!("{} compared with the rebuild", counted(self.projections, "view")),
                word(self.stale.is_empty()).to_owned(),
            ]);
        }
        if let Some(against) = &self.against {
            let signature = match against.signature {
                "not checked" => "signature not checked",
                "good" => "signature good",
                _ => "signature bad",
            };
            let checkpoint = &against.checkpoint;
            table.row([
                format!("extends #{} of {}; {signature}", checkpoint.position, checkpoint.origin),
                word(against.ok).to_owned(),
            ]);
        }
        let mut out = format!("Checked #{} {root}\n{}", self.position, table.finish());
        for part in &self.unchecked {
            out += match part {
                Part::Engine => {
                    "  ! not checked: the engine's files, with the views in them; all this is from \
                     the mirror and the packs\n"
                }
                Part::Mirror => "  ! not checked: the mirror\n",
            };
        }
        for damage in &self.damage {
            out += &format!("  ! {}: {}\n", look.cell(&damage.place), look.cell(&damage.what));
        }
        for difference in &self.stale {
            out += &format!("  ! {}\n", look.cell(difference));
        }
        out
    }

    fn grid(&self) -> Grid {
        Grid::of(&["place", "what"], &self.damage)
    }
}

impl Document for Exported {
    fn text(&self, _: &Look) -> String {
        let digest = self.digest.short();
        let rows = counted(self.rows, "record");
        let files = |files: &[String]| counted(files.len() as u64, "file");
        let few = |files: &[String]| {
            let mut out = String::new();
            for file in files.iter().take(5) {
                out += &format!("  {file}\n");
            }
            if files.len() > 5 {
                out += &format!("  … and {} more\n", count(files.len() as u64 - 5));
            }
            out
        };
        let (wrote, list) = match self.files.as_slice() {
            [] if !self.unchanged.is_empty() => ("Nothing to write".to_owned(), String::new()),
            [one] => (format!("Wrote {one}"), String::new()),
            many => (format!("Wrote {}", files(many)), few(many)),
        };
        let mut out = match self.unchanged.len() {
            0 => wrote,
            1 => format!("{wrote}; 1 file was as it should be"),
            _ => format!("{wrote}; {} were as they should be", files(&self.unchanged)),
        };
        out += &format!("\n{list}  {rows} at #{} digest {digest}\n", self.position);
        if !self.leftover.is_empty() {
            let (have, those) = match self.leftover.len() {
                1 => ("has", "a symbol"),
                _ => ("have", "symbols"),
            };
            let left = files(&self.leftover);
            out +=
                &format!("  ! {left} here {have} days of {those} that the view does not show:\n");
            out += &few(&self.leftover);
        }
        out
    }

    fn grid(&self) -> Grid {
        let rows = self.files.iter().map(|file| vec![file.clone().into()]).collect();
        Grid { columns: vec!["file".to_owned()], rows }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::report::BatchLine;

    #[test]
    fn what_the_views_show_fits_forty_columns() {
        let view = StatusView {
            series: "straddles",
            symbols: 2_000,
            days: 1_234_567,
            from: Some("2022-01-03".to_owned()),
            to: Some("2024-12-31".to_owned()),
        };
        let narrow = view_table(&[view], &Look { width: Some(40), unicode: true });
        assert!(narrow.lines().all(|line| line.chars().count() <= 40), "{narrow}");
        assert!(narrow.contains("1,234,567") && narrow.contains("2024-12-31"), "{narrow}");
    }

    #[test]
    fn batches_fit_a_narrow_terminal() {
        let mut line = BatchLine {
            batch: "b12".to_owned(),
            state: "rolled-back",
            series: vec!["iv", "hv"],
            symbols: 1,
            rows: 75_300,
            rejected: 0,
            mapping: "mc-iv/1".to_owned(),
            source: "VOLA.csv and 2 more".to_owned(),
            staged_at: "2025-12-13T12:00:00Z".to_owned(),
            confirmed_at: None,
            reason: None,
        };
        let text = |line: &BatchLine, width| {
            let batches = Batches { batches: vec![line.clone()] };
            batches.text(&Look { width, unicode: true })
        };
        let fits = |text: &str| text.lines().all(|line| line.chars().count() <= 80);
        let narrow = text(&line, Some(80));
        assert!(fits(&narrow) && narrow.contains("2025-12-13"), "{narrow}");
        assert!(narrow.contains("width: mapping, confirmed") && !narrow.contains("reason"));
        line.reason = Some("the wrong file, of another day than the others were".to_owned());
        let narrow = text(&line, Some(80));
        assert!(fits(&narrow) && narrow.contains("the wrong file"), "{narrow}");
        assert_eq!(text(&line, Some(200)), text(&line, None));
    }
}
