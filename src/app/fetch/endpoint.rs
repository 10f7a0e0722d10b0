//! The services, their endpoints, and what the pages of each say: the one place that knows all three
//! forms.

use super::Question;
use crate::domain::{Day, Symbol};
use crate::net::{Ended, Unusable};
use crate::sources::answer::Refusal;
use crate::sources::{alpha_vantage, polygon, tradier};

/// A service.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Provider {
    /// Polygon (Massive).
    #[default]
    Polygon,
    /// Alpha Vantage.
    AlphaVantage,
    /// Tradier.
    Tradier,
}

/// What Polygon's answers are read as; kept with each batch.
const POLYGON: &str = "\
id = \"polygon\"\nversion = 1\n\
# Answers of the Polygon (Massive) API. Each item is an event; each leaf of it a field, a number with\n\
# the digits of the answer. Bars stand on the New York date of `t`, a chain on the session of its\n\
# quotes. What the request was, how it ended and what that says of its days is in the manifest.\n";

impl Provider {
    /// Every service.
    pub const ALL: [Self; 3] = [Self::Polygon, Self::AlphaVantage, Self::Tradier];

    /// Its name in commands and reports, and that of the reading of its answers in stage entries.
    pub fn name(self) -> &'static str {
        match self {
            Self::Polygon => "polygon",
            Self::AlphaVantage => "alpha-vantage",
            Self::Tradier => "tradier",
        }
    }

    /// Its name for a person.
    pub fn title(self) -> &'static str {
        match self {
            Self::Polygon => "Polygon",
            Self::AlphaVantage => "Alpha Vantage",
            Self::Tradier => "Tradier",
        }
    }

    /// The service whose answers were read under this name.
    pub fn of_mapping(id: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|provider| provider.name() == id)
    }

    /// How its answers are read: name, version and definition, as a batch keeps them.
    pub(super) fn mapping(self) -> (String, u32, String) {
        let definition = match self {
            Self::Polygon => POLYGON,
            Self::AlphaVantage => alpha_vantage::DEFINITION,
            Self::Tradier => tradier::DEFINITION,
        };
        (self.name().to_owned(), 1, definition.to_owned())
    }

    /// Whether its prices are as traded: no split is taken out of them.
    pub fn prices_as_traded(self) -> bool {
        self == Self::AlphaVantage
    }

    /// Whether it counts requests of a day, so that each of them is to be recorded.
    pub fn counts_days(self) -> bool {
        self == Self::AlphaVantage
    }
}

/// An endpoint of a service.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Endpoint {
    /// One of Polygon's.
    Polygon(polygon::Endpoint),
    /// One of Alpha Vantage's.
    AlphaVantage(alpha_vantage::Endpoint),
    /// Tradier's three for a chain: the quote, the expirations, each expiration's options.
    TradierChain,
}

impl From<polygon::Endpoint> for Endpoint {
    fn from(of: polygon::Endpoint) -> Self {
        Self::Polygon(of)
    }
}

impl From<alpha_vantage::Endpoint> for Endpoint {
    fn from(of: alpha_vantage::Endpoint) -> Self {
        Self::AlphaVantage(of)
    }
}

/// What a page says, cheaply.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Heard {
    /// How many items it has.
    pub(super) items: u64,
    /// The address of a next page, as the service writes it.
    pub(super) next_url: Option<String>,
    /// Further pages that follow from this one: path and query.
    pub(super) ahead: Vec<String>,
    /// How many items the service says there are, where it says so.
    pub(super) promised: Option<u64>,
}

impl Endpoint {
    /// The service.
    pub fn provider(self) -> Provider {
        match self {
            Self::Polygon(_) => Provider::Polygon,
            Self::AlphaVantage(_) => Provider::AlphaVantage,
            Self::TradierChain => Provider::Tradier,
        }
    }

    /// Whether an answer is a range of bars of one symbol, and may end or begin where they do.
    pub(super) fn is_range(self) -> bool {
        use alpha_vantage::Endpoint::Daily;
        use polygon::Endpoint::Aggs;
        matches!(self, Self::Polygon(Aggs) | Self::AlphaVantage(Daily))
    }

    /// Whether the items are bars, which must lie within the days asked.
    pub(super) fn is_bars(self) -> bool {
        self.is_range() || self == Self::Polygon(polygon::Endpoint::Grouped)
    }

    /// Whether the answer is a chain, dated by its quotes.
    pub(super) fn is_chain(self) -> bool {
        use polygon::Endpoint::{Chain, ChainContract};
        matches!(self, Self::Polygon(Chain | ChainContract) | Self::TradierChain)
    }

    /// Whether the answer is of this moment, so that an older one does not stand for it.
    pub(super) fn is_of_now(self) -> bool {
        use polygon::Endpoint::{Indices, MarketStatus, Snapshot};
        self.is_chain() || matches!(self, Self::Polygon(Snapshot | Indices | MarketStatus))
    }

    /// What a page of a question says.
    ///
    /// # Errors
    /// Why it is no answer.
    pub(super) fn hear(
        self,
        question: &Question,
        target: &str,
        body: &[u8],
    ) -> Result<Heard, Unusable> {
        match self {
            Self::Polygon(endpoint) => {
                let envelope = polygon::envelope(endpoint, body)?;
                let adjusted = question.target.contains("adjusted=true");
                let asked = question.symbol.as_ref();
                match envelope.refusal().or_else(|| envelope.astray(asked, adjusted)) {
                    Some(text) => Err(text.into()),
                    None => {
                        let (items, promised) = (envelope.items, envelope.promised);
                        let (next_url, ahead) = (envelope.next_url, Vec::new());
                        Ok(Heard { items, next_url, ahead, promised })
                    }
                }
            }
            Self::AlphaVantage(endpoint) => {
                let items = alpha_vantage::items(endpoint, question.symbol.as_ref(), body);
                Ok(Heard { items: items?, ..Heard::default() })
            }
            Self::TradierChain => Ok(tradier_page(question, target, body)?),
        }
    }
}

/// What a page of a Tradier chain says, and which pages follow from it.
fn tradier_page(question: &Question, target: &str, body: &[u8]) -> Result<Heard, Refusal> {
    let odd = || Refusal::Payload("no page of a chain is there".to_owned());
    let page = tradier::Page::of(target).ok_or_else(odd)?;
    let Some(symbol) = &question.symbol else { return Err(odd()) };
    let (items, base) = (tradier::items(page, body)?.len() as u64, tradier_base(target));
    let expiry: Option<Day> =
        question.scope.rsplit_once("expiry ").and_then(|(_, day)| day.parse().ok());
    let ahead = match (page, expiry) {
        (tradier::Page::Quote, Some(expiry)) => vec![chain_target(base, symbol, expiry)],
        (tradier::Page::Quote, None) => {
            vec![format!("{base}/markets/options/expirations?symbol={}", in_query(symbol))]
        }
        (tradier::Page::Expirations, _) => {
            let days = tradier::expirations(body)?;
            days.into_iter().map(|day| chain_target(base, symbol, day)).collect()
        }
        (tradier::Page::Chain, _) => Vec::new(),
    };
    Ok(Heard { items, ahead, ..Heard::default() })
}

/// What stands before the symbol in the paths that name one: of bars, of chains.
const BEFORE_SYMBOL: [&str; 2] = ["/v2/aggs/ticker/", "/v3/snapshot/options/"];

/// Whether a next page is of another symbol than the first one: its items may not say so. A name that
/// would pass in an answer passes here: that of an underlying in its other forms, a ticker in other
/// letters.
pub(super) fn strays(question: &Question, next: &str) -> bool {
    let Some(asked) = &question.symbol else { return false };
    let path = next.split('?').next().unwrap_or_default();
    let named = BEFORE_SYMBOL.iter().find_map(|before| Some(path.split_once(before)?.1));
    // A path of another form says nothing; it is the service's to choose.
    let Some(named) = named.and_then(|rest| rest.split('/').next()) else { return false };
    let upper = named.replace("%3a", "%3A").replace("%2f", "%2F").replace("%5e", "%5E");
    let name = upper.replace("%3A", ":").replace("%2F", "/").replace("%5E", "^");
    match question.endpoint.is_chain() {
        true => !polygon::is_underlying(&name, asked),
        false => !name.eq_ignore_ascii_case(asked.as_str()),
    }
}

/// What stands before `/markets` in an address, such as `/v1`.
fn tradier_base(target: &str) -> &str {
    target.split_once("/markets/").map_or("", |(base, _)| base)
}

fn chain_target(base: &str, symbol: &Symbol, expiry: Day) -> String {
    let symbol = in_query(symbol);
    format!("{base}/markets/options/chains?symbol={symbol}&expiration={expiry}&greeks=true")
}

/// A symbol in a path or query: what has a meaning there is written as the standard says.
pub(super) fn in_query(symbol: &Symbol) -> String {
    symbol.as_str().replace('/', "%2F").replace('^', "%5E")
}

impl From<Refusal> for Unusable {
    fn from(refusal: Refusal) -> Self {
        let (ended, text, for_today) = match refusal {
            Refusal::Payload(text) => (Ended::BadPayload, text, false),
            Refusal::Throttled { text, today } => (Ended::RateLimited, text, today),
            Refusal::NoData(text) => (Ended::NotFound, text, false),
            Refusal::Plan(text) => (Ended::NotEntitled, text, false),
            Refusal::Key(text) => (Ended::AuthFailed, text, false),
        };
        Self { ended, text, for_today }
    }
}

const NAMES: [(Endpoint, &str); 21] = {
    use alpha_vantage::Endpoint as A;
    use polygon::Endpoint as P;
    [
        (Endpoint::Polygon(P::Aggs), "aggs"),
        (Endpoint::Polygon(P::Previous), "previous"),
        (Endpoint::Polygon(P::Grouped), "grouped"),
        (Endpoint::Polygon(P::OpenClose), "open-close"),
        (Endpoint::Polygon(P::Contracts), "contracts"),
        (Endpoint::Polygon(P::Contract), "contract"),
        (Endpoint::Polygon(P::Chain), "chain"),
        (Endpoint::Polygon(P::ChainContract), "chain-contract"),
        (Endpoint::Polygon(P::Snapshot), "snapshot"),
        (Endpoint::Polygon(P::Indices), "indices"),
        (Endpoint::Polygon(P::News), "news"),
        (Endpoint::Polygon(P::Splits), "splits"),
        (Endpoint::Polygon(P::Dividends), "dividends"),
        (Endpoint::Polygon(P::Holidays), "holidays"),
        (Endpoint::Polygon(P::MarketStatus), "market-status"),
        (Endpoint::Polygon(P::Tickers), "tickers"),
        (Endpoint::Polygon(P::Ticker), "ticker"),
        (Endpoint::AlphaVantage(A::Calendar), "alpha-vantage/earnings-calendar"),
        (Endpoint::AlphaVantage(A::History), "alpha-vantage/earnings"),
        (Endpoint::AlphaVantage(A::Daily), "alpha-vantage/daily"),
        (Endpoint::TradierChain, "tradier/chain"),
    ]
};

impl Endpoint {
    /// The endpoint's name in notes and manifests.
    pub fn name(self) -> &'static str {
        NAMES.iter().find(|(known, _)| *known == self).map_or("", |(_, name)| name)
    }

    /// The endpoint of a name.
    pub(super) fn named(name: &str) -> Option<Self> {
        NAMES.iter().find(|(_, known)| *known == name).map(|(endpoint, _)| *endpoint)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Series;

    #[test]
    fn a_next_page_may_name_the_symbol_as_an_answer_may() {
        let strays = |endpoint: polygon::Endpoint, asked: &str, next: &str| {
            let question = Question {
                endpoint: endpoint.into(),
                series: Series::Chain,
                symbol: Some(Symbol::exact(asked).unwrap()),
                only: Vec::new(),
                scope: String::new(),
                from: Day(0),
                to: Day(0),
                target: String::new(),
            };
            strays(&question, next)
        };
        let chain = |asked, next: &str| {
            let next = format!("/v3/snapshot/options/{next}?cursor=a/b");
            strays(polygon::Endpoint::Chain, asked, &next)
        };
        for (asked, next) in [
            ("SPX", "I:SPX"),
            ("SPX", "I%3aSPX"),
            ("I:SPX", "SPX"),
            ("BRK/B", "BRK%2fB"),
            ("BRK/B", "BRK.B"),
        ] {
            assert!(!chain(asked, next), "{asked} {next}");
        }
        assert!(chain("SPX", "SPY") && chain("I:SPX", "I:NDX"));
        let bars = |asked, next: &str| {
            let next = format!("/v2/aggs/ticker/{next}/range/1/day/a/b?cursor=1");
            strays(polygon::Endpoint::Aggs, asked, &next)
        };
        assert!(!bars("CASE", "case") && !bars("I:VIX", "I%3AVIX") && !bars("^GSPC", "%5EGSPC"));
        assert!(bars("VOLA", "MSFT") && bars("I:SPX", "SPX"));
        assert!(!strays(polygon::Endpoint::Aggs, "VOLA", "/v2/next/page?cursor=1"));
    }
}
