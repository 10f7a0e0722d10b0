//! volledger: an append-only, hashed ledger of volatility history.

pub mod domain;
pub mod sources;
