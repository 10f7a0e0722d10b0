//! Workbooks: a sheet for each view, and one that says where they come from.
//!
//! Cells are written as what they are (text, number, date), so no text can become a formula; those
//! that look like one are marked as texts besides, so that editing them or saving them in another
//! format does not make them one.

use super::columns::{Cell, Column, Kind, Layout};
use super::stream::{Read, Stream};
use crate::app::Run;
use crate::app::error::{AppError, Result};
use crate::app::replace::replace_with;
use crate::app::report::Exported;
use crate::domain::guard::guarded;
use crate::domain::{Day, Series};
use chrono::Datelike;
use rust_xlsxwriter::{ExcelDateTime, Format, Workbook, Worksheet, XlsxError};
use std::io;
use std::path::Path;

/// Rows of a sheet, the header included: Excel's limit.
const SHEET_ROWS: u64 = 1_048_576;
/// Characters of a cell: Excel's limit.
const CELL_CHARS: usize = 32_767;
/// Whole numbers beyond this are not whole in a spreadsheet.
const EXACT: u64 = 1 << 53;

/// Writes views into one workbook; what it replaces stays beside it as `.bak`. Columns that have
/// no value in any row are left out.
///
/// # Errors
/// [`AppError::Usage`] for a view with more records than a sheet has rows, before anything is
/// written; damage, or a file that cannot be written.
pub fn export(stream: &Stream<'_>, path: &Path, run: &Run<'_>) -> Result<Exported> {
    export_within(stream, path, run, SHEET_ROWS)
}

fn export_within(stream: &Stream<'_>, path: &Path, run: &Run<'_>, limit: u64) -> Result<Exported> {
    // Two passes: a sheet's rows and columns are known before anything is written.
    let mut sheets = Vec::new();
    for series in &stream.wanted.series {
        let layout = Layout::of(*series, &stream.wanted.columns)?;
        let (used, read) = look(stream, &layout, run)?;
        if read.rows >= limit {
            return Err(AppError::Usage(format!(
                "view {series} has {} records here, a sheet of Excel {} rows: take fewer symbols or \
                 days, or another format",
                read.rows, limit
            )));
        }
        if read.rows > 0 || stream.is_one() {
            sheets.push((layout, used, read));
        }
    }
    let digest = super::joined(sheets.iter().map(|(_, _, read)| read.digest()));
    let rows = sheets.iter().map(|(_, _, read)| read.rows).sum();
    replace_with(path, |new| {
        let failed = |error: XlsxError| AppError::Unwritable {
            name: path.display().to_string(),
            source: io::Error::other(error),
        };
        let mut book = Workbook::new();
        // Rows wait on disk, beside the file: they may be many.
        if let Some(place) = new.parent() {
            book.set_tempdir(place).map_err(failed)?;
        }
        let mut cut = 0;
        for (layout, used, _) in &sheets {
            let sheet = book.add_worksheet_with_constant_memory().map_err(failed)?;
            cut += write_view(sheet, stream, layout, used, run, &failed)?;
        }
        let read: Vec<(Series, &Read)> =
            sheets.iter().map(|(layout, _, read)| (layout.series, read)).collect();
        let root = stream.log_root.to_string();
        provenance(book.add_worksheet(), stream, &root, &read, cut).map_err(failed)?;
        book.save(new).map_err(failed)
    })?;
    Ok(Exported::of(vec![path.display().to_string()], rows, stream.at.0, digest))
}

/// Which columns have a value.
fn look(stream: &Stream<'_>, layout: &Layout, run: &Run<'_>) -> Result<(Vec<bool>, Read)> {
    let mut used: Vec<bool> = layout.columns.iter().map(|column| column.required).collect();
    let named = !stream.wanted.columns.is_empty();
    let read = stream.each(layout.series, run, |symbol, records| {
        layout.rows(symbol, records, |_, row| {
            let cells = used.iter_mut().zip(row);
            cells.for_each(|(used, cell)| *used |= *cell != Cell::None);
            Ok(())
        })
    })?;
    // A column that was asked for by name is there, full or empty.
    for (used, column) in used.iter_mut().zip(&layout.columns) {
        *used |= named && !column.unit.is_empty();
    }
    Ok((used, read))
}

/// Writes one sheet; returns how many texts were cut.
fn write_view(
    sheet: &mut Worksheet,
    stream: &Stream<'_>,
    layout: &Layout,
    used: &[bool],
    run: &Run<'_>,
    failed: &dyn Fn(XlsxError) -> AppError,
) -> Result<u64> {
    let bold = Format::new().set_bold();
    let date = Format::new().set_num_format("yyyy-mm-dd");
    let columns: Vec<(usize, &Column)> = layout
        .columns
        .iter()
        .enumerate()
        .filter(|(index, _)| used.get(*index) == Some(&true))
        .collect();
    let mut begin = || -> std::result::Result<(), XlsxError> {
        sheet.set_name(layout.series.name())?;
        sheet.set_freeze_panes(1, 0)?;
        for (at, (_, column)) in (0u16..).zip(&columns) {
            let width = if column.kind == Kind::Day { 11.0 } else { 14.0 };
            sheet.set_column_width(at, width)?;
            sheet.write_string_with_format(0, at, &column.name, &bold)?;
        }
        Ok(())
    };
    begin().map_err(failed)?;
    let (mut line, mut cut) = (0u32, 0);
    stream.each(layout.series, run, |symbol, records| {
        layout.rows(symbol, records, |_, cells| {
            line += 1;
            for (at, (index, _)) in (0u16..).zip(&columns) {
                let cell = cells.get(*index).unwrap_or(&Cell::None);
                write_cell(sheet, line, at, cell, &date, &mut cut).map_err(failed)?;
            }
            Ok(())
        })
    })?;
    Ok(cut)
}

fn write_cell(
    sheet: &mut Worksheet,
    line: u32,
    at: u16,
    cell: &Cell<'_>,
    date: &Format,
    cut: &mut u64,
) -> std::result::Result<(), XlsxError> {
    match cell {
        Cell::None => return Ok(()),
        Cell::Text(text) if text.chars().count() > CELL_CHARS => {
            *cut += 1;
            let kept: String = text.chars().take(CELL_CHARS - 1).chain(['…']).collect();
            sheet.write_string(line, at, kept)?
        }
        Cell::Text(text) if guarded(text) != *text => {
            let marked = Format::new().set_quote_prefix();
            sheet.write_string_with_format(line, at, text.as_ref(), &marked)?
        }
        Cell::Text(text) => sheet.write_string(line, at, text.as_ref())?,
        Cell::Whole(number) if number.unsigned_abs() > EXACT => {
            sheet.write_string(line, at, number.to_string())?
        }
        Cell::Whole(number) => sheet.write_number(line, at, *number as f64)?,
        Cell::Real(number) => sheet.write_number(line, at, *number)?,
        Cell::Day(day) => match excel_day(*day) {
            Some(day) => sheet.write_datetime_with_format(line, at, &day, date)?,
            // Excel has no day before 1900.
            None => sheet.write_string(line, at, day.to_string())?,
        },
    };
    Ok(())
}

fn excel_day(day: Day) -> Option<ExcelDateTime> {
    let date = day.date();
    let year = u16::try_from(date.year()).ok()?;
    ExcelDateTime::from_ymd(year, date.month() as u8, date.day() as u8).ok()
}

fn provenance(
    sheet: &mut Worksheet,
    stream: &Stream<'_>,
    root: &str,
    read: &[(Series, &Read)],
    cut: u64,
) -> std::result::Result<(), XlsxError> {
    let bold = Format::new().set_bold();
    sheet.set_name("provenance")?;
    sheet.set_freeze_panes(1, 0)?;
    sheet.set_column_width(0, 24.0)?;
    sheet.set_column_width(1, 70.0)?;
    sheet.write_string_with_format(0, 0, "what", &bold)?;
    sheet.write_string_with_format(0, 1, "value", &bold)?;
    let mut lines = vec![
        ("tool".to_owned(), super::TOOL.to_owned()),
        ("position".to_owned(), stream.at.to_string()),
        ("log root".to_owned(), root.to_owned()),
        ("values".to_owned(), super::which(stream.wanted).to_owned()),
        ("numbers".to_owned(), super::NUMBERS.to_owned()),
    ];
    let days = [("from", stream.wanted.from), ("to", stream.wanted.to)];
    lines.extend(days.into_iter().filter_map(|(key, day)| Some((key.into(), day?.to_string()))));
    for (series, read) in read {
        lines.push((format!("{series} records"), read.rows.to_string()));
        lines.push((format!("{series} digest"), read.digest().to_string()));
    }
    if cut > 0 {
        let text = format!("{cut}, each ends with … (a cell holds {CELL_CHARS} characters)");
        lines.push(("texts cut".to_owned(), text));
    }
    for (line, (what, value)) in (1u32..).zip(lines) {
        sheet.write_string(line, 0, what)?;
        sheet.write_string(line, 1, value)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::export::Wanted;
    use crate::app::import::{ImportOptions, Input, MappingChoice, SymbolChoice};
    use crate::app::{Clock, Silent, decide, import, views};
    use crate::ledger::Ledger;

    fn run() -> Run<'static> {
        Run { clock: Clock::Fixed(1_765_627_200_000), refresh: false, ..Run::new("t") }
    }

    fn ledger(text: &str) -> Ledger {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.csv");
        std::fs::write(&path, text).unwrap();
        let mut ledger = Ledger::in_memory();
        let options = ImportOptions {
            mapping: MappingChoice::Named("mc-iv-basic".into()),
            symbol: SymbolChoice::Given("AAPL".parse().unwrap()),
            ..ImportOptions::of(Series::Iv)
        };
        let input = Input::file(path);
        let staged = import::import_csv(&mut ledger, &[input], &options, &run()).unwrap();
        decide::confirm_staged(&mut ledger, &staged, &run()).unwrap();
        views::catch_up(&mut ledger, &Silent).unwrap();
        ledger
    }

    #[test]
    fn more_records_than_rows_are_refused_before_anything_is_written() {
        let ledger = ledger("Date,IV30\n2024-03-01,12.34\n2024-03-04,12.40\n2024-03-05,13.0\n");
        let wanted = Wanted { series: vec![Series::Hv, Series::Iv], ..Wanted::default() };
        let stream = Stream::new(&ledger, &wanted).unwrap();
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.xlsx");
        let refused = export_within(&stream, &path, &run(), 3).unwrap_err();
        assert!(matches!(&refused, AppError::Usage(text) if text.contains("3 records")));
        assert_eq!(folder.path().read_dir().unwrap().count(), 0);
        // The header takes a row.
        let exported = export_within(&stream, &path, &run(), 4).unwrap();
        assert_eq!((exported.rows, path.exists()), (3, true));
    }

    #[test]
    fn what_a_sheet_cannot_hold_is_a_text_or_cut() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.xlsx");
        let mut book = Workbook::new();
        let (sheet, date) = (book.add_worksheet(), Format::new());
        let mut cut = 0;
        let long = "é".repeat(CELL_CHARS);
        let longer = format!("{long}x");
        for (line, cell) in (0..).zip([
            Cell::Text(long.as_str().into()),
            Cell::Text(longer.as_str().into()),
            Cell::Text("=1+1".into()),
            Cell::Whole(i64::MAX),
            Cell::Day(Day::from_ymd(1899, 12, 31).unwrap()),
            Cell::None,
        ]) {
            write_cell(sheet, line, 0, &cell, &date, &mut cut).unwrap();
        }
        assert_eq!(cut, 1);
        book.save(path).unwrap();
    }
}
