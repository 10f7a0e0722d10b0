//! One request about all stocks of a day in the place of one for each of those that are wanted.

use super::responder::{Responder, ok, whole};
use super::{Bench, bars_body, exported, sessions};
use serde_json::Value;
use std::collections::BTreeMap;
use volledger::app::fetch::{Note, Question, open_inbox};
use volledger::domain::{Day, Series, eastern};
use volledger::sources::polygon;

const ONE: &str = "--from 2025-11-12 --to 2025-11-12 --no-derive";
const WEEK: &str = "--from 2025-11-05 --to 2025-11-12 --no-derive";

/// A close that differs by stock and day.
fn close(symbol: &str, day: Day) -> String {
    let letters: u32 = symbol.bytes().map(u32::from).sum();
    format!("{}.{}", letters, day.to_string().replace('-', "").split_off(6))
}

/// All stocks of a day; the bar of `BAD` cannot be, that of `NAN` has no close.
fn all_stocks(day: Day, names: &[&str]) -> String {
    let t = eastern::instant(day, 0, 0).unwrap();
    let bar = |name: &&str| {
        let c = close(name, day);
        let high = if *name == "BAD" { "0.01" } else { c.as_str() };
        let close = if *name == "NAN" { "null" } else { c.as_str() };
        format!(
            r#"{{"T":"{name}","v":1.5e+06,"vw":{c},"o":{c},"c":{close},"h":{high},"l":{c},"t":{t},"n":7}}"#
        )
    };
    let bars: Vec<String> = names.iter().map(bar).collect();
    let (count, bars) = (names.len(), bars.join(","));
    format!(
        r#"{{"queryCount":{count},"resultsCount":{count},"adjusted":true,"results":[{bars}],"status":"OK","request_id":"r"}}"#
    )
}

/// A market of these stocks in answers about all; by name it knows `OTC` as well, and no `NOSUCH`.
fn market(names: &'static [&'static str]) -> Responder {
    Responder::new(move |target, call| {
        let path = target.split('?').next().unwrap();
        let parts: Vec<&str> = path.split('/').collect();
        let body = match path.contains("/grouped/") {
            true => all_stocks(parts[parts.len() - 1].parse().unwrap(), names),
            false => {
                let days = match parts[4] {
                    "NOSUCH" => Vec::new(),
                    _ => sessions(parts[8], parts[9]),
                };
                bars_body(parts[4], &days, |n| close(parts[4], days[n]))
            }
        };
        ok(body.replace(r#""request_id":"r""#, &format!(r#""request_id":"{call}""#)))
    })
}

/// By symbol what was found out.
fn outcomes(review: &Value) -> BTreeMap<String, String> {
    let lines = review["fetch"]["outcomes"].as_array().unwrap().iter();
    let text = |value: &Value| value.as_str().unwrap_or("all").to_owned();
    lines.map(|line| (text(&line["symbol"]), text(&line["fact"]))).collect()
}

fn symbols(bench: &Bench) -> Vec<String> {
    let rows = bench.run("snapshot --json").exits(0).json();
    let rows = rows["rows"].as_array().unwrap().clone();
    rows.iter().map(|row| row["symbol"].as_str().unwrap().to_owned()).collect()
}

fn grouped(service: &Responder) -> usize {
    service.targets().iter().filter(|target| target.contains("/grouped/")).count()
}

#[test]
fn of_an_answer_about_all_stocks_only_those_are_taken_that_were_named() {
    let service = market(&["A", "B", "BAD", "C", "D", "NAN"]);
    let bench = Bench::new(service.base());
    let words = format!("spot A B NOSUCH {ONE}");
    let ran = bench.fetch(&format!("{words} --dry-run")).exits(0);
    assert!(ran.out.contains("of it only the 3 symbols wanted are taken"), "{}", ran.out);
    let plan = bench.fetch(&format!("{words} --dry-run --json")).exits(0).json();
    assert_eq!(plan["plan"]["grouped"], serde_json::json!({"questions": 1, "symbols": 3}));
    let review = bench.confirmed(&words);
    assert_eq!(grouped(&service), 1);
    let told = outcomes(&review);
    let want = [("A", "data"), ("B", "data"), ("NOSUCH", "empty")];
    assert_eq!(told, want.map(|(a, b)| (a.to_owned(), b.to_owned())).into());
    assert_eq!((&review["rows"]["accepted"], &review["rows"]["rejected"]), (&2.into(), &0.into()));
    let findings = review["findings"].as_array().unwrap();
    let left = findings.iter().find(|finding| finding["code"] == "not_asked_for").unwrap();
    let text = "1 answer about all stocks of a day has 6 bars: the 2 of stocks that were asked for are taken";
    assert!(left["text"].as_str().unwrap().starts_with(text), "{left}");
    assert_eq!((symbols(&bench), bench.size().0), (vec!["A".to_owned(), "B".into()], 2));
    let gaps = bench.run("gaps NOSUCH --series spot --json").exits(0).json();
    let known = &gaps["rows"][0]["coverage"][0];
    assert_eq!(known["fact"], "empty", "{gaps}");
    assert!(known["text"].as_str().unwrap().contains("lacks it"), "{gaps}");
    // The whole body is kept: the bytes of a row are found in it.
    bench.run("why spot A 2025-11-12").exits(0);
    bench.verifies();

    // As it would be if each had been asked about alone.
    let other = Bench::new(service.base());
    other.confirmed(&format!("{words} --grouped never"));
    assert_eq!((bench.shown(), exported(&bench)), (other.shown(), exported(&other)));

    // Nobody else is known by it; who was, is not asked again.
    let asked = service.targets().len();
    bench.confirmed(&format!("spot A B {ONE}"));
    assert_eq!(service.targets().len(), asked);
    bench.confirmed(&format!("spot C {ONE}"));
    assert_eq!(symbols(&bench), ["A", "B", "C"]);
    // The same bars again add nothing, of whom they were asked before.
    let before = bench.size();
    bench.confirmed(&format!("spot A B C {ONE} --refresh"));
    assert_eq!(bench.size(), before);
    assert_eq!(grouped(&service), 2);
    bench.confirmed(&format!("spot A B C D {ONE} --refresh --grouped always"));
    assert_eq!((symbols(&bench).len(), bench.size().0), (4, before.0 + 1));
    bench.verifies();
}

/// There are stocks that the service leaves out of answers about all.
#[test]
fn a_stock_that_such_an_answer_lacks_is_asked_about_alone_and_then_known() {
    let service = market(&["A", "B", "C"]);
    let mut bench = Bench::new(service.base());
    let words = format!("spot A B NOSUCH OTC {ONE}");
    let told = outcomes(&bench.confirmed(&words));
    assert_eq!((service.targets().len(), told["OTC"].as_str()), (1, "empty"));
    bench.confirmed(&words);
    let targets = service.targets().split_off(1);
    assert!(targets.len() == 2 && grouped(&service) == 1, "{targets:?}");
    assert_eq!(bench.count("spot", "OTC"), 1);
    // When the day is long past, that there is nothing is for good.
    bench.now = "2025-11-18T21:35:00Z".into();
    for _ in 0..2 {
        bench.confirmed(&words);
        assert_eq!(service.targets().len(), 4, "{:?}", service.targets());
    }
    let gaps = bench.run("gaps NOSUCH --series spot --json").exits(0).json();
    assert!(gaps["rows"][0]["coverage"][0]["text"].is_null(), "{gaps}");
    bench.verifies();
}

/// What is wrong in the market's answer about others is none of the asker's business.
#[test]
fn a_bar_that_cannot_be_stops_only_whom_it_is_about() {
    let service = market(&["A", "B", "BAD", "NAN"]);
    let bench = Bench::new(service.base());
    bench.confirmed(&format!("spot A B {ONE} --max-rejected 0"));
    let ran = bench.fetch(&format!("spot BAD NAN A {ONE} --refresh --yes --json")).exits(11);
    let told = outcomes(&ran.json());
    assert_eq!((told["BAD"].as_str(), told["A"].as_str()), ("empty", "data"));
    assert_eq!(ran.json()["rows"]["rejected"], 2, "{}", ran.out);
    let asked = service.targets().len();
    bench.fetch(&format!("spot BAD NAN A {ONE} --yes"));
    let targets = service.targets().split_off(asked);
    assert!(
        targets.len() == 2 && targets.iter().all(|one| one.contains("/ticker/")),
        "{targets:?}"
    );
    bench.verifies();
}

#[test]
fn what_was_rolled_back_of_one_is_not_taken_from_an_answer_about_all() {
    let service = market(&["A", "B", "C"]);
    let bench = Bench::new(service.base());
    bench.confirmed(&format!("spot A {ONE}"));
    bench.run("batch rollback b1 --reason wrong").exits(0);
    let ran = bench.fetch(&format!("spot A B C {ONE} --yes")).exits(0);
    assert!(ran.err.contains("rolled back with b1 are not asked"), "{}", ran.err);
    assert_eq!((grouped(&service), symbols(&bench)), (1, vec!["B".to_owned(), "C".into()]));
    bench.fetch(&format!("spot B C {ONE} --refresh --grouped always --yes")).exits(0);
    bench.confirmed(&format!("spot A B C {ONE} --again --reason meant"));
    assert_eq!(symbols(&bench), ["A", "B", "C"]);
    bench.verifies();
}

/// A new name on a list of many has years that are missing, the others a day.
#[test]
fn years_of_one_symbol_are_no_reason_to_ask_for_all_stocks_of_each_day() {
    let service = market(&["A", "B", "C", "NEW"]);
    let bench = Bench::new(service.base());
    bench.confirmed(&format!("spot A B C {} --grouped never", WEEK.replace("11-12", "11-11")));
    service.forget();
    bench.confirmed(&format!("spot A B C NEW {WEEK}"));
    assert_eq!((service.targets().len(), grouped(&service)), (2, 1), "{:?}", service.targets());
    assert_eq!((bench.count("spot", "A"), bench.count("spot", "NEW")), (6, 6));
    bench.verifies();
}

#[test]
fn a_failure_is_that_of_one_question_and_of_each_symbol() {
    let service = Responder::new(|_, _| whole("400 Bad Request", r#"{"error":"no such day"}"#));
    let bench = Bench::new(service.base());
    let ran = bench.fetch(&format!("spot A B C {ONE} --yes")).exits(1);
    let text = "1 of 1 questions failed, the first was all stocks of 2025-11-12 (rejected)";
    assert!(ran.err.contains(text), "{}", ran.err);
    let gaps = bench.run("gaps B --series spot --json").exits(0).json();
    assert_eq!(gaps["rows"][0]["coverage"][0]["fact"], "failed", "{gaps}");
}

/// Puts an answer about all stocks of the day into the inbox, as a fetch leaves it that was stopped.
fn left_waiting(bench: &Bench, only: &[&str], position: u64) {
    let day: Day = "2025-11-12".parse().unwrap();
    let question = Question {
        endpoint: polygon::Endpoint::Grouped.into(),
        series: Series::Spot,
        symbol: None,
        only: only.iter().map(|name| name.parse().unwrap()).collect(),
        scope: String::new(),
        from: day,
        to: day,
        target: format!("/v2/aggs/grouped/locale/us/market/stocks/{day}?adjusted=true"),
    };
    let mut note = Note::of("run", 0, &question);
    (note.last, note.ended, note.status, note.attempts) = (true, "ok".into(), 200, 1);
    (note.observed_ms, note.position) = (1_763_154_000_000, position);
    let note = serde_json::to_string(&note).unwrap();
    assert_eq!(note.contains("\"only\""), !only.is_empty(), "earlier programs know no such word");
    let patience = std::time::Duration::from_secs(5);
    let mut inbox = open_inbox(&bench.ledger(), "test", patience).unwrap();
    inbox.add(&note, all_stocks(day, &["A", "B", "C"]).as_bytes()).unwrap();
    inbox.sync().unwrap();
}

#[test]
fn what_an_earlier_program_left_waiting_is_settled_as_it_would_have_done() {
    let service = market(&["A", "B", "C"]);
    let bench = Bench::new(service.base());
    left_waiting(&bench, &[], 0);
    let ran = bench.fetch(&format!("spot A B {ONE} --yes --json")).exits(0);
    assert_eq!(outcomes(&ran.json()), [("all".to_owned(), "data".to_owned())].into());
    assert_eq!((service.targets().len(), symbols(&bench).len()), (0, 3), "{}", ran.err);
    bench.confirmed(&format!("spot C {ONE}"));
    assert_eq!(service.targets().len(), 0, "what it holds is known");
    bench.verifies();
}

#[test]
fn what_waits_counts_for_whom_it_was_asked() {
    let service = market(&["A", "B", "C"]);
    let bench = Bench::new(service.base());
    left_waiting(&bench, &["A", "B"], 0);
    let ran = bench.fetch(&format!("spot A B C {ONE} --yes")).exits(0);
    assert!(ran.err.contains("1 answer kept from an interrupted fetch"), "{}", ran.err);
    let targets = service.targets();
    assert!(targets.len() == 1 && targets[0].contains("/ticker/C/"), "{targets:?}");
    assert_eq!(symbols(&bench), ["A", "B", "C"]);
    bench.verifies();

    // What was taken back of one of them since does not come with the others.
    let bench = Bench::new(service.base());
    bench.confirmed(&format!("spot A {ONE}"));
    left_waiting(&bench, &["A", "B"], 2);
    bench.run("batch rollback b1 --reason wrong").exits(0);
    let asked = service.targets().len();
    let ran = bench.fetch(&format!("spot A B {ONE} --yes")).exits(0);
    assert!(ran.err.contains("spot of A that waited is left out"), "{}", ran.err);
    assert_eq!((service.targets().len(), symbols(&bench)), (asked, vec!["B".to_owned()]));
    bench.verifies();
}
