//! Files from the page: the same reader, the same review, the same batch as `import`.

use super::ask::{Ask, encoded};
use super::pages::{self, Page};
use super::trouble::Trouble;
use super::{Site, jobs, work};
use crate::app::AppError;
use crate::app::error::Result;
use crate::app::import::{
    ImportOptions, Input, MappingChoice, Outcome, Staged, SymbolChoice, import_csv,
};
use crate::app::market::{MarketOptions, import_market};
use crate::domain::{Day, Series, Symbol};
use crate::serve::words::{find, t};
use axum::extract::multipart::{Field, Multipart};
use axum::extract::{Query, State};
use axum::http::Uri;
use axum::response::{IntoResponse, Response};
use maud::{Markup, html};
use std::collections::BTreeMap;
use std::io::Write;
use std::sync::Arc;
use tempfile::NamedTempFile;

/// Bytes of an upload, all files together.
pub(super) const MOST: usize = 64 * 1_000_000;
const FILES: usize = 50;
const WORD: usize = 2_000;

/// Bytes of a mapping of one's own.
const MAPPING: usize = 64 * 1024;

/// What a file can be read as: the series, what it is, and the mappings that read it, the usual one first.
type Reading = (&'static str, &'static str, &'static [(&'static str, &'static str)]);

/// Everything that a page can take.
const SERIES: [Reading; 9] = [
    (
        "iv",
        "implied volatility",
        &[
            ("mc-iv", "as Market Chameleon exports it"),
            ("mc-iv-basic", "date and IV30 alone"),
            ("iv-fraction", "as fractions: 0.2411 is 24.11 %"),
        ],
    ),
    (
        "spot",
        "daily prices",
        &[
            ("spot-ohlc", "a row a day"),
            ("spot-full", "as our own CSV has it"),
            ("event-bars", "bars of the sessions around announcements"),
            ("event-closes", "closes of the sessions around announcements"),
        ],
    ),
    (
        "hv",
        "realised volatility",
        &[("hv-percent", "in percent"), ("hv-fraction", "as fractions: 0.2411 is 24.11 %")],
    ),
    ("index", "daily levels of an index", &[("index-ohlc", "a row a day")]),
    ("bars", "flat file of bars", &[]),
    ("chain", "option chain", &[]),
    ("earnings", "announcements, all symbols", &[("earnings", "")]),
    (
        "moves",
        "moves on announcements, all symbols",
        &[("moves", "in percent"), ("moves-fraction", "as our own CSV has it")],
    ),
    (
        "straddles",
        "straddles around announcements",
        &[("straddles", "in percent"), ("straddles-fraction", "as our own CSV has it")],
    ),
];

/// Mappings of which each row says its own symbol.
const OF_MANY: [&str; 3] = ["event-bars", "event-closes", "spot-full"];

/// A file that was sent.
struct Sent {
    name: String,
    file: NamedTempFile,
}

/// The choice of what a file is: each series, and each way to read one that has several.
fn readings(asked: Option<&String>) -> Markup {
    html! {
        select id="series" name="series" { @for (name, about, mappings) in SERIES {
            @let chosen = asked.is_some_and(|asked| asked == name);
            @match mappings {
                [(usual, how), others @ ..] if !others.is_empty() => {
                    optgroup label=(format!("{name}: {}", find(about))) {
                        option value=(name) selected[chosen] { (find(about)) ", " (find(how))
                            " (" (usual) ")" }
                        @for (other, how) in others {
                            option value=(format!("{name} {other}")) { (find(about)) ", " (find(how))
                                " (" (other) ")" }
                        }
                    }
                }
                _ => option value=(name) selected[chosen] { (name) ": " (find(about)) }
            }
        } }
    }
}

/// The form; an address may say of what a file is missed: `?series=spot&symbol=AAPL`.
pub(super) async fn form(State(site): State<Arc<Site>>, uri: Uri) -> Response {
    let words = Query::<BTreeMap<String, String>>::try_from_uri(&uri);
    let asked = words.map(|Query(words)| words).unwrap_or_default();
    let body = html! {
        h1 { (t("Upload")) }
        @if site.options.allow_decisions {
            p { (t("A file is staged and reviewed; nothing counts before you confirm it.")) }
            form.upload method="post" action="/upload" enctype="multipart/form-data" {
                (pages::proof(&site))
                label for="series" { (t("What it is")) }
                (readings(asked.get("series")))
                label for="symbol" { (t("Symbol, where all rows are about one")) }
                input id="symbol" name="symbol" maxlength="40" autocomplete="off"
                    value=[asked.get("symbol")];
                label for="symbol-from" { (t("Else it is said by")) }
                select id="symbol-from" name="symbol-from" {
                    option value="" { (t("what is usual for it")) }
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
                details {
                    summary { (t("Columns that none of these reads")) }
                    p.small { (t("A mapping of your own says what they mean; one to start from is \
                        printed by ")) code { "volledger import iv --print-mapping mc-iv" } "." }
                    label for="mapping" { (t("Mapping (TOML), instead of the one above")) }
                    input id="mapping" name="mapping" type="file" accept=".toml";
                }
                label for="files" { (t("Files (CSV); they can be dropped anywhere on this page")) }
                input id="files" name="files" type="file" multiple required
                    accept=".csv,.txt,.gz,text/csv";
                output.small id="chosen" for="files" {}
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
    let (words, files, mapping) = match received(&site, parts).await {
        Ok(sent) => sent,
        Err(trouble) => return trouble.answer(&site, false),
    };
    let ask = Ask { words, ..Ask::default() };
    let title = format!("{} {}", t("Read"), names(&files));
    let job = jobs::start(&site, title, move |site, run| {
        let staged = site.desk.write(|ledger| {
            run.go_on()?;
            stage(ledger, &ask, &files, mapping, run)
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

/// The words of the form, its files, and a mapping of one's own.
type Received = (BTreeMap<String, String>, Vec<Sent>, Option<MappingChoice>);

/// Reads the form: its words first, its token before any file is kept.
async fn received(site: &Site, mut parts: Multipart) -> std::result::Result<Received, Trouble> {
    let (mut words, mut files) = (BTreeMap::<String, String>::new(), Vec::new());
    let mut mapping = None;
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
        let most = if name == "mapping" { MAPPING } else { WORD };
        let mut text = Vec::new();
        while let Some(piece) = part.chunk().await.map_err(|e| wrong(&e))? {
            text.extend_from_slice(&piece);
            if text.len() > most {
                return Err(Trouble::malformed(format!("`{name}` is too long")));
            }
        }
        let text = String::from_utf8_lossy(&text).into_owned();
        if name == "mapping" {
            let name = plain(part.file_name().unwrap_or_default());
            mapping = (!text.is_empty()).then_some(MappingChoice::Text { name, text });
            continue;
        }
        words.insert(name, text);
    }
    if !words.get("token").is_some_and(|token| site.token.is(token)) {
        return Err(Trouble::no_token());
    }
    Ok((words, files, mapping))
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

/// What the form says a file is: its series, and the mapping where another than the usual was chosen.
fn reading(text: &str) -> Result<(Series, Option<&str>)> {
    let (series, mapping) = text.split_once(' ').map_or((text, None), |(of, id)| (of, Some(id)));
    let series = series.parse::<Series>();
    let series = series.map_err(|error| AppError::Usage(format!("series: {error}")))?;
    Ok((series, mapping))
}

/// What the review is to say of content that was here already; nothing of new content.
fn known(staged: &Staged) -> String {
    let word = match (staged.outcome, staged.other_overlap) {
        (Outcome::New | Outcome::DryRun, _) => return String::new(),
        (_, false) => "same",
        (_, true) => "other",
    };
    format!("?known={word}&back={}", encoded(&staged.back.join(", ")))
}

/// Stages the files as one batch; the address of its review.
fn stage(
    ledger: &mut crate::app::Ledger,
    ask: &Ask,
    files: &[Sent],
    mapping: Option<MappingChoice>,
    run: &crate::app::Run<'_>,
) -> Result<String> {
    let (series, named) = reading(ask.word("series").unwrap_or("iv"))?;
    let own = mapping.is_some();
    let of_many = named.is_some_and(|id| OF_MANY.contains(&id)) && !own;
    let named = named.map(|id| MappingChoice::Named(id.to_owned()));
    let mapping = mapping.or(named).unwrap_or(MappingChoice::Default);
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
        Series::Bars | Series::Chain if own => {
            let text = format!("{series} has one reading only; send it without a mapping");
            return Err(AppError::Usage(text));
        }
        Series::Bars | Series::Chain => {
            let (again, dry_run, full) = (None, false, false);
            let options = MarketOptions { series, symbol, date, keep, again, dry_run, full };
            import_market(ledger, &inputs, &options, run)?
        }
        Series::Iv | Series::Spot | Series::Hv | Series::Index => {
            let from = match ask.one_of("symbol-from", &["name", "column"])? {
                Some("column") => SymbolChoice::FromColumn,
                None if of_many => SymbolChoice::FromColumn,
                _ => SymbolChoice::FromName,
            };
            let symbol = symbol.map_or(from, SymbolChoice::Given);
            let options = ImportOptions { symbol, keep, mapping, ..ImportOptions::of(series) };
            import_csv(ledger, &inputs, &options, run)?
        }
        // Each row says its own symbol.
        Series::Earnings | Series::Moves | Series::Straddles => {
            let symbol = symbol.map_or(SymbolChoice::FromColumn, SymbolChoice::Given);
            let options = ImportOptions { symbol, keep, mapping, ..ImportOptions::of(series) };
            import_csv(ledger, &inputs, &options, run)?
        }
        other => {
            return Err(AppError::Usage(format!(
                "{other} cannot be uploaded; `volledger import` may"
            )));
        }
    };
    match staged.batch {
        Some(batch) => Ok(format!("/batches/{}{}", encoded(&batch.to_string()), known(&staged))),
        None => Err(AppError::Usage("nothing was staged".to_owned())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::import::{mapping_ids, series_of, usual_mapping};

    /// One that is added is offered, and the first of a series is the one that an import takes.
    #[test]
    fn every_bundled_mapping_can_be_chosen() {
        let offered: Vec<(&str, &str)> = SERIES
            .iter()
            .flat_map(|(series, _, ids)| ids.iter().map(move |(id, _)| (*series, *id)))
            .collect();
        for (series, id) in &offered {
            let of = series_of(&MappingChoice::Named((*id).to_owned())).unwrap().unwrap();
            assert_eq!(of.name(), *series, "{id}");
        }
        assert_eq!(offered.len(), mapping_ids().count());
        for (series, _, ids) in SERIES.iter().filter(|(.., ids)| !ids.is_empty()) {
            assert_eq!(usual_mapping(series.parse().unwrap()), ids.first().map(|(id, _)| *id));
        }
    }

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
