//! What Ctrl-C does: the program ends, except during work that ends in a way of its own.

use super::exit::Exit;
use crate::app::scratch;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, Once, PoisonError};
use std::time::Duration;

type Told = Box<dyn Fn() + Send>;

/// The works under way, the last begun last, each with a number of its own.
static TOLD: Mutex<Vec<(u64, Told)>> = Mutex::new(Vec::new());

/// Does some work, during which Ctrl-C does something else than end the program. Once the work is
/// over it ends at once, as it would without a handler: everything before is durable, and what is
/// half-written counts for nothing.
pub(super) fn instead<T>(told: impl Fn() + Send + 'static, work: impl FnOnce() -> T) -> T {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    listen();
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    under_way().push((number, Box::new(told)));
    let done = work();
    under_way().retain(|(of, _)| *of != number);
    done
}

/// Hears of Ctrl-C, of an end that is asked for and of a terminal that goes, from now on. Not where the
/// program was started to ignore one of these (`nohup`, the background of a script): a handler has no way to
/// tell them apart, and what was to outlive a logout would end with it. The others end it at once then.
fn listen() {
    static LISTENING: Once = Once::new();
    // It refuses where a signal has another meaning already, and leaves it that one.
    LISTENING.call_once(|| drop(ctrlc::try_set_handler(heard)));
}

/// Copies of the ledger under passing names go when Ctrl-C ends the program. Not for one that hears of
/// it in a way of its own.
pub(super) fn clears_away() {
    scratch::when_noted(listen);
}

fn heard() {
    match under_way().last() {
        Some((_, told)) => told(),
        None => {
            ENDING.store(true, Ordering::Release);
            scratch::clear_away();
            std::process::exit(Exit::Interrupted as i32)
        }
    }
}

/// Whether the program is being ended: what fails meanwhile does so because its files are taken away.
static ENDING: AtomicBool = AtomicBool::new(false);

/// Waits for the end of a program that is being ended.
pub(super) fn wait_if_ending() {
    while ENDING.load(Ordering::Acquire) {
        std::thread::sleep(Duration::from_millis(10));
    }
}

fn under_way() -> MutexGuard<'static, Vec<(u64, Told)>> {
    TOLD.lock().unwrap_or_else(PoisonError::into_inner)
}
