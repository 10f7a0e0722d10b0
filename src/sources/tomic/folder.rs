//! Which files of a TOMIC folder hold what.

use super::names::{ENDING, file_name, symbol_of};
use crate::domain::{Finding, Series, Severity, Symbol};
use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

/// The subfolders with daily records, in the order of reading.
const DATASETS: [(&str, Series); 3] = [
    ("iv_daily_summary", Series::Iv),
    ("historical_volatility", Series::Hv),
    ("spot_prices", Series::Spot),
];

/// The code of a file that was left out although it looks like data: what it says is in no batch,
/// and nothing may be taken back for want of it.
pub const LEFT_OUT: &str = "file_left_out";

/// Files left out that are named one by one; more are told by dataset, since the entry of a batch
/// must stay small.
const NAMED: usize = 50;

/// One file of daily records.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TomicFile {
    /// Where it is.
    pub path: PathBuf,
    /// What its records are.
    pub series: Series,
    /// Whose they are: the file's name without its ending.
    pub symbol: Symbol,
}

/// What a folder holds.
#[derive(Clone, Debug, Default)]
pub struct TomicFolder {
    /// The files to read, by dataset and then by name.
    pub files: Vec<TomicFile>,
    /// What was passed over. These are about the folder and not about a source of the batch, so
    /// their `source` is 0 and their text names the file.
    pub findings: Vec<Finding>,
}

/// Lists the datasets of a folder; a dataset that is absent is passed over.
///
/// `SYMBOL_spot.json` files of prices hold one quote and no history, and are passed over too, like
/// hidden files and whatever does not end in `.json`. Any other file that cannot be read as a
/// symbol's is left out, with a finding that says so.
pub fn list_folder(dir: &Path) -> io::Result<TomicFolder> {
    let mut folder = TomicFolder::default();
    // Reading the folder itself first makes a wrong path an error and not an empty import.
    std::fs::read_dir(dir)?;
    for (name, series) in DATASETS {
        let entries = match std::fs::read_dir(dir.join(name)) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            Err(error) => return Err(error),
        };
        let paths: io::Result<Vec<PathBuf>> =
            entries.map(|entry| entry.map(|entry| entry.path())).collect();
        let mut paths = paths?;
        paths.sort();
        folder.add_all(paths, name, series);
    }
    Ok(folder)
}

/// What a file is by its name.
enum Named {
    Symbol(Symbol),
    /// Something else: why.
    Other(&'static str),
    /// It looks like records of a symbol, and cannot be taken for them: why.
    LeftOut(String),
}

fn named(path: &Path, name: &str, series: Series) -> Named {
    let ends = name.len().checked_sub(ENDING.len()).and_then(|at| name.split_at_checked(at));
    let Some((stem, ending)) = ends.filter(|(_, ending)| ending.eq_ignore_ascii_case(ENDING))
    else {
        return Named::Other("is not a file of daily records");
    };
    if name.starts_with('.') {
        return Named::Other("is a hidden file");
    }
    if series == Series::Spot && stem.ends_with("_spot") {
        return Named::Other("holds a single quote and no history");
    }
    if ending != ENDING {
        return Named::LeftOut(format!("names of files end in `{ENDING}`"));
    }
    match symbol_of(stem) {
        Err(why) => Named::LeftOut(why),
        // A folder, or a link to what is not there.
        Ok(_) if !path.is_file() => Named::LeftOut("it is no file that can be read".to_owned()),
        Ok(symbol) => Named::Symbol(symbol),
    }
}

impl TomicFolder {
    /// The files that were left out.
    pub fn left_out(&self) -> impl Iterator<Item = &Finding> {
        self.findings.iter().filter(|finding| finding.code == LEFT_OUT)
    }

    /// Adds the files of one dataset.
    fn add_all(&mut self, paths: Vec<PathBuf>, dataset: &str, series: Series) {
        let mut own: BTreeMap<Symbol, Vec<PathBuf>> = BTreeMap::new();
        let mut left: Vec<(String, String)> = Vec::new();
        for path in paths {
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            match named(&path, &name, series) {
                Named::Symbol(symbol) => own.entry(symbol).or_default().push(path),
                Named::LeftOut(why) => left.push((name, why)),
                Named::Other(why) => {
                    let text = format!("{dataset}/{name} {why}");
                    let finding = Finding::about(0, "skipped_file", Severity::Info, text);
                    self.findings.push(finding);
                }
            }
        }
        for (symbol, paths) in own {
            let known = file_name(&symbol);
            let is_known = |path: &PathBuf| path.file_name().is_some_and(|name| *name == *known);
            let sole = paths.len() == 1;
            for path in paths {
                // `aapl.json` beside `AAPL.json`: one of them is out of date.
                if sole || is_known(&path) {
                    self.files.push(TomicFile { path, series, symbol: symbol.clone() });
                } else {
                    let name = path.file_name().unwrap_or_default().to_string_lossy();
                    left.push((name.into_owned(), format!("another file is {symbol} as well")));
                }
            }
        }
        left.sort();
        let more = left.len().saturating_sub(NAMED);
        let mut note = |count: usize, text: String| {
            let finding = Finding::about(0, LEFT_OUT, Severity::Reject, text);
            self.findings.push(Finding { count: count as u64, ..finding });
        };
        for (name, why) in left.iter().take(NAMED) {
            note(1, format!("{dataset}/{name} was left out: {why}"));
        }
        if let Some((name, _)) = left.get(NAMED) {
            note(
                more,
                format!("{more} more files of {dataset} were left out, the first is {name}"),
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn datasets_are_listed_in_order_and_strangers_are_noted() {
        let dir = tempfile::tempdir().unwrap();
        for name in ["iv_daily_summary", "spot_prices", "other"] {
            std::fs::create_dir(dir.path().join(name)).unwrap();
        }
        for name in [
            "iv_daily_summary/MSFT.json",
            "iv_daily_summary/BRK.B.json",
            "iv_daily_summary/temp_AAPL.json",
            "iv_daily_summary/AAPL.json.bak",
            "spot_prices/AAPL_spot.json",
            "spot_prices/AAPL.json",
            "other/X.json",
        ] {
            std::fs::write(dir.path().join(name), "[]").unwrap();
        }
        let folder = list_folder(dir.path()).unwrap();
        let files: Vec<_> =
            folder.files.iter().map(|file| (file.series, file.symbol.as_str())).collect();
        assert_eq!(files, [(Series::Iv, "BRK.B"), (Series::Iv, "MSFT"), (Series::Spot, "AAPL")]);
        let noted: Vec<_> = folder.findings.iter().map(|f| (f.code.as_str(), f.severity)).collect();
        assert_eq!(
            noted,
            [
                ("skipped_file", Severity::Info),
                (LEFT_OUT, Severity::Reject),
                ("skipped_file", Severity::Info)
            ]
        );
        assert!(folder.findings[1].text.contains("iv_daily_summary/temp_AAPL.json"));
        assert!(list_folder(&dir.path().join("absent")).is_err());
    }
    #[test]
    fn what_looks_like_records_is_left_out_by_name_and_the_rest_passed_over() {
        let dir = tempfile::tempdir().unwrap();
        let place = dir.path().join("iv_daily_summary");
        std::fs::create_dir_all(place.join("DIR.json")).unwrap();
        std::fs::create_dir_all(place.join("old")).unwrap();
        for name in [
            "AAPL.json",
            "aapl.json",
            "BRK%2FB.json",
            "MSFT.JSON",
            "MSFT_spot.json",
            "_VIX.json",
            "._AAPL.json",
            "AAPL.json.bak",
            "notes.txt",
            "bad%2.json",
        ] {
            std::fs::write(place.join(name), "[]").unwrap();
        }
        #[cfg(unix)]
        std::os::unix::fs::symlink("/nowhere", place.join("LINK.json")).unwrap();
        #[cfg(not(unix))]
        std::fs::create_dir(place.join("LINK.json")).unwrap();
        let folder = list_folder(dir.path()).unwrap();
        let read: Vec<_> = folder.files.iter().map(|file| file.symbol.as_str()).collect();
        // A file system may take the two names of AAPL for one.
        assert_eq!(read, ["AAPL", "BRK/B"]);
        let left: Vec<_> = folder.left_out().map(|finding| finding.text.as_str()).collect();
        for name in
            ["DIR.json", "LINK.json", "MSFT.JSON", "MSFT_spot.json", "_VIX.json", "bad%2.json"]
        {
            let whole = format!("iv_daily_summary/{name} was left out: ");
            assert!(left.iter().any(|text| text.starts_with(&whole)), "{name}: {left:?}");
        }
        if place.read_dir().unwrap().flatten().any(|entry| entry.file_name() == *"aapl.json") {
            assert!(left.iter().any(|text| text.contains("aapl.json")), "{left:?}");
        }
        let passed = folder.findings.iter().filter(|finding| finding.code == "skipped_file");
        assert_eq!(passed.count(), 4, "{:?}", folder.findings);
    }

    #[test]
    fn many_files_that_are_left_out_are_told_in_few_findings() {
        let dir = tempfile::tempdir().unwrap();
        std::fs::create_dir(dir.path().join("spot_prices")).unwrap();
        for number in 0..NAMED + 7 {
            std::fs::write(dir.path().join(format!("spot_prices/_{number:03}.json")), "").unwrap();
        }
        let folder = list_folder(dir.path()).unwrap();
        assert_eq!(folder.findings.len(), NAMED + 1);
        let last = folder.findings.last().unwrap();
        assert_eq!(last.count, 7);
        assert!(
            last.text.contains("7 more files of spot_prices") && last.text.contains("_050.json")
        );
    }
}
