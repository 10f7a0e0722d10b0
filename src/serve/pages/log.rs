//! The control log, newest first.

use super::{Page, batch_link, entry_link, proof, table, time};
use crate::app::error::Result;
use crate::app::trace;
use crate::render::numbers::count;
use crate::serve::ask::{Answer, Here};
use crate::serve::words::t;
use maud::html;

/// Entries of a page, unless told otherwise; 0 are as many as it may show.
const USUAL: usize = 100;
/// And at most.
const MOST: usize = 5000;

pub(super) fn show(here: &Here<'_>) -> Result<Answer> {
    // A program gets all of it, unless it asks for less.
    let (usual, most) = if here.ask.json { (0, usize::MAX) } else { (USUAL, MOST) };
    let limit = match here.ask.parsed::<usize>("limit")?.unwrap_or(usual) {
        0 => most,
        some => some.min(most),
    };
    let log = trace::log(here.ledger, Some(limit), here.at()?, None)?;
    let head = here.ledger.position().0;
    here.answer(&log, |log| {
        let rows: Vec<_> = log
            .entries
            .iter()
            .map(|entry| {
                vec![
                    entry_link(entry.position),
                    html! { div.what { (entry.brief()) }
                    @if let Some(reason) = &entry.reason { div.what.small { (reason) } } },
                    html! { @for batch in &entry.batches { (batch_link(batch)) " " } },
                    time(&entry.time),
                    html! { (entry.actor) },
                    html! { (entry.kind) @if let Some(via) = &entry.via { " (" (via) ")" } },
                ]
            })
            .collect();
        let headings = ["entry", "what, and why", "batches", "when", "who", "kind"];
        let body = html! {
            h1 { (t("Log")) }
            @if let Some(done) = here.ask.parsed::<u64>("done")? {
                div.done role="status" { p { (t("Done: #")) (done) "." } }
            }
            form.filter method="get" action="/events" {
                label for="limit" { (t("Entries")) }
                input id="limit" name="limit" type="number" min="0" max=(MOST) value=(limit);
                label for="at" { (t("up to")) }
                input id="at" name="at" value=(here.ask.word("at").unwrap_or_default())
                    placeholder=(t("#12 or 2025-01-31")) maxlength="40";
                button { (t("Show")) }
            }
            @if here.site.options.allow_decisions && head > 0 {
                form.decide method="post" action="/undo" {
                    (proof(here.site))
                    input type="hidden" name="position" value=(head);
                    button { (t("Undo the last decision")) }
                    button formaction="/redo" { (t("Redo")) }
                    button name="plan" value="1" { (t("Show what undoing would do")) }
                }
            }
            @if rows.is_empty() { p { (t("Nothing was done yet.")) } }
            @else { (table("Newest first", &headings, &rows)) }
            @if log.earlier > 0 {
                p.small { (t("Earlier entries that are not shown: ")) (count(log.earlier)) "." }
            }
        };
        Ok(Page::new("Log", "/events", body).itself())
    })
}
