//! Chains that are asked for before the open, as those of the session before, and quoted after it or
//! by night.

use super::Bench;
use super::responder::{Responder, ok};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

/// Answers with one option that was quoted at a minute of the hours of New York on Monday, 17 November.
fn service(minute: &Arc<AtomicU32>) -> Responder {
    let minute = Arc::clone(minute);
    Responder::new(move |_, number| {
        let minute = minute.load(Ordering::SeqCst);
        let quoted = format!("2025-11-17T{:02}:{:02}:05-05:00", minute / 60, minute % 60);
        let ns = chrono::DateTime::parse_from_rfc3339(&quoted).unwrap().timestamp() * 1_000_000_000;
        ok(format!(
            r#"{{"status":"OK","request_id":"r{number}","results":[{{"details":{{"contract_type":"call","expiration_date":"2025-12-19","strike_price":90,"ticker":"O:VOLA251219C00090000"}},"last_quote":{{"ask":2,"bid":1.{minute},"last_updated":{ns}}}}}]}}"#
        ))
    })
}

/// A fetch at a time of Monday; its quotes are of this minute of the day.
fn fetch(bench: &mut Bench, at: &str, exit: i32) -> crate::program::Ran {
    bench.now = format!("2025-11-17T{at}-05:00");
    bench.fetch("chain VOLA --yes --no-derive").exits(exit)
}

#[test]
fn what_was_taken_back_of_a_chain_that_was_quoted_after_the_open_stays_out() {
    for back in ["batch rollback b1 --reason wrong", "erase b1 --reason licence --yes"] {
        // Asked for before the open and answered after it, and quoted by night.
        for (first, quoted) in [("09:29:50", 570), ("08:00:10", 479)] {
            let service = service(&Arc::new(AtomicU32::new(quoted)));
            let mut bench = Bench::new(service.base());
            fetch(&mut bench, first, 0);
            assert_eq!(bench.rows("chain", "VOLA")[0]["date"], "2025-11-17");
            bench.run(back).exits(0);
            for at in ["09:29:55", "09:31:00", "16:30:00"] {
                fetch(&mut bench, at, 23);
            }
            assert_eq!((service.asked().len(), bench.count("chain", "VOLA")), (1, 0), "{back}");
            let again = "chain VOLA --yes --no-derive --again --reason meant";
            bench.fetch(again).exits(0);
            assert_eq!(bench.count("chain", "VOLA"), 1, "{back}");
            bench.verifies();
        }
    }
}

#[test]
fn a_chain_of_today_says_nothing_of_the_session_before_it() {
    let minute = Arc::new(AtomicU32::new(479));
    let service = service(&minute);
    let mut bench = Bench::new(service.base());
    let mut bid = |at, of| {
        minute.store(of, Ordering::SeqCst);
        fetch(&mut bench, at, 0);
        bench.rows("chain", "VOLA")[0]["bid"].to_string()
    };
    assert_eq!(bid("08:00:10", 479), "1.479");
    assert_eq!(bid("08:30:10", 509), "1.509", "the chain of Friday is not there");
    assert_eq!(bid("09:31:00", 570), "1.570");
    assert_eq!(bid("16:30:00", 960), "1.960");
    assert_eq!(bid("16:40:00", 970), "1.960", "the session is over");
    assert_eq!(service.asked().len(), 4);
}

/// Half a chain of today, asked for as one of Friday: nothing is computed from it either.
#[test]
fn half_a_chain_that_was_quoted_after_the_open_is_half_a_chain_of_that_day() {
    let service = Responder::new(|target, _| {
        let quoted = "2025-11-17T09:30:05-05:00";
        let ns = chrono::DateTime::parse_from_rfc3339(quoted).unwrap().timestamp() * 1_000_000_000;
        match target.contains("cursor") {
            true => super::responder::whole("400 Bad", r#"{"status":"ERROR","error":"bad luck"}"#),
            false => ok(format!(
                r#"{{"status":"OK","request_id":"r","next_url":"https://api.massive.com/v3/snapshot/options/VOLA?cursor=1","results":[{{"details":{{"contract_type":"call","expiration_date":"2025-12-19","strike_price":90,"ticker":"O:VOLA251219C00090000"}},"implied_volatility":0.4,"last_quote":{{"ask":2,"bid":1,"last_updated":{ns}}},"underlying_asset":{{"price":90.5,"ticker":"VOLA","last_updated":{ns}}}}}]}}"#
            )),
        }
    });
    let mut bench = Bench::new(service.base());
    bench.now = "2025-11-17T09:29:50-05:00".to_owned();
    let ran = bench.fetch("chain VOLA --yes --json");
    assert_ne!(ran.exit, 0);
    assert_eq!(ran.json()["fetch"]["outcomes"][0]["from"], "2025-11-17", "{}", ran.out);
    assert_eq!((bench.count("chain", "VOLA"), bench.count("iv", "VOLA")), (1, 0));
}
