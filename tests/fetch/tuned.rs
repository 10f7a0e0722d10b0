//! The settings that steer services, tiers and diagnostics: told all at once when they are wrong, and
//! each of them with an effect.

use super::responder::{Play, Responder, ok, whole};
use super::{Bench, bars_body, sessions};
use std::time::Instant;

const CHAIN: &str = "chain TST --source tradier --yes";

/// The blamed keys of a run that is refused.
fn blamed(bench: &Bench, key: bool, words: &str) -> (i32, Vec<String>) {
    let mut command = bench.command(&format!("{} --json", bench.fetch_line(words)));
    if !key {
        command.env_remove("TRADIER_API_KEY");
    }
    let ran = crate::program::ran(command, None);
    let told = ran.json();
    assert_eq!(told["causes"], serde_json::json!([]), "a mistake is not the cause of another one");
    let all = told["error"].as_str().unwrap().split("; ");
    (ran.exit, all.map(|one| one.split(' ').next().unwrap().to_owned()).collect())
}

#[test]
fn everything_wrong_is_told_at_once_with_the_key_that_is_blamed() {
    let service = Responder::new(|_, _| ok("{}"));
    let bench = Bench::new(service.base());
    bench.settings(
        "max_concurrent_requests = 0\n[retry]\nmax_attempts = 0\n[log]\nlevel = \"x\"\n\
         [vrp]\nmarginal = -1.0\n[cache]\nl1_ttl = 600\n[quarters]\nmin = 13\n",
    );
    let wrong = [
        "vrp.marginal",
        "quarters.min",
        "retry.max_attempts",
        "max_concurrent_requests",
        "log.level",
        "cache.l1_ttl",
    ];
    let mut expected: Vec<&str> = wrong.to_vec();
    expected.sort();
    let mut with_key: Vec<String> = blamed(&bench, true, CHAIN).1;
    with_key.sort();
    assert_eq!(with_key, expected);
    // A command that calls the service misses its key as well; others do not.
    let (_, keys) = blamed(&bench, false, CHAIN);
    assert!(keys.contains(&"api.tradier_api_key".to_owned()) && keys.len() == 7, "{keys:?}");
    let said = bench.run("status").exits(2).err;
    assert!(!said.contains("tradier_api_key") && said.contains("log.level must be"), "{said}");
    assert!(said.contains("config.toml"), "{said}");
    // Alone, the missing key is told by the command, with its own exit code.
    bench.settings("[retry]\nmax_attempts = 2\n");
    let mut command = bench.command(&bench.fetch_line(CHAIN));
    command.env_remove("TRADIER_API_KEY");
    let ran = crate::program::ran(command, None).exits(41);
    assert!(
        ran.err.contains("no key for Tradier") && ran.err.contains("TRADIER_API_KEY"),
        "{}",
        ran.err
    );
    assert_eq!(service.targets(), [""; 0]);
    // Where a credential is sent, and where a file is written, is never a ledger's word.
    bench.settings("");
    for text in [
        "[tradier]\nbase_url = \"http://x\"\n",
        "[alpha_vantage]\nper_day = 9\n",
        "[log]\nfile = \"x\"\n",
    ] {
        std::fs::write(bench.ledger().join("config.toml"), text).unwrap();
        let said = bench.run("status").exits(2).err;
        assert!(said.contains("belongs into your own config.toml"), "{said}");
    }
    std::fs::write(bench.ledger().join("config.toml"), "[retry]\nmax_attempts = 2\n").unwrap();
    bench.run("status").exits(0);
}

#[test]
fn settings_are_shown_with_what_said_so_and_never_a_key() {
    let bench = Bench::new("");
    let file = bench.desk.write("key", "s3cret-of-a-file\n");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        std::fs::set_permissions(&file, std::fs::Permissions::from_mode(0o600)).unwrap();
    }
    bench.settings(&format!(
        "[vrp]\nprofile = \"legacy\"\ngood = 3.5\n[tradier]\napi_key_file = {file:?}\nper_minute = 60\n"
    ));
    let mut command = bench.command("config show --json");
    command.env_remove("TRADIER_API_KEY");
    let ran = crate::program::ran(command, None).exits(0);
    assert!(!ran.out.contains("s3cret") && !ran.out.contains(super::KEY), "{}", ran.out);
    let report = ran.json();
    let setting = |key: &str| {
        let all = report["settings"].as_array().unwrap();
        let found = all.iter().find(|one| one["key"] == key).unwrap_or_else(|| panic!("{key}"));
        (found["value"].clone(), found["from"].as_str().unwrap().to_owned())
    };
    for (key, value, from) in [
        ("vrp.excellent", "7", "profile legacy"),
        ("vrp.good", "3.5", "config.toml"),
        ("quarters.min", "4", "default"),
        ("tradier.per_minute", "60", "config.toml"),
        ("tradier.api_key", "set, not shown", "config.toml"),
        ("alpha_vantage.api_key", "set, not shown", "ALPHA_VANTAGE_API_KEY"),
        ("tradier.base_url", "https://api.tradier.com/v1", "default"),
        ("cache.l2_ttl", "300", "default"),
    ] {
        let (found, origin) = setting(key);
        assert_eq!(found, value, "{key}");
        assert!(origin.ends_with(from), "{key}: {origin}");
    }
    assert!(setting("log.level").0.is_null());
}

#[test]
fn attempts_pauses_and_patience_are_those_of_the_settings() {
    let service = Responder::new(|target, _| match target.contains("HANG") {
        true => Play::Hang,
        false => whole("503 Busy", "{}"),
    });
    let bench = Bench::new(service.base());
    bench.settings("[retry]\nmax_attempts = 3\nmax_backoff = 1\nbackoff_base = 1\n");
    let words = "--from 2025-11-10 --source alpha-vantage --yes";
    bench.fetch(&format!("spot BUSY {words}")).exits(40);
    assert_eq!(service.targets().len(), 3);
    bench.settings("request_timeout = 0.5\n[retry]\nmax_attempts = 1\n");
    let begun = Instant::now();
    let ran = bench.fetch(&format!("spot HANG {words}")).exits(40);
    assert!(begun.elapsed().as_secs() < 10, "it waited: {}", ran.err);
    // Polygon has measures of its own.
    let days = sessions("2025-11-10", "2025-11-13");
    let polygon = Responder::new(move |_, before| match before {
        0 => whole("503 Busy", "{}"),
        _ => ok(bars_body("AAPL", &days, |_| "5".into())),
    });
    let bench = Bench { base: polygon.base(), ..bench };
    bench.fetch("spot AAPL --from 2025-11-10 --to 2025-11-13 --yes").exits(0);
}

/// Five at once, then one every twelve seconds; here two, then one every thirty.
#[test]
fn the_pace_is_that_of_the_settings() {
    let service = Responder::new(|_, _| ok(r#"{"symbol":"X","quarterlyEarnings":[]}"#));
    let bench = Bench::new(service.base());
    bench.settings(&format!("[alpha_vantage]\nper_minute = 2\nbase_url = {:?}\n", service.base()));
    let plan = bench.run("fetch spot A B C D --days 30 --source alpha-vantage --dry-run --json");
    let plan = plan.exits(0).json();
    assert_eq!(
        (&plan["plan"]["requests_per_minute"], &plan["plan"]["seconds"]),
        (&2.into(), &60.0.into())
    );
}

#[test]
fn tiers_and_quarters_are_those_of_the_settings_unless_named() {
    let bench = Bench::new("");
    let calendar = "ticker,announcement_date,timing,confirmed\nTST,2025-12-15,AMC,1\n";
    let file = bench.desk.write("calendar.csv", calendar);
    bench.run(&format!("import earnings {file} --symbol-from column --yes")).exits(0);
    let tiers = |line: &str| bench.run(line).exits(0).json()["tiers"].clone();
    assert_eq!(tiers("vrp TST --json")["id"], "seed");
    bench.settings(
        "[vrp]\nprofile = \"Balanced\"\nexcellent = 3\nmetric = \"gap\"\n[quarters]\nmin = 2\n",
    );
    let changed = tiers("vrp TST --json");
    assert_eq!(changed["id"], "balanced, changed by settings", "{changed}");
    assert_eq!((changed["excellent"].as_f64(), changed["good"].as_f64()), (Some(3.0), Some(1.4)));
    assert_eq!(tiers("vrp TST --tiers seed --json")["id"], "seed");
    let said = bench.run("vrp TST").exits(0).err;
    assert!(said.contains("vrp.excellent instead of the set balanced"), "{said}");
}

#[test]
fn diagnostics_go_where_the_settings_say() {
    let service = Responder::new(|_, _| whole("503 Busy", "{}"));
    let bench = Bench::new(service.base());
    let words = "spot BUSY --from 2025-11-10 --source alpha-vantage --yes";
    bench.settings("[log]\nlevel = \"Debug\"\n[retry]\nmax_attempts = 1\n");
    let said = bench.fetch(words).exits(40).err;
    assert!(said.contains("DEBUG") && said.contains("asked"), "{said}");
    bench.settings("[log]\nlevel = \"critical\"\nfile = \"run.log\"\n[retry]\nmax_attempts = 1\n");
    let said = bench.fetch(words).exits(40).err;
    assert!(!said.contains("DEBUG"), "{said}");
    let file = bench.desk.path().join("run.log");
    assert_eq!(std::fs::read_to_string(&file).unwrap(), "");
    bench.fetch(&format!("{words} -vv")).exits(40);
    let log = std::fs::read_to_string(&file).unwrap();
    // Each line names the run that it belongs to.
    assert!(log.lines().count() > 0, "{log}");
    assert!(
        log.lines().all(|line| line.split(['[', ']']).nth(1).is_some_and(|id| id.len() == 8)),
        "{log}"
    );
}
