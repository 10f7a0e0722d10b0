use super::*;
use crate::domain::{Collector, Series, Window};
use crate::sources::answer::Wanted;
use std::convert::Infallible;

const CHAIN: &str = r#"{"options":{"option":[
{"symbol":"TST300118C00150000","option_type":"call","strike":150.0,"expiration_date":"2030-01-18","bid":5.2,"ask":5.40,"last":5.3,"volume":80,"open_interest":900,"greeks":{"delta":0.52,"gamma":0.031,"theta":-0.21,"vega":0.11,"mid_iv":0.60,"bid_iv":0.58,"smv_vol":0.595,"updated_at":"2030-01-10 20:59:59"}},
{"symbol":"TST300118P00150000","option_type":"put","strike":150.0,"expiration_date":"2030-01-18","bid":null,"ask":null,"last":null,"volume":0,"open_interest":null,"greeks":{"delta":0,"mid_iv":0.0,"smv_vol":0.595}},
{"symbol":"TST300118C00155000","option_type":"call","strike":155,"expiration_date":"2030-01-18","bid":3,"ask":2,"greeks":null},
{"symbol":"TST300118P00155000","option_type":"put","strike":155,"expiration_date":"2030-01-18","bid":3,"ask":4,"greeks":{"mid_iv":0.0,"smv_vol":0.0}},
{"symbol":"nonsense","bid":1}, 7]}}"#;

type Told = Vec<(String, Vec<(String, String)>)>;

fn events(body: &str) -> (Told, crate::sources::polygon::PageSummary) {
    let wanted = Wanted {
        series: Series::Chain,
        symbol: Some("TST".parse().unwrap()),
        range: None,
        as_of: "2030-01-10".parse().unwrap(),
        source: 0,
    };
    let underlying = Quote { last: Some(Value::from_json_number("150.50")), last_ms: None };
    let mut windows: Vec<Window> = Vec::new();
    let mut take = |window: &mut Window| -> Result<(), Infallible> {
        windows.push(std::mem::take(window));
        Ok(())
    };
    let mut out = Collector::new(&mut take);
    let summary = read(body.as_bytes(), &wanted, &underlying, &mut out).unwrap();
    out.finish().unwrap();
    let rows = windows.iter().flat_map(|window| window.rows.iter());
    let told = rows.map(|row| {
        let fields = row.fields().map(|(field, value)| {
            (field.name().to_owned(), value.as_ref().map(ToString::to_string).unwrap_or_default())
        });
        (row.item.to_owned(), fields.collect())
    });
    (told.collect(), summary)
}

#[test]
fn options_become_events_with_the_digits_of_the_answer() {
    let (found, summary) = events(CHAIN);
    assert_eq!((summary.rows.read, summary.rows.accepted, summary.rows.rejected), (6, 4, 2));
    let field = |row: usize, name: &str| {
        found[row].1.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    };
    assert_eq!(found[0].0, "O:TST300118C00150000");
    for (name, value) in [
        ("implied_volatility", "0.60"),
        ("iv_source", "mid_iv"),
        ("strike_price", "150.0"),
        ("ask", "5.40"),
        ("underlying_price", "150.50"),
        ("greeks.updated_at", "2030-01-10 20:59:59"),
    ] {
        assert_eq!(field(0, name), Some(value), "{name}");
    }
    // No quote: the other volatility, and it is said which; a delta of zero is one.
    assert_eq!(field(1, "implied_volatility"), Some("0.595"));
    assert_eq!(field(1, "iv_source"), Some("smv_vol"));
    assert_eq!((field(1, "delta"), field(1, "bid")), (Some("0"), Some("null")));
    // No volatility at all is none, and not zero.
    for row in [2, 3] {
        assert_eq!((field(row, "implied_volatility"), field(row, "iv_source")), (None, None));
    }
    let codes: Vec<&str> = summary.findings.iter().map(|f| f.code.as_str()).collect();
    assert_eq!(codes, ["missing_key", "not_an_object", "smv_vol", "crossed_quote"]);
}

#[test]
fn a_contract_of_another_stock_is_told() {
    let of = |underlying: &str| {
        let body = format!(
            r#"{{"options":{{"option":{{"symbol":"TSTW300118C00150000","strike":150,"underlying":"{underlying}"}}}}}}"#
        );
        events(&body).1.findings.iter().map(|f| f.code.clone()).collect::<Vec<_>>()
    };
    assert_eq!(of("TST"), [""; 0], "another root is none");
    assert_eq!(of("ABC"), ["option_mismatch"]);
}

#[test]
fn one_element_and_none_are_read_as_such() {
    let one =
        r#"{"options":{"option":{"symbol":"TST300118C00150000","strike":150,"greeks":null}}}"#;
    assert_eq!(events(one).0.len(), 1);
    for none in [
        r#"{"options":null}"#,
        r#"{"options":"null"}"#,
        r#"{"options":{"option":null}}"#,
        r#"{"options":{}}"#,
    ] {
        assert_eq!(items(Page::Chain, none.as_bytes()), Ok(vec![]), "{none}");
    }
    let days = |text: &str| expirations(text.as_bytes()).map(|days| days.len());
    assert_eq!(days(r#"{"expirations":{"date":["2030-01-18","2030-01-11"]}}"#), Ok(2));
    assert_eq!(days(r#"{"expirations":{"date":"2030-01-11"}}"#), Ok(1));
    assert_eq!(days(r#"{"expirations":{"date":{"date":"2030-01-11"}}}"#), Ok(1));
    assert_eq!(days(r#"{"expirations":null}"#), Ok(0));
    assert!(days(r#"{"expirations":{"date":["soon"]}}"#).is_err());
    for odd in ["", "<html>", r#"{"options":{"opt"#, "[]", "{}", r#"{"fault":{"faultstring":"x"}}"#]
    {
        assert!(matches!(items(Page::Chain, odd.as_bytes()), Err(Refusal::Payload(_))), "{odd}");
    }
}

#[test]
fn the_quote_of_the_underlying_is_found_by_its_symbol() {
    let tst: Symbol = "TST".parse().unwrap();
    let one = r#"{"quotes":{"quote":{"symbol":"TST","last":150.50,"trade_date":1893531600000}}}"#;
    let last = |text: &str| quote(text.as_bytes(), &tst).last.map(|last| last.to_string());
    assert_eq!(last(one).as_deref(), Some("150.50"));
    let two = r#"{"quotes":{"quote":[{"symbol":"X","last":1},{"symbol":"TST","last":2}]}}"#;
    assert_eq!(last(two).as_deref(), Some("2"));
    for none in [r#"{"quotes":"null"}"#, r#"{"quotes":{"quote":{"symbol":"TST","last":null}}}"#] {
        assert_eq!(last(none), None, "{none}");
    }
    let times = session_times(Page::Quote, one.as_bytes());
    assert_eq!(times.underlying.unwrap().to_string(), "2030-01-01");
    assert_eq!(Page::of("/v1/markets/options/chains?symbol=TST"), Some(Page::Chain));
    assert_eq!(Page::of("/v1/elsewhere"), None);
}
