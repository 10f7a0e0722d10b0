//! Files from the page: whatever `import` reads can be chosen, and what does not fit leads on.

use super::{deciding, desk};
use crate::program::Desk;
use serde_json::Value;

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
