//! From an answer to facts about its days.

use super::meaning::meaning;
use super::{Endpoint, Question};
use crate::domain::{Calendar, Coverage, Day, Digest, Fact, Series, eastern};
use crate::sources::{alpha_vantage, polygon};
use std::collections::BTreeSet;

/// Plans keep this many years of history; a range that begins there was shortened.
const PLAN_YEARS: [i32; 4] = [2, 5, 10, 20];

/// As many as every plan keeps.
pub(super) const LEAST_YEARS: i32 = PLAN_YEARS[0];

/// How far, in days, a shortened range may begin from the day so many years ago.
pub(super) const PLAN_SLACK: i32 = 4;

/// An empty answer about more days than this is never final.
const LONG: i32 = 30;

/// An empty answer about a day is final when the day is this many days past.
const EMPTY_FINAL: i32 = 3;

/// Before all days: what is settled up to there is asked again.
const NEVER: Day = Day(i32::MIN);

/// Sessions that the short form of Alpha Vantage's daily bars has, today's included.
pub(super) const SHORT_FORM: usize = 100;

/// More runs of days with rejected items than this are not told apart.
const MOST_RUNS: usize = 64;

/// Items of an answer that were rejected: nothing is known of what they were about.
#[derive(Clone, Debug, Default)]
pub struct Rejected {
    /// How many.
    pub count: u64,
    /// The days of those whose day could be read.
    pub days: BTreeSet<Day>,
    /// How many of them have no day.
    pub undated: u64,
}

/// What is known of an answer.
pub struct Answered<'a> {
    /// The question.
    pub question: &'a Question,
    /// How its last request ended, see `ask::name`.
    pub ended: &'a str,
    /// What the service said.
    pub text: &'a str,
    /// First and last day with data.
    pub days: Option<(Day, Day)>,
    /// When it had come by the earlier of both clocks, ms since 1970 UTC.
    pub observed_ms: i64,
    /// When it came by the service's own clock, where it told.
    pub server_ms: Option<i64>,
    /// Digest of what it means.
    pub meaning: Digest,
    /// What of it was rejected.
    pub rejected: Rejected,
}

/// The facts about the days of a question, in order; they cover the range without overlap.
///
/// Where items were rejected, no day is empty for good, and the days of these items are not final: they
/// are asked again.
pub fn facts(answered: &Answered<'_>, calendar: &Calendar) -> Vec<Coverage> {
    use polygon::Endpoint::{Dividends, News, Splits};
    let told = facts_of_days(answered, calendar);
    let (endpoint, rejected) = (answered.question.endpoint, &answered.rejected);
    if rejected.count == 0 {
        return told;
    }
    let dated = matches!(endpoint, Endpoint::Polygon(Splits | Dividends | News));
    let daily = endpoint == alpha_vantage::Endpoint::Daily.into();
    let one_a_day = daily || matches!(answered.question.series, Series::Spot | Series::Index);
    let mut found = Vec::new();
    for fact in told {
        match fact.fact {
            Fact::Empty => found.push(open(fact, rejected.count)),
            Fact::Data if (endpoint.is_range() || dated) && rejected.undated > 0 => {
                found.push(Coverage { settled: NEVER, ..fact });
            }
            Fact::Data if endpoint.is_range() || dated => {
                apart(fact, rejected, one_a_day, &mut found);
            }
            _ => found.push(fact),
        }
    }
    found
}

/// The fact about a range of which items were rejected, not final.
fn open(fact: Coverage, count: u64) -> Coverage {
    let text = match count {
        1 => "an item was rejected".to_owned(),
        _ => format!("{count} items were rejected"),
    };
    Coverage { settled: NEVER, text, ..fact }
}

/// Takes the days of rejected items out of a fact. A day that has one item at most is unknown then; of
/// any other day the other items are data.
fn apart(fact: Coverage, rejected: &Rejected, one_a_day: bool, found: &mut Vec<Coverage>) {
    let of_day = if one_a_day { Fact::Empty } else { fact.fact };
    let mut runs: Vec<(Day, Day, u64)> = Vec::new();
    for day in rejected.days.range(fact.from..=fact.to) {
        match runs.last_mut() {
            Some((_, last, count)) if last.next() == *day => (*last, *count) = (*day, *count + 1),
            _ => runs.push((*day, *day, 1)),
        }
    }
    if runs.len() > MOST_RUNS {
        found.push(Coverage { settled: NEVER, ..fact });
        return;
    }
    let (mut from, to) = (fact.from, fact.to);
    for (first, last, count) in runs {
        if from < first {
            found.push(Coverage { from, to: Day(first.0 - 1), ..fact.clone() });
        }
        let days = Coverage { from: first, to: last, fact: of_day, ..fact.clone() };
        found.push(open(days, count));
        from = last.next();
    }
    if from <= to {
        found.push(Coverage { from, ..fact });
    }
}

/// Up to which day an answer that waits is final, if it is data.
pub(super) fn final_until(kept: &super::note::Answered, calendar: &Calendar) -> Day {
    let observed = kept.pages.last().map_or(0, |(note, _)| note.certain_ms());
    settled_data(kept.question.endpoint, kept.question.to, observed, calendar)
}

fn facts_of_days(answered: &Answered<'_>, calendar: &Calendar) -> Vec<Coverage> {
    let question = answered.question;
    let today = eastern::day_of(answered.observed_ms).unwrap_or_default();
    let data = settled_data(question.endpoint, question.to, answered.observed_ms, calendar);
    // A list without anything is one too; a symbol may be listed tomorrow.
    let listed = matches!(question.endpoint, Endpoint::AlphaVantage(_));
    let empty = match listed && is_list_of_today(question.endpoint) {
        true => today,
        false => Day(today.0 - EMPTY_FINAL),
    };
    let (endpoint, bars) = (question.endpoint, question.endpoint.is_bars());
    // Months without any bar are a bad answer, or the symbol does not exist: asked again.
    let many = endpoint.is_range() && question.to.0 - question.from.0 > LONG;
    // So is a session in which not a single stock was traded.
    let session = || calendar.open_days(question.from, question.to).next().is_some();
    let all_stocks = endpoint == polygon::Endpoint::Grouped.into() && session();
    let whole = |fact, settled, text: &str| {
        vec![part(answered, (question.from, question.to), fact, settled, text)]
    };
    match answered.ended {
        "ok" | "repeated" => {}
        // A plan that lacks today's bars refuses the whole range: all of it is asked again.
        "not-entitled" if bars && question.to >= today => {
            return whole(Fact::NotEntitled, NEVER, answered.text);
        }
        // Only the long form was refused; what the short form has may be asked for.
        "not-entitled" if question.endpoint == alpha_vantage::Endpoint::Daily.into() => {
            let back = |day: Day, _| calendar.previous_open(day);
            let short = (0..SHORT_FORM).fold(today, back);
            return whole(Fact::NotEntitled, short.min(question.to), answered.text);
        }
        "not-entitled" => return whole(Fact::NotEntitled, question.to, answered.text),
        // Aggregates without a bar are a 200: a 404 is of something between here and the service.
        "not-found" if endpoint == polygon::Endpoint::Aggs.into() => {
            return whole(Fact::Empty, NEVER, answered.text);
        }
        "not-found" if all_stocks => return whole(Fact::Empty, NEVER, answered.text),
        "not-found" => return whole(Fact::Empty, empty, answered.text),
        _ => return failed(answered),
    }
    let Some((first, last)) = answered.days else {
        return whole(Fact::Empty, if many || all_stocks { NEVER } else { empty }, "");
    };
    if !question.endpoint.is_range() {
        return whole(Fact::Data, data, "");
    }
    let mut found = Vec::new();
    let before = Day(question.from.0 - 1);
    if first > question.from && calendar.open_days_between(before, first) > 0 {
        let left_out = (question.from, Day(first.0 - 1));
        // A plan's history ends where the service's clock says, whatever this machine's says.
        let theirs = answered.server_ms.and_then(eastern::day_of);
        let years = plan_years(first, today);
        match years.or_else(|| theirs.and_then(|theirs| plan_years(first, theirs))) {
            Some(years) => {
                let text = format!(
                    "the service began at {first}, {years} years back, without a word: the plan's \
                     history begins there"
                );
                found.push(part(answered, left_out, Fact::NotEntitled, left_out.1, &text));
            }
            None => found.push(part(answered, left_out, Fact::Empty, empty, "")),
        }
    }
    let from = found.last().map_or(question.from, |_| first);
    let after = question.to.next();
    if last < question.to && calendar.open_days_between(last, after) > 0 {
        found.push(part(answered, (from, last), Fact::Data, data, ""));
        found.push(part(answered, (last.next(), question.to), Fact::Empty, empty, ""));
    } else {
        found.push(part(answered, (from, question.to), Fact::Data, data, ""));
    }
    found
}

/// The facts about days of which no whole answer came. Days of which something came stand apart from
/// the others, which are asked again even where the former were taken back.
fn failed(answered: &Answered<'_>) -> Vec<Coverage> {
    let (from, to) = (answered.question.from, answered.question.to);
    let came = |days| part(answered, days, Fact::Failed, NEVER, answered.text);
    let nothing = |days| Coverage { meaning: meaning(&[]), ..came(days) };
    let Some((first, last)) = answered.days else { return vec![nothing((from, to))] };
    let (first, last) = (first.max(from), last.min(to));
    if first > last {
        return vec![came((from, to))];
    }
    let mut found = vec![came((first, last))];
    if from < first {
        found.insert(0, nothing((from, Day(first.0 - 1))));
    }
    if last < to {
        found.push(nothing((last.next(), to)));
    }
    found
}

/// The facts, with neighbours that say the same made one.
pub(super) fn told(facts: &[Coverage]) -> Vec<(Day, Day, Fact)> {
    let mut told: Vec<(Day, Day, Fact)> = Vec::new();
    let mut text = "";
    for fact in facts {
        match told.last_mut() {
            Some(last)
                if (last.1.next(), last.2, text) == (fact.from, fact.fact, fact.text.as_str()) =>
            {
                last.1 = fact.to;
            }
            _ => told.push((fact.from, fact.to, fact.fact)),
        }
        text = &fact.text;
    }
    told
}

fn part(
    answered: &Answered<'_>,
    (from, to): (Day, Day),
    fact: Fact,
    settled: Day,
    text: &str,
) -> Coverage {
    let question = answered.question;
    Coverage {
        series: question.series,
        symbol: question.symbol.clone(),
        scope: question.scope.clone(),
        from,
        to,
        fact,
        settled,
        observed_ms: answered.observed_ms,
        meaning: answered.meaning,
        text: text.to_owned(),
    }
}

/// Up to which day data is final. Bars are corrected until the next morning; a snapshot until its
/// session is over; lists as of a day until that day is over.
fn settled_data(endpoint: Endpoint, asked: Day, observed_ms: i64, calendar: &Calendar) -> Day {
    use polygon::Endpoint::{Holidays, Indices, MarketStatus, Snapshot};
    let today = eastern::day_of(observed_ms).unwrap_or_default();
    match endpoint {
        of if of.is_chain() => {
            let hour = if calendar.is_early_close(asked) { 13 } else { 16 };
            // Options of broad funds and indices trade a quarter of an hour longer.
            let over = eastern::instant(asked, hour, 20).is_some_and(|end| observed_ms >= end);
            if over { asked } else { Day(asked.0 - 1) }
        }
        of if is_list_of_today(of) => today,
        Endpoint::Polygon(Holidays | MarketStatus | Snapshot | Indices) => Day(today.0 - 1),
        _ => {
            let morning = eastern::instant(today, 6, 0).is_some_and(|six| observed_ms >= six);
            Day(today.0 - if morning { 1 } else { 2 })
        }
    }
}

/// Whether an answer is a list as of the day of asking: asked once a day, whatever is in it.
fn is_list_of_today(endpoint: Endpoint) -> bool {
    use alpha_vantage::Endpoint::{Calendar, History};
    use polygon::Endpoint::{Ticker, Tickers};
    matches!(
        endpoint,
        Endpoint::Polygon(Ticker | Tickers) | Endpoint::AlphaVantage(Calendar | History)
    )
}

/// How many years of history a plan has when its data begins on `first`.
fn plan_years(first: Day, today: Day) -> Option<i32> {
    let begins = |years: i32| {
        let year = today.year() - years;
        let date = today.date();
        use chrono::Datelike;
        let day = Day::from_ymd(year, date.month(), date.day());
        day.or(Day::from_ymd(year, date.month(), 28))
    };
    PLAN_YEARS
        .into_iter()
        .find(|years| begins(*years).is_some_and(|day| (first.0 - day.0).abs() <= PLAN_SLACK))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(text: &str) -> Day {
        text.parse().unwrap()
    }

    fn told(ended: &str, from: &str, days: Option<(&str, &str)>) -> Vec<(Fact, String, String)> {
        let facts = until("2025-11-13", ended, from, days);
        facts.iter().map(|f| (f.fact, f.from.to_string(), f.to.to_string())).collect()
    }

    fn until(to: &str, ended: &str, from: &str, days: Option<(&str, &str)>) -> Vec<Coverage> {
        let (of, none) = ((polygon::Endpoint::Aggs, Series::Spot), Rejected::default());
        answered(of, to, ended, from, days, &none)
    }

    fn answered(
        (of, series): (polygon::Endpoint, Series),
        to: &str,
        ended: &str,
        from: &str,
        days: Option<(&str, &str)>,
        rejected: &Rejected,
    ) -> Vec<Coverage> {
        let question = Question {
            endpoint: of.into(),
            series,
            symbol: Some("AAPL".parse().unwrap()),
            only: Vec::new(),
            scope: String::new(),
            from: day(from),
            to: day(to),
            target: String::new(),
        };
        let answered = Answered {
            question: &question,
            ended,
            text: "",
            days: days.map(|(a, b)| (day(a), day(b))),
            observed_ms: eastern::instant(day("2025-11-14"), 16, 15).unwrap(),
            server_ms: eastern::instant(day("2026-11-14"), 16, 15),
            meaning: Digest::default(),
            rejected: rejected.clone(),
        };
        facts(&answered, Calendar::nyse())
    }

    #[test]
    fn a_plan_without_todays_bars_says_nothing_of_the_days_before() {
        let settled = |to| until(to, "not-entitled", "2025-10-01", None)[0].settled;
        assert!(settled("2025-11-14") < day("2025-10-01"));
        assert_eq!(settled("2025-11-13"), day("2025-11-13"));
    }

    #[test]
    fn a_range_that_a_plan_shortened_is_not_taken_for_empty() {
        let two_years = told("ok", "2020-01-02", Some(("2023-11-15", "2025-11-13")));
        assert_eq!(two_years[0], (Fact::NotEntitled, "2020-01-02".into(), "2023-11-14".into()));
        assert_eq!(two_years[1].0, Fact::Data);
        // Judged by the service's clock too: this machine's is a year behind.
        let theirs = told("ok", "2020-01-02", Some(("2024-11-14", "2025-11-13")));
        assert_eq!(theirs[0].0, Fact::NotEntitled);
        // A stock that was listed later.
        let listed = told("ok", "2020-01-02", Some(("2021-04-14", "2025-11-13")));
        assert_eq!(listed[0].0, Fact::Empty);
        // The asked range begins on a holiday: nothing is missing.
        let whole = told("ok", "2025-01-01", Some(("2025-01-02", "2025-11-13")));
        assert_eq!(whole, [(Fact::Data, "2025-01-01".into(), "2025-11-13".into())]);
        // A stock that is traded no more.
        let gone = told("ok", "2025-01-02", Some(("2025-01-02", "2025-03-03")));
        assert_eq!(gone[1], (Fact::Empty, "2025-03-04".into(), "2025-11-13".into()));
    }

    #[test]
    fn four_facts_are_told_apart() {
        for (ended, fact) in [
            ("ok", Fact::Empty),
            ("not-found", Fact::Empty),
            ("not-entitled", Fact::NotEntitled),
            ("server-error", Fact::Failed),
            ("incomplete", Fact::Failed),
        ] {
            assert_eq!(told(ended, "2025-01-02", None)[0].0, fact, "{ended}");
        }
    }

    #[test]
    fn a_session_without_any_stock_and_months_without_any_bar_are_never_final() {
        let (none, week) = (Rejected::default(), ("2025-10-13", "2025-10-17"));
        let grouped = |ended, (from, to)| {
            let grouped = (polygon::Endpoint::Grouped, Series::Spot);
            answered(grouped, to, ended, from, None, &none)[0].settled
        };
        for ended in ["ok", "not-found"] {
            assert_eq!(grouped(ended, week), NEVER, "{ended}");
            // A Saturday has none.
            assert!(grouped(ended, ("2025-10-18", "2025-10-18")) > NEVER, "{ended}");
            assert_eq!(until("2025-11-13", ended, "2023-11-20", None)[0].settled, NEVER);
            // Days of one symbol without a bar are a 200 of the service; a 404 is somebody else's.
            let short = until("2025-11-13", ended, "2025-11-03", None)[0].settled;
            assert_eq!(short > NEVER, ended == "ok", "{ended}");
        }
    }

    #[test]
    fn days_of_rejected_items_are_asked_again() {
        let rejected = |days: &[&str], undated: u64| Rejected {
            count: days.len() as u64 + undated,
            days: days.iter().map(|text| day(text)).collect(),
            undated,
        };
        let (from, to) = ("2025-10-13", "2025-10-17");
        let told = |of, days, rejected: &Rejected| -> Vec<String> {
            let facts = answered(of, to, "ok", from, days, rejected);
            let word = |f: &Coverage| {
                let last = if f.settled >= f.to { "final" } else { "open" };
                format!(
                    "{} {}-{} {last}",
                    f.fact.name(),
                    &f.from.to_string()[8..],
                    &f.to.to_string()[8..]
                )
            };
            facts.iter().map(word).collect()
        };
        let aggs = (polygon::Endpoint::Aggs, Series::Spot);
        let all = Some((from, to));
        assert_eq!(told(aggs, all, &rejected(&[], 0)), ["data 13-17 final"]);
        // The last day's bar, one in the middle, two beside each other, one without a day.
        let last = told(aggs, Some((from, "2025-10-16")), &rejected(&[to], 0));
        assert_eq!(last, ["data 13-16 final", "empty 17-17 open"]);
        let middle = ["data 13-14 final", "empty 15-15 open", "data 16-17 final"];
        assert_eq!(told(aggs, all, &rejected(&["2025-10-15"], 0)), middle);
        let two = told(aggs, all, &rejected(&["2025-10-14", "2025-10-15"], 0));
        assert_eq!(two, ["data 13-13 final", "empty 14-15 open", "data 16-17 final"]);
        assert_eq!(told(aggs, all, &rejected(&[], 1)), ["data 13-17 open"]);
        assert_eq!(told(aggs, None, &rejected(&[], 5)), ["empty 13-17 open"]);
        // One of the many bars of a day: the others are data.
        let minutes = (polygon::Endpoint::Aggs, Series::Bars);
        let middle = ["data 13-14 final", "data 15-15 open", "data 16-17 final"];
        assert_eq!(told(minutes, all, &rejected(&["2025-10-15"], 0)), middle);
        // An event of another symbol, alone and beside one of this.
        let splits = (polygon::Endpoint::Splits, Series::Splits);
        assert_eq!(told(splits, None, &rejected(&[], 1)), ["empty 13-17 open"]);
        assert_eq!(told(splits, all, &rejected(&[], 1)), ["data 13-17 open"]);
        assert_eq!(told(splits, all, &rejected(&["2025-10-15"], 0)), middle);
        // Thousands of stocks are not asked again for one of them.
        let grouped =
            told((polygon::Endpoint::Grouped, Series::Spot), all, &rejected(&["2025-10-15"], 1));
        assert_eq!(grouped, ["data 13-17 final"]);
    }

    #[test]
    fn what_may_still_change_is_provisional() {
        let at = |text: &str, hour| eastern::instant(day(text), hour, 30).unwrap();
        let nyse = Calendar::nyse();
        let bars = |hour| {
            settled_data(
                polygon::Endpoint::Aggs.into(),
                day("2025-11-14"),
                at("2025-11-14", hour),
                nyse,
            )
        };
        assert_eq!((bars(5), bars(7)), (day("2025-11-12"), day("2025-11-13")));
        let chain = |hour| {
            settled_data(
                polygon::Endpoint::Chain.into(),
                day("2025-11-14"),
                at("2025-11-14", hour),
                nyse,
            )
        };
        assert_eq!((chain(15), chain(16)), (day("2025-11-13"), day("2025-11-14")));
    }
}
