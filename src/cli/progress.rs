//! How far a long piece of work is, on standard error, for a person only.

use crate::app::Progress;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::cell::RefCell;
use std::time::{Duration, Instant};

/// Nothing is shown for work that is over before that.
const PATIENCE: Duration = Duration::from_millis(300);

/// A bar that appears when the work takes longer; it also remembers how long each part took.
pub(super) struct Bar {
    shown: bool,
    work: RefCell<Option<Work>>,
    since: Instant,
    times: RefCell<Vec<Timing>>,
}

/// A part of the work that may be done several times.
struct Timing {
    what: String,
    times: u64,
    total: Duration,
    longest: Duration,
}

struct Work {
    what: String,
    total: Option<u64>,
    unit: &'static str,
    since: Instant,
    bar: Option<ProgressBar>,
}

impl Bar {
    /// `shown`: somebody looks at standard error and wants to see it.
    pub(super) fn new(shown: bool) -> Self {
        let (work, times) = (RefCell::new(None), RefCell::default());
        Self { shown, work, since: Instant::now(), times }
    }

    /// How long each part took: its name, how often, milliseconds in all and of the longest.
    pub(super) fn timings(&self) -> String {
        self.end();
        let ms = |time: Duration| format!("{:.1}", time.as_secs_f64() * 1e3);
        let mut lines = vec!["Timings (ms)".to_owned()];
        for one in self.times.borrow().iter() {
            let (total, longest) = (ms(one.total), ms(one.longest));
            let times = one.times;
            lines.push(format!("  {:<28} {total:>9}  {times} x, longest {longest}", one.what));
        }
        lines.push(format!("  {:<28} {:>9}", "the whole command", ms(self.since.elapsed())));
        lines.join("\n")
    }

    fn remember(&self, work: &Work) {
        let (Ok(mut all), took) = (self.times.try_borrow_mut(), work.since.elapsed()) else {
            return;
        };
        match all.iter_mut().find(|one| one.what == work.what) {
            Some(one) => {
                one.times += 1;
                one.total += took;
                one.longest = one.longest.max(took);
            }
            None => {
                let what = work.what.clone();
                all.push(Timing { what, times: 1, total: took, longest: took });
            }
        }
    }
}

impl Progress for Bar {
    fn begin(&self, what: &str, total: Option<u64>, unit: &'static str) {
        self.end();
        if let Ok(mut work) = self.work.try_borrow_mut() {
            let since = Instant::now();
            *work = Some(Work { what: what.to_owned(), total, unit, since, bar: None });
        }
    }

    fn at(&self, done: u64) {
        let Ok(mut work) = self.work.try_borrow_mut() else {
            return;
        };
        let Some(work) = work.as_mut() else { return };
        if self.shown && work.bar.is_none() && work.since.elapsed() >= PATIENCE {
            work.bar = Some(draw(work));
        }
        if let Some(bar) = &work.bar {
            bar.set_position(done);
        }
    }

    fn waiting(&self, done: u64, wait: Duration) {
        self.at(done);
        if let Ok(work) = self.work.try_borrow()
            && let Some(work) = work.as_ref()
            && let Some(bar) = &work.bar
        {
            let seconds = wait.as_secs_f64().ceil();
            bar.set_message(match seconds >= 1.0 {
                true => format!("{}  next request in {seconds} s", work.what),
                false => work.what.clone(),
            });
        }
    }

    fn end(&self) {
        let Ok(mut work) = self.work.try_borrow_mut() else {
            return;
        };
        let Some(work) = work.take() else { return };
        self.remember(&work);
        if let Some(bar) = work.bar {
            bar.finish_and_clear();
        }
    }
}

fn draw(work: &Work) -> ProgressBar {
    let target = ProgressDrawTarget::stderr_with_hz(10);
    let bar = ProgressBar::with_draw_target(work.total, target);
    let template = match work.total {
        Some(_) => {
            format!("{{msg}}  {{bar:28}}  {{human_pos}} of {{human_len}} {}  {{eta}}", work.unit)
        }
        None => format!("{{msg}}  {{spinner}}  {{human_pos}} {}", work.unit),
    };
    if let Ok(style) = ProgressStyle::with_template(&template) {
        bar.set_style(style);
    }
    let what: String = work.what.chars().map(|c| if c.is_control() { '?' } else { c }).collect();
    bar.with_message(what).with_elapsed(work.since.elapsed())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_work_shows_nothing() {
        for shown in [true, false] {
            let bar = Bar::new(shown);
            bar.at(1);
            bar.begin("Reading", Some(2), "rows");
            bar.at(1);
            let visible = bar.work.borrow().as_ref().is_some_and(|work| work.bar.is_some());
            assert!(!visible);
            bar.end();
            bar.end();
            bar.begin("Reading", Some(2), "rows");
            bar.begin("Hashing", None, "rows");
            let said = bar.timings();
            assert!(said.contains("Reading") && said.contains("2 x, longest"), "{said}");
            assert!(said.contains("Hashing") && said.contains("1 x, longest"), "{said}");
        }
    }
}
