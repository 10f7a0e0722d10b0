//! Pages of the past say so, lead to the past and know nothing of what came later; and links lead somewhere.

use super::client::{Answer, Site, encoded};
use super::{deciding, desk, hidden};
use crate::program::{Desk, sample};
use std::collections::BTreeSet;

/// What stands in the page itself, without the links at the top and below.
fn main(page: &Answer) -> &str {
    page.body.split("<main").nth(1).unwrap().split("</main>").next().unwrap()
}

/// The links of a page itself that lead to another of this server's, as a browser follows them.
fn links(page: &Answer) -> Vec<(String, bool)> {
    let tags = main(page).split("<a ").skip(1).map(|rest| rest.split('>').next().unwrap());
    let link = |tag: &str| {
        let to = tag.split("href=\"").nth(1)?.split('"').next()?.replace("&amp;", "&");
        to.starts_with('/').then(|| (to, tag.contains("rel=\"latest-version\"")))
    };
    tags.filter_map(link).collect()
}

/// Whether the page at an address is seen from a position.
fn looks_back(to: &str) -> bool {
    let path = to.split('?').next().unwrap();
    let lists =
        ["/batches", "/symbols", "/rank", "/vrp", "/gaps", "/events", "/audit", "/projections"];
    let of = ["/symbols/", "/why/", "/earnings/", "/gaps/", "/projections/", "/sql"];
    lists.contains(&path) || of.iter().any(|start| path.starts_with(start))
}

/// A desk with announcements and two versions of a projection, where VOLB came last.
fn grown() -> (Desk, u64) {
    let desk = desk();
    for (series, name) in [("earnings", "calendar"), ("straddles", "straddles")] {
        let file = sample(&format!("earnings/{name}.csv"));
        desk.run(&format!("import {series} {file} --yes")).exits(0);
    }
    for factor in ["1", "2"] {
        let query =
            format!("SELECT symbol, date, atm_iv * {factor} AS v FROM iv WHERE symbol = :symbol");
        let query = desk.write("one.sql", &query);
        desk.run(&format!("projection add rich --sql {query}")).exits(0);
    }
    let at = desk.run("log --json").json()["position"].as_u64().unwrap();
    desk.run(&format!("import iv {} -s VOLB --yes", sample("iv/VOLB.csv"))).exits(0);
    (desk, at)
}

#[test]
fn what_is_seen_from_the_past_leads_to_the_past() {
    let (desk, at) = grown();
    let site = Site::of(&desk, &[]);
    let word = format!("at=%23{at}");
    let mut led = BTreeSet::new();
    for path in [
        "/batches?state=active",
        "/symbols?q=VOL",
        "/symbols/VOLA?kind=all&from=2024-01-02&to=2024-12-30",
        "/symbols/VOLA?kind=rank",
        "/why/iv/VOLA/2024-12-30",
        "/rank?from=2024-01-02",
        "/vrp?symbols=VOLA&date=2024-11-25&projection=earnings_moves",
        "/earnings/VOLA?date=2024-11-25",
        "/gaps",
        "/gaps/VOLA?series=iv",
        "/events",
        "/audit",
        "/projections",
        "/projections/rich%401",
        "/projections/rich%402/diff",
        "/sql?q=select+1+as+n",
    ] {
        let mark = if path.contains('?') { '&' } else { '?' };
        let page = site.get(&format!("{path}{mark}{word}")).is(200);
        let (body, path) = (main(&page), path.split('?').next().unwrap());
        assert!(body.contains(&format!("As the ledger stood after #{at}. ")), "{path}: {body}");
        let mut present = 0;
        for (to, latest) in links(&page) {
            if latest {
                present += 1;
                assert!(to.starts_with(path) && !to.contains("at="), "{path}: {to}");
            } else if looks_back(&to) {
                assert!(to.contains(&word), "{path} leads to the present: {to}");
                led.insert(to);
            }
        }
        assert_eq!(present, 1, "{path}");
        for form in body.split("<form ").skip(1).map(|rest| rest.split("</form>").next().unwrap()) {
            if form.contains("method=\"get\"") {
                assert!(form.contains("name=\"at\""), "{path}: {form}");
            }
        }
        assert!(!body.contains("VOLB"), "{path} names what came later");
    }
    // Some of each kind: they lead somewhere.
    let mut kinds: BTreeSet<(usize, String)> = BTreeSet::new();
    for to in &led {
        let kind = to.split(['/', '?']).nth(1).unwrap().to_owned();
        if (0..2).any(|turn| kinds.insert((turn, kind.clone()))) {
            site.get(to).is(200);
        }
    }
    assert!(kinds.len() > 10, "{kinds:?}");
    // What was chosen besides stays chosen.
    let page = site.get("/symbols/VOLA?kind=iv&from=2024-01-02&at=2").is(200);
    let kept = "/symbols/VOLA?kind=hv&amp;from=2024-01-02&amp;at=2";
    assert!(page.body.contains(kept), "{}", page.body);
    // The days are a form of their own: whoever chooses days of the present stays there.
    let page = site.get("/symbols/VOLA").is(200);
    let days = page.body.split("<form ").find(|form| form.contains("name=\"from\"")).unwrap();
    assert!(!days.split("</form>").next().unwrap().contains("name=\"at\""), "{days}");
    assert!(!main(&page).contains("As the ledger stood after"));
}

#[test]
fn symbols_that_came_later_are_not_named() {
    let (desk, at) = grown();
    let site = Site::of(&desk, &[]);
    let twin = site.get(&format!("/symbols.json?at=%23{at}")).is(200).json();
    let said = desk.words(&["coverage", "--at", &format!("#{at}"), "--json"]).exits(0).json();
    assert_eq!(twin, said);
    assert!(site.get("/symbols").is(200).body.contains("VOLB"));
    assert!(site.get("/symbols/VOLA").is(200).body.contains("VOLB →"));
    let empty = site.get("/symbols.json?at=%231&q=ZZZ").is(200).json();
    assert_eq!((&empty["position"], &empty["rows"]), (&1.into(), &serde_json::json!([])));
}

#[test]
fn the_file_of_a_query_is_of_the_same_position() {
    let desk = desk();
    let site = Site::of(&desk, &[]);
    let query = encoded(&[("q", "select count(*) as n from spot")]);
    let page = site.get(&format!("/sql?{query}&at=%232")).is(200);
    let file = links(&page).into_iter().map(|(to, _)| to).find(|to| to.starts_with("/sql.csv"));
    assert_eq!(site.get(&file.unwrap()).is(200).body, "n\n0\n");
    assert_eq!(site.get(&format!("/sql.csv?{query}")).is(200).body, "n\n753\n");
}

#[test]
fn a_day_leads_to_the_view_that_has_it() {
    let desk = desk();
    desk.run(&format!("import spot {} -s VOLC --yes", sample("spot/VOLC.csv"))).exits(0);
    let site = Site::of(&desk, &[]);
    let page = site.get("/symbols/VOLC").is(200);
    let to = links(&page).into_iter().map(|(to, _)| to).find(|to| to.starts_with("/why/")).unwrap();
    assert!(to.starts_with("/why/spot/VOLC/"), "{to}");
    site.get(&to).is(200);
}

const CHAIN: &str = "\
ticker,underlying,expiration,dte,strike,type,iv,open_interest,bid,ask,bid_size,ask_size,volume
O:XYZ250516C00100000,XYZ,2025-05-16,30,100.0,C,0.3,10,1.10,1.20,5,6,7
O:XYZ250516P00100000,XYZ,2025-05-16,30,100.0,P,0.310,20,2.10,2.20,5,6,7
";

#[test]
fn a_batch_leads_to_its_contracts_and_to_symbols_that_have_a_page() {
    let desk = desk();
    let chain = desk.write("chain.csv", CHAIN);
    desk.run(&format!("import chain {chain} --date 2025-04-16 --yes")).exits(0);
    let new = desk.write("new.csv", "Date,IV30\n2024-01-02,20\n");
    desk.run(&format!("import iv {new} -s NEW --stage-only")).exits(0);
    let (site, token) = deciding(&desk);
    let page = site.get("/batches/b4?kind=all").is(200);
    let why: Vec<_> =
        links(&page).into_iter().filter(|(to, _)| to.starts_with("/why/chain/")).collect();
    assert!(!why.is_empty(), "{}", page.body);
    for (to, _) in why {
        site.get(&to).is(200);
    }
    let names = |page: &Answer| links(page).iter().any(|(to, _)| to == "/symbols/NEW");
    let page = site.get("/batches/b5?kind=all").is(200);
    assert!(page.body.contains("NEW") && !names(&page), "{}", page.body);
    let expect = hidden(&page, "expect");
    site.post("/batches/b5/confirm", &[("token", &token), ("expect", &expect)]).is(303);
    assert!(names(&site.get("/batches/b5?kind=all").is(200)));
    site.get("/symbols/NEW").is(200);
}
