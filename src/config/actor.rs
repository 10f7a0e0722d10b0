//! Who the system says is working, where no variable does (a service, a bare container), and whose a folder is.

use std::path::{Path, PathBuf};

/// The name of the user that this process belongs to; without a name, its number.
#[cfg(target_os = "linux")]
pub(super) fn system_user() -> Option<String> {
    use std::os::unix::fs::MetadataExt;
    Some(user(std::fs::metadata("/proc/self").ok()?.uid()))
}

/// The name of a user; without a name, the number.
#[cfg(target_os = "linux")]
fn user(id: u32) -> String {
    let users = std::fs::read_to_string("/etc/passwd").unwrap_or_default();
    let named = users.lines().find_map(|line| {
        let mut parts = line.split(':');
        let name = parts.next()?;
        (parts.nth(1)?.parse() == Ok(id)).then(|| name.to_owned())
    });
    named.filter(|name| !name.is_empty()).unwrap_or_else(|| format!("uid {id}"))
}

/// The folder that keeps this process out of a directory, with whose it is and its mode, such as `root,
/// mode 0700`; `None` where nothing does.
#[cfg(target_os = "linux")]
pub fn shut(directory: &Path) -> Option<(PathBuf, String)> {
    use std::os::unix::fs::{MetadataExt, PermissionsExt};
    let inside = directory.join("HEAD").symlink_metadata();
    if inside.err()?.kind() != std::io::ErrorKind::PermissionDenied {
        return None;
    }
    let whole = std::path::absolute(directory).ok()?;
    // The nearest that can be seen is the one that cannot be entered.
    let (folder, about) = whole.ancestors().find_map(|up| Some((up, up.metadata().ok()?)))?;
    let mode = about.permissions().mode() & 0o7777;
    Some((folder.to_owned(), format!("{}, mode {mode:04o}", user(about.uid()))))
}

/// Elsewhere nobody is named.
#[cfg(not(target_os = "linux"))]
pub fn shut(_: &Path) -> Option<(PathBuf, String)> {
    None
}

/// Elsewhere the variables are all there is.
#[cfg(not(target_os = "linux"))]
pub(super) fn system_user() -> Option<String> {
    None
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    #[test]
    fn the_system_knows_who_works() {
        assert!(super::system_user().is_some_and(|name| !name.is_empty()));
    }
}
