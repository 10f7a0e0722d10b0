//! Analytics: pure functions over numbers. Floats begin here; nothing here reads or writes.

pub mod atm_iv;
pub mod expiry;
#[cfg(test)]
mod golden_tests;
pub mod hv;
pub mod strikes;
