//! What the menu offers. Numbers are stable: what people's fingers know does not move.

/// A word that is asked for.
#[derive(Debug, Clone, Copy)]
pub(super) struct Asked {
    /// Its place in the words: `{file}`.
    pub(super) place: &'static str,
    /// What is asked, in English and in Dutch.
    pub(super) question: [&'static str; 2],
    /// What an empty answer means; empty when there must be one.
    pub(super) usual: &'static str,
}

/// An entry of the menu.
#[derive(Debug, Clone, Copy)]
pub(super) struct Entry {
    pub(super) number: u8,
    /// In English and in Dutch.
    pub(super) title: [&'static str; 2],
    /// The words of its command; those in braces are asked for.
    pub(super) words: &'static [&'static str],
    pub(super) asked: &'static [Asked],
}

const SYMBOL: Asked = Asked { place: "{symbol}", question: ["Symbol", "Symbool"], usual: "" };
const FILE: Asked = Asked { place: "{file}", question: ["CSV file", "CSV-bestand"], usual: "" };
const BATCH: Asked = Asked { place: "{batch}", question: ["Batch", "Batch"], usual: "{open}" };
const DATE: Asked =
    Asked { place: "{date}", question: ["Date (YYYY-MM-DD)", "Datum (JJJJ-MM-DD)"], usual: "" };
const SERIES: Asked = Asked {
    place: "{series}",
    question: ["Series (iv, hv, spot)", "Reeks (iv, hv, spot)"],
    usual: "iv",
};
const REASON: Asked = Asked { place: "{reason}", question: ["Reason", "Reden"], usual: "" };

const fn entry(
    number: u8,
    title: [&'static str; 2],
    words: &'static [&'static str],
    asked: &'static [Asked],
) -> Entry {
    Entry { number, title, words, asked }
}

/// The entry that reviews a batch: a decision may follow it.
pub(super) const REVIEW: u8 = 7;

/// All entries; 0 leaves.
pub(super) const ALL: &[Entry] = &[
    entry(
        1,
        ["IV backfill from CSV", "IV-backfill uit CSV"],
        &["import", "iv", "{file}", "-s", "{symbol}"],
        &[SYMBOL, FILE],
    ),
    entry(
        2,
        ["Option chain from CSV", "Optieketen uit CSV"],
        &["import", "chain", "{file}", "--date", "{date}"],
        &[FILE, DATE],
    ),
    entry(
        3,
        ["Fetch from Polygon", "Ophalen bij Polygon"],
        &["fetch", "{what}", "{symbol}"],
        &[
            Asked {
                place: "{what}",
                question: [
                    "What (spot, bars, chain, contracts, index, news)",
                    "Wat (spot, bars, chain, contracts, index, news)",
                ],
                usual: "spot",
            },
            SYMBOL,
        ],
    ),
    entry(
        4,
        ["Check a CSV file", "CSV-bestand controleren"],
        &["check", "{file}", "-s", "{symbol}"],
        &[FILE, SYMBOL],
    ),
    entry(
        5,
        ["HV backfill from closing prices", "HV-backfill uit slotkoersen"],
        &["derive", "hv"],
        &[],
    ),
    entry(6, ["Data health per symbol", "Datakwaliteit per symbool"], &["coverage"], &[]),
    entry(
        REVIEW,
        ["Review an open batch", "Open batch beoordelen"],
        &["batch", "diff", "{batch}"],
        &[BATCH],
    ),
    entry(8, ["Undo the last decision", "Laatste besluit ongedaan maken"], &["undo"], &[]),
    entry(
        9,
        ["Chart of a symbol", "Grafiek van een symbool"],
        &["chart", "{series}", "{symbol}"],
        &[SERIES, SYMBOL],
    ),
    entry(10, ["Rank of implied volatility", "Rang van impliciete volatiliteit"], &["rank"], &[]),
    entry(11, ["Heat map of ranks", "Heatmap van rangen"], &["heatmap"], &[]),
    entry(12, ["Missing days", "Ontbrekende dagen"], &["gaps", "{symbol}"], &[SYMBOL]),
    entry(13, ["Market overview", "Marktoverzicht"], &["overview"], &[]),
    entry(14, ["Market snapshot", "Momentopname van de markt"], &["snapshot"], &[]),
    entry(
        15,
        ["Values of a symbol", "Waarden van een symbool"],
        &["view", "{series}", "{symbol}"],
        &[SERIES, SYMBOL],
    ),
    entry(
        16,
        ["Where a value comes from", "Waar een waarde vandaan komt"],
        &["why", "{series}", "{symbol}", "{date}"],
        &[SERIES, SYMBOL, DATE],
    ),
    entry(17, ["All batches", "Alle batches"], &["batch", "list"], &[]),
    entry(
        18,
        ["Roll a batch back", "Batch terugdraaien"],
        &["batch", "rollback", "{batch}", "--reason", "{reason}"],
        &[Asked { place: "{batch}", question: ["Batch", "Batch"], usual: "" }, REASON],
    ),
    entry(19, ["The log of decisions", "Het logboek van besluiten"], &["log"], &[]),
    entry(20, ["Where things stand", "Stand van zaken"], &["status"], &[]),
    entry(21, ["Verify everything", "Alles controleren"], &["verify", "--deep"], &[]),
    entry(22, ["Pages in a browser", "Pagina's in een browser"], &["serve"], &[]),
    entry(
        23,
        ["Earnings from CSV", "Earnings uit CSV"],
        &["import", "earnings", "{file}", "--symbol-from", "column"],
        &[FILE],
    ),
    entry(
        24,
        ["Earnings: implied and real moves", "Earnings: verwachte en echte uitslagen"],
        &["vrp", "{symbol}"],
        &[SYMBOL],
    ),
];

/// What the old menu had and this program does not do, so that nobody hunts for it.
pub(super) const ELSEWHERE: [&str; 2] =
    ["Not here: ATR calculator, ORATS research.", "Niet hier: ATR-calculator, ORATS-onderzoek."];
