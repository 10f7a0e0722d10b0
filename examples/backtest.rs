//! A back-test that cannot see the future: each day decides with what the ledger held on that day.
//!
//! `cargo run --example backtest`. A restatement that comes later changes what is known now, and
//! with it a back-test over today's values; it does not change what was known then.

use std::error::Error;
use std::io::Write;
use std::path::Path;
use volledger::prelude::*;

/// What was decided on a day, and from which knowledge.
#[derive(PartialEq)]
struct Decision {
    day: Day,
    at: Position,
    rank: Option<f64>,
    /// Digest of all that the view showed at that position.
    digest: String,
}

/// The example; what it prints goes to `out`.
pub fn run(out: &mut impl Write) -> Result<(), Box<dyn Error>> {
    let place = tempfile::tempdir()?;
    let sample = Path::new(env!("CARGO_MANIFEST_DIR")).join("data/sample");
    let all = std::fs::read_to_string(sample.join("iv/VOLA.csv"))?;
    let mut ledger = Run::new("example").create(place.path().join("ledger"))?;

    // The ledger as it grew: two years at the beginning of 2024, then each month at its end.
    let mut days = Vec::new();
    let months = (1..=12).map(|month| format!("2024-{month:02}"));
    for period in ["2022|2023".to_owned()].into_iter().chain(months) {
        let of = |line: &&str| period.split('|').any(|start| line.starts_with(start));
        let rows: Vec<&str> = all.lines().filter(of).collect();
        let last = rows.last().and_then(|line| line.get(..10)).ok_or("a month without a day")?;
        let file = place.path().join(format!("{last}.csv"));
        let header = all.lines().next().unwrap_or_default();
        std::fs::write(&file, format!("{header}\n{}\n", rows.join("\n")))?;
        recorded(&mut ledger, &file, &format!("{last}T22:00:00Z"))?;
        days.push(last.parse::<Day>()?);
    }
    let tested = backtest(&ledger, &days)?;

    // In January a vendor sends the year again, the last 60 days of it 10 to 25 points too high.
    let bad = sample.join("bad/VOLA_wrong_scale.csv");
    let restated = recorded(&mut ledger, &bad, "2025-01-10T09:00:00Z")?;
    writeln!(out, "day         rank then  rank of the same day with what is known now")?;
    for then in &tested {
        let now = rank(&ledger, then.day, ledger.position())?;
        let differs = if now == then.rank { "" } else { "  <- from the future" };
        writeln!(out, "{}  {:>9}  {:>9}{differs}", then.day, shown(then.rank), shown(now))?;
    }
    let again = backtest(&ledger, &days)?;
    writeln!(out, "after the restatement the back-test is the same: {}", again == tested)?;

    let run = at("2025-01-11T09:00:00Z")?;
    decide::roll_back(&mut ledger, restated, Some("wrong scale".into()), false, &run)?;
    let again = backtest(&ledger, &days)?;
    writeln!(out, "after its rollback the back-test is the same: {}", again == tested)?;
    let last = tested.last().ok_or("no day was tested")?;
    writeln!(out, "{} was decided at {} with {}", last.day, last.at, last.digest)?;
    Ok(())
}

/// For each day the position that the log had at its end, and what was known there.
fn backtest(ledger: &Ledger, days: &[Day]) -> Result<Vec<Decision>, Box<dyn Error>> {
    let decide = |day: &Day| {
        let at = lookup::position_of(ledger, &day.to_string())?;
        let symbols = vec!["VOLA".parse()?];
        let query = ViewQuery { symbols, at: Some(at), ..ViewQuery::of(Series::Iv) };
        let digest = lookup::view(ledger, &query)?.remove(0).digest;
        Ok(Decision { day: *day, at, rank: rank(ledger, *day, at)?, digest })
    };
    days.iter().map(decide).collect()
}

/// The rank of a day among the 252 observations up to it, with what is known at a position.
fn rank(ledger: &Ledger, day: Day, at: Position) -> Result<Option<f64>, AppError> {
    // Both are needed: `date` keeps later days out, `at` what was learnt later about earlier ones.
    let asked = Asked { date: Some(day), at: Some(at), ..Asked::default() };
    let ranks = metrics::ranks(ledger, &asked)?;
    Ok(ranks.rows.first().and_then(|row| row.iv_rank_252))
}

/// Imports a file about VOLA, recorded at that time.
fn recorded(ledger: &mut Ledger, file: &Path, time: &str) -> Result<BatchId, Box<dyn Error>> {
    let symbol = SymbolChoice::Given("VOLA".parse()?);
    let options = ImportOptions { symbol, ..ImportOptions::of(Series::Iv) };
    let staged = import::import_csv(ledger, &[Input::file(file)], &options, &at(time)?)?;
    decide::confirm_staged(ledger, &staged, &at(time)?)?;
    staged.batch.ok_or_else(|| "nothing was staged".into())
}

/// A run at that time: an example has no year to wait.
fn at(time: &str) -> Result<Run<'static>, AppError> {
    Ok(Run { clock: time.parse()?, ..Run::new("example") })
}

fn shown(rank: Option<f64>) -> String {
    rank.map_or_else(|| "-".to_owned(), |rank| format!("{rank:.1}"))
}

fn main() -> Result<(), Box<dyn Error>> {
    run(&mut std::io::stdout().lock())
}
