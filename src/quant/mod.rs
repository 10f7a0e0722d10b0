//! Analytics: pure functions over numbers. Floats begin here; nothing here reads or writes.

pub mod adjustment;
pub mod atm_iv;
pub mod earnings;
pub mod estimators;
#[cfg(test)]
mod estimators_tests;
pub mod expiry;
pub mod garch;
#[cfg(test)]
mod golden_tests;
pub mod hv;
#[cfg(test)]
mod metrics_tests;
pub mod moving;
pub mod overview;
#[cfg(test)]
mod overview_tests;
pub mod rank;
pub mod strikes;
pub mod tomic;
