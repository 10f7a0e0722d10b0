//! Bytes to text: UTF-8 where the whole file is UTF-8, Windows-1252 otherwise.

use super::records::Watch;
use encoding_rs::WINDOWS_1252;
use std::borrow::Cow;

/// How a file's bytes are read as text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Encoding {
    Utf8,
    Windows1252,
}

impl Encoding {
    /// The text of some bytes of the file.
    pub(super) fn text(self, bytes: Cow<'_, [u8]>) -> Cow<'_, str> {
        match (self, bytes) {
            (Self::Utf8, Cow::Borrowed(bytes)) => String::from_utf8_lossy(bytes),
            (Self::Utf8, Cow::Owned(bytes)) => {
                Cow::Owned(String::from_utf8_lossy(&bytes).into_owned())
            }
            (Self::Windows1252, bytes) => {
                let text = WINDOWS_1252.decode_without_bom_handling(&bytes).0;
                Cow::Owned(text.into_owned())
            }
        }
    }
}

/// The text of one cell, read before the whole file's encoding is known.
pub(super) fn guessed_text(bytes: Cow<'_, [u8]>) -> Cow<'_, str> {
    let encoding = match std::str::from_utf8(&bytes) {
        Ok(_) => Encoding::Utf8,
        Err(_) => Encoding::Windows1252,
    };
    encoding.text(bytes)
}

/// A cell without the spaces around it, for forms that only have ASCII characters.
pub(super) fn trimmed(
    bytes: Cow<'_, [u8]>,
    text: impl Fn(Cow<'_, [u8]>) -> Cow<'_, str>,
) -> Cow<'_, [u8]> {
    let plain = |byte: Option<&u8>| byte.is_none_or(u8::is_ascii_alphanumeric);
    if plain(bytes.first()) && plain(bytes.last()) {
        return bytes;
    }
    Cow::Owned(text(bytes).trim().as_bytes().to_vec())
}

/// Tells whether a stream of chunks is UTF-8, without needing it in one piece.
#[derive(Debug, Default)]
pub(super) struct Utf8Check {
    broken: bool,
    /// The bytes of a character that the last chunk cut.
    cut: [u8; 4],
    cut_len: usize,
}

impl Utf8Check {
    /// Takes in the next chunk.
    pub(super) fn add(&mut self, mut bytes: &[u8]) {
        while self.cut_len > 0 && !self.broken {
            let Some((first, rest)) = bytes.split_first() else {
                return;
            };
            bytes = rest;
            if let Some(slot) = self.cut.get_mut(self.cut_len) {
                *slot = *first;
            }
            self.cut_len += 1;
            match std::str::from_utf8(self.cut.get(..self.cut_len).unwrap_or_default()) {
                Ok(_) => self.cut_len = 0,
                Err(error) => self.broken = error.error_len().is_some() || self.cut_len >= 4,
            }
        }
        if self.broken {
            return;
        }
        if let Err(error) = std::str::from_utf8(bytes) {
            let tail = bytes.get(error.valid_up_to()..).unwrap_or_default();
            self.broken = error.error_len().is_some();
            for (slot, byte) in self.cut.iter_mut().zip(tail) {
                *slot = *byte;
            }
            self.cut_len = tail.len().min(4);
        }
    }

    /// How to read the file, once all of it was seen.
    pub(super) fn encoding(&self) -> Encoding {
        match self.broken || self.cut_len > 0 {
            true => Encoding::Windows1252,
            false => Encoding::Utf8,
        }
    }
}

/// What both passes note about the bytes that they see.
pub(super) struct Bytes<'p> {
    /// Checksum, to tell whether the passes saw the same bytes.
    pub(super) crc: u32,
    /// How many bytes there were.
    pub(super) len: u64,
    /// Whether a NUL byte was among them.
    pub(super) nul: bool,
    /// The last one.
    pub(super) last: Option<u8>,
    /// Whether they are UTF-8; only the first pass asks, or the only one.
    pub(super) utf8: Option<Utf8Check>,
    /// Bytes of earlier passes, added to what `progress` is told.
    pub(super) before: u64,
    pub(super) progress: &'p dyn Fn(u64),
    /// Given each chunk, where rows are read from it.
    pub(super) seen: &'p dyn Fn(&[u8]),
}

impl<'p> Bytes<'p> {
    pub(super) fn new(utf8: Option<Utf8Check>, before: u64, progress: &'p dyn Fn(u64)) -> Self {
        Self { crc: 0, len: 0, nul: false, last: None, utf8, before, progress, seen: &|_| () }
    }

    /// How to read them.
    pub(super) fn encoding(&self) -> Encoding {
        self.utf8.as_ref().map_or(Encoding::Utf8, Utf8Check::encoding)
    }
}

impl Watch for Bytes<'_> {
    fn take(&mut self, bytes: &[u8]) {
        self.crc = crc32c::crc32c_append(self.crc, bytes);
        self.len += bytes.len() as u64;
        self.last = bytes.last().copied().or(self.last);
        if let Some(check) = &mut self.utf8 {
            check.add(bytes);
            self.nul |= bytes.contains(&0);
        }
        (self.seen)(bytes);
        (self.progress)(self.before + self.len);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chunks_may_cut_characters_anywhere() {
        let text = "aé€😀b".as_bytes();
        for size in 1..=text.len() {
            let mut check = Utf8Check::default();
            text.chunks(size).for_each(|chunk| check.add(chunk));
            assert_eq!(check.encoding(), Encoding::Utf8, "{size}");
        }
        for wrong in [&b"a\xe9b"[..], b"\xe9", b"\xe2\x82", b"\xe2\x82a", b"\xff", b"\xc0\x80"] {
            for size in 1..=wrong.len() {
                let mut check = Utf8Check::default();
                wrong.chunks(size).for_each(|chunk| check.add(chunk));
                assert_eq!(check.encoding(), Encoding::Windows1252, "{wrong:?} by {size}");
            }
        }
    }

    #[test]
    fn old_encodings_are_read() {
        let cell = || Cow::Borrowed(&b"\x80 5\xa0%"[..]);
        assert_eq!(Encoding::Windows1252.text(cell()), "€ 5\u{a0}%");
        assert_eq!(guessed_text(cell()), "€ 5\u{a0}%");
        assert_eq!(guessed_text(Cow::Borrowed("é".as_bytes())), "é");
    }
}
