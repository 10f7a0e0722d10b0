//! Identifiers that people and programs pass around: digests, batch ids, positions, event ids.

use std::fmt;
use std::str::FromStr;

/// A 32-byte hash (BLAKE3 for content, SHA-256 for the log tree); prints as 64 hex digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Digest(pub [u8; 32]);

impl Digest {
    /// The first 12 hex digits, enough to tell digests apart for a person.
    pub fn short(&self) -> String {
        self.to_string().chars().take(12).collect()
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut text = String::with_capacity(2 * self.0.len());
        let digits = self.0.iter().flat_map(|byte| [byte >> 4, byte & 15]);
        text.extend(digits.filter_map(|digit| char::from_digit(digit.into(), 16)));
        f.write_str(&text)
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Digest({})", self.short())
    }
}

impl FromStr for Digest {
    type Err = IdError;

    fn from_str(text: &str) -> Result<Self, IdError> {
        let bytes = text.as_bytes();
        if bytes.len() != 64 || !bytes.iter().all(u8::is_ascii_hexdigit) {
            return Err(IdError::Digest(text.to_owned()));
        }
        let mut out = [0u8; 32];
        for (slot, pair) in out.iter_mut().zip(text.as_bytes().chunks(2)) {
            let digits = std::str::from_utf8(pair).map_err(|_| IdError::Digest(text.into()))?;
            *slot = u8::from_str_radix(digits, 16).map_err(|_| IdError::Digest(text.into()))?;
        }
        Ok(Self(out))
    }
}

/// The number of a batch in this ledger, counted from 1 in the order of staging; prints as `b7`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct BatchId(pub u32);

impl fmt::Display for BatchId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "b{}", self.0)
    }
}

impl FromStr for BatchId {
    type Err = IdError;

    fn from_str(text: &str) -> Result<Self, IdError> {
        let digits = text.strip_prefix(['b', 'B']).unwrap_or(text);
        match digits.parse() {
            Ok(number) if number > 0 => Ok(Self(number)),
            _ => Err(IdError::Batch(text.to_owned())),
        }
    }
}

/// A number of control entries: the state after the first `n` entries of the log; prints as `#n`.
///
/// Position 0 is the empty ledger. The entry that led to position `n` is itself called `#n`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Position(pub u64);

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "#{}", self.0)
    }
}

impl FromStr for Position {
    type Err = IdError;

    fn from_str(text: &str) -> Result<Self, IdError> {
        let digits = text.strip_prefix('#').unwrap_or(text);
        digits.parse().map(Self).map_err(|_| IdError::Position(text.to_owned()))
    }
}

/// One row event: its batch and its place in it, counted from 1; prints as `b7/3`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EventId {
    /// The batch that asserted the event.
    pub batch: BatchId,
    /// Zero-based index of the event's leaf in the batch tree.
    pub seq: u32,
}

impl fmt::Display for EventId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.batch, u64::from(self.seq) + 1)
    }
}

impl FromStr for EventId {
    type Err = IdError;

    fn from_str(text: &str) -> Result<Self, IdError> {
        let wrong = || IdError::Event(text.to_owned());
        let (batch, number) = text.split_once('/').ok_or_else(wrong)?;
        let number: u32 = number.parse().map_err(|_| wrong())?;
        let seq = number.checked_sub(1).ok_or_else(wrong)?;
        Ok(Self { batch: batch.parse().map_err(|_| wrong())?, seq })
    }
}

/// An identifier that could not be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum IdError {
    /// Not 64 hex digits.
    #[error("`{0}` is not a digest of 64 hex digits")]
    Digest(String),
    /// Not `b` and a number.
    #[error("`{0}` is not a batch; batches are written b1, b2 …")]
    Batch(String),
    /// Not a number of log entries.
    #[error("`{0}` is not a position; positions are written #1, #2 …")]
    Position(String),
    /// Not `b7/3`.
    #[error("`{0}` is not an event; events are written b7/3 (rows) or #12 (decisions)")]
    Event(String),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_print_and_parse_back() {
        assert_eq!("b7".parse::<BatchId>().unwrap().to_string(), "b7");
        assert_eq!("#12".parse::<Position>().unwrap(), Position(12));
        assert_eq!("b7/3".parse::<EventId>().unwrap().seq, 2);
        let digest = Digest([0xab; 32]);
        assert_eq!(digest.to_string().parse::<Digest>().unwrap(), digest);
        for wrong in ["", "b0", "b-1", "x"] {
            assert!(wrong.parse::<BatchId>().is_err(), "{wrong}");
        }
        assert!("b7/0".parse::<EventId>().is_err());
        assert!("zz".parse::<Digest>().is_err());
        assert!("é".repeat(32).parse::<Digest>().is_err());
    }
}
