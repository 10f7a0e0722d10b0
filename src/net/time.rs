//! Time that passes: real, or virtual in tests.

use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// Says that work is to stop; shared between threads and a signal handler.
#[derive(Debug, Default)]
pub struct Stop(AtomicBool);

impl Stop {
    /// Asks for the end.
    pub fn set(&self) {
        self.0.store(true, Ordering::SeqCst);
    }

    /// Whether the end was asked for.
    pub fn is_set(&self) -> bool {
        self.0.load(Ordering::SeqCst)
    }
}

/// A monotonic clock that can be slept on.
pub trait Time: Send + Sync {
    /// Time since some fixed moment.
    fn now(&self) -> Duration;
    /// Waits until [`Time::now`] is at least `until`; returns early, with `false`, when `stop`
    /// is set.
    fn sleep_until(&self, until: Duration, stop: &Stop) -> bool;
}

/// The system's monotonic clock.
#[derive(Debug)]
pub struct SystemTime(Instant);

impl Default for SystemTime {
    fn default() -> Self {
        Self(Instant::now())
    }
}

impl Time for SystemTime {
    fn now(&self) -> Duration {
        self.0.elapsed()
    }

    fn sleep_until(&self, until: Duration, stop: &Stop) -> bool {
        while !stop.is_set() {
            let left = until.saturating_sub(self.now());
            if left.is_zero() {
                return true;
            }
            std::thread::sleep(left.min(Duration::from_millis(100)));
        }
        false
    }
}

/// A clock that moves only when somebody sleeps on it.
#[derive(Debug, Default)]
pub struct VirtualTime(Mutex<Duration>);

impl Time for VirtualTime {
    fn now(&self) -> Duration {
        *self.0.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }

    fn sleep_until(&self, until: Duration, stop: &Stop) -> bool {
        let mut now = self.0.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        *now = (*now).max(until);
        !stop.is_set()
    }
}
