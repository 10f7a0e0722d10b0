//! How many requests were made in the last day and in the last minute, counted from what is recorded, so
//! that a restart forgets none.

use super::{Note, Provider};
use crate::app::error::Result;
use crate::domain::eastern;
use crate::ledger::{Inbox, Ledger};
use std::collections::HashSet;
use std::time::Duration;

/// A minute and a day, in ms.
const MINUTE_MS: i64 = 60_000;
const DAY_MS: i64 = 86_400_000;

/// Requests, retries included, that earlier runs made of a service.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Spent {
    /// Within the last 24 hours.
    pub in_a_day: u32,
    /// Those of the last 60 seconds. Of a question with retries all count, since only its end is recorded.
    pub in_a_minute: u32,
    /// How long ago the last question ended.
    pub since_last: Option<Duration>,
}

impl Spent {
    /// Adds a question that took `attempts` and ended at `observed`.
    fn add(&mut self, attempts: u32, observed: i64, now: i64) {
        let ago = now.saturating_sub(observed);
        if ago >= DAY_MS || attempts == 0 {
            return;
        }
        self.in_a_day = self.in_a_day.saturating_add(attempts);
        if ago < MINUTE_MS {
            self.in_a_minute = self.in_a_minute.saturating_add(attempts);
        }
        // A clock that was set back: as if it were now.
        let ago = Duration::from_millis(u64::try_from(ago).unwrap_or(0));
        self.since_last = Some(self.since_last.map_or(ago, |last| last.min(ago)));
    }
}

/// The requests of a service before `now`: those in the ledger's batches, whatever was decided about
/// them, and those in the inbox. One that nobody answered counts as well, since the service may have
/// heard it.
///
/// # Errors
/// A manifest that cannot be read.
pub fn spent(ledger: &Ledger, inbox: &Inbox, of: Provider, now: i64) -> Result<Spent> {
    let (mut spent, mut runs): (Spent, HashSet<Vec<_>>) = (Spent::default(), HashSet::new());
    // A batch that was staged days ago has no answer of the last 24 hours.
    let since = eastern::day_of(now).unwrap_or_default().0 - 3;
    for (_, batch) in ledger.batches().iter() {
        let of_it = Provider::of_mapping(&batch.stage.mapping.id) == Some(of);
        if !of_it || batch.stage.as_of.0 < since {
            continue;
        }
        let sources = ledger.known_manifest(&batch.stage)?.sources;
        // A batch that was split and its parts have the same sources: they count once.
        let run: Vec<_> = sources.iter().map(|of| (of.digest.0, of.observed_ms)).collect();
        if !runs.insert(run) {
            continue;
        }
        for source in sources {
            if let Some(http) = source.http {
                spent.add(http.attempts, source.observed_ms, now);
            }
        }
    }
    for arrival in inbox.arrivals() {
        let Ok(note) = serde_json::from_str::<Note>(&arrival.note) else { continue };
        let asked = note.question().map(|question| question.endpoint.provider());
        if asked == Some(of) {
            spent.add(note.attempts, note.observed_ms, now);
        }
    }
    Ok(spent)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_minute_and_a_day_hold_is_counted() {
        let now = 10 * DAY_MS;
        let of = |questions: &[(u32, i64)]| {
            let mut spent = Spent::default();
            questions.iter().for_each(|(attempts, ago)| spent.add(*attempts, now - ago, now));
            let last = spent.since_last.map(|ago| ago.as_millis());
            (spent.in_a_day, spent.in_a_minute, last)
        };
        assert_eq!(of(&[]), (0, 0, None));
        assert_eq!(of(&[(3, DAY_MS), (0, 5)]), (0, 0, None));
        let some = [(1, DAY_MS - 1), (2, MINUTE_MS), (3, MINUTE_MS - 1), (1, 7_000), (1, 9_000)];
        assert_eq!(of(&some), (8, 5, Some(7_000)));
        assert_eq!(of(&[(1, -5_000)]), (1, 1, Some(0)), "a clock that was set back");
    }
}
