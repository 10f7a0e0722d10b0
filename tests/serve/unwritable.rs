//! A server over a ledger that cannot be written: pages as ever, no decisions, nothing verified that was
//! not looked at; and what others write later is seen.

use super::client::{Answer, Site};
use super::{desk, hidden};
use crate::program::sample;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

/// A folder mounted over itself, so that it can be made read-only for everybody.
struct Mounted<'a>(&'a Path);

impl<'a> Mounted<'a> {
    /// `None`, and said, where the test may not mount.
    fn over(folder: &'a Path) -> Option<Self> {
        let mut mount = Command::new("mount");
        mount.arg("--bind").args([folder, folder]).stderr(Stdio::null());
        if mount.status().is_ok_and(|done| done.success()) {
            return Some(Self(folder));
        }
        let _ = writeln!(std::io::stderr(), "SKIPPED: no folder can be mounted here");
        None
    }

    fn is(&self, what: &str) {
        let options = format!("remount,bind,{what}");
        let done = Command::new("mount").args(["-o", &options]).arg(self.0).status().unwrap();
        assert!(done.success(), "{what}");
    }
}

impl Drop for Mounted<'_> {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("-l").arg(self.0).status();
    }
}

#[test]
fn pages_are_read_where_nothing_can_be_written() {
    let desk = desk();
    let folder = desk.path().join(".volledger");
    let Some(mounted) = Mounted::over(&folder) else { return };
    let paths =
        ["/batches.json", "/events.json", "/symbols/VOLA.json", "/batches/b1.json", "/gaps.json"];
    let site = Site::of(&desk, &[]);
    let before = paths.map(|path| site.get(path).is(200).body);
    drop(site);

    mounted.is("ro");
    let refused = desk.run("serve --allow-decisions --port 0").exits(22);
    assert!(refused.err.contains("Read-only"), "{}", refused.err);
    let site = Site::of(&desk, &[]);
    let home = site.get("/").is(200);
    assert!(home.body.contains("this is only read"), "{}", home.body);
    assert_eq!(paths.map(|path| site.get(path).is(200).body), before);
    // Commands read beside it.
    let view = desk.run("view iv VOLA --json").exits(0);
    assert!(view.err.contains("this is only read"), "{}", view.err);
    // What lies there can only be verified by opening it.
    let token = hidden(&site.get("/audit").is(200), "token");
    for refused in [site.get("/verify"), site.post("/verify/deep", &[("token", &token)])] {
        assert!(refused.body.contains("Read-only"), "{} {}", refused.status, refused.body);
        assert!(refused.status >= 500, "{}", refused.head);
    }
    assert_eq!(paths.map(|path| site.get(path).is(200).body), before);

    mounted.is("rw");
    site.post("/verify/deep", &[("token", &token)]).is(200);
    desk.run(&format!("import iv {} -s VOLB --yes", sample("iv/VOLB.csv"))).exits(0);
    assert!(site.get("/symbols/VOLB.json").is(200).json()["symbol"] == "VOLB");
    assert!(!site.get("/").is(200).body.contains("this is only read"));
}

#[test]
fn decisions_wait_until_the_ledger_can_be_written() {
    let desk = desk();
    let folder = desk.path().join(".volledger");
    let Some(mounted) = Mounted::over(&folder) else { return };
    // It has the ledger from its first page on.
    let site = Site::of(&desk, &["--allow-decisions"]);
    mounted.is("ro");
    let discard = |page: &Answer| {
        let token = hidden(page, "token");
        site.post("/batches/b3/discard", &[("token", &token), ("reason", "wrong scale")])
    };
    let page = site.get("/batches/b3").is(200);
    let refused = discard(&page);
    assert!(refused.body.contains("Read-only"), "{} {}", refused.status, refused.body);
    assert_eq!(site.get("/batches/b3").is(200).body, page.body);

    mounted.is("rw");
    discard(&page).is(303);
    let list = desk.run("batch list --json").exits(0).json();
    assert_eq!(list["batches"][2]["state"], "discarded", "{list}");
}
