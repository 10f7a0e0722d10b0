//! volledger: an append-only, hashed ledger of volatility history.

pub mod app;
pub mod cli;
pub mod config;
pub mod domain;
pub mod ledger;
pub mod projections;
pub mod render;
pub mod sources;
