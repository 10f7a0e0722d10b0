//! Bodies of the Polygon (Massive) API: JSON in, row events and findings out (`polygon.md`).
//!
//! One table says for each endpoint where its items are, what their key is, and which JSON path is
//! which field. A leaf that the table does not know is kept under its own path, so that nothing
//! is lost, and noted as drift. Numbers are read as text.

mod endpoint;
mod read;

pub use endpoint::Endpoint;
pub use read::{
    Envelope, Page, PageSummary, SessionTimes, TickerError, envelope, read_page, session_times,
};
