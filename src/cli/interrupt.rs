//! What Ctrl-C does: the program ends, except during work that ends in a way of its own.

use super::exit::Exit;
use std::sync::{Mutex, MutexGuard, Once, PoisonError};

type Told = Option<Box<dyn Fn() + Send>>;

static TOLD: Mutex<Told> = Mutex::new(None);

/// Does some work, during which Ctrl-C does something else than end the program. Once the work is
/// over it ends at once, as it would without a handler: everything before is durable, and what is
/// half-written counts for nothing.
pub(super) fn instead<T>(told: impl Fn() + Send + 'static, work: impl FnOnce() -> T) -> T {
    static LISTENING: Once = Once::new();
    // Nobody else listens, so this is not refused; without a handler the program ends as it would.
    LISTENING.call_once(|| drop(ctrlc::set_handler(heard)));
    let before = this().replace(Box::new(told));
    let done = work();
    *this() = before;
    done
}

fn heard() {
    match &*this() {
        Some(told) => told(),
        None => std::process::exit(Exit::Interrupted as i32),
    }
}

fn this() -> MutexGuard<'static, Told> {
    TOLD.lock().unwrap_or_else(PoisonError::into_inner)
}
