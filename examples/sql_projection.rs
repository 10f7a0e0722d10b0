//! A query as a projection: kept, its next version compared with it, and promoted.
//!
//! `cargo run --example sql_projection`. The query is in `rich_iv.sql`. It becomes an entry of the
//! log, so whoever has the ledger has the definition, and knows which one held when.

use std::error::Error;
use std::io::Write;
use std::path::Path;
use volledger::prelude::*;

/// Dear from where on? The first version says: whenever there is a premium.
const FIRST: &str = include_str!("rich_iv.sql");

/// The example; what it prints goes to `out`.
pub fn run(out: &mut impl Write) -> Result<(), Box<dyn Error>> {
    let run = Run::new("example");
    let place = tempfile::tempdir()?;
    let mut ledger = run.create(place.path().join("ledger"))?;
    let sample = Path::new(env!("CARGO_MANIFEST_DIR")).join("data/sample");
    for series in [Series::Iv, Series::Hv] {
        let file = |symbol| Input::file(sample.join(format!("{series}/{symbol}.csv")));
        let files = ["VOLA", "VOLB", "VOLC"].map(file);
        let staged = import::import_csv(&mut ledger, &files, &ImportOptions::of(series), &run)?;
        decide::confirm_staged(&mut ledger, &staged, &run)?;
    }

    // The first version of a name is what the name means.
    let name: ProjectionName = "rich_iv".parse()?;
    let first = projection::add(&mut ledger, &name, Some(FIRST.to_owned()), &run)?;
    told(&first.projection, &mut ledger, &run, out)?;

    // The next one only adds a version: whoever asks for rich_iv still gets the first.
    let stricter = FIRST.replace("iv_hv20_ratio > 1.0", "iv_hv20_ratio > 1.2");
    let second = projection::add(&mut ledger, &name, Some(stricter), &run)?;
    told(&second.projection, &mut ledger, &run, out)?;
    told("rich_iv", &mut ledger, &run, out)?;

    // Looked at before it holds, like a batch before it is confirmed.
    let (a, b) = (first.projection.parse()?, second.projection.parse()?);
    let diff =
        Vantage::lend(&mut ledger, &run.registry, |vantage| projection::diff(vantage, &a, &b))?;
    let (same, gone, new) = (diff.same, diff.only_a, diff.only_b);
    writeln!(out, "{a} -> {b}: {same} rows stay, {gone} go, {new} come")?;

    let before = ledger.position();
    let promoted = projection::promote(&mut ledger, &b, &run)?;
    writeln!(out, "promoted {} at #{}", promoted.projection, promoted.position)?;
    told("rich_iv", &mut ledger, &run, out)?;

    // A read of the past gets the definition of the past.
    let rows = Vantage::lend(&mut ledger, &run.registry, |vantage| {
        Ok(vantage.seen_at(before).table(&name)?.len())
    })?;
    writeln!(out, "rich_iv as of {before}: {rows} rows")?;
    Ok(())
}

/// Says how many rows a projection has.
fn told(
    name: &str,
    ledger: &mut Ledger,
    run: &Run<'_>,
    out: &mut impl Write,
) -> Result<(), Box<dyn Error>> {
    let parsed = name.parse()?;
    let rows = Vantage::lend(ledger, &run.registry, |vantage| vantage.table(&parsed))?.len();
    writeln!(out, "{name}: {rows} rows")?;
    Ok(())
}

fn main() -> Result<(), Box<dyn Error>> {
    run(&mut std::io::stdout().lock())
}
