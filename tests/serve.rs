//! `volledger serve`, driven over HTTP: pages and their twins, decisions, who is refused, and a
//! ledger that the server shares with commands.

mod announced;
mod browser;
mod client;
mod decisions;
mod limits;
mod links;
mod pages;
mod past;
mod replaced;
mod security;
mod shared;
mod unwritable;
mod uploads;
mod work;

use crate::program::{Desk, sample};
use client::{Answer, Site};

/// A desk with IV and spot of VOLA confirmed (b1, b2) and a wrong file staged (b3).
fn desk() -> Desk {
    let desk = Desk::with_iv();
    desk.run(&format!("import spot {} -s VOLA --yes", sample("spot/VOLA.csv"))).exits(0);
    let wrong = sample("bad/VOLA_wrong_scale.csv");
    desk.run(&format!("import iv {wrong} -s VOLA --stage-only")).exits(0);
    desk
}

/// The value of a hidden field of the first form that has it.
fn hidden(page: &Answer, name: &str) -> String {
    let mark = format!("name=\"{name}\" value=\"");
    let rest = page.body.split(&mark).nth(1).unwrap_or_else(|| panic!("no {name}: {}", page.body));
    rest.split('"').next().unwrap().to_owned()
}

/// A site that decides, and its token.
fn deciding(desk: &Desk) -> (Site, String) {
    let site = Site::of(desk, &["--allow-decisions"]);
    let token = hidden(&site.get("/audit").is(200), "token");
    (site, token)
}
