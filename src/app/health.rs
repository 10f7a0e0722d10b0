//! `health`: whether everything that a run needs is in order (`iv_crush.md` A17), quickly.
//!
//! Each check runs by itself and gets [`PATIENCE`]; one that hangs does not hold up the others.

use super::Run;
use super::clock::rfc3339;
use super::fetch::{Provider, ServiceOptions, reach};
use super::report::{Health, HealthCheck};
use crate::domain::EntryKind;
use crate::ledger::{Inbox, Ledger, LedgerError, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::mpsc;
use std::time::{Duration, Instant};

/// How long a check may take.
pub const PATIENCE: Duration = Duration::from_secs(5);

/// How long the ledger's check waits for another process, whatever a command would: one that is still in
/// use then is left out, and that is said before [`PATIENCE`] is over.
const WAIT: Duration = Duration::from_secs(1);

/// Room below which a disk is not in order, in bytes: a batch of a million rows with its source
/// takes about 100 MB.
const ROOM: u64 = 256_000_000;

/// The newest batch is verified when it has no more events than that; `verify` looks at all.
const FEW: u64 = 20_000;

/// How a check ended.
enum Found {
    /// In order; what is to be said of it.
    Sound(String),
    /// Not looked at, and why.
    Skipped(String),
    /// Not in order, and why.
    Hurt(String),
}

/// A check that can run beside others.
type Check = Box<dyn FnOnce() -> Found + Send>;

/// What to look at.
pub struct HealthQuery {
    /// The ledger's directory.
    pub directory: PathBuf,
    /// How it would be opened.
    pub options: OpenOptions,
    /// How each service would be reached; `None` without a key.
    pub services: Vec<(Provider, Option<ServiceOptions>)>,
    /// Whether to ask the services.
    pub online: bool,
}

/// Looks at ledger, disk, inbox and services, all at once.
pub fn health(query: HealthQuery, run: &Run<'_>) -> Health {
    let HealthQuery { directory, options, services, online } = query;
    let (one, two) = (directory.clone(), directory.clone());
    let mut checks: Vec<(&'static str, Check)> = vec![
        ("ledger", Box::new(move || ledger(&directory, &options))),
        ("disk", Box::new(move || disk(&one))),
        ("inbox", Box::new(move || inbox(&two))),
    ];
    for (provider, options) in services {
        checks.push((provider.name(), Box::new(move || service(options, online))));
    }
    let waiting: Vec<_> = checks.into_iter().map(|(name, check)| (name, begun(check))).collect();
    let begin = Instant::now();
    let checks: Vec<HealthCheck> = waiting
        .into_iter()
        .map(|(name, answer)| {
            let left = PATIENCE.saturating_sub(begin.elapsed());
            let late = || (Found::Hurt(format!("no answer in {} s", PATIENCE.as_secs())), PATIENCE);
            let (found, took) = answer.recv_timeout(left).unwrap_or_else(|_| late());
            line(name, found, took)
        })
        .collect();
    Health {
        checked_at: rfc3339(run.clock.now_ms()),
        healthy: checks.iter().all(|check| check.healthy != Some(false)),
        checks,
    }
}

/// Starts a check on a thread of its own, which is left to itself when it is late.
fn begun(check: Check) -> mpsc::Receiver<(Found, Duration)> {
    let (send, receive) = mpsc::channel();
    std::thread::spawn(move || {
        let begin = Instant::now();
        let found = check();
        let _ = send.send((found, begin.elapsed())); // nobody waits any more
    });
    receive
}

fn line(name: &'static str, found: Found, took: Duration) -> HealthCheck {
    let (healthy, note) = match found {
        Found::Sound(note) => (Some(true), note),
        Found::Skipped(note) => (None, note),
        Found::Hurt(note) => (Some(false), note),
    };
    let latency_ms = (took.as_secs_f64() * 1e4).round() / 10.0;
    HealthCheck { name, healthy, latency_ms, note }
}

/// Opens the ledger, which recomputes the root of its whole log, and reads its newest batch.
fn ledger(directory: &Path, options: &OpenOptions) -> Found {
    let options = OpenOptions { patience: options.patience.min(WAIT), ..options.clone() };
    let ledger = match Ledger::open(directory, &options) {
        Ok(ledger) => ledger,
        Err(LedgerError::Held { holder }) => return Found::Skipped(format!("in use: {holder}")),
        Err(error) => return Found::Hurt(error.to_string()),
    };
    let stages = ledger.entries().iter().rev().filter_map(|entry| match &entry.kind {
        EntryKind::Stage(stage) => Some(stage),
        _ => None,
    });
    let mut checked = 0;
    for stage in stages.take_while(|stage| stage.events <= FEW).take(1) {
        if let Err(error) = ledger.verify_batch(stage) {
            return Found::Hurt(error.to_string());
        }
        checked = stage.events;
    }
    let (position, root) = (ledger.position(), ledger.head().root.short());
    let mut note = format!("{position} {root}, {checked} events of the newest batch verified");
    for said in ledger.notes() {
        note = format!("{note}; {said}");
    }
    Found::Sound(note)
}

/// Writes a probe beside the ledger, makes it durable, and takes it away again.
fn disk(directory: &Path) -> Found {
    let place = if directory.is_dir() { directory } else { Path::new(".") };
    let probe = tempfile::Builder::new().prefix(".health-").tempfile_in(place);
    let written = probe.and_then(|mut probe| {
        probe.write_all(&[0; 4096])?;
        probe.as_file().sync_data()?;
        probe.close()
    });
    if let Err(error) = written {
        return Found::Hurt(format!("cannot be written: {error}"));
    }
    room(free(place))
}

/// What is to be said of a disk with so many free bytes.
fn room(free: Option<u64>) -> Found {
    let mega = |bytes: u64| bytes / 1_000_000;
    match free {
        None => Found::Sound("written and synced".to_owned()),
        Some(free) if free < ROOM => {
            Found::Hurt(format!("{} MB are free; {} MB are wanted", mega(free), mega(ROOM)))
        }
        Some(free) => Found::Sound(format!("written and synced, {} MB free", mega(free))),
    }
}

/// Bytes that are free for this user.
#[cfg(unix)]
fn free(place: &Path) -> Option<u64> {
    let found = rustix::fs::statvfs(place).ok()?;
    found.f_bavail.checked_mul(found.f_frsize)
}

#[cfg(not(unix))]
fn free(_: &Path) -> Option<u64> {
    None
}

/// What a fetch left that was not settled yet.
fn inbox(directory: &Path) -> Found {
    match Inbox::bytes_waiting(directory) {
        Ok(None) => Found::Skipped("there is none".to_owned()),
        Ok(Some(0)) => Found::Sound("empty".to_owned()),
        Ok(Some(bytes)) => {
            Found::Sound(format!("{bytes} bytes of answers; `volledger fetch` settles them"))
        }
        Err(error) => Found::Hurt(error.to_string()),
    }
}

fn service(options: Option<ServiceOptions>, online: bool) -> Found {
    match options {
        None => Found::Skipped("there is no key".to_owned()),
        Some(_) if !online => Found::Skipped("there is a key; `--online` asks".to_owned()),
        Some(options) => match reach(options, PATIENCE) {
            Ok(()) => Found::Sound("it answers".to_owned()),
            Err(text) => Found::Hurt(text),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_free_and_what_is_wanted_are_told_in_the_same_unit() {
        match room(Some(ROOM - 1)) {
            Found::Hurt(why) => assert_eq!(why, "255 MB are free; 256 MB are wanted"),
            _ => panic!("too little room is in order"),
        }
        assert!(matches!(room(Some(ROOM)), Found::Sound(_)));
    }
}
