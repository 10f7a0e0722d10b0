//! Events and where values come from: `why`, `show`, `log`.

use super::numbers::{self, count, counted, short};
use super::table::{Side, Table};
use super::{Document, Grid, Look, json};
use crate::app::report::{EntryLine, EventLine, Log, Shown, Why, WhyField};

fn facts(look: &Look) -> Table {
    Table::bare(look, vec![Side::Left; 2])
}

/// The facts about one event.
fn event(table: &mut Table, event: &EventLine) {
    let mut fact = |name: &str, text: String| table.row([name.to_owned(), text]);
    fact("event", format!("{} {} leaf {}", event.event, event.op, short(&event.leaf)));
    fact(
        "source",
        // Where an erased row stood went with what it said.
        match event.op {
            "erased" => format!("{}, digest {}", event.source, short(&event.source_digest)),
            _ => format!(
                "{} {} {} , bytes {} + {}, digest {}",
                event.source,
                event.counted,
                count(u64::from(event.line)),
                count(event.offset),
                event.length,
                short(&event.source_digest)
            )
            .replace(" ,", ","),
        },
    );
    match &event.erased {
        Some(erasure) if event.op == "erased" => fact("! erased", erasure.to_string()),
        Some(erasure) => fact("! as read", format!("the source's bytes were {erasure}")),
        None if event.lost => {
            fact("! as read", format!("the bytes of {} are lost: import it again", event.source));
        }
        None => fact("as read", event.raw.clone()),
    }
    fact("mapping", event.mapping.clone());
    fact("batch", format!("{} {}", event.batch, event.state));
    fact("staged", event.recorded_at.clone());
    if let Some(at) = &event.confirmed_at {
        fact("confirmed", at.clone());
    }
    if let Some(code) = &event.code {
        fact("rejected", code.clone());
    }
    fact(
        "proof",
        if event.proven {
            "leaf → batch root → log: the hashes fit".to_owned()
        } else {
            "! the leaf does not lead to the log".to_owned()
        },
    );
}

impl Document for Why {
    fn text(&self, look: &Look) -> String {
        let mut out =
            format!("{} {} {} at #{}\n", self.series, self.symbol, self.date, self.position);
        for erasure in &self.erasures {
            let erasure = look.cell(&erasure.to_string());
            out += &format!("  ! something about this day was {erasure}\n");
        }
        if self.fields.is_empty() {
            return out + "  no value is shown\n";
        }
        let mut groups: Vec<(&EventLine, Vec<&WhyField>)> = Vec::new();
        for field in &self.fields {
            match groups.iter_mut().find(|(event, _)| event.event == field.event.event) {
                Some((_, fields)) => fields.push(field),
                None => groups.push((&field.event, vec![field])),
            }
        }
        for (line, fields) in groups {
            let mut table = facts(look);
            for field in &fields {
                let value = numbers::value(self.series, &field.field, &field.value);
                table.row([field.field.clone(), value]);
            }
            event(&mut table, line);
            for field in &fields {
                for old in &field.replaced {
                    let value = match &old.value {
                        Some(value) => numbers::value(self.series, &field.field, value),
                        None => "retracted".to_owned(),
                    };
                    let text =
                        format!("{} {value} from {} ({})", field.field, old.event, old.state);
                    table.row(["instead of".to_owned(), text]);
                }
            }
            out += &table.finish();
        }
        out
    }

    fn json_lines(&self) -> Vec<String> {
        json::lines(&self.fields)
    }

    fn grid(&self) -> Grid {
        let names = ["field", "value", "event", "batch", "state", "source", "line", "mapping"];
        let mut grid = Grid { columns: names.map(str::to_owned).to_vec(), rows: Vec::new() };
        for field in &self.fields {
            let event = &field.event;
            grid.rows.push(vec![
                field.field.clone().into(),
                field.value.clone(),
                event.event.clone().into(),
                event.batch.clone().into(),
                event.state.into(),
                event.source.clone().into(),
                event.line.into(),
                event.mapping.clone().into(),
            ]);
        }
        grid
    }
}

impl Document for Shown {
    fn text(&self, look: &Look) -> String {
        let mut table = facts(look);
        match self {
            Self::Row(line) => {
                event(&mut table, line);
                for (name, value) in &line.values {
                    table.row([name.clone(), json::cell(value)]);
                }
            }
            Self::Entry(entry) => {
                let mut fact = |name: &str, text: String| table.row([name.to_owned(), text]);
                fact("entry", format!("#{} {}", entry.position, entry.kind));
                fact("what", entry.text.clone());
                fact("time", entry.time.clone());
                fact("by", format!("{}, {}", entry.actor, entry.tool));
                if !entry.batches.is_empty() {
                    fact("batches", entry.batches.join(" "));
                }
                if let Some(via) = &entry.via {
                    fact("via", via.clone());
                }
                if let Some(reason) = &entry.reason {
                    fact("reason", reason.clone());
                }
                if entry.clock_ran_back {
                    fact("! clock", "stands before that of the entry before".to_owned());
                }
            }
        }
        table.finish()
    }

    fn grid(&self) -> Grid {
        match self {
            Self::Row(event) => {
                let columns = [
                    "event",
                    "op",
                    "batch",
                    "state",
                    "recorded_at",
                    "mapping",
                    "source",
                    "line",
                    "raw",
                    "leaf",
                ];
                Grid::of(&columns, std::slice::from_ref(event))
            }
            Self::Entry(entry) => Grid::of(&ENTRY, std::slice::from_ref(entry)),
        }
    }
}

const ENTRY: [&str; 7] = ["position", "time", "actor", "kind", "batches", "via", "reason"];

/// Position, time, actor, what was done and why.
fn cells(entry: &EntryLine) -> [String; 5] {
    let EntryLine { position, time, actor, reason, .. } = entry;
    let clock = if entry.clock_ran_back { " !" } else { "" };
    // What a note says is its reason.
    let text = if entry.kind == "note" { "note".to_owned() } else { entry.brief() };
    let reason = reason.clone().unwrap_or_default();
    [format!("#{position}"), format!("{time}{clock}"), actor.clone(), text, reason]
}

/// An entry on one line, whatever its reason holds.
pub fn entry_line(entry: &EntryLine) -> String {
    let [position, time, actor, text, reason] = cells(entry);
    let colon = if reason.is_empty() { "" } else { ": " };
    format!("{position} {time} {actor} {text}{colon}{reason}").replace(char::is_control, " ")
}

impl Document for Log {
    fn text(&self, look: &Look) -> String {
        if self.entries.is_empty() {
            return match &self.symbol {
                Some(symbol) => format!("No entry up to #{} is about {symbol}.\n", self.position),
                None => "The log is empty.\n".to_owned(),
            };
        }
        let mut table = Table::new(look, &[">entry", "time", "by", "what", "reason"]);
        let reasons = self.entries.iter().any(|entry| entry.reason.is_some());
        let reason = (!reasons).then_some((4, ""));
        table.spare(&reason.into_iter().chain([(2, "by"), (1, "time")]).collect::<Vec<_>>());
        for entry in &self.entries {
            table.row(cells(entry));
        }
        let mut out = table.finish();
        if self.earlier > 0 {
            let of = self.symbol.as_ref().map_or_else(String::new, |of| format!(" --symbol {of}"));
            let earlier = counted(self.earlier, "earlier entry");
            out += &look.flow(&format!("  {earlier}: `volledger log{of} --limit 0`\n"));
        }
        out + &format!("  Head #{} {}\n", self.position, short(&self.log_root))
    }

    fn json_lines(&self) -> Vec<String> {
        json::lines(&self.entries)
    }

    fn grid(&self) -> Grid {
        Grid::of(&ENTRY, &self.entries)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn noted() -> EntryLine {
        EntryLine {
            position: 7,
            time: "2025-01-02T03:04:05Z".to_owned(),
            actor: "ann".to_owned(),
            tool: String::new(),
            kind: "note",
            batches: Vec::new(),
            via: None,
            reason: Some("two\nlines".to_owned()),
            text: "note two\nlines".to_owned(),
            clock_ran_back: true,
        }
    }

    /// What was done has room before when, and before who did it.
    #[test]
    fn the_log_fits_forty_columns() {
        let text = "staged b12: 75,300 events of 100 symbols for iv, hv with mc-iv/1".to_owned();
        let staged = EntryLine { kind: "stage", reason: None, text, ..noted() };
        let log = |entries: &[EntryLine], width| {
            let (symbol, earlier, entries) = (None, 1, entries.to_vec());
            let log = Log { position: 7, log_root: "ab".repeat(32), symbol, earlier, entries };
            log.text(&Look { width, unicode: true })
        };
        for (entries, named) in
            [(vec![staged.clone()], "width: time;"), (vec![staged, noted()], "by, time; `--json`")]
        {
            let narrow = log(&entries, Some(40));
            assert!(narrow.lines().all(|line| line.chars().count() <= 40), "{narrow}");
            let flat = narrow.split_whitespace().collect::<Vec<_>>().join(" ");
            assert!(flat.contains("staged b12") && flat.contains(named), "{narrow}");
            assert!(flat.contains("1 earlier entry:"), "{narrow}");
            assert_eq!(log(&entries, Some(200)), log(&entries, None));
        }
    }

    #[test]
    fn an_entry_is_one_line_with_what_the_table_has() {
        let entry = noted();
        assert_eq!(entry_line(&entry), "#7 2025-01-02T03:04:05Z ! ann note: two lines");
        let other = EntryLine { kind: "undo", reason: None, clock_ran_back: false, ..entry };
        assert_eq!(entry_line(&other), "#7 2025-01-02T03:04:05Z ann note two lines");
    }
}
