//! The facts: how each file becomes events, and what a changed day does.

use crate::support::{ledger, run, shared};
use std::path::{Path, PathBuf};
use volledger::app::earnings;
use volledger::app::import::{self, ImportOptions, Input, MappingChoice, Staged, SymbolChoice};
use volledger::app::lookup::{self, ViewQuery};
use volledger::app::vantage::Vantage;
use volledger::app::{AppError, Ledger, Registry, Which, decide, erase, projection, sql, trace};
use volledger::domain::{BatchId, Series};

/// Options for a table whose rows name their symbols.
pub fn events(series: Series, mapping: Option<&str>) -> ImportOptions {
    let mapping = mapping.map_or(MappingChoice::Default, |name| MappingChoice::Named(name.into()));
    ImportOptions { mapping, symbol: SymbolChoice::FromColumn, ..ImportOptions::of(series) }
}

pub fn staged(ledger: &mut Ledger, file: &Path, options: &ImportOptions) -> Staged {
    import::import_csv(ledger, &[Input::file(file)], options, &run()).unwrap()
}

pub fn confirmed(ledger: &mut Ledger, file: &Path, options: &ImportOptions) -> BatchId {
    let staged = staged(ledger, file, options);
    decide::confirm_staged(ledger, &staged, &run()).unwrap();
    staged.batch.unwrap()
}

/// Writes a table.
pub fn table(folder: &tempfile::TempDir, name: &str, text: &str) -> PathBuf {
    let path = folder.path().join(name);
    std::fs::write(&path, text).unwrap();
    path
}

/// A view's rows of a symbol, `date field=value …`, items left out.
fn shown(ledger: &Ledger, series: Series, symbol: &str) -> Vec<String> {
    let query = ViewQuery { symbols: vec![symbol.parse().unwrap()], ..ViewQuery::of(series) };
    let views = lookup::view(ledger, &query).unwrap();
    let rows = views.iter().flat_map(|view| {
        let view = serde_json::to_value(view).unwrap();
        view["rows"].as_array().unwrap().clone()
    });
    rows.map(|row| row.to_string()).collect()
}

const HEAD: &str = "ticker,announcement_date,timing,confirmed\n";

#[test]
fn a_changed_day_takes_the_old_one_back_and_a_rollback_brings_it_back() {
    let (folder, mut ledger) = ledger();
    let options = events(Series::Earnings, None);
    let first = table(
        &folder,
        "a.csv",
        &format!("{HEAD}AAA,2025-10-30,AMC,1\nAAA,2026-01-29,AMC,0\nBBB,2026-02-03,,0\n"),
    );
    confirmed(&mut ledger, &first, &options);
    let before = [shown(&ledger, Series::Earnings, "AAA"), shown(&ledger, Series::Earnings, "BBB")];
    assert_eq!(before[0].len(), 2, "a day in the future is what a calendar is about");
    assert!(before[1][0].contains(r#""timing":"UNKNOWN""#), "{:?}", before[1]);
    // Four days later, and another quarter.
    let second =
        table(&folder, "b.csv", &format!("{HEAD}AAA,2026-02-02,BMO,1\nAAA,2026-04-30,AMC,0\n"));
    let staged_second = staged(&mut ledger, &second, &options);
    let finding = &staged_second.review.findings[0];
    assert!(
        staged_second.review.findings.iter().any(|of| of.code == "date_corrected"),
        "{finding:?}"
    );
    assert!(staged_second.blocking.is_empty(), "{:?}", staged_second.blocking);
    decide::confirm_staged(&mut ledger, &staged_second, &run()).unwrap();
    let after = shown(&ledger, Series::Earnings, "AAA");
    let days: Vec<&str> = after.iter().map(|row| &row[9..19]).collect();
    assert_eq!(days, ["2025-10-30", "2026-02-02", "2026-04-30"]);
    // Reading the same file again adds nothing, although the old day is gone by now.
    let again = staged(&mut ledger, &second, &options);
    assert_eq!(again.outcome, import::Outcome::AlreadyActive);
    // A replay of the batch takes the old day back as well.
    let batch = staged_second.batch.unwrap();
    let replayed = decide::replay(&mut ledger, batch, MappingChoice::Default, false, &run());
    assert_eq!(replayed.unwrap().outcome, import::Outcome::AlreadyActive);
    decide::roll_back(&mut ledger, batch, None, false, &run()).unwrap();
    assert_eq!(shown(&ledger, Series::Earnings, "AAA"), before[0]);
    let rolled_back = import::import_csv(&mut ledger, &[Input::file(&second)], &options, &run());
    assert!(matches!(rolled_back, Err(AppError::RolledBackBefore { .. })));
}

/// Of several files that make one batch each takes back for itself: what is erased with it is its bytes.
#[test]
fn what_is_taken_back_is_said_by_the_row_of_the_new_day() {
    let (folder, mut ledger) = ledger();
    let options = events(Series::Earnings, None);
    let old = format!("{HEAD}AAA,2026-02-03,AMC,0\nCCC,2026-02-11,BMO,0\n");
    confirmed(&mut ledger, &table(&folder, "old.csv", &old), &options);
    let other = table(&folder, "aaa.csv", &format!("{HEAD}AAA,2026-02-03,AMC,0\n"));
    // The first of the two rows does not count: of a day that stands twice the last one does.
    let rows = "CCC,2026-02-18,BMO,0\nCCC,2026-02-18,AMC,0\n";
    let corrects = table(&folder, "ccc.csv", &format!("{HEAD}{rows}"));
    let inputs = [Input::file(&other), Input::file(&corrects)];
    let staged = import::import_csv(&mut ledger, &inputs, &options, &run()).unwrap();
    let finding = staged.review.findings.iter().find(|of| of.code == "date_corrected").unwrap();
    assert_eq!((finding.source.as_deref(), finding.line), (Some("ccc.csv"), Some(3)));
    decide::confirm_staged(&mut ledger, &staged, &run()).unwrap();
    let batch = staged.batch.unwrap();
    let event = trace::show(&ledger, &format!("{batch}/4"), None).unwrap();
    let event = serde_json::to_value(&event).unwrap();
    assert_eq!((&event["op"], &event["source"]), (&"retract".into(), &"ccc.csv".into()), "{event}");
    assert_eq!((&event["line"], &event["raw"]), (&3.into(), &"CCC,2026-02-18,AMC,0".into()));
    let words = [format!("{batch}/4")];
    let selection = erase::selected(&ledger, &words).unwrap();
    let gone = erase::erase(&mut ledger, &selection, "test", &run()).unwrap();
    assert_eq!(gone.batches[0].sources, ["ccc.csv"]);
    let (symbol, day) = ("AAA".parse().unwrap(), "2026-02-03".parse().unwrap());
    let why = trace::why(&ledger, Series::Earnings, &symbol, day, None, None, None).unwrap();
    assert_eq!(why.fields[0].event.raw, "AAA,2026-02-03,AMC,0");
}

/// A list of days alone (TOMIC's own have nothing else) says nothing of the times.
#[test]
fn a_calendar_without_times_takes_none_back() {
    let (folder, mut ledger) = ledger();
    let options = events(Series::Earnings, None);
    let times = |ledger: &Ledger| -> Vec<String> {
        let rows = shown(ledger, Series::Earnings, "AAA").into_iter();
        let rows = rows.map(|row| serde_json::from_str::<serde_json::Value>(&row).unwrap());
        rows.map(|row| row["timing"].as_str().unwrap().to_owned()).collect()
    };
    let days = "symbol,earnings_date\nAAA,2025-11-04\nAAA,2026-02-03\n";
    let days = table(&folder, "days.csv", days);
    // Without any other they are announcements at a time that is not known.
    let list = confirmed(&mut ledger, &days, &options);
    assert_eq!(times(&ledger), ["UNKNOWN", "UNKNOWN"]);
    let text = format!("{HEAD}AAA,2025-11-04,AMC,1\nAAA,2026-02-03,BMO,0\n");
    let timed = confirmed(&mut ledger, &table(&folder, "times.csv", &text), &options);
    assert_eq!(times(&ledger), ["AMC", "BMO"]);
    assert_eq!(staged(&mut ledger, &days, &options).outcome, import::Outcome::AlreadyActive);
    // A file of today, whether it lacks the column or has nothing in it.
    for (name, text) in [
        ("again.csv", "symbol,earnings_date\nAAA,2026-02-03\nAAA,2025-11-04\n".to_owned()),
        ("empty.csv", format!("{HEAD}AAA,2025-11-04,,1\nAAA,2026-02-03,none,0\n")),
    ] {
        let staged = staged(&mut ledger, &table(&folder, name, &text), &options);
        assert!(staged.blocking.is_empty(), "{name}: {:?}", staged.blocking);
        let review = &staged.review.series[0];
        assert_eq!((review.same, review.changed), (2, 0), "{name}");
        decide::confirm_staged(&mut ledger, &staged, &run()).unwrap();
        assert_eq!(times(&ledger), ["AMC", "BMO"], "{name}");
    }
    decide::roll_back(&mut ledger, timed, None, false, &run()).unwrap();
    assert_eq!(times(&ledger), ["UNKNOWN", "UNKNOWN"]);
    let (symbol, day) = ("AAA".parse().unwrap(), "2025-11-04".parse().unwrap());
    let why = trace::why(&ledger, Series::Earnings, &symbol, day, None, Some("timing"), None);
    let others: Vec<_> = why.unwrap().fields[0].replaced.iter().map(|of| of.state).collect();
    assert_eq!(others, ["active", "active", "rolled-back"], "{list}");
}

/// A word that nobody knows is no reason to forget the day: neither the new one nor its predecessor's time.
#[test]
fn an_announcement_at_an_unknown_word_keeps_its_day() {
    let (folder, mut ledger) = ledger();
    let options = events(Series::Earnings, None);
    let text = format!("{HEAD}CCC,2026-02-10,AMC,0\nDDD,2026-02-12,BMO,0\n");
    confirmed(&mut ledger, &table(&folder, "known.csv", &text), &options);
    let words = "ticker,earnings_date,timing\nCCC,2026-02-11,At Lunch\nDDD,2026-02-12,Noonish\n";
    let staged = staged(&mut ledger, &table(&folder, "words.csv", words), &options);
    assert!(!staged.review.findings.is_empty());
    decide::confirm_staged(&mut ledger, &staged, &run()).unwrap();
    let told = |symbol: &str| {
        let row = shown(&ledger, Series::Earnings, symbol).concat();
        let row: serde_json::Value = serde_json::from_str(&row).unwrap();
        (row["date"].to_string(), row["timing"].to_string())
    };
    assert_eq!(told("CCC"), ("\"2026-02-11\"".into(), "\"UNKNOWN\"".into()));
    assert_eq!(told("DDD"), ("\"2026-02-12\"".into(), "\"BMO\"".into()));
}

/// What a calendar takes back follows from the views of its time; which calendar it is does not.
#[test]
fn a_calendar_is_known_whatever_others_said_since() {
    let (folder, mut ledger) = ledger();
    let options = events(Series::Earnings, None);
    let old = table(&folder, "old.csv", &format!("{HEAD}AAA,2026-01-29,AMC,1\n"));
    let new = table(&folder, "new.csv", &format!("{HEAD}AAA,2026-02-02,BMO,1\n"));
    let [first, second] = [&old, &new].map(|file| confirmed(&mut ledger, file, &options));
    let head = ledger.position();
    for (file, batch) in [(&old, first), (&new, second), (&old, first)] {
        let again = staged(&mut ledger, file, &options);
        assert_eq!((again.outcome, again.batch), (import::Outcome::AlreadyActive, Some(batch)));
    }
    let replayed =
        decide::replay(&mut ledger, first, MappingChoice::Default, false, &run()).unwrap();
    assert_eq!(replayed.batch, Some(first));
    assert_eq!(ledger.position(), head);
    assert!(shown(&ledger, Series::Earnings, "AAA")[0].contains("2026-02-02"));
    // Of one that waits, what it takes back must be of now.
    let third = table(&folder, "third.csv", &format!("{HEAD}AAA,2026-02-04,BMO,1\n"));
    let waits = staged(&mut ledger, &third, &options).batch;
    assert_eq!(staged(&mut ledger, &third, &options).batch, waits);
    let fourth = table(&folder, "fourth.csv", &format!("{HEAD}AAA,2026-02-03,BMO,1\n"));
    confirmed(&mut ledger, &fourth, &options);
    let now = staged(&mut ledger, &third, &options);
    assert_eq!(now.outcome, import::Outcome::New);
    decide::confirm_staged(&mut ledger, &now, &run()).unwrap();
    assert_eq!(shown(&ledger, Series::Earnings, "AAA").len(), 1);
}

#[test]
fn a_calendar_that_was_rolled_back_stays_out_whatever_others_said_since() {
    let (folder, mut ledger) = ledger();
    let options = events(Series::Earnings, None);
    let good = table(&folder, "good.csv", &format!("{HEAD}AAA,2026-01-29,AMC,1\n"));
    let text = format!("{HEAD}AAA,2026-02-05,AMC,1\nBBB,2026-02-06,AMC,1\n");
    let bad = table(&folder, "bad.csv", &text);
    confirmed(&mut ledger, &good, &options);
    let batch = confirmed(&mut ledger, &bad, &options);
    let reason = Some("wrong file".to_owned());
    decide::roll_back(&mut ledger, batch, reason, false, &run()).unwrap();
    let other = table(&folder, "other.csv", &format!("{HEAD}BBB,2026-02-10,BMO,1\n"));
    confirmed(&mut ledger, &other, &options);
    let head = ledger.position();
    let refused = import::import_csv(&mut ledger, &[Input::file(&bad)], &options, &run());
    match refused {
        Err(AppError::RolledBackBefore { batch: known, .. }) => assert_eq!(known, batch),
        other => panic!("{other:?}"),
    }
    assert_eq!(ledger.position(), head);
    let asked = ImportOptions { again: Some("right after all".into()), ..options };
    let again = staged(&mut ledger, &bad, &asked);
    assert_eq!((again.outcome, again.review.rows.retracted), (import::Outcome::New, 2));
}

/// A move that was measured for a day which was corrected later is gone from the table, and is still
/// what an earlier position shows.
#[test]
fn the_move_of_a_corrected_day_goes_and_stays_in_the_log() {
    let (folder, mut ledger) = ledger();
    let options = events(Series::Earnings, None);
    let bars = "date,ticker,close\n2025-10-29,AAA,100\n2025-10-30,AAA,101\n2025-10-31,AAA,111.1\n\
        2025-11-03,AAA,100\n2025-11-04,AAA,90\n";
    confirmed(&mut ledger, &table(&folder, "b.csv", bars), &events(Series::Spot, None));
    let first = table(&folder, "a.csv", &format!("{HEAD}AAA,2025-10-30,AMC,0\n"));
    confirmed(&mut ledger, &first, &options);
    let moves = "earnings_moves@2".parse().unwrap();
    projection::add(&mut ledger, &moves, None, &run()).unwrap();
    let position = ledger.position();
    let shown = |ledger: &mut Ledger, at| {
        let registry = Registry::default();
        Vantage::lend(ledger, &registry, |now| {
            let ledger = std::sync::Arc::clone(&now.ledger);
            let vantage = Vantage::new(ledger, &registry, Some(at), Which::Latest)?;
            sql::query(&vantage, "SELECT earnings_date, close_move FROM earnings_moves")
        })
        .unwrap()
        .rows
    };
    let before = shown(&mut ledger, position);
    assert_eq!(before[0][0], "2025-10-30");
    let second = table(&folder, "c.csv", &format!("{HEAD}AAA,2025-11-03,AMC,1\n"));
    confirmed(&mut ledger, &second, &options);
    let head = ledger.position();
    let after = shown(&mut ledger, head);
    assert_eq!((after.len(), &after[0][0]), (1, &"2025-11-03".into()));
    assert!((after[0][1].as_f64().unwrap() + 0.1).abs() < 1e-12, "{after:?}");
    assert_eq!(shown(&mut ledger, position), before);
}

#[test]
fn an_estimate_does_not_take_a_confirmed_day_back() {
    let (folder, mut ledger) = ledger();
    let options = events(Series::Earnings, None);
    let first = table(&folder, "a.csv", &format!("{HEAD}AAA,2026-01-29,AMC,1\n"));
    confirmed(&mut ledger, &first, &options);
    let second = table(&folder, "b.csv", &format!("{HEAD}AAA,2026-02-02,AMC,0\n"));
    let conflict = staged(&mut ledger, &second, &options);
    assert!(conflict.review.findings.iter().any(|of| of.code == "date_conflict"));
    decide::confirm_staged(&mut ledger, &conflict, &run()).unwrap();
    assert_eq!(shown(&ledger, Series::Earnings, "AAA").len(), 2, "both stay");
    let registry = Registry::default();
    let told = Vantage::lend(&mut ledger, &registry, |vantage| {
        let dates = (None, "2025-12-13".parse().unwrap());
        let name = "earnings_moves".parse().unwrap();
        earnings::earnings(vantage, &"AAA".parse().unwrap(), &name, dates)
    });
    let notes = told.unwrap().notes;
    assert!(notes.iter().any(|note| note.contains("4 days apart")), "{notes:?}");
}

/// The calendar of a data service: a quoted name with a comma, its own words, and the answer of a
/// service that is asked too often.
#[test]
fn a_service_s_calendar_and_its_refusal() {
    let (folder, mut ledger) = ledger();
    let options = events(Series::Earnings, None);
    let head = "symbol,name,reportDate,fiscalDateEnding,estimate,currency,timeOfTheDay\n";
    let row = "TST,\"Test, Inc.\",2030-01-15,2029-12-31,-1.25,USD,post-market\n";
    let file = table(&folder, "c.csv", &format!("{head}{row}"));
    confirmed(&mut ledger, &file, &options);
    let shown = shown(&ledger, Series::Earnings, "TST");
    for part in ["2030-01-15", "AMC", "Test, Inc.", "2029-12-31", "-1.25", "USD"] {
        assert!(shown[0].contains(part), "{part}: {shown:?}");
    }
    let throttled = table(&folder, "d.csv", &format!("{head}I,n,f,o,r,m,a\n"));
    let staged = staged(&mut ledger, &throttled, &options);
    assert_eq!((staged.review.rows.accepted, staged.review.rows.rejected), (0, 1));
    assert!(!staged.blocking.is_empty(), "no empty calendar is confirmed by --yes");
}

const CLOSES: &str = "ticker,earnings_date,timing,prev_session,announce_session,next_session,\
close_prev,close_announce,close_next\n";

#[test]
fn three_closes_a_row_are_three_events_that_name_their_row() {
    let (folder, mut ledger) = ledger();
    let options = events(Series::Spot, Some("event-closes"));
    let file = table(
        &folder,
        "closes.csv",
        &format!(
            "{CLOSES}AAA,2025-10-30,AMC,2025-10-29,2025-10-30,2025-10-31,100,101,111.1\n\
         AAA,2025-12-12,AMC,2025-12-11,2025-12-12,,120,121,\n\
         BBB,2025-10-30,AMC,2025-10-29,2025-10-30,2025-10-31,10,,11\n\
         CCC,2025-10-30,AMC,2025-10-29,2025-10-30,2025-10-31,10,11,0\n\
         DDD,2025-12-12,AMC,2025-12-11,2025-12-12,2025-12-15,10,11,12\n"
        ),
    );
    let staged = staged(&mut ledger, &file, &options);
    let rows = &staged.review.rows;
    // A row without its own close, with a close of 0, with a day to come: none of them is usable.
    assert_eq!((rows.read, rows.accepted, rows.rejected), (5, 2, 3));
    let codes: Vec<&str> = staged.review.findings.iter().map(|of| of.code.as_str()).collect();
    for code in ["missing_close", "close_out_of_range", "future_date"] {
        assert!(codes.contains(&code), "{codes:?}");
    }
    decide::confirm_staged(&mut ledger, &staged, &run()).unwrap();
    assert_eq!(shown(&ledger, Series::Spot, "AAA").len(), 5);
    let batch = staged.batch.unwrap();
    let symbol = "AAA".parse().unwrap();
    let day = "2025-10-31".parse().unwrap();
    let why = trace::why(&ledger, Series::Spot, &symbol, day, None, None, None).unwrap();
    let why = serde_json::to_string(&why).unwrap();
    assert!(why.contains("2025-10-29,2025-10-30,2025-10-31,100,101,111.1"), "{why}");
    let again = decide::replay(&mut ledger, batch, MappingChoice::Default, false, &run()).unwrap();
    assert_eq!(again.outcome, import::Outcome::AlreadyActive, "read again, it is the same");
}

#[test]
fn a_vendor_s_moves_fill_the_calendar_and_never_overrule_it() {
    let (folder, mut ledger) = ledger();
    let calendar = table(&folder, "c.csv", &format!("{HEAD}AAA,2025-10-30,BMO,1\n"));
    confirmed(&mut ledger, &calendar, &events(Series::Earnings, None));
    let moves = table(
        &folder,
        "m.csv",
        "ticker,earnings_date,timing,close_move_pct\nAAA,2025-10-30,AMC,1.25\nAAA,2025-07-31,AMC,-0.5\n",
    );
    confirmed(&mut ledger, &moves, &events(Series::Moves, None));
    let calendar = shown(&ledger, Series::Earnings, "AAA");
    assert!(calendar[0].contains("2025-07-31") && calendar[0].contains("AMC"), "{calendar:?}");
    assert!(calendar[1].contains("2025-10-30") && calendar[1].contains("BMO"), "{calendar:?}");
    let moves = shown(&ledger, Series::Moves, "AAA");
    assert!(moves[0].contains("-0.005") && moves[1].contains("0.0125"), "{moves:?}");
}

#[test]
fn real_files_are_read_whole() {
    let Some(data) = shared("data/ivcrush") else { return };
    let (_folder, mut ledger) = ledger();
    for (file, series, mapping, rows, blocking) in [
        ("earnings_calendar.csv", Series::Earnings, None, 3_841, 0),
        ("historical_moves.csv", Series::Moves, None, 3_688, 0),
        ("iv_log.csv", Series::Straddles, None, 11, 0),
        ("reaction_moves_crosscheck.csv", Series::Spot, Some("event-closes"), 513, 0),
        ("event_bars_ohlc.csv", Series::Spot, Some("event-bars"), 357, 0),
    ] {
        let staged = staged(&mut ledger, &data.join(file), &events(series, mapping));
        assert_eq!(staged.review.rows.accepted, rows, "{file}");
        assert_eq!(staged.review.rows.rejected, 0, "{file}");
        assert_eq!(staged.blocking.len(), blocking, "{file}: {:?}", staged.blocking);
        decide::confirm_staged(&mut ledger, &staged, &run()).unwrap();
    }
}
