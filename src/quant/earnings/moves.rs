//! What a stock did on an announcement (`iv_crush.md` A10).
//!
//! Sessions come from the calendar and never from "the next bar that happens to be there": a
//! missing bar is said to be missing, and one that cannot exist yet is awaited.

use crate::domain::{Calendar, Day};

/// From this many days on another date is that of another quarter (`iv_crush.md` A10.4).
pub const QUARTER: i32 = 45;

/// When on its day an announcement is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Timing {
    /// Before the market opens.
    Bmo,
    /// After it closes.
    Amc,
    /// During market hours.
    Dmh,
    /// Not known.
    Unknown,
}

impl Timing {
    /// The word in tables and JSON.
    pub fn name(self) -> &'static str {
        match self {
            Self::Bmo => "BMO",
            Self::Amc => "AMC",
            Self::Dmh => "DMH",
            Self::Unknown => "UNKNOWN",
        }
    }

    /// The timing of a word; what is none of the others is unknown.
    pub fn of(word: &str) -> Self {
        match word {
            "BMO" => Self::Bmo,
            "AMC" => Self::Amc,
            "DMH" => Self::Dmh,
            _ => Self::Unknown,
        }
    }
}

/// A daily bar, as far as it is known.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Bar {
    /// The session.
    pub day: Day,
    /// First price in dollars.
    pub open: Option<f64>,
    /// Highest price.
    pub high: Option<f64>,
    /// Lowest price.
    pub low: Option<f64>,
    /// Last price.
    pub close: f64,
    /// Shares traded.
    pub volume: Option<f64>,
}

/// The bars of a stock and the sessions of its exchange.
#[derive(Clone, Copy, Debug)]
pub struct Market<'a> {
    /// The exchange's sessions.
    pub calendar: &'a Calendar,
    /// Bars, ascending by day.
    pub bars: &'a [Bar],
}

/// Which two sessions a move is measured between.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sessions {
    /// The last session that did not know the news.
    pub reference: Day,
    /// The first one that did.
    pub reaction: Day,
    /// The timing that was gone by.
    pub timing: Timing,
    /// Whether it was inferred from the gaps.
    pub inferred: bool,
}

/// A move. The fractions are of the reference close.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Move {
    /// Between which sessions.
    pub sessions: Sessions,
    /// The reference close in dollars.
    pub reference_close: f64,
    /// The reaction's bar.
    pub bar: Bar,
    /// Shares traded in the reference session.
    pub volume_before: Option<f64>,
    /// (open − reference) / reference, signed.
    pub gap: Option<f64>,
    /// (high − low) / reference.
    pub intraday: Option<f64>,
    /// (close − reference) / reference, signed.
    pub close: f64,
}

/// Why an announcement has no move.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NoMove {
    /// The exchange was closed that day: the date cannot be right.
    NotASession,
    /// The session has not been traded yet, as far as the bars go.
    NotYet,
    /// The bars begin later.
    NoReference,
    /// A bar within the history is missing.
    MissingBar,
    /// The timing is unknown, and the bars lack the opens to infer it from.
    MissingOpen,
    /// A price that is not positive.
    WrongPrice,
    /// No bars at all.
    NoBars,
}

impl NoMove {
    /// What becomes of the announcement: `QUARANTINED`, `PENDING` (a later batch completes it) or
    /// `NODATA`.
    pub fn status(self) -> &'static str {
        match self {
            Self::NotASession => "QUARANTINED",
            Self::NotYet => "PENDING",
            _ => "NODATA",
        }
    }

    /// The word for it in tables and JSON.
    pub fn reason(self) -> &'static str {
        match self {
            Self::NotASession => "date_not_a_session",
            Self::NotYet => "bar_not_yet_available",
            Self::NoReference => "no_reference_bar",
            Self::MissingBar => "missing_bar",
            Self::MissingOpen => "missing_open",
            Self::WrongPrice => "price_not_positive",
            Self::NoBars => "no_bars",
        }
    }
}

impl Market<'_> {
    fn bar(&self, day: Day) -> Result<&Bar, NoMove> {
        let (first, last) = self.bars.first().zip(self.bars.last()).ok_or(NoMove::NoBars)?;
        match self.bars.binary_search_by_key(&day, |bar| bar.day) {
            Ok(at) => self.bars.get(at).ok_or(NoMove::MissingBar),
            Err(_) if day > last.day => Err(NoMove::NotYet),
            Err(_) if day < first.day => Err(NoMove::NoReference),
            Err(_) => Err(NoMove::MissingBar),
        }
    }

    /// Rule 2: the session that reacts, by the announcement's timing (`iv_crush.md` A10.1).
    ///
    /// # Errors
    /// [`NoMove::NotASession`]; with unknown timing also what keeps it from being inferred.
    pub fn sessions(&self, announced: Day, timing: Timing) -> Result<Sessions, NoMove> {
        if !self.calendar.is_open(announced) {
            return Err(NoMove::NotASession);
        }
        let inferred = timing == Timing::Unknown;
        let timing = if inferred { self.inferred(announced)? } else { timing };
        let (reference, reaction) = match timing {
            Timing::Amc => (announced, self.calendar.next_open(announced)),
            _ => (self.calendar.previous_open(announced), announced),
        };
        Ok(Sessions { reference, reaction, timing, inferred })
    }

    /// After the close where the gap of the next morning is the greater one by far, else before
    /// the open.
    fn inferred(&self, announced: Day) -> Result<Timing, NoMove> {
        let before = self.bar(self.calendar.previous_open(announced))?;
        let (bar, after) = (self.bar(announced)?, self.bar(self.calendar.next_open(announced))?);
        let gap = |open: Option<f64>, close: f64| {
            let open = open.ok_or(NoMove::MissingOpen)?;
            let percent = (open - close).abs() / close * 100.0;
            if percent.is_finite() { Ok(percent) } else { Err(NoMove::WrongPrice) }
        };
        let (first, second) = (gap(bar.open, before.close)?, gap(after.open, bar.close)?);
        let amc = second > 2.0 * first || (second > 3.0 && first < 1.0);
        Ok(if amc { Timing::Amc } else { Timing::Bmo })
    }

    /// Rule 2: the reaction to an announcement.
    ///
    /// # Errors
    /// Why there is none.
    pub fn reaction(&self, announced: Day, timing: Timing) -> Result<Move, NoMove> {
        self.between(self.sessions(announced, timing)?)
    }

    /// Rule 1: the announcement's own session against the one before, whatever the timing. It is
    /// the original's rule and kept for comparison: after the close this is the session *before*
    /// the news.
    ///
    /// # Errors
    /// Why there is none.
    pub fn announcement(&self, announced: Day, timing: Timing) -> Result<Move, NoMove> {
        if !self.calendar.is_open(announced) {
            return Err(NoMove::NotASession);
        }
        let reference = self.calendar.previous_open(announced);
        self.between(Sessions { reference, reaction: announced, timing, inferred: false })
    }

    fn between(&self, sessions: Sessions) -> Result<Move, NoMove> {
        // A bar that nobody can have yet goes before one that is missing.
        let bar = *self.bar(sessions.reaction)?;
        let reference = self.bar(sessions.reference)?;
        let close = reference.close;
        if !(close.is_finite() && close > 0.0 && bar.close > 0.0) {
            return Err(NoMove::WrongPrice);
        }
        let positive = |price: Option<f64>| price.filter(|price| *price > 0.0);
        let range = positive(bar.high).zip(positive(bar.low));
        Ok(Move {
            sessions,
            reference_close: close,
            bar,
            volume_before: reference.volume,
            gap: positive(bar.open).map(|open| (open - close) / close),
            intraday: range.map(|(high, low)| (high - low) / close),
            close: (bar.close - close) / close,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(text: &str) -> Day {
        text.parse().unwrap()
    }

    fn bar(text: &str, open: f64, close: f64) -> Bar {
        let (high, low) = (Some(open.max(close)), Some(open.min(close)));
        Bar { day: day(text), open: Some(open), high, low, close, volume: None }
    }

    fn market(bars: &[Bar]) -> Market<'_> {
        Market { calendar: Calendar::nyse(), bars }
    }

    #[test]
    fn the_session_that_reacts_is_the_calendar_s() {
        let market = market(&[]);
        // The Wednesday before Thanksgiving: the reaction is on the half day after it.
        let sessions = market.sessions(day("2024-11-27"), Timing::Amc).unwrap();
        assert_eq!((sessions.reference, sessions.reaction), (day("2024-11-27"), day("2024-11-29")));
        // On the half day itself, before the open.
        let sessions = market.sessions(day("2024-11-29"), Timing::Bmo).unwrap();
        assert_eq!((sessions.reference, sessions.reaction), (day("2024-11-27"), day("2024-11-29")));
        for closed in ["2024-11-28", "2024-11-30", "2025-01-09"] {
            let found = market.reaction(day(closed), Timing::Bmo);
            assert_eq!(found, Err(NoMove::NotASession), "{closed}");
        }
        assert_eq!(market.reaction(day("2024-11-27"), Timing::Amc), Err(NoMove::NoBars));
    }

    #[test]
    fn a_hole_is_never_jumped() {
        let bars = [
            bar("2025-02-03", 10.0, 10.0),
            bar("2025-02-04", 10.0, 10.0),
            bar("2025-02-06", 12.0, 12.0),
        ];
        let market = market(&bars);
        let reaction = |text, timing| market.reaction(day(text), timing).map(|found| found.close);
        assert_eq!(reaction("2025-02-04", Timing::Amc), Err(NoMove::MissingBar));
        assert_eq!(reaction("2025-02-06", Timing::Bmo), Err(NoMove::MissingBar));
        assert_eq!(reaction("2025-02-06", Timing::Amc), Err(NoMove::NotYet));
        assert_eq!(reaction("2025-02-03", Timing::Bmo), Err(NoMove::NoReference));
        assert_eq!(reaction("2025-02-04", Timing::Dmh), Ok(0.0));
        assert_eq!(reaction("2026-02-04", Timing::Unknown), Err(NoMove::NotYet));
    }

    #[test]
    fn the_old_rule_looks_at_the_session_before_the_news() {
        let bars = [
            bar("2025-02-03", 100.0, 100.0),
            bar("2025-02-04", 100.0, 101.0),
            bar("2025-02-05", 111.1, 90.9),
        ];
        let market = market(&bars);
        let old = market.announcement(day("2025-02-04"), Timing::Amc).unwrap();
        assert!((old.close - 0.01).abs() < 1e-12);
        let new = market.reaction(day("2025-02-04"), Timing::Amc).unwrap();
        assert!((new.close + 0.1).abs() < 1e-12, "signed: {}", new.close);
        assert!((new.gap.unwrap() - 0.1).abs() < 1e-12);
        assert!((new.intraday.unwrap() - 0.2).abs() < 1e-12);
    }

    #[test]
    fn closes_alone_give_the_close_to_close_move_only() {
        let only = |text: &str, close: f64| Bar {
            open: None,
            high: None,
            low: None,
            ..bar(text, close, close)
        };
        let bars =
            [only("2025-02-03", 100.0), only("2025-02-04", 105.0), only("2025-02-05", 100.0)];
        let market = market(&bars);
        let found = market.reaction(day("2025-02-04"), Timing::Bmo).unwrap();
        assert_eq!((found.gap, found.intraday, found.close), (None, None, 0.05));
        let unknown = market.reaction(day("2025-02-04"), Timing::Unknown);
        assert_eq!(unknown, Err(NoMove::MissingOpen));
        let bars = [only("2025-02-03", 0.0), only("2025-02-04", 105.0)];
        let market = Market { bars: &bars, ..market };
        assert_eq!(market.reaction(day("2025-02-04"), Timing::Bmo), Err(NoMove::WrongPrice));
    }

    #[test]
    fn timings_have_words() {
        for timing in [Timing::Bmo, Timing::Amc, Timing::Dmh, Timing::Unknown] {
            assert_eq!(Timing::of(timing.name()), timing);
        }
        assert_eq!(Timing::of("noon"), Timing::Unknown);
    }
}
