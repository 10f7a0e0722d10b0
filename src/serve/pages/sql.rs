//! A box for queries: read-only, within limits.

use super::{Page, named};
use crate::app::error::{AppError, Result};
use crate::app::sql::{self, Limits, SqlAnswer};
use crate::render::numbers::{MISSING, count};
use crate::render::{Document, Form, Look};
use crate::serve::ask::{Answer, Here};
use crate::serve::words::{counted, t};
use maud::{Markup, html};
use std::time::Duration;

/// Rows of a page; a file may have more.
const PAGE: usize = 500;
const FILE: usize = 200_000;
/// Memory that an answer may take, of a page and of a file; six may be asked for at once.
const PAGE_BYTES: usize = 10_000_000;
const FILE_BYTES: usize = 80_000_000;
const TIME: Duration = Duration::from_secs(10);
const EXAMPLE: &str =
    "SELECT symbol, count(*) AS days, max(date) AS newest FROM iv GROUP BY symbol";

fn asked(here: &Here<'_>, rows: usize, bytes: usize) -> Result<Option<SqlAnswer>> {
    let query = here.ask.word("q");
    let limits = Limits { time: TIME, rows, bytes };
    query.map(|query| sql::query_within(&here.vantage()?, query, limits)).transpose()
}

/// All rows: a part of them would look like the whole.
fn whole(here: &Here<'_>) -> Result<Option<SqlAnswer>> {
    let answer = asked(here, FILE + 1, FILE_BYTES)?;
    match answer.as_ref().is_some_and(|answer| answer.rows.len() > FILE) {
        true => Err(AppError::Usage(format!(
            "the answer has more than {} rows, which is too much for a page; `volledger sql` has no limit",
            count(FILE as u64)
        ))),
        false => Ok(answer),
    }
}

pub(super) fn csv(here: &Here<'_>) -> Result<Answer> {
    let answer = whole(here)?;
    let text = answer.map(|answer| answer.render(Form::Csv, &Look::default()));
    let text = text.unwrap_or_default();
    Ok(Answer::Text("text/csv; charset=utf-8", text, Some("query.csv")))
}

pub(super) fn show(here: &Here<'_>) -> Result<Answer> {
    if here.ask.json {
        let position = here.at()?.unwrap_or(here.ledger.position()).0;
        let empty = SqlAnswer { position, columns: Vec::new(), rows: Vec::new() };
        let answer = whole(here)?.unwrap_or(empty);
        return here.answer(&answer, |_| Ok(Page::new("SQL", "/sql", html! {})));
    }
    let query = here.ask.word("q");
    // A query that is wrong is shown with what is wrong, so that it can be mended.
    let (answer, wrong) = match asked(here, PAGE + 1, PAGE_BYTES) {
        Ok(answer) => (answer, None),
        Err(error) => (None, Some(error.to_string())),
    };
    let tables = sql::written(&here.vantage()?)?;
    let body = html! {
        h1 { (t("SQL")) }
        form.query method="get" action="/sql" {
            label for="q" { (t("One query; the dialect is SQLite's")) }
            textarea id="q" name="q" rows="5" maxlength="6000" spellcheck="false" {
                (query.unwrap_or(EXAMPLE)) }
            div {
                label for="at" { (t("at")) }
                input id="at" name="at" value=(here.ask.word("at").unwrap_or_default())
                    placeholder=(t("#12 or 2025-01-31")) maxlength="40";
                button.act { (t("Ask")) }
            }
        }
        @if let Some(wrong) = wrong { p.bad role="alert" { (wrong) } }
        @if let Some(answer) = &answer { (rows(answer)) }
        @if let (Some(_), Some(query)) = (&answer, query) {
            p { a href=(here.to("/sql.csv", &[("q", query)])) { (t("As a CSV file")) } }
        }
        details {
            summary { (t("Tables and their columns")) }
            dl { @for (name, columns) in &tables {
                dt { code { (name) } } dd { (columns.join(", ")) }
            } }
        }
    };
    Ok(Answer::Page(Page::new("SQL", "/sql", body)))
}

fn rows(answer: &SqlAnswer) -> Markup {
    let cell = |value: &serde_json::Value| match value {
        serde_json::Value::Null => html! { (MISSING) },
        serde_json::Value::String(text) => html! { (text) },
        other => html! { (other.to_string()) },
    };
    let rows: Vec<Vec<Markup>> =
        answer.rows.iter().take(PAGE).map(|row| row.iter().map(cell).collect()).collect();
    let headings: Vec<&str> = answer.columns.iter().map(String::as_str).collect();
    let more = answer.rows.len() > PAGE;
    html! {
        (named(&counted(rows.len() as u64, "row"), &headings, &rows))
        @if more { p { (t("There are more: the first ")) (PAGE) (t(" are shown.")) } }
    }
}
