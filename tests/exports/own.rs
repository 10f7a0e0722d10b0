//! What we wrote ourselves: it comes back, and a file beside it says where it is from.

use crate::program::{Desk, sample};
use crate::schemas::{output_schema, violations};
use serde_json::{Value, json};
use std::collections::BTreeSet;
use volledger::ledger::hash::Hasher;

/// Views whose CSV files an import reads, with the words that read our own.
const READ: [(&str, &str); 7] = [
    ("iv", "--mapping iv-fraction"),
    ("hv", "--mapping hv-fraction"),
    ("spot", "--mapping spot-full"),
    ("index", "-s I:VIX"),
    ("earnings", ""),
    ("moves", "--mapping moves-fraction"),
    ("straddles", "--mapping straddles-fraction"),
];

/// A ledger with each of these views, and every field that they have.
fn filled() -> Desk {
    let desk = Desk::with_ledger();
    for series in ["iv", "hv", "spot"] {
        let file = sample(&format!("{series}/VOLA.csv"));
        desk.run(&format!("import {series} {file} -s VOLA --yes")).exits(0);
    }
    let folder = |name: &str, text: &str| {
        std::fs::create_dir_all(desk.path().join("t").join(name)).unwrap();
        desk.write(&format!("t/{name}/ODD.json"), text);
    };
    folder(
        "iv_daily_summary",
        r#"[{"date": "2024-01-02", "atm_iv": 0.3500, "iv30_ma20": 0.341, "options_volume": 1200,
             "iv_rank (IV)": 12.5, "iv_percentile (IV)": 40.10, "iv_rank (HV)": 0.4,
             "iv_percentile (HV)": 55, "term_m1_m2": -0.32, "term_m1_m3": 1.5, "skew": -8.23},
            {"date": "2024-01-03", "atm_iv": 0.36, "skew": 7}]"#,
    );
    folder(
        "spot_prices",
        r#"[{"date": "2024-01-02", "close": 10.50, "volume": 2052204, "atr": 0.61, "vwap": 10.4123,
             "transactions": 812, "t": 1704171600000, "pre_market": 10.1, "after_hours": 10.6,
             "otc": "yes"}]"#,
    );
    desk.run("import tomic t --yes").exits(0);
    let vix = desk.write("VIX.csv", "DATE,OPEN,HIGH,LOW,CLOSE\n01/02/2024,13.2,14.20,13.1,13.25\n");
    desk.run(&format!("import index {vix} -s VIX --force")).exits(0);
    let events = [
        (
            "earnings",
            "ticker,announcement_date,timing,confirmed,fiscal_period_end,eps_actual,eps_estimate,currency,name,source\n\
             VOLA,2024-03-05,AMC,1,2023-12-31,-0.10,1.20,USD,\"=A, B\",site\nVOLB,2024-03-06,UNKNOWN,0,,,,,,\n",
        ),
        (
            "moves",
            "ticker,earnings_date,close_move_pct,gap_move_pct,intraday_move_pct,prev_close,earnings_open,earnings_high,\
             earnings_low,earnings_close,volume_before,volume_earnings\n\
             VOLA,2024-03-05,-3.0147,-1.25,4.5,101.17,101,104.22,98.00,98.12,12000,45000\n\
             VOLB,2024-03-06,0.5,,,,,,,,,\n",
        ),
        (
            "straddles",
            "ticker,earnings_date,expiration,scan_date,stock_price,atm_strike,call_mid,put_mid,straddle_cost,\
             implied_move_pct,historical_mean_pct,historical_median_pct,historical_std_pct,vrp_ratio,edge_score,\
             recommendation,quarters_of_data,ml_predicted_move_pct,ml_confidence\n\
             VOLA,2024-03-05,2024-03-08,2024-03-01,100.18,100.0,3.64,3.64,7.28,7.2669,5.1,4.90,2.25,1.42,0.8,good,12,-3.79,0.69\n\
             VOLB,2024-03-06,,2024-03-01,16.39,,,,1.54,,,,,,,,,,\n",
        ),
    ];
    for (series, text) in events {
        let file = desk.write(&format!("{series}.csv"), text);
        desk.run(&format!("import {series} {file} --yes")).exits(0);
    }
    desk
}

#[test]
fn what_our_own_csv_says_is_read_back_field_for_field() {
    let (from, to) = (filled(), Desk::with_ledger());
    let rows = |desk: &Desk, series: &str, symbol: &str| -> Value {
        let mut view = desk.run(&format!("view {series} {symbol} --json")).exits(0).json();
        // Which values only fill holes is of the batch that brought them, and no value.
        let rows = view["rows"].as_array_mut().unwrap();
        rows.iter_mut().for_each(|row| drop(row.as_object_mut().unwrap().remove("fill")));
        view["rows"].clone()
    };
    for (series, words) in READ {
        from.run(&format!("export {series} -O {series}.out.csv")).exits(0);
        let file = from.path().join(format!("{series}.out.csv"));
        let text = std::fs::read_to_string(&file).unwrap();
        let ran = to.run(&format!("import {series} {} {words} --yes", file.display())).exits(0);
        for code in ["ignored_columns", "missing_optional", "optional_field"] {
            let quiet = series == "earnings" && code == "missing_optional";
            assert!(quiet || !ran.out.contains(code), "{series}: {}", ran.out);
        }
        let symbols: BTreeSet<&str> =
            text.lines().skip(1).filter_map(|line| line.split(',').next()).collect();
        assert!(!symbols.is_empty(), "{series}");
        let mut fields = BTreeSet::new();
        for symbol in symbols {
            let (before, after) = (rows(&from, series, symbol), rows(&to, series, symbol));
            assert_eq!(before, after, "{series} {symbol}");
            let members =
                before.as_array().unwrap().iter().flat_map(|row| row.as_object().unwrap());
            fields.extend(members.map(|(name, _)| name.clone()));
        }
        // Every field that the view can have was there to be lost; only services stamp levels.
        let known = series.parse::<volledger::domain::Series>().unwrap().fields();
        for field in known.filter(|field| (series, field.name) != ("index", "t")) {
            assert!(fields.contains(field.name), "{series} {}", field.name);
        }
    }
}

#[test]
fn a_refused_export_names_the_mapping_that_reads_it() {
    let desk = filled();
    for series in ["iv", "moves", "straddles", "spot"] {
        desk.run(&format!("export {series} -O {series}.out.csv")).exits(0);
    }
    for (line, exit, mapping) in [
        ("import iv iv.out.csv --symbol-from column", 1, "iv-fraction"),
        ("import moves moves.out.csv", 1, "moves-fraction"),
        // These have the columns without which nothing works, and would lose the others.
        ("import straddles straddles.out.csv", 0, "straddles-fraction"),
        ("import spot spot.out.csv --symbol-from column", 0, "spot-full"),
    ] {
        let ran = desk.run(&format!("{line} --dry-run")).exits(exit);
        let told = ran.out + &ran.err;
        assert!(told.contains(&format!("`--mapping {mapping}` reads such columns")), "{told}");
    }
}

/// A mapping that was named knows where the symbol stands.
#[test]
fn a_mapping_with_a_column_for_the_symbol_needs_no_word_about_it() {
    let desk = Desk::with_ledger();
    let bars = desk.write(
        "bars.csv",
        "ticker,earnings_date,timing,offset,date,open,high,low,close,volume\n\
         VOLA,2024-03-05,AMC,0,2024-03-05,10,11,9,10.5,100\n",
    );
    let closes = desk.write(
        "closes.csv",
        "ticker,prev_session,close_prev,announce_session,close_announce,next_session,close_next\n\
         VOLB,2024-03-04,1,2024-03-05,2,2024-03-06,3\n",
    );
    desk.run(&format!("import spot {bars} --mapping event-bars --yes")).exits(0);
    desk.run(&format!("import spot {closes} --mapping event-closes --yes")).exits(0);
    let rows = |symbol: &str| {
        let view = desk.run(&format!("view spot {symbol} --json")).exits(0).json();
        view["rows"].as_array().unwrap().len()
    };
    assert_eq!((rows("VOLA"), rows("VOLB")), (1, 3));
    let bare = "date,close\n2024-03-05,10\n";
    let ran = desk.fed("import spot - --mapping event-bars --yes", bare).exits(2);
    assert!(ran.err.contains("which symbol is"), "{}", ran.err);
    let named = bare.replace("date", "symbol,date").replace("2024", "VOLC,2024");
    desk.fed("import spot - --mapping event-bars --yes", &named).exits(0);
    assert_eq!(rows("VOLC"), 1);
    // Without a mapping that somebody named, the symbol is asked for.
    desk.run(&format!("import spot {bars} --yes")).exits(2);
}

#[test]
fn a_text_has_a_file_beside_it_that_says_where_it_is_from() {
    let desk = filled();
    let schema = output_schema("export-metadata");
    let log = desk.run("status --json").exits(0).json();
    for (line, name) in [
        ("export iv -O iv.csv", "iv.csv"),
        ("export iv VOLA -O iv.json --columns atm_iv,skew", "iv.json"),
        ("export straddles -O s.jsonl --from 2024-01-01", "s.jsonl"),
        ("export iv VOLA -O then.csv --at #1 --first", "then.csv"),
        ("export chain -O none.csv", "none.csv"),
    ] {
        let told = desk.run(&format!("{line} --json")).exits(0).json();
        let beside = format!("{name}-metadata.json");
        assert_eq!(told["files"], json!([name, beside]), "{line}");
        let text = std::fs::read_to_string(desk.path().join(&beside)).unwrap();
        let said: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(violations(&schema, &said), Vec::<String>::new(), "{line}");
        let bytes = std::fs::read(desk.path().join(name)).unwrap();
        let mut hasher = Hasher::default();
        hasher.update(&bytes);
        let file = json!([{"path": name, "rows": told["rows"], "bytes": bytes.len(),
            "digest": hasher.finish().to_string(), "series": said["series"][0]["series"]}]);
        assert_eq!(said["files"], file, "{line}");
        assert_eq!(said["position"], told["position"], "{line}");
        assert_eq!(said["series"][0]["digest"], told["digest"], "{line}");
        let first = if line.contains("--first") { "first" } else { "latest" };
        assert_eq!(said["which"], first, "{line}");
        if !line.contains("--at") {
            assert_eq!(said["log_root"], log["log_root"], "{line}");
        }
    }
    let read = |name: &str| std::fs::read_to_string(desk.path().join(name)).unwrap();
    let said: Value = serde_json::from_str(&read("iv.json-metadata.json")).unwrap();
    assert_eq!(said["symbols"], json!(["VOLA"]));
    let columns = said["series"][0]["columns"].as_array().unwrap();
    let columns: Vec<_> =
        columns.iter().map(|of| (&of["name"], &of["type"], &of["unit"])).collect();
    let text = |words: [&str; 3]| words.map(Value::from);
    let want = [text(["symbol", "string", ""]), text(["date", "date", ""])];
    assert_eq!(columns[..2], want.each_ref().map(|[a, b, c]| (a, b, c)));
    assert!(columns.iter().any(|of| *of.0 == "atm_iv" && *of.1 == "decimal" && *of.2 == "vol"));
    // What it replaces is kept as the file itself is; standard output has none.
    desk.run("export iv VOLA -O iv.csv").exits(0);
    assert!(read("iv.csv-metadata.json.bak").contains("\"symbols\": []"));
    let before = crate::support::files(desk.path()).len();
    desk.run("export iv VOLA -f csv").exits(0);
    desk.run("export iv VOLA -O /dev/null").exits(0);
    assert_eq!(crate::support::files(desk.path()).len(), before);
    assert!(!std::path::Path::new("/dev/null-metadata.json").exists());
}
