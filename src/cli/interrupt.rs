//! What Ctrl-C does: the program ends, except during work that ends in a way of its own.

use super::exit::Exit;
use crate::app::scratch;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{SyncSender, sync_channel};
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

/// Hears of Ctrl-C, of an end that is asked for and of a terminal that goes, from now on; not of those
/// that the program was started to ignore (`nohup`, the background of a script), or what was to outlive a
/// logout would end with it.
fn listen() {
    static LISTENING: Once = Once::new();
    LISTENING.call_once(|| {
        let (ready, heard) = sync_channel::<()>(1);
        let listening = std::thread::Builder::new().name("signals".to_owned());
        // Where none can be heard, each ends the program at once, which loses nothing.
        if listening.spawn(move || drop(hear(ready))).is_ok() {
            let _ = heard.recv();
        }
    });
}

/// Waits for signals, one after the other; says when it has begun to.
fn hear(ready: SyncSender<()>) -> std::io::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build()?;
    runtime.block_on(async {
        let mut signals = Signals::new()?;
        let _ = ready.send(());
        loop {
            signals.next().await;
            heard();
        }
    })
}

#[cfg(unix)]
struct Signals([Option<tokio::signal::unix::Signal>; 3]);

#[cfg(unix)]
impl Signals {
    fn new() -> std::io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        let ignored = ignored();
        let of = |kind: SignalKind| {
            let bit = kind.as_raw_value() - 1;
            let heard = ignored >> bit & 1 == 0;
            heard.then(|| signal(kind)).transpose()
        };
        let kinds = [SignalKind::interrupt(), SignalKind::terminate(), SignalKind::hangup()];
        let [interrupt, terminate, hangup] = kinds.map(of);
        Ok(Self([interrupt?, terminate?, hangup?]))
    }

    async fn next(&mut self) {
        async fn one(signal: &mut Option<tokio::signal::unix::Signal>) {
            match signal {
                Some(signal) => drop(signal.recv().await),
                None => std::future::pending().await,
            }
        }
        let [interrupt, terminate, hangup] = &mut self.0;
        tokio::select! {
            () = one(interrupt) => {}
            () = one(terminate) => {}
            () = one(hangup) => {}
        }
    }
}

/// The signals that the program was started to ignore, a bit each, where the system says so.
#[cfg(unix)]
fn ignored() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status.lines().find_map(|line| line.strip_prefix("SigIgn:"));
    mask.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok()).unwrap_or_default()
}

#[cfg(not(unix))]
struct Signals;

#[cfg(not(unix))]
impl Signals {
    fn new() -> std::io::Result<Self> {
        Ok(Self)
    }

    async fn next(&mut self) {
        let _ = tokio::signal::ctrl_c().await;
    }
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
