//! What a decision would do, before it is made.

use super::{Page, batch_link, proof, table};
use crate::app::report::Decided;
use crate::render::numbers::count;
use crate::serve::Site;
use crate::serve::ask::Ask;
use crate::serve::words::{find, t};
use maud::html;

/// The plan of a decision, with the form that makes it.
pub(in crate::serve) fn planned(site: &Site, ask: &Ask, decided: &Decided) -> Page {
    let views: Vec<_> = decided
        .changes
        .iter()
        .filter(|view| view.symbols > 0)
        .map(|view| {
            vec![
                html! { (view.series) },
                html! { (count(view.symbols)) },
                html! { "+ " (count(view.added)) },
                html! { "~ " (count(view.changed)) },
                html! { "- " (count(view.removed)) },
                html! { (count(view.days)) },
            ]
        })
        .collect();
    let headings = ["view", ">symbols", ">days that come", ">change", ">go", ">shown afterwards"];
    let reason = ask.word("reason").unwrap_or_default();
    let back = decided.batches.first().map(|change| change.batch.clone());
    let body = html! {
        h1 { (t("What this would do")) }
        p { (t("Nothing is decided yet: ")) strong { (decided.action) } "." }
        ul { @for change in &decided.batches {
            li { (batch_link(&change.batch)) ": " (find(change.from)) " → " (find(change.to)) }
        } }
        @if views.is_empty() { p { (t("No day that is shown would change.")) } }
        @else { (table("What the views would show", &headings, &views)) }
        form.decide method="post" action=(ask.path) {
            (proof(site))
            input type="hidden" name="position" value=(decided.position);
            // Undo and redo are of the last decision and keep no reason.
            @if ask.word("position").is_none() {
                label for="reason" { (t("Reason")) }
                input id="reason" name="reason" value=(reason) maxlength="500" autocomplete="off";
            }
            button.act { (t("Do it")) }
        }
        @if let Some(batch) = back { p { (t("Or back to ")) (batch_link(&batch)) "." } }
    };
    Page::new("Plan", "/batches", body)
}
