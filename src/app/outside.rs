//! What meets the file system: making and opening ledgers, bundles, replaced files.

mod bundled;
mod place;

pub use bundled::import_batch;
pub use place::check as check_place;
pub(super) use place::real;

use super::error::{AppError, Result};
use super::report::{Exported, VerifyReport};
use super::{Run, verify, views};
use crate::domain::{BatchId, Position};
use crate::ledger::bundle::{self, Kind};
use crate::ledger::files::{Directory, synced};
use crate::ledger::scratch::{self, Folder};
use crate::ledger::{Ledger, LedgerError, OpenOptions, hash};
use std::fs::File;
use std::io::{self, BufRead, BufReader, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

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

/// Writes a file atomically; what it replaces stays beside it as `.bak`.
///
/// # Errors
/// [`AppError::Unwritable`].
pub fn replace_file(path: &Path, bytes: &[u8]) -> Result<()> {
    replace_with(path, |new| std::fs::write(new, bytes).map_err(unwritable(path)))
}

/// Makes room for the `.bak` of a file that is to be replaced: an earlier one becomes `.bak.1`,
/// `.bak.2` and so on, unless it can be had again, as `had` says of it, or is there twice.
///
/// # Errors
/// [`AppError::Unwritable`], and those of `had`.
pub fn keep_backup(path: &Path, had: impl FnOnce(&Path) -> Result<bool>) -> Result<()> {
    let backup = backup_of(path);
    if !path.exists() || !backup.exists() || same_bytes(path, &backup) || had(&backup)? {
        return Ok(());
    }
    let mut number = 1_u32;
    let free = loop {
        let mut name = backup.clone().into_os_string();
        name.push(format!(".{number}"));
        let numbered = PathBuf::from(name);
        if numbered.symlink_metadata().is_err() {
            break numbered;
        }
        if same_bytes(&backup, &numbered) {
            return Ok(());
        }
        number += 1;
    };
    std::fs::rename(&backup, free).map_err(unwritable(&backup))
}

/// Whether two files hold the same; not, where one cannot be read.
fn same_bytes(one: &Path, other: &Path) -> bool {
    let size = |file: &Path| file.metadata().map(|about| about.len()).ok();
    let digest = |file: &Path| {
        let mut hasher = hash::Hasher::default();
        let mut input = BufReader::with_capacity(1 << 16, File::open(file).ok()?);
        loop {
            let piece = input.fill_buf().ok()?;
            if piece.is_empty() {
                return Some(hasher.finish());
            }
            hasher.update(piece);
            let read = piece.len();
            input.consume(read);
        }
    };
    size(one).is_some_and(|bytes| size(other) == Some(bytes))
        && digest(one).is_some_and(|bytes| digest(other) == Some(bytes))
}

/// Lets `write` make a file beside `path`, which gets that name when it is whole and durable; what
/// it replaces stays as `.bak`, unless it holds the same bytes: then it is left as it is. When
/// something fails, everything is as before.
///
/// # Errors
/// [`AppError::Unwritable`], and those of `write`.
pub fn replace_with<T>(path: &Path, write: impl FnOnce(&Path) -> Result<T>) -> Result<T> {
    if path.is_dir() {
        let source = io::Error::new(io::ErrorKind::IsADirectory, "it is a directory");
        return Err(unwritable(path)(source));
    }
    check_place(path)?;
    if is_stream(path)? {
        return pour(path, write);
    }
    let durable = |new: &Path| {
        let written = write(new)?;
        let synced = File::options().write(true).open(new).and_then(|file| file.sync_all());
        synced.map_err(unwritable(path)).map(|()| written)
    };
    replace(path, durable, |new| {
        if same_bytes(new, path) {
            return Ok(());
        }
        keep_as_backup(path)?;
        std::fs::rename(new, path)
    })
}

/// Gives a file that is to be replaced the name `.bak` as well.
fn keep_as_backup(path: &Path) -> io::Result<()> {
    if !path.exists() {
        return Ok(());
    }
    let backup = backup_of(path);
    let _ = std::fs::remove_file(&backup);
    // A second name first, so that there is never a moment without the file.
    std::fs::hard_link(path, &backup).or_else(|_| std::fs::rename(path, &backup))
}

/// Whether a name is that of something to write into and never of a file to replace: a device or a
/// pipe.
///
/// # Errors
/// [`AppError::Usage`] for standard output and error: what the command says goes there as well.
fn is_stream(path: &Path) -> Result<bool> {
    const OWN: [&str; 6] = ["stdout", "stderr", "fd/1", "fd/2", "self/fd/1", "self/fd/2"];
    let whole = std::path::absolute(path).unwrap_or_else(|_| path.to_owned());
    let name = ["/dev", "/proc"].iter().find_map(|folder| whole.strip_prefix(folder).ok());
    if name.is_some_and(|name| OWN.iter().any(|own| name == Path::new(own))) {
        return Err(AppError::Usage(format!(
            "{} is where the command says what it did; name a file or a pipe",
            path.display()
        )));
    }
    Ok(path.metadata().is_ok_and(|there| !there.is_file() && !there.is_dir()))
}

/// Lets `write` make a file elsewhere, and sends what it holds into a device or pipe.
fn pour<T>(path: &Path, write: impl FnOnce(&Path) -> Result<T>) -> Result<T> {
    let place = Folder::new(".volledger-", None).map_err(unwritable(path))?;
    let new = place.path().join("new");
    let written = write(&new)?;
    let send = || {
        let mut stream = File::options().write(true).open(path)?;
        io::copy(&mut File::open(&new)?, &mut stream)?;
        stream.flush()
    };
    send().map_err(unwritable(path))?;
    Ok(written)
}

/// Lets `write` make a directory elsewhere, and replaces the one at `path` with it. `ours` says
/// whether a directory that is there may be replaced; its `.bak` must be ours as well. An empty one
/// may always.
///
/// # Errors
/// [`AppError::Usage`] for a directory that is not ours, else as for files.
pub fn replace_folder<T>(
    path: &Path,
    ours: impl Fn(&Path) -> bool,
    write: impl FnOnce(&Path) -> Result<T>,
) -> Result<T> {
    check_place(path)?;
    let backup = backup_of(path);
    let empty = |folder: &Path| folder.read_dir().is_ok_and(|mut inside| inside.next().is_none());
    for there in [path, &backup] {
        if there.symlink_metadata().is_ok() && !empty(there) && !ours(there) {
            let there = there.display();
            return Err(AppError::Usage(format!(
                "{there} is there and no earlier export of volledger: it is not replaced"
            )));
        }
    }
    replace(path, write, |new| {
        if empty(path) {
            std::fs::remove_dir(path)?;
        }
        if !path.exists() {
            return std::fs::rename(new, path);
        }
        if backup.exists() {
            std::fs::remove_dir_all(&backup)?;
        }
        std::fs::rename(path, &backup)?;
        let put = std::fs::rename(new, path);
        if put.is_err() {
            let _ = std::fs::rename(&backup, path);
        }
        put
    })
}

/// `name` as `name.bak`, beside it.
fn backup_of(path: &Path) -> PathBuf {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(".bak");
    path.with_file_name(name)
}

fn replace<T>(
    path: &Path,
    write: impl FnOnce(&Path) -> Result<T>,
    swap: impl FnOnce(&Path) -> io::Result<()>,
) -> Result<T> {
    let unwritable = || unwritable(path);
    if path.file_name().is_none() {
        let source = io::Error::new(io::ErrorKind::InvalidInput, "it names no file");
        return Err(unwritable()(source));
    }
    let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty());
    let parent = parent.unwrap_or(Path::new("."));
    std::fs::create_dir_all(parent).map_err(unwritable())?;
    // Once more: what was not there could lead anywhere.
    check_place(path)?;
    let place = Folder::new(".volledger-", Some(parent)).map_err(unwritable())?;
    let new = place.path().join("new");
    let written = write(&new)?;
    scratch::named(|| swap(&new)).map_err(unwritable())?;
    synced(parent).map_err(unwritable())?;
    Ok(written)
}

/// The error of a file or directory that cannot be written.
pub(super) fn unwritable(file: &Path) -> impl FnOnce(io::Error) -> AppError {
    let name = file.display().to_string();
    |source| AppError::Unwritable { name, source }
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
    super::erase::refuse_batch(ledger, batch)?;
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
