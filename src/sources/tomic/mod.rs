//! Reading folders as TOMIC keeps them: one JSON file per dataset and symbol.

mod doubts;
mod folder;
mod json;
mod names;

pub use folder::{LEFT_OUT, TomicFile, TomicFolder, list_folder};
pub use json::{JsonOptions, read_json};
pub use names::file_name;

/// The name under which TOMIC's own layout is recorded as a mapping.
pub const MAPPING: &str = "tomic-json";

/// Its definition, kept like that of any mapping.
pub const DEFINITION: &str = "id = \"tomic-json\"\nversion = 1\n# TOMIC folders: iv_daily_summary, \
historical_volatility and spot_prices, one JSON array of records per symbol. Every key of a \
record is a field under its own name; numbers keep their digits and records their key order.\n";
