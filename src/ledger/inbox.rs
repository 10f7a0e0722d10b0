//! The inbox: answers of a service, durable from the moment they arrive, before they are a batch.
//!
//! A fetch may take hours. It must not hold the ledger for so long, nor lose what it has when it
//! is killed. So each answer is appended to a file beside the ledger's, under a lock of its own,
//! and synced; staging reads them from there. A torn frame at the end is cut: it was in flight.

use super::codec::{Packing, compress, decompress};
use super::error::LedgerError;
use super::files::{Files, synced};
use super::hash::content;
use super::lock::Lock;
use super::segment::{FrameKind, read_frame, write_frame};
use super::{OpenOptions, Result, modes};
use crate::domain::Digest;
use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufReader, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The folder beside a ledger, and the file in it.
const FOLDER: &str = "inbox";
const FILE: &str = "arrived";
/// The extension of what it was before something was cut off.
const CUT: &str = "cut";
/// The extension of what it is to be.
const NEW: &str = "new";

/// One body that waits, with a note about it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Arrival {
    /// What the fetch wrote about it, as JSON: question, page, status, time.
    pub note: String,
    /// Digest of the body.
    pub digest: Digest,
    /// Size of the body.
    pub size: u64,
    offset: u64,
}

impl Arrival {
    /// Where it stands in the inbox: no two stand at one place.
    pub fn offset(&self) -> u64 {
        self.offset
    }
}

/// An open inbox. While it lives, no other process has it, unless it is only [looked](Inbox::look) at.
#[derive(Debug)]
pub struct Inbox {
    path: PathBuf,
    end: u64,
    arrivals: Vec<Arrival>,
    cut: bool,
    /// What it is written with.
    own: Option<(File, Arc<Lock>)>,
}

impl Inbox {
    /// Opens the inbox of the ledger in `directory`, with what waits in it.
    ///
    /// # Errors
    /// [`LedgerError::Held`] while another fetch has it, [`LedgerError::NotWritable`].
    pub fn open(directory: &Path, options: &OpenOptions) -> Result<Self> {
        let path = directory.join(FOLDER);
        let write = |error| LedgerError::write("the inbox", error);
        modes::private_folder(&path).map_err(write)?;
        let lock = Lock::take(&path, options)?;
        let path = path.join(FILE);
        removed(&path.with_extension(NEW)).map_err(write)?;
        let mut file = modes::private();
        let file = file.read(true).write(true).create(true).truncate(false);
        let file = file.open(&path).map_err(write)?;
        let mut inbox = Self { path, end: 0, arrivals: Vec::new(), cut: false, own: None };
        let length = inbox.read_all(&file)?;
        if inbox.end < length {
            inbox.cut = true;
            inbox.keep_aside()?;
            file.set_len(inbox.end).map_err(write)?;
            file.sync_all().map_err(write)?;
        }
        inbox.own = Some((file, Arc::new(lock)));
        if inbox.end == 0 {
            // An answer is not durable before the name of its file is.
            let folder = directory.join(FOLDER);
            synced(&folder).and_then(|()| synced(directory)).map_err(write)?;
        }
        Ok(inbox)
    }

    /// What waits in the inbox of the ledger in `directory`, where nothing can be written: it is not
    /// locked, nothing is cut off, and nothing can be added.
    ///
    /// # Errors
    /// A file that cannot be read.
    pub fn look(directory: &Path) -> Result<Self> {
        let path = directory.join(FOLDER).join(FILE);
        let mut inbox = Self { path, end: 0, arrivals: Vec::new(), cut: false, own: None };
        match File::open(&inbox.path) {
            Ok(file) => inbox.read_all(&file).map(|_| inbox),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(inbox),
            Err(error) => Err(LedgerError::read("the inbox", error)),
        }
    }

    /// The file, to write into it.
    fn file(&mut self) -> std::io::Result<&mut File> {
        let refused = || std::io::Error::from(std::io::ErrorKind::ReadOnlyFilesystem);
        self.own.as_mut().map(|(file, _)| file).ok_or_else(refused)
    }

    /// Reads the whole frames; what follows them was in flight when the process died. Gives the file's
    /// length.
    fn read_all(&mut self, file: &File) -> Result<u64> {
        let read = |error| LedgerError::read("the inbox", error);
        let length = file.metadata().map_err(read)?.len();
        let mut input = Counting { inner: BufReader::new(file), count: 0 };
        let mut offset = 0;
        loop {
            let body = match read_frame(&mut input) {
                Ok(Some((FrameKind::Arrival, body))) => body,
                // A disk that cannot be read is no reason to cut anything.
                Err(LedgerError::Io { what, source })
                    if source.kind() != std::io::ErrorKind::UnexpectedEof =>
                {
                    return Err(LedgerError::Io { what, source });
                }
                _ => break,
            };
            let Some(parts) = Parts::of(&body) else { break };
            self.arrivals.push(Arrival {
                note: parts.note.to_owned(),
                digest: parts.digest,
                size: u64::from(parts.size),
                offset,
            });
            offset = input.count;
        }
        self.end = offset;
        Ok(length)
    }

    /// What is cut was in flight when the process died, unless a disk changed bytes in the middle:
    /// so the file is kept beside as it was found.
    fn keep_aside(&self) -> Result<()> {
        let write = |error| LedgerError::write("the inbox", error);
        std::fs::copy(&self.path, self.path.with_extension(CUT)).map_err(write).map(|_| ())
    }

    /// Bytes of the answers that wait beside a ledger; `None` where nobody ever fetched. The inbox is
    /// neither opened nor locked.
    ///
    /// # Errors
    /// A file that cannot be looked at.
    pub fn bytes_waiting(directory: &Path) -> std::io::Result<Option<u64>> {
        match std::fs::metadata(directory.join(FOLDER).join(FILE)) {
            Ok(file) => Ok(Some(file.len())),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// Whether opening cut an answer that had not arrived whole.
    pub fn was_cut(&self) -> bool {
        self.cut
    }

    /// What waits, in the order of arrival.
    pub fn arrivals(&self) -> &[Arrival] {
        &self.arrivals
    }

    /// Adds a body; call [`Self::sync`] before relying on it.
    ///
    /// # Errors
    /// [`LedgerError::NotWritable`]; what was added before stays.
    pub fn add(&mut self, note: &str, body: &[u8]) -> Result<()> {
        let write = |error| LedgerError::write("the inbox", error);
        let digest = content(body);
        let packed = compress(body, Packing::Source)?;
        let note_size = (note.len() as u32).to_le_bytes();
        let body_size = (body.len() as u32).to_le_bytes();
        let mut frame = Vec::with_capacity(packed.len() + note.len() + 64);
        let parts: [&[u8]; 5] = [&note_size, note.as_bytes(), &digest.0, &body_size, &packed];
        write_frame(&mut frame, FrameKind::Arrival, &parts).map_err(write)?;
        let end = SeekFrom::Start(self.end);
        self.file()
            .and_then(|file| file.seek(end).and_then(|_| file.write_all(&frame)))
            .map_err(write)?;
        let (note, size, offset) = (note.to_owned(), body.len() as u64, self.end);
        self.arrivals.push(Arrival { note, digest, size, offset });
        self.end += frame.len() as u64;
        Ok(())
    }

    /// Makes everything added so far durable.
    ///
    /// # Errors
    /// [`LedgerError::NotWritable`].
    pub fn sync(&mut self) -> Result<()> {
        let synced = self.file().and_then(|file| file.sync_data());
        synced.map_err(|error| LedgerError::write("the inbox", error))
    }

    /// The body of an arrival, checked.
    ///
    /// # Errors
    /// [`LedgerError::Damaged`] when it is not what arrived.
    pub fn body(&self, arrival: &Arrival) -> Result<Vec<u8>> {
        let read = |error| LedgerError::read("the inbox", error);
        let mut file = File::open(&self.path).map_err(read)?;
        file.seek(SeekFrom::Start(arrival.offset)).map_err(read)?;
        let wrong = || LedgerError::damaged("an answer in the inbox is not what arrived");
        let (_, frame) = read_frame(&mut BufReader::new(file))?.ok_or_else(wrong)?;
        let parts = Parts::of(&frame).ok_or_else(wrong)?;
        let body = decompress(parts.packed, parts.size as usize)?;
        if content(&body) == arrival.digest { Ok(body) } else { Err(wrong()) }
    }

    /// Takes the bodies away of those that stand at some places, and gives them other notes. The file is
    /// written anew, so that nothing of them stays in it.
    ///
    /// # Errors
    /// [`LedgerError::NotWritable`]; then everything is as it was.
    pub fn blank(&mut self, notes: &BTreeMap<u64, String>) -> Result<()> {
        let write = |error| LedgerError::write("the inbox", error);
        removed(&self.path.with_extension(CUT)).map_err(write)?;
        if notes.is_empty() {
            return Ok(());
        }
        let path = self.path.with_extension(NEW);
        let mut file = modes::private();
        let file = file.read(true).write(true).create(true).truncate(true);
        let file = file.open(&path).map_err(write)?;
        let own = self.own.as_ref().map(|(_, lock)| (file, Arc::clone(lock)));
        let (end, arrivals) = (0, Vec::new());
        let mut new = Self { path, end, arrivals, cut: self.cut, own };
        for arrival in &self.arrivals {
            match notes.get(&arrival.offset) {
                Some(note) => new.add(note, &[])?,
                None => match self.body(arrival) {
                    // What is damaged is nothing to keep; the answer is asked again.
                    Err(LedgerError::Damaged { .. }) => new.add(&arrival.note, &[])?,
                    body => new.add(&arrival.note, &body?)?,
                },
            }
        }
        new.file().and_then(|file| file.sync_all()).map_err(write)?;
        std::fs::rename(&new.path, &self.path).map_err(write)?;
        new.path.clone_from(&self.path);
        *self = new;
        self.path.parent().map_or(Ok(()), synced).map_err(write)
    }

    /// Empties the inbox: what was in it is in the ledger now, and what had been cut off was asked again.
    ///
    /// # Errors
    /// [`LedgerError::NotWritable`].
    pub fn clear(&mut self) -> Result<()> {
        let write = |error| LedgerError::write("the inbox", error);
        removed(&self.path.with_extension(CUT)).map_err(write)?;
        self.file()
            .and_then(|file| file.set_len(0).and_then(|()| file.sync_all()))
            .map_err(write)?;
        self.arrivals.clear();
        self.end = 0;
        Ok(())
    }
}

/// Removes a file, if it is there.
fn removed(path: &Path) -> std::io::Result<()> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

/// Removes what had been kept aside, among the files of a ledger: it may say what is to be erased.
///
/// # Errors
/// [`LedgerError::NotWritable`].
pub(super) fn remove_cut(files: &dyn Files) -> Result<()> {
    let write = |error| LedgerError::write("the inbox", error);
    let name = format!("{FILE}.{CUT}");
    match files.list(FOLDER).map_err(write)?.contains_key(&name) {
        true => files.remove(&format!("{FOLDER}/{name}")).map_err(write),
        false => Ok(()),
    }
}

/// The parts of a frame's body.
struct Parts<'a> {
    note: &'a str,
    digest: Digest,
    size: u32,
    packed: &'a [u8],
}

impl<'a> Parts<'a> {
    fn of(body: &'a [u8]) -> Option<Self> {
        let (note_size, rest) = body.split_first_chunk::<4>()?;
        let (note, rest) = rest.split_at_checked(u32::from_le_bytes(*note_size) as usize)?;
        let (digest, rest) = rest.split_first_chunk::<32>()?;
        let (size, packed) = rest.split_first_chunk::<4>()?;
        let note = std::str::from_utf8(note).ok()?;
        Some(Self { note, digest: Digest(*digest), size: u32::from_le_bytes(*size), packed })
    }
}

/// Counts what is read.
struct Counting<R> {
    inner: R,
    count: u64,
}

impl<R: Read> Read for Counting<R> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let count = self.inner.read(buffer)?;
        self.count += count as u64;
        Ok(count)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    fn open(directory: &Path) -> Inbox {
        let options = OpenOptions::new("test", Duration::ZERO);
        Inbox::open(directory, &options).unwrap()
    }

    #[test]
    fn arrivals_survive_and_a_torn_one_is_cut_at_every_byte() {
        let directory = tempfile::tempdir().unwrap();
        let bodies: [&[u8]; 3] = [b"{\"results\":[]}", b"", &[7; 10_000]];
        let mut inbox = open(directory.path());
        let mut ends = vec![0];
        for (number, body) in bodies.iter().enumerate() {
            inbox.add(&format!("{{\"n\":{number}}}"), body).unwrap();
            inbox.sync().unwrap();
            ends.push(inbox.end);
        }
        drop(inbox);
        let file = directory.path().join("inbox").join(FILE);
        let whole = std::fs::read(&file).unwrap();
        for cut in 0..=whole.len() {
            std::fs::write(&file, &whole[..cut]).unwrap();
            let seen = Inbox::look(directory.path()).unwrap();
            assert_eq!(std::fs::metadata(&file).unwrap().len(), cut as u64, "looking cuts nothing");
            let inbox = open(directory.path());
            assert_eq!(seen.arrivals(), inbox.arrivals());
            let kept = ends.iter().filter(|end| **end <= cut as u64).count() - 1;
            assert_eq!(inbox.arrivals().len(), kept, "{cut}");
            assert_eq!(inbox.was_cut(), !ends.contains(&(cut as u64)));
            for (arrival, body) in inbox.arrivals().iter().zip(bodies) {
                assert_eq!(inbox.body(arrival).unwrap(), body);
            }
        }
        std::fs::write(&file, &whole).unwrap();
        let mut inbox = open(directory.path());
        assert_eq!(inbox.arrivals()[1].note, "{\"n\":1}");
        let aside = file.with_extension(CUT);
        assert!(aside.exists());
        inbox.clear().unwrap();
        assert!(!aside.exists(), "what is in the ledger may be erased there");
        inbox.clear().unwrap();
        drop(inbox);
        assert!(open(directory.path()).arrivals().is_empty());
    }

    #[test]
    fn what_is_taken_away_is_in_no_file_and_the_others_stay() {
        let directory = tempfile::tempdir().unwrap();
        let mut inbox = open(directory.path());
        for body in ["first", "SECRET", "third"] {
            inbox.add(body, body.as_bytes()).unwrap();
        }
        inbox.sync().unwrap();
        let file = directory.path().join("inbox").join(FILE);
        std::fs::write(file.with_extension(CUT), "SECRET").unwrap();
        std::fs::write(file.with_extension(NEW), "SECRET").unwrap();
        drop(inbox);
        let mut inbox = open(directory.path());
        let gone = inbox.arrivals()[1].offset();
        inbox.blank(&BTreeMap::from([(gone, "gone".to_owned())])).unwrap();
        inbox.add("fourth", b"fourth").unwrap();
        let said = |inbox: &Inbox| -> Vec<(String, String)> {
            let one = |of: &Arrival| {
                let body = inbox.body(of).unwrap();
                (of.note.clone(), String::from_utf8(body).unwrap())
            };
            inbox.arrivals().iter().map(one).collect()
        };
        let pair = |note: &str, body: &str| (note.to_owned(), body.to_owned());
        let want = [
            pair("first", "first"),
            pair("gone", ""),
            pair("third", "third"),
            pair("fourth", "fourth"),
        ];
        assert_eq!(said(&inbox), want);
        let second = Inbox::open(directory.path(), &OpenOptions::new("second", Duration::ZERO));
        assert!(matches!(second, Err(LedgerError::Held { .. })), "it is still locked");
        drop(inbox);
        for entry in std::fs::read_dir(directory.path().join("inbox")).unwrap() {
            let bytes = std::fs::read(entry.unwrap().path()).unwrap();
            assert!(!bytes.windows(6).any(|part| part == b"SECRET"));
        }
        assert_eq!(said(&open(directory.path())), want);
    }

    #[test]
    fn one_fetch_at_a_time() {
        let directory = tempfile::tempdir().unwrap();
        let first = open(directory.path());
        let options = OpenOptions::new("second", Duration::ZERO);
        let second = Inbox::open(directory.path(), &options);
        assert!(matches!(second, Err(LedgerError::Held { .. })));
        drop(first);
    }
}
