//! Connections that fail, bodies that are cut short or never end, and a service that is not there.

use super::{client, get, json, options, play, statuses};
use crate::net::client::{Answer, Client, ClientOptions, Ended};
use crate::net::responder::{Play, Responder, whole};
use crate::net::{Stop, SystemTime};
use std::net::TcpListener;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// `{"status":"OK","results":[1,2,3]}`, compressed by Python's gzip.
const GZIP: [u8; 51] = [
    31, 139, 8, 0, 0, 0, 0, 0, 2, 3, 171, 86, 42, 46, 73, 44, 41, 45, 86, 178, 82, 242, 247, 86,
    210, 81, 42, 74, 45, 46, 205, 41, 1, 114, 163, 13, 117, 140, 116, 140, 99, 107, 1, 249, 188,
    124, 34, 33, 0, 0, 0,
];

const ZIPPED: &str = "200 OK\r\nContent-Encoding: gzip";

fn head(lines: &str) -> Vec<u8> {
    format!("HTTP/1.1 {lines}\r\n\r\n").into_bytes()
}

/// The first attempt fails so, the second is good.
fn recovers(play_first: Play, why: &str) {
    let (answer, took, _) = play(vec![play_first, whole("200 OK", "{}")]);
    assert_eq!(answer.ended, Ended::Ok, "{answer:?}");
    assert_eq!(answer.attempts[0].status, None);
    assert_eq!(answer.attempts[0].why.as_deref(), Some(why));
    assert_eq!(took, Duration::from_secs(12));
}

/// Asks where nobody answers as they should.
fn asked(base: &str) -> Answer {
    let (client, _) = client(ClientOptions { attempts: 2, ..options(base) });
    let answer = get(&client, "/v2/x");
    assert_eq!((answer.ended, answer.status), (Ended::Network, None), "{answer:?}");
    assert_eq!(statuses(&answer), [0, 0]);
    assert_eq!(answer.attempts[1].why.as_deref(), Some(answer.text.as_str()));
    assert!(answer.body.is_empty());
    answer
}

#[test]
fn gzip_is_unpacked() {
    let (answer, ..) = play(vec![whole(ZIPPED, GZIP)]);
    assert_eq!(answer.ended, Ended::Ok, "{answer:?}");
    assert_eq!(answer.body, b"{\"status\":\"OK\",\"results\":[1,2,3]}");
}

#[test]
fn cut_and_damaged_gzip_is_no_answer() {
    recovers(whole(ZIPPED, &GZIP[..30]), "the connection ended before the body was complete");
    let mut damaged = GZIP;
    damaged[45] ^= 0xff; // in the checksum
    let (answer, ..) = play(vec![whole(ZIPPED, damaged), whole("200 OK", "{}")]);
    assert_eq!((answer.ended, statuses(&answer)), (Ended::Ok, vec![0, 200]));
    let why = answer.attempts[0].why.as_deref().unwrap();
    assert!(why.starts_with("the body cannot be read"), "{why}");
}

#[test]
fn cut_bodies_are_no_answer() {
    let mut short = head("200 OK\r\nContent-Length: 100");
    short.extend_from_slice(b"{}");
    recovers(Play::Bytes(short.clone()), "the connection ended before the body was complete");
    recovers(Play::Reset(short), "the connection was reset before the body was complete");
    let mut chunked = head("200 OK\r\nTransfer-Encoding: chunked");
    chunked.extend_from_slice(b"10\r\n{}");
    recovers(Play::Bytes(chunked), "the connection ended before the body was complete");
}

#[test]
fn no_answer_at_all() {
    recovers(Play::Bytes(Vec::new()), "the connection was closed before an answer came");
    recovers(Play::Reset(Vec::new()), "the connection was reset before an answer came");
    let (answer, ..) = play(vec![Play::Bytes(b"SSH-2.0-x\r\n".to_vec()), whole("200 OK", "{}")]);
    let why = answer.attempts[0].why.as_deref().unwrap();
    assert!(why.starts_with("127.0.0.1:") && why.contains("as a web service does"), "{why}");
}

#[test]
fn a_refusal_stays_one_when_its_page_is_cut() {
    let mut cut = head("401 Unauthorized\r\nContent-Length: 100");
    cut.extend_from_slice(b"<html>");
    let (answer, ..) = play(vec![Play::Bytes(cut)]);
    assert_eq!((answer.ended, answer.attempts.len()), (Ended::AuthFailed, 1));
    assert_eq!(answer.body, b"<html>");
    let (answer, ..) = play(vec![Play::Endless(head("404 Not Found"))]);
    assert_eq!((answer.ended, answer.body.len()), (Ended::Rejected, 1 << 20));
}

/// A wrong base URL, a gateway: a page of something else says nothing about data or plans.
#[test]
fn only_the_service_itself_says_that_there_is_nothing() {
    for (status, ended) in [("403 No", Ended::NotEntitled), ("404 No", Ended::NotFound)] {
        let (answer, ..) = play(vec![whole(status, r#"{"message":"no"}"#)]);
        assert_eq!((answer.ended, answer.text.as_str()), (ended, "no"));
        for page in ["<html>no</html>", ""] {
            let (answer, ..) = play(vec![whole(status, page)]);
            assert_eq!((answer.ended, answer.attempts.len()), (Ended::Rejected, 1), "{page}");
        }
    }
}

#[test]
fn an_announced_giant_is_refused_unread() {
    let (answer, took, service) =
        play(vec![Play::Endless(head("200 OK\r\nContent-Length: 3000000000"))]);
    assert_eq!((answer.ended, answer.status), (Ended::TooLarge, Some(200)), "{answer:?}");
    assert!(answer.body.is_empty());
    assert_eq!(answer.text, "the answer is larger than the 67108864 bytes that are allowed");
    assert_eq!((service.asked().len(), took), (1, Duration::ZERO));
    // What fits in the buffers of the system and of a closing connection.
    assert!(service.sent() < 32 << 20, "{}", service.sent());
}

#[test]
fn an_endless_body_is_read_up_to_the_limit() {
    let service = Responder::new([
        Play::Endless(head("200 OK")),
        whole("200 OK", "12345678"),
        whole("200 OK", "123456789"),
        whole(ZIPPED, GZIP),
    ]);
    let (client, _) = client(ClientOptions { max_body: 8 << 20, ..options(&service.base()) });
    let answer = get(&client, "/x");
    assert_eq!((answer.ended, answer.attempts.len()), (Ended::TooLarge, 1), "{answer:?}");
    assert!(service.sent() < 64 << 20, "{}", service.sent());
    // The limit is of the bytes after unpacking, and itself allowed.
    let (client, _) = super::client(ClientOptions { max_body: 8, ..options(&service.base()) });
    assert_eq!(get(&client, "/x").ended, Ended::Ok);
    assert_eq!(get(&client, "/x").ended, Ended::TooLarge);
    assert_eq!(get(&client, "/x").ended, Ended::TooLarge);
}

#[test]
fn a_closed_port() {
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
    let answer = asked(&format!("http://127.0.0.1:{port}"));
    assert_eq!(answer.text, format!("the connection was refused by 127.0.0.1:{port}"));
}

#[test]
fn a_host_that_does_not_exist() {
    let answer = asked("https://volledger-test.invalid");
    assert_eq!(answer.text, "cannot find the host volledger-test.invalid");
}

#[test]
fn https_where_http_is_spoken() {
    let plain = || Play::Bytes(b"HTTP/1.1 400 Bad Request\r\n\r\n".to_vec());
    let service = Responder::new([plain(), plain()]);
    let answer = asked(&service.base().replace("http:", "https:"));
    assert!(answer.text.starts_with("no TLS connection with 127.0.0.1:"), "{}", answer.text);
    assert!(service.asked().iter().all(|asked| !asked.contains(super::KEY)));
}

#[test]
fn a_silent_or_dripping_service_runs_into_the_time_limit() {
    for (first, second) in [
        (Play::Hang(Vec::new()), Play::Hang(head("200 OK\r\nContent-Length: 9"))),
        (Play::Drip(head("200 OK\r\nContent-Length: 99999")), Play::Hang(Vec::new())),
    ] {
        let service = Responder::new([first, second]);
        let timeout = Duration::from_millis(300);
        let (client, _) =
            client(ClientOptions { timeout, attempts: 2, ..options(&service.base()) });
        let started = Instant::now();
        let answer = get(&client, "/x");
        assert_eq!(answer.ended, Ended::Network, "{answer:?}");
        for attempt in &answer.attempts {
            assert_eq!(attempt.why.as_deref(), Some("no answer within 300 ms"));
        }
        assert!(started.elapsed() < Duration::from_secs(5), "{:?}", started.elapsed());
    }
}

#[test]
fn stop_ends_a_request_that_is_under_way() {
    let service = Responder::new([Play::Hang(Vec::new())]);
    let client = Client::new(options(&service.base()), Arc::new(SystemTime::default())).unwrap();
    let stop = Stop::default();
    let started = Instant::now();
    let answer = std::thread::scope(|scope| {
        scope.spawn(|| {
            while service.asked().is_empty() {
                std::thread::sleep(Duration::from_millis(5));
            }
            stop.set();
        });
        client.get("/x", &json, &stop, &|_| {})
    });
    assert_eq!(answer.ended, Ended::Stopped);
    assert!(started.elapsed() < Duration::from_secs(5), "{:?}", started.elapsed());
}
