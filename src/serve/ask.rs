//! What is asked, and what is answered: a page, or the same as JSON.

use super::Site;
use super::pages::{self, Page};
use crate::app::error::{AppError, Result};
use crate::app::lookup;
use crate::app::vantage::Vantage;
use crate::app::{Ledger, Run, Which};
use crate::domain::{Day, Position, Series, Symbol};
use crate::render::json;
use serde::Serialize;
use std::collections::BTreeMap;
use std::str::FromStr;
use std::sync::Arc;

/// A request, read.
#[derive(Clone, Debug, Default)]
pub(super) struct Ask {
    /// Whether JSON is wanted.
    pub(super) json: bool,
    /// The path, without `.json`.
    pub(super) path: String,
    /// The variable parts of the path.
    pub(super) names: Vec<String>,
    /// The query or the form; empty fields are none.
    pub(super) words: BTreeMap<String, String>,
}

impl Ask {
    /// A variable part of the path.
    pub(super) fn name<T: FromStr<Err: std::fmt::Display>>(&self, index: usize) -> Result<T> {
        let text = self.names.get(index).map(String::as_str).unwrap_or_default();
        text.parse().map_err(|error: T::Err| AppError::NotFound(error.to_string()))
    }

    /// A word of the query or form.
    pub(super) fn word(&self, name: &str) -> Option<&str> {
        self.words.get(name).map(|word| word.trim()).filter(|word| !word.is_empty())
    }

    /// A word that is one of a few.
    pub(super) fn one_of(&self, name: &str, known: &[&str]) -> Result<Option<&str>> {
        match self.word(name) {
            Some(word) if !known.contains(&word) => {
                let known = known.join(", ");
                Err(AppError::Usage(format!("{name}: there is no `{word}`; there are {known}")))
            }
            word => Ok(word),
        }
    }

    /// A word that means something.
    pub(super) fn parsed<T: FromStr<Err: std::fmt::Display>>(
        &self,
        name: &str,
    ) -> Result<Option<T>> {
        let parse = |word: &str| {
            word.parse().map_err(|error: T::Err| AppError::Usage(format!("{name}: {error}")))
        };
        self.word(name).map(parse).transpose()
    }

    /// The days from `from` to `to`, as far as they are given.
    pub(super) fn days(&self) -> Result<(Option<Day>, Option<Day>)> {
        let (from, to) = (self.parsed("from")?, self.parsed("to")?);
        match (from, to) {
            (Some(from), Some(to)) if from > to => {
                Err(AppError::Usage(format!("{from} is after {to}")))
            }
            days => Ok(days),
        }
    }

    fn pairs(&self) -> impl Iterator<Item = (&str, &str)> {
        self.words.iter().map(|(name, word)| (name.as_str(), word.as_str()))
    }

    /// The address of the same as JSON.
    pub(super) fn twin(&self) -> String {
        let path = if self.path == "/" { "/status" } else { &self.path };
        address(&format!("{path}.json"), self.pairs())
    }

    /// The address of the same as the ledger stands now.
    pub(super) fn present(&self) -> String {
        address(&self.path, self.pairs().filter(|(name, _)| *name != "at"))
    }
}

/// A path with the words of its query, without those that say nothing.
fn address<'a>(path: &str, words: impl Iterator<Item = (&'a str, &'a str)>) -> String {
    let words = words.filter(|(_, word)| !word.trim().is_empty());
    let words: Vec<_> = words.map(|(name, word)| format!("{name}={}", encoded(word))).collect();
    let mark = if words.is_empty() { "" } else { "?" };
    format!("{path}{mark}{}", words.join("&"))
}

/// A text as part of an address.
pub(super) fn encoded(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                out.push(char::from(byte));
            }
            byte => out += &format!("%{byte:02X}"),
        }
    }
    out
}

/// What a request is answered with.
pub(super) enum Answer {
    /// A page.
    Page(Page),
    /// Text of a type, with the name of the file that it is to be saved as, if it is to be.
    Text(&'static str, String, Option<&'static str>),
}

/// What a page is made from.
pub(super) struct Here<'a> {
    pub(super) site: &'a Site,
    pub(super) ask: &'a Ask,
    pub(super) ledger: &'a Arc<Ledger>,
    pub(super) run: &'a Run<'a>,
}

impl Here<'_> {
    /// The position that `at` names.
    pub(super) fn at(&self) -> Result<Option<Position>> {
        self.ask.word("at").map(|text| lookup::position_of(self.ledger, text)).transpose()
    }

    /// The address of another page, seen from the same position: a page of the past that led to the
    /// present would do so unnoticed. A page that is of no position gets none.
    pub(super) fn to(&self, path: &str, words: &[(&str, &str)]) -> String {
        let at = self.ask.word("at").filter(|_| pages::looks_back(path));
        address(path, words.iter().copied().chain(at.map(|at| ("at", at))))
    }

    /// Whether anything was known of a symbol, in any view, at the position that `at` names.
    pub(super) fn knows(&self, symbol: &Symbol) -> Result<bool> {
        self.had(symbol, &Series::ALL)
    }

    /// Whether some of these views had a symbol by the position that `at` names.
    pub(super) fn had(&self, symbol: &Symbol, views: &[Series]) -> Result<bool> {
        let at = self.at()?.unwrap_or(self.ledger.position());
        let unheard = lookup::unheard_of(self.ledger, std::slice::from_ref(symbol), views, at)?;
        Ok(unheard.is_empty())
    }

    /// What there is of a symbol, or why there is nothing: the page of one that is known says so and
    /// leads on, since others lead there. A program is refused as by the command.
    pub(super) fn there<T>(
        &self,
        symbol: &Symbol,
        made: Result<T>,
    ) -> Result<std::result::Result<T, String>> {
        match made {
            Err(AppError::NotFound(why)) if !self.ask.json && self.knows(symbol)? => Ok(Err(why)),
            made => made.map(Ok),
        }
    }

    /// A vantage of the position that `at` names.
    pub(super) fn vantage(&self) -> Result<Vantage> {
        Vantage::new(Arc::clone(self.ledger), &self.run.registry, self.at()?, Which::Latest)
    }

    /// A report as JSON, or the page about it.
    pub(super) fn answer<T: Serialize>(
        &self,
        report: &T,
        page: impl FnOnce(&T) -> Result<Page>,
    ) -> Result<Answer> {
        match self.ask.json {
            true => Ok(Answer::Text("application/json", json::line(report) + "\n", None)),
            false => page(report).map(Answer::Page),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_twin_asks_the_same() {
        let words = [("q", "a b&c/é"), ("at", " ")].map(|(a, b)| (a.to_owned(), b.to_owned()));
        let ask = Ask { path: "/sql".to_owned(), words: words.into(), ..Ask::default() };
        assert_eq!(ask.twin(), "/sql.json?q=a%20b%26c%2F%C3%A9");
        assert_eq!(ask.present(), "/sql?q=a%20b%26c%2F%C3%A9");
        assert_eq!(Ask { path: "/".to_owned(), ..Ask::default() }.twin(), "/status.json");
        assert_eq!((ask.word("at"), ask.word("none")), (None, None));
        assert!(ask.parsed::<Position>("q").is_err());
    }
}
