//! Which address leads where, and how work gets onto its threads.

use super::ask::{Answer, Ask, Here};
use super::trouble::Trouble;
use super::{Site, acts, guard, jobs, moved, openapi, pages, upload, words, work};
use crate::app::error::Result;
use crate::app::report::Decided;
use crate::app::{Ledger, Run, trace, verify};
use crate::render::{CHART_SCRIPT, PICTURE_STYLE};
use axum::Router;
use axum::extract::rejection::{FormRejection, QueryRejection, RawPathParamsRejection};
use axum::extract::{DefaultBodyLimit, Form, MatchedPath, Query, RawPathParams, Request, State};
use axum::http::{Method, StatusCode, Uri, header};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

/// Bytes of a form that is no upload.
const FORM_BYTES: usize = 64 * 1024;
/// A request takes no longer, its body included.
const LONGEST: Duration = Duration::from_secs(60);
/// A request waits no longer for its turn.
const QUEUE: Duration = Duration::from_secs(15);

/// A page: what it shows of the ledger.
pub(super) type Show = fn(&Here<'_>) -> Result<Answer>;
/// An act: what it does with the ledger.
pub(super) type Act = fn(&mut Ledger, &Ask, &Run<'_>) -> Result<Done>;

/// What came of an act.
pub(super) enum Done {
    /// The page at this address shows it.
    See(String),
    /// Nothing but a plan.
    Planned(Box<Decided>),
}

type Words = BTreeMap<String, String>;

pub(super) fn router(site: &Arc<Site>) -> Router {
    let mut router: Router<Arc<Site>> = Router::new();
    for (path, page, _) in pages::ALL {
        let page = Served {
            show: *page,
            holds: pages::HOLDING.contains(path),
            itself: pages::OF_ITSELF.contains(path),
            long: pages::LONG.contains(path),
        };
        let handler = get(move |site, uri, names, words| show(site, uri, names, words, page));
        router = router.route(path, handler.clone());
        // What ends with a variable part takes the suffix itself.
        if !path.ends_with('}') && *path != "/" {
            router = router.route(&format!("{path}.json"), handler);
        }
    }
    for (path, act) in acts::ALL {
        let handler = post(move |site, uri, names, words| decide(site, uri, names, words, *act));
        router = router.route(path, handler);
    }
    for (path, title, task) in acts::LONG {
        let handler =
            post(move |site, uri, names, words| begin(site, uri, names, words, title, *task));
        router = router.route(path, handler);
    }
    let routed = router
        .layer(DefaultBodyLimit::max(FORM_BYTES))
        .route(
            "/upload",
            post(upload::receive).layer(DefaultBodyLimit::max(upload::MOST)).get(upload::form),
        )
        .route("/api/openapi.json", get(openapi::answer))
        .route("/api/moved", get(moved::tell))
        .route("/verify/deep", post(deep).layer(DefaultBodyLimit::max(FORM_BYTES)))
        .route("/jobs", get(work::list))
        .route("/jobs.json", get(work::list))
        .route("/jobs/{job}", get(work::show))
        .route("/jobs/{job}/stop", post(stop).layer(DefaultBodyLimit::max(FORM_BYTES)))
        .route("/api/jobs/{job}", get(work::tell))
        .route("/assets/{name}", get(asset))
        .fallback(nowhere)
        .method_not_allowed_fallback(nowhere);
    routed
        .layer(from_fn_with_state(Arc::clone(site), known))
        .layer(from_fn_with_state(Arc::clone(site), in_time))
        .layer(from_fn_with_state(Arc::clone(site), guard::watch))
        .with_state(Arc::clone(site))
}

/// What cannot be answered in time is given up.
async fn in_time(State(site): State<Arc<Site>>, request: Request, next: Next) -> Response {
    let json = request.uri().path().ends_with(".json");
    match tokio::time::timeout(LONGEST, next.run(request)).await {
        Ok(response) => response,
        Err(_) => Trouble::late().answer(&site, json),
    }
}

/// Refuses an address with a word that its page does not know: whoever misspells `from` would read
/// about other days than those that were asked for.
///
/// So is one whose parts are no text.
async fn known(
    State(site): State<Arc<Site>>,
    names: std::result::Result<RawPathParams, RawPathParamsRejection>,
    request: Request,
    next: Next,
) -> Response {
    let json = request.uri().path().ends_with(".json");
    if let Err(RawPathParamsRejection::InvalidUtf8InPathParam(_)) = names {
        return Trouble::malformed("the address is not well-formed").answer(&site, json);
    }
    let path = request.extensions().get::<MatchedPath>().map(MatchedPath::as_str);
    let path = path.filter(|_| request.method() != Method::POST);
    let words = Query::<Words>::try_from_uri(request.uri());
    if let (Some(path), Ok(Query(words))) = (path, words) {
        let known = pages::all_words(path.strip_suffix(".json").unwrap_or(path));
        if let Some(strange) = words.keys().find(|word| known.clone().all(|known| known != *word)) {
            return Trouble::unknown_word(strange, known).answer(&site, json);
        }
    }
    next.run(request).await
}

async fn nowhere(State(site): State<Arc<Site>>, uri: Uri) -> Response {
    Trouble::no_page().answer(&site, uri.path().ends_with(".json"))
}

async fn asset(State(site): State<Arc<Site>>, names: RawPathParams) -> Response {
    let name = names.iter().next().map(|(_, name)| name).unwrap_or_default();
    let (kind, text) = match name {
        "page.css" => ("text/css", pages::STYLE),
        "picture.css" => ("text/css", PICTURE_STYLE),
        "chart.js" => ("text/javascript", CHART_SCRIPT),
        "page.js" => ("text/javascript", pages::SCRIPT),
        _ => return Trouble::no_page().answer(&site, false),
    };
    ([(header::CONTENT_TYPE, format!("{kind}; charset=utf-8"))], text).into_response()
}

pub(super) fn ask(uri: &Uri, names: &RawPathParams, words: Words) -> Ask {
    let path = uri.path();
    let mut names: Vec<String> = names.iter().map(|(_, name)| name.to_owned()).collect();
    let json = path.ends_with(".json");
    if let Some(last) = names.last_mut().filter(|_| json)
        && let Some(short) = last.strip_suffix(".json")
    {
        *last = short.to_owned();
    }
    let path = path.strip_suffix(".json").unwrap_or(path).to_owned();
    Ask { json, path, names, words }
}

/// Does work with the ledger on a thread of its own.
pub(super) async fn work<T: Send + 'static>(
    site: &Arc<Site>,
    work: impl FnOnce(&Site) -> Result<T> + Send + 'static,
) -> std::result::Result<T, Trouble> {
    let turn = tokio::time::timeout(QUEUE, site.work.acquire()).await;
    let Ok(Ok(_turn)) = turn else {
        return Err(Trouble::busy());
    };
    let (own, lang) = (Arc::clone(site), words::now());
    let done = tokio::task::spawn_blocking(move || lang.speak(|| work(&own))).await;
    match done {
        Ok(Ok(done)) => Ok(done),
        Ok(Err(error)) => Err(Trouble::of(error, site)),
        Err(_) => Err(Trouble::bug()),
    }
}

async fn show(
    State(site): State<Arc<Site>>,
    uri: Uri,
    names: RawPathParams,
    words: std::result::Result<Query<Words>, QueryRejection>,
    page: Served,
) -> Response {
    match words {
        Ok(Query(words)) => shown(&site, ask(&uri, &names, words), page).await,
        Err(_) => {
            let json = uri.path().ends_with(".json");
            Trouble::malformed("the address is not well-formed").answer(&site, json)
        }
    }
}

/// Verifies every byte as a job; a form asks for it, since it costs the machine much.
async fn deep(
    State(site): State<Arc<Site>>,
    uri: Uri,
    names: RawPathParams,
    words: std::result::Result<Form<Words>, FormRejection>,
) -> Response {
    if let Err(trouble) = formed(&site, &uri, &names, words) {
        return trouble.answer(&site, false);
    }
    let job = jobs::start(&site, words::t("Verify every byte"), |site, run| {
        let report = site.desk.share(|ledger| verify::verify(ledger, true, run))?;
        site.keep_verified(&report);
        Ok(jobs::Came::Verified(Arc::new(report)))
    });
    work::begun(&site, job).await
}

/// Asks a job to stop.
async fn stop(
    State(site): State<Arc<Site>>,
    uri: Uri,
    names: RawPathParams,
    words: std::result::Result<Form<Words>, FormRejection>,
) -> Response {
    let ask = match formed(&site, &uri, &names, words) {
        Ok(ask) => ask,
        Err(trouble) => return trouble.answer(&site, false),
    };
    match work::named(&site, &ask) {
        Some((number, job)) => {
            job.stop();
            see(&format!("/jobs/{number}"))
        }
        None => Trouble::no_page().answer(&site, false),
    }
}

/// Begins an act that may take long.
async fn begin(
    State(site): State<Arc<Site>>,
    uri: Uri,
    names: RawPathParams,
    words: std::result::Result<Form<Words>, FormRejection>,
    title: &'static str,
    task: acts::Task,
) -> Response {
    let ask = match acting(&site, &uri, &names, words) {
        Ok(ask) => ask,
        Err(trouble) => return trouble.answer(&site, false),
    };
    let about = ask.names.first().cloned().unwrap_or_default();
    let job = jobs::start(&site, format!("{} {about}", words::t(title)), move |site, run| {
        let next = site.desk.write(|ledger| {
            run.go_on()?;
            task(ledger, &ask, run)
        })?;
        Ok(jobs::Came::See(next))
    });
    work::begun(&site, job).await
}

/// A form of this server's.
fn formed(
    site: &Site,
    uri: &Uri,
    names: &RawPathParams,
    words: std::result::Result<Form<Words>, FormRejection>,
) -> std::result::Result<Ask, Trouble> {
    let Ok(Form(words)) = words else {
        return Err(Trouble::malformed("the form is not well-formed"));
    };
    match words.get("token").is_some_and(|token| site.token.is(token)) {
        true => Ok(ask(uri, names, words)),
        false => Err(Trouble::no_token()),
    }
}

/// A form of this server's that decides something; a server that only shows refuses it.
fn acting(
    site: &Site,
    uri: &Uri,
    names: &RawPathParams,
    words: std::result::Result<Form<Words>, FormRejection>,
) -> std::result::Result<Ask, Trouble> {
    let ask = formed(site, uri, names, words)?;
    if site.options.allow_decisions { Ok(ask) } else { Err(Trouble::read_only()) }
}

/// What an answer hangs on besides the log.
fn key(ask: &Ask, run: &Run<'_>) -> String {
    let (lang, today) = (words::now().code(), run.clock.market_day());
    format!("{lang} {today} {} {:?} {:?}", ask.json, ask.path, ask.words)
}

/// A page, and what it asks of the ledger.
#[derive(Clone, Copy)]
struct Served {
    show: Show,
    /// Its answer hangs on the log alone.
    holds: bool,
    /// It is of the ledger itself, not of what can be read of one that cannot be written.
    itself: bool,
    /// It may take long.
    long: bool,
}

async fn shown(site: &Arc<Site>, ask: Ask, page: Served) -> Response {
    let json = ask.json;
    let made = work(site, move |site| {
        let run = site.desk.hand.run();
        let answer = |ledger: &Arc<Ledger>| {
            let here = Here { site, ask: &ask, ledger, run: &run };
            let kind = if ask.json { "application/json" } else { pages::HTML };
            let root = ledger.head().root.to_string();
            let key = page.holds.then(|| key(&ask, &run));
            if let Some(kept) = key.as_ref().and_then(|key| site.kept.answer(&root, key)) {
                return Ok(sent(kind, kept));
            }
            let text = |kind, text: String| {
                let text: Arc<str> = text.into();
                if let Some(key) = key {
                    site.kept.keep(&root, key, &text);
                }
                sent(kind, text)
            };
            Ok(match (page.show)(&here)? {
                Answer::Page(mut page) => {
                    page.erasures = pages::erased(&here, &page.reads)?;
                    page.at = here.at()?.map(|at| at.0);
                    text(kind, pages::document(site, &page, Some(&ask)))
                }
                Answer::Text(kind, json, None) => text(kind, json),
                Answer::Text(kind, text, Some(name)) => {
                    let saved = format!("attachment; filename=\"{name}\"");
                    let headers = [
                        (header::CONTENT_TYPE, kind.to_owned()),
                        (header::CONTENT_DISPOSITION, saved),
                    ];
                    (headers, text).into_response()
                }
            })
        };
        match page {
            Served { itself: true, .. } => site.desk.share(answer),
            Served { long: true, .. } => site.desk.read_long(answer),
            _ => site.desk.read(answer),
        }
    });
    made.await.unwrap_or_else(|trouble| trouble.answer(site, json))
}

async fn decide(
    State(site): State<Arc<Site>>,
    uri: Uri,
    names: RawPathParams,
    words: std::result::Result<Form<Words>, FormRejection>,
    act: Act,
) -> Response {
    let ask = match acting(&site, &uri, &names, words) {
        Ok(ask) => ask,
        Err(trouble) => return trouble.answer(&site, false),
    };
    let seen = ask.parsed::<u64>("seen").ok().flatten();
    let done = work(&site, move |site| {
        let run = site.desk.hand.run();
        let done = site.desk.write(|ledger| act(ledger, &ask, &run))?;
        Ok(match done {
            // A reload does not send the form again.
            Done::See(next) => see(&next),
            Done::Planned(decided) => {
                let page = pages::planned(site, &ask, &decided);
                pages::whole(site, &page, None).into_response()
            }
        })
    });
    match (done.await, seen) {
        (Ok(response), _) => response,
        (Err(trouble), Some(seen)) if trouble.is_stale() => {
            let since =
                work(&site, move |site| site.desk.read(|ledger| decided_since(ledger, seen)));
            trouble.since(since.await.unwrap_or_default()).answer(&site, false)
        }
        (Err(trouble), _) => trouble.answer(&site, false),
    }
}

/// Entries of the log behind a position that may have changed what a batch would do, the newest first.
fn decided_since(ledger: &Ledger, seen: u64) -> Result<Vec<(u64, String)>> {
    const FEW: usize = 10;
    let log = trace::log(ledger, None, None, None)?;
    let since = log.entries.iter().filter(|entry| entry.position > seen && entry.kind != "stage");
    Ok(since.take(FEW).map(|entry| (entry.position, entry.brief())).collect())
}

/// A text whose bytes several answers share.
fn sent(kind: &'static str, text: Arc<str>) -> Response {
    let bytes = axum::body::Bytes::from_owner(Shared(text));
    ([(header::CONTENT_TYPE, kind)], bytes).into_response()
}

struct Shared(Arc<str>);

impl AsRef<[u8]> for Shared {
    fn as_ref(&self) -> &[u8] {
        self.0.as_bytes()
    }
}

/// Leads to another page.
pub(super) fn see(next: &str) -> Response {
    (StatusCode::SEE_OTHER, [(header::LOCATION, next.to_owned())]).into_response()
}
