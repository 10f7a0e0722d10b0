//! Pictures: what they show is what the views show, and what the files are.

use crate::program::{Desk, sample};
use crate::schemas::{output_schema, violations};
use crate::support::{confirmed_tomic, ledger, shared};
use std::collections::BTreeMap;
use volledger::app::chart::{self, Drawn, Heat, Kind, Metric};
use volledger::app::lookup;
use volledger::app::metrics::{self, Asked, Which};
use volledger::app::report::{Chart, DayKind};
use volledger::app::{AppError, Ledger};
use volledger::domain::{Calendar, Day, Series, Symbol};
use volledger::render::{Page, Picture, json};

fn day(text: &str) -> Day {
    text.parse().unwrap()
}

fn drawn(kind: Kind, symbol: &str) -> Drawn {
    let symbol: Symbol = symbol.parse().unwrap();
    Drawn { kind, symbol, fields: Vec::new(), from: None, to: None, at: None, which: Which::Latest }
}

fn draw(ledger: &Ledger, kind: Kind, symbol: &str) -> Chart {
    chart::chart(ledger, &drawn(kind, symbol)).unwrap()
}

/// The real folder in a ledger, or nothing when it is not there.
fn tomic() -> Option<(tempfile::TempDir, Ledger)> {
    let folder = shared("data/tomic")?;
    let (directory, mut ledger) = ledger();
    confirmed_tomic(&mut ledger, &folder, false);
    Some((directory, ledger))
}

#[test]
fn real_series_are_drawn_as_the_views_have_them() {
    let Some((_directory, ledger)) = tomic() else { return };
    let all = draw(&ledger, Kind::All, "AAPL");
    let names: Vec<_> = all.lines.iter().map(|line| (line.field, line.panel)).collect();
    assert_eq!(names, [("atm_iv", 0), ("iv_ma20", 0), ("hv20", 0), ("hv252", 0), ("close", 1)]);
    assert_eq!(
        all.lines.iter().map(|line| line.known).collect::<Vec<_>>(),
        [2000, 1981, 1044, 1044, 1296]
    );
    let newest = all.points.last().unwrap();
    assert_eq!(newest.date, "2025-12-12");
    assert_eq!(newest.values[0], Some(0.20557346759539613));
    // The vector of the specification, to its last digit.
    assert!((newest.values[1].unwrap() - 0.221873828082).abs() < 1e-12);
    // A hole of 340 sessions is 340 places wide.
    let holes = draw(&ledger, Kind::View(Series::Iv), "SMCI");
    assert_eq!((holes.lines[0].known, holes.lines[0].missing), (1557, 432));
    assert_eq!(holes.points.len(), 1557 + 432);
    assert_eq!(holes.points.iter().filter(|point| point.values[0].is_none()).count(), 432);
    // One day, and many pictures of real data, are sound.
    for symbol in ["CC", "AMD", "TTSLA", "MARA", "BRK.B"] {
        let chart = draw(&ledger, Kind::View(Series::Iv), symbol);
        for text in [chart.svg(), chart.html()] {
            assert!(!text.contains("NaN") && text.contains("<desc id=\"what\">"), "{symbol}");
        }
    }
}

#[test]
fn ranks_over_time_are_those_of_the_rank_command_and_look_at_the_past_only() {
    let Some((_directory, ledger)) = tomic() else { return };
    let whole = draw(&ledger, Kind::Rank, "AAPL");
    let value = |chart: &Chart, date: &str, field: &str| {
        let line = chart.lines.iter().position(|line| line.field == field).unwrap();
        chart.points.iter().find(|point| point.date == date).and_then(|point| point.values[line])
    };
    for date in ["2019-01-03", "2022-03-07", "2025-12-12"] {
        let symbols = vec!["AAPL".parse().unwrap()];
        let asked = Asked { symbols, at: None, which: Which::Latest, date: Some(day(date)) };
        let row = metrics::ranks(&ledger, &asked).unwrap().rows.remove(0);
        assert_eq!(value(&whole, date, "iv_rank_252"), row.iv_rank_252, "{date}");
        assert_eq!(value(&whole, date, "iv_percentile_252"), row.iv_percentile_252, "{date}");
        assert_eq!(value(&whole, date, "iv_percentile_504"), row.iv_percentile_504, "{date}");
        // Without the days that come later it is the same.
        let until = Drawn { to: Some(day(date)), ..drawn(Kind::Rank, "AAPL") };
        let past = chart::chart(&ledger, &until).unwrap();
        assert_eq!(value(&past, date, "iv_rank_252"), row.iv_rank_252, "{date}");
    }
    // The first 252 observations have no rank, and the chart says so instead of leaving them out.
    assert_eq!((whole.points[0].date.as_str(), whole.lines[0].missing), ("2018-01-02", 252));
    assert_eq!(whole.lines[3].missing, 378);
    let few = chart::chart(&ledger, &drawn(Kind::Rank, "CRCL")).unwrap_err();
    assert!(matches!(&few, AppError::NotFound(text) if text.contains("at most 112")), "{few}");
}

#[test]
fn a_heat_map_has_the_rank_of_each_month_s_last_observation() {
    let Some((_directory, ledger)) = tomic() else { return };
    let symbols: Vec<Symbol> = ["AAPL", "CRCL", "COIN"].map(|s| s.parse().unwrap()).to_vec();
    let metric = Metric::Percentile252;
    let long = Heat { symbols: symbols.clone(), from: Some(day("2018-01-01")), ..Heat::default() };
    let short = Heat { symbols: symbols.clone(), metric, ..Heat::default() };
    let (long, short) =
        (chart::heatmap(&ledger, &long).unwrap(), chart::heatmap(&ledger, &short).unwrap());
    assert_eq!((short.months.len(), long.months.len()), (24, 96));
    assert_eq!(short.months.last().map(String::as_str), Some("2025-12"));
    for map in [&long, &short] {
        let mut checked = 0;
        for row in &map.rows {
            for (month, cell) in map.months.iter().zip(&row.cells) {
                let Some(cell) = cell else { continue };
                assert!(cell.date.starts_with(month.as_str()), "{} {month}", cell.date);
                if checked % 7 == 0 {
                    let symbols = vec![row.symbol.parse().unwrap()];
                    let asked = Asked {
                        symbols,
                        at: None,
                        which: Which::Latest,
                        date: Some(day(&cell.date)),
                    };
                    let want = metrics::ranks(&ledger, &asked).unwrap().rows.remove(0);
                    assert_eq!(cell.value, want.iv_percentile_252, "{} {month}", row.symbol);
                    assert_eq!(cell.n, want.n_252, "{} {month}", row.symbol);
                }
                checked += 1;
            }
        }
        assert!(checked > 40, "{checked}");
    }
    // The highest first; a symbol without any percentile is last, with its n.
    let order: Vec<_> = short.rows.iter().map(|row| row.symbol.as_str()).collect();
    assert_eq!(order, ["COIN", "AAPL", "CRCL"]);
    assert_eq!((short.rows[2].newest, short.rows[2].n), (None, 112));
    // Who cannot see it is told of the newest cells, that it is these, and of which month each is.
    let told = |index: usize| {
        let row = &short.rows[index];
        let month = &short.months[row.cells.iter().rposition(Option::is_some).unwrap()];
        format!("{:.1} ({month})", row.newest.unwrap())
    };
    let told = format!("; newest: highest COIN at {}, lowest AAPL at {}.", told(0), told(1));
    assert!(short.svg().contains(&told), "{told}: {}", short.svg());
    let two = Heat { limit: 2, ..Heat::default() };
    let two = chart::heatmap(&ledger, &two).unwrap();
    assert_eq!((two.rows.len(), two.hidden), (2, 20));
    assert!(two.svg().contains("20 symbols with lower values not shown"));
}

#[test]
fn where_nothing_has_implied_volatility_a_heat_map_is_empty_as_a_rank_is() {
    let desk = Desk::with_ledger();
    let alike = |words: &str| {
        let run = |command: &str| desk.run(&format!("{command} {words}"));
        let (rank, heat) = (run("rank").exits(0), run("heatmap").exits(0));
        assert_eq!(rank.out, heat.out, "{words}");
        assert_eq!(run("heatmap --json").exits(0).json()["months"], serde_json::json!([]));
    };
    alike("");
    desk.run(&format!("import iv {} -s VOLA --yes", sample("iv/VOLA.csv"))).exits(0);
    alike("VOLA --at 1");
    desk.run("undo").exits(0);
    alike("VOLA");
    for command in ["rank", "heatmap"] {
        let said = desk.run(&format!("{command} NONE")).exits(1).err;
        assert!(said.contains("view iv has nothing about NONE"), "{said}");
    }
}

#[test]
fn the_calendar_counts_what_gaps_counts() {
    let Some((_directory, ledger)) = tomic() else { return };
    for symbol in ["SMCI", "TTSLA", "CRCL", "CORZ"] {
        let symbol: Symbol = symbol.parse().unwrap();
        let gaps = lookup::gaps(&ledger, std::slice::from_ref(&symbol), None, None, Which::Latest)
            .unwrap();
        let days = chart::days(&ledger, &symbol, None, None, Which::Latest).unwrap();
        for view in &days.views {
            let line = gaps.rows.iter().find(|line| line.series == view.series).unwrap();
            let counts = view.counts;
            assert_eq!(counts.missing, line.missing, "{symbol} {}", view.series);
            assert_eq!(counts.value + counts.closed_value, line.days, "{symbol} {}", view.series);
            assert_eq!(counts.closed_value, line.non_trading_days.len() as u64);
            let mut kinds: BTreeMap<DayKind, u64> = BTreeMap::new();
            for (date, kind) in &view.days {
                *kinds.entry(*kind).or_default() += 1;
                let open = Calendar::nyse().is_open(day(date));
                assert_eq!(open, *kind != DayKind::ClosedValue, "{symbol} {date} {kind:?}");
            }
            assert_eq!(kinds.get(&DayKind::Missing).copied().unwrap_or(0), counts.missing);
        }
    }
    let odd =
        chart::days(&ledger, &"TTSLA".parse().unwrap(), Some(Series::Iv), None, Which::Latest)
            .unwrap();
    assert_eq!(odd.views[0].counts.closed_value, 2, "Hurricane Sandy");
    assert!(odd.svg().contains("2012-10-29: value on a closed day"));
}

#[test]
fn pictures_follow_the_ledger_back_in_time() {
    let desk = Desk::with_iv();
    let bad = sample("bad/VOLA_wrong_scale.csv");
    desk.run(&format!("import iv {bad} -s VOLA --yes")).exits(0);
    let json = |line: &str| desk.run(&format!("{line} --json")).exits(0).json();
    let now = json("chart iv VOLA");
    let batches = now["lines"][0]["batches"].as_array().unwrap();
    let names: Vec<_> = batches.iter().map(|span| span["batch"].as_str().unwrap()).collect();
    assert_eq!(names, ["b1", "b2"], "{batches:?}");
    let before = json("chart iv VOLA --at #2");
    assert_eq!(before["lines"][0]["batches"].as_array().unwrap().len(), 1);
    let first = json("chart iv VOLA --first");
    assert_eq!((&first["which"], &first["points"]), (&"first".into(), &before["points"]));
    assert_ne!(now["points"], before["points"]);
    let heat = |line: &str| json(&format!("heatmap VOLA --metric atm_iv {line}"))["rows"].clone();
    assert_eq!(heat("--first"), heat("--at #2"));
    assert_ne!(heat(""), heat("--at #2"));
    json("chart rank VOLA --field iv_rank_252");
    json("chart gaps VOLA --series iv");
    // Under the axis stands which batch the values are from.
    let page = desk.run("chart iv VOLA").exits(0).out;
    assert!(page.contains("├b1─") && page.contains("├b2─"), "{page}");
}

#[test]
fn files_are_whole_and_programs_get_the_report_as_well() {
    let desk = Desk::with_iv();
    for (line, name) in
        [("chart iv VOLA", "chart"), ("heatmap", "heatmap"), ("chart gaps VOLA", "days")]
    {
        let (svg, html) =
            (desk.path().join(format!("{name}.svg")), desk.path().join(format!("{name}.html")));
        let files = format!("--svg {} --html {}", svg.display(), html.display());
        let told = desk.run(&format!("{line} {files}")).exits(0).out;
        assert_eq!(told.matches("Wrote ").count(), 2, "{told}");
        let report = desk.run(&format!("{line} {files} --json")).exits(0).json();
        let wrong = violations(&output_schema(name), &report);
        assert_eq!(wrong, [""; 0]);
        let (svg, html) =
            (std::fs::read_to_string(svg).unwrap(), std::fs::read_to_string(html).unwrap());
        assert!(svg.starts_with("<svg xmlns=") && svg.ends_with("</svg>\n"), "{svg}");
        assert!(html.contains(&svg) && html.contains("default-src 'none'"), "{name}");
        assert!(!html.contains("https:") && !html.contains(" src="), "{name}");
        assert!(html.contains("<caption>") && html.contains("scope=\"col\""), "{name}");
    }
    for line in ["chart bars VOLA", "chart gaps VOLA --field atm_iv", "chart iv VOLA --series iv"] {
        desk.run(line).exits(2);
    }
    desk.run("chart iv VOLA --field nope").exits(2);
    desk.run("chart all VOLA --field hv20").exits(2);
    desk.run("chart iv NONE").exits(1);
    desk.run("heatmap NONE").exits(1);
}

#[test]
fn a_page_of_a_chart_says_everything_in_every_form() {
    let desk = Desk::with_iv();
    let csv = desk.run("chart iv VOLA -o csv").exits(0).out;
    assert!(csv.starts_with("date,atm_iv\n") && csv.lines().count() == 754, "{csv}");
    let coloured = desk.run("chart iv VOLA --color always").exits(0).out;
    assert!(coloured.contains("\u{1b}[34m"), "{coloured:?}");
    assert!(!coloured.contains('\u{E000}'), "{coloured:?}");
    let plain = desk.run("chart iv VOLA --color never").exits(0).out;
    assert!(!plain.contains('\u{1b}') && !plain.contains('\u{E000}'), "{plain:?}");
    let chart = json::line(&chart_of_sample());
    assert!(chart.starts_with("{\"schema\":\"volledger/chart/1\""), "{chart}");
}

fn chart_of_sample() -> Chart {
    let (_directory, mut ledger) = ledger();
    let sample = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("data/sample/iv/VOLA.csv");
    let options = crate::support::options(Series::Iv, Some("VOLA"));
    crate::support::confirmed(&mut ledger, &sample, &options);
    draw(&ledger, Kind::View(Series::Iv), "VOLA")
}
