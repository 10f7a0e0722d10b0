//! What is not known any more: rows that a file said, and rows that were erased.

use super::responder::{Responder, ok};
use super::{Bench, bars_body, sessions};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use volledger::domain::{Day, eastern};

/// The days that are asked about.
const DAYS: &str = "--from 2025-11-10 --to 2025-11-12 --no-derive";

/// All stocks of a day: two and one with a dot, no other.
fn all_stocks(day: Day) -> String {
    let t = eastern::instant(day, 16, 0).unwrap();
    let bar = |name: &&str| {
        format!(r#"{{"T":"{name}","v":9,"vw":7.5,"o":7.5,"c":7.5,"h":7.5,"l":7.5,"t":{t},"n":7}}"#)
    };
    let bars: Vec<String> = ["A", "B", "BRK.B"].iter().map(bar).collect();
    let results = bars.join(",");
    format!(
        r#"{{"queryCount":3,"resultsCount":3,"adjusted":true,"results":[{results}],"status":"OK","request_id":"r","count":3}}"#
    )
}

/// Answers as the service does; of X it has nothing.
fn service() -> Responder {
    Responder::new(|target, call| {
        let path = target.split('?').next().unwrap();
        let parts: Vec<&str> = path.split('/').collect();
        let day = |at: usize| parts[parts.len() - at].parse::<Day>().unwrap();
        if path.contains("/grouped/") {
            return ok(all_stocks(day(1)));
        }
        let symbol = parts[4];
        let days = match symbol {
            "X" => Vec::new(),
            _ => sessions(&day(2).to_string(), &day(1).to_string()),
        };
        // No answer of the service has the bytes of another.
        let body = bars_body(symbol, &days, |_| "7.5".to_owned());
        ok(body.replace(r#""request_id":"r""#, &format!(r#""request_id":"{call}""#)))
    })
}

#[test]
fn what_a_file_said_of_a_stock_is_not_in_an_answer_that_lacks_it() {
    let service = service();
    let mut bench = Bench::new(service.base());
    // When the days are long past, that there is nothing is final.
    bench.now = "2025-11-18T21:35:00Z".into();
    bench.confirmed(&format!("spot A B {DAYS} --grouped always"));
    let asked = service.targets().len();
    assert_eq!(asked, 3);
    let rows = "Date,Close\n2025-11-10,5\n2025-11-11,5\n2025-11-12,5\n";
    let file = bench.desk.write("X.csv", rows);
    bench.run(&format!("import spot {file} -s X --yes")).exits(0);
    // The answers say nothing of it, whether the file counts or not.
    let gaps = |symbol: &str| bench.run(&format!("gaps {symbol} --json")).exits(0).json();
    let coverage = |symbol: &str| {
        let gaps = gaps(symbol);
        let lines = gaps["rows"].as_array().unwrap();
        let spot = lines.iter().find(|line| line["series"] == "spot").unwrap();
        spot["coverage"].as_array().unwrap().clone()
    };
    assert_eq!(coverage("X").len(), 0, "{:?}", coverage("X"));
    assert_eq!(coverage("A")[0]["to"], "2025-11-12");
    bench.run("batch rollback b2").exits(0);
    let words = format!("spot X {DAYS}");
    let plan = bench.fetch(&format!("{words} --dry-run --json")).exits(0).json();
    assert_eq!(plan["plan"]["questions"], 1, "{plan}");
    bench.run("gaps ZZZZZ").exits(1);
    // Asked alone it is known to have nothing, and is not asked again.
    bench.confirmed(&words);
    assert_eq!(service.targets().len(), asked + 1);
    assert_eq!(coverage("X")[0]["fact"], "empty");
    bench.confirmed(&words);
    assert_eq!(service.targets().len(), asked + 1);
    bench.verifies();
}

#[test]
fn what_was_erased_of_an_answer_about_all_stocks_comes_back_only_when_asked_for() {
    let service = service();
    let bench = Bench::new(service.base());
    let words = format!("spot A B BRK.B {DAYS}");
    bench.confirmed(&format!("{words} --grouped always"));
    bench.run("erase b1/8 --reason licence --yes").exits(0);
    assert_eq!(bench.count("spot", "B"), 2);
    let asked = service.targets().len();
    let ran = bench.fetch(&format!("{words} --yes")).exits(23);
    assert!(ran.err.contains("what is missing was erased from b1"), "{}", ran.err);
    assert!(ran.err.contains("--again") && !ran.err.contains("reinstate"), "{}", ran.err);
    // A range that has more is asked without the day.
    let wider = words.replace("--to 2025-11-12", "--to 2025-11-13");
    let ran = bench.fetch(&format!("{wider} --yes")).exits(0);
    assert!(ran.err.contains("days that were erased from b1 are not asked"), "{}", ran.err);
    assert_eq!(service.targets().split_off(asked).len(), 1, "{:?}", service.targets());
    assert_eq!((bench.count("spot", "A"), bench.count("spot", "B")), (4, 3));
    bench.confirmed(&format!("{words} --again --reason licensed"));
    assert_eq!(bench.count("spot", "B"), 4);
    let asked = service.targets().len();
    bench.confirmed(&words);
    assert_eq!(service.targets().len(), asked, "it is known again");
    bench.verifies();
}

#[test]
fn what_was_erased_of_a_range_is_left_out_of_it() {
    let service = service();
    let bench = Bench::new(service.base());
    let words = format!("spot A {DAYS} --grouped never");
    bench.confirmed(&words);
    bench.run("erase b1/2 --reason licence --yes").exits(0);
    let ran = bench.fetch(&format!("{words} --refresh --yes")).exits(0);
    assert!(ran.err.contains("days that were erased from b1 are not asked"), "{}", ran.err);
    let targets = service.targets().split_off(1);
    assert!(targets.len() == 2 && !targets.iter().any(|one| one.contains("2025-11-11")));
    assert_eq!(bench.count("spot", "A"), 2);
    // Of that day nothing is known any more, where it is asked and where it is told.
    let gaps = bench.run("gaps A --series spot --json").exits(0).json();
    let told = gaps["rows"][0]["coverage"].as_array().unwrap();
    let days: Vec<&str> = told.iter().map(|range| range["to"].as_str().unwrap()).collect();
    assert_eq!(days, ["2025-11-10", "2025-11-12"], "{gaps}");
    // All of the range, in the words of the first answer: it says more than what is left of that.
    let review = bench.confirmed(&format!("{words} --refresh --again --reason licensed"));
    assert_eq!(bench.count("spot", "A"), 3, "{review}");
    bench.verifies();
}

/// Three bars of the five days that the service says there are, once.
fn cut_once() -> Responder {
    Responder::new(|target, call| {
        let parts: Vec<&str> = target.split(['/', '?']).collect();
        let days = sessions(parts[8], parts[9]);
        if call > 0 {
            return ok(bars_body("CUT", &days, |_| "7.5".to_owned()));
        }
        let body = bars_body("CUT", &days[..3], |_| "7.5".to_owned());
        ok(body.replace(r#""resultsCount":3"#, r#""resultsCount":5"#))
    })
}

#[test]
fn what_was_taken_back_of_an_incomplete_answer_stays_out_too() {
    for back in ["batch rollback b1 --reason wrong", "erase b1 --reason licence --yes"] {
        let (service, days) = (cut_once(), "--from 2025-10-13 --no-derive");
        let bench = Bench::new(service.base());
        bench.fetch(&format!("spot CUT {days} --to 2025-10-17 --yes")).exits(40);
        assert_eq!(bench.count("spot", "CUT"), 3);
        bench.run(back).exits(0);
        bench.fetch(&format!("spot CUT {days} --to 2025-10-15 --yes")).exits(23);
        // What had not come was not taken back.
        let ran = bench.fetch(&format!("spot CUT {days} --to 2025-10-17 --yes")).exits(0);
        assert!(ran.err.contains("b1 are not asked"), "{back}: {}", ran.err);
        let target = service.targets().pop().unwrap();
        assert!(target.contains("/2025-10-16/2025-10-17?"), "{back}: {target}");
        assert_eq!(bench.count("spot", "CUT"), 2, "{back}");
        bench.confirmed(&format!("spot CUT {days} --to 2025-10-17 --again --reason meant"));
        assert_eq!(bench.count("spot", "CUT"), 5, "{back}");
        bench.verifies();
    }
}

/// An incomplete answer that came again because somebody said so is completed without a word.
#[test]
fn an_incomplete_answer_that_was_asked_for_again_is_completed() {
    let service = Responder::new(|target, call| {
        let parts: Vec<&str> = target.split(['/', '?']).collect();
        let days = sessions(parts[8], parts[9]);
        if call > 1 {
            return ok(bars_body("CUT", &days, |_| "7.5".to_owned()));
        }
        // Not the same bytes twice.
        let body = bars_body("CUT", &days[..3], |_| format!("{}.5", 7 + call));
        ok(body.replace(r#""resultsCount":3"#, r#""resultsCount":5"#))
    });
    let bench = Bench::new(service.base());
    let words = "spot CUT --from 2025-10-13 --to 2025-10-17 --no-derive --yes";
    bench.fetch(words).exits(40);
    bench.run("batch rollback b1 --reason wrong").exits(0);
    bench.fetch(&format!("{words} --again --reason meant")).exits(40);
    assert_eq!(bench.count("spot", "CUT"), 3);
    bench.fetch(words).exits(0);
    assert_eq!(bench.count("spot", "CUT"), 5);
}

/// Three minutes of each day; of one day one of them is no bar until the service mends it.
fn minutes(target: &str, mended: bool) -> String {
    let parts: Vec<&str> = target.split(['/', '?']).collect();
    let bar = |day: &Day, minute: u32| {
        let t = eastern::instant(*day, 9, 30 + minute).unwrap();
        let bad = !mended && minute == 1 && day.to_string() == "2025-10-15";
        let high = if bad { "1" } else { "7.5" };
        format!(r#"{{"v":9,"vw":7.5,"o":7.5,"c":7.5,"h":{high},"l":7.5,"t":{t},"n":7}}"#)
    };
    let days = sessions(parts[8], parts[9]);
    let bars: Vec<String> =
        days.iter().flat_map(|day| (0..3).map(move |minute| bar(day, minute))).collect();
    format!(
        r#"{{"ticker":"MIN","resultsCount":{},"adjusted":true,"results":[{}],"status":"OK"}}"#,
        bars.len(),
        bars.join(",")
    )
}

#[test]
fn a_day_with_a_rejected_bar_is_taken_back_with_its_other_bars() {
    let mended = Arc::new(AtomicBool::new(false));
    let theirs = Arc::clone(&mended);
    let service =
        Responder::new(move |target, _| ok(minutes(target, theirs.load(Ordering::SeqCst))));
    let words = "bars MIN --from 2025-10-13 --max-rejected 1 --yes --to";
    let whole = format!("{words} 2025-10-17");
    let (rolled, erased, known) =
        (Bench::new(service.base()), Bench::new(service.base()), Bench::new(service.base()));
    for bench in [&rolled, &erased, &known] {
        bench.fetch(&whole).exits(0);
        assert_eq!(bench.count("bars", "MIN"), 14);
    }
    rolled.run("batch rollback b1 --reason wrong").exits(0);
    // A good bar of the day; events are counted from 1.
    let row = erased.rows("bars", "MIN").into_iter().position(|row| row["date"] == "2025-10-15");
    assert_eq!(row, Some(6));
    erased.run("erase b1/7 --reason licence --yes").exits(0);
    mended.store(true, Ordering::SeqCst);
    rolled.fetch(&whole).exits(23);
    assert_eq!(rolled.count("bars", "MIN"), 0);
    erased.fetch(&whole).exits(23);
    erased.fetch(&format!("{words} 2025-10-14")).exits(0);
    assert_eq!(erased.count("bars", "MIN"), 13);
    // Where nothing was taken back the day is asked again, alone.
    known.fetch(&whole).exits(0);
    assert!(service.targets().pop().unwrap().contains("/2025-10-15/2025-10-15?"));
    assert_eq!(known.count("bars", "MIN"), 15);
}

#[test]
fn of_what_was_taken_back_nobody_says_that_nothing_is_missing() {
    let service = service();
    for back in ["batch rollback b1 --reason wrong", "erase b1 --reason licence --yes"] {
        let bench = Bench::new(service.base());
        let words = format!("spot A {DAYS} --grouped never");
        bench.confirmed(&words);
        bench.run(back).exits(0);
        let ran = bench.fetch(&format!("{words} --yes")).exits(23);
        assert!(!ran.err.contains("nothing is missing"), "{back}: {}", ran.err);
        let plan = bench.fetch(&format!("{words} --dry-run")).exits(0);
        assert!(!plan.out.contains("nothing is missing"), "{back}: {}", plan.out);
        assert!(plan.err.contains("b1 are not asked"), "{back}: {}", plan.err);
        let plan = bench.fetch(&format!("{words} --dry-run --json")).exits(0).json();
        assert_eq!(plan["plan"]["covered"], 0, "{plan}");
    }
}
