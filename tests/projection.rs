//! Projections that are kept: versions, failures, the work that a decision makes.

use crate::program::Desk;
use crate::support::{confirmed, ledger, options, reopen, run, stage};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use volledger::app::projection;
use volledger::app::report::Refreshed;
use volledger::app::vantage::Vantage;
use volledger::app::{Ledger, Registry, Run, Which, decide, metrics, overview, rules, sql};
use volledger::domain::projection::ProjectionName;
use volledger::domain::{Digest, Position, Series, Table};
use volledger::ledger::LedgerError;
use volledger::ledger::codec::Kept;
use volledger::ledger::store::{MemoryStore, Pack, Store};
use volledger::projections::{Column, Facts, Projection};

fn name(text: &str) -> ProjectionName {
    text.parse().unwrap()
}

fn file(of: &str) -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("data/sample").join(of)
}

fn filled() -> (tempfile::TempDir, Ledger) {
    let (directory, mut ledger) = ledger();
    for symbol in ["VOLA", "VOLB"] {
        let path = file(&format!("iv/{symbol}.csv"));
        confirmed(&mut ledger, &path, &options(Series::Iv, Some(symbol)));
    }
    (directory, ledger)
}

fn asked(ledger: &mut Ledger, text: &str, at: Option<u64>) -> Vec<Vec<serde_json::Value>> {
    let registry = Registry::default();
    Vantage::lend(ledger, &registry, |now| {
        let at = at.map(Position);
        let vantage = Vantage::new(Arc::clone(&now.ledger), &registry, at, Which::Latest)?;
        sql::query(&vantage, text)
    })
    .unwrap()
    .rows
}

#[test]
fn the_rank_of_a_window_is_that_of_the_built_in_projection() {
    let (_directory, mut ledger) = filled();
    let built_in = "SELECT symbol, date, iv_rank_252, iv_percentile_252, iv_rank_504,
                    iv_percentile_504 FROM iv_metrics ORDER BY 1, 2";
    let over = "OVER (PARTITION BY symbol ORDER BY date)";
    let windows = format!(
        "SELECT symbol, date, iv_rank(atm_iv) {over}, iv_percentile(atm_iv, 252) {over},
         iv_rank(atm_iv, 504) {over}, iv_percentile(atm_iv, 504) {over}
         FROM iv WHERE atm_iv > 0 ORDER BY 1, 2"
    );
    let (built_in, windows) =
        (asked(&mut ledger, built_in, None), asked(&mut ledger, &windows, None));
    assert!(built_in.len() > 1_000 && built_in.iter().any(|row| row[4].is_number()));
    assert_eq!(built_in, windows);
    // A sliding window forgets its oldest row: never enough for a rank of 252, enough for one of 5.
    let sliding = "SELECT iv_rank(atm_iv, 252) OVER w, iv_rank(atm_iv, 5) OVER w,
        iv_rank(atm_iv, 5) OVER (PARTITION BY symbol ORDER BY date) FROM iv
        WINDOW w AS (PARTITION BY symbol ORDER BY date ROWS BETWEEN 100 PRECEDING AND CURRENT ROW)";
    let rows = asked(&mut ledger, sliding, None);
    assert!(rows.iter().all(|row| row[0].is_null() && row[1] == row[2]));
    assert!(rows.iter().any(|row| row[1].is_number()));
}

/// Fails in the way that its name says.
struct Failing(&'static str);

impl Projection for Failing {
    fn name(&self) -> &'static str {
        self.0
    }
    fn version(&self) -> u32 {
        1
    }
    fn about(&self) -> &'static str {
        "nothing"
    }
    fn views(&self) -> &'static [Series] {
        &[Series::Iv]
    }
    fn projections(&self) -> &'static [&'static str] {
        match self.0 {
            "ring_a" => &["ring_b"],
            "ring_b" => &["ring_a"],
            _ => &[],
        }
    }
    fn columns(&self) -> &'static [Column] {
        &[Column { name: "n", about: "a number" }]
    }
    fn rows(&self, facts: &Facts<'_>) -> Result<Table, String> {
        let days = facts.records(Series::Iv).len();
        match self.0 {
            "panics" => panic!("no such day"),
            "divides" => Ok(vec![vec![(100 / facts.records(Series::Hv).len()).into()]]),
            "refuses" => Err("there is no answer".to_owned()),
            "narrow" => Ok(vec![vec![]]),
            _ => Ok(vec![vec![days.into()]]),
        }
    }
}

#[test]
fn what_fails_is_told_and_touches_nothing_else() {
    let (directory, mut ledger) = filled();
    let names = ["panics", "divides", "refuses", "narrow", "ring_a", "ring_b", "sound"];
    let registry =
        names.into_iter().fold(Registry::default(), |registry, name| registry.with(Failing(name)));
    let run = Run { registry, ..run() };
    for of in names {
        projection::add(&mut ledger, &name(of), None, &run).unwrap();
    }
    let last = ledger.batches().iter().last().unwrap().0;
    let decided = decide::roll_back(&mut ledger, last, None, false, &run).unwrap();
    assert_eq!(decided.action, "rollback", "the decision is made in any case");
    let told = |of: &str| -> Refreshed {
        let mut all = decided.projections.iter();
        all.find(|line| line.projection == format!("{of}@1")).cloned().unwrap()
    };
    for (of, why) in [
        ("panics", "it panicked: no such day"),
        ("divides", "divide by zero"),
        ("refuses", "there is no answer"),
        ("narrow", "0 values, not 1"),
        ("ring_a", "depends on itself: ring_a@1 -> ring_b@1 -> ring_a@1"),
        ("ring_b", "depends on itself: ring_b@1 -> ring_a@1 -> ring_b@1"),
    ] {
        let line = told(of);
        assert_eq!(line.state, "failed", "{of}");
        assert!(line.error.as_ref().unwrap().contains(why), "{line:?}");
    }
    assert_eq!((told("sound").state, told("sound").rows), ("refreshed", 2));
    drop(ledger);
    let mut ledger = reopen(&directory);
    let report = volledger::app::verify::verify(&ledger, true, &run).unwrap();
    assert!(report.ok, "{report:?}");
    let left = projection::stale(&mut ledger, &run).unwrap();
    let left: Vec<&str> = left.iter().map(|line| line.name.as_str()).collect();
    assert_eq!(left, ["divides", "narrow", "panics", "refuses", "ring_a", "ring_b"]);
}

/// Says which version it is.
struct Versioned(u32);

impl Projection for Versioned {
    fn name(&self) -> &'static str {
        "versioned"
    }
    fn version(&self) -> u32 {
        self.0
    }
    fn about(&self) -> &'static str {
        "its version"
    }
    fn views(&self) -> &'static [Series] {
        &[Series::Iv]
    }
    fn columns(&self) -> &'static [Column] {
        &[Column { name: "n", about: "a number" }]
    }
    fn rows(&self, _: &Facts<'_>) -> Result<Table, String> {
        Ok(vec![vec![(self.0 as usize).into()]])
    }
}

/// By a name a newer program may mean a newer version, and no entry of the log says so.
#[test]
fn what_was_made_with_an_older_version_of_an_input_is_made_anew() {
    let (_directory, mut ledger) = filled();
    let old = Run { registry: Registry::default().with(Versioned(1)), ..run() };
    let new = Run { registry: Registry::default().with(Versioned(1)).with(Versioned(2)), ..run() };
    let query = "SELECT symbol, n FROM versioned WHERE symbol = :symbol";
    projection::add(&mut ledger, &name("over"), Some(query.to_owned()), &old).unwrap();
    let shown = |ledger: &mut Ledger, run: &Run<'_>| {
        Vantage::lend(ledger, &run.registry, |now| sql::query(now, "SELECT n FROM over"))
            .unwrap()
            .rows
    };
    let rows = |n: u32| vec![vec![serde_json::json!(n)]; 2];
    assert_eq!((shown(&mut ledger, &old), shown(&mut ledger, &new)), (rows(1), rows(2)));
    let stale = projection::stale(&mut ledger, &new).unwrap();
    assert_eq!(
        stale.iter().map(|line| (&*line.name, line.state)).collect::<Vec<_>>(),
        [("over", "stale")]
    );
    let verified =
        |ledger: &mut Ledger, run: &Run<'_>| projection::verify(ledger, &[], run).unwrap().ok;
    assert!(verified(&mut ledger, &old) && verified(&mut ledger, &new), "stale is not wrong");
    // A decision about one symbol makes both anew.
    let file = file("iv/VOLB.csv");
    let staged = stage(&mut ledger, &file, &options(Series::Iv, Some("VOLA")));
    let done = decide::confirm(&mut ledger, staged.batch.unwrap(), None, &new).unwrap();
    assert_eq!((done.projections[0].state, done.projections[0].parts), ("refreshed", 2));
    assert_eq!(shown(&mut ledger, &new), rows(2));
    assert!(
        verified(&mut ledger, &new) && projection::stale(&mut ledger, &new).unwrap().is_empty()
    );
}

#[test]
fn damage_of_what_is_kept_is_noticed_and_mended() {
    let (_directory, mut ledger) = filled();
    projection::add(&mut ledger, &name("iv_metrics"), None, &run()).unwrap();
    let before = asked(&mut ledger, "SELECT * FROM iv_metrics", None);
    let tables = ledger.store().view_keys(b"t").unwrap();
    let mut bytes = ledger.store().view(&tables[0]).unwrap().unwrap();
    *bytes.last_mut().unwrap() ^= 1;
    ledger.store_mut().put_view(&tables[0], &bytes).unwrap();
    let report = projection::verify(&mut ledger, &[], &run()).unwrap();
    assert_eq!((report.ok, report.stale.len()), (false, 1), "{report:?}");
    let registry = Registry::default();
    let text = "SELECT * FROM iv_metrics";
    let served = Vantage::lend(&mut ledger, &registry, |vantage| sql::query(vantage, text));
    assert!(served.is_err(), "a value that does not match its digest is not served");
    let ids = projection::named(&ledger, &[name("iv_metrics")]).unwrap();
    let done = projection::refresh_with(&mut ledger, &ids, true, 2, &run());
    assert_eq!(done.projections[0].state, "refreshed");
    assert_eq!(asked(&mut ledger, "SELECT * FROM iv_metrics", None), before);
    assert!(projection::verify(&mut ledger, &[], &run()).unwrap().ok);
    // Nothing is left of what was replaced.
    let named = ledger.store().view_keys(b"t").unwrap().len();
    assert_eq!(named, tables.len());
}

#[test]
fn a_projection_goes_from_file_to_drop_and_every_answer_fits_its_schema() {
    let desk = Desk::with_iv();
    desk.write(
        "high.sql",
        "SELECT symbol, date, atm_iv FROM iv WHERE symbol = :symbol AND atm_iv > 0.6",
    );
    desk.write(
        "higher.sql",
        "SELECT symbol, date, atm_iv FROM iv WHERE symbol = :symbol AND atm_iv > 0.7",
    );
    let added = desk.run("projection add high --sql high.sql --json").exits(0).json();
    assert_eq!((&added["action"], &added["promoted"]), (&"add".into(), &"high@1".into()));
    desk.run("projection add high --sql higher.sql --json").exits(0).json();
    desk.run("projection add iv_metrics --json").exits(0).json();
    let count = |name: &str| -> u64 {
        let query = format!("SELECT count(*) FROM \"{name}\"");
        let found = desk.words(&["sql", &query, "--json"]).exits(0).json();
        found["rows"][0][0].as_u64().unwrap()
    };
    let (one, two) = (count("high@1"), count("high@2"));
    assert!(one > two && two > 0 && count("high") == one, "{one} {two}");
    let diff = desk.run("projection diff high@1 high@2 --json").exits(0).json();
    // So the contract writes it.
    assert_eq!(desk.run("diff high@1 high@2 --json").exits(0).json(), diff);
    desk.run("diff high@1 high@2 --exit-code").exits(10);
    desk.run("diff high@1 high@1 --exit-code").exits(0);
    for (line, says) in [
        ("diff high@1 2", "two positions are compared, or two versions"),
        ("diff high@1 high@2 --series iv", "--series and --symbol are for two positions"),
        ("diff high@x high@2", "`high@x` names no projection"),
    ] {
        let said = desk.run(line).exits(2).err;
        assert!(said.contains(says), "{line}: {said}");
    }
    desk.run("diff high@1 high@7").exits(1);
    assert_eq!((&diff["only_a"], &diff["same"]), (&(one - two).into(), &two.into()));
    desk.run("projection promote high@2 --json").exits(0).json();
    assert_eq!(count("high"), two);
    // A saved position gives what it gave when the name meant the first version.
    let then = desk.words(&["sql", "SELECT count(*) FROM high", "--at", "#4", "--json"]).exits(0);
    assert_eq!(then.json()["rows"][0][0], one);
    let list = desk.run("projection list --json").exits(0).json();
    let high = list["projections"].as_array().unwrap().iter();
    let high: Vec<_> = high.filter(|line| line["name"] == "high").collect();
    assert_eq!((&high[0]["promoted"], &high[1]["promoted"]), (&false.into(), &true.into()));
    assert_eq!((&high[0]["state"], &high[1]["kind"]), (&"current".into(), &"sql".into()));
    desk.run("projection show high --json").exits(0).json();
    // Left behind by a decision, told by status, brought up by a refresh.
    desk.run("batch rollback b1 --no-refresh").exits(0);
    let status = desk.run("status --json").exits(0).json();
    assert_eq!(status["stale"].as_array().unwrap().len(), 3, "{status}");
    assert_eq!(count("high"), 0, "what is stale is computed, not served");
    let done = desk.run("projection refresh --json").exits(0).json();
    assert!(done["projections"].as_array().unwrap().iter().all(|of| of["state"] == "refreshed"));
    assert_eq!(desk.run("status --json").exits(0).json()["stale"].as_array().unwrap().len(), 0);
    let undone = desk.run("undo --json").exits(0).json();
    assert_eq!(undone["projections"].as_array().unwrap().len(), 3);
    assert_eq!(count("high"), two);
    desk.run("projection verify high --json").exits(0).json();
    desk.run("projection rebuild high --json").exits(0).json();
    desk.run("projection rebuild iv --json").exits(0).json();
    let deep = desk.run("verify --deep --json").exits(0).json();
    assert_eq!(deep["projections"], Series::ALL.len() + 3, "views and projections");
    // A copy of the ledger keeps them.
    desk.run("backup copy.vlb").exits(0);
    desk.run("restore copy.vlb copy").exits(0);
    let copied = desk.run("-L copy projection refresh --json").exits(0).json();
    assert_eq!(copied["projections"].as_array().unwrap().len(), 3);
    assert_eq!(desk.run("projection drop high").exit, 1, "its name means it");
    desk.run("projection drop high@1 --json").exits(0).json();
    desk.run("projection drop high --json").exits(0).json();
    assert_eq!(desk.words(&["sql", "SELECT * FROM high"]).exit, 2);
    let log = desk.run("log").exits(0).out;
    assert!(
        log.contains("high@1 is kept: SELECT symbol, date") && log.contains("high means high@2")
    );
}

#[test]
fn wrong_definitions_are_refused_with_a_hint_and_nothing_is_kept() {
    let desk = Desk::with_iv();
    let at = desk.run("status --json").json()["position"].clone();
    for (text, why) in [
        ("SELECT nope FROM iv", "no such column: nope"),
        ("SELECT * FROM nowhere", "no such table: nowhere"),
        ("SELEC symbol FROM iv", "syntax error"),
        ("", "there is no query"),
        ("SELECT 1; SELECT 2", "one query at a time"),
        ("DELETE FROM iv", "may not be modified"),
        ("ATTACH 'x' AS y", "cannot change, attach or load"),
        ("SELECT load_extension('x') FROM iv", "cannot change, attach or load"),
        ("SELECT random() AS x", "random does not"),
        ("SELECT date('now') AS x", "date of the present does not"),
        ("SELECT strftime('%s') AS x FROM iv WHERE date() > date", "does not"),
        ("SELECT strftime('%s') AS x FROM iv", "strftime of the present does not"),
        ("SELECT date(\"now\") AS x FROM iv", "no such column"),
        ("SELECT symbol, symbol FROM iv", "the same name"),
        ("SELECT symbol FROM iv WHERE symbol = :other", ":symbol is the only parameter"),
        ("SELECT 'X' AS symbol, :symbol AS other FROM iv", "holds another one"),
        ("SELECT x'00' AS b FROM iv", "no blobs"),
        ("SELECT 1 AS one", "reads no table"),
        ("SELECT symbol FROM wrong WHERE symbol = :symbol", "no such table: wrong"),
    ] {
        desk.write("wrong.sql", text);
        let ran = desk.run("projection add wrong --sql wrong.sql");
        assert!(matches!(ran.exit, 1 | 2), "{text}: {}", ran.exit);
        assert!(ran.err.contains(why) && ran.err.contains("Hint: "), "{text}: {}", ran.err);
    }
    desk.write("fine.sql", "SELECT symbol, date FROM iv WHERE symbol = :symbol");
    for (words, why) in [
        ("projection add iv --sql fine.sql", "is a table already"),
        ("projection add iv_metrics --sql fine.sql", "is a projection of this program"),
        ("projection add Fine --sql fine.sql", "names no projection"),
        ("projection add json_each --sql fine.sql", "means something else in SQL"),
        ("projection add select --sql fine.sql", "means something else in SQL"),
        ("projection add sqlite_fine --sql fine.sql", "means something else in SQL"),
        ("projection add fine@3 --sql fine.sql", "versions are counted by the ledger"),
        ("projection add fine --sql missing.sql", "cannot read missing.sql"),
        ("projection add fine", "there is no projection fine to keep"),
        ("projection promote iv_metrics@1", "no projection iv_metrics@1 is kept"),
        ("projection drop fine", "no projection fine is kept"),
        ("projection diff iv_metrics nothing", "there is no projection nothing"),
        ("projection show iv_metrics@9", "there is no projection iv_metrics@9"),
    ] {
        let ran = desk.run(words);
        assert!(matches!(ran.exit, 1 | 2), "{words}: {}", ran.exit);
        assert!(ran.err.contains(why), "{words}: {}", ran.err);
    }
    assert_eq!(desk.run("status --json").json()["position"], at, "nothing was appended");
    // A ring can only come by a later version of an input.
    desk.write("second.sql", "SELECT symbol, date FROM fine WHERE symbol = :symbol");
    desk.write("ring.sql", "SELECT symbol, date FROM second WHERE symbol = :symbol");
    desk.run("projection add fine --sql fine.sql").exits(0);
    desk.run("projection add second --sql second.sql").exits(0);
    let ring = desk.run("projection add fine --sql ring.sql").exits(1);
    assert!(
        ring.err.contains("fine would depend on itself: fine -> second -> fine"),
        "{}",
        ring.err
    );
    assert!(desk.run("projection drop fine").exits(1).err.contains("second@1 is made from fine@1"));
    desk.run("verify --deep").exits(0);
}

/// A store that counts what is asked of it.
///
/// Reads and writes of blocks and views are counted, everything is passed on.
struct Counting {
    inner: MemoryStore,
    calls: Arc<AtomicU64>,
}

impl Counting {
    fn called(&self) {
        self.calls.fetch_add(1, Ordering::Relaxed);
    }
}

type Done<T> = Result<T, LedgerError>;

impl Store for Counting {
    fn block(&self, batch: u32, index: u32) -> Done<Option<Vec<u8>>> {
        self.called();
        self.inner.block(batch, index)
    }
    fn view(&self, key: &[u8]) -> Done<Option<Vec<u8>>> {
        self.called();
        self.inner.view(key)
    }
    fn put_view(&mut self, key: &[u8], bytes: &[u8]) -> Done<bool> {
        self.called();
        self.inner.put_view(key, bytes)
    }
    fn remove_view(&mut self, key: &[u8]) -> Done<()> {
        self.called();
        self.inner.remove_view(key)
    }
    fn view_keys(&self, prefix: &[u8]) -> Done<Vec<Vec<u8>>> {
        let keys = self.inner.view_keys(prefix)?;
        self.calls.fetch_add(keys.len() as u64, Ordering::Relaxed);
        Ok(keys)
    }
    fn put_block(&mut self, batch: u32, index: u32, bytes: &[u8]) -> Done<()> {
        self.inner.put_block(batch, index, bytes)
    }
    fn sweep_blocks(&mut self, batch: u32) -> Done<u64> {
        self.inner.sweep_blocks(batch)
    }
    fn put_control(&mut self, position: u64, bytes: &[u8]) -> Done<()> {
        self.inner.put_control(position, bytes)
    }
    fn remove_control(&mut self, position: u64) -> Done<()> {
        self.inner.remove_control(position)
    }
    fn controls(&self) -> Done<Vec<(u64, Vec<u8>)>> {
        self.inner.controls()
    }
    fn kept(&self, digest: &Digest) -> Done<Option<Kept>> {
        self.inner.kept(digest)
    }
    fn all_kept(&self) -> Done<Vec<(Digest, Kept)>> {
        self.inner.all_kept()
    }
    fn put_kept(&mut self, digest: &Digest, kept: &Kept) -> Done<()> {
        self.inner.put_kept(digest, kept)
    }
    fn pack(&mut self) -> &mut Pack {
        self.inner.pack()
    }
    fn pack_reader(&self) -> &Pack {
        self.inner.pack_reader()
    }
    fn barrier(&mut self) -> Done<()> {
        self.inner.barrier()
    }
    fn flush_views(&mut self) -> Done<()> {
        self.inner.flush_views()
    }
    fn scrub(&self) -> Done<u64> {
        self.inner.scrub()
    }
}

/// Reads and writes of blocks, views and projections that a rollback of the middle batch makes, in
/// a ledger of so many batches, each of one symbol.
fn rollback_costs(batches: usize) -> (u64, Vec<(String, u64)>) {
    let calls = Arc::new(AtomicU64::new(0));
    let store = Counting { inner: MemoryStore::default(), calls: Arc::clone(&calls) };
    let mut ledger = Ledger::on(Box::new(store));
    let scratch = tempfile::tempdir().unwrap();
    for number in 0..batches {
        let path = scratch.path().join("f.csv");
        std::fs::write(&path, format!("Date,IV30\n2024-01-02,{}.5\n", 10 + number % 80)).unwrap();
        let symbol = format!("S{number}");
        confirmed(&mut ledger, &path, &options(Series::Iv, Some(&symbol)));
    }
    let query = "SELECT symbol, count(*) AS n FROM iv WHERE symbol = :symbol GROUP BY symbol";
    projection::add(&mut ledger, &name("counts"), Some(query.to_owned()), &run()).unwrap();
    projection::add(&mut ledger, &name("iv_metrics"), None, &run()).unwrap();
    let middle = ledger.batches().iter().nth(batches / 2).unwrap().0;
    let before = calls.load(Ordering::Relaxed);
    let decided = decide::roll_back(&mut ledger, middle, None, false, &run()).unwrap();
    let cost = calls.load(Ordering::Relaxed) - before;
    assert_eq!(decided.changes.iter().map(|change| change.removed).sum::<u64>(), 1);
    let parts = decided.projections.into_iter().map(|of| (of.projection, of.parts)).collect();
    (cost, parts)
}

#[test]
fn a_rollback_costs_what_its_batch_costs_not_what_the_ledger_does() {
    let (small, _) = rollback_costs(100);
    let (large, parts) = rollback_costs(1_000);
    assert_eq!(parts, [("counts@1".to_owned(), 1), ("iv_metrics@1".to_owned(), 1)]);
    eprintln!("reads and writes of a rollback: {small} among 100 batches, {large} among 1,000");
    // A root may take one more piece of 30 KiB, the symbols of two batches more shards.
    assert!(large <= small + 20, "{small} among 100 batches, {large} among 1,000");
}

#[test]
fn tables_are_inputs_however_their_names_are_written() {
    let (_directory, mut ledger) = filled();
    let text = "SELECT count(*) AS n, (SELECT count(*) FROM [Hv]) AS m FROM IV";
    projection::add(&mut ledger, &name("counts"), Some(text.to_owned()), &run()).unwrap();
    let inputs = Vantage::lend(&mut ledger, &Registry::default(), |vantage| {
        Ok(projection::show(vantage, &name("counts"))?.line.inputs)
    });
    assert_eq!(inputs.unwrap(), ["iv", "hv"]);
}

#[test]
fn a_symbol_that_came_later_is_not_in_an_earlier_answer() {
    let (_directory, mut ledger) = filled();
    let text = "SELECT :symbol AS symbol, count(*) AS n FROM iv WHERE symbol = :symbol";
    projection::add(&mut ledger, &name("counts"), Some(text.to_owned()), &run()).unwrap();
    let (at, query) = (ledger.position().0, "SELECT symbol FROM counts");
    let before = asked(&mut ledger, query, None);
    let kept = Run { refresh: false, ..run() };
    let staged = stage(&mut ledger, &file("iv/VOLC.csv"), &options(Series::Iv, Some("VOLC")));
    decide::confirm_staged(&mut ledger, &staged, &kept).unwrap();
    let report = projection::verify(&mut ledger, &[], &kept).unwrap();
    assert!(report.ok, "what is stored says what it said: {report:?}");
    assert_eq!(asked(&mut ledger, query, Some(at)), before);
    projection::refresh(&mut ledger, &[], &kept);
    assert_eq!(asked(&mut ledger, query, Some(at)), before);
    assert_eq!(asked(&mut ledger, query, None).len(), before.len() + 1);
}

#[test]
fn a_symbol_that_came_and_went_is_in_no_earlier_answer() {
    let (_directory, mut ledger) = filled();
    let add = |ledger: &mut Ledger, of: &str, text: &str| {
        projection::add(ledger, &name(of), Some(text.to_owned()), &run()).unwrap()
    };
    add(
        &mut ledger,
        "per",
        "SELECT :symbol AS symbol, count(*) AS n FROM iv WHERE symbol = :symbol",
    );
    add(&mut ledger, "total", "SELECT count(*) AS symbols, sum(n) AS days FROM per");
    let (at, query) = (ledger.position().0, "SELECT * FROM total");
    let before = asked(&mut ledger, query, Some(at));
    // Once with projections that follow each decision, once with such that follow only later.
    for (symbol, refresh) in [("VOLC", true), ("VOLD", false)] {
        let run = Run { refresh, ..run() };
        let options = options(Series::Iv, Some(symbol));
        let staged = stage(&mut ledger, &file("iv/VOLC.csv"), &options);
        decide::confirm_staged(&mut ledger, &staged, &run).unwrap();
        decide::roll_back(&mut ledger, staged.batch.unwrap(), None, false, &run).unwrap();
        assert_eq!(asked(&mut ledger, query, Some(at)), before, "{symbol}");
        projection::refresh(&mut ledger, &[], &run);
        let report = projection::verify(&mut ledger, &[], &run).unwrap();
        assert!(report.ok, "{symbol}: {report:?}");
    }
    assert_eq!(asked(&mut ledger, query, Some(at)), before);
    let now = asked(&mut ledger, query, None);
    assert_eq!((&now[0][0], &now[0][1]), (&4.into(), &before[0][1]));
}

#[test]
fn what_a_name_of_the_program_meant_is_not_changed_by_keeping_a_version() {
    let (_directory, mut filled) = filled();
    let ledger = &mut filled;
    let means = |ledger: &mut Ledger, at| {
        let registry = Registry::default();
        Vantage::lend(ledger, &registry, |now| {
            let at = Some(Position(at));
            let vantage = Vantage::new(Arc::clone(&now.ledger), &registry, at, Which::Latest)?;
            Ok(vantage.id(&name("earnings_moves"))?.to_string())
        })
        .unwrap()
    };
    let before = ledger.position().0;
    assert_eq!(means(ledger, before), "earnings_moves@2");
    let added = projection::add(ledger, &name("earnings_moves@1"), None, &run()).unwrap();
    assert_eq!(added.promoted.as_deref(), Some("earnings_moves@1"));
    let kept = ledger.position().0;
    assert_eq!(
        [before, kept].map(|at| means(ledger, at)),
        ["earnings_moves@2", "earnings_moves@1"]
    );
    let dropped = projection::drop(ledger, &name("earnings_moves@1"), &run()).unwrap();
    assert_eq!(dropped.promoted.as_deref(), Some("earnings_moves@2"));
    let positions = [before, kept, ledger.position().0];
    let want = ["earnings_moves@2", "earnings_moves@1", "earnings_moves@2"];
    assert_eq!(positions.map(|at| means(ledger, at)), want);
}

#[test]
fn a_dropped_version_is_read_where_it_stood() {
    let (_directory, mut ledger) = filled();
    let add = |ledger: &mut Ledger, text: &str| {
        projection::add(ledger, &name("rich"), Some(text.to_owned()), &run()).unwrap();
        ledger.position().0
    };
    let before = ledger.position().0;
    let first = add(&mut ledger, "SELECT 'one' AS is_one, count(*) AS n FROM iv");
    let second = add(&mut ledger, "SELECT 'two' AS is_two, count(*) AS n FROM iv");
    projection::promote(&mut ledger, &name("rich@2"), &run()).unwrap();
    projection::drop(&mut ledger, &name("rich@1"), &run()).unwrap();
    for at in [before, first, second] {
        for query in ["SELECT is_one FROM rich", "SELECT is_one FROM \"rich@1\""] {
            assert_eq!(asked(&mut ledger, query, Some(at)), [["one"]], "{query} at {at}");
        }
    }
    let registry = Registry::default();
    let gone = Vantage::lend(&mut ledger, &registry, |now| {
        assert!(!now.projections().iter().any(|id| id.to_string() == "rich@1"));
        Ok(now.id(&name("rich@1")).is_err())
    });
    assert!(gone.unwrap(), "it is dropped now");
    assert_eq!(asked(&mut ledger, "SELECT is_two FROM rich", None), [["two"]]);
    projection::drop(&mut ledger, &name("rich@2"), &run()).unwrap();
    let after = ledger.position().0;
    assert_eq!(asked(&mut ledger, "SELECT is_one FROM rich", Some(first)), [["one"]]);
    assert_eq!(asked(&mut ledger, "SELECT is_two FROM rich", Some(after - 1)), [["two"]]);
}

#[test]
fn names_can_be_used_again_and_rings_by_promotion_are_refused() {
    let (_directory, mut ledger) = filled();
    let add = |ledger: &mut Ledger, of: &str, text: &str| {
        projection::add(ledger, &name(of), Some(text.to_owned()), &run()).unwrap()
    };
    let (plain, over_x) = ("SELECT date FROM iv", "SELECT date FROM x");
    add(&mut ledger, "rich", plain);
    add(&mut ledger, "rich", "SELECT DISTINCT date FROM iv");
    projection::promote(&mut ledger, &name("rich@2"), &run()).unwrap();
    projection::drop(&mut ledger, &name("rich@1"), &run()).unwrap();
    projection::drop(&mut ledger, &name("rich@2"), &run()).unwrap();
    let again = add(&mut ledger, "rich", "SELECT date, symbol FROM iv");
    assert_eq!(again.promoted.as_deref(), Some("rich@3"));
    assert!(!asked(&mut ledger, "SELECT * FROM rich", None).is_empty());

    add(&mut ledger, "x", plain);
    add(&mut ledger, "rich", over_x);
    add(&mut ledger, "x", "SELECT date FROM rich");
    projection::promote(&mut ledger, &name("rich@4"), &run()).unwrap();
    let at = ledger.position();
    let ring = projection::promote(&mut ledger, &name("x@2"), &run()).unwrap_err().to_string();
    assert!(ring.contains("x would depend on itself: x -> rich -> x"), "{ring}");
    assert_eq!(ledger.position(), at);
    assert!(!asked(&mut ledger, "SELECT * FROM rich", None).is_empty());
}

#[test]
fn a_version_that_is_dropped_harms_nobody_who_was_made_from_it() {
    let (_directory, mut ledger) = filled();
    // It fails once, so what it is kept from stays behind.
    let failing = Run { registry: Registry::default().with(Over("panics")), ..run() };
    let sound = Run { registry: Registry::default().with(Over("answers")), ..run() };
    let add = |ledger: &mut Ledger, text: &str| {
        projection::add(ledger, &name("rich"), Some(text.to_owned()), &sound).unwrap()
    };
    add(&mut ledger, "SELECT symbol, date FROM iv WHERE symbol = :symbol");
    projection::add(&mut ledger, &name("over"), None, &sound).unwrap();
    add(&mut ledger, "SELECT symbol, date FROM iv WHERE symbol = :symbol AND date > '2023'");
    projection::promote(&mut ledger, &name("rich@2"), &failing).unwrap();
    projection::drop(&mut ledger, &name("rich@1"), &sound).unwrap();
    let done = projection::refresh(&mut ledger, &[], &sound);
    assert!(done.projections.iter().all(|of| of.state != "failed"), "{done:?}");
    let report = projection::verify(&mut ledger, &[], &sound).unwrap();
    assert!(report.ok, "{report:?}");
}

/// Counts the rows of `rich`, or panics.
struct Over(&'static str);

impl Projection for Over {
    fn name(&self) -> &'static str {
        "over"
    }
    fn version(&self) -> u32 {
        1
    }
    fn about(&self) -> &'static str {
        "rows of rich"
    }
    fn views(&self) -> &'static [Series] {
        &[]
    }
    fn projections(&self) -> &'static [&'static str] {
        &["rich"]
    }
    fn columns(&self) -> &'static [Column] {
        &[Column { name: "n", about: "rows" }]
    }
    fn rows(&self, facts: &Facts<'_>) -> Result<Table, String> {
        assert!(self.0 == "answers", "no answer");
        Ok(vec![vec![facts.table("rich").len().into()]])
    }
}

#[test]
fn a_panic_over_a_lent_ledger_gives_it_back() {
    let (_directory, mut ledger) = filled();
    let at = ledger.position();
    let panicked = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
        let lent: Result<(), _> =
            Vantage::lend(&mut ledger, &Registry::default(), |_| panic!("on purpose"));
        lent
    }));
    assert!(panicked.is_err());
    assert_eq!(ledger.position(), at);
}

/// What is told of the days up to one: by projections, ranks, snapshot and both sets of rules.
fn known_by(ledger: &mut Ledger, day: &str) -> Vec<String> {
    let mut told = Vec::new();
    for of in ["iv_metrics", "iv_hv", "hv_estimators"] {
        let text = format!("SELECT * FROM {of} WHERE date <= '{day}' ORDER BY symbol, date");
        let rows = asked(ledger, &text, None);
        assert!(rows.iter().any(|row| row.iter().filter(|cell| cell.is_number()).count() > 1));
        told.extend(rows.into_iter().map(|row| serde_json::Value::from(row).to_string()));
    }
    let date: volledger::domain::Day = day.parse().unwrap();
    let asked =
        metrics::Asked { symbols: Vec::new(), at: None, date: Some(date), which: Which::Latest };
    let text = |of: serde_json::Result<serde_json::Value>| {
        let mut of = of.unwrap();
        of["position"] = serde_json::Value::Null;
        of.to_string()
    };
    told.push(text(serde_json::to_value(metrics::ranks(ledger, &asked).unwrap())));
    told.push(text(serde_json::to_value(metrics::snapshot(ledger, &asked, date).unwrap())));
    for (set, _) in rules::BUNDLED {
        let set = rules::RuleSet::bundled(set).unwrap();
        let seen = overview::overview(ledger, &asked, &set, &Default::default(), date).unwrap();
        told.push(text(serde_json::to_value(seen)));
    }
    told
}

#[test]
fn nothing_said_of_a_day_depends_on_the_days_after_it() {
    let views = [Series::Iv, Series::Hv, Series::Spot];
    for day in ["2022-02-15", "2023-01-20", "2024-06-12"] {
        let (directory, mut ledger) = ledger();
        // Each file in two parts: days up to this one, and those after it, with other values too.
        let part = |view: Series, symbol: &str, late: bool| {
            let text = std::fs::read_to_string(file(&format!("{view}/{symbol}.csv"))).unwrap();
            let days = text.lines().skip(1).filter(|line| (&line[..10] > day) == late);
            let lines: Vec<&str> = text.lines().take(1).chain(days).collect();
            let path = directory.path().join(format!("{view}-{symbol}-{late}.csv"));
            std::fs::write(&path, lines.join("\n") + "\n").unwrap();
            path
        };
        for kept in ["iv_metrics", "hv_estimators"] {
            projection::add(&mut ledger, &name(kept), None, &run()).unwrap();
        }
        for view in views {
            confirmed(&mut ledger, &part(view, "VOLA", false), &options(view, Some("VOLA")));
        }
        let before = known_by(&mut ledger, day);
        let mut later = Vec::new();
        for (view, symbol) in views.iter().flat_map(|view| [(*view, "VOLA"), (*view, "VOLB")]) {
            let path = part(view, symbol, true);
            later.push(confirmed(&mut ledger, &path, &options(view, Some(symbol))));
            assert_eq!(known_by(&mut ledger, day), before, "{view} of {symbol} after {day}");
        }
        for batch in later {
            decide::roll_back(&mut ledger, batch, None, false, &run()).unwrap();
            assert_eq!(known_by(&mut ledger, day), before, "without {batch} after {day}");
        }
    }
}
