//! The trader's views: equal to the shared vectors, and blind to what comes after a day.

use crate::schemas::{output_schema, violations};
use crate::support::{confirmed, confirmed_tomic, ledger, options, run, shared};
use std::path::Path;
use volledger::app::import::{ImportOptions, MappingChoice, SymbolChoice};
use volledger::app::metrics::{self, Asked, Which};
use volledger::app::report::RankRow;
use volledger::app::vantage::Vantage;
use volledger::app::{Ledger, Registry, coverage, decide, lookup, sql};
use volledger::domain::{Calendar, Day, Position, Series, Symbol};

fn day(text: &str) -> Day {
    text.parse().unwrap()
}

fn rank(ledger: &Ledger, symbol: &str, date: Option<&str>) -> Option<RankRow> {
    let symbols: Vec<Symbol> = vec![symbol.parse().unwrap()];
    let asked = Asked { symbols, date: date.map(day), ..Asked::default() };
    metrics::ranks(ledger, &asked).unwrap().rows.into_iter().next()
}

#[test]
fn ranks_are_those_of_the_shared_vectors() {
    let Some(folder) = shared("data/tomic") else { return };
    let (_directory, mut ledger) = ledger();
    confirmed_tomic(&mut ledger, &folder, false);
    let text = std::fs::read_to_string(folder.join("expected/iv_metrics.json")).unwrap();
    let vectors: serde_json::Value = serde_json::from_str(&text).unwrap();
    let close = |found: Option<f64>, want: &serde_json::Value, what: &str| match want.as_f64() {
        None => assert_eq!(found, None, "{what}"),
        Some(want) => {
            let found = found.unwrap_or_else(|| panic!("{what}: nothing, not {want}"));
            assert!(
                (found - want).abs() < 1e-9 * want.abs().max(1.0),
                "{what}: {found}, not {want}"
            );
        }
    };
    let mut checked = 0;
    for vector in vectors["windowed"].as_array().unwrap() {
        let (symbol, date) = (vector["symbol"].as_str().unwrap(), vector["date"].as_str().unwrap());
        let Some(row) = rank(&ledger, symbol, Some(date)) else {
            // A few vectors are of symbols whose files are not shared.
            continue;
        };
        let told = |name: &str| format!("{symbol} {date} {name}");
        close(row.atm_iv, &vector["atm_iv"], &told("atm_iv"));
        close(row.iv_rank_252, &vector["iv_rank_252"], &told("iv_rank_252"));
        close(row.iv_percentile_252, &vector["iv_percentile_252"], &told("iv_percentile_252"));
        close(row.iv_rank_504, &vector["iv_rank_504"], &told("iv_rank_504"));
        close(row.iv_percentile_504, &vector["iv_percentile_504"], &told("iv_percentile_504"));
        close(row.iv_ma20, &vector["iv_ma20"], &told("iv_ma20"));
        close(row.iv_vs_ma20, &vector["iv_vs_iv_ma20"], &told("iv_vs_iv_ma20"));
        checked += 1;
    }
    assert!(checked >= 10, "{checked} vectors");
}

#[test]
fn days_that_come_later_change_nothing() {
    let (_directory, mut ledger) = ledger();
    let sample = Path::new(env!("CARGO_MANIFEST_DIR")).join("data/sample/iv");
    let vola = options(Series::Iv, Some("VOLA"));
    confirmed(&mut ledger, &sample.join("VOLA.csv"), &vola);
    let dates = ["2023-06-15", "2023-12-29", "2024-03-01", "2024-06-28"];
    let all = |ledger: &Ledger| -> Vec<String> {
        dates.map(|date| format!("{:?}", rank(ledger, "VOLA", Some(date)).unwrap())).to_vec()
    };
    let before = all(&ledger);
    assert!(before[1].contains("iv_rank_252: Some"), "{}", before[1]);
    // A backfill whose last sixty days are wrong: later than every date asked for.
    let file = sample.join("../bad/VOLA_wrong_scale.csv");
    let bad = confirmed(&mut ledger, &file, &vola);
    assert_eq!(all(&ledger), before);
    let newest = format!("{:?}", rank(&ledger, "VOLA", None).unwrap());
    decide::roll_back(&mut ledger, bad, None, false, &run()).unwrap();
    assert_eq!(all(&ledger), before);
    // The newest day is another matter: the wrong values were in its window.
    assert_ne!(format!("{:?}", rank(&ledger, "VOLA", None).unwrap()), newest);
    assert!(rank(&ledger, "VOLA", Some("2024-06-29")).is_none(), "a Saturday has no rank");
}

/// A correction of one day; `--first` reads past it, and `--at` before it sees neither.
#[test]
fn the_first_values_are_those_confirmed_first_among_what_still_counts() {
    let (directory, mut ledger) = ledger();
    let sample = Path::new(env!("CARGO_MANIFEST_DIR")).join("data/sample/iv/VOLA.csv");
    let vola = options(Series::Iv, Some("VOLA"));
    confirmed(&mut ledger, &sample, &vola);
    let asked = |which, at| Asked { date: Some(day("2024-12-31")), which, at, ..Asked::default() };
    let of = |ledger: &Ledger, which, at| {
        let asked = asked(which, at);
        let rank = metrics::ranks(ledger, &asked).unwrap();
        let snapshot = metrics::snapshot(ledger, &asked, day("2024-12-31")).unwrap();
        let screen = sql::screen(ledger, "atm_iv > 0.9", &asked, day("2024-12-31")).unwrap();
        assert_eq!((rank.which, snapshot.which), (screen.which, screen.which));
        assert_eq!(rank.which.is_some(), which == Which::First);
        let (one, two) = (rank.rows[0].atm_iv.unwrap(), snapshot.rows[0].atm_iv.unwrap());
        assert_eq!(one, two);
        assert_eq!(screen.rows.len(), usize::from(one > 0.9));
        (one, rank.rows[0].iv_rank_252.unwrap())
    };
    let before = of(&ledger, Which::Latest, None);
    let then = ledger.position();
    let file = directory.path().join("VOLA.csv");
    // The day's own value goes up, and a day comes that only the correction has.
    std::fs::write(&file, "Date,IV30\n2024-12-31,95\n2025-01-06,96\n").unwrap();
    let basic = MappingChoice::Named("mc-iv-basic".into());
    let correction = confirmed(&mut ledger, &file, &ImportOptions { mapping: basic, ..vola });
    assert_eq!(of(&ledger, Which::Latest, None), (0.95, 100.0));
    assert_eq!(of(&ledger, Which::First, None), before);
    assert_eq!(of(&ledger, Which::Latest, Some(then)), before);
    assert_eq!(of(&ledger, Which::First, Some(then)), before);
    // `gaps` counts days, and a day that is there at all is there in both readings.
    let holes = |which, at| {
        let found = lookup::gaps(&ledger, &[], Some(Series::Iv), at, which).unwrap();
        (found.which, found.rows[0].days, found.rows[0].missing)
    };
    let (_, days, missing) = holes(Which::Latest, None);
    assert_eq!(holes(Which::First, None), (Some("first"), days, missing));
    assert_eq!(holes(Which::First, Some(then)), (Some("first"), days - 1, 0));
    assert_eq!(missing, 2, "2025-01-02 and 03");
    // A first value that was rolled back is not one that is still held.
    let first = volledger::domain::BatchId(correction.0 - 1);
    decide::roll_back(&mut ledger, first, None, false, &run()).unwrap();
    let asked = asked(Which::First, None);
    assert_eq!(metrics::ranks(&ledger, &asked).unwrap().rows[0].atm_iv, Some(0.95));
}

/// A folder of TOMIC's with these volatilities of VOLA, confirmed.
fn tomic(ledger: &mut Ledger, directory: &Path, days: &[(String, &str)]) {
    let folder = directory.join("iv_daily_summary");
    std::fs::create_dir_all(&folder).unwrap();
    let records = days.iter().map(|(day, iv)| format!(r#"{{"date":"{day}","atm_iv":{iv}}}"#));
    let text = format!("[{}]", records.collect::<Vec<_>>().join(","));
    std::fs::write(folder.join("VOLA.json"), text).unwrap();
    confirmed_tomic(ledger, directory, false);
}

/// However many records without a volatility lie between, and to the last digit of a float.
#[test]
fn a_rank_has_the_numbers_of_the_projection_and_of_sql() {
    let (directory, mut ledger) = ledger();
    let first = day("2022-01-03").0;
    let sessions = (first..).map(Day).filter(|day| Calendar::nyse().is_open(*day)).take(451);
    let iv = |at: usize| match at {
        0..20 => "0.38162168133023644",
        450 => "0.4822999999999999",
        _ => "0.0",
    };
    let days: Vec<_> = sessions.enumerate().map(|(at, day)| (day.to_string(), iv(at))).collect();
    tomic(&mut ledger, directory.path(), &days);
    let row = rank(&ledger, "VOLA", None).unwrap();
    let registry = Registry::default();
    let query = "SELECT m.atm_iv, iv.atm_iv, m.iv_ma20, (SELECT count(*) FROM iv_metrics AS m \
                 JOIN iv USING (symbol, date, atm_iv)) FROM iv_metrics AS m \
                 JOIN iv USING (symbol, date) ORDER BY date DESC";
    let found = Vantage::lend(&mut ledger, &registry, |now| sql::query(now, query)).unwrap().rows;
    let number = |at: usize| found[0][at].as_f64();
    assert_eq!((row.atm_iv, row.iv_ma20), (number(0), number(2)));
    assert_eq!((number(0), found.len()), (number(1), 21));
    assert!(row.iv_ma20.is_some());
    assert_eq!(found[0][3], 21, "each is the same float in both tables");
}

/// Values of a screen's row are of one day, also on a day without any, and after one that has none.
#[test]
fn a_screen_shows_what_belongs_to_the_day_that_it_names() {
    let (directory, mut ledger) = ledger();
    let sample = Path::new(env!("CARGO_MANIFEST_DIR")).join("data/sample/iv/VOLA.csv");
    let vola = options(Series::Iv, Some("VOLA"));
    confirmed(&mut ledger, &sample, &vola);
    let screened = |ledger: &Ledger, condition: &str, date: Option<&str>| {
        let asked = Asked { date: date.map(day), ..Asked::default() };
        sql::screen(ledger, condition, &asked, day("2025-01-06")).unwrap()
    };
    let of = |ledger: &Ledger, date: Option<&str>| {
        let found = screened(ledger, "n_504 > 0", date);
        let row = found.rows.into_iter().next().unwrap();
        ["iv_date", "iv_rank_252", "iv_rank_504", "iv_ma20"].map(|name| row[name].clone())
    };
    let friday = of(&ledger, Some("2024-12-27"));
    assert!(friday.iter().all(|value| !value.is_null()), "{friday:?}");
    for closed in ["2024-12-28", "2024-12-29"] {
        assert_eq!(of(&ledger, Some(closed)), friday, "{closed}");
        assert_eq!(screened(&ledger, "iv_percentile_504 >= 0", Some(closed)).unknown, 0);
    }
    // A record without a volatility stands nowhere, by any measure.
    tomic(&mut ledger, directory.path(), &[("2025-01-02".to_owned(), "0.0")]);
    let newest = of(&ledger, None);
    assert_eq!(newest[0], "2025-01-02");
    assert!(newest[1..].iter().all(serde_json::Value::is_null), "{newest:?}");
    // Nor is it a low one: it stands in the place of one that is not known.
    let low = screened(&ledger, "atm_iv < 0.2", None);
    assert_eq!((low.rows.len(), low.unknown), (0, 1));
    let rows = metrics::snapshot(&ledger, &Asked::default(), day("2025-01-06")).unwrap().rows;
    assert_eq!((rows[0].iv_date.as_deref(), rows[0].atm_iv), (Some("2025-01-02"), None));
    assert_eq!(rank(&ledger, "VOLA", Some("2025-01-02")).unwrap().atm_iv, None);
}

#[test]
fn a_snapshot_says_of_which_day_each_value_is() {
    let (_directory, mut ledger) = ledger();
    let sample = Path::new(env!("CARGO_MANIFEST_DIR")).join("data/sample");
    confirmed(&mut ledger, &sample.join("iv/VOLA.csv"), &options(Series::Iv, Some("VOLA")));
    confirmed(&mut ledger, &sample.join("spot/VOLA.csv"), &options(Series::Spot, Some("VOLA")));
    let asked = |date: &str| Asked { date: Some(day(date)), ..Asked::default() };
    let row = |date: &str| {
        let rows = metrics::snapshot(&ledger, &asked(date), day(date)).unwrap().rows;
        rows.into_iter().find(|row| row.symbol == "VOLA").unwrap()
    };
    let fresh = row("2024-12-31");
    assert_eq!(fresh.iv_date.as_deref(), Some("2024-12-31"));
    assert_eq!(fresh.iv_date, fresh.spot_date);
    assert!(!fresh.stale && fresh.iv_rank_252.is_some() && fresh.n_252 == 252);
    // A month later the same values are old, and still named by their day.
    let old = row("2025-01-31");
    assert_eq!((old.iv_date.as_deref(), old.stale), (Some("2024-12-31"), true));
    // Before its first day it is not heard of, unless it is asked for.
    let early = |symbols: &[&str]| {
        let symbols = symbols.iter().map(|symbol| symbol.parse().unwrap()).collect();
        let asked = Asked { symbols, ..asked("2020-01-02") };
        metrics::snapshot(&ledger, &asked, day("2020-01-02")).unwrap().rows
    };
    assert!(early(&[]).is_empty());
    assert_eq!((early(&["VOLA"]).len(), early(&["VOLA"])[0].atm_iv), (1, None));
    let unknown = Asked { symbols: vec!["NONE".parse().unwrap()], ..Asked::default() };
    assert!(metrics::snapshot(&ledger, &unknown, day("2024-12-31")).is_err());
}

#[test]
fn a_screen_finds_what_the_ranks_say_and_tells_whom_it_cannot_judge() {
    let (_directory, mut ledger) = ledger();
    let sample = Path::new(env!("CARGO_MANIFEST_DIR")).join("data/sample/iv");
    for name in ["VOLA", "VOLB", "VOLC"] {
        let options = options(Series::Iv, Some(name));
        confirmed(&mut ledger, &sample.join(format!("{name}.csv")), &options);
    }
    let asked = Asked { date: Some(day("2022-06-15")), ..Asked::default() };
    let young = sql::screen(&ledger, "iv_percentile_252 > 0", &asked, day("2022-06-15")).unwrap();
    assert_eq!((young.symbols, young.unknown, young.rows.len()), (3, 3, 0));
    let asked = Asked { date: Some(day("2024-06-28")), ..Asked::default() };
    let today = day("2024-06-28");
    let all = sql::screen(&ledger, "1", &asked, today).unwrap();
    let ranks = metrics::ranks(&ledger, &asked).unwrap();
    let high = sql::screen(&ledger, "iv_percentile_504 > 50 and not stale", &asked, today).unwrap();
    let names = |rows: &[serde_json::Map<String, serde_json::Value>]| -> Vec<String> {
        rows.iter().map(|row| row["symbol"].as_str().unwrap().to_owned()).collect()
    };
    let mut want: Vec<String> = ranks
        .rows
        .iter()
        .filter(|row| row.iv_percentile_504.is_some_and(|value| value > 50.0))
        .map(|row| row.symbol.clone())
        .collect();
    want.sort();
    assert_eq!(names(&all.rows), ["VOLA", "VOLB", "VOLC"]);
    assert_eq!(names(&high.rows), want);
    for (wrong, says) in [
        ("no_such > 1", "no such column: no_such"),
        ("\"no_such\" > 1", "no such column"),
        ("0.4 <= atm_iv < 0.8", "write `0.4 <= atm_iv AND atm_iv < 0.8`"),
        ("1) OR (DELETE FROM screen", "syntax error"),
        ("", "syntax error"),
    ] {
        let error = sql::screen(&ledger, wrong, &asked, today).unwrap_err().to_string();
        assert!(error.contains(says), "{wrong}: {error}");
    }
}

/// The irregularities that the shared data is described with, and what `--date` leaves out.
#[test]
fn coverage_finds_the_known_irregularities_of_the_shared_folder() {
    let Some(folder) = shared("data/tomic") else { return };
    let (directory, mut ledger) = ledger();
    confirmed_tomic(&mut ledger, &folder, false);
    let calendar = directory.path().join("calendar.csv");
    let days = "AAPL,2025-10-30\nAAPL,2026-01-29\nSMCI,2025-08-05\nCVX,2026-01-30\nZZ,2025-01-30\n";
    std::fs::write(&calendar, format!("symbol,earnings_date\n{days}")).unwrap();
    let symbol = SymbolChoice::FromColumn;
    let asked = ImportOptions { symbol, ..ImportOptions::of(Series::Earnings) };
    confirmed(&mut ledger, &calendar, &asked);
    let of = |asked: &Asked| {
        let found = coverage::coverage(&ledger, asked, day("2025-12-13")).unwrap();
        let value = serde_json::to_value(&found).unwrap();
        assert_eq!(violations(&output_schema("coverage"), &value), [""; 0]);
        found
    };
    let all = of(&Asked::default());
    assert_eq!((all.rows.len(), all.date.as_str()), (24, "2025-12-13"));
    let row = |symbol: &str| all.rows.iter().find(|row| row.symbol == symbol).unwrap();
    let longest = |symbol: &str| row(symbol).holes.iter().map(|hole| hole.gap.missing).max();
    let missing = |symbol: &str| row(symbol).iv.as_ref().unwrap().missing;
    assert_eq!((missing("SMCI"), longest("SMCI")), (432, Some(340)));
    assert_eq!((missing("SPY"), longest("META"), longest("CORZ")), (60, Some(90), Some(265)));
    assert_eq!(row("CORZ").holes[0].series, "spot");
    assert_eq!(row("AAPL").issues, [""; 0]);
    // Its prices end on 2025-12-08, five days before.
    assert_eq!(row("CORZ").issues, ["spot_stale", "missing_hv", "missing_iv", "missing_earnings"]);
    for issue in ["earnings_stale", "earnings_missing_future", "iv_gaps(5:427d)"] {
        assert!(row("SMCI").issues.contains(&issue.to_owned()), "{:?}", row("SMCI").issues);
    }
    let told = row("AAPL").earnings.as_ref().unwrap();
    assert_eq!(
        (told.next.as_deref(), told.latest.as_deref()),
        (Some("2026-01-29"), Some("2025-10-30"))
    );
    assert_eq!(told.days, 2);
    let cvx = ["spot_stale", "hv_stale", "iv_stale", "hv_before_spot"];
    assert_eq!(row("CVX").issues, cvx);
    assert_eq!((row("MARA").iv_valid, row("CC").iv_valid), (1993 - 133, 1));
    // A day in the past sees nothing later, and is what ages are measured from.
    let symbols = vec!["CVX".parse().unwrap(), "NONE".parse().unwrap()];
    let then = of(&Asked { symbols, date: Some(day("2025-11-28")), ..Asked::default() });
    assert_eq!(then.rows[0].iv.as_ref().unwrap().to, "2025-11-28");
    assert_eq!(then.rows[0].issues, [""; 0]);
    let none = ["missing_spot", "missing_hv", "missing_iv", "missing_earnings"];
    assert_eq!(then.rows[1].issues, none);
    // Before anything was confirmed there is no symbol to speak of.
    let nothing = of(&Asked { at: Some(Position(0)), ..Asked::default() });
    assert!(nothing.rows.is_empty());
    let first = of(&Asked { which: Which::First, ..Asked::default() });
    assert_eq!((first.which, first.rows.len()), (Some("first"), 24));
}
