//! What was worked out before: answers and reviews, kept while nothing they hang on has changed.
//!
//! A page is a function of the ledger and the words of its address, so an answer holds as long as the
//! log's root does. A review of a batch that was committed is made against the moment before that and
//! holds longer: until the batch's own state changes. Both are bounded, the oldest go first.

use crate::app::error::{AppError, Result};
use crate::app::report::{GapsLine, Review};
use crate::app::vantage::Vantage;
use crate::app::{Ledger, Run, Which, coverage, lookup, review};
use crate::domain::batch::Batch;
use crate::domain::{BatchId, BatchState, Day, Digest, Position, Series, Symbol};
use std::collections::{BTreeSet, HashMap, VecDeque};
use std::hash::Hash;
use std::sync::{Arc, Mutex, PoisonError};

/// Bytes of answers.
const ANSWERS: usize = 24 << 20;
/// An answer beyond this is not kept.
const LARGEST: usize = 4 << 20;
/// Lines of reviews.
const LINES: usize = 200_000;
/// Reviews of batches with more events are made one after the other: they take memory.
const ALONE: u64 = 2_000;

/// Values under their keys up to a weight; the oldest make room.
#[derive(Debug)]
struct Shelf<K, V> {
    values: HashMap<K, (V, usize)>,
    order: VecDeque<K>,
    weight: usize,
    most: usize,
}

impl<K: Hash + Eq + Clone, V: Clone> Shelf<K, V> {
    fn new(most: usize) -> Self {
        Self { values: HashMap::new(), order: VecDeque::new(), weight: 0, most }
    }

    fn get(&self, key: &K) -> Option<V> {
        self.values.get(key).map(|(value, _)| value.clone())
    }

    fn put(&mut self, key: K, value: V, weight: usize) {
        if weight > self.most || self.values.contains_key(&key) {
            return;
        }
        self.order.push_back(key.clone());
        self.values.insert(key, (value, weight));
        self.weight += weight;
        while self.weight > self.most {
            let Some(oldest) = self.order.pop_front() else { break };
            let gone = self.values.remove(&oldest);
            self.weight -= gone.map_or(0, |(_, weight)| weight);
        }
    }

    fn clear(&mut self) {
        self.values.clear();
        self.order.clear();
        self.weight = 0;
    }
}

/// What a review hangs on.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Of {
    batch: BatchId,
    full: bool,
    state: &'static str,
    erased: usize,
    /// The log's root at the moment that it is compared with: no other ledger has it.
    root: Digest,
}

/// The symbols that have days, ascending.
#[derive(Debug)]
pub(super) struct Symbols {
    /// Of the views that tell of stocks.
    pub(super) stocks: Vec<Symbol>,
    /// Of the view of indices.
    pub(super) indices: Vec<Symbol>,
}

/// How many symbols have days of a view, how many of them lack days in between, and how many have a
/// newest day that is old.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Covered {
    pub(super) symbols: u64,
    pub(super) holes: u64,
    pub(super) old: u64,
}

/// The symbols at a log's root and a position.
type Listed = ((String, Position), Arc<Symbols>);

/// Everything that is kept.
#[derive(Debug)]
pub(super) struct Kept {
    answers: Mutex<(String, Shelf<String, Arc<str>>)>,
    reviews: Mutex<Shelf<Of, Arc<Review>>>,
    /// Held while a large review is made.
    making: Mutex<()>,
    /// The symbols that have days at a root and a position.
    symbols: Mutex<Option<Listed>>,
    /// What the views cover at a root, seen from a day.
    covered: Mutex<Option<((Digest, Day), Covered)>>,
}

impl Default for Kept {
    fn default() -> Self {
        let answers = (String::new(), Shelf::new(ANSWERS));
        Self {
            answers: Mutex::new(answers),
            reviews: Mutex::new(Shelf::new(LINES)),
            making: Mutex::default(),
            symbols: Mutex::default(),
            covered: Mutex::default(),
        }
    }
}

impl Kept {
    /// The answer that was given at this root, if one was.
    pub(super) fn answer(&self, root: &str, key: &str) -> Option<Arc<str>> {
        let kept = self.answers.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.0 == root { kept.1.get(&key.to_owned()) } else { None }
    }

    /// Keeps an answer; those of another root go.
    pub(super) fn keep(&self, root: &str, key: String, answer: &Arc<str>) {
        if answer.len() > LARGEST {
            return;
        }
        let mut kept = self.answers.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.0 != root {
            kept.0 = root.to_owned();
            kept.1.clear();
        }
        let weight = answer.len() + key.len() + 200;
        kept.1.put(key, Arc::clone(answer), weight);
    }

    /// Every symbol of which a daily view shows something at a position; those that came later are not
    /// named, nor those of which nothing is left.
    ///
    /// # Errors
    /// A stored view that cannot be read.
    pub(super) fn symbols(&self, vantage: &Vantage) -> Result<Arc<Symbols>> {
        let key = (vantage.ledger.head().root.to_string(), vantage.at);
        let mut kept = self.symbols.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, symbols)) = kept.as_ref().filter(|(of, _)| *of == key) {
            return Ok(Arc::clone(symbols));
        }
        let all = |views: &[Series]| coverage::showing(vantage, views);
        let symbols = Symbols { stocks: all(&coverage::VIEWS)?, indices: all(&[Series::Index])? };
        let symbols = Arc::new(symbols);
        *kept = Some((key, Arc::clone(&symbols)));
        Ok(symbols)
    }

    /// What the daily views cover, seen from a day: a look at every record, so it is kept until the log
    /// moves.
    ///
    /// # Errors
    /// A stored view that cannot be read.
    pub(super) fn covered(&self, ledger: &Ledger, today: Day) -> Result<Covered> {
        let key = (ledger.head().root, today);
        let mut kept = self.covered.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((_, covered)) = kept.as_ref().filter(|(of, _)| *of == key) {
            return Ok(*covered);
        }
        let gaps = lookup::gaps(ledger, &[], None, None, Which::Latest)?;
        let old = |line: &&GapsLine| {
            let series = line.series.parse::<Series>().ok();
            let last = line.to.as_ref().and_then(|day| day.parse::<Day>().ok());
            let patience =
                |(series, last): (Series, Day)| today.0 - last.0 > coverage::patience(series);
            series.zip(last).is_some_and(patience)
        };
        let symbols = |of: &dyn Fn(&&GapsLine) -> bool| {
            let named = gaps.rows.iter().filter(of).map(|line| line.symbol.as_str());
            named.collect::<BTreeSet<&str>>().len() as u64
        };
        let covered = Covered {
            symbols: symbols(&|_| true),
            holes: symbols(&|line| line.missing > 0),
            old: symbols(&old),
        };
        *kept = Some((key, covered));
        Ok(covered)
    }

    /// The review of a batch.
    pub(super) fn review(
        &self,
        ledger: &Ledger,
        batch: BatchId,
        full: bool,
        run: &Run<'_>,
    ) -> Result<Arc<Review>> {
        let of = |known: &Batch| {
            // Against the moment before it was committed nothing changes any more, unless something
            // of what was there then is erased.
            let erased = || ledger.batches().iter().any(|(_, other)| !other.erased.is_empty());
            let staged = known.state() == BatchState::Staged;
            let root = match known.committed_at.filter(|_| !staged && !erased()) {
                Some(at) => ledger.root_at(at)?,
                None => ledger.head().root,
            };
            let (state, erased) = (known.state().name(), known.erased.len());
            Ok::<_, AppError>(Of { batch, full, state, erased, root })
        };
        let of = ledger.batches().get(batch).map(of).transpose()?;
        let lock = || self.reviews.lock().unwrap_or_else(PoisonError::into_inner);
        let kept = || of.as_ref().and_then(|of| lock().get(of));
        if let Some(kept) = kept() {
            return Ok(kept);
        }
        let large = ledger.batches().get(batch).is_some_and(|known| known.stage.events > ALONE);
        let _alone = large.then(|| self.making.lock().unwrap_or_else(PoisonError::into_inner));
        // Who waited finds what the other one made.
        if let Some(kept) = kept().filter(|_| large) {
            return Ok(kept);
        }
        let made = Arc::new(review::review(ledger, batch, full, run)?);
        if let Some(of) = of {
            let lines = made.changes.len() + made.series.len() + made.findings.len() + 10;
            lock().put(of, Arc::clone(&made), lines);
        }
        Ok(made)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_make_room_and_nothing_grows() {
        let mut shelf = Shelf::new(10);
        for number in 0..100 {
            shelf.put(number, number, 3);
            assert!(shelf.weight <= 10 && shelf.values.len() == shelf.order.len());
        }
        assert_eq!((shelf.get(&99), shelf.get(&97), shelf.get(&96)), (Some(99), Some(97), None));
        shelf.put(200, 0, 11);
        shelf.put(99, 5, 3);
        assert_eq!((shelf.get(&200), shelf.get(&99), shelf.weight), (None, Some(99), 9));
    }

    #[test]
    fn answers_are_those_of_one_root() {
        let kept = Kept::default();
        let answer: Arc<str> = "a".into();
        kept.keep("r1", "k".into(), &answer);
        assert_eq!(kept.answer("r1", "k").as_deref(), Some("a"));
        assert_eq!((kept.answer("r2", "k"), kept.answer("r1", "other")), (None, None));
        kept.keep("r2", "k2".into(), &answer);
        assert_eq!((kept.answer("r1", "k"), kept.answer("r2", "k2").is_some()), (None, true));
        let large: Arc<str> = "x".repeat(LARGEST + 1).into();
        kept.keep("r2", "large".into(), &large);
        assert!(kept.answer("r2", "large").is_none());
    }
}
