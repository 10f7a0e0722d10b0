//! What Ctrl-C does: the program ends, except during work that ends in a way of its own.

use super::exit::Exit;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, Once, PoisonError};

type Told = Box<dyn Fn() + Send>;

/// The works under way, the last begun last, each with a number of its own.
static TOLD: Mutex<Vec<(u64, Told)>> = Mutex::new(Vec::new());

/// Does some work, during which Ctrl-C does something else than end the program. Once the work is
/// over it ends at once, as it would without a handler: everything before is durable, and what is
/// half-written counts for nothing.
pub(super) fn instead<T>(told: impl Fn() + Send + 'static, work: impl FnOnce() -> T) -> T {
    static LISTENING: Once = Once::new();
    static NEXT: AtomicU64 = AtomicU64::new(0);
    // Nobody else listens, so this is not refused; without a handler the program ends as it would.
    LISTENING.call_once(|| drop(ctrlc::set_handler(heard)));
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    under_way().push((number, Box::new(told)));
    let done = work();
    under_way().retain(|(of, _)| *of != number);
    done
}

fn heard() {
    match under_way().last() {
        Some((_, told)) => told(),
        None => std::process::exit(Exit::Interrupted as i32),
    }
}

fn under_way() -> MutexGuard<'static, Vec<(u64, Told)>> {
    TOLD.lock().unwrap_or_else(PoisonError::into_inner)
}
