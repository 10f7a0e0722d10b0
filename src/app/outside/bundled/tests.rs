//! Bundles whose entry says what their events do not.

use super::*;
use crate::app::Clock;
use crate::app::import::{ImportOptions, Input, SymbolChoice, import_csv};
use crate::app::outside::export_batch;
use crate::app::prepared::write_events;
use crate::domain::{BatchId, Collector, Day, Field, Op, Origin, Series, Symbol, Value};
use crate::ledger::codec::SourceKind;

fn run() -> Run<'static> {
    Run { clock: Clock::Fixed(1_765_627_200_000), ..Run::new("tester") }
}

/// The source of the batches: its row ends at byte 25.
const CSV: &str = "Date,IV30\n2024-01-02,10.5\n";

const END: u64 = 25;

/// 10,000 times `x`, as gzip.
const PACKED: [u8; 45] = [
    0x1f, 0x8b, 0x08, 0x00, 0x00, 0x00, 0x00, 0x00, 0x02, 0x03, 0xed, 0xc1, 0x01, 0x0d, 0x00, 0x00,
    0x00, 0xc2, 0xa0, 0xda, 0x8f, 0x6f, 0x0e, 0x37, 0xa0, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00,
    0x00, 0x00, 0xe0, 0xdf, 0x00, 0xa3, 0xa4, 0x55, 0x0d, 0x10, 0x27, 0x00, 0x00,
];

type Events<'a> = dyn Fn(&mut Collector<'_, LedgerError>) -> Result<()> + 'a;

fn put(out: &mut Collector<'_, LedgerError>, line: u32, offset: u64, len: u32) -> Result<()> {
    let (symbol, shape) = (Symbol::exact("AAA").unwrap(), [Field::of(Series::Iv, "a note")]);
    let (origin, value) = (Origin { source: 0, line, offset, len }, Value::from_json_number("1.5"));
    Ok(out.row(origin, Series::Iv, Op::Put, &symbol, Day(19_000 + line as i32), &shape, [value])?)
}

fn reject(out: &mut Collector<'_, LedgerError>, offset: u64) -> Result<()> {
    let origin = Origin { source: 0, line: 3, offset, len: 1 };
    Ok(out.reject(origin, Series::Iv, "invalid_date", "never")?)
}

/// A bundle of these events, and what another ledger makes of it.
fn sent(events: &Events<'_>, change: &dyn Fn(&mut Ledger, Draft) -> Draft) -> Result<Staged> {
    let (mut ledger, mut other) = (Ledger::in_memory(), Ledger::in_memory());
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("AAA.csv");
    std::fs::write(&file, CSV).unwrap();
    let symbol = SymbolChoice::Given("AAA".parse().unwrap());
    let options = ImportOptions { symbol, ..ImportOptions::of(Series::Iv) };
    import_csv(&mut ledger, &[Input::file(&file)], &options, &run()).unwrap();
    let stage = ledger.batches().get(BatchId(1)).unwrap().stage.clone();
    let manifest = ledger.manifest_of(&stage).unwrap();
    let definition = String::from_utf8(ledger.source(&stage.mapping.digest).unwrap()).unwrap();
    let about = ("split", String::new());
    let draft = change(&mut ledger, Draft::of_staged(&stage, manifest, definition, about));
    let prepared = with_events(&mut ledger, false, |target, writer| {
        write_events(target, writer, &run(), events)
    });
    let staged = prepared.unwrap().settle(&mut ledger, draft, false, &run()).unwrap();
    let bundle = folder.path().join("bundle");
    export_batch(&ledger, staged.batch.unwrap(), &bundle, true).unwrap();
    let sent = import_batch(&mut other, &bundle, None, &run());
    assert_eq!(other.batches().len(), usize::from(sent.is_ok()));
    sent
}

fn refused(events: &Events<'_>, change: &dyn Fn(&mut Ledger, Draft) -> Draft, why: &str) {
    let error = sent(events, change).unwrap_err().to_string();
    assert!(error.contains(why), "{error}");
}

fn as_it_is(_: &mut Ledger, draft: Draft) -> Draft {
    draft
}

/// One row that is used, twice from its line, and one that is not.
fn three(out: &mut Collector<'_, LedgerError>) -> Result<()> {
    put(out, 2, 10, 15)?;
    put(out, 2, 10, 15)?;
    reject(out, 0)
}

#[test]
fn rows_are_counted_and_not_believed() {
    let said = |rows: RowCounts| {
        let lied = |_: &mut Ledger, draft| Draft { rows, findings: Vec::new(), ..draft };
        sent(&three, &lied).unwrap()
    };
    let rows =
        |read, accepted, rejected| RowCounts { read, accepted, rejected, ..RowCounts::default() };
    let most = u64::MAX;
    let huge = RowCounts { retracted: most, effective: most, ..rows(most, most, most) };
    for (lie, read) in [(rows(3, 3, 0), 3), (rows(2, 2, 1), 2), (rows(0, 0, 0), 3), (huge, 2)] {
        let staged = said(lie);
        let found = &staged.review.rows;
        assert_eq!((found.read, found.accepted, found.rejected), (read, 2, 1), "{lie:?}");
        assert_eq!((found.retracted, found.blank), (0, 0), "{lie:?}");
        assert_eq!(staged.blocking, ["1 rejected row"]);
    }
    let blank = RowCounts { blank: most, ..rows(3, 2, 1) };
    refused(&three, &|_, draft| Draft { rows: blank, ..draft }, "blank rows");
}

#[test]
fn rejected_rows_are_told_also_where_the_bundle_is_silent() {
    let findings = |findings: Vec<Finding>| {
        let staged = sent(&three, &|_, draft| Draft { findings: findings.clone(), ..draft });
        let found = staged.unwrap().review.findings;
        found.iter().filter(|finding| finding.code == UNTOLD).count()
    };
    let told = |count| {
        let finding = Finding::about(0, "invalid_date", Severity::Reject, "a row".to_owned());
        Finding { count, ..finding }
    };
    assert_eq!((findings(Vec::new()), findings(vec![told(0)])), (1, 1));
    assert_eq!((findings(vec![told(1)]), findings(vec![told(u64::MAX); 3])), (0, 0));
    // A file that was left out is no row.
    let left = Finding::about(0, tomic::LEFT_OUT, Severity::Reject, "a file".to_owned());
    assert_eq!(findings(vec![left]), 1);
}

#[test]
fn nobodys_values_outrank_a_vendors() {
    for (class, fits) in [(Class::Fill, true), (Class::Vendor, true), (Class::Manual, false)] {
        let of = |_: &mut Ledger, draft| Draft { classes: vec![(Series::Iv, class)], ..draft };
        match fits {
            true => drop(sent(&three, &of).unwrap()),
            false => refused(&three, &of, "entered by a person"),
        }
    }
}

#[test]
fn events_stand_within_their_source() {
    for (offset, len) in [(0, 0), (10, 15), (END, 0), (END + 1, 0)] {
        sent(&|out| put(out, 2, offset, len), &as_it_is).unwrap();
    }
    let why = "an event stands where AAA.csv has nothing";
    for (offset, len) in [(END + 2, 0), (10, 17), (1_000_000_000_000, 50), (30, u32::MAX)] {
        refused(&|out| put(out, 2, offset, len), &as_it_is, why);
    }
    refused(&|out| reject(out, END + 1), &as_it_is, why);
    // The manifest says it larger than it is.
    let larger = |_: &mut Ledger, mut draft: Draft| {
        draft.manifest.sources[0].size += 1_000;
        draft
    };
    refused(&|out| put(out, 2, 100, 5), &larger, "has another size");
}

#[test]
fn places_in_a_packed_source_are_those_of_its_text() {
    let (text, packed) = (vec![b'x'; 10_000], PACKED.to_vec());
    let with = |name: &'static str, bytes: Vec<u8>| {
        move |ledger: &mut Ledger, mut draft: Draft| {
            let (digest, size) = ledger.keep(&mut &bytes[..], name, 1).unwrap();
            let first = &draft.manifest.sources[0];
            let kind = SourceKind::File;
            let source = ManifestSource { digest, size, kind, name: name.into(), ..first.clone() };
            draft.manifest.sources = vec![source];
            draft
        }
    };
    let at = |offset| move |out: &mut Collector<'_, LedgerError>| put(out, 2, offset, 1);
    sent(&at(9_999), &with("a.csv.gz", packed.clone())).unwrap();
    refused(&at(10_000), &with("a.csv.gz", packed.clone()), "a.csv.gz has nothing");
    // What is not said to be packed is not unpacked, and what is not packed is what it is.
    refused(&at(9_999), &with("a.csv", packed.clone()), "a.csv has nothing");
    sent(&at(9_999), &with("a.csv.gz", text)).unwrap();
    refused(&at(5), &with("a.csv.gz", packed[..packed.len() - 9].to_vec()), "cannot be unpacked");
}
