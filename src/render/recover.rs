//! What was recovered of a hurt ledger.

use super::numbers::{count, counted};
use super::table::Table;
use super::{Document, Grid, Look};
use crate::app::report::RecoverReport;

impl Document for RecoverReport {
    fn text(&self, look: &Look) -> String {
        let root: String = self.log_root.chars().take(12).collect();
        let of = match self.head {
            Some(head) => format!("of the #{head} that HEAD names"),
            None => "HEAD is lost".to_owned(),
        };
        let confirmed = match self.confirmed_by {
            "nothing" => "! nothing vouches for its root".to_owned(),
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
        for missing in &self.missing {
            let digest: String = missing.source.chars().take(12).collect();
            let name = look.cell(&missing.name);
            out += &format!("  ! source {digest} of {} is lost: {name}\n", missing.batch);
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
