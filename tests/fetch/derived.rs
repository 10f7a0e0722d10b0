//! What follows from fetched data: historical volatility, and the daily record of a chain.

use super::fake::Fake;
use super::responder::{Responder, ok, whole};
use super::{Bench, bars_body, sessions};
use serde_json::Value;
use volledger::domain::eastern;

fn number(value: &Value) -> Option<f64> {
    value.is_number().then(|| value.to_string().parse().unwrap())
}

/// Sample standard deviation of the last `window` log returns, a year long.
fn volatility(closes: &[f64], window: usize) -> Option<f64> {
    let last = closes.len().checked_sub(window + 1).map(|from| &closes[from..])?;
    let returns: Vec<f64> = last.windows(2).map(|pair| (pair[1] / pair[0]).ln()).collect();
    let mean = returns.iter().sum::<f64>() / window as f64;
    let squares = returns.iter().map(|one| (one - mean).powi(2)).sum::<f64>();
    Some((squares / (window - 1) as f64).sqrt() * 252f64.sqrt())
}

#[track_caller]
fn hv_follows_from_closes(bench: &Bench, symbol: &str) {
    let spot = bench.rows("spot", symbol);
    let hv = bench.rows("hv", symbol);
    let closes: Vec<f64> = spot.iter().map(|row| number(&row["close"]).unwrap()).collect();
    assert_eq!(hv.len(), spot.len() - 20, "{symbol}: from the first full window on");
    for (row, index) in hv.iter().zip(20..) {
        assert_eq!(row["date"], spot[index]["date"]);
        for (name, window) in [("hv20", 20), ("hv30", 30), ("hv90", 90), ("hv252", 252)] {
            let want = volatility(&closes[..=index], window);
            match (number(&row[name]), want) {
                (None, None) => {}
                (Some(is), Some(want)) if (is - want).abs() <= 1e-9 => {}
                (is, want) => panic!("{symbol} {}: {name} is {is:?}, not {want:?}", row["date"]),
            }
        }
    }
    assert!(hv.iter().any(|row| number(&row["hv252"]).is_some()));
}

fn walk(n: usize) -> String {
    let step = (n * 7919 % 101) as f64 / 1000.0 - 0.05;
    format!("{:.4}", 150.0 * (1.0 + step) + n as f64 / 10.0)
}

#[test]
fn hv_of_our_own_service() {
    let days = sessions("2024-09-03", "2025-11-13");
    let service = Responder::new(move |_, _| ok(bars_body("VOLA", &days, walk)));
    let bench = Bench::new(service.base());
    let words = "spot VOLA --from 2024-09-03 --grouped never --yes";
    bench.fetch(words).exits(0);
    hv_follows_from_closes(&bench, "VOLA");
    let why = bench.run("why hv VOLA 2025-11-13 --json").exits(0).out;
    assert!(why.contains("derive-hv"), "{why}");
    let before = bench.size();
    bench.run("derive hv --yes").exits(0);
    assert_eq!(bench.size(), before, "the same again is nothing");
    bench.verifies();
}

/// What was computed from closes that were rolled back since is taken back, once.
#[test]
fn hv_of_closes_that_are_gone_is_taken_back() {
    let days = sessions("2024-03-01", "2025-11-13");
    let service = Responder::new(move |target, _| {
        let words: Vec<&str> = target.split(['/', '?']).collect();
        let (from, to) = (words[8].parse().unwrap(), words[9].parse().unwrap());
        let within: Vec<_> = days.iter().copied().filter(|day| (from..=to).contains(day)).collect();
        ok(bars_body("VOLA", &within, walk))
    });
    let bench = Bench::new(service.base());
    bench.fetch("spot VOLA --from 2025-01-02 --grouped never --yes").exits(0);
    let alone = bench.rows("hv", "VOLA");
    bench.fetch("spot VOLA --from 2024-03-01 --grouped never --yes").exits(0);
    assert!(bench.rows("hv", "VOLA").len() > alone.len());
    bench.run("batch rollback b3 --reason wrong").exits(0);
    bench.run("derive hv --yes").exits(0);
    assert_eq!(bench.rows("hv", "VOLA"), alone);
    let before = bench.size();
    bench.run("derive hv --yes").exits(0);
    assert_eq!(bench.size(), before, "the same again is nothing");
    bench.verifies();
}

/// What is said of taking back is true: of a fetch, and of what was computed from it.
#[test]
fn a_fetch_and_what_follows_from_it_are_taken_back_as_is_said() {
    let days = sessions("2025-06-02", "2025-11-13");
    let service = Responder::new(move |target, _| match target.contains("VOLA") {
        true => ok(bars_body("VOLA", &days, walk)),
        false => ok(bars_body("NONE", &[], walk)),
    });
    let bench = Bench::new(service.base());
    let words = "--from 2025-06-02 --grouped never --yes";
    let told = bench.fetch(&format!("spot VOLA {words}")).exits(0);
    let hints: Vec<&str> =
        told.err.lines().filter(|line| line.contains("volledger undo")).collect();
    assert_eq!(
        hints,
        ["Hint: `volledger undo` takes b2 back; once more, b1 as well"],
        "{}",
        told.err
    );
    let first = bench.run("undo").exits(0);
    assert!(
        first
            .err
            .contains("what b2 was computed from, b1, still counts: `volledger undo` once more"),
        "{}",
        first.err
    );
    let second = bench.run("undo").exits(0);
    assert!(!second.err.contains("once more"), "{}", second.err);
    assert!(bench.shown().is_empty());
    // Nothing is shown of it, so there is nothing to take back.
    let empty = bench.fetch(&format!("spot NONE {words}")).exits(0);
    assert!(empty.out.contains("b3") && !empty.err.contains("volledger undo"), "{empty:?}");
    bench.verifies();
}

/// Whoever imports with `--overlap keep` wants holes filled, not to give way to what is computed here.
#[test]
fn what_somebody_gave_to_fill_holes_is_shown_before_what_is_computed() {
    let days = sessions("2025-06-02", "2025-11-13");
    let theirs = days.clone();
    let service = Responder::new(move |_, _| ok(bars_body("VOLA", &theirs, walk)));
    let bench = Bench::new(service.base());
    let newest = days[days.len() - 1];
    let rows: String = days[60..].iter().map(|day| format!("{day},11.11\n")).collect();
    let file = bench.desk.write("hv.csv", &format!("Date,HV20\n{rows}"));
    bench.run(&format!("import hv {file} -s VOLA --overlap keep --yes")).exits(0);
    let given = |bench: &Bench| {
        let rows = bench.rows("hv", "VOLA");
        let hv = rows.iter().filter(|row| row["date"].as_str() >= Some(&*days[60].to_string()));
        hv.map(|row| row["hv20"].to_string()).collect::<Vec<_>>()
    };
    let before = given(&bench);
    assert_eq!(before, vec!["0.1111"; days.len() - 60]);
    bench.fetch("spot VOLA --from 2025-06-02 --grouped never --yes").exits(0);
    assert_eq!(given(&bench), before);
    assert_eq!(bench.count("hv", "VOLA"), days.len() - 20, "holes are filled");
    let why = bench.run(&format!("why hv VOLA {newest} hv20")).exits(0).out;
    assert!(why.contains("b1/") && why.contains("b3/"), "{why}");
    bench.run("batch rollback b2 --reason wrong").exits(0);
    bench.run("derive hv --yes").exits(0);
    assert_eq!((given(&bench), bench.count("hv", "VOLA")), (before, days.len() - 60));
    bench.verifies();
    // It comes to light where what was given is taken back.
    bench.run("batch rollback b4 --reason wrong").exits(0);
    bench.run("batch rollback b1 --reason wrong").exits(0);
    assert_eq!(bench.count("hv", "VOLA"), days.len() - 20);
}

#[test]
fn hv_of_the_fake_market() {
    let Some(fake) = Fake::start(&[]) else { return };
    let bench = Bench::new(fake.base());
    bench.fetch("spot MSFT S0001 --years 2 --yes").exits(0);
    for symbol in ["MSFT", "S0001"] {
        hv_follows_from_closes(&bench, symbol);
    }
}

#[test]
fn without_consent_nothing_follows() {
    let days = sessions("2025-06-02", "2025-11-13");
    let service = Responder::new(move |_, _| ok(bars_body("VOLA", &days, walk)));
    let bench = Bench::new(service.base());
    let words = "spot VOLA --from 2025-06-02 --grouped never";
    bench.fetch(&format!("{words} --stage-only")).exits(0);
    assert!(bench.shown().is_empty());
    bench.run("batch confirm b1").exits(0);
    assert!(bench.shown().iter().all(|line| line.starts_with("spot ")));
    bench.verifies();
}

/// A jump that no split explains has no volatility across it.
#[test]
fn an_unadjusted_split_is_flagged_and_not_used() {
    let days = sessions("2025-06-02", "2025-11-13");
    let at = 60;
    let split = days[at];
    let service = Responder::new(move |_, _| {
        let close = |n: usize| {
            let close: f64 = walk(n).parse().unwrap();
            format!("{:.4}", if n < at { close * 4.0 } else { close })
        };
        ok(bars_body("VOLA", &days, close))
    });
    let bench = Bench::new(service.base());
    bench.fetch("spot VOLA --from 2025-06-02 --grouped never --yes").exits(0);
    let rows = bench.rows("hv", "VOLA");
    let dates: Vec<&str> = rows.iter().map(|row| row["date"].as_str().unwrap()).collect();
    assert!(!dates.contains(&split.to_string().as_str()), "{dates:?}");
    for row in &rows {
        assert!(number(&row["hv20"]).is_none_or(|hv| hv < 2.5), "{row}");
    }
    let review = bench.run("batch show b2 --json").exits(0).out;
    assert!(review.contains("unadjusted_split"), "{review}");
}

/// The split of a symbol as its service lists it, three new shares for two.
fn three_for_two(symbol: &str, day: &str) -> String {
    format!(
        r#"{{"results":[{{"execution_date":"{day}","split_from":2,"split_to":3,"ticker":"{symbol}","id":"x"}}],"status":"OK"}}"#
    )
}

/// A split of 3:2 lies within what a market does. Prices as traded are brought into today's shares
/// where it is known, whenever that is; of others nothing is computed across it.
#[test]
fn a_small_split_that_is_known_is_no_fall_of_a_third() {
    let days = sessions("2025-06-02", "2025-11-13");
    let at = 60;
    let split = days[at].to_string();
    let theirs = (days.clone(), split.clone());
    let close = move |n: usize| -> String {
        let close: f64 = walk(n).parse().unwrap();
        format!("{:.4}", if n < at { close * 1.5 } else { close })
    };
    let service = Responder::new(move |target, _| match target {
        of if of.contains("/splits") => ok(three_for_two("VOLA", &theirs.1)),
        of if of.contains("TIME_SERIES_DAILY") => {
            let bar = |(n, day): (usize, &volledger::domain::Day)| {
                let c = close(n);
                let prices = ["1. open", "2. high", "3. low", "4. close"]
                    .map(|name| format!(r#""{name}":"{c}""#));
                format!(r#""{day}":{{{},"5. volume":"7"}}"#, prices.join(","))
            };
            let bars: Vec<String> = theirs.0.iter().enumerate().map(bar).collect();
            ok(format!(r#"{{"Time Series (Daily)":{{{}}}}}"#, bars.join(",")))
        }
        _ => ok(bars_body("VOLA", &theirs.0, close)),
    });
    let adjusted: Vec<f64> = (0..days.len()).map(|n| walk(n).parse().unwrap()).collect();
    let is_adjusted = |bench: &Bench| {
        let hv = bench.rows("hv", "VOLA");
        assert_eq!(hv.len(), days.len() - 20);
        for (row, index) in hv.iter().zip(20..) {
            let (is, want) = (number(&row["hv20"]).unwrap(), volatility(&adjusted[..=index], 20));
            // Their closes have four digits each.
            assert!((is - want.unwrap()).abs() < 1e-5, "{row}: {want:?}");
        }
    };
    let spot = "spot VOLA --from 2025-06-02 --yes --json";
    let bench = Bench::new(service.base());
    bench.fetch("splits VOLA --yes").exits(0);
    let review = bench.fetch(&format!("{spot} --source alpha-vantage")).exits(0).out;
    assert!(review.contains("not_adjusted") && !review.contains("splits_unknown"), "{review}");
    is_adjusted(&bench);
    // Learnt of later, it is made good by the next computation; taken back, so is that.
    let bench = Bench::new(service.base());
    let review = bench.fetch(&format!("{spot} --source alpha-vantage")).exits(0).out;
    assert!(review.contains("splits_unknown"), "{review}");
    assert!(number(&bench.rows("hv", "VOLA")[at - 15]["hv20"]).unwrap() > 1.0);
    bench.fetch("splits VOLA --yes").exits(0);
    bench.run("derive hv --yes").exits(0);
    is_adjusted(&bench);
    bench.verifies();
    // Polygon's prices should have it; where they do not, nobody can tell.
    let bench = Bench::new(service.base());
    bench.fetch("splits VOLA --yes").exits(0);
    bench.fetch(&format!("{spot} --grouped never")).exits(0);
    let hv = bench.rows("hv", "VOLA");
    let dates: Vec<&str> = hv.iter().map(|row| row["date"].as_str().unwrap()).collect();
    let across: Vec<String> = days[at..at + 20].iter().map(ToString::to_string).collect();
    assert!(across.iter().all(|day| !dates.contains(&day.as_str())), "{dates:?}");
    assert_eq!(hv.len(), days.len() - 20 - 20);
    let review = bench.run("batch show b3 --json").exits(0).out;
    assert!(review.contains("split_not_adjusted"), "{review}");
    // Nor by any estimator; by the first version of them it was a fall.
    let greatest = |version: u32| {
        let query = format!("select max(close_to_close) as most from 'hv_estimators@{version}'");
        let out = bench.desk.words(&["sql", &query, "--json"]).exits(0).json();
        number(&out["rows"][0][0]).unwrap()
    };
    assert!(greatest(1) > 1.0 && greatest(3) < 0.9, "{} {}", greatest(1), greatest(3));
    assert_eq!(greatest(2), greatest(3));
    bench.verifies();
}

#[test]
fn the_record_of_a_chain_is_the_volatility_of_a_contract() {
    let Some(fake) = Fake::start(&["--now", "2023-06-27T15:00:00-04:00"]) else { return };
    let mut bench = Bench::new(fake.base());
    bench.now = "2023-06-27T19:05:00Z".to_owned();
    bench.fetch("chain AAPL --yes -q").exits(0);
    let rows = bench.rows("iv", "AAPL");
    assert_eq!(rows.len(), 1);
    assert_eq!(rows[0]["date"], "2023-06-27");
    for name in ["term_m1_m2", "term_m1_m3", "skew"] {
        assert!(number(&rows[0][name]).is_some(), "{name}: {}", rows[0]);
    }
    let why = bench.run("why iv AAPL 2023-06-27 --json").exits(0).out;
    let at = why.find("O:AAPL230721C").unwrap_or_else(|| panic!("no contract in {why}"));
    let contract = &why[at..at + "O:AAPL230721C00190000".len()];
    let chain = bench.rows("chain", "AAPL");
    let row = chain.iter().find(|row| row["contract"] == contract).unwrap();
    let iv = ["implied_volatility", "iv"].iter().find_map(|name| row.get(*name)).unwrap();
    assert_eq!(rows[0]["atm_iv"].to_string(), iv.to_string(), "{contract}");
    // Nearest to the price of the underlying.
    let price = number(&row["underlying_price"]).unwrap();
    let off = |row: &Value| (number(&row["strike_price"]).unwrap() - price).abs();
    let front = chain.iter().filter(|row| row["expiration_date"] == "2023-07-21");
    let least = front.map(off).fold(f64::MAX, f64::min);
    assert!(off(row) <= least + 1e-9, "{contract} at {price}");
    bench.verifies();
}

/// Friday's quotes with Monday's price of the underlying: whose money is at stake is not known.
#[test]
fn a_price_of_another_day_than_the_quotes_is_not_used() {
    let ns = |day: &str, hour| eastern::instant(day.parse().unwrap(), hour, 0).unwrap() * 1_000_000;
    let chain = |moved: i64| {
        let contract = |strike: i64| {
            let iv = 20 + strike / 10;
            format!(
                r#"{{"details":{{"contract_type":"call","expiration_date":"2025-12-19","strike_price":{strike},"ticker":"O:VOLA251219C{:08}"}},"greeks":{{"delta":0.5}},"implied_volatility":0.{iv},"last_quote":{{"ask":2,"bid":1,"last_updated":{}}},"underlying_asset":{{"price":120,"ticker":"VOLA","last_updated":{moved}}}}}"#,
                strike * 1000,
                ns("2025-11-14", 16)
            )
        };
        let all: Vec<String> = [90, 100, 110, 120].map(contract).to_vec();
        format!(r#"{{"status":"OK","request_id":"r","results":[{}]}}"#, all.join(","))
    };
    for (moved, shown) in [(ns("2025-11-14", 16), 1), (ns("2025-11-17", 8), 0)] {
        let body = chain(moved);
        let service = Responder::new(move |_, _| ok(&body));
        let mut bench = Bench::new(service.base());
        bench.now = "2025-11-17T13:05:00Z".to_owned();
        bench.fetch("chain VOLA --yes").exits(0);
        assert_eq!(bench.rows("chain", "VOLA").len(), 4);
        let found = bench.run("view iv VOLA --json");
        assert_eq!(found.out.matches("atm_iv").count().min(1), shown, "{}", found.out);
    }
}

/// The second page has what is at the money. Without it the nearest call is another one.
#[test]
fn nothing_is_computed_from_half_a_chain() {
    let ns = eastern::instant("2025-11-14".parse().unwrap(), 16, 0).unwrap() * 1_000_000;
    let contract = move |strike: i64| {
        let iv = 20 + strike / 10;
        format!(
            r#"{{"details":{{"contract_type":"call","expiration_date":"2025-12-19","strike_price":{strike},"ticker":"O:VOLA251219C{:08}"}},"greeks":{{"delta":0.5}},"implied_volatility":0.{iv},"last_quote":{{"ask":2,"bid":1,"last_updated":{ns}}},"underlying_asset":{{"price":120,"ticker":"VOLA","last_updated":{ns}}}}}"#,
            strike * 1000
        )
    };
    let body = move |strikes: [i64; 2], next: &str| {
        let all = strikes.map(contract).join(",");
        format!(r#"{{"status":"OK","request_id":"r"{next},"results":[{all}]}}"#)
    };
    let service = Responder::new(move |target, call| match target.contains("cursor") {
        true if call == 1 => whole("400 Bad Request", r#"{"status":"ERROR","error":"cursor"}"#),
        true => ok(body([110, 120], "")),
        false => {
            let path = target.split('?').next().unwrap();
            ok(body([90, 100], &format!(r#","next_url":"{path}?cursor=2""#)))
        }
    });
    let mut bench = Bench::new(service.base());
    bench.now = "2025-11-17T13:05:00Z".to_owned();
    let ran = bench.fetch("chain VOLA --yes");
    assert_ne!(ran.exit, 0);
    assert!(ran.err.contains("the chain did not come whole"), "{}", ran.err);
    assert_eq!((bench.count("chain", "VOLA"), bench.count("iv", "VOLA")), (2, 0));
    bench.run("derive iv --yes").exits(0);
    assert_eq!(bench.count("iv", "VOLA"), 0);
    bench.fetch("chain VOLA --yes").exits(0);
    assert_eq!(bench.rows("iv", "VOLA")[0]["atm_iv"].to_string(), "0.32");
    bench.verifies();
}

/// Nor is a straddle judged by it: the session before is, which came whole, and the other is told.
#[test]
fn nothing_is_judged_by_half_a_chain() {
    let ns = eastern::instant("2025-11-14".parse().unwrap(), 16, 0).unwrap() * 1_000_000;
    let contract = move |(right, strike, bid): (&str, i64, f64)| {
        let letter = &right[..1].to_uppercase();
        format!(
            r#"{{"details":{{"contract_type":"{right}","expiration_date":"2025-11-21","strike_price":{strike},"ticker":"O:VOLA251121{letter}{:08}"}},"implied_volatility":0.4,"open_interest":500,"last_quote":{{"ask":{},"bid":{bid},"last_updated":{ns}}},"underlying_asset":{{"price":97,"ticker":"VOLA","last_updated":{ns}}}}}"#,
            strike * 1000,
            bid + 0.1
        )
    };
    let body = move |quotes: &[(&str, i64, f64)], next: &str| {
        let all = quotes.iter().copied().map(contract).collect::<Vec<_>>().join(",");
        format!(r#"{{"status":"OK","request_id":"r"{next},"results":[{all}]}}"#)
    };
    let service = Responder::new(move |target, call| match target.contains("cursor") {
        true if call == 1 => whole("400 Bad Request", r#"{"status":"ERROR","error":"cursor"}"#),
        true => ok(body(&[("put", 100, 4.5)], "")),
        false => {
            let path = target.split('?').next().unwrap();
            let quotes = [("call", 90, 8.0), ("call", 100, 1.5), ("put", 90, 1.0)];
            ok(body(&quotes, &format!(r#","next_url":"{path}?cursor=2""#)))
        }
    });
    let bench = Bench::new(service.base());
    let calendar = "ticker,announcement_date,timing,confirmed\nVOLA,2025-11-18,AMC,1\n";
    let file = bench.desk.write("calendar.csv", calendar);
    bench.run(&format!("import earnings {file} --yes")).exits(0);
    let row = |line: &str| {
        let found = bench.run(&format!("vrp VOLA {line} --json")).exits(0).json();
        let row = found["rows"][0].clone();
        let cut = "the chain of 2025-11-14 did not come whole: nothing is computed from it";
        let told = row["reasons"].as_array().unwrap().iter().any(|of| of == cut);
        (row["date"].clone(), row["straddle"].as_f64(), told)
    };
    assert_ne!(bench.fetch("chain VOLA --yes").exit, 0);
    assert_eq!(row(""), (Value::Null, None, true));
    let head = "option_symbol,underlying,strike_price,contract_type,expiration_date,bid,ask,\
                open_interest,underlying_price\n";
    let rows = "O:VOLA251121C00097000,VOLA,97,call,2025-11-21,3,3.1,500,97\n\
                O:VOLA251121P00097000,VOLA,97,put,2025-11-21,3,3.1,500,97\n";
    let file = bench.desk.write("chain.csv", &format!("{head}{rows}"));
    bench.run(&format!("import chain {file} -s VOLA --date 2025-11-13 --yes")).exits(0);
    assert_eq!(row(""), ("2025-11-13".into(), Some(6.1), true));
    let then = bench.size().2;
    bench.fetch("chain VOLA --yes").exits(0);
    let (day, straddle, cut) = row("");
    assert_eq!((day, cut), ("2025-11-14".into(), false));
    assert!((straddle.unwrap() - (9.1 * 0.3 + 6.1 * 0.7)).abs() < 1e-9, "{straddle:?}");
    // What came later is not seen from before it.
    assert_eq!(row(&format!("--at {then}")), ("2025-11-13".into(), Some(6.1), true));
}

/// Strike, expiry and right may stand in the ticker alone: what judges a straddle by them also has a
/// volatility of them.
#[test]
fn contracts_that_only_their_tickers_tell_have_a_record_and_a_straddle() {
    let service = Responder::new(|_, _| ok(bars_body("VOLA", &[], walk)));
    let bench = Bench::new(service.base());
    let calendar = "ticker,announcement_date,timing,confirmed\nVOLA,2025-11-25,AMC,1\n";
    let file = bench.desk.write("calendar.csv", calendar);
    bench.run(&format!("import earnings {file} --yes")).exits(0);
    let head =
        "option_symbol,underlying,implied_volatility,bid,ask,open_interest,underlying_price\n";
    let rows = "O:VOLA251219C00097000,VOLA,0.41,3,3.1,500,97\n\
                O:VOLA251219P00097000,VOLA,0.43,3,3.1,500,97\n\
                O:VOLA251219C00100000,VOLA,0.39,2,2.1,500,97\n";
    let file = bench.desk.write("chain.csv", &format!("{head}{rows}"));
    bench.run(&format!("import chain {file} -s VOLA --date 2025-11-13 --yes")).exits(0);
    bench.run("derive iv --yes").exits(0);
    let iv = bench.rows("iv", "VOLA");
    assert_eq!((iv.len(), iv[0]["atm_iv"].to_string()), (1, "0.41".to_owned()));
    let found = bench.run("vrp VOLA --json").exits(0).json();
    assert_eq!(found["rows"][0]["straddle"].as_f64(), Some(6.1), "{found}");
}
