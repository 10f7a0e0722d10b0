//! The virtual tables: the only file with `unsafe`, which SQLite's C interface needs.
#![allow(unsafe_code)] // two `unsafe impl`s, each with its reason

use super::ahead::Ahead;
use super::page::{Cell, Page};
use super::probe::Probe;
use super::tables::{Filter, Table};
use crate::app::projection::refresh::contained;
use crate::app::vantage::Vantage;
use crate::domain::Day;
use rusqlite::vtab::{
    Context, Filters, IndexConstraintOp, IndexInfo, Module, VTab, VTabConfig, VTabConnection,
    VTabCursor,
};
use rusqlite::{Connection, Error, Result, ffi};
use std::borrow::Cow;
use std::cell::RefCell;
use std::collections::HashMap;
use std::ffi::{CStr, CString, c_int};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::marker::PhantomData;
use std::rc::Rc;

/// What a module hands to its table.
type Aux = (Table, Vantage);

/// Makes a table known to a connection.
pub fn register(connection: &Connection, table: Table, vantage: Vantage) -> Result<()> {
    const MODULE: Module<LedgerTable> = Module::eponymous_only_module();
    let name = table.name();
    connection.create_module(name.as_str(), &MODULE, Some((table, vantage)))
}

/// What of a constraint is passed on; the letters of a plan, in the order of its arguments.
const SYMBOL: char = 's';
const DAY: char = 'd';
const FROM: char = 'f';
const TO: char = 't';

/// A table of the ledger.
#[repr(C)]
struct LedgerTable {
    /// SQLite's own part; must be first.
    base: ffi::sqlite3_vtab,
    table: Table,
    vantage: Vantage,
    has_keys: bool,
}

// SAFETY: `LedgerTable` is `repr(C)` and begins with `sqlite3_vtab`, as the trait demands; all
// else in it is safe Rust.
unsafe impl<'vtab> VTab<'vtab> for LedgerTable {
    type Aux = Aux;
    type Cursor = Cursor<'vtab>;

    fn connect(
        db: &mut VTabConnection,
        aux: Option<&Aux>,
        _: &[u8],
        _: &[u8],
        _: &[u8],
        _: &[&[u8]],
    ) -> Result<(Cow<'static, CStr>, Self)> {
        let missing = || Error::ModuleError("a table without a ledger".to_owned());
        let (table, vantage) = aux.ok_or_else(missing)?;
        db.config(VTabConfig::DirectOnly)?;
        let quoted = |name: &String| format!("\"{}\"", name.replace('"', "\"\""));
        let wrong = |error: crate::app::AppError| Error::ModuleError(error.to_string());
        let columns = table.columns(vantage).map_err(wrong)?;
        let columns: Vec<String> = columns.iter().map(quoted).collect();
        let text = format!("CREATE TABLE x({})", columns.join(","));
        let text = CString::new(text).map_err(|error| Error::ModuleError(error.to_string()))?;
        let base = ffi::sqlite3_vtab::default();
        let has_keys = table.has_keys(vantage).map_err(wrong)?;
        let (table, vantage) = (table.clone(), vantage.clone());
        Ok((Cow::Owned(text), Self { base, table, vantage, has_keys }))
    }

    fn best_index(&self, info: &mut IndexInfo) -> Result<bool> {
        let used = info.col_used();
        let mut plan = String::new();
        let mut argument = 0;
        // A comparison that takes other letters for the same ones is SQLite's alone.
        let exact: Vec<bool> = (0..info.constraints().count())
            .map(|index| info.collation(index).is_ok_and(|name| name == "BINARY"))
            .collect();
        if self.has_keys {
            for ((constraint, mut usage), exact) in info.constraints_and_usages().zip(exact) {
                if !constraint.is_usable() || !exact {
                    continue;
                }
                use IndexConstraintOp as Op;
                let letter = match (constraint.column(), constraint.operator()) {
                    (0, Op::SQLITE_INDEX_CONSTRAINT_EQ) => SYMBOL,
                    (1, Op::SQLITE_INDEX_CONSTRAINT_EQ) => DAY,
                    (1, Op::SQLITE_INDEX_CONSTRAINT_GE | Op::SQLITE_INDEX_CONSTRAINT_GT) => FROM,
                    (1, Op::SQLITE_INDEX_CONSTRAINT_LE | Op::SQLITE_INDEX_CONSTRAINT_LT) => TO,
                    _ => continue,
                };
                // SQLite checks the constraint again: what is passed on only narrows the scan.
                argument += 1;
                usage.set_argv_index(argument);
                plan.push(letter);
            }
        }
        let narrow = |letter, by: f64| if plan.contains(letter) { by } else { 1.0 };
        let cost = 1e7 / narrow(SYMBOL, 1e3) / narrow(DAY, 1e3) / narrow(FROM, 2.0);
        info.set_estimated_cost(cost);
        info.set_estimated_rows(cost as i64);
        info.set_idx_str(&format!("{used}:{plan}"));
        Ok(true)
    }

    fn open(&'vtab mut self) -> Result<Cursor<'vtab>> {
        Ok(Cursor {
            base: ffi::sqlite3_vtab_cursor::default(),
            table: self.table.clone(),
            vantage: self.vantage.clone(),
            scan: None,
            page: Rc::default(),
            row: 0,
            end: 0,
            probe: None,
            has_keys: self.has_keys,
            number: std::cell::Cell::new(None),
            seen: RefCell::default(),
            phantom: PhantomData,
        })
    }
}

/// A table that is being read.
#[repr(C)]
struct Cursor<'vtab> {
    /// SQLite's own part; must be first.
    base: ffi::sqlite3_vtab_cursor,
    table: Table,
    vantage: Vantage,
    scan: Option<Ahead>,
    page: Rc<Page>,
    /// The row of the page that is looked at; `end` after the last page.
    row: usize,
    /// One beyond the last row of the page that is asked for.
    end: usize,
    /// What was read for a day, in case the next filter asks for its neighbour.
    probe: Option<Probe>,
    has_keys: bool,
    /// The row's number, once it was asked for.
    number: std::cell::Cell<Option<i64>>,
    /// How often each row was met among those whose numbers were asked for.
    seen: RefCell<HashMap<u64, u64>>,
    phantom: PhantomData<&'vtab LedgerTable>,
}

// SAFETY: `Cursor` is `repr(C)` and begins with `sqlite3_vtab_cursor`, as the trait demands; all
// else in it is safe Rust.
unsafe impl VTabCursor for Cursor<'_> {
    fn filter(&mut self, _: c_int, plan: Option<&str>, args: &Filters<'_>) -> Result<()> {
        let (used, letters) = plan.and_then(|plan| plan.split_once(':')).unwrap_or(("", ""));
        let used = used.parse().unwrap_or(u64::MAX);
        let mut filter = Filter { used, ..Filter::default() };
        for (index, letter) in letters.chars().enumerate() {
            let Ok(value) = args.get::<String>(index) else { continue };
            // A text that is no day is left to SQLite's own comparison.
            let day: Option<Day> = value.parse().ok();
            match (letter, day) {
                (SYMBOL, _) => filter.symbol = Some(value),
                (DAY, Some(day)) => (filter.from, filter.to) = (Some(day), Some(day)),
                (FROM, Some(day)) => filter.from = filter.from.max(Some(day)),
                (TO, Some(day)) => {
                    filter.to = Some(filter.to.map_or(day, |known| known.min(day)));
                }
                _ => {}
            }
        }
        self.number.take();
        self.seen.take();
        (self.scan, self.page, self.row, self.end) = (None, Rc::default(), 0, 0);
        let wrong = |error: crate::app::AppError| Error::ModuleError(error.to_string());
        if self.has_keys {
            if self.probe.as_ref().and_then(|probe| probe.rows(&filter)).is_none() {
                let read = contained(|| Probe::read(&self.table, &self.vantage, &filter));
                self.probe = read.map_err(wrong)?;
            }
            let known = self.probe.as_ref();
            if let Some((page, rows)) = known.and_then(|p| Some((&p.page, p.rows(&filter)?))) {
                self.vantage.note(filter.symbol.as_deref());
                (self.page, self.row, self.end) = (Rc::clone(page), rows.start, rows.end);
                return Ok(());
            }
        }
        let scan = self.table.scan(&self.vantage, filter).map_err(wrong)?;
        self.scan = Some(Ahead::new(scan));
        self.turn()
    }

    fn next(&mut self) -> Result<()> {
        self.number.take();
        self.row += 1;
        self.turn()
    }

    fn eof(&self) -> bool {
        self.row >= self.end
    }

    fn column(&self, context: &mut Context, index: c_int) -> Result<()> {
        let index = usize::try_from(index).unwrap_or(usize::MAX);
        match self.page.cell(self.row, index) {
            Some(Cell::Int(number)) => context.set_result(number),
            Some(Cell::Real(number)) => context.set_result(number),
            Some(Cell::Text(text)) => context.set_result(&**text),
            Some(Cell::Symbol) => context.set_result(&*self.page.symbol),
            Some(Cell::Day(day)) => {
                let ascii = day.ascii();
                match ascii.as_ref().and_then(|text| std::str::from_utf8(text).ok()) {
                    Some(text) => context.set_result(text),
                    None => context.set_result(day.to_string()),
                }
            }
            Some(Cell::Null) | None => context.set_result(rusqlite::types::Null),
        }
    }

    /// A number that a row has in every scan of the same columns. SQLite reads a table once for each
    /// side of an OR and takes rows of one number for the same row, so it is made of the row itself,
    /// and of how many equal ones came before: a scan has all of several equal rows, or none.
    fn rowid(&self) -> Result<i64> {
        if let Some(number) = self.number.get() {
            return Ok(number);
        }
        let mut hasher = DefaultHasher::new();
        self.page.hash_row(self.row, &mut hasher);
        let mut seen = self.seen.borrow_mut();
        let before = seen.entry(hasher.finish()).or_default();
        before.hash(&mut hasher);
        *before += 1;
        let number = hasher.finish().cast_signed();
        self.number.set(Some(number));
        Ok(number)
    }
}

impl Cursor<'_> {
    /// Turns to the next page that has rows, when this one is read.
    fn turn(&mut self) -> Result<()> {
        while self.row >= self.end {
            let more = self.scan.as_mut().map_or(Ok(None), Ahead::next_page);
            match more.map_err(|error| Error::ModuleError(error.to_string()))? {
                Some(page) => (self.row, self.end, self.page) = (0, page.rows(), Rc::new(page)),
                None => return Ok(()),
            }
        }
        Ok(())
    }
}
