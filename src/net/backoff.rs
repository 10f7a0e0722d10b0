//! How long to wait before another attempt.

use std::hash::{BuildHasher, Hasher};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// The wait after the first failed attempt; it doubles from there.
pub(super) const INITIAL: Duration = Duration::from_secs(1);

/// How waits between attempts grow: the first one times `base` for each further failure.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Waits {
    /// What each wait is of the one before; at least 1.
    pub base: f64,
    /// The longest, before it is spread.
    pub most: Duration,
    /// What chance does to it.
    pub spread: Spread,
}

/// What chance does to a wait `d`, so that clients do not ask all at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Spread {
    /// From `d / 2` to `d`.
    UpperHalf,
    /// From `d` to a tenth more.
    TenthMore,
}

impl Default for Waits {
    /// Doubled, a minute at most, in the upper half.
    fn default() -> Self {
        Self { base: 2.0, most: Duration::from_secs(60), spread: Spread::UpperHalf }
    }
}

/// Random numbers, good enough to keep clients from asking all at once.
#[derive(Debug)]
pub(super) struct Jitter(AtomicU64);

impl Jitter {
    /// Numbers that follow from `seed`.
    pub(super) fn new(seed: u64) -> Self {
        // Zero is the one state that xorshift never leaves.
        Self(AtomicU64::new(seed | 1))
    }

    /// A seed that differs from run to run: the standard library's hash keys are random.
    pub(super) fn seed() -> u64 {
        std::hash::RandomState::new().build_hasher().finish()
    }

    /// The next number in `[0, 1)`.
    fn next(&self) -> f64 {
        let step = |mut x: u64| {
            x ^= x << 13;
            x ^= x >> 7;
            x ^ (x << 17)
        };
        let before = self.0.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |x| Some(step(x)));
        let x = before.map_or(1, step);
        (x >> 11) as f64 / (1u64 << 53) as f64
    }

    /// The wait after the `failed`th failed attempt (from 1), the first one being `initial`.
    pub(super) fn wait(&self, failed: u32, initial: Duration, waits: &Waits) -> Duration {
        let grown = waits.base.max(1.0).powi(i32::try_from(failed.max(1) - 1).unwrap_or(i32::MAX));
        let d = initial.as_secs_f64() * grown;
        let d = Duration::try_from_secs_f64(d).unwrap_or(Duration::MAX).min(waits.most);
        match waits.spread {
            Spread::UpperHalf => d / 2 + (d / 2).mul_f64(self.next()),
            Spread::TenthMore => d.saturating_add((d / 10).mul_f64(self.next())),
        }
    }
}

/// What a `Retry-After` asks for: seconds, or a date.
///
/// A date is compared with the `Date` of the same answer: both are the service's clock, and ours
/// may be wrong by more than the wait.
pub(super) fn retry_after(value: &str, date: Option<&str>) -> Option<Duration> {
    let value = value.trim();
    if !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit()) {
        // More digits than fit are a wait without end.
        return Some(Duration::from_secs(value.parse().unwrap_or(u64::MAX)));
    }
    let until = chrono::DateTime::parse_from_rfc2822(value).ok()?;
    let from = chrono::DateTime::parse_from_rfc2822(date?.trim()).ok()?;
    Some((until - from).to_std().unwrap_or(Duration::ZERO))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_up_to_the_longest_and_lie_in_the_upper_half() {
        let jitter = Jitter::new(7);
        for _ in 0..200 {
            for (failed, d) in [(1, 1), (2, 2), (3, 4), (6, 32), (7, 60), (33, 60), (90, 60)] {
                let wait = jitter.wait(failed, INITIAL, &Waits::default()).as_secs_f64();
                let d = f64::from(d);
                assert!(wait >= d / 2.0 && wait <= d, "attempt {failed}: {wait}");
            }
        }
    }

    #[test]
    fn recorded_bounds_are_kept() {
        let Some(lines) = crate::net::golden_tests::vectors("retry_delays.csv") else { return };
        for line in lines {
            let number = |at: usize| line[at].parse::<f64>().unwrap();
            let most = Duration::from_secs_f64(number(2));
            let waits = Waits { base: number(1), most, spread: Spread::TenthMore };
            let jitter = Jitter::new(5);
            let found: Vec<f64> = (0..500)
                .map(|_| jitter.wait(number(3) as u32, INITIAL, &waits).as_secs_f64())
                .collect();
            let (least, most) = (number(4), number(5));
            assert!(found.iter().all(|wait| (least..=most + 1e-9).contains(wait)), "{line:?}");
            // The whole of it is used.
            let wide = |share: f64| least + (most - least) * share;
            assert!(found.iter().any(|wait| *wait < wide(0.05)), "{line:?}");
            assert!(found.iter().any(|wait| *wait > wide(0.95)), "{line:?}");
        }
    }

    #[test]
    fn waits_differ_and_follow_from_the_seed() {
        let waits = |seed| {
            let jitter = Jitter::new(seed);
            (0..20).map(|_| jitter.wait(1, INITIAL, &Waits::default())).collect::<Vec<_>>()
        };
        assert_eq!(waits(42), waits(42));
        assert_ne!(waits(42), waits(99));
        let mut differing = waits(42);
        differing.sort();
        differing.dedup();
        assert_eq!(differing.len(), 20);
    }

    #[test]
    fn retry_after_is_seconds_or_a_date() {
        let date = Some("Sun, 06 Nov 1994 08:49:37 GMT");
        let seconds = |text, date| retry_after(text, date).map(|wait| wait.as_secs());
        assert_eq!(seconds("30", None), Some(30));
        assert_eq!(seconds(" 0 ", None), Some(0));
        assert_eq!(seconds("99999999999999999999999", None), Some(u64::MAX));
        assert_eq!(seconds("Sun, 06 Nov 1994 08:50:07 GMT", date), Some(30));
        assert_eq!(seconds("Sun, 06 Nov 1994 08:49:00 GMT", date), Some(0));
        assert_eq!(seconds("Sun, 06 Nov 1994 08:50:07 GMT", None), None);
        for odd in ["", "-1", "soon", "1.5", "12 s"] {
            assert_eq!(seconds(odd, date), None, "{odd}");
        }
    }
}
