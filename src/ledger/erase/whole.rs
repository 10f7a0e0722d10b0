//! What must be whole before an erasure writes engine, packs and mirror anew: each of them may have
//! alone what the others lost, and would lose it too.

use crate::domain::Digest;
use crate::ledger::codec::{Kept, ManifestSource};
use crate::ledger::mirror::{self, Gathered, SMALL};
use crate::ledger::{Ledger, Result};
use std::collections::{BTreeMap, BTreeSet};

/// Where a source is from, and when it was seen.
type Known = (String, i64);

impl Ledger {
    /// Makes sure that an erasure which takes the sources `go` takes nothing else: every block is in the
    /// engine, and what the packs cannot give of what the mirror has is kept anew from there.
    ///
    /// # Errors
    /// Blocks that are missing or hurt: then nothing was changed.
    pub(super) fn make_whole(&mut self, go: &BTreeSet<Digest>) -> Result<()> {
        for (_, batch) in self.table.iter() {
            self.count_batch(&batch.stage)?;
        }
        let Some(files) = self.files.clone() else { return Ok(()) };
        let mut found = None;
        let mut anew = 0;
        // First what names the others.
        for named in [false, true] {
            for (digest, known) in self.hurt(named, go)? {
                let found: &Gathered = match &mut found {
                    Some(found) => found,
                    none => none.insert(mirror::gather(&*files)?),
                };
                let Some(bytes) = found.source(&*files, &digest) else { continue };
                let (name, seen) = known;
                let (_, kept) = self.store.pack().keep(&mut bytes.as_slice(), &name, seen)?;
                self.store.put_kept(&digest, &kept)?;
                anew += 1;
            }
        }
        if anew == 0 {
            return Ok(());
        }
        let (sources, was) = if anew == 1 { ("source", "was") } else { ("sources", "were") };
        self.notes.push(format!(
            "{anew} {sources} could not be read from the packs and {was} kept anew from the mirror"
        ));
        self.barrier()
    }

    /// What cannot be read of what a mirror holds: manifests and mappings, or the small sources that are
    /// `named` by them. What was erased or goes now is not among them.
    fn hurt(&self, named: bool, go: &BTreeSet<Digest>) -> Result<BTreeMap<Digest, Known>> {
        let mut wanted: BTreeMap<Digest, Known> = BTreeMap::new();
        for (_, batch) in self.table.iter() {
            let stage = &batch.stage;
            if !named {
                wanted.insert(stage.manifest, ("manifest".to_owned(), batch.staged_ms));
                let mapping = format!("mapping {}", stage.mapping.id);
                wanted.insert(stage.mapping.digest, (mapping, batch.staged_ms));
                continue;
            }
            // Without it nobody knows what else was there.
            let Ok(manifest) = self.manifest_of(stage) else { continue };
            for ManifestSource { digest, name, observed_ms, size, .. } in manifest.sources {
                if size <= SMALL && !go.contains(&digest) {
                    wanted.insert(digest, (name, observed_ms));
                }
            }
        }
        let mut erased = None;
        let mut hurt = BTreeMap::new();
        for (digest, known) in wanted {
            if self.check_source(&digest).is_ok() {
                continue;
            }
            let known = match self.store.kept(&digest)? {
                Some(Kept { name, observed_ms, .. }) => (name, observed_ms),
                None if !named => known,
                None => {
                    let erased = match &mut erased {
                        Some(erased) => erased,
                        none => none.insert(self.erased_sources()?),
                    };
                    if erased.contains(&digest) {
                        continue;
                    }
                    known
                }
            };
            hurt.insert(digest, known);
        }
        Ok(hurt)
    }
}
