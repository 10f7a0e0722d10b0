//! Every page answers, says the same as its twin and as the command, and carries its headers.

use super::{Site, desk};
use crate::program::sample;
use serde_json::Value;

/// Pages with the command that says the same.
const TWINS: &[(&str, &str)] = &[
    ("/batches", "batch list"),
    ("/batches/b3", "batch show b3"),
    ("/symbols/VOLA", "chart all VOLA"),
    ("/why/iv/VOLA/2024-12-30", "why iv VOLA 2024-12-30"),
    ("/rank", "heatmap"),
    ("/gaps", "gaps"),
    ("/gaps/VOLA", "chart gaps VOLA"),
    ("/events", "log"),
    ("/events/3", "show #3"),
    ("/events/b1/3", "show b1/3"),
    ("/audit", "log --audit"),
    ("/verify", "verify"),
    ("/projections", "projection list"),
    ("/vrp", "vrp scan"),
    ("/symbols", "coverage"),
];

#[test]
fn every_page_has_a_twin_that_says_what_the_command_says() {
    let desk = desk();
    let site = Site::of(&desk, &[]);
    for (path, command) in TWINS {
        let page = site.get(path).is(200);
        assert!(page.header("content-type").unwrap().starts_with("text/html"), "{path}");
        assert!(page.body.starts_with("<!DOCTYPE html><html lang=\"en\">"), "{path}");
        assert!(page.body.contains(&format!("href=\"{path}.json\"")), "{path}: no twin named");
        let twin = site.get(&format!("{path}.json")).is(200);
        assert_eq!(twin.header("content-type"), Some("application/json"), "{path}");
        let said = desk.words(&[&command.split(' ').collect::<Vec<_>>()[..], &["--json"]].concat());
        assert_eq!(twin.json(), said.exits(0).json(), "{path}");
    }
    let (status, said) = (site.get("/status.json").json(), desk.run("status --json").json());
    let without_size = |mut status: Value| {
        status.as_object_mut().unwrap().remove("bytes");
        status.as_object_mut().unwrap().remove("ledger");
        status
    };
    assert_eq!(without_size(status), without_size(said));
    let asked = site.get("/sql.json?q=select+count%28*%29+as+n+from+iv").is(200).json();
    assert_eq!(asked["rows"][0][0], 753);
    assert_eq!(site.get("/sql.csv?q=select+1+as+n").is(200).body, "n\n1\n");
    // A spreadsheet that opens it computes nothing; numbers stay numbers.
    let formula = super::client::encoded(&[("q", "select '=1+1' as a, '@x' as b, -1 as c")]);
    let file = site.get(&format!("/sql.csv?{formula}")).is(200);
    assert_eq!(file.body, "a,b,c\n'=1+1,'@x,-1\n");
    assert!(file.header("content-disposition").unwrap().starts_with("attachment"));
}

/// The same rows staged twice have the same root.
#[test]
fn an_event_names_the_entry_that_staged_its_own_batch() {
    let desk = crate::program::Desk::with_iv();
    desk.run("batch rollback b1 --reason bad").exits(0);
    let again = format!("import iv {} -s VOLA --yes --again --reason fine", sample("iv/VOLA.csv"));
    desk.run(&again).exits(0);
    let site = Site::of(&desk, &[]);
    for (event, entry) in [("b1/1", "/events/1"), ("b2/1", "/events/4")] {
        let page = site.get(&format!("/events/{event}")).is(200);
        let path = page.body.split("the entry that staged it: ").nth(1).unwrap();
        assert!(path.starts_with(&format!("<a href=\"{entry}\"")), "{event}: {path}");
    }
}

#[test]
fn days_the_wrong_way_round_are_refused_and_no_page_says_see_the_help() {
    let desk = desk();
    let site = Site::of(&desk, &[]);
    for path in ["/symbols/VOLA", "/rank"] {
        let asked = format!("{path}?from=2024-12-31&to=2024-01-02");
        let refused = site.get(&asked).is(400);
        assert!(refused.body.contains("2024-12-31 is after 2024-01-02"), "{}", refused.body);
        assert!(!refused.body.contains("volledger help"), "{}", refused.body);
    }
}

#[test]
fn every_answer_has_a_policy_without_inline_script_or_style() {
    let desk = desk();
    let site = Site::of(&desk, &["--allow-decisions"]);
    let extra = ["/", "/sql", "/upload", "/nowhere", "/assets/page.css", "/assets/page.js"];
    let known = TWINS.iter().map(|(path, _)| *path).chain(extra);
    for path in known {
        let page = site.get(path);
        let policy = page.header("content-security-policy").unwrap();
        assert!(policy.starts_with("default-src 'none'") && !policy.contains("unsafe"), "{policy}");
        for (name, value) in [("x-content-type-options", "nosniff"), ("cache-control", "no-store")]
        {
            assert_eq!(page.header(name), Some(value), "{path}");
        }
        for never in [" style=\"", "<style", " onclick", "javascript:", "//cdn", "https://"] {
            assert!(!page.body.contains(never), "{path}: {never}");
        }
        // A script comes from the server, or is data.
        for script in page.body.split("<script").skip(1) {
            let data = script.starts_with(" type=\"application/json\"");
            assert!(data || script.starts_with(" src=\"/assets/"), "{path}");
        }
        let ids: Vec<&str> =
            page.body.split(" id=\"").skip(1).filter_map(|rest| rest.split('"').next()).collect();
        let unique: std::collections::BTreeSet<_> = ids.iter().collect();
        assert_eq!(unique.len(), ids.len(), "{path}: {ids:?}");
    }
}

#[test]
fn pictures_have_a_sentence_and_a_table() {
    let desk = desk();
    let site = Site::of(&desk, &[]);
    let symbol = site.get("/symbols/VOLA").is(200).body;
    for part in [
        "<figcaption>atm_iv of VOLA stood at ",
        "<summary>Data as a table</summary>",
        "<a href=\"/why/iv/VOLA/2024-12-30\">2024-12-30</a>",
        "type=\"range\"",
        "<script src=\"/assets/chart.js\" defer>",
    ] {
        assert!(symbol.contains(part), "{part}");
    }
    let batch = site.get("/batches/b3").is(200).body;
    for part in [
        "<figcaption>Now atm_iv of VOLA stands at ",
        " If confirmed, atm_iv of VOLA would stand at ",
        "<caption>Cells that differ",
        "~ changed",
    ] {
        assert!(batch.contains(part), "{part}: {batch}");
    }
    let rank = site.get("/rank").is(200).body;
    let caption = rank.split("<figcaption>").nth(1).unwrap().split("</figcaption>").next().unwrap();
    assert!(caption.contains(" (2024-12), lowest VOLA at "), "{caption}");
    assert!(batch.contains("Read-only") && !batch.contains("name=\"expect\""));
    // What was known earlier is still shown: before the prices came there was no spot line.
    let earlier = site.get("/symbols/VOLA.json?at=2").is(200).json();
    assert_eq!(earlier["position"], 2);
    assert!(earlier["lines"].as_array().unwrap().iter().all(|line| line["series"] != "spot"));
}

/// A misspelled `from` would otherwise show other days than those that were asked for.
#[test]
fn a_word_that_a_page_does_not_know_is_refused_with_those_that_it_knows() {
    let desk = desk();
    let site = Site::of(&desk, &[]);
    for (path, word, known) in [
        ("/symbols/VOLA?form=2024-12-02", "form", "from"),
        ("/?at=2", "at", "lang"),
        ("/batches/b3?done=3&kinds=all", "kinds", "kind"),
        ("/rank?metric=atm_iv&symbol=VOLA", "symbol", "symbols"),
        ("/jobs?limit=3", "limit", "lang"),
        ("/upload?kind=iv", "kind", "series"),
    ] {
        let page = site.get(path).is(400).body;
        assert!(page.contains(&format!("no word &quot;{word}&quot;")), "{path}: {page}");
        assert!(page.contains(&format!("<code>{known}</code>")), "{path}: {page}");
    }
    let refused = site.get("/symbols/VOLA.json?form=2024-12-02").is(400).json();
    assert_eq!(refused["error"], "this page knows no word \"form\" in its address");
    let hint = "it knows `kind`, `from`, `to`, `at`, `lang`; take the other out of the address";
    assert_eq!(refused["hint"], hint);
    assert_eq!(refused["exit"], 2);
}

/// Nothing would look like an answer.
#[test]
fn a_filter_that_there_is_not_is_refused_with_those_that_there_are() {
    let desk = desk();
    let site = Site::of(&desk, &[]);
    for (path, says) in [
        ("/batches?state=nonsense", "there are staged, active, rolled-back, superseded, discarded"),
        ("/batches/b3?kind=nonsense", "there are all, new, changed"),
        ("/batches/b3?view=nonsense", "is not a series"),
        ("/gaps?series=earnings", "gaps are of iv, hv, spot and index"),
        ("/rank?metric=nonsense", "there are iv_percentile_252"),
        ("/events?done=everything", "done"),
    ] {
        let page = site.get(path).is(400).body;
        assert!(page.contains(says), "{path}: {page}");
    }
    assert_eq!(site.get("/batches.json?state=nonsense").is(400).json()["exit"], 2);
    for state in ["staged", "active", "rolled-back", "superseded", "discarded"] {
        site.get(&format!("/batches?state={state}")).is(200);
    }
    let small = site.get("/batches/b3?symbol=vola&kind=all").is(200).body;
    assert!(!small.contains("None of these"), "a symbol in small letters is the same one: {small}");
    assert!(site.get("/audit?actor=nobody").is(200).body.contains("Batch by batch</h2><p>None."));
}

/// Of a large batch a page has only the largest changes: that none of them is meant says nothing.
#[test]
fn a_filter_over_a_few_of_many_changes_says_so() {
    let desk = desk();
    let mut text = String::from("Symbol,Date,IV30\n");
    for row in 0..21_000 {
        let (symbol, day) = (row / 20, row % 20 + 1);
        text += &format!("LOT{symbol},2024-05-{day:02},20.5\n");
    }
    let file = desk.write("lot.csv", &text);
    desk.run(&format!("import iv {file} --symbol-from column --stage-only")).exits(0);
    let site = Site::of(&desk, &[]);
    let newest = site.get("/batches.json").json()["batches"].as_array().unwrap().len();
    let page = site.get(&format!("/batches/b{newest}?symbol=LOT999&kind=all")).is(200).body;
    assert!(page.contains("None of these among the few that this page has."), "{page}");
}

/// Every link and every field of a form that shows something leads to a page that takes it.
#[test]
fn the_pages_own_links_and_forms_have_only_words_that_are_known() {
    let desk = desk();
    let (site, _) = super::deciding(&desk);
    let mut ahead: Vec<String> = TWINS.iter().map(|(path, _)| (*path).to_owned()).collect();
    ahead.extend(
        ["/", "/symbols/VOLA?at=2&lang=en", "/earnings/VOLA", "/sql?q=select+1+as+n"]
            .map(str::to_owned),
    );
    ahead.extend(["/projections/iv_metrics", "/jobs", "/upload"].map(str::to_owned));
    let mut seen = std::collections::BTreeSet::new();
    let parts = |text: &str, mark: &str| -> Vec<String> {
        let found = text.split(mark).skip(1).filter_map(|rest| rest.split('"').next());
        found.map(|part| part.replace("&amp;", "&")).collect()
    };
    while let Some(path) = ahead.pop() {
        let answer = site.get(&path);
        assert_ne!(answer.status, 400, "{path}: {}", answer.body);
        let mut next = parts(&answer.body, "href=\"/");
        for form in answer.body.split("method=\"get\" action=\"/").skip(1) {
            let form = form.split("</form>").next().unwrap();
            let to = form.split('"').next().unwrap();
            // An empty field is none, so each of them can be sent without a value.
            let fields = parts(form, " name=\"").join("=&");
            next.push(format!("{to}?{fields}="));
        }
        // One of each kind of address is enough.
        for link in next {
            let kind: String = link.chars().filter(|c| !c.is_ascii_digit()).collect();
            let (place, query) = kind.split_once('?').unwrap_or((&kind, ""));
            let names: Vec<_> =
                query.split('&').filter_map(|pair| pair.split('=').next()).collect();
            if seen.insert(format!("{} {}", place.replace('-', ""), names.join(" "))) {
                ahead.insert(0, format!("/{link}"));
            }
        }
    }
    assert!(seen.len() > 60, "{}", seen.len());
}

#[test]
fn the_first_page_tells_of_computed_values_that_no_longer_follow() {
    let desk = crate::program::Desk::with_ledger();
    desk.run(&format!("import spot {} -s VOLA --yes", crate::program::sample("spot/VOLA.csv")))
        .exits(0);
    desk.run("derive hv --yes").exits(0);
    let told = || {
        let site = Site::of(&desk, &[]);
        let page = site.get("/").is(200).body.contains("no longer follows");
        (page, site.get("/status.json").is(200).json()["outdated"].to_string())
    };
    assert_eq!(told(), (false, "[]".to_owned()));
    let wrong = desk.write("wrong.csv", "Date,Close\n2024-12-02,70\n");
    desk.run(&format!("import spot {wrong} -s VOLA --yes")).exits(0);
    assert_eq!(told(), (true, r#"[{"series":"hv","symbols":["VOLA"]}]"#.to_owned()));
}

#[test]
fn what_is_not_there_is_told_with_the_next_step() {
    let desk = desk();
    let site = Site::of(&desk, &[]);
    for (path, status) in [
        ("/nowhere", 404),
        ("/batches/b99", 404),
        ("/batches/x", 404),
        ("/symbols/NONE", 404),
        ("/events/99", 404),
        ("/why/iv/VOLA/1999-01-01", 404),
        ("/symbols/VOLA?from=x", 400),
        ("/symbols/VOLA?at=99", 404),
        ("/rank?metric=x", 400),
        ("/projections/nothing", 404),
    ] {
        let page = site.get(path).is(status);
        assert!(page.body.contains("role=\"alert\""), "{path}");
        let twin = match path.split_once('?') {
            Some((path, query)) => format!("{path}.json?{query}"),
            None => format!("{path}.json"),
        };
        let twin = site.get(&twin).is(status).json();
        assert_eq!(twin["schema"], "volledger/error/1", "{path}");
    }
    let wrong = site.get("/sql?q=selec").is(200);
    assert!(wrong.body.contains("role=\"alert\"") && wrong.body.contains(">selec</textarea>"));
    for query in ["delete from iv", "attach 'x' as y", "select 1; select 2"] {
        let query = super::client::encoded(&[("q", query)]);
        site.get(&format!("/sql.json?{query}")).is(400);
    }
}

#[test]
fn announcements_are_told_as_the_command_tells_them() {
    let desk = desk();
    for (series, name) in [("earnings", "calendar"), ("straddles", "straddles")] {
        let file = crate::program::sample(&format!("earnings/{name}.csv"));
        desk.run(&format!("import {series} {file} --yes")).exits(0);
    }
    let site = Site::of(&desk, &[]);
    for (path, query, command) in [
        ("/earnings/VOLA", "date=2024-11-30", "earnings VOLA --date 2024-11-30"),
        ("/vrp", "symbols=VOLA&date=2024-11-25", "vrp VOLA --date 2024-11-25"),
    ] {
        let said = desk.run(&format!("{command} --json")).exits(0).json();
        assert_eq!(site.get(&format!("{path}.json?{query}")).is(200).json(), said, "{path}");
        let page = site.get(&format!("{path}?{query}")).is(200);
        assert!(page.body.contains("<caption>") && page.body.contains("VOLA"), "{path}");
    }
    // A page names a set of tiers, never a file.
    for tiers in ["../x.toml", "/etc/passwd", "nothing"] {
        let refused = site.get(&format!("/vrp.json?tiers={tiers}"));
        assert!((400..500).contains(&refused.status), "{tiers}: {}", refused.status);
    }
}

#[test]
fn every_page_that_would_show_it_says_what_was_erased() {
    let desk = desk();
    desk.run("erase b1/3 --reason wrong --yes").exits(0);
    let site = Site::of(&desk, &[]);
    for path in [
        "/",
        "/batches",
        "/batches/b1",
        "/symbols",
        "/symbols/VOLA",
        "/symbols/VOLA?kind=rank",
        "/rank",
        "/gaps",
        "/gaps/VOLA",
        "/gaps/VOLA?series=iv",
        "/projections",
        "/sql",
        "/vrp",
        "/verify",
    ] {
        let body = site.get(path).is(200).body;
        assert!(body.contains("1 event of <a href=\"/batches/b1\">"), "{path}: {body}");
        assert!(body.contains("erased by tester") && body.contains("wrong)"), "{path}");
    }
    // What it does not touch is silent; where it is told anyway it is not told twice.
    for path in [
        "/batches/b2",
        "/gaps/VOLA?series=spot",
        "/symbols/VOLA?to=2022-01-04",
        "/events",
        "/audit",
    ] {
        let body = site.get(path).is(200).body;
        assert!(!body.contains("that this page would show"), "{path}: {body}");
    }
}

/// What stands in the elements of these names, without the tags inside.
fn said<'a>(body: &'a str, names: &[&str]) -> Vec<String> {
    let plain = |inner: &str| {
        let parts = inner.split('<').enumerate();
        let texts = parts
            .map(|(i, part)| if i == 0 { part } else { part.split_once('>').map_or("", |p| p.1) });
        texts.collect::<String>().trim().to_owned()
    };
    let all = |name: &str| -> Vec<&'a str> {
        let (open, close) = (format!("<{name}"), format!("</{name}>"));
        let inner = body.split(&*open).skip(1);
        inner
            .filter_map(|part| {
                part.starts_with([' ', '>'])
                    .then(|| part.split_once('>')?.1.split(&*close).next())
                    .flatten()
            })
            .collect()
    };
    names
        .iter()
        .flat_map(|name| all(name))
        .map(plain)
        .filter(|text| text.contains(char::is_alphabetic))
        .collect()
}

#[test]
fn in_dutch_no_title_heading_or_button_is_english() {
    let desk = desk();
    let query =
        desk.write("one.sql", "SELECT symbol, date, atm_iv AS v FROM iv WHERE symbol = :symbol");
    for _ in 0..2 {
        desk.run(&format!("projection add rich --sql {query}")).exits(0);
        desk.write(
            "one.sql",
            "SELECT symbol, date, atm_iv * 2 AS v FROM iv WHERE symbol = :symbol",
        );
    }
    let csv = desk.write("two.csv", "Symbol,Date,IV30\nAAA,2024-01-02,10.5\nBBB,2024-01-02,n/a\n");
    desk.run(&format!("import iv {csv} --symbol-from column --stage-only")).exits(0);
    let english = Site::of(&desk, &["--allow-decisions"]);
    let dutch = Site::of(&desk, &["--allow-decisions", "--lang", "nl"]);
    // Terms of the domain, names, and what reports call their columns.
    let terms = [
        "IV",
        "HV",
        "IV, IV MA, HV20, HV252, spot",
        "spot",
        "Batches",
        "batches",
        "batch",
        "Views",
        "view",
        "views",
        "VRP",
        "SQL",
        "Audit",
        "audit",
        "Event",
        "digest",
        "code",
        "status",
        "gap",
        "intraday",
        "n",
        "iv",
        "hv",
        "English",
        "Nederlands",
        "atm_iv",
        "JSON",
    ];
    let mut left = Vec::new();
    let names = ["h1", "h2", "h3", "caption", "summary", "button", "label", "legend", "nav", "dt"];
    for path in [
        "/",
        "/batches",
        "/batches/b1",
        "/batches/b3",
        "/batches/b4",
        "/symbols",
        "/symbols/VOLA",
        "/why/iv/VOLA/2024-12-30",
        "/rank",
        "/vrp",
        "/earnings/VOLA",
        "/gaps",
        "/gaps/VOLA",
        "/events",
        "/events/3",
        "/events/b1/3",
        "/audit",
        "/verify",
        "/projections",
        "/projections/rich@1",
        "/projections/rich@2/diff",
        "/sql",
        "/upload",
        "/jobs",
        "/nowhere",
    ] {
        let (one, other) = (english.get(path), dutch.get(path));
        assert_eq!(one.status, other.status, "{path}");
        assert!(
            one.body.contains("<html lang=\"en\">") && other.body.contains("<html lang=\"nl\">"),
            "{path}"
        );
        let told = |body: &str| {
            // The table of a figure is a report's; in Dutch it says that it is English.
            let reports =
                ["<table>", "<table lang=\"en\">"].into_iter().find(|tag| body.contains(tag));
            let (before, rest) = reports.and_then(|tag| body.split_once(tag)).unwrap_or((body, ""));
            let body =
                [before, rest.split_once("</table>").map_or("", |(_, after)| after)].concat();
            // A picture has a title too, and it is a report's.
            let mut texts = said(body.split("</head>").next().unwrap(), &["title"]);
            texts.extend(said(&body, &names));
            let ours = body.split("<table class=\"rows\">").skip(1);
            texts.extend(
                ours.flat_map(|table| said(table.split("</thead>").next().unwrap(), &["th"])),
            );
            texts
        };
        let (one, other) = (told(&one.body), told(&other.body));
        assert_eq!(one.len(), other.len(), "{path}\n{one:?}\n{other:?}");
        for (one, other) in one.iter().zip(&other) {
            let (one, other) =
                (one.trim_end_matches(" – volledger"), other.trim_end_matches(" – volledger"));
            let names_only = one.chars().any(|c| c.is_ascii_digit())
                || ["VOLA", "rich", "AAA", "BBB"].iter().any(|name| one.contains(name));
            let column = one.contains('_') || desk_words(one);
            // Tables and columns of SQL are called what they are; one of them stands in quotes.
            let sql = (path == "/sql" || path.ends_with("/diff"))
                && one.replace("&quot;", "").chars().all(|c| c.is_ascii_lowercase());
            if one == other && !sql && !names_only && !column && !terms.contains(&one) {
                left.push(format!("{path}: {one}"));
            }
        }
    }
    assert_eq!(left, [""; 0]);
    // A link leads to the other language, and the choice stays.
    let page = english.get("/symbols/VOLA?kind=iv").is(200);
    assert!(page.body.contains("href=\"/symbols/VOLA?lang=nl&amp;kind=iv\""), "{}", page.body);
    let chosen = english.get("/symbols?lang=nl").is(200);
    assert!(chosen.header("set-cookie").unwrap().starts_with("lang=nl;"));
    let kept = english.ask("GET /symbols", &[("Cookie", "a=b; lang=nl")], b"").is(200);
    assert!(kept.body.contains("<h1>Symbolen</h1>"));
    let back = dutch.ask("GET /symbols?lang=en", &[("Cookie", "lang=nl")], b"").is(200);
    assert!(back.body.contains("<h1>Symbols</h1>"));
    for strange in ["lang=zz", "lang=%3Cb%3E", "lang="] {
        let answer = english.get(&format!("/symbols?{strange}")).is(200);
        assert!(answer.header("set-cookie").is_none() && answer.body.contains("<h1>Symbols</h1>"));
    }
    let refused = dutch.ask("GET /", &[("Host", "evil.example")], b"").is(403);
    assert!(refused.body.contains("volledger"));
}

/// A caption or heading that only repeats what a report or the user calls it.
fn desk_words(text: &str) -> bool {
    text.starts_with('/') || text.starts_with("Implied volatility") || text.starts_with("Days")
}

/// They are about the directory, which changes without the log.
#[cfg(unix)]
#[test]
fn what_there_is_to_note_is_looked_at_each_time() {
    use std::os::unix::fs::PermissionsExt;
    let desk = desk();
    let site = Site::of(&desk, &[]);
    let place = desk.path().join(".volledger");
    for (mode, notes) in [(0o700, 0), (0o755, 1), (0o700, 0)] {
        std::fs::set_permissions(&place, PermissionsExt::from_mode(mode)).unwrap();
        let status = site.get("/status.json").is(200).json();
        assert_eq!(status["notes"].as_array().unwrap().len(), notes, "{mode:o}: {status}");
    }
}

/// The first page keeps what the last one found.
#[test]
fn a_verification_tells_what_it_looked_at() {
    let desk = desk();
    let (site, token) = super::deciding(&desk);
    let last = || {
        let home = site.get("/").is(200).body;
        let rest = home.split("<h2>Last verification</h2>").nth(1).unwrap();
        rest.split("</section>").next().unwrap().to_owned()
    };
    assert!(last().contains("None since this server was started."), "{}", last());
    let quick = site.get("/verify").is(200).body;
    assert!(!quick.contains("0 views"), "{quick}");
    assert!(last().contains("recorded (the log, and every block"), "{}", last());
    assert!(last().contains("At #5, <time") && !last().contains("since then:"), "{}", last());
    desk.run("batch discard b3").exits(0);
    let deep = site.post("/verify/deep", &[("token", &token)]).is(200).body;
    assert!(deep.contains(" views."), "{deep}");
    assert!(last().contains("recorded (every byte)") && last().contains("At #6"), "{}", last());
    desk.run("batch reinstate b3").exits(0);
    assert!(last().contains("At #6") && last().contains("; entries since then: 1."), "{}", last());
}

/// Symbols of which all was taken back are not among those that are counted, or they would be missed.
#[test]
fn the_list_of_symbols_counts_those_that_show_something() {
    let desk = crate::program::Desk::with_ledger();
    let mut text = "date,ticker,close\n".to_owned();
    for number in 0..230 {
        text += &format!("2024-01-02,S{number:03},10\n");
    }
    let file = desk.write("many.csv", &text);
    desk.run(&format!("import spot {file} --symbol-from column --yes")).exits(0);
    let gone = desk.write("gone.csv", &text.replace(",S", ",GONE"));
    desk.run(&format!("import spot {gone} --symbol-from column --yes")).exits(0);
    let told = |path: &str| {
        let site = Site::of(&desk, &[]);
        let page = site.get(path).is(200).body;
        let first =
            page.split("<p>The first 200 of ").nth(1).and_then(|rest| rest.split('.').next());
        (first.map(str::to_owned), page.matches("href=\"/symbols/S").count())
    };
    assert_eq!(told("/symbols"), (Some("460".to_owned()), 0));
    desk.run("batch rollback b2 --reason bad").exits(0);
    assert_eq!(told("/symbols"), (Some("230".to_owned()), 200));
    assert_eq!(told("/symbols?at=2").0, Some("230".to_owned()));
}

/// A column of its own for it was one word wide, half of it outside the screen.
#[test]
fn a_reason_stands_below_the_source_of_its_batch() {
    let desk = desk();
    let reason = "the vendor sent the wrong scale for all of the autumn";
    desk.words(&["batch", "rollback", "b2", "--reason", reason]).exits(0);
    let site = Site::of(&desk, &[]);
    let page = site.get("/batches").is(200).body;
    let row = page.split("href=\"/batches/b2\"").nth(1).unwrap().split("</tr>").next().unwrap();
    let told = format!("VOLA.csv</div><div class=\"source small\">{reason}</div>");
    assert!(row.contains(&told), "{row}");
    assert_eq!(page.matches("</th>").count(), 9 + 3, "{page}");
}

#[test]
fn a_missing_day_leads_to_the_upload_of_a_file_that_has_it() {
    let desk = desk();
    let text = "Date,IV30\n2024-06-03,20\n2024-06-05,21\n2024-06-08,22\n";
    let file = desk.write("hole.csv", text);
    desk.run(&format!("import iv {file} -s HOLE --yes")).exits(0);
    let site = Site::of(&desk, &[]);
    let page = site.get("/gaps/HOLE").is(200).body;
    for link in [
        "<a href=\"/upload?series=iv&amp;symbol=HOLE\">2024-06-04</a>",
        "<a href=\"/why/iv/HOLE/2024-06-08\">2024-06-08</a>",
    ] {
        assert!(page.contains(link), "{link}: {page}");
    }
}

/// A name alone was compared with itself.
#[test]
fn a_version_is_compared_with_another_and_column_by_column() {
    let desk = desk();
    for times in ["1", "3"] {
        let query =
            format!("SELECT symbol, date, atm_iv / {times} AS v FROM iv WHERE symbol = :symbol");
        let query = desk.write("one.sql", &query);
        desk.run(&format!("projection add thirds --sql {query}")).exits(0);
    }
    let site = Site::of(&desk, &[]);
    let pair = |path: &str| {
        let diff = site.get(path).is(200).json();
        [&diff["a"], &diff["b"]].map(|id| id.as_str().unwrap().to_owned())
    };
    assert_eq!(pair("/projections/thirds/diff.json"), ["thirds@2", "thirds@1"]);
    assert_eq!(pair("/projections/thirds@1/diff.json"), ["thirds@2", "thirds@1"]);
    assert_eq!(pair("/projections/thirds@2/diff.json"), ["thirds@1", "thirds@2"]);
    for same in ["thirds@1/diff?with=thirds", "thirds@1/diff?with=thirds%401"] {
        let refused = site.get(&format!("/projections/{same}"));
        assert!(refused.status == 400 && refused.body.contains("are the same version"), "{same}");
    }
    site.get("/projections/iv_metrics/diff").is(404);
    let page = site.get("/projections/thirds/diff").is(200).body;
    let columns = page.split("<caption>Columns that differ</caption>").nth(1).unwrap();
    let row = columns.split("<tbody>").nth(1).unwrap().split("</tr>").next().unwrap();
    assert!(row.contains("<code>v</code>") && row.contains(">753</td>"), "{row}");
    let cells = page.split("<caption>What differs</caption>").nth(1).unwrap();
    // The whole number stands on hovering.
    let long = cells.split("<span title=\"").nth(1).unwrap().split("</span>").next().unwrap();
    let (whole, short) = long.split_once("\">").unwrap();
    assert!(whole.len() > 12 && short.len() <= 9, "{long}");
    assert!(page.contains("volledger projection diff thirds@2 thirds@1"), "{page}");
}

#[test]
fn the_first_page_says_what_is_missing_and_what_is_old() {
    let desk = desk();
    let site = Site::of(&desk, &[]);
    let told = || {
        let home = site.get("/").is(200).body;
        let line =
            home.split("<p class=\"coverage\">").nth(1).unwrap().split("</p>").next().unwrap();
        line.to_owned()
    };
    let line = "Of 1 symbol <a href=\"/gaps\">0 with days missing</a>, <a href=\"/symbols\">1 whose newest \
                day is old</a> (prices after 3 days, others after 7).";
    assert_eq!(told(), line);
    let file = desk.write("new.csv", "Date,IV30\n2025-12-08,20\n2025-12-11,21\n");
    desk.run(&format!("import iv {file} -s NEW --yes")).exits(0);
    assert!(told().starts_with("Of 2 symbols <a href=\"/gaps\">1 with"), "{}", told());
    assert!(told().contains(">1 whose newest day is old<"), "{}", told());
}

#[test]
fn what_has_its_dutch_is_dutch() {
    let desk = desk();
    let calendar = crate::program::sample("earnings/calendar.csv");
    desk.run(&format!("import earnings {calendar} --yes")).exits(0);
    let site = Site::of(&desk, &["--lang", "nl"]);
    for (path, dutch) in [
        ("/rank", "placeholder=\"alle symbolen\""),
        ("/rank", "<p lang=\"en\">"),
        ("/vrp", "placeholder=\"alle met een aankondiging\""),
        ("/verify", "het logboek, en elk blok op zijn plaats"),
        ("/nowhere", "De links bovenaan leiden overal heen"),
        ("/gaps/VOLA", "<title>Gaten van VOLA"),
        ("/earnings/VOLA", "<title>Aankondigingen van VOLA"),
    ] {
        let page = site.get(path).body;
        assert!(page.contains(dutch), "{path}: {page}");
    }
}
