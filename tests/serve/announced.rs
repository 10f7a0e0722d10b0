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
    let settings =
        "[vrp]\nprofile = \"balanced\"\nmetric = \"gap\"\n[quarters]\nmin = 2\nmax = 3\n";
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

#[test]
fn a_day_without_announcements_leads_to_the_nearest_with_some() {
    let desk = announcing();
    let site = Site::of(&desk, &[]);
    let page =
        site.get("/vrp?date=2024-11-25&projection=earnings_moves%401&tiers=legacy").is(200).body;
    assert!(page.contains("No stock announces on 2024-11-25"), "{page}");
    let next = "Next: <a href=\"/vrp?date=2024-12-03&amp;tiers=legacy&amp;projection=earnings_moves%401\">\
                2024-12-03</a> (1 stock)";
    assert!(page.contains(next), "{page}");
    let last = page.split("Last before: <a href=\"").nth(1).unwrap().split('"').next().unwrap();
    assert!(site.get(&last.replace("&amp;", "&")).is(200).body.contains("/earnings/VOL"), "{last}");
    // Today nobody does: the calendar is behind.
    let today = site.get("/vrp").is(200).body;
    assert!(today.contains("on 2025-12-13, as far") && today.contains("Last before: "), "{today}");
    assert!(!today.contains("Next: "), "{today}");
}

/// The two rules side by side, without writing an address.
#[test]
fn the_projection_that_moves_are_from_can_be_chosen() {
    let desk = announcing();
    let site = Site::of(&desk, &[]);
    let page = site.get("/vrp?symbols=VOLA&date=2024-11-25").is(200).body;
    let form =
        page.split("<select id=\"projection\"").nth(1).unwrap().split("</select>").next().unwrap();
    let chosen = form.split(" selected").next().unwrap().rsplit("value=").next().unwrap();
    assert!(form.contains("value=\"earnings_moves@1\""), "{form}");
    assert_eq!(chosen, "\"earnings_moves@2\"", "{form}");
    let other =
        site.get("/vrp?symbols=VOLA&date=2024-11-25&projection=earnings_moves%401").is(200).body;
    assert!(other.contains("value=\"earnings_moves@1\" selected"), "{other}");
}
