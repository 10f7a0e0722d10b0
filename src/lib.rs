//! # Using the library
//!
//! The program `volledger` is a shell around this crate: whatever a command does, a function of
//! [`app`] does, with plain values in and a report out. [`prelude`] has what a program needs.
//!
//! ```
//! use volledger::prelude::*;
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let place = tempfile::tempdir()?;
//! let run = Run::new("me"); // who acts, at which time, with which projections
//! let mut ledger = run.create(place.path().join("ledger"))?;
//!
//! // Stage a file, look at what it would change, confirm it.
//! let file = Input::file("data/sample/iv/VOLA.csv");
//! let staged = import::import_csv(&mut ledger, &[file], &ImportOptions::of(Series::Iv), &run)?;
//! assert_eq!(staged.review.rows.accepted, 753);
//! decide::confirm_staged(&mut ledger, &staged, &run)?;
//! let then = ledger.position();
//!
//! // Take it back. What was known at a position stays known there.
//! let batch = staged.batch.ok_or("a dry run stages nothing")?;
//! decide::roll_back(&mut ledger, batch, Some("the wrong file".into()), false, &run)?;
//! let now = lookup::view(&ledger, &ViewQuery::of(Series::Iv))?;
//! let past = ViewQuery { at: Some(then), ..ViewQuery::of(Series::Iv) };
//! let past = lookup::view(&ledger, &past)?;
//! assert_eq!((now.len(), past[0].rows.len()), (0, 753));
//! # Ok(())
//! # }
//! ```
//!
//! | to | call | gives |
//! | --- | --- | --- |
//! | make, open a ledger | [`Run::create`](app::Run::create), [`Run::open`](app::Run::open) | [`Ledger`](app::Ledger) |
//! | stage files | [`import::import_csv`](app::import::import_csv), [`tomic::import`](app::tomic::import) | [`Staged`](app::import::Staged) with its [`Review`](app::report::Review) |
//! | confirm | [`decide::confirm_staged`](app::decide::confirm_staged), later [`confirm`](app::decide::confirm) with the review's token | [`Decided`](app::report::Decided) |
//! | stage and confirm at once | [`decide::stage_and_confirm`](app::decide::stage_and_confirm): durable together | both |
//! | take back | [`decide::discard`](app::decide::discard), [`roll_back`](app::decide::roll_back), [`undo`](app::decide::undo) | [`Decided`](app::report::Decided) |
//! | look | [`lookup::view`](app::lookup::view), [`metrics::ranks`](app::metrics::ranks), [`trace::why`](app::trace::why) | reports |
//! | look back | [`lookup::position_of`](app::lookup::position_of) a time, then `at: Some(position)` | [`Position`](domain::Position) |
//! | ask in SQL | [`Vantage::lend`](app::vantage::Vantage::lend), then [`sql::query`](app::sql::query) | [`SqlAnswer`](app::sql::SqlAnswer) |
//! | bring a projection | [`Projection`](app::Projection), [`Registry::with`](app::Registry::with) | a table of SQL |
//! | keep it | [`projection::add`](app::projection::add), [`promote`](app::projection::promote), [`diff`](app::projection::diff) | kept up to date |
//! | check | [`verify::everything`](app::verify::everything) | [`VerifyReport`](app::report::VerifyReport) |
//!
//! Whole programs are in `examples/`: `custom_projection`, `sql_projection`, `auditor` and
//! `backtest`; `cargo run --example NAME` runs one on the sample data.
//!
//! Reports are what `--json` writes (`schemas/output/`): plain values with public fields. A report
//! and an options struct may get more fields: end one of yours with `..ViewQuery::of(series)`.
//!
#![doc = include_str!("ARCHITECTURE.md")]

pub mod app;
pub mod cli;
pub mod config;
pub mod domain;
pub mod ledger;
pub mod net;
pub mod projections;
pub mod quant;
pub mod render;
pub mod serve;
pub mod sources;

/// What a program that uses this library needs, in one `use`.
pub mod prelude {
    pub use crate::app::import::{ImportOptions, Input, MappingChoice, Staged, SymbolChoice};
    pub use crate::app::lookup::ViewQuery;
    pub use crate::app::metrics::Asked;
    pub use crate::app::vantage::Vantage;
    pub use crate::app::{AppError, Clock, Ledger, Run, Which};
    pub use crate::app::{Column, Facts, Projection, Registry};
    pub use crate::app::{decide, import, lookup, metrics, projection, sql, trace, verify};
    pub use crate::domain::projection::ProjectionName;
    pub use crate::domain::{BatchId, Datum, Day, Digest, Position, Series, Symbol, Table};
    pub use crate::projections::view::Record;
}
