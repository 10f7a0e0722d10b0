//! What was recovered of a hurt ledger.

use super::numbers::{count, counted, short};
use super::table::Table;
use super::{Document, Grid, Look};
use crate::app::report::RecoverReport;

impl Document for RecoverReport {
    fn text(&self, look: &Look) -> String {
        let root = short(&self.log_root);
        let of = match self.head {
            Some(head) => format!("of the #{head} that HEAD names"),
            None => "HEAD is lost".to_owned(),
        };
        let confirmed = match self.confirmed_by {
            "nothing" => "! nothing vouches for its root".to_owned(),
            by if self.confirmed_to < self.position => {
                format!("its root confirmed by {by} up to #{}", self.confirmed_to)
            }
            by => format!("its root confirmed by {by}"),
        };
        let done = match &self.to {
            Some(to) => format!("Recovered {} into {}", look.cell(&self.from), look.cell(to)),
            None => format!("Looked at {}", look.cell(&self.from)),
        };
        let position = self.position;
        let mut out = format!("{done}\n  sound up to #{position} {root}, {of}; {confirmed}\n");
        let mut table = Table::new(look, &["", ">engine", ">mirror", ">packs searched"]);
        for line in &self.taken {
            let counts = [count(line.engine), count(line.mirror), count(line.packs)];
            let [engine, mirror, packs] = counts;
            table.row([line.what.to_owned(), engine, mirror, packs]);
        }
        out += &table.finish();
        for hurt in &self.hurt {
            out += &format!("  hurt: {}: {}\n", look.cell(&hurt.place), look.cell(&hurt.what));
        }
        if self.confirmed_to < self.position && self.confirmed_by != "nothing" {
            let (first, last) = (self.confirmed_to + 1, self.position);
            let names = match self.beyond.is_empty() {
                true => String::new(),
                false => format!(" ({})", self.beyond.join(" ")),
            };
            let sign = if self.whole { "" } else { "! " };
            out += &format!(
                "  {sign}#{first} to #{last}{names}: whole, and nothing vouches for them\n"
            );
        }
        for lost in &self.lost {
            let events = counted(lost.events, "event");
            let what = look.cell(&lost.what);
            out +=
                &format!("  ! {} of #{} is lost: {events}; {what}\n", lost.batch, lost.staged_at);
        }
        if !self.behind.is_empty() {
            let names = self.behind.join(" ");
            out += &format!("  ! {names}: whole, but staged behind what is lost\n");
        }
        for left in &self.left_out {
            let entries = counted(left.entries, "entry");
            let (from, place) = (left.from, &left.place);
            let names = match left.batches.is_empty() {
                true => String::new(),
                false => format!(", with {}", left.batches.join(" ")),
            };
            out += &format!("  ! left out: {entries} of {place} from #{from} on{names}\n");
        }
        for erased in &self.erased_again {
            let (events, names) = (counted(erased.events, "event"), erased.batches.join(" "));
            let (entry, was) = (erased.entry, erased.was);
            let said = if erased.known { "" } else { ", of which nothing more is known" };
            out += &format!(
                "  ! {events} of {names}: erased by #{was}, which is not in this log{said}; #{entry} of \
                 the new one says so\n"
            );
        }
        for missing in &self.missing {
            let digest = short(&missing.source);
            let name = look.cell(&missing.name);
            out += &format!("  ! source {digest} of {} is lost: {name}\n", missing.batch);
        }
        if let Some(head) = self.head.filter(|head| *head > position) {
            let last = if position + 1 < head { format!(" to #{head}") } else { String::new() };
            out += &format!("  ! #{}{last}: not here, though HEAD names them\n", position + 1);
        } else if !self.end_known {
            out += "  ! nothing says where the log ended: more may have been acknowledged\n";
        }
        if self.whole {
            out += "  nothing that was acknowledged is lost\n";
        }
        out
    }

    fn grid(&self) -> Grid {
        Grid::of(&["what", "engine", "mirror", "packs"], &self.taken)
    }
}
