//! Prices as they were traded: which splits are taken out of the closes of the ledger, and what a stock
//! cost when its options were quoted. Strikes never change their day's shares, closes do: after a split
//! services restate them.

use super::error::Result;
use super::fetch::{Provider, gave};
use crate::domain::occ::{Contract, Right};
use crate::domain::{BatchId, Coverage, Day, Series, Symbol, code, eastern, float};
use crate::ledger::Ledger;
use crate::projections::Adjusted;
use crate::projections::view::Record;
use crate::quant::adjustment::Adjustment;
use crate::quant::atm_iv::FAR;
use crate::sources::polygon::ns_of;
use rust_decimal::Decimal;
use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

/// Old and new shares of a split.
const SPLIT: [u16; 2] = [code::SPLIT_FROM, code::SPLIT_TO];

/// So many days before and after a split a close still shows whether it stands between them.
pub const BESIDE: i32 = 7;

/// What is known of the closes of a stock beside its splits. Without splits nobody asks.
///
/// # Errors
/// The list of a batch's answers that cannot be read.
pub fn adjustments(
    ledger: &Ledger,
    symbol: &Symbol,
    closes: &[Record],
    splits: &[Record],
) -> Result<Adjusted> {
    if splits.is_empty() {
        return Ok(Adjusted::default());
    }
    let of = |record: &Record| record.known(code::CLOSE).map(|cell| cell.event.batch);
    let mut batches: Vec<BatchId> = closes.iter().filter_map(of).collect();
    // Neighbours are mostly of one batch.
    batches.dedup();
    let known = |id: BatchId| {
        let batch = ledger.batches().get(id)?;
        let service = Provider::of_mapping(&batch.stage.mapping.id);
        if service.is_some_and(Provider::prices_as_traded) {
            return Some((id, Adjustment::AsTraded));
        }
        // A batch that was read again or came from another ledger is younger than what it says.
        let day = eastern::day_of(batch.staged_ms).unwrap_or_default().min(batch.stage.as_of);
        let service = service.map(|_| Adjustment::Until(day));
        Some((id, service.unwrap_or(Adjustment::Unknown(day))))
    };
    let mut adjusted: Adjusted = batches.into_iter().filter_map(known).collect();
    as_answered(ledger, symbol, (closes, splits), &mut adjusted)?;
    Ok(adjusted)
}

/// An answer may have waited until it was staged. Of a close with a split between its day and the
/// staging, the day of the answer counts; of any other both days say the same.
fn as_answered(
    ledger: &Ledger,
    symbol: &Symbol,
    (closes, splits): (&[Record], &[Record]),
    adjusted: &mut Adjusted,
) -> Result<()> {
    let mut answers: BTreeMap<BatchId, Vec<Coverage>> = BTreeMap::new();
    for record in closes {
        let Adjustment::Until(staged) = adjusted.of(record) else { continue };
        let Some(id) = record.known(code::CLOSE).map(|cell| cell.event.batch) else { continue };
        if !splits.iter().any(|split| record.day < split.day && split.day <= staged) {
            continue;
        }
        if let Entry::Vacant(unread) = answers.entry(id) {
            let Some(batch) = ledger.batches().get(id) else { continue };
            let mut facts = ledger.known_manifest(&batch.stage)?.coverage;
            facts.retain(|fact| {
                fact.series == Series::Spot
                    && gave(fact)
                    && fact.symbol.as_ref().is_none_or(|of| of == symbol)
            });
            unread.insert(facts);
        }
        let of_day = answers.get(&id).into_iter().flatten();
        let of_day = of_day.filter(|fact| (fact.from..=fact.to).contains(&record.day));
        // Of two answers in one batch the later one's row counts.
        let asked = of_day.filter_map(|fact| eastern::day_of(fact.observed_ms)).max();
        if let Some(asked) = asked.filter(|asked| *asked < staged) {
            adjusted.set_day(id, record.day, Adjustment::Until(asked));
        }
    }
    Ok(())
}

/// The closes of a stock beside its splits.
#[derive(Clone, Debug)]
pub struct Closes<'a> {
    spot: &'a [Record],
    /// First day in new shares, and how many of them one old share became; ascending.
    splits: Vec<(Day, Decimal)>,
    adjusted: Adjusted,
}

/// What a stock cost while its options were quoted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Underlying {
    /// So many dollars, by the quotes themselves (`snapshot`) or the day's close (`close`).
    Cost(Decimal, &'static str),
    /// Nobody knows which splits are taken out of this close, or it lies beyond every strike.
    Doubtful(Decimal),
    /// Neither the quotes nor a close say it.
    Unknown,
}

impl<'a> Closes<'a> {
    /// Closes of a stock, ascending, and its splits.
    ///
    /// # Errors
    /// Those of [`adjustments`].
    pub fn new(
        ledger: &Ledger,
        symbol: &Symbol,
        spot: &'a [Record],
        splits: &[Record],
    ) -> Result<Self> {
        let adjusted = adjustments(ledger, symbol, spot, splits)?;
        let of = |split: &Record| {
            let [from, to] = SPLIT.map(|code| split.known(code).and_then(|c| c.value.decimal()));
            let ratio = to?.checked_div(from?).filter(|ratio| *ratio > Decimal::ZERO)?;
            Some((split.day, ratio))
        };
        Ok(Self { spot, splits: splits.iter().filter_map(of).collect(), adjusted })
    }

    /// What a stock cost while its options were quoted, and where that is from.
    ///
    /// What the quotes say themselves is taken where it is of their day, and of several the newest. Else
    /// the close of the session, multiplied back by the splits that were taken out of it. Of a file's
    /// closes that shows where the split stands or does not stand between its neighbours; where there
    /// are none, by what the strikes are near to, if that decides.
    pub fn underlying(&self, chain: &[Record], day: Day) -> Underlying {
        let told = |record: &Record| {
            let codes = [code::UNDERLYING_PRICE, code::UNDERLYING_VALUE].into_iter();
            let mut prices = codes.filter_map(|code| exact(record, code));
            // A price of another day than the quotes would pick another contract.
            let when = moved(record);
            let of_day = when.is_none_or(|at| day_of(at) == Some(day));
            let price = prices.find(|price| *price > Decimal::ZERO).filter(|_| of_day)?;
            Some((when, price))
        };
        if let Some((_, price)) = chain.iter().filter_map(told).max_by_key(|(when, _)| *when) {
            return Underlying::Cost(price, "snapshot");
        }
        let at = self.spot.binary_search_by_key(&day, |record| record.day).ok();
        let Some(record) = at.and_then(|at| self.spot.get(at)) else { return Underlying::Unknown };
        let Some(close) = exact(record, code::CLOSE) else { return Underlying::Unknown };
        let strikes: Vec<Decimal> = chain.iter().filter_map(strike).collect();
        let cost = self.in_shares_of_its_day(record, close, &strikes);
        match cost.filter(|cost| is_among(*cost, &strikes)) {
            Some(cost) => Underlying::Cost(cost, "close"),
            None => Underlying::Doubtful(close),
        }
    }

    /// A close times the splits that were taken out of it; `None` where nobody knows which those are.
    fn in_shares_of_its_day(
        &self,
        record: &Record,
        close: Decimal,
        strikes: &[Decimal],
    ) -> Option<Decimal> {
        let (mut sure, mut open) = (close, None);
        for (split, ratio) in self.splits.iter().filter(|(split, _)| *split > record.day) {
            let is_out = match self.adjusted.of(record).has_out(*split) {
                Some(is_out) => Some(is_out),
                None => self.is_out_of_neighbours(*split, *ratio),
            };
            match is_out {
                Some(true) => sure = sure.checked_mul(*ratio)?,
                Some(false) => {}
                None => open = Some(open.unwrap_or(Decimal::ONE).checked_mul(*ratio)?),
            }
        }
        let Some(open) = open else { return Some(sure) };
        let other = sure.checked_mul(open)?;
        match [sure, other].map(|price| is_near(price, strikes)) {
            [true, false] => Some(sure),
            [false, true] => Some(other),
            _ => None,
        }
    }

    /// Whether a split is taken out of closes that nobody says it of: it then makes no step between the
    /// last one before it and the next, or the market explains the step better.
    fn is_out_of_neighbours(&self, split: Day, ratio: Decimal) -> Option<bool> {
        let (before, after) = self.spot.split_at(self.spot.partition_point(|of| of.day < split));
        let near = |record: &&Record| (record.day.0 - split.0).abs() <= BESIDE;
        let before = before.last().filter(near)?;
        let close = |record: &Record| record.number(code::CLOSE).filter(|close| *close > 0.0);
        let factor = (close(after.first().filter(near)?)? / close(before)?).ln();
        // Of what others say of theirs nothing follows.
        let alike = matches!(self.adjusted.of(before), Adjustment::Unknown(on) if on >= split);
        alike.then(|| (factor + float(ratio).ln()).abs() >= factor.abs())
    }
}

fn exact(record: &Record, code: u16) -> Option<Decimal> {
    record.known(code).and_then(|cell| cell.value.decimal())
}

/// Whether a strike lies within 5 % of a price.
fn is_near(price: Decimal, strikes: &[Decimal]) -> bool {
    let far = Decimal::try_from(FAR).ok().and_then(|far| price.checked_mul(far));
    far.is_some_and(|far| strikes.iter().any(|strike| (strike - price).abs() <= far))
}

/// Whether a price lies near a strike or between two: wide strikes have it in the middle.
pub fn is_among(price: Decimal, strikes: &[Decimal]) -> bool {
    let between = strikes.iter().any(|strike| *strike <= price)
        && strikes.iter().any(|strike| *strike >= price);
    between || is_near(price, strikes)
}

/// Whether a contract is for 100 shares of the stock and nothing else, so that its strike and its price
/// can be held against the stock's. After a corporate action it may be for another number or for
/// something besides; its root ends in a digit then (`options_pipeline.md` 5.3: left out by default).
pub fn is_standard(record: &Record, symbol: &Symbol) -> bool {
    let shares = record.known(code::SHARES_PER_CONTRACT).and_then(|cell| cell.value.decimal());
    let adjusted = root(record).is_some_and(|root| {
        root.ends_with(|last: char| last.is_ascii_digit()) && !is_root_of(&root, symbol)
    });
    !adjusted && shares.is_none_or(|shares| shares == Decimal::ONE_HUNDRED)
}

/// Whether a contract's root is the stock's own: an index may have a second one at the same strikes
/// (`SPXW` beside `SPX`).
pub fn is_of_own_root(record: &Record, symbol: &Symbol) -> bool {
    root(record).is_none_or(|root| is_root_of(&root, symbol))
}

fn root(record: &Record) -> Option<String> {
    record.item.parse().ok().map(|contract: Contract| contract.root)
}

/// Whether a root spells a symbol: `BRKB` is that of `BRK.B`.
fn is_root_of(root: &str, symbol: &Symbol) -> bool {
    let letters = symbol.as_str().bytes().filter(u8::is_ascii_alphanumeric);
    letters.map(|byte| byte.to_ascii_uppercase()).eq(root.bytes())
}

/// When the underlying cost what a record says, in ns since 1970 UTC.
fn moved(record: &Record) -> Option<i64> {
    instant(record, code::UNDERLYING_UPDATED)
}

/// An instant of a record, in ns since 1970 UTC.
pub fn instant(record: &Record, code: u16) -> Option<i64> {
    ns_of(&record.known(code)?.value.to_string())
}

fn day_of(ns: i64) -> Option<Day> {
    eastern::day_of(ns.div_euclid(1_000_000))
}

/// What a contract of a chain is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Terms {
    /// Day of expiry.
    pub expiration: Day,
    /// Call or put.
    pub right: Right,
    /// Strike in dollars.
    pub strike: Decimal,
}

/// What a contract is about: each by its own column, else by the contract's name. `None` where neither
/// tells.
pub fn terms(record: &Record) -> Option<Terms> {
    let named = record.item.parse::<Contract>().ok();
    let text = |code: u16| record.known(code).map(|cell| cell.value.to_string());
    let told = text(code::EXPIRATION_DATE).and_then(|text| text.parse().ok());
    let expiration = told.or(named.as_ref().map(|named| named.expiry))?;
    let right = match text(code::CONTRACT_TYPE).as_deref() {
        Some("call") => Right::Call,
        Some("put") => Right::Put,
        Some(_) => return None,
        None => named.as_ref()?.right,
    };
    let strike = exact(record, code::STRIKE_PRICE).or(named.as_ref().map(Contract::strike))?;
    Some(Terms { expiration, right, strike })
}

/// The strike of a contract, also of one that only its name tells.
pub fn strike(record: &Record) -> Option<Decimal> {
    let named = || record.item.parse::<Contract>().ok();
    exact(record, code::STRIKE_PRICE).or_else(|| named().map(|named| named.strike()))
}

#[cfg(test)]
#[path = "traded_tests.rs"]
mod tests;
