//! Answers with a 200 that are none, are about something else, or say what cannot be.

use super::*;
use crate::domain::Symbol;

fn symbol(text: &str) -> Symbol {
    text.parse().unwrap()
}

#[test]
fn a_body_that_says_nothing_or_refuses_is_no_answer() {
    let refusal =
        |of: Endpoint, body: &str| envelope(of, body.as_bytes()).map(|told| told.refusal());
    let one = r#"{"o":1}"#;
    for body in [
        "{}",
        r#"{"msg":"service unavailable","code":503}"#,
        r#"{"status":503}"#,
        &format!(r#"{{"status":"ERROR","error":"timeout, partial results","results":[{one}]}}"#),
        &format!(r#"{{"status":"NOT_ENTITLED","results":[{one}]}}"#),
    ] {
        assert!(refusal(Endpoint::Aggs, body).unwrap().is_some(), "{body}");
    }
    for body in ["{}", r#"{"code":503}"#, r#"{"status":"ERROR","error":"Unknown API Key"}"#] {
        assert!(refusal(Endpoint::MarketStatus, body).unwrap().is_some(), "{body}");
        assert!(answers(body.as_bytes()).is_err(), "{body}");
    }
    for body in ["", "<html>", "[]"] {
        assert!(answers(body.as_bytes()).is_err(), "{body}");
    }
    assert_eq!(answers(br#"{"market":"open","serverTime":"2022-04-28T16:48:08-04:00"}"#), Ok(()));
    // An address that is no text is not "no further page".
    let odd = refusal(Endpoint::Aggs, r#"{"status":"OK","results":[],"next_url":5}"#);
    assert_eq!(odd.unwrap_err(), "`next_url` is a number where a text is due");
    for none in ["null", r#""""#] {
        let body = format!(r#"{{"status":"OK","results":[],"next_url":{none}}}"#);
        assert_eq!(refusal(Endpoint::Aggs, &body), Ok(None), "{body}");
    }
    let promised = envelope(Endpoint::Aggs, br#"{"resultsCount":500,"results":[]}"#).unwrap();
    assert_eq!(promised.promised, Some(500));
}

#[test]
fn bars_of_another_symbol_or_as_traded_are_told() {
    let told = |body: &str| envelope(Endpoint::Aggs, body.as_bytes()).unwrap();
    let other = told(r#"{"ticker":"MSFT","status":"OK","results":[{}]}"#);
    let why = "the answer is about `MSFT`, not about AAPL";
    assert_eq!(other.astray(Some(&symbol("AAPL")), true).as_deref(), Some(why));
    assert_eq!(other.astray(Some(&symbol("MSFT")), true), None);
    assert_eq!(other.astray(None, true), None);
    let traded = told(r#"{"ticker":"A","adjusted":false,"status":"OK","results":[{}]}"#);
    assert!(traded.astray(Some(&symbol("A")), true).unwrap().contains("not adjusted"));
    assert_eq!(traded.astray(Some(&symbol("A")), false), None);
    let none = told(r#"{"ticker":"A","adjusted":false,"status":"OK","resultsCount":0}"#);
    assert_eq!(none.astray(Some(&symbol("A")), true), None);
    // Other letters: a person decides whether that is the same company.
    let body = bars(&bar(0, "")).replace("AAPL", "AApL");
    assert_eq!(told(&body).astray(Some(&symbol("AAPL")), true), None);
    let got = read(&page(Endpoint::Aggs, "AAPL"), &body);
    assert_eq!((got.rows.len(), got.codes()), (1, vec!["other_symbols"]));
    assert_eq!(read(&page(Endpoint::Aggs, "AAPL"), &bars(&bar(0, ""))).codes(), [""; 0]);
}

#[test]
fn an_event_of_another_symbol_is_no_event_of_the_one_asked_for() {
    let split = r#"{"execution_date":"2020-08-31","split_from":1,"split_to":4,"ticker":"MSFT"}"#;
    let dividend = r#"{"ex_dividend_date":"2025-06-12","cash_amount":1.5,"ticker":"MSFT"}"#;
    let ticker = r#"{"ticker":"MSFT","name":"Microsoft","market":"stocks","locale":"us"}"#;
    let contract = r#"{"ticker":"O:MSFT251219C00275000","underlying_ticker":"MSFT","contract_type":"call","expiration_date":"2025-12-19","strike_price":275}"#;
    let option = r#"{"details":{"ticker":"O:MSFT251219C00275000","contract_type":"call","expiration_date":"2025-12-19","strike_price":275},"underlying_asset":{"ticker":"MSFT"}}"#;
    for (of, item) in [
        (Endpoint::Splits, split),
        (Endpoint::Dividends, dividend),
        (Endpoint::Ticker, ticker),
        (Endpoint::Contracts, contract),
        (Endpoint::Chain, option),
    ] {
        let list = if of == Endpoint::Ticker { item.to_owned() } else { format!("[{item}]") };
        let body = format!(r#"{{"status":"OK","results":{list}}}"#);
        assert_eq!(read(&page(of, "AAPL"), &body).rejected(), ["other_symbol"], "{of:?}");
        assert_eq!(read(&page(of, "MSFT"), &body).rejected(), [""; 0], "{of:?}");
    }
    // An article names whom it is about; one that names nobody is about whom it was asked.
    for (asked, told, code) in [
        ("AAPL", r#"["MSFT","AMD"]"#, &["other_symbol"][..]),
        ("AMD", r#"["MSFT","AMD"]"#, &[]),
        ("BACPB", r#"["BACpB"]"#, &[]),
        ("BRK.B", r#"["BRK/B"]"#, &[]),
        ("AAPL", "[]", &[]),
    ] {
        let body = format!(
            r#"{{"status":"OK","results":[{{"id":"n","title":"t","published_utc":"2025-11-12T15:00:00Z","article_url":"https://p/1","publisher":{{"name":"P"}},"tickers":{told}}}]}}"#
        );
        assert_eq!(read(&page(Endpoint::News, asked), &body).rejected(), code, "{asked} {told}");
    }
    // An underlying is written in several ways.
    for (asked, told) in [("I:SPX", "SPX"), ("SPX", "I:SPX"), ("BRK.B", "BRKB"), ("BRK/B", "BRK.B")]
    {
        for (of, item) in [(Endpoint::Contracts, contract), (Endpoint::Chain, option)] {
            let item = item.replace("\"MSFT\"", &format!("\"{told}\""));
            let body = format!(r#"{{"status":"OK","results":[{item}]}}"#);
            assert_eq!(read(&page(of, asked), &body).rejected(), [""; 0], "{asked} {told}");
        }
    }
}

#[test]
fn a_price_that_no_decimal_holds_is_rejected() {
    let page = page(Endpoint::Aggs, "AAPL");
    let close = |text: &str| {
        let body = bars(&bar(0, "").replace(r#""c":11"#, &format!(r#""c":{text}"#)));
        let got = read(&page, &body);
        (got.rows.len(), got.rejected().join(""))
    };
    for text in ["1e400", "1e300", "\"NaN\"", "true", "[1]", "\"\""] {
        assert_eq!(close(text), (0, "not_a_price".into()), "{text}");
    }
    for text in ["1e-400", "\"-5\"", "-5", "0"] {
        assert_eq!(close(text).0, 0, "{text}");
    }
    for text in ["11.000", "1.1e+1", "\"11.5\"", "11.12345678901"] {
        assert_eq!(close(text), (1, String::new()), "{text}");
    }
    let all = bar(0, "").replace("10,", "1e300,").replace("12,", "1e300,").replace("9,", "1e300,");
    assert_eq!(read(&page, &bars(&all)).rejected(), ["not_a_price"]);
}

#[test]
fn days_of_rejected_items_are_told() {
    let page = page(Endpoint::Aggs, "AAPL");
    let odd = bar(1, "").replace(r#""h":12"#, r#""h":1"#);
    let undated = bar(2, "").replace(r#""t":"#, r#""x":"#);
    let got = read(&page, &bars(&[bar(0, ""), odd, undated].join(",")));
    assert_eq!(got.rejected(), ["ohlc", "missing_key"]);
    assert!(got.summary.rejected_days.iter().eq([&day("2019-01-03")]));
    assert_eq!(got.summary.undated, 1);
}

#[test]
fn fields_of_the_vendor_never_take_the_names_that_records_have() {
    let names = ["date", "symbol", "series", "item", "fill", "position", "event", "Date", "$.date"];
    let more: String = names.iter().map(|name| format!(r#","{name}":"EVIL""#)).collect();
    let got = read(&page(Endpoint::Aggs, "AAPL"), &bars(&bar(0, &more)));
    for name in names {
        assert_eq!(got.field(0, name).is_some(), name == "$.date", "{name}");
        assert_eq!(got.text(0, &format!("$.{name}")), "EVIL", "{name}");
    }
}

#[test]
fn a_page_has_a_bound_and_may_begin_with_a_mark() {
    let body = format!(r#"{{"status":"OK","results":[{}1]}}"#, "1,".repeat(100_000));
    let error = envelope(Endpoint::Aggs, body.as_bytes()).unwrap_err();
    assert_eq!(error, "the body has more than 100000 items");
    let marked = format!("\u{feff}{}", bars(&bar(0, "")));
    assert_eq!(envelope(Endpoint::Aggs, marked.as_bytes()).unwrap().items, 1);
    assert_eq!(read(&page(Endpoint::Aggs, "AAPL"), &marked).rows.len(), 1);
}
