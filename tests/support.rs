//! What several test modules share: a ledger in a temporary directory, and `../shared`.

use std::path::{Path, PathBuf};
use std::time::Duration;
use volledger::app::import::{ImportOptions, Input, Staged, SymbolChoice};
use volledger::app::{Clock, Ledger, Run, decide, import, lookup, outside, tomic};
use volledger::domain::{BatchId, Series};

/// The folder of shared test data; tests that need it say loudly that they are skipped.
pub fn shared(what: &str) -> Option<PathBuf> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../shared").join(what);
    if path.exists() {
        return Some(path);
    }
    use std::io::Write;
    // Written directly: cargo hides what passing tests print through the macros.
    let _ = writeln!(std::io::stderr(), "SKIPPED: ../shared/{what} is absent");
    None
}

/// A run at a fixed instant, 2025-12-13 12:00 UTC: the as-of date of the shared data.
pub fn run() -> Run<'static> {
    Run { clock: Clock::Fixed(1_765_627_200_000), ..Run::new("tester") }
}

/// A new ledger in a new directory.
pub fn ledger() -> (tempfile::TempDir, Ledger) {
    let directory = tempfile::tempdir().unwrap();
    let ledger = outside::create(&directory.path().join("l"), "test", Duration::ZERO).unwrap();
    (directory, ledger)
}

/// Opens the ledger of [`ledger`] again.
pub fn reopen(directory: &tempfile::TempDir) -> Ledger {
    let dir = directory.path().join("l");
    outside::open(&dir, "test", Duration::from_secs(5), &run()).unwrap().ledger
}

/// Options for a series with the default mapping.
pub fn options(series: Series, symbol: Option<&str>) -> ImportOptions {
    let given = symbol.map(|symbol| SymbolChoice::Given(symbol.parse().unwrap()));
    let symbol = given.unwrap_or(SymbolChoice::FromName);
    ImportOptions { symbol, ..ImportOptions::of(series) }
}

/// A file as an input.
pub fn input(path: &Path) -> Input {
    Input::file(path)
}

/// Stages a file.
pub fn stage(ledger: &mut Ledger, path: &Path, options: &ImportOptions) -> Staged {
    import::import_csv(ledger, &[input(path)], options, &run()).unwrap()
}

/// Stages and confirms a file.
pub fn confirmed(ledger: &mut Ledger, path: &Path, options: &ImportOptions) -> BatchId {
    let staged = stage(ledger, path, options);
    decide::confirm_staged(ledger, &staged, &run()).unwrap();
    staged.batch.unwrap()
}

/// Stages and confirms a TOMIC folder.
pub fn confirmed_tomic(ledger: &mut Ledger, folder: &Path, snapshot: bool) -> BatchId {
    let options = ImportOptions { snapshot, ..options(Series::Iv, None) };
    let staged = tomic::import(ledger, folder, &options, &run()).unwrap();
    decide::confirm_staged(ledger, &staged, &run()).unwrap();
    staged.batch.unwrap()
}

/// Copies a folder with everything in it.
pub fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        let target = to.join(path.file_name().unwrap());
        if path.is_dir() {
            copy(&path, &target);
        } else {
            std::fs::copy(&path, &target).unwrap();
        }
    }
}

/// Every file below a folder, in order.
pub fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { found.extend(files(&path)) } else { found.push(path) }
    }
    found.sort();
    found
}

/// What a ledger shows, whole: view, symbol and digest of each series that has a day.
pub fn shown(ledger: &Ledger) -> Vec<String> {
    try_shown(ledger).unwrap()
}

/// The same of a ledger that may refuse.
pub fn try_shown(ledger: &Ledger) -> Result<Vec<String>, volledger::app::AppError> {
    let mut digests = Vec::new();
    for series in Series::ALL {
        let views = lookup::view(ledger, &lookup::ViewQuery::of(series))?;
        let some = views.into_iter().filter(|view| !view.rows.is_empty());
        digests.extend(some.map(|view| format!("{series} {} {}", view.symbol, view.digest)));
    }
    Ok(digests)
}

/// Whether a program that is started here hears of Ctrl-C: in the background of a script it is ignored, and
/// who is started inherits that. Says loudly when not.
#[cfg(unix)]
pub fn signals_are_heard() -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let ignored = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    let ignored = ignored.and_then(|digits| u64::from_str_radix(digits.trim(), 16).ok());
    let interrupt = 1 << 1;
    let heard = ignored.unwrap_or(0) & interrupt == 0;
    if !heard {
        use std::io::Write;
        let _ = writeln!(std::io::stderr(), "SKIPPED: Ctrl-C is ignored here");
    }
    heard
}
