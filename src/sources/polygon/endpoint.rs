//! The endpoints, and what is in the items of each.

use crate::domain::Series;

/// An endpoint of the API.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Endpoint {
    /// `/v2/aggs/ticker/…/range/…`: bars; the series decides whether they are daily.
    Aggs,
    /// `/v2/aggs/ticker/…/prev`: the last finished session.
    Previous,
    /// `/v2/aggs/grouped/…`: one daily bar per stock.
    Grouped,
    /// `/v1/open-close/…`: one flat object.
    OpenClose,
    /// `/v3/reference/options/contracts`: listed contracts.
    Contracts,
    /// `/v3/reference/options/contracts/…`: one of them.
    Contract,
    /// `/v3/snapshot/options/…`: a chain.
    Chain,
    /// `/v3/snapshot/options/…/…`: one contract of it.
    ChainContract,
    /// `/v3/snapshot`: tickers of any kind.
    Snapshot,
    /// `/v3/snapshot/indices`: index levels.
    Indices,
    /// `/v2/reference/news`.
    News,
    /// `/v3/reference/splits`, `/stocks/v1/splits`.
    Splits,
    /// `/v3/reference/dividends`, `/stocks/v1/dividends`.
    Dividends,
    /// `/v1/marketstatus/upcoming`: a bare array.
    Holidays,
    /// `/v1/marketstatus/now`: a flat object.
    MarketStatus,
    /// `/v3/reference/tickers`.
    Tickers,
    /// `/v3/reference/tickers/…`: details of one.
    Ticker,
}

impl Endpoint {
    /// The view that its items belong to; bars may also be `bars` or `index`.
    pub fn series(self) -> Series {
        match self {
            Self::Aggs | Self::Previous | Self::Grouped | Self::OpenClose => Series::Spot,
            Self::Contracts | Self::Contract => Series::Contracts,
            Self::Chain | Self::ChainContract => Series::Chain,
            Self::Snapshot | Self::Indices => Series::Quotes,
            Self::News => Series::News,
            Self::Splits => Series::Splits,
            Self::Dividends => Series::Dividends,
            Self::Holidays | Self::MarketStatus => Series::Calendar,
            Self::Tickers | Self::Ticker => Series::Tickers,
        }
    }

    /// Where the endpoint is, as the vendor's documentation writes it.
    pub fn path(self) -> &'static str {
        match self {
            Self::Aggs => "/v2/aggs/ticker/{ticker}/range",
            Self::Previous => "/v2/aggs/ticker/{ticker}/prev",
            Self::Grouped => "/v2/aggs/grouped",
            Self::OpenClose => "/v1/open-close",
            Self::Contracts => "/v3/reference/options/contracts",
            Self::Contract => "/v3/reference/options/contracts/{ticker}",
            Self::Chain => "/v3/snapshot/options/{underlying}",
            Self::ChainContract => "/v3/snapshot/options/{underlying}/{contract}",
            Self::Snapshot => "/v3/snapshot",
            Self::Indices => "/v3/snapshot/indices",
            Self::News => "/v2/reference/news",
            Self::Splits => "/v3/reference/splits",
            Self::Dividends => "/v3/reference/dividends",
            Self::Holidays => "/v1/marketstatus/upcoming",
            Self::MarketStatus => "/v1/marketstatus/now",
            Self::Tickers => "/v3/reference/tickers",
            Self::Ticker => "/v3/reference/tickers/{ticker}",
        }
    }
}
