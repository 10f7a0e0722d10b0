//! The data beside the repository that tests compare with.

use std::io::Write;
use std::path::{Path, PathBuf};

/// A file or folder below `../shared/data`; `None`, with a loud line, where there is no such data at
/// all. What is missing in it is not skipped: whoever reads it fails.
pub(crate) fn path(of: &str) -> Option<PathBuf> {
    let root = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../shared/data"));
    if !root.is_dir() {
        // Written directly: cargo hides what passing tests print through the macros.
        let skipped = format!("SKIPPED: ../shared is absent, so {of} was not compared\n");
        std::io::stderr().write_all(skipped.as_bytes()).unwrap();
        return None;
    }
    Some(root.join(of))
}

/// The text of such a file.
pub(crate) fn text(of: &str) -> Option<String> {
    Some(std::fs::read_to_string(path(of)?).unwrap())
}
