//! Settings in effect, and where they come from.

use serde::Serialize;

/// The settings in effect: `volledger/config/1`.
#[derive(Clone, Debug, Serialize)]
#[serde(tag = "schema", rename = "volledger/config/1")]
pub struct ConfigReport {
    /// The files that are read, the stronger one last.
    pub files: Vec<ConfigFileLine>,
    /// Every setting.
    pub settings: Vec<ConfigLine>,
}

/// Where settings files are: `volledger/config-path/1`.
#[derive(Clone, Debug, Serialize)]
#[serde(tag = "schema", rename = "volledger/config-path/1")]
pub struct ConfigPaths {
    /// The files that are read, the stronger one last.
    pub files: Vec<ConfigFileLine>,
}

/// A settings file.
#[derive(Clone, Debug, Serialize)]
pub struct ConfigFileLine {
    /// `user` or `ledger`: whose settings they are.
    pub what: &'static str,
    /// Its path.
    pub path: String,
    /// Whether it is there.
    pub there: bool,
}

/// One setting.
#[derive(Clone, Debug, Serialize)]
pub struct ConfigLine {
    /// Its key.
    pub key: String,
    /// Its value as text; null where nothing is set. Never a secret.
    pub value: Option<String>,
    /// A variable, a file, a flag, or `default`.
    pub from: String,
}
