//! Who the system says is working, where no variable does (a service, a bare container).

/// The name of the user that this process belongs to; without a name, its number.
#[cfg(target_os = "linux")]
pub(super) fn system_user() -> Option<String> {
    use std::os::unix::fs::MetadataExt;
    let id = std::fs::metadata("/proc/self").ok()?.uid();
    let users = std::fs::read_to_string("/etc/passwd").unwrap_or_default();
    let named = users.lines().find_map(|line| {
        let mut parts = line.split(':');
        let name = parts.next()?;
        (parts.nth(1)?.parse() == Ok(id)).then(|| name.to_owned())
    });
    Some(named.filter(|name| !name.is_empty()).unwrap_or_else(|| format!("uid {id}")))
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
