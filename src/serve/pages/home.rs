//! The first page: where things stand, and what waits for a decision.

use super::audit::depth;
use super::{Page, batch_link, digest, entry_link, prose, table, time};
use crate::app::clock::rfc3339;
use crate::app::error::Result;
use crate::app::report::Status;
use crate::app::{Ledger, outside, projection, status, trace};
use crate::render::numbers::{MISSING, count, size};
use crate::serve::Site;
use crate::serve::ask::{Answer, Here};
use crate::serve::words::{counted, find, t};
use maud::{Markup, html};
use std::sync::{Arc, PoisonError};

/// Entries of the log that are shown.
const FEW: usize = 8;

/// The status of the ledger. It looks at every record, so it is kept until the log moves.
fn status(site: &Site, ledger: &Ledger) -> Result<Arc<Status>> {
    let root = ledger.head().root.to_string();
    let kept = || site.status.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(status) = kept().as_ref().filter(|status| status.log_root == root) {
        return Ok(Arc::clone(status));
    }
    let status = Arc::new(status::status(ledger, None, &[])?);
    *kept() = Some(Arc::clone(&status));
    Ok(status)
}

pub(in crate::serve) fn show(here: &Here<'_>) -> Result<Answer> {
    let mut status = (*status(here.site, here.ledger)?).clone();
    // Not kept: they are about the directory, which changes without the log.
    let notes = here.ledger.notes().iter().cloned();
    status.notes = notes.chain(outside::open_to_others(here.ledger)).collect();
    if here.ledger.projections().kept().next().is_some() {
        status.stale = projection::stale_from(&here.vantage()?);
    }
    here.answer(&status, |status| {
        let log = trace::log(here.ledger, Some(FEW), None, None)?;
        let none = || MISSING.to_owned();
        let views: Vec<_> = status.views.iter().map(|view| {
            let (from, to) = (view.from.clone(), view.to.clone());
            vec![
                html! { (view.series) },
                html! { (count(view.symbols)) },
                html! { (count(view.days)) },
                html! { span.day { (from.unwrap_or_else(none)) } },
                html! { span.day { (to.unwrap_or_else(none)) } },
            ]
        }).collect();
        let entries: Vec<_> = log.entries.iter().map(|entry| vec![
            entry_link(entry.position),
            html! { div.what { (entry.brief()) } },
            time(&entry.time),
            html! { (entry.actor) },
        ]).collect();
        let body = html! {
            h1 { (t("Where things stand")) }
            p.head { (t("Head ")) strong { "#" (status.position) } " " (digest(&status.log_root)) ", "
                (counted(status.events, "event")) ", " (size(status.bytes)) (t(" on disk")) }
            @for note in &status.notes { p.note { (t("Note: ")) (prose(note)) } }
            @for line in &status.outdated {
                p.note { (t("Note: ")) (line.series) (t(" of ")) (line.symbols.join(", "))
                    (t(" no longer follows from what it was computed from: "))
                    code { "volledger derive " (line.series) } (t(" computes it anew")) "." }
            }
            section {
                h2 { (t("Waiting for a decision")) }
                @if status.open.is_empty() {
                    p { (t("No batch waits. ")) a href="/upload" { (t("Upload a file")) } (t(" or stage one with "))
                        code { "volledger import iv FILE -s SYMBOL" } "." }
                } @else {
                    ul { @for batch in &status.open {
                        li { (batch_link(batch)) (t(": review, then confirm or discard")) }
                    } }
                }
            }
            @if !status.stale.is_empty() {
                section {
                    h2 { (t("Projections that are behind")) }
                    ul { @for line in &status.stale {
                        li { a href="/projections" { (line.name) "@" (line.version) } (t(" is "))
                            (find(line.state)) }
                    } }
                    p { (prose("Bring them up to the head with `volledger projection refresh`.")) }
                }
            }
            section {
                h2 { (t("Views")) }
                (table("What each view shows", &["view", ">symbols", ">days", "from", "to"], &views))
            }
            (covered(here)?)
            (verified(here))
            section {
                h2 { (t("Last entries of the log")) }
                (table("Newest first", &["entry", "what", "when", "who"], &entries))
                p { a href="/events" { (t("All of them")) } }
            }
        };
        Ok(Page::new("Home", "/", body))
    })
}

/// What is missing in the views and what is old, with where that is looked at.
fn covered(here: &Here<'_>) -> Result<Markup> {
    let found = here.site.kept.covered(here.ledger, here.run.clock.market_day())?;
    if found.symbols == 0 {
        return Ok(html! {});
    }
    Ok(html! { section {
        h2 { (t("Coverage")) }
        p.coverage { (t("Of ")) (counted(found.symbols, "symbol")) " "
            a href="/gaps" { (count(found.holes)) (t(" with days missing")) } ", "
            a href="/symbols" { (count(found.old)) (t(" whose newest day is old")) }
            (t(" (prices after 3 days, others after 7).")) }
    } })
}

/// The last verification of this server's, and how much came since.
fn verified(here: &Here<'_>) -> Markup {
    let last = here.site.last_verified();
    let since = |position| here.ledger.position().0.saturating_sub(position);
    html! { section {
        h2 { (t("Last verification")) }
        @match &last {
            None => p.verified { (t("None since this server was started.")) },
            Some(last) => {
                p.verified.good[last.ok].bad[!last.ok] {
                    @if last.ok { (t("✓ Everything is as recorded (")) (depth(last.deep)) ")." }
                    @else { (t("✗ Not everything is as recorded.")) }
                }
                p { (t("At #")) (last.position) ", " (time(&rfc3339(last.at_ms)))
                    @if since(last.position) > 0 {
                        (t("; entries since then: ")) (count(since(last.position)))
                    } "." }
            }
        }
        p { a href="/verify" { (t("Verify now")) } }
    } }
}
