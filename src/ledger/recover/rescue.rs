//! Writing what is sound of a hurt ledger into a new one.

use super::super::beside::Pieces;
use super::super::bundle::NewPlace;
use super::super::erase;
use super::super::error::LedgerError;
use super::super::files::{Directory, Files, synced};
use super::super::store::{SledStore, Store};
use super::super::verify::Damage;
use super::super::{Ledger, OpenOptions, Result, modes};
use super::{Survey, copy_folder};
use crate::domain::Digest;
use std::fs::File;
use std::io::{self, Write};
use std::path::Path;
use std::sync::Arc;

/// The settings that are a ledger's own.
const SETTINGS: &str = "config.toml";

/// Writes everything of `directory` that verifies into a new ledger in `new`; what `directory`
/// holds is not touched. Without `new`, only looks.
///
/// # Errors
/// [`LedgerError::Exists`], and those of [`Ledger::sound_part`].
pub fn recover(
    directory: &Path,
    new: Option<&Path>,
    options: &OpenOptions,
    now_ms: i64,
) -> Result<Survey> {
    let Some(new) = new else {
        return Ok(Ledger::sound_part(directory, None, true)?.1);
    };
    if lies_within(new, directory) {
        let why = "it lies in the damaged ledger";
        return Err(LedgerError::NoPlace { directory: new.to_owned(), why });
    }
    let place = NewPlace::beside(new)?;
    let (old, mut survey) = Ledger::sound_part(directory, Some(place.parent()), true)?;
    write(&old, place.path(), now_ms)?;
    erase::note::carry(&old, &Directory::new(directory), &Directory::new(place.path()))?;
    if directory.join("inbox").is_dir() {
        // Answers that wait there check themselves. Before opening, which finishes an erasure there too.
        let inbox = place.path().join("inbox");
        copy_folder(&directory.join("inbox"), &inbox)
            .and_then(|()| synced_whole(&inbox))
            .map_err(|error| LedgerError::write("the inbox", error))?;
    }
    if directory.join(SETTINGS).is_file() {
        // They say who may decide, and how long rows are kept: no other ledger without them. But they can be
        // written anew, and what is recorded cannot.
        match std::fs::read(directory.join(SETTINGS)) {
            Ok(bytes) => write_settings(&place.path().join(SETTINGS), &bytes)
                .map_err(|error| LedgerError::write("the settings", error))?,
            Err(error) => {
                let what = format!("it cannot be read, and the new ledger has none: {error}");
                survey.hurt.push(Damage { place: SETTINGS.to_owned(), what });
            }
        }
    }
    // The name that the ledger gets must not be durable before what is in it.
    synced(place.path()).map_err(|error| LedgerError::write("the new ledger", error))?;
    check(&old, &survey, place.path(), options)?;
    place.take_name()?;
    Ok(survey)
}

/// Writes the settings, durably and for their owner alone.
fn write_settings(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = modes::private().write(true).create_new(true).open(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

/// Makes a file durable, or a folder with everything in it.
fn synced_whole(path: &Path) -> io::Result<()> {
    if !path.is_dir() {
        return File::open(path)?.sync_all();
    }
    for entry in std::fs::read_dir(path)? {
        synced_whole(&entry?.path())?;
    }
    synced(path)
}

/// Whether a path that need not be there yet is a directory or below it.
fn lies_within(path: &Path, directory: &Path) -> bool {
    let path = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    let there = path.ancestors().find_map(|parent| parent.canonicalize().ok());
    let directory = directory.canonicalize();
    there.zip(directory.ok()).is_some_and(|(there, directory)| there.starts_with(directory))
}

fn write(old: &Ledger, directory: &Path, now_ms: i64) -> Result<()> {
    let files: Arc<dyn Files> = Arc::new(Directory::new(directory));
    let mut store = SledStore::open(directory, files.clone())?;
    for (digest, kept) in old.store().all_kept()? {
        let mut reader = old.store().pack_reader().open(&kept)?;
        let failed = |error: LedgerError| io::Error::other(error.to_string());
        let mut bytes = Pieces::of(|| reader.next_piece().map_err(failed));
        let observed = if kept.observed_ms == 0 { now_ms } else { kept.observed_ms };
        let (found, place) = store.pack().keep(&mut bytes, &kept.name, observed)?;
        if found != digest {
            return Err(LedgerError::damaged(format!("source {} changed", digest.short())));
        }
        store.put_kept(&digest, &place)?;
    }
    for (position, bytes) in old.store().controls()? {
        store.put_control(position, &bytes)?;
    }
    for (id, _) in old.batches().iter() {
        let mut index = 0;
        while let Some(block) = old.block(id, index)? {
            store.put_block(id.0, index, &block)?;
            index += 1;
        }
    }
    store.barrier()?;
    old.head().write(&*files)
}

/// Opens the new ledger as any other and recomputes everything.
fn check(old: &Ledger, survey: &Survey, directory: &Path, options: &OpenOptions) -> Result<()> {
    let ledger = Ledger::open(directory, options)?;
    let lost: Vec<Digest> = survey.missing.iter().map(|source| source.digest).collect();
    let verified = ledger.verify(true, &mut |_| {});
    let other = verified.damage.iter().find(|damage| {
        // What is missing is in the report; everything else must be sound.
        !lost.iter().any(|digest| {
            damage.place.contains(&digest.short()) || damage.what.contains(&digest.short())
        })
    });
    match other {
        _ if ledger.head() != old.head() => Err(LedgerError::damaged("the copy has another root")),
        Some(damage) => {
            Err(LedgerError::damaged(format!("the copy: {}: {}", damage.place, damage.what)))
        }
        None => Ok(()),
    }
}
