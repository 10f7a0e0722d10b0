//! What stocks do on their announcements, and what their options pay for it.

use super::{Page, links, symbol_link, table};
use crate::app::earnings::{self, BUNDLED, TierSet, Which};
use crate::app::error::{AppError, Result};
use crate::app::projection;
use crate::app::report::VrpRow;
use crate::domain::projection::ProjectionName;
use crate::domain::{Day, Symbol};
use crate::render::numbers::{MISSING, or_missing, percent_of, plain};
use crate::serve::ask::{Answer, Here};
use crate::serve::words::{counted, foreign, t};
use maud::{Markup, html};
use std::collections::BTreeSet;

/// The projection that moves are from, unless another is asked for.
const USUAL: &str = "earnings_moves";

fn asked(here: &Here<'_>) -> Result<ProjectionName> {
    let name = here.ask.word("projection").unwrap_or(USUAL);
    name.parse().map_err(|_| AppError::Usage(format!("`{name}` is no name of a projection")))
}

/// What both pages are asked with.
fn same<'a>(here: &Here<'a>) -> [(&'static str, &'a str); 2] {
    ["date", "projection"].map(|name| (name, here.ask.word(name).unwrap_or_default()))
}

pub(super) fn show(here: &Here<'_>) -> Result<Answer> {
    let symbol: Symbol = here.ask.name(0)?;
    let dates = (here.ask.parsed::<Day>("date")?, here.run.clock.market_day());
    let set = &here.site.options.tiers;
    let made = earnings::earnings(&here.vantage()?, &symbol, &asked(here)?, set, dates);
    let told = match here.there(&symbol, made)? {
        Ok(told) => told,
        Err(why) => return none(here, &symbol, &why).map(Answer::Page),
    };
    let heading = heading(here, &symbol)?;
    here.answer(&told, |told| {
        let rows: Vec<_> = told
            .rows
            .iter()
            .map(|row| {
                vec![
                    html! { (row.earnings_date) },
                    html! { (or_missing(&row.timing)) },
                    html! { (or_missing(&row.reaction_session)) },
                    html! { (percent_of(row.gap_move)) },
                    html! { (percent_of(row.intraday_move)) },
                    html! { (percent_of(row.close_move)) },
                    html! { (or_missing(&row.status)) @if let Some(why) = &row.reason { ": " (why) } },
                ]
            })
            .collect();
        let headings =
            ["announced", "timing", "session", ">gap", ">intraday", ">close to close", "status"];
        let body = html! {
            (heading)
            @if let Some(name) = &told.name { p { (name) } }
            p { (t("Seen from ")) (told.date) (t(", moves from ")) code { (told.projection) } (t(", at #"))
                (told.position) "." }
            @if let Some(next) = &told.next {
                p { (t("Next: ")) strong { (next.earnings_date) } " (" (next.timing)
                    @if next.days == 0 { (t("), today.")) }
                    @else { (t("), in ")) (counted(u64::from(next.days.unsigned_abs()), "day")) "." } }
            }
            @if let Some(history) = &told.history {
                p { (counted(history.n, "move")) (t(": mean ")) (percent_of(Some(history.mean_move)))
                    (t(", median ")) (percent_of(Some(history.median_move))) (t(", largest "))
                    (percent_of(Some(history.max_move))) "." }
            }
            @for note in &told.notes { p.note { (note) } }
            @if rows.is_empty() { p { (t("None is known.")) } }
            @else { (table("Moves on announcements, sizes in percent", &headings, &rows)) }
            @if here.had(&symbol, &earnings::VIEWS)? {
                p { a href=(here.to("/vrp", &[&[("symbols", symbol.as_str())], &same(here)[..]].concat())) {
                    (t("Implied against past moves")) } }
            }
        };
        let of = std::slice::from_ref(&symbol);
        let title = format!("{}{symbol}", t("Announcements of "));
        Ok(Page::new(title, "/vrp", body).of(&[], of))
    })
}

/// The heading of what is told of a symbol, which has a page where anything is known of it.
fn heading(here: &Here<'_>, symbol: &Symbol) -> Result<Markup> {
    let known = here.knows(symbol)?;
    Ok(html! { h1 { (t("Announcements of "))
    @if known { (symbol_link(here, symbol.as_str())) } @else { (symbol) } } })
}

/// The page of a symbol that is known, and nothing of its announcements.
fn none(here: &Here<'_>, symbol: &Symbol, why: &str) -> Result<Page> {
    let body = html! { (heading(here, symbol)?) p.note lang=[foreign()] { (why) } };
    let title = format!("{}{symbol}", t("Announcements of "));
    let page = Page::new(title, "/vrp", body).of(&[], std::slice::from_ref(symbol));
    Ok(Page { twin: false, ..page })
}

pub(super) fn vrp(here: &Here<'_>) -> Result<Answer> {
    let words = here.ask.word("symbols").unwrap_or_default();
    let symbols = words.split([' ', ',']).filter(|word| !word.is_empty());
    let symbols = symbols
        .map(|word| word.parse::<Symbol>().map_err(|error| AppError::Usage(error.to_string())))
        .collect::<Result<Vec<_>>>()?;
    let which = match symbols.is_empty() {
        true => Which::Announcing,
        false => Which::Symbols(symbols),
    };
    // A bundled set by its name: a page names no file.
    let tiers = here.ask.word("tiers");
    let set = match tiers {
        Some(name) => &TierSet::bundled(name)?,
        None => &here.site.options.tiers,
    };
    let date = here.ask.parsed::<Day>("date")?;
    let dates = (date, here.run.clock.market_day());
    let found = earnings::vrp(&here.vantage()?, &which, &asked(here)?, set, dates)?;
    here.answer(&found, |found| {
        let rows: Vec<_> = found
            .rows
            .iter()
            .map(|row| {
                vec![
                    html! { a href=(links::of_symbol(here, "/earnings", &row.symbol, &same(here))) {
                        (row.symbol) } },
                    html! { (plain(row.vrp, 2)) },
                    html! { (row.tier.unwrap_or(MISSING)) },
                    html! { span.day { (or_missing(&row.earnings_date)) } " "
                        (row.timing.as_deref().unwrap_or_default()) },
                    html! { (percent_of(row.implied_move)) },
                    html! { (percent_of(row.mean_move)) },
                    html! { (row.n) },
                    html! { (row.liquidity.unwrap_or(MISSING)) },
                    html! { code { (row.status) } },
                ]
            })
            .collect();
        let headings = [
            "symbol", ">ratio", "tier", "announces", ">implied move", ">mean move", ">n",
            "liquidity", "status",
        ];
        let kept = projections(here, &found.projection)?;
        let body = html! {
            h1 { (t("What options pay for announcements")) }
            form.filter method="get" action="/vrp" {
                (links::kept(here.ask, &["at"]))
                label for="symbols" { (t("Symbols")) }
                input id="symbols" name="symbols" value=(words) placeholder=(t("all that announce"))
                    maxlength="2000" autocomplete="off";
                label for="date" { (t("on")) }
                input id="date" name="date" type="date"
                    value=(date.map(|day| day.to_string()).unwrap_or_default());
                label for="tiers" { (t("tiers")) }
                select id="tiers" name="tiers" {
                    option value="" { (t("of the settings")) }
                    @for (name, _) in BUNDLED {
                        option value=(name) selected[tiers == Some(name)] { (name) }
                    }
                }
                label for="projection" { (t("moves from")) }
                select id="projection" name="projection" { @for name in &kept {
                    option value=(name) selected[*name == found.projection] { (name) }
                } }
                button { (t("Show")) }
            }
            p { (t("Implied move over the mean size of past moves, from ")) code { (found.projection) }
                (t(". Tiers: ")) (found.tiers.title) (t(", excellent from ")) (plain(Some(found.tiers.excellent), 2))
                (t(", good from ")) (plain(Some(found.tiers.good), 2)) (t(", marginal from "))
                (plain(Some(found.tiers.marginal), 2)) (t("; at least "))
                (counted(found.tiers.min_quarters, "past move")) "." }
            @if rows.is_empty() { (nobody(here, date)?) }
            @else {
                (table("The ratio of implied to past moves", &headings, &rows))
                (reasons(&found.rows))
            }
        };
        Ok(Page::new("VRP", "/vrp", body))
    })
}

/// The projections that moves can be from: every version of the usual one, and the one that is shown.
fn projections(here: &Here<'_>, shown: &str) -> Result<BTreeSet<String>> {
    let list = projection::list(&here.vantage()?)?.projections;
    let of = list
        .into_iter()
        .filter(|line| line.kind != "view" && line.state != "dropped" && line.name == USUAL);
    let names = of.map(|line| format!("{}@{}", line.name, line.version));
    Ok(names.chain([shown.to_owned()]).collect())
}

/// That no stock announces on a day, and the nearest days on which some do.
fn nobody(here: &Here<'_>, date: Option<Day>) -> Result<Markup> {
    let day = date.unwrap_or(here.run.clock.market_day());
    let [last, next] = earnings::nearest(&here.vantage()?, day)?;
    let link = |(day, stocks): (Day, u64)| {
        let to = |name: &'static str| (name, here.ask.word(name).unwrap_or_default());
        let text = day.to_string();
        let words = [("date", text.as_str()), to("tiers"), to("projection")];
        html! { a href=(here.to("/vrp", &words)) { (day) } " (" (counted(stocks, "stock")) ")" }
    };
    Ok(html! {
        p { (t("No stock announces on ")) (day) (t(", as far as the ledger knows.")) }
        p {
            @if let Some(next) = next { (t("Next: ")) (link(next)) ". " }
            @if let Some(last) = last { (t("Last before: ")) (link(last)) "." }
        }
    })
}

/// Why each ratio is what it is, or is not there: sentences, which have no room in a table.
fn reasons(rows: &[VrpRow]) -> Markup {
    let told: Vec<&VrpRow> = rows.iter().filter(|row| !row.reasons.is_empty()).collect();
    html! { @if !told.is_empty() { section {
        h2 { (t("Why")) }
        dl lang=[foreign()] { @for row in &told {
            dt { (row.symbol) }
            dd { ul { @for reason in &row.reasons { li { (reason) } } } }
        } }
    } } }
}
