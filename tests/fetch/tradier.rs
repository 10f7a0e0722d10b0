//! Tradier: a chain from its quote, its expirations and each expiration's options.

use super::responder::{Play, Responder, ok, whole};
use super::secret::{holding, holds};
use super::{Bench, KEY};
use serde_json::Value;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

/// Friday, in the session: what is answered may be another thing a minute later.
const OPEN: &str = "2025-11-14T16:00:00Z";

fn option(expiry: &str, right: char, strike: u32, mid_iv: &str) -> String {
    let compact = expiry.replace('-', "").split_off(2);
    let word = if right == 'C' { "call" } else { "put" };
    format!(
        r#"{{"symbol":"TST{compact}{right}{:08}","option_type":"{word}","strike":{strike}.0,"expiration_date":"{expiry}","bid":5.20,"ask":5.40,"last":5.3,"volume":80,"open_interest":900,"trade_date":1763136000000,"greeks":{{"delta":0,"mid_iv":{mid_iv},"smv_vol":0.595,"updated_at":"2025-11-14 15:59:59"}}}}"#,
        strike * 1000
    )
}

fn answer(target: &str) -> Play {
    let path = target.split('?').next().unwrap();
    let expiry = target.split("expiration=").nth(1).unwrap_or("").split('&').next().unwrap();
    match path {
        "/v1/markets/quotes" => ok(
            r#"{"quotes":{"quote":{"symbol":"TST","last":150.50,"bid":150.4,"ask":150.6,"trade_date":1763136000000}}}"#,
        ),
        "/v1/markets/options/expirations" => {
            ok(r#"{"expirations":{"date":["2025-12-19","2026-01-16","2026-02-20"]}}"#)
        }
        "/v1/markets/options/chains" => match expiry {
            // One element as an object, nothing as the text null.
            "2026-01-16" => {
                ok(format!(r#"{{"options":{{"option":{}}}}}"#, option(expiry, 'C', 150, "0.0")))
            }
            "2026-02-20" => ok(r#"{"options":"null"}"#),
            _ => {
                let both = [option(expiry, 'C', 150, "0.60"), option(expiry, 'P', 150, "0.61")];
                ok(format!(r#"{{"options":{{"option":[{}]}}}}"#, both.join(",")))
            }
        },
        _ => whole("404 Not Found", "no such page"),
    }
}

fn bench(service: &Responder) -> Bench {
    let mut bench = Bench::new(format!("{}/v1", service.base()));
    bench.now = OPEN.into();
    bench
}

const WORDS: &str = "chain TST --source tradier --yes --json --no-derive";

#[test]
fn a_chain_is_its_quote_its_expirations_and_their_options() {
    let service = Responder::new(|target, _| answer(target));
    let bench = bench(&service);
    let review = bench.fetch(WORDS).exits(0).json();
    let targets = service.targets();
    assert_eq!(targets[0], "/v1/markets/quotes?symbols=TST");
    assert_eq!(targets[1], "/v1/markets/options/expirations?symbol=TST");
    let chain = "/v1/markets/options/chains?symbol=TST&expiration=2025-12-19&greeks=true";
    assert_eq!((targets[2].as_str(), targets.len()), (chain, 5));
    for request in service.asked() {
        let lower = request.to_lowercase();
        assert!(
            lower.contains(&format!("authorization: bearer {}", KEY.to_lowercase())),
            "{request}"
        );
        assert!(lower.contains("accept: application/json"), "{request}");
    }
    let rows = bench.rows("chain", "TST");
    assert_eq!(rows.len(), 3, "{review}");
    let row = |item: &str| rows.iter().find(|row| row["contract"] == item).unwrap();
    let call = row("O:TST251219C00150000");
    for (field, digits) in [
        ("implied_volatility", "0.60"),
        ("bid", "5.20"),
        ("underlying_price", "150.50"),
        ("delta", "0"),
    ] {
        assert_eq!(call[field].to_string(), digits, "{field} of {call}");
    }
    assert_eq!((&call["iv_source"], &call["date"]), (&"mid_iv".into(), &"2025-11-14".into()));
    let one = row("O:TST260116C00150000");
    assert_eq!(
        (one["implied_volatility"].to_string(), &one["iv_source"]),
        ("0.595".into(), &"smv_vol".into())
    );
    bench.verifies();
    // What was computed needs no network, and neither does a look at where it came from.
    drop(service);
    bench.run("why chain TST 2025-11-14 --item O:TST251219C00150000 --json").exits(0);
    bench.run("vrp TST --json").exits(0);
    bench.verifies();
}

/// Within a minute the same live pages are not asked again: the ledger has them.
#[test]
fn what_was_recorded_a_moment_ago_is_not_asked_again() {
    let service = Responder::new(|target, _| answer(target));
    let mut bench = bench(&service);
    let cache = |review: &Value| review["fetch"]["cache"].clone();
    let first = bench.fetch(WORDS).exits(0).json();
    assert_eq!((&cache(&first)["misses"], &cache(&first)["hit_rate"]), (&5.into(), &0.0.into()));
    let size = bench.size();
    bench.now = "2025-11-14T16:00:25Z".into();
    let again = bench.fetch(WORDS).exits(0).json();
    assert_eq!(service.targets().len(), 5, "nothing was asked");
    assert_eq!((&cache(&again)["hits_l2"], &cache(&again)["hit_rate"]), (&5.into(), &1.0.into()));
    assert_eq!(bench.size(), size, "and nothing is added");
    // A price lives 30 s, a chain 60 s, a list of expirations as long as the tier keeps it.
    bench.now = "2025-11-14T16:00:45Z".into();
    let later = bench.fetch(WORDS).exits(0).json();
    assert_eq!(service.targets().split_off(5), ["/v1/markets/quotes?symbols=TST"]);
    assert_eq!((&cache(&later)["hits_l2"], &cache(&later)["expired"]), (&4.into(), &1.into()));
    bench.fetch(&format!("{WORDS} --refresh")).exits(0);
    assert_eq!(service.targets().len(), 11, "`--refresh` asks for all of it");
    bench.now = "2025-11-14T16:03:00Z".into();
    let old = bench.fetch(WORDS).exits(0).json();
    assert_eq!(cache(&old)["hits_l2"], 1, "the expirations");
    // Within a run, two expirations of one stock need one quote.
    let service = Responder::new(|target, _| answer(target));
    let bench = self::bench(&service);
    let words = format!("{WORDS} --expiry 2025-12-19 --expiry 2026-01-16 --jobs 1");
    let review = bench.fetch(&words).exits(0).json();
    assert_eq!((&cache(&review)["hits_l1"], service.targets().len()), (&1.into(), 3));
    assert_eq!(bench.count("chain", "TST"), 3);
    let said = bench.fetch(&words.replace(" --json", "")).exits(0).out;
    assert!(said.contains("known from a moment ago"), "{said}");
    bench.verifies();
}

/// A page of many is refused: what came is kept, and all of it is asked again.
#[test]
fn a_chain_that_broke_off_is_not_a_whole_one() {
    let left = Arc::new(AtomicUsize::new(3));
    let theirs = Arc::clone(&left);
    let service = Responder::new(move |target, _| {
        let last = target.contains("2026-01-16");
        match last
            && theirs.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |n| n.checked_sub(1)).is_ok()
        {
            true => whole("429 Quota Violation", "quota"),
            false => answer(target),
        }
    });
    let bench = bench(&service);
    bench.settings("[retry]\nmax_attempts = 1\n");
    let ran = bench.fetch(WORDS);
    assert_eq!(ran.json()["fetch"]["outcomes"][0]["fact"], "failed", "{}", ran.out);
    let review = bench.fetch(WORDS).exits(0).json();
    assert_eq!(review["fetch"]["outcomes"][0]["fact"], "data");
    assert_eq!(bench.count("chain", "TST"), 3);
    bench.verifies();
}

#[test]
fn nothing_is_told_apart_from_failure() {
    let body = Arc::new(Mutex::new(String::new()));
    let theirs = Arc::clone(&body);
    let service = Responder::new(move |target, _| match target.contains("expirations") {
        true => ok(theirs.lock().unwrap().clone()),
        false => answer(target),
    });
    let bench = bench(&service);
    bench.settings("[retry]\nmax_attempts = 1\n");
    for (text, fact) in [
        (r#"{"expirations":null}"#, "empty"),
        (r#"{"expirations":"null"}"#, "empty"),
        ("", "failed"),
        ("<html>", "failed"),
        (r#"{"expirations":{"date":["2025-12"#, "failed"),
        (r#"{"expirations":{"date":["soon"]}}"#, "failed"),
        (r#"{"expirations":{"date":"2025-12-19"}}"#, "data"),
    ] {
        *body.lock().unwrap() = text.to_owned();
        let review = bench.fetch(&format!("{WORDS} --refresh")).json();
        assert_eq!(review["fetch"]["outcomes"][0]["fact"], fact, "{text}: {review}");
    }
    bench.verifies();
}

#[test]
fn the_key_is_in_a_header_and_nowhere_else() {
    let service = Responder::new(|target, _| match target {
        of if of.contains("WRONG") => {
            whole("401 Unauthorized", format!(r#"{{"fault":{{"faultstring":"Invalid {KEY}"}}}}"#))
        }
        of if of.contains("ECHO") => ok(format!(r#"{{"quotes":"null","k":"{KEY}"}}"#)),
        of => answer(of),
    });
    let bench = bench(&service);
    bench.settings("[retry]\nmax_attempts = 1\n");
    let mut said = String::new();
    for (symbol, exits) in [("TST", 0), ("ECHO", 40), ("WRONG", 41)] {
        let line = bench.fetch_line(&WORDS.replace("TST", symbol));
        let mut command = bench.command(&format!("{line} -vv"));
        command.env("VOLLEDGER_LOG", "trace");
        let ran = crate::program::ran(command, None);
        assert_eq!(ran.exit, exits, "{symbol}: {}", ran.err);
        said += &(ran.out + &ran.err);
    }
    assert!(said.contains("TRACE") && !holds(said.as_bytes(), KEY), "{said}");
    assert!(!holding(bench.desk.path(), "open_interest").is_empty(), "nothing was searched");
    assert_eq!(holding(bench.desk.path(), KEY), [""; 0]);
}

/// Many at once, and each in another state when the service is given up: every request is counted, and
/// no question that was asked is told as one that was not.
#[test]
fn what_was_asked_of_a_service_that_fails_is_counted_and_told() {
    let service = Responder::new(|_, _| whole("500 Broken", "{}"));
    let bench = bench(&service);
    bench.settings("[breaker]\nrecovery_timeout = 3\n[retry]\nmax_backoff = 1\n");
    let names = ["TSA", "TSB", "TSC", "TSD", "TSE", "TSF", "TSG"];
    let ran = bench.fetch(&WORDS.replace("TST", &names.join(" "))).exits(40);
    let asked = service.targets();
    let fetch = ran.json()["fetch"].clone();
    assert_eq!(fetch["requests"], asked.len(), "{fetch}");
    let lines = fetch["outcomes"].as_array().unwrap();
    let texts: Vec<&str> = lines.iter().map(|line| line["text"].as_str().unwrap()).collect();
    assert!(!texts.is_empty() && texts.iter().all(|text| text.contains("500")), "{texts:?}");
    assert!(!ran.err.contains("for 0 s") && ran.err.contains("500"), "{}", ran.err);
    let unasked = names.iter().filter(|name| !asked.iter().any(|one| one.ends_with(*name)));
    let unasked = unasked.count();
    assert_eq!(ran.err.contains("not asked"), unasked > 0, "{unasked} of {asked:?}: {}", ran.err);
}

/// Its bodies have nothing of their own: an answer may have the very bytes of an earlier one.
#[test]
fn a_value_is_corrected_back_by_the_same_bytes() {
    let bid = Arc::new(Mutex::new("5.20"));
    let says = Arc::clone(&bid);
    let service = Responder::new(move |target, _| {
        let Play::Bytes(whole) = answer(target) else { unreachable!("it answers whole") };
        let whole = String::from_utf8(whole).unwrap();
        Play::Bytes(
            whole.replace("\"bid\":5.20", &format!("\"bid\":{}", says.lock().unwrap())).into(),
        )
    });
    let mut bench = bench(&service);
    for (minute, said) in ["5.20", "5.30", "5.20"].into_iter().enumerate() {
        *bid.lock().unwrap() = said;
        bench.now = format!("2025-11-14T16:0{minute}:00Z");
        let review = bench.fetch(&format!("{WORDS} --refresh")).exits(0).json();
        assert_eq!(review["batch"], format!("b{}", minute + 1), "{review}");
        let rows = bench.rows("chain", "TST");
        for row in &rows {
            assert_eq!(row["bid"].to_string(), said, "{row}");
        }
    }
    bench.run("undo").exits(0);
    assert_eq!(bench.rows("chain", "TST")[0]["bid"].to_string(), "5.30");
    bench.verifies();
}

#[test]
fn the_same_bytes_behind_the_close_make_a_session_final() {
    let service = Responder::new(|target, _| answer(target));
    let mut bench = bench(&service);
    let asked_at = |time: &str| {
        bench.now = time.to_owned();
        let before = service.asked().len();
        bench.fetch(WORDS).exits(0);
        service.asked().len() - before
    };
    let asked =
        ["2025-11-14T21:10:00Z", "2025-11-14T21:30:00Z", "2025-11-14T22:30:00Z"].map(asked_at);
    assert_eq!(asked, [5, 5, 0]);
    assert_eq!(bench.rows("chain", "TST").len(), 3);
}
