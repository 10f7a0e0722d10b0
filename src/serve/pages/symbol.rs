//! Symbols: the list with their health, and one of them over time.

use super::{Page, data, leading, links, positions, symbol_link, table};
use crate::app::chart::{self, Drawn, Kind};
use crate::app::coverage;
use crate::app::error::Result;
use crate::app::lookup::{self, ViewQuery};
use crate::app::metrics::Asked;
use crate::app::report::{Chart, Coverage, Span};
use crate::app::views::ViewReader;
use crate::app::{AppError, Which};
use crate::domain::{Day, Series, Symbol};
use crate::render::numbers::{MISSING, count};
use crate::serve::ask::{Answer, Here, encoded};
use crate::serve::words::{find, foreign, t};
use maud::{Markup, html};

/// Symbols of a page.
const MOST: usize = 200;
/// The words of an address that ask for an index's level.
const LEVEL: (&str, &str) = ("kind", "index");
/// Days of the table under a chart: half of ten years of a page would be its rows.
const ROWS: usize = 250;

pub(super) fn list(here: &Here<'_>) -> Result<Answer> {
    let words = here.ask.word("q").unwrap_or_default().to_uppercase();
    let known = here.site.kept.symbols(&here.vantage()?)?;
    let fits = |of: &&Symbol| of.as_str().to_uppercase().contains(&words);
    let found: Vec<Symbol> = known.stocks.iter().filter(fits).cloned().collect();
    let indices: Vec<&Symbol> = known.indices.iter().filter(fits).collect();
    let total = found.len();
    let symbols: Vec<Symbol> = match here.ask.json {
        true => found,
        false => found.into_iter().take(MOST).collect(),
    };
    let (today, at) = (here.run.clock.market_day(), here.at()?);
    let coverage = match symbols.is_empty() {
        // No symbol would mean all of them.
        true => Coverage {
            position: at.unwrap_or(here.ledger.position()).0,
            which: None,
            date: today.to_string(),
            rows: Vec::new(),
        },
        false => {
            let asked = Asked { symbols, at, date: None, which: Which::Latest };
            let mut coverage = coverage::coverage(here.ledger, &asked, today)?;
            // Whose days were all taken back is not told of, as by the command that names nobody.
            coverage.rows.retain(|row| row.iv.is_some() || row.hv.is_some() || row.spot.is_some());
            coverage
        }
    };
    here.answer(&coverage, |coverage| {
        let span = |span: &Option<Span>| html! { @match span {
            Some(span) => { (count(span.days)) (t(" to ")) (span.to)
                @if span.missing > 0 { ", " (count(span.missing)) (t(" missing")) } }
            None => (MISSING)
        } };
        let rows: Vec<Vec<Markup>> = coverage.rows.iter().map(|row| vec![
            symbol_link(here, &row.symbol),
            span(&row.iv),
            span(&row.hv),
            span(&row.spot),
            html! { a href=(links::of_symbol(here, "/gaps", &row.symbol, &[])) { (t("calendar")) } },
            html! { (row.issues.join(", ")) },
        ]).collect();
        let body = html! {
            h1 { (t("Symbols")) }
            form.filter method="get" action="/symbols" role="search" {
                (links::kept(here.ask, &["at"]))
                label for="q" { (t("Search")) }
                input id="q" name="q" type="search" value=(words) maxlength="40" autocomplete="off";
                button { (t("Show")) }
            }
            @if rows.is_empty() { p { (t("None.")) } }
            @else {
                (table("Days of each view", &["symbol", "iv", "hv", "spot", "gaps", "what is wrong"],
                    &rows))
            }
            @if total > MOST { p { (t("The first ")) (MOST) (t(" of ")) (count(total as u64)) "." } }
            @if !indices.is_empty() { section {
                h2 { (t("Indices")) }
                p { @for of in indices.iter().take(MOST) {
                    a href=(links::of_symbol(here, "/symbols", of.as_str(), &[LEVEL])) { (of) } " "
                } }
            } }
        };
        Ok(Page::new("Symbols", "/symbols", body))
    })
}

pub(super) fn show(here: &Here<'_>) -> Result<Answer> {
    let symbol: Symbol = here.ask.name(0)?;
    let kind = here.ask.parsed::<Kind>("kind")?.unwrap_or(Kind::All);
    let (from, to) = here.ask.days()?;
    let drawn = Drawn {
        kind,
        symbol: symbol.clone(),
        fields: Vec::new(),
        from,
        to,
        at: here.at()?,
        which: Which::Latest,
    };
    let made = chart::chart(here.ledger, &drawn);
    match here.there(&symbol, made)? {
        Ok(chart) => here.answer(&chart, |chart| page(here, &symbol, chart.kind, Ok(chart))),
        Err(why) => page(here, &symbol, kind.name(), Err(&why)).map(Answer::Page),
    }
}

/// The page of a symbol: its chart, or why there is none.
fn page(
    here: &Here<'_>,
    symbol: &Symbol,
    kind: &str,
    chart: std::result::Result<&Chart, &str>,
) -> Result<Page> {
    let at = here.ask.word("at");
    let all = here.site.kept.symbols(&here.vantage()?)?;
    let list = if all.stocks.contains(symbol) { &all.stocks } else { &all.indices };
    let (before, after) = neighbours(list, symbol);
    let word = |name: &'static str| (name, here.ask.word(name).unwrap_or_default());
    let to = |of: &str, symbol: &Symbol, kind: (&str, &str)| {
        links::of_symbol(here, of, symbol.as_str(), &[kind, word("from"), word("to")])
    };
    let other = |of: &str| links::of_symbol(here, of, symbol.as_str(), &[]);
    let link = |name: &'static str, text: &str| {
        html! {
            a href=(to("/symbols", symbol, ("kind", name)))
                aria-current=[(kind == name).then_some("true")] { (find(text)) } " "
        }
    };
    let (head, position) = (here.ledger.position().0, here.at()?.map(|at| at.0));
    let place = format!("/symbols/{}", encoded(symbol.as_str()));
    let body = html! {
        h1 { (symbol) }
        p.kinds { (link("all", "IV, IV MA, HV20, HV252, spot")) (link("iv", "IV")) (link("hv", "HV"))
            (link("spot", "spot")) (link("rank", "rank"))
            @if here.had(symbol, &[Series::Index])? { (link("index", "index")) }
            a href=(other("/gaps")) { (t("gaps")) } " "
            a href=(other("/earnings")) { (t("announcements")) } }
        form.filter method="get" action=(place) {
            (links::kept(here.ask, &["kind", "at"]))
            label for="from" { (t("From")) }
            input id="from" name="from" type="date" value=(here.ask.word("from").unwrap_or_default());
            label for="to" { (t("to")) }
            input id="to" name="to" type="date" value=(here.ask.word("to").unwrap_or_default());
            button { (t("Show")) }
        }
        // A form of its own: a slider is always sent, and would pin whoever only chose days.
        form.filter method="get" action=(place) {
            (links::kept(here.ask, &["kind", "from", "to"]))
            (positions(head, position))
            button { (t("Look back")) }
        }
        @match chart {
            Ok(chart) => { (pictured(here, symbol, chart, at)) }
            Err(why) => { p.note lang=[foreign()] { (why) } }
        }
        (averages(here, symbol)?)
        p.around {
            @if let Some(before) = before { a rel="prev" data-key="["
                href=(to("/symbols", before, word("kind"))) { "← " (before) } }
            " "
            @if let Some(after) = after { a rel="next" data-key="]"
                href=(to("/symbols", after, word("kind"))) { (after) " →" } }
        }
    };
    let page = Page::new(symbol.to_string(), "/symbols", body);
    Ok(Page { twin: chart.is_ok(), ..page }.of(&[], std::slice::from_ref(symbol)))
}

/// The chart with its data; a day leads to the first view that says something about it. Of a day
/// without any there is no reason.
fn pictured(here: &Here<'_>, symbol: &Symbol, chart: &Chart, at: Option<&str>) -> Markup {
    let drawn = chart.newest(ROWS);
    let why = |row: &[String]| {
        let (day, values) = row.split_first()?;
        let mut said = chart.lines.iter().zip(values).filter(|(_, value)| *value != MISSING);
        said.next().map(|(line, _)| links::why(here, line.series, symbol.as_str(), day, ""))
    };
    html! { (leading(&drawn, "", Some((symbol.as_str(), at)))) (data(&drawn, why)) }
}

/// The newest days of implied volatility, with every field.
fn averages(here: &Here<'_>, symbol: &Symbol) -> Result<Markup> {
    const DAYS: usize = 10;
    let symbols = vec![symbol.clone()];
    let years = ViewReader::new(here.ledger)?.periods(Series::Iv, symbol)?;
    let newest = years.last().and_then(|year| Day::from_ymd(*year, 1, 1));
    let query = ViewQuery { symbols, at: here.at()?, from: newest, ..ViewQuery::of(Series::Iv) };
    let shown = |query: &ViewQuery| match lookup::view(here.ledger, query) {
        Ok(views) => Ok(views.into_iter().next()),
        Err(AppError::NotFound(_)) => Ok(None),
        Err(error) => Err(error),
    };
    // Mostly the newest year has them, and only that is read.
    let view = match shown(&query)?.filter(|view| view.rows.len() >= DAYS) {
        Some(view) => Some(view),
        None => shown(&ViewQuery { from: None, ..query })?,
    };
    let Some(view) = view.filter(|view| !view.rows.is_empty()) else { return Ok(html! {}) };
    let names: Vec<&str> = view.columns.iter().map(String::as_str).take(8).collect();
    let headings: Vec<String> =
        std::iter::once("date".to_owned()).chain(names.iter().map(|n| format!(">{n}"))).collect();
    let headings: Vec<&str> = headings.iter().map(String::as_str).collect();
    let rows: Vec<Vec<Markup>> = view
        .rows
        .iter()
        .rev()
        .take(DAYS)
        .map(|row| {
            let day = html! {
                a href=(links::why(here, "iv", symbol.as_str(), &row.date, "")) { (row.date) }
            };
            let value = |name: &&str| {
                let text = crate::render::numbers::optional("iv", name, row.values.get(*name));
                html! { (text) }
            };
            std::iter::once(day).chain(names.iter().map(value)).collect()
        })
        .collect();
    Ok(html! { section {
        h2 { (t("Newest days of implied volatility")) }
        (table("A date leads to where its values come from", &headings, &rows))
    } })
}

/// The symbols before and after one in the list.
fn neighbours<'a>(all: &'a [Symbol], symbol: &Symbol) -> (Option<&'a Symbol>, Option<&'a Symbol>) {
    let place = all.partition_point(|other| other < symbol);
    let next = all.get(place..).unwrap_or_default().iter().find(|other| *other != symbol);
    (place.checked_sub(1).and_then(|before| all.get(before)), next)
}
