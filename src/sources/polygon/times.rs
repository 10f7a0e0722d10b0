//! Instants and dates as the service writes them.

use super::Endpoint;
use super::body;
use super::table::Table;
use super::walk::{Got, Walk};
use crate::domain::{Day, Value, eastern};
use crate::sources::raw::{entries, text_of};
use chrono::DateTime;
use rust_decimal::prelude::ToPrimitive;

/// A whole number, however it is written: `1546405200000`, `1.5464052e+12`, or in quotes.
pub(super) fn integer(raw: &str) -> Option<i64> {
    let raw = raw.trim_matches('"');
    raw.parse().ok().or_else(|| {
        let decimal = Value::from_json_number(raw).decimal()?;
        decimal.is_integer().then(|| decimal.to_i64())?
    })
}

/// Nanoseconds since 1970, however they are written. 0 is no instant: snapshots are wiped to zeros at
/// night.
pub(crate) fn ns_of(raw: &str) -> Option<i64> {
    integer(raw).filter(|ns| *ns != 0)
}

/// The same as milliseconds.
pub(super) fn ms_of_ns(raw: &str) -> Option<i64> {
    ns_of(raw).map(|ns| ns.div_euclid(1_000_000))
}

/// The instant of a text such as `2022-04-28T16:48:08-04:00`, in milliseconds.
pub(super) fn ms_of_text(text: &str) -> Option<i64> {
    DateTime::parse_from_rfc3339(text.trim()).ok().map(|at| at.timestamp_millis())
}

/// A date, also when a time follows it as in `2023-03-10T00:00:00.000Z`.
pub(super) fn date(text: &str) -> Option<Day> {
    match text.get(..10) {
        Some(day) if text.as_bytes().get(10) == Some(&b'T') => day.parse().ok(),
        _ => text.parse().ok(),
    }
}

/// The times that a chain's page holds. A chain asked for after hours mixes two: options stop
/// quoting at 16:00, the underlying goes on (`polygon.md` 9).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SessionTimes {
    /// Latest New York date of any quote, trade or daily bar of an option.
    pub options: Option<Day>,
    /// The latest of these instants, ms since 1970 UTC.
    pub options_ms: Option<i64>,
    /// Latest New York date of the underlying's price.
    pub underlying: Option<Day>,
    /// That instant, ms since 1970 UTC.
    pub underlying_ms: Option<i64>,
}

impl SessionTimes {
    /// The later of each: the times of a chain are those of all its pages.
    #[must_use]
    pub fn latest(self, other: Self) -> Self {
        Self {
            options: self.options.max(other.options),
            options_ms: self.options_ms.max(other.options_ms),
            underlying: self.underlying.max(other.underlying),
            underlying_ms: self.underlying_ms.max(other.underlying_ms),
        }
    }
}

/// The latest times in a page of a chain, or in the answer for one contract; `None` when there
/// are none, or when the body is neither.
pub fn session_times(body: &[u8]) -> Option<SessionTimes> {
    let parse = |endpoint: Endpoint| {
        let table = Table::of(endpoint, endpoint.series());
        body::parse(table, body).map(|found| (table, found)).ok()
    };
    let (table, found) = parse(Endpoint::Chain).or_else(|| parse(Endpoint::ChainContract))?;
    let mut walk = Walk::new(table);
    let (mut leaves, mut times): (Vec<Got<'_>>, _) = (Vec::new(), SessionTimes::default());
    for (item, text) in (1..).zip(found.items) {
        let Ok(top) = entries(text, super::walk::MAX_LEAVES) else { continue };
        if walk.item(top, item, &mut leaves).is_err() {
            continue;
        }
        let at = |path: &str| walk.raw(&leaves, path).and_then(ms_of_ns);
        let options = ["last_quote.last_updated", "last_trade.sip_timestamp", "day.last_updated"];
        let options = options.into_iter().filter_map(at).max();
        let underlying = at("underlying_asset.last_updated");
        times = times.latest(SessionTimes {
            options: None,
            options_ms: options,
            underlying: None,
            underlying_ms: underlying,
        });
    }
    times.options = times.options_ms.and_then(eastern::day_of);
    times.underlying = times.underlying_ms.and_then(eastern::day_of);
    (times != SessionTimes::default()).then_some(times)
}

/// The text at a path of an item; `None` when it is absent, empty or no text.
pub(super) fn word<'b>(
    walk: &Walk,
    leaves: &[Got<'b>],
    path: &str,
) -> Option<std::borrow::Cow<'b, str>> {
    walk.raw(leaves, path).and_then(text_of).filter(|text| !text.trim().is_empty())
}
