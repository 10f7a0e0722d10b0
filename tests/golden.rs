//! Golden ledgers: what was written by the first release of a format must be read for ever.
//!
//! Each folder of `tests/fixtures` has the same small ledger three times: as a backup, as the files of
//! its directory (each packed with gzip, since sled's are mostly zeros), and as a list of what it shows
//! at every position. All of it is made up by [`make`]; `cargo test --test all golden -- --ignored`
//! makes the newest. That is for a new layout, in a new folder: these files are never replaced.

use crate::support::*;
use flate2::Compression;
use flate2::read::GzDecoder;
use flate2::write::GzEncoder;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use volledger::app::{
    Ledger, LedgerError, Run, decide, lookup, market, outside, projection, verify,
};
use volledger::domain::{BatchId, Position, Series};

/// A folder of `tests/fixtures`, and the format that its ledger says.
type Golden = (&'static str, u32);

/// All that was ever written; the newest has blocks of packed numbers.
const GOLDEN: [Golden; 3] = [("v1", 1), ("v2", 2), NEWEST];
const NEWEST: Golden = ("v2-packed", 2);

fn fixtures((name, _): Golden) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(name)
}

fn put(folder: &Path, name: &str, text: &str) -> PathBuf {
    let path = folder.join(name);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(&path, text).unwrap();
    path
}

/// Days of a made-up symbol with made-up volatilities, in the columns of a Market Chameleon file.
fn days(from: u32, count: u32, step: u32) -> String {
    let mut text =
        String::from("Date,IV30,IV30 20-Day MA,OHLC 20-Day Vol,OHLC 52-Week Vol,Options Volume\n");
    for day in from..from + count {
        let (iv, hv) = (2_000 + (day * 37 + step) % 900, 1_800 + day * 11);
        let [iv, mean, hv, year] =
            [iv, iv - 40, hv, hv + 7].map(|n| format!("{}.{:02}", n / 100, n % 100));
        text += &format!("2024-05-{day:02},{iv},{mean},{hv},{year},{}\n", day * 1_001);
    }
    text
}

const SPOT: &str = "Date,Open,High,Low,Close,Volume\n\
    2024-05-06,100.5,102,99.75,101.25,1000\n2024-05-07,101.25,103.125,101,103,1250\n";

/// Every form of a value, an unknown key, and an order of its own.
const JSON: &str = r#"[
  {"date": "2024-05-06", "atm_iv": 0.24109999999999998, "skew": null, "naïve \"key\"": {"deep": [1, 2.50]}},
  {"flag": true, "date": "2024-05-07", "term_m1_m2": -0.0, "tiny": 1e-05, "atm_iv": 79228162514264337593543950335}
]"#;

const LATER: &str = r#"[
  {"date": "2024-05-06", "atm_iv": 0.25, "skew": null}
]"#;

const MINUTES: &str = "ticker,volume,open,close,high,low,window_start,transactions\n\
    GLDA,120,10.5,10.75,11,10.25,1714138200000000000,4\n\
    GLDA,80,10.75,10.5,10.75,10.5,1714138260000000000,3\n";

/// A ledger with every kind of entry and row that files can bring: CSV, bars, TOMIC folders whose
/// second one retracts, rejected rows, a restatement that is rolled back and put back, fill, a
/// discarded batch, one that waits, and a kept query.
fn make(folder: &Path) -> (Ledger, Run<'static>) {
    let run = Run { actor: "somebody".into(), ..run() };
    let mut ledger = outside::create(&folder.join("l"), "test", std::time::Duration::ZERO).unwrap();
    let iv = |symbol| options(Series::Iv, Some(symbol));
    let import = |ledger: &mut Ledger, file: &Path, options: &_| {
        volledger::app::import::import_csv(ledger, &[input(file)], options, &run).unwrap()
    };
    let confirm =
        |ledger: &mut Ledger, staged: &_| decide::confirm_staged(ledger, staged, &run).unwrap();

    let first = import(&mut ledger, &put(folder, "GLDA.csv", &days(1, 23, 0)), &iv("GLDA"));
    confirm(&mut ledger, &first);
    let spot = put(folder, "spot/GLDA.csv", SPOT);
    let spot = import(&mut ledger, &spot, &options(Series::Spot, Some("GLDA")));
    confirm(&mut ledger, &spot);
    let again = put(folder, "again/GLDA.csv", &days(14, 12, 500));
    let again = import(&mut ledger, &again, &iv("GLDA"));
    confirm(&mut ledger, &again);
    let reason = |text: &str| Some(text.to_owned());
    let restated = again.batch.unwrap();
    decide::roll_back(&mut ledger, restated, reason("wrong – scale"), false, &run).unwrap();

    for (name, text) in [("one", JSON), ("two", LATER)] {
        put(folder, &format!("{name}/iv_daily_summary/GLDB.json"), text);
        let options = volledger::app::import::ImportOptions {
            snapshot: name == "two",
            ..options(Series::Iv, None)
        };
        let folder = folder.join(name);
        let staged = volledger::app::tomic::import(&mut ledger, &folder, &options, &run);
        confirm(&mut ledger, &staged.unwrap());
    }

    let dirty = days(6, 3, 9) + "2024-05-32,20.00,20.00,20.00,20.00,5\n2024-05-10,abc,,,,\n\n";
    let dirty = import(&mut ledger, &put(folder, "GLDC.csv", &dirty), &iv("GLDC"));
    assert_eq!(dirty.review.rows.rejected, 2);
    let token = dirty.review.token.as_deref();
    decide::confirm(&mut ledger, dirty.batch.unwrap(), token, &run).unwrap();
    let fill = volledger::app::import::ImportOptions { keep: true, ..iv("GLDA") };
    let fill = import(&mut ledger, &put(folder, "fill/GLDA.csv", &days(20, 9, 77)), &fill);
    confirm(&mut ledger, &fill);

    let minutes = put(folder, "minutes.csv", MINUTES);
    let bars = market::MarketOptions {
        series: Series::Bars,
        symbol: None,
        date: None,
        keep: false,
        again: None,
        dry_run: false,
        full: false,
    };
    let bars = market::import_market(&mut ledger, &[input(&minutes)], &bars, &run).unwrap();
    confirm(&mut ledger, &bars);

    let no = import(&mut ledger, &put(folder, "no/GLDC.csv", &days(1, 2, 1)), &iv("GLDC"));
    decide::discard(&mut ledger, no.batch.unwrap(), reason("not needed"), false, &run).unwrap();
    decide::reinstate(&mut ledger, restated, None, false, &run).unwrap();
    let query = "SELECT symbol, date, atm_iv FROM iv WHERE atm_iv > 0.25".to_owned();
    projection::add(&mut ledger, &"rich".parse().unwrap(), Some(query), &run).unwrap();
    import(&mut ledger, &put(folder, "waits/GLDC.csv", &days(20, 2, 3)), &iv("GLDC"));
    (ledger, run)
}

/// The head, the root of each batch, and what each view shows at every position.
fn digests(ledger: &Ledger) -> String {
    let head = ledger.head();
    let mut lines = vec![format!("head {} {}", head.size.0, head.root)];
    for (id, batch) in ledger.batches().iter() {
        lines.push(format!("batch {id} {} {}", batch.stage.events, batch.stage.batch_root));
    }
    for position in 1..=head.size.0 {
        for series in Series::ALL {
            let at = Some(Position(position));
            let query = lookup::ViewQuery { at, ..lookup::ViewQuery::of(series) };
            for view in lookup::view(ledger, &query).unwrap() {
                let rows = view.rows.len();
                lines.push(format!("#{position} {series} {} {rows} {}", view.symbol, view.digest));
            }
        }
    }
    lines.join("\n") + "\n"
}

#[test]
#[ignore = "makes the newest of tests/fixtures: for a new layout only"]
fn make_the_golden_ledger() {
    let folder = tempfile::tempdir().unwrap();
    let (ledger, run) = make(folder.path());
    let fixtures = fixtures(NEWEST);
    assert!(!fixtures.exists(), "golden ledgers are never replaced: choose a new folder");
    std::fs::create_dir_all(&fixtures).unwrap();
    std::fs::write(fixtures.join("shown.txt"), digests(&ledger)).unwrap();
    outside::backup(&ledger, &fixtures.join("backup.vlb"), false, &run).unwrap();
    drop(ledger);
    let dir = folder.path().join("l");
    // Opened again, as it is in use: sled writes its snapshot then.
    drop(outside::open(&dir, "test", std::time::Duration::ZERO, &run).unwrap());
    for file in files(&dir) {
        let inside = file.strip_prefix(&dir).unwrap();
        let packed = fixtures.join("ledger").join(inside).display().to_string() + ".gz";
        std::fs::create_dir_all(Path::new(&packed).parent().unwrap()).unwrap();
        let mut out = GzEncoder::new(std::fs::File::create(packed).unwrap(), Compression::best());
        out.write_all(&std::fs::read(file).unwrap()).unwrap();
        out.finish().unwrap();
    }
}

/// The ledger's directory, unpacked.
fn unpacked(golden: Golden) -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let packed = fixtures(golden).join("ledger");
    for file in files(&packed) {
        let inside = file.strip_prefix(&packed).unwrap().with_extension("");
        let path = folder.path().join("l").join(inside);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        let mut bytes = Vec::new();
        GzDecoder::new(std::fs::File::open(file).unwrap()).read_to_end(&mut bytes).unwrap();
        std::fs::write(path, bytes).unwrap();
    }
    folder
}

fn shown_then(golden: Golden) -> String {
    std::fs::read_to_string(fixtures(golden).join("shown.txt")).unwrap()
}

fn is_whole(ledger: &mut Ledger, golden: Golden) {
    let report = verify::everything(ledger, &run()).unwrap();
    assert!(report.ok, "{:?} {:?}", report.damage, report.stale);
    assert_eq!(digests(ledger), shown_then(golden), "{golden:?}");
}

#[test]
fn a_golden_directory_opens_and_shows_what_it_showed() {
    for golden in GOLDEN {
        let folder = unpacked(golden);
        let mut ledger = reopen(&folder);
        is_whole(&mut ledger, golden);
        // The views that it brought are right; so are those made from the first event.
        for series in Series::ALL {
            assert!(verify::rebuild(&mut ledger, series, &run()).unwrap().ok, "{series}");
        }
        assert_eq!(digests(&ledger), shown_then(golden));
        assert_eq!(ledger.format(), golden.1);
        is_lived_on(&folder, ledger);
        // So do the views that it brought, which are of its time.
        let folder = unpacked(golden);
        let ledger = reopen(&folder);
        is_lived_on(&folder, ledger);
    }
}

/// The batch that waited can be confirmed.
fn is_lived_on(folder: &tempfile::TempDir, mut ledger: Ledger) {
    let waits = BatchId(ledger.batches().len() as u32);
    let before = shown(&ledger);
    decide::confirm(&mut ledger, waits, None, &run()).unwrap();
    assert_ne!(shown(&ledger), before);
    assert_eq!(ledger.format(), 2, "its HEAD moves in place from now on");
    drop(ledger);
    let report = verify::everything(&mut reopen(folder), &run()).unwrap();
    assert!(report.ok, "{:?} {:?}", report.damage, report.stale);
}

#[test]
fn a_golden_backup_restores_to_what_it_showed() {
    for golden in GOLDEN {
        let folder = tempfile::tempdir().unwrap();
        let backup = fixtures(golden).join("backup.vlb");
        let report = outside::restore(&backup, &folder.path().join("l"), "test", &run()).unwrap();
        assert!(report.ok);
        is_whole(&mut reopen(&folder), golden);
    }
}

#[test]
fn the_same_files_still_give_the_golden_rows_and_views() {
    let folder = tempfile::tempdir().unwrap();
    let (ledger, _) = make(folder.path());
    // The head has the version of the program in it; rows and views have not.
    let without_head = |text: &str| text.split_once('\n').unwrap().1.to_owned();
    for golden in GOLDEN {
        assert_eq!(without_head(&digests(&ledger)), without_head(&shown_then(golden)));
    }
}

#[test]
fn a_changed_golden_ledger_is_refused() {
    let [v1, v2, _] = GOLDEN;
    for (golden, name) in [(v1, "HEAD"), (v2, "HEAD"), (v2, "HEADS")] {
        let folder = unpacked(golden);
        let head = folder.path().join("l").join(name);
        let mut bytes = std::fs::read(&head).unwrap();
        // Of two slots both: one alone may be what a crash left.
        let second = bytes.len() / 2;
        bytes[20] ^= 1;
        bytes[second + 20] ^= 1;
        std::fs::write(&head, bytes).unwrap();
        let patience = std::time::Duration::from_secs(5);
        let opened = outside::open(&folder.path().join("l"), "test", patience, &run());
        let damaged = |error: &volledger::app::AppError| {
            matches!(error, volledger::app::AppError::Ledger(LedgerError::Damaged { .. }))
        };
        let refused = opened.err();
        assert!(refused.is_some(), "a wrong {name} was taken");
        assert!(refused.as_ref().is_some_and(damaged), "{refused:?}");
    }
}
