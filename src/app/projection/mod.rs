//! Projections: which there are, which are kept, and what they hold.
//!
//! What is kept, and which version a name means, are entries of the log. What they hold is stored
//! beside the views and follows from the log; it can be thrown away.

pub mod compare;
pub mod definition;
pub mod dirty;
pub mod kept;
mod list;
pub mod refresh;
pub mod rows;

pub use compare::compare as diff;
pub use list::{list, show, stale, stale_from};

use super::error::{AppError, Result};
use super::report::{ProjectionChanged, Refresh, Refreshed, VerifyReport};
use super::stage::append;
use super::vantage::Vantage;
use super::{Run, sql, threads};
use crate::domain::projection::{MAX_DEFINITION, ProjectionName, ProjectionTable};
use crate::domain::{EntryKind, Position, ProjectionEntry, ProjectionId, ProjectionStep};
use crate::ledger::Ledger;
use crate::projections::Registry;

/// Keeps a projection: one that the program brings, or a query under a new name or as the next
/// version of a name. It is computed at once. The first version of a name is promoted.
///
/// # Errors
/// [`AppError::Sql`] and [`AppError::Projection`] for a query that is wrong or cannot be answered;
/// nothing is kept then. [`AppError::Usage`] for a name that is taken.
pub fn add(
    ledger: &mut Ledger,
    name: &ProjectionName,
    query: Option<String>,
    run: &Run<'_>,
) -> Result<ProjectionChanged> {
    let brought = run.registry.get(&name.name, name.version).map(|of| of.version());
    let table = ledger.projections();
    let id = match &query {
        None => {
            let version = name.version.or(brought);
            // A query that was dropped can be kept again by its name.
            let known = |version: &u32| {
                brought == Some(*version)
                    || ProjectionId::new(&name.name, *version)
                        .is_ok_and(|id| table.get(&id).is_some())
            };
            version.filter(known).and_then(|version| ProjectionId::new(&name.name, version).ok())
        }
        Some(text) => {
            check_name(name, brought.is_some() || run.registry.get(&name.name, None).is_some())?;
            let same = table.versions(&name.name);
            let same = same.filter(|(_, added)| added.definition.as_ref() == Some(text));
            let next = table.versions(&name.name).map(|(id, _)| id.version).max().unwrap_or(0) + 1;
            let version = same.map(|(id, _)| id.version).last().unwrap_or(next);
            ProjectionId::new(&name.name, version).ok()
        }
    };
    let missing = || AppError::NoProjection(format!("there is no projection {name} to keep"));
    let id = id.ok_or_else(missing)?;
    let before = table.get(&id);
    if before.is_some_and(|added| added.is_kept()) {
        return Ok(changed(ledger, "none", &id, None, run));
    }
    let definition = query.or_else(|| before.and_then(|added| added.definition.clone()));
    if let Some(text) = &definition {
        if text.len() > MAX_DEFINITION {
            let text = format!("a projection's query has at most {MAX_DEFINITION} bytes");
            return Err(AppError::Usage(text));
        }
        // Answered once before it is recorded: what cannot be answered is not kept.
        Vantage::lend(ledger, &run.registry, |vantage| {
            let defined = sql::define(&vantage.inside(&id)?, &id, text)?;
            no_cycle(vantage, &defined)?;
            let first =
                vantage.symbols(&defined)?.map_or(Some(None), |all| all.first().cloned().map(Some));
            match first {
                Some(part) => {
                    rows::Answering::new(vantage, &defined)?.rows(part.as_ref()).map(|_| ())
                }
                None => Ok(()),
            }
        })?;
    }
    let step = ProjectionStep::Added { definition };
    append(ledger, EntryKind::Projection(ProjectionEntry { id: id.clone(), step }), run)?;
    let refreshed = refresh(ledger, std::slice::from_ref(&id), run);
    let refreshed = refreshed.projections.into_iter().find(|of| of.projection == id.to_string());
    Ok(changed(ledger, "add", &id, refreshed, run))
}

/// The version that a name alone means at a position: the one that was promoted there, else the
/// newest that the program brings, else (before a query was there) the first that was ever promoted.
/// What is promoted later never changes what it meant.
pub fn meaning(
    table: &ProjectionTable,
    registry: &Registry,
    name: &str,
    at: Position,
) -> Option<u32> {
    let newest = || registry.get(name, None).map(|of| of.version());
    table.promoted(name, at).or_else(newest).or_else(|| table.first(name, at))
}

fn check_name(name: &ProjectionName, brought: bool) -> Result<()> {
    let text = match name {
        ProjectionName { version: Some(_), .. } => {
            "versions are counted by the ledger: leave out the number".to_owned()
        }
        _ if sql::is_taken(&name.name) => format!("`{name}` is a table already"),
        _ if brought => format!("`{name}` is a projection of this program"),
        _ if !sql::is_free(&name.name) => format!("`{name}` means something else in SQL"),
        _ => return Ok(()),
    };
    Err(AppError::Usage(text))
}

/// Refuses a query whose inputs are made from a projection of its own name.
fn no_cycle(vantage: &Vantage, defined: &definition::Definition) -> Result<()> {
    fn walk(
        vantage: &Vantage,
        of: &definition::Definition,
        name: &str,
        path: &mut Vec<String>,
    ) -> Result<()> {
        for input in &of.inputs.projections {
            path.push(input.to_string());
            // A version that is named stays what it is; a name alone will mean this one.
            if &*input.name == name && input.version.is_none() {
                let path = path.join(" -> ");
                let text = format!("{name} would depend on itself: {name} -> {path}");
                return Err(AppError::Projection(text));
            }
            let input = vantage.definition(&vantage.id(input)?)?;
            walk(vantage, &input, name, path)?;
            path.pop();
        }
        Ok(())
    }
    walk(vantage, defined, &defined.id.name, &mut Vec::new())
}

/// Lets a name mean this version, and brings up what is made from the name; of that the last one that
/// failed is told.
///
/// # Errors
/// [`AppError::NoProjection`] for a version that is not kept, [`AppError::Projection`] for one that is
/// made from what is made from its name.
pub fn promote(
    ledger: &mut Ledger,
    name: &ProjectionName,
    run: &Run<'_>,
) -> Result<ProjectionChanged> {
    let id = exact(ledger, name)?;
    if ledger.projections().promoted(&id.name, ledger.position()) == Some(id.version) {
        return Ok(changed(ledger, "none", &id, None, run));
    }
    Vantage::lend(ledger, &run.registry, |vantage| no_cycle(vantage, &*vantage.definition(&id)?))?;
    let step = ProjectionStep::Promoted;
    append(ledger, EntryKind::Projection(ProjectionEntry { id: id.clone(), step }), run)?;
    // What is made from the name is made from another version now.
    let mut done = refresh(ledger, &[], run).projections.into_iter();
    let failed = done.rfind(|of| of.state == "failed");
    Ok(changed(ledger, "promote", &id, failed, run))
}

/// Keeps a version no more. Its definition stays in the log.
///
/// # Errors
/// [`AppError::Projection`] for one that a name means while there are others, or that others are
/// made from.
pub fn drop(
    ledger: &mut Ledger,
    name: &ProjectionName,
    run: &Run<'_>,
) -> Result<ProjectionChanged> {
    let id = exact(ledger, name)?;
    let table = ledger.projections();
    let promoted = table.promoted(&id.name, ledger.position()) == Some(id.version);
    let brought = run.registry.get(&id.name, Some(id.version)).is_some();
    let others = table.kept().filter(|(of, _)| of.name == id.name && **of != id).count();
    if promoted && others > 0 {
        let text = format!("{} means {id}: promote another version first", id.name);
        return Err(AppError::Projection(text));
    }
    if !brought {
        let users = Vantage::lend(ledger, &run.registry, |vantage| Ok(users_of(vantage, &id)))?;
        if !users.is_empty() {
            let text = format!(
                "{} {} made from {id}",
                users.join(", "),
                if users.len() == 1 { "is" } else { "are" }
            );
            return Err(AppError::Projection(text));
        }
    }
    let step = ProjectionStep::Dropped;
    append(ledger, EntryKind::Projection(ProjectionEntry { id: id.clone(), step }), run)?;
    kept::forget(ledger, &id)?;
    Ok(changed(ledger, "drop", &id, None, run))
}

/// The kept projections that are made from this one.
fn users_of(vantage: &Vantage, id: &ProjectionId) -> Vec<String> {
    let kept = vantage.ledger.projections().kept().filter(|(of, _)| *of != id);
    let uses = |of: &ProjectionId| {
        let definition = vantage.definition(of).ok();
        definition.is_some_and(|definition| {
            let mut inputs = definition.inputs.projections.iter();
            inputs.any(|input| vantage.id(input).is_ok_and(|input| input == *id))
        })
    };
    kept.filter(|(of, _)| uses(of)).map(|(of, _)| of.to_string()).collect()
}

/// The kept version that is named, the promoted one where none is.
fn exact(ledger: &Ledger, name: &ProjectionName) -> Result<ProjectionId> {
    let table = ledger.projections();
    let version = name.version.or_else(|| table.promoted(&name.name, ledger.position()));
    let id = version.and_then(|version| ProjectionId::new(&name.name, version).ok());
    let kept = id.filter(|id| table.get(id).is_some_and(|added| added.is_kept()));
    kept.ok_or_else(|| AppError::NoProjection(format!("no projection {name} is kept")))
}

fn changed(
    ledger: &Ledger,
    action: &'static str,
    id: &ProjectionId,
    refreshed: Option<Refreshed>,
    run: &Run<'_>,
) -> ProjectionChanged {
    let (table, at) = (ledger.projections(), ledger.position());
    let promoted = meaning(table, &run.registry, &id.name, at);
    ProjectionChanged {
        action,
        position: ledger.position().0,
        projection: id.to_string(),
        promoted: promoted.map(|version| format!("{}@{version}", id.name)),
        refreshed,
    }
}

/// Brings kept projections up to the head: those named, or all; what they are made from first.
/// A projection that fails is reported and stays as it was; the others are not touched by it.
pub fn refresh(ledger: &mut Ledger, ids: &[ProjectionId], run: &Run<'_>) -> Refresh {
    refresh_with(ledger, ids, false, threads(), run)
}

/// [`refresh()`], all anew on request, with a number of threads.
pub fn refresh_with(
    ledger: &mut Ledger,
    ids: &[ProjectionId],
    anew: bool,
    threads: usize,
    run: &Run<'_>,
) -> Refresh {
    let mut done: Vec<Refreshed> = Vec::new();
    for id in in_order(ledger, ids, run) {
        let asked = ids.is_empty() || ids.contains(&id);
        done.push(refresh::one(ledger, &id, anew && asked, threads, run));
    }
    Refresh { position: ledger.position().0, projections: done }
}

/// The kept versions that a user named, for [`refresh()`].
///
/// # Errors
/// [`AppError::NoProjection`].
pub fn named(ledger: &Ledger, names: &[ProjectionName]) -> Result<Vec<ProjectionId>> {
    names.iter().map(|name| exact(ledger, name)).collect()
}

/// Kept projections with their kept inputs, inputs first.
fn in_order(ledger: &mut Ledger, ids: &[ProjectionId], run: &Run<'_>) -> Vec<ProjectionId> {
    let kept: Vec<ProjectionId> = ledger.projections().kept().map(|(id, _)| id.clone()).collect();
    if kept.is_empty() {
        return kept;
    }
    let wanted = if ids.is_empty() { kept.clone() } else { ids.to_vec() };
    let ordered = Vantage::lend(ledger, &run.registry, |vantage| {
        let mut ordered = Vec::new();
        wanted.iter().for_each(|id| visit(vantage, &kept, id, &mut ordered));
        Ok(ordered)
    });
    // Without views that can be read nothing can be ordered; each one then says so itself.
    ordered.unwrap_or(wanted)
}

fn visit(
    vantage: &Vantage,
    kept: &[ProjectionId],
    id: &ProjectionId,
    ordered: &mut Vec<ProjectionId>,
) {
    if ordered.contains(id) {
        return;
    }
    if let (Ok(definition), Ok(inside)) = (vantage.definition(id), vantage.inside(id)) {
        let inputs = definition.inputs.projections.iter();
        for input in inputs.filter_map(|input| inside.id(input).ok()) {
            visit(&inside, kept, &input, ordered);
        }
    }
    if kept.contains(id) && !ordered.contains(id) {
        ordered.push(id.clone());
    }
}

/// Compares kept projections with their rebuild; one that is named, or all.
///
/// # Errors
/// [`AppError::NoProjection`].
pub fn verify(
    ledger: &mut Ledger,
    names: &[ProjectionName],
    run: &Run<'_>,
) -> Result<VerifyReport> {
    let ids = match names {
        [] => ledger.projections().kept().map(|(id, _)| id.clone()).collect(),
        names => named(ledger, names)?,
    };
    let head = ledger.head();
    let mut report = VerifyReport {
        ok: true,
        deep: true,
        position: head.size.0,
        log_root: head.root.to_string(),
        events: 0,
        batches: ledger.batches().len() as u64,
        sources: 0,
        projections: 0,
        views_only: true,
        unchecked: Vec::new(),
        damage: Vec::new(),
        missing: Vec::new(),
        stale: Vec::new(),
        against: None,
    };
    for id in &ids {
        run.progress.begin(&format!("comparing {id}"), None, "symbols");
        let mut done = 0;
        let compared = Vantage::lend(ledger, &run.registry, |vantage| {
            refresh::contained(|| {
                refresh::compare(vantage, id, threads(), &mut |symbols| {
                    done += symbols;
                    run.progress.at(done);
                })
            })
        });
        run.progress.end();
        report.projections += 1;
        match compared {
            Ok(differences) => report.stale.extend(differences),
            Err(error) => report.stale.push(format!("projection {id}: {error}")),
        }
    }
    report.ok = report.stale.is_empty();
    Ok(report)
}
