//! Keys, checkpoints and proofs.

use super::numbers::{counted, short};
use super::table::Table;
use super::{Document, Grid, Look, json};
use crate::app::report::{CheckpointSigned, Checkpoints, NewKey, ProofWritten, ProvenReport};

impl Document for NewKey {
    fn text(&self, look: &Look) -> String {
        let (file, vkey) = (look.cell(&self.file), look.cell(&self.vkey));
        format!("New signing key in {file}\nIts public part, to give to others:\n{vkey}\n")
    }

    fn grid(&self) -> Grid {
        Grid::of(&["name", "vkey", "file"], std::slice::from_ref(self))
    }
}

impl Document for CheckpointSigned {
    /// The note itself when it went to no file, so that it can be piped.
    fn text(&self, look: &Look) -> String {
        let Some(file) = &self.file else { return self.note.clone() };
        let (file, root) = (look.cell(file), short(&self.log_root));
        let again = if self.again { ", as before" } else { "" };
        let origin = look.cell(&self.origin);
        format!("Wrote {file}\n  checkpoint #{} {root} signed by {origin}{again}\n", self.position)
    }

    fn grid(&self) -> Grid {
        let columns = ["position", "log_root", "origin", "signed_at", "vkey", "file"];
        Grid::of(&columns, std::slice::from_ref(self))
    }
}

impl Document for Checkpoints {
    fn text(&self, look: &Look) -> String {
        if self.checkpoints.is_empty() {
            return "Nothing was signed with this key\n".to_owned();
        }
        let headings = [">at", "root", "signed", "by", "signature", "this log"];
        let mut table = Table::new(look, &headings);
        for line in &self.checkpoints {
            table.row([
                format!("#{}", line.position),
                short(&line.log_root).to_owned(),
                line.signed_at.clone(),
                line.origin.clone(),
                if line.signature { "ok" } else { "! bad" }.to_owned(),
                if line.holds { "extends it" } else { "! contradicts it" }.to_owned(),
            ]);
        }
        format!("Checkpoints; the log is at #{}\n{}", self.position, table.finish())
    }

    fn json_lines(&self) -> Vec<String> {
        json::lines(&self.checkpoints)
    }

    fn grid(&self) -> Grid {
        let columns = ["position", "log_root", "origin", "signed_at", "vkey", "signature", "holds"];
        Grid::of(&columns, &self.checkpoints)
    }
}

impl Document for ProofWritten {
    fn text(&self, look: &Look) -> String {
        let ProofWritten { subject, bytes, checkpoint, .. } = self;
        let (file, origin) = (look.cell(&self.file), look.cell(&checkpoint.origin));
        let size = counted(*bytes, "byte");
        let at = checkpoint.position;
        format!("Wrote {file}\n  {subject} in the log of {origin} at #{at}, {size}\n")
    }

    fn grid(&self) -> Grid {
        let columns = ["proves", "subject", "file", "bytes", "vkey"];
        Grid::of(&columns, std::slice::from_ref(self))
    }
}

impl Document for ProvenReport {
    fn text(&self, look: &Look) -> String {
        let by = &self.checkpoint;
        let root = short(&by.log_root);
        format!(
            "Proven: {}.\n  checkpoint #{} {root} of {}\n",
            look.cell(&self.sentence),
            by.position,
            look.cell(&by.origin)
        )
    }

    fn grid(&self) -> Grid {
        let columns = ["proves", "event", "series", "symbol", "date", "entry", "sentence"];
        Grid::of(&columns, std::slice::from_ref(self))
    }
}
