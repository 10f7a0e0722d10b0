//! Noticing one file under two symbols: a wrong `-s`, or one export that was saved under two names.
//! Each of its rows is right, so nothing else shows it, and one stock's history ranks as another's.

use crate::app::draft::Draft;
use crate::app::error::Result;
use crate::domain::{BatchState, Digest, Finding, Series, Severity, Symbol};
use crate::ledger::Ledger;
use crate::ledger::codec::ManifestSource;
use std::collections::{BTreeMap, BTreeSet};

/// Code of the finding; it keeps `--yes` from confirming.
const CODE: &str = "same_source";

/// Series of which no two symbols have the same file. Of events they may: a file without any, or of
/// something that both took part in.
const DAILY: [Series; 5] = [Series::Iv, Series::Hv, Series::Spot, Series::Bars, Series::Index];

/// Where the bytes of a source were met before.
struct Earlier {
    symbol: Symbol,
    name: String,
    place: String,
}

/// Compares the sources of a batch with each other, and those that `before` names with the sources of
/// batches that count or wait: they were kept before this batch was read, or may have been.
///
/// # Errors
/// A manifest that is not as it was written.
pub(super) fn findings(
    ledger: &Ledger,
    draft: &Draft,
    before: &BTreeSet<Digest>,
) -> Result<Vec<Finding>> {
    if !DAILY.contains(&draft.series) || draft.rows.accepted == 0 {
        return Ok(Vec::new());
    }
    let mut met = in_ledger(ledger, draft, before)?;
    let mut found = Vec::new();
    for (index, source) in (0..).zip(&draft.manifest.sources) {
        let Some(symbol) = &source.symbol else { continue };
        let others = met.entry(source.digest).or_default();
        if let Some(other) = others.iter().find(|other| other.symbol != *symbol) {
            let Earlier { symbol: theirs, name, place } = other;
            let text =
                format!("{} of {symbol} has the bytes of {name} of {theirs} {place}", source.name);
            found.push(Finding::about(index, CODE, Severity::Warning, text));
        }
        others.push(Earlier::of(source, symbol, "in this batch".to_owned()));
    }
    Ok(found)
}

impl Earlier {
    fn of(source: &ManifestSource, symbol: &Symbol, place: String) -> Self {
        Self { symbol: symbol.clone(), name: source.name.clone(), place }
    }
}

/// Where in the ledger the sources are that were kept before.
fn in_ledger(
    ledger: &Ledger,
    draft: &Draft,
    before: &BTreeSet<Digest>,
) -> Result<BTreeMap<Digest, Vec<Earlier>>> {
    let mut met: BTreeMap<Digest, Vec<Earlier>> = BTreeMap::new();
    if before.is_empty() {
        return Ok(met);
    }
    for (id, batch) in ledger.batches().iter() {
        let here = matches!(batch.state(), BatchState::Active | BatchState::Staged);
        if !here || batch.stage.series != draft.series {
            continue;
        }
        for source in ledger.known_manifest(&batch.stage)?.sources {
            if let Some(symbol) = source.symbol.as_ref().filter(|_| before.contains(&source.digest))
            {
                let earlier = Earlier::of(&source, symbol, format!("in {id}"));
                met.entry(source.digest).or_default().push(earlier);
            }
        }
    }
    Ok(met)
}
