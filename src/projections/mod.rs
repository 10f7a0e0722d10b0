//! What the facts mean: views folded from row events, and the differences between them.
//!
//! Pure functions over domain types; the app feeds them and keeps their results.

pub mod diff;
pub mod homes;
pub mod view;

pub use diff::{Change, ChangeKind, SymbolDiff};
pub use view::{Activity, Cell, Record, fold};
