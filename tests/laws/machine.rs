//! Runs a random history through the program and the oracle side by side, and holds every step
//! against the laws.

use super::inputs::{self, CsvFile, Folder, LOOSE, Mapping, SYMBOLS, csv_file, folder};
use super::model::{
    Assert, Batch, Cells, Class, Event, Key, Known, Model, Op, Shown, State, cells,
};
use super::projections::Projections;
use crate::support::{input, options, run};
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use volledger::app::derive::{self, Derivation};
use volledger::app::error::AppError;
use volledger::app::import::{ImportOptions, MappingChoice, Outcome, Staged, SymbolChoice};
use volledger::app::report::{ChangeLine, Decided, Review};
use volledger::app::split::{self, Choice};
use volledger::app::{Ledger, decide, import, lookup, review, tomic, verify};
use volledger::domain::{BatchId, BatchState, Position, Series};

#[derive(Clone, Debug)]
pub enum Step {
    Csv(CsvFile, Mapping, How),
    Tomic(Folder, bool, How),
    /// A source of before, once more, perhaps under another mapping.
    Repeat(usize, Option<Mapping>, How),
    Confirm(usize, usize),
    Discard(usize),
    RollBack(usize),
    Reinstate(usize),
    Undo,
    Redo,
    RollBackTo(usize),
    Replay(usize, Mapping, bool),
    /// Of which staged batch, and which of its symbols are chosen, as bits.
    Split(usize, usize),
    /// Law 3.
    Identity(usize),
    /// Law 4.
    Commute(usize, usize),
    Rebuild(usize),
    /// Law 8.
    Why(usize),
    /// Volatilities from closes, which come with the first of these steps.
    Derive,
    Reopen,
}

#[derive(Clone, Copy, Debug)]
pub struct How {
    keep: bool,
    again: bool,
    confirm: bool,
    /// Law 5: stage it once more at once.
    twice: bool,
    dry_first: bool,
}

pub fn step() -> impl Strategy<Value = Step> {
    let mapping = || {
        prop_oneof![
            4 => Just(Mapping::Mc),
            2 => Just(Mapping::Basic),
            1 => Just(Mapping::Loose)
        ]
    };
    let how = (0..4u8, 0..3u8, 0..5u8, 0..4u8, 0..6u8);
    let how = how.prop_map(|(keep, again, confirm, twice, dry)| How {
        keep: keep == 0,
        again: again == 0,
        confirm: confirm != 0,
        twice: twice == 0,
        dry_first: dry == 0,
    });
    let n = || 0..64usize;
    prop_oneof![
        7 => (csv_file(), mapping(), how.clone()).prop_map(|(a, b, c)| Step::Csv(a, b, c)),
        4 => (folder(), any::<bool>(), how.clone()).prop_map(|(a, b, c)| Step::Tomic(a, b, c)),
        2 => (n(), proptest::option::of(mapping()), how).prop_map(|(a, b, c)| Step::Repeat(a, b, c)),
        3 => (n(), n()).prop_map(|(a, b)| Step::Confirm(a, b)),
        1 => n().prop_map(Step::Discard),
        3 => n().prop_map(Step::RollBack),
        2 => n().prop_map(Step::Reinstate),
        2 => Just(Step::Undo),
        1 => Just(Step::Redo),
        1 => n().prop_map(Step::RollBackTo),
        2 => (n(), mapping(), any::<bool>()).prop_map(|(a, b, c)| Step::Replay(a, b, c)),
        2 => (n(), n()).prop_map(|(a, b)| Step::Split(a, b)),
        1 => n().prop_map(Step::Identity),
        1 => (n(), n()).prop_map(|(a, b)| Step::Commute(a, b)),
        1 => n().prop_map(Step::Rebuild),
        2 => n().prop_map(Step::Why),
        2 => Just(Step::Derive),
        1 => Just(Step::Reopen),
    ]
}

/// A source as it was imported, to come again or to be read anew.
#[derive(Clone, Debug)]
enum Given {
    Csv(CsvFile, Mapping),
    Tomic(Folder, bool),
}

pub struct World {
    ledger: Option<Ledger>,
    /// The ledger's directory; `None` in memory.
    sled: Option<tempfile::TempDir>,
    scratch: PathBuf,
    pub model: Model,
    given: Vec<Given>,
    /// The CSV behind each batch.
    sources: BTreeMap<u32, CsvFile>,
    /// What was shown at each position when it was the newest.
    remembered: BTreeMap<u64, (Shown, Vec<String>)>,
    /// Kept projections, in histories that have them.
    projections: Option<Projections>,
    /// Whether there were closes to compute from.
    closes: bool,
}

const NAME: &str = "f.csv";

fn known_state(state: State) -> BatchState {
    match state {
        State::Staged => BatchState::Staged,
        State::Active => BatchState::Active,
        State::Discarded => BatchState::Discarded,
        State::RolledBack => BatchState::RolledBack,
        State::Superseded => BatchState::Superseded,
    }
}

fn pick(from: &[u32], index: usize) -> Option<u32> {
    from.get(index % from.len().max(1)).copied()
}

/// What the program shows at a position, and the digests that it gives for it.
pub fn shown(ledger: &Ledger, at: Option<u64>) -> (Shown, Vec<String>) {
    let (mut found, mut digests) = (Shown::new(), Vec::new());
    for series in Series::ALL {
        let query = lookup::ViewQuery { at: at.map(Position), ..lookup::ViewQuery::of(series) };
        for view in lookup::view(ledger, &query).unwrap() {
            for row in &view.rows {
                let key = (series, view.symbol.clone(), row.date.clone());
                let fields = row.values.iter().map(|(k, v)| (k.clone(), v.to_string()));
                found.insert(key, fields.collect());
            }
            if !view.rows.is_empty() {
                digests.push(format!("{series} {} {}", view.symbol, view.digest));
            }
        }
    }
    (found, digests)
}

/// A review's changes applied to what was shown before.
fn applied(mut cells: Cells, changes: &[ChangeLine]) -> Cells {
    for change in changes {
        let series: Series = change.series.parse().unwrap();
        let key: Key = (series, change.symbol.clone(), change.date.clone());
        let cell = (key, change.field.clone());
        // A shown null and an absent value are told apart by what was there.
        let text = |value: &Option<serde_json::Value>| value.as_ref().map(ToString::to_string);
        let old = cells.remove(&cell);
        assert_eq!(old, text(&change.old), "the old value of {cell:?}");
        if let Some(new) = text(&change.new) {
            cells.insert(cell, new);
        }
    }
    cells
}

/// Values by meaning: a difference is one of numbers, so 0.200 and 0.2000 are no change to it.
fn meant(cells: Cells) -> Cells {
    let plain = |text: &String| text.bytes().all(|b| b.is_ascii_digit() || b == b'.');
    let each = cells.into_iter().map(|(cell, value)| {
        let short = value.trim_end_matches('0').trim_end_matches('.').to_owned();
        match value.contains('.') && plain(&value) {
            true => (cell, short),
            false => (cell, value),
        }
    });
    each.collect()
}

/// Days that come, change and go between two states of a view, and the symbols they are of.
fn effect(view: Series, before: &Shown, after: &Shown) -> [u64; 4] {
    let (mut counts, mut symbols) = ([0u64; 4], BTreeSet::new());
    // A day without any value (`{"date": …}`) is shown too.
    let days = |shown: &Shown| -> BTreeMap<Key, Cells> {
        let of_view = shown.iter().filter(|(key, _)| key.0 == view);
        of_view
            .map(|(key, fields)| {
                let cells = fields.iter().map(|(f, v)| ((key.clone(), f.clone()), v.clone()));
                (key.clone(), meant(cells.collect()))
            })
            .collect()
    };
    let (before, after) = (days(before), days(after));
    let all: BTreeSet<_> = before.keys().chain(after.keys()).collect();
    for day in all {
        let slot = match (before.get(day), after.get(day)) {
            (None, _) => 0,
            (_, None) => 2,
            (old, new) if old != new => 1,
            _ => continue,
        };
        counts[slot] += 1;
        symbols.insert(&day.1);
    }
    counts[3] = symbols.len() as u64;
    counts
}

impl World {
    pub fn in_memory(scratch: PathBuf) -> Self {
        Self::over(Ledger::in_memory(), None, scratch)
    }

    pub fn on_disk(scratch: PathBuf) -> Self {
        let (directory, ledger) = crate::support::ledger();
        Self::over(ledger, Some(directory), scratch)
    }

    fn over(ledger: Ledger, sled: Option<tempfile::TempDir>, scratch: PathBuf) -> Self {
        Self {
            ledger: Some(ledger),
            sled,
            scratch,
            model: Model::new(),
            given: Vec::new(),
            sources: BTreeMap::new(),
            remembered: BTreeMap::new(),
            projections: None,
            closes: false,
        }
    }

    /// Keeps projections of every kind from here on.
    pub fn with_projections(mut self) -> Self {
        let kept = Projections::add(self.ledger());
        (0..kept.entries).for_each(|_| self.model.other_entry());
        self.projections = Some(kept);
        self.check();
        self
    }

    pub fn ledger(&mut self) -> &mut Ledger {
        self.ledger.as_mut().unwrap()
    }

    fn view(&self) -> &Ledger {
        self.ledger.as_ref().unwrap()
    }

    pub fn step(&mut self, step: &Step) {
        match step {
            Step::Csv(file, mapping, how) => self.give(Given::Csv(file.clone(), *mapping), *how),
            Step::Tomic(folder, _, _) if folder.is_empty() => {}
            Step::Tomic(folder, snapshot, how) => {
                self.give(Given::Tomic(folder.clone(), *snapshot), *how);
            }
            Step::Repeat(index, mapping, how) => {
                let Some(given) = self.given.get(index % self.given.len().max(1)) else {
                    return;
                };
                let mut given = given.clone();
                if let (Given::Csv(_, known), Some(mapping)) = (&mut given, mapping) {
                    *known = *mapping;
                }
                self.give(given, *how);
            }
            Step::Confirm(index, how) => {
                if let Some(id) = pick(&self.model.in_state(State::Staged), *index) {
                    self.confirm(id, how % 3);
                }
            }
            Step::Discard(index) => {
                if let Some(id) = pick(&self.model.in_state(State::Staged), *index) {
                    decide::discard(self.ledger(), BatchId(id), None, false, &run()).unwrap();
                    let change = self.model.change(id, State::Discarded);
                    self.model.decide(vec![change]);
                }
            }
            Step::RollBack(index) => {
                if let Some(id) = pick(&self.model.in_state(State::Active), *index) {
                    self.roll_back(id);
                }
            }
            Step::Reinstate(index) => self.reinstate_any(*index),
            Step::Undo => self.undo(),
            Step::Redo => self.redo(),
            Step::RollBackTo(index) => {
                let to = (*index as u64) % (self.model.position + 1);
                let (was, at) = (self.model.now(), Position(to));
                let did = decide::rollback_to(self.ledger(), at, None, false, &run()).unwrap();
                let any = self.model.roll_back_to(to);
                assert_eq!(any, did.action != "none");
                self.check_effect(&did, &was);
                assert_eq!(shown(self.view(), None), shown(self.view(), Some(to)));
            }
            Step::Replay(index, mapping, confirm) => {
                let known: Vec<u32> = self.sources.keys().copied().collect();
                if let Some(id) = pick(&known, *index) {
                    self.replay(id, *mapping, *confirm);
                }
            }
            Step::Split(index, bits) => {
                if let Some(id) = pick(&self.model.in_state(State::Staged), *index) {
                    self.split(id, *bits);
                }
            }
            Step::Identity(index) => {
                let Some(id) = pick(&self.model.in_state(State::Active), *index) else {
                    return;
                };
                let before = shown(self.view(), None);
                self.roll_back(id);
                self.check();
                self.reinstate(id);
                assert!(shown(self.view(), None) == before, "law 3: {id}");
            }
            Step::Commute(a, b) => self.commute(*a, *b),
            Step::Rebuild(index) => {
                let view = [Series::Iv, Series::Hv, Series::Spot][index % 3];
                let report = verify::rebuild(self.ledger(), view, &run()).unwrap();
                assert!(report.ok, "law 1: {report:?}");
            }
            Step::Why(index) => self.why(*index),
            Step::Derive => self.derive(),
            Step::Reopen => self.reopen(),
        }
        self.check();
    }

    /// Law 1 and 6, and that the program stands where the oracle does.
    pub fn check(&mut self) {
        let ledger = self.view();
        assert_eq!(ledger.position().0, self.model.position, "position");
        for (id, batch) in &self.model.batches {
            let known = ledger.batches().get(BatchId(*id)).unwrap();
            assert_eq!(known.state(), known_state(batch.state), "state of b{id}");
            let committed = known.committed_at.map(|at| at.0);
            assert_eq!(committed, batch.committed, "place of b{id}");
            assert_eq!(known.stage.events, batch.events.len() as u64, "b{id}");
        }
        let now = shown(ledger, None);
        assert_eq!(now.0, self.model.now(), "view and oracle");
        for view in Series::ALL {
            let report = verify::verify_one(ledger, view, &run()).unwrap();
            assert!(report.ok, "law 1: {report:?}");
        }
        if let Some(known) = self.remembered.get(&self.model.position) {
            assert!(*known == now, "a view changed without an entry");
        }
        self.remembered.insert(self.model.position, now);
        if let Some(mut projections) = self.projections.take() {
            projections.check(self.ledger());
            self.projections = Some(projections);
        }
    }

    /// Law 2, and everything once more.
    pub fn end(mut self) {
        for at in 0..=self.model.position {
            let then = shown(self.view(), Some(at));
            assert_eq!(then.0, self.model.shown_at(at), "law 2: at {at}");
            if let Some(known) = self.remembered.get(&at) {
                assert!(*known == then, "law 2: what was shown at {at}");
            }
        }
        let report = verify::verify(self.view(), true, &run()).unwrap();
        assert!(report.ok, "{report:?}");
        if let Some(projections) = self.projections.take() {
            projections.end(self.ledger());
        }
        let before = shown(self.view(), None);
        for view in Series::ALL {
            assert!(verify::rebuild(self.ledger(), view, &run()).unwrap().ok);
        }
        assert!(shown(self.view(), None) == before, "law 1: rebuilt");
        self.reopen();
        self.check();
    }

    fn reopen(&mut self) {
        if let Some(directory) = &self.sled {
            drop(self.ledger.take());
            self.ledger = Some(crate::support::reopen(directory));
            assert!(self.view().notes().is_empty(), "{:?}", self.view().notes());
        }
    }

    /// Stages a source, with all that must hold then.
    fn give(&mut self, given: Given, how: How) {
        self.given.push(given.clone());
        let batch = self.expected(&given, how);
        let known = self.model.known(&batch, how.again);
        if how.dry_first {
            let before = self.model.position;
            let tried = self.import(&given, how, true).unwrap();
            assert_eq!((tried.outcome, tried.batch), (Outcome::DryRun, None));
            assert_eq!(self.view().position().0, before, "a dry run appends nothing");
            let mut model = self.model.clone();
            let id = model.stage(batch.clone());
            let now = cells(&self.model.now());
            let would = applied(now, &tried.review.changes);
            assert_eq!(meant(would), meant(cells(&model.with(id))), "law 7: a dry run's review");
            self.check();
        }
        let staged = self.import(&given, how, false);
        let Some(staged) = self.staged(staged, batch, known) else {
            return;
        };
        let id = staged.batch.unwrap().0;
        if let Given::Csv(file, _) = &given {
            self.sources.entry(id).or_insert(file.clone());
        }
        if how.twice {
            self.check();
            let at = self.model.position;
            let batch = self.expected(&given, how);
            if self.model.batches[&id].content == batch.content {
                let twice = self.import(&given, how, false).unwrap();
                assert_eq!(twice.batch, staged.batch, "law 5");
                assert_ne!(twice.outcome, Outcome::New, "law 5");
                assert_eq!(self.view().position().0, at, "law 5");
            }
        }
        if how.confirm && staged.outcome == Outcome::New {
            self.check();
            let was = self.model.now();
            let before = cells(&was);
            let did = decide::confirm_staged(self.ledger(), &staged, &run()).unwrap();
            self.model.confirm(id);
            self.check_effect(&did, &was);
            let after = applied(before, &staged.review.changes);
            assert_eq!(meant(after), meant(cells(&shown(self.view(), None).0)), "law 7: b{id}");
        }
    }

    /// What staging did against what it must do.
    fn staged(
        &mut self,
        staged: Result<Staged, AppError>,
        batch: Batch,
        known: Known,
    ) -> Option<Staged> {
        match known {
            Known::Refused => {
                assert!(matches!(staged, Err(AppError::RolledBackBefore { .. })));
                None
            }
            Known::Here(id, state) => {
                let staged = staged.unwrap();
                assert_eq!(staged.batch, Some(BatchId(id)), "law 5");
                let active = state == State::Active;
                assert_eq!(staged.outcome == Outcome::AlreadyActive, active);
                assert_eq!(staged.outcome == Outcome::AlreadyStaged, !active);
                assert!(staged.review.known);
                Some(staged)
            }
            Known::No => {
                let staged = staged.unwrap();
                assert_eq!(staged.outcome, Outcome::New);
                let id = self.model.stage(batch);
                assert_eq!(staged.batch, Some(BatchId(id)));
                self.check_review(&staged.review, id);
                Some(staged)
            }
        }
    }

    /// Law 7 for a batch that waits: the review is the difference that confirming would make.
    fn check_review(&self, review: &Review, id: u32) {
        assert_eq!(review.changes_total, review.changes.len() as u64);
        let would = applied(cells(&self.model.now()), &review.changes);
        assert_eq!(meant(would), meant(cells(&self.model.with(id))), "law 7: review of b{id}");
        let (now, then) = (self.model.now(), self.model.with(id));
        for line in &review.series {
            let of = |(view, symbol, _): &Key| view.name() == line.series && *symbol == line.symbol;
            let days = |shown: &Shown| -> BTreeSet<Key> {
                shown.keys().filter(|key| of(key)).cloned().collect()
            };
            let (before, after) = (days(&now), days(&then));
            let new = after.difference(&before).count() as u64;
            let removed = before.difference(&after).count() as u64;
            assert_eq!((line.new, line.removed), (new, removed), "law 7: {line:?}");
            let both = line.changed + line.drifted + line.same + line.only_here;
            let stay = before.intersection(&after).count() as u64;
            assert_eq!(both, stay, "law 7: {line:?}");
        }
    }

    fn check_effect(&self, did: &Decided, before: &Shown) {
        let after = self.model.now();
        for view in Series::ALL {
            let want = effect(view, before, &after);
            let line = did.changes.iter().find(|line| line.series == view.name());
            let got = line.map(|l| [l.added, l.changed, l.removed, l.symbols]);
            assert_eq!(got.unwrap_or_default(), want, "law 7: {view} of {did:?}");
            let of = |shown: &Shown| -> Vec<String> {
                let keys = shown.keys().filter(|key| key.0 == view);
                keys.map(|key| key.1.clone()).collect()
            };
            let (shown, mut all) = (of(&after), of(&after));
            all.extend(of(before));
            let symbols = all.into_iter().collect::<BTreeSet<_>>().len() as u64;
            // What a decision says of symbols that it leaves alone is its own affair.
            if let Some(line) = line.filter(|line| line.symbols == symbols) {
                assert_eq!(line.days, shown.len() as u64, "law 7: days of {view} in {did:?}");
            }
        }
    }

    fn choice(mapping: Mapping) -> MappingChoice {
        match mapping {
            Mapping::Loose => MappingChoice::Text { name: "loose.toml".into(), text: LOOSE.into() },
            _ => MappingChoice::Named(mapping.id().into()),
        }
    }

    fn import(&mut self, given: &Given, how: How, dry: bool) -> Result<Staged, AppError> {
        let mut options = ImportOptions {
            keep: how.keep,
            again: how.again.then(|| "because".to_owned()),
            dry_run: dry,
            full: true,
            ..options(Series::Iv, Some("AAA"))
        };
        let scratch = self.scratch.clone();
        match given {
            Given::Csv(file, mapping) => {
                options.mapping = Self::choice(*mapping);
                options.symbol = match file.symbol {
                    Some(index) => SymbolChoice::Given(SYMBOLS[index].parse().unwrap()),
                    None => SymbolChoice::FromColumn,
                };
                let path = scratch.join(NAME);
                std::fs::write(&path, file.text()).unwrap();
                import::import_csv(self.ledger(), &[input(&path)], &options, &run())
            }
            Given::Tomic(folder, snapshot) => {
                options.snapshot = *snapshot;
                let path = scratch.join("folder");
                folder.write(&path);
                tomic::import(self.ledger(), &path, &options, &run())
            }
        }
    }

    /// The batch that a source stands for.
    fn expected(&self, given: &Given, how: How) -> Batch {
        let (texts, mapping, about, mut events) = match given {
            Given::Csv(file, mapping) => {
                let (events, about) = (file.events(*mapping), format!("{:?}", file.symbol));
                (vec![file.text()], mapping.id(), about, events)
            }
            Given::Tomic(folder, snapshot) => {
                let texts = folder.files().into_iter().map(|(_, text)| text);
                let about = format!("{snapshot} {:?}", folder.files());
                (texts.collect(), "tomic-json", about, folder.events())
            }
        };
        let mut content = format!("{mapping} {texts:?}");
        let reading = format!("{content} {about}");
        if let Given::Tomic(folder, true) = given {
            content = format!("{content} {:?}", folder.files());
            events.extend(self.missing(folder, &events, &reading));
        }
        let class = |view| match (given, how.keep) {
            (_, true) => Class::Fill,
            (Given::Csv(_, mapping), _) => mapping.class(view),
            (Given::Tomic(..), _) => Class::Vendor,
        };
        Batch {
            reading,
            part: false,
            content: format!("{content} {events:?}"),
            classes: Series::ALL.map(|view| (view, class(view))).into(),
            events,
            supersedes: None,
            staged: 0,
            committed: None,
            state: State::Staged,
        }
    }

    /// What a snapshot retracts: all that is shown and that its datasets lack, or that would be shown if
    /// the same folder had not retracted it before.
    fn missing(&self, folder: &Folder, events: &[Event], reading: &str) -> Vec<Event> {
        let has = |key: &Key, field: &str| {
            let mut asserts = events.iter().flat_map(|event| &event.asserts);
            asserts.any(|a| {
                (&a.view, &a.symbol, &a.day) == (&key.0, &key.1, &key.2) && a.field == field
            })
        };
        let mut missing = Vec::new();
        for (key, fields) in self.model.without(reading) {
            if !folder.views().contains(&key.0) {
                continue;
            }
            let retract = |field: &str| Assert {
                view: key.0,
                symbol: key.1.clone(),
                day: key.2.clone(),
                field: field.into(),
                op: Op::Retract,
            };
            let asserts: Vec<_> = match has(&key, "") {
                false => vec![retract("")],
                true => {
                    let lacking = fields.keys().filter(|field| !has(&key, field));
                    lacking.map(|field| retract(field)).collect()
                }
            };
            if !asserts.is_empty() {
                let home = key.0;
                missing.push(Event { home, asserts });
            }
        }
        missing
    }

    /// Confirms what was staged earlier: without a token, with the token of now, or with the one
    /// of a review made when it was staged.
    fn confirm(&mut self, id: u32, how: usize) {
        let fresh = review::review(self.view(), BatchId(id), true, &run()).unwrap();
        self.check_review(&fresh, id);
        let token = fresh.token.clone().unwrap();
        let was = self.model.now();
        let before = cells(&was);
        let expect = match how {
            0 => None,
            1 => Some(token.as_str()),
            _ => Some("0123456789abcdef"),
        };
        match decide::confirm(self.ledger(), BatchId(id), expect, &run()) {
            Ok(did) => {
                assert_ne!(how, 2, "a wrong token was taken");
                if how == 0 {
                    assert!(self.same_since(id), "b{id} confirmed over a change");
                }
                self.model.confirm(id);
                self.check_effect(&did, &was);
                let after = applied(before, &fresh.changes);
                assert_eq!(meant(after), meant(cells(&shown(self.view(), None).0)), "law 7: b{id}");
            }
            Err(AppError::Stale { count, .. }) => {
                assert_eq!(how, 0);
                // A record without any field comes and goes without a cell.
                let staged = self.model.batches[&id].staged;
                let then = self.model.shown_at(staged);
                let bare = then.keys().ne(self.model.now().keys());
                assert!(count > 0 || bare, "stale without a difference: b{id}");
            }
            Err(AppError::TokenDiffers { .. }) => assert_eq!(how, 2),
            Err(error) => panic!("{error}"),
        }
    }

    /// Whether confirming would do now what it would have done when the batch was staged.
    fn same_since(&self, id: u32) -> bool {
        let mut then = self.model.clone();
        let at = then.batches[&id].staged;
        then.active.truncate(at as usize + 1);
        then.position = at;
        let change = |model: &Model| -> Vec<_> {
            let (before, after) = (meant(cells(&model.now())), meant(cells(&model.with(id))));
            let all: BTreeSet<_> = before.keys().chain(after.keys()).cloned().collect();
            let each =
                all.into_iter().map(|c| (before.get(&c).cloned(), after.get(&c).cloned(), c));
            each.filter(|(old, new, _)| old != new).collect()
        };
        change(&then) == change(&self.model)
    }

    fn roll_back(&mut self, id: u32) {
        let was = self.model.now();
        let batch = BatchId(id);
        let plan = decide::roll_back(self.ledger(), batch, None, true, &run()).unwrap();
        assert_eq!(self.view().position().0, self.model.position, "a plan appends nothing");
        decide::roll_back(self.ledger(), batch, None, false, &run()).unwrap();
        let change = self.model.change(id, State::RolledBack);
        self.model.decide(vec![change]);
        self.check_effect(&plan, &was);
    }

    fn reinstate(&mut self, id: u32) {
        let was = self.model.now();
        let to = match self.model.batches[&id].state {
            State::Discarded => State::Staged,
            _ => State::Active,
        };
        let did = decide::reinstate(self.ledger(), BatchId(id), None, false, &run()).unwrap();
        let change = self.model.change(id, to);
        self.model.decide(vec![change]);
        self.check_effect(&did, &was);
    }

    fn reinstate_any(&mut self, index: usize) {
        let out = [State::RolledBack, State::Superseded, State::Discarded];
        let out: Vec<u32> = out.iter().flat_map(|s| self.model.in_state(*s)).collect();
        match pick(&out, index) {
            Some(id) => self.reinstate(id),
            None => {
                let none = BatchId(self.model.next());
                assert!(decide::reinstate(self.ledger(), none, None, false, &run()).is_err());
            }
        }
    }

    fn undo(&mut self) {
        let was = self.model.now();
        let did = decide::undo(self.ledger(), false, &run());
        match self.model.undo() {
            true => self.check_effect(&did.unwrap(), &was),
            false => assert!(did.is_err()),
        }
    }

    fn redo(&mut self) {
        let was = self.model.now();
        let did = decide::redo(self.ledger(), false, &run());
        match self.model.redo() {
            true => self.check_effect(&did.unwrap(), &was),
            false => assert!(did.is_err()),
        }
    }

    fn commute(&mut self, a: usize, b: usize) {
        let active = self.model.in_state(State::Active);
        let (Some(a), Some(b)) = (pick(&active, a), pick(&active, b)) else {
            return;
        };
        if a == b {
            return;
        }
        let before = shown(self.view(), None);
        let mut after = Vec::new();
        for (first, second) in [(a, b), (b, a)] {
            self.roll_back(first);
            self.roll_back(second);
            self.check();
            after.push(shown(self.view(), None));
            self.reinstate(first);
            self.check();
            self.reinstate(second);
            assert!(shown(self.view(), None) == before, "law 3: {a} {b}");
        }
        assert!(after[0] == after[1], "law 4: {a} and {b}");
    }

    fn replay(&mut self, id: u32, mapping: Mapping, confirm: bool) {
        let (file, old) = (self.sources[&id].clone(), self.model.batches[&id].clone());
        // The class of a batch that only fills is that of all its values.
        let keep = old.classes.values().all(|class| *class == Class::Fill);
        let how = How { keep, again: true, confirm, twice: false, dry_first: false };
        let mut batch = self.expected(&Given::Csv(file.clone(), mapping), how);
        batch.supersedes = (old.state == State::Active).then_some(id);
        let known = self.model.known(&batch, true);
        let choice = Self::choice(mapping);
        let staged = decide::replay(self.ledger(), BatchId(id), choice, true, &run());
        let Some(staged) = self.staged(staged, batch, known) else {
            return;
        };
        let new = staged.batch.unwrap().0;
        self.sources.entry(new).or_insert(file);
        if confirm && staged.outcome == Outcome::New {
            self.check();
            let was = self.model.now();
            let did = decide::confirm_staged(self.ledger(), &staged, &run()).unwrap();
            self.model.confirm(new);
            self.check_effect(&did, &was);
        }
    }

    /// Two parts are the whole: what confirming both would show is what the whole would have.
    fn split(&mut self, id: u32, bits: usize) {
        let whole = self.model.batches[&id].clone();
        let of = |event: &Event| event.asserts.first().map(|assert| assert.symbol.clone());
        let all: BTreeSet<String> = whole.events.iter().filter_map(of).collect();
        let mut chosen: BTreeSet<String> = BTreeSet::new();
        chosen.extend(
            all.iter().enumerate().filter(|(n, _)| bits >> n & 1 == 1).map(|(_, s)| s.clone()),
        );
        let words: Vec<&str> = chosen.iter().map(String::as_str).collect();
        let Ok(choice) = Choice::of(words) else { return };
        let rest = whole.events.iter().any(|event| of(event).is_none_or(|s| !chosen.contains(&s)));
        let done = split::split(self.ledger(), BatchId(id), &choice, None, &run());
        if !rest || whole.supersedes.is_some() {
            assert!(done.is_err());
            return;
        }
        let before =
            whole.content.strip_suffix(&format!(" {:?}", whole.events)).unwrap().to_owned();
        let parts = [true, false].map(|takes| {
            let mine = |event: &&Event| of(event).is_some_and(|s| chosen.contains(&s)) == takes;
            let events: Vec<Event> = whole.events.iter().filter(mine).cloned().collect();
            let content = format!("{before} {events:?}");
            Batch { content, events, part: true, ..whole.clone() }
        });
        // A part that is here and would do otherwise than the whole is not its part.
        let other_class = |part: &Batch| match self.model.known(part, true) {
            Known::Here(known, _) => {
                let classes = &self.model.batches[&known].classes;
                let views = part.events.iter().flat_map(|event| &event.asserts).map(|a| a.view);
                let homes = part.events.first().map(|event| event.home);
                let views = views.clone().chain(homes.filter(|_| views.clone().next().is_none()));
                views.into_iter().any(|view| classes[&view] != whole.classes[&view])
            }
            _ => false,
        };
        if parts.iter().any(other_class) {
            assert!(matches!(done, Err(AppError::Usage(_))), "{done:?}");
            return;
        }
        let done = done.unwrap();
        for (part, told) in parts.into_iter().zip([&done.chosen, &done.rest]) {
            let name = match self.model.known(&part, true) {
                Known::Here(known, _) => known,
                _ => self.model.stage(part),
            };
            assert_eq!(told.batch, format!("b{name}"));
        }
        let change = self.model.change(id, State::Discarded);
        self.model.decide(vec![change]);
        assert_eq!(done.position, self.model.position);
    }

    /// Computes from the closes of now. What is computed is not for the oracle to know; what becomes of it
    /// beside what others gave is.
    fn derive(&mut self) {
        if !self.closes {
            self.closes = true;
            let path = self.scratch.join("closes.csv");
            std::fs::write(&path, inputs::closes()).unwrap();
            let of = options(Series::Spot, Some(SYMBOLS[0]));
            let staged = import::import_csv(self.ledger(), &[input(&path)], &of, &run()).unwrap();
            self.adopt(&staged, Class::Vendor);
        }
        let derived = derive::derive(self.ledger(), Derivation::Hv, &[], &run()).unwrap();
        if let Some(staged) = derived.staged {
            let mut given = cells(&self.model.now());
            given.retain(|cell, _| {
                let (batch, _) = self.model.source_of(cell).unwrap();
                self.model.batches[&batch].class(cell.0.0) > Class::Computed
            });
            self.adopt(&staged, Class::Computed);
            let after = cells(&shown(self.view(), None).0);
            let hidden = given.iter().find(|(cell, value)| after.get(cell) != Some(value));
            assert_eq!(hidden, None, "a computation hides what was given");
        }
    }

    /// Takes a batch into the oracle as it was staged, and confirms it on both sides.
    fn adopt(&mut self, staged: &Staged, class: Class) {
        let id = staged.batch.unwrap();
        let batch = Batch {
            events: inputs::events_of(self.view(), id),
            classes: Series::ALL.map(|view| (view, class)).into(),
            content: format!("{id}"),
            reading: format!("{id}"),
            part: false,
            supersedes: None,
            staged: 0,
            committed: None,
            state: State::Staged,
        };
        assert_eq!(self.model.stage(batch), id.0);
        let full = review::review(self.view(), id, true, &run()).unwrap();
        self.check_review(&full, id.0);
        self.check();
        let was = self.model.now();
        let did = decide::confirm_staged(self.ledger(), staged, &run()).unwrap();
        self.model.confirm(id.0);
        self.check_effect(&did, &was);
    }

    /// Law 8 for one cell.
    fn why(&mut self, index: usize) {
        let all = cells(&self.model.now());
        let Some((cell, value)) = all.iter().nth(index % all.len().max(1)) else {
            return;
        };
        let ((view, symbol, day), field) = cell;
        let (symbol, day) = (symbol.parse().unwrap(), day.parse().unwrap());
        let found =
            volledger::app::trace::why(self.view(), *view, &symbol, day, None, Some(field), None)
                .unwrap();
        assert_eq!(found.fields.len(), 1, "law 8: {cell:?}");
        let found = &found.fields[0];
        assert_eq!(found.value.to_string(), *value, "law 8: {cell:?}");
        let (batch, seq) = self.model.source_of(cell).unwrap();
        assert_eq!(found.event.event, format!("b{batch}/{}", seq + 1), "law 8: {cell:?}");
        assert!(found.event.proven && found.event.op == "put", "law 8");
        assert_eq!(found.event.values[field].to_string(), *value, "law 8");
        assert!(!found.event.raw.is_empty(), "law 8: its bytes");
        // A line of inputs is about all days that were computed of a symbol.
        let computed = self.model.batches[&batch].class(*view) == Class::Computed;
        let names = if computed { &cell.0.1 } else { &cell.0.2 };
        assert!(found.event.raw.contains(names), "law 8: {}", found.event.raw);
    }
}
