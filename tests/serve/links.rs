//! Every link that a page shows leads to an answer, whatever a ledger knows of its symbols.

use super::Site;
use crate::fetch::Bench;
use crate::fetch::responder::{Responder, ok};
use crate::program::{Desk, sample};
use std::collections::{BTreeMap, BTreeSet, VecDeque};

const CHAIN: &str = "\
ticker,underlying,expiration,dte,strike,type,iv,open_interest,bid,ask,bid_size,ask_size,volume
O:XYZ250516C00100000,XYZ,2025-05-16,30,100.0,C,0.3,10,1.10,1.20,5,6,7
";
/// Midnight in New York of 2025-04-16, and the opening minute, in nanoseconds.
const MIDNIGHT: &str = "1744776000000000000";
const OPENING: &str = "1744810200000000000";

/// A ledger with symbols of which one thing alone is known, of every kind that there is.
fn every_kind(desk: &Desk) {
    let import = |series: &str, name: &str, text: &str, words: &str| {
        let file = desk.write(name, text);
        desk.run(&format!("import {series} {file} {words}")).exits(0);
    };
    let day = "2024-01-02,20\n";
    let iv = format!("Date,IV30\n{day}");
    for name in ["VOLA", "VOLB"] {
        desk.run(&format!("import iv {} -s {name} --yes", sample(&format!("iv/{name}.csv"))))
            .exits(0);
    }
    desk.run(&format!("import spot {} -s VOLC --yes", sample("spot/VOLC.csv"))).exits(0);
    import("iv", "short.csv", &iv, "-s BRKpA --yes");
    import("hv", "hv.csv", &format!("Date,HV20\n{day}"), "-s HVONLY --yes");
    for (series, name) in [("earnings", "calendar"), ("moves", "moves"), ("straddles", "straddles")]
    {
        let text = std::fs::read_to_string(sample(&format!("earnings/{name}.csv"))).unwrap();
        // One of them has nothing but announcements.
        let text = text.replace("VOLA,", "EARN,");
        import(series, "e.csv", &text, "--yes");
    }
    import("chain", "chain.csv", CHAIN, "--date 2025-04-16 --yes");
    let index = format!("ticker,open,close,high,low,window_start\nI:VIX,1.10,2,3,1,{MIDNIGHT}\n");
    import("bars", "index.csv", &index, "--yes");
    let minute = format!(
        "ticker,volume,open,close,high,low,window_start,transactions\n\
        MIN.A,10.50,1.10,2,3,1,{OPENING},4\n"
    );
    import("bars", "minute.csv", &minute, "--yes");
    for (name, act) in [("GONE", "rollback"), ("THROWN", "discard")] {
        let how = if act == "rollback" { "--force" } else { "--stage-only" };
        import("iv", "gone.csv", &iv, &format!("-s {name} {how}"));
        let batches = desk.run("batch list --json").json()["batches"].as_array().unwrap().len();
        desk.run(&format!("batch {act} b{batches} --reason bad")).exits(0);
    }
    let gone = index.replace("I:VIX", "I:GONE");
    import("bars", "gone.csv", &gone, "--yes");
    desk.run("undo").exits(0);
    import("iv", "new.csv", &iv, "-s NEW --stage-only");
    desk.run("erase b2/1 --reason licence --yes").exits(0);
    for times in ["1", "2"] {
        let query =
            format!("SELECT symbol, date, atm_iv * {times} AS v FROM iv WHERE symbol = :symbol");
        let query = desk.write("one.sql", &query);
        desk.run(&format!("projection add rich --sql {query}")).exits(0);
    }
    desk.run("projection add iv_metrics").exits(0);
}

/// Where the links of a page lead on this server.
fn links(page: &str) -> impl Iterator<Item = String> {
    let found = page.split("href=\"").skip(1).filter_map(|rest| rest.split('"').next());
    let found = found.filter(|to| to.starts_with('/')).map(|to| to.replace("&amp;", "&"));
    found.map(|to| to.split('#').next().unwrap().to_owned())
}

/// An address without its days and its language: one of each kind is enough, and so are the first
/// rows of a batch.
fn kind(link: &str) -> String {
    let parts = link.split(['/', '?', '&']).filter(|part| !part.starts_with("lang="));
    let day = |part: &str| part.len() >= 10 && part.as_bytes()[part.len() - 3] == b'-';
    let mut parts: Vec<&str> = parts.map(|part| if day(part) { "DAY" } else { part }).collect();
    if let ["", "events", _, row] = parts.as_mut_slice()
        && row.len() > 1
    {
        *row = "ROW";
    }
    parts.join("/")
}

#[test]
fn every_link_of_every_page_is_answered() {
    let article = r#"{"id":"1","publisher":{"name":"P"},"title":"T","tickers":["NEWS"],
        "published_utc":"2025-11-05T12:00:00Z","article_url":"https://p/1"}"#;
    let body = format!(r#"{{"results":[{article}],"status":"OK","count":1}}"#);
    let service = Responder::new(move |_, _| ok(&body));
    let bench = Bench::new(service.base());
    every_kind(&bench.desk);
    bench.confirmed("news NEWS --from 2025-11-03 --to 2025-11-10");
    let head = bench.desk.run("status --json").json()["position"].as_u64().unwrap();
    let site = Site::of(&bench.desk, &["--allow-decisions"]);
    let starts =
        ["/", "/symbols", "/gaps", "/vrp", "/rank", "/batches", "/events", "/sql?q=select+1"];
    let past = |path: &&str| {
        let mark = if path.contains('?') { '&' } else { '?' };
        format!("{path}{mark}at=%23{}", head - 1)
    };
    let past = starts.iter().skip(1).map(past);
    let mut ahead: VecDeque<String> =
        starts.iter().map(|path| (*path).to_owned()).chain(past).collect();
    for symbol in ["EARN", "XYZ", "NEWS", "MIN.A", "GONE", "I%3AVIX", "I%3AGONE", "HVONLY", "BRKpA"]
    {
        for page in ["symbols", "gaps", "earnings"] {
            ahead.push_back(format!("/{page}/{symbol}"));
        }
    }
    let mut from: BTreeMap<String, String> = BTreeMap::new();
    let mut seen: BTreeSet<String> = ahead.iter().map(|link| kind(link)).collect();
    let mut wrong = Vec::new();
    while let Some(path) = ahead.pop_front() {
        let answer = site.get(&path);
        if answer.status != 200 {
            let from = from.get(&path).map_or("the start", String::as_str);
            wrong.push(format!("{path} of {from}: {}", answer.status));
        }
        for link in links(&answer.body) {
            if seen.insert(kind(&link)) {
                from.insert(link.clone(), path.clone());
                ahead.push_back(link);
            }
        }
    }
    assert!(wrong.is_empty(), "{} of {}: {wrong:#?}", wrong.len(), seen.len());
    assert!(seen.len() > 200, "{}", seen.len());
}

/// Every symbol of the list has values of a stock, as `coverage` has it; indices stand below.
#[test]
fn the_list_of_symbols_is_that_of_coverage_and_indices_have_their_level() {
    let desk = Desk::with_ledger();
    every_kind(&desk);
    let site = Site::of(&desk, &[]);
    let twin = site.get("/symbols.json").is(200).json();
    assert_eq!(twin, desk.run("coverage --json").json());
    let page = site.get("/symbols").is(200).body;
    let indices = page.split("<h2>Indices</h2>").nth(1).unwrap();
    assert!(indices.contains("<a href=\"/symbols/I%3AVIX?kind=index\">I:VIX</a>"), "{indices}");
    for (path, command) in [
        ("/symbols/I%3AVIX.json", "chart all I:VIX --json"),
        ("/symbols/I%3AVIX.json?kind=index", "chart index I:VIX --json"),
    ] {
        let level = site.get(path).is(200).json();
        assert_eq!(level, desk.run(command).exits(0).json());
        assert_eq!((&level["kind"], &level["points"][0][1]), (&"index".into(), &2.0.into()));
    }
    // What is known without anything to draw says so; its twin says what the command says.
    let nothing = site.get("/symbols/EARN").is(200).body;
    assert!(nothing.contains("there is nothing of EARN to draw: no view"), "{nothing}");
    assert!(!nothing.contains("/symbols/EARN.json"), "{nothing}");
    site.get("/symbols/EARN.json").is(404);
    assert!(site.get("/gaps/EARN").is(200).body.contains("no day of EARN is known"));
    site.get("/earnings/EARN").is(200);
    for path in ["/symbols/NONE", "/gaps/NONE", "/earnings/NONE", "/symbols/NEW", "/symbols/THROWN"]
    {
        site.get(path).is(404);
    }
    // Whether a symbol was to come is not told to the past.
    for symbol in ["NONE", "EARN"] {
        site.get(&format!("/symbols/{symbol}?at=%232")).is(404);
    }
}
