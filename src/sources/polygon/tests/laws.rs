//! Whatever arrives, reading ends with events, findings or a refusal, and never with a panic.

use super::*;
use proptest::prelude::*;

const ENDPOINTS: [Endpoint; 17] = [
    Endpoint::Aggs,
    Endpoint::Previous,
    Endpoint::Grouped,
    Endpoint::OpenClose,
    Endpoint::Contracts,
    Endpoint::Contract,
    Endpoint::Chain,
    Endpoint::ChainContract,
    Endpoint::Snapshot,
    Endpoint::Indices,
    Endpoint::News,
    Endpoint::Splits,
    Endpoint::Dividends,
    Endpoint::Holidays,
    Endpoint::MarketStatus,
    Endpoint::Tickers,
    Endpoint::Ticker,
];

/// Reads a body as an answer of every endpoint.
fn survive(body: &[u8]) {
    for endpoint in ENDPOINTS {
        for series in [endpoint.series(), Series::Bars, Series::Index] {
            let mut page = page(endpoint, "AAPL");
            (page.series, page.timespan) = (series, "1minute".into());
            let got = read_bytes(&page, body);
            let rows = got.summary.rows;
            if let Ok(envelope) = envelope(endpoint, body) {
                assert_eq!(envelope.items, rows.read + rows.blank);
            }
        }
    }
    let _ = session_times(body);
}

/// Small bodies of every kind, to be damaged.
const SEEDS: [&str; 6] = [
    r#"{"ticker":"A","status":"OK","results":[{"T":"A","o":1,"h":2,"l":1,"c":2,"v":3.7e+07,"vw":1.5,"t":1546405200000,"n":1,"otc":true},{"T":"B","o":1,"h":2,"l":1,"c":2,"t":1546405260000}]}"#,
    r#"{"results":[{"day":{"last_updated":1651204800000000000},"details":{"ticker":"O:AAPL230616C00150000","contract_type":"call","strike_price":150,"expiration_date":"2023-06-16"},"greeks":{},"last_trade":{"conditions":[209],"price":29.25},"underlying_asset":{"ticker":"AAPL"},"ticker":"AAPL","error":null}]}"#,
    r#"{"results":[{"id":"1","title":"T\u00e9","author":"P","published_utc":"2025-09-23T02:00:00Z","article_url":"u","tickers":["AAPL"],"insights":[{"ticker":"AAPL","sentiment":"positive","sentiment_reasoning":"r"}]}],"next_url":"n"}"#,
    r#"[{"date":"2022-05-30","exchange":"NYSE","name":"Memorial Day","status":"closed"}]"#,
    r#"{"status":"OK","from":"2021-04-01","symbol":"AAPL","open":1,"high":2,"low":1,"close":2,"market":"open","serverTime":"2022-04-28T16:48:08-04:00"}"#,
    r#"{"results":{"ticker":"O:EVRI240119C00002500","underlying_ticker":"EVRI","strike_price":2.5,"name":"N","execution_date":"2020-08-31","ex_dividend_date":"2020-08-31"}}"#,
];

fn damaged() -> impl Strategy<Value = Vec<u8>> {
    let pieces = prop::sample::select(vec![
        "",
        "{",
        "}",
        "[",
        "]",
        ",",
        ":",
        "\"",
        "null",
        "true",
        "-",
        "1e999",
        "-0",
        "0",
        "{}",
        "[]",
        "\\ud800",
        "\\u0000",
        "é",
        " ",
        "99999999999999999999",
        "\"t\":1,",
        "1546405200000",
    ]);
    let change = (any::<prop::sample::Index>(), 0usize..12, pieces);
    (prop::sample::select(SEEDS.to_vec()), prop::collection::vec(change, 1..4)).prop_map(
        |(seed, changes)| {
            let mut body = seed.as_bytes().to_vec();
            for (at, cut, piece) in changes {
                let from = at.index(body.len() + 1);
                let to = (from + cut).min(body.len());
                body.splice(from..to, piece.bytes());
            }
            body
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn damaged_bodies_never_panic(body in damaged()) {
        survive(&body);
    }

    #[test]
    fn arbitrary_bytes_never_panic(body in prop::collection::vec(any::<u8>(), 0..200)) {
        survive(&body);
    }
}

#[test]
fn recorded_bodies_cut_or_damaged_never_panic() {
    let Some(data) = golden::data() else { return };
    let mut state = 7u32;
    let mut random = move |below: usize| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 8) as usize % below
    };
    for (_, asked, body) in golden::bodies(&data) {
        if body.len() > 20_000 {
            continue;
        }
        for _ in 0..20 {
            let mut bytes = body.clone().into_bytes();
            for _ in 0..3 {
                let at = random(bytes.len());
                bytes[at] = b"{}[]\",:0-e\\ \x80n"[random(14)];
            }
            read_bytes(&asked, &bytes);
            bytes.truncate(random(bytes.len()));
            read_bytes(&asked, &bytes);
        }
    }
}

#[test]
fn deep_nesting_is_kept_as_text() {
    let deep = format!("{}1{}", "{\"a\":".repeat(5_000), "}".repeat(5_000));
    let body =
        format!(r#"{{"results":[{{"o":1,"h":1,"l":1,"c":1,"t":1546405200000,"x":{deep}}}]}}"#);
    let got = read(&page(Endpoint::Aggs, "A"), &body);
    assert_eq!((got.rows.len(), got.codes()), (1, vec!["drift_added"]));
    assert!(matches!(got.rows.get(0).unwrap().values.iter().last(), Some(Value::Json(_))));
}
