//! What is told when something cannot be done: a status, a sentence, the next step.

use super::Site;
use super::pages::{self, Page};
use super::way::Way;
use crate::app::{AppError, LedgerError};
use crate::render::json;
use crate::serve::words::t;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use maud::{Markup, html};

/// An error in a person's words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Said {
    /// The exit code that a command would end with.
    pub exit: u8,
    /// One line.
    pub error: String,
    /// Its causes, the nearest first.
    pub causes: Vec<String>,
    /// What to do next.
    pub hint: Option<String>,
}

/// An error with the status that it has in HTTP.
#[derive(Clone, Debug)]
pub(super) struct Trouble {
    status: StatusCode,
    said: Said,
    way: Box<Way>,
    /// What was shown is not what there is now.
    stale: bool,
    /// Entries of the log that came since, where that tells why.
    since: Vec<(u64, String)>,
}

impl Trouble {
    fn plain(status: StatusCode, exit: u8, error: impl Into<String>, hint: Option<&str>) -> Self {
        let (error, hint) = (error.into(), hint.map(str::to_owned));
        let said = Said { exit, error, causes: Vec::new(), hint };
        Self { status, said, way: Box::default(), stale: false, since: Vec::new() }
    }

    pub(super) fn forbidden(why: &str) -> Self {
        Self::plain(StatusCode::FORBIDDEN, 2, why, None)
    }

    pub(super) fn read_only() -> Self {
        let hint = "start it with `volledger serve --allow-decisions`";
        Self::plain(StatusCode::FORBIDDEN, 2, "this server only shows", Some(hint))
    }

    pub(super) fn no_token() -> Self {
        let hint = "load the page again: the server was started anew since";
        Self::plain(StatusCode::FORBIDDEN, 2, "the form is not of this server's", Some(hint))
    }

    pub(super) fn no_page() -> Self {
        let hint = "The links at the top lead everywhere";
        Self::plain(StatusCode::NOT_FOUND, 1, "there is no such page", Some(hint))
    }

    pub(super) fn too_large(most: usize) -> Self {
        let error = format!("more than the {} MB that a page takes", most / 1_000_000);
        let hint = "import it with `volledger import` instead";
        Self::plain(StatusCode::PAYLOAD_TOO_LARGE, 2, error, Some(hint))
    }

    pub(super) fn malformed(error: impl Into<String>) -> Self {
        Self::plain(StatusCode::BAD_REQUEST, 2, error, None)
    }

    pub(super) fn unknown_word<'a>(word: &str, known: impl Iterator<Item = &'a str>) -> Self {
        let error = format!("this page knows no word {word:?} in its address");
        let known: Vec<String> = known.map(|word| format!("`{word}`")).collect();
        let hint = format!("it knows {}; take the other out of the address", known.join(", "));
        Self::plain(StatusCode::BAD_REQUEST, 2, error, Some(&hint))
    }

    pub(super) fn busy() -> Self {
        let hint = "try again in a moment";
        Self::plain(
            StatusCode::SERVICE_UNAVAILABLE,
            21,
            "the server has too much to do",
            Some(hint),
        )
    }

    pub(super) fn late() -> Self {
        let hint = "ask for less, or with the command line, which has no limit";
        Self::plain(StatusCode::GATEWAY_TIMEOUT, 1, "this took too long", Some(hint))
    }

    /// A panic: nothing half-written counts.
    pub(super) fn bug() -> Self {
        let hint = "check with `volledger verify --deep`, and please report it";
        Self::plain(StatusCode::INTERNAL_SERVER_ERROR, 70, "internal error (a bug)", Some(hint))
    }

    pub(super) fn of(error: AppError, site: &Site) -> Self {
        let status = status(&error);
        let held = matches!(error, AppError::Ledger(LedgerError::Held { .. }));
        let stale = matches!(error, AppError::Stale { .. } | AppError::TokenDiffers { .. });
        let way = Box::new(Way::from(&error));
        let mut said = (site.options.said)(error);
        if held {
            // What a command's environment says has no effect on a server that runs.
            said.hint = Some("try again in a moment".to_owned());
        }
        Self { status, said, way, stale, since: Vec::new() }
    }

    /// Whether what was shown is not what there is now.
    pub(super) fn is_stale(&self) -> bool {
        self.stale
    }

    /// Says which entries of the log came since: position and text.
    pub(super) fn since(mut self, entries: Vec<(u64, String)>) -> Self {
        self.since = entries;
        self
    }

    /// What it is about, one line.
    pub(super) fn text(&self) -> &str {
        &self.said.error
    }

    pub(super) fn answer(self, site: &Site, as_json: bool) -> Response {
        let Said { exit, error, causes, hint } = &self.said;
        if as_json {
            let text = json::error(error, causes, hint.as_deref(), *exit) + "\n";
            return (self.status, [(header::CONTENT_TYPE, "application/json")], text)
                .into_response();
        }
        let body = html! {
            h1 { (t("This cannot be done")) }
            (self.told())
        };
        let page = Page::new("Error", "", body);
        (self.status, pages::whole(site, &page, None)).into_response()
    }
}

impl Trouble {
    /// What a page says of it: what is wrong, why, and where it goes on.
    pub(super) fn told(&self) -> Markup {
        let Said { error, causes, hint, .. } = &self.said;
        let hint = self.way.hint.or(hint.as_deref());
        html! {
            div.error role="alert" {
                p { strong { (error) } }
                @for cause in causes { p { (t("Caused by: ")) (cause) } }
                @if let Some(hint) = hint { p.hint { (pages::prose(hint)) } }
            }
            @if !self.since.is_empty() {
                p { (t("What was decided since that page was made:")) }
                ul { @for (position, text) in &self.since {
                    li { (pages::entry_link(*position)) " " (text) }
                } }
            }
            (self.way.shown())
        }
    }
}

fn status(error: &AppError) -> StatusCode {
    match error {
        AppError::Ledger(error) => match error {
            LedgerError::Held { .. } => StatusCode::SERVICE_UNAVAILABLE,
            LedgerError::NotFound(_)
            | LedgerError::NoSuchEvent(_)
            | LedgerError::NoSuchEntry(_)
            | LedgerError::NoSuchBatch(_)
            | LedgerError::NoSuchPosition { .. } => StatusCode::NOT_FOUND,
            LedgerError::NotWritable { .. }
            | LedgerError::Unfinished { .. }
            | LedgerError::Moved => StatusCode::INSUFFICIENT_STORAGE,
            _ => StatusCode::INTERNAL_SERVER_ERROR,
        },
        AppError::Refused(crate::domain::batch::Refusal::NoSuchBatch(_))
        | AppError::NotFound(_)
        | AppError::NoProjection(_) => StatusCode::NOT_FOUND,
        AppError::Erased { .. } => StatusCode::GONE,
        AppError::Stale { .. }
        | AppError::TokenDiffers { .. }
        | AppError::NotLast { .. }
        | AppError::Refused(_)
        | AppError::RolledBackBefore { .. }
        | AppError::ErasedBefore { .. } => StatusCode::CONFLICT,
        AppError::Unwritable { .. } => StatusCode::INSUFFICIENT_STORAGE,
        AppError::ViewsBehind { .. } | AppError::ProjectionDiffers(_) => {
            StatusCode::INTERNAL_SERVER_ERROR
        }
        _ => StatusCode::BAD_REQUEST,
    }
}
