//! Updates and rebuilds of views that are cut short before any of their writes.

use super::root::tests::{import, name, old_root, run, sound, staged};
use super::{ViewReader, catch_up, rebuild};
use crate::app::decide::confirm_staged;
use crate::app::error::AppError;
use crate::app::watched::{self, Watch};
use crate::app::{Silent, lookup};
use crate::domain::Series;
use crate::ledger::Ledger;
use std::sync::Arc;

/// A ledger whose only shard of each view is full, with roots of today or of an earlier program.
fn full(old: bool) -> (Ledger, Arc<Watch>) {
    let (mut ledger, left) = watched::ledger();
    import(&mut ledger, (0..64).map(|n| (2 * n, 2)));
    if old {
        old_root(&mut ledger, Series::Iv, false);
    }
    (ledger, left)
}

/// What two views show.
fn shown(ledger: &Ledger) -> Vec<String> {
    let of = |series| lookup::view(ledger, &lookup::ViewQuery::of(series)).unwrap();
    let views = [Series::Iv, Series::Hv].into_iter().flat_map(of);
    views.map(|view| format!("{} {}", view.symbol, view.digest)).collect()
}

#[test]
fn an_update_that_splits_a_shard_may_end_before_any_of_its_writes() {
    for old in [false, true] {
        let more = || [(6, 3), (20, 3), (63, 2), (126, 3)].into_iter();
        let (mut whole, _) = full(old);
        import(&mut whole, more());
        sound(&whole);
        let wanted = shown(&whole);
        let mut cuts = 0;
        for after in 0.. {
            let (mut ledger, left) = full(old);
            let staged = staged(&mut ledger, more());
            left.allow(after);
            let done = confirm_staged(&mut ledger, &staged, &run());
            left.allow(u64::MAX);
            if done.is_ok() {
                break;
            }
            cuts += 1;
            assert!(matches!(done, Err(AppError::ViewsBehind { .. })), "{after}: {done:?}");
            // A reader in this process has all of it, or is refused; the next start mends it.
            if ViewReader::new(&ledger).is_ok() {
                assert_eq!(shown(&ledger), wanted, "cut after {after}");
            }
            catch_up(&mut ledger, &Silent).unwrap();
            sound(&ledger);
            assert_eq!(shown(&ledger), wanted, "cut after {after}, then mended");
        }
        // Marks, chunks of what was known, directories, two shards, roots: of two views.
        assert!(cuts > 20, "{cuts}");
    }
}

#[test]
fn a_rebuild_may_end_before_any_of_its_writes() {
    for old in [false, true] {
        let mut cuts = 0;
        for after in (0..).step_by(3) {
            let (mut ledger, left) = full(old);
            let wanted = shown(&ledger);
            left.allow(after);
            let done = rebuild(&mut ledger, Series::Iv, &Silent);
            left.allow(u64::MAX);
            assert_eq!(shown(&ledger), wanted, "cut after {after}");
            sound(&ledger);
            if done.is_ok() {
                break;
            }
            cuts += 1;
            import(&mut ledger, [(7, 2)].into_iter());
            rebuild(&mut ledger, Series::Iv, &Silent).unwrap();
            sound(&ledger);
            assert_eq!(ViewReader::new(&ledger).unwrap().events(Series::Iv, &name(7)).unwrap(), 1);
        }
        assert!(cuts > 20, "{cuts}");
    }
}
