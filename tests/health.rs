//! `health`: quick, honest about what it did not look at, and right when something is wrong.

use crate::program::Desk;
use serde_json::Value;

fn check<'a>(report: &'a Value, name: &str) -> &'a Value {
    let checks = report["checks"].as_array().unwrap();
    checks.iter().find(|check| check["name"] == name).unwrap()
}

#[test]
fn a_sound_ledger_is_healthy_and_what_was_not_asked_is_skipped() {
    let desk = Desk::with_iv();
    let report = desk.run("health --json").exits(0).json();
    assert_eq!(report["healthy"], true, "{report}");
    for name in ["ledger", "disk"] {
        assert_eq!(check(&report, name)["healthy"], true, "{report}");
    }
    assert!(check(&report, "ledger")["note"].as_str().unwrap().contains("753 events"), "{report}");
    for name in ["polygon", "alpha-vantage", "tradier"] {
        assert_eq!(check(&report, name)["healthy"], Value::Null);
        assert_eq!(check(&report, name)["note"], "there is no key");
    }
    let mut command = desk.command(["health", "--json"]);
    command.env("MASSIVE_API_KEY", "s3cret-canary");
    let said = String::from_utf8(command.output().unwrap().stdout).unwrap();
    assert!(said.contains("--online") && !said.contains("s3cret"), "{said}");
    let before: Vec<_> = std::fs::read_dir(desk.path().join(".volledger")).unwrap().collect();
    desk.run("health").exits(0);
    let after: Vec<_> = std::fs::read_dir(desk.path().join(".volledger")).unwrap().collect();
    assert_eq!(before.len(), after.len(), "the probe is gone");
}

/// Reading them takes as long as there are sources, so they are not its work; it says whose.
#[test]
fn kept_sources_are_looked_at_by_the_command_that_health_names() {
    let desk = Desk::with_iv();
    let help = desk.run("health --help").exits(0).out;
    assert!(help.contains("bytes of sources are not"), "{help}");
    let pack = desk.path().join(".volledger/sources/000001.pack");
    let mut bytes = std::fs::read(&pack).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    std::fs::write(&pack, bytes).unwrap();
    desk.run("health").exits(0);
    assert!(help.contains("`volledger verify --deep` reads them"), "{help}");
    desk.run("verify").exits(0);
    desk.run("verify --deep").exits(30);
    std::fs::remove_file(&pack).unwrap();
    desk.run("health").exits(0);
    assert!(help.contains("`volledger verify` says which are missing"), "{help}");
    desk.run("verify").exits(30);
}

#[test]
fn a_hurt_ledger_and_a_silent_service_are_not() {
    let desk = Desk::with_iv();
    // Nobody listens there; the answer names neither key nor more than the failure.
    let mut command = desk.command(["health", "--online", "--json"]);
    command.env("MASSIVE_API_KEY", "s3cret-canary");
    let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let home = desk.path().join("home/.config/volledger");
    std::fs::create_dir_all(&home).unwrap();
    let base = format!("[polygon]\nbase_url = \"http://127.0.0.1:{port}\"\n");
    std::fs::write(home.join("config.toml"), base).unwrap();
    let output = command.output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    let said = String::from_utf8(output.stdout).unwrap();
    assert!(!said.contains("s3cret"), "{said}");
    let report: Value = serde_json::from_str(&said).unwrap();
    assert_eq!(check(&report, "polygon")["healthy"], false, "{report}");
    assert_eq!(check(&report, "ledger")["healthy"], true, "{report}");

    std::fs::write(desk.path().join(".volledger/HEAD"), "nonsense").unwrap();
    let report = desk.run("health --json").exits(1).json();
    assert_eq!(
        (&report["healthy"], &check(&report, "ledger")["healthy"]),
        (&false.into(), &false.into())
    );
    desk.run("-L nowhere health").exits(1);
}

#[test]
fn a_ledger_in_use_is_skipped() {
    let desk = Desk::with_iv();
    let _held = volledger::app::outside::open(
        &desk.path().join(".volledger"),
        "somebody else",
        std::time::Duration::ZERO,
        &volledger::app::Run::new("test"),
    )
    .unwrap();
    // However long other commands would wait.
    for wait in ["0", "20"] {
        let mut command = desk.command(["health", "--json"]);
        command.env("VOLLEDGER_LOCK_WAIT", wait);
        let output = command.output().unwrap();
        let report: Value = serde_json::from_slice(&output.stdout).unwrap();
        assert_eq!(output.status.code(), Some(0), "{report}");
        assert!(check(&report, "ledger")["note"].as_str().unwrap().contains("in use"), "{report}");
    }
}

#[test]
fn timings_say_how_long_the_parts_took() {
    let desk = Desk::with_iv();
    let said = desk.run("verify --deep --timings").exits(0).err;
    assert!(said.contains("Timings (ms)") && said.contains("the whole command"), "{said}");
    assert!(said.lines().count() >= 3, "no part was timed: {said}");
}

/// Each service with a key is asked for one small thing; what it refuses with a 200 is no health.
#[test]
fn every_service_with_a_key_is_asked() {
    use crate::fetch::responder::{Responder, ok, whole};
    let desk = Desk::with_iv();
    let service = Responder::new(|target, _| match target {
        of if of.starts_with("/query") => {
            ok(r#"{"Information":"your key s3cret-canary has 25 requests per day"}"#)
        }
        of if of.starts_with("/v1/markets/quotes") => {
            ok(r#"{"quotes":{"quote":{"symbol":"SPY","last":600.1}}}"#)
        }
        _ => whole("404 Not Found", "{}"),
    });
    let home = desk.path().join("home/.config/volledger");
    std::fs::create_dir_all(&home).unwrap();
    let base = service.base();
    let text =
        format!("[alpha_vantage]\nbase_url = \"{base}\"\n[tradier]\nbase_url = \"{base}/v1\"\n");
    std::fs::write(home.join("config.toml"), text).unwrap();
    let mut command = desk.command(["health", "--online", "--json"]);
    command.env("ALPHA_VANTAGE_API_KEY", "s3cret-canary").env("TRADIER_API_KEY", "s3cret-other");
    let output = command.output().unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    assert!(!said.contains("s3cret"), "{said}");
    let report: Value = serde_json::from_str(&said).unwrap();
    assert_eq!(check(&report, "tradier")["healthy"], true, "{report}");
    assert_eq!(check(&report, "alpha-vantage")["healthy"], false, "{report}");
    let note = check(&report, "alpha-vantage")["note"].as_str().unwrap();
    assert!(note.contains("25 requests per day"), "{note}");
    assert_eq!(check(&report, "polygon")["note"], "there is no key");
    assert_eq!((service.targets().len(), output.status.code()), (2, Some(1)));
}

/// A page with a 200, nothing at all and a refusal are no answer of Polygon.
#[test]
fn polygon_is_healthy_when_it_says_how_the_market_is() {
    use crate::fetch::responder::{Responder, ok};
    let desk = Desk::with_iv();
    let home = desk.path().join("home/.config/volledger");
    std::fs::create_dir_all(&home).unwrap();
    for (body, healthy) in [
        ("<html>log in first</html>", false),
        ("", false),
        ("{}", false),
        (r#"{"status":"ERROR","error":"Unknown API Key"}"#, false),
        (r#"{"market":"open","serverTime":"2025-11-14T16:48:08-05:00"}"#, true),
    ] {
        let service = Responder::new(move |_, _| ok(body));
        let text = format!("[polygon]\nbase_url = \"{}\"\n", service.base());
        std::fs::write(home.join("config.toml"), text).unwrap();
        let mut command = desk.command(["health", "--online", "--json"]);
        command.env("MASSIVE_API_KEY", "s3cret-canary");
        let said = String::from_utf8(command.output().unwrap().stdout).unwrap();
        let report: Value = serde_json::from_str(&said).unwrap();
        assert_eq!(check(&report, "polygon")["healthy"], healthy, "{body}: {report}");
        assert_eq!(service.targets().len(), 1);
    }
}
