//! A circuit breaker: a service that fails again and again is left alone for a while.

use super::time::Time;
use std::sync::{Mutex, MutexGuard};
use std::time::Duration;

/// Closed, every call goes through. After `threshold` failures in a row it is open and refuses;
/// `recovery` later it is half open: one call goes through as a probe, the others are refused
/// meanwhile. The probe's success closes it, its failure opens it for another `recovery`.
#[derive(Debug)]
pub struct Breaker {
    threshold: u32,
    recovery: Duration,
    state: Mutex<State>,
}

#[derive(Clone, Copy, Debug, Default)]
struct State {
    failures: u32,
    opened: Option<Duration>,
    probing: bool,
}

/// How a call ended, as the breaker counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The service answered, also when it had nothing to give.
    Answered,
    /// No answer came, or one that other requests would get too: a server error, a rate limit.
    Failed,
    /// The call was not finished; it says nothing.
    Dropped,
}

impl Breaker {
    /// A closed breaker.
    pub fn new(threshold: u32, recovery: Duration) -> Self {
        Self { threshold: threshold.max(1), recovery, state: Mutex::default() }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }

    /// Lets a call through, or says how long it refuses at least; [`Breaker::ended`] follows every
    /// call that was let through.
    ///
    /// # Errors
    /// The time until the next probe; zero while one is under way.
    pub fn admit(&self, time: &dyn Time) -> Result<(), Duration> {
        let mut state = self.state();
        let Some(opened) = state.opened else { return Ok(()) };
        let left = opened.saturating_add(self.recovery).saturating_sub(time.now());
        if state.probing || !left.is_zero() {
            return Err(left);
        }
        state.probing = true;
        Ok(())
    }

    /// What became of a call.
    pub fn ended(&self, time: &dyn Time, outcome: Outcome) {
        let mut state = self.state();
        let probe = std::mem::take(&mut state.probing);
        match outcome {
            Outcome::Answered => *state = State::default(),
            Outcome::Failed => {
                state.failures = state.failures.saturating_add(1);
                if probe || state.failures >= self.threshold {
                    state.opened = Some(time.now());
                }
            }
            Outcome::Dropped => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::net::golden_tests::vectors;
    use crate::net::{Stop, VirtualTime};

    fn at(time: &VirtualTime, seconds: f64) {
        time.sleep_until(Duration::from_secs_f64(seconds), &Stop::default());
    }

    #[test]
    fn the_recorded_trace_is_followed() {
        let Some(trace) = vectors("breaker_trace.csv") else { return };
        let (breaker, time) = (Breaker::new(5, Duration::from_secs(60)), VirtualTime::default());
        for line in trace {
            at(&time, line[0].parse().unwrap());
            let admitted = breaker.admit(&time).is_ok();
            let decision = if admitted { "CALLED" } else { "REJECTED" };
            assert_eq!(decision, line[2], "{line:?}");
            if admitted {
                let ok = line[1] == "ok";
                breaker.ended(&time, if ok { Outcome::Answered } else { Outcome::Failed });
            }
            let state = breaker.state();
            assert_eq!(if state.opened.is_some() { "OPEN" } else { "CLOSED" }, line[3], "{line:?}");
            assert_eq!(state.failures.to_string(), line[4], "{line:?}");
        }
    }

    #[test]
    fn one_probe_at_a_time_and_a_dropped_one_says_nothing() {
        let (breaker, time) = (Breaker::new(1, Duration::from_secs(60)), VirtualTime::default());
        breaker.admit(&time).unwrap();
        breaker.ended(&time, Outcome::Failed);
        assert_eq!(breaker.admit(&time), Err(Duration::from_secs(60)));
        at(&time, 60.0);
        breaker.admit(&time).unwrap();
        assert_eq!(breaker.admit(&time), Err(Duration::ZERO), "half open: the others wait");
        breaker.ended(&time, Outcome::Dropped);
        breaker.admit(&time).unwrap();
        breaker.ended(&time, Outcome::Answered);
        breaker.admit(&time).unwrap();
        breaker.admit(&time).unwrap();
    }
}
