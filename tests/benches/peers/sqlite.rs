//! SQLite: typed rows in a plain table, and a table with its history kept by triggers.
//!
//! Both: WAL, durable commits, one transaction for each CSV, a prepared statement. The plain table
//! has no index and no key. The other one has what an audit needs: a key, so that a restated day
//! takes the place of the old one, and every version in a history that triggers write.

use super::rows::{self, Row};
use super::{Adding, Measure, Store};
use rusqlite::{Connection, params};
use std::path::{Path, PathBuf};
use std::time::Instant;

pub struct Sqlite {
    pub audit: bool,
}

const COLUMNS: &str = "symbol TEXT NOT NULL, day INTEGER NOT NULL, atm_iv REAL, iv30_ma20 REAL, \
                       hv20 REAL, hv252 REAL, options_volume INTEGER, batch INTEGER NOT NULL, \
                       number INTEGER NOT NULL";

/// A trigger that copies a row into the history.
fn trigger(event: &str, row: &str) -> String {
    let values = ["symbol", "day", "atm_iv", "iv30_ma20", "hv20", "hv252", "options_volume"];
    let values: Vec<String> = values.iter().map(|name| format!("{row}.{name}")).collect();
    let values = values.join(", ");
    format!(
        "CREATE TRIGGER rows_{event} AFTER {event} ON rows BEGIN
            INSERT INTO history VALUES
                (NULL, '{event}', unixepoch(), {values}, {row}.batch, {row}.number);
         END;"
    )
}

impl Sqlite {
    fn open_at(&self, store: &Path) -> Connection {
        let db = Connection::open(store).unwrap();
        db.execute_batch(
            "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA cache_size = -65536;",
        )
        .unwrap();
        db
    }

    fn schema(&self) -> String {
        let batches = "CREATE TABLE batches(batch INTEGER PRIMARY KEY, first, last);";
        if !self.audit {
            return format!("CREATE TABLE rows({COLUMNS}); {batches}");
        }
        let history = "CREATE TABLE history(id INTEGER PRIMARY KEY, op TEXT, at INTEGER";
        format!(
            "CREATE TABLE rows({COLUMNS}, PRIMARY KEY (symbol, day)) WITHOUT ROWID;
             {history}, {COLUMNS}); {batches} {} {} {}",
            trigger("insert", "NEW"),
            trigger("update", "NEW"),
            trigger("delete", "OLD"),
        )
    }

    fn insert(&self) -> &'static str {
        if !self.audit {
            return "INSERT INTO rows VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)";
        }
        "INSERT INTO rows VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET
            atm_iv = excluded.atm_iv, iv30_ma20 = excluded.iv30_ma20, hv20 = excluded.hv20,
            hv252 = excluded.hv252, options_volume = excluded.options_volume,
            batch = excluded.batch, number = excluded.number"
    }

    /// The last number of the table whose rows stand in the order of their arrival.
    fn last(&self, db: &Connection) -> i64 {
        let table = if self.audit { "history" } else { "rows" };
        let last = format!("SELECT coalesce(max(rowid), 0) FROM {table}");
        db.query_row(&last, [], |row| row.get(0)).unwrap()
    }
}

fn put(statement: &mut rusqlite::Statement<'_>, row: &Row, batch: u32) {
    let [a, b, c, d] = row.values;
    let values = params![row.symbol, row.day, a, b, c, d, row.volume, batch, row.number];
    statement.execute(values).unwrap();
}

impl Store for Sqlite {
    fn load(&self, store: &Path, files: &[PathBuf]) {
        let db = self.open_at(store);
        db.execute_batch(&self.schema()).unwrap();
        let mut statement = db.prepare(self.insert()).unwrap();
        for (batch, file) in (0_u32..).zip(files) {
            db.execute_batch("BEGIN").unwrap();
            let first = self.last(&db) + 1;
            rows::each(std::slice::from_ref(file), &mut |row| put(&mut statement, row, batch));
            let ends = params![batch, first, self.last(&db)];
            db.execute("INSERT INTO batches VALUES (?, ?, ?)", ends).unwrap();
            db.execute_batch("COMMIT").unwrap();
        }
    }

    fn open(&self, store: &Path) {
        let db = self.open_at(store);
        let day: i64 = db.query_row("SELECT day FROM rows LIMIT 1", [], |row| row.get(0)).unwrap();
        assert!(day > 0);
    }

    fn fold(&self, store: &Path, measured: Measure<'_>) {
        let db = self.open_at(store);
        // With `max`, SQLite takes the other columns from the row that has it.
        let (from, order) = if self.audit { ("history", "id") } else { ("rows", "rowid") };
        let query = format!(
            "SELECT count(*), sum(atm_iv), sum(iv30_ma20), sum(hv20), sum(hv252), sum(options_volume)
             FROM (SELECT symbol, day, max({order}), atm_iv, iv30_ma20, hv20, hv252, options_volume
                   FROM {from} GROUP BY symbol, day)"
        );
        measured(&mut || {
            let count: i64 = db.query_row(&query, [], |row| row.get(0)).unwrap();
            count as u64
        });
    }

    fn rehash(&self, store: &Path, measured: Measure<'_>) {
        let db = self.open_at(store);
        let from = if self.audit { "history" } else { "rows" };
        let query = format!(
            "SELECT symbol, day, atm_iv, iv30_ma20, hv20, hv252, options_volume, batch, number
             FROM {from} ORDER BY rowid"
        );
        measured(&mut || {
            let (mut hasher, mut count) = (blake3::Hasher::new(), 0);
            let mut statement = db.prepare(&query).unwrap();
            let mut found = statement.query([]).unwrap();
            let mut row = Row::default();
            while let Some(line) = found.next().unwrap() {
                row.symbol.clear();
                row.symbol.push_str(line.get_ref(0).unwrap().as_str().unwrap());
                row.day = line.get(1).unwrap();
                for (i, value) in row.values.iter_mut().enumerate() {
                    *value = line.get(2 + i).unwrap();
                }
                row.volume = line.get(6).unwrap();
                row.batch = line.get(7).unwrap();
                row.number = line.get(8).unwrap();
                hasher.update(&row.bytes());
                count += 1;
            }
            std::hint::black_box(hasher.finalize());
            count
        });
    }

    fn commit(&self, store: &Path, one: Adding<'_>) {
        let db = self.open_at(store);
        let mut statement = db.prepare(self.insert()).unwrap();
        one(&mut |row| {
            let begin = Instant::now();
            put(&mut statement, row, row.batch);
            begin
        });
    }

    fn roll_back(&self, store: &Path, batch: u32, measured: Measure<'_>) {
        let db = self.open_at(store);
        // In the plain table a batch stands together, and its older values are lost. With the
        // history they could come back; here no batch restates another, so none has to.
        let ends = "(SELECT first FROM batches WHERE batch = ?1) AND
                    (SELECT last FROM batches WHERE batch = ?1)";
        let delete = match self.audit {
            false => format!("DELETE FROM rows WHERE rowid BETWEEN {ends}"),
            true => format!(
                "DELETE FROM rows WHERE (symbol, day) IN
                    (SELECT symbol, day FROM history WHERE id BETWEEN {ends})"
            ),
        };
        measured(&mut || db.execute(&delete, [batch]).unwrap() as u64);
    }
}
