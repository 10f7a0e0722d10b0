//! Where a day's values come from, and what they replaced.

use super::{Page, event::facts, event_link, state, symbol_link};
use crate::app::error::Result;
use crate::app::trace;
use crate::domain::{Day, Series, Symbol};
use crate::render::numbers;
use crate::serve::ask::{Answer, Here};
use crate::serve::words::t;
use maud::html;

pub(super) fn show(here: &Here<'_>) -> Result<Answer> {
    let series: Series = here.ask.name(0)?;
    let symbol: Symbol = here.ask.name(1)?;
    let day: Day = here.ask.name(2)?;
    let (item, field) = (here.ask.word("item"), here.ask.word("field"));
    let why = trace::why(here.ledger, series, &symbol, day, item, field, here.at()?)?;
    here.answer(&why, |why| {
        let title = format!("{series} {symbol} {day}");
        let body = html! {
            h1 { (t("Why ")) (why.series) " " (symbol_link(here, &why.symbol)) " " (why.date) }
            // A page of the past says it above.
            @if here.ask.word("at").is_none() {
                p { (t("As the ledger stood after #")) (why.position) "." }
            }
            @for erasure in &why.erasures {
                p.note { (t("Something about this day was ")) (erasure.to_string())
                    (t("; an older value may show.")) }
            }
            @for field in &why.fields {
                section {
                    h2 { (field.field) " = " (numbers::value(why.series, &field.field, &field.value)) }
                    p { (t("Event ")) (event_link(&field.event.event)) }
                    @if !field.replaced.is_empty() {
                        p { (t("Instead of:")) }
                        ul { @for other in &field.replaced { li {
                            @match &other.value {
                                Some(value) => { (numbers::value(why.series, &field.field, value)) }
                                None => { (other.op) }
                            }
                            (t(" of ")) (event_link(&other.event)) " " (state(other.state))
                        } } }
                    }
                    details { summary { (t("The event")) } (facts(&field.event)) }
                }
            }
        };
        Ok(Page::new(title, "/symbols", body).itself())
    })
}
