//! Which files of a TOMIC folder hold what.

use crate::domain::{Finding, Series, Severity, Symbol};
use std::io;
use std::path::{Path, PathBuf};

/// The subfolders with daily records, in the order of reading.
const DATASETS: [(&str, Series); 3] = [
    ("iv_daily_summary", Series::Iv),
    ("historical_volatility", Series::Hv),
    ("spot_prices", Series::Spot),
];

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
/// `SYMBOL_spot.json` files hold one quote and no history, and are passed over too.
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
        for path in paths {
            folder.add(path, name, series);
        }
    }
    Ok(folder)
}

impl TomicFolder {
    fn add(&mut self, path: PathBuf, dataset: &str, series: Series) {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let shown = format!("{dataset}/{name}");
        let mut note = |code, severity, why: &str| {
            self.findings.push(Finding::about(0, code, severity, format!("{shown} {why}")));
        };
        let stem = name.strip_suffix(".json").filter(|_| path.is_file());
        let Some(stem) = stem else {
            note("skipped_file", Severity::Info, "is not a file of daily records");
            return;
        };
        if stem.ends_with("_spot") {
            note("skipped_file", Severity::Info, "holds a single quote and no history");
            return;
        }
        match stem.parse::<Symbol>() {
            Ok(symbol) => self.files.push(TomicFile { path, series, symbol }),
            Err(error) => {
                note("invalid_symbol", Severity::Reject, &format!("was left out: {error}"))
            }
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
                ("invalid_symbol", Severity::Reject),
                ("skipped_file", Severity::Info)
            ]
        );
        assert!(folder.findings[1].text.contains("iv_daily_summary/temp_AAPL.json"));
        assert!(list_folder(&dir.path().join("absent")).is_err());
    }
}
