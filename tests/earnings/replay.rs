//! The published result and its correction, on the real data: moves of the session before the news
//! give ratios of ten, the same facts replayed into the session that reacts give ratios of one.

use super::facts::{confirmed, events, table};
use crate::support::{ledger, run, shared};
use serde_json::Value as Json;
use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use volledger::app::earnings::{TierSet, Which, vrp};
use volledger::app::report::{Vrp, VrpRow};
use volledger::app::vantage::Vantage;
use volledger::app::{Ledger, Registry, Run, Which as Of, decide, projection, sql};
use volledger::domain::projection::ProjectionName;
use volledger::domain::{BatchId, Day, Position, Series, Symbol};

fn name(text: &str) -> ProjectionName {
    text.parse().unwrap()
}

fn day(text: &str) -> Day {
    text.parse().unwrap()
}

/// A table without quoted cells.
fn rows(path: &Path) -> Vec<BTreeMap<String, String>> {
    let text = std::fs::read_to_string(path).unwrap();
    let mut lines = text.lines();
    let names: Vec<String> = lines.next().unwrap().split(',').map(str::to_owned).collect();
    let row = |line: &str| names.iter().cloned().zip(line.split(',').map(str::to_owned)).collect();
    lines.map(row).collect()
}

/// 1e-9 relative, absolute near zero.
#[track_caller]
fn close(found: f64, want: f64, what: &str) {
    let room = 1e-9 * want.abs().max(1.0);
    assert!((found - want).abs() <= room, "{what}: {found}, expected {want}");
}

/// The five real files, confirmed; with the batches of the calendar and of the closes.
fn filled(data: &Path) -> (tempfile::TempDir, Ledger, [BatchId; 2]) {
    let (folder, mut ledger) = ledger();
    let mut take = |file: &str, series, mapping| {
        confirmed(&mut ledger, &data.join(file), &events(series, mapping))
    };
    let calendar = take("earnings_calendar.csv", Series::Earnings, None);
    take("historical_moves.csv", Series::Moves, None);
    take("iv_log.csv", Series::Straddles, None);
    let closes = take("reaction_moves_crosscheck.csv", Series::Spot, Some("event-closes"));
    take("event_bars_ohlc.csv", Series::Spot, Some("event-bars"));
    (folder, ledger, [calendar, closes])
}

fn seen<T>(
    ledger: &mut Ledger,
    at: Option<u64>,
    work: impl FnOnce(&Vantage) -> Result<T, volledger::app::AppError>,
) -> T {
    let registry = Registry::default();
    Vantage::lend(ledger, &registry, |now| {
        let at = at.map(Position);
        work(&Vantage::new(Arc::clone(&now.ledger), &registry, at, Of::Latest)?)
    })
    .unwrap()
}

fn asked(ledger: &mut Ledger, query: &str) -> Vec<Vec<Json>> {
    seen(ledger, None, |vantage| sql::query(vantage, query)).rows
}

fn judged(ledger: &mut Ledger, symbols: &[&str], moves: &str, tiers: &str) -> Vrp {
    let symbols: Vec<Symbol> = symbols.iter().map(|symbol| symbol.parse().unwrap()).collect();
    let set = TierSet::bundled(tiers).unwrap();
    let dates = (Some(day("2025-12-06")), day("2025-12-13"));
    seen(ledger, None, |vantage| vrp(vantage, &Which::Symbols(symbols), &name(moves), &set, dates))
}

fn of<'a>(found: &'a Vrp, symbol: &str) -> &'a VrpRow {
    found.rows.iter().find(|row| row.symbol == symbol).unwrap()
}

/// The moves of all symbols by the two rules, announcements after the close that both have.
const BOTH: &str = "
    SELECT count(*), avg(abs(old.close_move)), avg(abs(new.close_move))
    FROM \"earnings_moves@1\" AS old
    JOIN \"earnings_moves@2\" AS new USING (symbol, earnings_date)
    WHERE new.timing = 'AMC' AND new.status = 'OK' AND old.basis = 'vendor'";

#[test]
fn the_count_and_the_two_means_come_out_of_a_query() {
    let Some(data) = shared("data/ivcrush") else { return };
    let (_folder, mut ledger, _) = filled(&data);
    let found = &asked(&mut ledger, BOTH)[0];
    assert_eq!(found[0], 297);
    let percent = |of: &Json| (of.as_f64().unwrap() * 10_000.0).round() / 100.0;
    assert_eq!((percent(&found[1]), percent(&found[2])), (1.89, 8.65));
    // Every move of the second source, to the digits that it was printed with.
    let found = asked(
        &mut ledger,
        "SELECT symbol, earnings_date, close_move, reaction_session, effective_timing
         FROM \"earnings_moves@2\" WHERE status = 'OK'",
    );
    let key =
        |row: &[Json]| (row[0].as_str().unwrap().to_owned(), row[1].as_str().unwrap().to_owned());
    let found: BTreeMap<_, _> = found.iter().map(|row| (key(row), row)).collect();
    let (mut same, mut during) = (0, 0);
    for want in rows(&data.join("reaction_moves_crosscheck.csv")) {
        let row = found[&(want["ticker"].clone(), want["earnings_date"].clone())];
        if want["reaction_move_pct"].is_empty() {
            assert_eq!(row[4], "DMH", "{want:?}");
            during += 1;
            continue;
        }
        let percent = row[2].as_f64().unwrap() * 100.0;
        let expected: f64 = want["reaction_move_pct"].parse().unwrap();
        assert!((percent - expected).abs() <= 5.1e-7, "{want:?}: {percent}");
        assert_eq!(row[3], Json::from(want["reaction_session"].clone()));
        same += 1;
    }
    assert_eq!(same + during, 513);
    assert!(during < 10, "{during}");
    // Gaps and ranges of the events that have whole bars.
    let found = asked(
        &mut ledger,
        "SELECT symbol, earnings_date, gap_move, intraday_move, close_move, reference_close
         FROM \"earnings_moves@2\" WHERE gap_move IS NOT NULL",
    );
    let found: BTreeMap<_, _> = found.iter().map(|row| (key(row), row)).collect();
    assert_eq!(found.len(), 119);
    for want in rows(&data.join("event_moves_expected.csv")) {
        let row = found[&(want["ticker"].clone(), want["earnings_date"].clone())];
        let names = ["gap_move_pct", "intraday_move_pct", "close_move_pct"];
        for (value, column) in row[2..].iter().zip(names) {
            let percent = value.as_f64().unwrap() * 100.0;
            close(percent, want[column].parse().unwrap(), &format!("{want:?} {column}"));
        }
        close(row[5].as_f64().unwrap(), want["reference_close"].parse().unwrap(), "reference");
    }
}

/// How far the stored means are off, symbol by symbol.
#[test]
fn the_bias_of_each_symbol_is_that_of_the_published_table() {
    let Some(data) = shared("data/ivcrush") else { return };
    let (_folder, mut ledger, _) = filled(&data);
    let query = "
        SELECT new.symbol, new.timing, count(*), avg(abs(old.close_move)), avg(abs(new.close_move))
        FROM \"earnings_moves@1\" AS old
        JOIN \"earnings_moves@2\" AS new USING (symbol, earnings_date)
        WHERE new.status = 'OK' AND old.basis = 'vendor' GROUP BY 1, 2";
    let found = asked(&mut ledger, query);
    let wanted = rows(&data.join("reaction_bias_by_ticker.csv"));
    assert_eq!(wanted.len(), 44);
    for want in &wanted {
        let is = |row: &&Vec<Json>| {
            row[0] == want["ticker"].as_str() && row[1] == want["timing"].as_str()
        };
        let row = found.iter().find(is).unwrap_or_else(|| panic!("{want:?}"));
        assert_eq!(row[2].to_string(), want["events"], "{want:?}");
        for (at, column) in [(3, "mean_stored_pct"), (4, "mean_reaction_pct")] {
            let percent = row[at].as_f64().unwrap() * 100.0;
            let expected: f64 = want[column].parse().unwrap();
            assert!((percent - expected).abs() <= 1.1e-6, "{want:?}: {percent}");
        }
    }
}

#[test]
fn every_recorded_observation_reproduces_by_the_old_rule() {
    let Some(data) = shared("data/ivcrush") else { return };
    let (_folder, mut ledger, _) = filled(&data);
    let log = rows(&data.join("iv_log.csv"));
    assert_eq!(log.len(), 11);
    let symbols: Vec<&str> = log.iter().map(|row| row["ticker"].as_str()).collect();
    let found = judged(&mut ledger, &symbols, "earnings_moves@1", "legacy");
    assert_eq!((found.rows.len(), found.summary.analysed), (11, 11));
    for want in &log {
        let number = |column: &str| want[column].parse::<f64>().unwrap();
        let (row, what) = (of(&found, &want["ticker"]), &want["ticker"]);
        let history = row.history.as_ref().unwrap();
        for (found, column) in [
            (row.implied_move, "implied_move_pct"),
            (row.mean_move, "historical_mean_pct"),
            (Some(history.median_move), "historical_median_pct"),
            (Some(history.std_move), "historical_std_pct"),
        ] {
            close(found.unwrap() * 100.0, number(column), &format!("{what} {column}"));
        }
        close(row.vrp.unwrap(), number("vrp_ratio"), what);
        close(row.edge_score.unwrap(), number("edge_score"), what);
        close(row.straddle.unwrap(), number("straddle_cost"), what);
        assert_eq!(row.n.to_string(), want["quarters_of_data"], "{what}");
        assert_eq!(row.tier.unwrap().to_lowercase(), want["recommendation"], "{what}");
        assert_eq!(row.earnings_date.as_ref(), Some(&want["earnings_date"]), "{what}");
        assert_eq!(row.expiration.as_ref(), Some(&want["expiration"]), "{what}");
        assert_eq!(row.projection, "earnings_moves@1");
    }
}

#[test]
fn the_replay_gives_the_expected_ratios() {
    let Some(data) = shared("data/ivcrush") else { return };
    let (_folder, mut ledger, _) = filled(&data);
    let wanted = rows(&data.join("vrp_replay_expected.csv"));
    assert_eq!(wanted.len(), 11);
    let symbols: Vec<&str> = wanted.iter().map(|row| row["ticker"].as_str()).collect();
    let mut of_sets = BTreeMap::new();
    for (moves, tiers) in [
        ("earnings_moves@1", "seed"),
        ("earnings_moves@1", "legacy"),
        ("earnings_moves@2", "seed"),
        ("earnings_moves@2", "balanced"),
    ] {
        of_sets.insert((moves, tiers), judged(&mut ledger, &symbols, moves, tiers));
    }
    let mut corrected = Vec::new();
    for want in &wanted {
        let symbol = want["ticker"].as_str();
        for (moves, suffix) in [("earnings_moves@1", "v1"), ("earnings_moves@2", "v2")] {
            let column = |name: &str| want[&format!("{name}_{suffix}")].clone();
            if column("n").is_empty() {
                let row = of(&of_sets[&(moves, "seed")], symbol);
                assert!(row.n < 12, "{symbol} has {} corrected events", row.n);
                continue;
            }
            let row = of(&of_sets[&(moves, "seed")], symbol);
            // Printed with ten digits; version 2 was computed from moves that were rounded to six
            // decimals of a percent, ours is from the prices themselves.
            let room = if suffix == "v2" { 5e-7 } else { 5e-9 };
            let close = |found: f64, want: String| {
                let want: f64 = want.parse().unwrap();
                assert!((found - want).abs() <= room, "{symbol} {suffix}: {found}, {want}");
            };
            assert_eq!(row.n.to_string(), column("n"), "{symbol}");
            close(row.mean_move.unwrap() * 100.0, want[&format!("mean_{suffix}_pct")].clone());
            close(row.vrp.unwrap(), column("vrp"));
            close(row.edge_score.unwrap(), column("edge"));
            for tiers in ["seed", "legacy", "balanced"] {
                if let Some(tier) = want.get(&format!("tier_{tiers}_{suffix}")) {
                    assert_eq!(of(&of_sets[&(moves, tiers)], symbol).tier, Some(tier.as_str()));
                }
            }
            if suffix == "v2" {
                corrected.push((symbol, (row.vrp.unwrap() * 100.0).round() / 100.0));
            }
        }
    }
    assert_eq!(corrected, [("ADBE", 1.08), ("GME", 0.61), ("LULU", 1.05)]);
    let before = |symbol: &str| {
        let row = of(&of_sets[&("earnings_moves@1", "seed")], symbol);
        ((row.vrp.unwrap() * 10.0).round() / 10.0, row.tier.unwrap())
    };
    assert_eq!((before("LULU"), before("ADBE")), ((10.1, "EXCELLENT"), (8.6, "EXCELLENT")));
    // A stock of which the second source knows nothing is said to be so, and not scored.
    let row = of(&of_sets[&("earnings_moves@2", "seed")], "COST");
    assert_eq!(
        (row.status, row.vrp, row.tier, row.score),
        ("NO_HISTORICAL_DATA", None, None, None)
    );
    assert!(row.reasons[0].contains("0 of 4 past moves"), "{:?}", row.reasons);
}

/// Digests of both kept versions, and whether they are current.
fn state(ledger: &mut Ledger) -> Vec<(String, &'static str, Option<String>)> {
    let list = seen(ledger, None, projection::list);
    let kept = list.projections.into_iter().filter(|line| line.name == "earnings_moves");
    kept.map(|line| (format!("@{}", line.version), line.state, line.digest)).collect()
}

#[test]
fn a_rollback_marks_what_used_it_stale_and_recomputation_restores_the_digest() {
    let Some(data) = shared("data/ivcrush") else { return };
    let (_folder, mut ledger, [calendar, closes]) = filled(&data);
    let run = Run { refresh: false, ..run() };
    for version in ["earnings_moves@1", "earnings_moves@2"] {
        projection::add(&mut ledger, &name(version), None, &run).unwrap();
    }
    let before = state(&mut ledger);
    assert!(before.iter().all(|(_, state, digest)| *state == "current" && digest.is_some()));
    let means = asked(&mut ledger, BOTH);
    let position = ledger.position().0;
    for batch in [calendar, closes] {
        decide::roll_back(&mut ledger, batch, None, false, &run).unwrap();
        let stale = state(&mut ledger);
        assert!(stale.iter().all(|(_, state, _)| *state == "stale"), "{batch}: {stale:?}");
        // What is stale is not served: the answer is that without the batch.
        let without = (batch == closes).then(|| asked(&mut ledger, BOTH));
        projection::refresh(&mut ledger, &[], &run);
        let other = state(&mut ledger);
        assert!(other.iter().all(|(_, state, _)| *state == "current"));
        assert_ne!(other[1].2, before[1].2, "{batch}: the digest of @2 is another");
        if let Some(without) = without {
            assert_ne!(without, means, "its closes were used");
            assert_eq!(asked(&mut ledger, BOTH), without);
        }
        decide::reinstate(&mut ledger, batch, None, false, &run).unwrap();
        assert!(state(&mut ledger).iter().all(|(_, state, _)| *state == "stale"));
        projection::refresh(&mut ledger, &[], &run);
        let again = state(&mut ledger);
        assert_eq!(again, before, "{batch}: recomputed from the same facts, it is the same");
    }
    assert_eq!(asked(&mut ledger, BOTH), means);
    // An earlier position shows what it showed.
    let then = seen(&mut ledger, Some(position), |vantage| sql::query(vantage, BOTH)).rows;
    assert_eq!(then, means);
}

#[test]
fn a_wrong_calendar_moves_the_table_and_its_rollback_moves_it_back() {
    let Some(data) = shared("data/ivcrush") else { return };
    let (folder, mut ledger, _) = filled(&data);
    let symbols = ["LULU", "ADBE", "GME"];
    let before = judged(&mut ledger, &symbols, "earnings_moves@2", "seed");
    let calendar = std::fs::read_to_string(data.join("earnings_calendar.csv")).unwrap();
    let wrong: String = calendar
        .lines()
        .filter(|line| line.starts_with("ticker") || line.starts_with("LULU,"))
        .map(|line| line.replace(",AMC,", ",BMO,") + "\n")
        .collect();
    let wrong = table(&folder, "wrong.csv", &wrong);
    let batch = confirmed(&mut ledger, &wrong, &events(Series::Earnings, None));
    let moved = judged(&mut ledger, &symbols, "earnings_moves@2", "seed");
    assert!(of(&moved, "LULU").vrp.unwrap() > 9.0, "{:?}", of(&moved, "LULU").vrp);
    assert_eq!(of(&moved, "ADBE").vrp, of(&before, "ADBE").vrp);
    decide::roll_back(&mut ledger, batch, Some("wrong".to_owned()), false, &run()).unwrap();
    let back = judged(&mut ledger, &symbols, "earnings_moves@2", "seed");
    let text = |of: &Vrp| serde_json::to_string(&of.rows).unwrap();
    assert_eq!(text(&back), text(&before));
}

#[test]
fn the_two_rules_differ_after_the_close_only() {
    let Some(data) = shared("data/ivcrush") else { return };
    let (_folder, mut ledger, _) = filled(&data);
    let diff = seen(&mut ledger, None, |vantage| {
        projection::diff(vantage, &name("earnings_moves@1"), &name("earnings_moves@2"))
    });
    assert_eq!(diff.keys, ["symbol", "earnings_date"]);
    assert!(diff.changed > 297, "{} {}", diff.changed, diff.same);
    let query = "
        SELECT old.timing, max(abs(abs(new.close_move) - old.close_move))
        FROM \"earnings_moves@1\" AS old
        JOIN \"earnings_moves@2\" AS new USING (symbol, earnings_date)
        WHERE new.status = 'OK' AND old.reaction_session = new.reaction_session GROUP BY 1";
    for row in asked(&mut ledger, query) {
        // Two price sources: dividends are adjusted in one of them, on three days.
        assert!(row[1].as_f64().unwrap() < 0.02, "{row:?}");
    }
}
