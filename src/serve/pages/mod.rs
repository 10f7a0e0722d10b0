//! The pages: what each shows, and what they have in common.
//!
//! Everything works without script: links, forms and buttons. Every value is escaped by `maud`; the
//! only ready-made HTML are pictures, whose texts `render` escapes.

mod audit;
mod batch;
mod batches;
mod earnings;
mod event;
mod gaps;
mod home;
mod links;
mod log;
mod marks;
mod planned;
mod projections;
mod rank;
mod sql;
mod symbol;
mod why;

pub(super) use audit::verified;
pub(super) use links::{entry_link, looks_back};
pub(super) use planned::planned;

use self::links::{batch_link, event_link, positions, symbol_link};
use super::Site;
use super::ask::{Ask, Here, encoded};
use super::routes::Show;
use super::words::{self, Lang};
use crate::app::erased::{self, Place};
use crate::app::error::Result;
use crate::app::report::ErasureLine;
use crate::domain::{BatchId, Series, Symbol};
use crate::render::numbers::{count, short};
use crate::render::{CONTROLS, Figure};
use crate::serve::words::{counted, t};
use axum::http::header;
use axum::response::IntoResponse;
use maud::{DOCTYPE, Markup, PreEscaped, html};
use std::borrow::Cow;

pub(super) const STYLE: &str = include_str!("../assets/page.css");
pub(super) const SCRIPT: &str = include_str!("../assets/page.js");

/// Every page with its address and the words that its query may have. Those that do not end with a
/// variable part have a twin with `.json`; the others take the suffix after it.
pub(super) const ALL: &[(&str, Show, &[&str])] = &[
    ("/", home::show, &[]),
    ("/status", home::show, &[]),
    ("/batches", batches::show, &["at", "state"]),
    ("/batches/{batch}", batch::show, &["full"]),
    ("/symbols", symbol::list, &["q", "at"]),
    ("/symbols/{symbol}", symbol::show, &["kind", "from", "to", "at"]),
    ("/why/{series}/{symbol}/{date}", why::show, &["item", "field", "at"]),
    ("/rank", rank::show, &["metric", "symbols", "from", "to", "limit", "at"]),
    ("/vrp", earnings::vrp, &["symbols", "date", "tiers", "projection", "at"]),
    ("/earnings/{symbol}", earnings::show, &["date", "projection", "at"]),
    ("/gaps", gaps::list, &["series", "at"]),
    ("/gaps/{symbol}", gaps::show, &["series", "at"]),
    ("/events", log::show, &["limit", "at"]),
    ("/events/{entry}", event::entry, &[]),
    ("/events/{batch}/{number}", event::row, &[]),
    ("/audit", audit::show, &["actor", "since", "at"]),
    ("/verify", audit::verify, &[]),
    ("/projections", projections::list, &["at"]),
    ("/projections/{name}", projections::show, &["at"]),
    ("/projections/{name}/diff", projections::diff, &["with", "at"]),
    ("/sql", sql::show, &["q", "at"]),
    ("/sql.csv", sql::csv, &["q", "at"]),
];

/// Words that a page has besides, of which its twin makes nothing: which part of it is looked at, and
/// what an act that led there has done.
const OWN: &[(&str, &[&str])] = &[
    ("/batches/{batch}", &["view", "symbol", "kind", "done", "rest", "known", "back"]),
    ("/events", &["done"]),
    ("/projections", &["built", "promoted"]),
    ("/upload", &["series", "symbol"]),
];

/// The words that the query of a page and of its twin may have.
pub(super) fn words(path: &str) -> &'static [&'static str] {
    ALL.iter().find(|(known, ..)| *known == path).map_or(&[], |(.., words)| words)
}

/// The words that the query of a page may have, its twin's and its own.
pub(super) fn all_words(path: &str) -> impl Iterator<Item = &'static str> + Clone {
    let own = OWN.iter().find(|(known, _)| *known == path).map_or(&[][..], |(_, words)| words);
    words(path).iter().chain(own).copied().chain(["lang"])
}

/// The links at the top: address, name, key.
const PLACES: &[(&str, &str, &str)] = &[
    ("/", "Home", "h"),
    ("/batches", "Batches", "b"),
    ("/symbols", "Symbols", "s"),
    ("/rank", "Rank", "r"),
    ("/gaps", "Gaps", "p"),
    ("/vrp", "VRP", "v"),
    ("/events", "Log", "l"),
    ("/audit", "Audit", "a"),
    ("/projections", "Projections", "j"),
    ("/sql", "SQL", "q"),
    ("/upload", "Upload", "u"),
    ("/jobs", "Jobs", "w"),
];

/// Pages of the ledger itself, which what can be read of one that cannot be written is not.
pub(super) const OF_ITSELF: [&str; 1] = ["/verify"];

/// Pages whose work takes as long as whoever asks wants it to.
pub(super) const LONG: [&str; 2] = ["/sql", "/sql.csv"];

/// Pages that say nothing but what follows from the log and their address: an answer holds as long as
/// the log's root does. Not among them are those that look at files, at what projections hold just
/// now, or that are shown once after an act.
pub(super) const HOLDING: [&str; 9] = [
    "/batches",
    "/symbols",
    "/symbols/{symbol}",
    "/rank",
    "/vrp",
    "/earnings/{symbol}",
    "/gaps",
    "/gaps/{symbol}",
    "/audit",
];

/// Lists that follow the ledger while they are looked at.
const LIVE: [&str; 3] = ["/", "/batches", "/events"];

/// A page before it gets its frame.
pub(super) struct Page {
    pub(super) title: String,
    /// The address at the top that it belongs to.
    pub(super) place: &'static str,
    pub(super) body: Markup,
    /// Whether it reloads itself where there is no script.
    pub(super) reloads: bool,
    /// Whether a program gets the same as JSON.
    pub(super) twin: bool,
    /// The position that it looks back from, if it was asked for.
    pub(super) at: Option<u64>,
    /// What it is made from.
    pub(super) reads: Reads,
    /// What was erased of that.
    pub(super) erasures: Vec<ErasureLine>,
}

/// What a page is made from: what was erased of it is told above it.
pub(super) enum Reads {
    /// Everything, unless a page says otherwise.
    All,
    /// Of views and symbols; none means all of them.
    Of(Vec<Series>, Vec<Symbol>),
    /// One batch, in whatever state.
    Batch(BatchId),
    /// Nothing, or it tells of erasures itself.
    Itself,
}

/// What was erased of what a page is made from.
pub(super) fn erased(here: &Here<'_>, reads: &Reads) -> Result<Vec<ErasureLine>> {
    let (series, symbols): (&[Series], &[Symbol]) = match reads {
        Reads::All => (&[], &[]),
        Reads::Of(series, symbols) => (series, symbols),
        Reads::Batch(id) => return Ok(erased::of_batch(here.ledger, *id)),
        Reads::Itself => return Ok(Vec::new()),
    };
    let (from, to) = here.ask.days()?;
    erased::missing(here.ledger, &Place { series, symbols, from, to, at: here.at()? })
}

impl Page {
    pub(super) fn new(title: impl Into<String>, place: &'static str, body: Markup) -> Self {
        Self {
            title: title.into(),
            place,
            body,
            reloads: false,
            twin: true,
            at: None,
            reads: Reads::All,
            erasures: Vec::new(),
        }
    }

    /// Says that the page is made from these views and symbols alone.
    pub(super) fn of(mut self, series: &[Series], symbols: &[Symbol]) -> Self {
        self.reads = Reads::Of(series.to_vec(), symbols.to_vec());
        self
    }

    /// What was erased does not touch it, or it tells of that itself.
    pub(super) fn itself(mut self) -> Self {
        self.reads = Reads::Itself;
        self
    }
}

/// What an answer that is a page is.
pub(super) const HTML: &str = "text/html; charset=utf-8";

/// The whole document, as an answer.
pub(super) fn whole(site: &Site, page: &Page, ask: Option<&Ask>) -> impl IntoResponse + use<> {
    ([(header::CONTENT_TYPE, HTML)], document(site, page, ask))
}

/// The whole document.
pub(super) fn document(site: &Site, page: &Page, ask: Option<&Ask>) -> String {
    let mode = match site.options.allow_decisions {
        true => t("decisions allowed"),
        false => t("read-only"),
    };
    let lang = words::now();
    let live = ask.is_some_and(|ask| LIVE.contains(&ask.path.as_str()));
    let place = site.options.directory.display().to_string();
    let document = html! {
        (DOCTYPE)
        html lang=(lang.code()) {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width,initial-scale=1";
                title { (words::find(&page.title)) (t(" – volledger")) }
                link rel="stylesheet" href="/assets/picture.css";
                link rel="stylesheet" href="/assets/page.css";
                link rel="icon" href="data:,";
                script src="/assets/page.js" defer {}
                @if page.reloads { noscript { meta http-equiv="refresh" content="2"; } }
            }
            body data-moved=(t("The ledger stands at #")) data-again=(t("Load again")) {
                a.skip href="#main" { (t("To the content")) }
                header {
                    nav aria-label=(t("Pages")) {
                        @for (address, name, key) in PLACES {
                            a href=(address) data-key=(key)
                                aria-current=[(*address == page.place).then_some("page")] { (words::find(name)) }
                        }
                    }
                    p.mode { (mode) }
                }
                main id="main" tabindex="-1" data-live[live] {
                    @if let Some((ask, at)) = ask.zip(page.at) { (links::past(ask, at)) }
                    (erasures(&page.erasures))
                    (page.body)
                }
                footer {
                    p { code { (place) } }
                    @if let Some(ask) = ask {
                        p { @if page.twin { (t("The same as ")) a href=(ask.twin()) { (t("JSON")) } "; " }
                            a href="/api/openapi.json" { (t("all addresses")) } }
                    }
                    p { @for other in Lang::ALL.into_iter().filter(|other| *other != lang) {
                        a href=(in_language(ask, other)) lang=(other.code()) hreflang=(other.code()) {
                            (other.name()) }
                    } }
                    details.keys {
                        summary { (t("Keys")) }
                        p { kbd { "g" } (t(" then ")) @for (_, name, key) in PLACES {
                            kbd { (key) } " " (words::find(name)) "  " } }
                        p { kbd { "j" } " " kbd { "k" } (t(" next and previous row, ")) kbd { "/" }
                            (t(" search, ")) kbd { "c" } (t(" to the decision (it presses nothing), "))
                            kbd { "[" } " " kbd { "]" } (t(" previous and next symbol, "))
                            kbd { "?" } (t(" these keys")) }
                    }
                }
            }
        }
    };
    document.into_string()
}

/// What was erased of what a page shows: nothing older stands in its place silently.
fn erasures(lines: &[ErasureLine]) -> Markup {
    const FEW: usize = 3;
    html! { @if !lines.is_empty() { div.note role="note" {
        @for line in lines.iter().take(FEW) {
            p { (counted(line.events, "event")) (t(" of ")) (batch_link(&line.batch))
                (t(" that this page would show: ")) (line.to_string()) " " (entry_link(line.entry))
                (t(". Older values may stand in their place.")) }
        }
        @if lines.len() > FEW {
            p { (t("And ")) (counted((lines.len() - FEW) as u64, "more erasure")) (t("; the "))
                a href="/audit" { (t("audit")) } (t(" has them.")) }
        }
    } } }
}

/// The address of the same page in another language.
fn in_language(ask: Option<&Ask>, lang: Lang) -> String {
    let (path, words) = match ask {
        Some(ask) => (ask.path.as_str(), Some(&ask.words)),
        None => ("/", None),
    };
    let kept =
        words.into_iter().flatten().filter(|(name, word)| *name != "lang" && !word.is_empty());
    let kept = kept.map(|(name, word)| format!("&{}={}", encoded(name), encoded(word)));
    format!("{path}?lang={}{}", lang.code(), kept.collect::<String>())
}

/// A sentence with commands in backticks.
pub(super) fn prose(text: &str) -> Markup {
    let text = words::find(text);
    html! {
        @for (index, part) in text.split('`').enumerate() {
            @if index % 2 == 1 { code { (part) } } @else { (part) }
        }
    }
}

/// The hidden fields of a form that acts.
pub(super) fn proof(site: &Site) -> Markup {
    html! { input type="hidden" name="token" value=(site.token.as_str()); }
}

/// A picture with its sentence and its data.
pub(super) fn figure(figure: &Figure, tag: &str) -> Markup {
    leading(figure, tag, None)
}

/// A picture with its sentence and its data. `of` is the symbol and the position of a chart whose
/// points lead to their `why`.
pub(super) fn leading(figure: &Figure, tag: &str, of: Option<(&str, Option<&str>)>) -> Markup {
    let live = figure.data.as_ref().filter(|_| tag.is_empty());
    html! {
        figure {
            @if let Some(data) = live {
                div id="chart" tabindex="0" role="group" aria-label=(figure.title)
                    data-symbol=[of.map(|(symbol, _)| encoded(symbol))]
                    data-at=[of.and_then(|(_, at)| at).map(encoded)]
                    aria-describedby="keys" { (PreEscaped(figure.bare(""))) }
                (PreEscaped(words::within(CONTROLS)))
                @if of.is_some() { p.small {
                    (t("A click on the chart, or Enter on it, leads to where the value under the cursor \
                     comes from.")) } }
                script type="application/json" id="data" { (PreEscaped(data)) }
                script src="/assets/chart.js" defer {}
            } @else {
                div.scroll.wide[figure.wide] tabindex="0" role="group" aria-label=(figure.title) {
                    (PreEscaped(figure.bare(tag)))
                }
            }
            // What reports say is English.
            figcaption lang=[words::foreign()] { (figure.sentence) }
        }
    }
}

/// A figure's data as a table; the first column may lead somewhere.
pub(super) fn data(figure: &Figure, link: impl Fn(&[String]) -> Option<String>) -> Markup {
    let rows = &figure.rows;
    html! {
        details {
            summary { (t("Data as a table")) }
            @if figure.older > 0 {
                p { (t("The newest ")) (count(rows.len() as u64)) (t(" of "))
                    (count((figure.older + rows.len()) as u64))
                    (t("; choose From and To for others.")) }
            }
            div.scroll tabindex="0" role="group" aria-label=(t("Data")) {
                table lang=[words::foreign()] {
                    caption { (figure.caption) }
                    thead { tr { @for heading in &figure.headings {
                        th scope="col" { (heading) }
                    } } }
                    tbody { @for row in rows {
                        tr { @for (index, cell) in row.iter().enumerate() {
                            @if index == 0 {
                                th scope="row" {
                                    @match link(row) {
                                        Some(to) => { a href=(to) { (cell) } }
                                        None => { (cell) }
                                    }
                                }
                            } @else { td { (cell) } }
                        } }
                    } }
                }
            }
        }
    }
}

/// A table: its caption, its headings (those that begin with `>` are of numbers) and its rows.
pub(super) fn table(caption: &str, headings: &[&str], rows: &[Vec<Markup>]) -> Markup {
    let headings: Vec<Cow<'_, str>> = headings
        .iter()
        .map(|name| match name.strip_prefix('>') {
            Some(_) => Cow::Owned(format!(">{}", words::heading(name))),
            None => Cow::Borrowed(words::heading(name)),
        })
        .collect();
    let headings: Vec<&str> = headings.iter().map(AsRef::as_ref).collect();
    named(words::find(caption), &headings, rows)
}

/// A table as [`table`] makes it, whose headings are names of columns and are not translated.
pub(super) fn named(caption: &str, headings: &[&str], rows: &[Vec<Markup>]) -> Markup {
    let number = |index: usize| headings.get(index).is_some_and(|name| name.starts_with('>'));
    html! {
        div.scroll tabindex="0" role="group" aria-label=(caption) {
            table.rows {
                caption { (caption) }
                thead { tr { @for (index, name) in headings.iter().enumerate() {
                    th scope="col" .number[number(index)] { (name.trim_start_matches('>')) }
                } } }
                tbody { @for row in rows {
                    tr { @for (index, cell) in row.iter().enumerate() {
                        @if index == 0 { th scope="row" { (cell) } }
                        @else { td .number[number(index)] { (cell) } }
                    } }
                } }
            }
        }
    }
}

/// The first digits of a digest, the whole of it on hovering.
pub(super) fn digest(digest: &str) -> Markup {
    html! { code title=(digest) { (short(digest)) } }
}

/// A state in a word and a sign.
pub(super) fn state(state: &str) -> Markup {
    let sign = match state {
        "staged" => "◌",
        "active" => "●",
        "rolled-back" => "↶",
        "discarded" => "×",
        _ => "·",
    };
    html! { span class={ "state " (state) } {
        span aria-hidden="true" { (sign) " " } (words::find(state))
    } }
}

/// A time for a person: without its `T`, to the minute, the whole on hovering.
pub(super) fn time(time: &str) -> Markup {
    let short = time.get(..16).unwrap_or(time).replace('T', " ");
    html! { time datetime=(time) title=(time) { (short) } }
}
