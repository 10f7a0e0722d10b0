//! Tables of projections: kept beside the views, and like them rebuilt when lost.

use super::super::error::LedgerError;
use super::super::hash::content;
use super::{Packing, Tag, compress, decompress, from_bytes, to_bytes};
use crate::domain::{Datum, Digest, Position, Table};
use bincode::{Decode, Encode};

/// Values of one column: a kind for each row, then the values of each kind in order.
#[derive(Default, Encode, Decode)]
struct ColumnV1 {
    kinds: Vec<u8>,
    ints: Vec<i64>,
    reals: Vec<u64>,
    texts: Vec<String>,
}

#[derive(Encode, Decode)]
struct TableV1 {
    rows: u32,
    columns: Vec<ColumnV1>,
}

/// A table compressed: its size before, then the bytes.
#[derive(Encode, Decode)]
struct PackedV1 {
    size: u32,
    bytes: Vec<u8>,
}

const NULL: u8 = 0;
const INT: u8 = 1;
const REAL: u8 = 2;
const TEXT: u8 = 3;

/// Encodes a table; the digest is that of its values, so equal tables have equal digests.
///
/// # Errors
/// A table of more than `u32::MAX` rows.
pub fn encode_table(table: &Table) -> Result<(Digest, Vec<u8>), LedgerError> {
    let rows = u32::try_from(table.len()).map_err(|_| LedgerError::TooManyEvents)?;
    let width = table.first().map_or(0, Vec::len);
    let mut columns: Vec<ColumnV1> = (0..width).map(|_| ColumnV1::default()).collect();
    for row in table {
        for (datum, column) in row.iter().zip(&mut columns) {
            column.kinds.push(match datum {
                Datum::Null => NULL,
                Datum::Int(number) => {
                    column.ints.push(*number);
                    INT
                }
                Datum::Real(number) => {
                    column.reals.push(number.to_bits());
                    REAL
                }
                Datum::Text(text) => {
                    column.texts.push(text.to_string());
                    TEXT
                }
            });
        }
    }
    let raw = to_bytes(Tag::Table, &TableV1 { rows, columns })?;
    let size = u32::try_from(raw.len()).map_err(|_| LedgerError::TooManyEvents)?;
    let packed = PackedV1 { size, bytes: compress(&raw, Packing::Columns)? };
    Ok((content(&raw), to_bytes(Tag::Table, &packed)?))
}

/// Decodes a table whose digest is known.
///
/// # Errors
/// Bytes that are no table, or not this one.
pub fn decode_table(bytes: &[u8], digest: &Digest) -> Result<Table, LedgerError> {
    let malformed = || LedgerError::Malformed { what: "a projection's table" };
    let packed: PackedV1 = from_bytes(Tag::Table, "a projection's table", bytes)?;
    let raw = decompress(&packed.bytes, packed.size as usize)?;
    if content(&raw) != *digest {
        return Err(LedgerError::damaged("a projection's table does not match its digest"));
    }
    let wire: TableV1 = from_bytes(Tag::Table, "a projection's table", &raw)?;
    let mut table: Table = (0..wire.rows).map(|_| Vec::with_capacity(wire.columns.len())).collect();
    for column in wire.columns {
        let (mut ints, mut reals) = (column.ints.into_iter(), column.reals.into_iter());
        let mut texts = column.texts.into_iter();
        if column.kinds.len() != table.len() {
            return Err(malformed());
        }
        for (row, kind) in table.iter_mut().zip(column.kinds) {
            let datum = match kind {
                NULL => Some(Datum::Null),
                INT => ints.next().map(Datum::Int),
                REAL => reals.next().map(|bits| Datum::Real(f64::from_bits(bits))),
                TEXT => texts.next().map(|text| Datum::Text(text.into())),
                _ => None,
            };
            row.push(datum.ok_or_else(malformed)?);
        }
    }
    Ok(table)
}

/// A part of a projection: a symbol's rows, or all rows where they are not kept by symbol.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TablePart {
    /// Its rows.
    pub rows: u64,
    /// The digest of its values.
    pub digest: Digest,
}

/// What is kept of a projection, but for its tables.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TableRoot {
    /// The position of the log that it has taken in.
    pub position: Position,
    /// Symbols whose facts other symbols' parts have read too; an empty name stands for any.
    pub foreign: Vec<String>,
    /// Its parts by symbol; the empty name is the whole.
    pub parts: std::collections::BTreeMap<String, TablePart>,
}

impl TableRoot {
    /// The digest over the parts' names and digests: equal projections have equal digests.
    pub fn digest(&self) -> Digest {
        let mut hasher = super::super::hash::Hasher::default();
        for (name, part) in &self.parts {
            hasher.text(name);
            hasher.text(&part.digest.to_string());
        }
        hasher.finish()
    }
}

#[derive(Encode, Decode)]
struct RootV1 {
    position: u64,
    foreign: Vec<String>,
    parts: Vec<(String, u64, [u8; 32])>,
}

/// Encodes a projection's root.
///
/// # Errors
/// None in practice.
pub fn encode_table_root(root: &TableRoot) -> Result<Vec<u8>, LedgerError> {
    let parts = root.parts.iter().map(|(name, part)| (name.clone(), part.rows, part.digest.0));
    let (position, foreign) = (root.position.0, root.foreign.clone());
    to_bytes(Tag::TableRoot, &RootV1 { position, foreign, parts: parts.collect() })
}

/// Decodes a projection's root.
///
/// # Errors
/// Bytes that are none.
pub fn decode_table_root(bytes: &[u8]) -> Result<TableRoot, LedgerError> {
    let wire: RootV1 = from_bytes(Tag::TableRoot, "a projection's root", bytes)?;
    let part = |(name, rows, digest)| (name, TablePart { rows, digest: Digest(digest) });
    let parts = wire.parts.into_iter().map(part).collect();
    Ok(TableRoot { position: Position(wire.position), foreign: wire.foreign, parts })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tables_come_back_and_wrong_bytes_are_refused() {
        let table: Table = vec![
            vec!["AAPL".into(), Datum::Real(-0.0), Datum::Int(7)],
            vec![Datum::Null, Datum::Real(0.1), Datum::Text("é".into())],
        ];
        let (digest, bytes) = encode_table(&table).unwrap();
        assert_eq!(decode_table(&bytes, &digest).unwrap(), table);
        assert!(decode_table(&bytes, &Digest([0; 32])).is_err());
        for index in 0..bytes.len() {
            let mut wrong = bytes.clone();
            wrong[index] ^= 4;
            assert!(decode_table(&wrong, &digest).is_err(), "byte {index}");
        }
        let (digest, bytes) = encode_table(&Table::new()).unwrap();
        assert_eq!(decode_table(&bytes, &digest).unwrap(), Table::new());
    }

    #[test]
    fn roots_come_back() {
        let part = TablePart { rows: 3, digest: Digest([7; 32]) };
        let parts = [("AAPL".to_owned(), part)].into();
        let root = TableRoot { position: Position(4), foreign: vec!["SPY".into()], parts };
        let back = decode_table_root(&encode_table_root(&root).unwrap()).unwrap();
        assert_eq!((&back, back.digest()), (&root, root.digest()));
        assert_ne!(root.digest(), TableRoot::default().digest());
    }
}
