//! Tracing: from a shown value to its event, its bytes and its proof; events and the log.

use super::clock::rfc3339;
use super::erased::{self, Place};
use super::error::{AppError, Result};
use super::report::{EntryLine, EventLine, Log, Replaced, Shown, Why, WhyField, json_value};
use super::views::ViewReader;
use crate::domain::{
    BatchId, BatchState, Calendar, Day, Entry, EntryKind, EventId, Field, Op, Position,
    ProjectionEntry, ProjectionStep, Series, Symbol, Via,
};
use crate::ledger::{Ledger, LedgerError};
use crate::projections::view::{Activity, Record, Which, fold};
use crate::sources::polygon::{GZIP, Unpacker};
use std::collections::{BTreeMap, BTreeSet, btree_map};
use std::io::{self, Write};

/// Where the values of a day come from.
///
/// # Errors
/// [`AppError::NotFound`] when nothing is shown there.
pub fn why(
    ledger: &Ledger,
    series: Series,
    symbol: &Symbol,
    day: Day,
    item: Option<&str>,
    field: Option<&str>,
    at: Option<Position>,
) -> Result<Why> {
    let at = at.unwrap_or(ledger.position());
    let reader = ViewReader::new(ledger)?;
    let history = reader.history_between(series, symbol, day, day)?;
    let activity = Activity::at(ledger.batches(), series, at);
    let records = fold(series, &history, &activity, Which::Latest);
    let closed = if Calendar::nyse().is_open(day) { "" } else { ", a day without trading" };
    let nothing = || {
        AppError::NotFound(match item {
            Some(item) if records.iter().any(|record| record.day == day) => format!(
                "{series} {symbol} has no {} that ends in {item} on {day}",
                series.item_name().unwrap_or("item")
            ),
            _ => format!("{series} {symbol} has no value on {day}{closed}"),
        })
    };
    let place = Place {
        series: &[series],
        symbols: std::slice::from_ref(symbol),
        from: Some(day),
        to: Some(day),
        at: Some(at),
    };
    let erasures = erased::missing(ledger, &place)?;
    let lost = || match erasures.last() {
        Some(erasure) => AppError::Erased {
            what: format!("{series} {symbol} of {day}, or a part of it,"),
            erasure: Box::new(erasure.clone()),
        },
        None => nothing(),
    };
    let of_day = || records.iter().filter(|record| record.day == day);
    let meant = |record: &&Record| item.is_none_or(|item| record.item.ends_with(item));
    let record = of_day().find(meant).ok_or_else(lost)?;
    if let (Some(name), Some(other)) = (series.item_name(), of_day().filter(meant).nth(1)) {
        let (first, second) = (&record.item, &other.item);
        return Err(AppError::Usage(format!(
            "{series} {symbol} has several records on {day}, {first} and {second} among them: name \
             the {name} with --item"
        )));
    }
    let cells = record.cells.iter().filter(|c| field.is_none_or(|name| c.field.name() == name));
    let mut fields = Vec::new();
    // One proof an event: it reads the whole source and hashes the whole batch.
    let mut events: BTreeMap<EventId, EventLine> = BTreeMap::new();
    for cell in cells {
        let event = match events.entry(cell.event) {
            btree_map::Entry::Occupied(known) => known.get().clone(),
            btree_map::Entry::Vacant(new) => {
                new.insert(event_line(ledger, cell.event, at)?).clone()
            }
        };
        fields.push(WhyField {
            field: cell.field.name().to_owned(),
            value: json_value(&cell.value),
            event,
            replaced: replaced(ledger, &history, &cell.field, record.key(), cell.event, at, series),
        });
    }
    if let (true, Some(name), true) = (fields.is_empty(), field, erasures.is_empty()) {
        return Err(no_field(series, symbol, day, name, record));
    }
    if fields.is_empty() {
        return Err(lost());
    }
    let (series, symbol, date) = (series.name(), symbol.to_string(), day.to_string());
    Ok(Why { series, symbol, date, position: at.0, fields, erasures })
}

/// Says which fields a day has instead, and which view has one of that name.
fn no_field(series: Series, symbol: &Symbol, day: Day, name: &str, record: &Record) -> AppError {
    let there: Vec<_> = record.cells.iter().map(|cell| cell.field.name()).collect();
    let there = format!("{series} {symbol} has no {name} on {day}; it has {}", there.join(", "));
    let of = |view: &Series| *view != series && view.fields().any(|field| field.name == name);
    let own = series.fields().any(|field| field.name == name);
    AppError::NotFound(match Series::ALL.into_iter().find(of).filter(|_| !own) {
        Some(other) => format!("{there} ({name} is a field of view {other})"),
        None => there,
    })
}

/// The other assertions about a cell that were committed by then, strongest first.
fn replaced(
    ledger: &Ledger,
    history: &crate::projections::view::History,
    field: &Field,
    key: (Day, &str),
    shown: EventId,
    at: Position,
    view: Series,
) -> Vec<Replaced> {
    let mut others = Vec::new();
    for (row, batch) in history.rows.iter().zip(&history.batches) {
        let event = EventId { batch: BatchId(*batch), seq: row.head.seq };
        let speaks =
            row.shape.contains(field) || (row.head.op == Op::Retract && row.shape.is_empty());
        let Some(batch) = ledger.batches().get(event.batch) else {
            continue;
        };
        let committed = batch.committed_at.filter(|committed| *committed <= at);
        let (Some(committed), true) = (committed, speaks && event != shown) else {
            continue;
        };
        if (row.head.day, row.item) != key {
            continue;
        }
        let state = batch.state_at(at).unwrap_or(BatchState::Staged);
        let value = row.value(field);
        let rank = (state == BatchState::Active, batch.class(view), committed, row.head.seq);
        let op = if row.head.op == Op::Put { "put" } else { "retract" };
        let value = value.as_ref().map(json_value);
        let (event, state) = (event.to_string(), state.name());
        others.push((rank, Replaced { value, op, event, state }));
    }
    others.sort_by_key(|(rank, _)| std::cmp::Reverse(*rank));
    others.into_iter().map(|(_, other)| other).collect()
}

/// An event, as it stood at a position, with the bytes it was read from and its proof.
fn event_line(ledger: &Ledger, event: EventId, at: Position) -> Result<EventLine> {
    let nothing = || LedgerError::NoSuchEvent(event);
    let batch = ledger.batches().get(event.batch).ok_or_else(nothing)?;
    let state = batch.state_at(at).ok_or_else(|| {
        AppError::NotFound(format!("{event} came with {}, after {at}", batch.staged_at))
    })?;
    let located = ledger.locate(event)?.ok_or_else(nothing)?;
    let manifest = ledger.manifest_of(&batch.stage)?;
    let row = located.rows.get(0);
    let gone = erased::of_event(ledger, event)?;
    let (source, line, offset, len) = match (&located.reject, row) {
        (Some(reject), _) => (reject.source, reject.line, reject.offset, reject.len),
        (None, Some(row)) => {
            let head = row.head;
            (head.source, head.line, head.offset, head.len)
        }
        // Where it stood went with what it said.
        (None, None) => match &located.erased {
            Some(erased) => (erased.source, 0, 0, 0),
            None => return Err(nothing().into()),
        },
    };
    let source = manifest.sources.get(source as usize);
    let source = source.ok_or_else(|| LedgerError::damaged("an event names no source"))?;
    let gone = match gone {
        None => erased::of_source(ledger, &source.digest)?,
        gone => gone,
    };
    let raw = match gone {
        // The event does not hang on them; `verify` tells of it.
        None => match bytes_of(ledger, source, offset, len) {
            Err(AppError::Ledger(LedgerError::NoSuchSource(_))) => None,
            raw => Some(raw?),
        },
        Some(_) => Some(Vec::new()),
    };
    let mut values = BTreeMap::new();
    for (field, value) in row.iter().flat_map(|row| row.fields()) {
        let value = value.as_ref().map_or(serde_json::Value::Null, json_value);
        values.insert(field.name().to_owned(), value);
    }
    let op = match row {
        None if located.erased.is_some() => "erased",
        None => "reject",
        Some(row) if row.head.op == Op::Retract => "retract",
        Some(_) => "put",
    };
    let lines = source.media_type.ends_with("jsonl");
    // The whole batch is hashed: only then does the leaf lead to the recorded root.
    ledger.verify_batch(&batch.stage)?;
    Ok(EventLine {
        event: event.to_string(),
        op,
        leaf: located.leaf.to_string(),
        batch: event.batch.to_string(),
        state: state.name(),
        recorded_at: rfc3339(batch.staged_ms),
        confirmed_at: batch.committed_by(at).map(rfc3339),
        mapping: format!("{}/{}", batch.stage.mapping.id, batch.stage.mapping.version),
        source: source.name.clone(),
        source_digest: source.digest.to_string(),
        line,
        counted: if source.media_type.starts_with("application/json") && !lines {
            "item"
        } else {
            "line"
        },
        offset,
        length: len,
        lost: raw.is_none(),
        raw: String::from_utf8_lossy(&raw.unwrap_or_default()).into_owned(),
        code: located.reject.map(|reject| reject.code.to_string()),
        values,
        proven: true,
        erased: gone,
    })
}

/// The bytes of a row in its source; the source's digest is checked on the way. Places in a
/// gzipped source count in its unpacked text.
fn bytes_of(
    ledger: &Ledger,
    source: &crate::ledger::codec::ManifestSource,
    offset: u64,
    len: u32,
) -> Result<Vec<u8>> {
    let mut cut = Cut { from: 0, start: offset, end: offset + u64::from(len), found: Vec::new() };
    let packed = source.media_type == GZIP && source.http.is_none();
    if !packed {
        ledger.read_source(&source.digest, &mut |piece| {
            cut.take(piece);
            Ok(())
        })?;
        return Ok(cut.found);
    }
    let broken = |_| LedgerError::damaged("a kept gzip file cannot be unpacked");
    let mut unpacker = Unpacker::new(cut);
    ledger.read_source(&source.digest, &mut |piece| unpacker.take(piece).map_err(broken))?;
    Ok(unpacker.finish().map_err(broken)?.found)
}

/// Keeps a range of the bytes that go by.
struct Cut {
    from: u64,
    start: u64,
    end: u64,
    found: Vec<u8>,
}

impl Cut {
    fn take(&mut self, piece: &[u8]) {
        let (from, to) = (self.from, self.from + piece.len() as u64);
        let start = self.start.clamp(from, to) - from;
        let stop = self.end.clamp(from, to) - from;
        let part = piece.get(start as usize..stop as usize);
        self.found.extend_from_slice(part.unwrap_or_default());
        self.from = to;
    }
}

impl Write for Cut {
    fn write(&mut self, piece: &[u8]) -> io::Result<usize> {
        self.take(piece);
        Ok(piece.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Shows a row event (`b7/3`) or a control entry (`#12`), as it stood at a position, by default the head.
///
/// # Errors
/// [`AppError::NotFound`], also of what came later; [`AppError::Usage`].
pub fn show(ledger: &Ledger, what: &str, until: Option<Position>) -> Result<Shown> {
    let until = until.unwrap_or(ledger.position());
    if let Ok(event) = what.parse::<EventId>() {
        return Ok(Shown::Row(Box::new(event_line(ledger, event, until)?)));
    }
    let wrong = |error: crate::domain::id::IdError| AppError::Usage(error.to_string());
    let at: Position =
        what.parse().map_err(|_| wrong(crate::domain::id::IdError::Event(what.to_owned())))?;
    let entry = ledger.entry(at).ok_or(LedgerError::NoSuchEntry(at))?;
    if at > until {
        return Err(AppError::NotFound(format!("{at} came after {until}")));
    }
    Ok(Shown::Entry(Box::new(entry_line(ledger, at, entry))))
}

fn entry_line(ledger: &Ledger, at: Position, entry: &Entry) -> EntryLine {
    let before = ledger.entry(Position(at.0.saturating_sub(1)));
    let (kind, batches, via, reason, text) = match &entry.kind {
        EntryKind::Stage(stage) => {
            let views: Vec<_> = stage.views.iter().map(|part| part.series.name()).collect();
            let text = format!(
                "staged {}: {} event{} of {} symbol{} for {} with {}/{}",
                stage.batch,
                stage.events,
                if stage.events == 1 { "" } else { "s" },
                stage.symbols,
                if stage.symbols == 1 { "" } else { "s" },
                views.join(", "),
                stage.mapping.id,
                stage.mapping.version
            );
            ("stage", vec![stage.batch.to_string()], None, stage.again.clone(), text)
        }
        EntryKind::Decision(decision) => {
            let ids: Vec<_> = decision.changes.iter().map(|c| c.batch.to_string()).collect();
            let via = match decision.via {
                Via::Plain => None,
                Via::Undo(target) => Some(format!("undo {target}")),
                Via::Redo(target) => Some(format!("redo {target}")),
            };
            let moves: Vec<_> =
                decision.changes.iter().map(|c| format!("{} is {}", c.batch, c.to)).collect();
            let text = match &via {
                Some(via) => format!("{via}: {}", moves.join(", ")),
                None => moves.join(", "),
            };
            (decision.action.name(), ids, via, decision.reason.clone(), text)
        }
        EntryKind::Note(text) => ("note", Vec::new(), None, None, text.clone()),
        EntryKind::Erase(erase) => {
            let said: Vec<_> = erase
                .parts
                .iter()
                .map(|part| {
                    let plural = if part.events == 1 { "" } else { "s" };
                    format!("{} event{plural} of {}", part.events, part.batch)
                })
                .collect();
            let ids = erase.parts.iter().map(|part| part.batch.to_string()).collect();
            let text = format!("erased {}", said.join(", "));
            ("erase", ids, None, Some(erase.reason.clone()), text)
        }
        EntryKind::Projection(said) => {
            let step = &said.step;
            let query = match step {
                ProjectionStep::Added { definition: Some(query) } => {
                    format!(": {}", query.split_whitespace().collect::<Vec<_>>().join(" "))
                }
                _ => String::new(),
            };
            (step.name(), Vec::new(), None, None, about_projection(said) + &query)
        }
    };
    EntryLine {
        position: at.0,
        time: rfc3339(entry.time_ms),
        actor: entry.actor.clone(),
        tool: entry.tool.clone(),
        kind,
        batches,
        via,
        reason,
        text,
        clock_ran_back: before.is_some_and(|before| before.time_ms > entry.time_ms),
    }
}

/// What an entry says of a projection, without the query.
pub(super) fn about_projection(ProjectionEntry { id, step }: &ProjectionEntry) -> String {
    match step {
        ProjectionStep::Added { .. } => format!("{id} is kept"),
        ProjectionStep::Promoted => format!("{} means {id}", id.name),
        ProjectionStep::Dropped => format!("{id} is not kept any more"),
    }
}

/// The control log, newest first; with a symbol only the entries about batches that have events of it,
/// whatever became of these.
///
/// # Errors
/// A position that is not there; with a symbol, blocks that cannot be read, and
/// [`AppError::NotFound`] where no batch ever had events of it.
pub fn log(
    ledger: &Ledger,
    limit: Option<usize>,
    at: Option<Position>,
    about: Option<&Symbol>,
) -> Result<Log> {
    let until = at.unwrap_or(ledger.position());
    let batches = about.map(|symbol| batches_of(ledger, symbol)).transpose()?;
    if let (Some(symbol), Some(true)) = (about, batches.as_ref().map(BTreeSet::is_empty)) {
        return Err(AppError::nothing_about(symbol, &[]));
    }
    let entries = (1..).map(Position).zip(ledger.entries()).take(until.0 as usize);
    let wanted = entries.filter(|(_, entry)| {
        batches.as_ref().is_none_or(|of| concerns(entry).any(|batch| of.contains(&batch)))
    });
    let mut lines: Vec<_> = wanted.map(|(at, entry)| entry_line(ledger, at, entry)).collect();
    lines.reverse();
    let all = lines.len();
    lines.truncate(limit.unwrap_or(usize::MAX));
    Ok(Log {
        position: until.0,
        log_root: ledger.root_at(until)?.to_string(),
        symbol: about.map(ToString::to_string),
        earlier: (all - lines.len()) as u64,
        entries: lines,
    })
}

/// The batches that have events of a symbol, or had them until they were erased. The views do not say it
/// of batches that were never confirmed; the blocks name their symbols, and stay packed.
fn batches_of(ledger: &Ledger, symbol: &Symbol) -> Result<BTreeSet<BatchId>> {
    let mut found = BTreeSet::new();
    for (id, batch) in ledger.batches().iter().filter(|(_, batch)| batch.stage.symbols > 0) {
        let mut blocks = ledger.read(id);
        let mut has = false;
        while let (false, Some((_, header))) = (has, blocks.next_header()?) {
            has = header.symbols.iter().any(|(of, _)| of == symbol);
        }
        if !has && !batch.erased.is_empty() {
            let mut erased = ledger.erased_of(id)?.into_iter();
            has = erased.any(|one| one.symbol.as_ref() == Some(symbol));
        }
        found.extend(has.then_some(id));
    }
    Ok(found)
}

/// The batches that an entry is about.
fn concerns(entry: &Entry) -> impl Iterator<Item = BatchId> {
    let batches: Vec<BatchId> = match &entry.kind {
        EntryKind::Stage(stage) => vec![stage.batch],
        EntryKind::Decision(decision) => decision.changes.iter().map(|one| one.batch).collect(),
        EntryKind::Erase(erase) => erase.parts.iter().map(|part| part.batch).collect(),
        EntryKind::Note(_) | EntryKind::Projection(_) => Vec::new(),
    };
    batches.into_iter()
}
