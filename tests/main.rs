//! One test binary for everything that is not a unit test.

// Clippy's own leave for tests reaches only functions marked `#[test]`, not their helpers.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
#![allow(clippy::print_stdout, clippy::print_stderr)]

mod access;
mod bad_input;
mod bundle;
mod chart;
mod cli;
mod crash;
mod earnings;
mod erase;
mod examples;
mod exports;
mod faults;
mod fetch;
mod flat;
mod fuzzed;
mod golden;
mod health;
mod hurt;
mod laws;
mod menu;
mod metrics;
mod overview;
mod place;
mod program;
mod projection;
mod proofs;
mod readme;
mod sample_data;
mod schemas;
mod serve;
mod sql;
mod supply;
mod support;
#[cfg(target_os = "linux")]
mod syscalls;
mod tidy;
mod together;
mod tomic;
