//! Questions that are kept answered, and whether they are current.

use super::{Page, digest, entry_link, prose, table};
use crate::app::error::Result;
use crate::app::projection;
use crate::domain::projection::ProjectionName;
use crate::render::numbers::count;
use crate::serve::ask::{Answer, Here, encoded};
use maud::html;

pub(super) fn list(here: &Here<'_>) -> Result<Answer> {
    let list = projection::list(&here.vantage()?)?;
    here.answer(&list, |list| {
        let rows: Vec<_> = list.projections.iter().map(|line| {
            let name = format!("{}@{}", line.name, line.version);
            vec![
                html! { @if line.kind == "view" { (line.name) } @else {
                    a href=(format!("/projections/{}", encoded(&name))) { (name) } } },
                html! { (line.kind) },
                html! { span class={ "state " (line.state) } { (line.state) }
                    @if let Some(parts) = line.stale_parts { " (" (count(parts)) " parts)" } },
                html! { @if line.promoted { "yes" } },
                html! { @if let Some(at) = line.at { (entry_link(at)) } },
                html! { @if let Some(rows) = line.rows { (count(rows)) } },
                html! { @if let Some(of) = &line.digest { (digest(of)) } },
                html! { (line.inputs.join(" ")) @if let Some(error) = &line.error { " ✗ " (error) } },
            ]
        }).collect();
        let headings = ["name", "kind", "state", "promoted", "at", ">rows", "digest", "made from"];
        let body = html! {
            h1 { "Projections" }
            p { "At #" (list.position) ". " (prose("Versions are compared with `volledger projection \
                diff A B`, brought up to the head with `volledger projection refresh`.")) }
            (table("Views first", &headings, &rows))
        };
        Ok(Page::new("Projections", "/projections", body))
    })
}

pub(super) fn show(here: &Here<'_>) -> Result<Answer> {
    let name: ProjectionName = here.ask.name(0)?;
    let shown = projection::show(&here.vantage()?, &name)?;
    here.answer(&shown, |shown| {
        let line = &shown.line;
        let columns: Vec<_> = shown.columns.iter().map(|(name, about)| {
            vec![html! { code { (name) } }, html! { (about) }]
        }).collect();
        let query = format!("SELECT * FROM {} LIMIT 100", line.name);
        let body = html! {
            h1 { "Projection " (line.name) "@" (line.version) }
            p { (shown.about) }
            dl {
                dt { "kind" } dd { (line.kind) }
                dt { "state" } dd { (line.state) @if let Some(error) = &line.error { ": " (error) } }
                @if let Some(of) = &line.digest { dt { "digest" } dd { code.long { (of) } } }
                dt { "asked" } dd { @if shown.by_symbol { "for each symbol" } @else { "whole" } }
            }
            @if let Some(sql) = &shown.sql { pre tabindex="0" { (sql) } }
            @if !columns.is_empty() { (table("Columns", &["name", "what"], &columns)) }
            p { a href=(format!("/sql?q={}", encoded(&query))) { "Its rows" } }
        };
        Ok(Page::new(format!("{name}"), "/projections", body))
    })
}
