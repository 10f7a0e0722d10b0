//! Alpha Vantage: announcements, daily prices as traded, and its many ways to refuse with a 200.

use super::responder::{Play, Responder, ok, whole};
use super::secret::{holding, holds};
use super::{Bench, KEY, wait_until};
use serde_json::Value;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

const HEADER: &str = "symbol,name,reportDate,fiscalDateEnding,estimate,currency,timeOfTheDay\r\n";

/// A parameter of a query.
fn parameter<'a>(target: &'a str, name: &str) -> &'a str {
    let query = target.split_once('?').map_or("", |(_, query)| query);
    let found = query.split('&').filter_map(|pair| pair.split_once('='));
    found.into_iter().find(|(known, _)| *known == name).map_or("", |(_, value)| value)
}

fn table(body: &str) -> Play {
    whole("200 OK\r\nContent-Type: application/x-download", body)
}

fn calendar() -> String {
    format!(
        "{HEADER}TST,\"Test, Inc.\",2026-01-15,2025-12-31,1.250,USD,post-market\r\n\
         ABC,Abc,2026-01-16,2025-12-31,,USD,\r\n"
    )
}

fn history(symbol: &str) -> String {
    format!(
        r#"{{"symbol":"{symbol}","quarterlyEarnings":[{{"fiscalDateEnding":"2025-09-30","reportedDate":"2025-10-24","reportedEPS":"1.10","estimatedEPS":"None","reportTime":"pre-market"}}]}}"#
    )
}

/// Daily bars of the days from Monday 10 to Friday 14 November; Friday's is not finished.
fn daily(symbol: &str) -> String {
    let bar = |day: u32| {
        let close = format!("{}.50", 100 + day);
        format!(
            r#""2025-11-{day}":{{"1. open":"{close}","2. high":"{close}","3. low":"{close}","4. close":"{close}","5. volume":"1200"}}"#
        )
    };
    let bars: Vec<String> = (10..=14).rev().map(bar).collect();
    format!(
        r#"{{"Meta Data":{{"2. Symbol":"{symbol}"}},"Time Series (Daily)":{{{}}}}}"#,
        bars.join(",")
    )
}

/// A service in good health.
fn answer(target: &str) -> Play {
    let symbol = parameter(target, "symbol");
    match parameter(target, "function") {
        "EARNINGS_CALENDAR" => table(&calendar()),
        "EARNINGS" => ok(history(symbol)),
        "TIME_SERIES_DAILY" => ok(daily(symbol)),
        _ => ok("{}"),
    }
}

fn spot(bench: &Bench, symbols: &str) -> crate::program::Ran {
    let words = "--from 2025-11-10 --source alpha-vantage --yes --json";
    bench.fetch(&format!("spot {symbols} {words}"))
}

#[test]
fn announcements_become_the_calendar_and_are_asked_once_a_day() {
    let service = Responder::new(|target, _| answer(target));
    let mut bench = Bench::new(service.base());
    let review = bench.confirmed("earnings TST ABC");
    assert_eq!(review["fetch"]["source"], "alpha-vantage");
    assert_eq!(review["fetch"]["plan"]["day"], serde_json::json!({"requests": 25, "spent": 0}));
    // One calendar of all takes the place of two.
    assert_eq!(service.targets().len(), 3, "{:?}", service.targets());
    let rows = bench.rows("earnings", "TST");
    let told: Vec<(&str, &str)> = rows
        .iter()
        .map(|row| (row["date"].as_str().unwrap(), row["timing"].as_str().unwrap()))
        .collect();
    assert_eq!(told, [("2025-10-24", "BMO"), ("2026-01-15", "AMC")]);
    assert_eq!(rows[0]["eps_actual"].to_string(), "1.10", "{}", rows[0]);
    assert_eq!(rows[0]["eps_estimate"], Value::Null);
    assert_eq!(rows[1]["name"], "Test, Inc.");
    assert_eq!(bench.rows("earnings", "ABC")[1]["timing"], "UNKNOWN");
    // The same day nothing is asked, and a plan says what the day still has.
    bench.confirmed("earnings TST ABC");
    assert_eq!(service.targets().len(), 3);
    let plan = bench.fetch("earnings NEW --dry-run --json").exits(0).json();
    assert_eq!((&plan["plan"]["day"]["spent"], &plan["plan"]["questions"]), (&3.into(), &1.into()));
    // What is asked again and brings the same is recorded all the same: it counts.
    bench.confirmed("earnings TST --refresh");
    let plan = bench.fetch("earnings NEW --dry-run --json").exits(0).json();
    assert_eq!(plan["plan"]["day"]["spent"], 5);
    // The next day the calendar may be another one: an announcement that moved takes its old day back.
    bench.now = "2025-11-17T21:35:00Z".into();
    let moved = Responder::new(|target, _| match parameter(target, "function") {
        "EARNINGS_CALENDAR" => table(&calendar().replace("2026-01-15", "2026-01-22")),
        _ => answer(target),
    });
    bench.base = moved.base();
    bench.confirmed("earnings");
    let days: Vec<String> =
        bench.rows("earnings", "TST").iter().map(|row| row["date"].to_string()).collect();
    assert_eq!(days, ["\"2025-10-24\"", "\"2026-01-22\""]);
    bench.verifies();
}

/// Where the service says nothing, what a calendar knew stays; and an announcement of today, which is
/// to come and was, is one and no contradiction.
#[test]
fn what_it_does_not_say_takes_nothing_back() {
    let service = Responder::new(|target, _| match parameter(target, "function") {
        "EARNINGS" => ok(
            r#"{"quarterlyEarnings":[{"reportedDate":"2026-01-16","reportedEPS":"0.5"},{"reportedDate":"2025-10-24","reportedEPS":"1.10","estimatedEPS":"None"}]}"#,
        ),
        _ => answer(target),
    });
    let mut bench = Bench::new(service.base());
    let known = "ticker,announcement_date,timing,confirmed,eps_estimate\n\
                 ABC,2025-10-24,AMC,1,0.77\nABC,2026-01-16,BMO,1,0.55\n";
    let file = bench.desk.write("calendar.csv", known);
    bench.run(&format!("import earnings {file} --symbol-from column --yes")).exits(0);
    let review = bench.confirmed("earnings ABC TST");
    assert!(review["findings"].to_string().contains("announced_twice"), "{review}");
    let rows = bench.rows("earnings", "ABC");
    let told = |row: &Value| (row["timing"].clone(), row["eps_estimate"].to_string());
    assert_eq!(told(&rows[0]), ("AMC".into(), "0.77".into()), "{}", rows[0]);
    assert_eq!(told(&rows[1]), ("BMO".into(), "0.55".into()), "{}", rows[1]);
    assert_eq!((rows[0]["eps_actual"].to_string(), rows.len()), ("1.10".into(), 2));
    // Of a day that nobody knew, it is said that the time is not known.
    assert_eq!(bench.rows("earnings", "TST")[0]["timing"], "UNKNOWN");
    // The next day it is only among those that were, and what it brought is added.
    let later = Responder::new(|target, _| match parameter(target, "function") {
        "EARNINGS" => {
            ok(r#"{"quarterlyEarnings":[{"reportedDate":"2026-01-16","reportedEPS":"0.5"}]}"#)
        }
        _ => table(HEADER),
    });
    (bench.base, bench.now) = (later.base(), "2026-01-17T21:35:00Z".into());
    bench.confirmed("earnings ABC");
    let row = bench.rows("earnings", "ABC")[1].clone();
    assert_eq!((row["eps_actual"].to_string(), told(&row).0), ("0.5".into(), "BMO".into()));
    bench.verifies();
}

#[test]
fn a_throttled_calendar_is_never_an_empty_one() {
    let throttled = Arc::new(AtomicBool::new(true));
    let theirs = Arc::clone(&throttled);
    let service = Responder::new(move |target, _| match theirs.load(Ordering::SeqCst) {
        true => table(&format!("{HEADER}I,n,f,o,r,m,a\r\n")),
        false => answer(target),
    });
    let bench = Bench::new(service.base());
    bench.settings("[retry]\nmax_attempts = 2\n");
    let ran = bench.fetch("earnings --yes").exits(40);
    assert!(ran.err.contains("throttling"), "{}", ran.err);
    assert_eq!(service.targets().len(), 2, "it is tried again");
    assert_eq!(bench.count("earnings", "TST"), 0);
    throttled.store(false, Ordering::SeqCst);
    let review = bench.confirmed("earnings");
    assert_eq!(review["fetch"]["plan"]["day"]["spent"], 2, "the throttled ones count too");
    assert_eq!(bench.count("earnings", "TST"), 1);
}

#[test]
fn daily_prices_keep_their_digits_and_the_unfinished_day_is_left_out() {
    let service = Responder::new(|target, _| answer(target));
    let bench = Bench::new(service.base());
    spot(&bench, "TST").exits(0).json();
    let target = "/query?function=TIME_SERIES_DAILY&symbol=TST&outputsize=compact&datatype=json";
    assert_eq!(service.targets(), [format!("{target}&apikey={KEY}")]);
    let rows = bench.rows("spot", "TST");
    assert_eq!(rows.len(), 4);
    assert_eq!(
        (rows[3]["close"].to_string(), &rows[3]["date"]),
        ("113.50".into(), &"2025-11-13".into())
    );
    spot(&bench, "TST").exits(0);
    assert_eq!(service.targets().len(), 1, "what is covered is not asked again");
    bench.fetch("bars TST --from 2025-11-10 --source alpha-vantage --yes").exits(0);
    assert_eq!(bench.count("bars", "TST"), 4);
    bench.fetch("spot TST --years 3 --source alpha-vantage --yes").exits(0);
    assert!(service.targets()[2].contains("outputsize=full"), "{:?}", service.targets());
    for words in ["chain TST", "bars TST --timespan 5minute", "news TST"] {
        bench.fetch(&format!("{words} --source alpha-vantage")).exits(2);
    }
    bench.fetch("earnings TST --source polygon").exits(2);
    // An address may have a path before all others, as that of a gateway has.
    let before = service.targets().len();
    let words = "spot GATE --from 2025-11-10 --source alpha-vantage --yes --base-url";
    bench.run(&format!("fetch {words} {}/av/", service.base())).exits(0);
    bench.run(&format!("fetch earnings GATE --yes --base-url {}/av", service.base())).exits(0);
    let asked = service.targets().split_off(before);
    assert!(asked.iter().all(|target| target.starts_with("/av/query?")), "{asked:?}");
    assert_eq!(asked.len(), 3);
    bench.verifies();
}

#[test]
fn a_split_makes_no_request_twice() {
    let service = Responder::new(|target, _| answer(target));
    let bench = Bench::new(service.base());
    bench.fetch("earnings TST ABC").exits(12);
    let spent = || {
        let plan = bench.fetch("earnings NEW --dry-run --json").exits(0).json();
        plan["plan"]["day"]["spent"].as_u64()
    };
    assert_eq!(spent(), Some(3));
    bench.run("batch split b1 -s TST").exits(0);
    assert_eq!(spent(), Some(3));
    bench.run("batch confirm b2").exits(0);
    // Two fetches of one moment that bring the same are two.
    let again = bench.fetch("earnings TST --refresh --yes --json");
    // The other part of the split waits still, and that is said.
    assert_eq!(again.exits(11).json()["state"], "active");
    assert_eq!(spent(), Some(5));
    bench.verifies();
}

/// 25 a day are 3 here: what is left over is not asked, and is asked the next day.
#[test]
fn the_limit_of_a_day_survives_a_restart() {
    let service = Responder::new(|target, _| answer(target));
    let mut bench = Bench::new(service.base());
    bench.settings("[alpha_vantage]\nper_day = 3\n");
    spot(&bench, "AAA BBB").exits(0);
    let ran = spot(&bench, "AAA BBB CCC DDD EEE").exits(40);
    let fetch = ran.json()["fetch"].clone();
    assert_eq!((&fetch["plan"]["day"]["spent"], &fetch["left"]), (&2.into(), &2.into()), "{fetch}");
    assert!(ran.err.contains("2 questions were not asked: the limit is used up"), "{}", ran.err);
    assert_eq!(service.targets().len(), 3);
    assert_eq!(bench.count("spot", "CCC"), 4);
    // Nothing more today; a day later the rest, and only that.
    let used_up = spot(&bench, "AAA BBB CCC DDD EEE").exits(40);
    assert_eq!(used_up.json()["known"], false, "what was not asked is not known");
    let said = bench.fetch("spot EEE --from 2025-11-10 --source alpha-vantage --yes").exits(40);
    assert!(said.out.contains("Nothing came") && !said.out.contains("knows all"), "{}", said.out);
    assert_eq!(service.targets().len(), 3);
    bench.now = "2025-11-15T21:36:00Z".into();
    spot(&bench, "DDD EEE").exits(0);
    let last = service.targets().split_off(3);
    let symbols: Vec<&str> = last.iter().map(|target| parameter(target, "symbol")).collect();
    assert_eq!(symbols, ["DDD", "EEE"]);
    bench.verifies();
}

/// The service counts as well, and may have counted more.
#[test]
fn throttled_in_the_middle_of_many_symbols_it_stops_and_keeps_what_came() {
    let service = Responder::new(|target, before| match before {
        0 | 1 => answer(target),
        _ => ok(format!(
            r#"{{"Information":"We have detected your API key as {KEY} and our standard API rate limit is 25 requests per day. Please subscribe to any of the premium plans to remove all daily rate limits."}}"#
        )),
    });
    let bench = Bench::new(service.base());
    let ran = spot(&bench, "AAA BBB CCC DDD EEE FFF").exits(40);
    assert_eq!(service.targets().len(), 3, "not tried again, and the rest not asked");
    assert!(ran.err.contains("25 requests per day") && !ran.err.contains(KEY), "{}", ran.err);
    assert_eq!(ran.json()["fetch"]["left"], 3);
    assert_eq!((bench.count("spot", "BBB"), bench.count("spot", "CCC")), (4, 0));
    assert_eq!(holding(bench.desk.path(), KEY), [""; 0]);
}

#[test]
fn killed_in_the_middle_it_goes_on_where_it_was() {
    let gate = Arc::new(AtomicBool::new(false));
    let theirs = Arc::clone(&gate);
    let service = Responder::new(move |target, before| match before {
        2 if !theirs.load(Ordering::SeqCst) => Play::Hang,
        _ => answer(target),
    });
    let bench = Bench::new(service.base());
    let words = "spot AAA BBB CCC DDD --from 2025-11-10 --source alpha-vantage --yes";
    let mut child = bench.start(words);
    wait_until("the third is asked", || service.targets().len() == 3 && bench.arrived() == 2);
    child.kill().unwrap();
    child.wait().unwrap();
    assert_eq!(holding(&bench.ledger(), KEY), [""; 0]);
    let health = bench.run("health").exits(0).out;
    assert!(health.contains("bytes of answers; `volledger fetch` settles them"), "{health}");
    gate.store(true, Ordering::SeqCst);
    let review = bench.confirmed(&words.replace(" --yes", ""));
    assert_eq!(review["fetch"]["plan"]["day"]["spent"], 2, "the inbox counts: {review}");
    let asked: Vec<String> = service.targets().split_off(3);
    let symbols: Vec<&str> = asked.iter().map(|target| parameter(target, "symbol")).collect();
    assert_eq!(symbols, ["CCC", "DDD"]);
    for symbol in ["AAA", "BBB", "CCC", "DDD"] {
        assert_eq!(bench.count("spot", symbol), 4, "{symbol}");
    }
    let health = bench.run("health --json").exits(0).json();
    let inbox = |check: &&Value| check["name"] == "inbox";
    let inbox = health["checks"].as_array().unwrap().iter().find(inbox).unwrap();
    assert_eq!(inbox["note"], "empty");
    bench.verifies();
}

/// Each refusal is what it is; none of them is data, and none says that there is nothing.
#[test]
fn refusals_are_told_apart() {
    let service = Responder::new(|target, _| match parameter(target, "symbol") {
        "NONE" => {
            ok(r#"{"Error Message":"Invalid API call. Please retry or visit the documentation."}"#)
        }
        "PLAN" => ok(r#"{"Information":"Thank you! This is a premium endpoint."}"#),
        "EMPTY" => ok(""),
        "HTML" => whole("200 OK\r\nContent-Type: text/html", "<html>busy</html>"),
        "HALF" => ok(&daily("HALF")[..120]),
        "OTHER" => ok(daily("TST")),
        "NOTE" => ok(
            r#"{"Note":"Our standard API call frequency is 5 calls per minute and 500 calls per day."}"#,
        ),
        "HUGE" => Play::Endless(b"HTTP/1.1 200 OK\r\n\r\n{".to_vec()),
        "KEY" => ok(r#"{"Error Message":"the parameter apikey is invalid or missing."}"#),
        _ => answer(target),
    });
    let bench = Bench::new(service.base());
    bench.settings("[retry]\nmax_attempts = 1\n");
    for (symbol, exits, fact, ended) in [
        ("NONE", 1, "empty", "not-found"),
        ("PLAN", 42, "not-entitled", "not-entitled"),
        ("EMPTY", 40, "failed", "bad-payload"),
        ("HTML", 40, "failed", "bad-payload"),
        ("HALF", 40, "failed", "bad-payload"),
        ("OTHER", 40, "failed", "bad-payload"),
        ("NOTE", 40, "failed", "rate-limited"),
        ("HUGE", 40, "failed", "too-large"),
        ("TST", 0, "data", "ok"),
    ] {
        let ran = spot(&bench, symbol);
        assert_eq!(ran.exit, exits, "{symbol}: {}", ran.err);
        let line = ran.json()["fetch"]["outcomes"][0].clone();
        assert_eq!((&line["fact"], &line["ended"]), (&fact.into(), &ended.into()), "{symbol}");
        let rows = bench.count("spot", symbol);
        assert_eq!(rows, if symbol == "TST" { 4 } else { 0 }, "{symbol}");
    }
    // Ten megabytes, and not a gigabyte.
    assert!((9 << 20..40 << 20).contains(&service.sent()), "{}", service.sent());
    spot(&bench, "KEY").exits(41);
    bench.verifies();
}

/// Five failures in a row: the service is left alone, tried once when the pause is over, and when
/// that fails as well the rest is not asked.
#[test]
fn a_service_that_fails_is_left_alone() {
    let healed = Arc::new(AtomicBool::new(false));
    let theirs = Arc::clone(&healed);
    let service = Responder::new(move |target, before| match before {
        5 if theirs.load(Ordering::SeqCst) => answer(target),
        0..=5 => whole("500 Broken", "{}"),
        _ => answer(target),
    });
    let settings = "[breaker]\nrecovery_timeout = 3\n[retry]\nmax_attempts = 5\nmax_backoff = 1\n";
    let bench = Bench::new(service.base());
    bench.settings(settings);
    let ran = spot(&bench, "AAA BBB CCC DDD").exits(40);
    assert_eq!(service.targets().len(), 6, "five attempts and one probe: {}", ran.err);
    assert!(ran.err.contains("left alone"), "{}", ran.err);
    // Why it failed is told, and kept.
    let review = ran.json();
    assert_eq!(review["fetch"]["requests"], 6, "{review}");
    let told = review["fetch"]["outcomes"].as_array().unwrap();
    assert!(told.iter().all(|line| line["text"].as_str().unwrap().contains("500")), "{review}");
    assert!(ran.err.contains("500"), "{}", ran.err);
    // The same with a service that is well again when it is tried: all of it is answered.
    healed.store(true, Ordering::SeqCst);
    let service = Responder::new(|target, before| match before {
        0..=4 => whole("500 Broken", "{}"),
        _ => answer(target),
    });
    let bench = Bench::new(service.base());
    bench.settings(&settings.replace("max_attempts = 5", "max_attempts = 3"));
    let ran = spot(&bench, "AAA BBB CCC DDD");
    assert_eq!(bench.count("spot", "DDD"), 4, "{}", ran.err);
    bench.verifies();
}

/// The key is in the query when a request is sent, and nowhere else.
#[test]
fn the_key_is_nowhere() {
    let service = Responder::new(|target, _| match parameter(target, "symbol") {
        "ECHO" => ok(format!(r#"{{"note":"{KEY}","Time Series (Daily)":{{}}}}"#)),
        "LIMIT" => {
            ok(format!(r#"{{"Information":"your key {KEY} is too fast, 1 request per second"}}"#))
        }
        "WRONG" => ok(format!(r#"{{"Error Message":"the apikey {KEY} is invalid"}}"#)),
        "REFUSED" => whole("403 Forbidden", format!(r#"{{"message":"not for {KEY}"}}"#)),
        "MOVED" => whole(&format!("302 Found\r\nLocation: {target}&symbol=GOOD"), ""),
        "BROKEN" => Play::Reset(b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{".to_vec()),
        _ => answer(target),
    });
    let mut bench = Bench::new(service.base());
    bench.settings(
        "[retry]\nmax_attempts = 1\n[log]\nlevel = \"debug\"\nfile = \"diagnostics.log\"\n",
    );
    let mut said = String::new();
    let mut run = |bench: &Bench, line: &str| {
        let mut command = bench.command(line);
        command.env("VOLLEDGER_LOG", "trace");
        let ran = crate::program::ran(command, None);
        said += &format!("{} {} {}\n", ran.exit, ran.out, ran.err);
    };
    let words = "--from 2025-11-10 --source alpha-vantage --yes -vv";
    for symbol in ["GOOD", "ECHO", "LIMIT", "WRONG", "REFUSED", "MOVED", "BROKEN"] {
        run(&bench, &bench.fetch_line(&format!("spot {symbol} {words}")));
    }
    run(&bench, &bench.fetch_line("earnings GOOD --yes -vv"));
    run(&bench, &bench.fetch_line("earnings MORE --dry-run -vv"));
    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    bench.base = format!("http://{closed}");
    run(&bench, &bench.fetch_line(&format!("spot NOBODY {words}")));
    bench.base = format!("http://{KEY}:x@{closed}");
    run(&bench, &bench.fetch_line(&format!("spot NOBODY {words}")));
    for line in [
        "log --json",
        "batch show b1 --json --full",
        "backup all.backup",
        "config show",
        "health --json",
    ] {
        run(&bench, line);
    }
    let log = std::fs::read_to_string(bench.desk.path().join("diagnostics.log")).unwrap();
    assert!(log.contains("asked") && log.contains("TRACE"), "the diagnostics said nothing");
    assert!(holds(&log.into_bytes(), "EARNINGS_CALENDAR"), "no request is in the diagnostics");
    assert!(!holding(bench.desk.path(), "TIME_SERIES_DAILY").is_empty(), "nothing was searched");
    assert_eq!(holding(bench.desk.path(), KEY), [""; 0]);
    assert!(!holds(said.as_bytes(), KEY), "{said}");
    for request in service.asked() {
        assert_eq!(request.matches(KEY).count(), 1, "{request}");
        assert!(!request.to_lowercase().contains("authorization"), "{request}");
        assert!(request.lines().next().unwrap().contains(&format!("apikey={KEY}")), "{request}");
    }
}

/// The text of a burst advertises "all premium endpoints": taken for a refusal of the plan, the days
/// would count as settled and never be asked again.
#[test]
fn a_burst_is_no_refusal_of_the_plan() {
    let service = Responder::new(|target, before| match before {
        0 => ok(
            r#"{"Information":"Please spread out your free API requests (1 request per second). Premium plans lift the free key rate limit (25 requests per day), raise the per-second burst limit, and instantly unlock all premium endpoints"}"#,
        ),
        _ => answer(target),
    });
    let bench = Bench::new(service.base());
    bench.settings("[retry]\nmax_attempts = 1\n");
    let ran = spot(&bench, "TST").exits(40);
    let line = ran.json()["fetch"]["outcomes"][0].clone();
    assert_eq!((&line["fact"], &line["ended"]), (&"failed".into(), &"rate-limited".into()));
    spot(&bench, "TST").exits(0);
    assert_eq!(bench.count("spot", "TST"), 4, "the days are asked again");
    bench.verifies();
}

/// A plan without the long form still has the short one.
#[test]
fn a_refused_long_form_leaves_what_the_short_one_has() {
    let service = Responder::new(|target, _| match target.contains("outputsize=full") {
        true => ok(r#"{"Information":"outputsize=full is a premium feature."}"#),
        false => answer(target),
    });
    let bench = Bench::new(service.base());
    let words = "spot TST --years 3 --source alpha-vantage --yes";
    let ran = bench.fetch(words).exits(42);
    assert!(ran.err.contains("premium feature"), "{}", ran.err);
    bench.fetch(words).exits(0);
    assert!(service.targets()[1].contains("outputsize=compact"), "{:?}", service.targets());
    assert_eq!(bench.count("spot", "TST"), 4);
    bench.verifies();
}

/// What one service left in the inbox is not taken for the answers of another.
#[test]
fn a_fetch_of_another_service_settles_what_was_interrupted() {
    let service = Responder::new(|target, before| match before {
        0 => answer(target),
        _ => Play::Hang,
    });
    let mut bench = Bench::new(service.base());
    let mut child = bench.start("spot AAA BBB --from 2025-11-10 --source alpha-vantage --yes");
    wait_until("the second is asked", || service.targets().len() == 2 && bench.arrived() == 1);
    child.kill().unwrap();
    child.wait().unwrap();
    let days = super::sessions("2025-11-10", "2025-11-13");
    let polygon = Responder::new(move |_, _| ok(super::bars_body("CCC", &days, |_| "5".into())));
    bench.base = polygon.base();
    let ran = bench.fetch("spot CCC --from 2025-11-10 --to 2025-11-13 --yes").exits(0);
    assert!(ran.err.contains("from an earlier fetch that had been interrupted"), "{}", ran.err);
    let list = bench.run("batch list --json").exits(0).out;
    assert!(list.contains("alpha-vantage") && list.contains("polygon"), "{list}");
    assert_eq!((bench.count("spot", "CCC"), bench.count("spot", "AAA")), (4, 0));
    bench.verifies();
}
