//! Parquet files, column by column, without Arrow: one file of a view, or a partitioned directory.

mod partitions;

pub use partitions::export_all;

use super::columns::{Cell, Kind, Layout};
use super::stream::{Read, Stream};
use super::text::Hashed;
use crate::app::Run;
use crate::app::error::{AppError, Result};
use crate::app::replace::replace_with;
use crate::app::report::Exported;
use crate::domain::Digest;
use parquet::basic::{Compression, Encoding, LogicalType, Repetition, Type as Physical, ZstdLevel};
use parquet::column::writer::ColumnWriter;
use parquet::data_type::ByteArray;
use parquet::errors::ParquetError;
use parquet::file::metadata::{KeyValue, SortingColumn};
use parquet::file::properties::WriterProperties;
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::types::{ColumnPath, Type};
use std::fs::File;
use std::io;
use std::path::Path;
use std::sync::Arc;

/// Rows of a row group, at most: a few megabytes, so that readers can skip symbols.
const GROUP_ROWS: usize = 65_536;
/// Bytes that a file holds back for its next row group, at most.
const GROUP_BYTES: usize = 32 << 20;

/// Writes one view into a file; what it replaces stays beside it as `.bak`.
///
/// # Errors
/// Damage, or a file that cannot be written.
pub fn export(stream: &Stream<'_>, path: &Path, run: &Run<'_>) -> Result<Exported> {
    let Some(series) = stream.wanted.series.first().copied() else {
        return Err(AppError::Usage("which view?".to_owned()));
    };
    let layout = Layout::of(series, &stream.wanted.columns)?;
    let read = replace_with(path, |new| {
        let mut out = Out::create(new, &layout)?;
        let read = stream.each(series, run, |symbol, records| {
            layout.rows(symbol, records, |_, row| out.push(row))
        })?;
        out.finish(described(stream, &layout, &read))?;
        Ok(read)
    })?;
    let files = vec![path.display().to_string()];
    Ok(Exported::of(files, read.rows, stream.at.0, read.digest()))
}

/// What a file says of itself, as keys and values of its metadata.
fn described(stream: &Stream<'_>, layout: &Layout, read: &Read) -> Vec<KeyValue> {
    let pair = |key: &str, value: String| KeyValue::new(format!("volledger.{key}"), value);
    let mut pairs = vec![
        pair("tool", super::TOOL.to_owned()),
        pair("series", layout.series.name().to_owned()),
        pair("position", stream.at.0.to_string()),
        pair("log_root", stream.log_root.to_string()),
        pair("view_digest", read.digest().to_string()),
        pair("which", super::which(stream.wanted).to_owned()),
        pair("numbers", super::NUMBERS.to_owned()),
    ];
    let days = [("from", stream.wanted.from), ("to", stream.wanted.to)];
    pairs.extend(days.into_iter().filter_map(|(key, day)| Some(pair(key, day?.to_string()))));
    pairs
}

/// A finished file.
struct Finished {
    rows: u64,
    bytes: u64,
    digest: Digest,
}

/// A file that rows are added to.
struct Out {
    name: String,
    file: SerializedFileWriter<Hashed>,
    columns: Vec<Buffer>,
    /// Rows that wait for their row group, and about how many bytes they take.
    waiting: usize,
    bytes: usize,
    rows: u64,
}

impl Out {
    fn create(path: &Path, layout: &Layout) -> Result<Self> {
        let name = path.display().to_string();
        let failed = |source| AppError::Unwritable { name: name.clone(), source };
        let file = File::create(path).map_err(failed)?;
        let file = Hashed::new(file);
        let (schema, properties) = (schema(layout), properties(layout));
        let file = schema.and_then(|schema| {
            SerializedFileWriter::new(file, Arc::new(schema), Arc::new(properties?))
        });
        let file = file.map_err(|error| failed(io::Error::other(error)))?;
        let columns = layout.columns.iter().map(|column| Buffer::of(column.kind, column.required));
        Ok(Self { name, file, columns: columns.collect(), waiting: 0, bytes: 0, rows: 0 })
    }

    fn push(&mut self, row: &[Cell<'_>]) -> Result<()> {
        for (column, cell) in self.columns.iter_mut().zip(row) {
            self.bytes += column.push(cell);
        }
        self.waiting += 1;
        if self.waiting >= GROUP_ROWS || self.bytes >= GROUP_BYTES {
            self.flush()?;
        }
        Ok(())
    }

    /// Writes what waits as a row group.
    fn flush(&mut self) -> Result<()> {
        if self.waiting > 0 {
            let written = write_group(&mut self.file, &mut self.columns);
            written.map_err(|error| unwritable(&self.name, error))?;
            self.rows += self.waiting as u64;
            (self.waiting, self.bytes) = (0, 0);
        }
        Ok(())
    }

    fn finish(mut self, pairs: Vec<KeyValue>) -> Result<Finished> {
        self.flush()?;
        for pair in pairs {
            self.file.append_key_value_metadata(pair);
        }
        let out = self.file.into_inner().map_err(|error| unwritable(&self.name, error))?;
        let source = out.file.sync_all();
        source.map_err(|source| AppError::Unwritable { name: self.name, source })?;
        Ok(Finished { rows: self.rows, bytes: out.bytes, digest: out.hasher.finish() })
    }
}

fn unwritable(name: &str, error: ParquetError) -> AppError {
    AppError::Unwritable { name: name.to_owned(), source: io::Error::other(error) }
}

fn write_group(
    file: &mut SerializedFileWriter<Hashed>,
    columns: &mut [Buffer],
) -> std::result::Result<(), ParquetError> {
    let mut group = file.next_row_group()?;
    for column in columns {
        let Some(mut writer) = group.next_column()? else { break };
        column.write(writer.untyped())?;
        writer.close()?;
    }
    group.close()?;
    Ok(())
}

/// The values of a column that wait for their row group; `levels` tells holes (0) from values (1).
struct Buffer {
    values: Values,
    levels: Option<Vec<i16>>,
}

enum Values {
    Text(Vec<ByteArray>),
    Day(Vec<i32>),
    Whole(Vec<i64>),
    Real(Vec<f64>),
}

impl Buffer {
    fn of(kind: Kind, required: bool) -> Self {
        let values = match kind {
            Kind::Text => Values::Text(Vec::new()),
            Kind::Day => Values::Day(Vec::new()),
            Kind::Whole => Values::Whole(Vec::new()),
            Kind::Real => Values::Real(Vec::new()),
        };
        Self { values, levels: (!required).then(Vec::new) }
    }

    /// Adds a cell; returns about how many bytes it takes.
    fn push(&mut self, cell: &Cell<'_>) -> usize {
        let bytes = match (&mut self.values, cell) {
            (Values::Text(all), Cell::Text(text)) => {
                // Symbols and batches stand in runs, which share their bytes.
                let same = all.last().filter(|last| last.data() == text.as_bytes()).cloned();
                let bytes = size_of::<ByteArray>() + same.as_ref().map_or(text.len(), |_| 0);
                all.push(same.unwrap_or_else(|| ByteArray::from(text.as_bytes().to_vec())));
                bytes
            }
            (Values::Day(all), Cell::Day(day)) => {
                all.push(day.0);
                size_of::<i32>()
            }
            (Values::Whole(all), Cell::Whole(number)) => {
                all.push(*number);
                size_of::<i64>()
            }
            (Values::Real(all), Cell::Real(number)) => {
                all.push(*number);
                size_of::<f64>()
            }
            _ => 0,
        };
        match &mut self.levels {
            Some(levels) => {
                levels.push(i16::from(bytes > 0));
                bytes + size_of::<i16>()
            }
            None => bytes,
        }
    }

    fn write(&mut self, writer: &mut ColumnWriter<'_>) -> std::result::Result<(), ParquetError> {
        let levels = self.levels.as_deref();
        match (&mut self.values, writer) {
            (Values::Text(all), ColumnWriter::ByteArrayColumnWriter(out)) => {
                // Taken, so that the memory goes to the next file.
                out.write_batch(&std::mem::take(all), levels, None)?;
            }
            (Values::Day(all), ColumnWriter::Int32ColumnWriter(out)) => {
                out.write_batch(&std::mem::take(all), levels, None)?;
            }
            (Values::Whole(all), ColumnWriter::Int64ColumnWriter(out)) => {
                out.write_batch(&std::mem::take(all), levels, None)?;
            }
            (Values::Real(all), ColumnWriter::DoubleColumnWriter(out)) => {
                out.write_batch(&std::mem::take(all), levels, None)?;
            }
            _ => return Err(ParquetError::General("a column of another type".to_owned())),
        }
        if let Some(levels) = &mut self.levels {
            *levels = Vec::new();
        }
        Ok(())
    }
}

fn schema(layout: &Layout) -> std::result::Result<Type, ParquetError> {
    let mut fields = Vec::with_capacity(layout.columns.len());
    for column in &layout.columns {
        let (physical, logical) = match column.kind {
            Kind::Text => (Physical::BYTE_ARRAY, Some(LogicalType::String)),
            Kind::Day => (Physical::INT32, Some(LogicalType::Date)),
            Kind::Whole => (Physical::INT64, None),
            Kind::Real => (Physical::DOUBLE, None),
        };
        let repetition = if column.required { Repetition::REQUIRED } else { Repetition::OPTIONAL };
        let field = Type::primitive_type_builder(&column.name, physical);
        let field = field.with_logical_type(logical).with_repetition(repetition);
        fields.push(Arc::new(field.build()?));
    }
    Type::group_type_builder(layout.series.name()).with_fields(fields).build()
}

fn properties(layout: &Layout) -> std::result::Result<WriterProperties, ParquetError> {
    let ascending = |column_idx| SortingColumn { column_idx, descending: false, nulls_first: true };
    let keys = layout.keys() as i32;
    // Every event has another name, with the same beginning as the one before.
    let event = ColumnPath::from("event");
    Ok(WriterProperties::builder()
        .set_created_by(super::TOOL.to_owned())
        .set_compression(Compression::ZSTD(ZstdLevel::try_new(1)?))
        .set_column_dictionary_enabled(event.clone(), false)
        .set_column_encoding(event, Encoding::DELTA_BYTE_ARRAY)
        .set_sorting_columns(Some((0..keys).map(ascending).collect()))
        .build())
}
