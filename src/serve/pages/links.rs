//! Where pages lead, and from where they look: what is seen from an earlier position leads to what is.

use crate::serve::ask::{Ask, Here, encoded};
use crate::serve::words::t;
use maud::{Markup, html};

/// Whether the page at an address can be seen from an earlier position.
pub(in crate::serve) fn looks_back(path: &str) -> bool {
    let same = |(part, asked): (&str, &str)| part.starts_with('{') || part == asked;
    let fits = |pattern: &str| {
        pattern.split('/').count() == path.split('/').count()
            && pattern.split('/').zip(path.split('/')).all(same)
    };
    super::ALL.iter().any(|(pattern, _, words)| words.contains(&"at") && fits(pattern))
}

/// From where a page looks back, and the way to the present.
pub(super) fn past(ask: &Ask, at: u64) -> Markup {
    html! {
        p.past role="note" { (t("As the ledger stood after #")) (at) ". "
            a rel="latest-version" href=(ask.present()) { (t("now")) } }
    }
}

/// Hidden fields of a form that asks: words of the address that it leaves as they are.
pub(super) fn kept(ask: &Ask, names: &[&str]) -> Markup {
    html! { @for name in names {
        @if let Some(word) = ask.word(name) { input type="hidden" name=(name) value=(word); }
    } }
}

/// A link to a batch, which is shown as it is now.
pub(super) fn batch_link(batch: &str) -> Markup {
    html! { a href=(format!("/batches/{}", encoded(batch))) { (batch) } }
}

/// The address of something of a symbol's (`/symbols`, `/gaps`, `/earnings`).
pub(super) fn of_symbol(here: &Here<'_>, of: &str, symbol: &str, words: &[(&str, &str)]) -> String {
    here.to(&format!("{of}/{}", encoded(symbol)), words)
}

/// A link to a symbol.
pub(super) fn symbol_link(here: &Here<'_>, symbol: &str) -> Markup {
    html! { a href=(of_symbol(here, "/symbols", symbol, &[])) { (symbol) } }
}

/// The address of where the values of a day come from; `item` names one of several records.
pub(super) fn why(here: &Here<'_>, series: &str, symbol: &str, day: &str, item: &str) -> String {
    here.to(&format!("/why/{series}/{}/{day}", encoded(symbol)), &[("item", item)])
}

/// A link to a row event (`b7/3`).
pub(super) fn event_link(event: &str) -> Markup {
    html! { a href=(format!("/events/{event}")) { (event) } }
}

/// A link to an entry of the log.
pub(in crate::serve) fn entry_link(position: u64) -> Markup {
    html! { a href=(format!("/events/{position}")) { "#" (position) } }
}

/// The field of the position that is looked back to, with a slider over all of them.
pub(super) fn positions(head: u64, at: Option<u64>) -> Markup {
    let now = at.unwrap_or(head);
    html! {
        label for="at" { (t("as the ledger stood after #")) output id="at-is" for="at" { (now) }
            (t(" of ")) (head) }
        input type="range" id="at" name="at" min="1" max=(head.max(1)) value=(now);
    }
}
