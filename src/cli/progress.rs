//! How far a long piece of work is, on standard error, for a person only.

use crate::app::Progress;
use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use std::cell::RefCell;
use std::time::{Duration, Instant};

/// Nothing is shown for work that is over before that.
const PATIENCE: Duration = Duration::from_millis(300);

/// A bar that appears when the work takes longer.
pub(super) struct Bar {
    shown: bool,
    work: RefCell<Option<Work>>,
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
        Self { shown, work: RefCell::new(None) }
    }
}

impl Progress for Bar {
    fn begin(&self, what: &str, total: Option<u64>, unit: &'static str) {
        self.end();
        if let (true, Ok(mut work)) = (self.shown, self.work.try_borrow_mut()) {
            let since = Instant::now();
            *work = Some(Work { what: what.to_owned(), total, unit, since, bar: None });
        }
    }

    fn at(&self, done: u64) {
        let Ok(mut work) = self.work.try_borrow_mut() else {
            return;
        };
        let Some(work) = work.as_mut() else { return };
        if work.bar.is_none() && work.since.elapsed() >= PATIENCE {
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
        if let Some(bar) = work.take().and_then(|work| work.bar) {
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
        }
    }
}
