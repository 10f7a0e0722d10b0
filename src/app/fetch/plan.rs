//! Planning: the fewest questions that cover what is missing.

use super::coverage::{CoverageMap, days_in, is_adjusted};
use super::endpoint::{Provider, in_query as in_path};
use super::{Endpoint, Question};
use crate::app::clock;
use crate::domain::{BatchId, Calendar, Day, Series, Symbol, eastern};
use crate::sources::alpha_vantage::Endpoint as Av;
use crate::sources::polygon::Endpoint as P;
use kept::Kept;
use refused::Refused;
use std::cell::{Cell, RefCell};
use std::collections::BTreeSet;

pub use kept::plan_beside;
pub use refused::NotEntitled;

/// Most base bars of one request.
const LIMIT: u32 = 50_000;

/// Sessions of minute bars that fit into one request: up to 960 a day with extended hours.
const MINUTE_SESSIONS: usize = 45;

/// Most tickers in one snapshot request.
const TICKERS: usize = 250;

/// What is fetched.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum What {
    /// Daily bars of stocks.
    Spot,
    /// Daily levels of indices.
    Index,
    /// Intraday bars.
    Bars,
    /// Chain snapshots: always of now.
    Chain,
    /// Listed option contracts.
    Contracts,
    /// News articles.
    News,
    /// Splits.
    Splits,
    /// Dividends.
    Dividends,
    /// Coming holidays and the market's status.
    Calendar,
    /// Snapshots of tickers of any kind.
    Quotes,
    /// What is known of tickers themselves.
    Tickers,
    /// Earnings announcements.
    Earnings,
}

impl What {
    /// The view that it fills.
    pub fn series(self) -> Series {
        match self {
            Self::Spot => Series::Spot,
            Self::Index => Series::Index,
            Self::Bars => Series::Bars,
            Self::Chain => Series::Chain,
            Self::Contracts => Series::Contracts,
            Self::News => Series::News,
            Self::Splits => Series::Splits,
            Self::Dividends => Series::Dividends,
            Self::Calendar => Series::Calendar,
            Self::Quotes => Series::Quotes,
            Self::Tickers => Series::Tickers,
            Self::Earnings => Series::Earnings,
        }
    }
}

/// Whether a request for all symbols of a day may stand for one per symbol.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Grouped {
    /// Where it needs fewer requests.
    #[default]
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

/// What somebody wants.
#[derive(Clone, Debug)]
pub struct Wish {
    /// What.
    pub what: What,
    /// Which service is asked.
    pub source: Provider,
    /// Of which symbols; none for a calendar.
    pub symbols: Vec<Symbol>,
    /// First day wanted.
    pub from: Day,
    /// Last day wanted.
    pub to: Day,
    /// The length of bars, such as `1minute`.
    pub timespan: String,
    /// Expiries of a chain; none for all.
    pub expiries: Vec<Day>,
    /// How far a calendar of announcements reaches, such as `3month`.
    pub horizon: String,
    /// What stands before each path of the service, such as `/v1`.
    pub base_path: String,
    /// Whether days that are covered are asked again.
    pub refresh: bool,
    /// Whether days whose data was rolled back are asked again.
    pub again: bool,
    /// Whether grouped requests are used.
    pub grouped: Grouped,
    /// Now, ms since 1970 UTC.
    pub now_ms: i64,
}

impl Wish {
    /// The view that is wanted, and the days that may be asked: of a list only today, of a snapshot
    /// only its session.
    pub fn days(&self, calendar: &Calendar) -> (Series, Day, Day) {
        let today = eastern::day_of(self.now_ms).unwrap_or_default();
        let session = session_at(self.now_ms, calendar);
        let series = self.what.series();
        // What a split restates may lie before all that is wanted.
        let from = if is_adjusted(series) { Day(i32::MIN) } else { self.from.min(session) };
        (series, from, self.to.max(today))
    }
}

/// The questions, and what needs none.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Plan {
    /// What is to be asked, in this order.
    pub questions: Vec<Question>,
    /// Symbols of which nothing is missing.
    pub covered: Vec<Symbol>,
    /// Batches of which days are left out because they were rolled back or erased.
    pub rolled_back: Vec<BatchId>,
    /// What is not asked because the service's plan does not include it.
    pub not_entitled: Vec<NotEntitled>,
    /// Whether there is data about some of the days that are wanted.
    pub has_data: bool,
}

/// The session of a snapshot taken at an instant: the one that runs, or the last one.
pub fn session_at(now_ms: i64, calendar: &Calendar) -> Day {
    let today = eastern::day_of(now_ms).unwrap_or_default();
    let begun = eastern::instant(today, 9, 30).is_some_and(|open| now_ms >= open);
    if calendar.is_open(today) && begun { today } else { calendar.previous_open(today) }
}

/// Plans what is missing of a wish.
pub fn plan(wish: &Wish, coverage: &CoverageMap, calendar: &Calendar) -> Plan {
    planned(wish, coverage, calendar, &[])
}

/// Plans what is missing of a wish, and of answers that wait.
fn planned(wish: &Wish, coverage: &CoverageMap, calendar: &Calendar, kept: &[Kept<'_>]) -> Plan {
    let rolled_back = RefCell::new(BTreeSet::new());
    let (left_out, refused) = (Cell::new(0), Refused::default());
    let planner = Planner {
        wish,
        coverage,
        calendar,
        rolled_back: &rolled_back,
        refused: &refused,
        left_out: &left_out,
        kept,
    };
    let mut plan = match wish.what {
        What::Spot | What::Bars if wish.source == Provider::AlphaVantage => {
            planner.each(|symbol| planner.daily(symbol))
        }
        What::Chain if wish.source == Provider::Tradier => {
            planner.each(|symbol| planner.tradier_chain(symbol))
        }
        What::Earnings => planner.earnings(),
        What::Spot => planner.spot(),
        What::Index => planner.each(|symbol| planner.bars(symbol, "", "day", usize::MAX)),
        What::Bars => {
            // A session has 57,600 seconds: more than one page each, so one session a question.
            let sessions = if wish.timespan.ends_with("second") { 1 } else { MINUTE_SESSIONS };
            planner.each(|symbol| planner.bars(symbol, &wish.timespan, "", sessions))
        }
        What::Chain => planner.each(|symbol| planner.chain(symbol)),
        What::Contracts => planner.each(|symbol| planner.contracts(symbol)),
        What::News => planner.each(|symbol| planner.news(symbol)),
        What::Splits => {
            planner.each(|symbol| planner.actions(symbol, P::Splits, "splits", "execution_date"))
        }
        What::Dividends => planner
            .each(|symbol| planner.actions(symbol, P::Dividends, "dividends", "ex_dividend_date")),
        What::Calendar => planner.calendar(),
        What::Quotes => planner.quotes(),
        What::Tickers => planner.each(|symbol| planner.ticker(symbol)),
    };
    plan.covered.sort();
    plan.rolled_back = rolled_back.take().into_iter().collect();
    (plan.not_entitled, plan.has_data) = refused.told(calendar);
    plan
}

struct Planner<'a> {
    wish: &'a Wish,
    coverage: &'a CoverageMap,
    calendar: &'a Calendar,
    rolled_back: &'a RefCell<BTreeSet<BatchId>>,
    refused: &'a Refused<'a>,
    /// How many days are neither known nor asked, because they were taken back or are not in the
    /// service's plan.
    left_out: &'a Cell<u64>,
    kept: &'a [Kept<'a>],
}

impl Planner<'_> {
    /// The questions of each symbol. A symbol without a question, of which no day is left out, is
    /// covered.
    fn each(&self, questions: impl Fn(&Symbol) -> Vec<Question>) -> Plan {
        let mut plan = Plan::default();
        for symbol in &self.wish.symbols {
            let left_out = self.left_out.get();
            let asked = questions(symbol);
            if asked.is_empty() && self.left_out.get() == left_out {
                plan.covered.push(symbol.clone());
            }
            plan.questions.extend(asked);
        }
        plan
    }

    fn question(
        &self,
        endpoint: impl Into<Endpoint>,
        symbol: Option<&Symbol>,
        scope: &str,
        (from, to): (Day, Day),
        target: String,
    ) -> Question {
        let (series, scope) = (self.wish.what.series(), scope.to_owned());
        let (endpoint, symbol, only) = (endpoint.into(), symbol.cloned(), Vec::new());
        Question { endpoint, series, symbol, only, scope, from, to, target }
    }

    /// The days of `all` that have to be asked about.
    fn missing(&self, symbol: Option<&Symbol>, scope: &str, all: &[Day]) -> Vec<Day> {
        let series = self.wish.what.series();
        let mut missing = match self.wish.refresh {
            true => all.to_vec(),
            false => {
                let known = self.coverage.answers(series, symbol, scope, all.iter().copied());
                let refused = self.refused.note(symbol, scope, &known);
                self.left_out.set(self.left_out.get() + refused);
                known.iter().filter(|(_, fact)| fact.is_none()).map(|(day, _)| *day).collect()
            }
        };
        self.retain_missing(symbol, scope, &mut missing);
        missing
    }

    /// Takes out the days that an answer in the inbox has, and those that were taken back.
    fn retain_missing(&self, symbol: Option<&Symbol>, scope: &str, missing: &mut Vec<Day>) {
        let about = |kept: &&Kept<'_>| {
            kept.question.symbols().contains(&symbol) && kept.question.scope == scope
        };
        let kept: Vec<&Kept<'_>> = self.kept.iter().filter(about).collect();
        missing.retain(|day| !kept.iter().any(|kept| kept.has(*day)));
        missing.retain(|day| !self.holds(symbol, scope, *day));
    }

    /// Whether a day is not asked because it was taken back; notes the batch.
    fn holds(&self, symbol: Option<&Symbol>, scope: &str, day: Day) -> bool {
        if self.wish.again {
            return false;
        }
        let back = self.coverage.rolled_back(self.wish.what.series(), symbol, scope, day);
        self.rolled_back.borrow_mut().extend(back);
        self.left_out.set(self.left_out.get() + u64::from(back.is_some()));
        back.is_some()
    }

    /// The session to ask about, where a snapshot is needed. Before the open a snapshot may be of today
    /// already, and must not bring what was taken back of today.
    fn snapshot(&self, symbol: &Symbol, scope: &str) -> Option<Day> {
        let session = session_at(self.wish.now_ms, self.calendar);
        let missing = !self.missing(Some(symbol), scope, &[session]).is_empty();
        let mut later = days_in(session.next(), self.today());
        let held = missing && later.any(|day| self.holds(Some(symbol), scope, day));
        (missing && !held).then_some(session)
    }

    fn today(&self) -> Day {
        eastern::day_of(self.wish.now_ms).unwrap_or_default()
    }

    fn sessions(&self) -> Vec<Day> {
        self.calendar.open_days(self.wish.from, self.wish.to).collect()
    }

    /// Bars of one symbol; `timespan` such as `5minute`, or `1day` for an empty scope.
    fn bars(&self, symbol: &Symbol, scope: &str, unit: &str, sessions: usize) -> Vec<Question> {
        let all = self.sessions();
        let missing = self.missing(Some(symbol), scope, &all);
        let digits = scope.find(|c: char| !c.is_ascii_digit()).unwrap_or(0);
        let (size, unit) = match scope.split_at(digits) {
            ("", _) => ("1", unit),
            parts => parts,
        };
        let mut questions = Vec::new();
        let wanted = self.ranges(Some(symbol), scope, &all, &missing);
        for (from, to) in self.restated(symbol, scope).into_iter().chain(wanted) {
            let days: Vec<Day> = self.calendar.open_days(from, to).collect();
            for part in days.chunks(sessions.max(1)) {
                let Some((from, to)) = part.first().zip(part.last()) else { continue };
                let ticker = in_path(symbol);
                // `adjusted` has no meaning for options and indices.
                let adjusted = if symbol.as_str().contains(':') { "" } else { "adjusted=true&" };
                let target = format!(
                    "/v2/aggs/ticker/{ticker}/range/{size}/{unit}/{from}/{to}?{adjusted}\
                     limit={LIMIT}&sort=asc"
                );
                questions.push(self.question(P::Aggs, Some(symbol), scope, (*from, *to), target));
            }
        }
        questions
    }

    /// A chain is always of now; asked again only while its session may still change it.
    fn chain(&self, symbol: &Symbol) -> Vec<Question> {
        let mut questions = Vec::new();
        let mut ask = |scope: String, filter: String| {
            let Some(session) = self.snapshot(symbol, &scope) else { return };
            let target = format!(
                "/v3/snapshot/options/{}?{filter}limit=250&order=asc&sort=ticker",
                in_path(symbol)
            );
            let range = (session, session);
            questions.push(self.question(P::Chain, Some(symbol), &scope, range, target));
        };
        if self.wish.expiries.is_empty() {
            ask(String::new(), String::new());
        }
        for expiry in &self.wish.expiries {
            ask(format!("expiry {expiry}"), format!("expiration_date={expiry}&"));
        }
        questions
    }

    /// Contracts as of each day. For a past day both the listed and the expired are asked for, since
    /// which of them a contract is depends on today (`polygon.md` 8).
    fn contracts(&self, symbol: &Symbol) -> Vec<Question> {
        let today = self.today();
        let mut questions = Vec::new();
        let mut all = self.sessions();
        if all.is_empty() && self.wish.from == self.wish.to {
            all.push(self.wish.from);
        }
        for day in all {
            for expired in [false, true] {
                let scope = if expired { "expired" } else { "listed" };
                if (expired && day >= today) || self.missing(Some(symbol), scope, &[day]).is_empty()
                {
                    continue;
                }
                // Without the lower bound the expired ones would be all that there ever were.
                let target = format!(
                    "/v3/reference/options/contracts?as_of={day}&expiration_date.gte={day}&\
                     expired={expired}&limit=1000&order=asc&sort=ticker&underlying_ticker={}",
                    in_path(symbol)
                );
                let range = (day, day);
                let endpoint = P::Contracts;
                questions.push(self.question(endpoint, Some(symbol), scope, range, target));
            }
        }
        questions
    }

    /// Ranges of calendar days that are missing.
    fn day_ranges(&self, symbol: &Symbol) -> Vec<(Day, Day)> {
        let all: Vec<Day> = days_in(self.wish.from, self.wish.to).collect();
        let missing = self.missing(Some(symbol), "", &all);
        self.ranges(Some(symbol), "", &all, &missing)
    }

    fn news(&self, symbol: &Symbol) -> Vec<Question> {
        // The service compares instants, and a plain day would be one of UTC. An article of an evening
        // in New York would then be in the answer about the next day, and what is known of its own day
        // would be wrong.
        let begins =
            |day: Day| eastern::instant(day, 0, 0).map_or_else(|| day.to_string(), clock::rfc3339);
        let ask = |(from, to): (Day, Day)| {
            let ticker = in_path(symbol);
            let (first, end) = (begins(from), begins(to.next()));
            let target = format!(
                "/v2/reference/news?limit=1000&order=asc&published_utc.gte={first}&\
                 published_utc.lt={end}&sort=published_utc&ticker={ticker}"
            );
            self.question(P::News, Some(symbol), "", (from, to), target)
        };
        self.day_ranges(symbol).into_iter().map(ask).collect()
    }

    fn actions(&self, symbol: &Symbol, endpoint: P, name: &str, date: &str) -> Vec<Question> {
        let ask = |(from, to): (Day, Day)| {
            let ticker = in_path(symbol);
            let target = format!(
                "/v3/reference/{name}?{date}.gte={from}&{date}.lte={to}&limit=1000&order=asc&\
                 sort={date}&ticker={ticker}"
            );
            self.question(endpoint, Some(symbol), "", (from, to), target)
        };
        self.day_ranges(symbol).into_iter().map(ask).collect()
    }

    fn calendar(&self) -> Plan {
        let today = self.today();
        let ask = |endpoint, scope: &str, target: &str| {
            self.question(endpoint, None, scope, (today, today), target.to_owned())
        };
        let lists = [
            (P::Holidays, "holidays", "/v1/marketstatus/upcoming"),
            (P::MarketStatus, "status", "/v1/marketstatus/now"),
        ];
        let asked = lists.into_iter().filter(|(_, scope, _)| !self.holds(None, scope, today));
        let questions = asked.map(|(endpoint, scope, target)| ask(endpoint, scope, target));
        Plan { questions: questions.collect(), ..Plan::default() }
    }

    fn quotes(&self) -> Plan {
        let session = session_at(self.wish.now_ms, self.calendar);
        let mut asked: Vec<&Symbol> = self.wish.symbols.iter().collect();
        if !self.wish.again {
            asked.retain(|symbol| {
                let name = in_path(symbol);
                let back = self.coverage.quote_rolled_back(Some(symbol), &name, session);
                self.rolled_back.borrow_mut().extend(back);
                back.is_none()
            });
        }
        let ask = |symbols: &[&Symbol]| {
            let names: Vec<_> = symbols.iter().map(|symbol| in_path(symbol)).collect();
            let names = names.join(",");
            let target = format!("/v3/snapshot?limit=250&ticker.any_of={names}");
            self.question(P::Snapshot, None, &names, (session, session), target)
        };
        let questions = asked.chunks(TICKERS).map(ask).collect();
        Plan { questions, ..Plan::default() }
    }

    fn ticker(&self, symbol: &Symbol) -> Vec<Question> {
        let today = self.today();
        if self.missing(Some(symbol), "", &[today]).is_empty() {
            return Vec::new();
        }
        let target = format!("/v3/reference/tickers/{}", in_path(symbol));
        vec![self.question(P::Ticker, Some(symbol), "", (today, today), target)]
    }
}

mod grouped;
mod kept;
mod others;
mod refused;
mod restated;
#[cfg(test)]
mod tests;
