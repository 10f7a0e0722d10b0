//! One event: what it says, the bytes that it was read from, and what its hash hangs on.

use super::marks::marked;
use super::{Page, batch_link, digest, entry_link, event_link, state, time};
use crate::app::error::Result;
use crate::app::report::{EventLine, Shown};
use crate::app::trace;
use crate::domain::BatchId;
use crate::render::numbers;
use crate::serve::ask::{Answer, Here};
use crate::serve::words::{counted, t};
use maud::{Markup, html};
use serde_json::Value as Json;

/// An entry of the log.
pub(super) fn entry(here: &Here<'_>) -> Result<Answer> {
    let position: crate::domain::Position = here.ask.name(0)?;
    let shown = trace::show(here.ledger, &position.to_string(), None)?;
    here.answer(&shown, |shown| {
        let Shown::Entry(entry) = shown else {
            return Ok(Page::new(position.to_string(), "/events", html! {}));
        };
        let root = here.ledger.root_at(position)?.to_string();
        let body = html! {
            h1 { (t("Entry #")) (entry.position) }
            p { strong { (entry.text) } }
            dl {
                dt { (t("kind")) } dd { (entry.kind) }
                dt { (t("when")) } dd { (time(&entry.time)) }
                dt { (t("who")) } dd { (entry.actor) }
                dt { (t("program")) } dd { (entry.tool) }
                @if let Some(via) = &entry.via { dt { (t("by")) } dd { (via) } }
                @if let Some(reason) = &entry.reason { dt { (t("reason")) } dd { (reason) } }
                dt { (t("batches")) } dd { @for batch in &entry.batches { (batch_link(batch)) " " } }
                dt { (t("log root")) } dd { code.long { (root) } }
            }
            @if entry.clock_ran_back { p.note { (t("The clock had run back by then.")) } }
            p {
                @if entry.position > 1 { (entry_link(entry.position - 1)) (t(" before it, ")) }
                @if entry.position < here.ledger.position().0 { (entry_link(entry.position + 1)) (t(" after it")) }
            }
        };
        Ok(Page::new(format!("#{}", entry.position), "/events", body).itself())
    })
}

/// A row event.
pub(super) fn row(here: &Here<'_>) -> Result<Answer> {
    let batch: BatchId = here.ask.name(0)?;
    let number: u64 = here.ask.name(1)?;
    let shown = trace::show(here.ledger, &format!("{batch}/{number}"), None)?;
    here.answer(&shown, |shown| {
        let Shown::Row(event) = shown else {
            return Ok(Page::new(format!("{batch}/{number}"), "/events", html! {}));
        };
        let events = here.ledger.batches().get(batch).map_or(0, |of| of.stage.events);
        let body = html! {
            h1 { (t("Event ")) (event.event) }
            (facts(event))
            (path(here, batch, event)?)
            p {
                @if number > 1 { (event_link(&format!("{batch}/{}", number - 1))) (t(" before it, ")) }
                @if number < events { (event_link(&format!("{batch}/{}", number + 1))) (t(" after it")) }
            }
        };
        Ok(Page::new(event.event.clone(), "/events", body).itself())
    })
}

/// What an event says and where it stands.
pub(super) fn facts(event: &EventLine) -> Markup {
    html! {
        dl {
            dt { (t("says")) } dd { (event.op)
                @if let Some(code) = &event.code { " (" code { (code) } ")" } }
            @for (field, value) in &event.values { dt { (field) } dd { (plain(value)) } }
            dt { (t("file")) } dd { (event.source) (t(", line ")) (event.line) (t(", byte "))
                (numbers::count(event.offset)) ", " (counted(u64::from(event.length), "byte")) }
            dt { (t("batch")) } dd { (batch_link(&event.batch)) " " (state(event.state)) (t(", read with "))
                code { (event.mapping) } }
            dt { (t("recorded")) } dd { (time(&event.recorded_at)) }
            @if let Some(at) = &event.confirmed_at { dt { (t("confirmed")) } dd { (time(at)) } }
        }
        @if let Some(erasure) = &event.erased {
            p.note { (t("It was ")) (erasure.to_string()) }
        } @else if event.lost {
            p.note { (t("The bytes of its file are lost; importing the same file again puts them back.")) }
        } @else {
            h2 { (t("The bytes")) }
            pre.raw tabindex="0" { (marked(event)) }
            p.small { (t("What holds an asserted value is marked.")) }
        }
    }
}

fn plain(value: &Json) -> String {
    match value {
        Json::String(text) => text.clone(),
        Json::Null => numbers::MISSING.to_owned(),
        other => other.to_string(),
    }
}

/// From the event's bytes to the head of the log.
fn path(here: &Here<'_>, batch: BatchId, event: &EventLine) -> Result<Markup> {
    let found = here.ledger.batches().get(batch);
    let root = found.map(|batch| batch.stage.batch_root.to_string()).unwrap_or_default();
    let head = here.ledger.head();
    Ok(html! {
        h2 { (t("What its hash hangs on")) }
        ol.path {
            li { (t("the event's bytes: leaf ")) (digest(&event.leaf)) }
            li { (t("the batch: root ")) (digest(&root)) (t(" over all its events")) }
            @if let Some(batch) = found {
                li { (t("the entry that staged it: ")) (entry_link(batch.staged_at.0)) }
            }
            li { (t("the log: root ")) (digest(&head.root.to_string())) (t(" at #")) (head.size.0) }
        }
        p {
            @if event.proven { (t("✓ The leaf leads to the batch's root, and that root is in the log.")) }
            @else { (t("✗ The leaf does not lead to the batch's root: run ")) code { "volledger verify --deep" } }
            (t(" A proof for somebody else: ")) code { "volledger prove " (event.event) " -O FILE" }
        }
    })
}
