//! The defects of the program that this one follows (`options_pipeline.md` 28), those that concern
//! reading: one named test each. D16, the silent overwrite, is the ledger's.

use super::*;

const ARTICLE: &str = r#"{"id":"1","title":"T","author":"A. Person","published_utc":"2025-09-23T02:00:00Z","article_url":"https://e.org/1","tickers":["GOOG","AAPL"],"publisher":{"name":"P"},"keywords":[],"insights":[{"ticker":"GOOG","sentiment":"positive","sentiment_reasoning":"g"},{"ticker":"AAPL","sentiment":"negative","sentiment_reasoning":"a"}]}"#;

#[test]
fn d8_the_time_of_a_bar_is_t_in_milliseconds() {
    let mut page = page(Endpoint::Aggs, "AAPL");
    (page.series, page.timespan) = (Series::Bars, "1minute".into());
    let at = |t: &str| read(&page, &bars(&format!(r#"{{"o":1,"h":1,"l":1,"c":1,{t}}}"#)));
    assert_eq!(at(r#""t":1562160600000"#).key(0), "AAPL 2019-07-03 1minute 09:30");
    // Another unit is never taken for it, and another name neither.
    assert_eq!(at(r#""t":1562160600"#).rejected(), ["time_range"]);
    assert_eq!(at(r#""t":1562160600000000000"#).rejected(), ["time_range"]);
    let other = at(r#""timestamp":1562160600000"#);
    assert_eq!((other.rejected(), other.codes().len()), (vec!["missing_key"], 3));
}

#[test]
fn d11_two_articles_of_one_second_are_two() {
    let other = ARTICLE.replace("e.org/1", "e.org/2");
    let body = format!(r#"{{"results":[{ARTICLE},{other}]}}"#);
    assert_eq!(read(&page(Endpoint::News, "AAPL"), &body).rows.len(), 2);
    let same = format!(r#"{{"results":[{ARTICLE},{ARTICLE}]}}"#);
    assert_eq!(read(&page(Endpoint::News, "AAPL"), &same).rows.len(), 1);
}

#[test]
fn d12_no_sentiment_is_another_tickers() {
    let body = format!(r#"{{"results":[{ARTICLE}],"count":10}}"#);
    let got = read(&page(Endpoint::News, "AAPL"), &body);
    // 02:00Z is still the evening before in New York.
    assert_eq!(got.key(0), "AAPL 2025-09-22 https://e.org/1");
    let value = |name: &str| got.text(0, name);
    assert_eq!(
        (&*value("sentiment"), &*value("sentiment_reasoning"), &*value("publisher")),
        ("negative", "a", "P")
    );
    assert!(got.rows.get(0).unwrap().values.iter().all(|v| !v.to_string().contains("Person")));
    assert_eq!(got.codes(), [""; 0]);
    // Nobody said anything about this one, however much was said about others.
    let named = body.replace(r#""AAPL"],"publisher""#, r#""AAP","AAPL"],"publisher""#);
    let got = read(&page(Endpoint::News, "AAP"), &named);
    assert_eq!((got.field(0, "sentiment"), got.text(0, "insights").len() > 9), (None, true));
    assert_eq!(read(&page(Endpoint::News, ""), &body).key(0), "GOOG 2025-09-22 https://e.org/1");
    // V17: an unknown word is kept, and told.
    let got = read(&page(Endpoint::News, "AAPL"), &body.replace("negative", "mixed"));
    assert_eq!(
        (got.codes(), &*got.text(0, "sentiment")),
        (vec!["insight_value", "drift_enum"], "mixed")
    );
    let got = read(
        &page(Endpoint::News, "AAPL"),
        &body.replace("\"sentiment\":\"negative\"", "\"score\":0.5"),
    );
    assert!(got.finding("drift_added").text.contains("`insights[].score` is new"));
}

#[test]
fn articles_without_a_name_are_rejected_without_their_author() {
    let body = |more: &str| {
        format!(
            r#"{{"results":[{{"author":"A. Person"{more},"published_utc":"2025-09-23T02:00:00Z","tickers":["A"]}}]}}"#
        )
    };
    for more in
        [r#","title":"T""#, r#","title":"","id":"1""#, r#","title":"T","id":"","article_url":null"#]
    {
        let got = read(&page(Endpoint::News, ""), &body(more));
        assert_eq!(got.rejected(), ["news_key"], "{more}");
        assert!(got.rejects[0].raw.starts_with(r#"{"author":"","#), "{}", got.rejects[0].raw);
    }
    assert_eq!(
        read(&page(Endpoint::News, ""), &body(r#","title":"T","id":"i""#)).key(0),
        "A 2025-09-22 i"
    );
}

#[test]
fn d20_no_contract_is_made_up_for_a_ticker_that_cannot_be_read() {
    let body = r#"{"results":[{"ticker":"AAPL???","contract_type":"put","expiration_date":"2025-12-19","strike_price":52.5},{"contract_type":"put","expiration_date":"2025-12-19","strike_price":52.5}]}"#;
    let got = read(&page(Endpoint::Contracts, "AAPL"), body);
    assert_eq!(
        (got.key(0), got.text(0, "strike_price")),
        ("AAPL 2025-11-14 AAPL???".into(), "52.5".into())
    );
    assert_eq!(
        (got.codes(), got.rejected()),
        (vec!["missing_key", "option_ticker"], vec!["missing_key"])
    );
}

#[test]
fn d25_drift_is_seen_in_what_the_service_sends() {
    // A field that no table knows is kept and told.
    let page = page(Endpoint::Aggs, "AAPL");
    let got = read(&page, &bars(&bar(0, r#","zz":{"a":[1,{"b":2}],"e":{}},"dv":"5.1""#)));
    assert_eq!(got.text(0, "zz.a"), r#"[1,{"b":2}]"#);
    assert_eq!(got.codes(), ["drift_added"]);
    let text = &got.finding("drift_added").text;
    assert_eq!(text, "/v2/aggs/ticker/{ticker}/range: `zz.a` is new, and kept under that name");
    // Volume of an index is news.
    let index = Page { series: Series::Index, ..page.clone() };
    let got = read(&index, &bars(&bar(0, "")));
    assert_eq!((got.codes(), &*got.text(0, "v")), (vec!["drift_added"], "5"));
    // A number that became a text is kept.
    let got = read(&page, &bars(&bar(0, "").replace("\"c\":11", "\"c\":\"11\"")));
    assert_eq!(
        (got.codes(), got.field(0, "close")),
        (vec!["drift_type"], Some(Value::Text("11".into())))
    );
    let got = read(&page, &bars(&bar(0, "").replace("\"v\":5", "\"v\":{\"all\":5}")));
    assert_eq!((got.codes(), &*got.text(0, "v.all")), (vec!["drift_type", "drift_added"], "5"));
    // A documented path that is nowhere.
    let contracts = super::page(Endpoint::Contracts, "A");
    let body = r#"{"status":"WEIRD","odd":1,"results":[{"ticker":"O:A251219C00001000","contract_type":"swap","expiration_date":"2025-12-19"}]}"#;
    let got = read(&contracts, body);
    assert_eq!(got.codes(), ["drift_enum", "drift_removed", "drift_enum", "drift_added"]);
    assert_eq!(got.rows.len(), 1);
}
