//! The oracle: LEDGER.md 5 word for word, over maps, without any of the program's own folds.
//!
//! "For each (series, key, field), among the batches active at L, the assertion with the greatest
//! (class, commit position, row number)." Slow and short on purpose. What was computed is of a class
//! below all others: it fills what nobody gave a value for.

use std::collections::{BTreeMap, BTreeSet};
use volledger::domain::Series;

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Class {
    Computed,
    Fill,
    Vendor,
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Op {
    /// The value as JSON text.
    Put(String),
    /// No value from here on; an empty field name means the whole key.
    Retract,
}

/// One field of one row. The empty field name stands for the record itself.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Assert {
    pub view: Series,
    pub symbol: String,
    pub day: String,
    pub field: String,
    pub op: Op,
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Event {
    /// What its source is a record of: a rejected row has nothing else.
    pub home: Series,
    pub asserts: Vec<Assert>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    Staged,
    Active,
    Discarded,
    RolledBack,
    Superseded,
}

#[derive(Clone, Debug)]
pub struct Batch {
    pub events: Vec<Event>,
    pub classes: BTreeMap<Series, Class>,
    /// Everything that makes content the same content.
    pub content: String,
    pub supersedes: Option<u32>,
    /// What was asked for: which sources, read by which mapping.
    pub reading: String,
    /// Whether it is a part of a batch that was split.
    pub part: bool,
    pub staged: u64,
    pub committed: Option<u64>,
    pub state: State,
}

impl Batch {
    pub fn class(&self, view: Series) -> Class {
        self.classes.get(&view).copied().unwrap_or(Class::Vendor)
    }
}

/// (view, symbol, day) to field to value; a record without fields is an empty map.
pub type Key = (Series, String, String);
pub type Shown = BTreeMap<Key, BTreeMap<String, String>>;
pub type Cells = BTreeMap<(Key, String), String>;

/// The same without bare records, cell by cell.
pub fn cells(shown: &Shown) -> Cells {
    let each = shown.iter().flat_map(|(key, fields)| {
        let cell =
            |(field, value): (&String, &String)| ((key.clone(), field.clone()), value.clone());
        fields.iter().map(cell).collect::<Vec<_>>()
    });
    each.collect()
}

/// A state change: batch, from, to.
pub type Change = (u32, State, State);

#[derive(Clone, Debug, Default)]
pub struct Model {
    pub batches: BTreeMap<u32, Batch>,
    pub position: u64,
    /// The active batches after each position.
    pub active: Vec<BTreeSet<u32>>,
    /// Every decision with its position, in the order of undoing and of redoing.
    undo: Vec<(u64, Vec<Change>)>,
    redo: Vec<(u64, Vec<Change>)>,
}

impl Model {
    pub fn new() -> Self {
        Self { active: vec![BTreeSet::new()], ..Self::default() }
    }

    fn append(&mut self) -> u64 {
        self.position += 1;
        let active = |(_, batch): &(&u32, &Batch)| batch.state == State::Active;
        let now = self.batches.iter().filter(active).map(|(id, _)| *id);
        self.active.push(now.collect());
        self.position
    }

    /// An entry that changes no batch.
    pub fn other_entry(&mut self) {
        self.append();
    }

    pub fn next(&self) -> u32 {
        self.batches.len() as u32 + 1
    }

    pub fn stage(&mut self, mut batch: Batch) -> u32 {
        let id = self.next();
        batch.staged = self.position + 1;
        self.batches.insert(id, batch);
        self.append();
        id
    }

    /// Applies changes; `via` says what it does to the two stacks.
    fn apply(&mut self, changes: &[Change]) -> u64 {
        for (id, _, to) in changes {
            let at = self.position + 1;
            let batch = self.batches.get_mut(id).unwrap();
            batch.state = *to;
            if *to == State::Active {
                batch.committed.get_or_insert(at);
            }
        }
        self.append()
    }

    pub fn decide(&mut self, changes: Vec<Change>) {
        let at = self.apply(&changes);
        self.undo.push((at, changes));
        self.redo.clear();
    }

    pub fn change(&self, id: u32, to: State) -> Change {
        (id, self.batches[&id].state, to)
    }

    pub fn confirm(&mut self, id: u32) {
        let mut changes = vec![self.change(id, State::Active)];
        if let Some(old) = self.batches[&id].supersedes
            && self.batches[&old].state == State::Active
        {
            changes.push(self.change(old, State::Superseded));
        }
        self.decide(changes);
    }

    pub fn roll_back_to(&mut self, to: u64) -> bool {
        let then = &self.active[to as usize];
        let mut changes = Vec::new();
        for (id, batch) in &self.batches {
            match (batch.state == State::Active, then.contains(id)) {
                (true, false) => changes.push((*id, batch.state, State::RolledBack)),
                (false, true) => changes.push((*id, batch.state, State::Active)),
                _ => {}
            }
        }
        let any = !changes.is_empty();
        if any {
            self.decide(changes);
        }
        any
    }

    pub fn undo(&mut self) -> bool {
        let Some((at, changes)) = self.undo.pop() else {
            return false;
        };
        let back = changes.iter().map(|(id, from, to)| match (from, to) {
            // What counted once was rolled back, not never confirmed.
            (State::Staged, State::Active) => (*id, *to, State::RolledBack),
            _ => (*id, *to, *from),
        });
        self.apply(&back.collect::<Vec<_>>());
        self.redo.push((at, changes));
        true
    }

    pub fn redo(&mut self) -> bool {
        let Some((at, changes)) = self.redo.pop() else {
            return false;
        };
        self.apply(&changes);
        self.undo.push((at, changes));
        true
    }

    /// The batches in a state, oldest first.
    pub fn in_state(&self, state: State) -> Vec<u32> {
        let of = self.batches.iter().filter(|(_, batch)| batch.state == state);
        of.map(|(id, _)| *id).collect()
    }

    pub fn shown_at(&self, at: u64) -> Shown {
        let ranked = self.active[at as usize].iter();
        self.shown(ranked.map(|id| (*id, self.batches[id].committed.unwrap())))
    }

    pub fn now(&self) -> Shown {
        self.shown_at(self.position)
    }

    /// What would show without what was read of the same sources.
    pub fn without(&self, reading: &str) -> Shown {
        let active = self.active[self.position as usize].iter();
        let others = active.filter(|id| self.batches[id].reading != reading);
        self.shown(others.map(|id| (*id, self.batches[id].committed.unwrap())))
    }

    /// What would show if a batch were confirmed now.
    pub fn with(&self, id: u32) -> Shown {
        let gone = self.batches[&id].supersedes;
        let active = self.active[self.position as usize].iter();
        let others = active.filter(|other| Some(**other) != gone);
        let ranked = others.map(|id| (*id, self.batches[id].committed.unwrap()));
        self.shown(ranked.chain([(id, self.position + 1)]))
    }

    /// The assertion that decides each cell, with its batch and row.
    pub fn deciding(
        &self,
        active: impl Iterator<Item = (u32, u64)>,
    ) -> BTreeMap<(Key, String), (Op, (u32, usize))> {
        let mut best: BTreeMap<_, ((Class, u64, usize), Op, u32)> = BTreeMap::new();
        let mut whole: BTreeMap<Key, (Class, u64, usize)> = BTreeMap::new();
        for (id, committed) in active {
            for (seq, event) in self.batches[&id].events.iter().enumerate() {
                for assert in &event.asserts {
                    let key = (assert.view, assert.symbol.clone(), assert.day.clone());
                    let rank = (self.batches[&id].class(assert.view), committed, seq);
                    if assert.op == Op::Retract && assert.field.is_empty() {
                        let slot = whole.entry(key.clone()).or_insert(rank);
                        *slot = (*slot).max(rank);
                    }
                    let cell = (key, assert.field.clone());
                    match best.get(&cell) {
                        Some((known, ..)) if *known > rank => {}
                        _ => {
                            best.insert(cell, (rank, assert.op.clone(), id));
                        }
                    }
                }
            }
        }
        let cells = best.into_iter().map(|((key, field), (rank, op, id))| {
            let gone = whole.get(&key).is_some_and(|whole| *whole > rank);
            let op = if gone { Op::Retract } else { op };
            ((key, field), (op, (id, rank.2)))
        });
        cells.collect()
    }

    fn shown(&self, active: impl Iterator<Item = (u32, u64)>) -> Shown {
        let mut shown = Shown::new();
        for ((key, field), (op, _)) in self.deciding(active) {
            if let Op::Put(value) = op {
                let record = shown.entry(key).or_default();
                if !field.is_empty() {
                    record.insert(field, value);
                }
            }
        }
        shown
    }

    /// The event that a cell of the present comes from.
    pub fn source_of(&self, cell: &(Key, String)) -> Option<(u32, usize)> {
        let active = self.active[self.position as usize].iter();
        let ranked = active.map(|id| (*id, self.batches[id].committed.unwrap()));
        self.deciding(ranked).get(cell).map(|(_, event)| *event)
    }

    /// What staging this content must do: the batch that is here already, or a refusal.
    pub fn known(&self, of: &Batch, again: bool) -> Known {
        let same = || self.batches.iter().filter(|(_, b)| b.content == of.content);
        let here = |state| same().find(|(_, batch)| batch.state == state).map(|(id, _)| *id);
        let is_out = |b: &Batch| matches!(b.state, State::RolledBack | State::Superseded);
        // The same sources would bring back a part that was taken back, or what they said where a
        // snapshot retracts something else by now; unless somebody let them in since.
        let asked = || self.batches.values().filter(|b| b.reading == of.reading);
        let let_in = asked().any(|b| b.state == State::Active && !b.part);
        let out = same().any(|(_, b)| is_out(b)) || asked().any(is_out) && !let_in;
        match (here(State::Active), here(State::Staged)) {
            (Some(id), _) => Known::Here(id, State::Active),
            // Also where it waits: a scheduled import must not confirm what somebody looks at again.
            _ if out && !again => Known::Refused,
            (_, Some(id)) => Known::Here(id, State::Staged),
            _ => Known::No,
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Known {
    No,
    Here(u32, State),
    Refused,
}
