//! Exports to Parquet, SQLite and workbooks: every value comes back as `export -f jsonl` tells it,
//! through our own readers and, where they are installed, through other people's.

mod own;

use crate::program::{Desk, sample};
use serde_json::{Map, Value};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

type Row = Map<String, Value>;

/// Columns that say where a row comes from.
const ORIGIN: [&str; 4] = ["event", "batch", "class", "field_events"];

/// A ledger with daily views of two symbols, a later batch that changes some of it, records with
/// odd fields, and two views whose keys have items.
fn desk() -> Desk {
    static FILLED: OnceLock<Desk> = OnceLock::new();
    let filled = FILLED.get_or_init(filled);
    let desk = Desk::new();
    for file in crate::support::files(&filled.path().join(".volledger")) {
        let copy = desk.path().join(file.strip_prefix(filled.path()).unwrap());
        std::fs::create_dir_all(copy.parent().unwrap()).unwrap();
        std::fs::copy(file, copy).unwrap();
    }
    desk
}

fn filled() -> Desk {
    let desk = Desk::with_ledger();
    for symbol in ["VOLA", "VOLB"] {
        for series in ["iv", "hv", "spot"] {
            let file = sample(&format!("{series}/{symbol}.csv"));
            desk.run(&format!("import {series} {file} -s {symbol} --yes")).exits(0);
        }
    }
    for (folder, name, text) in [
        (
            "iv_daily_summary",
            "ODD",
            r#"[{"date": "2024-01-02", "atm_iv": 0.3500, "iv_rank (IV)": null, "skew": 1e-05,
                 "term_m1_m2": "n/a", "options_volume": 12.5, "note": "=1+1", "flag": true,
                 "deep": {"a": [1, 2.50]}},
                {"date": "2024-01-03", "options_volume": 115328808.0, "atm_iv": 1e400},
                {"date": "2024-01-04"}]"#,
        ),
        (
            "spot_prices",
            "ODD",
            r#"[{"date": "2024-01-02", "close": 10, "volume": 2052204.8275862068, "otc": "@SUM(A1)",
                 "symbol": "ODD", "t": 9007199254740993}]"#,
        ),
    ] {
        std::fs::create_dir_all(desk.path().join("t").join(folder)).unwrap();
        desk.write(&format!("t/{folder}/{name}.json"), text);
    }
    desk.run("import tomic t --yes --force").exits(0);
    // One value of VOLA is replaced: its row then has the events of two batches.
    let change = desk.write("change.csv", "Date,IV30\n2024-03-01,12.34\n");
    desk.run(&format!("import iv {change} --mapping mc-iv-basic -s VOLA --yes --force")).exits(0);
    let bars = desk.write("bars.csv", &minutes("AAPL", 22));
    desk.run(&format!("import bars {bars} --yes --force")).exits(0);
    desk
}

/// A flat file of minute bars: so many days of 390 minutes from 2025-04-14.
fn minutes(ticker: &str, days: usize) -> String {
    let mut text = "ticker,volume,open,close,high,low,window_start,transactions\n".to_owned();
    let open: i64 = 1_744_637_400_000_000_000;
    for day in 0..days as i64 {
        for minute in 0..390 {
            let at = open + (day * 86_400 + minute * 60) * 1_000_000_000;
            let cents = 10_000 + (day * 390 + minute * 7) % 1_000;
            let price = format!("{}.{:02}", cents / 100, cents % 100);
            let volume = 100 + minute;
            text += &format!("{ticker},{volume},{price},{price},{price},{price},{at},3\n");
        }
    }
    text
}

/// What `export VIEW -f jsonl` tells, row by row.
fn told(desk: &Desk, view: &str, words: &str) -> Vec<Row> {
    let out = desk.run(&format!("export {view} {words} -f jsonl")).exits(0).out;
    let rows = out.lines().map(|line| serde_json::from_str::<Row>(line).unwrap());
    let rows: Vec<Row> = rows
        .map(|mut row| {
            row.remove("series");
            row.remove("fill");
            row
        })
        .collect();
    rows
}

/// Whether a cell holds what the view says; texts of numbers and nested values count as those.
fn same(cell: &Value, want: &Value) -> bool {
    match (cell, want) {
        (Value::Number(cell), Value::Number(want)) => {
            let whole = cell.as_i64().zip(want.as_i64());
            whole.map_or_else(|| cell.as_f64() == want.as_f64(), |(cell, want)| cell == want)
        }
        (Value::String(cell), Value::String(want)) => cell == want,
        (Value::String(cell), want) => {
            serde_json::from_str::<Value>(cell).is_ok_and(|cell| cell == *want)
        }
        (cell, want) => cell == want,
    }
}

/// Every value of the view is in the rows, and nothing else; `other` is unfolded.
#[track_caller]
fn equal(by: &str, rows: &[Row], want: &[Row]) {
    assert_eq!(rows.len(), want.len(), "{by}");
    let mut values = 0;
    for (row, want) in rows.iter().zip(want) {
        let mut row = row.clone();
        row.retain(|name, value| !value.is_null() && !ORIGIN.contains(&name.as_str()));
        if let Some(Value::String(other)) = row.remove("other") {
            let other: Row = serde_json::from_str(&other).unwrap();
            for (name, value) in other {
                assert!(row.insert(name.clone(), value).is_none(), "{by}: {name} twice");
            }
        }
        let mut left = row.clone();
        for (name, value) in want.iter().filter(|(_, value)| !value.is_null()) {
            let cell = left.remove(name).unwrap_or_default();
            assert!(same(&cell, value), "{by}: {name} is {cell}, want {value}\n{row:?}\n{want:?}");
            values += 1;
        }
        assert!(left.is_empty(), "{by}: more than the view has: {left:?}");
    }
    assert!(values > rows.len(), "{by}: hardly anything was compared");
}

/// The interpreter that can import a module; without one, what needs it is skipped loudly.
fn python(module: &str) -> Option<String> {
    let python = std::env::var("VOLLEDGER_PYTHON").unwrap_or_else(|_| "python3".into());
    let found = Command::new(&python).args(["-c", &format!("import {module}")]).output();
    if found.is_ok_and(|output| output.status.success()) {
        return Some(python);
    }
    let line = format!("SKIPPED: {python} cannot import {module}, exports not read back by it\n");
    let _ = std::io::stderr().write_all(line.as_bytes());
    None
}

/// The rows as another program reads them; `None` where it is not installed.
fn read_by(program: &str, path: &Path, view: &str) -> Option<Vec<Row>> {
    // pandas reads Parquet through pyarrow.
    let needs = if program == "pandas" { "pandas, pyarrow" } else { program };
    let python = python(needs)?;
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/exports/read.py");
    let output =
        Command::new(python).arg(script).arg(program).arg(path).arg(view).output().unwrap();
    let error = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{program} {}: {error}", path.display());
    let text = String::from_utf8(output.stdout).unwrap();
    Some(text.lines().map(|line| serde_json::from_str(line).unwrap()).collect())
}

#[cfg(feature = "parquet")]
mod parquet_files {
    use super::*;
    use parquet::file::reader::{FileReader, SerializedFileReader};
    use parquet::record::Field;

    fn reader(path: &Path) -> SerializedFileReader<std::fs::File> {
        SerializedFileReader::new(std::fs::File::open(path).unwrap()).unwrap()
    }

    fn value(field: &Field) -> Value {
        match field {
            Field::Null => Value::Null,
            Field::Str(text) => text.clone().into(),
            Field::Double(number) => (*number).into(),
            Field::Long(number) => (*number).into(),
            Field::Date(day) => volledger::domain::Day(*day).to_string().into(),
            other => panic!("{other:?}"),
        }
    }

    /// The rows as the `parquet` crate reads them.
    pub fn rows(path: &Path) -> Vec<Row> {
        let rows = reader(path).into_iter();
        let row = |row: parquet::record::Row| {
            row.get_column_iter().map(|(name, field)| (name.clone(), value(field))).collect()
        };
        rows.map(|found| row(found.unwrap())).collect()
    }

    fn sorted(mut rows: Vec<Row>) -> Vec<Row> {
        let key = |row: &Row| {
            let text = |name: &str| row.get(name).and_then(Value::as_str).map(str::to_owned);
            (text("symbol"), text("date"), text("bar"), text("contract"), text("article"))
        };
        rows.sort_by_key(key);
        rows
    }

    fn metadata(path: &Path) -> std::collections::BTreeMap<String, String> {
        let reader = reader(path);
        let pairs = reader.metadata().file_metadata().key_value_metadata().unwrap().clone();
        pairs.into_iter().filter_map(|pair| Some((pair.key, pair.value?))).collect()
    }

    #[test]
    fn a_view_comes_back_from_parquet_to_the_last_value() {
        let desk = desk();
        for view in ["iv", "hv", "spot", "bars"] {
            let path = desk.path().join("out.parquet");
            let line = format!("export {view} -f parquet -O out.parquet --json");
            let report = desk.run(&line).exits(0).json();
            let want = told(&desk, view, "");
            assert_eq!(report["rows"], want.len(), "{view}");
            // In the very order: by symbol and day.
            equal(view, &rows(&path), &want);
            let csv = desk.run(&format!("export {view} -O out.csv --json")).exits(0).json();
            assert_eq!(report["digest"], csv["digest"], "{view}");
            let meta = metadata(&path);
            assert_eq!(meta["volledger.view_digest"], csv["digest"].as_str().unwrap());
            assert_eq!(meta["volledger.series"], view);
            assert_eq!(meta["volledger.position"], csv["position"].to_string());
            let status = desk.run("status --json").json();
            assert_eq!(meta["volledger.log_root"], status["log_root"].as_str().unwrap());
            assert!(meta["volledger.tool"].starts_with("volledger "));
            let reader = reader(&path);
            let group = reader.metadata().row_group(0);
            assert_eq!(group.sorting_columns().unwrap()[1].column_idx, 1);
            for program in ["pyarrow", "pandas", "duckdb"] {
                if let Some(rows) = read_by(program, &path, view) {
                    equal(&format!("{program} {view}"), &rows, &want);
                }
            }
        }
        assert!(desk.path().join("out.parquet.bak").exists());
        assert!(!desk.path().join("out.parquet.bak.bak").exists());
    }

    #[test]
    fn rows_name_the_events_behind_them() {
        let desk = desk();
        desk.run("export iv VOLA ODD -f parquet -O iv.parquet").exits(0);
        let rows = rows(&desk.path().join("iv.parquet"));
        let text = |row: &Row, name: &str| row[name].as_str().map(str::to_owned);
        for row in rows.iter().filter(|row| row["date"].as_str() == Some("2024-03-01")) {
            // The primary field is of the later batch, the others of the first.
            assert_eq!(row["atm_iv"].as_f64(), Some(0.1234));
            let event = text(row, "event").unwrap();
            assert!(event.starts_with(&format!("{}/", text(row, "batch").unwrap())));
            let others: Row = serde_json::from_str(&text(row, "field_events").unwrap()).unwrap();
            assert!(others["options_volume"].as_str().unwrap().starts_with("b1/"), "{others:?}");
            let why = desk.run("why iv VOLA 2024-03-01 atm_iv --json").json().to_string();
            assert!(why.contains(&format!("\"{event}\"")), "{event}: {why}");
        }
        let odd: Vec<&Row> = rows.iter().filter(|row| row["symbol"] == "ODD").collect();
        let other: Row = serde_json::from_str(odd[0]["other"].as_str().unwrap()).unwrap();
        assert_eq!(other["options_volume"].to_string(), "12.5");
        assert_eq!(other["term_m1_m2"], "n/a");
        assert_eq!(odd[1]["options_volume"], 115_328_808);
        assert_eq!((&odd[2]["event"], &odd[2]["other"]), (&Value::Null, &Value::Null));
        assert_eq!(rows.iter().filter(|row| row["class"] == "vendor").count(), rows.len() - 1);
    }

    fn manifest(folder: &Path) -> Value {
        let text = std::fs::read_to_string(folder.join("manifest.json")).unwrap();
        let manifest: Value = serde_json::from_str(&text).unwrap();
        let schema = crate::schemas::output_schema("export-manifest");
        assert_eq!(crate::schemas::violations(&schema, &manifest), [""; 0]);
        manifest
    }

    /// Every file of a partitioned export, as its manifest has it; the rows of each view.
    fn whole(folder: &Path) -> Vec<(String, Vec<Row>)> {
        let manifest = manifest(folder);
        let mut views: Vec<(String, Vec<Row>)> = Vec::new();
        for file in manifest["files"].as_array().unwrap() {
            let path = folder.join(file["path"].as_str().unwrap());
            let bytes = std::fs::read(&path).unwrap();
            let digest = volledger::ledger::hash::content(&bytes).to_string();
            assert_eq!(
                (file["digest"].as_str(), file["bytes"].as_u64()),
                (Some(digest.as_str()), Some(bytes.len() as u64))
            );
            let rows = rows(&path);
            assert_eq!(file["rows"], rows.len());
            let year = file["year"].to_string();
            assert!(rows.iter().all(|row| row["date"].as_str().unwrap().starts_with(&year)));
            let sorted = sorted(rows.clone());
            assert_eq!(rows, sorted, "{file}");
            let view = file["series"].as_str().unwrap().to_owned();
            match views.last_mut().filter(|(name, _)| *name == view) {
                Some((_, all)) => all.extend(rows),
                None => views.push((view, rows)),
            }
        }
        let in_all = crate::support::files(folder).len();
        assert_eq!(in_all, manifest["files"].as_array().unwrap().len() + 1);
        views
    }

    #[test]
    fn the_whole_ledger_is_a_directory_of_files_and_a_manifest() {
        let desk = desk();
        let folder = desk.path().join("all");
        let report = desk.run("export all -f parquet -O all --json").exits(0).json();
        let views = whole(&folder);
        let names: Vec<&str> = views.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, ["iv", "hv", "spot", "bars"]);
        let told_of = manifest(&folder);
        for ((view, rows), series) in views.iter().zip(told_of["series"].as_array().unwrap()) {
            let want = sorted(told(&desk, view, ""));
            equal(view, &sorted(rows.clone()), &want);
            let csv = desk.run(&format!("export {view} -O v.csv --json")).exits(0).json();
            assert_eq!((&series["digest"], &series["rows"]), (&csv["digest"], &csv["rows"]));
            let part = folder.join(format!("series={view}"));
            for program in ["pyarrow", "pandas", "duckdb"] {
                if let Some(rows) = read_by(program, &part, view) {
                    equal(&format!("{program} {view}"), &sorted(rows), &want);
                }
            }
        }
        let status = desk.run("status --json").json();
        assert_eq!(told_of["log_root"], status["log_root"]);
        assert_eq!(report["rows"], views.iter().map(|(_, rows)| rows.len()).sum::<usize>());

        // The same again gives the same bytes; what was there stays beside it.
        let before = std::fs::read(folder.join("manifest.json")).unwrap();
        std::fs::write(folder.join("note.txt"), "mine").unwrap();
        desk.run("export all -f parquet -O all").exits(0);
        assert_eq!(std::fs::read(folder.join("manifest.json")).unwrap(), before);
        assert!(desk.path().join("all.bak/note.txt").exists());
        assert!(!folder.join("note.txt").exists());
        desk.run("export all -f parquet -O all").exits(0);
        assert!(!desk.path().join("all.bak/note.txt").exists());
        let strays =
            std::fs::read_dir(desk.path()).unwrap().map(|entry| entry.unwrap().file_name());
        let strays: Vec<_> =
            strays.filter(|name| name.to_string_lossy().starts_with(".volledger-")).collect();
        assert!(strays.is_empty(), "{strays:?}");
    }

    #[test]
    fn a_part_of_the_ledger_at_another_time() {
        let desk = desk();
        for (words, of_view) in [
            ("VOLA --series iv --first", "VOLA --first"),
            ("VOLA --series iv --at #2", "VOLA --at #2"),
            ("--series iv --from 2024-02-01 --to 2024-03-31", "--from 2024-02-01 --to 2024-03-31"),
        ] {
            desk.run(&format!("export all {words} -f parquet -O part")).exits(0);
            let folder = desk.path().join("part");
            let views = whole(&folder);
            assert_eq!(views.len(), 1, "{words}");
            equal(words, &sorted(views[0].1.clone()), &sorted(told(&desk, "iv", of_view)));
            let csv = desk.run(&format!("export iv {of_view} -O v.csv --json")).exits(0).json();
            let manifest = manifest(&folder);
            assert_eq!(manifest["series"][0]["digest"], csv["digest"], "{words}");
            assert_eq!(manifest["position"], csv["position"], "{words}");
        }
        // The root of an older position is not the head's.
        desk.run("export all -f parquet -O then --at #2").exits(0);
        let then = manifest(&desk.path().join("then"));
        let now = desk.run("status --json").json();
        assert_ne!(then["log_root"], now["log_root"]);
        // Nothing at all is an export too.
        desk.run("export all -f parquet -O none --at #0").exits(0);
        assert_eq!(manifest(&desk.path().join("none"))["files"], Value::Array(Vec::new()));
    }

    #[test]
    fn nothing_foreign_is_replaced() {
        let desk = Desk::with_iv();
        std::fs::create_dir(desk.path().join("mine")).unwrap();
        let precious = desk.write("mine/precious.txt", "x");
        for (words, exit, says) in [
            ("all -f parquet -O mine", 2, "no earlier export"),
            ("iv -f parquet -O mine", 22, "cannot write mine"),
            ("iv -f sqlite -O mine", 22, "cannot write mine"),
            ("iv -f csv -O mine", 22, "cannot write mine"),
            ("all -f parquet -O mine/precious.txt", 2, "no earlier export"),
            ("all -f parquet -O mine/precious.txt/below", 22, "cannot write"),
            ("iv -f parquet -O mine/precious.txt/below", 22, "cannot write"),
            ("iv -f xlsx -O mine/precious.txt/below", 22, "cannot write"),
            ("iv -f xlsx -O ..", 22, "it is a directory"),
        ] {
            let ran = desk.run(&format!("export {words}")).exits(exit);
            assert!(ran.err.contains(says), "{words}: {}", ran.err);
            assert_eq!(std::fs::read_to_string(&precious).unwrap(), "x");
        }
        let inside: Vec<_> = std::fs::read_dir(desk.path().join("mine")).unwrap().collect();
        assert_eq!(inside.len(), 1, "{inside:?}");
        // An empty directory may be filled.
        std::fs::create_dir(desk.path().join("empty")).unwrap();
        desk.run("export all -f parquet -O empty").exits(0);
        assert!(!desk.path().join("empty.bak").exists());
        // A backup that is not ours is not thrown away either.
        std::fs::create_dir(desk.path().join("empty.bak")).unwrap();
        desk.write("empty.bak/x", "x");
        desk.run("export all -f parquet -O empty").exits(2);
        assert!(desk.path().join("empty.bak/x").exists());
    }
}

/// Chains, contracts, news and the other fetched views, from recorded answers.
#[cfg(all(feature = "parquet", feature = "xlsx"))]
#[test]
fn fetched_views_come_back_from_every_format() {
    use crate::fetch::fake::Fake;
    use crate::fetch::responder::{Responder, ok};
    let Some(fake) = Fake::start(&["--now", "2025-11-09T12:00:00-05:00"]) else { return };
    let mut bench = crate::fetch::Bench::new(fake.base());
    bench.now = "2025-11-09T17:05:00Z".to_owned();
    for words in ["chain META --no-derive", "bars SPY --timespan 1hour --days 5", "splits AAPL"] {
        bench.fetch(&format!("{words} --yes -q"));
    }
    for (words, file) in [
        ("dividends CSSEN", "reference/dividends.json"),
        ("tickers AAPL", "reference/ticker_AAPL.json"),
        ("news AAPL --days 90", "news/AAPL_2025-09-23.json"),
        ("quotes AAPL", "snapshot/unified.json"),
    ] {
        let path = crate::support::shared(&format!("data/polygon/{file}")).unwrap();
        let text = std::fs::read_to_string(path).unwrap();
        let last = text.replace("\"next_url\"", "\"was_next_url\"");
        let service = Responder::new(move |_, _| ok(&last));
        bench.base = service.base();
        // The recorded dividends are of two symbols; those of the other one are rejected.
        bench.fetch(&format!("{words} --yes --max-rejected 2 -q")).exits(0);
    }
    let desk = &bench.desk;
    desk.run("export all -f sqlite -O all.sqlite").exits(0);
    desk.run("export all -f xlsx -O all.xlsx").exits(0);
    let status = desk.run("status --json").json();
    let mut seen = Vec::new();
    for view in status["views"].as_array().unwrap() {
        let view = view["series"].as_str().unwrap();
        let want = told(desk, view, "");
        if want.is_empty() {
            continue;
        }
        seen.push(view);
        desk.run(&format!("export {view} -f parquet -O v.parquet")).exits(0);
        let path = desk.path().join("v.parquet");
        equal(view, &parquet_files::rows(&path), &want);
        for (program, file) in [
            ("pyarrow", "v.parquet"),
            ("duckdb", "v.parquet"),
            ("sqlite3", "all.sqlite"),
            ("openpyxl", "all.xlsx"),
        ] {
            if let Some(rows) = read_by(program, &desk.path().join(file), view) {
                equal(&format!("{program} {view}"), &rows, &want);
            }
        }
    }
    for view in ["chain", "dividends", "tickers", "news", "quotes"] {
        assert!(seen.contains(&view), "{view} is not in {seen:?}");
    }
}

#[test]
fn a_database_of_the_whole_ledger() {
    let desk = desk();
    let path = desk.path().join("all.sqlite");
    let report = desk.run("export all -f sqlite -O all.sqlite --json").exits(0).json();
    let connection = rusqlite::Connection::open(&path).unwrap();
    let one = |text: &str| -> String {
        connection.query_row(text, [], |row| row.get::<_, rusqlite::types::Value>(0)).map_or_else(
            |error| panic!("{text}: {error}"),
            |value| match value {
                rusqlite::types::Value::Integer(number) => number.to_string(),
                rusqlite::types::Value::Text(text) => text,
                other => format!("{other:?}"),
            },
        )
    };
    let tables =
        "SELECT group_concat(name) FROM (SELECT name FROM sqlite_master WHERE type = 'table')";
    assert_eq!(one(tables), "columns,provenance,iv,hv,spot,bars,batches,sources");
    let mut rows = 0;
    for view in ["iv", "hv", "spot", "bars"] {
        let want = told(&desk, view, "");
        rows += want.len();
        if let Some(rows) = read_by("sqlite3", &path, view) {
            equal(&format!("sqlite3 {view}"), &rows, &want);
        }
        assert_eq!(one(&format!("SELECT count(*) FROM {view}")), want.len().to_string());
        let undocumented = format!(
            "SELECT count(*) FROM pragma_table_info('{view}') AS t WHERE NOT EXISTS (SELECT * FROM \
             columns AS c WHERE c.view = '{view}' AND c.name = t.name AND c.type = t.type AND about <> '')"
        );
        assert_eq!(one(&undocumented), "0", "{view}");
        let plan =
            format!("EXPLAIN QUERY PLAN SELECT * FROM {view} WHERE symbol = 'A' AND date > '2'");
        let plan: String = connection.query_row(&plan, [], |row| row.get(3)).unwrap();
        assert!(plan.contains(&format!("{view}_key")), "{plan}");
        let csv = desk.run(&format!("export {view} -O v.csv --json")).exits(0).json();
        let digest =
            format!("SELECT digest FROM provenance WHERE view = '{view}' AND symbol IS NULL");
        assert_eq!(one(&digest), csv["digest"].as_str().unwrap());
    }
    assert_eq!(report["rows"], rows);
    assert_eq!(one("PRAGMA integrity_check"), "ok");
    let batches = desk.run("batch list --json").json()["batches"].as_array().unwrap().len();
    assert_eq!(one("SELECT count(*) FROM batches"), batches.to_string());
    assert_eq!(one("SELECT count(*) FROM iv WHERE batch NOT IN (SELECT batch FROM batches)"), "0");
    assert_eq!(one("SELECT unit FROM columns WHERE view = 'iv' AND name = 'atm_iv'"), "vol");
    // One symbol of one view: its table alone.
    desk.run("export hv VOLB -f sqlite -O hv.sqlite --columns hv20").exits(0);
    let want = told(&desk, "hv", "VOLB --columns hv20");
    if let Some(rows) = read_by("sqlite3", &desk.path().join("hv.sqlite"), "hv") {
        equal("sqlite3 hv20", &rows, &want);
    }
}

#[test]
fn no_text_becomes_a_formula_and_an_export_reads_back_as_it_was() {
    let desk = Desk::with_ledger();
    let file = desk.write(
        "e.csv",
        "symbol,name,reportDate,fiscalDateEnding,estimate,currency\n\
         AAA,\"=HYPERLINK(\"\"x\"\")\",2026-01-20,2025-12-31,-1.5,USD\n\
         BBB,@x,2026-01-21,2025-12-31,2.5,USD\nCCC,''=y,2026-01-22,2025-12-31,-0.5,USD\n",
    );
    desk.run(&format!("import earnings {file} --yes")).exits(0);
    let told = desk.run("view earnings --json").exits(0).out;
    assert!(told.contains("=HYPERLINK"), "{told}");
    desk.run("export earnings -O out.csv").exits(0);
    let text = std::fs::read_to_string(desk.path().join("out.csv")).unwrap();
    for part in [",\"'=HYPERLINK(\"\"x\"\")\"", ",'@x", ",-1.5,"] {
        assert!(text.contains(part), "{part}: {text}");
    }
    for line in ["view earnings -o csv", "sql -o csv SELECT/name/FROM/earnings"] {
        let words: Vec<String> = line.split(' ').map(|word| word.replace('/', " ")).collect();
        let out = crate::program::ran(desk.command(&words), None).exits(0).out;
        assert!(out.contains("'@x") && !out.contains(",@x") && !out.contains("\n@x"), "{out}");
    }
    // Read back, every value is the same: also the one that had apostrophes of its own.
    let again = desk.run("import earnings out.csv --stage-only --json").exits(0).json();
    for line in again["series"].as_array().unwrap() {
        assert_eq!(
            (&line["same"], &line["changed"], &line["new"]),
            (&1.into(), &0.into(), &0.into())
        );
    }
    if cfg!(feature = "xlsx") {
        desk.run("export earnings -f xlsx -O out.xlsx").exits(0);
        let script = "import sys, zipfile; z = zipfile.ZipFile(sys.argv[1]); \
            print('quotePrefix=\"1\"' in z.read('xl/styles.xml').decode(), \
            any(b'<f>' in z.read(n) for n in z.namelist()))";
        let file = desk.path().join("out.xlsx");
        match Command::new("python3").args(["-c", script]).arg(file).output() {
            Ok(found) => assert_eq!(String::from_utf8_lossy(&found.stdout), "True False\n"),
            Err(_) => eprintln!("SKIPPED: no python3 to look into a workbook"),
        }
    }
}

#[cfg(feature = "xlsx")]
#[test]
fn a_workbook_has_a_sheet_for_each_view_and_no_formula() {
    let desk = desk();
    desk.run("export all --series iv,hv,spot,news -f xlsx -O all.xlsx").exits(0);
    let path = desk.path().join("all.xlsx");
    for view in ["iv", "hv", "spot"] {
        if let Some(rows) = read_by("openpyxl", &path, view) {
            equal(&format!("openpyxl {view}"), &rows, &told(&desk, view, ""));
        }
    }
    let csv = desk.run("export iv VOLA -O v.csv --json").exits(0).json();
    desk.run("export iv VOLA -f xlsx -O one.xlsx --columns skew,atm_iv").exits(0);
    let want = told(&desk, "iv", "VOLA --columns skew,atm_iv");
    let Some(rows) = read_by("openpyxl", &desk.path().join("one.xlsx"), "iv") else { return };
    equal("openpyxl columns", &rows, &want);
    let from = read_by("openpyxl", &desk.path().join("one.xlsx"), "provenance").unwrap();
    let from: Vec<&str> = from.iter().filter_map(|row| row["value"].as_str()).collect();
    assert!(from.contains(&csv["digest"].as_str().unwrap()), "{from:?}");
    assert!(from.contains(&format!("#{}", csv["position"]).as_str()), "{from:?}");
}

#[test]
fn what_cannot_be_exported_is_told_with_the_next_step() {
    let desk = Desk::with_iv();
    for (words, exit, says) in [
        ("iv -f parquet", 2, "-O FILE.parquet"),
        ("iv -f parquet -O -", 2, "-O FILE.parquet"),
        ("iv -f sqlite", 2, "-O FILE.sqlite"),
        ("iv -f xlsx", 2, "-O FILE.xlsx"),
        ("all -f parquet", 2, "--out"),
        ("all -O x", 2, "--format"),
        ("all -f csv -O x", 2, "csv"),
        ("all --series vol -f parquet -O x", 2, "`vol` is not a series"),
        ("iv --columns hv20 -f sqlite -O x", 2, "view iv has no column `hv20`"),
        ("iv NONE -f sqlite -O x", 1, "view iv has nothing about NONE"),
        ("all NONE -f sqlite -O x", 1, "nothing is known of NONE"),
        ("all -f sqlite -O x --at #99", 1, "#99"),
    ] {
        let ran = desk.run(&format!("export {words}")).exits(exit);
        assert!(ran.err.contains(says), "{words}: {}", ran.err);
        assert!(!desk.path().join("x").exists(), "{words}");
    }
}

/// A build without the optional formats says how to get them, and writes nothing.
#[cfg(not(any(feature = "parquet", feature = "xlsx")))]
#[test]
fn a_build_without_a_format_says_so() {
    let desk = Desk::with_iv();
    for (words, feature) in [
        ("iv -f parquet -O x", "parquet"),
        ("all -f parquet -O x", "parquet"),
        ("iv -f xlsx -O x", "xlsx"),
        ("all -f xlsx -O x", "xlsx"),
    ] {
        let ran = desk.run(&format!("export {words}")).exits(2);
        assert!(ran.err.contains(&format!("--features {feature}")), "{words}: {}", ran.err);
        assert!(!desk.path().join("x").exists());
    }
}

/// Where the ledger was exported with `--first`, the folder has the values that came first.
#[test]
fn tomic_folders_of_the_first_values() {
    let desk = desk();
    let value = |words: &str| {
        desk.run(&format!("export tomic out VOLA {words}")).exits(0);
        let path: PathBuf = desk.path().join("out/iv_daily_summary/VOLA.json");
        let rows: Vec<Row> = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
        let row = rows.iter().find(|row| row["date"] == "2024-03-01").unwrap();
        row["atm_iv"].as_f64().unwrap()
    };
    let (latest, first) = (value(""), value("--first"));
    assert_eq!(latest, 0.1234);
    assert_ne!(first, 0.1234);
}
