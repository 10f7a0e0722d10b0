//! The announcements of a stock, and the moves that a projection has of them.

use crate::app::error::{AppError, Result};
use crate::app::vantage::Vantage;
use crate::domain::projection::ProjectionName;
use crate::domain::{Calendar, Datum, Day, ProjectionId, Series, Symbol, Value, code};
use crate::projections::view::Record;

/// An announcement of the calendar.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Announcement {
    /// Its day.
    pub day: Day,
    /// BMO, AMC, DMH or UNKNOWN.
    pub timing: String,
    /// Whether the company confirmed the day, where that is said.
    pub confirmed: Option<bool>,
    /// The company's name, where the calendar has it.
    pub name: Option<String>,
}

/// The announcements that the calendar has of a stock, ascending.
///
/// # Errors
/// A view that cannot be read.
pub fn announcements(vantage: &Vantage, symbol: &Symbol) -> Result<Vec<Announcement>> {
    let text = |record: &Record, code: u16| match record.known(code).map(|cell| &cell.value) {
        Some(Value::Text(text)) => Some(text.to_string()),
        _ => None,
    };
    let announced = |record: &Record| Announcement {
        day: record.day,
        timing: text(record, code::TIMING).unwrap_or_else(|| "UNKNOWN".to_owned()),
        confirmed: record.number(code::CONFIRMED).map(|flag| flag != 0.0),
        name: text(record, code::COMPANY),
    };
    Ok(vantage.records(Series::Earnings, symbol)?.iter().map(announced).collect())
}

/// A move on an announcement, as a projection has it. Moves are fractions.
#[derive(Clone, Debug, Default)]
pub struct EventMove {
    /// The day of the announcement.
    pub earnings_date: Day,
    /// BMO, AMC, DMH or UNKNOWN.
    pub timing: Option<String>,
    /// OK, PENDING, NODATA or QUARANTINED.
    pub status: Option<String>,
    /// Why there is no move.
    pub reason: Option<String>,
    /// The last session before the news.
    pub reference_session: Option<Day>,
    /// The session that is measured.
    pub reaction_session: Option<Day>,
    /// Close of the reference session in dollars.
    pub reference_close: Option<f64>,
    /// Close of the reaction session.
    pub close: Option<f64>,
    /// Close to open.
    pub gap_move: Option<f64>,
    /// High less low.
    pub intraday_move: Option<f64>,
    /// Close to close.
    pub close_move: Option<f64>,
    /// `bars` or `vendor`.
    pub basis: Option<String>,
}

impl EventMove {
    /// A move by the name of its column.
    pub fn metric(&self, column: &str) -> Option<f64> {
        match column {
            "gap_move" => self.gap_move,
            "intraday_move" => self.intraday_move,
            _ => self.close_move,
        }
    }

    /// Whether its session was inferred: nobody said when the news came.
    pub fn is_inferred(&self) -> bool {
        self.reason.as_deref() == Some("inferred")
    }

    /// The day from which on the move is known: its session, or the announcement's day where a
    /// projection does not say. Which session it is was inferred from the one after the announcement,
    /// where that was done.
    pub fn known_on(&self) -> Day {
        let seen = self.is_inferred().then(|| Calendar::nyse().next_open(self.earnings_date));
        let session = self.reaction_session.unwrap_or(self.earnings_date);
        session.max(self.earnings_date).max(seen.unwrap_or(session))
    }
}

/// A projection of moves, found by name.
#[derive(Clone, Debug)]
pub struct Moves<'a> {
    vantage: &'a Vantage,
    /// Which version answers.
    pub id: ProjectionId,
    columns: Vec<String>,
}

impl<'a> Moves<'a> {
    /// The projection of a name.
    ///
    /// # Errors
    /// [`AppError::NotFound`]; [`AppError::Usage`] for one without moves on announcements.
    pub fn of(vantage: &'a Vantage, name: &ProjectionName) -> Result<Self> {
        let id = vantage.id(name)?;
        let columns = vantage.definition(&id)?.columns.clone();
        for wanted in ["symbol", "earnings_date", "close_move"] {
            if !columns.iter().any(|column| column == wanted) {
                let text = format!("{id} has no column {wanted}: it holds no moves on earnings");
                return Err(AppError::Usage(text));
            }
        }
        Ok(Self { vantage, id, columns })
    }

    /// What it has of a stock, ascending by announcement.
    ///
    /// # Errors
    /// A projection that cannot be answered.
    pub fn about(&self, symbol: &Symbol) -> Result<Vec<EventMove>> {
        let definition = self.vantage.definition(&self.id)?;
        let mut found = Vec::new();
        for row in self.vantage.rows(&definition, Some(symbol))? {
            // One that is answered whole gives all symbols.
            if row.first().and_then(Datum::text) != Some(symbol.as_str()) {
                continue;
            }
            let at = |name: &str| {
                self.columns.iter().position(|column| column == name).and_then(|at| row.get(at))
            };
            let text = |name: &str| at(name).and_then(Datum::text).map(str::to_owned);
            let day = |name: &str| at(name).and_then(Datum::text).and_then(|day| day.parse().ok());
            let number = |name: &str| match at(name) {
                Some(Datum::Real(number)) => Some(*number),
                Some(Datum::Int(number)) => Some(*number as f64),
                _ => None,
            };
            let Some(earnings_date) = day("earnings_date") else { continue };
            found.push(EventMove {
                earnings_date,
                timing: text("timing"),
                status: text("status"),
                reason: text("reason"),
                reference_session: day("reference_session"),
                reaction_session: day("reaction_session"),
                reference_close: number("reference_close"),
                close: number("close"),
                gap_move: number("gap_move"),
                intraday_move: number("intraday_move"),
                close_move: number("close_move"),
                basis: text("basis"),
            });
        }
        found.sort_by_key(|event| event.earnings_date);
        Ok(found)
    }
}
