//! Reading folders as TOMIC keeps them: one JSON file per dataset and symbol.

mod folder;
mod json;

pub use folder::{TomicFile, TomicFolder, list_folder};
pub use json::{JsonOptions, read_json};
