//! Reading folders as TOMIC keeps them: one JSON file per dataset and symbol.

mod doubts;
mod folder;
mod json;
mod names;

pub use folder::{LEFT_OUT, TomicFile, TomicFolder, list_folder};
pub use json::{JsonOptions, read_json};
pub use names::file_name;
