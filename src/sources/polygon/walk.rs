//! Flattening items into leaves, and remembering of each path what it is and how it was met.

use super::table::{Kind, Leaf, Table, Use};
use crate::domain::{Field, series};
use crate::sources::raw::{Entry, entries, text_of};
use std::collections::HashMap;
use std::sync::Arc;

/// Objects inside objects that are taken apart; what lies deeper is kept as JSON text.
const DEPTH: usize = 16;

/// Most leaves in one item.
pub(super) const MAX_LEAVES: usize = 1024;

/// Words of one page that are noted as new, and paths inside lists; the rest is only counted.
const MAX_NEWS: usize = 64;

/// One leaf of an item: which path, and the value's source text.
#[derive(Clone, Copy, Debug)]
pub(super) struct Got<'b> {
    pub(super) slot: usize,
    pub(super) raw: &'b str,
}

/// How often something was met, and in which item first.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Met {
    pub(super) count: u64,
    pub(super) first: u32,
}

impl Met {
    fn add(&mut self, item: u32) {
        if self.count == 0 {
            self.first = item;
        }
        self.count += 1;
    }
}

/// A path met in the items of a page, or documented.
#[derive(Debug)]
pub(super) struct Slot {
    pub(super) path: Arc<str>,
    /// The documented leaf, if it is one.
    pub(super) leaf: Option<Leaf>,
    pub(super) goes: Use,
    pub(super) field: Field,
    /// Items that have it.
    pub(super) met: Met,
    /// Items in which its type is another than documented, and what it was first.
    pub(super) odd: Met,
    pub(super) odd_kind: &'static str,
    /// Whether an object is documented here, and not a leaf.
    pub(super) object_due: bool,
    words: Option<&'static [&'static str]>,
    elements: Option<&'static [&'static str]>,
    /// The last item that had it.
    last: u32,
}

/// Something new at a path: a word, or a key inside a list.
#[derive(Debug)]
pub(super) struct New {
    pub(super) path: String,
    /// The word; `None` when the path itself is new.
    pub(super) word: Option<String>,
    pub(super) met: Met,
    /// The last item that had it.
    last: u32,
}

/// What is known of the paths of a page.
#[derive(Debug)]
pub(super) struct Walk {
    pub(super) table: &'static Table,
    pub(super) slots: Vec<Slot>,
    index: HashMap<Arc<str>, usize>,
    pub(super) new: Vec<New>,
    /// Items taken apart.
    pub(super) items: u64,
    /// Where the next path is looked for first: items repeat their keys in one order.
    next: usize,
}

impl Walk {
    pub(super) fn new(table: &'static Table) -> Self {
        let (slots, index, new) = (Vec::new(), HashMap::new(), Vec::new());
        Self { table, slots, index, new, items: 0, next: 0 }
    }

    /// Takes an item apart. `item` is its number from 1, and greater at each call.
    ///
    /// # Errors
    /// The code with which the item is rejected.
    pub(super) fn item<'b>(
        &mut self,
        top: Vec<Entry<'b>>,
        item: u32,
        leaves: &mut Vec<Got<'b>>,
    ) -> Result<(), &'static str> {
        leaves.clear();
        self.items += 1;
        self.next = 0;
        self.object(top, &mut String::new(), item, leaves, DEPTH)
    }

    fn object<'b>(
        &mut self,
        entries_here: Vec<Entry<'b>>,
        prefix: &mut String,
        item: u32,
        leaves: &mut Vec<Got<'b>>,
        depth: usize,
    ) -> Result<(), &'static str> {
        // More names than that were not even gathered.
        if entries_here.len() > MAX_LEAVES {
            return Err("too_many_fields");
        }
        let length = prefix.len();
        for (key, value) in entries_here {
            let raw = value.get();
            if length > 0 {
                prefix.truncate(length);
                prefix.push_str(&key);
            }
            let path: &str = if length > 0 { prefix } else { &key };
            if raw.starts_with('{') && depth > 0 {
                let inner = entries(raw, MAX_LEAVES).map_err(|_| "invalid_record")?;
                // The service writes `{}` for what it does not have.
                if inner.is_empty() {
                    continue;
                }
                if let Some(leaf) = self.table.leaf(path) {
                    let slot = self.slot_at(path, Some(leaf));
                    self.odd(slot, item, Kind::Any.name());
                }
                let mut deeper = if length > 0 { prefix.clone() } else { String::from(path) };
                deeper.push('.');
                self.object(inner, &mut deeper, item, leaves, depth - 1)?;
                continue;
            }
            let slot = self.slot(path);
            let known = self.slots.get_mut(slot).ok_or("invalid_record")?;
            if known.last == item {
                return Err("duplicate_key");
            }
            known.last = item;
            known.met.add(item);
            let (words, elements) = (known.words, known.elements);
            let documented = known.leaf.map(|leaf| leaf.kind);
            let kind = Kind::of(raw);
            match (documented, kind) {
                (Some(wanted), Some(kind)) if wanted != kind && wanted != Kind::Any => {
                    self.odd(slot, item, kind.name());
                }
                (None, Some(kind)) if known.object_due => self.odd(slot, item, kind.name()),
                _ => {}
            }
            if let Some(words) = words {
                self.word(path, raw, words, item);
            }
            if let Some(keys) = elements {
                self.elements(path, raw, keys, item);
            }
            if leaves.len() >= MAX_LEAVES {
                return Err("too_many_fields");
            }
            leaves.push(Got { slot, raw });
        }
        Ok(())
    }

    /// The slot of a path, made when it is new.
    pub(super) fn slot(&mut self, path: &str) -> usize {
        let next = self.next;
        if self.slots.get(next).is_some_and(|slot| *slot.path == *path) {
            self.next = next + 1;
            return next;
        }
        let slot = match self.index.get(path) {
            Some(slot) => *slot,
            None => self.slot_at(path, self.table.leaf(path)),
        };
        self.next = slot + 1;
        slot
    }

    fn slot_at(&mut self, path: &str, leaf: Option<Leaf>) -> usize {
        if let Some(slot) = self.index.get(path) {
            return *slot;
        }
        let path: Arc<str> = path.into();
        let goes = leaf.map_or(Use::Named, |leaf| leaf.goes);
        let field = match goes {
            Use::Code(code) => Field::Known(code),
            _ => Field::Named(series::free_name(self.table.series, &path)),
        };
        let slot = self.slots.len();
        self.slots.push(Slot {
            leaf,
            goes,
            field,
            met: Met::default(),
            odd: Met::default(),
            odd_kind: "",
            object_due: leaf.is_none() && self.table.is_object(&path),
            words: self.table.words(&path),
            elements: self.table.element_keys(&path),
            last: 0,
            path: path.clone(),
        });
        self.index.insert(path, slot);
        slot
    }

    fn odd(&mut self, slot: usize, item: u32, kind: &'static str) {
        if let Some(slot) = self.slots.get_mut(slot) {
            if slot.odd.count == 0 {
                slot.odd_kind = kind;
            }
            slot.odd.add(item);
        }
    }

    fn word(&mut self, path: &str, raw: &str, words: &[&str], item: u32) {
        if let Some(word) = text_of(raw)
            && !words.contains(&&*word)
        {
            self.note(path, Some(&word), item);
        }
    }

    /// Looks into a list of objects for keys and words that are not documented.
    fn elements(&mut self, path: &str, raw: &str, keys: &[&str], item: u32) {
        let list: Vec<&serde_json::value::RawValue> = serde_json::from_str(raw).unwrap_or_default();
        for element in list {
            let Ok(inner) = entries(element.get(), MAX_LEAVES) else { continue };
            for (key, value) in inner {
                let inner_path = format!("{path}[].{key}");
                if !keys.contains(&&*key) {
                    self.note(&inner_path, None, item);
                } else if let Some(words) = self.table.words(&inner_path) {
                    self.word(&inner_path, value.get(), words, item);
                }
            }
        }
    }

    fn note(&mut self, path: &str, word: Option<&str>, item: u32) {
        let same = |new: &&mut New| new.path == path && new.word.as_deref() == word;
        if let Some(new) = self.new.iter_mut().find(same) {
            if new.last != item {
                new.last = item;
                new.met.add(item);
            }
            return;
        }
        if self.new.len() < MAX_NEWS {
            let word = word.map(|word| word.chars().take(60).collect());
            let met = Met { count: 1, first: item };
            self.new.push(New { path: path.into(), word, met, last: item });
        }
    }

    /// The source text at a documented path of an item, `null` and absence being the same.
    pub(super) fn raw<'b>(&self, leaves: &[Got<'b>], path: &str) -> Option<&'b str> {
        let at = |got: &&Got<'b>| self.slots.get(got.slot).is_some_and(|slot| *slot.path == *path);
        leaves.iter().find(at).map(|got| got.raw).filter(|raw| *raw != "null")
    }
}
