//! Tables that come as files: unpacking them, and how the reading of one ends.

use crate::domain::{Finding, Severity};
use crate::sources::csv::records::{Stop, Watch};
use crate::sources::{Limits, ReadError, ReadSummary};
use flate2::read::MultiGzDecoder;
use flate2::write;
use std::io::{self, Read, Write};

/// The media type under which a packed file is kept. Places of its rows count in the unpacked
/// text.
pub const GZIP: &str = "application/gzip";

/// Whether these are the first bytes of a gzip stream.
pub fn is_packed(head: &[u8]) -> bool {
    head.starts_with(&[0x1f, 0x8b])
}

/// The text of a file, unpacked on the way when it is gzipped.
pub(super) fn unpacked<'r>(mut input: impl Read + 'r) -> io::Result<Box<dyn Read + 'r>> {
    let mut magic = Vec::with_capacity(2);
    input.by_ref().take(2).read_to_end(&mut magic)?;
    let packed = is_packed(&magic);
    let input = io::Cursor::new(magic).chain(input);
    Ok(match packed {
        true => Box::new(MultiGzDecoder::new(input)),
        false => Box::new(input),
    })
}

/// Unpacks kept bytes that come piece by piece.
pub struct Unpacker<W: Write>(write::MultiGzDecoder<W>);

impl<W: Write> Unpacker<W> {
    /// Writes the text into `out`.
    pub fn new(out: W) -> Self {
        Self(write::MultiGzDecoder::new(out))
    }

    /// Takes the next piece.
    ///
    /// # Errors
    /// Bytes that are no gzip stream, or what `out` fails with.
    pub fn take(&mut self, piece: &[u8]) -> io::Result<()> {
        self.0.write_all(piece)
    }

    /// Ends the stream.
    ///
    /// # Errors
    /// A stream that was cut short, or what `out` fails with.
    pub fn finish(mut self) -> io::Result<W> {
        self.0.try_finish()?;
        self.0.finish()
    }
}

impl<W: Write> std::fmt::Debug for Unpacker<W> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Unpacker")
    }
}

/// Nothing is watched: the caller has hashed the bytes.
pub(super) struct Blind;

impl Watch for Blind {
    fn take(&mut self, _: &[u8]) {}
}

/// Why the reading ended before the file did.
pub(super) enum Ended<E> {
    Stop(Stop),
    /// Columns that must be there are not.
    Header(String),
    /// What the file does not say and the caller did not either, by the code of the finding.
    Untold(&'static str, String),
    Sink(E),
}

/// The outcome of a reading: a summary, with a fatal finding when the file is of another form.
pub(super) fn settled<E>(
    result: Result<(), Ended<E>>,
    mut summary: ReadSummary,
    source: u32,
    limits: Limits,
) -> Result<ReadSummary, ReadError<E>> {
    let (code, line, text) = match result {
        Ok(()) => return Ok(summary),
        Err(Ended::Sink(error)) => return Err(ReadError::Sink(error)),
        Err(Ended::Stop(Stop::Io(error))) => return Err(ReadError::Io(error)),
        Err(Ended::Stop(Stop::LineTooLong(line))) => {
            let text = format!("a line is longer than {} bytes", limits.line_bytes);
            ("line_too_long", Some(line), text)
        }
        Err(Ended::Stop(Stop::TooManyFields(line))) => {
            let text = format!("a line has more than {} cells", limits.fields);
            ("too_many_fields", Some(line), text)
        }
        Err(Ended::Stop(Stop::FileTooLarge)) => {
            let text = format!("the file is larger than {} bytes", limits.file_bytes);
            ("file_too_large", None, text)
        }
        Err(Ended::Header(text)) => ("unknown_columns", Some(1), text),
        Err(Ended::Untold(code, text)) => (code, Some(1), text),
    };
    summary.fatal = Some(Finding { line, ..Finding::about(source, code, Severity::Fatal, text) });
    Ok(summary)
}
