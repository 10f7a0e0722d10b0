//! What the facts mean: views folded from row events, the differences between them, and what is
//! projected from them.
//!
//! Pure functions over domain types; the app feeds them and keeps their results.

pub mod adjusted;
pub mod builtin;
pub mod diff;
pub mod homes;
pub mod projection;
pub mod view;

pub use adjusted::Adjusted;
pub use diff::{Change, ChangeKind, SymbolDiff};
pub use projection::{Column, Facts, Projection, Registry};
pub use view::{Activity, Cell, Record, fold};
