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

    /// Waits for a slot and takes it; `heard` is told of each wait, before waiting. `false` when
    /// `stop` was set.
    ///
    /// A slot is taken when its moment has come and never ahead of it. So the distance is kept
    /// between real starts, also when a thread wakes up late, and a [`Pace::pause`] holds back
    /// those who wait already. Of several threads that wait, one wins and the others wait again.
    pub fn take(&self, time: &dyn Time, stop: &Stop, heard: &dyn Fn(Duration)) -> bool {
        while !stop.is_set() {
            let (now, slot) = {
                let mut next = self.next.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
                let now = time.now();
                if *next <= now {
                    *next = now.saturating_add(self.interval);
                    return true;
                }
                (now, *next)
            };
            heard(slot.saturating_sub(now));
            if !time.sleep_until(slot, stop) {
                return false;
            }
        }
        false
    }

    /// Holds everybody back: the service said to wait.
    pub fn pause(&self, time: &dyn Time, wait: Duration) {
        let mut next = self.next.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        *next = (*next).max(time.now().saturating_add(wait));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::net::VirtualTime;
    use proptest::prelude::*;

    const MINUTE: Duration = Duration::from_secs(60);

    /// The most starts in any window `[t, t + 60 s)`; windows that begin at a start suffice.
    fn most_in_a_minute(starts: &[Duration]) -> usize {
        let within = |from: Duration| {
            starts.iter().filter(|&&start| start >= from && start < from + MINUTE).count()
        };
        starts.iter().map(|&from| within(from)).max().unwrap_or(0)
    }

    #[test]
    fn d14_five_a_minute_is_one_every_twelve_seconds() {
        let (pace, time, stop) = (Pace::new(5), VirtualTime::default(), Stop::default());
        let mut starts = Vec::new();
        for _ in 0..50 {
            assert!(pace.take(&time, &stop, &|_| {}));
            starts.push(time.now());
        }
        for (n, pair) in starts.windows(2).enumerate() {
            assert_eq!(pair[1] - pair[0], Duration::from_secs(12), "request {n}");
        }
        for &from in starts.iter().take(45) {
            let within = starts.iter().filter(|&&at| at >= from && at < from + MINUTE).count();
            assert_eq!(within, 5, "from {from:?}");
        }
    }

    #[test]
    fn no_limit_never_waits() {
        let (pace, time, stop) = (Pace::new(0), VirtualTime::default(), Stop::default());
        for _ in 0..1000 {
            assert!(pace.take(&time, &stop, &|_| panic!("it waited")));
        }
        assert_eq!(time.now(), Duration::ZERO);
    }

    #[test]
    fn a_pause_also_holds_back_who_waits_already() {
        let (pace, time, stop) = (Pace::new(5), VirtualTime::default(), Stop::default());
        assert!(pace.take(&time, &stop, &|_| {}));
        // The service says to wait just when the second request begins to wait for its slot.
        let told = std::cell::RefCell::new(Vec::new());
        assert!(pace.take(&time, &stop, &|wait| {
            if told.borrow().is_empty() {
                pace.pause(&time, Duration::from_secs(30));
            }
            told.borrow_mut().push(wait.as_secs());
        }));
        assert_eq!(time.now(), Duration::from_secs(30));
        assert_eq!(*told.borrow(), [12, 18]);
    }

    #[test]
    fn stop_ends_the_wait() {
        let (pace, time, stop) = (Pace::new(5), VirtualTime::default(), Stop::default());
        assert!(pace.take(&time, &stop, &|_| {}));
        assert!(!pace.take(&time, &stop, &|_| stop.set()));
        assert!(!pace.take(&time, &stop, &|_| panic!("it waited although it was stopped")));
    }

    #[test]
    fn an_interval_is_never_cut_short() {
        for per_minute in [1, 7, 11, 5999, 7_000_000] {
            let interval = Pace::new(per_minute).interval();
            assert!(interval * per_minute >= MINUTE, "{per_minute}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(64))]

        /// Whatever the work between the requests takes, however many threads there are, and
        /// whenever the service says to wait.
        #[test]
        fn no_minute_holds_more_than_the_rate(
            per_minute in 1u32..40,
            threads in 1usize..5,
            work in prop::collection::vec(0u64..20_000, 12..24),
            pauses in prop::collection::vec(prop::option::weighted(0.1, 0u64..90_000), 12),
        ) {
            let (pace, time, stop) = (Pace::new(per_minute), VirtualTime::default(), Stop::default());
            let starts = Mutex::new(Vec::new());
            std::thread::scope(|scope| {
                for _ in 0..threads {
                    scope.spawn(|| {
                        for (n, &work) in work.iter().enumerate() {
                            // Whoever moves the clock holds the lock: no other thread does so
                            // between a start and its note.
                            let mut noted = starts.lock().unwrap();
                            assert!(pace.take(&time, &stop, &|_| {}));
                            noted.push(time.now());
                            drop(noted);
                            if let Some(Some(wait)) = pauses.get(n) {
                                pace.pause(&time, Duration::from_millis(*wait));
                            }
                            let clock = starts.lock().unwrap();
                            let until = time.now() + Duration::from_millis(work);
                            assert!(time.sleep_until(until, &stop));
                            drop(clock);
                        }
                    });
                }
            });
            let mut starts = starts.into_inner().unwrap();
            starts.sort();
            prop_assert_eq!(starts.len(), threads * work.len());
            prop_assert!(most_in_a_minute(&starts) <= per_minute as usize);
            for pair in starts.windows(2) {
                prop_assert!(pair[1] - pair[0] >= pace.interval());
            }
        }
    }

    /// All threads wait for slots at once, as in a run; the clock is the real one.
    #[test]
    fn threads_that_wait_together_keep_the_distance() {
        let (pace, time, stop) =
            (Pace::new(6000), crate::net::SystemTime::default(), Stop::default());
        let starts = Mutex::new(Vec::new());
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    for _ in 0..5 {
                        assert!(pace.take(&time, &stop, &|_| {}));
                        starts.lock().unwrap().push(time.now());
                    }
                });
            }
        });
        let mut starts = starts.into_inner().unwrap();
        starts.sort();
        // Twenty starts, ten milliseconds apart. (Each note is made a little after its start, so
        // only the whole is compared.)
        assert_eq!(starts.len(), 20);
        assert!(starts[19] >= Duration::from_millis(190), "{starts:?}");
    }
}
