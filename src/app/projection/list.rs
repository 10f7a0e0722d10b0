//! Which projections there are, and in what state.

use super::definition::Body;
use super::dirty::{self, Dirty};
use super::kept;
use crate::app::Run;
use crate::app::error::Result;
use crate::app::report::{ProjectionLine, ProjectionList, ProjectionShown, with_causes};
use crate::app::vantage::Vantage;
use crate::domain::projection::ProjectionName;
use crate::domain::{ProjectionId, Series};
use crate::ledger::Ledger;
use crate::ledger::codec::TableRoot;

/// Views and projections, dropped ones included.
///
/// # Errors
/// A stored view that cannot be read.
pub fn list(vantage: &Vantage) -> Result<ProjectionList> {
    let reader = vantage.reader();
    let mut lines = Vec::new();
    for view in Series::ALL {
        let symbols = reader.symbols(view)?.len() as u64;
        if symbols > 0 || matches!(view, Series::Iv | Series::Hv | Series::Spot) {
            lines.push(ProjectionLine {
                name: view.name().to_owned(),
                version: 1,
                kind: "view",
                promoted: true,
                state: "current",
                at: Some(vantage.ledger.position().0),
                stale_parts: None,
                symbols: Some(symbols),
                rows: None,
                digest: None,
                inputs: vec!["log".to_owned()],
                error: None,
            });
        }
    }
    let mut ids = vantage.projections();
    ids.extend(vantage.ledger.projections().iter().map(|(id, _)| id.clone()));
    lines.extend(ids.iter().map(|id| line(vantage, id)));
    Ok(ProjectionList {
        schema: "volledger/projections/1",
        position: vantage.ledger.position().0,
        projections: lines,
    })
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

/// The same from a vantage.
pub fn stale_from(vantage: &Vantage) -> Vec<ProjectionLine> {
    let kept = vantage.ledger.projections().kept().map(|(id, _)| line(vantage, id));
    kept.filter(|line| line.state != "current").collect()
}

fn line(vantage: &Vantage, id: &ProjectionId) -> ProjectionLine {
    let added = vantage.ledger.projections().get(id);
    let is_kept = added.is_some_and(|added| added.is_kept());
    let sql = added.is_some_and(|added| added.definition.is_some());
    let name = ProjectionName { name: id.name.clone(), version: None };
    let mut line = ProjectionLine {
        name: id.name.to_string(),
        version: id.version,
        kind: if sql { "sql" } else { "built-in" },
        promoted: vantage.id(&name).is_ok_and(|promoted| promoted == *id),
        state: "on-demand",
        at: None,
        stale_parts: None,
        symbols: None,
        rows: None,
        digest: None,
        inputs: Vec::new(),
        error: None,
    };
    if !is_kept && vantage.registry.get(&id.name, Some(id.version)).is_none() {
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
    let stale = match &root {
        Ok(Some(root)) => dirty::between(vantage, &definition, Some(root), root.position),
        _ => Ok(None),
    };
    let by_symbol = !matches!(definition.body, Body::Query { by_symbol: false, .. });
    let count = |root: &TableRoot| root.parts.len() as u64;
    match (root, stale) {
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
/// [`crate::app::AppError::NotFound`].
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
        schema: "volledger/projection/1",
        position: vantage.at.0,
        line: line(vantage, &id),
        about: brought.map_or("a query", |brought| brought.about()).to_owned(),
        columns: definition.columns.iter().map(about).collect(),
        sql,
        by_symbol,
    })
}
