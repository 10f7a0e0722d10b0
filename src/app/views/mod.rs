//! The materialised views: one value per view, symbol and year (in dense series: day), each
//! checked when it is read.
//!
//! A chunk holds every assertion ever committed for its symbol and year, active or not; which of
//! them count at a position is decided by the batch table when it is read. So a rollback writes
//! nothing here, and `--at` reads what the present reads. Where one batch alone speaks of a year there is
//! no chunk: the symbol's directory says in which blocks of the log its events stand.
//!
//! Digests form a chain: root (shards) → shard (neighbouring symbols) → symbol directory (years) →
//! chunk, so that a lost or stale value is noticed, and a row costs the parts that it touches. A view
//! that was being updated when the process died is marked, and rebuilt from the log at the next start.

mod compare;
mod counted;
#[cfg(test)]
mod cut_tests;
#[cfg(test)]
mod edge_tests;
mod inlog;
#[cfg(test)]
mod inlog_tests;
mod made;
mod reader;
mod root;
mod stored;
mod then;
mod update;

pub use crate::app::digest::ViewDigest;
pub use compare::compare_with_log;
pub use counted::{Counter, Span};
pub use made::Pointing;
pub use reader::{Period, Roots, ViewReader};
pub use update::{catch_up, rebuild};
