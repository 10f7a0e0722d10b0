//! The vocabulary: what a row, a batch, a finding and a trading day are.
//!
//! This floor knows no I/O, no clock and no serialisation, and names no other floor. Numbers are
//! exact decimals here; floats begin in analytics.

pub mod batch;
pub mod calendar;
pub mod collector;
pub mod coverage;
pub mod datum;
pub mod day;
pub mod eastern;
pub mod entry;
pub mod erase;
mod fields;
pub mod finding;
mod float;
pub mod guard;
pub mod id;
pub mod occ;
pub mod projection;
pub mod rows;
pub mod series;
#[cfg(test)]
pub(crate) mod shared;
pub mod symbol;
pub mod value;
pub mod values;

pub use batch::{BatchState, BatchTable, Class};
pub use calendar::Calendar;
pub use collector::{Collector, Origin, Window};
pub use coverage::{Coverage, Fact};
pub use datum::{Datum, Table};
pub use day::Day;
pub use entry::{Action, Decision, Entry, EntryKind, Stage, StateChange, Via};
pub use erase::{Erase, Erased, ErasedPart, Erasure};
pub use fields::code;
pub use finding::{Finding, Severity};
pub use float::float;
pub use id::{BatchId, Digest, EventId, Position};
pub use projection::{ProjectionEntry, ProjectionId, ProjectionStep, ProjectionTable};
pub use rows::{Field, Head, Key, Op, Reject, Row, Rows, Shape};
pub use series::Series;
pub use symbol::Symbol;
pub use value::Value;
pub use values::{Cells, ValueRef, Values};
