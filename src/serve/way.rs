//! Where a page goes on from what could not be done. The hint of an error names commands, which somebody
//! in a browser cannot follow: where there is a page for it, that is named instead.

use super::ask::encoded;
use crate::app::{AppError, LedgerError};
use crate::domain::batch::Refusal;
use crate::serve::words::find;
use maud::{Markup, html};

/// The next step of somebody in a browser.
#[derive(Clone, Debug, Default)]
pub(super) struct Way {
    /// What to do, instead of the command's hint.
    pub(super) hint: Option<&'static str>,
    /// Links: what they lead to, and their own text where that is a name.
    links: Vec<(&'static str, String, Option<String>)>,
}

/// A text that stands in Dutch where it is shown: a job has no language of its own.
fn say(text: &'static str) -> &'static str {
    text
}

impl Way {
    fn on(hint: &'static str) -> Self {
        Self { hint: Some(hint), links: Vec::new() }
    }

    fn page(mut self, text: &'static str, to: &str) -> Self {
        self.links.push((text, to.to_owned(), None));
        self
    }

    fn named(mut self, text: &'static str, to: String, name: impl ToString) -> Self {
        self.links.push((text, to, Some(name.to_string())));
        self
    }

    fn batch(self, batch: impl ToString) -> Self {
        let batch = batch.to_string();
        self.named(say("As it is now: "), format!("/batches/{}", encoded(&batch)), batch)
    }

    fn entry(self, entry: u64) -> Self {
        self.named(say("Its entry: "), format!("/events/{entry}"), format!("#{entry}"))
    }

    fn upload(self) -> Self {
        self.page(say("Back to the upload"), "/upload")
    }

    /// The way on from an error, where a page knows one.
    pub(super) fn from(error: &AppError) -> Self {
        let none = Self::default;
        match error {
            AppError::Stale { batch, .. } | AppError::TokenDiffers { batch, .. } => {
                let hint = "Nothing was confirmed: what it would do is no longer what you were shown. \
                            Look at it again, then decide.";
                Self::on(say(hint)).batch(batch)
            }
            AppError::Refused(refusal) => Self::refused(refusal),
            AppError::NotLast { .. } => none().page(say("The log"), "/events"),
            AppError::RolledBackBefore { staged: Some(staged), .. } => {
                Self::on(say("The same content waits for a decision.")).batch(staged)
            }
            AppError::RolledBackBefore { batch, .. } => {
                Self::on(say("It can be put back on its page.")).batch(batch)
            }
            AppError::Erased { erasure, .. } => none().entry(erasure.entry),
            AppError::ErasedBefore { erasure, .. } => {
                let hint = "It would bring them back: leave these rows out of the file.";
                Self::on(say(hint)).entry(erasure.entry)
            }
            AppError::Fatal { finding, .. } => Self::unread(&finding.code),
            AppError::NoSymbol(_) => {
                let hint = "Nothing of it was used: say in the form which symbol it is about, or where \
                            that stands.";
                Self::on(say(hint)).upload()
            }
            AppError::OtherSeries { .. } | AppError::Mapping { .. } => {
                Self::on(say("Nothing of it was used: choose another reading in the form."))
                    .upload()
            }
            AppError::NoProjection(_) => {
                Self::on(say("See which there are.")).page(say("All projections"), "/projections")
            }
            AppError::NotFound(_) => {
                let found = Self::on(say("See what there is."));
                found.page(say("All symbols"), "/symbols").page(say("Where things stand"), "/")
            }
            AppError::Ledger(LedgerError::NoSuchBatch(_)) => Self::batches(),
            AppError::Ledger(
                LedgerError::NoSuchEvent(_)
                | LedgerError::NoSuchEntry(_)
                | LedgerError::NoSuchPosition { .. },
            ) => Self::on(say("See which there are.")).page(say("The log"), "/events"),
            _ => none(),
        }
    }

    fn batches() -> Self {
        Self::on(say("See which there are.")).page(say("All batches"), "/batches")
    }

    fn refused(refusal: &Refusal) -> Self {
        match refusal {
            Refusal::NoSuchBatch(_) => Self::batches(),
            Refusal::WrongState { batch, .. } => {
                Self::on(say("It was decided about meanwhile.")).batch(batch)
            }
            Refusal::SamePerson { batch, .. } => {
                Self::on(say("Another person must confirm it; you may discard it.")).batch(batch)
            }
            Refusal::MovedOn { batch, .. } => {
                Self::on(say("Decide about the batch itself.")).batch(batch)
            }
            Refusal::NothingToUndo | Refusal::NothingToRedo => {
                Self::default().page(say("The log"), "/events")
            }
        }
    }

    /// The way on from a file that cannot be used, by the code of what was found.
    fn unread(code: &str) -> Self {
        let hint = match code {
            "missing_columns" | "unknown_columns" | "unknown_layout" => say(
                "Nothing of it was used: its columns are not those of the reading that was chosen. \
                     Choose another one in the form, or hand in a mapping of your own with it.",
            ),
            "symbol_missing" | "no_underlying" => {
                say("Nothing of it was used: say in the form which symbol it is about, or where \
                     that stands.")
            }
            "no_session" => {
                say("Nothing of it was used: say in the form the session of the quotes.")
            }
            _ => say("Nothing of it was used: correct the file, or export it again."),
        };
        Self::on(hint).upload()
    }

    /// The links.
    pub(super) fn shown(&self) -> Markup {
        html! { @if !self.links.is_empty() { p {
            @for (index, (text, to, name)) in self.links.iter().enumerate() {
                @if index > 0 { ", " }
                @match name {
                    Some(name) => { (find(text)) a href=(to) { (name) } }
                    None => a href=(to) { (find(text)) }
                }
            }
        } } }
    }
}
