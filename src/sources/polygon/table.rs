//! What is known of each endpoint's items: where they are, and which JSON path is which field.
//!
//! The tables themselves are in `tables`. Paths are those of `polygon.md` and of the vendor's
//! specification; what stands in none of them is kept under its own path and noted as drift.

use super::{Endpoint, tables};
use crate::domain::Series;

/// Where the items of a body are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// In the array `results`.
    List,
    /// The object `results` is the only one.
    Object,
    /// The body is an array of them.
    Bare,
    /// The body itself is the only one.
    Flat,
}

/// The type of a JSON value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Number,
    Text,
    Bool,
    List,
    /// The vendor has written it in several ways.
    Any,
}

impl Kind {
    /// The type of a value, by its source text; `None` for `null`, which fits every type.
    pub(super) fn of(raw: &str) -> Option<Self> {
        match raw.as_bytes().first() {
            Some(b'n') => None,
            Some(b't' | b'f') => Some(Self::Bool),
            Some(b'"') => Some(Self::Text),
            Some(b'[') => Some(Self::List),
            Some(b'{') => Some(Self::Any),
            _ => Some(Self::Number),
        }
    }

    /// The word for a person.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Number => "a number",
            Self::Text => "a text",
            Self::Bool => "true or false",
            Self::List => "a list",
            Self::Any => "an object",
        }
    }
}

/// What becomes of a leaf.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Use {
    /// The field of this code.
    Code(u16),
    /// A field under its own path.
    Named,
    /// Part of the key; a field only when the key does not hold it letter by letter.
    Key,
    /// Left out of the event.
    Ignored,
}

/// One documented leaf of an item; objects above it are joined with dots.
#[derive(Clone, Copy, Debug)]
pub(super) struct Leaf {
    pub(super) path: &'static str,
    pub(super) kind: Kind,
    pub(super) goes: Use,
}

/// The paths of a bar's numbers: open, high, low, close, volume, volume-weighted price.
pub(super) type Prices = [&'static str; 6];

/// What is known of an endpoint's items.
#[derive(Debug)]
pub(super) struct Table {
    /// The view of the events.
    pub(super) series: Series,
    /// Where the items are.
    pub(super) place: Place,
    /// The documented leaves, in groups that tables share.
    pub(super) leaves: &'static [&'static [Leaf]],
    /// Paths that are in some item of every page that has items.
    pub(super) required: &'static [&'static str],
    /// Paths of words, and the words known; `insights[].sentiment` is inside a list.
    pub(super) enums: &'static [(&'static str, &'static [&'static str])],
    /// Lists of objects, and the keys known in them.
    pub(super) elements: &'static [(&'static str, &'static [&'static str])],
    /// Where the numbers of a bar are, if the items are bars.
    pub(super) prices: Option<Prices>,
}

impl Table {
    /// The table of an endpoint; for bars the asked series decides.
    pub(super) fn of(endpoint: Endpoint, series: Series) -> &'static Self {
        match (endpoint, series) {
            (Endpoint::Aggs | Endpoint::Previous | Endpoint::Grouped, Series::Bars) => {
                &tables::AGGS_BARS
            }
            (Endpoint::Aggs | Endpoint::Previous | Endpoint::Grouped, Series::Index) => {
                &tables::AGGS_INDEX
            }
            (Endpoint::Aggs | Endpoint::Previous | Endpoint::Grouped, _) => &tables::AGGS_SPOT,
            (Endpoint::OpenClose, Series::Bars) => &tables::OPEN_CLOSE_BARS,
            (Endpoint::OpenClose, Series::Index) => &tables::OPEN_CLOSE_INDEX,
            (Endpoint::OpenClose, _) => &tables::OPEN_CLOSE_SPOT,
            (Endpoint::Contracts, _) => &tables::CONTRACTS,
            (Endpoint::Contract, _) => &tables::CONTRACT,
            (Endpoint::Chain, _) => &tables::CHAIN,
            (Endpoint::ChainContract, _) => &tables::CHAIN_CONTRACT,
            (Endpoint::Snapshot | Endpoint::Indices, _) => &tables::QUOTES,
            (Endpoint::News, _) => &tables::NEWS,
            (Endpoint::Splits, _) => &tables::SPLITS,
            (Endpoint::Dividends, _) => &tables::DIVIDENDS,
            (Endpoint::Holidays, _) => &tables::HOLIDAYS,
            (Endpoint::MarketStatus, _) => &tables::MARKET_STATUS,
            (Endpoint::Tickers, _) => &tables::TICKERS,
            (Endpoint::Ticker, _) => &tables::TICKER,
        }
    }

    /// The documented leaf at a path.
    pub(super) fn leaf(&self, path: &str) -> Option<Leaf> {
        self.leaves.iter().flat_map(|group| group.iter()).find(|leaf| leaf.path == path).copied()
    }

    /// Whether documented leaves lie below a path, so that an object is due there.
    pub(super) fn is_object(&self, path: &str) -> bool {
        let mut leaves = self.leaves.iter().flat_map(|group| group.iter());
        leaves.any(|leaf| leaf.path.strip_prefix(path).is_some_and(|rest| rest.starts_with('.')))
    }

    /// The words known at a path, if it holds words of a known set.
    pub(super) fn words(&self, path: &str) -> Option<&'static [&'static str]> {
        self.enums.iter().find(|(known, _)| *known == path).map(|(_, words)| *words)
    }

    /// The keys known in the objects of a list.
    pub(super) fn element_keys(&self, path: &str) -> Option<&'static [&'static str]> {
        self.elements.iter().find(|(known, _)| *known == path).map(|(_, keys)| *keys)
    }
}

/// Keys beside the items that are documented.
pub(super) const ENVELOPE: &[&str] = &[
    "ticker",
    "queryCount",
    "resultsCount",
    "adjusted",
    "results",
    "status",
    "request_id",
    "count",
    "next_url",
    "message",
    "error",
];

/// Words known in the envelope's `status`.
pub(super) const STATUS: &[&str] =
    &["OK", "DELAYED", "ERROR", "NOT_FOUND", "NOT_AUTHORIZED", "NOT_ENTITLED"];
