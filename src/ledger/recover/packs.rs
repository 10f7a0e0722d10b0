//! Finding sources in packs without the engine's notes of their places.

use super::super::codec::Kept;
use super::super::files::Files;
use super::super::mirror::{Frames, Scanned};
use super::super::segment::FrameKind;
use super::super::store::PACKS;
use crate::domain::Digest;
use std::collections::BTreeMap;

/// The longest frame of a pack: a piece of a megabyte that does not become smaller.
const LONGEST: usize = (1 << 20) + (64 << 10);

/// Every source whose end names it. That its bytes are right is for the reader to check.
pub(super) fn search(files: &dyn Files) -> BTreeMap<Digest, Kept> {
    let mut found = BTreeMap::new();
    for (name, size) in files.list(PACKS).unwrap_or_default() {
        let number = name.strip_suffix(".pack").and_then(|digits| digits.parse().ok());
        let Some(pack) = number else { continue };
        let path = format!("{PACKS}/{name}");
        // Where each piece begins, and its size.
        let mut pieces: Vec<(u64, u64)> = Vec::new();
        for scanned in Frames::new(files, &path, size, LONGEST, b"SZ") {
            let Ok(Scanned::Frame { kind, body, from, to }) = scanned else {
                pieces.clear();
                continue;
            };
            match (kind, body.split_first_chunk::<32>(), body.split_first_chunk::<4>()) {
                (FrameKind::Piece, _, Some((raw, _))) => {
                    pieces.push((from, u64::from(u32::from_le_bytes(*raw))));
                }
                (FrameKind::SourceEnd, Some((digest, rest)), _) => {
                    let size = rest.try_into().map(u64::from_le_bytes).unwrap_or_default();
                    // Pieces of a source that was not kept to its end may stand before its own.
                    let (mut offset, mut left) = (from, size);
                    while let Some((from, raw)) = pieces.pop().filter(|_| left > 0) {
                        (offset, left) = (from, left.saturating_sub(raw));
                    }
                    pieces.clear();
                    let (name, observed_ms) = (String::new(), 0);
                    let kept = Kept { size, pack, offset, end: to, name, observed_ms };
                    // One that lacks a piece does not stand in the way of an earlier copy.
                    if left == 0 {
                        found.insert(Digest(*digest), kept);
                    }
                }
                _ => pieces.clear(),
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::super::super::files::Directory;
    use super::super::super::store::Pack;
    use super::*;
    use std::io::{self, Read};
    use std::sync::Arc;

    /// Fails at its end, as a file on a disk that goes away.
    struct Cut(&'static [u8]);

    impl Read for Cut {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            match self.0.read(buffer)? {
                0 => Err(io::ErrorKind::ConnectionReset.into()),
                count => Ok(count),
            }
        }
    }

    #[test]
    fn a_source_is_found_behind_one_that_was_not_kept_to_its_end() {
        let directory = tempfile::tempdir().unwrap();
        let files: Arc<Directory> = Arc::new(Directory::new(directory.path()));
        let mut pack = Pack::on(files.clone()).unwrap();
        let whole: Vec<u8> = (0..3_000_000u32).map(|n| (n / 7) as u8).collect();
        let mut kept = Vec::new();
        for source in [&whole[..], b"small", b"", &whole[5..]] {
            pack.keep(&mut Cut(&[7; 5 << 20]), "cut", 0).unwrap_err();
            let (digest, place) = pack.keep(&mut &source[..], "whole", 0).unwrap();
            kept.push((digest, place.offset, place.end, place.size));
        }
        // A second copy, which is hurt.
        let (_, second) = pack.keep(&mut &whole[..], "whole", 0).unwrap();
        let path = directory.path().join("sources/000001.pack");
        let mut bytes = std::fs::read(&path).unwrap();
        bytes[second.offset as usize + 100] ^= 1;
        std::fs::write(&path, bytes).unwrap();
        let found = search(&*files);
        for (digest, offset, end, size) in kept {
            let place = &found[&digest];
            assert_eq!((place.offset, place.end, place.size), (offset, end, size));
        }
    }
}
