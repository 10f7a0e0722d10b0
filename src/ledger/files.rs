//! The files of a ledger that are not the engine's: HEAD, its slots, packs and mirror, by name.
//!
//! One narrow door, so that tests can put a disk behind it that tears, forgets and fails.

use super::modes;
use std::collections::BTreeMap;
use std::fmt::Debug;
use std::fs::{File, Metadata};
use std::io::{self, Read, Seek, SeekFrom, Write};
#[cfg(unix)]
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Sender, SyncSender, channel, sync_channel};
use std::sync::{Arc, LazyLock, Mutex, MutexGuard, OnceLock, PoisonError};

/// A sync that was begun.
pub type Syncing = Box<dyn FnOnce() -> io::Result<()>>;

/// One that is over.
fn ready(done: io::Result<()>) -> Syncing {
    Box::new(move || done)
}

/// Files by name (`HEAD`, `sources/000001.pack`). One writer at a time.
pub trait Files: Send + Sync + Debug {
    /// The names in a folder, and the size of each; none when there is no such folder.
    ///
    /// # Errors
    /// A folder that cannot be read.
    fn list(&self, folder: &str) -> io::Result<BTreeMap<String, u64>>;

    /// The bytes of a file from an offset on.
    ///
    /// # Errors
    /// [`io::ErrorKind::NotFound`], or a disk that fails.
    fn read_from(&self, name: &str, offset: u64) -> io::Result<Box<dyn Read>>;

    /// Writes bytes at an offset, and makes the file where there is none. Not yet durable.
    ///
    /// # Errors
    /// A full disk, or one that fails; some of the bytes may be written then.
    fn write_at(&self, name: &str, offset: u64, bytes: &[u8]) -> io::Result<()>;

    /// Cuts a file to a size. Not yet durable.
    ///
    /// # Errors
    /// A disk that fails.
    fn cut(&self, name: &str, size: u64) -> io::Result<()>;

    /// Makes a file, its size and its name durable.
    ///
    /// # Errors
    /// A disk that fails; nothing is known of what was written since the last time then.
    fn sync(&self, name: &str) -> io::Result<()>;

    /// Begins to make a file durable as [`Self::sync`] does, while whoever asked does something else;
    /// what is returned waits for the end of it.
    fn begin_sync(&self, name: &str) -> Syncing {
        ready(self.sync(name))
    }

    /// Replaces a file whole, durably: a crash leaves the old or the new one.
    ///
    /// # Errors
    /// A disk that fails.
    fn replace(&self, name: &str, bytes: &[u8]) -> io::Result<()>;

    /// Removes a file, durably; where that cannot be done, it is empty afterwards.
    ///
    /// # Errors
    /// A disk that fails.
    fn remove(&self, name: &str) -> io::Result<()> {
        self.replace(name, b"")
    }

    /// Whether the files are still where they were when they were opened.
    ///
    /// # Errors
    /// [`Moved`], in an [`io::Error`]: what is opened by name from now on belongs to something else.
    fn in_place(&self) -> io::Result<()> {
        Ok(())
    }
}

/// Somebody moved the directory, gave its name to another one, or put another ledger into it.
#[derive(Debug, thiserror::Error)]
#[error("the ledger was moved or replaced while it was open")]
pub struct Moved;

impl Moved {
    /// Whether that is what an error says.
    pub(super) fn is(error: &io::Error) -> bool {
        error.get_ref().is_some_and(|inner| inner.is::<Self>())
    }
}

/// Which file or directory it is, whatever its name: its device and its number there.
type Identity = (u64, u64);

/// `None` where there is none, or the system cannot say.
fn identity(found: io::Result<Metadata>) -> Option<Identity> {
    let found = found.ok()?;
    #[cfg(unix)]
    {
        use std::os::unix::fs::MetadataExt;
        Some((found.dev(), found.ino()))
    }
    #[cfg(not(unix))]
    {
        let _ = found;
        None
    }
}

/// The files of a directory.
#[derive(Debug)]
pub struct Directory {
    open: Arc<Open>,
    helpers: LazyLock<Option<Helpers>>,
}

/// What is known of a directory's files, shared with whoever syncs them.
#[derive(Debug)]
struct Open {
    root: PathBuf,
    /// Which directory that was at first: names are looked up in it alone.
    identity: Option<Identity>,
    /// Which file in it is the lock that is held. It tells of more than the directory does, in which another
    /// ledger may have been put; and while it is held, no other file gets its number.
    lock: OnceLock<Identity>,
    handles: Mutex<Handles>,
}

#[derive(Debug, Default)]
struct Handles {
    files: BTreeMap<String, Arc<File>>,
    /// Files whose name may not be durable yet: each, until it was synced once, with its number
    /// among those that were made here. One that was here before has none, but is here too: the
    /// process that made it may have been killed.
    unnamed: BTreeMap<String, u64>,
    /// Files made so far.
    made: u64,
    /// How many files were made when a folder was synced last.
    named: BTreeMap<PathBuf, u64>,
}

impl Open {
    /// A panic between lock and release leaves whole handles all the same.
    fn handles(&self) -> MutexGuard<'_, Handles> {
        self.handles.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Refuses to look up a name where the directory is no longer the one that was opened, or has another
    /// ledger in it.
    fn in_place(&self) -> io::Result<()> {
        let (known, found) = match self.lock.get() {
            Some(lock) => (Some(*lock), std::fs::metadata(self.root.join(super::lock::NAME))),
            None => (self.identity, std::fs::metadata(&self.root)),
        };
        match known {
            Some(_) if identity(found) != known => Err(io::Error::other(Moved)),
            _ => Ok(()),
        }
    }

    /// The path of a name, which is looked up next.
    fn path(&self, name: &str) -> io::Result<PathBuf> {
        self.in_place()?;
        Ok(self.root.join(name))
    }

    /// The handle of a file, which is made where there is none.
    fn file(&self, name: &str) -> io::Result<Arc<File>> {
        let mut handles = self.handles();
        if let Some(file) = handles.files.get(name) {
            return Ok(file.clone());
        }
        let path = self.path(name)?;
        let mut options = modes::private();
        let (file, number) = match options.write(true).open(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                // Never the root: whoever moved it away does not want another one there.
                if let Some(folder) = path.parent().filter(|folder| *folder != self.root) {
                    modes::private_subfolder(folder)?;
                }
                handles.made += 1;
                (options.create(true).truncate(false).open(path)?, handles.made)
            }
            found => (found?, 0),
        };
        let file = Arc::new(file);
        handles.files.insert(name.to_owned(), file.clone());
        handles.unnamed.insert(name.to_owned(), number);
        Ok(file)
    }

    fn sync(&self, name: &str) -> io::Result<()> {
        // Not under the lock: several files are synced at the same time.
        self.file(name)?.sync_data()?;
        let Some(number) = self.handles().unnamed.get(name).copied() else {
            return Ok(());
        };
        // A new file is there after a crash only when its folder, and that one's, say so.
        let mut folder = Path::new(name).parent();
        while let Some(inner) = folder {
            let made = self.handles().made;
            if self.handles().named.get(inner).is_none_or(|covered| *covered < number) {
                synced(&self.root.join(inner))?;
                self.handles().named.insert(inner.to_owned(), made);
            }
            folder = inner.parent();
        }
        self.handles().unnamed.remove(name);
        Ok(())
    }
}

/// What a thread is asked to sync, and where it answers.
type Asked = (Arc<Open>, String, SyncSender<io::Result<()>>);

/// Threads that sync files while whoever asked does something else: disks finish several at once.
#[derive(Debug)]
struct Helpers {
    /// To each its own: of several that wait for one queue the wrong one wakes first.
    send: [Sender<Asked>; Self::COUNT],
    next: AtomicUsize,
}

impl Helpers {
    /// As many as there are files of a commit besides HEAD and the engine.
    const COUNT: usize = 2;

    /// None where the system gives no threads. They end when this goes.
    fn begin() -> Option<Self> {
        let one = || {
            let (send, asked) = channel::<Asked>();
            let work = move || {
                for (open, name, answer) in asked {
                    let _ = answer.send(open.sync(&name)); // who waits for it knows when it is gone
                }
            };
            std::thread::Builder::new().name("sync".into()).spawn(work).ok().map(|_| send)
        };
        Some(Self { send: [one()?, one()?], next: AtomicUsize::new(0) })
    }

    /// Asks them in turn; `None` when that one is gone.
    fn ask(&self, asked: Asked) -> Option<()> {
        let turn = self.next.fetch_add(1, Ordering::Relaxed) % Self::COUNT;
        self.send.get(turn)?.send(asked).ok()
    }
}

impl Directory {
    /// The files under `root`. From now on it is that directory, whatever gets its name.
    pub fn new(root: &Path) -> Self {
        let (handles, lock) = (Mutex::default(), OnceLock::new());
        let identity = identity(std::fs::metadata(root));
        let open = Open { root: root.to_owned(), identity, lock, handles };
        Self { open: Arc::new(open), helpers: LazyLock::new(Helpers::begin) }
    }

    /// From now on it is the directory in which this file is the lock.
    pub fn held_by(&self, lock: &File) {
        if let Some(lock) = identity(lock.metadata()) {
            let _ = self.open.lock.set(lock); // the first one is held
        }
    }
}

impl Files for Directory {
    fn list(&self, folder: &str) -> io::Result<BTreeMap<String, u64>> {
        let listed = match std::fs::read_dir(self.open.path(folder)?) {
            Ok(listed) => listed,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(BTreeMap::new()),
            Err(error) => return Err(error),
        };
        let mut found = BTreeMap::new();
        for entry in listed {
            let entry = entry?;
            if let Ok(name) = entry.file_name().into_string() {
                found.insert(name, entry.metadata()?.len());
            }
        }
        Ok(found)
    }

    fn read_from(&self, name: &str, offset: u64) -> io::Result<Box<dyn Read>> {
        let mut file = File::open(self.open.path(name)?)?;
        file.seek(SeekFrom::Start(offset))?;
        Ok(Box::new(file))
    }

    fn write_at(&self, name: &str, offset: u64, bytes: &[u8]) -> io::Result<()> {
        let file = self.open.file(name)?;
        #[cfg(unix)]
        return file.write_all_at(bytes, offset);
        #[cfg(not(unix))]
        {
            let mut file = &*file; // one writer at a time
            file.seek(SeekFrom::Start(offset))?;
            file.write_all(bytes)
        }
    }

    fn cut(&self, name: &str, size: u64) -> io::Result<()> {
        self.open.file(name)?.set_len(size)
    }

    fn sync(&self, name: &str) -> io::Result<()> {
        self.open.sync(name)
    }

    fn begin_sync(&self, name: &str) -> Syncing {
        let (answer, answered) = sync_channel(1);
        let asked = (self.open.clone(), name.to_owned(), answer);
        match &*self.helpers {
            Some(helpers) if helpers.ask(asked).is_some() => {
                let lost = |_| Err(io::Error::other("the thread that synced a file is gone"));
                Box::new(move || answered.recv().unwrap_or_else(lost))
            }
            _ => ready(self.sync(name)),
        }
    }

    fn replace(&self, name: &str, bytes: &[u8]) -> io::Result<()> {
        let path = self.open.path(name)?;
        let mut file = tempfile::Builder::new().prefix(".head-").tempfile_in(&self.open.root)?;
        file.write_all(bytes)?;
        file.as_file().sync_all()?;
        file.persist(path).map_err(|error| error.error)?;
        self.open.handles().files.remove(name); // that is another file now
        synced(&self.open.root)
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        let path = self.open.path(name)?;
        match std::fs::remove_file(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => self.open.handles().files.remove(name),
        };
        synced(path.parent().unwrap_or(&self.open.root))
    }

    fn in_place(&self) -> io::Result<()> {
        self.open.in_place()
    }
}

/// Makes the names in a folder durable: none is before its directory is.
///
/// # Errors
/// A disk that fails.
#[cfg(unix)]
pub fn synced(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

/// Elsewhere a directory is no file that could be synced.
///
/// # Errors
/// None.
#[cfg(not(unix))]
pub fn synced(_: &Path) -> io::Result<()> {
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_synced_at_the_same_time_and_each_answer_is_its_own() {
        let directory = tempfile::tempdir().unwrap();
        let files = Directory::new(directory.path());
        for round in 0..20u64 {
            let names = ["mirror/1", "sources/1", "HEADS", "missing/\0"];
            for name in &names[..3] {
                files.write_at(name, round, b"x").unwrap();
            }
            let begun: Vec<Syncing> = names.iter().map(|name| files.begin_sync(name)).collect();
            // Waited for in any order, or not at all.
            let mut done: Vec<_> =
                begun.into_iter().skip(1).rev().map(|syncing| syncing()).collect();
            assert!(done.remove(0).is_err());
            assert!(done.iter().all(Result::is_ok), "{done:?}");
        }
        assert_eq!(files.list("sources").unwrap(), BTreeMap::from([("1".to_owned(), 20)]));
        let handles = files.open.handles();
        assert!(handles.unnamed.is_empty(), "{handles:?}");
    }

    #[test]
    fn a_folder_is_synced_again_only_for_what_was_made_since() {
        let directory = tempfile::tempdir().unwrap();
        std::fs::write(directory.path().join("HEADS"), "old").unwrap();
        let files = Directory::new(directory.path());
        let named = |folder: &str| files.open.handles().named.get(Path::new(folder)).copied();
        files.write_at("mirror/1", 0, b"x").unwrap();
        files.sync("mirror/1").unwrap();
        assert_eq!((named("mirror"), named("")), (Some(1), Some(1)));
        // It was here before that: the name is durable with the one above.
        files.write_at("HEADS", 0, b"new").unwrap();
        files.sync("HEADS").unwrap();
        assert_eq!(named(""), Some(1));
        files.write_at("mirror/2", 0, b"x").unwrap();
        files.sync("mirror/2").unwrap();
        assert_eq!((named("mirror"), named("")), (Some(2), Some(2)));
        assert!(files.open.handles().unnamed.is_empty());
    }

    #[test]
    fn what_replaces_a_file_is_what_is_written_to_then() {
        let directory = tempfile::tempdir().unwrap();
        let files = Directory::new(directory.path());
        files.write_at("HEADS", 0, b"first").unwrap();
        files.replace("HEADS", b"other").unwrap();
        files.write_at("HEADS", 1, b"x").unwrap();
        files.sync("HEADS").unwrap();
        assert_eq!(std::fs::read(directory.path().join("HEADS")).unwrap(), b"oxher");
    }

    /// What had been opened goes on where it lies; no name is looked up in another directory, and none
    /// is made.
    #[cfg(unix)]
    #[test]
    fn a_directory_that_was_moved_or_replaced_is_not_written_to_by_name() {
        let directory = tempfile::tempdir().unwrap();
        let (root, away) = (directory.path().join("l"), directory.path().join("away"));
        std::fs::create_dir(&root).unwrap();
        let files = Directory::new(&root);
        files.write_at("HEADS", 0, b"first").unwrap();
        files.in_place().unwrap();
        std::fs::rename(&root, &away).unwrap();
        for replaced in [false, true] {
            if replaced {
                std::fs::create_dir(&root).unwrap();
                std::fs::write(root.join("HEADS"), "other").unwrap();
            }
            let refused = [
                files.in_place().err(),
                files.write_at("mirror/000001.vlb", 0, b"x").err(),
                files.read_from("HEADS", 0).err(),
                files.list("mirror").err(),
                files.replace("HEAD", b"x").err(),
                files.remove("HEADS").err(),
            ];
            assert!(
                refused.iter().all(|error| error.as_ref().is_some_and(Moved::is)),
                "{refused:?}"
            );
            files.write_at("HEADS", 0, b"later").unwrap();
            assert_eq!(std::fs::read(away.join("HEADS")).unwrap(), b"later");
            assert!(!root.join("mirror").exists() && root.exists() == replaced);
        }
        assert_eq!(std::fs::read(root.join("HEADS")).unwrap(), b"other");
    }
}
