//! All batches.

use super::{Page, batch_link, links, state, table};
use crate::app::error::Result;
use crate::app::lookup;
use crate::domain::BatchState;
use crate::render::numbers::count;
use crate::serve::ask::{Answer, Here};
use crate::serve::words::{find, t};
use maud::{Markup, html};

/// The day of a time; the whole on hovering.
fn day(time: &str) -> Markup {
    html! { time datetime=(time) title=(time) { (time.get(..10).unwrap_or(time)) } }
}

pub(super) fn show(here: &Here<'_>) -> Result<Answer> {
    let mut batches = lookup::batches(here.ledger, here.at()?)?;
    let states = BatchState::ALL.map(BatchState::name);
    let wanted = here.ask.one_of("state", &states)?;
    if let Some(wanted) = wanted {
        batches.batches.retain(|batch| batch.state == wanted);
    }
    here.answer(&batches, |batches| {
        let rows: Vec<_> = batches
            .batches
            .iter()
            .rev()
            .map(|line| {
                vec![
                    batch_link(&line.batch),
                    state(line.state),
                    html! { (line.series.join(" ")) },
                    html! { (count(u64::from(line.symbols))) },
                    html! { (count(line.rows)) },
                    html! { (count(line.rejected)) },
                    html! { div.source { (line.source) }
                    @if let Some(reason) = &line.reason { div.source.small { (reason) } } },
                    day(&line.staged_at),
                    html! { @if let Some(at) = &line.confirmed_at { (day(at)) } },
                ]
            })
            .collect();
        let headings = [
            "batch",
            "state",
            "views",
            ">symbols",
            ">rows",
            ">rejected",
            "source, and why it is as it is",
            "staged",
            "confirmed",
        ];
        let body = html! {
            h1 { (t("Batches")) }
            form.filter method="get" action="/batches" {
                (links::kept(here.ask, &["at"]))
                label for="state" { (t("State")) }
                select id="state" name="state" {
                    option value="" { (t("all")) }
                    @for name in states {
                        option value=(name) selected[wanted == Some(name)] { (find(name)) }
                    }
                }
                button { (t("Show")) }
            }
            @if rows.is_empty() { p { (t("None.")) } }
            @else { (table("Newest first", &headings, &rows)) }
        };
        Ok(Page::new("Batches", "/batches", body))
    })
}
