//! What an export wrote, and the manifest of a partitioned one.

use crate::domain::Digest;
use serde::Serialize;

/// What an export wrote.
#[derive(Clone, Debug, Serialize)]
#[serde(tag = "schema", rename = "volledger/exported/1")]
pub struct Exported {
    /// The files written.
    pub files: Vec<String>,
    /// Files of a TOMIC folder that held these bytes already, and were left alone.
    pub unchanged: Vec<String>,
    /// Files of a TOMIC folder with records of symbols that the views know and do not show.
    pub leftover: Vec<String>,
    /// What `backup` and `batch export` replaced and cannot give back: the names that it now has.
    pub kept: Vec<String>,
    /// Records written.
    pub rows: u64,
    /// The position exported.
    pub position: u64,
    /// The digest of what was exported.
    #[serde(serialize_with = "super::shown")]
    pub digest: Digest,
}

impl Exported {
    /// What was written of a position.
    pub fn of(files: Vec<String>, rows: u64, position: u64, digest: Digest) -> Self {
        let (unchanged, leftover, kept) = (Vec::new(), Vec::new(), Vec::new());
        Self { files, unchanged, leftover, kept, rows, position, digest }
    }
}

/// What an export is: the manifest of a partitioned one, `volledger/export-manifest/1`, or what stands
/// beside an exported text, `volledger/export-metadata/1`.
#[derive(Clone, Debug, Serialize)]
pub struct ExportManifest {
    /// Which of the two.
    pub schema: String,
    /// The program and its version.
    pub tool: String,
    /// The position exported.
    pub position: u64,
    /// The log's root at that position.
    pub log_root: String,
    /// `latest`, or `first` when the earliest values were exported.
    pub which: String,
    /// The symbols asked for; none means all.
    pub symbols: Vec<String>,
    /// First day asked for.
    pub from: Option<String>,
    /// Last day asked for.
    pub to: Option<String>,
    /// How numbers are to be understood.
    pub numbers: String,
    /// The views that have records.
    pub series: Vec<ManifestSeries>,
    /// The files, by view and year.
    pub files: Vec<ManifestFile>,
}

/// A view in a manifest.
#[derive(Clone, Debug, Serialize)]
pub struct ManifestSeries {
    /// The view.
    pub series: String,
    /// The digest that `export` reports of the view.
    pub digest: String,
    /// Symbols with a record.
    pub symbols: u64,
    /// Records.
    pub rows: u64,
    /// The columns of its files, in order.
    pub columns: Vec<ManifestColumn>,
}

/// A column of a view's files.
#[derive(Clone, Debug, Serialize)]
pub struct ManifestColumn {
    /// Its name.
    pub name: String,
    /// string, date, int64, double; of texts string, date, decimal, any.
    #[serde(rename = "type")]
    pub kind: &'static str,
    /// The word for its unit; empty for keys and provenance.
    pub unit: &'static str,
    /// What it means.
    pub about: String,
}

/// A file in a manifest.
#[derive(Clone, Debug, Serialize)]
pub struct ManifestFile {
    /// Its path below the directory, with `/`.
    pub path: String,
    /// Records.
    pub rows: u64,
    /// Size in bytes.
    pub bytes: u64,
    /// BLAKE3 digest of its bytes.
    pub digest: String,
    /// The view.
    pub series: String,
    /// The year of its days, where each year has a file.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub year: Option<i32>,
}
