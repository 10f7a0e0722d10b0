//! How many requests were made in the last day, counted from what is recorded, so that a restart
//! forgets none.

use super::{Note, Provider};
use crate::app::error::Result;
use crate::domain::eastern;
use crate::ledger::{Inbox, Ledger};
use std::collections::HashSet;

/// A day, in ms.
const DAY_MS: i64 = 86_400_000;

/// Requests, retries included, that were made of a service within the 24 hours before `now`: those in
/// the ledger's batches, whatever was decided about them, and those in the inbox. One that nobody
/// answered counts as well, since the service may have heard it.
///
/// # Errors
/// A manifest that cannot be read.
pub fn spent(ledger: &Ledger, inbox: &Inbox, of: Provider, now: i64) -> Result<u32> {
    let recent = |observed: i64| now.saturating_sub(observed) < DAY_MS;
    let (mut count, mut runs): (u32, HashSet<Vec<_>>) = (0, HashSet::new());
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
            if let Some(http) = source.http.filter(|_| recent(source.observed_ms)) {
                count = count.saturating_add(http.attempts);
            }
        }
    }
    for arrival in inbox.arrivals() {
        let Ok(note) = serde_json::from_str::<Note>(&arrival.note) else { continue };
        let asked = note.question().map(|question| question.endpoint.provider());
        if asked == Some(of) && recent(note.observed_ms) {
            count = count.saturating_add(note.attempts);
        }
    }
    Ok(count)
}
