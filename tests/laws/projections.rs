//! Kept projections of every kind beside a random history: after every step what is kept up is what
//! a rebuild gives, with one thread and with two, and an old position answers as it did.

use crate::support::run;
use std::collections::BTreeMap;
use std::sync::Arc;
use volledger::app::projection::{self, refresh};
use volledger::app::report::Refresh;
use volledger::app::vantage::Vantage;
use volledger::app::{AppError, Ledger, Run, Which};
use volledger::domain::projection::ProjectionName;
use volledger::domain::{Position, ProjectionId, Series, Table};
use volledger::projections::{Column, Facts, Projection, Registry};

/// Brought by "the program": it reads a view and another projection, a query by symbol.
struct Reader;

impl Projection for Reader {
    fn name(&self) -> &'static str {
        "reader"
    }
    fn version(&self) -> u32 {
        1
    }
    fn about(&self) -> &'static str {
        "days of spot, and rows of a query about the symbol"
    }
    fn views(&self) -> &'static [Series] {
        &[Series::Spot]
    }
    fn projections(&self) -> &'static [&'static str] {
        &["per_symbol"]
    }
    fn columns(&self) -> &'static [Column] {
        &[Column { name: "spot", about: "days" }, Column { name: "rows", about: "rows" }]
    }
    fn rows(&self, facts: &Facts<'_>) -> Result<Table, String> {
        let (days, rows) = (facts.records(Series::Spot).len(), facts.table("per_symbol").len());
        Ok(if days + rows == 0 { Table::new() } else { vec![vec![days.into(), rows.into()]] })
    }
}

/// Queries: by symbol, whole, over another projection, about another symbol too, over the log; one
/// with a row even for a symbol without facts, and one over that.
const QUERIES: [(&str, &str); 8] = [
    (
        "per_symbol",
        "SELECT symbol, date, atm_iv, hv20 FROM iv LEFT JOIN hv USING (symbol, date)
         WHERE symbol = :symbol",
    ),
    ("whole", "SELECT date, count(*) AS n, sum(atm_iv) AS total FROM iv GROUP BY date"),
    ("above", "SELECT w.date, w.n, (SELECT count(*) FROM per_symbol) AS all_rows FROM whole w"),
    (
        "against",
        "SELECT a.date AS date, a.atm_iv - b.atm_iv AS off FROM iv a JOIN iv b USING (date)
         WHERE a.symbol = :symbol AND b.symbol = 'AAA'",
    ),
    ("others", "SELECT :symbol AS symbol, count(*) AS n FROM spot"),
    ("log", "SELECT state, count(*) AS n FROM batches GROUP BY state"),
    ("named", "SELECT :symbol AS symbol, count(*) AS n FROM iv WHERE symbol = :symbol"),
    ("total", "SELECT count(*) AS symbols, sum(n) AS days FROM named"),
];

fn registry() -> Registry {
    Registry::default().with(Reader)
}

fn with_reader() -> Run<'static> {
    Run { registry: registry(), ..run() }
}

pub struct Projections {
    /// How many entries keeping them took.
    pub entries: usize,
    ids: Vec<ProjectionId>,
    steps: usize,
    seen: BTreeMap<Position, BTreeMap<ProjectionId, Vec<Table>>>,
}

impl Projections {
    pub fn add(ledger: &mut Ledger) -> Self {
        let run = with_reader();
        let before = ledger.position().0;
        let name = |text: &str| text.parse::<ProjectionName>().unwrap();
        for (of, query) in QUERIES {
            projection::add(ledger, &name(of), Some(query.to_owned()), &run).unwrap();
        }
        for of in ["iv_metrics", "iv_hv", "hv_estimators", "reader"] {
            projection::add(ledger, &name(of), None, &run).unwrap();
        }
        let ids: Vec<_> = ledger.projections().kept().map(|(id, _)| id.clone()).collect();
        let entries = (ledger.position().0 - before) as usize;
        assert_eq!((entries, ids.len()), (12, 12));
        Self { entries, ids, steps: 0, seen: BTreeMap::new() }
    }

    fn held(
        ledger: &mut Ledger,
        ids: &[ProjectionId],
        at: Option<Position>,
    ) -> BTreeMap<ProjectionId, Vec<Table>> {
        let registry = registry();
        Vantage::lend(ledger, &registry, |now| {
            let vantage = Vantage::new(Arc::clone(&now.ledger), &registry, at, Which::Latest)?;
            let tables = |id: &ProjectionId| -> Result<(ProjectionId, Vec<Table>), AppError> {
                let definition = vantage.definition(id)?;
                let parts = vantage.symbols(&definition)?;
                let parts = parts.map_or(vec![None], |all| all.into_iter().map(Some).collect());
                let tables = parts.iter().map(|part| vantage.rows(&definition, part.as_ref()));
                let tables = tables.collect::<Result<Vec<Table>, AppError>>()?;
                Ok((id.clone(), tables.into_iter().filter(|table| !table.is_empty()).collect()))
            };
            ids.iter().map(tables).collect()
        })
        .unwrap()
    }

    pub fn check(&mut self, ledger: &mut Ledger) {
        self.steps += 1;
        // Decisions brought all but those over the log up to the head; here every one follows.
        let threads = 1 + self.steps % 2;
        let Refresh { projections, .. } =
            projection::refresh_with(ledger, &[], false, threads, &with_reader());
        for of in &projections {
            assert_ne!(of.state, "failed", "{of:?}");
            let due = of.state == "current"
                || of.projection.starts_with("log@")
                || of.projection.starts_with("reader@");
            assert!(due, "a decision left it behind: {of:?}");
        }
        for threads in [1, 2] {
            for id in &self.ids {
                let wrong = Vantage::lend(ledger, &registry(), |vantage| {
                    refresh::compare(vantage, id, threads, &mut |_| {})
                });
                assert_eq!(wrong.unwrap(), Vec::<String>::new(), "{id} with {threads} threads");
            }
        }
        let held = Self::held(ledger, &self.ids, None);
        let at = ledger.position();
        if let Some(known) = self.seen.get(&at) {
            assert_eq!(*known, held, "a projection changed without an entry");
        }
        self.seen.insert(at, held);
    }

    /// What was held at a position is what that position answers ever after.
    pub fn end(self, ledger: &mut Ledger) {
        for (at, known) in &self.seen {
            assert_eq!(*known, Self::held(ledger, &self.ids, Some(*at)), "at {at}");
        }
    }
}
