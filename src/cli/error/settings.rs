//! What is wrong with variables and settings files.

use super::Failure;
use crate::config::{ConfigError, FileError};

impl From<ConfigError> for Failure {
    fn from(error: ConfigError) -> Self {
        let hint = match error.variable.contains(char::is_lowercase) {
            true => "correct it in the settings file (`volledger config path`)".to_owned(),
            false => format!("unset it: `unset {}`", error.variable),
        };
        Self::usage(error.to_string(), hint)
    }
}

impl From<FileError> for Failure {
    /// Each mistake has a line of its own.
    fn from(error: FileError) -> Self {
        let hint = "correct it; `volledger config --help` has every key, `volledger config path` \
                    says which files are read";
        Self::usage(error.problems.join("\n"), hint)
    }
}
