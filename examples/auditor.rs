//! An auditor's check: is the ledger what it was, and where does each value come from?
//!
//! `cargo run --example auditor`. The auditor wrote down a position and its root earlier, which is
//! all that is needed: a log in which anything before that position changed has another root there.

use std::error::Error;
use std::io::Write;
use std::path::Path;
use volledger::prelude::*;

/// What was written down outside the ledger.
pub struct Noted {
    position: Position,
    root: Digest,
}

/// The example; what it prints goes to `out`.
pub fn run(out: &mut impl Write) -> Result<(), Box<dyn Error>> {
    let place = tempfile::tempdir()?;
    let directory = place.path().join("ledger");
    let files = Path::new(env!("CARGO_MANIFEST_DIR")).join("data/sample/iv");
    let noted = kept_by_someone(&directory, &files)?;
    audit(&directory, &files, &noted, out)
}

/// The work of other people: a ledger that has grown since the auditor was there.
pub fn kept_by_someone(directory: &Path, files: &Path) -> Result<Noted, Box<dyn Error>> {
    let run = Run::new("trader");
    let mut ledger = run.create(directory)?;
    let mut confirmed = |symbol: &str| -> Result<Noted, AppError> {
        let file = Input::file(files.join(format!("{symbol}.csv")));
        let options = ImportOptions::of(Series::Iv);
        let staged = import::import_csv(&mut ledger, &[file], &options, &run)?;
        decide::confirm_staged(&mut ledger, &staged, &run)?;
        let head = ledger.head();
        Ok(Noted { position: head.size, root: head.root })
    };
    let noted = confirmed("VOLA")?;
    confirmed("VOLB")?;
    Ok(noted)
}

/// The audit: nothing here appends to the log.
pub fn audit(
    directory: &Path,
    files: &Path,
    noted: &Noted,
    out: &mut impl Write,
) -> Result<(), Box<dyn Error>> {
    let run = Run::new("auditor");
    let mut ledger = run.open(directory)?;

    // Every hash, block and source is read, every view and projection made anew.
    let report = verify::everything(&mut ledger, &run)?;
    let (events, batches) = (report.events, report.batches);
    writeln!(out, "verified {events} events of {batches} batches: {}", verdict(report.ok))?;
    for wrong in &report.damage {
        writeln!(out, "  {}: {}", wrong.place, wrong.what)?;
    }

    // The past may not have been rewritten, only continued.
    let same = ledger.root_at(noted.position)? == noted.root;
    let head = ledger.head().size;
    writeln!(out, "the log at {} has the root noted then: {}", noted.position, verdict(same))?;
    writeln!(out, "entries since: {}", head.0 - noted.position.0)?;

    // Each shown value leads to bytes of a file: the ledger's copy and the original agree on them.
    let symbol: Symbol = "VOLA".parse()?;
    let original = std::fs::read(files.join("VOLA.csv"))?;
    let query = ViewQuery { symbols: vec![symbol.clone()], ..ViewQuery::of(Series::Iv) };
    let (mut values, mut traced) = (0, 0);
    for row in lookup::view(&ledger, &query)?.iter().flat_map(|view| &view.rows) {
        let day: Day = row.date.parse()?;
        for found in trace::why(&ledger, Series::Iv, &symbol, day, None, None, None)?.fields {
            let event = found.event;
            let from = usize::try_from(event.offset)?;
            let bytes = original.get(from..from + event.length as usize);
            values += 1;
            // `proven`: its hash leads to the batch's root, and that root is in the log.
            traced += u64::from(event.proven && bytes == Some(event.raw.as_bytes()));
            if values == 1 {
                let (source, line, raw) = (event.source, event.line, event.raw.trim_end());
                let (field, value) = (found.field, found.value);
                writeln!(out, "{symbol} {day} {field} {value} is from {source}:{line}: {raw}")?;
            }
        }
    }
    writeln!(out, "{symbol}: {traced} of {values} values proven and found in the original file")?;
    if report.ok && same && traced == values { Ok(()) } else { Err("the audit failed".into()) }
}

fn verdict(well: bool) -> &'static str {
    if well { "yes" } else { "NO" }
}

fn main() -> Result<(), Box<dyn Error>> {
    run(&mut std::io::stdout().lock())
}
