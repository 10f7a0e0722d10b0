//! At-the-money volatility, term structure and skew from a chain snapshot (`tomic.md` 8.2).
//!
//! [`extract`] gives what the original gives, contract by contract; [`daily_record`] is what
//! volledger records, which takes a volatility of zero for a missing one.

use crate::domain::occ::Right;
use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::fmt;
use std::ops::RangeInclusive;

/// Size of the delta of the contracts that stand for the wings.
const WING: f64 = 0.25;
/// Sizes of delta that may stand for a wing (8.2, step 3).
const WING_BAND: RangeInclusive<f64> = 0.05..=0.45;
/// Deltas that an at-the-money call may have where it is known (8.2, step 4).
const MONEY_BAND: RangeInclusive<f64> = 0.05..=0.95;
/// A strike further from spot than this part of spot is hardly at the money: a note says so.
pub const FAR: f64 = 0.05;

/// One contract of one expiry, as far as the extraction looks at it.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Quote {
    /// Strike in dollars.
    pub strike: Option<f64>,
    /// Call or put.
    pub right: Option<Right>,
    /// Annualised volatility as a fraction.
    pub iv: Option<f64>,
    /// Delta per share: −1 to 1.
    pub delta: Option<f64>,
    /// Contracts traded on the day; 0 when unknown.
    pub volume: f64,
    /// When the contract was last updated, on any one clock (the service: ns since 1970 UTC).
    pub updated: Option<i64>,
    /// Whether the strike stood at the top of the contract, not under `details`: only such
    /// contracts are sorted by strike, the others keep the order of their arrival, before them.
    pub top_level_strike: bool,
}

/// A contract that gave a value.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Used {
    /// Index into the quotes given.
    pub index: usize,
    /// Strike in dollars.
    pub strike: f64,
    /// Its annualised volatility as a fraction.
    pub iv: f64,
    /// Its delta per share, where known.
    pub delta: Option<f64>,
}

/// What one expiry gives. Every field names the contract, so its exact decimals can be looked up.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Extraction {
    /// Step 2: the call nearest to spot, whatever its delta.
    pub nearest_call: Option<Used>,
    /// Step 4: the call nearest to spot with delta unknown or within 0.05…0.95, duplicates not
    /// removed. The value of the second and the third month.
    pub atm_call: Option<Used>,
    /// Step 3: the call that stands for delta 0.25.
    pub call25: Option<Used>,
    /// Step 3: the put that stands for delta −0.25.
    pub put25: Option<Used>,
}

impl Extraction {
    /// Step 5: the contract at the money, `None` without any call.
    pub fn atm(&self) -> Option<Used> {
        self.nearest_call.or(self.atm_call).or(self.call25)
    }

    /// Volatility at the money, an annualised fraction.
    pub fn atm_iv(&self) -> Option<f64> {
        self.atm().map(|used| used.iv)
    }

    /// Put wing − call wing in points, 2 decimals.
    pub fn skew(&self) -> Option<f64> {
        points(self.put25.map(|put| put.iv), self.call25.map(|call| call.iv))
    }
}

/// Picks the contracts of one expiry, in the order of their arrival, around a spot price in
/// dollars (`tomic.md` 8.2).
pub fn extract(quotes: &[Quote], spot: f64) -> Extraction {
    let arrived = (0..quotes.len()).filter_map(|index| Candidate::of(quotes, index, spot));
    let atm_call = arrived.filter(|one| {
        one.right == Right::Call && one.used.delta.is_none_or(|delta| MONEY_BAND.contains(&delta))
    });
    let atm_call = nearest(atm_call, |one| one.distance);

    let order = without_duplicates(quotes);
    let ordered = order.into_iter().filter_map(|index| Candidate::of(quotes, index, spot));
    let (calls, puts): (Vec<_>, Vec<_>) = ordered.partition(|one| one.right == Right::Call);
    Extraction {
        nearest_call: nearest(calls.iter().copied(), |one| one.distance),
        atm_call,
        call25: wing(&calls, 1.0),
        put25: wing(&puts, -1.0),
    }
}

/// A contract with all that the extraction needs.
#[derive(Clone, Copy)]
struct Candidate {
    used: Used,
    right: Right,
    /// |strike − spot| in dollars.
    distance: f64,
}

impl Candidate {
    fn of(quotes: &[Quote], index: usize, spot: f64) -> Option<Self> {
        let quote = quotes.get(index)?;
        let (strike, iv) = (quote.strike?, quote.iv?);
        let distance = (strike - spot).abs();
        let numbers = distance.is_finite() && iv.is_finite();
        let delta = quote.delta.filter(|delta| delta.is_finite());
        let used = Used { index, strike, iv, delta };
        numbers.then_some(Self { used, right: quote.right?, distance })
    }
}

/// The first of those with the smallest measure.
fn nearest(
    candidates: impl Iterator<Item = Candidate>,
    measure: impl Fn(&Candidate) -> f64,
) -> Option<Used> {
    // `min_by` keeps the first of equals.
    candidates.min_by(|a, b| measure(a).total_cmp(&measure(b))).map(|one| one.used)
}

/// The contract of one side that stands for delta 0.25 × `sign`: nearest within the band; where
/// none lies within it, the strike nearest to spot, provided that any delta is known on this side.
fn wing(side: &[Candidate], sign: f64) -> Option<Used> {
    let size = |one: &Candidate| one.used.delta.map(|delta| delta * sign);
    let banded = side.iter().copied().filter(|one| size(one).is_some_and(within_wing_band));
    let best = nearest(banded, |one| size(one).map_or(f64::INFINITY, |d| (d - WING).abs()));
    let any_known = side.iter().any(|one| one.used.delta.is_some());
    best.or_else(|| nearest(side.iter().copied(), |one| one.distance).filter(|_| any_known))
}

fn within_wing_band(size: f64) -> bool {
    WING_BAND.contains(&size)
}

/// Step 1: indices with one contract per strike and right, sorted by top-level strike.
///
/// The higher volume wins, then the later update, then the first; the winner takes the place of
/// the first. Contracts without a strike or a right are left out: nothing uses them.
fn without_duplicates(quotes: &[Quote]) -> Vec<usize> {
    let mut kept: Vec<(usize, &Quote)> = Vec::new();
    let mut place: HashMap<(u64, Right), usize> = HashMap::new();
    for (index, quote) in quotes.iter().enumerate() {
        let (Some(strike), Some(right)) = (quote.strike, quote.right) else { continue };
        match place.entry((strike.to_bits(), right)) {
            Entry::Vacant(empty) => {
                empty.insert(kept.len());
                kept.push((index, quote));
            }
            Entry::Occupied(taken) => {
                let Some(slot) = kept.get_mut(*taken.get()) else { continue };
                let (old, new) = (slot.1, quote);
                let by_volume = new.volume.total_cmp(&old.volume);
                if by_volume.then(new.updated.cmp(&old.updated)).is_gt() {
                    *slot = (index, quote);
                }
            }
        }
    }
    // A strike under `details` counts as 0 in the original's sort; the sort is stable.
    let key = |quote: &Quote| quote.strike.filter(|_| quote.top_level_strike).unwrap_or(0.0);
    kept.sort_by(|a, b| key(a.1).total_cmp(&key(b.1)));
    kept.into_iter().map(|(index, _)| index).collect()
}

/// (`from` − `minus`) × 100, rounded to 2 decimals: a difference of fractions in points.
pub fn points(from: Option<f64>, minus: Option<f64>) -> Option<f64> {
    Some(round2((from? - minus?) * 100.0))
}

/// Rounds to 2 decimals as Python's `round(x, 2)` does: by the exact binary value, an exact tie to
/// the even digit. A zero comes without a sign, for a decimal has none.
pub fn round2(value: f64) -> f64 {
    // The formatter rounds the exact value; the text of a float always reads back.
    format!("{value:.2}").parse().unwrap_or(value) + 0.0
}

/// An expiry of the daily record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Month {
    /// The front month, 13 to 48 days away.
    Front,
    /// The month after it.
    Second,
    /// The month after that.
    Third,
}

impl fmt::Display for Month {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Front => "front month",
            Self::Second => "second month",
            Self::Third => "third month",
        })
    }
}

/// What a reader of a daily record should know about it.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Note {
    /// Spot is not a positive price: nothing can be at the money.
    NoSpot,
    /// The expiry gave no volatility at the money.
    NoAtm(Month),
    /// So many contracts came with a volatility of zero or less; they count as without one.
    NoVolatility(Month, usize),
    /// The contract at the money has a strike, in dollars, more than 5 % from spot.
    FarFromSpot(Month, f64),
    /// No contract of this side has a delta of 0.05 to 0.45: the strike nearest to spot stands in,
    /// so the skew is not one of the 25-delta wings.
    WingByStrike(Right),
    /// This side has no contract for the wing, so there is no skew.
    NoWing(Right),
}

impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let side = |right: &Right| if *right == Right::Call { "call" } else { "put" };
        match self {
            Self::NoSpot => write!(f, "spot is not a positive price"),
            Self::NoAtm(month) => write!(f, "{month}: no volatility at the money"),
            Self::NoVolatility(month, 1) => {
                write!(f, "{month}: 1 contract with a volatility of zero or less left out")
            }
            Self::NoVolatility(month, count) => {
                write!(f, "{month}: {count} contracts with a volatility of zero or less left out")
            }
            Self::FarFromSpot(month, strike) => {
                write!(f, "{month}: strike {strike} at the money is over 5 % from spot")
            }
            Self::WingByStrike(right) => {
                write!(f, "no {0} with a delta of 0.05 to 0.45: nearest strike used", side(right))
            }
            Self::NoWing(right) => write!(f, "no {} for the 25-delta wing", side(right)),
        }
    }
}

/// The values of one symbol and day (`tomic.md` 8.1, step 5).
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Record {
    /// Volatility at the money of the front month, an annualised fraction. `None`: do not record.
    pub atm_iv: Option<f64>,
    /// Front − second month, points, 2 decimals.
    pub term_m1_m2: Option<f64>,
    /// Front − third month, points, 2 decimals.
    pub term_m1_m3: Option<f64>,
    /// 25-delta put − 25-delta call of the front month, points, 2 decimals.
    pub skew: Option<f64>,
    /// The contracts used of the front month; indices into the quotes given.
    pub front: Extraction,
    /// The contract at the money of the second month.
    pub second: Option<Used>,
    /// The contract at the money of the third month.
    pub third: Option<Used>,
    /// What was missing, left out or stood in.
    pub notes: Vec<Note>,
}

/// The daily record from the chains of three expiries; an expiry that was not fetched is empty.
///
/// `spot` is in dollars and is rounded to cents first, as in 8.1. A volatility of zero or less is
/// the vendor's way to have none (285 stored rows of TOMIC are such zeros), so it counts as
/// missing here, where the original took it as it was.
pub fn daily_record(spot: f64, front: &[Quote], second: &[Quote], third: &[Quote]) -> Record {
    let spot = round2(spot);
    let mut record = Record::default();
    if !(spot.is_finite() && spot > 0.0) {
        record.notes.push(Note::NoSpot);
        return record;
    }
    let mut of = |month: Month, quotes: &[Quote]| {
        let (usable, without) = usable(quotes);
        if without > 0 {
            record.notes.push(Note::NoVolatility(month, without));
        }
        let found = extract(&usable, spot);
        let atm = if month == Month::Front { found.atm() } else { found.atm_call };
        match atm {
            None => record.notes.push(Note::NoAtm(month)),
            Some(used) if (used.strike - spot).abs() > spot * FAR => {
                record.notes.push(Note::FarFromSpot(month, used.strike));
            }
            Some(_) => {}
        }
        (found, atm.map(|used| used.iv))
    };
    let (extraction, atm_iv) = of(Month::Front, front);
    let (second, second_iv) = of(Month::Second, second);
    let (third, third_iv) = of(Month::Third, third);
    let wings = [(Right::Call, extraction.call25, 1.0), (Right::Put, extraction.put25, -1.0)];
    for (right, wing, sign) in wings {
        let in_band = |used: Used| used.delta.is_some_and(|delta| within_wing_band(delta * sign));
        match wing {
            None => record.notes.push(Note::NoWing(right)),
            Some(used) if !in_band(used) => record.notes.push(Note::WingByStrike(right)),
            Some(_) => {}
        }
    }
    Record {
        atm_iv,
        term_m1_m2: points(atm_iv, second_iv),
        term_m1_m3: points(atm_iv, third_iv),
        skew: extraction.skew(),
        front: extraction,
        second: second.atm_call,
        third: third.atm_call,
        notes: record.notes,
    }
}

/// The quotes without volatilities of zero and less, and how many those were.
fn usable(quotes: &[Quote]) -> (Vec<Quote>, usize) {
    let none = |quote: &Quote| quote.iv.is_some_and(|iv| iv <= 0.0);
    let count = quotes.iter().filter(|quote| none(quote)).count();
    let cleared = |quote: &Quote| Quote { iv: quote.iv.filter(|_| !none(quote)), ..*quote };
    (quotes.iter().map(cleared).collect(), count)
}

#[cfg(test)]
#[path = "atm_iv_tests.rs"]
mod tests;
