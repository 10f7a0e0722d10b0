//! Deciding on the page: what was shown is what counts, and everything can be taken back.

use super::{Site, deciding, desk, hidden};
use crate::program::{Desk, sample};

/// The newest value of IV of VOLA, as a command says it.
fn newest(desk: &Desk) -> String {
    let view = desk.run("view iv VOLA --json --columns atm_iv --from 2024-12-31").json();
    view["rows"][0]["atm_iv"].to_string()
}

#[test]
fn upload_review_confirm_and_roll_back() {
    let desk = Desk::with_iv();
    let before = newest(&desk);
    let (site, token) = deciding(&desk);
    let file = std::fs::read(sample("bad/VOLA_wrong_scale.csv")).unwrap();
    let words = [("token", token.as_str()), ("series", "iv"), ("symbol", "VOLA")];
    let sent = site.upload(&words, ("../VOLA_2024.csv", &file)).unwrap().is(303);
    assert_eq!(sent.header("location"), Some("/batches/b2"));
    let review = site.get("/batches/b2").is(200);
    assert!(review.body.contains("VOLA_2024.csv") && !review.body.contains("../VOLA"));
    // The command sees the batch that the page staged.
    let listed = desk.run("batch list --json").exits(0).json();
    assert_eq!(listed["batches"][1]["state"], "staged");

    let expect = hidden(&review, "expect");
    let done = site.post("/batches/b2/confirm", &[("token", &token), ("expect", &expect)]).is(303);
    let shown = site.get(done.header("location").unwrap()).is(200);
    assert!(shown.body.contains("role=\"status\"") && shown.body.contains("b2 is active"));
    assert_ne!(newest(&desk), before);
    let chart = site.get("/symbols/VOLA.json?from=2024-12-31").json();
    assert_eq!(chart["points"][0][1].to_string(), newest(&desk));

    let form = [("token", token.as_str()), ("reason", "wrong\nscale <b>")];
    let plan = [&form[..], &[("plan", "1")]].concat();
    let plan = site.post("/batches/b2/rollback", &plan).is(200);
    assert!(
        plan.body.contains("Nothing is decided yet")
            && plan.body.contains("wrong\nscale &lt;b&gt;")
    );
    assert_ne!(newest(&desk), before, "a plan decides nothing");
    site.post("/batches/b2/rollback", &form).is(303);
    assert_eq!(newest(&desk), before);
    let log = desk.run("log --json -n 1").json();
    assert_eq!(
        (&log["entries"][0]["kind"], &log["entries"][0]["reason"]),
        (&"rollback".into(), &"wrong scale <b>".into())
    );

    site.post("/batches/b2/reinstate", &[("token", &token)]).is(303);
    assert_ne!(newest(&desk), before);
    let position = site.get("/events.json").json()["position"].to_string();
    site.post("/undo", &[("token", &token), ("position", &position)]).is(303);
    assert_eq!(newest(&desk), before);
    // The same form again is about a decision that is not the last any more.
    for act in ["/undo", "/redo"] {
        let stale = site.post(act, &[("token", &token), ("position", &position)]).is(409).body;
        assert!(stale.contains("the ledger moved on") && stale.contains("log again"), "{stale}");
    }
    assert_eq!(newest(&desk), before);
    desk.run("verify --deep").exits(0);
}

#[test]
fn a_stale_review_is_refused() {
    let desk = desk();
    let (site, token) = deciding(&desk);
    let shown = site.get("/batches/b3").is(200);
    let (expect, seen) = (hidden(&shown, "expect"), hidden(&shown, "seen"));
    // Meanwhile somebody decides about the same days.
    let other = desk.write("other.csv", "Date,IV30\n2024-12-30,99.5\n");
    desk.run(&format!("import iv {other} -s VOLA --yes")).exits(0);
    let form = [("token", token.as_str()), ("expect", &expect), ("seen", &seen)];
    let stale = site.post("/batches/b3/confirm", &form).is(409).body;
    // It leads to the batch as it is, says what came since, and names neither a command nor 64 digits.
    assert!(stale.contains("As it is now: <a href=\"/batches/b3\">b3</a>"), "{stale}");
    let since = stale.split("since that page was made:</p>").nth(1).unwrap();
    let since = since.split("</ul>").next().unwrap();
    assert!(since.contains("<a href=\"/events/7\">#7</a>") && since.contains("b4"), "{since}");
    assert_eq!(since.matches("<li>").count(), 1, "{since}");
    assert!(stale.contains(&format!("not {}<", &expect[..12])), "{stale}");
    assert!(!stale.contains("volledger batch"), "{stale}");
    assert_eq!(desk.run("batch show b3 --json").json()["state"], "staged");
    // Without what was shown nothing is confirmed, and what is shown now can be.
    site.post("/batches/b3/confirm", &[("token", &token)]).is(400);
    let expect = hidden(&site.get("/batches/b3").is(200), "expect");
    site.post("/batches/b3/confirm", &[("token", &token), ("expect", &expect)]).is(303);
    site.post("/batches/b3/confirm", &[("token", &token), ("expect", &expect)]).is(409);
    assert_eq!(desk.run("batch show b3 --json").json()["state"], "active");
}

/// Else the days of every symbol went under one name.
#[test]
fn a_file_about_several_symbols_is_uploaded_by_its_column() {
    let desk = desk();
    let (site, token) = deciding(&desk);
    let file = b"Symbol,Date,IV30\nONE,2024-01-02,20\nTWO,2024-01-02,21\n";
    let staged = |words: &[(&str, &str)]| {
        let words = [&[("token", token.as_str()), ("series", "iv")], words].concat();
        let sent = site.upload(&words, ("BOTH.csv", file)).unwrap().is(303);
        let batch = sent.header("location").unwrap().trim_start_matches("/batches/").to_owned();
        desk.run(&format!("batch show {batch} --json")).json()
    };
    let by_name = staged(&[]);
    assert_eq!(by_name["series"][0]["symbol"], "BOTH");
    let warned = |review: &serde_json::Value| {
        review["findings"].as_array().unwrap().iter().any(|f| f["code"] == "other_symbols")
    };
    assert!(warned(&by_name) && by_name["rows"]["read"] == 2, "{by_name}");
    let by_column = staged(&[("symbol-from", "column")]);
    assert_eq!(by_column["series"].as_array().unwrap().len(), 2);
    assert!(!warned(&by_column), "{by_column}");
}

#[test]
fn a_server_that_only_shows_decides_nothing() {
    let desk = desk();
    let site = Site::of(&desk, &[]);
    let token = hidden(&site.get("/audit").is(200), "token");
    let expect = desk.run("batch show b3 --json").json()["token"].as_str().unwrap().to_owned();
    for act in ["confirm", "discard", "rollback", "reinstate"] {
        let form = [("token", token.as_str()), ("expect", &expect)];
        let refused = site.post(&format!("/batches/b3/{act}"), &form).is(403);
        assert!(refused.body.contains("--allow-decisions"));
    }
    let words = [("token", token.as_str()), ("symbol", "X")];
    let refused = site.upload(&words, ("X.csv", b"Date,IV30\n2024-01-02,20\n"));
    assert!(refused.is_none_or(|answer| answer.status == 403));
    let deep = site.post("/verify/deep", &[("token", &token)]).is(200);
    assert!(deep.body.contains("Everything is as recorded (every byte)"));
    assert_eq!(desk.run("log --json").json()["position"], 5);
}

#[cfg(unix)]
#[test]
fn it_ends_in_order_when_told_to() {
    for signal in ["-TERM", "-INT"] {
        let desk = desk();
        let mut site = Site::of(&desk, &[]);
        site.get("/").is(200);
        // Neither an open connection keeps it nor a page that listens.
        let idle = site.connect();
        let mut listening = site.connect();
        let ask = format!("GET /api/moved HTTP/1.1\r\nHost: {}\r\n\r\n", site.host());
        std::io::Write::write_all(&mut listening, ask.as_bytes()).unwrap();
        let mut told = [0; 2000];
        let mut text = String::new();
        while !text.contains("data: 5") {
            let bytes = std::io::Read::read(&mut listening, &mut told).unwrap();
            assert!(bytes > 0, "{text}");
            text += &String::from_utf8_lossy(&told[..bytes]);
        }
        assert!(text.contains("content-type: text/event-stream"), "{text}");
        let id = site.id().to_string();
        let sent = std::process::Command::new("kill").args([signal, &id]).status().unwrap();
        assert!(sent.success());
        let (code, took) = site.ended();
        assert_eq!(code, Some(0), "{signal}");
        assert!(took < std::time::Duration::from_secs(8), "{took:?}");
        drop(idle);
        desk.run("verify").exits(0);
    }
}

/// The button says "the last decision", and a promotion may be that.
#[test]
fn the_page_does_not_undo_a_batch_for_a_promotion() {
    let desk = Desk::with_iv();
    desk.run("projection add iv_metrics").exits(0);
    let (site, token) = deciding(&desk);
    let form = [("token", token.as_str()), ("position", "3")];
    for form in [form.to_vec(), [&form[..], &[("plan", "1")]].concat()] {
        let refused = site.post("/undo", &form).is(409).body;
        let back = "<code>volledger projection drop iv_metrics@1</code>";
        assert!(
            refused.contains("#3, iv_metrics@1 is kept") && refused.contains(back),
            "{refused}"
        );
    }
    assert_eq!(desk.run("batch show b1 --json").json()["state"], "active");
}

/// Neither keeps one, so that whoever gave one would think it recorded.
#[test]
fn undoing_asks_for_no_reason() {
    let desk = Desk::with_iv();
    let (site, token) = deciding(&desk);
    let plan = |path: &str, words: &[(&str, &str)]| {
        let form = [&[("token", token.as_str()), ("plan", "1")], words].concat();
        let page = site.post(path, &form).is(200).body;
        assert!(page.contains("Nothing is decided yet"), "{page}");
        page.contains("name=\"reason\"")
    };
    assert!(!plan("/undo", &[("position", "2")]));
    assert!(plan("/batches/b1/rollback", &[]));
}

#[test]
fn a_choice_that_there_is_not_stages_nothing() {
    let desk = Desk::with_iv();
    let (site, token) = deciding(&desk);
    let words = [("token", token.as_str()), ("symbol", "NEW"), ("overlap", "bogus")];
    let file: (&str, &[u8]) = ("NEW.csv", b"Date,IV30\n2024-01-02,20\n");
    let refused = site.upload(&words, file).unwrap().is(400);
    assert!(refused.body.contains("replace, keep"), "{}", refused.body);
    assert_eq!(desk.run("log --json").json()["position"], 2);
}

/// What a plan showed is what is done: it is of the ledger as it stood.
#[test]
fn a_plan_that_another_decision_overtook_is_not_carried_out() {
    let desk = Desk::new();
    desk.run("init").exits(0);
    for (name, close) in [("one", "2"), ("two", "7")] {
        let file = desk.write(&format!("{name}.csv"), &format!("date,close\n2024-06-03,{close}\n"));
        let yes = if name == "one" { "--yes" } else { "" };
        desk.run(&format!("import spot {file} -s K --no-input {yes}"));
    }
    let (site, token) = deciding(&desk);
    let form = [("token", token.as_str()), ("reason", "wrong")];
    let plan = site.post("/batches/b1/rollback", &[&form[..], &[("plan", "1")]].concat()).is(200);
    let position = hidden(&plan, "position");
    let agreed = [&form[..], &[("position", position.as_str())]].concat();
    desk.run("batch confirm b2").exits(0);
    let stale = site.post("/batches/b1/rollback", &agreed).is(409).body;
    assert!(stale.contains("the ledger moved on") && stale.contains("plan again"), "{stale}");
    assert_eq!(desk.run("batch show b1 --json").json()["state"], "active");
    // Looked at again, it is carried out; and the direct button is of no plan.
    let plan = site.post("/batches/b1/rollback", &[&form[..], &[("plan", "1")]].concat()).is(200);
    let position = hidden(&plan, "position");
    site.post("/batches/b1/rollback", &[&form[..], &[("position", position.as_str())]].concat())
        .is(303);
    assert_eq!(desk.run("batch show b1 --json").json()["state"], "rolled-back");
    site.post("/batches/b2/rollback", &form).is(303);
}

#[test]
fn the_log_says_how_much_of_it_is_shown() {
    let desk = Desk::with_iv();
    let (site, _) = deciding(&desk);
    let all = desk.run("log --json").json()["entries"].as_array().unwrap().len();
    assert!(all > 1, "{all}");
    let of = |path: &str| site.get(path).json()["entries"].as_array().unwrap().len();
    assert_eq!(
        ["", "?limit=0", "?limit=1"].map(|w| of(&format!("/events.json{w}"))),
        [all, all, 1]
    );
    let says =
        |path: &str| site.get(path).is(200).body.contains("Earlier entries that are not shown");
    assert_eq!(
        ["", "?limit=0", "?limit=1"].map(|w| says(&format!("/events{w}"))),
        [false, false, true]
    );
}
