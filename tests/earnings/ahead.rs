//! Nothing is judged by what came after it: quotes of after the news, announcements that are past,
//! expirations that are about something else.

use crate::program::{Desk, Ran, ran};
use serde_json::Value as Json;

/// Five announcements before the open with moves of 5 %, and those that a test adds.
fn desk(more: &str) -> Desk {
    let desk = Desk::with_ledger();
    let days = ["2023-11-07", "2024-02-06", "2024-05-07", "2024-08-06", "2024-11-05"];
    let before = ["2023-11-06", "2024-02-05", "2024-05-06", "2024-08-05", "2024-11-04"];
    let calendar: String = days.iter().map(|day| format!("BBB,{day},BMO,1\n")).collect();
    let text = format!("ticker,announcement_date,timing,confirmed\n{calendar}{more}");
    let file = desk.write("calendar.csv", &text);
    desk.run(&format!("import earnings {file} --yes")).exits(0);
    let pairs = before.iter().zip(days);
    let closes: String =
        pairs.map(|(before, day)| format!("{before},BBB,100\n{day},BBB,105\n")).collect();
    let file = desk.write("closes.csv", &format!("date,ticker,close\n{closes}"));
    desk.run(&format!("import spot {file} --symbol-from column --yes")).exits(0);
    desk
}

/// Straddles: event, expiration, day of the quotes, price, cost.
fn straddles(desk: &Desk, rows: &str) {
    let head = "ticker,earnings_date,expiration,scan_date,stock_price,straddle_cost\n";
    let file = desk.write("straddles.csv", &format!("{head}{rows}"));
    desk.run(&format!("import straddles {file} --yes")).exits(0);
}

/// A chain of a day around a price of 100, whose straddle costs twice `leg`.
fn chain(desk: &Desk, day: &str, expiry: &str, leg: f64) {
    let mut text = "option_symbol,underlying,strike_price,contract_type,expiration_date,bid,ask,\
                    implied_volatility,open_interest,underlying_price\n"
        .to_owned();
    let code = expiry.replace('-', "");
    for (right, letter) in [("call", 'C'), ("put", 'P')] {
        text += &format!(
            "O:BBB{}{letter}00100000,BBB,100,{right},{expiry},{:.2},{:.2},0.5,900,100\n",
            &code[2..],
            leg - 0.05,
            leg + 0.05
        );
    }
    let file = desk.write("chain.csv", &text);
    desk.run(&format!("import chain {file} -s BBB --date {day} --yes")).exits(0);
}

#[track_caller]
fn row(found: Ran) -> Json {
    found.exits(0).json()["rows"][0].clone()
}

fn said(row: &Json, what: &str) -> bool {
    row["reasons"].as_array().unwrap().iter().any(|of| of.as_str().unwrap().contains(what))
}

const TWO: &str = "BBB,2025-02-04,BMO,1\nBBB,2025-05-06,BMO,0\n";

#[test]
fn quotes_of_the_day_say_nothing_of_an_announcement_before_its_open() {
    let desk = desk(TWO);
    straddles(
        &desk,
        "BBB,2025-02-04,2025-02-07,2025-02-03,100,12\nBBB,2025-02-04,2025-02-07,2025-02-04,105,2\n",
    );
    let of = |line: &str| row(desk.run(&format!("vrp {line} --json")));
    for line in ["scan --date 2025-02-04", "BBB --date 2025-02-04"] {
        let found = of(line);
        assert_eq!((&found["date"], &found["tier"]), (&"2025-02-03".into(), &"EXCELLENT".into()));
        assert!((found["vrp"].as_f64().unwrap() - 2.4).abs() < 1e-9, "{line}: {found}");
    }
    // Chains alike: that of the day is about the next quarter.
    let desk = self::desk(TWO);
    chain(&desk, "2025-02-03", "2025-02-07", 6.0);
    chain(&desk, "2025-02-04", "2025-02-07", 1.0);
    let found = row(desk.run("vrp scan --date 2025-02-04 --json"));
    assert_eq!((&found["date"], &found["straddle"]), (&"2025-02-03".into(), &12.0.into()));
    let found = row(desk.run("vrp BBB --date 2025-02-04 --json"));
    assert_eq!(found["status"], "NO_IMPLIED_MOVE", "{found}");
    assert!(said(&found, "ends before 2025-05-06"), "{found}");
    // With the one of the day alone, that is what both say.
    let desk = self::desk("BBB,2025-02-04,BMO,1\n");
    chain(&desk, "2025-02-04", "2025-02-07", 1.0);
    let found = row(desk.run("vrp scan --date 2025-02-04 --json"));
    assert!(said(&found, "of before the news of 2025-02-04 is in the ledger"), "{found}");
    let found = row(desk.run("vrp BBB --date 2025-02-04 --json"));
    assert!(said(&found, "the quotes of 2025-02-04 are of after its news"), "{found}");
}

/// Why there is no price is not that there are no quotes.
#[test]
fn quotes_without_a_price_of_the_stock_are_told_from_none() {
    let desk = desk(TWO);
    let rows = "BBB250207C00100000,BBB,100,call,2025-02-07,5.95,6.05,0.5,900\n\
                BBB250207P00100000,BBB,100,put,2025-02-07,5.95,6.05,0.5,900\n";
    let head = "option_symbol,underlying,strike_price,contract_type,expiration_date,bid,ask,\
                implied_volatility,open_interest\n";
    let file = desk.write("chain.csv", &format!("{head}{rows}"));
    desk.run(&format!("import chain {file} -s BBB --date 2025-02-03 --yes")).exits(0);
    let found = || row(desk.run("vrp BBB --date 2025-02-03 --json"));
    assert!(said(&found(), "neither the chain of 2025-02-03 nor a close says"), "{}", found());
    let spot = |close: &str| {
        let file = desk.write("spot.csv", &format!("date,ticker,close\n2025-02-03,BBB,{close}\n"));
        desk.run(&format!("import spot {file} --symbol-from column --yes")).exits(0);
    };
    spot("10");
    assert!(said(&found(), "do not fit the close of 10"), "{}", found());
    // An older straddle that takes their place does not silence them.
    straddles(&desk, "BBB,2025-02-04,2025-02-07,2025-01-31,100,9\n");
    assert_eq!((&found()["date"], &found()["status"]), (&"2025-01-31".into(), &"SUCCESS".into()));
    assert!(said(&found(), "do not fit the close of 10"), "{}", found());
    spot("100");
    assert_eq!((&found()["date"], &found()["status"]), (&"2025-02-03".into(), &"SUCCESS".into()));
    assert!(!said(&found(), "do not fit the close"), "{}", found());
}

#[test]
fn quotes_of_the_day_of_news_during_the_session_are_remarked() {
    for (timing, doubtful) in [("DMH", true), ("UNKNOWN", true), ("AMC", false)] {
        let desk = desk(&format!("BBB,2025-02-04,{timing},1\n"));
        straddles(&desk, "BBB,2025-02-04,2025-02-07,2025-02-04,100,12\n");
        let found = row(desk.run("vrp scan --date 2025-02-04 --json"));
        assert_eq!(found["status"], "SUCCESS");
        assert_eq!(said(&found, "may be of after the news"), doubtful, "{timing}: {found}");
    }
}

#[test]
fn an_announcement_that_is_past_is_not_judged() {
    let desk = desk(TWO);
    straddles(&desk, "BBB,2025-02-04,2025-02-07,2025-02-03,100,12\n");
    for day in ["2025-02-05", "2025-05-05"] {
        let found = row(desk.run(&format!("vrp BBB --date {day} --json")));
        assert_eq!(found["status"], "NO_IMPLIED_MOVE", "{day}: {found}");
        assert_eq!(found["tradeable"], false);
        assert!(
            said(
                &found,
                "no straddle in the ledger by then is about an announcement still to come"
            ),
            "{found}"
        );
    }
    assert_eq!(row(desk.run("vrp BBB --date 2025-02-03 --json"))["status"], "SUCCESS");
    // Nor by a chain of before it.
    let desk = self::desk(TWO);
    chain(&desk, "2025-02-03", "2025-02-07", 6.0);
    assert_eq!(row(desk.run("vrp BBB --date 2025-02-03 --json"))["status"], "SUCCESS");
    let found = row(desk.run("vrp BBB --date 2025-02-05 --json"));
    assert!(said(&found, "ends before 2025-05-06"), "{found}");
}

/// `iv_crush.md` A11: an expiration more than 30 days after the announcement is refused.
#[test]
fn an_expiration_long_after_the_announcement_says_nothing_of_it() {
    let desk = desk("BBB,2025-02-04,BMO,1\n");
    chain(&desk, "2025-02-03", "2025-03-07", 6.0);
    let found = row(desk.run("vrp BBB --date 2025-02-03 --json"));
    assert_eq!(found["status"], "NO_IMPLIED_MOVE", "{found}");
    assert!(said(&found, "the first one is 2025-03-07"), "{found}");
    chain(&desk, "2024-12-20", "2025-03-06", 6.0);
    let found = row(desk.run("vrp BBB --date 2024-12-20 --json"));
    assert_eq!((&found["status"], &found["expiration"]), (&"SUCCESS".into(), &"2025-03-06".into()));
    assert!(said(&found, "the announcement is 46 days after the quotes"), "{found}");
    straddles(&desk, "BBB,2025-02-04,2025-03-21,2025-02-03,100,12\n");
    let found = row(desk.run("vrp BBB --date 2025-02-03 --json"));
    assert!(said(&found, "expires 45 days after the announcement"), "{found}");
}

/// A date that was left over when the company confirmed another one counts as an announcement.
#[test]
fn two_dates_of_one_announcement_are_remarked() {
    let desk = desk("BBB,2024-11-08,UNKNOWN,0\nBBB,2025-02-04,BMO,1\n");
    straddles(&desk, "BBB,2025-02-04,2025-02-07,2025-02-03,100,12\n");
    let found = row(desk.run("vrp BBB --date 2025-02-03 --json"));
    assert!(said(&found, "2024-11-05 and 2024-11-08 are 3 days apart"), "{found}");
    // Dates that nothing was taken from are left alone.
    let desk = self::desk("BBB,2025-02-04,BMO,1\nBBB,2026-02-04,BMO,0\nBBB,2026-02-09,BMO,0\n");
    straddles(&desk, "BBB,2025-02-04,2025-02-07,2025-02-03,100,12\n");
    assert!(!said(&row(desk.run("vrp BBB --date 2025-02-03 --json")), "days apart"));
    // Of the announcement that a scan is about it is said without an implied move too.
    let desk = self::desk("BBB,2025-02-04,BMO,1\nBBB,2025-02-07,BMO,0\n");
    let found = row(desk.run("vrp scan --date 2025-02-07 --json"));
    assert_eq!(found["status"], "NO_IMPLIED_MOVE", "{found}");
    assert!(said(&found, "2025-02-04 and 2025-02-07 are 3 days apart"), "{found}");
}

/// Whether the news of a Friday came before its open is seen on Monday.
#[test]
fn a_timing_is_inferred_when_the_session_after_was_seen() {
    let desk = desk("BBB,2025-02-07,UNKNOWN,1\n");
    let bars = "date,ticker,open,high,low,close\n2025-02-06,BBB,100,101,99,100\n\
        2025-02-07,BBB,110,112,109,111\n2025-02-10,BBB,111,112,110,111\n";
    let file = desk.write("bars.csv", bars);
    desk.run(&format!("import spot {file} --symbol-from column --yes")).exits(0);
    let newest = |day: &str| row(desk.run(&format!("earnings BBB --date {day} --json")));
    for (day, reason) in [
        ("2025-02-07", "bar_not_yet_available"),
        ("2025-02-08", "bar_not_yet_available"),
        ("2025-02-10", "bar_not_yet_available"),
        ("2025-02-11", "inferred"),
    ] {
        let found = newest(day);
        assert_eq!(found["earnings_date"], "2025-02-07", "{day}");
        assert_eq!(
            (&found["reason"], &found["timing"]),
            (&reason.into(), &"UNKNOWN".into()),
            "{day}"
        );
        assert_eq!(found["close_move"].is_null(), reason != "inferred", "{day}: {found}");
    }
    // Of what comes later than the next announcement, nothing is said.
    let early = desk.run("earnings BBB --date 2024-11-01 --json").exits(0).json();
    let days: Vec<&str> = early["rows"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|row| row["earnings_date"].as_str())
        .collect();
    assert_eq!(days[0], "2024-11-05", "{early}");
    assert_eq!(early["rows"][0]["close_move"], Json::Null);
}

/// Neither do notes tell of what came later: of a second date, of a move that was not known yet.
#[test]
fn notes_of_a_day_tell_of_nothing_after_it() {
    let desk = desk("BBB,2025-02-03,AMC,1\nBBB,2026-02-04,BMO,0\nBBB,2026-02-09,BMO,0\n");
    let closes = "date,ticker,close\n2025-02-03,BBB,100\n2025-02-04,BBB,105\n";
    let file = desk.write("late.csv", closes);
    desk.run(&format!("import spot {file} --symbol-from column --yes")).exits(0);
    let notes = |line: &str| {
        let found = desk.run(&format!("earnings BBB {line} --json")).exits(0).json();
        found["notes"].to_string()
    };
    let near = "2026-02-04 and 2026-02-09 are 5 days apart";
    assert!(notes("").contains(near), "{}", notes(""));
    assert!(!notes("--date 2025-01-31").contains(near));
    assert!(!notes("--date 2026-02-04").contains(near), "the next one alone was announced");
    assert!(notes("--date 2026-02-05").contains(near));
    // Announced after the close of the 3rd, its move came with that of the 4th.
    let without = "1 past announcement without a move (bar_not_yet_available)";
    assert!(notes("--date 2025-02-04").contains(without), "{}", notes("--date 2025-02-04"));
    assert!(!notes("--date 2025-02-05").contains("without a move"));
    let found = row(desk.run("vrp BBB --date 2025-02-04 --json"));
    assert!(said(&found, without), "{found}");
}

/// Of two sessions the one with the larger gap was taken: whoever trades on the mean is told.
#[test]
fn moves_of_inferred_sessions_are_remarked() {
    let desk = desk("BBB,2025-02-04,BMO,1\n");
    straddles(&desk, "BBB,2025-02-04,2025-02-07,2025-02-03,100,12\n");
    let found = || row(desk.run("vrp BBB --date 2025-02-03 --json"));
    assert!(!said(&found(), "inferred"), "{}", found());
    let calendar =
        "ticker,announcement_date,timing,confirmed\nBBB,2024-11-12,UNKNOWN,1\nBBB,2024-11-19,,1\n";
    let file = desk.write("unknown.csv", calendar);
    desk.run(&format!("import earnings {file} --yes")).exits(0);
    let bar = |day: &str, open: u32| format!("{day},BBB,{open},112,98,{open}\n");
    let days = ["2024-11-11", "2024-11-12", "2024-11-13", "2024-11-18", "2024-11-19", "2024-11-20"];
    let bars: String =
        days.iter().zip([100, 101, 107, 107, 100, 100]).map(|(day, open)| bar(day, open)).collect();
    let file = desk.write("bars.csv", &format!("date,ticker,open,high,low,close\n{bars}"));
    desk.run(&format!("import spot {file} --symbol-from column --yes")).exits(0);
    assert!(
        said(&found(), "2 of the moves are of a session inferred from the gaps"),
        "{}",
        found()
    );
}

/// Half past seven in the evening in New York is the next day by Greenwich.
#[test]
fn today_is_that_of_the_exchange() {
    let desk = desk(TWO);
    straddles(&desk, "BBB,2025-02-04,2025-02-07,2025-02-03,100,12\n");
    let at = |line: &str, now: &str| {
        let mut command = desk.command(line.split_whitespace());
        command.env("VOLLEDGER_NOW", now);
        ran(command, None).exits(0)
    };
    let night = "2025-02-04T00:30:00Z";
    let found = at("earnings BBB --json", night).json();
    assert_eq!((&found["next"]["days"], &found["date"]), (&1.into(), &"2025-02-03".into()));
    let none = at("vrp scan", night);
    assert!(none.out.contains("no announcement today"), "{}", none.out);
    // Where nothing is found, the days that have something are named.
    assert!(none.err.contains("`--date 2025-02-04` (1 stock); the last"), "{}", none.err);
    assert!(at("vrp scan", "2025-02-04T14:00:00Z").out.contains("2.40x"));
    let file = desk.write("iv.csv", "Date,IV30\n2025-02-03,40.0\n");
    desk.run(&format!("import iv {file} -s BBB --mapping mc-iv-basic --yes")).exits(0);
    let found = at("coverage BBB --json", night).json();
    assert_eq!(found["date"], "2025-02-03", "{found}");
    let found = at("snapshot BBB --json", night).json();
    assert_eq!(found["rows"][0]["next_earnings"], "2025-02-04");
}

/// After a corporate action there are contracts of another size at the same strikes, and an index has
/// two roots: neither is what the straddle costs.
#[test]
fn contracts_that_were_adjusted_are_no_quotes_of_the_stock() {
    let desk = desk(TWO);
    let head = "option_symbol,underlying,strike_price,contract_type,expiration_date,bid,ask,\
                implied_volatility,open_interest,underlying_price,shares_per_contract\n";
    let pair = |root: &str, leg: f64, shares: &str| {
        let row = |right: &str, letter: &str| {
            let (bid, ask) = (leg - 0.05, leg + 0.05);
            format!(
                "O:{root}250207{letter}00100000,BBB,100,{right},2025-02-07,{bid:.2},{ask:.2},0.5,900,100,{shares}\n"
            )
        };
        row("call", "C") + &row("put", "P")
    };
    let mut moves = Vec::new();
    for (day, others) in [
        ("2025-01-30", String::new()),
        ("2025-01-31", pair("BBB1", 0.6, "")),
        ("2025-02-03", pair("BBC", 0.6, "10") + &pair("BBBW", 0.6, "100")),
    ] {
        let file = desk.write("chain.csv", &(head.to_owned() + &pair("BBB", 5.0, "100") + &others));
        desk.run(&format!("import chain {file} -s BBB --date {day} --force")).exits(0);
        moves.push(row(desk.run(&format!("vrp BBB --date {day} --json")))["implied_move"].clone());
    }
    assert!(moves[0].as_f64().is_some_and(|of| of > 0.05), "{moves:?}");
    assert_eq!((&moves[1], &moves[2]), (&moves[0], &moves[0]));
}

/// `iv_crush.md` A11: an expiration before the news is in prices is refused, which the original took.
#[test]
fn a_straddle_that_expires_before_the_news_says_nothing_of_it() {
    for (timing, expiry, holds) in [
        ("AMC", "2025-01-31", false),
        ("AMC", "2025-02-04", false),
        ("AMC", "2024-06-21", false),
        ("AMC", "2025-02-05", true),
        ("UNKNOWN", "2025-02-04", false),
        ("BMO", "2025-02-04", true),
        ("BMO", "2025-02-03", false),
        ("AMC", "", true),
    ] {
        let desk = desk(&format!("BBB,2025-02-04,{timing},1\n"));
        straddles(&desk, &format!("BBB,2025-02-04,{expiry},2025-01-30,100,12\n"));
        let found = row(desk.run("vrp BBB --date 2025-01-30 --json"));
        let status = if holds { "SUCCESS" } else { "NO_IMPLIED_MOVE" };
        assert_eq!(found["status"], status, "{timing} {expiry}: {found}");
        let why =
            format!("the straddle of 2025-01-30 expires on {expiry}: it says nothing of the news");
        assert_eq!(said(&found, &why), !holds, "{timing} {expiry}: {found}");
    }
    // An older one that holds the news is taken, and the other is told; so it is beside a chain.
    let desk = desk("BBB,2025-02-04,AMC,1\n");
    let two =
        "BBB,2025-02-04,2025-02-07,2025-01-29,100,12\nBBB,2025-02-04,2025-01-31,2025-01-30,100,4\n";
    straddles(&desk, two);
    let found = || row(desk.run("vrp BBB --date 2025-01-31 --json"));
    assert_eq!((&found()["date"], &found()["straddle"]), (&"2025-01-29".into(), &12.0.into()));
    assert!(said(&found(), "the straddle of 2025-01-30 expires on 2025-01-31"), "{}", found());
    chain(&desk, "2025-01-30", "2025-02-07", 6.0);
    assert!(!said(&found(), "the straddle of 2025-01-30"), "{}", found());
}

/// What a chain is warned of a recorded straddle is too; and it is said where its own move is another.
#[test]
fn a_recorded_straddle_that_cannot_be_right_is_remarked() {
    let of = |cost: &str, percent: &str| {
        let desk = desk("BBB,2025-02-04,BMO,1\n");
        let head = "ticker,earnings_date,scan_date,stock_price,straddle_cost,implied_move_pct\n";
        let text = format!("{head}BBB,2025-02-04,2025-02-03,100,{cost},{percent}\n");
        let file = desk.write("straddles.csv", &text);
        desk.run(&format!("import straddles {file} --yes")).exits(0);
        row(desk.run("vrp BBB --date 2025-02-03 --json"))
    };
    for (cost, percent, remarks) in [
        ("8", "8", [false; 4]),
        ("8.04", "8.0", [false; 4]),
        ("8", "", [false; 4]),
        ("0.4", "0.4", [true, false, false, false]),
        ("80", "8", [false, true, false, true]),
        ("100", "100", [false, true, true, false]),
        ("8", "6.8", [false, false, false, true]),
    ] {
        let found = of(cost, percent);
        let parts = ["below 0.5 %", "above 30 %", "lower bound is not above 0", "the record says"];
        assert_eq!(parts.map(|part| said(&found, part)), remarks, "{cost} {percent}: {found}");
    }
}

/// Judged by its newest quotes, an announcement may be over by today; and its date may be none.
#[test]
fn an_announcement_that_is_over_or_on_no_session_is_not_tradeable() {
    let at = |desk: &Desk, line: &str, now: &str| {
        let mut command = desk.command(line.split_whitespace());
        command.env("VOLLEDGER_NOW", now);
        let found = ran(command, None).exits(0).json();
        assert_eq!(found["summary"]["tradeable"], u64::from(found["rows"][0]["tradeable"] == true));
        found["rows"][0].clone()
    };
    for (timing, now, over) in [
        ("AMC", "2025-02-04T15:00:00Z", false),
        ("UNKNOWN", "2025-02-04T15:00:00Z", false),
        ("AMC", "2025-02-05T15:00:00Z", true),
        ("BMO", "2025-02-03T15:00:00Z", false),
        ("BMO", "2025-02-04T15:00:00Z", true),
    ] {
        let desk = desk(&format!("BBB,2025-02-04,{timing},1\n"));
        straddles(&desk, "BBB,2025-02-04,2025-02-07,2025-02-03,100,12\n");
        let found = at(&desk, "vrp BBB --json", now);
        assert_eq!((&found["tier"], &found["tradeable"]), (&"EXCELLENT".into(), &(!over).into()));
        let why = "the announcement of 2025-02-04 is over";
        assert_eq!(said(&found, why), over, "{timing} {now}: {found}");
        // As it was seen from a day before the news.
        let then = at(&desk, "vrp BBB --date 2025-02-03 --json", now);
        assert_eq!((&then["tradeable"], said(&then, why)), (&true.into(), false));
    }
    let desk = desk("BBB,2025-02-08,AMC,1\n");
    let wrong = "no exchange is open on 2025-02-08: that date is wrong";
    let found = at(&desk, "vrp scan --date 2025-02-08 --json", "2025-02-07T15:00:00Z");
    assert!(found["status"] == "NO_IMPLIED_MOVE" && said(&found, wrong), "{found}");
    straddles(&desk, "BBB,2025-02-08,2025-02-14,2025-02-07,100,12\n");
    let found = at(&desk, "vrp BBB --json", "2025-02-07T15:00:00Z");
    assert_eq!((&found["tier"], &found["tradeable"]), (&"EXCELLENT".into(), &false.into()));
    assert!(said(&found, wrong), "{found}");
}
