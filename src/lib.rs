#![doc = include_str!("ARCHITECTURE.md")]

pub mod app;
pub mod domain;
pub mod ledger;
pub mod projections;
pub mod sources;
