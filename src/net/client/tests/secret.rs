//! The key is seen by the configured host and by nobody else, in no text and in no Debug.

use super::{KEY, client, get, json, options, play};
use crate::net::client::{Client, ClientOptions, Ended, KeyIn, NetError, Unusable};
use crate::net::responder::{Play, Responder, whole};
use crate::net::{Stop, VirtualTime};
use std::sync::{Arc, Mutex};

/// Everything of `shown` that a person or a log might see.
fn clear(shown: &dyn std::fmt::Debug) {
    let text = format!("{shown:?} {shown:#?}");
    assert!(!text.to_ascii_uppercase().contains("CANARY"), "{text}");
}

#[test]
fn another_host_never_sees_a_request() {
    let other = Responder::new([whole("200 OK", "{}")]);
    for location in [format!("{}/v2/x", other.base()), "https://evil.example/".to_owned()] {
        let (answer, _, service) =
            play(vec![whole(&format!("307 Away\r\nLocation: {location}"), "")]);
        assert_eq!((answer.ended, answer.status), (Ended::Redirected, Some(307)));
        let host = location.split('/').nth(2).unwrap();
        assert!(answer.text.contains(host), "{}", answer.text);
        assert_eq!(service.asked().len(), 1);
    }
    assert!(other.asked().is_empty());
}

#[test]
fn debug_hides_the_key() {
    let echoing = ClientOptions {
        base_url: format!("https://{KEY}@api.massive.com?apiKey={KEY}"),
        ..options("")
    };
    clear(&echoing);
    assert!(format!("{echoing:?}").contains("Some(\"****\")"));
    let (client, _) = client(options("http://127.0.0.1:9"));
    clear(&client);
}

#[test]
fn errors_hide_the_key() {
    let new = |options| Client::new(options, Arc::new(VirtualTime::default()));
    let refused = new(ClientOptions {
        base_url: format!("https://api.massive.com/?apiKey={KEY}"),
        ..options("")
    });
    let refused = refused.unwrap_err();
    clear(&refused);
    clear(&refused.to_string());
    let key = Some(format!("{KEY}\n").into());
    let refused = new(ClientOptions { key, ..options("https://api.massive.com") }).unwrap_err();
    assert!(matches!(refused, NetError::Key));
    clear(&refused);
}

#[test]
fn what_the_service_says_is_redacted() {
    for (head, ended) in [("401 No", Ended::AuthFailed), ("400 No", Ended::Rejected)] {
        let body = format!("{{\"error\":\"unknown key {KEY} given\"}}");
        let (answer, ..) = play(vec![whole(&format!("{head}\r\nX-Request-Id: {KEY}"), body)]);
        assert_eq!(answer.ended, ended);
        assert_eq!(answer.text, "unknown key **** given");
        assert_eq!(answer.headers, [("x-request-id".to_owned(), "****".to_owned())]);
        assert!(answer.body.is_empty(), "evidence is shown around");
        clear(&answer);
    }
    let script = (0..5).map(|_| whole("500 Oh", format!("{{\"error\":\"{KEY}\"}}"))).collect();
    let (answer, ..) = play(script);
    assert_eq!((answer.ended, answer.text.as_str()), (Ended::ServerError, "****"));
    clear(&answer);
}

#[test]
fn an_answer_that_echoes_the_key_is_not_kept() {
    let body = format!("{{\"next_url\":\"https://api.massive.com/x?apiKey={KEY}\"}}");
    for (head, body) in
        [("200 OK".to_owned(), body), (format!("200 OK\r\nDate: {KEY}"), String::from("{}"))]
    {
        let (answer, _, service) = play(vec![whole(&head, body)]);
        assert_eq!((answer.ended, answer.status), (Ended::BadPayload, Some(200)));
        assert_eq!(answer.text, "the service echoed the key: its answer is not kept");
        assert!(answer.body.is_empty());
        assert_eq!(service.asked().len(), 1, "asking again would give it away again");
        clear(&answer);
    }
}

#[test]
fn what_the_callers_check_says_is_redacted() {
    let service = Responder::new((0..5).map(|_| whole("200 OK", "{}")));
    let (client, _) = client(options(&service.base()));
    let usable = |_: &[u8]| Err(format!("no\n{KEY}").into());
    let answer = client.get("/x", &usable, &Stop::default(), &|_| {});
    assert_eq!((answer.ended, answer.text.as_str()), (Ended::BadPayload, "no ****"));
    clear(&answer);
}

#[test]
fn the_key_is_never_sent_in_an_address() {
    let service = Responder::new([
        whole(&format!("302 Found\r\nLocation: /v2/{KEY}"), ""),
        whole("200 OK", "{}"),
    ]);
    let (client, _) = client(options(&service.base()));
    for target in [format!("/x?k={KEY}"), format!("/{KEY}")] {
        let answer = get(&client, &target);
        assert_eq!((answer.ended, answer.attempts.len()), (Ended::Rejected, 0));
        clear(&answer);
    }
    let answer = get(&client, "/x");
    assert_eq!(answer.ended, Ended::Rejected, "the redirect names the key: {answer:?}");
    clear(&answer);
    assert_eq!(service.targets(), ["/x"]);
    clear(&client.target_of(&format!("https://{KEY}.example/x")));
}

#[test]
fn failures_hide_the_key() {
    for first in [
        Play::Bytes(format!("HTTP/1.1 {KEY}\r\n\r\n").into_bytes()),
        Play::Bytes(format!("HTTP/1.1 200 OK\r\n{KEY}\r\n\r\n").into_bytes()),
        Play::Bytes(format!("HTTP/1.1 302 Found\r\nLocation: https://{KEY}/\r\n\r\n").into_bytes()),
        Play::Reset(format!("HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n{KEY}").into_bytes()),
    ] {
        let (answer, ..) = play(vec![first, whole("404 No", "")]);
        assert_ne!(answer.ended, Ended::Ok);
        clear(&answer);
    }
    let (client, _) = client(options("https://volledger-test.invalid"));
    clear(&client.get("/x", &json, &Stop::default(), &|_| {}));
}

#[test]
fn diagnostics_tell_each_attempt_and_hide_the_key() {
    let lines: Arc<Mutex<Vec<u8>>> = Arc::default();
    let writer = Arc::clone(&lines);
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::TRACE)
        .with_ansi(false)
        .with_writer(move || Lines(Arc::clone(&writer)))
        .finish();
    let said = || String::from_utf8(lines.lock().unwrap().clone()).unwrap();
    tracing::subscriber::with_default(subscriber, || {
        // tracing remembers for each line of code whether anybody listens, and a test beside this one
        // may be just about to be the first there: so it is asked to forget until it is heard.
        for _ in 0..200 {
            tracing::callsite::rebuild_interest_cache();
            play(vec![whole("200 OK", "{}")]);
            if said().contains("attempt=1") {
                break;
            }
            std::thread::sleep(std::time::Duration::from_millis(10));
        }
        lines.lock().unwrap().clear();
        let service = Responder::new([
            whole("500 Oh", format!("{{\"error\":\"key {KEY}\"}}")),
            whole("200 OK", "{}"),
        ]);
        let (client, _) = client(options(&service.base()));
        assert_eq!(get(&client, "/v2/x?a=1").ended, Ended::Ok);
    });
    let text = said();
    assert_eq!(text.lines().filter(|line| line.contains("path=/v2/x?a=1")).count(), 2, "{text}");
    assert!(text.contains("attempt=1 status=500") && text.contains("key ****"), "{text}");
    clear(&text);
}

/// Where the diagnostics of a test go.
struct Lines(Arc<Mutex<Vec<u8>>>);

impl std::io::Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[test]
fn a_key_in_the_query_is_added_when_a_request_is_sent_and_is_nowhere_else() {
    let moved = "302 Found\r\nLocation: /query?b=2&apikey=CANARY0key0CANARY0key0CANARY0key";
    let service = Responder::new([whole(moved, ""), whole("200 OK", "{}")]);
    let mut options = options(&service.base());
    options.key_in = KeyIn::Query("apikey");
    let (client, _) = client(options);
    let answer = get(&client, "/query?a=1");
    assert_eq!(answer.ended, Ended::Ok);
    clear(&answer);
    clear(&client);
    for (asked, query) in service.asked().iter().zip(["a=1", "b=2"]) {
        assert!(asked.starts_with(&format!("GET /query?{query}&apikey={KEY} ")), "{asked}");
        assert!(!asked.to_lowercase().contains("authorization"), "{asked}");
    }
}

/// A service that names the key when it throttles is throttling all the same.
#[test]
fn a_refusal_that_echoes_the_key_is_told_without_it_and_its_body_is_not_kept() {
    let body = format!("{{\"Information\": \"your key {KEY} has 25 requests a day\"}}");
    let service = Responder::new([whole("200 OK", &body), whole("200 OK", "{}")]);
    let (client, _) = client(options(&service.base()));
    let usable = |body: &[u8]| {
        let text = String::from_utf8_lossy(body).into_owned();
        let limited = Unusable { ended: Ended::RateLimited, text, for_today: true };
        if body.len() > 2 { Err(limited) } else { Ok(()) }
    };
    let answer = client.get("/x", &usable, &Stop::default(), &|_| {});
    assert_eq!((answer.ended, answer.attempts.len()), (Ended::RateLimited, 1));
    assert!(answer.shut_for.is_some() && answer.text.contains("25 requests"), "{answer:?}");
    assert!(answer.body.is_empty());
    clear(&answer);
}
