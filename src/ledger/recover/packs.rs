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
        let mut start = None;
        for scanned in Frames::new(files, &path, size, LONGEST, b"SZ") {
            let Ok(Scanned::Frame { kind, body, from, to }) = scanned else {
                start = None;
                continue;
            };
            match (kind, body.split_first_chunk::<32>()) {
                (FrameKind::Piece, _) => {
                    start.get_or_insert(from);
                }
                (FrameKind::SourceEnd, Some((digest, rest))) => {
                    let offset = start.take().unwrap_or(from);
                    let size = rest.try_into().map(u64::from_le_bytes).unwrap_or_default();
                    let (name, observed_ms) = (String::new(), 0);
                    let kept = Kept { size, pack, offset, end: to, name, observed_ms };
                    found.insert(Digest(*digest), kept);
                }
                _ => start = None,
            }
        }
    }
    found
}
