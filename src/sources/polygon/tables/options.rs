//! Option contracts, chains, and the snapshots that also hold options.

use super::super::table::{Kind, Leaf, Place, Table};
use super::{key, list, named, num, text};
use crate::domain::Series;
use Kind::{Any, Number, Text};

const CONTRACT_TYPE: &[&str] = &["call", "put", "other"];
const EXERCISE: &[&str] = &["american", "european", "bermudan"];

const CONTRACT_LEAVES: &[Leaf] = &[
    key("ticker", Text),
    text("contract_type", 160),
    text("expiration_date", 161),
    num("strike_price", 162),
    num("shares_per_contract", 163),
    text("exercise_style", 164),
    text("primary_exchange", 165),
    text("cfi", 166),
    num("correction", 167),
    list("additional_underlyings", 168),
    text("underlying_ticker", 169),
];

const fn contracts(place: Place) -> Table {
    Table {
        series: Series::Contracts,
        place,
        leaves: &[CONTRACT_LEAVES],
        required: &["ticker", "contract_type", "expiration_date", "strike_price"],
        enums: &[("contract_type", CONTRACT_TYPE), ("exercise_style", EXERCISE)],
        elements: &[("additional_underlyings", &["amount", "type", "underlying"])],
        prices: None,
    }
}

pub(in crate::sources::polygon) static CONTRACTS: Table = contracts(Place::List);
pub(in crate::sources::polygon) static CONTRACT: Table = contracts(Place::Object);

const CHAIN_LEAVES: &[Leaf] = &[
    num("break_even_price", 137),
    num("implied_volatility", 100),
    num("open_interest", 101),
    num("fmv", 143),
    num("fmv_last_updated", 144),
    num("greeks.delta", 102),
    num("greeks.gamma", 103),
    num("greeks.theta", 104),
    num("greeks.vega", 105),
    num("last_quote.bid", 106),
    num("last_quote.ask", 107),
    num("last_quote.bid_size", 108),
    num("last_quote.ask_size", 109),
    num("last_quote.midpoint", 110),
    num("last_quote.bid_exchange", 111),
    num("last_quote.ask_exchange", 112),
    num("last_quote.last_updated", 113),
    text("last_quote.timeframe", 114),
    num("last_trade.price", 115),
    num("last_trade.size", 116),
    num("last_trade.exchange", 117),
    list("last_trade.conditions", 118),
    num("last_trade.sip_timestamp", 119),
    text("last_trade.timeframe", 120),
    num("day.open", 121),
    num("day.high", 122),
    num("day.low", 123),
    num("day.close", 124),
    num("day.volume", 125),
    num("day.vwap", 126),
    num("day.change", 127),
    num("day.change_percent", 128),
    num("day.previous_close", 129),
    num("day.last_updated", 130),
    num("underlying_asset.price", 131),
    text("underlying_asset.ticker", 132),
    num("underlying_asset.last_updated", 133),
    num("underlying_asset.change_to_break_even", 134),
    text("underlying_asset.timeframe", 135),
    num("underlying_asset.value", 136),
    num("details.strike_price", 138),
    text("details.expiration_date", 139),
    text("details.contract_type", 140),
    num("details.shares_per_contract", 141),
    text("details.exercise_style", 142),
    key("details.ticker", Text),
];

/// What the unified form of an option's snapshot has besides.
const CHAIN_UNIFIED: &[Leaf] = &[
    key("ticker", Text),
    text("details.underlying_ticker", 132),
    named("name", Text),
    named("type", Text),
    named("market_status", Text),
    named("session.open", Number),
    named("session.high", Number),
    named("session.low", Number),
    named("session.close", Number),
    named("session.volume", Number),
    named("session.change", Number),
    named("session.change_percent", Number),
    named("session.previous_close", Number),
    named("session.early_trading_change", Number),
    named("session.early_trading_change_percent", Number),
    named("session.late_trading_change", Number),
    named("session.late_trading_change_percent", Number),
];

const fn chain(place: Place) -> Table {
    Table {
        series: Series::Chain,
        place,
        leaves: &[CHAIN_LEAVES, CHAIN_UNIFIED],
        required: &["details.contract_type", "details.expiration_date", "details.strike_price"],
        enums: &[("details.contract_type", CONTRACT_TYPE), ("details.exercise_style", EXERCISE)],
        elements: &[],
        prices: None,
    }
}

pub(in crate::sources::polygon) static CHAIN: Table = chain(Place::List);
pub(in crate::sources::polygon) static CHAIN_CONTRACT: Table = chain(Place::Object);

pub(in crate::sources::polygon) static QUOTES: Table = Table {
    series: Series::Quotes,
    place: Place::List,
    leaves: &[
        &[
            key("ticker", Text),
            num("value", 310),
            text("name", 311),
            text("type", 312),
            text("market_status", 313),
            num("session.open", 314),
            num("session.high", 315),
            num("session.low", 316),
            num("session.close", 317),
            num("session.volume", 318),
            num("session.change", 319),
            num("session.change_percent", 320),
            num("session.previous_close", 321),
            num("last_updated", 322),
            text("timeframe", 323),
        ],
        QUOTES_REST,
    ],
    required: &["ticker"],
    enums: &[
        ("type", &["stocks", "options", "indices", "fx", "crypto", "otc"]),
        ("details.contract_type", CONTRACT_TYPE),
        ("details.exercise_style", EXERCISE),
    ],
    elements: &[],
    prices: None,
};

/// Documented in the unified snapshot, kept under their own paths.
const QUOTES_REST: &[Leaf] = &[
    named("break_even_price", Number),
    named("implied_volatility", Number),
    named("open_interest", Number),
    named("fmv", Number),
    named("fmv_last_updated", Number),
    named("session.vwap", Number),
    named("session.price", Number),
    named("session.last_updated", Number),
    named("session.decimal_volume", Any),
    named("session.early_trading_change", Number),
    named("session.early_trading_change_percent", Number),
    named("session.regular_trading_change", Number),
    named("session.regular_trading_change_percent", Number),
    named("session.late_trading_change", Number),
    named("session.late_trading_change_percent", Number),
    named("details.contract_type", Text),
    named("details.exercise_style", Text),
    named("details.expiration_date", Text),
    named("details.shares_per_contract", Number),
    named("details.strike_price", Number),
    named("details.ticker", Text),
    named("details.underlying_ticker", Text),
    named("greeks.delta", Number),
    named("greeks.gamma", Number),
    named("greeks.theta", Number),
    named("greeks.vega", Number),
    named("last_quote.ask", Number),
    named("last_quote.ask_exchange", Number),
    named("last_quote.ask_size", Number),
    named("last_quote.bid", Number),
    named("last_quote.bid_exchange", Number),
    named("last_quote.bid_size", Number),
    named("last_quote.exchange", Number),
    named("last_quote.last_updated", Number),
    named("last_quote.midpoint", Number),
    named("last_quote.timeframe", Text),
    named("last_trade.conditions", Kind::List),
    named("last_trade.exchange", Number),
    named("last_trade.id", Text),
    named("last_trade.last_updated", Number),
    named("last_trade.participant_timestamp", Number),
    named("last_trade.price", Number),
    named("last_trade.sip_timestamp", Number),
    named("last_trade.size", Number),
    named("last_trade.decimal_size", Any),
    named("last_trade.timeframe", Text),
    named("last_minute.close", Number),
    named("last_minute.high", Number),
    named("last_minute.last_updated", Number),
    named("last_minute.low", Number),
    named("last_minute.open", Number),
    named("last_minute.transactions", Number),
    named("last_minute.volume", Number),
    named("last_minute.vwap", Number),
    named("underlying_asset.change_to_break_even", Number),
    named("underlying_asset.last_updated", Number),
    named("underlying_asset.price", Number),
    named("underlying_asset.ticker", Text),
    named("underlying_asset.timeframe", Text),
    named("underlying_asset.value", Number),
];
