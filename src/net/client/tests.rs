//! The client against a scripted service on loopback, on virtual time.

mod broken;
mod secret;

use super::*;
use crate::net::VirtualTime;
use crate::net::responder::{Play, Responder, whole};
use std::cell::RefCell;

pub(super) const KEY: &str = "CANARY0key0CANARY0key0CANARY0key";

pub(super) fn options(base: &str) -> ClientOptions {
    ClientOptions {
        key: Some(KEY.to_owned().into()),
        timeout: Duration::from_secs(20),
        ..ClientOptions::new(base)
    }
}

pub(super) fn client(options: ClientOptions) -> (Client, Arc<VirtualTime>) {
    let time = Arc::new(VirtualTime::default());
    (Client::seeded(options, Arc::clone(&time) as Arc<dyn Time>, 11).unwrap(), time)
}

pub(super) fn json(body: &[u8]) -> Result<(), Unusable> {
    let parsed = serde_json::from_slice::<serde_json::Value>(body);
    parsed.map(drop).map_err(|error| format!("not JSON: {error}").into())
}

pub(super) fn get(client: &Client, target: &str) -> Answer {
    client.get(target, &json, &Stop::default(), &|_| {})
}

/// Plays `script`, asks once, and returns the answer, the time that passed, and the service.
pub(super) fn play(script: Vec<Play>) -> (Answer, Duration, Responder) {
    let service = Responder::new(script);
    let (client, time) = client(options(&service.base()));
    let answer = get(&client, "/v2/x?a=1");
    (answer, time.now(), service)
}

fn statuses(answer: &Answer) -> Vec<u16> {
    answer.attempts.iter().map(|attempt| attempt.status.unwrap_or(0)).collect()
}

#[test]
fn a_good_answer() {
    let head = "200 OK\r\nContent-Type: application/json\r\nX-Request-Id: r1\r\nServer: s";
    let (answer, took, service) = play(vec![whole(head, "{\"a\": 1}")]);
    assert_eq!((answer.ended, answer.status), (Ended::Ok, Some(200)), "{answer:?}");
    assert_eq!(answer.body, b"{\"a\": 1}");
    assert_eq!(answer.text, "");
    let headers: Vec<(&str, &str)> =
        answer.headers.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    assert_eq!(headers, [("content-type", "application/json"), ("x-request-id", "r1")]);
    let attempt = Attempt { status: Some(200), waited: Duration::ZERO, why: None };
    assert_eq!(answer.attempts, [attempt]);
    assert_eq!(took, Duration::ZERO);
    let asked = &service.asked()[0];
    assert!(asked.starts_with("GET /v2/x?a=1 HTTP/1.1\r\n"), "{asked}");
    let lower = asked.to_ascii_lowercase();
    assert!(asked.contains(&format!("Bearer {KEY}\r\n")), "{asked}");
    assert!(lower.contains("\r\naccept-encoding: gzip\r\n"), "{asked}");
    assert!(lower.contains("\r\nuser-agent: volledger/"), "{asked}");
}

#[test]
fn no_key_sends_no_header() {
    for key in [None, Some(String::new().into())] {
        let service = Responder::new([whole("200 OK", "{}")]);
        let (client, _) = client(ClientOptions { key, ..options(&service.base()) });
        assert_eq!(get(&client, "/x").ended, Ended::Ok);
        assert!(!service.asked()[0].to_ascii_lowercase().contains("authorization"));
    }
}

#[test]
fn answers_that_stay_as_they_are_are_asked_for_once() {
    let text = |name: &str, text: &str| format!("{{\"status\":\"ERROR\",\"{name}\":\"{text}\"}}");
    for (head, body, ended, said) in [
        (
            "401 Unauthorized",
            text("error", "Unknown API Key"),
            Ended::AuthFailed,
            "Unknown API Key",
        ),
        ("403 Forbidden", text("message", "Not entitled"), Ended::NotEntitled, "Not entitled"),
        ("404 Not Found", text("message", "Data not found."), Ended::NotFound, "Data not found."),
        ("400 Bad Request", text("error", "Bad 'from'"), Ended::Rejected, "Bad 'from'"),
        (
            "413 Too Large",
            String::new(),
            Ended::Rejected,
            "the service answered 413 and did not say why",
        ),
        (
            "414 URI Too Long",
            "<html></html>".to_owned(),
            Ended::Rejected,
            "the service answered 414 with a page and not with data",
        ),
        (
            "204 No Content",
            String::new(),
            Ended::Rejected,
            "the service answered 204 and did not say why",
        ),
    ] {
        let (answer, took, service) = play(vec![whole(head, &body)]);
        assert_eq!((answer.ended, answer.text.as_str()), (ended, said), "{head}");
        assert_eq!(answer.body, body.as_bytes());
        assert_eq!(answer.attempts[0].why.as_deref(), Some(said));
        assert_eq!((answer.attempts.len(), service.asked().len()), (1, 1), "{head}");
        assert_eq!(took, Duration::ZERO);
    }
}

#[test]
fn a_server_error_is_asked_for_again() {
    let page = "<html>Bad gateway</html>";
    let (answer, took, _) = play(vec![whole("502 Bad Gateway", page), whole("200 OK", "{}")]);
    assert_eq!((answer.ended, answer.text.as_str()), (Ended::Ok, ""));
    assert_eq!(statuses(&answer), [502, 200]);
    let why = answer.attempts[0].why.as_deref().unwrap();
    assert_eq!(why, "the service answered 502 with a page and not with data");
    let waited = answer.attempts[1].waited.as_secs_f64();
    assert!((0.5..=1.0).contains(&waited), "{waited}");
    // The pace: the second attempt is a request like any other.
    assert_eq!(took, Duration::from_secs(12));
}

#[test]
fn server_errors_end_after_the_attempts() {
    let script = (0..9).map(|_| whole("503 Busy", "{\"error\":\"busy\"}")).collect();
    let (answer, took, service) = play(script);
    assert_eq!((answer.ended, answer.status), (Ended::ServerError, Some(503)));
    assert_eq!(answer.text, "busy");
    assert_eq!(statuses(&answer), [503; 5]);
    assert_eq!(service.asked().len(), 5);
    // Waits of 1, 2, 4 and 8 s pass within the twelve between two requests.
    assert_eq!(took, Duration::from_secs(48));
    for (attempt, d) in answer.attempts[1..].iter().zip([1.0, 2.0, 4.0, 8.0]) {
        let waited = attempt.waited.as_secs_f64();
        assert!((d / 2.0..=d).contains(&waited), "{waited}");
    }
}

#[test]
fn d1_too_many_requests_wait_as_long_as_the_service_says() {
    let limited = |wait: &str| {
        whole(&format!("429 Too Many\r\nRetry-After: {wait}"), "{\"error\":\"exceeded\"}")
    };
    let date = "Sun, 06 Nov 1994 08:50:22 GMT\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT";
    let (answer, took, _) = play(vec![limited("30"), limited(date), whole("200 OK", "{}")]);
    assert_eq!(answer.ended, Ended::Ok, "{answer:?}");
    assert_eq!(statuses(&answer), [429, 429, 200]);
    let waited: Vec<u64> = answer.attempts.iter().map(|a| a.waited.as_secs()).collect();
    assert_eq!(waited, [0, 30, 45]);
    assert_eq!(took, Duration::from_secs(75));
}

#[test]
fn too_many_requests_without_a_word_wait_by_the_plan() {
    let script = (0..9).map(|_| whole("429 Too Many", "{\"error\":\"exceeded\"}")).collect();
    let (answer, took, service) = play(script);
    assert_eq!((answer.ended, answer.text.as_str()), (Ended::RateLimited, "exceeded"));
    assert_eq!(service.asked().len(), 5);
    // 60 s / 5 to begin with, doubled up to the longest wait.
    for (attempt, d) in answer.attempts[1..].iter().zip([12.0, 24.0, 48.0, 60.0]) {
        let waited = attempt.waited.as_secs_f64();
        assert!((d / 2.0..=d).contains(&waited), "{waited}");
    }
    assert!(took >= Duration::from_secs(72) && took <= Duration::from_secs(144), "{took:?}");
}

#[test]
fn a_408_is_asked_for_again() {
    let (answer, ..) = play(vec![whole("408 Timeout", ""), whole("200 OK", "{}")]);
    assert_eq!((answer.ended, statuses(&answer)), (Ended::Ok, vec![408, 200]));
}

#[test]
fn too_many_requests_hold_everybody_back() {
    let service =
        Responder::new([whole("429 Too Many\r\nRetry-After: 300", ""), whole("200 OK", "{}")]);
    let (client, time) = client(ClientOptions { attempts: 1, ..options(&service.base()) });
    assert_eq!(get(&client, "/a").ended, Ended::RateLimited);
    assert_eq!(time.now(), Duration::ZERO);
    let heard = RefCell::new(Vec::new());
    let answer = client.get("/b", &json, &Stop::default(), &|wait| heard.borrow_mut().push(wait));
    assert_eq!(answer.ended, Ended::Ok);
    assert_eq!(time.now(), Duration::from_secs(300));
    assert_eq!(*heard.borrow(), [Duration::from_secs(300)]);
}

#[test]
fn a_service_that_says_tomorrow_gets_an_end_and_no_sleep() {
    let head = "429 Too Many\r\nRetry-After: 86400";
    let (answer, took, service) = play(vec![whole(head, "{\"error\":\"spent\"}")]);
    assert_eq!(answer.ended, Ended::RateLimited);
    assert_eq!(answer.text, "spent (it asks to wait 86400 s, about 24 h)");
    assert_eq!((took, service.asked().len()), (Duration::ZERO, 1));
    // It holds for every other request as well.
    assert_eq!(answer.shut_for, Some(Duration::from_secs(86_400)));
}

#[test]
fn a_body_that_is_not_usable_is_asked_for_again_like_any_failure() {
    // A body cut short is mostly the network's doing: it is worth as many attempts as a reset.
    let script = ["{a", "{b", "{c", "{d", "{e", "{}"].map(|body| whole("200 OK", body));
    let (answer, _, service) = play(script.into());
    assert_eq!((answer.ended, answer.status), (Ended::BadPayload, Some(200)));
    assert_eq!(answer.body, b"{e");
    assert!(answer.text.starts_with("not JSON"), "{}", answer.text);
    assert_eq!(service.asked().len(), 5);
    let script = vec![whole("200 OK", "{a"), whole("500 Oh", ""), whole("200 OK", "{}")];
    let (answer, ..) = play(script);
    assert_eq!((answer.ended, statuses(&answer)), (Ended::Ok, vec![200, 500, 200]));
}

#[test]
fn d14_retries_and_threads_share_the_pace() {
    let script = (0..20).map(|n| match n % 2 {
        0 => whole("500 Oh", ""),
        _ => whole("200 OK", "{}"),
    });
    let service = Responder::new(script);
    let (client, time) = client(options(&service.base()));
    let ended: Vec<Ended> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..4).map(|_| scope.spawn(|| get(&client, "/x").ended)).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    assert_eq!(ended, [Ended::Ok; 4]);
    // However the failures fall: n requests take at least n - 1 intervals.
    let asked = service.asked().len() as u32;
    assert!(asked >= 8, "{asked}");
    assert!(time.now() >= Duration::from_secs(12) * (asked - 1), "{:?} {asked}", time.now());
}

#[test]
fn redirects_on_the_same_host_are_followed_at_the_pace() {
    let to = |location: &str| whole(&format!("302 Found\r\nLocation: {location}"), "");
    let (answer, took, service) =
        play(vec![to("/v2/y?b=2&apiKey=x"), to("z"), whole("200 OK", "{}")]);
    assert_eq!(answer.ended, Ended::Ok, "{answer:?}");
    assert_eq!(service.targets(), ["/v2/x?a=1", "/v2/y?b=2", "/v2/z"]);
    assert!(service.asked().iter().all(|asked| asked.contains(KEY)));
    assert_eq!(statuses(&answer), [302, 302, 200]);
    assert_eq!(took, Duration::from_secs(24));

    let (answer, _, service) = play((0..9).map(|_| to("/loop")).collect());
    assert_eq!(answer.ended, Ended::Redirected);
    assert_eq!(answer.text, "the service redirected more than 5 times");
    assert_eq!(service.asked().len(), 6);
}

#[test]
fn next_pages_are_asked_of_the_base() {
    let service = Responder::new([whole("200 OK", "{}")]);
    let (client, _) = client(options(&service.base()));
    let target = client.target_of("https://api.polygon.io/v3/x?cursor=YQ&apiKey=1").unwrap();
    assert_eq!(get(&client, &target).ended, Ended::Ok);
    assert_eq!(service.targets(), ["/v3/x?cursor=YQ"]);
    let refused = client.target_of("https://evil.example/v3/x?cursor=YQ").unwrap_err();
    assert!(refused.contains("`evil.example`"), "{refused}");
}

#[test]
fn stop_ends_a_wait_at_once() {
    // While waiting for the pace, in a back-off, and before anything.
    let service = Responder::new([whole("500 Oh", ""), whole("200 OK", "{}")]);
    let (client, _) = client(options(&service.base()));
    let stop = Stop::default();
    let answer = client.get("/x", &json, &stop, &|_| stop.set());
    assert_eq!((answer.ended, answer.text.as_str()), (Ended::Stopped, "stopped"));
    assert_eq!(statuses(&answer), [500]);
    assert_eq!(client.get("/x", &json, &stop, &|_| {}).ended, Ended::Stopped);
    assert_eq!(service.asked().len(), 1);
    let stop = Stop::default();
    assert_eq!(client.get("/x", &json, &stop, &|_| stop.set()).ended, Ended::Stopped);
    assert_eq!(service.asked().len(), 1);
}

#[test]
fn a_target_that_is_no_path_is_not_asked() {
    let service = Responder::new([]);
    let (client, time) = client(options(&service.base()));
    for target in ["", "v2/x", "@127.0.0.2/x", "https://evil.example/x"] {
        let answer = get(&client, target);
        assert_eq!((answer.ended, answer.attempts.len()), (Ended::Rejected, 0), "{target}");
    }
    assert_eq!((service.asked().len(), time.now()), (0, Duration::ZERO));
}

#[test]
fn a_service_that_fails_again_and_again_is_left_alone_until_a_probe_succeeds() {
    let bad = || whole("503 Service Unavailable", "{}");
    let service = Responder::new([bad(), bad(), bad(), bad(), bad(), whole("200 OK", "{}")]);
    let minute = Duration::from_secs(60);
    let breaker = Some((5, minute));
    let base = service.base();
    let options = ClientOptions { breaker, attempts: 3, per_minute: 0, ..options(&base) };
    let (client, time) = client(options);
    assert_eq!(get(&client, "/a").ended, Ended::ServerError);
    // The second request's second attempt opens it; the third is refused and not tried again.
    let answer = get(&client, "/b");
    assert_eq!((answer.ended, answer.attempts.len()), (Ended::Refused, 2), "{answer:?}");
    assert!(answer.text.contains("left alone"), "{}", answer.text);
    assert_eq!((get(&client, "/c").ended, service.asked().len()), (Ended::Refused, 5));
    time.sleep_until(time.now() + minute, &Stop::default());
    assert_eq!(get(&client, "/d").ended, Ended::Ok);
    assert_eq!(service.asked().len(), 6);
}

#[test]
fn every_attempt_takes_a_token_and_a_used_up_day_says_so() {
    let bad = || whole("503 Service Unavailable", "{}");
    let service = Responder::new([bad(), whole("200 OK", "{}")]);
    let limits = vec![Limit::per(5, 60), Limit { spent: 23, ..Limit::per(25, 86_400) }];
    let base = service.base();
    let options = ClientOptions { limits, per_minute: 0, ..options(&base) };
    let (client, _) = client(options);
    assert_eq!(get(&client, "/a").ended, Ended::Ok);
    let answer = get(&client, "/b");
    assert_eq!((answer.ended, answer.attempts.len()), (Ended::RateLimited, 0));
    assert!(answer.text.contains("used up"), "{}", answer.text);
    assert_eq!(service.asked().len(), 2);
}

#[test]
fn the_pace_goes_on_from_the_last_request_of_an_earlier_run() {
    for (since, waits) in [(None, 0), (Some(0), 12), (Some(5), 7), (Some(12), 0), (Some(90), 0)] {
        let service = Responder::new([whole("200 OK", "{}")]);
        let since_last = since.map(Duration::from_secs);
        let base = service.base();
        let (client, time) = client(ClientOptions { since_last, per_minute: 5, ..options(&base) });
        assert_eq!(get(&client, "/a").ended, Ended::Ok);
        assert_eq!(time.now(), Duration::from_secs(waits), "{since:?}");
    }
}
