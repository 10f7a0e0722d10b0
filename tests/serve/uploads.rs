//! Files from the page: whatever `import` reads can be chosen, and what does not fit leads on.

use super::{Site, deciding, desk, hidden};
use crate::program::Desk;
use serde_json::Value;
use volledger::domain::Day;

const CLOSES: &str = "\
ticker,earnings_date,timing,announce_session,close_announce,prev_session,close_prev,next_session,close_next
ONE,2024-05-01,AMC,2024-05-01,100,2024-04-30,99,2024-05-02,104
TWO,2024-05-02,BMO,2024-05-02,50,2024-05-01,51,2024-05-03,49
";

/// The review of the batch that an answer led to.
fn review(desk: &Desk, answer: &super::Answer) -> Value {
    let batch = answer.header("location").unwrap().trim_start_matches("/batches/").to_owned();
    desk.run(&format!("batch show {batch} --json")).exits(0).json()
}

#[test]
fn each_bundled_mapping_can_be_chosen_on_the_page() {
    let desk = desk();
    let (site, token) = deciding(&desk);
    let sent = |words: &[(&str, &str)], name: &str, text: &str| {
        let words = [&[("token", token.as_str())], words].concat();
        site.upload(&words, (name, text.as_bytes())).unwrap()
    };
    // Its rows say their symbols, and need not be told so.
    let closes = sent(&[("series", "spot event-closes")], "closes.csv", CLOSES).is(303);
    let closes = review(&desk, &closes);
    assert_eq!(closes["mapping"], "event-closes/1");
    assert_eq!(closes["series"].as_array().unwrap().len(), 2, "{closes}");
    let text = "Date,atm_iv\n2024-06-03,0.2411\n2024-06-04,0.2511\n";
    let fraction = [("series", "iv iv-fraction"), ("symbol", "FRAC")];
    let fraction = review(&desk, &sent(&fraction, "f.csv", text).is(303));
    assert_eq!(fraction["rows"]["effective"], 2, "{fraction}");
    // A mapping of one's own goes before what is chosen.
    let own = desk.run("import iv --print-mapping iv-fraction").exits(0).out;
    let own =
        own.replace("iv-fraction", "mine").replace("names = [\"atm_iv\"]", "names = [\"Vola\"]");
    let words = [("series", "iv"), ("symbol", "MINE"), ("mapping", own.as_str())];
    let mine = sent(&words, "m.csv", "Date,Vola\n2024-06-03,0.2411\n");
    assert_eq!(mine.status, 303, "{own}\n{}", mine.body);
    assert_eq!(review(&desk, &mine)["mapping"], "mine/1");
    let words = [("series", "chain"), ("mapping", own.as_str())];
    assert!(sent(&words, "c.csv", text).is(400).body.contains("one reading only"));
    for wrong in ["nothing", "spot nothing"] {
        sent(&[("series", wrong), ("symbol", "X")], "x.csv", text).is(400);
    }
}

/// Whoever chose otherwise than the batch that is here does is told, and content that counts is not shown as
/// if it were new.
#[test]
fn content_that_is_here_says_what_it_was_staged_for() {
    let desk = desk();
    let (site, token) = deciding(&desk);
    let sent = |overlap: &str| {
        let words = [("token", token.as_str()), ("series", "spot"), ("symbol", "K")];
        let words = [&words[..], &[("overlap", overlap)]].concat();
        let sent = site.upload(&words, ("k.csv", b"date,close\n2024-06-03,7\n")).unwrap().is(303);
        site.get(sent.header("location").unwrap()).is(200).body
    };
    let (here, other) = ("the same content is here already", "which is not what was chosen now");
    let is = |body: &str, (known, differs): (bool, bool)| {
        assert_eq!((body.contains(here), body.contains(other)), (known, differs), "{body}");
    };
    is(&sent("replace"), (false, false));
    is(&sent("replace"), (true, false));
    let keep = sent("keep");
    is(&keep, (true, true));
    assert!(keep.contains("values win") && keep.contains("discard it and upload"), "{keep}");
    desk.run("batch confirm b4").exits(0);
    is(&sent("replace"), (true, false));
    assert!(sent("keep").contains("roll it back"));
}

/// What `why` says of a file's bytes is not kept: the log does not move when they come back.
#[test]
fn bytes_that_were_lost_are_put_back_by_an_upload() {
    let desk = Desk::with_ledger();
    // Large sources are not mirrored.
    let day = |n: i32| Day::from_ymd(2010, 1, 4).unwrap().0 + n;
    let row = |n: i32| format!("{},{}\n", Day(day(n)), 100 + n.wrapping_mul(7919) % 8999);
    let text = format!("date,close\n{}", (0..6_000).map(row).collect::<String>());
    assert!(text.len() > 70_000);
    let file = desk.write("large.csv", &text);
    desk.run(&format!("import spot {file} -s LARGE --force")).exits(0);
    let pack = desk.path().join(".volledger/sources/000001.pack");
    let mut bytes = std::fs::read(&pack).unwrap();
    let at = bytes.len() / 2;
    bytes[at] ^= 1;
    std::fs::write(&pack, bytes).unwrap();
    desk.run("recover .volledger one").exits(30);
    let site = Site::of(&desk, &["-L", "one", "--allow-decisions"]);
    let token = hidden(&site.get("/audit").is(200), "token");
    let why = "/why/spot/LARGE/2010-01-04.json";
    let lost = |why: &Value| why["fields"][0]["event"].get("lost").is_some();
    assert!(lost(&site.get(why).json()));
    let words = [("token", token.as_str()), ("series", "spot"), ("symbol", "LARGE")];
    let sent = site.upload(&words, ("large.csv", text.as_bytes())).unwrap().is(303);
    let told = site.get(sent.header("location").unwrap()).is(200).body;
    assert!(told.contains("had been lost, and are back: large.csv"), "{told}");
    assert!(!lost(&site.get(why).json()));
    drop(site);
    desk.run("-L one verify --deep").exits(0);
}

/// The hint of a command names options, which nobody has in a browser.
#[test]
fn a_file_that_does_not_fit_leads_back_to_the_form() {
    let desk = desk();
    let (site, token) = deciding(&desk);
    let words = [("token", token.as_str()), ("series", "spot"), ("symbol", "ONE")];
    let refused = site.upload(&words, ("closes.csv", CLOSES.as_bytes())).unwrap().is(400).body;
    assert!(refused.contains("cannot use closes.csv"), "{refused}");
    assert!(refused.contains("Choose another one in the form"), "{refused}");
    assert!(refused.contains("<a href=\"/upload\">Back to the upload</a>"), "{refused}");
    assert!(!refused.contains("--mapping") && !refused.contains("volledger import"), "{refused}");
}

#[test]
fn an_address_may_say_what_file_is_missed() {
    let desk = desk();
    let (site, _) = deciding(&desk);
    let form = site.get("/upload?series=spot&symbol=%22VOLA").is(200).body;
    assert!(form.contains("<option value=\"spot\" selected>"), "{form}");
    assert!(form.contains("value=\"&quot;VOLA\""), "{form}");
    assert!(site.get("/upload?series=x&lang=nl").is(200).body.contains("volatiliteit, zoals"));
}
