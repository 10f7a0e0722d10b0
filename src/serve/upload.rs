//! Files from the page: the same reader, the same review, the same batch as `import`.

use super::ask::{Ask, encoded};
use super::pages::{self, Page};
use super::trouble::Trouble;
use super::{Site, jobs, work};
use crate::app::AppError;
use crate::app::error::Result;
use crate::app::import::{ImportOptions, Input, SymbolChoice, import_csv};
use crate::app::market::{MarketOptions, import_market};
use crate::domain::{Day, Series, Symbol};
use crate::serve::words::{find, t};
use axum::extract::State;
use axum::extract::multipart::{Field, Multipart};
use axum::response::{IntoResponse, Response};
use maud::html;
use std::collections::BTreeMap;
use std::io::Write;
use std::sync::Arc;
use tempfile::NamedTempFile;

/// Bytes of an upload, all files together.
pub(super) const MOST: usize = 64 * 1_000_000;
const FILES: usize = 50;
const WORD: usize = 2_000;

/// The series that a page can take, and what they are.
const SERIES: [(&str, &str); 9] = [
    ("iv", "implied volatility"),
    ("spot", "daily prices"),
    ("hv", "realised volatility"),
    ("index", "daily levels of an index"),
    ("bars", "flat file of bars"),
    ("chain", "option chain"),
    ("earnings", "announcements, all symbols"),
    ("moves", "moves on announcements, all symbols"),
    ("straddles", "straddles around announcements"),
];

/// A file that was sent.
struct Sent {
    name: String,
    file: NamedTempFile,
}

pub(super) async fn form(State(site): State<Arc<Site>>) -> Response {
    let body = html! {
        h1 { (t("Upload")) }
        @if site.options.allow_decisions {
            p { (t("A file is staged and reviewed; nothing counts before you confirm it.")) }
            form.upload method="post" action="/upload" enctype="multipart/form-data" {
                (pages::proof(&site))
                label for="series" { (t("What it is")) }
                select id="series" name="series" { @for (name, about) in SERIES {
                    option value=(name) { (name) ": " (find(about)) }
                } }
                label for="symbol" { (t("Symbol, where all rows are about one")) }
                input id="symbol" name="symbol" maxlength="40" autocomplete="off";
                label for="symbol-from" { (t("Else it is said by")) }
                select id="symbol-from" name="symbol-from" {
                    option value="name" { (t("the file's name")) }
                    option value="column" { (t("a column of the file")) }
                }
                label for="date" { (t("Session of a chain")) }
                input id="date" name="date" type="date";
                label for="overlap" { (t("On days that are there already")) }
                select id="overlap" name="overlap" {
                    option value="replace" { (t("the file's values win")) }
                    option value="keep" { (t("values that are shown stay")) }
                }
                label for="files" { (t("Files (CSV)")) }
                input id="files" name="files" type="file" multiple required
                    accept=".csv,.txt,.gz,text/csv";
                button.act { (t("Stage and review")) }
            }
        } @else {
            p.note { (pages::prose("Read-only: start the server with `--allow-decisions` to upload \
                here, or use `volledger import`.")) }
        }
    };
    pages::whole(&site, &Page::new("Upload", "/upload", body), None).into_response()
}

pub(super) async fn receive(State(site): State<Arc<Site>>, parts: Multipart) -> Response {
    if !site.options.allow_decisions {
        return Trouble::read_only().answer(&site, false);
    }
    let (words, files) = match received(&site, parts).await {
        Ok(sent) => sent,
        Err(trouble) => return trouble.answer(&site, false),
    };
    let ask = Ask { words, ..Ask::default() };
    let title = format!("{} {}", t("Read"), names(&files));
    let job = jobs::start(&site, title, move |site, run| {
        let staged = site.desk.write(|ledger| {
            run.go_on()?;
            stage(ledger, &ask, &files, run)
        });
        staged.map(jobs::Came::See)
    });
    work::begun(&site, job).await
}

/// What is read, for a person.
fn names(files: &[Sent]) -> String {
    let first = files.first().map_or("", |sent| &sent.name);
    match files.len() {
        0 | 1 => first.to_owned(),
        more => format!("{first}{}{}{}", t(" and "), more - 1, t(" more")),
    }
}

type Received = (BTreeMap<String, String>, Vec<Sent>);

/// Reads the form: its words first, its token before any file is kept.
async fn received(site: &Site, mut parts: Multipart) -> std::result::Result<Received, Trouble> {
    let (mut words, mut files) = (BTreeMap::<String, String>::new(), Vec::new());
    while let Some(mut part) = parts.next_field().await.map_err(|e| wrong(&e))? {
        let name = part.name().unwrap_or_default().to_owned();
        if name == "files" {
            if !words.get("token").is_some_and(|token| site.token.is(token)) {
                return Err(Trouble::no_token());
            }
            if files.len() >= FILES {
                return Err(Trouble::malformed(format!("more than {FILES} files at once")));
            }
            if let Some(sent) = kept(&mut part).await? {
                files.push(sent);
            }
            continue;
        }
        let mut text = Vec::new();
        while let Some(piece) = part.chunk().await.map_err(|e| wrong(&e))? {
            text.extend_from_slice(&piece);
            if text.len() > WORD {
                return Err(Trouble::malformed(format!("`{name}` is too long")));
            }
        }
        words.insert(name, String::from_utf8_lossy(&text).into_owned());
    }
    if !words.get("token").is_some_and(|token| site.token.is(token)) {
        return Err(Trouble::no_token());
    }
    Ok((words, files))
}

fn wrong(error: &axum::extract::multipart::MultipartError) -> Trouble {
    match error.status() == axum::http::StatusCode::PAYLOAD_TOO_LARGE {
        true => Trouble::too_large(MOST),
        false => Trouble::malformed("the upload is not well-formed or was cut off"),
    }
}

/// Keeps a file until it is staged, readable by nobody else; an empty choice is none.
async fn kept(part: &mut Field<'_>) -> std::result::Result<Option<Sent>, Trouble> {
    let full = |error: std::io::Error| Trouble::malformed(format!("cannot keep the file: {error}"));
    let name = plain(part.file_name().unwrap_or_default());
    let mut file = NamedTempFile::with_prefix("volledger-").map_err(full)?;
    let mut bytes = 0;
    while let Some(piece) = part.chunk().await.map_err(|e| wrong(&e))? {
        bytes += piece.len();
        // Small writes to a file in memory or near it.
        file.write_all(&piece).map_err(full)?;
    }
    file.flush().map_err(full)?;
    Ok((bytes > 0 || !name.is_empty()).then_some(Sent { name, file }))
}

/// A file's name without any folder and without what steers a terminal.
fn plain(name: &str) -> String {
    let last = name.rsplit(['/', '\\']).next().unwrap_or_default();
    let plain: String = last.chars().filter(|c| !c.is_control()).take(200).collect();
    if plain == ".." || plain == "." { String::new() } else { plain }
}

/// Stages the files as one batch; the address of its review.
fn stage(
    ledger: &mut crate::app::Ledger,
    ask: &Ask,
    files: &[Sent],
    run: &crate::app::Run<'_>,
) -> Result<String> {
    let series: Series = ask.parsed("series")?.unwrap_or(Series::Iv);
    let symbol: Option<Symbol> = ask.parsed("symbol")?;
    let date: Option<Day> = ask.parsed("date")?;
    let keep = ask.one_of("overlap", &["replace", "keep"])? == Some("keep");
    let inputs: Vec<Input> = files
        .iter()
        .map(|sent| {
            let name = if sent.name.is_empty() { "upload.csv" } else { &sent.name };
            Input { path: sent.file.path().to_owned(), name: name.to_owned(), stream: false }
        })
        .collect();
    if inputs.is_empty() {
        return Err(AppError::Usage("no file was chosen".to_owned()));
    }
    let staged = match series {
        Series::Bars | Series::Chain => {
            let (again, dry_run, full) = (None, false, false);
            let options = MarketOptions { series, symbol, date, keep, again, dry_run, full };
            import_market(ledger, &inputs, &options, run)?
        }
        Series::Iv | Series::Spot | Series::Hv | Series::Index => {
            let from = match ask.one_of("symbol-from", &["name", "column"])? {
                Some("column") => SymbolChoice::FromColumn,
                _ => SymbolChoice::FromName,
            };
            let symbol = symbol.map_or(from, SymbolChoice::Given);
            let options = ImportOptions { symbol, keep, ..ImportOptions::of(series) };
            import_csv(ledger, &inputs, &options, run)?
        }
        // Each row says its own symbol.
        Series::Earnings | Series::Moves | Series::Straddles => {
            let symbol = symbol.map_or(SymbolChoice::FromColumn, SymbolChoice::Given);
            let options = ImportOptions { symbol, keep, ..ImportOptions::of(series) };
            import_csv(ledger, &inputs, &options, run)?
        }
        other => {
            return Err(AppError::Usage(format!(
                "{other} cannot be uploaded; `volledger import` may"
            )));
        }
    };
    match staged.batch {
        Some(batch) => Ok(format!("/batches/{}", encoded(&batch.to_string()))),
        None => Err(AppError::Usage("nothing was staged".to_owned())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_has_a_name_and_no_place() {
        for (sent, kept) in [
            ("AAPL.csv", "AAPL.csv"),
            ("../../etc/passwd", "passwd"),
            ("C:\\x\\AAPL.csv", "AAPL.csv"),
            ("a\u{1b}[31mb", "a[31mb"),
            ("..", ""),
            ("x/", ""),
        ] {
            assert_eq!(plain(sent), kept, "{sent}");
        }
        assert_eq!(plain(&"a".repeat(500)).len(), 200);
    }
}
