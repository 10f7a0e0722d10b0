//! Prices as they were traded: which closes of the ledger are such, and what a stock cost when its
//! options were quoted. Strikes never change their day's shares, closes do: after a split services
//! restate them.

use super::fetch::Provider;
use crate::domain::occ::Contract;
use crate::domain::{BatchId, Day, Symbol, code, eastern};
use crate::ledger::Ledger;
use crate::projections::view::Record;
use crate::quant::atm_iv::FAR;
use rust_decimal::Decimal;
use std::collections::BTreeSet;

/// Old and new shares of a split.
const SPLIT: [u16; 2] = [code::SPLIT_FROM, code::SPLIT_TO];

/// Whether a close came from a service that takes no split out of its prices.
pub fn is_as_traded(ledger: &Ledger, record: &Record) -> bool {
    record.known(code::CLOSE).is_some_and(|cell| is_of_such(ledger, cell.event.batch))
}

/// The batches that closes are from and that are of such a service.
pub fn batches_as_traded(ledger: &Ledger, closes: &[Record]) -> BTreeSet<BatchId> {
    let of = |record: &Record| record.known(code::CLOSE).map(|cell| cell.event.batch);
    let mut batches: Vec<BatchId> = closes.iter().filter_map(of).collect();
    // Neighbours are mostly of one batch.
    batches.dedup();
    let batches: BTreeSet<BatchId> = batches.into_iter().collect();
    batches.into_iter().filter(|batch| is_of_such(ledger, *batch)).collect()
}

fn is_of_such(ledger: &Ledger, batch: BatchId) -> bool {
    let batch = ledger.batches().get(batch);
    let service = batch.and_then(|batch| Provider::of_mapping(&batch.stage.mapping.id));
    service.is_some_and(Provider::prices_as_traded)
}

/// What a stock cost while its options were quoted, and where that is from.
///
/// What the quotes say themselves is taken where it is of their day. Else the close of the session,
/// multiplied back by the splits that it was restated for: those between its day and the day on which
/// the ledger learnt it. A file may hold closes as traded, so where no strike lies near that, the close
/// as it stands is tried; where none lies near either, nobody can tell.
pub fn underlying(
    ledger: &Ledger,
    chain: &[Record],
    close: Option<&Record>,
    splits: &[Record],
    day: Day,
) -> Option<(Decimal, &'static str)> {
    let exact = |record: &Record, code: u16| record.known(code).and_then(|c| c.value.decimal());
    // A price of another day than the quotes would pick another contract.
    let of_day = |record: &&Record| moved(record).is_none_or(|moved| moved == day);
    let told = |record: &Record| {
        let codes = [code::UNDERLYING_PRICE, code::UNDERLYING_VALUE].into_iter();
        codes.filter_map(|code| exact(record, code)).next()
    };
    if let Some(price) = chain.iter().filter(of_day).find_map(told) {
        return Some((price, "snapshot"));
    }
    let record = close.filter(|record| record.day == day)?;
    let close = exact(record, code::CLOSE)?;
    let strikes: Vec<Decimal> = chain.iter().filter_map(strike).collect();
    let near = |price: &Decimal| {
        let far = Decimal::try_from(FAR).ok().and_then(|far| price.checked_mul(far));
        far.is_some_and(|far| strikes.iter().any(|strike| (strike - price).abs() <= far))
    };
    let restated = restated(ledger, record, splits).and_then(|by| close.checked_mul(by));
    restated.into_iter().chain([close]).find(near).map(|price| (price, "close"))
}

/// By how much a close was divided since its day; `None` where it is as traded.
fn restated(ledger: &Ledger, close: &Record, splits: &[Record]) -> Option<Decimal> {
    let cell = close.known(code::CLOSE).filter(|_| !is_as_traded(ledger, close))?;
    let learnt = eastern::day_of(ledger.batches().get(cell.event.batch)?.staged_ms)?;
    let since = splits.iter().filter(|split| close.day < split.day && split.day <= learnt);
    let ratio = |split: &Record| {
        let [from, to] = SPLIT.map(|code| split.known(code).and_then(|c| c.value.decimal()));
        to?.checked_div(from?).filter(|ratio| *ratio > Decimal::ZERO)
    };
    since.filter_map(ratio).try_fold(Decimal::ONE, |all, ratio| all.checked_mul(ratio))
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

/// The day of the underlying's price in a record.
fn moved(record: &Record) -> Option<Day> {
    let ns: i64 = record.known(code::UNDERLYING_UPDATED)?.value.to_string().parse().ok()?;
    eastern::day_of(ns.div_euclid(1_000_000))
}

/// The strike of a contract, also of one that only its name tells.
pub fn strike(record: &Record) -> Option<Decimal> {
    let told = record.known(code::STRIKE_PRICE).and_then(|cell| cell.value.decimal());
    let named = || record.item.parse::<Contract>().ok();
    told.or_else(|| named().map(|contract| Decimal::new(i64::from(contract.strike_mills), 3)))
}
