//! The audit: `log --audit`.

use super::numbers::{MISSING, count, counted, short};
use super::table::Table;
use super::{Document, Grid, Look, json};
use crate::app::report::{Audit, AuditAct, AuditBatch};

/// What a finding's code means.
pub(super) fn meaning(code: &str) -> &'static str {
    match code {
        "same_person" => "same person",
        "accepted_findings" => "accepted findings",
        "erased" => "erased",
        _ => "clock ran back",
    }
}

/// What was done, in words.
pub(super) fn what(act: &AuditAct) -> String {
    let mut text = act.what.to_owned();
    if let Some(via) = &act.via {
        text += &format!(" ({via})");
    }
    if let Some(events) = act.erased {
        text += &format!(" of {}", counted(events, "event"));
    }
    text
}

/// Findings of a batch by code, on one line.
pub(super) fn findings(batch: &AuditBatch) -> String {
    let said = batch.findings.iter().map(|found| format!("{} {}", found.code, count(found.count)));
    let said = said.collect::<Vec<_>>().join(", ");
    if said.is_empty() { MISSING.to_owned() } else { said }
}

impl Document for Audit {
    fn text(&self, look: &Look) -> String {
        let mut out = format!("Audit at #{} {}\n", self.position, short(&self.log_root));
        if self.batches.is_empty() && self.findings.is_empty() {
            return out + "  no batch to speak of\n";
        }
        for finding in &self.findings {
            let (code, at) = (meaning(finding.code), finding.position);
            let text = look.cell(&finding.text);
            let by = look.cell(&finding.actor);
            out += &look.flow(&format!("  ! {code}: {text} (#{at} by {by})\n"));
        }
        if self.findings.is_empty() {
            out += "  Nothing stands out.\n";
        }
        let headings = ["batch", "what", "by", "when", ">entry", "log root", "reason"];
        let mut table = Table::new(look, &headings);
        let mut acts = self.batches.iter().flat_map(|batch| &batch.acts);
        let reason = acts.all(|act| act.reason.is_none()).then_some((6, ""));
        let spare = [(5, "log root"), (3, "when")];
        table.spare(&reason.into_iter().chain(spare).collect::<Vec<_>>());
        for batch in &self.batches {
            for (index, act) in batch.acts.iter().enumerate() {
                let name = if index == 0 { batch.batch.clone() } else { String::new() };
                table.row([
                    name,
                    what(act),
                    act.actor.clone(),
                    act.time.clone(),
                    format!("#{}", act.position),
                    short(&act.log_root).to_owned(),
                    act.reason.clone().unwrap_or_default(),
                ]);
            }
        }
        out += &table.finish();
        let headings =
            ["batch", "state", ">events", ">rejected", "findings", "content", "token", "root"];
        let mut table = Table::new(look, &headings);
        let digests = [(5, "content"), (6, "token"), (7, "root")];
        table.spare(&[&digests[..], &[(3, "rejected"), (4, "findings")]].concat());
        for batch in &self.batches {
            table.row([
                batch.batch.clone(),
                batch.state.to_owned(),
                count(batch.events),
                count(batch.rejected),
                findings(batch),
                short(&batch.content_id).to_owned(),
                batch.token.as_deref().map_or(MISSING, short).to_owned(),
                short(&batch.batch_root).to_owned(),
            ]);
        }
        out + &table.finish()
    }

    fn json_lines(&self) -> Vec<String> {
        json::lines(&self.batches)
    }

    fn grid(&self) -> Grid {
        let names = [
            "batch",
            "state",
            "what",
            "actor",
            "time",
            "position",
            "log_root",
            "via",
            "reason",
            "content_id",
            "token",
            "batch_root",
            "events",
            "rejected",
            "same_person",
        ];
        let mut grid = Grid { columns: names.map(str::to_owned).to_vec(), rows: Vec::new() };
        for batch in &self.batches {
            for act in &batch.acts {
                grid.rows.push(vec![
                    batch.batch.clone().into(),
                    batch.state.into(),
                    act.what.into(),
                    act.actor.clone().into(),
                    act.time.clone().into(),
                    act.position.into(),
                    act.log_root.clone().into(),
                    act.via.clone().into(),
                    act.reason.clone().into(),
                    batch.content_id.clone().into(),
                    batch.token.clone().into(),
                    batch.batch_root.clone().into(),
                    batch.events.into(),
                    batch.rejected.into(),
                    batch.same_person.into(),
                ]);
            }
        }
        grid
    }
}
