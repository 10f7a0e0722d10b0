//! Implied moves from chains, and the commands as a user sees them.

use crate::program::Desk;
use serde_json::Value as Json;

const CALENDAR: &str = "ticker,announcement_date,timing,confirmed\n";

/// Five quarters of a stock that moves by 5 % each time, announced after the close; and one to come.
fn calendar(symbol: &str) -> String {
    let days = ["2024-10-30", "2025-01-29", "2025-04-30", "2025-07-30", "2025-10-29"];
    let past: String = days.iter().map(|day| format!("{symbol},{day},AMC,1\n")).collect();
    format!("{CALENDAR}{past}{symbol},2025-12-10,AMC,1\n")
}

fn closes(symbol: &str) -> String {
    let sessions = [
        ("2024-10-30", "2024-10-31"),
        ("2025-01-29", "2025-01-30"),
        ("2025-04-30", "2025-05-01"),
        ("2025-07-30", "2025-07-31"),
        ("2025-10-29", "2025-10-30"),
    ];
    let mut text = "date,ticker,close\n".to_owned();
    for (index, (reference, reaction)) in sessions.iter().enumerate() {
        let after = if index % 2 == 0 { 105 } else { 95 };
        text += &format!("{reference},{symbol},100\n{reaction},{symbol},{after}\n");
    }
    text
}

/// A chain of 2025-12-05 whose straddle at spot 100.5, between 100 and 105, costs a known sum.
fn chain(symbol: &str) -> String {
    let mut text =
        "option_symbol,underlying,strike_price,contract_type,expiration_date,bid,ask,implied_volatility,\
         open_interest,underlying_price\n"
            .to_owned();
    for (expiry, code, lift) in [("2025-12-12", "251212", 0.0), ("2026-01-16", "260116", 1.0)] {
        for (strike, call, put, iv) in [
            (95, 7.0, 1.5, 0.70),
            (100, 5.2, 4.6, 0.66),
            (105, 2.5, 7.0, 0.62),
            (90, 11.0, 0.8, 0.75),
            (110, 1.2, 11.0, 0.60),
        ] {
            for (right, letter, mid) in [("call", 'C', call), ("put", 'P', put)] {
                let (bid, ask) = (mid + lift - 0.05, mid + lift + 0.05);
                text += &format!(
                    "O:{symbol}{code}{letter}{:08},{symbol},{strike},{right},{expiry},{bid:.2},{ask:.2},{iv},900,100.5\n",
                    strike * 1000
                );
            }
        }
    }
    text
}

fn desk() -> Desk {
    let desk = without_quotes();
    let file = desk.write("chain.csv", &chain("AAA"));
    desk.run(&format!("import chain {file} -s AAA --date 2025-12-05 --yes")).exits(0);
    desk
}

fn without_quotes() -> Desk {
    let desk = Desk::with_ledger();
    let file =
        desk.write("calendar.csv", &(calendar("AAA") + &calendar("BBB").replacen(CALENDAR, "", 1)));
    desk.run(&format!("import earnings {file} --yes")).exits(0);
    let file = desk.write("closes.csv", &closes("AAA"));
    desk.run(&format!("import spot {file} --symbol-from column --yes")).exits(0);
    desk
}

fn row(of: &Json, symbol: &str) -> Json {
    let rows = of["rows"].as_array().unwrap();
    rows.iter().find(|row| row["symbol"] == symbol).unwrap().clone()
}

#[test]
fn a_chain_s_straddle_is_priced_at_spot() {
    let desk = desk();
    let found = desk.run("vrp AAA --date 2025-12-05 --json").exits(0).json();
    let row = row(&found, "AAA");
    assert_eq!(row["implied_from"], "chain", "{row}");
    assert_eq!(row["method"], "interpolated");
    // The first expiration that still holds the reaction of 2025-12-11.
    assert_eq!(row["expiration"], "2025-12-12");
    let straddle = 9.8 * 0.9 + 9.5 * 0.1;
    let near = |name: &str, want: f64| {
        let found = row[name].as_f64().unwrap_or_else(|| panic!("{name}: {row}"));
        assert!((found - want).abs() < 1e-9, "{name}: {found}, expected {want}");
    };
    near("straddle", straddle);
    near("implied_move", straddle / 100.5);
    near("mean_move", 0.05);
    near("vrp", straddle / 100.5 / 0.05);
    near("avg_iv_percent", 66.0 * 0.9 + 62.0 * 0.1);
    assert_eq!((row["tier"].as_str(), row["n"].as_u64()), (Some("GOOD"), Some(5)));
    assert_eq!(row["tradeable"], true);
    assert_eq!(row["liquidity"], "EXCELLENT");
    assert!(row["skew"]["slope"].as_f64().unwrap() < 0.0, "puts are dearer: {}", row["skew"]);
    // The same volatilities in both expirations.
    assert_eq!(row["term"]["state"], "flat", "{}", row["term"]);
    assert_eq!(row["moves"][0]["move"], 0.05, "the sign is kept: {}", row["moves"]);
    assert_eq!(row["moves"][1]["move"], -0.05);
    // Nothing that came later is looked at.
    let early = desk.run("vrp AAA --date 2025-12-04 --json").exits(0).json();
    assert_eq!(early["rows"][0]["status"], "NO_IMPLIED_MOVE");
    let then = desk.run("vrp AAA --at 4 --json").exits(0).json();
    assert_eq!(then["rows"][0]["status"], "NO_IMPLIED_MOVE", "the chain came at position 6");
}

/// A strike that nobody quotes is one of the two around spot as much as one that nobody bids for.
#[test]
fn a_strike_without_quotes_is_no_hole_in_the_chain() {
    let with = |bid: &str, ask: &str, of: &str| {
        let changed = |line: &str| {
            let mut cells: Vec<&str> = line.split(',').collect();
            if cells[0].starts_with("O:AAA251212") && cells[0].contains(of) {
                (cells[5], cells[6]) = (bid, ask);
            }
            cells.join(",") + "\n"
        };
        let desk = without_quotes();
        let file = desk.write("chain.csv", &chain("AAA").lines().map(changed).collect::<String>());
        desk.run(&format!("import chain {file} -s AAA --date 2025-12-05 --yes")).exits(0);
        row(&desk.run("vrp AAA --date 2025-12-05 --json").exits(0).json(), "AAA")
    };
    let dead = with("0", "0", "00105000");
    assert_eq!((&dead["method"], &dead["straddle"]), (&"single_bracket".into(), &9.8.into()));
    let reasons = dead["reasons"].to_string();
    assert!(reasons.contains("one of the two strikes around spot cannot be used"), "{reasons}");
    for (of, bid, ask) in [
        ("00105000", "", ""),
        ("C00105000", "", ""),
        ("00105000", "2", ""),
        ("00105000", "", "7.05"),
    ] {
        let found = with(bid, ask, of);
        for name in ["method", "straddle", "implied_move", "strike", "liquidity"] {
            assert_eq!(found[name], dead[name], "{of} {bid} {ask}: {name}");
        }
    }
    // Without any quote of the expiration there are none, as in bars of a day.
    let none = with("", "", "");
    assert_eq!(none["status"], "NO_IMPLIED_MOVE", "{none}");
}

#[test]
fn a_scan_ranks_what_it_can_and_says_what_it_cannot() {
    let desk = desk();
    let found = desk.run("vrp scan --date 2025-12-10 --json").exits(0).json();
    assert_eq!(found["summary"]["symbols"], 2);
    assert_eq!(found["summary"]["analysed"], 1);
    assert_eq!(found["summary"]["no_implied_move"], 1);
    assert_eq!(found["rows"][0]["symbol"], "AAA", "scored ones first");
    for name in ["vrp", "tier", "score", "implied_move", "mean_move"] {
        assert!(row(&found, "BBB")[name].is_null(), "{name}: nothing is made up");
    }
    let table = desk.run("vrp scan --date 2025-12-10").exits(0).out;
    for part in ["AAA", "1.94x", "GOOD", "neither a straddle nor a chain", "1 without an implied"] {
        assert!(table.contains(part), "{part}: {table}");
    }
    let none = desk.run("vrp scan --date 2025-12-09").exits(0);
    assert!(none.out.contains("no announcement on 2025-12-09"), "{}", none.out);
    assert!(none.err.contains("`--date 2025-12-10` (2 stocks)"), "{}", none.err);
    let late = desk.run("vrp scan --date 2026-06-01").exits(0).err;
    assert!(late.contains("`--date 2025-12-10` (2 stocks)"), "{late}");
    assert!(late.contains("`volledger import earnings FILE`"), "{late}");
    // A recorded straddle about a stock whose moves are not known.
    let file = desk.write(
        "log.csv",
        "ticker,earnings_date,expiration,scan_date,stock_price,\
        straddle_cost\nBBB,2025-12-10,2025-12-12,2025-12-05,50,4\n",
    );
    desk.run(&format!("import straddles {file} --yes")).exits(0);
    let found = desk.run("vrp list BBB,AAA --date 2025-12-05 --json").exits(0).json();
    let bbb = row(&found, "BBB");
    assert_eq!(
        (bbb["status"].as_str(), bbb["implied_move"].as_f64()),
        (Some("NO_HISTORICAL_DATA"), Some(0.08))
    );
    assert!(bbb["reasons"][0].as_str().unwrap().contains("0 of 4 past moves"), "{bbb}");
    let csv = desk.run("vrp list AAA BBB --date 2025-12-05 -o csv").exits(0).out;
    assert_eq!(csv.lines().count(), 3, "{csv}");
    // What to know before believing a number is not in the table for people alone.
    let markdown = desk.run("vrp list AAA BBB --date 2025-12-05 -o markdown").exits(0).out;
    for text in [csv, markdown] {
        for part in ["method", "reasons", "interpolated", "0 of 4 past moves", "options pay for"] {
            assert!(text.contains(part), "{part}: {text}");
        }
    }
}

#[test]
fn the_history_of_a_stock_and_its_next_announcement() {
    let desk = desk();
    let found = desk.run("earnings AAA --date 2025-12-05 --json").exits(0).json();
    assert_eq!(found["next"]["earnings_date"], "2025-12-10");
    assert_eq!(
        (found["next"]["days"].as_i64(), found["next"]["confirmed"].as_bool()),
        (Some(5), Some(true))
    );
    assert_eq!(found["projection"], "earnings_moves@2");
    assert_eq!(found["history"]["n"], 5);
    assert_eq!(found["rows"][0]["status"], "PENDING");
    assert_eq!(found["rows"][1]["reaction_session"], "2025-10-30");
    let old = desk.run("earnings AAA --projection earnings_moves@1 --json").exits(0).json();
    assert_eq!(old["rows"][1]["reaction_session"], Json::Null, "no close of the day before");
    assert_eq!(old["rows"][1]["reason"], "missing_bar");
    let text = desk.run("earnings AAA --date 2025-12-05").exits(0).out;
    for part in ["Next: 2025-12-10 AMC, confirmed, in 5 days", "+5.00 %", "PENDING", "5 past moves"]
    {
        assert!(text.contains(part), "{part}: {text}");
    }
    // Too few moves have no sum.
    let early = desk.run("earnings AAA --date 2025-05-02 --json").exits(0).json();
    assert!(early["history"].is_null(), "{early}");
    assert_eq!(early["notes"][0], "3 of 4 past moves are known");
    // Each command has a schema, and a clear word for what is not there.
    let ran = desk.run("earnings ZZZ").exits(1);
    assert!(ran.err.contains("nothing is known of earnings of ZZZ"), "{}", ran.err);
    assert!(desk.run("vrp AAA --tiers loose").exits(2).err.contains("seed, balanced"));
    assert!(desk.run("vrp AAA --projection iv_metrics").exits(2).err.contains("earnings_date"));
    desk.run("vrp").exits(2);
}

/// What settings say of past moves holds for both commands, and what is not from close to close is
/// told to be so.
#[test]
fn the_settings_say_which_moves_are_summed_up() {
    let desk = desk();
    let bars = "date,ticker,open,high,low,close\n2025-05-01,AAA,102,108,97,105\n\
                2025-07-31,AAA,98,105,94,95\n2025-10-30,AAA,102,108,97,105\n";
    let file = desk.write("bars.csv", bars);
    desk.run(&format!("import spot {file} --symbol-from column --yes")).exits(0);
    let home = desk.path().join("home/.config/volledger");
    std::fs::create_dir_all(&home).unwrap();
    let settings = "[vrp]\nmetric = \"intraday\"\n[quarters]\nmin = 2\nmax = 2\n";
    std::fs::write(home.join("config.toml"), settings).unwrap();
    let of = |command: &str| {
        desk.run(&format!("{command} AAA --date 2025-12-05 --json")).exits(0).json()
    };
    let (earnings, vrp) = (of("earnings"), of("vrp"));
    assert_eq!(earnings["history"], vrp["rows"][0]["history"]);
    assert_eq!(
        (&earnings["metric"], &earnings["history"]["n"]),
        (&"intraday_move".into(), &2.into())
    );
    assert!((earnings["history"]["mean_move"].as_f64().unwrap() - 0.11).abs() < 1e-9, "{earnings}");
    assert!(!earnings["notes"].to_string().contains("past moves are known"), "{earnings}");
    let text = desk.run("earnings AAA --date 2025-12-05").exits(0).out;
    assert!(text.contains("2 past moves from low to high: mean 11.00 %"), "{text}");
    let text = desk.run("vrp AAA --date 2025-12-05").exits(0).out;
    for part in [
        "2 past announcements moved it 11.00 % from low to high on average",
        "Newest: 2025-10-29 11.00 %, 2025-07-30 11.00 %",
        "Past moves from low to high by earnings_moves@2",
    ] {
        assert!(text.contains(part), "{part}: {text}");
    }
    std::fs::remove_file(home.join("config.toml")).unwrap();
    let text = desk.run("vrp AAA --date 2025-12-05").exits(0).out;
    assert!(text.contains("moved it 5.00 % on average"), "{text}");
    assert!(text.contains("2025-10-29 +5.00 %"), "{text}");
}

#[test]
fn a_calendar_is_judged_without_a_ledger() {
    let desk = Desk::new();
    let file = desk.write("c.csv", &calendar("AAA"));
    let found = desk.run(&format!("check {file} --series earnings --json")).exits(0).json();
    assert_eq!(found["rows"]["accepted"], 6, "{found}");
    let file =
        desk.write("d.csv", &(calendar("AAA") + "BBB,2025-13-01,AMC,1\nBBB,2025-12-01,NOON,1\n"));
    desk.run(&format!("check {file} --series earnings")).exits(11);
}

#[test]
fn tiers_are_data() {
    let desk = desk();
    let at = |tiers: &str| {
        let line = format!("vrp AAA --date 2025-12-05 --json --tiers {tiers}");
        row(&desk.run(&line).exits(0).json(), "AAA")["tier"].clone()
    };
    assert_eq!(["seed", "balanced", "legacy"].map(at), ["GOOD", "EXCELLENT", "MARGINAL"]);
    let own = "id = \"own\"\nversion = 1\ntitle = \"mine\"\nexcellent = 9.0\ngood = 8.0\nmarginal = 7.0\n\
        metric = \"gap\"\nmin_quarters = 1\nmax_quarters = 2\n";
    let file = desk.write("own.toml", own);
    let found =
        desk.run(&format!("vrp AAA --date 2025-12-05 --json --tiers {file}")).exits(0).json();
    assert_eq!(found["tiers"]["metric"], "gap_move");
    assert_eq!(found["rows"][0]["status"], "NO_HISTORICAL_DATA", "closes alone have no gaps");
    let wrong = desk.write("wrong.toml", &own.replace("good = 8.0", "good = 9.5"));
    let ran = desk.run(&format!("vrp AAA --tiers {wrong}")).exits(2);
    assert!(ran.err.contains("`excellent` must be above `good`"), "{}", ran.err);
}

#[test]
fn snapshots_and_overviews_know_the_next_announcement() {
    let desk = desk();
    let iv = desk.write("AAA.csv", "Date,IV30\n2025-12-04,40.0\n2025-12-05,41.0\n");
    desk.run(&format!("import iv {iv} -s AAA --mapping mc-iv-basic --yes")).exits(0);
    let found = desk.run("snapshot AAA --date 2025-12-05 --json").exits(0).json();
    assert_eq!(found["rows"][0]["next_earnings"], "2025-12-10");
    let hv = desk.write("hv.csv", "date,hv20\n2025-12-05,30\n");
    desk.run(&format!("import hv {hv} -s AAA --yes")).exits(0);
    let found = desk.run("overview AAA --date 2025-12-05 --json").exits(0).json();
    assert_eq!(found["rows"][0]["next_earnings"], "2025-12-10", "{found}");
    assert_eq!(found["rows"][0]["days_until_earnings"], 5);
    assert_eq!(found["meta"]["earnings_known"], 1);
    let after = desk.run("overview AAA --date 2025-12-11 --json").exits(0).json();
    assert!(after["rows"][0]["next_earnings"].is_null(), "none is to come then");
    // Not at a position before the calendar was confirmed.
    let then = desk.run("snapshot AAA --at 1 --json").exits(0).json();
    assert!(then["rows"][0]["next_earnings"].is_null());
}
