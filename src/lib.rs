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
pub mod sources;
