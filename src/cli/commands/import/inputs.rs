//! The files that are read, standard input among them.

use crate::app::import::Input;
use crate::app::scratch;
use crate::cli::error::{Failure, Outcome};
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use tempfile::NamedTempFile;

/// The files to read. What can be read only once is kept in files until the command ends.
pub(in crate::cli::commands) struct Inputs {
    pub(in crate::cli::commands) all: Vec<Input>,
    _spools: Vec<(NamedTempFile, scratch::Noted)>,
}

fn is_stdin(file: &Path) -> bool {
    file == Path::new("-")
}

/// Standard input, or a pipe with a name: a shell's `<(zcat AAPL.csv.gz)`.
pub(super) fn is_stream(file: &Path) -> bool {
    #[cfg(unix)]
    let is_pipe =
        |about: std::fs::Metadata| std::os::unix::fs::FileTypeExt::is_fifo(&about.file_type());
    #[cfg(not(unix))]
    let is_pipe = |_| false;
    is_stdin(file) || std::fs::metadata(file).is_ok_and(is_pipe)
}

/// Takes what can be read only once into files of its own.
pub(in crate::cli::commands) fn inputs(files: &[PathBuf]) -> Outcome<Inputs> {
    if files.iter().filter(|file| is_stdin(file)).count() > 1 {
        return Err(Failure::usage("standard input can be read once", "give `-` once"));
    }
    let mut spools = Vec::new();
    let mut all = Vec::new();
    for file in files {
        if !is_stream(file) {
            all.push(Input::file(file));
            continue;
        }
        let name = file.display().to_string();
        let kept = match is_stdin(file) {
            true => spooled(&mut std::io::stdin().lock(), "standard input")?,
            false => match std::fs::File::open(file) {
                Ok(mut pipe) => spooled(&mut pipe, &name)?,
                Err(error) => return Err(Failure::unreadable(&name, error)),
            },
        };
        all.push(Input { path: kept.0.path().to_owned(), name: "-".to_owned(), stream: true });
        spools.push(kept);
    }
    Ok(Inputs { all, _spools: spools })
}

fn spooled(input: &mut impl Read, name: &str) -> Outcome<(NamedTempFile, scratch::Noted)> {
    let place = |error| Failure::unwritable("a temporary file", error);
    let make = || NamedTempFile::with_prefix("volledger-");
    let (mut file, noted) = scratch::made(make, |file| file.path()).map_err(place)?;
    // A copy fails on either side; the disk is the one that fills up.
    std::io::copy(input, &mut file).map_err(|error| match error.kind() {
        std::io::ErrorKind::StorageFull => Failure::unwritable("a temporary file", error),
        _ => Failure::unreadable(name, error),
    })?;
    file.flush().map_err(place)?;
    Ok((file, noted))
}
