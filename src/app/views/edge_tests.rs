//! Days that no calendar has: they stand in ledgers of earlier versions, which took them from another
//! ledger's batch.

use super::root::tests::{run, staged};
use crate::app::decide::confirm_staged;
use crate::app::draft::Draft;
use crate::app::import::with_events;
use crate::app::prepared::write_events;
use crate::app::{outside, verify};
use crate::domain::rows::Key;
use crate::domain::{Day, Field, Op, Origin, Series, Symbol, Value};
use crate::ledger::Ledger;
use std::time::Duration;

/// A confirmed batch of these days and items, with the source of another.
fn confirmed(ledger: &mut Ledger, view: Series, keys: &[(i32, &str)]) {
    let before = staged(ledger, [(1, 2)].into_iter()).batch.unwrap();
    let stage = ledger.batches().get(before).unwrap().stage.clone();
    let manifest = ledger.manifest_of(&stage).unwrap();
    let definition = String::from_utf8(ledger.source(&stage.mapping.digest).unwrap()).unwrap();
    let (symbol, shape) = (Symbol::exact("AAA").unwrap(), [Field::of(view, "a note")]);
    let prepared = with_events(ledger, false, |target, writer| {
        write_events(target, writer, &run(), |out| {
            for (day, item) in keys {
                let origin = Origin { source: 0, line: 2, offset: 0, len: 5 };
                let key = Key { symbol: &symbol, day: Day(*day), item };
                out.event(origin, view, Op::Put, key, &shape, [Value::from_json_number("1.5")])?;
            }
            Ok(())
        })
    });
    let about = ("imported_batch", "staged elsewhere".to_owned());
    let draft = Draft { series: view, ..Draft::of_staged(&stage, manifest, definition, about) };
    let staged = prepared.unwrap().settle(ledger, draft, false, &run()).unwrap();
    confirm_staged(ledger, &staged, &run()).unwrap();
}

#[test]
fn a_ledger_with_days_at_the_end_of_time_opens() {
    let last = i32::MAX;
    let daily = [(i32::MIN, ""), (i32::MIN + 1, ""), (last - 1, ""), (last, "")];
    let dense = [(i32::MIN, "a"), (i32::MIN, "b"), (last - 1, "a"), (last, "a"), (last, "b")];
    for (view, keys) in [(Series::Iv, &daily[..]), (Series::Bars, &dense[..])] {
        let directory = tempfile::tempdir().unwrap();
        let root = directory.path().join("l");
        let mut ledger = outside::create(&root, "test", Duration::ZERO).unwrap();
        confirmed(&mut ledger, view, keys);
        drop(ledger);
        let opened = outside::open(&root, "test", Duration::from_secs(5), &run()).unwrap();
        assert_eq!(opened.notes, Vec::<String>::new());
        let verified = verify::verify(&opened.ledger, true, &run()).unwrap();
        assert!(verified.ok, "{view}: {verified:?}");
    }
}
