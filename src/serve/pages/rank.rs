//! Symbols × months: where implied volatility stood.

use super::{Page, data, figure, links};
use crate::app::Which;
use crate::app::chart::{Heat, Metric, heatmap};
use crate::app::error::{AppError, Result};
use crate::domain::{Series, Symbol};
use crate::render::Page as _;
use crate::serve::ask::{Answer, Here};
use crate::serve::words::{foreign, t};
use maud::html;

const USUAL: usize = 60;

pub(super) fn show(here: &Here<'_>) -> Result<Answer> {
    let metric = match here.ask.word("metric") {
        None => Metric::ALL[0],
        Some(name) => {
            Metric::ALL.into_iter().find(|metric| metric.name() == name).ok_or_else(|| {
                let known = Metric::ALL.map(Metric::name).join(", ");
                AppError::Usage(format!("there is no metric `{name}`; there are {known}"))
            })?
        }
    };
    let words = here.ask.word("symbols").unwrap_or_default();
    let symbols = words.split([' ', ',']).filter(|word| !word.is_empty());
    let symbols = symbols
        .map(|word| word.parse::<Symbol>().map_err(|error| AppError::Usage(error.to_string())))
        .collect::<Result<Vec<_>>>()?;
    let limit = here.ask.parsed::<usize>("limit")?.unwrap_or(USUAL);
    let (from, to) = here.ask.days()?;
    let heat = Heat { symbols, metric, from, to, at: here.at()?, which: Which::Latest, limit };
    let map = heatmap(here.ledger, &heat)?;
    here.answer(&map, |map| {
        let drawn = map.figure();
        let link = |row: &[String]| {
            row.first()
                .map(|symbol| links::of_symbol(here, "/symbols", symbol, &[("kind", "rank")]))
        };
        let body = html! {
            h1 { (t("Rank of implied volatility")) }
            form.filter method="get" action="/rank" {
                (links::kept(here.ask, &["from", "to", "at"]))
                label for="metric" { (t("Show")) }
                select id="metric" name="metric" { @for one in Metric::ALL {
                    option value=(one.name()) selected[one.name() == metric.name()] { (one.name()) }
                } }
                label for="symbols" { (t("of")) }
                input id="symbols" name="symbols" value=(words) placeholder=(t("all symbols"))
                    maxlength="2000" autocomplete="off";
                label for="limit" { (t("at most")) }
                input id="limit" name="limit" type="number" min="0" max="5000" value=(limit);
                button { (t("Show")) }
            }
            p lang=[foreign()] { (map.definition) }
            @if map.months.is_empty() { p { (t("No symbol has implied volatility.")) } }
            @else { (figure(&drawn, "heat-")) (data(&drawn, link)) }
        };
        Ok(Page::new("Rank", "/rank", body).of(&[Series::Iv], &heat.symbols))
    })
}
