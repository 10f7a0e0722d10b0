//! Token buckets: what a service allows in a minute, an hour and a day, all at once.

use super::time::{Stop, Time};
use std::sync::Mutex;
use std::time::Duration;

/// So many requests in a period.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limit {
    /// Requests in a period.
    pub requests: u32,
    /// The period.
    pub period: Duration,
    /// Most requests at once: what a full bucket holds.
    pub burst: u32,
    /// Requests of the last such period that earlier runs made: so many tokens are missing at first.
    pub spent: u32,
}

impl Limit {
    /// So many requests in so many seconds, and as many at once.
    pub fn per(requests: u32, seconds: u64) -> Self {
        Self { requests, period: Duration::from_secs(seconds), burst: requests, spent: 0 }
    }
}

/// A bucket that starts full, but for what was spent before, and is filled evenly; `tokens` as of the moment `at`.
#[derive(Clone, Copy, Debug)]
struct Bucket {
    limit: Limit,
    tokens: f64,
    at: Duration,
}

impl Bucket {
    /// Tokens a second.
    fn rate(&self) -> f64 {
        f64::from(self.limit.requests) / self.limit.period.as_secs_f64()
    }

    fn fill(&mut self, now: Duration) {
        let passed = now.saturating_sub(self.at).as_secs_f64();
        self.tokens = (self.tokens + passed * self.rate()).min(f64::from(self.limit.burst));
        self.at = self.at.max(now);
    }

    /// How long until there are `wanted` tokens; `None` when there never will be.
    fn wait(&self, wanted: u32) -> Option<Duration> {
        // A hair's breadth short of a whole token is rounding, not a missing token.
        const ROUNDING: f64 = 1e-9;
        let missing = f64::from(wanted) - self.tokens;
        if missing <= ROUNDING {
            return Some(Duration::ZERO);
        }
        let seconds = missing / self.rate();
        (wanted <= self.limit.burst && seconds.is_finite())
            .then(|| Duration::try_from_secs_f64(seconds).unwrap_or(Duration::MAX))
    }
}

/// Several limits that hold at once: a request is granted when every bucket can, and takes from
/// all; a refused one takes from none.
#[derive(Debug)]
pub struct Limits(Mutex<Vec<Bucket>>);

/// Why a request was not granted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refused {
    /// Not yet: it would be granted after this wait.
    Until(Duration),
    /// Never: it is more than a full bucket.
    Never,
    /// The user stopped it.
    Stopped,
}

impl Limits {
    /// Buckets with what earlier runs left in them.
    pub fn new(limits: &[Limit]) -> Self {
        let bucket = |limit: &Limit| Bucket {
            limit: *limit,
            tokens: f64::from(limit.burst.saturating_sub(limit.spent)),
            at: Duration::ZERO,
        };
        Self(Mutex::new(limits.iter().map(bucket).collect()))
    }

    /// Takes `wanted` tokens now.
    ///
    /// # Errors
    /// [`Refused::Until`] with the wait of the bucket that needs longest, [`Refused::Never`].
    pub fn take(&self, time: &dyn Time, wanted: u32) -> Result<(), Refused> {
        let mut buckets = self.0.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        let now = time.now();
        buckets.iter_mut().for_each(|bucket| bucket.fill(now));
        let mut longest = Duration::ZERO;
        for bucket in buckets.iter() {
            longest = longest.max(bucket.wait(wanted).ok_or(Refused::Never)?);
        }
        if !longest.is_zero() {
            return Err(Refused::Until(longest));
        }
        for bucket in buckets.iter_mut() {
            bucket.tokens = (bucket.tokens - f64::from(wanted)).max(0.0);
        }
        Ok(())
    }

    /// Takes one token, after a wait of at most `patience`; `heard` is told of each wait.
    ///
    /// # Errors
    /// [`Refused`].
    pub fn wait(
        &self,
        time: &dyn Time,
        patience: Duration,
        stop: &Stop,
        heard: &dyn Fn(Duration),
    ) -> Result<(), Refused> {
        let deadline = time.now().saturating_add(patience);
        loop {
            let left = match self.take(time, 1) {
                Err(Refused::Until(left)) => left,
                settled => return settled,
            };
            let until = time.now().saturating_add(left);
            if until > deadline {
                return Err(Refused::Until(left));
            }
            heard(left);
            if !time.sleep_until(until, stop) {
                return Err(Refused::Stopped);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::net::VirtualTime;
    use crate::net::golden_tests::{close, text, vectors};

    fn tokens(limits: &Limits) -> Vec<f64> {
        limits.0.lock().unwrap().iter().map(|bucket| bucket.tokens).collect()
    }

    fn at(time: &VirtualTime, seconds: &str) {
        let seconds = Duration::from_secs_f64(seconds.parse().unwrap());
        time.sleep_until(seconds, &Stop::default());
    }

    #[test]
    fn the_recorded_trace_of_one_bucket_is_followed() {
        let Some(trace) = vectors("token_bucket_trace.csv") else { return };
        let (limits, time) = (Limits::new(&[Limit::per(5, 60)]), VirtualTime::default());
        for line in trace {
            at(&time, &line[0]);
            let taken = limits.take(&time, line[1].parse().unwrap());
            assert_eq!(taken.is_ok().to_string(), line[2], "{line:?}");
            close(tokens(&limits)[0], &line[3]);
            match taken {
                Err(Refused::Until(wait)) => close(wait.as_secs_f64(), &line[4]),
                other => assert_eq!((other, line[4].as_str()), (Ok(()), "0")),
            }
        }
    }

    #[test]
    fn the_recorded_trace_of_two_buckets_is_followed() {
        let Some(trace) = vectors("composite_limiter_trace.csv") else { return };
        let Some(both) = text("composite_limiter_config.json") else { return };
        let both: Vec<serde_json::Value> = serde_json::from_str(&both).unwrap();
        let both: Vec<Limit> = both
            .iter()
            .map(|one| {
                let number = |name: &str| u32::try_from(one[name].as_u64().unwrap()).unwrap();
                let limit = Limit::per(number("rate"), number("per_seconds").into());
                Limit { burst: number("burst"), ..limit }
            })
            .collect();
        let (limits, time) = (Limits::new(&both), VirtualTime::default());
        for line in trace {
            at(&time, &line[0]);
            assert_eq!(limits.take(&time, 1).is_ok().to_string(), line[1], "{line:?}");
            close(tokens(&limits)[0], &line[2]);
            close(tokens(&limits)[1], &line[3]);
        }
    }

    #[test]
    fn more_than_a_full_bucket_is_never_granted_and_a_day_outlives_a_run() {
        let (limits, time) = (Limits::new(&[Limit::per(5, 60)]), VirtualTime::default());
        assert_eq!(limits.take(&time, 6), Err(Refused::Never));
        let limits =
            Limits::new(&[Limit::per(5, 60), Limit { spent: 24, ..Limit::per(25, 86_400) }]);
        let wait = || limits.wait(&time, Duration::from_secs(60), &Stop::default(), &|_| {});
        assert_eq!(wait(), Ok(()));
        assert_eq!(wait(), Err(Refused::Until(Duration::from_secs(86_400 / 25))));
        assert_eq!(time.now(), Duration::ZERO, "nobody waits an hour for a token");
    }

    #[test]
    fn a_minute_outlives_a_run() {
        let of = |spent| Limits::new(&[Limit { spent, ..Limit::per(5, 60) }]);
        let time = VirtualTime::default();
        assert_eq!((of(4).take(&time, 1), of(4).take(&time, 2).is_ok()), (Ok(()), false));
        // More than there may be, as where the limit was lowered since: none is left, and none owed.
        for spent in [5, 7] {
            let wait = Duration::from_secs(12);
            assert_eq!(of(spent).take(&time, 1), Err(Refused::Until(wait)));
        }
    }

    #[test]
    fn a_wait_within_patience_is_waited_and_can_be_stopped() {
        let (limits, time) = (Limits::new(&[Limit::per(2, 60)]), VirtualTime::default());
        let stop = Stop::default();
        let wait = || limits.wait(&time, Duration::from_secs(60), &stop, &|_| {});
        assert_eq!((wait(), wait(), wait()), (Ok(()), Ok(()), Ok(())));
        assert_eq!(time.now(), Duration::from_secs(30));
        stop.set();
        assert_eq!(wait(), Err(Refused::Stopped));
    }
}
