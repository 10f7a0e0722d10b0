//! Which projections there are, and in what state.

use super::definition::Body;
use super::dirty::{self, Dirty};
use super::{kept, meaning};
use crate::app::Run;
use crate::app::error::Result;
use crate::app::report::{ProjectionLine, ProjectionList, ProjectionShown, with_causes};
use crate::app::vantage::Vantage;
use crate::domain::projection::{ProjectionName, ProjectionTable};
use crate::domain::{ProjectionId, Series};
use crate::ledger::Ledger;
use crate::ledger::codec::TableRoot;
use std::borrow::Cow;
use std::collections::BTreeSet;

/// Views and projections that there were, dropped ones included.
///
/// # Errors
/// A stored view that cannot be read.
pub fn list(vantage: &Vantage) -> Result<ProjectionList> {
    let mut lines = Vec::new();
    for view in Series::ALL {
        let symbols = vantage.symbols_of(view)?.len() as u64;
        if symbols > 0 || matches!(view, Series::Iv | Series::Hv | Series::Spot) {
            lines.push(ProjectionLine {
                name: view.name().to_owned(),
                version: 1,
                kind: "view",
                promoted: true,
                state: "current",
                at: Some(vantage.at.0),
                stale_parts: None,
                symbols: Some(symbols),
                rows: None,
                digest: None,
                inputs: vec!["log".to_owned()],
                error: None,
            });
        }
    }
    let table = table_at(vantage);
    let brought = vantage.registry.iter();
    let brought = brought.filter_map(|of| ProjectionId::new(of.name(), of.version()).ok());
    let ids: BTreeSet<ProjectionId> =
        brought.chain(table.iter().map(|(id, _)| id.clone())).collect();
    lines.extend(ids.iter().map(|id| line(vantage, &table, id)));
    Ok(ProjectionList { position: vantage.at.0, projections: lines })
}

/// The kept projections that are not current.
///
/// # Errors
/// A stored view that cannot be read.
pub fn stale(ledger: &mut Ledger, run: &Run<'_>) -> Result<Vec<ProjectionLine>> {
    if ledger.projections().kept().next().is_none() {
        return Ok(Vec::new());
    }
    Vantage::lend(ledger, &run.registry, |vantage| Ok(stale_from(vantage)))
}

/// The kept projections that are not current, from a vantage.
pub fn stale_from(vantage: &Vantage) -> Vec<ProjectionLine> {
    let table = table_at(vantage);
    let kept = table.kept().map(|(id, _)| line(vantage, &table, id));
    kept.filter(|line| line.state != "current").collect()
}

/// The projections as the log names them up to the position that is seen.
fn table_at(vantage: &Vantage) -> Cow<'_, ProjectionTable> {
    let ledger = &vantage.ledger;
    if vantage.at == ledger.position() {
        return Cow::Borrowed(ledger.projections());
    }
    let mut table = ProjectionTable::default();
    ledger.entries().iter().take(vantage.at.0 as usize).for_each(|entry| table.apply(entry));
    Cow::Owned(table)
}

fn line(vantage: &Vantage, table: &ProjectionTable, id: &ProjectionId) -> ProjectionLine {
    let added = table.get(id);
    let is_kept = added.is_some_and(|added| added.is_kept());
    let sql = added.is_some_and(|added| added.definition.is_some());
    let is_brought = vantage.registry.get(&id.name, Some(id.version)).is_some();
    let meant = meaning(table, &vantage.registry, &id.name, vantage.at);
    let mut line = ProjectionLine {
        name: id.name.to_string(),
        version: id.version,
        kind: if sql { "sql" } else { "built-in" },
        promoted: (is_kept || is_brought) && meant == Some(id.version),
        state: "on-demand",
        at: None,
        stale_parts: None,
        symbols: None,
        rows: None,
        digest: None,
        inputs: Vec::new(),
        error: None,
    };
    if !is_kept && !is_brought {
        line.state = "dropped";
        return line;
    }
    let definition = match vantage.definition(id) {
        Ok(definition) => definition,
        Err(error) => {
            (line.state, line.error) = ("broken", Some(with_causes(&error)));
            return line;
        }
    };
    line.inputs = definition.inputs.names();
    if !is_kept {
        return line;
    }
    let root = kept::read_root(&vantage.ledger, id);
    let past = vantage.at < vantage.ledger.position();
    let stale = match &root {
        Ok(Some(root)) => dirty::between(vantage, &definition, Some(root), root.position),
        _ => Ok(None),
    };
    let by_symbol = !matches!(definition.body, Body::Query { by_symbol: false, .. });
    let count = |root: &TableRoot| root.parts.len() as u64;
    match (root, stale) {
        // What is stored shows the head; what else was to be seen is computed when asked.
        (Ok(None), _) | (Ok(_), Ok(Some(_))) if past => {}
        (Ok(None), _) => line.state = "empty",
        (Err(error), _) | (_, Err(error)) => {
            (line.state, line.error) = ("broken", Some(with_causes(&error)));
        }
        (Ok(Some(root)), Ok(stale)) => {
            line.state = if stale.is_some() { "stale" } else { "current" };
            line.stale_parts = match stale {
                Some(Dirty::Symbols(symbols)) => Some(symbols.len() as u64),
                _ => None,
            };
            line.at = Some(root.position.0);
            line.symbols = by_symbol.then(|| count(&root));
            line.rows = Some(root.parts.values().map(|part| part.rows).sum());
            line.digest = Some(root.digest().to_string());
        }
    }
    line
}

/// One projection, with its columns and its query.
///
/// # Errors
/// [`crate::app::AppError::NoProjection`].
pub fn show(vantage: &Vantage, name: &ProjectionName) -> Result<ProjectionShown> {
    let id = vantage.id(name)?;
    let definition = vantage.definition(&id)?;
    let brought = match &definition.body {
        Body::Program(brought) => Some(brought),
        Body::Query { .. } => None,
    };
    let about = |column: &String| {
        let columns = brought.map(|brought| brought.columns()).unwrap_or_default();
        let known = columns.iter().find(|known| known.name == *column);
        (column.clone(), known.map(|known| known.about.to_owned()).unwrap_or_default())
    };
    let (sql, by_symbol) = match &definition.body {
        Body::Query { text, by_symbol } => (Some(text.clone()), *by_symbol),
        Body::Program(_) => (None, true),
    };
    Ok(ProjectionShown {
        position: vantage.at.0,
        line: line(vantage, &table_at(vantage), &id),
        about: brought.map_or("a query", |brought| brought.about()).to_owned(),
        columns: definition.columns.iter().map(about).collect(),
        sql,
        by_symbol,
    })
}
