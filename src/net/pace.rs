//! The pace: every request of a key, pages and retries included, passes here first.

use super::time::{Stop, Time};
use std::sync::Mutex;
use std::time::Duration;

/// Spaces requests evenly: at `n` a minute one every `60 / n` seconds, so that no window of sixty
/// seconds holds more than `n` starts. (A bucket that starts full lets almost twice as many
/// through in the first minute.)
#[derive(Debug)]
pub struct Pace {
    interval: Duration,
    next: Mutex<Duration>,
}

impl Pace {
    /// At most `per_minute` requests a minute; 0 is no limit.
    pub fn new(per_minute: u32) -> Self {
        let interval = match per_minute {
            0 => Duration::ZERO,
            // Rounded up: 60 s / n must never be cut short.
            n => Duration::from_nanos(60_000_000_000u64.div_ceil(u64::from(n))),
        };
        Self { interval, next: Mutex::new(Duration::ZERO) }
    }

    /// Time between two requests.
    pub fn interval(&self) -> Duration {
        self.interval
    }

    /// Takes the next slot and waits for it; `heard` is told how long, before waiting. `false`
    /// when `stop` was set.
    pub fn take(&self, time: &dyn Time, stop: &Stop, heard: &dyn Fn(Duration)) -> bool {
        let slot = {
            let mut next = self.next.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
            let slot = (*next).max(time.now());
            *next = slot + self.interval;
            slot
        };
        heard(slot.saturating_sub(time.now()));
        time.sleep_until(slot, stop)
    }

    /// Holds everybody back: the service said to wait.
    pub fn pause(&self, time: &dyn Time, wait: Duration) {
        let mut next = self.next.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        *next = (*next).max(time.now() + wait);
    }
}
