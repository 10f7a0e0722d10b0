//! Views as text: CSV, JSON and JSON lines, symbol by symbol.

use super::{Format, beside, joined};
use crate::app::Run;
use crate::app::error::Result;
use crate::app::lookup::{self, ViewQuery};
use crate::app::replace::{replace_with, unwritable};
use crate::app::report::{Exported, View};
use crate::app::spool::{Fill, Rows, Spool};
use crate::domain::Digest;
use crate::domain::guard::guarded;
use crate::ledger::Ledger;
use crate::ledger::hash::Hasher;
use std::collections::BTreeSet;
use std::fs::File;
use std::io::{self, Write};
use std::path::Path;

/// Exports a view as text; what goes to no file is given back. A file has another one beside it, which
/// says what it is.
///
/// # Errors
/// Those of [`lookup::view`], a file that cannot be written.
pub fn export_view(
    ledger: &Ledger,
    query: &ViewQuery,
    format: Format,
    file: Option<&Path>,
    run: &Run<'_>,
) -> Result<(Exported, Option<Spool>)> {
    run.progress.begin(&format!("exporting {}", query.series), None, "symbols");
    let (mut text, mut seen) = (Text::of(format), Seen::default());
    lookup::each_view(ledger, query, |view, alone| {
        text.add(&view, alone);
        seen.add(&view);
        run.progress.at(seen.digests.len() as u64);
    })?;
    seen.columns = text.rows.columns().to_vec();
    let mut text = text.finish();
    let digest = seen.digest();
    let (files, text) = match file {
        Some(path) => {
            let written = replace_with(path, |new| {
                let mut write = || {
                    let mut file = Hashed::new(File::create(new)?);
                    text.tell(&mut file).map(|()| file)
                };
                write().map_err(unwritable(path))
            })?;
            let beside = beside::describe(ledger, query, &seen, (path, written))?;
            let files = [Some(path.to_owned()), beside].into_iter().flatten();
            (files.map(|file| file.display().to_string()).collect(), None)
        }
        None => (Vec::new(), Some(text)),
    };
    run.progress.end();
    let position = query.at.unwrap_or(ledger.position()).0;
    Ok((Exported::of(files, seen.rows, position, digest), text))
}

/// What is told of views that were exported.
#[derive(Debug, Default)]
pub struct Seen {
    /// Their columns, in the order in which they came.
    pub columns: Vec<String>,
    /// Symbols with a record.
    pub symbols: u64,
    /// Records.
    pub rows: u64,
    digests: Vec<Digest>,
}

impl Seen {
    fn add(&mut self, view: &View) {
        self.symbols += u64::from(!view.rows.is_empty());
        self.rows += view.rows.len() as u64;
        self.digests.push(view.digest.parse().unwrap_or_default());
    }

    /// The digest of all of them.
    pub fn digest(&self) -> Digest {
        joined(self.digests.iter().copied())
    }
}

/// A file whose bytes are hashed as they are written.
pub struct Hashed {
    /// The file.
    pub file: File,
    /// Of what was written.
    pub hasher: Hasher,
    /// How much was written.
    pub bytes: u64,
}

impl Hashed {
    /// A file of which nothing was written.
    pub fn new(file: File) -> Self {
        Self { file, hasher: Hasher::default(), bytes: 0 }
    }
}

impl Write for Hashed {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.file.write(bytes)?;
        self.hasher.update(bytes.get(..written).unwrap_or(bytes));
        self.bytes += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

/// The text of views, under way.
struct Text {
    format: Format,
    rows: Rows,
    /// Whether it is about one symbol that was asked for, or that is all there is.
    alone: bool,
    /// The symbols that an object has; one that was named twice has one place.
    names: BTreeSet<String>,
}

impl Text {
    fn of(format: Format) -> Self {
        Self { format, rows: Rows::default(), alone: false, names: BTreeSet::new() }
    }

    fn add(&mut self, view: &View, alone: bool) {
        self.alone = alone;
        self.rows.widen(&view.columns);
        let text = match self.format {
            Format::Csv => csv_rows(view, self.rows.columns()),
            Format::Json if alone => pretty(view),
            Format::Json if self.names.insert(view.symbol.clone()) => {
                let before = if self.names.len() == 1 { "{" } else { "," };
                let name = serde_json::Value::from(view.symbol.as_str());
                // No text of JSON has a line break of its own.
                format!("{before}\n  {name}: {}", pretty(view).replace('\n', "\n  "))
            }
            Format::Json => String::new(),
            Format::Jsonl => lines(view),
        };
        self.rows.push(&text);
    }

    fn finish(mut self) -> Spool {
        match self.format {
            Format::Csv => {
                let heads = self.rows.columns().iter().map(|column| harmless(column));
                let head = ["symbol", "date"].map(str::to_owned).into_iter().chain(heads);
                let head = csv_lines([head]);
                self.rows.finish(&head, Fill { cell: ",", quotes: true })
            }
            Format::Json => {
                let end = match (self.alone, self.names.is_empty()) {
                    (true, _) => "\n",
                    (false, true) => "{}\n",
                    (false, false) => "\n}\n",
                };
                self.rows.push(end);
                self.rows.finish("", Fill::default())
            }
            Format::Jsonl => self.rows.finish("", Fill::default()),
        }
    }
}

/// The records of a symbol as an array.
fn pretty(view: &View) -> String {
    // As a value first: a record of a folder may have members under names that each record has.
    let rows = serde_json::to_value(&view.rows).unwrap_or_default();
    serde_json::to_string_pretty(&rows).unwrap_or_default()
}

fn lines(view: &View) -> String {
    let mut out = String::new();
    for row in &view.rows {
        let mut line = serde_json::Map::new();
        line.insert("series".into(), view.series.into());
        line.insert("symbol".into(), view.symbol.clone().into());
        if let Ok(serde_json::Value::Object(row)) = serde_json::to_value(row) {
            line.extend(row);
        }
        out.push_str(&serde_json::Value::Object(line).to_string());
        out.push('\n');
    }
    out
}

/// A cell that a spreadsheet does not take for a formula.
fn harmless(text: &str) -> String {
    guarded(text).into_owned()
}

fn csv_rows(view: &View, columns: &[String]) -> String {
    let symbol = harmless(&view.symbol);
    csv_lines(view.rows.iter().map(|row| {
        let cells = columns.iter().map(|column| match row.values.get(column) {
            None | Some(serde_json::Value::Null) => String::new(),
            Some(serde_json::Value::String(text)) => harmless(text),
            Some(other) => harmless(&other.to_string()),
        });
        [symbol.clone(), row.date.clone()].into_iter().chain(cells)
    }))
}

/// Rows, all of one length, as lines of CSV (RFC 4180).
pub fn csv_lines<R: IntoIterator<Item = String>>(rows: impl IntoIterator<Item = R>) -> String {
    let mut writer = csv::Writer::from_writer(Vec::new());
    for row in rows {
        // Writing to memory fails only when rows differ in length, and these do not.
        let written = writer.write_record(row);
        debug_assert!(written.is_ok());
    }
    String::from_utf8_lossy(&writer.into_inner().unwrap_or_default()).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::report::ViewRow;
    use serde_json::json;

    fn view(symbol: &str, columns: &[&str]) -> View {
        let values = columns.iter().map(|name| ((*name).to_owned(), json!("=1")));
        let row = ViewRow { date: "2024-08-05".into(), values: values.collect(), fill: vec![] };
        View {
            series: "iv",
            symbol: symbol.into(),
            position: 4,
            digest: Digest::default().to_string(),
            which: None,
            columns: columns.iter().map(|name| (*name).to_owned()).collect(),
            rows: vec![row],
            erased: 0,
            erasures: Vec::new(),
        }
    }

    fn told(views: &[View], format: Format) -> String {
        let mut text = Text::of(format);
        views.iter().for_each(|view| text.add(view, views.len() == 1));
        let mut out = Vec::new();
        text.finish().tell(&mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn symbols_are_written_one_by_one_as_if_they_were_written_together() {
        let views = [view("A", &["x"]), view("B", &["y", "x"]), view("A", &["x"])];
        let want = "symbol,date,x,y\nA,2024-08-05,'=1,\nB,2024-08-05,'=1,'=1\nA,2024-08-05,'=1,\n";
        assert_eq!(told(&views, Format::Csv), want);
        let rows = |view: &View| serde_json::to_value(&view.rows).unwrap();
        let pretty = |value| serde_json::to_string_pretty(&value).unwrap() + "\n";
        let want = pretty(json!({"A": rows(&views[0]), "B": rows(&views[1])}));
        assert_eq!(told(&views, Format::Json), want);
        assert_eq!(told(&views[..1], Format::Json), pretty(rows(&views[0])));
        assert_eq!(told(&[], Format::Json), "{}\n");
        // A member of a folder's record that is named as what each line has.
        let odd = view("A", &["symbol"]);
        let want = "{\"series\":\"iv\",\"symbol\":\"=1\",\"date\":\"2024-08-05\"}\n";
        assert_eq!(told(&[odd], Format::Jsonl), want);
        assert_eq!(told(&[], Format::Csv) + &told(&[], Format::Jsonl), "symbol,date\n");
    }
}
