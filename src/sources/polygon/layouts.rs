//! The layouts of files that are not bodies of the API, named and told as a mapping is.

/// The name under which the layout of flat files is recorded as a mapping.
pub const FLAT_MAPPING: &str = "polygon-flat";

/// How they are read; kept with each batch.
pub const FLAT_DEFINITION: &str = "\
id = \"polygon-flat\"\nversion = 1\n\
# Flat files of Polygon (Massive): us_stocks_sip, us_options_opra and us_indices, day_aggs_v1 and\n\
# minute_aggs_v1. Each row is an event on the New York date of `window_start`; each other column a\n\
# field, a number with the digits of the file. Days of stocks are spot, days of indices index, all\n\
# other bars are bars; days of options are, when imported as a chain, records of the contract under\n\
# its root. Places of rows count in the unpacked text.\n";

/// The name under which tables of option chains are recorded as a mapping.
pub const CHAIN_MAPPING: &str = "polygon-chain-csv";

/// How they are read; kept with each batch.
pub const CHAIN_DEFINITION: &str = "\
id = \"polygon-chain-csv\"\nversion = 1\n\
# Tables of option chains made from answers of Polygon (Massive). Each row is a contract; columns\n\
# are found by their names (iv is implied_volatility, last_updated that of the day's bar), others\n\
# keep theirs. C and P are call and put, an empty cell says nothing, numbers keep their digits. The\n\
# day is given, not read. Places of rows count in the unpacked text.\n";
