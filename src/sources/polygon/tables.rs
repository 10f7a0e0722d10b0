//! The tables of the endpoints, one after the other.

use super::table::{Kind, Leaf, Place, Prices, STATUS, Table, Use};
use crate::domain::Series;

const fn num(path: &'static str, code: u16) -> Leaf {
    Leaf { path, kind: Kind::Number, goes: Use::Code(code) }
}

const fn text(path: &'static str, code: u16) -> Leaf {
    Leaf { path, kind: Kind::Text, goes: Use::Code(code) }
}

const fn flag(path: &'static str, code: u16) -> Leaf {
    Leaf { path, kind: Kind::Bool, goes: Use::Code(code) }
}

const fn list(path: &'static str, code: u16) -> Leaf {
    Leaf { path, kind: Kind::List, goes: Use::Code(code) }
}

const fn named(path: &'static str, kind: Kind) -> Leaf {
    Leaf { path, kind, goes: Use::Named }
}

const fn key(path: &'static str, kind: Kind) -> Leaf {
    Leaf { path, kind, goes: Use::Key }
}

const fn left_out(path: &'static str) -> Leaf {
    Leaf { path, kind: Kind::Any, goes: Use::Ignored }
}

use Kind::{Any, Number, Text};

mod options;
mod reference;

pub(super) use options::{CHAIN, CHAIN_CONTRACT, CONTRACT, CONTRACTS, QUOTES};
pub(super) use reference::{DIVIDENDS, HOLIDAYS, MARKET_STATUS, NEWS, SPLITS, TICKER, TICKERS};

const BAR: Prices = ["o", "h", "l", "c", "v", "vw"];

/// Documented in every bar, without a code: the symbol, and the volume as text since 2026.
const BAR_REST: &[Leaf] =
    &[key("T", Text), named("dv", Any), named("decimal_volume", Any), named("dav", Any)];

const fn bars(series: Series, leaves: &'static [&'static [Leaf]]) -> Table {
    Table {
        series,
        place: Place::List,
        leaves,
        required: &["o", "h", "l", "c", "t"],
        enums: &[],
        elements: &[],
        prices: Some(BAR),
    }
}

pub(super) static AGGS_SPOT: Table = bars(
    Series::Spot,
    &[
        &[num("v", 64), num("vw", 66), num("o", 61), num("c", 60), num("h", 62), num("l", 63)],
        &[num("t", 68), num("n", 67), flag("otc", 69)],
        BAR_REST,
    ],
);

pub(super) static AGGS_BARS: Table = bars(
    Series::Bars,
    &[
        &[num("v", 184), num("vw", 185), num("o", 181), num("c", 180), num("h", 182)],
        &[num("l", 183), num("t", 187), num("n", 186), flag("otc", 188)],
        BAR_REST,
    ],
);

/// An index has neither volume nor trades: those would be news.
pub(super) static AGGS_INDEX: Table = bars(
    Series::Index,
    &[
        &[num("o", 201), num("c", 200), num("h", 202), num("l", 203), num("t", 204)],
        &[key("T", Text)],
    ],
);

const OPEN_CLOSE: &[Leaf] =
    &[left_out("status"), left_out("request_id"), key("from", Text), key("symbol", Text)];

const fn open_close(series: Series, leaves: &'static [&'static [Leaf]]) -> Table {
    Table {
        series,
        place: Place::Flat,
        leaves,
        required: &["from", "symbol", "open", "high", "low", "close"],
        enums: &[("status", STATUS)],
        elements: &[],
        prices: Some(["open", "high", "low", "close", "volume", "vwap"]),
    }
}

pub(super) static OPEN_CLOSE_SPOT: Table = open_close(
    Series::Spot,
    &[
        OPEN_CLOSE,
        &[num("open", 61), num("high", 62), num("low", 63), num("close", 60), num("volume", 64)],
        &[num("afterHours", 71), num("preMarket", 70), flag("otc", 69)],
    ],
);

pub(super) static OPEN_CLOSE_BARS: Table = open_close(
    Series::Bars,
    &[
        OPEN_CLOSE,
        &[num("open", 181), num("high", 182), num("low", 183), num("close", 180)],
        &[num("volume", 184), flag("otc", 188)],
        &[named("afterHours", Number), named("preMarket", Number)],
    ],
);

pub(super) static OPEN_CLOSE_INDEX: Table = open_close(
    Series::Index,
    &[
        OPEN_CLOSE,
        &[num("open", 201), num("high", 202), num("low", 203), num("close", 200)],
        &[named("afterHours", Number), named("preMarket", Number)],
    ],
);
