//! Erasures: `erase`, `retention apply`.

use super::numbers::{count, counted, or_missing, size};
use super::table::Table;
use super::{Document, Grid, Look, json};
use crate::app::report::ErasedReport;
use crate::domain::erase::MAX_PARTS;

impl Document for ErasedReport {
    fn text(&self, look: &Look) -> String {
        let mut out = match self.batches.is_empty() {
            true => "Nothing to erase.\n".to_owned(),
            false => goes(self, look),
        };
        if !self.held.is_empty() {
            out += &held(self, look);
        }
        if !self.rejected.is_empty() {
            out += &rejected(self, look);
        }
        if !self.elsewhere.is_empty() {
            out += &elsewhere(self, look);
        }
        if !self.without_bytes.is_empty() {
            out += &without_bytes(self);
        }
        if self.waiting > 0 {
            let answers = counted(self.waiting, "answer");
            out += &format!(
                "\nThe bytes of {answers} of an interrupted fetch that said some of it go too\n"
            );
        }
        if self.inbox_held {
            out += "\nA fetch is under way: what it was answered of these days is left out when it ends, and \
                    stays in the inbox until then\n";
        }
        out
    }

    fn json_lines(&self) -> Vec<String> {
        json::lines(&self.batches)
    }

    fn grid(&self) -> Grid {
        Grid::whole(&self.batches)
    }
}

/// What goes, batch by batch.
fn goes(report: &ErasedReport, look: &Look) -> String {
    let verb = if report.plan { "Would erase" } else { "Erased" };
    // One entry has room for so many batches.
    let before = (report.batches.len().max(1) - 1) / MAX_PARTS;
    let entry = match (report.entry, before as u64) {
        (None, _) => String::new(),
        (Some(last), 0) => format!(" as #{last}"),
        (Some(last), before) => format!(" as #{} to #{last}", last.saturating_sub(before)),
    };
    let events = counted(report.events, "event");
    let why = match report.reason.is_empty() {
        true => String::new(), // a plan needs none
        false => format!(": {}", look.cell(&report.reason)),
    };
    let mut out = format!("{verb} {events}, {}{entry}{why}\n", size(report.bytes));
    let headings =
        ["batch", "state", ">events", "of", "views", ">symbols", "from", "to", "source bytes"];
    let mut table = Table::new(look, &headings);
    for part in &report.batches {
        table.row([
            part.batch.clone(),
            part.state.to_owned(),
            count(part.events),
            count(part.of),
            part.views.join(" "),
            count(part.symbols),
            or_missing(&part.from),
            or_missing(&part.to),
            part.sources.join(" "),
        ]);
    }
    out += &table.finish();
    out + "  The kept bytes of these sources go whole; other rows of theirs stay as events.\n"
}

/// What a rule would take and another view keeps.
fn held(report: &ErasedReport, look: &Look) -> String {
    let mut table = Table::new(look, &["batch", "view", ">rows", "kept by", "until"]);
    for line in &report.held {
        table.row([
            line.batch.clone(),
            line.view.to_owned(),
            count(line.events),
            line.kept_by.to_owned(),
            match line.kept_days {
                Some(days) => format!("they are {} old", counted(u64::from(days), "day")),
                None => format!("[retention] has a rule for {} too", line.kept_by),
            },
        ]);
    }
    let title =
        "\nToo old by a rule, and kept: a row goes whole, and these speak of another view too\n";
    title.to_owned() + &table.finish()
}

/// What no rule takes.
fn rejected(report: &ErasedReport, look: &Look) -> String {
    let mut table = Table::new(look, &["batch", ">rows"]);
    for line in &report.rejected {
        table.row([line.batch.clone(), count(line.events)]);
    }
    let would = report.plan && !report.batches.is_empty();
    let stay = if would { "would stay" } else { "stay" };
    format!(
        "\nRejected rows {stay} of batches that have no others: they have no day that a rule could go by\n{}",
        table.finish()
    )
}

/// Where the same rows stay.
fn elsewhere(report: &ErasedReport, look: &Look) -> String {
    let mut table = Table::new(look, &["batch", "state", ">events", "of"]);
    for line in &report.elsewhere {
        table.row([line.batch.clone(), line.state.to_owned(), count(line.events), count(line.of)]);
    }
    let stay = if report.plan { "would stay" } else { "stay" };
    format!("\nRows of the same lines of these sources {stay} in other batches\n{}", table.finish())
}

/// Which batches lose what they were read from.
fn without_bytes(report: &ErasedReport) -> String {
    let (go, can) = if report.plan { ("would go", "could") } else { ("go", "can") };
    format!(
        "\nThe kept bytes of {} {go} too, since these were read from the same sources: they keep their \
         events and {can} be neither replayed nor sent\n",
        report.without_bytes.join(", ")
    )
}
