//! Announcements on the page: judged and dated as the commands do it.

use super::{Site, desk};
use crate::program::{Desk, sample};

/// The desk with the calendar and the straddles of the sample.
fn announcing() -> Desk {
    let desk = desk();
    for (series, name) in [("earnings", "calendar"), ("straddles", "straddles")] {
        let file = sample(&format!("earnings/{name}.csv"));
        desk.run(&format!("import {series} {file} --yes")).exits(0);
    }
    desk
}

/// A stock that the settings never score would else have a ratio on the page.
#[test]
fn a_page_judges_by_the_settings_as_the_command_does() {
    let desk = announcing();
    let settings = "[vrp]\nprofile = \"balanced\"\nmetric = \"gap\"\n[quarters]\nmin = 2\nmax = 3\n";
    std::fs::write(desk.path().join(".volledger/config.toml"), settings).unwrap();
    let site = Site::of(&desk, &[]);
    for (path, command) in [
        ("/vrp.json?symbols=VOLA&date=2024-11-25", "vrp VOLA --date 2024-11-25"),
        ("/vrp.json?symbols=VOLA&date=2024-11-25&tiers=", "vrp VOLA --date 2024-11-25"),
        (
            "/vrp.json?symbols=VOLA&date=2024-11-25&tiers=seed",
            "vrp VOLA --date 2024-11-25 --tiers seed",
        ),
        ("/earnings/VOLA.json?date=2024-11-30", "earnings VOLA --date 2024-11-30"),
    ] {
        let said = desk.run(&format!("{command} --json")).exits(0).json();
        assert_eq!(site.get(path).is(200).json(), said, "{path}");
    }
    let tiers = &site.get("/vrp.json?symbols=VOLA&date=2024-11-25").json()["tiers"];
    assert_eq!(
        (&tiers["id"], &tiers["metric"], &tiers["max_quarters"]),
        (&"balanced, changed by settings".into(), &"gap_move".into(), &3.into())
    );
    let history = &site.get("/earnings/VOLA.json?date=2024-11-30").json()["history"];
    assert_eq!(history["n"], 3);
    let page = site.get("/vrp?symbols=VOLA&date=2024-11-25").is(200).body;
    assert!(page.contains("<option value=\"\">of the settings</option>"), "{page}");
}
