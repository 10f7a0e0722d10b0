//! The readers against the real files of the TOMIC project and their expected reports.
//!
//! The data lives outside the repository. Without it these tests say so and pass.

use super::csv::{CsvOptions, SymbolFrom, read_csv};
use super::tomic::{JsonOptions, list_folder, read_json};
use super::{Limits, Mapping, ReadSummary};
use crate::domain::{
    Calendar, Collector, Day, Field, Reject, Rows, Series, Severity, Value, Window, shared,
};
use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;
use serde_json::{Value as Json, json};
use std::collections::BTreeMap;
use std::fs::File;
use std::path::{Path, PathBuf};

fn data() -> Option<PathBuf> {
    shared::path("tomic")
}

fn calendar(data: &Path) -> Calendar {
    let days = data.join("calendar/nyse_full_closures_2003_2027.txt");
    let days = std::fs::read_to_string(days).unwrap();
    let lines: String = days.lines().map(|day| format!("{day},closed,\n")).collect();
    Calendar::from_text(&lines)
}

fn as_of() -> Day {
    "2025-12-13".parse().unwrap()
}

/// Reads a file with `mc-iv` and gives everything that it gave.
fn read(path: &Path, symbol: &str, calendar: &Calendar) -> (ReadSummary, Rows, Vec<Reject>) {
    let (mut rows, mut rejects) = (Rows::new(), Vec::new());
    let mut flush = |window: &mut Window| -> Result<(), ()> {
        window.rows.iter().for_each(|row| rows.push_row(row));
        rejects.append(&mut window.rejects);
        Ok(())
    };
    let mut out = Collector::new(&mut flush);
    let options = CsvOptions {
        mapping: &Mapping::bundled("mc-iv").unwrap(),
        symbol: SymbolFrom::Given(symbol.parse().unwrap()),
        source: 0,
        as_of: as_of(),
        calendar,
        limits: Limits::default(),
        progress: &|_| {},
        seen: &|_| {},
    };
    let summary = read_csv(&mut File::open(path).unwrap(), &options, &mut out).unwrap();
    out.finish().unwrap();
    (summary, rows, rejects)
}

type Fields = Vec<(Field, Value)>;

/// The report that a later floor makes of duplicates, with the rule of the specification.
#[derive(Default)]
struct Effective {
    days: BTreeMap<Day, Fields>,
    identical: u64,
    conflicting: u64,
    duplicates: Vec<Day>,
}

fn effective(rows: &Rows) -> Effective {
    let mut all = Effective::default();
    for row in rows.iter() {
        let fields: Fields = row
            .fields()
            .filter_map(|(field, value)| Some((field.clone(), value?.clone())))
            .collect();
        let same = |old: &Fields| {
            old.len() == fields.len()
                && old.iter().zip(&fields).all(|(a, b)| a.0 == b.0 && a.1.same_meaning(&b.1))
        };
        if let Some(old) = all.days.get(&row.head.day) {
            match same(old) {
                true => all.identical += 1,
                false => all.conflicting += 1,
            }
            all.duplicates.push(row.head.day);
        }
        all.days.insert(row.head.day, fields);
    }
    all.duplicates.sort();
    all.duplicates.dedup();
    all
}

/// The `parse` part of a report, made of what was read.
fn parse_report(path: &Path, summary: &ReadSummary, rows: &Rows, rejects: &[Reject]) -> Json {
    let all = effective(rows);
    let sum = |name: &str| {
        let values = all.days.values().flatten().filter(|(field, _)| field.name() == name);
        let numbers: Vec<Decimal> = values.filter_map(|(_, value)| value.decimal()).collect();
        (numbers.len(), numbers.iter().sum::<Decimal>())
    };
    let warnings = summary.findings.iter().filter(|f| f.severity == Severity::Warning);
    let mut warnings: Vec<String> = warnings.map(|finding| finding.code.clone()).collect();
    if !all.duplicates.is_empty() {
        warnings.push("duplicate_dates".to_owned());
    }
    let mut report = json!({
        "file": path.file_name().unwrap().to_str(),
        "bytes": path.metadata().unwrap().len(),
        "warnings": warnings,
        "fatal": summary.fatal.as_ref().map(|finding| &finding.code),
        "delimiter": summary.delimiter,
        "header_line": summary.header_line,
    });
    let texts = |days: &[Day]| days.iter().map(Day::to_string).collect::<Vec<_>>();
    let mut more = match &summary.fatal {
        Some(finding) if finding.code == "missing_columns" => json!({"missing": summary.missing}),
        Some(_) => json!({"ignored_columns": summary.ignored_columns}),
        None => {
            let mut order = json!({});
            for (form, decided) in [("slash", summary.slash_order), ("dash", summary.dash_order)] {
                if let Some(decided) = decided {
                    order[form] = json!(decided.name());
                }
            }
            let mut reasons = BTreeMap::new();
            rejects.iter().for_each(|reject| *reasons.entry(&*reject.code).or_insert(0) += 1);
            let lines: Vec<_> = rejects.iter().map(|r| json!([r.line, &*r.code])).collect();
            let (first, last) = summary.days.unwrap();
            json!({
                "ignored_columns": summary.ignored_columns,
                "date_order": order,
                "data_rows": summary.rows.read,
                "blank_rows": summary.rows.blank,
                "accepted_rows": summary.rows.accepted,
                "effective_days": all.days.len(),
                "rejected": summary.rows.rejected,
                "rejected_by_reason": reasons,
                "rejected_lines": lines,
                "duplicate_rows_identical": all.identical,
                "duplicate_rows_conflicting": all.conflicting,
                "duplicate_dates": texts(&all.duplicates),
                "non_trading_days": texts(&summary.non_trading_days),
                "iv30_high_dates": texts(&summary.high_dates),
                "optional_field_errors": summary.optional_field_errors,
                "date_range": [first.to_string(), last.to_string()],
                "sum_atm_iv": sum("atm_iv").1.to_f64(),
                "n_ma20": sum("iv30_ma20").0,
                "n_hv20": sum("hv20").0,
                "n_hv252": sum("hv252").0,
                "n_volume": sum("options_volume").0,
                "sum_volume": sum("options_volume").1.to_u64(),
            })
        }
    };
    if !summary.missing_optional.is_empty() {
        more["missing_optional"] = json!(summary.missing_optional);
    }
    for (key, value) in more.as_object().unwrap() {
        report[key] = value.clone();
    }
    report
}

/// Compares two reports key by key, both ways; sums may differ by 1e-9.
fn assert_same(name: &str, got: &Json, want: &Json) {
    let (got, want) = (got.as_object().unwrap(), want.as_object().unwrap());
    for key in got.keys() {
        assert!(want.contains_key(key), "{name}: {key} is not expected");
    }
    for (key, want) in want {
        let got = got.get(key).unwrap_or_else(|| panic!("{name}: {key} is not reported"));
        if key == "sum_atm_iv" {
            let (got, want) = (got.as_f64().unwrap(), want.as_f64().unwrap());
            assert!((got - want).abs() < 1e-9, "{name}: {key} is {got}, not {want}");
        } else {
            assert_eq!(got, want, "{name}: {key}");
        }
    }
}

#[test]
fn every_csv_gives_its_expected_report() {
    let Some(data) = data() else { return };
    let calendar = calendar(&data);
    let reports = std::fs::read(data.join("expected/import_reports.json")).unwrap();
    let reports: BTreeMap<String, Json> = serde_json::from_slice(&reports).unwrap();
    assert_eq!(reports.len(), 34);
    for (name, report) in &reports {
        let path = data.join(name);
        let symbol = report["symbol"].as_str().unwrap();
        let (summary, rows, rejects) = read(&path, symbol, &calendar);
        let got = parse_report(&path, &summary, &rows, &rejects);
        assert_same(name, &got, &report["parse"]);
        // No cell of these files spans lines, so every event is one of the file's lines.
        let text = std::fs::read(&path).unwrap();
        let lines: Vec<&[u8]> = text.split(|byte| *byte == b'\n').collect();
        let at_line = |line: u32, offset: u64, len: u32| {
            let raw = &text[offset as usize..offset as usize + len as usize];
            let line = lines[line as usize - 1];
            assert_eq!(raw, line.strip_suffix(b"\r").unwrap_or(line), "{name}");
            raw
        };
        for head in rows.heads() {
            at_line(head.line, head.offset, head.len);
        }
        for reject in &rejects {
            let raw = at_line(reject.line, reject.offset, reject.len);
            assert_eq!(raw, reject.raw.as_bytes(), "{name}");
        }
    }
}

#[test]
fn every_tomic_record_is_read_and_can_be_written_back() {
    let Some(data) = data() else { return };
    let calendar = calendar(&data);
    let folder = list_folder(&data).unwrap();
    assert_eq!(folder.findings.len(), 2);
    assert!(folder.findings.iter().all(|finding| finding.code == "skipped_file"));
    let mut counts: BTreeMap<Series, (u64, u64)> = BTreeMap::new();
    for file in &folder.files {
        let bytes = std::fs::read(&file.path).unwrap();
        let mut rows = Rows::new();
        let mut flush = |window: &mut Window| -> Result<(), ()> {
            assert!(window.rejects.is_empty());
            window.rows.iter().for_each(|row| rows.push_row(row));
            Ok(())
        };
        let mut out = Collector::new(&mut flush);
        let options =
            JsonOptions { as_of: as_of(), calendar: &calendar, limits: Limits::default() };
        let summary = read_json(&bytes, file.series, &file.symbol, 0, &options, &mut out).unwrap();
        out.finish().unwrap();
        assert_eq!(summary.fatal, None);
        let count = counts.entry(file.series).or_default();
        *count = (count.0 + 1, count.1 + rows.len() as u64);
        if bytes.is_empty() {
            assert_eq!(summary.findings[0].code, "empty_file");
            continue;
        }
        assert_eq!(written(&rows), String::from_utf8(bytes).unwrap(), "{:?}", file.path);
    }
    let iv = counts[&Series::Iv];
    assert!(iv.0 == 23 && iv.1 > 25_000, "{iv:?}");
    assert!(counts[&Series::Hv].0 > 15 && counts[&Series::Spot].0 > 10, "{counts:?}");
}

/// The records as TOMIC writes them; proves that nothing of a file was lost.
fn written(rows: &Rows) -> String {
    let mut records = Vec::new();
    for row in rows.iter() {
        let mut values = row.values.iter();
        let lines = row.shape.iter().map(|field| {
            let value = match field {
                Field::DateMark => format!("\"{}\"", row.head.day),
                Field::SymbolMark => format!("\"{}\"", row.symbol),
                _ => match values.next().unwrap() {
                    Value::Text(text) => format!("\"{text}\""),
                    value => value.to_string(),
                },
            };
            format!("    \"{}\": {value}", field.name())
        });
        let lines: Vec<String> = lines.collect();
        records.push(format!("  {{\n{}\n  }}", lines.join(",\n")));
    }
    format!("[\n{}\n]", records.join(",\n"))
}
