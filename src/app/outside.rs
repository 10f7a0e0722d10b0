//! What meets the file system: making and opening ledgers, and bundles of them.

mod bundled;

pub use bundled::import_batch;

use super::error::{AppError, Result};
use super::replace::{
    backup_of, check_place, is_stream, keep_as_backup, keep_backup, pour, unwritable,
};
use super::report::{Exported, VerifyReport};
use super::{Run, verify, views};
use crate::domain::{BatchId, Position};
use crate::ledger::bundle::{self, Kind};
use crate::ledger::files::{Directory, synced};
use crate::ledger::{Ledger, LedgerError, OpenOptions, scratch};
use std::fs::File;
use std::io::{BufReader, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

impl Run<'_> {
    /// How long a ledger is waited for that another process has.
    const PATIENCE: Duration = Duration::from_secs(10);

    /// Makes a new ledger in a directory, which must not hold one.
    ///
    /// # Errors
    /// A directory that holds a ledger already, or that cannot be written.
    pub fn create(&self, directory: impl AsRef<Path>) -> Result<Ledger> {
        create(directory.as_ref(), &self.holder(), Self::PATIENCE)
    }

    /// Opens a ledger with its views up to date. No other process has it until it is dropped;
    /// one that has it now is waited for, 10 seconds at most.
    ///
    /// What opening noticed is in [`Ledger::notes`].
    ///
    /// # Errors
    /// [`LedgerError::NotFound`], [`LedgerError::Held`], [`LedgerError::Damaged`].
    pub fn open(&self, directory: impl AsRef<Path>) -> Result<Ledger> {
        Ok(open(directory.as_ref(), &self.holder(), Self::PATIENCE, self)?.ledger)
    }
}

/// Makes a new ledger, with a mirror.
///
/// # Errors
/// A directory that holds one, or cannot be written.
pub fn create(dir: &Path, holder: &str, patience: Duration) -> Result<Ledger> {
    create_with(dir, &OpenOptions::new(holder, patience))
}

/// Makes a new ledger.
///
/// # Errors
/// Those of [`create`].
pub fn create_with(dir: &Path, options: &OpenOptions) -> Result<Ledger> {
    Ok(Ledger::create(dir, options)?)
}

/// An open ledger, and what opening noticed.
#[derive(Debug)]
pub struct Opened {
    /// The ledger, its views up to date.
    pub ledger: Ledger,
    /// What the user should know.
    pub notes: Vec<String>,
}

/// Opens a ledger, with its mirror, and brings its views up to date.
///
/// # Errors
/// Those of [`Ledger::open`].
pub fn open(dir: &Path, holder: &str, patience: Duration, run: &Run<'_>) -> Result<Opened> {
    open_with(dir, &OpenOptions::new(holder, patience), run)
}

/// Opens a ledger and brings its views up to date.
///
/// # Errors
/// Those of [`Ledger::open`].
pub fn open_with(dir: &Path, options: &OpenOptions, run: &Run<'_>) -> Result<Opened> {
    let opened = Ledger::open(dir, options);
    ready(opened.map_err(|error| explained(dir, error))?, run)
}

/// Adds to an error of opening what of the ledger is sound, as far as the mirror says.
pub(super) fn explained(dir: &Path, error: LedgerError) -> LedgerError {
    let LedgerError::Damaged { what } = error else {
        return error;
    };
    let sound = match Ledger::sound_part(dir, None, false) {
        Ok((_, survey)) => match survey.sound.size {
            Position(0) => "the mirror has nothing of it".to_owned(),
            size if survey.whole() => format!("the mirror has it whole, up to {size}"),
            size => format!("the mirror has it up to {size}"),
        },
        Err(_) => return LedgerError::Damaged { what },
    };
    LedgerError::Damaged { what: format!("{what}; {sound}") }
}

/// Brings the views of a ledger up to date that was opened by other means.
///
/// # Errors
/// Damage met on the way, or a full disk.
pub fn ready(mut ledger: Ledger, run: &Run<'_>) -> Result<Opened> {
    let mut notes = ledger.notes().to_vec();
    let rebuilt = views::catch_up(&mut ledger, run.progress)?;
    notes.extend(
        rebuilt
            .iter()
            .map(|view| format!("view {view} was rebuilt: its update had been interrupted")),
    );
    Ok(Opened { ledger, notes })
}

/// What a person should know of a ledger that others may read; `None` when they may not.
pub fn open_to_others(ledger: &Ledger) -> Option<String> {
    crate::ledger::modes::open_to_others(ledger.directory()?)
}

/// The position at which a ledger stands, by its HEAD alone: without its lock, so that it may be
/// another one a moment later. `None` where it cannot be read.
pub fn head(dir: &Path) -> Option<Position> {
    let head = crate::ledger::Head::read(&Directory::new(dir)).ok()??;
    Some(head.size)
}

/// Whether another process waits for a ledger that this one holds.
pub fn wanted(dir: &Path) -> bool {
    crate::ledger::wanted(dir)
}

/// Whether a directory looks like a ledger.
pub fn exists(dir: &Path) -> bool {
    Ledger::exists(dir)
}

/// Names the file where it is the file that is wrong.
fn unusable(file: &Path) -> impl FnOnce(LedgerError) -> AppError {
    let name = file.display().to_string();
    |error| match error {
        LedgerError::Bundle { .. } | LedgerError::NoBundle { .. } => {
            AppError::Bundle { name, why: error }
        }
        LedgerError::Io { what, source } if what == bundle::THE_FILE => {
            AppError::Unreadable { name, source }
        }
        other => other.into(),
    }
}

fn exported(ledger: &Ledger, file: &Path, kept: Option<PathBuf>, rows: u64) -> Exported {
    let (head, files) = (ledger.head(), vec![file.display().to_string()]);
    let kept = kept.map(|kept| kept.display().to_string()).into_iter().collect();
    Exported { kept, ..Exported::of(files, rows, head.size.0, head.root) }
}

/// Whether replacing a file by a bundle of a ledger loses nobody anything: it is empty, as `mktemp`
/// makes them, or a bundle that says the same as the new one, or a backup of this ledger as it was.
fn may_go(ledger: &Ledger, old: &Path, new: &Path) -> bool {
    let last = |file: &Path| bundle::ends_at(&mut File::open(file).ok()?);
    if old.metadata().is_ok_and(|about| about.len() == 0) {
        return true;
    }
    match (last(old), last(new)) {
        (Some((Kind::Backup, was)), Some((Kind::Backup, _))) => {
            ledger.root_at(was.size).is_ok_and(|root| root == was.root)
        }
        (Some(old), Some(new)) => old == new,
        _ => false,
    }
}

/// Writes to a temporary file beside `file`, which gets its name when everything is durable. A
/// `private` one is for its owner alone. What it replaces stays as `.bak`, whose name is returned,
/// unless [`may_go`] says that it may go.
fn write_bundle(
    ledger: &Ledger,
    file: &Path,
    private: bool,
    write: impl FnOnce(&mut dyn Write) -> std::result::Result<(), LedgerError>,
) -> Result<Option<PathBuf>> {
    check_place(file)?;
    if is_stream(file)? {
        return pour(file, |new| {
            let mut out = BufWriter::new(File::create(new).map_err(unwritable(file))?);
            write(&mut out)?;
            out.flush().map_err(unwritable(file)).map(|()| None)
        });
    }
    let parent = file.parent().filter(|parent| !parent.as_os_str().is_empty());
    let parent = parent.unwrap_or(Path::new("."));
    let mut temp = tempfile::Builder::new();
    #[cfg(unix)]
    if !private {
        use std::os::unix::fs::PermissionsExt;
        temp.permissions(std::fs::Permissions::from_mode(0o666)); // less what the umask takes
    }
    let made = scratch::made(|| temp.tempfile_in(parent), |temp| temp.path());
    let (temp, _noted) = made.map_err(unwritable(file))?;
    {
        let mut out = BufWriter::with_capacity(1 << 20, temp.as_file());
        write(&mut out)?;
        out.flush().map_err(unwritable(file))?;
    }
    temp.as_file().sync_all().map_err(unwritable(file))?;
    let kept = file.is_file() && !may_go(ledger, file, temp.path());
    if kept {
        keep_backup(file, |backup| Ok(may_go(ledger, backup, temp.path())))?;
    }
    let named = scratch::named(|| {
        if kept {
            keep_as_backup(file)?;
        }
        temp.persist(file).map_err(|error| error.error)
    });
    named.map_err(unwritable(file))?;
    synced(parent).map_err(unwritable(file))?;
    Ok(kept.then(|| backup_of(file)))
}

/// Writes one batch, with its sources, as a bundle.
///
/// # Errors
/// A batch that is not there, or a file that cannot be written.
pub fn export_batch(ledger: &Ledger, batch: BatchId, file: &Path, plain: bool) -> Result<Exported> {
    let found = ledger.batches().get(batch);
    let rows = found.map_or(0, |batch| batch.stage.events);
    if found.is_none() {
        return Err(crate::domain::batch::Refusal::NoSuchBatch(batch).into());
    }
    // The entry that accounts for what is missing is in this ledger's log alone.
    super::erased::refuse_batch(ledger, batch)?;
    super::decide::refuse_erased_sources(ledger, batch)?;
    let write = |out: &mut dyn Write| bundle::write_batch(ledger, batch, out, plain);
    let kept = write_bundle(ledger, file, false, write)?;
    Ok(exported(ledger, file, kept, rows))
}

/// Writes the whole ledger as a bundle.
///
/// # Errors
/// Damage met on the way, or a file that cannot be written.
pub fn backup(ledger: &Ledger, file: &Path, plain: bool, run: &Run<'_>) -> Result<Exported> {
    let events = ledger.batches().iter().map(|(_, batch)| batch.stage.events).sum();
    run.progress.begin("writing the backup", Some(events), "events");
    let mut done = 0;
    // All of the ledger: as private as the ledger itself.
    let kept = write_bundle(ledger, file, true, |out| {
        bundle::write_backup(ledger, out, plain, &mut |events| {
            done += events;
            run.progress.at(done);
        })
    })?;
    run.progress.end();
    Ok(exported(ledger, file, kept, events))
}

/// Restores a backup into a new directory; everything is verified before it gets its name.
///
/// # Errors
/// A backup that is not as written, or a directory that holds a ledger.
pub fn restore(file: &Path, dir: &Path, holder: &str, run: &Run<'_>) -> Result<VerifyReport> {
    let unreadable = |source| AppError::Unreadable { name: file.display().to_string(), source };
    let mut input = BufReader::with_capacity(1 << 20, File::open(file).map_err(unreadable)?);
    let options = OpenOptions::new(holder, Duration::ZERO);
    run.progress.begin("restoring and verifying", None, "events");
    bundle::restore(&mut input, dir, &options, run.clock.now_ms()).map_err(unusable(file))?;
    run.progress.end();
    let opened = open(dir, holder, Duration::ZERO, run)?;
    verify::verify(&opened.ledger, false, run)
}
