//! Keeping projections current: only what changed is computed, beside what is shown.

use super::definition::Definition;
use super::rows::Answering;
use super::{dirty, dirty::Dirty, kept};
use crate::app::error::{AppError, Result};
use crate::app::report::Refreshed;
use crate::app::vantage::{Reads, Vantage};
use crate::app::{Run, parallel, report};
use crate::domain::{Digest, Position, ProjectionId, Symbol};
use crate::ledger::Ledger;
use crate::ledger::codec::{TablePart, TableRoot, encode_table};
use std::collections::BTreeSet;
use std::panic::{self, AssertUnwindSafe};
use std::sync::PoisonError;

/// Symbols that are answered before what they gave is written.
const GROUP: usize = 128;

/// A part that was answered.
struct Answered {
    name: String,
    rows: u64,
    digest: Digest,
    bytes: Vec<u8>,
}

/// What has to be answered.
struct Plan {
    position: Position,
    root: TableRoot,
    parts: Vec<Option<Symbol>>,
    all: bool,
    /// Which versions its inputs' names mean.
    meant: String,
}

/// Brings one projection up to the head; `anew` answers everything again. What fails leaves the
/// stored state as it was.
pub fn one(
    ledger: &mut Ledger,
    id: &ProjectionId,
    anew: bool,
    threads: usize,
    run: &Run<'_>,
) -> Refreshed {
    let done = bring(ledger, id, anew, threads, run);
    let (state, parts, error) = match done {
        Ok(None) => ("current", 0, None),
        Ok(Some(parts)) => ("refreshed", parts, None),
        Err(error) => {
            tracing::warn!(%id, %error, "a projection could not be refreshed");
            ("failed", 0, Some(report::with_causes(&error)))
        }
    };
    let root = kept::read_root(ledger, id).ok().flatten();
    Refreshed {
        projection: id.to_string(),
        state,
        parts,
        position: root.as_ref().map(|root| root.position.0),
        rows: root.as_ref().map_or(0, |root| root.parts.values().map(|part| part.rows).sum()),
        digest: root.map(|root| root.digest().to_string()),
        error,
    }
}

fn bring(
    ledger: &mut Ledger,
    id: &ProjectionId,
    anew: bool,
    threads: usize,
    run: &Run<'_>,
) -> Result<Option<u64>> {
    let planned = Vantage::lend(ledger, &run.registry, |vantage| plan(vantage, id, anew))?;
    let Some(Plan { position, mut root, parts, all, meant }) = planned else { return Ok(None) };
    if all {
        kept::sweep(ledger, id)?;
    }
    run.progress.begin(&format!("projecting {id}"), Some(parts.len() as u64), "symbols");
    let (mut done, mut reads) = (0, Reads::default());
    for group in parts.chunks(GROUP) {
        run.go_on()?;
        let answered = Vantage::lend(ledger, &run.registry, |vantage| {
            let definition = vantage.definition(id)?;
            answers(vantage, &definition, group, threads)
        })?;
        for (part, read) in answered {
            reads.symbols.extend(read.symbols);
            reads.all |= read.all;
            let Answered { name, rows, digest, bytes } = part;
            if rows == 0 {
                root.parts.remove(&name);
            } else {
                kept::put_table(ledger, id, &digest, &bytes)?;
                root.parts.insert(name, TablePart { rows, digest });
            }
        }
        done += group.len() as u64;
        run.progress.at(done);
    }
    run.progress.end();
    let mut foreign: BTreeSet<String> = root.foreign.into_iter().collect();
    foreign.extend(reads.symbols);
    if reads.all {
        foreign.insert(String::new());
    }
    root.foreign = foreign.into_iter().collect();
    root.position = position;
    kept::switch(ledger, id, &root, &meant)?;
    Ok(Some(done))
}

fn plan(vantage: &Vantage, id: &ProjectionId, anew: bool) -> Result<Option<Plan>> {
    let definition = vantage.definition(id)?;
    // A root that cannot be read is no state to go on from.
    let root = kept::read_root(&vantage.ledger, id).unwrap_or(None).filter(|_| !anew);
    let dirty = match &root {
        Some(root) => dirty::between(vantage, &definition, Some(root), root.position)?,
        None => Some(Dirty::All),
    };
    let parts = |symbols: Option<Vec<Symbol>>| -> Vec<Option<Symbol>> {
        symbols.map_or(vec![None], |some| some.into_iter().map(Some).collect())
    };
    let (position, meant) = (vantage.at, dirty::meant(vantage, &definition)?);
    Ok(match dirty {
        None => None,
        Some(Dirty::All) => {
            let parts = parts(vantage.symbols(&definition)?);
            Some(Plan { position, root: TableRoot::default(), parts, all: true, meant })
        }
        Some(Dirty::Symbols(changed)) => {
            let changed = changed.iter().map(String::as_str);
            let parts = parts(vantage.symbols_among(&definition, changed)?);
            Some(Plan { position, root: root.unwrap_or_default(), parts, all: false, meant })
        }
    })
}

/// Answers parts with several threads, in the order given.
fn answers(
    vantage: &Vantage,
    definition: &Definition,
    parts: &[Option<Symbol>],
    threads: usize,
) -> Result<Vec<(Answered, Reads)>> {
    let of_share = |parts: &[Option<Symbol>]| -> Result<Vec<(Answered, Reads)>> {
        let (noting, reads) = vantage.noting();
        let mut answering = Answering::new(&noting, definition)?;
        let mut done = Vec::with_capacity(parts.len());
        for symbol in parts {
            std::mem::take(&mut *reads.lock().unwrap_or_else(PoisonError::into_inner));
            let table = answering.rows(symbol.as_ref())?;
            let (digest, bytes) = encode_table(&table)?;
            let name = symbol.as_ref().map_or(kept::WHOLE, Symbol::as_str).to_owned();
            let mut read = reads.lock().unwrap_or_else(PoisonError::into_inner).clone();
            read.symbols.remove(&name);
            done.push((Answered { name, rows: table.len() as u64, digest, bytes }, read));
        }
        Ok(done)
    };
    parallel::shares(parts, threads, of_share)
}

/// Compares what is stored of a projection with its rebuild at the stored position; says what
/// differs.
///
/// # Errors
/// A projection that cannot be answered any more.
pub fn compare(
    vantage: &Vantage,
    id: &ProjectionId,
    threads: usize,
    progress: &mut dyn FnMut(u64),
) -> Result<Vec<String>> {
    let Some(root) = kept::read_root(&vantage.ledger, id)? else { return Ok(Vec::new()) };
    let then = Vantage::new(
        std::sync::Arc::clone(&vantage.ledger),
        &vantage.registry,
        Some(root.position),
        crate::projections::view::Which::Latest,
    )?;
    let definition = then.definition(id)?;
    // Made with other versions of its inputs, it is stale and no wrong rebuild of these.
    if kept::meant(&vantage.ledger, id)?.unwrap_or_default()
        != dirty::meant(&then, &definition)?.as_bytes()
    {
        return Ok(Vec::new());
    }
    let symbols = then.symbols(&definition)?;
    let parts: Vec<Option<Symbol>> =
        symbols.map_or(vec![None], |all| all.into_iter().map(Some).collect());
    let (mut left, mut differences) = (root.parts.clone(), Vec::new());
    let of = |name: &str| if name.is_empty() { String::new() } else { format!(" of {name}") };
    for group in parts.chunks(GROUP) {
        for (part, _) in answers(&then, &definition, group, threads)? {
            let (stored, symbol) = (left.remove(&part.name), group_symbol(group, &part.name));
            if stored.map_or(0, |stored| stored.rows) != part.rows
                || stored.is_some_and(|stored| stored.digest != part.digest)
            {
                let text = format!("projection {id}{} differs from its rebuild", of(&part.name));
                differences.push(text);
            } else if stored.is_some()
                && let Err(error) = kept::read_part(&vantage.ledger, id, &root, symbol)
            {
                differences.push(error.to_string());
            }
        }
        progress(group.len() as u64);
    }
    let surplus = left.keys().map(|name| format!("projection {id}{} has no rebuild", of(name)));
    differences.extend(surplus);
    Ok(differences)
}

fn group_symbol<'a>(group: &'a [Option<Symbol>], name: &str) -> Option<&'a Symbol> {
    group.iter().flatten().find(|symbol| symbol.as_str() == name)
}

/// Runs what must not take the program down with it.
pub fn contained<T>(work: impl FnOnce() -> Result<T>) -> Result<T> {
    panic::catch_unwind(AssertUnwindSafe(work))
        .unwrap_or_else(|_| Err(AppError::Projection("it panicked".to_owned())))
}
