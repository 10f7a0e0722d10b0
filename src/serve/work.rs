//! The pages of long work: how far it is, a button that stops it, what came of it.
//!
//! They ask nothing of the ledger, so they answer while the work has it.

use super::Site;
use super::ask::Ask;
use super::jobs::{Came, Job, JobLine};
use super::pages::{self, Page};
use super::routes::{ask, see};
use super::trouble::Trouble;
use crate::render::json;
use crate::render::numbers::count;
use crate::serve::words::{self, find, t};
use axum::extract::{RawPathParams, State};
use axum::http::{Uri, header};
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use futures_util::stream;
use maud::{Markup, html};
use serde::Serialize;
use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

/// Work that is over within this time answers the request that began it.
const SOON: Duration = Duration::from_millis(1_200);
/// An idle connection says something, so that one that is gone is noticed.
const ALIVE: Duration = Duration::from_secs(15);

/// All jobs: `volledger/jobs/1`.
#[derive(Serialize)]
#[serde(tag = "schema", rename = "volledger/jobs/1")]
struct JobList {
    jobs: Vec<JobLine>,
}

/// The job that an address names.
pub(super) fn named(site: &Site, ask: &Ask) -> Option<(u64, Arc<Job>)> {
    let number: u64 = ask.names.first()?.parse().ok()?;
    Some((number, site.jobs.get(number)?))
}

/// Answers the request that began a job: with what came of it, or with the page that watches it.
pub(super) async fn begun(site: &Arc<Site>, job: Option<(u64, Arc<Job>)>) -> Response {
    let Some((number, job)) = job else {
        return Trouble::busy().answer(site, false);
    };
    if super::jobs::over_within(&job, SOON).await {
        if let Some(trouble) = job.failed() {
            return trouble.answer(site, false);
        }
        match job.came() {
            Some(Came::See(next)) => return see(&next),
            Some(Came::Verified(report)) => {
                return pages::whole(site, &pages::verified(site, &report), None).into_response();
            }
            None => {}
        }
    }
    see(&format!("/jobs/{number}"))
}

fn as_json<T: Serialize>(report: &T) -> Response {
    ([(header::CONTENT_TYPE, "application/json")], json::line(report) + "\n").into_response()
}

pub(super) async fn list(
    State(site): State<Arc<Site>>,
    uri: Uri,
    names: RawPathParams,
) -> Response {
    let ask = ask(&uri, &names, Default::default());
    let jobs = site.jobs.lines();
    if ask.json {
        return as_json(&JobList { jobs });
    }
    let rows: Vec<_> = jobs
        .iter()
        .map(|line| {
            vec![
                html! { a href=(format!("/jobs/{}", line.job)) { (line.job) } },
                html! { (line.title) },
                html! { span class={ "state " (line.state) } { (find(line.state)) } },
                html! { (find(&line.what)) },
                html! { (format!("{:.1}", line.seconds)) },
            ]
        })
        .collect();
    let body = html! {
        h1 { (t("Jobs")) }
        p { (t("Long work of this server since it was started: reading, rebuilding, verifying.")) }
        @if rows.is_empty() { p { (t("None.")) } }
        @else { (pages::table("Newest first", &["job", "what", "state", "piece of work", ">seconds"], &rows)) }
    };
    let running = jobs.iter().any(|line| matches!(line.state, "running" | "stopping"));
    let page = Page { reloads: running, ..Page::new("Jobs", "/jobs", body) };
    pages::whole(&site, &page, Some(&ask)).into_response()
}

pub(super) async fn show(
    State(site): State<Arc<Site>>,
    uri: Uri,
    names: RawPathParams,
) -> Response {
    let ask = ask(&uri, &names, Default::default());
    let Some((number, job)) = named(&site, &ask) else {
        return Trouble::no_page().answer(&site, ask.json);
    };
    let line = job.line();
    if ask.json {
        return as_json(&line);
    }
    match job.came() {
        Some(Came::See(next)) => return see(&next),
        Some(Came::Verified(report)) => {
            return pages::whole(&site, &pages::verified(&site, &report), Some(&ask))
                .into_response();
        }
        None => {}
    }
    let body = html! {
        h1 { (line.title) }
        @match line.state {
            "failed" => {
                @if let Some(trouble) = job.failed() { (trouble.told()) }
                p { (t("Nothing of it counts.")) }
            }
            "stopped" => { p.note role="status" { (t("Stopped. Nothing of it counts: no batch was staged, no \
                view was changed.")) } }
            _ => {
                div.job data-job=(number) {
                    p role="status" { (said(&line)) }
                    progress aria-label=(t("How far it is")) max=[line.total.map(|total| total.max(1))]
                        value=[line.total.map(|_| line.done)] {}
                }
                form.decide method="post" action=(format!("/jobs/{number}/stop")) {
                    (pages::proof(&site))
                    button disabled[line.state == "stopping"] { (t("Stop")) }
                }
                p.small { (t("Stopping leaves nothing half: what is not acknowledged does not count. You may \
                    leave this page, the work goes on.")) }
            }
        }
        p { a href="/jobs" { (t("All jobs")) } }
    };
    let page = Page { reloads: !job.is_over(), ..Page::new(line.title.clone(), "/jobs", body) };
    pages::whole(&site, &page, Some(&ask)).into_response()
}

/// How far it is, in a sentence.
fn said(line: &JobLine) -> Markup {
    html! {
        @if line.state == "stopping" { (t("Stopping… ")) }
        (find(&line.what))
        @match line.total {
            Some(total) => { ": " (count(line.done)) (t(" of ")) (count(total)) " " (find(line.unit)) }
            None if line.done > 0 => { ": " (count(line.done)) " " (find(line.unit)) }
            None => {}
        }
        ", " (format!("{:.1}", line.seconds)) (t(" s"))
    }
}

/// What a page hears of a job.
#[derive(Serialize)]
struct Heard {
    text: String,
    done: u64,
    total: Option<u64>,
    over: bool,
}

/// Tells how far a job is until it is over.
pub(super) async fn tell(
    State(site): State<Arc<Site>>,
    uri: Uri,
    names: RawPathParams,
) -> Response {
    let ask = ask(&uri, &names, Default::default());
    let Some((_, job)) = named(&site, &ask) else {
        return Trouble::no_page().answer(&site, true);
    };
    let Ok(place) = Arc::clone(&site.listeners).try_acquire_owned() else {
        return Trouble::busy().answer(&site, true);
    };
    let (changes, lang) = (job.changes(), words::now());
    let stopping = site.stopping.subscribe();
    let told =
        stream::unfold(Some((job, changes, stopping, place, true)), move |state| async move {
            let (job, mut changes, mut stopping, place, first) = state?;
            if !first && !job.is_over() {
                tokio::select! {
                    _ = changes.changed() => {}
                    // The clock goes on too.
                    () = tokio::time::sleep(Duration::from_secs(1)) => {}
                    _ = stopping.changed() => return None,
                }
            }
            // What is over is over: its line is asked for last.
            let over = job.is_over();
            let line = job.line();
            let heard = Heard {
                text: lang.speak(|| plain(&said(&line))),
                done: line.done,
                total: line.total,
                over,
            };
            let event = Event::default().data(json::line(&heard));
            Some((
                Ok::<_, Infallible>(event),
                (!over).then_some((job, changes, stopping, place, false)),
            ))
        });
    Sse::new(told).keep_alive(KeepAlive::new().interval(ALIVE)).into_response()
}

/// The text of a sentence that has no elements.
fn plain(sentence: &Markup) -> String {
    let text = &sentence.0;
    text.replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", "\"").replace("&amp;", "&")
}
