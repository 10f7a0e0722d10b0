//! A projection of one's own: the days on which implied volatility jumped.
//!
//! `cargo run --example custom_projection`. It is kept in a ledger, where SQL sees it as a table;
//! a rollback computes it again for the one symbol whose facts changed.

use std::error::Error;
use std::io::Write;
use std::path::Path;
use volledger::prelude::*;

/// 3 points. A move of exactly 3 points is none, whatever binary fractions make of it.
const MORE_THAN: f64 = 0.03 + 1e-9;

/// `iv_jumps@1`: days whose `atm_iv` is more than 3 points off the observation before.
struct IvJumps;

impl Projection for IvJumps {
    fn name(&self) -> &'static str {
        "iv_jumps"
    }

    // Another number whenever an answer may differ: both versions can then be kept and compared.
    fn version(&self) -> u32 {
        1
    }

    fn about(&self) -> &'static str {
        "days on which atm_iv moved by more than 3 points"
    }

    // Only what is named here can change an answer; the ledger knows by it what is out of date.
    fn views(&self) -> &'static [Series] {
        &[Series::Iv]
    }

    fn columns(&self) -> &'static [Column] {
        const COLUMNS: [Column; 3] = [
            Column::new("date", "the day of the jump"),
            Column::new("atm_iv", "implied volatility after it, a fraction"),
            Column::new("jump", "difference to the observation before, a fraction"),
        ];
        &COLUMNS
    }

    fn rows(&self, facts: &Facts<'_>) -> Result<Table, String> {
        let records = facts.records(Series::Iv).iter();
        let seen: Vec<(Day, f64)> =
            records.filter_map(|record| Some((record.day, record.number_of("atm_iv")?))).collect();
        let pairs = seen.iter().zip(seen.iter().skip(1));
        let jumps = pairs.map(|((_, before), (day, iv))| (*day, *iv, iv - before));
        let large = jumps.filter(|(_, _, jump)| jump.abs() > MORE_THAN);
        Ok(large.map(|(day, iv, jump)| vec![day.into(), iv.into(), jump.into()]).collect())
    }
}

/// The example; what it prints goes to `out`.
pub fn run(out: &mut impl Write) -> Result<(), Box<dyn Error>> {
    let run = Run { registry: Registry::default().with(IvJumps), ..Run::new("example") };
    let place = tempfile::tempdir()?;
    let mut ledger = run.create(place.path().join("ledger"))?;
    let sample = Path::new(env!("CARGO_MANIFEST_DIR")).join("data/sample");
    let confirmed = |ledger: &mut Ledger, file: &str, symbol: &str| {
        let symbol = SymbolChoice::Given(symbol.parse()?);
        let options = ImportOptions { symbol, ..ImportOptions::of(Series::Iv) };
        let file = Input::file(sample.join(file));
        let staged = import::import_csv(ledger, &[file], &options, &run)?;
        decide::confirm_staged(ledger, &staged, &run)?;
        staged.batch.ok_or_else(|| Box::<dyn Error>::from("nothing was staged"))
    };
    for symbol in ["VOLA", "VOLB", "VOLC"] {
        confirmed(&mut ledger, &format!("iv/{symbol}.csv"), symbol)?;
    }
    // A year of VOLA comes again, with a mistake in it that its review shows as changes.
    let wrong = confirmed(&mut ledger, "bad/VOLA_wrong_scale.csv", "VOLA")?;

    let kept = projection::add(&mut ledger, &"iv_jumps".parse()?, None, &run)?;
    let computed = kept.refreshed.ok_or("it was not computed")?;
    writeln!(out, "kept {}: {} rows", kept.projection, computed.rows)?;
    show(&mut ledger, &run, out)?;

    let decided = decide::roll_back(&mut ledger, wrong, Some("wrong scale".into()), false, &run)?;
    for again in &decided.projections {
        let (name, parts, rows) = (&again.projection, again.parts, again.rows);
        writeln!(
            out,
            "rolled {wrong} back: {name} has {rows} rows, {parts} symbol computed again"
        )?;
    }
    show(&mut ledger, &run, out)
}

/// A projection is a table like any other.
fn show(ledger: &mut Ledger, run: &Run<'_>, out: &mut impl Write) -> Result<(), Box<dyn Error>> {
    let text = "SELECT symbol, count(*), max(abs(jump)) * 100 FROM iv_jumps GROUP BY symbol";
    let answer = Vantage::lend(ledger, &run.registry, |vantage| sql::query(vantage, text))?;
    for row in &answer.rows {
        let [symbol, jumps, largest] = row.as_slice() else { continue };
        let (symbol, largest) = (symbol.as_str(), largest.as_f64());
        let (symbol, largest) = (symbol.unwrap_or_default(), largest.unwrap_or_default());
        writeln!(out, "  {symbol} {jumps} jumps, the largest of {largest:.2} points")?;
    }
    Ok(())
}

fn main() -> Result<(), Box<dyn Error>> {
    run(&mut std::io::stdout().lock())
}
