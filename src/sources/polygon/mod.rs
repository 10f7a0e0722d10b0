//! Bodies of the Polygon (Massive) API: JSON in, row events and findings out (`polygon.md`).
//!
//! One table says for each endpoint where its items are, what their key is, and which JSON path is
//! which field. A leaf that the table does not know is kept under its own path, so that nothing
//! is lost, and noted as drift. Numbers are read as text.

mod body;
mod chain_columns;
mod chain_table;
mod chain_witness;
mod checks;
mod drift;
mod endpoint;
mod flat;
mod keys;
mod layouts;
mod news;
mod read;
mod recognise;
mod stream;
mod table;
mod tables;
mod times;
mod walk;

pub use chain_table::{ChainTable, read_chain_table};
pub use chain_witness::NO_CONTRACTS;
pub use endpoint::Endpoint;
pub use flat::{FlatKind, FlatPage, read_flat};
pub use keys::is_underlying;
pub use layouts::{CHAIN_DEFINITION, CHAIN_MAPPING, FLAT_DEFINITION, FLAT_MAPPING};
pub use read::{Envelope, Page, PageSummary, TickerError, answers, envelope, read_page};
pub use recognise::{Recognised, recognise};
pub use stream::{GZIP, Unpacker, is_packed};
pub(crate) use times::ns_of;
pub use times::{SessionTimes, session_times};

#[cfg(test)]
mod tests;
