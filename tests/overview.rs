//! The market overview from an imported folder, against what TOMIC's own program put out.

use crate::schemas::{output_schema, violations};
use crate::support::{confirmed, confirmed_tomic, ledger, options, run, shared};
use serde_json::Value;
use std::collections::BTreeMap;
use std::path::Path;
use volledger::app::metrics::{self, Asked, Which};
use volledger::app::overview::{Earnings, described, overview};
use volledger::app::report::Overview;
use volledger::app::rules::{BUNDLED, RuleSet};
use volledger::app::{Ledger, decide};
use volledger::domain::{Day, Series, Symbol};

fn day(text: &str) -> Day {
    text.parse().unwrap()
}

fn json(path: &Path) -> Value {
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

/// The earnings of the shared folder, which the ledger does not hold yet.
fn earnings(folder: &Path) -> Earnings {
    let dates: BTreeMap<String, Vec<String>> =
        serde_json::from_value(json(&folder.join("earnings/earnings_dates.json"))).unwrap();
    let days = |dates: Vec<String>| dates.iter().map(|date| day(date)).collect();
    dates.into_iter().map(|(symbol, dates)| (symbol.parse().unwrap(), days(dates))).collect()
}

/// Members of a case that an object must have, floats within 1e-9.
fn same(found: &Value, want: &Value, names: &[&str], what: &str) {
    for name in names {
        let (found, want) = (&found[name], &want[name]);
        match (found.as_f64(), want.as_f64()) {
            (Some(found), Some(want)) => {
                assert!((found - want).abs() <= 1e-9, "{what} {name}: {found}, not {want}");
            }
            _ => assert_eq!(found, want, "{what} {name}"),
        }
    }
}

const METRICS: [&str; 12] = [
    "symbol",
    "spot",
    "iv",
    "hv20",
    "hv30",
    "hv90",
    "hv252",
    "iv_rank",
    "iv_percentile",
    "term_m1_m2",
    "term_m1_m3",
    "skew",
];

#[test]
fn tomic_s_outputs_at_five_dates_come_out_of_an_imported_folder() {
    let Some(folder) = shared("data/tomic") else { return };
    let (_directory, mut ledger) = ledger();
    confirmed_tomic(&mut ledger, &folder, false);
    let rules = RuleSet::bundled("tomic-compat").unwrap();
    let earnings = earnings(&folder);
    let schema = output_schema("overview");
    let cases = json(&folder.join("expected/market_overview.json"));
    let (mut rows, mut recommended, mut without) = (0, 0, 0);
    for case in cases.as_array().unwrap() {
        let as_of = case["as_of"].as_str().unwrap();
        let of =
            |name: &str| -> Vec<String> { serde_json::from_value(case[name].clone()).unwrap() };
        let symbols: Vec<Symbol> = of("requested").iter().map(|s| s.parse().unwrap()).collect();
        let asked = Asked { symbols, date: Some(day(as_of)), ..Asked::default() };
        let report = overview(&ledger, &asked, &rules, &earnings, day("2026-01-01")).unwrap();
        let found = serde_json::to_value(&report).unwrap();
        assert_eq!(violations(&schema, &found), [""; 0], "{as_of}");
        let told = |row: &Value| row["symbol"].as_str().unwrap().to_owned();
        let all = |name: &str| found[name].as_array().unwrap().clone();
        assert_eq!(all("rows").iter().map(told).collect::<Vec<_>>(), of("row_order"), "{as_of}");
        assert_eq!(all("absent").iter().map(told).collect::<Vec<_>>(), of("absent"), "{as_of}");
        for (found, want) in all("rows").iter().zip(case["rows"].as_array().unwrap()) {
            let what = format!("{as_of} {}", want["symbol"]);
            same(found, want, &METRICS, &what);
            same(found, want, &["next_earnings", "days_until_earnings"], &what);
            rows += 1;
        }
        let want = case["recommendations"].as_array().unwrap();
        assert_eq!(all("recommendations").len(), want.len(), "{as_of}");
        for (found, want) in all("recommendations").iter().zip(want) {
            let what = format!("{as_of} {} {}", want["symbol"], want["strategy"]);
            same(found, want, &METRICS, &what);
            same(found, want, &["strategy", "greeks", "indication", "category"], &what);
            same(found, want, &["next_earnings", "days_until_earnings"], &what);
            recommended += 1;
        }
        for name in ["earnings_filtered", "disqualified_filtered", "iv_history_insufficient"] {
            assert_eq!(found["meta"][name], case["meta"][name], "{as_of} {name}");
        }
        // What the command shows today: no earnings, so nothing is filtered by them.
        let plain = overview(&ledger, &asked, &rules, &Earnings::new(), day("2026-01-01")).unwrap();
        assert!(plain.meta.earnings_filtered.is_empty());
        assert_eq!(plain.meta.earnings_known, 0);
        assert!(plain.meta.notes.iter().any(|note| note.contains("earnings")));
        without += plain.recommendations.len();
    }
    assert_eq!((rows, recommended), (51, 8));
    assert_eq!(without, 9, "one was filtered by earnings: ARM's butterfly of 2025-10-10");
}

/// Two samples: one with all three views, one without prices.
fn sample() -> (tempfile::TempDir, Ledger) {
    let (directory, mut ledger) = ledger();
    let sample = Path::new(env!("CARGO_MANIFEST_DIR")).join("data/sample");
    confirmed(&mut ledger, &sample.join("iv/VOLA.csv"), &options(Series::Iv, Some("VOLA")));
    confirmed(&mut ledger, &sample.join("spot/VOLA.csv"), &options(Series::Spot, Some("VOLA")));
    confirmed(&mut ledger, &sample.join("hv/VOLA.csv"), &options(Series::Hv, Some("VOLA")));
    confirmed(&mut ledger, &sample.join("iv/VOLC.csv"), &options(Series::Iv, Some("VOLC")));
    (directory, ledger)
}

fn of(ledger: &Ledger, rules: &str, date: &str) -> Overview {
    let asked = Asked { date: Some(day(date)), ..Asked::default() };
    let rules = RuleSet::bundled(rules).unwrap();
    overview(ledger, &asked, &rules, &Earnings::new(), day(date)).unwrap()
}

#[test]
fn windowed_rules_see_what_rank_says_and_want_no_prices() {
    let (_directory, ledger) = sample();
    let date = "2024-06-28";
    let found = of(&ledger, "windowed", date);
    let asked = Asked { date: Some(day(date)), ..Asked::default() };
    let ranks = metrics::ranks(&ledger, &asked).unwrap();
    assert_eq!(found.rows.len(), ranks.rows.len());
    for (row, rank) in found.rows.iter().zip(&ranks.rows) {
        assert_eq!((&row.symbol, row.iv), (&rank.symbol, rank.atm_iv));
        assert_eq!(row.iv_percentile_504, rank.iv_percentile_504);
        assert_eq!(row.iv_vs_ma20, rank.iv_vs_ma20);
        let told = |key: &str| {
            let mut all = found.recommendations.iter();
            all.any(|one| one.row.symbol == row.symbol && one.key == key)
        };
        let above = |value: Option<f64>, bound: f64| value.is_some_and(|value| value >= bound);
        assert_eq!(told("high_two_years"), rank.iv_percentile_504.is_some_and(|p| p > 75.0));
        assert_eq!(told("expanded"), above(rank.iv_vs_ma20, 0.10));
        assert_eq!(told("compressed"), above(rank.iv_vs_ma20.map(|v| -v), 0.10));
    }
    // VOLC has no prices; TOMIC's overview leaves it out, and says what it lacks.
    let compat = of(&ledger, "tomic-compat", date);
    assert_eq!(compat.rows.len(), 1);
    let absent = &compat.absent[0];
    assert_eq!((absent.symbol.as_str(), &absent.lacks[..]), ("VOLC", &["spot"][..]));
    // Nothing was stored, so TOMIC's formula is used on what was known up to the day.
    assert_eq!(compat.rows[0].ranks_from, Some("computed"));
    // A young history has no rank, and no rule is tried on it.
    let young = of(&ledger, "windowed", "2022-06-15");
    assert_eq!(young.meta.iv_history_insufficient, ["VOLA", "VOLC"]);
    assert!(young.recommendations.is_empty() && young.rows.len() == 2);
    let before = of(&ledger, "windowed", "2001-01-01");
    assert!(before.rows.is_empty() && before.recommendations.is_empty());
    // Symbols whose first day is later are not named: on that day nobody had heard of them.
    assert_eq!((before.absent.len(), before.meta.notes.len()), (0, 1));
}

#[test]
fn a_row_names_the_day_of_each_part_and_looks_at_no_later_one() {
    let (directory, mut ledger) = sample();
    let date = "2024-06-28";
    let before = serde_json::to_value(of(&ledger, "windowed", date)).unwrap();
    let then = ledger.position();
    let file = directory.path().join("VOLA.csv");
    std::fs::write(&file, "Date,IV30\n2024-06-27,91\n2025-01-06,96\n").unwrap();
    let basic = volledger::app::import::MappingChoice::Named("mc-iv-basic".into());
    let more = volledger::app::import::ImportOptions {
        mapping: basic,
        ..options(Series::Iv, Some("VOLA"))
    };
    confirmed(&mut ledger, &file, &more);
    let rules = RuleSet::bundled("windowed").unwrap();
    let at = |at, which| {
        let asked = Asked { date: Some(day(date)), at, which, ..Asked::default() };
        let found = overview(&ledger, &asked, &rules, &Earnings::new(), day(date)).unwrap();
        serde_json::to_value(found).unwrap()
    };
    // The correction is of a day before; `--first` and `--at` read past it.
    assert_ne!(at(None, Which::Latest)["rows"], before["rows"]);
    assert_eq!(at(None, Which::First)["rows"], before["rows"]);
    assert_eq!(at(None, Which::First)["which"], "first");
    assert_eq!(at(Some(then), Which::Latest), before);
    let newest = overview(&ledger, &Asked::default(), &rules, &Earnings::new(), day("2025-01-06"));
    let newest = newest.unwrap();
    let row = newest.rows.iter().find(|row| row.symbol == "VOLA").unwrap();
    assert_eq!(row.iv_date.as_deref(), Some("2025-01-06"));
    assert_eq!(row.spot_date.as_deref(), Some("2024-12-31"));
    assert!(row.stale);
    let unknown = Asked { symbols: vec!["NONE".parse().unwrap()], ..Asked::default() };
    assert!(overview(&ledger, &unknown, &rules, &Earnings::new(), day(date)).is_err());
}

/// A rank is of the volatility that it was stored with: another one that took its place has its own.
#[test]
fn a_stored_rank_goes_with_the_volatility_that_it_is_of() {
    let (directory, mut ledger) = ledger();
    let folder = directory.path().join("tomic");
    std::fs::create_dir_all(folder.join("iv_daily_summary")).unwrap();
    let rows = r#"[{"date": "2025-12-10", "atm_iv": 0.2}, {"date": "2025-12-11", "atm_iv": 0.4},
        {"date": "2025-12-12", "atm_iv": 0.25, "iv_rank (IV)": 7.61, "iv_percentile (IV)": 8.5,
         "term_m1_m2": 1.5, "skew": 2.5}]"#;
    std::fs::write(folder.join("iv_daily_summary/AAA.json"), rows).unwrap();
    confirmed_tomic(&mut ledger, &folder, false);
    let then = ledger.position();
    let rules = RuleSet::bundled("windowed").unwrap();
    let row = |ledger: &Ledger, at, which| {
        let asked = Asked { at, which, ..Asked::default() };
        let found = overview(ledger, &asked, &rules, &Earnings::new(), day("2025-12-12")).unwrap();
        let of_another = "recorded with another volatility than the one shown: AAA";
        let told = found.meta.notes.iter().any(|note| note.contains(of_another));
        (found.rows[0].clone(), told)
    };
    let stored = |(row, told): (volledger::app::report::OverviewRow, bool)| {
        assert_eq!(
            (row.iv, row.iv_rank, row.ranks_from),
            (Some(0.25), Some(0.0761), Some("stored"))
        );
        assert!(!told);
    };
    stored(row(&ledger, None, Which::Latest));
    let file = directory.path().join("AAA.csv");
    let basic = volledger::app::import::MappingChoice::Named("mc-iv-basic".into());
    let more = volledger::app::import::ImportOptions {
        mapping: basic,
        ..options(Series::Iv, Some("AAA"))
    };
    // A day before it changes nothing of it.
    std::fs::write(&file, "Date,IV30\n2025-12-11,41\n").unwrap();
    confirmed(&mut ledger, &file, &more);
    stored(row(&ledger, None, Which::Latest));
    std::fs::write(&file, "Date,IV30\n2025-12-12,30.5\n").unwrap();
    let other = confirmed(&mut ledger, &file, &more);
    let (found, told) = row(&ledger, None, Which::Latest);
    assert_eq!((found.iv, found.ranks_from, told), (Some(0.305), Some("computed"), true));
    assert!((found.iv_rank.unwrap() - 0.5).abs() < 1e-9, "{:?}", found.iv_rank);
    assert_eq!((found.skew, found.term_m1_m2), (Some(2.5), Some(1.5)));
    stored(row(&ledger, Some(then), Which::Latest));
    stored(row(&ledger, None, Which::First));
    decide::roll_back(&mut ledger, other, None, false, &run()).unwrap();
    stored(row(&ledger, None, Which::Latest));
    // What the folder says anew is of one piece again.
    std::fs::write(folder.join("iv_daily_summary/AAA.json"), rows.replace("8.5", "9.5")).unwrap();
    decide::reinstate(&mut ledger, other, None, false, &run()).unwrap();
    confirmed_tomic(&mut ledger, &folder, false);
    stored(row(&ledger, None, Which::Latest));
}

#[test]
fn the_described_rules_are_those_of_the_files() {
    let sets: Vec<RuleSet> =
        BUNDLED.iter().map(|(name, _)| RuleSet::bundled(name).unwrap()).collect();
    let found = serde_json::to_value(described(&sets)).unwrap();
    assert_eq!(violations(&output_schema("rules"), &found), [""; 0]);
    assert_eq!(found["sets"][0]["id"], "tomic-compat");
    assert_eq!(found["sets"][0]["rules"].as_array().unwrap().len(), 8);
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("schemas/rules");
    let files: Vec<String> = std::fs::read_dir(folder)
        .unwrap()
        .map(|file| file.unwrap().file_name().to_string_lossy().into_owned())
        .collect();
    let tiers = files.iter().filter(|name| name.starts_with("vrp-")).count();
    assert_eq!(tiers, volledger::app::earnings::BUNDLED.len(), "every set of tiers is bundled");
    assert_eq!(files.len() - tiers, BUNDLED.len(), "every file is bundled");
}
