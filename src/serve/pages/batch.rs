//! One batch: its review, what it would change on a chart, and the forms that decide about it.

use super::{
    Page, Reads, digest, entry_link, figure, links, proof, prose, state, symbol_link, table,
};
use crate::app::error::Result;
use crate::app::report::{ChangeLine, Review, SeriesLine};
use crate::app::views::ViewReader;
use crate::app::{chart, decide, review, split, trace};
use crate::domain::{BatchId, Series, Symbol};
use crate::render::numbers::{self, MISSING, count, size};
use crate::render::{Page as _, difference, sign};
use crate::serve::acts::TICK;
use crate::serve::ask::{Answer, Here};
use crate::serve::words::{counted, find, t};
use maud::{Markup, html};

/// Changes that a page shows.
const MOST: usize = 400;
/// Unless a kind was asked for.
const FEW: usize = 30;
/// Of larger batches only the largest changes are looked for.
const LARGE: u64 = 20_000;
/// Symbols with a box to tick; more are named by patterns.
const TICKS: usize = 1_000;
const KINDS: [&str; 5] = ["new", "changed", "drifted", "added", "removed"];

pub(super) fn show(here: &Here<'_>) -> Result<Answer> {
    let id: BatchId = here.ask.name(0)?;
    let events = here.ledger.batches().get(id).map(|batch| batch.stage.events);
    // A page draws all changes; a program says whether it wants them.
    let full = match here.ask.json {
        true => here.ask.word("full").is_some(),
        false => events.is_some_and(|events| events <= LARGE),
    };
    let review = here.site.kept.review(here.ledger, id, full, here.run)?;
    here.answer(&*review, |review| {
        let page = Page::new(id.to_string(), "/batches", body(here, id, review, full)?);
        Ok(Page { reads: Reads::Batch(id), ..page })
    })
}

fn body(here: &Here<'_>, id: BatchId, review: &Review, full: bool) -> Result<Markup> {
    let rows = &review.rows;
    let facts = [
        ("usable", rows.effective),
        ("rejected", rows.rejected),
        ("retracted", rows.retracted),
        ("repeated", rows.accepted.saturating_sub(rows.effective)),
        ("blank", rows.blank),
    ];
    let reader = ViewReader::new(here.ledger)?;
    let known = |symbol: &str| linked(here, &reader, symbol);
    Ok(html! {
        h1 { (t("Batch ")) (id) " " (state(review.state.unwrap_or_default())) }
        (done(here)?)
        (known_before(here, review)?)
        p { (t("Read with ")) code { (review.mapping) } ": " (counted(rows.read, "row"))
            @for (name, number) in facts.iter().filter(|(_, n)| *n > 0) {
                ", " (count(*number)) " " (find(name))
            } "." }
        ul.sources { @for source in &review.sources {
            li { (source.name) " (" (size(source.bytes)) ", " (digest(&source.digest)) ")" }
        } }
        @if let Some(old) = &review.supersedes {
            p.note { (t("Confirming it replaces batch ")) (super::batch_link(old)) (t(" in the views.")) }
        }
        @if review.overlap == "keep" {
            p.note { (t("It only fills holes: values that are shown stay.")) }
        }
        @if here.site.options.allow_decisions {
            p { a href="#decide" { (t("To the decision")) } }
        }
        section {
            h2 { @if review.state == Some("staged") { (t("If confirmed")) } @else { (t("What it says")) } }
            (series(&review.series, &known))
            (preview(here, id, review, full)?)
        }
        (changes(here, id, review, full, &known)?)
        (findings(review))
        (support(&review.series, &known))
        (decisions(here, id, review)?)
    })
}

/// A symbol, with its page if there is one.
type Linked<'a> = dyn Fn(&str) -> Markup + 'a;

/// A link to a symbol that has a page; one that only a staged batch speaks of has none yet.
fn linked(here: &Here<'_>, reader: &ViewReader<'_>, name: &str) -> Markup {
    let known = |symbol: &Symbol| {
        let has = |view| reader.events(view, symbol).is_ok_and(|events| events > 0);
        Series::ALL.into_iter().any(has)
    };
    match name.parse().is_ok_and(|symbol| known(&symbol)) {
        true => symbol_link(here, name),
        false => html! { (name) },
    }
}

/// What is to be said to whoever uploaded content that was here already.
fn known_before(here: &Here<'_>, review: &Review) -> Result<Markup> {
    let Some(known) = here.ask.one_of("known", &["same", "other"])? else { return Ok(html! {}) };
    let staged = review.state == Some("staged");
    Ok(html! { div.done role="status" {
        p { (t("Nothing was staged: the same content is here already, as this batch.")) }
        @if let Some(back) = here.ask.word("back") {
            p { (t("Its bytes had been lost, and are back: ")) (back) "." }
        }
        @if known == "other" { p { strong {
            @if review.overlap == "keep" { (t("In it, values that are shown stay, which is not what was chosen now. ")) }
            @else { (t("In it, the file's values win, which is not what was chosen now. ")) }
            @if staged { (t("For the other, discard it and upload the file again.")) }
            @else { (prose("For the other, roll it back and import the file with `--again`.")) }
        } } }
    } })
}

/// What the decision did that led here.
fn done(here: &Here<'_>) -> Result<Markup> {
    let Some(position) = here.ask.parsed::<u64>("done")? else { return Ok(html! {}) };
    let log = trace::log(here.ledger, None, None, None)?;
    let entry = log.entries.into_iter().find(|entry| entry.position == position);
    Ok(html! { @if let Some(entry) = entry {
        div.done role="status" {
            p { (t("Done: ")) strong { (entry.text) } (t(". Head ")) (entry_link(entry.position)) "." }
            @if let Some(rest) = here.ask.parsed::<BatchId>("rest")? {
                p { (t("What was not chosen waits as ")) (super::batch_link(&rest.to_string())) "." }
            }
            @if entry.position == log.position && here.site.options.allow_decisions {
                form method="post" action="/undo" {
                    (proof(here.site))
                    input type="hidden" name="position" value=(entry.position);
                    button { (t("Undo")) }
                }
            }
        }
    } })
}

fn series(lines: &[SeriesLine], known: &Linked<'_>) -> Markup {
    if lines.is_empty() {
        return html! { p { (t("Nothing in it would change a view.")) } };
    }
    const FEW: usize = 60;
    let mut order: Vec<&SeriesLine> = lines.iter().collect();
    order.sort_by_key(|line| {
        std::cmp::Reverse((line.changed + line.removed, line.drifted, line.new))
    });
    let rows: Vec<_> = order
        .iter()
        .take(FEW)
        .map(|line| {
            vec![
                html! { (line.series) },
                known(&line.symbol),
                html! {
                    span.day { (line.from.as_deref().unwrap_or(MISSING)) } " … "
                    span.day { (line.to.as_deref().unwrap_or(MISSING)) }
                },
                html! { (count(line.new)) },
                html! { (count(line.changed)) },
                html! { (count(line.drifted)) },
                html! { (count(line.same)) },
                html! { (count(line.extended)) },
                html! { (count(line.removed)) },
                html! { (count(line.only_here)) },
            ]
        })
        .collect();
    let headings = [
        "view",
        "symbol",
        "days",
        ">+ new",
        ">~ changed",
        ">≈ drifted",
        ">= same",
        ">+ extended",
        ">- removed",
        ">- only here",
    ];
    html! {
        (table("Days by what would become of them", &headings, &rows))
        @if lines.len() > FEW { p { (t("The ")) (FEW) (t(" that change most, of ")) (lines.len()) "." } }
    }
}

/// The chart of one view and symbol, and links to the others.
fn preview(here: &Here<'_>, id: BatchId, review: &Review, full: bool) -> Result<Markup> {
    const FEW: usize = 40;
    if !full {
        return Ok(
            html! { p.note { (t("There is no chart: the batch is too large for a page.")) } },
        );
    }
    let daily = |line: &&SeriesLine| line.series.parse::<Series>().is_ok_and(Series::is_daily);
    let drawn: Vec<&SeriesLine> = review.series.iter().filter(daily).collect();
    let view: Option<Series> = here.ask.parsed("view")?;
    let symbol: Option<Symbol> = here.ask.parsed("symbol")?;
    let asked = |line: &&&SeriesLine| {
        view.is_none_or(|view| line.series == view.name())
            && symbol.as_ref().is_none_or(|symbol| line.symbol == symbol.as_str())
    };
    let Some(line) = drawn.iter().find(asked) else { return Ok(html! {}) };
    let made = line.series.parse::<Series>().ok().zip(line.symbol.parse::<Symbol>().ok());
    let made =
        made.and_then(|(series, symbol)| chart::preview(here.ledger, review, series, &symbol).ok());
    Ok(html! {
        @if let Some(chart) = made { (figure(&chart.figure(), "")) }
        @if drawn.len() > 1 {
            p { (t("Charts: ")) @for line in drawn.iter().take(FEW) {
                a href=(format!("/batches/{id}?view={}&symbol={}", line.series,
                    crate::serve::ask::encoded(&line.symbol))) { (line.series) " " (line.symbol) } " "
            } @if drawn.len() > FEW { (t("The first ")) (FEW) (t(" of ")) (drawn.len()) "." } }
        }
    })
}

fn shown(change: &ChangeLine, value: &Option<serde_json::Value>) -> String {
    numbers::optional(change.series, &change.field, value.as_ref())
}

fn changes(
    here: &Here<'_>,
    id: BatchId,
    review: &Review,
    full: bool,
    known: &Linked<'_>,
) -> Result<Markup> {
    let kind = here.ask.one_of("kind", &[&["all"], &KINDS[..]].concat())?;
    let symbol: Option<Symbol> = here.ask.parsed("symbol")?;
    let symbol = symbol.as_ref().map(Symbol::as_str);
    let told = |change: &&ChangeLine| {
        let kinds = match kind {
            None => change.kind != "new",
            Some("all") => true,
            Some(kind) => change.kind == kind,
        };
        kinds && symbol.is_none_or(|symbol| change.symbol == symbol)
    };
    let wanted: Vec<&ChangeLine> = review.changes.iter().filter(told).collect();
    let most = if kind.is_some() { MOST } else { FEW };
    let rows: Vec<_> = wanted.iter().take(most).map(|change| vec![
        html! { span class={ "kind " (change.kind) } { (sign(change.kind)) " " (find(change.kind)) } },
        html! { (change.series) },
        known(&change.symbol),
        html! {
            @if review.state == Some("active") {
                a href=(links::why(here, change.series, &change.symbol, &change.date, &change.item)) {
                    (change.date) }
            } @else { (change.date) }
            @if !change.item.is_empty() { " " (change.item) }
        },
        html! { (change.field) },
        html! { (shown(change, &change.old)) },
        html! { (shown(change, &change.new)) },
        html! { (difference(change)) },
    ]).collect();
    let headings = ["kind", "view", "symbol", "date", "field", ">before", ">after", ">difference"];
    Ok(html! {
        section id="diff" {
            h2 { (t("Changes")) }
            form.filter method="get" action=(format!("/batches/{id}#diff")) {
                label for="kind" { (t("Kind")) }
                select id="kind" name="kind" {
                    option value="" { (t("all but new")) }
                    option value="all" selected[kind == Some("all")] { (t("all")) }
                    @for name in KINDS {
                        option value=(name) selected[kind == Some(name)] { (find(name)) }
                    }
                }
                label for="symbol" { (t("Symbol")) }
                input id="symbol" name="symbol" value=(symbol.unwrap_or_default()) size="10"
                    maxlength="40" autocomplete="off";
                button { (t("Show")) }
            }
            @if rows.is_empty() { p { @if full { (t("None of these.")) }
                @else { (t("None of these among the few that this page has.")) } } }
            @else { (table("Cells that differ, the largest first", &headings, &rows)) }
            @if wanted.len() > most {
                p { (t("The first ")) (most) (t(" of ")) (count(wanted.len() as u64)) (t("; all of them: "))
                    code { "volledger batch diff " (id) " --full" } }
            }
            @if !full { p { (t("The largest of ")) (count(review.changes_total)) (t(" changes. All of them: "))
                code { "volledger batch diff " (id) " --full" } } }
        }
    })
}

fn findings(review: &Review) -> Markup {
    let rows: Vec<_> = review
        .findings
        .iter()
        .map(|finding| {
            vec![
                html! { span class={ "severity " (finding.severity) } { (find(finding.severity)) } },
                html! { code { (finding.code) } },
                html! { (finding.source.as_deref().unwrap_or_default()) },
                html! { @if let Some(line) = finding.line { (line) } },
                html! { span.day { (finding.date.as_deref().unwrap_or_default()) } },
                html! { (count(finding.count)) },
                html! { (finding.text) },
            ]
        })
        .collect();
    let headings = ["severity", "code", "file", ">line", "date", ">count", "what"];
    html! { section {
        h2 { (t("Findings")) }
        @if rows.is_empty() { p { (t("None.")) } }
        @else { (table("What the reader noticed", &headings, &rows)) }
    } }
}

fn support(lines: &[SeriesLine], known: &Linked<'_>) -> Markup {
    const FEW: usize = 60;
    let lacks =
        |line: &&SeriesLine| line.missing_hv + line.missing_spot > 0 || !line.gaps.is_empty();
    let all = lines.iter().filter(lacks).count();
    let lacking: Vec<_> = lines
        .iter()
        .filter(lacks)
        .take(FEW)
        .map(|line| {
            let missing: u64 = line.gaps.iter().map(|gap| u64::from(gap.missing)).sum();
            vec![
                known(&line.symbol),
                html! { (line.series) },
                html! { (count(missing)) },
                html! { (count(line.missing_hv)) },
                html! { (count(line.missing_spot)) },
            ]
        })
        .collect();
    let headings = [
        "symbol",
        "view",
        ">sessions missing in the batch",
        ">days without HV",
        ">days without spot",
    ];
    html! { @if !lacking.is_empty() { section {
        h2 { (t("What belongs to it and is not there")) }
        (table("Holes and support data", &headings, &lacking))
        @if all > FEW { p { (t("The first ")) (FEW) (t(" of ")) (all) "." } }
    } } }
}

/// Choosing symbols: they become a batch of their own.
fn divide(here: &Here<'_>, id: BatchId, review: &Review) -> Markup {
    let mut symbols: Vec<&str> = review.series.iter().map(|line| line.symbol.as_str()).collect();
    symbols.sort_unstable();
    symbols.dedup();
    let more = symbols.len() > 1 || (symbols.len() == 1 && review.rows.rejected > 0);
    if !more || split::may_split(here.ledger, id).is_err() {
        return html! {};
    }
    html! { details.split {
        summary { (t("Accept or leave out by symbol")) }
        form method="post" action=(format!("/batches/{id}/split")) {
            (proof(here.site))
            p { (t("The symbols that you choose become one batch, all others (and rejected rows) \
                another; both wait for a decision of their own, and ")) (id) (t(" is discarded.")) }
            fieldset {
                legend { (t("Symbols")) }
                div.ticks { @for symbol in symbols.iter().take(TICKS) {
                    label { input type="checkbox" name=(format!("{TICK}{symbol}")) value="1"; " " (symbol) }
                } }
                @if symbols.len() > TICKS {
                    p { (t("The first ")) (TICKS) (t(" of ")) (count(symbols.len() as u64)) "." }
                }
            }
            p { label for="split-symbols" { (t("or names and patterns")) } " "
                input id="split-symbols" name="symbols" placeholder="AAPL BRK*" maxlength="4000"
                    autocomplete="off"; }
            p { label for="split-reason" { (t("Reason")) } " "
                input id="split-reason" name="reason" maxlength="500" autocomplete="off"; }
            button { (t("Split")) }
        }
    } }
}

/// The forms that this state allows.
fn decisions(here: &Here<'_>, id: BatchId, review: &Review) -> Result<Markup> {
    let site = here.site;
    if !site.options.allow_decisions {
        return Ok(html! { p.note {
            (prose("Read-only: start the server with `--allow-decisions` to decide here, or use \
                `volledger batch`."))
        } });
    }
    let to = |act: &str| format!("/batches/{id}/{act}");
    let form = |act: &'static str, label: &str| {
        html! {
            form.decide method="post" action=(to(act)) {
                (proof(site))
                label for=(format!("why-{act}")) { (t("Reason")) }
                input id=(format!("why-{act}")) name="reason" maxlength="500" autocomplete="off";
                button { (find(label)) }
                button name="plan" value="1" { (t("Show what it would do")) }
            }
        }
    };
    Ok(match review.state {
        Some("staged") => {
            let refused = decide::may_confirm(here.ledger, id, here.run).err();
            let batch = here.ledger.batches().get(id);
            let blocking = batch.map(|b| review::blocking(&b.stage, 0)).unwrap_or_default();
            html! { section.decisions id="decide" {
                h2 { (t("Decide")) }
                @if !blocking.is_empty() {
                    p { (t("Look at these before you confirm:")) }
                    ul { @for what in &blocking { li { (what) } } }
                }
                @match (refused, &review.token) {
                    (Some(refusal), _) => { p.note { (refusal.to_string()) } }
                    (None, Some(token)) => {
                        form.decide method="post" action=(to("confirm")) {
                            (proof(site))
                            input type="hidden" name="expect" value=(token);
                            // By which a review that is old says what came since.
                            input type="hidden" name="seen" value=(here.ledger.position().0);
                            p { (t("What you see is what is confirmed: token ")) (digest(token)) }
                            button.act id="decision" { (t("Confirm ")) (id) }
                        }
                    }
                    (None, None) => {}
                }
                (form("discard", "Discard"))
                (divide(here, id, review))
            } }
        }
        Some("active") => html! { section.decisions id="decide" {
            h2 { (t("Take it back")) }
            (form("rollback", "Roll back"))
        } },
        Some("rolled-back" | "discarded" | "superseded") => html! { section.decisions id="decide" {
            h2 { (t("Put it back")) }
            (form("reinstate", "Reinstate"))
        } },
        _ => html! {},
    })
}
