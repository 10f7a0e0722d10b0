//! Long work: what runs, how far it is, and stopping it.
//!
//! A job stands on a thread of its own and not within a request, so no limit on requests ends it,
//! and closing the page does not either. It is heard of by [`Progress`]; whoever wants it to stop
//! sets a flag that the work looks at where nothing half is left.

use super::Site;
use super::trouble::Trouble;
use crate::app::report::VerifyReport;
use crate::app::{AppError, LedgerError, Progress, Run, error::Result};
use serde::Serialize;
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::watch;

/// Jobs that run at once; those that write take turns anyway.
const AT_ONCE: usize = 3;
/// Jobs that are over and still told of.
const KEPT: usize = 30;
/// Who listens hears of progress no more often.
const HEARD: Duration = Duration::from_millis(120);

/// What came of a job.
#[derive(Clone, Debug)]
pub(super) enum Came {
    /// The page at this address shows it.
    See(String),
    /// A verification.
    Verified(Arc<VerifyReport>),
}

/// Where a job stands: `volledger/job/1`.
#[derive(Clone, Debug, Serialize)]
#[serde(tag = "schema", rename = "volledger/job/1")]
pub(super) struct JobLine {
    /// Its number.
    pub(super) job: u64,
    /// What was asked for.
    pub(super) title: String,
    /// `running`, `stopping`, `done`, `stopped` or `failed`.
    pub(super) state: &'static str,
    /// The piece of work that is under way.
    pub(super) what: String,
    /// How much of it is done.
    pub(super) done: u64,
    /// Of how much, where that is known.
    pub(super) total: Option<u64>,
    /// Counted in what.
    pub(super) unit: &'static str,
    /// Seconds since it began, or that it took.
    pub(super) seconds: f64,
    /// The page that shows what came of it.
    pub(super) next: Option<String>,
    /// Why it failed.
    pub(super) error: Option<String>,
}

/// What changes while a job runs.
struct State {
    line: JobLine,
    came: Option<Came>,
    failed: Option<Trouble>,
    heard: Instant,
}

/// A job.
pub(super) struct Job {
    stop: AtomicBool,
    begun: Instant,
    state: Mutex<State>,
    /// Counts changes, for those who listen.
    changes: watch::Sender<u64>,
}

impl Job {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Where it stands.
    pub(super) fn line(&self) -> JobLine {
        let state = self.state();
        let mut line = state.line.clone();
        if !over(line.state) {
            line.seconds = seconds(self.begun);
            if self.stop.load(Ordering::Relaxed) {
                line.state = "stopping";
            }
        }
        line
    }

    /// What came of it.
    pub(super) fn came(&self) -> Option<Came> {
        self.state().came.clone()
    }

    /// Why it failed, in a person's words.
    pub(super) fn failed(&self) -> Option<Trouble> {
        self.state().failed.clone()
    }

    /// Whether it is over.
    pub(super) fn is_over(&self) -> bool {
        over(self.state().line.state)
    }

    /// Asks it to stop; one that is over stays as it is.
    pub(super) fn stop(&self) {
        self.stop.store(true, Ordering::Relaxed);
        self.changed();
    }

    /// Hears of changes.
    pub(super) fn changes(&self) -> watch::Receiver<u64> {
        self.changes.subscribe()
    }

    fn changed(&self) {
        self.changes.send_modify(|count| *count += 1);
    }

    fn end(&self, came: Result<Came>, told: impl Fn(AppError) -> Trouble) {
        {
            let mut state = self.state();
            state.line.seconds = seconds(self.begun);
            match came {
                Ok(came) => {
                    state.line.state = "done";
                    if let Came::See(next) = &came {
                        state.line.next = Some(next.clone());
                    }
                    state.came = Some(came);
                }
                Err(AppError::Ledger(LedgerError::Stopped)) => state.line.state = "stopped",
                Err(error) => {
                    let trouble = told(error);
                    state.line.state = "failed";
                    state.line.error = Some(trouble.text().to_owned());
                    state.failed = Some(trouble);
                }
            }
        }
        self.changed();
    }
}

fn over(state: &str) -> bool {
    !matches!(state, "running" | "stopping")
}

fn seconds(since: Instant) -> f64 {
    (since.elapsed().as_secs_f64() * 10.0).round() / 10.0
}

impl Progress for Job {
    fn begin(&self, what: &str, total: Option<u64>, unit: &'static str) {
        {
            let mut state = self.state();
            let line = &mut state.line;
            (line.what, line.done, line.total, line.unit) = (what.to_owned(), 0, total, unit);
        }
        self.changed();
    }

    fn at(&self, done: u64) {
        let mut state = self.state();
        state.line.done = done;
        if state.heard.elapsed() < HEARD {
            return;
        }
        state.heard = Instant::now();
        drop(state);
        self.changed();
    }

    fn end(&self) {
        let mut state = self.state();
        if let Some(total) = state.line.total {
            state.line.done = total;
        }
    }

    fn stopped(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }
}

impl std::fmt::Debug for Job {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Job({})", self.state().line.title)
    }
}

/// All jobs, the newest of those that are over among them.
#[derive(Debug, Default)]
pub(super) struct Jobs(Mutex<(u64, BTreeMap<u64, Arc<Job>>)>);

impl Jobs {
    fn all(&self) -> MutexGuard<'_, (u64, BTreeMap<u64, Arc<Job>>)> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// One job.
    pub(super) fn get(&self, number: u64) -> Option<Arc<Job>> {
        self.all().1.get(&number).cloned()
    }

    /// All of them, the newest first.
    pub(super) fn lines(&self) -> Vec<JobLine> {
        self.all().1.values().rev().map(|job| job.line()).collect()
    }

    /// Asks all to stop: the server ends.
    pub(super) fn stop(&self) {
        self.all().1.values().for_each(|job| job.stop());
    }

    /// Waits until all are over, that long at most.
    pub(super) fn wait(&self, patience: Duration) {
        let end = Instant::now() + patience;
        while self.all().1.values().any(|job| !job.is_over()) && Instant::now() < end {
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// A new job; `None` when enough of them run.
    fn begin(&self, title: String) -> Option<(u64, Arc<Job>)> {
        let mut all = self.all();
        let (last, jobs) = &mut *all;
        if jobs.values().filter(|job| !job.is_over()).count() >= AT_ONCE {
            return None;
        }
        while jobs.len() >= KEPT + AT_ONCE {
            let oldest = jobs.iter().find(|(_, job)| job.is_over()).map(|(number, _)| *number);
            let Some(oldest) = oldest else { break };
            jobs.remove(&oldest);
        }
        *last += 1;
        let line = JobLine {
            job: *last,
            title,
            state: "running",
            what: "waiting for its turn".to_owned(),
            done: 0,
            total: None,
            unit: "",
            seconds: 0.0,
            next: None,
            error: None,
        };
        let state = State { line, came: None, failed: None, heard: Instant::now() };
        let job = Arc::new(Job {
            stop: AtomicBool::new(false),
            begun: Instant::now(),
            state: Mutex::new(state),
            changes: watch::Sender::new(0),
        });
        jobs.insert(*last, Arc::clone(&job));
        Some((*last, job))
    }
}

/// Does work as a job; its number, or `None` when enough of them run.
pub(super) fn start(
    site: &Arc<Site>,
    title: impl Into<String>,
    work: impl FnOnce(&Site, &Run<'_>) -> Result<Came> + Send + 'static,
) -> Option<(u64, Arc<Job>)> {
    let (number, job) = site.jobs.begin(title.into())?;
    let (own, of) = (Arc::clone(&job), Arc::clone(site));
    let thread = std::thread::Builder::new().name("volledger-job".to_owned());
    let spawned = thread.spawn(move || {
        let run = Run { progress: &*own, ..of.desk.hand.run() };
        let done = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| work(&of, &run)));
        // A panic leaves nothing half: what was not acknowledged does not count.
        let bug =
            |_| Err(AppError::NotFound("internal error (a bug); nothing of it counts".to_owned()));
        own.end(done.unwrap_or_else(bug), |error| Trouble::of(error, &of));
    });
    if let Err(source) = spawned {
        let name = "a thread of its own".to_owned();
        job.end(Err(AppError::Unwritable { name, source }), |error| Trouble::of(error, site));
    }
    Some((number, job))
}

/// Waits until a job is over, that long at most; whether it is.
pub(super) async fn over_within(job: &Job, patience: Duration) -> bool {
    let mut changes = job.changes();
    let wait = async {
        while !job.is_over() {
            if changes.changed().await.is_err() {
                break;
            }
        }
    };
    tokio::time::timeout(patience, wait).await.is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn few_run_at_once_and_old_ones_are_forgotten() {
        let jobs = Jobs::default();
        let said = |error: AppError| Trouble::malformed(error.to_string());
        let running: Vec<_> = (0..AT_ONCE).map(|_| jobs.begin("a".into()).unwrap()).collect();
        assert!(jobs.begin("one too many".into()).is_none());
        running[0].1.end(Ok(Came::See("/x".into())), said);
        assert_eq!(jobs.get(1).unwrap().line().next.as_deref(), Some("/x"));
        for _ in 0..KEPT + 20 {
            let (_, job) = jobs.begin("b".into()).unwrap();
            job.stop();
            assert_eq!(job.line().state, "stopping");
            job.end(Err(LedgerError::Stopped.into()), said);
            assert_eq!((job.line().state, job.line().error), ("stopped", None));
        }
        assert!(jobs.lines().len() <= KEPT + AT_ONCE);
        // Those that run are never forgotten, and what is over stays what it was.
        assert!(jobs.get(2).is_some() && jobs.get(3).is_some() && jobs.get(1).is_none());
        let (_, job) = jobs.begin("c".into()).unwrap();
        job.end(Err(AppError::NotFound("gone".into())), said);
        job.stop();
        let line = job.line();
        assert_eq!((line.state, line.error.as_deref()), ("failed", Some("gone")));
        assert_eq!(job.failed().unwrap().text(), "gone");
    }
}
