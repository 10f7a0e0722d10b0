//! What a stock did on each of its announcements, by two rules.

use crate::domain::{Calendar, Datum, Day, Series, Table, Value, code};
use crate::projections::projection::{Column, Facts, Projection};
use crate::projections::view::Record;
use crate::quant::adjustment;
use crate::quant::earnings::moves::{Bar, Market, Move, NoMove, Timing};
use std::collections::BTreeMap;

/// `earnings_moves@1` and `@2` (`iv_crush.md` A10).
pub struct EarningsMoves(Rule);

/// Which session an announcement's move is measured on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Rule {
    /// The original's: the announcement's own session against the one before, without sign. What a
    /// vendor computed so is taken as it is.
    Announcement,
    /// The session that reacts, by the announcement's timing and the exchange's calendar.
    Reaction,
}

impl EarningsMoves {
    /// Version 1, kept for comparison.
    pub const OLD: Self = Self(Rule::Announcement);
    /// Version 2.
    pub const NEW: Self = Self(Rule::Reaction);
}

/// A day of the spot view.
const BAR: [u16; 5] = [code::CLOSE, code::OPEN, code::HIGH, code::LOW, code::VOLUME];
/// What a vendor has of a move: reference close, open, high, low, close.
const VENDOR_PRICES: [u16; 5] = [
    code::PREV_CLOSE,
    code::EARNINGS_OPEN,
    code::EARNINGS_HIGH,
    code::EARNINGS_LOW,
    code::EARNINGS_CLOSE,
];
/// gap, intraday and close move.
const VENDOR_MOVES: [u16; 3] = [code::GAP_MOVE, code::INTRADAY_MOVE, code::CLOSE_MOVE];
/// volume before and on the day.
const VENDOR_VOLUMES: [u16; 2] = [code::VOLUME_BEFORE, code::VOLUME_EARNINGS];

const COLUMNS: [Column; 20] = [
    Column::new("earnings_date", "the day of the announcement"),
    Column::new("timing", "BMO, AMC, DMH or UNKNOWN, as the calendar says"),
    Column::new("confirmed", "1 where the company confirmed the day"),
    Column::new("status", "OK, PENDING (not traded yet), NODATA or QUARANTINED"),
    Column::new("reason", "why there is no move; `inferred` for a timing taken from the gaps"),
    Column::new("effective_timing", "the timing that was gone by"),
    Column::new("reference_session", "the last session before the news"),
    Column::new("reaction_session", "the session whose bar is measured"),
    Column::new("reference_close", "close of the reference session, dollars"),
    Column::new("open", "open of the reaction session, dollars"),
    Column::new("high", "its high"),
    Column::new("low", "its low"),
    Column::new("close", "its close"),
    Column::new("gap_move", "(open - reference) / reference, a signed fraction"),
    Column::new("intraday_move", "(high - low) / reference, a fraction"),
    Column::new("close_move", "(close - reference) / reference, a fraction; signed from @2 on"),
    Column::new("volume_before", "shares traded in the reference session"),
    Column::new("volume_reaction", "shares traded in the reaction session"),
    Column::new("volume_ratio", "the second over the first"),
    Column::new("basis", "`bars`, or `vendor` for a move that was recorded as such"),
];

/// An announcement as the calendar has it.
struct Announcement {
    timing: Timing,
    confirmed: Option<f64>,
}

/// A row before it is one.
#[derive(Default)]
struct Row {
    status: &'static str,
    reason: Option<&'static str>,
    effective: Option<&'static str>,
    sessions: Option<(Day, Day)>,
    /// Reference close, open, high, low, close.
    prices: [Option<f64>; 5],
    /// gap, intraday, close.
    moves: [Option<f64>; 3],
    /// Before and on the day.
    volumes: [Option<f64>; 2],
    basis: &'static str,
}

impl Projection for EarningsMoves {
    fn name(&self) -> &'static str {
        "earnings_moves"
    }

    fn version(&self) -> u32 {
        match self.0 {
            Rule::Announcement => 1,
            Rule::Reaction => 2,
        }
    }

    fn about(&self) -> &'static str {
        match self.0 {
            Rule::Announcement => {
                "moves of the announcement's own session, whatever its timing, without sign: the \
                 original's rule, for comparison. After the close that session is the one before \
                 the news"
            }
            Rule::Reaction => {
                "moves of the session that reacts to an announcement, by its timing and the \
                 exchange's calendar, signed"
            }
        }
    }

    fn views(&self) -> &'static [Series] {
        match self.0 {
            Rule::Announcement => &[Series::Earnings, Series::Moves, Series::Spot],
            Rule::Reaction => &[Series::Earnings, Series::Spot, Series::Splits],
        }
    }

    fn columns(&self) -> &'static [Column] {
        &COLUMNS
    }

    fn rows(&self, facts: &Facts<'_>) -> Result<Table, String> {
        let bars: Vec<Bar> = facts.records(Series::Spot).iter().filter_map(bar).collect();
        let market = Market { calendar: Calendar::nyse(), bars: &bars };
        let announced = |record: &Record| {
            let timing = match record.known(code::TIMING).map(|cell| &cell.value) {
                Some(Value::Text(word)) => Timing::of(word),
                _ => Timing::Unknown,
            };
            (record.day, Announcement { timing, confirmed: record.number(code::CONFIRMED) })
        };
        let mut events: BTreeMap<Day, Announcement> =
            facts.records(Series::Earnings).iter().map(announced).collect();
        // A move that a vendor recorded is an announcement too, if one of unknown timing.
        let vendor: BTreeMap<Day, &Record> =
            facts.records(Series::Moves).iter().map(|record| (record.day, record)).collect();
        for day in vendor.keys() {
            let unknown = Announcement { timing: Timing::Unknown, confirmed: None };
            events.entry(*day).or_insert(unknown);
        }
        let splits = facts.splits();
        let closes = facts.records(Series::Spot);
        let adjusted = |day: Day| {
            let at = closes.binary_search_by_key(&day, |record| record.day).ok()?;
            Some(facts.adjustment(closes.get(at)?))
        };
        let is_seam = |one: Day, other: Day, factor: f64| {
            let Some(pair) = adjusted(one).zip(adjusted(other)) else { return false };
            let mut later = splits.iter().filter(|(split, _)| *split > other);
            later.any(|split| adjustment::is_seam(pair, factor, *split))
        };
        let rows = events.iter().map(|(day, event)| {
            let row = match (self.0, vendor.get(day)) {
                (Rule::Announcement, Some(record)) => recorded(&market, *day, event, record),
                (Rule::Announcement, None) => {
                    measured(market.announcement(*day, event.timing).map(unsigned))
                }
                (Rule::Reaction, _) => {
                    let found = market.reaction(*day, event.timing);
                    measured(found).held_against(&splits, is_seam)
                }
            };
            row.finish(*day, event)
        });
        Ok(rows.collect())
    }
}

fn bar(record: &Record) -> Option<Bar> {
    let [close, open, high, low, volume] = BAR.map(|code| record.number(code));
    Some(Bar { day: record.day, open, high, low, close: close?, volume })
}

/// A move without its signs.
fn unsigned(found: Move) -> Move {
    Move { gap: found.gap.map(f64::abs), close: found.close.abs(), ..found }
}

/// What a vendor recorded, with the sessions that its rule means.
fn recorded(market: &Market<'_>, day: Day, event: &Announcement, record: &Record) -> Row {
    let open = market.calendar.is_open(day);
    let size = |code: u16| record.number(code).map(f64::abs);
    Row {
        status: "OK",
        effective: Some(event.timing.name()),
        sessions: open.then(|| (market.calendar.previous_open(day), day)),
        prices: VENDOR_PRICES.map(|code| record.number(code)),
        moves: VENDOR_MOVES.map(size),
        volumes: VENDOR_VOLUMES.map(|code| record.number(code)),
        basis: "vendor",
        ..Row::default()
    }
}

fn measured(found: Result<Move, NoMove>) -> Row {
    match found {
        Err(why) => Row {
            status: why.status(),
            reason: Some(why.reason()),
            basis: "bars",
            ..Row::default()
        },
        Ok(found) => Row {
            status: "OK",
            reason: found.sessions.inferred.then_some("inferred"),
            effective: Some(found.sessions.timing.name()),
            sessions: Some((found.sessions.reference, found.sessions.reaction)),
            prices: [
                Some(found.reference_close),
                found.bar.open,
                found.bar.high,
                found.bar.low,
                Some(found.bar.close),
            ],
            moves: [found.gap, found.intraday, Some(found.close)],
            volumes: [found.volume_before, found.bar.volume],
            basis: "bars",
        },
    }
}

impl Row {
    /// This row, or a quarantined one where a split explains the move better than the news does: one
    /// between the two sessions, or a later one where only one of the two closes is as traded. The
    /// bars are then of two adjustments.
    fn held_against(self, splits: &[(Day, f64)], is_seam: impl Fn(Day, Day, f64) -> bool) -> Self {
        let (Some((reference, reaction)), Some(close)) = (self.sessions, self.moves[2]) else {
            return self;
        };
        let mut between = splits.iter().filter(|(day, _)| reference < *day && *day <= reaction);
        let seen = (1.0 + close).ln();
        let of_two = is_seam(reference, reaction, 1.0 + close);
        let reason = match between.any(|(_, ratio)| (seen + ratio.ln()).abs() < seen.abs()) {
            true => "split_not_adjusted",
            false if of_two => "closes_of_two_adjustments",
            false => return self,
        };
        Self { status: "QUARANTINED", reason: Some(reason), moves: [None; 3], ..self }
    }

    fn finish(self, day: Day, event: &Announcement) -> Vec<Datum> {
        let word = |of: Option<&str>| of.map_or(Datum::Null, Datum::from);
        let session = |of: Option<Day>| of.map_or(Datum::Null, Datum::from);
        let [before, on] = self.volumes;
        let ratio = before.filter(|before| *before > 0.0).zip(on).map(|(before, on)| on / before);
        let mut row: Vec<Datum> = vec![
            day.into(),
            event.timing.name().into(),
            event.confirmed.into(),
            self.status.into(),
            word(self.reason),
            word(self.effective),
            session(self.sessions.map(|(reference, _)| reference)),
            session(self.sessions.map(|(_, reaction)| reaction)),
        ];
        row.extend(
            self.prices.into_iter().chain(self.moves).chain([before, on, ratio]).map(Datum::from),
        );
        row.push(self.basis.into());
        row
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{BatchId, Class, EventId, Field, Symbol};
    use crate::projections::view::Cell;
    use crate::quant::adjustment::Adjustment;

    fn record(day: &str, fields: &[(u16, &str)]) -> Record {
        let event = EventId { batch: BatchId(1), seq: 0 };
        let cell = |(code, text): &(u16, &str)| {
            let value = match *code {
                code::TIMING => Value::Text((*text).into()),
                _ => Value::from_json_number(text),
            };
            Cell { field: Field::Known(*code), value, event, class: Class::Vendor }
        };
        let cells: Vec<Cell> = fields.iter().map(cell).collect();
        let order = cells.iter().map(|cell| cell.field.clone()).collect();
        Record { day: day.parse().unwrap(), item: "".into(), order, cells }
    }

    fn rows(of: EarningsMoves, views: &[(Series, Vec<Record>)]) -> Vec<Vec<String>> {
        let symbol: Symbol = "AAA".parse().unwrap();
        let facts = Facts::new(&symbol, views.iter().cloned().collect(), BTreeMap::new());
        let table = of.rows(&facts).unwrap();
        assert!(table.iter().all(|row| row.len() == of.columns().len()));
        let text = |datum: &Datum| match datum {
            Datum::Null => "-".to_owned(),
            Datum::Int(number) => number.to_string(),
            Datum::Real(number) => format!("{number:.4}"),
            Datum::Text(text) => text.to_string(),
        };
        table.iter().map(|row| row.iter().map(text).collect()).collect()
    }

    fn views() -> Vec<(Series, Vec<Record>)> {
        let bar = |day, close| record(day, &[(60, close), (61, close), (64, "1000")]);
        vec![
            (
                Series::Earnings,
                vec![
                    record("2025-02-04", &[(code::TIMING, "AMC"), (code::CONFIRMED, "1")]),
                    record("2025-02-08", &[(code::TIMING, "AMC")]),
                    record("2025-05-06", &[(code::TIMING, "BMO")]),
                ],
            ),
            (
                Series::Spot,
                vec![bar("2025-02-03", "100"), bar("2025-02-04", "99"), bar("2025-02-05", "89.1")],
            ),
        ]
    }

    #[test]
    fn the_two_rules_look_at_different_sessions() {
        let old = rows(EarningsMoves::OLD, &views());
        assert_eq!(old[0][3], "OK");
        assert_eq!(old[0][6..8], ["2025-02-03", "2025-02-04"]);
        assert_eq!(old[0][15], "0.0100", "without sign");
        let new = rows(EarningsMoves::NEW, &views());
        assert_eq!(new[0][6..8], ["2025-02-04", "2025-02-05"]);
        assert_eq!(new[0][15], "-0.1000");
        assert_eq!((&*new[0][18], &*new[0][19]), ("1.0000", "bars"));
        assert_eq!((&*new[1][3], &*new[1][4]), ("QUARANTINED", "date_not_a_session"));
        assert_eq!((&*new[2][3], &*new[2][4]), ("PENDING", "bar_not_yet_available"));
        assert_eq!(new[2][15], "-", "nothing is made up");
    }

    #[test]
    fn a_vendor_s_move_is_the_old_rule_s_and_never_the_new_one_s() {
        let mut views = views();
        let vendor = record("2025-02-04", &[(390, "0.0123"), (391, "0.002"), (397, "98.5")]);
        views.push((Series::Moves, vec![vendor, record("2024-11-05", &[(390, "-0.02")])]));
        let old = rows(EarningsMoves::OLD, &views);
        assert_eq!((old[0][0].as_str(), old[0][15].as_str()), ("2024-11-05", "0.0200"));
        assert_eq!((old[1][15].as_str(), old[1][19].as_str()), ("0.0123", "vendor"));
        assert_eq!(rows(EarningsMoves::NEW, &views)[1][15], "-0.1000");
    }

    /// A vendor's adjusted closes up to one day, another's as traded from the next: ten to one.
    #[test]
    fn closes_of_two_adjustments_are_no_move() {
        let mut views = views();
        views[1].1[2].cells.iter_mut().for_each(|cell| cell.event.batch = BatchId(2));
        let of = |views: &[(Series, Vec<Record>)], as_traded: &[u32]| {
            let symbol: Symbol = "AAA".parse().unwrap();
            let facts = Facts::new(&symbol, views.iter().cloned().collect(), BTreeMap::new());
            let adjusted = as_traded.iter().map(|batch| (BatchId(*batch), Adjustment::AsTraded));
            EarningsMoves::NEW.rows(&facts.with_adjusted(adjusted.collect())).unwrap().remove(0)
        };
        let split = record("2025-07-10", &[(250, "1"), (251, "10")]);
        views.push((Series::Splits, vec![split]));
        // A fall of 10 % at such a seam is none that the split explains.
        assert_eq!(of(&views, &[2])[3], Datum::from("OK"));
        for (as_traded, close) in [(2, "950"), (1, "9.5")] {
            views[1].1[2].cells[0].value = Value::from_json_number(close);
            // Both adjusted, or both as traded: whatever it was, it is no seam.
            assert_eq!(of(&views, &[])[3], Datum::from("OK"));
            assert_eq!(of(&views, &[1, 2])[3], Datum::from("OK"));
            let found = of(&views, &[as_traded]);
            let want = [Datum::from("QUARANTINED"), "closes_of_two_adjustments".into()];
            assert_eq!((&found[3..5], &found[15]), (&want[..], &Datum::Null));
        }
        // Without the split there is nothing to explain it by.
        views.pop();
        assert_eq!(of(&views, &[1])[3], Datum::from("OK"));
    }

    #[test]
    fn an_unadjusted_split_is_no_move() {
        let mut views = views();
        views.push((Series::Splits, vec![record("2025-02-05", &[(250, "1"), (251, "10")])]));
        // The bars are adjusted: a fall of 10 % is no split of ten to one.
        assert_eq!(rows(EarningsMoves::NEW, &views)[0][3], "OK");
        views[1].1[2] = record("2025-02-05", &[(60, "8.91")]);
        let split = rows(EarningsMoves::NEW, &views);
        assert_eq!(
            (&*split[0][3], &*split[0][4], &*split[0][15]),
            ("QUARANTINED", "split_not_adjusted", "-")
        );
    }
}
