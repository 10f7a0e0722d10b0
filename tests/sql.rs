//! SQL over the ledger: it says what the views say, at every position, and writes nothing.

use crate::support::{confirmed, ledger, options, run};
use serde_json::Value;
use std::path::Path;
use std::sync::Arc;
use volledger::app::export::{Binary, Wanted, export_file};
use volledger::app::sql::SqlAnswer;
use volledger::app::vantage::Vantage;
use volledger::app::{AppError, Ledger, Registry, Which, decide, lookup, sql};
use volledger::domain::{Position, Series};

type Answer = Result<SqlAnswer, AppError>;

fn sample(name: &str) -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("data/sample").join(name)
}

/// Two symbols, the second imported twice with other values, then rolled back: three histories.
fn filled() -> (tempfile::TempDir, Arc<Ledger>) {
    let (directory, mut ledger) = ledger();
    let iv = |symbol| options(Series::Iv, Some(symbol));
    confirmed(&mut ledger, &sample("iv/VOLA.csv"), &iv("VOLA"));
    confirmed(&mut ledger, &sample("iv/VOLB.csv"), &iv("VOLB"));
    let again = confirmed(&mut ledger, &sample("iv/VOLA.csv"), &iv("VOLB"));
    decide::roll_back(&mut ledger, again, None, false, &run()).unwrap();
    (directory, Arc::new(ledger))
}

fn ask(ledger: &Arc<Ledger>, text: &str, at: Option<Position>) -> Answer {
    let registry = Registry::default();
    sql::query(&Vantage::new(Arc::clone(ledger), &registry, at, Which::Latest)?, text)
}

fn rows(ledger: &Arc<Ledger>, text: &str, at: Option<u64>) -> Vec<Vec<Value>> {
    let found = ask(ledger, text, at.map(Position));
    found.unwrap_or_else(|error| panic!("{text}: {error}")).rows
}

#[test]
fn the_tables_are_an_answer_for_programs_too() {
    let desk = crate::program::Desk::with_iv();
    let tables = desk.run("sql --tables --json").exits(0).json();
    assert_eq!(tables["schema"], "volledger/sql/1");
    assert_eq!(tables["rows"][0], serde_json::json!(["iv", "symbol"]));
}

/// `index` is a word of SQL, and `n@1` no name: what is listed can be copied into a query.
#[test]
fn the_tables_are_listed_as_a_query_writes_them() {
    let desk = crate::program::Desk::with_iv();
    let file = desk.write("n.sql", "SELECT count(*), 1 AS \"order\", 2 AS \"a b\" FROM iv");
    desk.run(&format!("projection add n --sql {file}")).exits(0);
    let listed = desk.run("sql --tables").exits(0).out;
    for line in listed.lines() {
        let (table, columns) = line.split_once(": ").unwrap();
        desk.words(&["sql", &format!("SELECT {columns} FROM {table} LIMIT 1")]).exits(0);
    }
    let names: Vec<&str> = listed.lines().filter_map(|line| line.split(':').next()).collect();
    assert!(
        ["\"index\"", "iv", "n", "\"n@1\""].iter().all(|name| names.contains(name)),
        "{names:?}"
    );
}

/// Without a page there is nothing that takes larger ones.
#[test]
fn a_value_that_sqlite_does_not_take_is_told_without_another_way() {
    let desk = crate::program::Desk::with_iv();
    let ran = desk.words(&["sql", "SELECT zeroblob(3000000000)"]).exits(2);
    assert!(ran.err.contains("a value is too large\n"), "{}", ran.err);
    let ran = desk.words(&["sql", "SELECT zeroblob(3) AS z", "-o", "csv"]).exits(0);
    assert_eq!(ran.out, "z\n3 bytes\n");
}

/// An object has each name once, and a value is not lost for that.
#[test]
fn columns_of_one_name_are_told_apart_where_rows_are_objects() {
    let desk = crate::program::Desk::with_iv();
    let query = "SELECT 1 AS n, 2 AS n, 3 AS n_2, 4 AS n";
    let lines = desk.words(&["sql", query, "-o", "jsonl"]).exits(0).out;
    assert_eq!(lines, "{\"n\":1,\"n_2\":2,\"n_2_2\":3,\"n_3\":4}\n");
}

#[test]
fn a_table_is_its_view_at_every_position() {
    let (_directory, ledger) = filled();
    for at in 0..=ledger.position().0 {
        for symbol in ["VOLA", "VOLB"] {
            let query = lookup::ViewQuery {
                symbols: vec![symbol.parse().unwrap()],
                at: Some(Position(at)),
                ..lookup::ViewQuery::of(Series::Iv)
            };
            let view = lookup::view(&ledger, &query).unwrap().remove(0);
            let text = format!("SELECT date, atm_iv FROM iv WHERE symbol = '{symbol}'");
            let found = rows(&ledger, &text, Some(at));
            assert_eq!(found.len(), view.rows.len(), "{symbol} at #{at}");
            for (row, shown) in found.iter().zip(&view.rows) {
                assert_eq!(row[0], shown.date.as_str());
                let exact = shown.values.get("atm_iv").map(|value| value.as_f64().unwrap());
                assert_eq!(row[1].as_f64(), exact, "{symbol} {} at #{at}", shown.date);
            }
        }
    }
    assert!(rows(&ledger, "SELECT * FROM iv", Some(0)).is_empty());
}

#[test]
fn what_is_pushed_down_changes_no_answer() {
    let (_directory, ledger) = filled();
    let empty = |filter: &str| {
        ["NONE", "zebra", "> 'a'", "= 20230301"].iter().any(|of| filter.contains(of))
    };
    for (narrow, wide) in [
        (
            "symbol = 'VOLB' AND date = '2023-03-01'",
            "symbol || '' = 'VOLB' AND date || '' = '2023-03-01'",
        ),
        (
            "date >= '2023-03-01' AND date < '2023-04-01'",
            "date || '' >= '2023-03-01' AND date || '' < '2023-04-01'",
        ),
        (
            "date > '2023-03-01' AND date <= '2023-03-07'",
            "date || '' > '2023-03-01' AND date || '' <= '2023-03-07'",
        ),
        ("symbol = 'NONE'", "symbol || '' = 'NONE'"),
        ("date >= 'zebra'", "date || '' >= 'zebra'"),
        ("date > 'a'", "date || '' > 'a'"),
        ("date = 20230301", "date || '' = 20230301"),
        (
            "symbol IN ('VOLA', 'VOLB') AND atm_iv > 0.5",
            "symbol || '' IN ('VOLA', 'VOLB') AND atm_iv > 0.5",
        ),
        // Other letters may be the same ones.
        ("symbol = 'volb' COLLATE NOCASE", "symbol || '' = 'volb' COLLATE NOCASE"),
        ("symbol = 'VOLB ' COLLATE RTRIM", "symbol || '' = 'VOLB ' COLLATE RTRIM"),
        // SQLite scans once for each side, and must know the rows that it has met.
        (
            "(symbol = 'VOLA' AND date < '2022-06-01') OR (symbol = 'VOLB' AND date < '2022-03-01')",
            "(symbol || '' = 'VOLA' AND date || '' < '2022-06-01')
             OR (symbol || '' = 'VOLB' AND date || '' < '2022-03-01')",
        ),
        (
            "symbol = 'VOLA' OR date = '2023-03-01' OR date = '2023-03-02'",
            "symbol || '' = 'VOLA' OR date || '' = '2023-03-01' OR date || '' = '2023-03-02'",
        ),
    ] {
        for table in ["iv", "assertions", "events"] {
            if table != "iv" && narrow.contains("atm_iv") {
                continue;
            }
            let sorted = |filter| {
                let text = format!("SELECT * FROM {table} WHERE {filter}");
                let mut found = rows(&ledger, &text, None);
                found.sort_by_key(|row| serde_json::Value::from(row.clone()).to_string());
                found
            };
            assert_eq!(sorted(narrow), sorted(wide), "{table}: {narrow}");
            assert_eq!(sorted(narrow).is_empty(), empty(narrow), "{table}: {narrow}");
        }
    }
    // Rows that look the same are as many as they are.
    let same =
        "(symbol = 'VOLA' AND date < '2022-06-01') OR (symbol = 'VOLB' AND date < '2022-03-01')";
    let count = |of: &str| rows(&ledger, of, None)[0][0].as_i64();
    for table in ["assertions", "events"] {
        assert_eq!(
            count(&format!("SELECT count(*) FROM {table} WHERE {same}")),
            count(&format!("SELECT sum({same}) FROM {table}")),
            "{table}"
        );
    }
    let join = "SELECT count(*) FROM iv JOIN hv USING (symbol, date) WHERE hv20 IS NOT NULL";
    assert!(rows(&ledger, join, None)[0][0].as_i64() > Some(0));
}

#[test]
fn facts_behind_the_views_are_tables_too() {
    let (_directory, ledger) = filled();
    let states = rows(&ledger, "SELECT batch, state FROM batches ORDER BY batch", None);
    assert_eq!(states[2], ["b3", "rolled-back"].map(Value::from));
    let then = rows(&ledger, "SELECT state FROM batches WHERE batch = 'b3'", Some(6));
    assert_eq!(then[0][0], "active");
    let gone =
        "SELECT DISTINCT from_position, to_position, active FROM assertions WHERE batch = 'b3'";
    assert_eq!(rows(&ledger, gone, None), [[6, 7, 0].map(Value::from)]);
    assert_eq!(rows(&ledger, gone, Some(6)), [vec![6.into(), Value::Null, 1.into()]]);
    let exact = "SELECT value FROM assertions WHERE field = 'atm_iv' LIMIT 1";
    assert!(rows(&ledger, exact, None)[0][0].as_str().unwrap().starts_with("0."));
    let sources = rows(&ledger, "SELECT kind, name FROM sources ORDER BY batch", None);
    assert_eq!(sources[0], ["file", "VOLA.csv"].map(Value::from));
    let events = rows(&ledger, "SELECT count(*) FROM events WHERE batch = 'b1'", None);
    let batch = rows(&ledger, "SELECT accepted FROM batches WHERE batch = 'b1'", None);
    assert_eq!(events, batch);
}

#[test]
fn a_batch_that_was_put_back_counted_until_it_was_taken_back_last() {
    let (_directory, mut ledger) = ledger();
    let iv = options(Series::Iv, Some("VOLA"));
    let id = confirmed(&mut ledger, &sample("iv/VOLA.csv"), &iv);
    decide::roll_back(&mut ledger, id, None, false, &run()).unwrap();
    decide::reinstate(&mut ledger, id, None, false, &run()).unwrap();
    decide::roll_back(&mut ledger, id, None, false, &run()).unwrap();
    let ledger = Arc::new(ledger);
    let text = "SELECT DISTINCT from_position, to_position, active FROM assertions";
    let told = |at| rows(&ledger, text, Some(at)).remove(0);
    assert_eq!(told(2), [2.into(), Value::Null, 1.into()]);
    assert_eq!(told(3), [2, 3, 0].map(Value::from));
    assert_eq!(told(4), [2.into(), Value::Null, 1.into()]);
    assert_eq!(told(5), [2, 5, 0].map(Value::from));
}

#[test]
fn functions_that_traders_miss() {
    let (_directory, ledger) = filled();
    let one = |text: &str| rows(&ledger, text, None)[0][0].as_f64();
    let values = "(VALUES (1.0), (2.0), (4.0), (NULL))";
    let ask = |function: &str| one(&format!("SELECT {function} FROM {values}"));
    assert_eq!(ask("median(column1)"), Some(2.0));
    assert_eq!(ask("percentile(column1, 75)"), Some(3.0));
    assert_eq!(ask("percentile(column1, 100)"), Some(4.0));
    assert!((ask("stddev(column1)").unwrap() - (7.0f64 / 3.0).sqrt()).abs() < 1e-15);
    assert_eq!(one("SELECT ln(exp(1))"), Some(1.0));
    assert_eq!((one("SELECT ln(-1)"), one("SELECT sqrt(-1)")), (None, None));
    assert_eq!((one("SELECT pow(2, 10)"), one("SELECT sqrt(9)")), (Some(1024.0), Some(3.0)));
    assert_eq!(one("SELECT stddev(1)"), None);
    let wrong = self::ask(&ledger, "SELECT percentile(1, 101)", None);
    assert!(wrong.unwrap_err().to_string().contains("0 to 100"));
}

#[test]
fn garch_of_given_parameters_over_a_window() {
    let (_directory, ledger) = filled();
    let garch = |values: &str, frame: &str| {
        let text = format!(
            "SELECT garch(column2, 2, 0.1, 0.25, 0.5) OVER (ORDER BY column1 {frame})
             FROM (VALUES {values})"
        );
        rows(&ledger, &text, None).iter().map(|row| row[0].as_f64()).collect::<Vec<_>>()
    };
    // Closes whose returns are 9, 1 and 3: the mean square is 5, then 0.1 + 0.25 r² + 0.5 h twice.
    let values = "(0, exp(0)), (1, exp(9)), (2, exp(10)), (3, exp(13))";
    let want = (252.0f64 * (0.1 + 0.25 * 9.0 + 0.5 * (0.1 + 0.25 + 2.5))).sqrt();
    for frame in ["", "ROWS 2 PRECEDING", "ROWS 3 PRECEDING"] {
        let found = garch(values, frame);
        assert_eq!(found[..2], [None, None], "{frame}");
        assert!((found[3].unwrap() - want).abs() < 1e-9, "{frame}: {found:?}");
    }
    assert_eq!(garch(values, "ROWS 1 PRECEDING"), [None; 4]);
    let values = "(0, 1), (1, NULL), (2, 2), (3, 3), (4, 0), (5, 1), (6, 2)";
    assert_eq!(garch(values, ""), [None; 7]);
    for (wrong, why) in [("0, 0.1, 0.1", "1 to 5000 returns"), ("2, 0.1, -1", "zero and more")] {
        let refused = ask(&ledger, &format!("SELECT garch(1, {wrong}, 0.1)"), None);
        let refused = refused.unwrap_err().to_string();
        assert!(refused.contains(why), "{refused}");
    }
}

#[test]
fn garch_is_that_of_the_shared_vectors() {
    let Some(folder) = crate::support::shared("data/vectors_platform") else { return };
    let (_directory, ledger) = filled();
    let bars = std::fs::read_to_string(folder.join("ohlc_41.csv")).unwrap();
    let cases = std::fs::read_to_string(folder.join("garch_expected.json")).unwrap();
    let cases: Vec<Value> = serde_json::from_str(&cases).unwrap();
    assert_eq!(cases.len(), 2);
    let mut bars = bars.lines().map(|line| line.split(',').collect::<Vec<_>>());
    let names = bars.next().unwrap();
    let [set, index, close] =
        ["set", "index", "close"].map(|name| names.iter().position(|of| *of == name).unwrap());
    let bars: Vec<_> = bars.collect();
    for case in cases {
        let of_set = bars.iter().filter(|bar| case["set"] == bar[set]);
        let values: Vec<_> =
            of_set.map(|bar| format!("({}, {})", bar[index], bar[close])).collect();
        let [n, omega, alpha, beta] =
            ["returns", "omega", "alpha", "beta"].map(|name| case[name].to_string());
        let text = format!(
            "SELECT garch(column2, {n}, {omega}, {alpha}, {beta}) OVER (ORDER BY column1)
             FROM (VALUES {})",
            values.join(", ")
        );
        let found = rows(&ledger, &text, None);
        let (last, before) = found.split_last().unwrap();
        assert!(before.iter().all(|row| row[0].is_null()) && before.len() == 40, "{case}");
        let (found, want) = (last[0].as_f64(), case["annualized_vol_next_day"].as_f64());
        assert!((found.unwrap() - want.unwrap()).abs() < 1e-9, "{found:?} {case}");
    }
}

#[test]
fn a_query_of_a_projection_and_one_in_a_file_lead_to_what_helps() {
    let desk = crate::program::Desk::with_iv();
    let query = "SELECT symbol, count(*) AS days FROM iv WHERE symbol = :symbol GROUP BY symbol";
    let refused = desk.words(&["sql", query]).exits(2).err;
    assert!(refused.contains("projection add NAME --sql FILE"), "{refused}");
    let plain = query.replace(":symbol", "'VOLA'");
    let fed = desk.fed("sql - -o csv", &plain).exits(0).out;
    assert_eq!(fed, desk.words(&["sql", &plain, "-o", "csv"]).exits(0).out);
}

#[test]
fn an_export_without_a_record_says_so() {
    let desk = crate::program::Desk::with_iv();
    for line in
        ["export iv --at #0 -O x.csv", "export iv --at #0", "export all --at #0 -f sqlite -O x.db"]
    {
        let told = desk.run(line).exits(0).err;
        assert!(told.contains("no record was exported: at #0"), "{line}: {told}");
    }
    assert!(!desk.run("export iv -O x.csv").exits(0).err.contains("no record"));
}

#[test]
fn a_query_that_is_wrong_or_would_write_is_refused_and_harms_nothing() {
    let (directory, ledger) = filled();
    let files =
        |directory: &tempfile::TempDir| std::fs::read(directory.path().join("l/HEADS")).unwrap();
    let before = files(&directory);
    let elsewhere = directory.path().join("x.db");
    let attach = format!("ATTACH '{}' AS x", elsewhere.display());
    for (text, says) in [
        ("DELETE FROM iv", "may not be modified"),
        ("UPDATE iv SET atm_iv = 1", "may not be modified"),
        ("INSERT INTO iv(symbol) VALUES ('X')", "cannot change"),
        ("CREATE TABLE t(x)", "cannot change"),
        ("DROP TABLE iv", "cannot change"),
        (attach.as_str(), "cannot change"),
        ("PRAGMA writable_schema = 1", "cannot change"),
        ("VACUUM INTO 'y.db'", "cannot change"),
        ("SELECT load_extension('x')", "cannot change"),
        ("SELECT no_such FROM iv", "no such column: no_such"),
        ("SELECT 1 FROM no_such", "no such table: no_such"),
        ("SELECT count(*) FROM iv WHERE symbol = \"VOLA\"", "no such column: \"VOLA\""),
        ("SELEC 1", "syntax error"),
        ("", "no query"),
        ("SELECT 1; DELETE FROM iv", "one query at a time"),
    ] {
        let error = ask(&ledger, text, None).expect_err(text).to_string();
        // A second statement that would write is refused for either reason.
        let either = says == "one query at a time" && error.contains("may not be modified");
        assert!(error.contains(says) || either, "{text}: {error}");
    }
    assert!(!elsewhere.exists() && before == files(&directory));
}

#[test]
fn an_exported_database_is_the_view() {
    let (directory, ledger) = filled();
    let file = directory.path().join("iv.sqlite");
    let wanted = Wanted { series: vec![Series::Iv], ..Wanted::default() };
    let export = |file: &Path| export_file(&ledger, &wanted, Binary::Sqlite, file, &run());
    std::fs::write(&file, "mine").unwrap();
    for _ in 0..2 {
        let exported = export(&file).unwrap();
        let connection = rusqlite::Connection::open(&file).unwrap();
        let one = |text: &str| connection.query_row(text, [], |row| row.get::<_, i64>(0)).unwrap();
        assert_eq!(one("SELECT count(*) FROM iv") as u64, exported.rows);
        assert_eq!(one("SELECT count(DISTINCT position) FROM provenance"), 1);
        let total = "SELECT total(atm_iv) FROM iv";
        let sum: f64 = connection.query_row(total, [], |row| row.get(0)).unwrap();
        let ours = rows(&ledger, total, None)[0][0].as_f64().unwrap();
        assert!((sum - ours).abs() < 1e-9);
    }
    // The second one is the same, and leaves what the first replaced.
    assert_eq!(std::fs::read(directory.path().join("iv.sqlite.bak")).unwrap(), b"mine");
    assert!(export(&file.join("below/a/file.sqlite")).is_err());
}

/// A join asks the inner table for one day after the other; what it keeps between them changes no
/// answer, whichever side is inner and whatever kind of table it is.
#[test]
fn a_join_by_symbol_and_date_is_what_it_would_be_without_push_down() {
    let (_directory, ledger) = filled();
    for (left, right, column) in [
        ("iv", "hv", "b.hv20"),
        ("hv", "iv", "b.atm_iv"),
        ("iv", "iv_metrics", "b.iv_ma20"),
        ("iv_metrics", "iv_hv", "b.iv_vs_hv20"),
    ] {
        let select = format!("SELECT count(*), sum({column}), min(b.date), max(b.symbol)");
        let join =
            format!("FROM (SELECT * FROM {left} WHERE date > '2024-06-01') a JOIN {right} b");
        let pushed = format!("{select} {join} ON b.symbol = a.symbol AND b.date = a.date");
        let plain = format!("{select} {join} ON +b.symbol = a.symbol AND +b.date = a.date");
        let (pushed, plain) = (rows(&ledger, &pushed, None), rows(&ledger, &plain, None));
        assert!(pushed[0][0].as_u64() > Some(200), "{left} {right}: {pushed:?}");
        assert_eq!(pushed, plain, "{left} {right}");
    }
}
