//! Long work on the page, splitting a batch, versions of a projection.

use super::{Answer, Site, deciding, desk, hidden};
use crate::program::Desk;
use serde_json::Value;
use std::time::{Duration, Instant};

/// A file of three symbols with a row that cannot be used, staged.
fn three(desk: &Desk) -> String {
    let csv = "Symbol,Date,IV30\nAAA,2024-01-02,10.5\nBBB,2024-01-02,20.5\nAAA,2024-01-03,n/a\n\
        CCC,2024-01-02,30.5\nBBB,2024-01-03,21.5\n";
    let file = desk.write("three.csv", csv);
    let line = format!("import iv {file} --symbol-from column --stage-only --json");
    let staged = desk.run(&line).exits(0).json();
    staged["batch"].as_str().unwrap().to_owned()
}

/// Where a job stands once it is over.
fn over(site: &Site, job: &str) -> Value {
    let end = Instant::now() + Duration::from_secs(120);
    loop {
        let line = site.get(&format!("{job}.json")).is(200).json();
        if !matches!(line["state"].as_str(), Some("running" | "stopping")) {
            return line;
        }
        assert!(Instant::now() < end, "{line}");
        std::thread::sleep(Duration::from_millis(50));
    }
}

/// The address that an answer leads to, through a job's page if there is one.
pub(super) fn led(site: &Site, answer: Answer) -> String {
    let next = answer.is(303).header("location").unwrap().to_owned();
    match next.starts_with("/jobs/") {
        true => over(site, &next)["next"].as_str().unwrap().to_owned(),
        false => next,
    }
}

#[test]
fn ticked_symbols_become_a_batch_of_their_own() {
    let desk = Desk::with_iv();
    let (site, token) = deciding(&desk);
    let batch = three(&desk);
    let page = site.get(&format!("/batches/{batch}")).is(200);
    assert!(page.body.contains("name=\"symbol BBB\"") && page.body.contains("Accept or leave out"));
    let path = format!("/batches/{batch}/split");
    let form =
        [("token", token.as_str()), ("symbol BBB", "1"), ("symbols", "C*"), ("reason", "a\nb")];
    for (wrong, status) in [
        (vec![("token", "x"), ("symbol BBB", "1")], 403),
        (vec![("token", token.as_str())], 400),
        (vec![("token", token.as_str()), ("symbols", "<b>")], 404),
        (vec![("token", token.as_str()), ("symbol ZZZ", "1")], 404),
    ] {
        let refused = site.post(&path, &wrong).is(status);
        assert!(!refused.body.contains("<b> in"), "{}", refused.body);
    }
    let next = led(&site, site.post(&path, &form));
    assert_eq!(next, "/batches/b3?done=6&rest=b4");
    let shown = site.get(&next).is(200);
    assert!(
        shown.body.contains("waits as") && shown.body.contains("/batches/b4"),
        "{}",
        shown.body
    );
    let states =
        |name: &str| desk.run(&format!("batch show {name} --json")).json()["state"].clone();
    assert_eq!(
        (states("b2"), states("b3"), states("b4")),
        ("discarded".into(), "staged".into(), "staged".into())
    );
    let log = desk.run("log --json -n 1").json();
    assert_eq!(log["entries"][0]["reason"], "split into b3 (BBB CCC) and b4: a b");
    let expect = hidden(&shown, "expect");
    site.post("/batches/b3/confirm", &[("token", &token), ("expect", &expect)]).is(303);
    let why = desk.run("why iv BBB 2024-01-03 --json").exits(0).json();
    assert_eq!(why["fields"][0]["event"]["line"], 6);
    assert_eq!(
        why["fields"][0]["event"]["raw"].as_str().unwrap().trim_end(),
        "BBB,2024-01-03,21.5"
    );
    assert_eq!(desk.run("view iv AAA --json").exit, 1, "what was left out shows nothing");
    // Decided meanwhile, or split already.
    site.post(&path, &form).is(409);
    desk.run("verify --deep").exits(0);
}

#[test]
fn the_command_splits_and_says_what_it_cannot() {
    let desk = Desk::with_iv();
    let batch = three(&desk);
    let split = desk.run(&format!("batch split {batch} --symbol aaa,BBB --json")).exits(0).json();
    assert_eq!((&split["chosen"]["batch"], &split["rest"]["batch"]), (&"b3".into(), &"b4".into()));
    assert_eq!((&split["chosen"]["rejected"], &split["rest"]["rejected"]), (&0.into(), &1.into()));
    let token = split["chosen"]["token"].as_str().unwrap().to_owned();
    desk.run(&format!("batch confirm b3 --expect {token}")).exits(0);
    let again = desk.run(&format!("batch split {batch} --symbol AAA"));
    assert!(again.exit != 0 && again.err.contains("it is discarded"), "{}", again.err);
    let none = desk.run("batch split b4 --symbol ZZZ");
    assert!(none.exit != 0 && none.err.contains("there is no ZZZ in it"), "{}", none.err);
    let shown = desk.run("batch split b4 --symbol CCC").exits(0).out;
    assert!(shown.starts_with("Split b4 by symbol"), "{shown}");
    // The row of CCC stands in b2, b4 and b5: erased from one, it is in none of them.
    let plan = desk.run("erase b5/1 --reason wrong --plan --json").exits(0).json();
    let from: Vec<_> =
        plan["batches"].as_array().unwrap().iter().map(|part| &part["batch"]).collect();
    assert_eq!(from, ["b2", "b4", "b5"]);
    desk.run("erase b5/1 --reason wrong --yes").exits(0);
    for event in ["b2/4", "b4/2", "b5/1"] {
        let told = desk.run(&format!("show {event} --json")).exits(0).json();
        assert!(told["erased"].is_object() && told["values"]["atm_iv"].is_null(), "{told}");
    }
    desk.run("verify --deep").exits(0);
}

/// A file whose reading takes a while.
fn large(rows: usize) -> Vec<u8> {
    let mut csv = String::from("Symbol,Date,IV30\n");
    for row in 0..rows {
        let (symbol, day) = (row % 2_000, row / 2_000);
        let (month, day) = (day / 28 % 12 + 1, day % 28 + 1);
        csv += &format!("S{symbol},2024-{month:02}-{day:02},{}.5\n", 10 + row % 60);
    }
    csv.into_bytes()
}

#[test]
fn a_job_that_is_stopped_leaves_nothing() {
    let desk = desk();
    let (site, token) = deciding(&desk);
    let before = desk.run("status --json").json();
    // No symbol in its name: the series whose rows say it would need another form.
    let file = large(600_000);
    let words = [("token", token.as_str()), ("series", "iv"), ("symbol", "ALL")];
    let sent = site.upload(&words, ("la<b>rge.csv", &file)).unwrap().is(303);
    let job = sent.header("location").unwrap().to_owned();
    assert!(job.starts_with("/jobs/"), "it was over at once: {job}");
    let page = site.get(&job).is(200);
    assert!(page.body.contains("http-equiv=\"refresh\"") && page.body.contains("<progress"));
    assert!(
        page.body.contains("Read la&lt;b&gt;rge.csv") && !page.body.contains("la<b>"),
        "{}",
        page.body
    );
    assert!(!site.get("/jobs").is(200).body.contains("la<b>"));
    site.post(&format!("{job}/stop"), &[("token", "wrong")]).is(403);
    site.post("/jobs/999/stop", &[("token", &token)]).is(404);
    site.post(&format!("{job}/stop"), &[("token", &token)]).is(303);
    let line = over(&site, &job);
    assert_eq!((&line["state"], &line["next"]), (&"stopped".into(), &Value::Null));
    assert!(site.get(&job).is(200).body.contains("Nothing of it counts"));
    // Stopping what is over changes nothing.
    site.post(&format!("{job}/stop"), &[("token", &token)]).is(303);
    assert_eq!(site.get("/jobs.json").json()["jobs"][0]["state"], "stopped");
    let after = desk.run("status --json").json();
    assert_eq!((&after["log_root"], &after["events"]), (&before["log_root"], &before["events"]));
    desk.run("verify --deep").exits(0);
}

#[test]
fn two_jobs_take_turns_and_pages_go_on_beside_a_verification() {
    let desk = desk();
    let (site, token) = deciding(&desk);
    let file = large(40_000);
    let places: Vec<String> = std::thread::scope(|scope| {
        let send = |symbol: &'static str| {
            let (site, token, file) = (&site, &token, &file);
            scope.spawn(move || {
                let words = [("token", token.as_str()), ("series", "iv"), ("symbol", symbol)];
                led(site, site.upload(&words, ("two.csv", file)).unwrap())
            })
        };
        let (one, other) = (send("ONE"), send("TWO"));
        let deep = site.post("/verify/deep", &[("token", &token)]);
        assert!(matches!(deep.status, 200 | 303), "{}", deep.body);
        site.get("/jobs").is(200);
        [one, other].map(|thread| thread.join().unwrap()).into()
    });
    assert_ne!(places[0], places[1]);
    for place in places {
        assert!(place.starts_with("/batches/b"), "{place}");
        site.get(&place).is(200);
    }
    for job in site.get("/jobs.json").json()["jobs"].as_array().unwrap() {
        assert_eq!(over(&site, &format!("/jobs/{}", job["job"]))["state"], "done");
    }
    let heard = site.get("/jobs").is(200);
    assert!(heard.body.contains("Verify every byte"), "{}", heard.body);
    desk.run("verify --deep").exits(0);
}

#[test]
fn versions_of_a_projection_are_compared_and_promoted() {
    let desk = desk();
    let first =
        desk.write("one.sql", "SELECT symbol, date, atm_iv AS v FROM iv WHERE symbol = :symbol");
    let second = desk
        .write("two.sql", "SELECT symbol, date, atm_iv * 2 AS v FROM iv WHERE symbol = :symbol");
    desk.run(&format!("projection add rich --sql {first}")).exits(0);
    desk.run(&format!("projection add rich --sql {second}")).exits(0);
    let (site, token) = deciding(&desk);
    let list = site.get("/projections").is(200);
    assert!(list.body.contains("/projections/rich%402/diff"), "{}", list.body);
    let diff = site.get("/projections/rich@2/diff.json").is(200).json();
    assert_eq!((&diff["a"], &diff["b"]), (&"rich@1".into(), &"rich@2".into()));
    assert!(diff["changed"].as_u64().unwrap() > 100);
    let page = site.get("/projections/rich%402/diff").is(200);
    assert!(
        page.body.contains("What differs") && page.body.contains("/projections/rich%402/promote")
    );
    site.get("/projections/rich@2/diff?with=none@1").is(404);
    site.post("/projections/rich%402/promote", &[("token", "no")]).is(403);
    let next = led(&site, site.post("/projections/rich%402/promote", &[("token", &token)]));
    assert_eq!(next, "/projections?promoted=rich%402");
    assert!(site.get(&next).is(200).body.contains("Promoted"));
    let same = site.get("/projections/rich@1/diff.json").is(200).json();
    assert_eq!(same["a"], "rich@2");
    for name in ["iv", "rich%401"] {
        let path = format!("/projections/{name}/rebuild");
        let next = led(&site, site.post(&path, &[("token", &token)]));
        assert!(site.get(&next).is(200).body.contains("Computed"));
    }
    site.post("/projections/nothing/rebuild", &[("token", &token)]).is(404);
    desk.run("verify --deep").exits(0);
}

#[test]
fn a_server_that_only_shows_begins_nothing_that_writes() {
    let desk = desk();
    let batch = three(&desk);
    let site = Site::of(&desk, &[]);
    let token = hidden(&site.get("/audit").is(200), "token");
    let before = site.get("/status.json").json()["log_root"].clone();
    let split = format!("/batches/{batch}/split");
    for path in [
        split.as_str(),
        "/projections/iv/rebuild",
        "/projections/iv/refresh",
        "/projections/iv/promote",
    ] {
        let refused = site.post(path, &[("token", &token), ("symbols", "*")]).is(403);
        assert!(refused.body.contains("--allow-decisions"), "{path}");
    }
    assert!(
        !site.get(&format!("/batches/{batch}")).is(200).body.contains("details class=\"split\"")
    );
    assert!(!site.get("/projections").is(200).body.contains("Rebuild"));
    // A get acts on nothing.
    for path in [split.as_str(), "/verify/deep", "/jobs/1/stop"] {
        site.get(path).is(404);
    }
    assert_eq!(site.get("/status.json").json()["log_root"], before);
    assert_eq!(site.get("/jobs.json").json()["jobs"], serde_json::json!([]));
}

#[cfg(unix)]
#[test]
fn a_server_that_ends_stops_its_jobs_and_leaves_nothing_half() {
    let desk = desk();
    let before = desk.run("status --json").json()["log_root"].clone();
    let (mut site, token) = deciding(&desk);
    let words = [("token", token.as_str()), ("series", "iv"), ("symbol", "ALL")];
    let sent = site.upload(&words, ("large.csv", &large(600_000))).unwrap().is(303);
    assert!(sent.header("location").unwrap().starts_with("/jobs/"));
    let id = site.id().to_string();
    assert!(std::process::Command::new("kill").args(["-TERM", &id]).status().unwrap().success());
    let (code, took) = site.ended();
    assert!(code == Some(0) && took < Duration::from_secs(12), "{code:?} {took:?}");
    let after = desk.run("status --json").exits(0);
    assert_eq!(after.json()["log_root"], before);
    assert!(!after.err.contains("crash"), "{}", after.err);
    desk.run("verify --deep").exits(0);
}
