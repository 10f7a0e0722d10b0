//! The tour about earnings: a result that is wrong, and its correction from the same facts.

use super::{Sample, Step};

/// The sample data (synthetic), compiled in.
pub(super) const FILES: [Sample; 7] = [
    ("earnings/calendar.csv", include_str!("../../../../data/sample/earnings/calendar.csv")),
    (
        "earnings/calendar_wrong.csv",
        include_str!("../../../../data/sample/earnings/calendar_wrong.csv"),
    ),
    ("earnings/moves.csv", include_str!("../../../../data/sample/earnings/moves.csv")),
    ("earnings/straddles.csv", include_str!("../../../../data/sample/earnings/straddles.csv")),
    ("spot/VOLA.csv", include_str!("../../../../data/sample/spot/VOLA.csv")),
    ("spot/VOLB.csv", include_str!("../../../../data/sample/spot/VOLB.csv")),
    ("README.md", include_str!("../../../../data/sample/README.md")),
];

/// How the two versions differ by the hour of the announcement.
const MEANS: &str = "SELECT new.timing, count(*) AS n, round(100 * avg(old.close_move), 2) AS stored, \
                     round(100 * avg(abs(new.close_move)), 2) AS reaction \
                     FROM 'earnings_moves@1' AS old \
                     JOIN 'earnings_moves@2' AS new USING (symbol, earnings_date) \
                     WHERE new.status = 'OK' GROUP BY 1";

/// The steps.
pub(super) const STEPS: &[Step] = &[
    ("A ledger is a directory. Start one here.", &["init"]),
    (
        "Facts first. A calendar: VOLA announces after the close (AMC), VOLB before the open (BMO). \
         Both are made up. The last announcements are to come.",
        &["import", "earnings", "earnings/calendar.csv", "--yes"],
    ),
    (
        "The moves of each announcement, as a vendor computed them; they are kept as the vendor's.",
        &["import", "moves", "earnings/moves.csv", "--yes"],
    ),
    (
        "What the options asked for the next announcement.",
        &["import", "straddles", "earnings/straddles.csv", "--yes"],
    ),
    (
        "The published rule is version 1 of a projection: the announcement's own session, whatever \
         its hour.",
        &["projection", "add", "earnings_moves@1"],
    ),
    (
        "By it the options of VOLA pay twice what the stock does: EXCELLENT. But read the remark.",
        &["vrp", "VOLA", "VOLB"],
    ),
    (
        "After the close that session is the one before the news. Take the daily prices, and build \
         version 2 from the first fact on: the session that reacts, by the exchange's calendar.",
        &["import", "spot", "spot/VOLA.csv", "spot/VOLB.csv", "--symbol-from", "name", "--yes"],
    ),
    ("It is kept beside version 1.", &["projection", "add", "earnings_moves@2"]),
    (
        "Where do they differ? Mean sizes in percent, by the hour of the announcement: before the \
         open both are the same. (`projection diff` has every value.)",
        &["sql", MEANS],
    ),
    ("Let the name mean version 2 from here on.", &["projection", "promote", "earnings_moves@2"]),
    (
        "The same options against the true reactions: nothing to earn with VOLA.",
        &["vrp", "VOLA", "VOLB"],
    ),
    ("What VOLA did each time.", &["earnings", "VOLA", "--date", "2024-11-25"]),
    (
        "Somebody imports a calendar that says BMO for VOLA.",
        &["import", "earnings", "earnings/calendar_wrong.csv", "--yes"],
    ),
    ("The table moves at once …", &["vrp", "VOLA", "--date", "2024-11-25"]),
    (
        "… so take that calendar out.",
        &["batch", "rollback", "b5", "--reason", "VOLA announces after the close"],
    ),
    ("It is as it was.", &["vrp", "VOLA", "--date", "2024-11-25"]),
    (
        "And what was published can still be asked, as it stood then.",
        &["vrp", "VOLA", "--date", "2024-11-25", "--at", "#8"],
    ),
    (
        "Check everything, with every view and projection against its rebuild.",
        &["verify", "--deep"],
    ),
];
