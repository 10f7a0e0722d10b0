//! Trading days without a value: the list, and a symbol's calendar.

use super::{Page, data, figure, links, symbol_link, table};
use crate::app::Which;
use crate::app::chart::days;
use crate::app::error::Result;
use crate::app::lookup;
use crate::app::report::{DayKind, Days};
use crate::domain::{Series, Symbol};
use crate::render::numbers::{MISSING, count};
use crate::render::{Page as _, kind_name};
use crate::serve::ask::{Answer, Here};
use crate::serve::words::{foreign, t};
use maud::{Markup, html};

/// Series of a page.
const MOST: usize = 300;

pub(super) fn list(here: &Here<'_>) -> Result<Answer> {
    let series = here.ask.parsed::<Series>("series")?;
    let gaps = lookup::gaps(here.ledger, &[], series, here.at()?, Which::Latest)?;
    here.answer(&gaps, |gaps| {
        let mut order: Vec<_> = gaps.rows.iter().collect();
        order.sort_by_key(|line| std::cmp::Reverse(line.missing));
        let rows: Vec<_> = order.iter().take(MOST).map(|line| vec![
            html! { a href=(links::of_symbol(here, "/gaps", &line.symbol, &[("series", line.series)])) {
                (line.symbol) } },
            html! { (line.series) },
            html! { span.day { (line.from.as_deref().unwrap_or(MISSING)) } },
            html! { span.day { (line.to.as_deref().unwrap_or(MISSING)) } },
            html! { (count(line.days)) },
            html! { (count(line.missing)) },
            html! { (count(line.gaps.len() as u64)) },
        ]).collect();
        let headings = ["symbol", "view", "from", "to", ">days", ">missing", ">holes"];
        let body = html! {
            h1 { (t("Gaps")) }
            @if rows.is_empty() { p { (t("There is no daily view yet.")) } }
            @else { (table("The most missing first", &headings, &rows)) }
            @if order.len() > MOST { p { (t("The first ")) (MOST) (t(" of ")) (order.len()) "." } }
        };
        Ok(Page::new("Gaps", "/gaps", body))
    })
}

pub(super) fn show(here: &Here<'_>) -> Result<Answer> {
    let symbol: Symbol = here.ask.name(0)?;
    let series = here.ask.parsed::<Series>("series")?;
    let made = days(here.ledger, &symbol, series, here.at()?, Which::Latest);
    match here.there(&symbol, made)? {
        Ok(days) => here.answer(&days, |days| page(here, &symbol, series, Ok(days))),
        Err(why) => page(here, &symbol, series, Err(&why)).map(Answer::Page),
    }
}

/// The page of a symbol: its calendar, or why there is none.
fn page(
    here: &Here<'_>,
    symbol: &Symbol,
    series: Option<Series>,
    days: std::result::Result<&Days, &str>,
) -> Result<Page> {
    let to = |view| links::of_symbol(here, "/gaps", symbol.as_str(), &[("series", view)]);
    let index = here.had(symbol, &[Series::Index])?.then_some("index");
    let body = html! {
        h1 { (t("Days of ")) (symbol_link(here, symbol.as_str())) }
        p.kinds {
            a href=(to("")) { (t("all views")) } " "
            @for view in ["iv", "hv", "spot"].into_iter().chain(index) {
                a href=(to(view)) { (view) } " "
            }
        }
        @match days {
            Ok(days) => { (calendar(here, symbol, days)) }
            Err(why) => { p.note lang=[foreign()] { (why) } }
        }
    };
    let views: Vec<Series> = series.into_iter().collect();
    let title = format!("{}{symbol}", t("Gaps of "));
    let page = Page::new(title, "/gaps", body);
    Ok(Page { twin: days.is_ok(), ..page }.of(&views, std::slice::from_ref(symbol)))
}

/// The calendar with its data, and how what is missing is had.
fn calendar(here: &Here<'_>, symbol: &Symbol, days: &Days) -> Markup {
    let drawn = days.figure();
    let lacking = |view: &str| days.views.iter().any(|v| v.series == view && v.counts.missing > 0);
    let missing = days.views.iter().any(|view| view.counts.missing > 0);
    html! {
        (figure(&drawn, "days-"))
        @if lacking("spot") {
            p { (t("Ask for what is missing: ")) code { "volledger fetch spot " (symbol) } (t(", or "))
                a href="/upload" { (t("upload a file")) } "." }
        } @else if missing {
            p { (t("For what is missing ")) a href="/upload" { (t("upload a file")) } "." }
        }
        @if missing {
            p.small { (t("In the table below a missing day leads to the upload of a file that has it, a day \
                with a value to where that comes from.")) }
        }
        (data(&drawn, |row| leads(here, symbol, row)))
    }
}

/// Where a day of the table leads: its values have an origin, what is missing may be in a file.
fn leads(here: &Here<'_>, symbol: &Symbol, row: &[String]) -> Option<String> {
    let [day, view, kind] = row else { return None };
    Some(match kind == kind_name(DayKind::ClosedValue) {
        true => links::why(here, view, symbol.as_str(), day, ""),
        false => here.to("/upload", &[("series", view), ("symbol", symbol.as_str())]),
    })
}
