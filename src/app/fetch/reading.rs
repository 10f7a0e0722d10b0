//! Reading answers into events: which reader, and which session a chain belongs to.

use super::bodies::Bodies;
use super::facts::Rejected;
use super::remarks::failed_ticker;
use super::{Endpoint, Note, Question};
use crate::app::error::Result;
use crate::domain::entry::RowCounts;
use crate::domain::{Collector, Day, Finding, Severity, Window, eastern};
use crate::sources::ReadError;
use crate::sources::answer::Wanted;
use crate::sources::polygon::{self, PageSummary, SessionTimes};
use crate::sources::{alpha_vantage, tradier};
use std::convert::Infallible;

/// What the reader of a page has to know, besides its body.
pub(super) struct Reading<'a> {
    /// The question it answers.
    pub question: &'a Question,
    /// The session of a snapshot.
    pub as_of: Day,
    /// The quote that came with a chain.
    pub underlying: &'a tradier::Quote,
    /// Index of the source in its batch.
    pub source: u32,
}

/// A finding about an answer as a whole.
pub(super) fn finding(code: &str, severity: Severity, day: Option<Day>, text: String) -> Finding {
    Finding { day, ..Finding::about(0, code, severity, text) }
}

/// The days that the items of an answer must lie in.
fn ranged(question: &Question) -> Option<(Day, Day)> {
    question.endpoint.is_bars().then_some((question.from, question.to))
}

/// Reads a page's events into windows of their own.
pub(super) fn read_into(
    note: &Note,
    body: &[u8],
    reading: &Reading<'_>,
    windows: &mut Vec<Window>,
) -> PageSummary {
    let (question, source, as_of) = (reading.question, reading.source, reading.as_of);
    let mut take = |window: &mut Window| -> std::result::Result<(), Infallible> {
        windows.push(std::mem::take(window));
        Ok(())
    };
    let mut out = Collector::new(&mut take);
    let (series, symbol, range) = (question.series, question.symbol.clone(), ranged(question));
    let wanted = Wanted { series, symbol, range, as_of, source };
    let read: std::result::Result<_, ReadError<Infallible>> = match question.endpoint {
        Endpoint::Polygon(endpoint) => {
            let Wanted { series, symbol, range, .. } = wanted;
            let (timespan, observed_ms) = (question.scope.clone(), note.observed_ms);
            let page = polygon::Page {
                endpoint,
                series,
                symbol,
                only: question.only.clone(),
                timespan,
                range,
                as_of,
                observed_ms,
                source,
            };
            polygon::read_page(body, &page, &mut out)
        }
        Endpoint::AlphaVantage(endpoint) => alpha_vantage::read(endpoint, body, &wanted, &mut out),
        Endpoint::TradierChain => match tradier::Page::of(&note.target) {
            Some(tradier::Page::Chain) => {
                tradier::read(body, &wanted, reading.underlying, &mut out)
            }
            _ => Ok(PageSummary::default()),
        },
    };
    let finished = out.finish();
    debug_assert!(finished.is_ok());
    // Neither the receiver nor a body in memory can fail. A body of another shape could, but the
    // client's check has refused it before.
    read.unwrap_or_default()
}

/// What the pages of an answer say.
#[derive(Default)]
pub(super) struct Whole {
    pub(super) windows: Vec<Window>,
    pub(super) rows: RowCounts,
    pub(super) days: Option<(Day, Day)>,
    /// The session of a chain, else the first day asked.
    pub(super) as_of: Day,
    pub(super) rejected: Rejected,
    pub(super) findings: Vec<Finding>,
    /// Items of symbols that nobody asked for.
    pub(super) others: u64,
}

/// What came of reading an answer.
pub(super) enum Read {
    Of(Box<Whole>),
    /// It cannot be read, and why.
    Not(String),
}

/// Reads the pages of an answer, one after the other; the first one is source number `first`.
pub(super) fn read(question: &Question, bodies: &Bodies<'_>, first: usize) -> Result<Read> {
    let mut all = Whole::default();
    all.as_of = session(question, bodies, &mut all.findings)?;
    let underlying = underlying(question, bodies, &mut all.findings)?;
    let as_of = all.as_of;
    for (page, note) in bodies.notes().enumerate() {
        if !matches!(note.ended.as_str(), "ok" | "incomplete") {
            continue;
        }
        let source = (first + page) as u32;
        let reading = Reading { question, as_of, underlying: &underlying, source };
        let summary = read_into(note, &bodies.get(page)?, &reading, &mut all.windows);
        let mut fatal = summary.findings.iter();
        if let Some(fatal) = fatal.find(|finding| finding.severity == Severity::Fatal) {
            return Ok(Read::Not(fatal.text.clone()));
        }
        all.rows.read += summary.rows.read;
        all.rows.accepted += summary.rows.accepted;
        all.rows.rejected += summary.rows.rejected;
        all.others += summary.others;
        all.rejected.count += summary.rows.rejected;
        all.rejected.undated += summary.undated;
        all.rejected.days.extend(summary.rejected_days);
        // One finding each: somebody wants to know which ticker failed.
        let told = |finding: &Finding| finding.code != "ticker_error";
        all.findings.extend(summary.findings.into_iter().filter(told));
        all.findings.extend(summary.errors.iter().map(failed_ticker));
        all.days = joined(all.days, summary.days);
    }
    Ok(Read::Of(Box::new(all)))
}

fn joined(known: Option<(Day, Day)>, more: Option<(Day, Day)>) -> Option<(Day, Day)> {
    match (known, more) {
        (Some((a, b)), Some((c, d))) => Some((a.min(c), b.max(d))),
        (one, other) => one.or(other),
    }
}

/// The quote that came with a chain; nothing is known without one.
pub(super) fn underlying(
    question: &Question,
    bodies: &Bodies<'_>,
    findings: &mut Vec<Finding>,
) -> Result<tradier::Quote> {
    let none = Ok(tradier::Quote::default());
    let Some(symbol) = &question.symbol else { return none };
    if question.endpoint != Endpoint::TradierChain {
        return none;
    }
    let is_quote = |note: &Note| tradier::Page::of(&note.target) == Some(tradier::Page::Quote);
    let found = match bodies.notes().position(is_quote) {
        Some(page) => tradier::quote(&bodies.get(page)?, symbol),
        None => tradier::Quote::default(),
    };
    if found.last.is_none() && bodies.len() > 1 {
        let text = format!("{symbol}: no price of the underlying came with the chain");
        findings.push(finding("no_underlying_price", Severity::Warning, None, text));
    }
    Ok(found)
}

fn times_of(question: &Question, note: &Note, body: &[u8]) -> Option<SessionTimes> {
    match question.endpoint {
        Endpoint::TradierChain => {
            tradier::Page::of(&note.target).map(|page| tradier::session_times(page, body))
        }
        _ => polygon::session_times(body),
    }
}

/// The session of a chain: that of its newest quote, whatever day its label says. A finding says where
/// the price of the underlying is newer.
pub(super) fn session(
    question: &Question,
    bodies: &Bodies<'_>,
    findings: &mut Vec<Finding>,
) -> Result<Day> {
    if !question.endpoint.is_chain() {
        return Ok(question.from);
    }
    let mut times = SessionTimes::default();
    for (page, note) in bodies.notes().enumerate() {
        let of_page = times_of(question, note, &bodies.get(page)?);
        times = times.latest(of_page.unwrap_or_default());
    }
    let (quotes, underlying) = (times.options, times.underlying);
    let observed = bodies.notes().last().map_or(0, |note| note.observed_ms);
    let today = eastern::day_of(observed).unwrap_or(question.from);
    // A wrong clock must not date quotes into the future.
    let day = quotes.unwrap_or(question.from);
    let warn = |code: &str, text: String| finding(code, Severity::Warning, Some(day), text);
    // A snapshot of several pages may have ended before it came to a chain.
    let has_chain = question.endpoint != Endpoint::TradierChain
        || bodies.notes().any(|note| {
            tradier::Page::of(&note.target) == Some(tradier::Page::Chain) && note.ended == "ok"
        });
    if quotes.is_none() && bodies.len() > 0 && has_chain {
        let text = "no quote, trade or bar of the chain has a time: it is dated by the session in \
                    which it was fetched";
        findings.push(warn("undated_chain", text.to_owned()));
    }
    if let Some(moved) = underlying.filter(|moved| *moved > day) {
        let text = format!(
            "the quotes are of {day}, the price of the underlying is of {moved}: two times are mixed"
        );
        findings.push(warn("mixed_times", text));
    }
    if day > today {
        let text = format!("the quotes are of {day}, after {today} of this machine's clock");
        findings.push(warn("clock", text));
    }
    Ok(day)
}
