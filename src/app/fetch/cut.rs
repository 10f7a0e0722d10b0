//! Chains that did not come whole: the nearest strike of half a chain is not at the money.

use super::coverage::days_in;
use super::endpoint::Provider;
use super::meaning::gave;
use crate::app::error::Result;
use crate::domain::{BatchId, BatchState, Day, Fact, Position, Series, Symbol};
use crate::ledger::Ledger;
use crate::projections::view::Record;
use std::collections::BTreeSet;

/// The scopes of answers that have every expiry.
const ALL_EXPIRIES: [&str; 2] = ["", "tradier"];

/// The sessions whose chain did not come whole.
#[derive(Debug, Default)]
pub struct CutChains {
    sessions: BTreeSet<(Symbol, Day)>,
    /// The batches that were looked at; what any other says came whole.
    fetched: BTreeSet<BatchId>,
}

impl CutChains {
    /// Reads the manifests of the chains that were fetched and count at a position.
    ///
    /// # Errors
    /// A manifest that cannot be read.
    pub fn at(ledger: &Ledger, at: Position) -> Result<Self> {
        let (mut cut, mut whole) = (BTreeSet::new(), BTreeSet::new());
        let mut fetched = BTreeSet::new();
        for (id, batch) in ledger.batches().iter() {
            let stage = &batch.stage;
            let asked = Provider::of_mapping(&stage.mapping.id).is_some();
            let counts = batch.state_at(at) == Some(BatchState::Active);
            if !asked || stage.series != Series::Chain || !counts {
                continue;
            }
            fetched.insert(id);
            for fact in ledger.known_manifest(stage)?.coverage {
                let into = match fact.fact {
                    Fact::Data => &mut whole,
                    Fact::Failed if gave(&fact) => &mut cut,
                    _ => continue,
                };
                let Some(symbol) = fact.symbol else { continue };
                let of_day = |day| (symbol.clone(), day, fact.scope.clone());
                into.extend(days_in(fact.from, fact.to).map(of_day));
            }
        }
        let is_whole = |(symbol, day, scope): &(Symbol, Day, String)| {
            let has = |scope: &str| whole.contains(&(symbol.clone(), *day, scope.to_owned()));
            has(scope) || ALL_EXPIRIES.into_iter().any(has)
        };
        let sessions = cut.into_iter().filter(|of| !is_whole(of));
        let sessions = sessions.map(|(symbol, day, _)| (symbol, day)).collect();
        Ok(Self { sessions, fetched })
    }

    /// Whether all that a session's chain shows comes of answers that did not come whole.
    pub fn has(&self, symbol: &Symbol, day: Day, chain: &[Record]) -> bool {
        let mut cells = chain.iter().flat_map(|record| &record.cells);
        self.sessions.contains(&(symbol.clone(), day))
            && cells.all(|cell| self.fetched.contains(&cell.event.batch))
    }
}
