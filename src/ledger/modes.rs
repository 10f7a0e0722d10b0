//! Who may read a ledger's files: their owner alone, whatever the umask says.

use std::fs::OpenOptions;
use std::io;
use std::path::{Path, PathBuf};

/// Options for a file that is its owner's alone from its first moment on.
pub(super) fn private() -> OpenOptions {
    let mut options = OpenOptions::new();
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
}

fn folder_builder() -> std::fs::DirBuilder {
    let mut builder = std::fs::DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder
}

/// Makes a folder, and those above it, that others may not even list.
pub(super) fn private_folder(path: &Path) -> io::Result<()> {
    folder_builder().recursive(true).create(path)
}

/// The same where the one above it is there.
pub(super) fn private_subfolder(path: &Path) -> io::Result<()> {
    match folder_builder().create(path) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists && path.is_dir() => Ok(()),
        made => made,
    }
}

/// Takes everybody else's rights on a folder.
#[cfg(unix)]
pub(super) fn restrict(path: &Path, mode: u32) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode))
}

/// Elsewhere a directory has the rights of the one above it.
#[cfg(not(unix))]
pub(super) fn restrict(_: &Path, _: u32) -> io::Result<()> {
    Ok(())
}

/// A ledger's directory that others may enter: what is wrong, for a person.
#[cfg(unix)]
pub fn open_to_others(directory: &Path) -> Option<String> {
    use std::os::unix::fs::PermissionsExt;
    let mode = std::fs::metadata(directory).ok()?.permissions().mode() & 0o777;
    let shown = directory.display();
    (mode & 0o077 != 0).then(|| {
        format!("others may read the ledger (mode {mode:04o}); `chmod 700 {shown}` keeps them out")
    })
}

/// Elsewhere nothing is known of it.
#[cfg(not(unix))]
pub fn open_to_others(_: &Path) -> Option<String> {
    None
}

/// The engine makes its files as the umask has them. They lie in a folder that only their owner may
/// enter; when the engine is opened and when it is gone they are made private one by one as well.
#[derive(Debug)]
pub(super) struct EngineFiles(PathBuf);

impl EngineFiles {
    pub(super) fn of(folder: &Path) -> Self {
        let files = Self(folder.to_owned());
        files.tighten();
        files
    }

    fn tighten(&self) {
        // The folder is private: what cannot be changed here is not open to anybody.
        let _ = restrict(&self.0, 0o700);
        for entry in std::fs::read_dir(&self.0).into_iter().flatten().flatten() {
            let folder = entry.file_type().is_ok_and(|kind| kind.is_dir());
            let _ = restrict(&entry.path(), if folder { 0o700 } else { 0o600 });
        }
    }
}

impl Drop for EngineFiles {
    fn drop(&mut self) {
        self.tighten();
    }
}
