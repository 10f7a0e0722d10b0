//! The rules of reading, each with a body of its own.

use super::*;
use crate::domain::{Collector, Day, Reject, Rows, Series, Severity, Value, Window};

mod defects;
mod flat;
mod golden;
mod laws;
mod strict;

/// 2026-01-01 UTC: later than every instant of the tests.
const OBSERVED: i64 = 1_767_225_600_000;

pub(super) fn page(endpoint: Endpoint, symbol: &str) -> Page {
    Page {
        endpoint,
        series: endpoint.series(),
        symbol: (!symbol.is_empty()).then(|| symbol.parse().unwrap()),
        only: Vec::new(),
        timespan: String::new(),
        range: None,
        as_of: day("2025-11-14"),
        observed_ms: OBSERVED,
        source: 3,
    }
}

pub(super) fn day(text: &str) -> Day {
    text.parse().unwrap()
}

pub(super) struct Got {
    pub(super) summary: PageSummary,
    pub(super) rows: Rows,
    pub(super) rejects: Vec<Reject>,
}

impl Got {
    pub(super) fn key(&self, index: usize) -> String {
        let row = self.rows.get(index).unwrap();
        format!("{} {} {}", row.symbol, row.head.day, row.item).trim_end().to_owned()
    }

    fn field(&self, index: usize, name: &str) -> Option<Value> {
        let row = self.rows.get(index).unwrap();
        let mut fields = row.fields().filter(|(field, _)| field.name() == name);
        fields.next().and_then(|(_, value)| value)
    }

    fn text(&self, index: usize, name: &str) -> String {
        self.field(index, name).map_or_else(|| "-".to_owned(), |value| value.to_string())
    }

    pub(super) fn codes(&self) -> Vec<&str> {
        self.summary.findings.iter().map(|finding| &*finding.code).collect()
    }

    fn finding(&self, code: &str) -> &crate::domain::Finding {
        self.summary.findings.iter().find(|finding| finding.code == code).unwrap()
    }

    fn rejected(&self) -> Vec<&str> {
        self.rejects.iter().map(|reject| &*reject.code).collect()
    }
}

pub(super) fn collect<S>(read: impl FnOnce(&mut Collector<'_, ()>) -> S) -> (S, Rows, Vec<Reject>) {
    let (mut rows, mut rejects) = (Rows::new(), Vec::new());
    let mut flush = |window: &mut Window| -> Result<(), ()> {
        window.rows.iter().for_each(|row| rows.push_row(row));
        rejects.append(&mut window.rejects);
        Ok(())
    };
    let mut out = Collector::new(&mut flush);
    let summary = read(&mut out);
    out.finish().unwrap();
    (summary, rows, rejects)
}

pub(super) fn read(page: &Page, body: &str) -> Got {
    read_bytes(page, body.as_bytes())
}

pub(super) fn read_bytes(page: &Page, body: &[u8]) -> Got {
    let (summary, rows, rejects) = collect(|out| read_page(body, page, out).unwrap());
    let counts = summary.rows;
    assert_eq!(counts.read, counts.accepted + counts.rejected);
    assert_eq!((counts.accepted, counts.rejected), (rows.len() as u64, rejects.len() as u64));
    // Every event is an item of the body, to the byte.
    for (offset, len) in rows.heads().iter().map(|head| (head.offset, head.len)) {
        let raw = &body[offset as usize..offset as usize + len as usize];
        assert!(raw.starts_with(b"{") && raw.ends_with(b"}"));
    }
    Got { summary, rows, rejects }
}

fn bars(items: &str) -> String {
    format!(r#"{{"ticker":"AAPL","status":"OK","results":[{items}],"resultsCount":1}}"#)
}

/// A good bar of 2019-01-02 and the days after, midnight New York.
fn bar(days: i64, more: &str) -> String {
    let t = 1_546_405_200_000 + days * 86_400_000;
    format!(r#"{{"o":10,"h":12,"l":9,"c":11,"v":5{more},"t":{t}}}"#)
}

#[test]
fn numbers_survive_to_the_character() {
    let body = bars(
        r#"{"v":3.7039737e+07,"vw":155.5485,"o":154.890,"c":157.92,"h":158.85,"l":154.23,"t":1546405200000,"n":1,"otc":true}"#,
    );
    let got = read(&page(Endpoint::Aggs, "AAPL"), &body);
    assert_eq!(got.key(0), "AAPL 2019-01-02");
    let row = got.rows.get(0).unwrap();
    let fields: Vec<_> =
        row.fields().map(|(f, v)| format!("{}={}", f.name(), v.unwrap())).collect();
    let want = "volume=3.7039737e+07 vwap=155.5485 open=154.890 close=157.92 high=158.85 \
                low=154.23 t=1546405200000 transactions=1 otc=true";
    assert_eq!(fields.join(" "), want);
    assert_eq!((row.head.line, row.head.source), (1, 3));
    assert_eq!(got.codes(), [""; 0]);
    assert_eq!(got.summary.days, Some((day("2019-01-02"), day("2019-01-02"))));
}

#[test]
fn bars_are_keyed_by_new_york_time() {
    let mut page = page(Endpoint::Aggs, "AAPL");
    (page.series, page.timespan) = (Series::Bars, "1minute".into());
    let at = |t: i64| bars(&format!(r#"{{"o":1,"h":1,"l":1,"c":1,"t":{t}}}"#));
    // 14:30Z in winter is 09:30.
    assert_eq!(read(&page, &at(1_546_439_400_000)).key(0), "AAPL 2019-01-02 1minute 09:30");
    assert_eq!(read(&page, &at(1_562_160_600_000)).key(0), "AAPL 2019-07-03 1minute 09:30");
    let odd = read(&page, &at(1_562_160_615_000));
    assert_eq!(
        (&*odd.key(0), odd.codes()),
        ("AAPL 2019-07-03 1minute 09:30:15", vec!["time_grid"])
    );
    page.timespan = "1day".into();
    assert_eq!(read(&page, &at(1_562_126_400_000)).key(0), "AAPL 2019-07-03 1day");
    // An index's day begins at midnight Central.
    (page.series, page.timespan) = (Series::Index, String::new());
    assert_eq!(read(&page, &at(1_677_045_600_000)).key(0), "AAPL 2023-02-22");
}

#[test]
fn bars_that_cannot_be_are_rejected() {
    let page = page(Endpoint::Aggs, "AAPL");
    for (item, code) in [
        (r#"{"o":0,"h":1,"l":1,"c":1,"t":1546405200000}"#, "nonpositive"),
        (r#"{"o":1,"h":1,"l":1.1,"c":1,"t":1546405200000}"#, "ohlc"),
        (r#"{"o":1,"h":0.9,"l":0.8,"c":1,"t":1546405200000}"#, "ohlc"),
        (r#"{"o":1,"h":1,"l":1,"c":1,"v":-1,"t":1546405200000}"#, "volume"),
        (r#"{"o":1,"h":1,"l":1,"c":null,"t":1546405200000}"#, "missing"),
        (r#"{"o":1,"h":1,"l":1,"t":1546405200000}"#, "missing"),
        (r#"{"o":1,"h":1,"l":1,"c":1}"#, "missing_key"),
        (r#"{"o":1,"h":1,"l":1,"c":1,"t":"soon"}"#, "missing_key"),
        (r#"{"o":1,"h":1,"l":1,"c":1,"t":99999999999999999999999}"#, "missing_key"),
        (r#"{"o":1,"h":1,"l":1,"c":1,"c":2,"t":1546405200000}"#, "duplicate_key"),
        ("7", "not_an_object"),
        ("null", "not_an_object"),
    ] {
        let got = read(&page, &bars(item));
        assert_eq!((got.rejected(), got.rows.len()), (vec![code], 0), "{item}");
        assert_eq!(*got.rejects[0].raw, *item);
        let finding = got.finding(code);
        assert_eq!((finding.severity, finding.count, finding.line), (Severity::Reject, 1, Some(1)));
    }
    assert_eq!(
        read(&Page { symbol: None, ..page }, &bars(&bar(0, ""))).rejected(),
        ["missing_key"]
    );
}

#[test]
fn odd_bars_are_kept_with_a_remark() {
    let page = page(Endpoint::Aggs, "AAPL");
    let codes = |items: &str| {
        let got = read(&page, &bars(items));
        (got.rows.len(), got.codes().join(" "))
    };
    assert_eq!(codes(&bar(0, r#","vw":12.05"#)), (1, String::new()));
    assert_eq!(codes(&bar(0, r#","vw":12.1"#)), (1, "vwap_range".into()));
    assert_eq!(codes(&bar(0, "").replace("\"v\":5", "\"v\":0")), (1, "zero_volume".into()));
    // A clock that is off by a year loses nothing.
    assert_eq!(codes(&bar(9_999, "")), (1, "future_time".into()));
    let both = |one: i64, two: i64| codes(&format!("{},{}", bar(one, ""), bar(two, "")));
    assert_eq!(both(0, 1), (2, String::new()));
    // Descending pages have an order too.
    assert_eq!(both(1, 0), (2, String::new()));
    let three = format!("{},{},{}", bar(1, ""), bar(0, ""), bar(2, ""));
    assert_eq!(codes(&three), (3, "order".into()));
}

#[test]
fn days_that_were_not_asked_for_are_rejected() {
    let range = Some((day("2019-01-02"), day("2019-01-03")));
    let mut page = Page { range, ..page(Endpoint::Aggs, "AAPL") };
    let body = bars(&format!("{},{},{}", bar(0, ""), bar(1, ""), bar(2, "")));
    let got = read(&page, &body);
    assert_eq!((got.rows.len(), got.rejected()), (2, vec!["wrong_day"]));
    // A week begins before the first day asked for.
    page.timespan = "1week".into();
    assert_eq!(read(&page, &body).rows.len(), 3);
}

#[test]
fn no_bar_is_taken_after_a_contract_ends() {
    let mut page = page(Endpoint::Aggs, "O:AAPL190103C00100000");
    (page.series, page.timespan) = (Series::Bars, "1day".into());
    let got = read(&page, &bars(&format!("{},{}", bar(1, ""), bar(2, ""))));
    assert_eq!((got.rows.len(), got.rejected()), (1, vec!["expired"]));
    // A ticker that cannot be read has no expiry, and none is made up.
    page.symbol = Some("O:AAPL".parse().unwrap());
    assert_eq!(read(&page, &bars(&bar(2, ""))).rows.len(), 1);
}

#[test]
fn repeated_items_are_told_from_contradicting_ones() {
    let page = page(Endpoint::Aggs, "AAPL");
    let one = bar(0, "");
    let turned = r#"{"t":1546405200000,"c":11.0,"o":10,"l":9,"h":12,"v":5}"#;
    let got = read(&page, &bars(&format!("{one}, {one},{turned}")));
    assert_eq!((got.rows.len(), got.codes()), (1, vec!["dup_in_page"]));
    assert_eq!((got.finding("dup_in_page").count, got.summary.rows.blank), (2, 2));
    // What contradicts is kept, and what returns to the first is kept again: the last one counts.
    let other = one.replace("\"c\":11", "\"c\":10");
    let got = read(&page, &bars(&format!("{one},{other},{one}")));
    assert_eq!(got.rows.len(), 3);
}

#[test]
fn a_new_path_never_takes_the_name_of_a_known_field() {
    let got = read(&page(Endpoint::Aggs, "A"), &bars(&bar(0, r#","close":99"#)));
    assert_eq!((&*got.text(0, "close"), &*got.text(0, "$.close")), ("11", "99"));
}

#[test]
fn previous_and_grouped_name_their_symbols_exactly() {
    let item = |ticker: &str| {
        bar(0, &format!(r#","T":"{ticker}""#)).replace("1546405200000", "1549054800000")
    };
    let body = bars(&format!("{},{},{}", item("BRKpA"), item("BRKPA"), item("A B")));
    let got = read(&page(Endpoint::Grouped, ""), &body);
    assert_eq!((got.key(0), got.key(1)), ("BRKpA 2019-02-01".into(), "BRKPA 2019-02-01".into()));
    assert_eq!((got.rows.len(), got.rejected()), (2, vec!["missing_key"]));
    // The key holds the ticker; it is no field.
    assert!(got.rows.shapes().iter().all(|shape| shape.iter().all(|f| f.name() != "T")));
    let mut previous = page(Endpoint::Previous, "X");
    assert_eq!(read(&previous, &bars(&item("X"))).key(0), "X 2019-02-01");
    previous.series = Series::Bars;
    assert_eq!(read(&previous, &bars(&item("X"))).key(0), "X 2019-02-01 1day");
}

#[test]
fn open_and_close_are_one_flat_item() {
    let body = r#"{"status":"OK","from":"2023-03-10T00:00:00.000Z","symbol":"I:NDX","open":1,"high":2,"low":1,"close":2,"afterHours":3,"preMarket":4,"otc":true}"#;
    let got = read(&page(Endpoint::OpenClose, "I:NDX"), body);
    assert_eq!(got.key(0), "I:NDX 2023-03-10");
    assert_eq!((&*got.text(0, "after_hours"), &*got.text(0, "pre_market")), ("3", "4"));
    assert_eq!((&*got.text(0, "from"), &*got.text(0, "status")), ("2023-03-10T00:00:00.000Z", "-"));
    assert_eq!(got.codes(), [""; 0]);
    let odd = read(&page(Endpoint::OpenClose, "I:NDX"), &body.replace("\"OK\"", "\"STALE\""));
    assert_eq!((odd.codes(), odd.rows.len()), (vec!["drift_enum"], 1));
    // Bars of options are all in one view, whatever tells of them.
    let mut option = page(Endpoint::OpenClose, "I:NDX");
    option.series = Series::Bars;
    assert_eq!(read(&option, body).key(0), "I:NDX 2023-03-10 1day");
    let none = r#"{"status":"NOT_FOUND","request_id":"a","message":"Data not found."}"#;
    assert_eq!(read(&page(Endpoint::OpenClose, "A"), none).summary.rows.read, 0);
}

#[test]
fn contracts_are_listed_on_the_day_asked_for() {
    let body = r#"{"results":[{"ticker":"O:AAPL251219C00275000","underlying_ticker":"AAPL","contract_type":"call","expiration_date":"2025-12-19","strike_price":275,"shares_per_contract":100,"additional_underlyings":[{"amount":1.50,"type":"x","underlying":"Y"}]},
        {"ticker":"O:AAPL251219C00275000X","contract_type":"put","expiration_date":"2025-12-19","strike_price":52.5}]}"#;
    let got = read(&page(Endpoint::Contracts, "AAPL"), body);
    assert_eq!(got.key(0), "AAPL 2025-11-14 O:AAPL251219C00275000");
    assert_eq!(
        got.text(0, "additional_underlyings"),
        r#"[{"amount":1.50,"type":"x","underlying":"Y"}]"#
    );
    // A ticker that cannot be read is kept as text, with its own strike and a remark.
    assert_eq!(got.key(1), "AAPL 2025-11-14 O:AAPL251219C00275000X");
    assert_eq!((&*got.text(1, "strike_price"), got.codes()), ("52.5", vec!["option_ticker"]));
    // One underlying in two spellings: that of the question, by which it is looked for.
    for (asked, told) in [("I:SPX", "SPX"), ("SPX", "I:SPX"), ("BRK/B", "BRK.B")] {
        let body = body.replace(
            "\"underlying_ticker\":\"AAPL\"",
            &format!("\"underlying_ticker\":\"{told}\""),
        );
        let got = read(&page(Endpoint::Contracts, asked), &body);
        assert_eq!(got.key(0), format!("{asked} 2025-11-14 O:AAPL251219C00275000"));
    }
    // Without an underlying of its own, a contract belongs to the one asked for, or to nobody.
    assert_eq!(read(&page(Endpoint::Contracts, ""), body).rejected(), ["missing_key"]);
    let wrong = body.replace("\"strike_price\":275", "\"strike_price\":27.5");
    let got = read(&page(Endpoint::Contracts, "AAPL"), &wrong);
    assert_eq!(got.codes(), ["option_ticker", "option_mismatch"]);
}

#[test]
fn chains_have_a_day_from_the_caller_and_times_of_their_own() {
    let body = r#"{"results":[{"day":{},"last_trade":{},"greeks":{},"details":{"contract_type":"call","expiration_date":"2024-06-04","strike_price":452,"ticker":"O:SPY240604C00452000"},"implied_volatility":0.555,"last_quote":{"bid":72.74,"last_updated":1717077435712917248},"underlying_asset":{"ticker":"SPY","last_updated":1717200000000000000,"price":524.56}}],"status":"DELAYED"}"#;
    let mut asked = page(Endpoint::Chain, "");
    asked.as_of = day("2024-05-30");
    let got = read(&asked, body);
    assert_eq!(got.key(0), "SPY 2024-05-30 O:SPY240604C00452000");
    let names = ["bid", "quote_updated", "implied_volatility", "underlying_price", "strike_price"];
    let values = names.map(|name| got.text(0, name));
    assert_eq!(values, ["72.74", "1717077435712917248", "0.555", "524.56", "452"]);
    assert_eq!((got.codes(), got.rows.get(0).unwrap().values.len()), (vec![""; 0], 9));
    let times = session_times(body.as_bytes()).unwrap();
    assert_eq!(
        (times.options, times.underlying),
        (Some(day("2024-05-30")), Some(day("2024-05-31")))
    );
    assert_eq!(times.options_ms, Some(1_717_077_435_712));
    let one =
        body.replace("\"results\":[", "\"results\":").replace("}],\"status\"", "},\"status\"");
    assert_eq!(session_times(one.as_bytes()), Some(times));
    assert_eq!(read(&page(Endpoint::ChainContract, "SPY"), &one).rows.len(), 1);
    // Snapshots are wiped to zeros at night: no time at all.
    assert_eq!(session_times(br#"{"results":[{"day":{"last_updated":0}}]}"#), None);
    assert_eq!(session_times(b"<html>"), None);
}

#[test]
fn snapshots_keep_what_failed_apart() {
    let body = r#"{"results":[{"ticker":"I:VIX","value":13.33,"last_updated":1690574400000000000},{"ticker":"APy","error":"NOT_ENTITLED","message":"Not entitled to this ticker."},{"ticker":"O:AAPL251219C00275000","type":"warrants","greeks":{"delta":0.5}}]}"#;
    let got = read(&page(Endpoint::Snapshot, ""), body);
    let keys = ["I:VIX 2023-07-28", "O:AAPL251219C00275000 2025-11-14"];
    assert_eq!([got.key(0), got.key(1)], keys);
    let error = &got.summary.errors[0];
    assert_eq!(
        (&*error.ticker, &*error.code, &*error.message),
        ("APy", "NOT_ENTITLED", "Not entitled to this ticker.")
    );
    assert_eq!(
        (got.codes(), &*got.text(1, "greeks.delta")),
        (vec!["ticker_error", "drift_enum"], "0.5")
    );
}

#[test]
fn corporate_actions_are_keyed_by_their_days() {
    let splits = r#"{"results":[{"execution_date":"2020-08-31","split_from":1,"split_to":4,"ticker":"AAPL","id":"E1"},{"split_from":1,"split_to":4,"ticker":"AAPL"}]}"#;
    let got = read(&page(Endpoint::Splits, ""), splits);
    assert_eq!((got.key(0), got.rejected()), ("AAPL 2020-08-31".into(), vec!["missing_key"]));
    assert_eq!((&*got.text(0, "split_to"), &*got.text(0, "id")), ("4", "E1"));
    let dividends = r#"{"results":[{"ex_dividend_date":"2025-06-12","cash_amount":0.59375,"dividend_type":"CD","ticker":"X"},{"ex_dividend_date":"2025-06-12","cash_amount":1.0,"dividend_type":"SC","id":"E2","ticker":"X"}]}"#;
    let got = read(&page(Endpoint::Dividends, ""), dividends);
    assert_eq!((got.key(0), got.key(1)), ("X 2025-06-12 CD".into(), "X 2025-06-12 E2".into()));
    assert_eq!((&*got.text(0, "dividend_type"), &*got.text(1, "dividend_type")), ("CD", "SC"));
}

#[test]
fn the_calendar_is_a_bare_list_or_a_flat_object() {
    let upcoming = r#"[{"date":"2025-12-24","exchange":"NYSE","name":"Christmas","status":"early-close","open":"2025-12-24T14:30:00.000Z"},{"date":"2025-12-25","exchange":"NYSE","name":"Christmas","status":"holiday"}]"#;
    let got = read(&page(Endpoint::Holidays, ""), upcoming);
    assert_eq!((got.key(0), got.codes()), ("NYSE 2025-12-24".into(), vec!["drift_enum"]));
    assert_eq!(got.text(0, "status"), "early-close");
    let now = r#"{"market":"open","serverTime":"2022-04-28T23:48:08-04:00","exchanges":{"nyse":"open"},"afterHours":false}"#;
    let got = read(&page(Endpoint::MarketStatus, ""), now);
    assert_eq!(got.key(0), "US 2022-04-28 2022-04-28T23:48:08-04:00");
    assert_eq!(
        (&*got.text(0, "status"), &*got.text(0, "exchanges.nyse"), got.codes().len()),
        ("open", "open", 0)
    );
}

#[test]
fn envelopes_tell_answers_from_what_is_none() {
    let aggs = |body: &str| envelope(Endpoint::Aggs, body.as_bytes());
    for empty in
        ["{}", r#"{"results":null}"#, r#"{"results":{}}"#, r#"{"resultsCount":0,"status":"OK"}"#]
    {
        assert_eq!(aggs(empty).unwrap().items, 0, "{empty}");
    }
    let one = aggs(r#"{"status":"OK","results":[{}],"next_url":"https://e.org/n"}"#).unwrap();
    assert_eq!(
        (one.items, one.status.as_deref(), one.next_url.as_deref()),
        (1, Some("OK"), Some("https://e.org/n"))
    );
    let failed = aggs(r#"{"status":"ERROR","error":"Unknown API Key"}"#).unwrap();
    assert_eq!(failed.text.as_deref(), Some("Unknown API Key"));
    let refusal = |body: &str| aggs(body).unwrap().refusal();
    let said = "an answer without data says: Unknown API Key";
    assert_eq!(failed.refusal().as_deref(), Some(said));
    assert!(refusal(r#"{"status":"NOT_AUTHORIZED"}"#).is_some());
    assert!(refusal(r#"{"message":"try again"}"#).is_some());
    for fine in [r#"{"status":"DELAYED"}"#, r#"{"results":null}"#, r#"{"resultsCount":0}"#] {
        assert_eq!(refusal(fine), None, "{fine}");
    }
    for (body, want) in [
        ("", "the body is empty"),
        (" \n", "the body is empty"),
        ("<html>", "the body is HTML, not JSON"),
        (r#"{"results":[{"o":1"#, "the body is cut short"),
        (r#"{"results":[]"#, "the body is cut short"),
        ("[]", "the body is a list where an object is due"),
        ("7", "the body is a number where an object is due"),
        (r#"{"results":7}"#, "`results` is a number where a list is due"),
        (r#"{"results":{"o":1}}"#, "`results` is an object where a list is due"),
        (r#"{"results":[NaN]}"#, "the body is not JSON"),
        ("{}{}", "the body is not JSON"),
    ] {
        let text = aggs(body).unwrap_err();
        assert!(text.starts_with(want), "{body}: {text}");
        let got = read(&page(Endpoint::Aggs, "A"), body);
        assert_eq!((got.codes(), got.rows.len()), (vec!["bad_payload"], 0), "{body}");
    }
    assert!(envelope(Endpoint::Holidays, b"{}").is_err());
    let failed = envelope(Endpoint::Holidays, br#"{"status":"ERROR","error":"x"}"#);
    assert_eq!(failed.unwrap().text.as_deref(), Some("x"));
    assert_eq!(envelope(Endpoint::Holidays, b"[{},{}]").unwrap().items, 2);
    assert!(envelope(Endpoint::Ticker, br#"{"results":[]}"#).is_err());
}

#[test]
fn nothing_is_cut_off_without_a_word() {
    let many = |value: &str| (0..1_100).map(|i| format!(r#""k{i}":{value},"#)).collect::<String>();
    let asked = page(Endpoint::Aggs, "AAPL");
    for more in [many("1"), many("{}"), format!(r#""x":{{{}"z":1}},"#, many("{}"))] {
        let item = bar(0, "").replacen('{', &format!("{{{more}"), 1);
        assert_eq!(read(&asked, &bars(&item)).rejected(), ["too_many_fields"]);
    }
    let body = bars(&bar(0, "")).replacen('{', &format!("{{{}", many("1")), 1);
    assert_eq!(read(&asked, &body).codes(), ["bad_payload"]);
    // A thousand fields in a hundred items are many paths, and few findings.
    let items: Vec<String> = (0..100)
        .map(|i| bar(i, &(0..10).map(|k| format!(r#","n{i}_{k}":1.0"#)).collect::<String>()))
        .collect();
    let got = read(&asked, &bars(&items.join(",")));
    assert_eq!((got.rows.len(), got.rejects.len(), got.codes().len()), (100, 0, 201));
}
