//! A place to look back from: a ledger, a position of it, and which assertions count there.
//!
//! Queries and projections are answered from a vantage; the same vantage gives the same answers for
//! ever. Copies are cheap and share what was read.

use super::error::{AppError, Result};
use super::projection::definition::{Body, Definition};
use super::projection::{dirty, kept, meaning, rows};
use super::sql;
use super::views::{Roots, ViewReader};
use crate::domain::projection::ProjectionName;
use crate::domain::{Position, ProjectionId, Series, Symbol, Table};
use crate::ledger::Ledger;
use crate::ledger::codec::TableRoot;
use crate::projections::Registry;
use crate::projections::view::{Record, Which};
use std::collections::{BTreeMap, BTreeSet};
use std::panic::{self, AssertUnwindSafe};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Where one looks back from.
#[derive(Clone)]
pub struct Vantage {
    /// The ledger; nothing of it changes while a vantage lives.
    pub ledger: Arc<Ledger>,
    /// The roots of its views.
    pub roots: Arc<Roots>,
    /// The position that is seen.
    pub at: Position,
    /// Whether that position was named: then what came later is not to be seen, else it is the head.
    pub(super) named: bool,
    /// Whether the newest or the first assertions count.
    pub which: Which,
    /// The projections that the program brings.
    pub registry: Registry,
    /// The projections that are being answered, the outermost first.
    path: Vec<Box<str>>,
    read: Arc<Mutex<Read>>,
    /// What the answer under way has read, if anyone wants to know.
    reads: Option<Arc<Mutex<Reads>>>,
}

/// What was read once and is shared.
#[derive(Default)]
struct Read {
    definitions: BTreeMap<ProjectionId, Arc<Definition>>,
    /// Per projection its stored root, if that says what is to be seen here.
    roots: BTreeMap<ProjectionId, Option<Arc<TableRoot>>>,
    /// Per view the symbols that it had by here.
    symbols: BTreeMap<Series, Arc<BTreeSet<Symbol>>>,
    /// Per projection that is computed when asked, the symbol asked for last and its rows: a join
    /// asks for each symbol as often as the other table has rows of it.
    last: BTreeMap<ProjectionId, (Symbol, Table)>,
}

/// Whose facts an answer has read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reads {
    /// Symbols that were asked for by name.
    pub symbols: BTreeSet<String>,
    /// Whether a table was read whole.
    pub all: bool,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // What is shared are caches: a panic elsewhere leaves them whole.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Vantage {
    /// A vantage over a ledger whose views are caught up; the head when no position is named.
    ///
    /// # Errors
    /// A stored view that cannot be read.
    pub fn new(
        ledger: Arc<Ledger>,
        registry: &Registry,
        at: Option<Position>,
        which: Which,
    ) -> Result<Self> {
        let (at, named) = (at.unwrap_or(ledger.position()), at.is_some());
        let roots = ViewReader::new(&ledger)?.roots();
        Ok(Self {
            ledger,
            roots,
            at,
            named,
            which,
            registry: registry.clone(),
            path: Vec::new(),
            read: Arc::default(),
            reads: None,
        })
    }

    /// Runs `work` with a vantage of the head over a ledger that is held for writing.
    ///
    /// The ledger is lent to the vantage and comes back after `work`, which must not keep it.
    ///
    /// # Errors
    /// Those of `work`.
    pub fn lend<T>(
        ledger: &mut Ledger,
        registry: &Registry,
        work: impl FnOnce(&Self) -> Result<T>,
    ) -> Result<T> {
        let lent = Arc::new(std::mem::replace(ledger, Ledger::in_memory()));
        // A panic must not take the ledger with it: what comes next would be written to nowhere.
        let done = panic::catch_unwind(AssertUnwindSafe(|| {
            Self::new(Arc::clone(&lent), registry, None, Which::Latest)
                .and_then(|vantage| work(&vantage))
        }));
        match Arc::try_unwrap(lent) {
            Ok(back) => *ledger = back,
            Err(_) => return Err(AppError::Projection("a query kept the ledger".to_owned())),
        }
        done.unwrap_or_else(|panic| panic::resume_unwind(panic))
    }

    /// A vantage on the same ledger as it was at a position.
    #[must_use]
    pub fn seen_at(&self, at: Position) -> Self {
        // What was read is about this position; of the other nothing has been read yet.
        Self { at, named: true, read: Arc::default(), ..self.clone() }
    }

    /// A reader of the views.
    pub fn reader(&self) -> ViewReader<'_> {
        ViewReader::with(&self.ledger, Arc::clone(&self.roots))
    }

    /// What a view shows of a symbol from here.
    ///
    /// # Errors
    /// A stored view that cannot be read.
    pub fn records(&self, view: Series, symbol: &Symbol) -> Result<Vec<Record>> {
        self.reader().records(view, symbol, self.at, self.which)
    }

    /// A copy of this vantage that notes what is read through it.
    pub fn noting(&self) -> (Self, Arc<Mutex<Reads>>) {
        let reads = Arc::new(Mutex::new(Reads::default()));
        (Self { reads: Some(Arc::clone(&reads)), ..self.clone() }, reads)
    }

    /// Notes that a table was read, of one symbol or whole.
    pub fn note(&self, symbol: Option<&str>) {
        let Some(reads) = &self.reads else { return };
        let mut reads = lock(reads);
        match symbol {
            Some(symbol) => {
                reads.symbols.insert(symbol.to_owned());
            }
            None => reads.all = true,
        }
    }

    /// A copy of this vantage for use while a projection answers: it must not ask for itself.
    ///
    /// # Errors
    /// [`AppError::Projection`] when that answer is wanted for itself.
    pub fn inside(&self, id: &ProjectionId) -> Result<Self> {
        let name: Box<str> = id.to_string().into();
        if self.path.contains(&name) {
            let from = self.path.iter().position(|of| *of == name).unwrap_or(0);
            let path = self.path.get(from..).unwrap_or_default();
            let mut path: Vec<&str> = path.iter().map(|of| &**of).collect();
            path.push(&name);
            let text = format!("{} depends on itself: {}", id.name, path.join(" -> "));
            return Err(AppError::Projection(text));
        }
        let mut inside = self.clone();
        inside.path.push(name);
        Ok(inside)
    }

    /// The version that a name means here.
    ///
    /// # Errors
    /// [`AppError::NoProjection`].
    pub fn id(&self, name: &ProjectionName) -> Result<ProjectionId> {
        self.id_at(name, self.at)
    }

    /// The version that a name meant at a position.
    ///
    /// # Errors
    /// [`AppError::NoProjection`].
    pub fn id_at(&self, name: &ProjectionName, at: Position) -> Result<ProjectionId> {
        let table = self.ledger.projections();
        let meant = || meaning(table, &self.registry, &name.name, at);
        let id = name.version.or_else(meant).and_then(|of| ProjectionId::new(&name.name, of).ok());
        let known = |id: &ProjectionId| {
            table.get(id).is_some_and(|added| added.stands_at(at))
                || self.registry.get(&id.name, Some(id.version)).is_some()
        };
        let missing = || AppError::NoProjection(format!("there is no projection {name}"));
        id.filter(known).ok_or_else(missing)
    }

    /// A version of a projection.
    ///
    /// # Errors
    /// [`AppError::Projection`] for one that this program does not bring, or whose query is wrong.
    pub fn definition(&self, id: &ProjectionId) -> Result<Arc<Definition>> {
        if let Some(known) = lock(&self.read).definitions.get(id) {
            return Ok(Arc::clone(known));
        }
        let query = self.ledger.projections().get(id).and_then(|added| added.definition.clone());
        let definition = Arc::new(match query {
            Some(text) => sql::define(&self.inside(id)?, id, &text)?,
            None => {
                let brought = self.registry.get(&id.name, Some(id.version));
                let missing = || AppError::Projection(format!("this program does not bring {id}"));
                Definition::of(brought.ok_or_else(missing)?)?
            }
        });
        lock(&self.read).definitions.insert(id.clone(), Arc::clone(&definition));
        Ok(definition)
    }

    /// Every projection that can be asked for here: each version that was not dropped by here, and
    /// those that the program brings.
    pub fn projections(&self) -> BTreeSet<ProjectionId> {
        let kept = self.ledger.projections().iter().filter(|(_, added)| added.stands_at(self.at));
        let kept = kept.map(|(id, _)| id.clone());
        let brought = self.registry.iter();
        let brought = brought.filter_map(|of| ProjectionId::new(of.name(), of.version()).ok());
        kept.chain(brought).collect()
    }

    /// The stored root of a projection, if what is stored is what is to be seen from here.
    fn stored(&self, definition: &Definition) -> Result<Option<Arc<TableRoot>>> {
        let id = &definition.id;
        if let Some(known) = lock(&self.read).roots.get(id) {
            return Ok(known.clone());
        }
        let kept = self.ledger.projections().get(id).is_some_and(|added| added.is_kept());
        let root = match kept && self.which == Which::Latest {
            true => kept::read_root(&self.ledger, id)?,
            false => None,
        };
        let usable = match root {
            Some(root) => {
                let changed = dirty::between(self, definition, Some(&root), root.position)?;
                changed.is_none().then(|| Arc::new(root))
            }
            None => None,
        };
        lock(&self.read).roots.insert(id.clone(), usable.clone());
        Ok(usable)
    }

    /// The symbols that a projection has parts for; none for one that is answered whole.
    ///
    /// # Errors
    /// Those of [`Self::definition`].
    pub fn symbols(&self, definition: &Definition) -> Result<Option<Vec<Symbol>>> {
        let Some(views) = self.views_of(definition)? else { return Ok(None) };
        let mut symbols = BTreeSet::new();
        for view in views {
            symbols.extend(self.symbols_of(view)?.iter().cloned());
        }
        Ok(Some(symbols.into_iter().collect()))
    }

    /// Those of [`Self::symbols`] that are named, ascending; the others are not looked at.
    ///
    /// # Errors
    /// Those of [`Self::definition`].
    pub fn symbols_among<'n>(
        &self,
        definition: &Definition,
        names: impl Iterator<Item = &'n str>,
    ) -> Result<Option<Vec<Symbol>>> {
        let Some(views) = self.views_of(definition)? else { return Ok(None) };
        let mut symbols = BTreeSet::new();
        for symbol in names.filter_map(|name| Symbol::exact(name).ok()) {
            let mut had = views.iter().map(|view| self.had(*view, &symbol));
            if had.try_fold(false, |any, one| one.map(|one| any || one))? {
                symbols.insert(symbol);
            }
        }
        Ok(Some(symbols.into_iter().collect()))
    }

    /// The views whose symbols a projection has parts for; none for one that is answered whole.
    fn views_of(&self, definition: &Definition) -> Result<Option<BTreeSet<Series>>> {
        Ok(match definition.body {
            Body::Query { by_symbol: false, .. } => None,
            _ if definition.inputs.log => Some(Series::ALL.into()),
            _ => Some(definition.base_views(self)?),
        })
    }

    /// All rows of a projection, symbol by symbol: `symbol` and its columns, a value each.
    ///
    /// # Errors
    /// [`AppError::NoProjection`] for a name that means no projection here, and those of
    /// [`Self::rows`].
    pub fn table(&self, name: &ProjectionName) -> Result<Table> {
        self.whole(&*self.definition(&self.id(name)?)?)
    }

    /// All rows of a version of a projection.
    pub(super) fn whole(&self, definition: &Definition) -> Result<Table> {
        let Some(symbols) = self.symbols(definition)? else { return self.rows(definition, None) };
        let mut all = Table::new();
        for symbol in &symbols {
            all.extend(self.rows(definition, Some(symbol))?);
        }
        Ok(all)
    }

    /// The symbols that a view had by this position, whether or not they still count. A query may
    /// have an answer about a symbol without facts, so those that came later are left out.
    ///
    /// # Errors
    /// A stored value that is not as it was written.
    pub fn symbols_of(&self, view: Series) -> Result<Arc<BTreeSet<Symbol>>> {
        if let Some(known) = lock(&self.read).symbols.get(&view) {
            return Ok(Arc::clone(known));
        }
        let mut symbols: BTreeSet<Symbol> = self.reader().symbols(view)?.into_iter().collect();
        let mut late = BTreeSet::new();
        for (_, id) in self.ledger.batches().committed().after(view, self.at) {
            let mut blocks = self.ledger.read(*id);
            while let Some((_, header)) = blocks.next_header()? {
                late.extend(header.symbols.into_iter().map(|(symbol, _)| symbol));
            }
        }
        for symbol in &late {
            if symbols.contains(symbol) && !self.reader().had(view, symbol, self.at)? {
                symbols.remove(symbol);
            }
        }
        let symbols = Arc::new(symbols);
        lock(&self.read).symbols.insert(view, Arc::clone(&symbols));
        Ok(symbols)
    }

    /// Whether a symbol is one of [`Self::symbols_of`].
    pub(super) fn had(&self, view: Series, symbol: &Symbol) -> Result<bool> {
        if let Some(known) = lock(&self.read).symbols.get(&view) {
            return Ok(known.contains(symbol));
        }
        self.reader().had(view, symbol, self.at)
    }

    /// The rows of a projection about a symbol (all rows of one that is answered whole): the stored
    /// ones where they are current, else computed.
    ///
    /// # Errors
    /// [`AppError::Projection`] when there is no answer, a stored value that cannot be read.
    pub fn rows(&self, definition: &Definition, symbol: Option<&Symbol>) -> Result<Table> {
        match self.stored(definition)? {
            Some(root) => kept::read_part(&self.ledger, &definition.id, &root, symbol),
            None => self.computed(definition, symbol),
        }
    }

    fn computed(&self, definition: &Definition, symbol: Option<&Symbol>) -> Result<Table> {
        // Whoever wants to know what is read wants it read.
        let Some(symbol) = symbol.filter(|_| self.reads.is_none()) else {
            return rows::Answering::new(self, definition)?.rows(symbol);
        };
        if let Some((of, rows)) = lock(&self.read).last.get(&definition.id)
            && of == symbol
        {
            return Ok(rows.clone());
        }
        let rows = rows::Answering::new(self, definition)?.rows(Some(symbol))?;
        lock(&self.read).last.insert(definition.id.clone(), (symbol.clone(), rows.clone()));
        Ok(rows)
    }
}

impl std::fmt::Debug for Vantage {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Vantage({:?}, {})", self.ledger, self.at)
    }
}
