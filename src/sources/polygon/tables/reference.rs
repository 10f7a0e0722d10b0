//! News, corporate actions, the calendar and the tickers themselves.

use super::super::table::{Kind, Leaf, Place, Table};
use super::{flag, key, left_out, list, named, num, text};
use crate::domain::Series;
use Kind::{Bool, Number, Text};

pub(in crate::sources::polygon) static NEWS: Table = Table {
    series: Series::News,
    place: Place::List,
    leaves: &[&[
        text("id", 222),
        text("publisher.name", 223),
        text("publisher.homepage_url", 232),
        text("publisher.logo_url", 233),
        text("publisher.favicon_url", 234),
        text("title", 220),
        // A person's name, of no use to a ledger of prices.
        left_out("author"),
        text("published_utc", 221),
        key("article_url", Text),
        list("tickers", 226),
        text("amp_url", 230),
        text("image_url", 231),
        text("description", 224),
        list("keywords", 225),
        list("insights", 229),
    ]],
    required: &["id", "title", "published_utc", "article_url", "tickers", "publisher.name"],
    enums: &[("insights[].sentiment", &["positive", "neutral", "negative"])],
    elements: &[("insights", &["ticker", "sentiment", "sentiment_reasoning"])],
    prices: None,
};

pub(in crate::sources::polygon) static SPLITS: Table = Table {
    series: Series::Splits,
    place: Place::List,
    leaves: &[&[
        key("execution_date", Text),
        num("split_from", 250),
        num("split_to", 251),
        key("ticker", Text),
        text("id", 252),
        text("adjustment_type", 253),
        num("historical_adjustment_factor", 254),
    ]],
    required: &["execution_date", "split_from", "split_to", "ticker"],
    enums: &[],
    elements: &[],
    prices: None,
};

pub(in crate::sources::polygon) static DIVIDENDS: Table = Table {
    series: Series::Dividends,
    place: Place::List,
    leaves: &[&[
        num("cash_amount", 270),
        text("currency", 271),
        text("dividend_type", 272),
        num("frequency", 273),
        text("record_date", 274),
        text("pay_date", 275),
        text("declaration_date", 276),
        text("distribution_type", 277),
        num("historical_adjustment_factor", 278),
        num("split_adjusted_cash_amount", 279),
        key("ex_dividend_date", Text),
        key("ticker", Text),
        key("id", Text),
    ]],
    required: &["cash_amount", "ex_dividend_date", "ticker"],
    enums: &[("dividend_type", &["CD", "SC", "LT", "ST"])],
    elements: &[],
    prices: None,
};

pub(in crate::sources::polygon) static HOLIDAYS: Table = Table {
    series: Series::Calendar,
    place: Place::Bare,
    leaves: &[&[
        key("exchange", Text),
        key("date", Text),
        text("name", 291),
        text("status", 290),
        text("open", 292),
        text("close", 293),
    ]],
    required: &["exchange", "date", "name", "status"],
    enums: &[("status", &["closed", "early-close"]), ("exchange", &["NYSE", "NASDAQ", "OTC"])],
    elements: &[],
    prices: None,
};

pub(in crate::sources::polygon) static MARKET_STATUS: Table = Table {
    series: Series::Calendar,
    place: Place::Flat,
    leaves: &[
        &[
            text("market", 290),
            key("serverTime", Text),
            named("earlyHours", Bool),
            named("afterHours", Bool),
            named("exchanges.nyse", Text),
            named("exchanges.nasdaq", Text),
            named("exchanges.otc", Text),
            named("currencies.fx", Text),
            named("currencies.crypto", Text),
            left_out("status"),
            left_out("request_id"),
        ],
        INDICES_GROUPS,
    ],
    required: &["market", "serverTime"],
    enums: &[("market", &["open", "closed", "extended-hours"])],
    elements: &[],
    prices: None,
};

const INDICES_GROUPS: &[Leaf] = &[
    named("indicesGroups.s_and_p", Text),
    named("indicesGroups.societe_generale", Text),
    named("indicesGroups.msci", Text),
    named("indicesGroups.ftse_russell", Text),
    named("indicesGroups.mstar", Text),
    named("indicesGroups.mstarc", Text),
    named("indicesGroups.cccy", Text),
    named("indicesGroups.cgi", Text),
    named("indicesGroups.nasdaq", Text),
    named("indicesGroups.dow_jones", Text),
];

const TICKER_LEAVES: &[Leaf] = &[
    key("ticker", Text),
    text("name", 340),
    text("market", 341),
    text("locale", 342),
    text("primary_exchange", 343),
    text("type", 344),
    flag("active", 345),
    text("currency_name", 346),
    text("cik", 347),
    text("composite_figi", 348),
    text("share_class_figi", 349),
    text("last_updated_utc", 350),
    text("delisted_utc", 351),
    num("market_cap", 352),
    num("share_class_shares_outstanding", 353),
    named("base_currency_name", Text),
    named("base_currency_symbol", Text),
    named("currency_symbol", Text),
    named("source_feed", Text),
    named("address.address1", Text),
    named("address.address2", Text),
    named("address.city", Text),
    named("address.state", Text),
    named("address.postal_code", Text),
    named("address.country", Text),
    named("branding.logo_url", Text),
    named("branding.icon_url", Text),
    named("branding.accent_color", Text),
    named("branding.light_color", Text),
    named("branding.dark_color", Text),
    named("description", Text),
    named("homepage_url", Text),
    named("list_date", Text),
    named("phone_number", Text),
    named("round_lot", Number),
    named("sic_code", Text),
    named("sic_description", Text),
    named("ticker_root", Text),
    named("ticker_suffix", Text),
    named("total_employees", Number),
    named("weighted_shares_outstanding", Number),
];

const fn tickers(place: Place) -> Table {
    Table {
        series: Series::Tickers,
        place,
        leaves: &[TICKER_LEAVES],
        required: &["ticker", "name", "market", "locale"],
        enums: &[("market", &["stocks", "otc", "indices", "fx", "crypto", "options"])],
        elements: &[],
        prices: None,
    }
}

pub(in crate::sources::polygon) static TICKERS: Table = tickers(Place::List);
pub(in crate::sources::polygon) static TICKER: Table = tickers(Place::Object);
