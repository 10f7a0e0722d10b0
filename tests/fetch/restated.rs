//! Closes that are restated for a split beside option quotes, which are not.

use super::responder::{Play, Responder, ok};
use super::{Bench, bars_body, sessions, wait_until};
use serde_json::Value as Json;
use volledger::domain::{Day, eastern};

const DAY: &str = "2025-06-03";

/// A chain of one session around 188, of which the front month's call at 190 is at the money. At
/// 50 there is a put alone.
fn chain(price: &str) -> String {
    let mut text = "option_symbol,underlying,strike_price,contract_type,expiration_date,bid,ask,\
                    implied_volatility,open_interest,underlying_price\n"
        .to_owned();
    for (strike, iv) in [(50, 0.95), (180, 0.19), (185, 0.18), (190, 0.17), (195, 0.16)] {
        for (right, letter) in [("put", 'P'), ("call", 'C')] {
            if (strike, letter) == (50, 'C') {
                continue;
            }
            text += &format!(
                "O:VOLA250620{letter}{:08},VOLA,{strike},{right},2025-06-20,4.9,5.1,{iv},900,{price}\n",
                strike * 1000
            );
        }
    }
    text
}

/// A chain of the session with a strike near any price: volatility rises by 0.1 points a dollar from 188.
fn wide_chain() -> String {
    let mut text = "option_symbol,underlying,strike_price,contract_type,expiration_date,bid,ask,\
                    implied_volatility,open_interest\n"
        .to_owned();
    for strike in (60..620).step_by(5) {
        let iv = f64::from(200 + i32::abs(strike - 188)) / 1000.0;
        text += &format!(
            "O:VOLA250620C{:08},VOLA,{strike},call,2025-06-20,4.9,5.1,{iv:.3},900\n",
            strike * 1000
        );
    }
    text
}

/// A ledger that knows a split of 2025-08-04, ten new shares for one, if it is to.
fn bench(price: &str, known: bool) -> (Bench, Responder) {
    let split = r#"{"results":[{"execution_date":"2025-08-04","split_from":1,"split_to":10,"ticker":"VOLA","id":"x"}],"status":"OK"}"#;
    let service = Responder::new(move |_, _| ok(split));
    let mut bench = Bench::new(service.base());
    bench.now = "2025-06-03T21:35:00Z".to_owned();
    spot(&bench, "188.06");
    let file = bench.desk.write("chain.csv", &chain(price));
    bench.run(&format!("import chain {file} -s VOLA --date {DAY} --yes")).exits(0);
    let days = ["2024-08-01", "2024-11-01", "2025-02-03", "2025-05-02", "2025-06-06"];
    let rows: String = days.iter().map(|day| format!("VOLA,{day},AMC,1\n")).collect();
    let text = format!("ticker,announcement_date,timing,confirmed\n{rows}");
    let file = bench.desk.write("calendar.csv", &text);
    bench.run(&format!("import earnings {file} --yes")).exits(0);
    bench.run("derive iv --yes").exits(0);
    bench.now = "2025-11-14T21:35:00Z".to_owned();
    if known {
        bench.fetch("splits VOLA --yes").exits(0);
    }
    (bench, service)
}

fn spot(bench: &Bench, close: &str) {
    let file = bench.desk.write("spot.csv", &format!("date,ticker,close\n{DAY},VOLA,{close}\n"));
    bench.run(&format!("import spot {file} --symbol-from column --yes")).exits(0);
}

fn iv(bench: &Bench) -> Vec<String> {
    bench.rows("iv", "VOLA").iter().map(|row| row["atm_iv"].to_string()).collect()
}

/// Whether `status` says that the record no longer follows.
fn out_of_date(bench: &Bench) -> bool {
    let status = bench.run("status --json").exits(0).json();
    let outdated = status["outdated"].as_array().unwrap();
    outdated.iter().any(|of| of["series"] == "iv" && of["symbols"][0] == "VOLA")
}

fn implied(bench: &Bench) -> Json {
    let found = bench.run(&format!("vrp VOLA --date {DAY} --json")).exits(0).json();
    found["rows"][0]["implied_move"].clone()
}

/// Strikes are those of the day: what the quotes themselves say of the price goes with them.
#[test]
fn the_price_in_the_quotes_goes_before_a_close() {
    let (bench, _service) = bench("188.09", true);
    assert_eq!(iv(&bench), ["0.17"]);
    spot(&bench, "18.806");
    assert!(!out_of_date(&bench));
    let before = bench.size();
    bench.run("derive iv --yes").exits(0);
    assert_eq!((iv(&bench), bench.size()), (vec!["0.17".to_owned()], before));
}

/// Where the quotes name no price, a close that was restated since is multiplied back.
#[test]
fn a_restated_close_is_brought_back_into_the_shares_of_its_day() {
    let (bench, _service) = bench("", true);
    assert_eq!(iv(&bench), ["0.17"]);
    let before = implied(&bench);
    assert!(before.is_number());
    spot(&bench, "18.806");
    bench.run("derive iv --yes").exits(0);
    assert_eq!((iv(&bench), implied(&bench)), (vec!["0.17".to_owned()], before.clone()));
    // A file with the closes as traded that comes after the split is no restated one.
    spot(&bench, "188.06");
    bench.run("derive iv --yes").exits(0);
    assert_eq!((iv(&bench), implied(&bench)), (vec!["0.17".to_owned()], before));
}

/// Of a close that lies near no strike nothing is computed.
#[test]
fn a_close_far_from_every_strike_gives_nothing() {
    let (bench, _service) = bench("", false);
    assert_eq!(iv(&bench), ["0.17"]);
    spot(&bench, "18.806");
    let said = bench.run("derive iv --yes").exits(0);
    assert!((said.out.clone() + &said.err).contains("do not fit the close"), "{said:?}");
    assert_eq!((iv(&bench), implied(&bench)), (Vec::<String>::new(), Json::Null));
    // Near the strike of a put: of the calls none is at the money.
    spot(&bench, "51");
    bench.run("derive iv --yes").exits(0);
    assert_eq!(iv(&bench), [""; 0]);
}

/// A vendor's adjusted closes up to the announcement, as traded from the next session on, and a split
/// after both: that is no move of ten to one.
#[test]
fn a_move_across_two_vendors_adjustments_is_none() {
    let service = Responder::new(|target, _| match target {
        of if of.contains("/splits") => ok(
            r#"{"results":[{"execution_date":"2025-10-06","split_from":1,"split_to":10,"ticker":"VOLA","id":"x"}],"status":"OK"}"#,
        ),
        _ => ok(
            r#"{"Time Series (Daily)":{"2025-06-03":{"1. open":"189","2. high":"190","3. low":"180","4. close":"188.1","5. volume":"7"}}}"#,
        ),
    });
    let bench = Bench::new(service.base());
    let file = bench.desk.write("spot.csv", "date,ticker,close\n2025-06-02,VOLA,18.1\n");
    bench.run(&format!("import spot {file} --symbol-from column --yes")).exits(0);
    let text = "ticker,announcement_date,timing,confirmed\nVOLA,2025-06-02,AMC,1\n";
    let file = bench.desk.write("calendar.csv", text);
    bench.run(&format!("import earnings {file} --yes")).exits(0);
    bench
        .fetch("spot VOLA --from 2025-06-03 --to 2025-06-03 --source alpha-vantage --yes")
        .exits(0);
    let of = |bench: &Bench| {
        let found = bench.run("earnings VOLA --json").exits(0).json();
        let row = &found["rows"][0];
        [row["status"].clone(), row["reason"].clone(), row["close_move"].clone()]
    };
    assert_eq!(of(&bench)[0], "OK", "nobody knows of a split");
    bench.fetch("splits VOLA --yes").exits(0);
    let want = [Json::from("QUARANTINED"), "closes_of_two_adjustments".into(), Json::Null];
    assert_eq!(of(&bench), want);
}

/// A split that was announced restates nothing before its day, and what was asked since then is not
/// asked for ever where the service says the same.
#[test]
fn a_split_makes_earlier_prices_asked_once_from_its_day_on() {
    for (view, words) in [("spot", "spot VOLA"), ("bars", "bars VOLA --timespan 1hour")] {
        restated(view, words);
    }
}

fn restated(view: &str, words: &str) {
    let days = sessions("2025-10-01", "2025-11-13");
    let split = r#"{"results":[{"execution_date":"2025-11-20","split_from":1,"split_to":10,"ticker":"VOLA","id":"x"}],"status":"OK"}"#;
    let service = Responder::new(move |target, number| match target {
        of if of.contains("/splits") => ok(split),
        // Each answer of the service has a name of its own.
        _ => ok(bars_body("VOLA", &days, |n| format!("{}", 100 + n))
            .replace(r#""r""#, &format!(r#""r{number}""#))),
    });
    let mut bench = Bench::new(service.base());
    let asked = |bench: &Bench| {
        let before = service.asked().len();
        bench.fetch(&format!("{words} --from 2025-10-01 --to 2025-11-13 --yes")).exits(0);
        service.asked().len() - before
    };
    assert_eq!(asked(&bench), 1);
    bench.fetch("splits VOLA --yes").exits(0);
    assert_eq!(asked(&bench), 0, "the split is to come");
    bench.now = "2025-11-20T22:35:00Z".to_owned();
    let size = bench.size();
    assert_eq!(asked(&bench), 1);
    assert_ne!(bench.size(), size, "that it was asked is not known");
    assert_eq!(asked(&bench), 0);
    assert_eq!(bench.count(view, "VOLA"), 32);
    bench.verifies();
}

/// One answer corrects a day, a later one corrects it back: in the days and words of one from before.
#[test]
fn a_value_that_is_corrected_back_is_heard() {
    let service = Responder::new(|target, call| {
        let path = target.split('?').next().unwrap();
        let parts: Vec<&str> = path.split('/').collect();
        let price = |day: &str| if day == "2025-11-11" && call == 1 { "118.5" } else { "119.5" };
        let body = match parts.contains(&"grouped") {
            true => {
                let day: Day = parts[parts.len() - 1].parse().unwrap();
                let t = eastern::instant(day, 16, 0).unwrap();
                let price = price(parts[parts.len() - 1]);
                format!(
                    r#"{{"resultsCount":1,"adjusted":true,"results":[{{"T":"A","v":9,"o":{price},"c":{price},"h":{price},"l":{price},"t":{t}}}],"status":"OK","request_id":"r"}}"#
                )
            }
            false => {
                let days = sessions(parts[8], parts[9]);
                bars_body("A", &days, |n| price(&days[n].to_string()).to_owned())
            }
        };
        ok(body.replace(r#""request_id":"r""#, &format!(r#""request_id":"r{call}""#)))
    });
    let shown = |bench: &Bench| {
        let rows = bench.rows("spot", "A");
        let row = rows.iter().find(|row| row["date"] == "2025-11-11").unwrap();
        row["close"].to_string()
    };
    let long = "spot A --from 2025-11-03 --to 2025-11-12 --grouped never --no-derive --refresh";
    let day = "--from 2025-11-11 --to 2025-11-11 --no-derive --refresh";
    let short = format!("spot A {day} --grouped never");
    let all = format!("spot A {day} --grouped always");
    for [first, second] in [[long, &short], [&short, long], [&all, &short], [&short, &all]] {
        let bench = Bench::new(service.base());
        service.forget();
        bench.confirmed(first);
        assert_eq!(bench.confirmed(second)["series"][0]["changed"], 1, "{second}");
        assert_eq!(shown(&bench), "118.5");
        assert_eq!(bench.confirmed(first)["series"][0]["changed"], 1, "{first}");
        assert_eq!(shown(&bench), "119.5");
        let before = bench.size();
        bench.confirmed(first);
        assert_eq!(bench.size(), before, "{first}: nothing is new any more");
    }
}

/// Of two answers the one that was confirmed later is shown, whichever was asked first.
#[test]
fn what_was_confirmed_late_is_corrected_too() {
    let service = Responder::new(|target, call| {
        let parts: Vec<&str> = target.split(['/', '?']).collect();
        let price = if call == 0 { "118.5" } else { "119.5" };
        let body = bars_body("A", &sessions(parts[8], parts[9]), |_| price.to_owned());
        ok(body.replace(r#""request_id":"r""#, &format!(r#""request_id":"r{call}""#)))
    });
    let bench = Bench::new(service.base());
    let words = "spot A --from 2025-11-10 --to 2025-11-11 --grouped never --no-derive --refresh";
    bench.fetch(&format!("{words} --stage-only")).exits(0);
    let ran = bench.fetch(&format!("{words} --yes --json")).exits(11).json();
    assert_eq!((&ran["batch"], &ran["state"]), (&"b2".into(), &"active".into()));
    let token = bench.run("batch diff b1 --json").exits(0).json()["token"].clone();
    bench.run(&format!("batch confirm b1 --expect {}", token.as_str().unwrap())).exits(0);
    assert_eq!(bench.rows("spot", "A")[0]["close"].to_string(), "118.5");
    bench.confirmed(words);
    assert_eq!(bench.rows("spot", "A")[0]["close"].to_string(), "119.5");
}

/// What is learnt after a computation may be about days that come after it: a split, and the closes around
/// one that tell whether it is out of the others.
#[test]
fn a_split_that_is_learnt_last_makes_a_record_out_of_date() {
    let split = r#"{"results":[{"execution_date":"2025-08-04","split_from":1,"split_to":2,"ticker":"VOLA","id":"x"}],"status":"OK"}"#;
    let service = Responder::new(move |_, _| ok(split));
    let bench = Bench::new(service.base());
    spot(&bench, "94.03");
    let file = bench.desk.write("chain.csv", &wide_chain());
    bench.run(&format!("import chain {file} -s VOLA --date {DAY} --yes")).exits(0);
    bench.run("derive iv --yes").exits(0);
    assert_eq!(iv(&bench), ["0.293"]);
    // Closes of later days alone change nothing.
    let beside = "date,ticker,close\n2025-08-01,VOLA,94\n2025-08-04,VOLA,94.5\n";
    let file = bench.desk.write("beside.csv", beside);
    bench.run(&format!("import spot {file} --symbol-from column --yes")).exits(0);
    assert!(!out_of_date(&bench));
    bench.fetch("splits VOLA --yes").exits(0);
    assert!(out_of_date(&bench));
    bench.run("derive iv --yes").exits(0);
    assert_eq!(iv(&bench), ["0.202"]);
    assert!(!out_of_date(&bench));
    bench.run("batch rollback b4 --reason wrong").exits(0);
    assert!(out_of_date(&bench));
    bench.run("derive iv --yes").exits(0);
    assert!(!out_of_date(&bench));
}

/// An answer of before a split that waited in the inbox has the closes of before it, whenever it is staged.
#[test]
fn an_answer_that_waited_over_a_split_is_as_it_was_given() {
    let days = sessions("2025-05-20", "2025-06-03");
    let split = r#"{"results":[{"execution_date":"2025-06-05","split_from":1,"split_to":3,"ticker":"VOLA","id":"x"}],"status":"OK"}"#;
    let service = Responder::new(move |target, _| match target {
        of if of.contains("/splits") => ok(split),
        of if of.contains("ZZZ") => Play::Hang,
        of => ok(bars_body(of.split('/').nth(4).unwrap(), &days, |n| format!("{}.06", 179 + n))),
    });
    let mut bench = Bench::new(service.base());
    bench.now = "2025-06-04T11:30:00Z".to_owned();
    let range = "--from 2025-05-20 --to 2025-06-03 --grouped never --yes";
    let mut child = bench.start(&format!("spot VOLA WAIT ZZZ {range} --jobs 1 -q"));
    wait_until("the last was asked", || service.asked().len() == 3);
    child.kill().unwrap();
    child.wait().unwrap();
    bench.now = "2025-06-06T11:30:00Z".to_owned();
    bench.fetch(&format!("spot VOLA {range}")).exits(0);
    assert_eq!(service.asked().len(), 3, "its answer was kept");
    assert_eq!(bench.rows("spot", "VOLA").pop().unwrap()["close"].to_string(), "188.06");
    bench.fetch("splits VOLA --yes").exits(0);
    let file = bench.desk.write("chain.csv", &wide_chain());
    bench.run(&format!("import chain {file} -s VOLA --date {DAY} --yes")).exits(0);
    bench.run("derive iv --yes").exits(0);
    assert_eq!(iv(&bench), ["0.202"]);
    let why = bench.run(&format!("why iv VOLA {DAY} atm_iv --json")).exits(0).out;
    assert!(why.contains(r#"\"spot\":188.06"#), "{why}");
}

/// A ledger that is older than the range of its cron line: after a split the older days are asked again, too.
#[test]
fn days_older_than_the_range_are_restated_with_the_others() {
    let split = r#"{"results":[{"execution_date":"2025-06-05","split_from":1,"split_to":4,"ticker":"VOLA","id":"x"}],"status":"OK"}"#;
    let service = Responder::new(move |target, call| {
        if target.contains("/splits") {
            return ok(split);
        }
        let (from, to) = super::range_of(target);
        let close = if call == 0 { "400.5" } else { "100.125" };
        ok(bars_body("VOLA", &sessions(&from, &to), |_| close.to_owned()))
    });
    let mut bench = Bench::new(service.base());
    bench.now = "2025-06-04T11:30:00Z".to_owned();
    bench.fetch("spot VOLA --from 2025-01-02 --grouped never --yes").exits(0);
    bench.now = "2025-06-06T11:30:00Z".to_owned();
    bench.fetch("splits VOLA --yes").exits(0);
    let coverage = || {
        let gaps = bench.run("gaps VOLA --series spot --json").exits(0).json();
        gaps["rows"][0]["coverage"].as_array().unwrap().clone()
    };
    assert_eq!(coverage()[0]["split"], "2025-06-05");
    let said = bench.run("gaps VOLA --series spot").exits(0).out;
    assert!(said.contains("before the split of 2025-06-05"), "{said}");
    // The limit of the cron line stops all of it.
    let words = "spot VOLA --days 20 --grouped never --max-change-points 25 --yes";
    bench.fetch(words).exits(11);
    // Two questions at once: which of them comes first is not said.
    let older = "/range/1/day/2025-01-02/2025-05-16?";
    assert!(service.asked().iter().any(|asked| asked.contains(older)), "{:?}", service.asked());
    let closes = || bench.rows("spot", "VOLA").into_iter().map(|row| row["close"].to_string());
    assert!(closes().all(|close| close == "400.5"));
    // b2 is what was computed, b3 the split.
    let token = bench.run("batch diff b4 --json").exits(0).json()["token"].clone();
    bench.run(&format!("batch confirm b4 --expect {}", token.as_str().unwrap())).exits(0);
    let shown = bench.rows("spot", "VOLA");
    assert_eq!(shown.len(), sessions("2025-01-02", "2025-06-05").len());
    assert!(closes().all(|close| close == "100.125"), "{shown:?}");
    assert!(coverage().iter().all(|range| range["split"].is_null()), "{:?}", coverage());
    let asked = service.asked().len();
    bench.fetch(words).exits(0);
    assert_eq!(service.asked().len(), asked, "nothing is missing any more");
    bench.verifies();
}

/// A plan that has the older years no more: that is asked once, and takes no wanted day with it.
#[test]
fn older_days_that_are_refused_after_a_split_are_asked_once() {
    let split = r#"{"results":[{"execution_date":"2025-06-05","split_from":1,"split_to":4,"ticker":"VOLA","id":"x"}],"status":"OK"}"#;
    let service = Responder::new(move |target, call| {
        if target.contains("/splits") {
            return ok(split);
        }
        let (from, to) = super::range_of(target);
        if call > 0 && from.as_str() < "2025-05-01" {
            let body = r#"{"status":"NOT_AUTHORIZED","message":"Your plan doesn't include this data timeframe."}"#;
            return super::responder::whole("403 Forbidden", body);
        }
        let close = if call == 0 { "400.5" } else { "100.125" };
        ok(bars_body("VOLA", &sessions(&from, &to), |_| close.to_owned()))
    });
    let mut bench = Bench::new(service.base());
    bench.now = "2025-06-04T11:30:00Z".to_owned();
    bench.fetch("spot VOLA --from 2025-01-02 --grouped never --yes").exits(0);
    bench.now = "2025-06-06T11:30:00Z".to_owned();
    bench.fetch("splits VOLA --yes").exits(0);
    let words = "spot VOLA --days 20 --grouped never --yes";
    bench.fetch(words);
    let shown = bench.rows("spot", "VOLA");
    assert_eq!(shown.first().unwrap()["close"].to_string(), "400.5");
    assert_eq!(shown.last().unwrap()["close"].to_string(), "100.125");
    let asked = service.asked().len();
    let plan = bench.fetch(&format!("{words} --dry-run --json")).exits(0).json();
    assert_eq!(plan["plan"]["not_entitled"][0]["from"], "2025-01-02", "{plan}");
    bench.fetch(words).exits(0);
    assert_eq!(service.asked().len(), asked);
    let said = bench.run("derive hv VOLA --yes");
    assert!((said.out + &said.err).contains("a split of 2025-06-05 is known"));
}
