//! `volledger fetch`: the built program against a service on loopback.
//!
//! Most tests answer it themselves (`responder`; Alpha Vantage and Tradier always); those that need recorded bodies or a whole
//! market use `../shared/tools/polygon_fake.py` (`fake`), and say so when it is absent.

mod again;
mod alpha_vantage;
mod before_open;
mod derived;
pub mod fake;
mod faults;
mod grouped;
mod interrupted;
mod kept_back;
mod outcomes;
mod own;
mod recorded;
pub mod responder;
mod restated;
mod secret;
mod spent;
mod strict;
mod taken_back;
mod tradier;
mod tuned;

use crate::program::{Desk, Ran};
use serde_json::Value;
use std::process::{Child, Command, Stdio};
use volledger::domain::{Calendar, Day, eastern};

/// The key that must not be found anywhere.
pub const KEY: &str = "CANARY9f3e7b61d2a84c05";

/// The clock of the fake's market, 20 minutes later: Friday, after the close.
pub const NOW: &str = "2025-11-14T21:35:00Z";

/// A desk with a ledger whose program asks `base`, with a key and without a pace.
pub struct Bench {
    pub desk: Desk,
    pub base: String,
    pub now: String,
}

impl Bench {
    pub fn new(base: impl Into<String>) -> Self {
        Self { desk: Desk::with_ledger(), base: base.into(), now: NOW.to_owned() }
    }

    /// Writes the user's settings file.
    pub fn settings(&self, text: &str) {
        let home = self.desk.path().join("home/.config/volledger");
        std::fs::create_dir_all(&home).unwrap();
        std::fs::write(home.join("config.toml"), text).unwrap();
    }

    /// The program with the words of `line`, and the environment of the tests here.
    pub fn command(&self, line: &str) -> Command {
        let mut command = self.desk.command(line.split_whitespace());
        command.env("VOLLEDGER_NOW", &self.now).env("MASSIVE_API_KEY", KEY);
        command.env("ALPHA_VANTAGE_API_KEY", KEY).env("TRADIER_API_KEY", KEY);
        command
    }

    pub fn run(&self, line: &str) -> Ran {
        crate::program::ran(self.command(line), None)
    }

    /// `fetch` with these words.
    pub fn fetch(&self, words: &str) -> Ran {
        self.run(&self.fetch_line(words))
    }

    pub fn fetch_line(&self, words: &str) -> String {
        format!("fetch {words} --requests-per-minute 0 --base-url {}", self.base)
    }

    /// Starts a fetch; its output is read by [`Child::wait_with_output`].
    pub fn start(&self, words: &str) -> Child {
        let mut command = self.command(&self.fetch_line(words));
        command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
    }

    /// The review document of a fetch that is confirmed, and succeeds.
    #[track_caller]
    pub fn confirmed(&self, words: &str) -> Value {
        self.fetch(&format!("{words} --yes --json")).exits(0).json()
    }

    /// Events and batches of the ledger: what a fetch that learns nothing leaves as it is.
    #[track_caller]
    pub fn size(&self) -> (u64, Value, u64) {
        let status = self.run("status --json").exits(0).json();
        (
            status["events"].as_u64().unwrap(),
            status["batches"].clone(),
            status["position"].as_u64().unwrap(),
        )
    }

    /// The rows of a view; none where there is none.
    #[track_caller]
    pub fn rows(&self, series: &str, symbol: &str) -> Vec<Value> {
        let view = self.run(&format!("view {series} {symbol} --json")).exits(0).json();
        view["rows"].as_array().unwrap().clone()
    }

    /// How many rows a view has of a symbol, also of one that nobody knows.
    pub fn count(&self, series: &str, symbol: &str) -> usize {
        let ran = self.run(&format!("view {series} {symbol} --json"));
        if ran.exit == 1 { 0 } else { ran.exits(0).json()["rows"].as_array().unwrap().len() }
    }

    /// View, symbol and digest of everything that is shown.
    #[track_caller]
    pub fn shown(&self) -> Vec<String> {
        let patience = std::time::Duration::from_secs(5);
        let run = crate::support::run();
        let opened = volledger::app::outside::open(&self.ledger(), "test", patience, &run).unwrap();
        crate::support::shown(&opened.ledger)
    }

    /// The ledger is whole, down to the bytes of its sources.
    #[track_caller]
    pub fn verifies(&self) {
        self.run("verify --deep").exits(0);
    }

    /// Where the ledger is.
    pub fn ledger(&self) -> std::path::PathBuf {
        self.desk.path().join(".volledger")
    }

    /// How many pages stand in the inbox while a fetch is under way. Those outlive a kill; that the next
    /// question was asked does not say that the answer before it got there.
    pub fn arrived(&self) -> usize {
        let inbox = std::fs::read(self.ledger().join("inbox/arrived")).unwrap_or_default();
        let of_a_note = b"\"observed_ms\":";
        inbox.windows(of_a_note.len()).filter(|bytes| bytes == of_a_note).count()
    }

    /// A watchlist of `count` symbols, as `@FILE`, and the symbols.
    pub fn watchlist(&self, count: usize) -> (String, Vec<String>) {
        let symbols: Vec<String> = (0..count).map(|n| format!("S{n:04}")).collect();
        let path = self.desk.write("watchlist.txt", &(symbols.join("\n") + "\n"));
        (format!("@{path}"), symbols)
    }
}

/// What `export spot -f csv` writes of all symbols.
#[track_caller]
pub fn exported(bench: &Bench) -> String {
    bench.run("export spot -f csv").exits(0).out
}

/// How many of something a long run takes; `VOLLEDGER_SOAK` asks for it.
pub fn soak(short: usize, long: usize) -> usize {
    if std::env::var_os("VOLLEDGER_SOAK").is_some() { long } else { short }
}

/// Waits until something is so; fails after a minute.
#[track_caller]
pub fn wait_until(what: &str, mut so: impl FnMut() -> bool) {
    let begun = std::time::Instant::now();
    while !so() {
        assert!(begun.elapsed().as_secs() < 60, "waited a minute until {what}");
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
}

/// The trading days of a range.
pub fn sessions(from: &str, to: &str) -> Vec<Day> {
    let (from, to) = (from.parse().unwrap(), to.parse().unwrap());
    Calendar::nyse().open_days(from, to).collect()
}

/// The first and last day of a question about aggregates, as its target has them.
pub fn range_of(target: &str) -> (String, String) {
    let mut parts = target.split(['/', '?']).skip(8).map(str::to_owned);
    (parts.next().unwrap(), parts.next().unwrap())
}

/// The body of an aggregates answer: one bar a day, `close` from its number.
pub fn bars_body(symbol: &str, days: &[Day], close: impl Fn(usize) -> String) -> String {
    let bar = |(number, day): (usize, &Day)| {
        let t = eastern::instant(*day, 0, 0).unwrap();
        let c = close(number);
        format!(r#"{{"v":1.5e+06,"vw":{c},"o":{c},"c":{c},"h":{c},"l":{c},"t":{t},"n":7}}"#)
    };
    let bars: Vec<String> = days.iter().enumerate().map(bar).collect();
    let count = bars.len();
    format!(
        r#"{{"ticker":"{symbol}","queryCount":{count},"resultsCount":{count},"adjusted":true,"results":[{}],"status":"OK","request_id":"r","count":{count}}}"#,
        bars.join(",")
    )
}

/// Every number below a value, with its digits, except below members that are named.
pub fn numbers(value: &Value, except: &[&str], found: &mut Vec<String>) {
    match value {
        Value::Number(number) => found.push(number.to_string()),
        Value::Array(all) => all.iter().for_each(|inner| numbers(inner, except, found)),
        Value::Object(all) => all
            .iter()
            .filter(|(name, _)| !except.contains(&name.as_str()))
            .for_each(|(_, inner)| numbers(inner, except, found)),
        _ => {}
    }
}
