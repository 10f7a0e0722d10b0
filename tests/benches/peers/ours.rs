//! The ledger, through the same functions as the program.

use super::rows::Row;
use super::{Adding, Measure, Store};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};
use volledger::app::groups::Groups;
use volledger::app::import::{ImportOptions, Input, Staged, SymbolChoice, import_csv};
use volledger::app::{Ledger, OpenOptions, Run, Which, decide, outside, verify};
use volledger::domain::{BatchId, Series};
use volledger::projections::view::{Activity, each};

/// With or without the mirror of segment files.
pub struct Ours {
    pub mirror: bool,
}

impl Ours {
    fn options(&self) -> OpenOptions {
        OpenOptions { mirror: self.mirror, ..OpenOptions::new("bench", Duration::ZERO) }
    }

    fn open_at(&self, store: &Path) -> Ledger {
        outside::open_with(store, &self.options(), &Run::new("bench")).unwrap().ledger
    }
}

/// Stages a file, with the review of what it would change.
fn stage(ledger: &mut Ledger, file: &Path, run: &Run<'_>) -> Staged {
    let options =
        ImportOptions { symbol: SymbolChoice::FromColumn, ..ImportOptions::of(Series::Iv) };
    import_csv(ledger, &[Input::file(file)], &options, run).unwrap()
}

/// The same, and confirms it: what `import --yes` does.
fn import(ledger: &mut Ledger, file: &Path, run: &Run<'_>) {
    let stage = |ledger: &mut _| Ok(stage(ledger, file, run));
    let (_, decided) = decide::stage_and_confirm(ledger, run, stage, |_, _| true).unwrap();
    decided.unwrap().unwrap();
}

/// A row as a file.
fn text(row: &Row) -> String {
    let [a, b, c, d] = row.values;
    format!(
        "Symbol,Date,IV30,IV30 20-Day MA,OHLC 20-Day Vol,OHLC 52-Week Vol,Options Volume\n\
         {},{},{a},{b},{c},{d},{}\n",
        row.symbol,
        volledger::domain::Day(row.day),
        row.volume
    )
}

/// The records of both views, folded from the events of the log; nothing stored is used.
fn folded(ledger: &Ledger) -> u64 {
    let views = [Series::Iv, Series::Hv];
    let batches: Vec<BatchId> = ledger.batches().iter().map(|(id, _)| id).collect();
    let active = views.map(|view| Activity::at(ledger.batches(), view, ledger.position()));
    let mut groups = Groups::of(ledger, &batches).unwrap().only(views);
    let work = |groups: &Groups, range: &_| {
        let mut count = 0;
        for events in groups.events(ledger, range)?.values() {
            for (view, active) in views.iter().zip(&active) {
                let Some(history) = events.views.get(view) else { continue };
                each(*view, history, active, Which::Latest, &mut |shown| {
                    std::hint::black_box(&shown);
                    count += 1;
                });
            }
        }
        Ok(count)
    };
    let mut count = 0;
    while let Some(counts) = groups.next_with(volledger::app::threads(), &work).unwrap() {
        count += counts.iter().sum::<u64>();
    }
    count
}

impl Store for Ours {
    fn load(&self, store: &Path, files: &[PathBuf]) {
        let run = Run::new("bench");
        let mut ledger = outside::create_with(store, &self.options()).unwrap();
        for file in files {
            import(&mut ledger, file, &run);
        }
    }

    fn open(&self, store: &Path) {
        assert!(self.open_at(store).position().0 > 0);
    }

    fn fold(&self, store: &Path, measured: Measure<'_>) {
        let ledger = self.open_at(store);
        measured(&mut || folded(&ledger));
    }

    fn rehash(&self, store: &Path, measured: Measure<'_>) {
        let ledger = self.open_at(store);
        measured(&mut || {
            let report = verify::verify(&ledger, true, &Run::new("bench")).unwrap();
            assert!(report.ok);
            report.events
        });
    }

    fn rebuild(&self, store: &Path, measured: Measure<'_>) {
        let (mut ledger, run) = (self.open_at(store), Run::new("bench"));
        measured(&mut || {
            let built = [Series::Iv, Series::Hv].map(|view| {
                volledger::app::views::rebuild(&mut ledger, view, &volledger::app::Silent).unwrap();
            });
            built.len() as u64
        });
        assert!(verify::verify_one(&ledger, Series::Iv, &run).unwrap().ok);
    }

    fn commit(&self, store: &Path, one: Adding<'_>) {
        let (mut ledger, run) = (self.open_at(store), Run::new("bench"));
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("one.csv");
        one(&mut |row| {
            std::fs::write(&file, text(row)).unwrap();
            let begin = Instant::now();
            import(&mut ledger, &file, &run);
            begin
        });
    }

    fn decide(&self, store: &Path, count: usize) -> Vec<f64> {
        let (mut ledger, run) = (self.open_at(store), Run::new("bench"));
        let file = tempfile::NamedTempFile::new().unwrap();
        let row = |number| Row { day: 20_400, ..super::single(number) };
        let one = |number| {
            std::fs::write(file.path(), text(&row(number))).unwrap();
            let staged = stage(&mut ledger, file.path(), &run);
            let begin = Instant::now();
            decide::confirm_staged(&mut ledger, &staged, &run).unwrap();
            begin.elapsed().as_secs_f64() * 1e6
        };
        (0..count as u32).map(one).collect()
    }

    fn roll_back(&self, store: &Path, batch: u32, measured: Measure<'_>) {
        let (mut ledger, run) = (self.open_at(store), Run::new("bench"));
        measured(&mut || {
            let batch = BatchId(batch + 1);
            decide::roll_back(&mut ledger, batch, None, false, &run).unwrap();
            ledger.batches().get(batch).unwrap().stage.events
        });
    }

    fn extra(&self, store: &Path) -> Vec<(&'static str, u64)> {
        let ledger = self.open_at(store);
        let batches: Vec<BatchId> = ledger.batches().iter().map(|(id, _)| id).collect();
        let blocks = batches.iter().flat_map(|id| {
            (0..).map_while(|index| ledger.block(*id, index).unwrap().map(|bytes| bytes.len()))
        });
        vec![("block_bytes", blocks.sum::<usize>() as u64)]
    }
}
