//! Splitting a batch by symbol: the chosen symbols as one staged batch, the rest as another.
//!
//! Events keep their sources, lines and bytes, so their leaves stay the same and `why` shows the same
//! cells. The two parts are staged first and the whole is discarded last. Where this is cut short all
//! three are staged; the same split then finds the parts by their content and goes on. So no entry of a
//! new kind is needed.

mod here;

use super::decide;
use super::draft::Draft;
use super::error::{AppError, Result};
use super::prepared::{Staged, with_events};
use super::report::{SplitPart, SplitReport};
use super::{Run, erased};
use crate::domain::batch::Refusal;
use crate::domain::entry::RowCounts;
use crate::domain::{
    BatchId, BatchState, Collector, Op, Origin, Severity, Stage, Symbol, Window, rows::Key,
};
use crate::ledger::{Ledger, LedgerError};
use std::collections::{BTreeMap, BTreeSet, HashSet};

/// Most symbols that a reason or finding names.
const NAMED: usize = 6;
/// Most words of a choice.
const WORDS: usize = 10_000;

/// Which symbols are chosen: names, and patterns with `*` and `?`.
#[derive(Clone, Debug, Default)]
pub struct Choice {
    words: Vec<String>,
}

impl Choice {
    /// Words that are parted by commas or blanks.
    ///
    /// # Errors
    /// No word at all, or more than ten thousand.
    pub fn of<'a>(texts: impl IntoIterator<Item = &'a str>) -> Result<Self> {
        let words = texts.into_iter().flat_map(|text| text.split([',', ' ', '\t', '\n', '\r']));
        let words: Vec<String> = words.filter(|w| !w.is_empty()).map(str::to_owned).collect();
        match words.len() {
            0 => Err(AppError::Usage("no symbol was chosen".to_owned())),
            1..=WORDS => Ok(Self { words }),
            many => {
                Err(AppError::Usage(format!("{many} symbols at once; patterns like `A*` help")))
            }
        }
    }

    /// The symbols of `all` that are meant.
    ///
    /// # Errors
    /// A word that means none of them.
    fn among(&self, all: &BTreeSet<Symbol>) -> Result<BTreeSet<Symbol>> {
        let mut chosen = BTreeSet::new();
        for word in &self.words {
            let before = chosen.len();
            if word.contains(['*', '?']) {
                let pattern = word.to_ascii_uppercase();
                let met = |symbol: &&Symbol| {
                    fits(pattern.as_bytes(), symbol.as_str().to_ascii_uppercase().as_bytes())
                };
                chosen.extend(all.iter().filter(met).cloned());
                if chosen.len() == before && !all.iter().any(|symbol| met(&symbol)) {
                    return Err(AppError::NotFound(format!("no symbol of it fits `{word}`")));
                }
                continue;
            }
            // As it is written first: `BRKpA` is not `BRKPA`.
            let named = [Symbol::exact(word).ok(), word.parse().ok()].into_iter().flatten();
            let found = named.into_iter().find(|symbol| all.contains(symbol));
            let none = || AppError::NotFound(format!("there is no {word} in it"));
            chosen.insert(found.ok_or_else(none)?);
        }
        Ok(chosen)
    }
}

/// Whether a text fits a pattern: `*` is any text, `?` any one byte.
fn fits(pattern: &[u8], text: &[u8]) -> bool {
    let (mut p, mut t, mut star) = (0, 0, None);
    while t < text.len() {
        match pattern.get(p) {
            Some(b'*') => {
                star = Some((p, t));
                p += 1;
            }
            Some(sign) if *sign == b'?' || text.get(t) == Some(sign) => {
                p += 1;
                t += 1;
            }
            _ => match star {
                // The last star takes one byte more.
                Some((at, from)) => {
                    star = Some((at, from + 1));
                    p = at + 1;
                    t = from + 1;
                }
                None => return false,
            },
        }
    }
    pattern.iter().skip(p).all(|sign| *sign == b'*')
}

/// The symbols that a batch speaks of, from the headers of its blocks.
///
/// # Errors
/// Blocks that cannot be read.
pub fn symbols(ledger: &Ledger, id: BatchId) -> Result<BTreeSet<Symbol>> {
    Ok(counts(ledger, id)?.into_keys().collect())
}

/// The symbols that a batch speaks of, with the events of each.
fn counts(ledger: &Ledger, id: BatchId) -> Result<BTreeMap<Symbol, u64>> {
    let (mut found, mut blocks) = (BTreeMap::new(), ledger.read(id));
    while let Some((_, header)) = blocks.next_header()? {
        for (symbol, events) in header.symbols {
            *found.entry(symbol).or_default() += u64::from(events);
        }
    }
    Ok(found)
}

/// Refuses a batch that cannot be split, whatever is chosen; pages offer no split then.
///
/// # Errors
/// [`AppError::Refused`] in another state than staged, [`AppError::Erased`], [`AppError::Usage`]
/// for a batch that would replace another one as a whole.
pub fn may_split(ledger: &Ledger, id: BatchId) -> Result<()> {
    let batch = ledger.batches().get(id).ok_or(Refusal::NoSuchBatch(id))?;
    if batch.state() != BatchState::Staged {
        let (action, state) = ("split", batch.state());
        return Err(Refusal::WrongState { action, batch: id, state }.into());
    }
    if let Some(old) = batch.stage.supersedes {
        let text = format!("{id} would replace {old} as a whole: it cannot be split");
        return Err(AppError::Usage(text));
    }
    erased::refuse_batch(ledger, id)
}

/// Splits a staged batch: the chosen symbols become one staged batch, the rest (rejected rows too)
/// another, and the old one is discarded with a reason that names them.
///
/// # Errors
/// Those of [`may_split`]; a symbol that is not in it; a choice that leaves nothing on one side; a part
/// that is here already with another overlap.
pub fn split(
    ledger: &mut Ledger,
    id: BatchId,
    choice: &Choice,
    reason: Option<String>,
    run: &Run<'_>,
) -> Result<SplitReport> {
    may_split(ledger, id)?;
    let stage = ledger.batches().get(id).ok_or(Refusal::NoSuchBatch(id))?.stage.clone();
    let counts = counts(ledger, id)?;
    let all: BTreeSet<Symbol> = counts.keys().cloned().collect();
    let chosen = choice.among(&all)?;
    if chosen.len() == all.len() && stage.rows.rejected == 0 {
        return Err(AppError::Usage(format!("that is all of {id}: nothing would be left")));
    }
    let why = |one: &str, other: &str| {
        let reason = reason.as_ref().map(|reason| format!(": {reason}")).unwrap_or_default();
        format!("split into {one} ({}) and {other}{reason}", few(&chosen))
    };
    // Refused before anything is staged, however long their names will be.
    let longest = BatchId(u32::MAX).to_string();
    super::stage::short_enough(Some(&why(&longest, &longest)))?;
    here::refuse_other_overlap(ledger, &stage, &counts, &chosen)?;
    ledger.verify_batch(&stage)?;
    let first = part(ledger, id, &stage, &chosen, true, run)?;
    let named = |staged: &Staged| staged.batch.map(|batch| batch.to_string()).unwrap_or_default();
    let (second, decided) = ledger.together(|ledger| {
        let second = part(ledger, id, &stage, &chosen, false, run)?;
        let why = why(&named(&first), &named(&second));
        let decided = decide::discard(ledger, id, Some(why), false, run)?;
        Ok::<_, AppError>((second, decided))
    })?;
    let line = |staged: Staged, symbols: usize| SplitPart {
        batch: named(&staged),
        state: staged.review.state.unwrap_or_default(),
        symbols: symbols as u64,
        rows: staged.review.rows.accepted + staged.review.rows.retracted,
        rejected: staged.review.rows.rejected,
        token: staged.review.token,
    };
    let left = all.len() - chosen.len();
    Ok(SplitReport {
        batch: id.to_string(),
        position: decided.position,
        log_root: decided.log_root,
        chosen: line(first, chosen.len()),
        rest: line(second, left),
    })
}

/// Some of the symbols, for a person.
fn few(symbols: &BTreeSet<Symbol>) -> String {
    let named: Vec<&str> = symbols.iter().take(NAMED).map(Symbol::as_str).collect();
    match symbols.len().saturating_sub(NAMED) {
        0 => named.join(" "),
        more => format!("{} and {more} more", named.join(" ")),
    }
}

/// What is counted while a part is written.
#[derive(Default)]
struct Counted {
    rows: RowCounts,
    /// Source and line of each row, where one row may be several events.
    lines: Option<HashSet<(u32, u32)>>,
}

impl Counted {
    /// Events so far.
    fn events(&self) -> u32 {
        (self.rows.accepted + self.rows.rejected + self.rows.retracted) as u32
    }

    fn row(&mut self, source: u32, line: u32) {
        match &mut self.lines {
            None => self.rows.read += 1,
            Some(lines) => self.rows.read += u64::from(lines.insert((source, line))),
        }
    }
}

/// Stages one of the two.
fn part(
    ledger: &mut Ledger,
    id: BatchId,
    stage: &Stage,
    chosen: &BTreeSet<Symbol>,
    takes: bool,
    run: &Run<'_>,
) -> Result<Staged> {
    let mut draft = draft(ledger, id, stage, chosen, takes)?;
    let apart = stage.rows.read != stage.rows.accepted + stage.rows.rejected;
    let mut counted = Counted { lines: apart.then(HashSet::new), ..Counted::default() };
    run.progress.begin("splitting", Some(stage.events), "events");
    let prepared = with_events(ledger, false, |target, writer| {
        let (mut block, mut done) = (0, 0);
        loop {
            run.go_on()?;
            let mut reader = target.read_from(id, block);
            let Some(window) = reader.next_window()? else { break };
            block = reader.block();
            done += window.len() as u64;
            let mut flush = |window: &mut Window| target.write(writer, window);
            let mut out = Collector::resume(counted.events(), &mut flush);
            copy(&window, chosen, takes, &mut counted, &mut out)?;
            out.finish()?;
            run.progress.at(done);
        }
        Ok(())
    })?;
    run.progress.end();
    draft.rows = counted.rows;
    if !takes {
        draft.rows.blank = stage.rows.blank;
    }
    prepared.settle(ledger, draft, false, run)
}

/// Passes on the events of a window that belong to the part, in source order.
fn copy(
    window: &Window,
    chosen: &BTreeSet<Symbol>,
    takes: bool,
    counted: &mut Counted,
    out: &mut Collector<'_, LedgerError>,
) -> Result<()> {
    let wanted: Vec<bool> =
        window.rows.symbols().iter().map(|symbol| chosen.contains(symbol) == takes).collect();
    let mut order: Vec<(u32, Option<usize>, usize)> = Vec::new();
    for (index, head) in window.rows.heads().iter().enumerate() {
        if wanted.get(head.symbol as usize).copied().unwrap_or(false) {
            order.push((head.seq, Some(index), 0));
        }
    }
    if !takes {
        let rejects = window.rejects.iter().enumerate();
        order.extend(rejects.map(|(index, reject)| (reject.seq, None, index)));
    }
    order.sort_unstable_by_key(|(seq, ..)| *seq);
    for (_, row, reject) in order {
        if let Some(row) = row.and_then(|index| window.rows.get(index)) {
            let h = row.head;
            let origin = Origin::from(h);
            let key = Key { symbol: row.symbol, day: h.day, item: row.item };
            out.event(origin, h.series, h.op, key, row.shape, row.values.iter())?;
            match h.op {
                Op::Put => {
                    counted.rows.accepted += 1;
                    counted.row(h.source, h.line);
                }
                Op::Retract => counted.rows.retracted += 1,
            }
        } else if let Some(r) = window.rejects.get(reject) {
            let origin = Origin::from(r);
            out.reject(origin, r.series, &r.code, &r.raw)?;
            counted.rows.rejected += 1;
            counted.row(r.source, r.line);
        }
    }
    Ok(())
}

/// What is known of a part before its events.
fn draft(
    ledger: &Ledger,
    id: BatchId,
    stage: &Stage,
    chosen: &BTreeSet<Symbol>,
    takes: bool,
) -> Result<Draft> {
    let mut manifest = ledger.manifest_of(stage)?;
    // Coverage of one symbol goes with its part; that of an answer about all stocks stays with the
    // rest.
    let mine = |symbol: Option<&Symbol>| symbol.is_some_and(|s| chosen.contains(s)) == takes;
    manifest.coverage.retain(|fact| mine(fact.symbol.as_ref()));
    let definition = ledger.source(&stage.mapping.digest)?;
    let definition = String::from_utf8(definition)
        .map_err(|_| LedgerError::damaged(format!("the mapping of {id} is no text")))?;
    let kept = if takes { "the chosen symbols" } else { "the rest" };
    let text = format!("{kept} of {id}, which was split by symbol (chosen: {})", few(chosen));
    let mut draft = Draft::of_staged(stage, manifest, definition, (Stage::PART, text));
    // Rejected rows are in the rest alone.
    draft.findings.retain(|finding| !takes || finding.severity != Severity::Reject);
    draft.rows = RowCounts::default();
    // If the whole needed a reason to come again, it was given then.
    draft.again = Some(stage.again.clone().unwrap_or_else(|| format!("split of {id}")));
    Ok(draft)
}

#[cfg(test)]
#[path = "split_tests.rs"]
mod tests;
