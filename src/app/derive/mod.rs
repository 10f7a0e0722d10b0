//! What follows from the data: computed values, recorded as a batch that names its inputs.
//!
//! The source of such a batch is a small document of this program: the formula, and a line per
//! symbol with the digest of the view that it was computed from. Each event points at its line, so
//! `why` leads from a computed value to its inputs. The values only fill holes: what somebody gave,
//! be it to fill holes too, is shown before what is computed here.

mod hv;
mod iv;
mod outdated;

pub use outdated::{Outdated, outdated};

use super::draft::Draft;
use super::error::Result;
use super::fetch::CutChains;
use super::prepared::{Staged, with_events};
use super::report::Decided;
use super::views::{ViewDigest, ViewReader};
use super::{Run, decide, parallel, threads};
use crate::domain::entry::RowCounts;
use crate::domain::{
    Class, Collector, Day, Digest, Field, Finding, Op, Origin, Series, Severity, Symbol, Value,
    Window,
};
use crate::ledger::Ledger;
use crate::ledger::codec::{ManifestSource, SourceKind};
use crate::projections::view::{Activity, Record, Which, fold};
use std::collections::BTreeMap;

/// Symbols that are computed side by side before what differs of them is noted.
const AT_ONCE: usize = 32;

/// What can be computed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Derivation {
    /// Historical volatility from closes.
    Hv,
    /// The daily record of implied volatility from chain snapshots.
    Iv,
}

impl Derivation {
    /// The view that the values are for.
    pub fn series(self) -> Series {
        match self {
            Self::Hv => Series::Hv,
            Self::Iv => Series::Iv,
        }
    }

    /// The view that they are computed from.
    pub fn input(self) -> Series {
        match self {
            Self::Hv => Series::Spot,
            Self::Iv => Series::Chain,
        }
    }

    /// The chains of which nothing is to be computed.
    fn cut(self, ledger: &Ledger) -> Result<CutChains> {
        match self {
            Self::Hv => Ok(CutChains::default()),
            Self::Iv => CutChains::at(ledger, ledger.position()),
        }
    }

    /// All that can be computed of a symbol.
    fn compute(
        self,
        ledger: &Ledger,
        reader: &ViewReader<'_>,
        cut: &CutChains,
        symbol: &Symbol,
    ) -> Result<Computed> {
        match self {
            Self::Hv => hv::compute(ledger, reader, symbol),
            Self::Iv => iv::compute(ledger, reader, cut, symbol),
        }
    }

    /// Name and version of the formula in stage entries; its definition is kept with the batch.
    fn mapping(self) -> (&'static str, u32, &'static str) {
        match self {
            Self::Hv => ("derive-hv", 2, hv::DEFINITION),
            Self::Iv => ("derive-iv", 2, iv::DEFINITION),
        }
    }
}

/// The computed values of a day.
type Values = Vec<(Field, Value)>;

/// The fields of days whose computed values do not follow from the data any more.
type Lost = Vec<(Day, Vec<Field>)>;

/// Something of a symbol's day, with the line of the document that it comes from.
type Placed<T> = (Symbol, Origin, Day, T);

/// What was computed for a symbol.
#[derive(Default)]
struct Computed {
    /// What it was computed from, as JSON members after the symbol's name.
    inputs: serde_json::Map<String, serde_json::Value>,
    days: BTreeMap<Day, Values>,
    findings: Vec<Finding>,
}

/// What a computation gave.
#[derive(Debug, Default)]
pub struct Derived {
    /// The batch; none when every value that can be computed is recorded.
    pub staged: Option<Staged>,
    /// Why values are missing or doubtful.
    pub findings: Vec<Finding>,
}

/// Computes what is missing or has changed and, where the one who acts may, confirms it at once.
///
/// # Errors
/// Those of [`derive()`]; those of confirming are inside.
pub fn derive_and_confirm(
    ledger: &mut Ledger,
    what: Derivation,
    symbols: &[Symbol],
    run: &Run<'_>,
) -> Result<(Derived, Option<Result<Decided>>)> {
    ledger.together(|ledger| {
        let derived = derive(ledger, what, symbols, run)?;
        let may = |staged: &&Staged| {
            staged.batch.is_some_and(|batch| decide::may_confirm(ledger, batch, run).is_ok())
        };
        let agreed = derived.staged.as_ref().filter(may);
        let decided = agreed.map(|staged| decide::confirm_staged(ledger, staged, run));
        match decided {
            // Neither entry could be made durable.
            Some(Err(error)) if !agreed.is_some_and(|staged| decide::is_there(ledger, staged)) => {
                Err(error)
            }
            decided => Ok((derived, decided)),
        }
    })
}

/// Computes what is missing or has changed, and stages it.
///
/// # Errors
/// A view that cannot be read, a ledger that cannot be written.
pub fn derive(
    ledger: &mut Ledger,
    what: Derivation,
    symbols: &[Symbol],
    run: &Run<'_>,
) -> Result<Derived> {
    let (mut document, mut lines) = (format!("{}\n", header(what, ledger)), 1);
    let (mut rows, mut gone) = (Vec::<Placed<Values>>::new(), Vec::<Placed<Vec<Field>>>::new());
    let mut findings = Vec::new();
    {
        let reader = ViewReader::new(ledger)?;
        let (own, cut) = (own(ledger, what), what.cut(ledger)?);
        let known = reader.symbols(what.input())?;
        let symbols = if symbols.is_empty() { &known } else { symbols };
        run.progress.begin("computing", Some(symbols.len() as u64), "symbols");
        let mut done = 0;
        for symbols in symbols.chunks(AT_ONCE) {
            run.go_on()?;
            let differing = parallel::map(symbols, threads(), |symbol| {
                differing(what, ledger, &reader, (&own, &cut), symbol)
            })?;
            for (symbol, (mut computed, lost)) in symbols.iter().zip(differing) {
                findings.append(&mut computed.findings);
                if computed.days.is_empty() && lost.is_empty() {
                    continue;
                }
                let mut line = serde_json::Map::new();
                line.insert("symbol".into(), symbol.as_str().into());
                line.append(&mut computed.inputs);
                let line = serde_json::Value::Object(line).to_string();
                let origin = Origin {
                    source: 0,
                    line: lines + 1,
                    offset: document.len() as u64,
                    len: line.len() as u32,
                };
                document += &line;
                document.push('\n');
                lines += 1;
                let days = computed.days.into_iter();
                rows.extend(days.map(|(day, values)| (symbol.clone(), origin, day, values)));
                let lost = lost.into_iter();
                gone.extend(lost.map(|(day, fields)| (symbol.clone(), origin, day, fields)));
            }
            done += symbols.len() as u64;
            run.progress.at(done);
        }
        run.progress.end();
    }
    if rows.is_empty() && gone.is_empty() {
        return Ok(Derived { staged: None, findings });
    }
    let staged = stage(ledger, what, &document, (rows, gone), findings.clone(), run)?;
    Ok(Derived { staged: Some(staged), findings })
}

/// What is computed of a symbol and is not shown yet, and what is shown and does not follow any more.
fn differing(
    what: Derivation,
    ledger: &Ledger,
    reader: &ViewReader<'_>,
    (own, cut): (&Activity, &CutChains),
    symbol: &Symbol,
) -> Result<(Computed, Lost)> {
    let mut computed = what.compute(ledger, reader, cut, symbol)?;
    let shown = shown(reader, own, what, symbol)?;
    let lost = lost(&shown, &computed.days);
    computed.days.retain(|day, values| {
        !values.iter().all(|value| shown.get(day).is_some_and(|of| of.contains(value)))
    });
    Ok((computed, lost))
}

/// What was computed before and does not follow from the data any more: an input was rolled back,
/// or a jump came to light. It is taken back, by day and field.
fn lost(shown: &BTreeMap<Day, Values>, computed: &BTreeMap<Day, Values>) -> Lost {
    let of_day = |(day, values): (&Day, &Values)| {
        let now = computed.get(day);
        let is_lost =
            |field: &Field| now.is_none_or(|now| now.iter().all(|(known, _)| known != field));
        let fields = values.iter().map(|(field, _)| field.clone()).filter(is_lost).collect();
        (*day, fields)
    };
    shown.iter().map(of_day).filter(|(_, fields): &(Day, Vec<Field>)| !fields.is_empty()).collect()
}

/// The first line of the document: what was computed, and from where in the log.
fn header(what: Derivation, ledger: &Ledger) -> serde_json::Value {
    let (mapping, version, _) = what.mapping();
    serde_json::json!({
        "derived": what.series().name(),
        "formula": format!("{mapping}/{version}"),
        "input": what.input().name(),
        "position": ledger.position().0,
        "log_root": ledger.head().root.to_string(),
    })
}

/// The batches of earlier computations of the same kind, without those of anything else.
fn own(ledger: &Ledger, what: Derivation) -> Activity {
    let (table, (mapping, ..)) = (ledger.batches(), what.mapping());
    let others = table.iter().filter(|(_, batch)| batch.stage.mapping.id != mapping);
    let all = Activity::at(table, what.series(), ledger.position());
    others.fold(all, |activity, (id, _)| activity.without(id))
}

/// What earlier computations say of a symbol and is still held.
fn shown(
    reader: &ViewReader<'_>,
    own: &Activity,
    what: Derivation,
    symbol: &Symbol,
) -> Result<BTreeMap<Day, Values>> {
    let view = what.series();
    let records = fold(view, &reader.history(view, symbol)?, own, Which::Latest);
    let values = |record: Record| {
        let cells = record.cells.into_iter().map(|cell| (cell.field, cell.value)).collect();
        (record.day, cells)
    };
    Ok(records.into_iter().map(values).collect())
}

fn stage(
    ledger: &mut Ledger,
    what: Derivation,
    document: &str,
    (rows, gone): (Vec<Placed<Values>>, Vec<Placed<Vec<Field>>>),
    findings: Vec<Finding>,
    run: &Run<'_>,
) -> Result<Staged> {
    let (mapping, version, definition) = what.mapping();
    let now = run.clock.now_ms();
    let count = rows.len() as u64;
    let mapping = (mapping.to_owned(), version, definition.to_owned());
    let mut draft = Draft {
        rows: RowCounts {
            read: count,
            accepted: count,
            retracted: gone.len() as u64,
            ..RowCounts::default()
        },
        findings,
        // It is computed from what is active now: an earlier rollback says nothing about it.
        again: Some("computed anew".to_owned()),
        ..Draft::new(mapping, what.series(), |_| Class::Computed, run)
    };
    let name = format!("{} from {}", what.series(), what.input());
    with_events(ledger, false, |target, writer| {
        let (digest, size) = target.keep(&mut document.as_bytes(), &name, now)?;
        draft.manifest.sources.push(ManifestSource {
            digest,
            kind: SourceKind::Derived,
            name: name.clone(),
            media_type: "application/jsonl".into(),
            size,
            observed_ms: now,
            series: what.series(),
            symbol: None,
            http: None,
        });
        let mut flush = |window: &mut Window| target.write(writer, window);
        let mut out = Collector::new(&mut flush);
        for (symbol, origin, day, values) in rows {
            let (shape, values): (Vec<Field>, Vec<Value>) = values.into_iter().unzip();
            out.row(origin, what.series(), Op::Put, &symbol, day, &shape, values)?;
        }
        for (symbol, origin, day, fields) in gone {
            out.row(origin, what.series(), Op::Retract, &symbol, day, &fields, [])?;
        }
        out.finish()?;
        Ok(())
    })
    .and_then(|prepared| prepared.settle(ledger, draft, false, run))
}

/// The digest of what a view shows of a symbol.
fn digest_of(view: Series, symbol: &Symbol, records: &[Record]) -> Digest {
    let mut digest = ViewDigest::default();
    digest.add(view, symbol, records);
    digest.finish()
}

fn warning(code: &str, day: Option<Day>, text: String) -> Finding {
    Finding { day, ..Finding::about(0, code, Severity::Warning, text) }
}
