//! The order of things: staging, reviewing, deciding, looking up, exporting.
//!
//! Functions over an open [`Ledger`]; results are plain values of [`report`]. No terminal, no
//! HTML, no environment: what a run depends on comes in through [`Run`].

pub mod audit;
mod block_runs;
pub mod chart;
pub mod clock;
pub mod coverage;
pub mod decide;
pub mod derive;
pub mod digest;
pub mod draft;
pub mod earnings;
mod effects;
pub mod erase;
pub mod erased;
pub mod error;
pub mod export;
pub mod fetch;
pub mod groups;
pub mod health;
pub mod history;
pub mod import;
mod known;
pub mod large_values;
pub mod lookup;
pub mod market;
pub mod metrics;
mod moved_announcements;
#[cfg(test)]
mod once_tests;
pub mod outside;
pub mod overview;
pub mod parallel;
pub mod parts;
pub mod prepared;
pub mod projection;
pub mod proof;
pub mod recover;
pub mod replace;
pub mod report;
pub mod retention;
pub mod review;
pub mod rules;
mod run;
pub mod same_quotes;
pub mod split;
pub mod spool;
pub mod sql;
pub mod stage;
mod stale;
pub mod status;
pub mod tomic;
pub mod trace;
mod traded;
pub mod vantage;
pub mod verify;
pub mod views;
#[cfg(test)]
mod watched;

pub use crate::ledger::proof::ProofError;
pub use crate::ledger::{Head, Ledger, LedgerError, OpenOptions, scratch};
pub use crate::projections::view::Which;
pub use crate::projections::{Column, Facts, Projection, Registry};
pub use clock::Clock;
pub use error::AppError;
pub use parallel::threads;
pub use run::{Progress, Run, Silent, correlation_id};
