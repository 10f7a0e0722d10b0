//! What has been asked and answered: the fold of the coverage of fetched batches that count.

mod answers;
mod restated;
mod taken_back;

pub(super) use taken_back::taken_at;

use super::endpoint::Provider;
use super::erased;
use super::meaning::gave;
use crate::app::error::Result;
use crate::app::views::ViewReader;
use crate::domain::batch::Batch;
use crate::domain::{
    BatchId, BatchState, Calendar, Coverage, Day, Fact, Position, Series, Symbol, eastern,
};
use crate::ledger::Ledger;
use crate::projections::view::{Activity, sides};
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// The scope of daily bars as traded, which say nothing of adjusted ones.
pub(super) const AS_TRADED: &str = "alpha-vantage";

/// Whether Polygon takes splits out of the prices of a view.
pub fn is_adjusted(view: Series) -> bool {
    matches!(view, Series::Spot | Series::Bars)
}

/// What a question is about, besides its days.
type Subject = (Series, Option<Symbol>, String);

/// Coverage of all staged and active batches, newest last.
#[derive(Clone, Debug, Default)]
pub struct CoverageMap {
    subjects: BTreeMap<Subject, Vec<(usize, Coverage)>>,
    /// How many facts there are; each has a number, in the order in which they count.
    facts: usize,
    /// What was rolled back or erased, with the batch: a scheduled fetch must not bring it back.
    rolled_back: BTreeMap<Subject, Vec<(BatchId, Coverage)>>,
    /// Where something of a batch was last taken back.
    taken_at: HashMap<BatchId, Position>,
    /// The days of batches that count and have data: what came after a rollback replaces what was
    /// rolled back.
    answered_by: BTreeMap<Subject, Vec<(BatchId, Day, Day)>>,
    /// Days on which an answer about all symbols has nothing of this symbol: it has to be asked alone.
    absent: HashMap<Symbol, BTreeSet<Day>>,
    /// Days of splits: the service restates all earlier days, so what was answered before a split has
    /// to be asked again.
    splits: HashMap<Symbol, Vec<Day>>,
    /// When the last answer came.
    last_asked: Option<i64>,
    /// Days of an answer about all symbols that waits for a decision.
    undecided: BTreeSet<(Series, Day)>,
    /// Digest and time of every answer that is in a batch of any state, with the position of the
    /// newest of these batches.
    seen: HashMap<([u8; 32], i64), Position>,
}

impl CoverageMap {
    /// Reads the manifests of the fetched batches. Days of a discarded batch are asked again; days that
    /// were rolled back or erased only when somebody says so. Erased events are read only of answers
    /// about the view and days that are wanted.
    ///
    /// # Errors
    /// A manifest that cannot be read.
    pub fn of(ledger: &Ledger, wanted: (Series, Day, Day)) -> Result<Self> {
        let (series, from, to) = wanted;
        let is_wanted =
            |fact: &Coverage| fact.series == series && fact.from <= to && from <= fact.to;
        Self::read(ledger, ledger.position(), &is_wanted)
    }

    /// As [`Self::of`], for all views and days, as the ledger was at a position. What was erased since
    /// counts as answered.
    ///
    /// # Errors
    /// A manifest that cannot be read.
    pub fn at(ledger: &Ledger, at: Position) -> Result<Self> {
        let is_head = at == ledger.position();
        Self::read(ledger, at, &|_| is_head)
    }

    fn read(ledger: &Ledger, at: Position, is_wanted: &dyn Fn(&Coverage) -> bool) -> Result<Self> {
        let mut map = Self::default();
        let fetched = ledger.batches().iter();
        let mut fetched: Vec<_> = fetched
            .filter(|(_, batch)| Provider::of_mapping(&batch.stage.mapping.id).is_some())
            .collect();
        // In the order in which they count: of two answers about a day the one that was confirmed later
        // is shown.
        let counts = |batch: &Batch| batch.committed_at.filter(|committed| *committed <= at);
        fetched.sort_by_key(|(_, batch)| counts(batch).unwrap_or(batch.staged_at));
        for (id, batch) in fetched {
            let Some(state) = batch.state_at(at) else { continue };
            let manifest = ledger.known_manifest(&batch.stage)?;
            let sources = manifest.sources.iter();
            map.seen.extend(
                sources.map(|source| ((source.digest.0, source.observed_ms), batch.staged_at)),
            );
            let mut facts = manifest.coverage;
            map.taken_at.extend(taken_at(batch).map(|taken| (id, taken)));
            match state {
                BatchState::Staged | BatchState::Active => {
                    if !batch.erased.is_empty() && facts.iter().any(is_wanted) {
                        let parted = erased::part(facts, &erased::gone(ledger, id)?);
                        parted.gone.into_iter().for_each(|fact| map.take_back(id, fact));
                        facts = parted.left;
                    }
                    for fact in facts {
                        map.answered(id, &fact);
                        if fact.symbol.is_none() && state == BatchState::Staged {
                            let days = days_in(fact.from, fact.to);
                            map.undecided.extend(days.map(|day| (fact.series, day)));
                        }
                        map.add(fact);
                    }
                }
                BatchState::RolledBack | BatchState::Superseded => {
                    facts.into_iter().for_each(|fact| map.take_back(id, fact));
                }
                BatchState::Discarded => {}
            }
        }
        Ok(map)
    }

    /// The days of which there is an answer with data about all symbols.
    pub fn about_all(&self, series: Series) -> BTreeSet<Day> {
        let facts = self.about(series, None, "").filter(|fact| fact.fact == Fact::Data);
        facts.flat_map(|fact| days_in(fact.from, fact.to)).collect()
    }

    /// Adds what only views can tell about a view of Polygon's bars: which stocks an answer about all
    /// stocks lacks, and which splits came after an answer.
    ///
    /// # Errors
    /// A view that cannot be read.
    pub fn compare_with_views<'s>(
        &mut self,
        ledger: &Ledger,
        view: Series,
        symbols: impl Iterator<Item = &'s Symbol>,
        today: Day,
    ) -> Result<()> {
        let mut grouped = self.about_all(view);
        grouped.retain(|day| !self.undecided.contains(&(view, *day)));
        let (reader, at) = (ViewReader::new(ledger)?, ledger.position());
        let fetched = only_of(ledger, view, at, Provider::Polygon);
        for symbol in symbols {
            self.know_splits(&reader, symbol, at, today)?;
            if let Some((first, last)) = grouped.first().zip(grouped.last()) {
                let history = reader.history_between(view, symbol, *first, *last)?;
                let mut shown = BTreeSet::new();
                sides(view, &history, &fetched, &fetched, &mut |key| {
                    shown.extend(key.shows_after().then_some(key.key().0));
                });
                let absent = grouped.difference(&shown).copied().collect();
                self.absent.insert(symbol.clone(), absent);
            }
        }
        Ok(())
    }

    /// Whether a fact still says something about a day of a symbol, after splits and missing stocks.
    pub(super) fn counts(&self, fact: &Coverage, symbol: Option<&Symbol>, day: Day) -> bool {
        // Prices as traded have a scope of their own; nobody restates them.
        let adjusted = is_adjusted(fact.series) && fact.scope != AS_TRADED;
        let Some(symbol) = symbol.filter(|_| adjusted) else { return true };
        let lacks = |absent: &BTreeSet<Day>| fact.symbol.is_none() && absent.contains(&day);
        let asked = eastern::day_of(fact.observed_ms).unwrap_or(day);
        let restated =
            |splits: &Vec<Day>| splits.iter().any(|split| day < *split && asked < *split);
        !self.absent.get(symbol).is_some_and(lacks)
            && !self.splits.get(symbol).is_some_and(restated)
    }

    /// Adds a fact.
    pub fn add(&mut self, fact: Coverage) {
        let subject = (fact.series, fact.symbol.clone(), fact.scope.clone());
        self.last_asked = self.last_asked.max(Some(fact.observed_ms));
        self.subjects.entry(subject).or_default().push((self.facts, fact));
        self.facts += 1;
    }

    /// Whether this answer is in a batch that was staged after position `since`. Without it, two
    /// failures with an empty body would be one where the clock stands still.
    pub fn has_seen(&self, digest: &[u8; 32], observed_ms: i64, since: Position) -> bool {
        self.seen.get(&(*digest, observed_ms)).is_some_and(|staged| *staged > since)
    }

    /// The fact whose answer is shown on some of the days that a fact is about: the last of those that
    /// gave something.
    pub(super) fn shown(&self, about: &Coverage) -> Option<&Coverage> {
        let touches = |(_, known): &&(usize, Coverage)| {
            gave(known) && known.from <= about.to && about.from <= known.to
        };
        let of = |symbol: Option<Symbol>| {
            let facts = self.subjects.get(&(about.series, symbol, about.scope.clone()));
            facts.and_then(|facts| facts.iter().rfind(touches))
        };
        let last = match &about.symbol {
            Some(symbol) => {
                of(None).into_iter().chain(of(Some(symbol.clone()))).max_by_key(|f| f.0)
            }
            // A later answer about a single symbol is shown in place of one about all of them.
            None => {
                let all = self.subjects.iter();
                let all = all.filter(|(of, _)| of.0 == about.series && of.2 == about.scope);
                all.filter_map(|(_, facts)| facts.iter().rfind(touches)).max_by_key(|fact| fact.0)
            }
        };
        last.map(|(_, fact)| fact)
    }

    /// The facts about a subject, in the order in which they count; those about all symbols are
    /// included.
    pub fn about(
        &self,
        series: Series,
        symbol: Option<&Symbol>,
        scope: &str,
    ) -> impl Iterator<Item = &Coverage> {
        let of = |symbol: Option<Symbol>| {
            self.subjects.get(&(series, symbol, scope.to_owned())).into_iter().flatten()
        };
        let own = symbol.cloned().map(|symbol| of(Some(symbol)));
        of(None).chain(own.into_iter().flatten()).map(|(_, fact)| fact)
    }

    /// Every subject: view, symbol and scope.
    pub fn iter(&self) -> impl Iterator<Item = (&Series, Option<&Symbol>, &str)> {
        let subjects = self.subjects.keys();
        subjects.map(|(series, symbol, scope)| (series, symbol.as_ref(), scope.as_str()))
    }

    /// The newest fact about a day.
    pub fn fact(
        &self,
        series: Series,
        symbol: Option<&Symbol>,
        scope: &str,
        day: Day,
    ) -> Option<&Coverage> {
        let none = BTreeSet::new();
        let is_spot = series == Series::Spot && scope.is_empty();
        let lack = symbol.filter(|_| is_spot).and_then(|symbol| self.absent.get(symbol));
        newest(self.about(series, symbol, scope), day, lack.unwrap_or(&none))
    }

    /// What is known of a subject, as ascending ranges without overlap; neighbours that say the same
    /// are one. Days in none of them were never asked, or the answers about all symbols `lack` this
    /// symbol there.
    pub fn ranges(
        &self,
        series: Series,
        symbol: Option<&Symbol>,
        scope: &str,
        lack: &BTreeSet<Day>,
    ) -> Vec<Range> {
        // Each symbol has all daily answers about all symbols, and they grow with the years: at each
        // edge only the answers that reach it are looked at, in the order in which they came.
        let mut coming: Vec<(usize, &Coverage)> =
            self.about(series, symbol, scope).enumerate().collect();
        coming.sort_by_key(|(_, fact)| std::cmp::Reverse(fact.from));
        let mut there: BTreeMap<usize, &Coverage> = BTreeMap::new();
        let mut edges: Vec<Day> = Vec::new();
        for (_, fact) in &coming {
            edges.extend([fact.from, fact.to.next()]);
            if fact.symbol.is_none() {
                let within = lack.range(fact.from..=fact.to);
                edges.extend(within.flat_map(|day| [*day, day.next()]));
            }
        }
        edges.extend(symbol.and_then(|symbol| self.splits.get(symbol)).into_iter().flatten());
        edges.sort();
        edges.dedup();
        let mut ranges: Vec<Range> = Vec::new();
        for pair in edges.windows(2) {
            let [from, end] = pair else { continue };
            there.retain(|_, fact| fact.to >= *from);
            while let Some(one) = coming.pop_if(|(_, fact)| fact.from <= *from) {
                there.extend([one]);
            }
            let Some(known) = newest(there.values().copied(), *from, lack) else { continue };
            let to = Day(end.0 - 1);
            let split = symbol.filter(|_| known.fact == Fact::Data);
            let split = split.and_then(|symbol| self.split_since(known, symbol));
            // A weekend between two ranges that were asked again has no price.
            let session = || Calendar::nyse().open_days(*from, to).next().is_some();
            let split = split.filter(|split| from < split && session());
            match ranges.last_mut() {
                Some(last)
                    if last.to.next() == *from
                        && (last.fact, &last.text, last.split)
                            == (known.fact, &known.text, split) =>
                {
                    last.to = to;
                }
                _ => {
                    let (fact, text) = (known.fact, known.text.clone());
                    ranges.push(Range { from: *from, to, fact, text, split });
                }
            }
        }
        ranges
    }
}

/// The newest of some facts about a day, in the order in which they came; answers about all symbols
/// may `lack` this one.
fn newest<'f>(
    facts: impl Iterator<Item = &'f Coverage>,
    day: Day,
    lack: &BTreeSet<Day>,
) -> Option<&'f Coverage> {
    let lacks = lack.contains(&day);
    let of_day = |fact: &&Coverage| {
        let lacks = lacks && fact.symbol.is_none() && fact.fact == Fact::Data;
        (fact.from..=fact.to).contains(&day) && !lacks
    };
    // A later failure does not undo what an earlier answer gave.
    let rank = |fact: &&Coverage| (fact.fact != Fact::Failed, fact.observed_ms);
    facts.filter(of_day).max_by_key(rank)
}

/// The batches of a view that count at a position and were fetched from a service. What a file says is
/// left out: it was not in an answer.
pub fn only_of(ledger: &Ledger, view: Series, at: Position, of: Provider) -> Activity {
    let table = ledger.batches();
    let activity = Activity::at(table, view, at);
    let others =
        table.committed().after(view, Position(0)).iter().map(|(_, id)| *id).filter(|id| {
            activity.rank(*id).is_some()
                && table.get(*id).is_some_and(|batch| batch.stage.mapping.id != of.name())
        });
    let others: Vec<BatchId> = others.collect();
    others.into_iter().fold(activity, Activity::without)
}

/// What is known of a range of days.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Range {
    /// First day.
    pub from: Day,
    /// Last day.
    pub to: Day,
    /// What is known.
    pub fact: Fact,
    /// What the service said.
    pub text: String,
    /// The split that came after the answer: the prices are those of before it.
    pub split: Option<Day>,
}

/// Every calendar day of a range.
pub fn days_in(from: Day, to: Day) -> impl Iterator<Item = Day> {
    (from.0..=to.0).map(Day)
}

/// Runs of wanted days that stand next to each other in `all`, as first and last day.
pub fn runs(all: &[Day], wanted: &[Day]) -> Vec<(Day, Day)> {
    let mut runs: Vec<(Day, Day)> = Vec::new();
    let mut joined = false;
    let mut wanted = wanted.iter().peekable();
    for day in all {
        if wanted.next_if(|next| *next == day).is_none() {
            joined = false;
            continue;
        }
        match runs.last_mut() {
            Some((_, last)) if joined => *last = *day,
            _ => runs.push((*day, *day)),
        }
        joined = true;
    }
    runs
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Digest;

    fn fact(symbol: Option<&str>, range: (i32, i32), fact: Fact, settled: i32) -> Coverage {
        Coverage {
            series: Series::Spot,
            symbol: symbol.map(|name| name.parse().unwrap()),
            scope: String::new(),
            from: Day(range.0),
            to: Day(range.1),
            fact,
            settled: Day(settled),
            observed_ms: 0,
            meaning: Digest::default(),
            text: String::new(),
        }
    }

    fn missing(map: &CoverageMap, symbol: &Symbol, days: impl Iterator<Item = Day>) -> Vec<i32> {
        let known = map.answers(Series::Spot, Some(symbol), "", days).into_iter();
        known.filter(|(_, fact)| fact.is_none()).map(|(day, _)| day.0).collect()
    }

    #[test]
    fn only_what_is_not_known_for_good_is_missing() {
        let mut map = CoverageMap::default();
        map.add(fact(Some("A"), (1, 5), Fact::Data, 4));
        map.add(fact(Some("A"), (8, 9), Fact::Empty, 9));
        map.add(fact(Some("A"), (10, 11), Fact::NotEntitled, 11));
        map.add(fact(Some("A"), (12, 13), Fact::Failed, 13));
        map.add(fact(None, (20, 20), Fact::Data, 20));
        let a: Symbol = "A".parse().unwrap();
        let days = |symbol: &Symbol| missing(&map, symbol, days_in(Day(1), Day(20)));
        // What was refused behind days that came, too.
        assert_eq!(days(&a), [5, 6, 7, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19]);
        assert_eq!(days(&"B".parse().unwrap()).len(), 19);
        assert_eq!(map.fact(Series::Spot, Some(&a), "", Day(12)).unwrap().fact, Fact::Failed);
        let told = map.answers(Series::Spot, Some(&a), "", [4, 5, 8, 10, 12].map(Day).into_iter());
        let told: Vec<_> = told.iter().map(|(_, fact)| fact.map(|fact| fact.fact)).collect();
        let known = [Some(Fact::Data), None, Some(Fact::Empty), None, None];
        assert_eq!(told, known);
        assert!(map.fact(Series::Spot, Some(&a), "", Day(7)).is_none());
        // A later answer about the failed days takes their place and joins its neighbours.
        map.add(Coverage { observed_ms: 5, ..fact(Some("A"), (12, 13), Fact::NotEntitled, 13) });
        let ranges: Vec<_> =
            map.ranges(Series::Spot, Some(&a), "", &BTreeSet::new()).into_iter().collect();
        let told: Vec<_> = ranges.iter().map(|r| (r.from.0, r.to.0, r.fact.name())).collect();
        let want = [(1, 5, "data"), (8, 9, "empty"), (10, 13, "not-entitled"), (20, 20, "data")];
        assert_eq!(told, want);
        // An answer about all symbols that has nothing of this one says nothing of it.
        let ranges = map.ranges(Series::Spot, Some(&a), "", &[Day(3), Day(20)].into());
        let days: Vec<_> = ranges.iter().map(|range| (range.from.0, range.to.0)).collect();
        assert_eq!(days, [(1, 5), (8, 9), (10, 13)]);
    }

    #[test]
    fn what_a_split_restates_and_what_a_day_s_answer_lacks_is_asked_again() {
        let mut map = CoverageMap::default();
        let noon = |day: i32| i64::from(day) * 86_400_000 + 17 * 3_600_000;
        map.add(Coverage { observed_ms: noon(20), ..fact(Some("A"), (1, 9), Fact::Data, 9) });
        map.add(Coverage { observed_ms: noon(40), ..fact(Some("A"), (10, 12), Fact::Data, 12) });
        map.add(fact(None, (15, 15), Fact::Data, 15));
        let a: Symbol = "A".parse().unwrap();
        let days = |map: &CoverageMap| missing(map, &a, [1, 9, 10, 12, 15].map(Day).into_iter());
        assert!(days(&map).is_empty());
        // A split on day 30: answered before it (on day 20) and restated since.
        map.splits.insert(a.clone(), vec![Day(30)]);
        map.absent.insert(a.clone(), [Day(15)].into());
        assert_eq!(days(&map), [1, 9, 15]);
    }

    #[test]
    fn neighbours_are_asked_together() {
        let all: Vec<Day> = [1, 2, 5, 6, 7].map(Day).to_vec();
        let run = |wanted: &[i32]| {
            let wanted: Vec<Day> = wanted.iter().copied().map(Day).collect();
            runs(&all, &wanted).iter().map(|(a, b)| (a.0, b.0)).collect::<Vec<_>>()
        };
        assert_eq!(run(&[1, 2, 5, 6, 7]), [(1, 7)]);
        assert_eq!(run(&[2, 5, 7]), [(2, 5), (7, 7)]);
        assert_eq!(run(&[]), []);
    }
}
