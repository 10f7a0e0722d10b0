//! Reading one body.

use super::checks::{Notes, Order, check};
use super::keys::{Clock, ItemKey, key};
use super::table::{Place, Table, Use};
use super::walk::{Got, MAX_LEAVES, Walk};
use super::{Endpoint, body, drift, news};
use crate::domain::entry::RowCounts;
use crate::domain::{
    Collector, Day, Field, Finding, Key, Op, Origin, Series, Severity, Symbol, Value,
};
use crate::sources::raw::{Entry, entries, text_of, value_of};
use crate::sources::{ReadError, widen};
use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};

/// What a page was asked for.
#[derive(Clone, Debug)]
pub struct Page {
    /// The endpoint.
    pub endpoint: Endpoint,
    /// The view that the items are for: [`Endpoint::series`], or `bars` and `index` for bars.
    pub series: Series,
    /// The symbol asked for; for a chain or contracts the underlying. `None` when each item names
    /// its own.
    pub symbol: Option<Symbol>,
    /// The symbols whose bars are taken of an answer about all stocks; none for all of them.
    pub only: Vec<Symbol>,
    /// Length of intraday bars, such as `1minute`; empty otherwise.
    pub timespan: String,
    /// First and last day asked, for bars; items outside are rejected.
    pub range: Option<(Day, Day)>,
    /// The day that listed contracts are as of, and that a snapshot without any time is dated.
    pub as_of: Day,
    /// When the body arrived, ms since 1970 UTC.
    pub observed_ms: i64,
    /// Index of the source in its batch.
    pub source: u32,
}

/// What a body says about itself, cheaply.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Envelope {
    /// Whether it says anything that an answer says: a status, items, or that there are none.
    pub speaks: bool,
    /// `status`, if there is one.
    pub status: Option<String>,
    /// `error` or `message`, if there is one.
    pub text: Option<String>,
    /// `next_url`, if there is one.
    pub next_url: Option<String>,
    /// How many items there are.
    pub items: u64,
    /// How many there are by `resultsCount`.
    pub promised: Option<u64>,
    /// The symbol that bars are of, if that is said beside them.
    pub ticker: Option<String>,
    /// Whether bars are said to be adjusted for splits.
    pub adjusted: Option<bool>,
}

impl Envelope {
    /// Why a 200 is no answer: the service refuses, and what it gives nevertheless is not all; or
    /// it says nothing that an answer says, and so nothing of the days that were asked about.
    pub fn refusal(&self) -> Option<String> {
        let status = self.status.as_deref().unwrap_or_default();
        let refused = status == "ERROR" || status.starts_with("NOT_");
        let text = self.text.as_deref().unwrap_or(status);
        match self.items {
            0 if refused || self.text.is_some() => {
                Some(format!("an answer without data says: {text}"))
            }
            _ if !self.speaks => Some("the body has neither a status nor results".to_owned()),
            0 => None,
            _ => refused.then(|| format!("an answer with some data says {status}: {text}")),
        }
    }

    /// Why it answers another question: bars of another symbol, or as traded where they were to be
    /// `adjusted`. A ticker in other letters is told by the reading, and left to a person.
    pub fn astray(&self, asked: Option<&Symbol>, adjusted: bool) -> Option<String> {
        if let (Some(told), Some(asked)) = (&self.ticker, asked)
            && !told.eq_ignore_ascii_case(asked.as_str())
        {
            return Some(format!("the answer is about `{}`, not about {asked}", clipped(told)));
        }
        let as_traded = adjusted && self.adjusted == Some(false) && self.items > 0;
        as_traded.then(|| "the answer is not adjusted for splits, as was asked".to_owned())
    }
}

/// A ticker that failed inside a 200.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TickerError {
    /// The ticker.
    pub ticker: String,
    /// `NOT_FOUND`, `NOT_ENTITLED` …
    pub code: String,
    /// What the service says.
    pub message: String,
}

/// What reading a page gave, besides the events.
#[derive(Clone, Debug, Default)]
pub struct PageSummary {
    /// Items read, accepted and rejected. Repetitions of an item and tickers that failed are
    /// neither: they count as blank.
    pub rows: RowCounts,
    /// What was noticed, summed by code; drift included.
    pub findings: Vec<Finding>,
    /// First and last day of the accepted items.
    pub days: Option<(Day, Day)>,
    /// Tickers that failed inside a 200.
    pub errors: Vec<TickerError>,
    /// Days of rejected items, as far as they could be read.
    pub rejected_days: BTreeSet<Day>,
    /// Rejected items whose day could not be read.
    pub undated: u64,
    /// Items of symbols that were not asked for; they are not counted among the rows.
    pub others: u64,
}

impl PageSummary {
    /// Notes the day of a rejected item, as far as it could be read: that day is asked again.
    pub(in crate::sources) fn reject_day(&mut self, day: Option<Day>) {
        match day {
            Some(day) => drop(self.rejected_days.insert(day)),
            None => self.undated += 1,
        }
    }
}

/// Reads what a body says about itself.
///
/// # Errors
/// One sentence: why it is not an answer of this endpoint (not JSON, cut short, another shape).
pub fn envelope(endpoint: Endpoint, body: &[u8]) -> Result<Envelope, String> {
    body::envelope(endpoint, body)
}

/// Whether the service says how the market is, as it does to everybody whose key it knows.
///
/// # Errors
/// What it says instead, or what the body is.
pub fn answers(body: &[u8]) -> Result<(), String> {
    let envelope = envelope(Endpoint::MarketStatus, body)?;
    match envelope.refusal() {
        Some(text) => Err(text),
        None if envelope.speaks => Ok(()),
        None => Err("the answer does not say how the market is".to_owned()),
    }
}

/// Reads the items of a body into events.
///
/// # Errors
/// [`ReadError::Sink`] when the receiver fails. A body of another shape is a fatal finding of
/// [`crate::sources::ReadSummary`]'s kind: here an item-less summary with a finding `bad_payload`.
pub fn read_page<E>(
    body: &[u8],
    page: &Page,
    out: &mut Collector<'_, E>,
) -> Result<PageSummary, ReadError<E>> {
    let table = Table::of(page.endpoint, page.series);
    let found = match body::parse(table, body) {
        Ok(found) => found,
        Err(text) => {
            let fatal = Finding::about(page.source, "bad_payload", Severity::Fatal, text);
            return Ok(PageSummary { findings: vec![fatal], ..PageSummary::default() });
        }
    };
    let mut pass = Pass::new(page, table);
    for (line, text) in (1..).zip(found.items) {
        let origin = Origin {
            source: page.source,
            line,
            // The item borrows from the body, so the distance of the two is its place.
            offset: (text.as_ptr() as usize - body.as_ptr() as usize) as u64,
            len: u32::try_from(text.len()).unwrap_or(u32::MAX),
        };
        if pass.is_of_another(text) {
            pass.summary.others += 1;
            continue;
        }
        pass.summary.rows.read += 1;
        match pass.item(text, line) {
            Ok(Some(key)) => {
                pass.summary.rows.accepted += 1;
                let key = Key { symbol: &key.symbol, day: key.day, item: &key.item };
                let values = pass.values.drain(..);
                out.event(origin, table.series, Op::Put, key, &pass.shape, values)
                    .map_err(ReadError::Sink)?;
            }
            Ok(None) => {
                pass.summary.rows.read -= 1;
                pass.summary.rows.blank += 1;
            }
            Err(code) => {
                pass.summary.rows.rejected += 1;
                pass.summary.reject_day(pass.day);
                pass.notes.add(code, line, None);
                let raw = match page.endpoint {
                    Endpoint::News => news::without_author(text),
                    _ => text.into(),
                };
                out.reject(origin, table.series, code, &raw).map_err(ReadError::Sink)?;
            }
        }
    }
    let Pass { walk, mut notes, order, mut summary, .. } = pass;
    summary.findings.extend(other_ticker(&found.beside, page, summary.rows.read));
    order.finish(&mut notes);
    summary.findings.extend(notes.findings(page.source, "item"));
    summary.findings.extend(drift::findings(&walk, page.endpoint, page.source));
    if matches!(table.place, Place::List | Place::Object) {
        let beside = drift::of_envelope(&found.beside, page.endpoint, page.source);
        summary.findings.extend(beside);
    }
    Ok(summary)
}

/// The reading of one page.
struct Pass<'a> {
    page: &'a Page,
    walk: Walk,
    leaves: Vec<Got<'a>>,
    shape: Vec<Field>,
    values: Vec<Value>,
    /// The symbols that are taken; none for all.
    only: HashSet<&'a str>,
    /// The last event of each key, by its item's source text.
    seen: HashMap<(Symbol, Day, Box<str>), &'a str>,
    /// The last event of each instant, for bars of one symbol: quicker than by key, and as good,
    /// since bars of two instants are never the same.
    seen_at: BTreeMap<i64, &'a str>,
    clock: Clock,
    /// The day of the item that is read, once it is known.
    day: Option<Day>,
    notes: Notes,
    order: Order,
    summary: PageSummary,
}

impl<'a> Pass<'a> {
    fn new(page: &'a Page, table: &'static Table) -> Self {
        Self {
            page,
            walk: Walk::new(table),
            leaves: Vec::new(),
            shape: Vec::new(),
            values: Vec::new(),
            only: page.only.iter().map(Symbol::as_str).collect(),
            seen: HashMap::new(),
            seen_at: BTreeMap::new(),
            clock: Clock::default(),
            day: None,
            notes: Notes::default(),
            order: Order::default(),
            summary: PageSummary::default(),
        }
    }

    /// Whether an item names a symbol that is not taken. One without a name may be of any.
    fn is_of_another(&self, text: &str) -> bool {
        if self.only.is_empty() || self.page.endpoint != Endpoint::Grouped {
            return false;
        }
        let top = entries(text, MAX_LEAVES).unwrap_or_default();
        let name = top.iter().find(|(key, _)| key == "T").and_then(|(_, raw)| text_of(raw.get()));
        name.is_some_and(|name| !self.only.contains(&*name))
    }

    /// Reads one item into `shape` and `values`; `None` when it is no event.
    ///
    /// # Errors
    /// The code with which the item is rejected.
    fn item(&mut self, text: &'a str, line: u32) -> Result<Option<ItemKey<'a>>, &'static str> {
        self.shape.clear();
        self.values.clear();
        self.day = None;
        if !text.starts_with('{') {
            return Err("not_an_object");
        }
        let top = entries(text, MAX_LEAVES).map_err(|_| "invalid_record")?;
        let series = self.walk.table.series;
        if series == Series::Quotes
            && let Some(error) = ticker_error(&top)
        {
            self.notes.add("ticker_error", line, None);
            self.summary.errors.push(error);
            return Ok(None);
        }
        self.walk.item(top, line, &mut self.leaves)?;
        let key = key(self.page, series, &self.walk, &self.leaves, &mut self.clock)?;
        self.day = Some(key.day);
        check(self.page, &self.walk, &self.leaves, &key, line, &mut self.notes)?;
        if self.is_repeated(&key, text) {
            self.notes.add("dup_in_page", line, Some(key.day));
            return Ok(None);
        }
        if let Some(ms) = key.ms
            && self.page.endpoint == Endpoint::Aggs
        {
            self.order.add(ms, line, key.day);
        }
        self.fields(&key);
        if let Some(raw) = self.walk.raw(&self.leaves, "insights") {
            self.insight(raw, &key, line);
        }
        widen(&mut self.summary.days, key.day);
        Ok(Some(key))
    }

    /// Whether the last item of this key said the same. An item that returns to what an earlier
    /// one said is no repetition: the last one counts.
    fn is_repeated(&mut self, key: &ItemKey<'_>, text: &'a str) -> bool {
        let last = match key.ms {
            Some(ms) if self.page.endpoint == Endpoint::Aggs => self.seen_at.insert(ms, text),
            _ => {
                let symbol = key.symbol.clone().into_owned();
                self.seen.insert((symbol, key.day, key.item.clone().into()), text)
            }
        };
        last.is_some_and(|last| same(last, text, 0))
    }

    /// Turns the leaves into fields and values, in their order.
    fn fields(&mut self, key: &ItemKey<'_>) {
        for got in &self.leaves {
            let Some(slot) = self.walk.slots.get(got.slot) else { continue };
            let field = match slot.goes {
                Use::Ignored => continue,
                Use::Key if is_in_key(got.raw, key) => continue,
                // Two paths may be one field; the second keeps its own name.
                Use::Code(_) if self.shape.contains(&slot.field) => Field::Named(slot.path.clone()),
                _ => slot.field.clone(),
            };
            self.shape.push(field);
            self.values.push(value_of(got.raw));
        }
    }

    /// Adds what the insights say about the article's symbol.
    fn insight(&mut self, raw: &str, key: &ItemKey<'_>, line: u32) {
        if self.walk.table.series != Series::News {
            return;
        }
        let insight = news::insight(raw, &key.symbol);
        if insight.odd {
            self.notes.add("insight_value", line, Some(key.day));
        }
        for (field, value) in insight.fields {
            self.shape.push(field);
            self.values.push(value);
        }
    }
}

/// A finding when bars are said to be of a symbol that is written otherwise than the one asked for:
/// `TpC` and `TPC` are two companies, unless the service takes them for one.
fn other_ticker(beside: &[Entry<'_>], page: &Page, count: u64) -> Option<Finding> {
    let asked = page.symbol.as_ref()?;
    let told = body::ticker(page.endpoint, beside)?;
    let text = format!("the answer about {asked} is of `{}`", clipped(&told));
    let found = Finding::about(page.source, "other_symbols", Severity::Warning, text);
    (count > 0 && told != asked.as_str()).then_some(Finding { count, ..found })
}

/// A name of the service, as short as a symbol may be.
fn clipped(told: &str) -> String {
    told.chars().take(40).collect()
}

/// Whether the key holds a text letter by letter.
fn is_in_key(raw: &str, key: &ItemKey<'_>) -> bool {
    text_of(raw).is_some_and(|text| {
        *text == *key.item || *text == *key.symbol.as_str() || *text == key.day.to_string()
    })
}

/// The failure that stands in an item's place.
fn ticker_error(top: &[Entry<'_>]) -> Option<TickerError> {
    let text = |wanted: &str| {
        let found = top.iter().find(|(key, _)| key == wanted);
        found.and_then(|(_, raw)| text_of(raw.get())).map(std::borrow::Cow::into_owned)
    };
    let code = text("error")?;
    let ticker = text("ticker").unwrap_or_default();
    Some(TickerError { ticker, code, message: text("message").unwrap_or_default() })
}

/// Whether two JSON values say the same, whatever the order of their keys.
fn same(one: &str, other: &str, depth: usize) -> bool {
    if one == other {
        return true;
    }
    if depth > 16 || !one.starts_with('{') || !other.starts_with('{') {
        let number = |raw: &str| raw.starts_with(|c: char| c == '-' || c.is_ascii_digit());
        return number(one) && number(other) && value_of(one).same_meaning(&value_of(other));
    }
    let (Ok(mut one), Ok(mut other)) = (entries(one, MAX_LEAVES), entries(other, MAX_LEAVES))
    else {
        return false;
    };
    one.sort_by(|a, b| a.0.cmp(&b.0));
    other.sort_by(|a, b| a.0.cmp(&b.0));
    one.len() == other.len()
        && one.iter().zip(&other).all(|(a, b)| a.0 == b.0 && same(a.1.get(), b.1.get(), depth + 1))
}
