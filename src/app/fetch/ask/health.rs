//! How the service is, as all who ask it at once see it.

use super::GIVE_UP;
use crate::net::{Answer, Ended};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

/// Whether the service answers at all, as all workers together see it.
#[derive(Default)]
pub(super) struct Health {
    /// Good answers so far.
    good: AtomicU64,
    /// Requests in a row that used up their attempts.
    lost: AtomicU64,
    /// Whether no further request has a chance: no worker begins another question.
    pub(super) shut: AtomicBool,
    /// Why an attempt failed last.
    cause: Mutex<Option<String>>,
}

impl Health {
    /// A good answer came.
    pub(super) fn answered(&self) {
        self.lost.store(0, Ordering::SeqCst);
        self.good.fetch_add(1, Ordering::SeqCst);
    }

    /// Attempts may have failed.
    pub(super) fn failed(&self, answer: &Answer) {
        if let Some(why) = answer.attempts.iter().rev().find_map(|attempt| attempt.why.clone()) {
            *self.cause.lock().unwrap_or_else(|poisoned| poisoned.into_inner()) = Some(why);
        }
    }

    pub(super) fn cause(&self) -> Option<String> {
        self.cause.lock().unwrap_or_else(|poisoned| poisoned.into_inner()).clone()
    }

    /// Whether a request that used up its attempts is worth asking once more: it is bad luck where
    /// others are answered, and an outage where none is.
    pub(super) fn hopeful(&self, answer: &Answer) -> bool {
        let lost = match answer.ended {
            Ended::Network | Ended::ServerError | Ended::RateLimited => true,
            // One that was not tried again is not worth it now either.
            Ended::BadPayload => answer.attempts.len() > 1,
            _ => false,
        };
        lost && self.good.load(Ordering::SeqCst) > 0
            && self.lost.fetch_add(1, Ordering::SeqCst) < u64::from(GIVE_UP)
    }
}
