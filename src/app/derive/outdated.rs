//! Computed values that no longer follow from the data: an input was rolled back, corrected, put
//! back or erased since.
//!
//! Nothing is marked when a decision is made. The log says which batches of inputs began or ceased
//! to count after a computation, or of which something was erased, and only their symbols are
//! computed again, in memory.

use super::{Derivation, ViewReader, own, shown};
use crate::app::error::Result;
use crate::app::traded::BESIDE;
use crate::domain::{BatchState, Day, Position, Series, Symbol, batch::Batch};
use crate::ledger::Ledger;
use crate::projections::view::Which;
use std::collections::{BTreeMap, BTreeSet};

/// Values of a view that are shown and would be other ones if they were computed now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outdated {
    /// What computes them.
    pub what: Derivation,
    /// Whose values.
    pub symbols: Vec<Symbol>,
}

/// What was computed of a kind.
#[derive(Default)]
struct Earlier {
    /// Per symbol the position that its newest computation looked at.
    seen: BTreeMap<Symbol, Position>,
    /// The newest day of all.
    newest: Option<Day>,
}

/// The computed values that are out of date. Days that nobody has computed yet are not among them.
///
/// # Errors
/// A view or a batch that cannot be read.
pub fn outdated(ledger: &Ledger) -> Result<Vec<Outdated>> {
    let mut found = Vec::new();
    for what in [Derivation::Hv, Derivation::Iv] {
        let earlier = earlier(ledger, what)?;
        let Some(newest) = earlier.newest else { continue };
        let doubtful = doubtful(ledger, what, &earlier.seen, newest)?;
        if doubtful.is_empty() {
            continue;
        }
        let (reader, own) = (ViewReader::new(ledger)?, own(ledger, what));
        let cut = what.cut(ledger)?;
        let mut symbols = Vec::new();
        for symbol in doubtful {
            let now = what.compute(ledger, &reader, &cut, &symbol)?.days;
            let holds = |(day, values): (&Day, &super::Values)| {
                now.get(day).is_some_and(|now| values.iter().all(|value| now.contains(value)))
            };
            if !shown(&reader, &own, what, &symbol)?.iter().all(holds) {
                symbols.push(symbol);
            }
        }
        if !symbols.is_empty() {
            found.push(Outdated { what, symbols });
        }
    }
    Ok(found)
}

fn earlier(ledger: &Ledger, what: Derivation) -> Result<Earlier> {
    let (mapping, ..) = what.mapping();
    let mut earlier = Earlier::default();
    for (id, batch) in ledger.batches().iter() {
        if batch.stage.mapping.id != mapping || batch.state() != BatchState::Active {
            continue;
        }
        // It was computed from what counted before its own stage entry.
        let seen = Position(batch.staged_at.0.saturating_sub(1));
        let mut blocks = ledger.read(id);
        while let Some((_, header)) = blocks.next_header()? {
            earlier.newest = earlier.newest.max(Some(header.days.1));
            for (symbol, _) in header.symbols {
                let known = earlier.seen.entry(symbol).or_insert(seen);
                *known = (*known).max(seen);
            }
        }
    }
    Ok(earlier)
}

/// Which days of the inputs can change what was computed.
struct Reach<'l> {
    what: Derivation,
    /// The newest day of which something was computed.
    newest: Day,
    reader: ViewReader<'l>,
    /// Days of splits, of symbols that were asked for.
    splits: BTreeMap<Symbol, Vec<Day>>,
}

impl Reach<'_> {
    /// Whether what a batch says of a symbol from one day to another can. Days after the newest cannot,
    /// but for splits, which are out of closes of before, and for closes beside a split, by which a
    /// chain's price is told.
    fn has(&mut self, batch: &Batch, days: (Day, Day), symbol: &Symbol) -> Result<bool> {
        let speaks = |of: Series| batch.stage.views.iter().any(|part| part.series == of);
        if days.0 <= self.newest || speaks(Series::Splits) {
            return Ok(true);
        }
        if self.what != Derivation::Iv || !speaks(Series::Spot) {
            return Ok(false);
        }
        if !self.splits.contains_key(symbol) {
            let at = self.reader.ledger().position();
            let splits = self.reader.records(Series::Splits, symbol, at, Which::Latest)?;
            self.splits.insert(symbol.clone(), splits.iter().map(|split| split.day).collect());
        }
        let beside = |split: &Day| days.0.0 - BESIDE <= split.0 && split.0 <= days.1.0 + BESIDE;
        Ok(self.splits.get(symbol).is_some_and(|splits| splits.iter().any(beside)))
    }
}

/// The symbols of which an input changed since, so that something that was computed may be another.
fn doubtful(
    ledger: &Ledger,
    what: Derivation,
    seen: &BTreeMap<Symbol, Position>,
    newest: Day,
) -> Result<BTreeSet<Symbol>> {
    let (reader, splits) = (ViewReader::new(ledger)?, BTreeMap::new());
    let mut reach = Reach { what, newest, reader, splits };
    let inputs = [what.input(), Series::Spot, Series::Splits];
    let positions: BTreeSet<Position> = seen.values().copied().collect();
    let counted = |batch: &Batch, at: Position| batch.state_at(at) == Some(BatchState::Active);
    let mut doubtful = BTreeSet::new();
    for (id, batch) in ledger.batches().iter() {
        if !batch.stage.views.iter().any(|part| inputs.contains(&part.series)) {
            continue;
        }
        let counts = batch.state() == BatchState::Active;
        let first = positions.first();
        if counts && batch.erased.iter().any(|of| first.is_some_and(|at| *at < of.at)) {
            for gone in ledger.erased_of(id)? {
                let Some(symbol) = gone.symbol else { continue };
                let since = seen.get(&symbol).is_some_and(|seen| *seen < gone.entry);
                if since && reach.has(batch, (gone.day, gone.day), &symbol)? {
                    doubtful.insert(symbol);
                }
            }
        }
        let moved = positions.iter().any(|at| counted(batch, *at) != counts);
        if !moved {
            continue;
        }
        let mut blocks = ledger.read(id);
        while let Some((_, header)) = blocks.next_header()? {
            for (symbol, _) in header.symbols {
                let moved = seen.get(&symbol).is_some_and(|at| counted(batch, *at) != counts);
                if moved && reach.has(batch, header.days, &symbol)? {
                    doubtful.insert(symbol);
                }
            }
        }
    }
    Ok(doubtful)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::import::{ImportOptions, Input, SymbolChoice, import_csv};
    use crate::app::{Clock, Run, decide, derive::derive_and_confirm};
    use crate::domain::{BatchId, Calendar};

    fn run() -> Run<'static> {
        Run { clock: Clock::Fixed(1_765_627_200_000), ..Run::new("tester") }
    }

    /// The first trading days of 2024.
    fn days(count: usize) -> Vec<Day> {
        let first: Day = "2024-01-02".parse().unwrap();
        let days = (first.0..).map(Day).filter(|day| Calendar::nyse().is_open(*day));
        days.take(count).collect()
    }

    /// Closes of a symbol, one for each day.
    fn closes(symbol: &str, days: &[Day]) -> String {
        let close = |at: usize| 100 + (at * 7) % 5;
        let rows = days.iter().enumerate();
        rows.map(|(at, day)| format!("{symbol},{day},{}\n", close(at))).collect()
    }

    fn import(ledger: &mut Ledger, series: Series, rows: &str) -> BatchId {
        let file = tempfile::NamedTempFile::new().unwrap();
        let value = if series == Series::Spot { "Close" } else { "IV30" };
        std::fs::write(file.path(), format!("Symbol,Date,{value}\n{rows}")).unwrap();
        let options =
            ImportOptions { symbol: SymbolChoice::FromColumn, ..ImportOptions::of(series) };
        let staged = import_csv(ledger, &[Input::file(file.path())], &options, &run()).unwrap();
        decide::confirm_staged(ledger, &staged, &run()).unwrap();
        staged.batch.unwrap()
    }

    fn derive(ledger: &mut Ledger) -> BatchId {
        let (derived, decided) = derive_and_confirm(ledger, Derivation::Hv, &[], &run()).unwrap();
        decided.unwrap().unwrap();
        derived.staged.unwrap().batch.unwrap()
    }

    fn roll_back(ledger: &mut Ledger, id: BatchId) {
        decide::roll_back(ledger, id, None, false, &run()).unwrap();
    }

    fn told(ledger: &Ledger) -> Vec<String> {
        let found = outdated(ledger).unwrap();
        assert!(found.iter().all(|of| of.what == Derivation::Hv && !of.symbols.is_empty()));
        found.iter().flat_map(|of| &of.symbols).map(ToString::to_string).collect()
    }

    /// Two symbols, each in a batch of its own, and their volatilities.
    fn computed() -> (Ledger, [BatchId; 3]) {
        let mut ledger = Ledger::in_memory();
        let one = import(&mut ledger, Series::Spot, &closes("AAA", &days(30)));
        let other = import(&mut ledger, Series::Spot, &closes("BBB", &days(30)));
        let derived = derive(&mut ledger);
        assert_eq!(told(&ledger), [""; 0]);
        (ledger, [one, other, derived])
    }

    #[test]
    fn the_only_input_that_is_taken_back_is_told_and_of_its_symbol_alone() {
        let (mut ledger, [one, ..]) = computed();
        roll_back(&mut ledger, one);
        assert_eq!(told(&ledger), ["AAA"]);
        // Whatever else comes of it meanwhile, nothing was computed again.
        let iv: String = days(3).iter().map(|day| format!("AAA,{day},20.5\n")).collect();
        import(&mut ledger, Series::Iv, &iv);
        assert_eq!(told(&ledger), ["AAA"]);
        decide::reinstate(&mut ledger, one, None, false, &run()).unwrap();
        assert_eq!(told(&ledger), [""; 0]);
    }

    #[test]
    fn an_input_that_is_erased_is_told_and_of_its_symbol_alone() {
        let mut ledger = Ledger::in_memory();
        let both = closes("AAA", &days(30)) + &closes("BBB", &days(30));
        let one = import(&mut ledger, Series::Spot, &both);
        derive(&mut ledger);
        let selection = crate::app::erase::selected(&ledger, &[format!("{one}/10")]).unwrap();
        crate::app::erase::erase(&mut ledger, &selection, "licence", &run()).unwrap();
        assert_eq!(told(&ledger), ["AAA"]);
        derive(&mut ledger);
        assert_eq!(told(&ledger), [""; 0]);
    }

    #[test]
    fn inputs_that_change_no_value_are_not_told() {
        let (mut ledger, _) = computed();
        // The same closes once more, without their last one.
        let again = import(&mut ledger, Series::Spot, &closes("AAA", &days(29)));
        assert_eq!(told(&ledger), [""; 0]);
        roll_back(&mut ledger, again);
        assert_eq!(told(&ledger), [""; 0]);
    }

    #[test]
    fn a_correction_of_the_newest_day_alone_is_told() {
        let (mut ledger, _) = computed();
        let newest = days(30)[29];
        import(&mut ledger, Series::Spot, &format!("BBB,{newest},111\n"));
        assert_eq!(told(&ledger), ["BBB"]);
    }

    #[test]
    fn the_newest_computation_is_the_one_that_is_shown() {
        let (mut ledger, _) = computed();
        let corrected = format!("AAA,{},111\n", days(30)[25]);
        let corrected = import(&mut ledger, Series::Spot, &corrected);
        derive(&mut ledger);
        roll_back(&mut ledger, corrected);
        derive(&mut ledger);
        assert_eq!(told(&ledger), [""; 0]);
        // The first computations had seen it too; what is shown had not.
        decide::reinstate(&mut ledger, corrected, None, false, &run()).unwrap();
        assert_eq!(told(&ledger), ["AAA"]);
    }

    #[test]
    fn a_computation_that_was_taken_back_does_not_count_as_one() {
        let (mut ledger, _) = computed();
        import(&mut ledger, Series::Spot, &format!("AAA,{},111\n", days(30)[25]));
        let again = derive(&mut ledger);
        assert_eq!(told(&ledger), [""; 0]);
        roll_back(&mut ledger, again);
        assert_eq!(told(&ledger), ["AAA"]);
        // Without any computation nothing is out of date.
        let (mut ledger, [one, _, derived]) = computed();
        roll_back(&mut ledger, derived);
        roll_back(&mut ledger, one);
        assert_eq!(told(&ledger), [""; 0]);
    }
}
