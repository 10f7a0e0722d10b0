//! What of a projection is out of date: the symbols of batches that began or ceased to count since.
//!
//! Nothing is marked when a decision is made. The log says which batches changed their state between
//! two positions, and their blocks say which symbols they speak of, so the work is that of the
//! batches in question.

use super::definition::{Body, Definition};
use super::kept;
use crate::app::error::Result;
use crate::app::vantage::Vantage;
use crate::domain::{BatchId, BatchState, Position, Series};
use crate::ledger::codec::TableRoot;
use std::collections::BTreeSet;

/// The parts of a projection that are out of date.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Dirty {
    /// These symbols.
    Symbols(BTreeSet<String>),
    /// Every part.
    All,
}

/// The batches that speak of a view and count at one of two positions only, or that were first
/// committed between them: the symbols of these are known at the later one even if they were taken
/// back meanwhile, and a query may have an answer about a symbol without facts.
pub fn moved(
    vantage: &Vantage,
    views: &BTreeSet<Series>,
    from: Position,
    to: Position,
) -> Vec<BatchId> {
    let active =
        |batch: &crate::domain::batch::Batch, at| batch.state_at(at) == Some(BatchState::Active);
    let (earlier, later) = (from.min(to), from.max(to));
    let differs = |batch: &crate::domain::batch::Batch| {
        active(batch, from) != active(batch, to)
            || batch.committed_at.is_some_and(|at| earlier < at && at <= later)
    };
    let speaks = |batch: &crate::domain::batch::Batch| {
        batch.stage.views.iter().any(|part| views.contains(&part.series))
    };
    let all = vantage.ledger.batches().iter();
    let moved = all.filter(|(_, batch)| differs(batch) && speaks(batch));
    moved.map(|(id, _)| id).collect()
}

/// What of a projection differs between a position and the vantage; `None` when nothing does.
/// `root` is what is stored of it, if anything.
///
/// # Errors
/// A ledger that cannot be read, an input that is gone.
pub fn between(
    vantage: &Vantage,
    definition: &Definition,
    root: Option<&TableRoot>,
    from: Position,
) -> Result<Option<Dirty>> {
    // A newer program may bring another version of an input, of which no entry of the log tells.
    if root.is_some() {
        let then = kept::meant(&vantage.ledger, &definition.id)?.unwrap_or_default();
        if then != meant(vantage, definition)?.as_bytes() {
            return Ok(Some(Dirty::All));
        }
    }
    moved_between(vantage, definition, root, from)
}

/// The versions that the names among the inputs mean, also those of inputs that the program brings, as
/// words.
///
/// # Errors
/// An input that is gone.
pub fn meant(vantage: &Vantage, definition: &Definition) -> Result<String> {
    let mut found = BTreeSet::new();
    gather(vantage, definition, &mut found)?;
    Ok(found.into_iter().collect::<Vec<String>>().join(" "))
}

fn gather(vantage: &Vantage, of: &Definition, found: &mut BTreeSet<String>) -> Result<()> {
    let inside = vantage.inside(&of.id)?;
    for name in &of.inputs.projections {
        let id = inside.id(name)?;
        if found.insert(id.to_string()) {
            gather(&inside, &*inside.definition(&id)?, found)?;
        }
    }
    Ok(())
}

fn moved_between(
    vantage: &Vantage,
    definition: &Definition,
    root: Option<&TableRoot>,
    from: Position,
) -> Result<Option<Dirty>> {
    let (inputs, to) = (&definition.inputs, vantage.at);
    if from == to {
        return Ok(None);
    }
    if inputs.log {
        return Ok(Some(Dirty::All));
    }
    let mut symbols = BTreeSet::new();
    for batch in moved(vantage, &inputs.views, from, to) {
        let mut blocks = vantage.ledger.read(batch);
        while let Some((_, header)) = blocks.next_header()? {
            symbols.extend(header.symbols.into_iter().map(|(symbol, _)| symbol.to_string()));
        }
    }
    let inside = vantage.inside(&definition.id)?;
    for name in &inputs.projections {
        // A name may have meant another version then, which may be dropped since.
        let then = inside.id_at(name, from).ok();
        let input = inside.definition(&inside.id(name)?)?;
        if then.as_ref() != Some(&input.id) {
            return Ok(Some(Dirty::All));
        }
        let stored = kept::read_root(&vantage.ledger, &input.id)?;
        match moved_between(&inside, &input, stored.as_ref(), from)? {
            Some(Dirty::All) => return Ok(Some(Dirty::All)),
            Some(Dirty::Symbols(more)) => symbols.extend(more),
            None => {}
        }
    }
    if symbols.is_empty() {
        return Ok(None);
    }
    let all = match (&definition.body, root) {
        (Body::Program(_), _) => false,
        (Body::Query { by_symbol: false, .. }, _) | (_, None) => true,
        (_, Some(root)) => root.foreign.iter().any(|of| of.is_empty() || symbols.contains(of)),
    };
    Ok(Some(if all { Dirty::All } else { Dirty::Symbols(symbols) }))
}
