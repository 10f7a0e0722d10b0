//! The pass that emits rows: each record becomes an event, a reject, or a blank row that is counted.

use super::bars::Bar;
use super::bounds::check;
use super::columns::BoundPart;
use super::dates::{self, Orders, Survey};
use super::doubts::{Marks, Units};
use super::numbers::{self, Number, Usual};
use super::records::{Record, Records, Stop};
use super::shapes::Shapes;
use super::symbols::Symbols;
use super::text::{self, Bytes, Encoding, Utf8Check};
use super::told;
use super::unread::Unread;
use super::words;
use super::{CsvOptions, Plan, Seen, SymbolFrom};
use crate::domain::rows::{Key, MAX_RAW};
use crate::domain::{Collector, Day, Severity, Shape, Value, Values};
use crate::sources::mapping::{CellUnit, Column, DecimalMark, Need};
use crate::sources::notes::{Counts, DayNotes};
use crate::sources::{ReadError, ReadSummary};
use std::collections::BTreeSet;
use std::io::{Read, Seek, SeekFrom};

/// Reads the file from its start and emits its rows.
pub(super) fn read_rows<R: Read + Seek, E>(
    input: &mut R,
    options: &CsvOptions<'_>,
    plan: &Plan<'_>,
    summary: &mut ReadSummary,
    out: &mut Collector<'_, E>,
) -> Result<(), ReadError<E>> {
    let stopped = |stop: Stop| match (stop, plan.seen) {
        (Stop::Io(error), _) => ReadError::Io(error),
        // The first pass found nothing wrong, so whatever is wrong now has changed.
        (_, Seen::Whole(..)) => ReadError::Changed,
        // What is wrong is said by reading in two passes.
        (_, Seen::End(..)) => ReadError::NotAsPresumed,
    };
    input.seek(SeekFrom::Start(0))?;
    let header = &plan.header;
    let twice = |bytes: u64| (options.progress)(2 * bytes);
    let mut bytes = match plan.seen {
        Seen::Whole(length, _) => Bytes::new(None, length, options.progress),
        Seen::End(..) => Bytes::new(Some(Utf8Check::default()), 0, &twice),
    };
    bytes.seen = options.seen;
    let presumed = matches!(plan.seen, Seen::End(..));
    let mut survey = Survey::default();
    let mut pass = Pass::new(options, plan);
    let records = Records::new(input, &mut bytes, header.delimiter, plan.bom, options.limits);
    let mut records = records.map_err(stopped)?;
    while let Some(record) = records.next().map_err(stopped)? {
        if record.line <= header.line {
            continue;
        }
        if presumed {
            survey.take(record, header);
            if !survey.is_fixed() {
                return Err(ReadError::NotAsPresumed);
            }
        }
        pass.take(record, out).map_err(ReadError::Sink)?;
    }
    drop(records);
    match plan.seen {
        Seen::Whole(length, crc) if (bytes.len, bytes.crc) != (length, crc) => {
            return Err(ReadError::Changed);
        }
        Seen::End(length, last)
            if (bytes.len, bytes.last) != (length, last)
                || bytes.nul
                || bytes.encoding() != Encoding::Utf8 =>
        {
            return Err(ReadError::NotAsPresumed);
        }
        _ => {}
    }
    pass.finish(summary, options.source);
    Ok(())
}

/// A row's day, the index of its symbol, and the day that its item is.
type RowKey = (Day, usize, Option<Day>);

/// Where the parts of a row stand and what was noticed so far.
struct Pass<'m> {
    options: &'m CsvOptions<'m>,
    encoding: Encoding,
    orders: Orders,
    /// The names of the header's cells.
    names: &'m [String],
    date: usize,
    /// The cell that says the symbol.
    symbol: Option<usize>,
    /// The cell that says it where it was given: it should be the same one.
    stated: Option<usize>,
    columns: &'m [(usize, &'m Column)],
    /// The columns that say something where nothing is said: those that the file lacks, then its own.
    defaults: Vec<&'m Column>,
    item: Option<usize>,
    /// The further days of a row.
    more: &'m [BoundPart<'m>],
    /// What they say in the row under way.
    others: Vec<(Day, Shape, Values)>,
    header_cells: usize,
    /// How many of the header's cells there are up to the last one with a name.
    named_cells: usize,
    /// How many cells a row needs to have to reach all mapped columns.
    mapped_cells: usize,
    decimal: DecimalMark,
    symbols: Symbols,
    shapes: Shapes,
    values: Values,
    /// Per column, those of further days after the others.
    usual: Vec<Usual>,
    units: Units,
    marks: Marks,
    /// Whether the file is written as where the comma is the decimal mark.
    comma_land: bool,
    accepted: u64,
    blank: u64,
    rejects: Counts<'m>,
    /// Rows whose date has a time of day that is not midnight.
    timed: Counts<'m>,
    high: Counts<'m>,
    high_days: BTreeSet<Day>,
    unread: Unread<'m>,
    /// Rows that name another symbol than the one that was given.
    others_named: Counts<'m>,
    /// Rows that end before a mapped column.
    short: Counts<'m>,
    /// The bar that a row is, and rows whose prices contradict each other.
    bar: Option<Bar>,
    bars: Counts<'m>,
    days: DayNotes<'m>,
}

impl<'m> Pass<'m> {
    fn new(options: &'m CsvOptions<'m>, plan: &'m Plan<'m>) -> Self {
        let own = plan.header.columns.iter().map(|(_, column)| *column);
        let own = own.filter(|column| column.default.is_some());
        Self {
            options,
            encoding: plan.encoding,
            orders: plan.orders,
            names: &plan.header.names,
            date: plan.header.date.unwrap_or_default(),
            symbol: plan.header.symbol.filter(|_| options.symbol == SymbolFrom::Column),
            stated: plan.header.symbol.filter(|_| options.symbol != SymbolFrom::Column),
            columns: &plan.header.columns,
            defaults: plan.header.defaults.iter().copied().chain(own).collect(),
            item: plan.header.item,
            more: &plan.header.more,
            others: Vec::new(),
            header_cells: plan.header.cells,
            named_cells: plan.header.named_cells,
            mapped_cells: plan.header.mapped_cells(),
            decimal: options.mapping.decimal,
            symbols: Symbols::new(&options.symbol),
            usual: vec![Usual::default(); plan.header.all_columns()],
            units: Units::new(plan.header.all_columns()),
            marks: Marks::default(),
            comma_land: plan.header.delimiter == b';',
            shapes: Shapes::default(),
            values: Values::default(),
            accepted: 0,
            blank: 0,
            rejects: Counts::default(),
            timed: Counts::default(),
            high: Counts::default(),
            high_days: BTreeSet::new(),
            unread: Unread::new(plan.header.all_columns()),
            others_named: Counts::default(),
            short: Counts::default(),
            bar: Bar::of(&plan.header.columns),
            bars: Counts::default(),
            days: DayNotes::new(options.calendar),
        }
    }

    /// Takes in one record below the header.
    fn take<E>(&mut self, record: Record<'_>, out: &mut Collector<'_, E>) -> Result<(), E> {
        let origin = record.origin(self.options.source);
        let date = text::trimmed(record.cell(self.date), |bytes| self.encoding.text(bytes));
        if date.is_empty() && self.is_blank(record) {
            self.blank += 1;
            return Ok(());
        }
        let series = self.options.mapping.series;
        match self.read(record, &date) {
            Ok((day, symbol, item)) => {
                if self.accepted == 0 {
                    self.comma_land |= date.contains(&b'.'); // 31.01.2024
                }
                self.accepted += 1;
                self.unread.settle();
                if record.len() < self.mapped_cells {
                    self.short.add("cell_count", record.line, Some(day));
                }
                if let Some(cell) = self.stated
                    && !matches!(
                        self.symbols.find(&record.cell(cell), self.encoding),
                        Ok(0) | Err("missing_symbol")
                    )
                {
                    self.others_named.add("other_symbols", record.line, Some(day));
                }
                if let Some((symbol, last)) = self.symbols.list.get_mut(symbol) {
                    self.days.add(day, last.replace(day), record.line);
                    let item = item.map(|item| item.to_string()).unwrap_or_default();
                    let key = Key { symbol, day, item: &item };
                    out.put(origin, series, key, self.shapes.last(), self.values.all())?;
                    for (day, shape, values) in self.others.drain(..) {
                        let key = Key { symbol, day, item: "" };
                        out.put(origin, series, key, &shape, values.all())?;
                    }
                }
                Ok(())
            }
            Err((code, day)) => {
                self.rejects.add(code, record.line, day);
                // Twice the kept length, so that a character cut here is never the last one kept.
                let raw = record.bytes.get(..2 * MAX_RAW).unwrap_or(record.bytes);
                out.reject(origin, series, code, &self.encoding.text(raw.into()))
            }
        }
    }

    fn is_blank(&self, record: Record<'_>) -> bool {
        record.cells().all(|cell| self.encoding.text(cell).trim().is_empty())
    }

    /// Whether there is something in the cells beyond those that the header names.
    fn has_surplus(&self, record: Record<'_>) -> bool {
        let mut beyond = (self.named_cells..record.len()).map(|cell| record.cell(cell));
        beyond.any(|cell| !self.encoding.text(cell).trim().is_empty())
    }

    /// Reads a row's day and symbol, and its fields and values into `self.shapes` and `self.values`; or
    /// says why it cannot be used.
    fn read(&mut self, record: Record<'_>, date: &[u8]) -> Result<RowKey, (&'m str, Option<Day>)> {
        let cut_off = record.len() < self.header_cells || record.unclosed;
        if !record.terminated && cut_off {
            return Err(("truncated_last_line", None));
        }
        // A separator inside a cell moves everything behind it into the wrong column. A header that ends
        // in a separator, as its rows do, has a cell more, which is no column.
        if record.len() > self.named_cells && self.has_surplus(record) {
            return Err(("cell_count", None));
        }
        if date.is_empty() {
            return Err(("missing_date", None));
        }
        let Some(day) = self.orders.day(date) else {
            if dates::is_timed(date) {
                self.timed.add("time_of_day", record.line, None);
            }
            self.reject(record, "invalid_date", self.date);
            return Err(("invalid_date", None));
        };
        let because = |code| (code, Some(day));
        let future = |day: Day| !self.options.mapping.future && day > self.options.as_of;
        if future(day) {
            return Err(because("future_date"));
        }
        let item = match self.item {
            Some(cell) => Some(self.day_of(record, cell).ok_or(because("invalid_item"))?),
            None => None,
        };
        let symbol = match self.symbol {
            Some(cell) => self.symbols.find(&record.cell(cell), self.encoding).map_err(because)?,
            None => 0,
        };
        self.others.clear();
        self.unread.begin();
        let mut first = self.columns.len();
        for part in self.more {
            let columns = (first, part.columns.as_slice());
            let these = first..first + part.columns.len();
            first = these.end;
            let day = match self.day_of(record, part.date) {
                Some(day) if future(day) => return Err(because("future_date")),
                Some(day) => day,
                // Neither a day nor a value: nothing is said of that session.
                None if self.says_nothing(record, part) => {
                    these.for_each(|column| self.unread.empty(column));
                    continue;
                }
                None => {
                    self.reject(record, "invalid_date", part.date);
                    return Err(because("invalid_date"));
                }
            };
            self.read_values(record, day, columns).map_err(because)?;
            if self.values.is_empty() {
                return Err(because(told::NO_VALUE));
            }
            self.shapes.found();
            let values = std::mem::take(&mut self.values);
            self.others.push((day, self.shapes.last().clone(), values));
        }
        self.read_values(record, day, (0, self.columns)).map_err(because)?;
        if self.bar.is_some_and(|bar| bar.contradicts(self.shapes.codes(), self.values.all())) {
            self.bars.add("ohlc", record.line, Some(day));
        }
        // What a column says where nothing is said, it says where the cell cannot be read: the day is known.
        for column in &self.defaults {
            if let Ok(default) = words::read("", column, self.orders)
                && !self.shapes.codes().contains(&column.field)
            {
                self.shapes.add(column.field);
                self.values.push(default);
            }
        }
        if self.values.is_empty() {
            return Err(because(told::NO_VALUE));
        }
        self.shapes.found();
        Ok((day, symbol, item))
    }

    /// Notes the cell for which a row is rejected.
    fn reject(&mut self, record: Record<'_>, code: &'m str, cell: usize) {
        let (encoding, names) = (self.encoding, self.names);
        let text = || encoding.text(record.cell(cell)).into_owned();
        self.unread.reject(code, || (text(), names.get(cell).cloned().unwrap_or_default()));
    }

    fn day_of(&self, record: Record<'_>, cell: usize) -> Option<Day> {
        let text = text::trimmed(record.cell(cell), |bytes| self.encoding.text(bytes));
        self.orders.day(&text)
    }

    fn says_nothing(&self, record: Record<'_>, part: &BoundPart<'_>) -> bool {
        let cells = part.columns.iter().map(|(cell, _)| *cell).chain([part.date]);
        let empty = |cell: usize| self.encoding.text(record.cell(cell)).trim().is_empty();
        cells.into_iter().all(empty)
    }

    /// Reads the fields and values of a day of the row into `self.shapes` and `self.values`; before its
    /// columns are `first` others.
    fn read_values(
        &mut self,
        record: Record<'_>,
        day: Day,
        (first, columns): (usize, &'m [(usize, &'m Column)]),
    ) -> Result<(), &'m str> {
        self.shapes.begin();
        self.values.clear();
        // What a row is rejected with when none of its `one_of` columns has a value.
        let mut one_of = None;
        for (index, &(cell, column)) in (first..).zip(columns) {
            let high = match self.take_value(record, cell, column, index) {
                Ok(high) => high,
                Err(code) if column.need == Need::Required => {
                    if code != column.codes.missing {
                        self.reject(record, code, cell);
                    }
                    return Err(code);
                }
                Err(code) => {
                    let encoding = self.encoding;
                    match code == column.codes.missing {
                        true => self.unread.empty(index),
                        false => self.unread.add(index, (record.line, day), || {
                            encoding.text(record.cell(cell)).into_owned()
                        }),
                    }
                    if column.need == Need::OneOf {
                        let unread = (code != column.codes.missing).then_some(cell);
                        let worse = one_of.is_none() || unread.is_some();
                        one_of = if worse { Some((code, unread)) } else { one_of };
                    }
                    continue;
                }
            };
            if high {
                self.high.add(&column.codes.high, record.line, Some(day));
                self.high_days.insert(day);
            }
            self.shapes.add(column.field);
        }
        match one_of {
            Some((code, unread)) if self.values.is_empty() => {
                unread.into_iter().for_each(|cell| self.reject(record, code, cell));
                Err(code)
            }
            _ => Ok(()),
        }
    }

    /// Adds a cell's value in the unit of its field; says whether it is remarkably high.
    fn take_value(
        &mut self,
        record: Record<'_>,
        cell: usize,
        column: &'m Column,
        index: usize,
    ) -> Result<bool, &'m str> {
        let (unit, codes) = (column.unit, &column.codes);
        if matches!(unit, CellUnit::Flag | CellUnit::Word | CellUnit::Day) {
            let text = self.encoding.text(record.cell(cell));
            self.values.push(words::read(&text, column, self.orders)?);
            return Ok(false);
        }
        if let Some(plain) = numbers::fast(record.raw(cell), unit, self.decimal) {
            let usual = self.usual.get_mut(index);
            let high = match usual.as_ref().is_some_and(|usual| usual.has(plain)) {
                true => false,
                false => {
                    let high = check(column, |bound| plain.cmp(bound))?;
                    // What lies between two numbers that were seen tells no more than these.
                    if self.decimal == DecimalMark::Auto {
                        self.marks.add(plain.marked(), record.line);
                    }
                    high
                }
            };
            if column.range.judges_unit() {
                self.units.add((index, column), record.line, |bound| plain.cmp(bound));
            }
            usual.into_iter().filter(|_| !high).for_each(|usual| usual.add(plain));
            let (digits, scale) = plain.to_field(unit);
            self.values.push_decimal(digits, scale);
            return Ok(high);
        }
        let text = self.encoding.text(record.cell(cell));
        match numbers::parse(&text, unit, self.decimal) {
            Number::Value(number, marked) => {
                let high = check(column, |bound| number.cmp(bound))?;
                self.marks.add(marked, record.line);
                if column.range.judges_unit() {
                    let size = number.abs(); // of moves
                    self.units.add((index, column), record.line, |bound| size.cmp(bound));
                }
                let unit = if column.in_parts { CellUnit::Number } else { unit };
                let number = numbers::to_field(number, unit).ok_or(codes.invalid.as_str())?;
                self.values.push(Value::Dec(number));
                Ok(high)
            }
            Number::Missing => Err(&codes.missing),
            Number::Invalid => Err(&codes.invalid),
        }
    }

    fn finish(self, summary: &mut ReadSummary, source: u32) {
        let rejected = self.rejects.total();
        summary.rows.read = self.accepted + rejected;
        summary.rows.accepted = self.accepted;
        summary.rows.rejected = rejected;
        summary.rows.blank = self.blank;
        summary.optional_field_errors = self.unread.total();
        summary.high_dates = self.high_days.into_iter().collect();
        let findings = &mut summary.findings;
        let no_date = told::no_date();
        let rejected = self
            .rejects
            .findings_by(source, "line", |code| (Severity::Reject, told::rejected(code, &no_date)));
        findings.extend(rejected.map(|finding| self.unread.explained(finding)));
        findings.extend(self.timed.findings(source, Severity::Warning, told::TIMED, "line"));
        findings.extend(self.short.findings(source, Severity::Warning, told::SHORT, "line"));
        findings.extend(self.others_named.findings(
            source,
            Severity::Warning,
            told::OTHERS,
            "line",
        ));
        findings.extend(self.bars.findings(source, Severity::Warning, told::BARS, "line"));
        findings.extend(self.high.findings(source, Severity::Warning, told::HIGH, "line"));
        let more = self.more.iter().flat_map(|part| &part.columns);
        let columns = self.columns.iter().chain(more);
        let name = |cell: &usize| self.names.get(*cell).map_or("", String::as_str);
        let named = columns.clone().map(|(cell, column)| (*column, name(cell)));
        findings.extend(self.unread.findings(source, self.accepted, named));
        findings.extend(self.marks.finding(source, self.comma_land));
        let columns = columns.map(|(_, column)| *column);
        findings.extend(self.units.finding(source, self.options.mapping, columns));
        self.days.finish(summary, source, "line");
    }
}
