//! Asking a web service: one client, one pace for all requests, retries, and a key that nobody sees.
//!
//! It knows HTTP and nothing of series, batches or the ledger. An answer is what became of one
//! request after all its attempts; what its body means is for `sources`.

mod backoff;
mod breaker;
mod client;
mod limits;
mod pace;
mod said;
mod time;

#[cfg(test)]
mod golden_tests;
#[cfg(test)]
mod responder;

pub use backoff::{Spread, Waits};
pub use breaker::Breaker;
pub use client::{
    Answer, Attempt, Client, ClientOptions, Ended, KeyIn, NetError, Unusable, Usable,
};
pub use limits::{Limit, Limits, Refused};
pub use pace::Pace;
pub use said::redact;
pub use time::{Stop, SystemTime, Time, VirtualTime};
