//! A hurt ledger: what of it is sound, and a new ledger made of that.

use super::Run;
use super::error::{AppError, Result};
use super::outside::{Opened, explained, ready};
use super::report::{
    DamageLine, ErasedAgainLine, LeftOutLine, LostLine, MissingLine, Part, RecoverReport, TakenLine,
};
use crate::domain::BatchId;
use crate::ledger::recover::{Survey, Taken, recover as rescue};
use crate::ledger::{Ledger, LedgerError, OpenOptions};
use std::path::Path;

/// Writes what verifies of the ledger in `dir` into a new one in `new`; without `new`, only looks.
///
/// # Errors
/// No ledger in `dir`, one in `new`, another process at work, no room.
pub fn recover(
    dir: &Path,
    new: Option<&Path>,
    options: &OpenOptions,
    run: &Run<'_>,
) -> Result<RecoverReport> {
    run.progress.begin("reading what is sound, and verifying it", None, "events");
    let survey = rescue(dir, new, options, run.clock.now_ms());
    run.progress.end();
    Ok(report(dir, new, survey?))
}

fn report(dir: &Path, new: Option<&Path>, survey: Survey) -> RecoverReport {
    let taken = |what, taken: Taken| TakenLine {
        what,
        engine: taken.engine,
        mirror: taken.mirror,
        packs: taken.packs,
    };
    let named = |batches: &[BatchId]| batches.iter().map(ToString::to_string).collect();
    RecoverReport {
        whole: survey.whole(),
        from: dir.display().to_string(),
        to: new.map(|new| new.display().to_string()),
        head: survey.head.map(|head| head.size.0),
        position: survey.sound.size.0,
        log_root: survey.sound.root.to_string(),
        confirmed_by: survey.confirmed.name(),
        confirmed_to: survey.vouched.0,
        beyond: named(&survey.beyond),
        end_known: survey.ends,
        taken: vec![
            taken("entries", survey.entries),
            taken("blocks", survey.blocks),
            taken("sources", survey.sources),
        ],
        lost: survey
            .lost
            .iter()
            .map(|lost| LostLine {
                batch: lost.batch.to_string(),
                staged_at: lost.staged_at.0,
                events: lost.events,
                what: lost.what.clone(),
            })
            .collect(),
        behind: named(&survey.behind),
        left_out: survey
            .left_out
            .iter()
            .map(|left| LeftOutLine {
                place: left.place.clone(),
                from: left.from.0,
                entries: left.entries,
                batches: named(&left.batches),
            })
            .collect(),
        erased_again: survey
            .restated
            .iter()
            .map(|erased| ErasedAgainLine {
                entry: erased.at.0,
                was: erased.was.0,
                known: erased.known,
                batches: named(&erased.batches),
                events: erased.events,
            })
            .collect(),
        missing: survey
            .missing
            .iter()
            .map(|missing| MissingLine {
                source: missing.digest.to_string(),
                name: missing.name.clone(),
                batch: missing.batch.to_string(),
            })
            .collect(),
        hurt: survey
            .hurt
            .into_iter()
            .map(|damage| DamageLine { place: damage.place, what: damage.what })
            .collect(),
    }
}

/// Opens what is sound of a hurt ledger, to be read only.
///
/// # Errors
/// A ledger of which nothing is sound.
pub fn open_sound(dir: &Path, run: &Run<'_>) -> Result<Opened> {
    let (mut ledger, survey) = Ledger::sound_part(dir, None, true)?;
    if survey.sound.size.0 == 0 {
        return Err(LedgerError::damaged("nothing of it is sound").into());
    }
    if let Some(at) = survey.unfinished {
        let what = format!("the erasure {at} is not finished; until it is, nothing is shown");
        return Err(LedgerError::damaged(what).into());
    }
    let by = match survey.vouched {
        to if to < survey.sound.size && to.0 > 0 => {
            format!(
                "confirmed by {} up to {to}, and by nothing behind that",
                survey.confirmed.name()
            )
        }
        to if to < survey.sound.size => "confirmed by nothing".to_owned(),
        _ => format!("confirmed by {}", survey.confirmed.name()),
    };
    ledger.note(format!(
        "the ledger is damaged; this is read from what verifies of it, up to {} ({by})",
        survey.sound.size
    ));
    ready(ledger, run)
}

/// Opens a ledger that cannot be written, to be read only: from its mirror, else from a copy of the
/// engine's files where temporary ones are. Opening one as usual writes, also when nothing is to change.
///
/// # Errors
/// `why`, where neither has everything that HEAD acknowledges; [`LedgerError::Unfinished`].
pub fn open_unwritable(dir: &Path, why: LedgerError, run: &Run<'_>) -> Result<Opened> {
    let Some((mut ledger, survey)) = whole(dir, false).or_else(|| whole(dir, true)) else {
        return Err(why.into());
    };
    if let Some(at) = survey.unfinished {
        return Err(LedgerError::unfinished(at, why).into());
    }
    ledger.note(format!(
        "{}; this is only read, from what verifies up to {}",
        reason(&why),
        survey.sound.size
    ));
    ready(ledger, run)
}

/// What can be read of a ledger without writing there, where that is everything that HEAD acknowledges.
fn whole(dir: &Path, engine: bool) -> Option<(Ledger, Survey)> {
    let (ledger, survey) = Ledger::sound_part(dir, None, engine).ok()?;
    (survey.whole() && survey.head.is_some()).then_some((ledger, survey))
}

fn reason(why: &LedgerError) -> String {
    match why {
        LedgerError::NotWritable { source, .. } => format!("{why}: {source}"),
        why => why.to_string(),
    }
}

/// Opens a ledger that cannot be written, to be verified, and says what cannot be looked at. The
/// engine is opened from a copy of its files, and all the rest where it lies; without room for a
/// copy there are the mirror and the packs.
///
/// # Errors
/// Those of opening it from a copy, such as damage; `why`, where nothing can be verified without
/// writing.
pub fn open_to_verify(
    dir: &Path,
    why: LedgerError,
    mirror: bool,
    run: &Run<'_>,
) -> Result<(Opened, Vec<Part>)> {
    let reason = reason(&why);
    // A mirror that a crash left half-written can only be mended by writing.
    for mirrored in [true, false].into_iter().filter(|mirrored| mirror || !mirrored) {
        run.progress.begin("copying the engine's files", None, "bytes");
        let opened = Ledger::open_aside(dir, mirrored);
        run.progress.end();
        let opened = opened.map_err(|error| explained(dir, error).into());
        let opened = match opened.and_then(|ledger| ready(ledger, run)) {
            Err(AppError::Ledger(LedgerError::NotWritable { .. })) => continue,
            opened => opened?,
        };
        let note = format!(
            "{reason}; nothing is written there: the engine is verified in a copy of its files"
        );
        let unchecked = if mirror == mirrored { Vec::new() } else { vec![Part::Mirror] };
        let notes = std::iter::once(note).chain(opened.notes).collect();
        return Ok((Opened { notes, ..opened }, unchecked));
    }
    let Some((ledger, survey)) = whole(dir, false) else {
        return Err(why.into());
    };
    if let Some(at) = survey.unfinished {
        return Err(LedgerError::unfinished(at, why).into());
    }
    let mut notes = vec![format!(
        "{reason}; there is no room for a copy of the engine's files either: the mirror and the \
         packs are verified, up to {}, and not the engine",
        survey.sound.size
    )];
    // Everything that counts is there all the same: a crash may have left that.
    notes.extend(
        survey.hurt.into_iter().take(5).map(|hurt| format!("{}: {}", hurt.place, hurt.what)),
    );
    Ok((Opened { notes, ..ready(ledger, run)? }, vec![Part::Engine]))
}
