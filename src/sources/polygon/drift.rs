//! What the service sends otherwise than documented, as findings; nothing of it stops a reading.

use super::Endpoint;
use super::table::{ENVELOPE, STATUS};
use super::walk::Walk;
use crate::domain::{Finding, Severity};
use crate::sources::raw::{Entry, text_of};

/// Paths that one page may bring as new before the rest is summed up.
const MAX_PATHS: usize = 200;

/// The drift of a page: new paths, missing ones, other types, new words.
pub(super) fn findings(walk: &Walk, endpoint: Endpoint, source: u32) -> Vec<Finding> {
    let place = endpoint.path();
    let make = |code: &str, severity, line, count, text: String| Finding {
        code: code.to_owned(),
        severity,
        source,
        line,
        day: None,
        count,
        text: format!("{place}: {text}"),
    };
    let (info, warning) = (Severity::Info, Severity::Warning);
    let mut found = Vec::new();
    let mut added = 0;
    for slot in &walk.slots {
        let path = &slot.path;
        if slot.odd.count > 0 {
            let due = slot.leaf.map_or("an object", |leaf| leaf.kind.name());
            let text = format!("`{path}` is {} where {due} is documented", slot.odd_kind);
            found.push(make("drift_type", warning, Some(slot.odd.first), slot.odd.count, text));
        } else if slot.leaf.is_none() && slot.met.count > 0 {
            added += 1;
            if added <= MAX_PATHS {
                let text = format!("`{path}` is new, and kept under that name");
                found.push(make("drift_added", info, Some(slot.met.first), slot.met.count, text));
            }
        }
    }
    if added > MAX_PATHS {
        let more = added - MAX_PATHS;
        let text = format!("{more} more paths are new, and kept under their names");
        found.push(make("drift_added", info, None, more as u64, text));
    }
    for new in &walk.new {
        let (code, severity, text) = match &new.word {
            Some(word) => {
                let text = format!("`{}` has the new word `{word}`", new.path);
                ("drift_enum", warning, text)
            }
            None => ("drift_added", info, format!("`{}` is new", new.path)),
        };
        found.push(make(code, severity, Some(new.met.first), new.met.count, text));
    }
    if walk.items > 0 {
        for path in walk.table.required {
            let met = |slot: &&super::walk::Slot| *slot.path == **path && slot.met.count > 0;
            if walk.slots.iter().find(met).is_none() {
                let text = format!("`{path}` is in no item");
                found.push(make("drift_removed", warning, None, walk.items, text));
            }
        }
    }
    found
}

/// The drift of what stands beside the items.
pub(super) fn of_envelope(top: &[Entry<'_>], endpoint: Endpoint, source: u32) -> Vec<Finding> {
    let mut found = Vec::new();
    let mut note = |code: &str, severity, text: String| {
        found.push(Finding {
            code: code.to_owned(),
            severity,
            source,
            line: None,
            day: None,
            count: 1,
            text: format!("{}: {text}", endpoint.path()),
        });
    };
    for (key, value) in top.iter().take(MAX_PATHS) {
        if !ENVELOPE.contains(&&**key) {
            let text = format!("`{key}` beside the items is new, and not kept as a field");
            note("drift_added", Severity::Info, text);
        }
        if key == "status"
            && let Some(word) = text_of(value.get())
            && !STATUS.contains(&&*word)
        {
            let word: String = word.chars().take(60).collect();
            note("drift_enum", Severity::Warning, format!("`status` has the new word `{word}`"));
        }
    }
    found
}
