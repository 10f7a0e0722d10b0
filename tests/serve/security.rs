//! Who is refused, and what is harmless: the server lives on afterwards.

use super::client::answer;
use super::{Site, deciding, desk, hidden};
use crate::program::Desk;
use std::io::Write;
use std::time::{Duration, Instant};

fn lives(site: &Site) {
    let page = site.get("/status.json").is(200);
    assert_eq!(page.json()["schema"], "volledger/status/1");
}

#[test]
fn other_names_and_other_sites_are_refused() {
    let desk = desk();
    let (site, token) = deciding(&desk);
    let (host, port) = (site.host(), site.address.port());
    for name in
        ["evil.example", "localhost.evil.example", "127.0.0.1.nip.io", "10.0.0.1", "0.0.0.0"]
    {
        for path in ["/", "/status.json", "/assets/page.js", "/nowhere"] {
            let host = format!("{name}:{port}");
            let refused = site.ask(&format!("GET {path}"), &[("Host", &host)], b"").is(403);
            assert!(!refused.body.contains(&token) && !refused.body.contains("VOLA"));
            // Nor where the ledger is, nor whether it takes decisions.
            let place = desk.path().to_string_lossy();
            assert!(!refused.body.contains(&*place), "{}", refused.body);
            assert!(!refused.body.contains("decisions"), "{}", refused.body);
        }
    }
    for name in ["localhost", "127.0.0.1", "[::1]", "LOCALHOST"] {
        site.ask("GET /", &[("Host", &format!("{name}:9"))], b"").is(200);
    }
    // No host, two hosts, another in the address than in the header.
    let none = site.raw(b"GET / HTTP/1.1\r\nConnection: close\r\n\r\n");
    assert!(none.is_none_or(|answer| answer.status >= 400));
    let two = [("Host", host.as_str()), ("Host", "evil.example")];
    assert!(site.ask("GET /", &two, b"").status >= 400);
    site.ask("GET http://evil.example/", &[("Host", &host)], b"").is(403);

    let expect = hidden(&site.get("/batches/b3").is(200), "expect");
    let body = super::client::encoded(&[("token", &token), ("expect", &expect)]);
    let kind = ("Content-Type", "application/x-www-form-urlencoded");
    let post = |headers: &[(&str, &str)]| {
        site.ask("POST /batches/b3/confirm", &[&[kind], headers].concat(), body.as_bytes())
    };
    let own = format!("http://{host}");
    for origin in
        ["http://evil.example", "null", "", "http://localhost", &format!("https://{host}")]
    {
        post(&[("Origin", origin)]).is(403);
    }
    post(&[]).is(403);
    post(&[("Origin", &own), ("Sec-Fetch-Site", "cross-site")]).is(403);
    post(&[("Origin", &own), ("Sec-Fetch-Site", "same-site")]).is(403);
    let framed = [("Sec-Fetch-Site", "cross-site"), ("Sec-Fetch-Mode", "no-cors")];
    site.ask("GET /status.json", &framed, b"").is(403);
    for method in ["PUT", "DELETE", "OPTIONS", "TRACE", "PATCH"] {
        assert!(site.ask(&format!("{method} /batches/b3"), &[], b"").status >= 400, "{method}");
    }
    assert_eq!(desk.run("batch show b3 --json").json()["state"], "staged");
    post(&[("Origin", &own), ("Sec-Fetch-Site", "same-origin")]).is(303);
}

#[test]
fn without_the_token_nothing_is_done() {
    let desk = desk();
    let (site, token) = deciding(&desk);
    let expect = hidden(&site.get("/batches/b3").is(200), "expect");
    let other = token.replace(|c: char| c.is_ascii_digit(), "f");
    for wrong in ["", "0", &other, &token[1..], &format!("{token}0"), &token.to_uppercase()] {
        if wrong != token {
            let form = [("token", wrong), ("expect", &expect)];
            site.post("/batches/b3/confirm", &form).is(403);
            site.post("/verify/deep", &[("token", wrong)]).is(403);
        }
    }
    site.post("/batches/b3/confirm", &[("expect", &expect)]).is(403);
    site.get("/batches/b3/confirm").is(404);
    // A token in the address is none.
    site.post(&format!("/batches/b3/confirm?token={token}"), &[("expect", &expect)]).is(403);
    let file: (&str, &[u8]) = ("X.csv", b"Date,IV30\n2024-01-02,20\n");
    for words in [&[("symbol", "X")][..], &[("token", &other)]] {
        assert!(site.upload(words, file).is_none_or(|answer| answer.status == 403));
    }
    assert_eq!(desk.run("log --json").json()["position"], 5);
}

#[test]
fn paths_lead_nowhere_else() {
    let desk = desk();
    let site = Site::of(&desk, &[]);
    for path in [
        "/assets/../../etc/passwd",
        "/assets/..%2f..%2f..%2fetc%2fpasswd",
        "/assets/%2e%2e/Cargo.toml",
        "/assets/page.css%00",
        "//etc/passwd",
        "/batches/..%2f..%2fHEAD",
        "/symbols/..%2f..%2fetc%2fpasswd",
        "/symbols/%00",
        "/symbols/%ff%fe",
        "/events/b1/..",
        "/events/b1/18446744073709551616",
        "/events/99999999999999999999",
        "/projections/..%2fx",
    ] {
        let answer = site.get(path);
        assert!((400..500).contains(&answer.status), "{path}: {}", answer.status);
        assert!(!answer.body.contains("root:") && !answer.body.contains("[package]"), "{path}");
    }
    assert!(
        site.raw(b"GET ../../etc/passwd HTTP/1.1\r\nHost: localhost\r\n\r\n")
            .is_none_or(|a| a.status == 400)
    );
    assert!(site.raw(b"\x16\x03\x01\x00\xff\r\n\r\n").is_none_or(|a| a.status >= 400));
    lives(&site);
}

#[test]
fn too_much_is_refused() {
    let desk = desk();
    let (site, token) = deciding(&desk);
    let words = [("token", token.as_str()), ("symbol", "BIG")];
    let large = vec![b'1'; 100_000_000];
    let started = Instant::now();
    let refused = site.upload(&words, ("BIG.csv", &large));
    assert!(refused.as_ref().is_none_or(|answer| answer.status == 413), "{refused:?}");
    assert!(started.elapsed() < Duration::from_secs(60));
    lives(&site);
    let long = "x".repeat(200_000);
    let refused = site.post("/batches/b3/confirm", &[("token", &token), ("reason", &long)]);
    assert!((400..500).contains(&refused.status), "{}", refused.status);
    let line = format!("GET /sql?q={long} HTTP/1.1\r\nHost: {}\r\n\r\n", site.host());
    assert!(site.raw(line.as_bytes()).is_none_or(|answer| (400..500).contains(&answer.status)));
    let header = format!("GET / HTTP/1.1\r\nHost: {}\r\nX: {long}\r\n\r\n", site.host());
    assert!(site.raw(header.as_bytes()).is_none_or(|answer| (400..500).contains(&answer.status)));
    // A query that would run for hours is given up.
    let query =
        "with recursive n(i) as (select 1 union all select i+1 from n) select count(*) from n";
    let query = super::client::encoded(&[("q", query)]);
    let started = Instant::now();
    let late = site.get(&format!("/sql.json?{query}")).is(400);
    assert!(late.body.contains("too long") && started.elapsed() < Duration::from_secs(30));
    assert_eq!(desk.run("log --json").json()["position"], 5);
    lives(&site);
}

#[test]
fn who_speaks_slowly_is_hung_up_on() {
    let desk = desk();
    let site = Site::of(&desk, &[]);
    let started = Instant::now();
    let mut slow = site.connect();
    slow.write_all(b"GET / HTTP/1.1\r\nHost: localhost\r\n").unwrap();
    let dripping = std::thread::scope(|scope| {
        let mut drip = slow.try_clone().unwrap();
        scope.spawn(move || {
            for _ in 0..60 {
                if drip.write_all(b"X: y\r\n").is_err() {
                    break;
                }
                std::thread::sleep(Duration::from_millis(500));
            }
        });
        let ended = answer(&mut slow);
        assert!(ended.is_none_or(|answer| answer.status == 408));
        started.elapsed()
    });
    assert!(dripping < Duration::from_secs(40), "{dripping:?}");
    lives(&site);
}

#[test]
fn a_thousand_connections_do_no_harm() {
    let desk = desk();
    let site = Site::of(&desk, &[]);
    let mut open = Vec::new();
    for number in 0..1000 {
        match std::net::TcpStream::connect_timeout(&site.address, Duration::from_secs(5)) {
            Ok(mut stream) => {
                if number % 2 == 0 {
                    let _ = stream.write_all(b"GET /sta");
                }
                open.push(stream);
            }
            // This process may not open more.
            Err(_) => break,
        }
    }
    assert!(open.len() > 400, "{}", open.len());
    let started = Instant::now();
    lives(&site);
    let took = started.elapsed();
    eprintln!("{} connections open; a page came after {took:?}", open.len());
    assert!(took < Duration::from_secs(30), "{took:?}");
    drop(open);
    lives(&site);
}

#[test]
fn what_comes_from_files_is_text() {
    let desk = Desk::with_ledger();
    let (site, token) = deciding(&desk);
    let evil = "<script>alert(1)</script>";
    let csv =
        format!("Date,IV30\n2024-01-02,20\n2024-01-03,{evil}\n2024-01-04,=1+1\n\"{evil}\",3\n");
    let words = [("token", token.as_str()), ("series", "iv"), ("symbol", "AAPL")];
    let name = "<img src=x onerror=alert(1)>.csv";
    let sent = site.upload(&words, (name, csv.as_bytes())).unwrap().is(303);
    let place = sent.header("location").unwrap().to_owned();
    let plain = |page: &super::Answer| {
        assert!(
            !page.body.contains("<script>alert") && !page.body.contains("<img"),
            "{}",
            page.body
        );
    };
    let review = site.get(&place).is(200);
    assert!(review.body.contains("&lt;script&gt;alert(1)&lt;/script&gt;"), "{}", review.body);
    plain(&review);
    let form = [("token", token.as_str()), ("reason", evil)];
    site.post(&format!("{place}/discard"), &form).is(303);
    let paths = [
        "/",
        "/events",
        "/audit",
        "/batches",
        "/batches/b1",
        "/events/b1/1",
        "/events/b1/2",
        "/events/2",
    ];
    for path in paths {
        let page = site.get(path);
        assert!(page.status < 500, "{path}");
        plain(&page);
    }
    // A name that is no symbol, in the address and in a form.
    let refused = site.get("/symbols/%3Cscript%3Ealert(1)%3C%2Fscript%3E").is(404);
    plain(&refused);
    let words = [("token", token.as_str()), ("series", "iv"), ("symbol", evil)];
    plain(&site.upload(&words, ("a.csv", b"Date,IV30\n2024-01-02,20\n")).unwrap().is(400));
    plain(&site.get("/sql?q=select+%27%3Cscript%3Ealert(1)%3C%2Fscript%3E%27").is(200));
    plain(&site.get("/symbols?q=%22%3E%3Cscript%3Ealert(1)%3C%2Fscript%3E").is(200));
    let at = "/events?at=%22%3E%3Cscript%3Ealert(1)%3C%2Fscript%3E";
    plain(&site.get(at));
}

#[test]
fn a_further_name_is_one_that_a_browser_can_use() {
    let desk = Desk::with_ledger();
    for name in ["", "a b", "desk.lan:80", "*", "http://desk.lan", "0.0.0.0"] {
        // Nothing could be listened on there, so a server that took it would end too.
        let words = ["serve", "--address", "203.0.113.1", "--allow-host", name];
        let refused = desk.words(&words).exits(2);
        assert!(refused.err.contains("--allow-host"), "{name}: {}", refused.err);
    }
    let words = ["--address", "0.0.0.0", "--allow-host", "10.1.2.3", "--allow-host", "desk.lan"];
    // What it says of itself is where it answers: that is asked here.
    let site = Site::of(&desk, &words);
    assert!(site.address.ip().is_loopback(), "{}", site.address);
    site.get("/").is(200);
    for (name, status) in
        [("10.1.2.3", 200), ("desk.lan", 200), ("10.1.2.4", 403), ("0.0.0.0", 403)]
    {
        let host = format!("{name}:{}", site.address.port());
        site.ask("GET /", &[("Host", &host)], b"").is(status);
    }
}

#[test]
fn an_address_that_is_no_text_is_refused_like_any_other() {
    let desk = desk();
    let site = Site::of(&desk, &[]);
    for path in ["/symbols/%ff.json", "/batches/%fe%ff.json", "/why/iv/%ff/2024-01-02.json"] {
        let refused = site.get(path).is(400).json();
        assert_eq!(refused["schema"], "volledger/error/1", "{path}");
    }
    let page = site.get("/symbols/%ff").is(400);
    assert!(page.body.starts_with("<!DOCTYPE html>"), "{}", page.body);
}
