use super::*;
use crate::domain::{Class, EventId, Field, Value};
use crate::projections::view::Cell;
use Underlying::{Cost, Doubtful, Unknown};

const DAY: &str = "2023-06-27";
const SPLIT: &str = "2023-09-01";

fn day(text: &str) -> Day {
    text.parse().unwrap()
}

fn dec(text: &str) -> Decimal {
    text.parse().unwrap()
}

fn record(of: Day, item: &str, batch: u32, fields: &[(u16, &str)]) -> Record {
    let event = EventId { batch: BatchId(batch), seq: 0 };
    let cell = |(code, number): &(u16, &str)| {
        let (field, value) = (Field::Known(*code), Value::from_json_number(number));
        Cell { field, value, event, class: Class::Vendor }
    };
    let cells: Vec<Cell> = fields.iter().map(cell).collect();
    let order = cells.iter().map(|cell| cell.field.clone()).collect();
    Record { day: of, item: item.into(), order, cells }
}

fn close(of: &str, batch: u32, price: &str) -> Record {
    record(day(of), "", batch, &[(code::CLOSE, price)])
}

fn chain(strikes: &[&str]) -> Vec<Record> {
    strikes.iter().map(|strike| record(day(DAY), "", 9, &[(code::STRIKE_PRICE, strike)])).collect()
}

/// Closes with a split of 3:2 after the day, and what is known of the batches.
fn closes<'a>(spot: &'a [Record], known: &[(u32, Adjustment)]) -> Closes<'a> {
    let adjusted = known.iter().map(|(batch, of)| (BatchId(*batch), *of)).collect();
    Closes { spot, splits: vec![(day(SPLIT), dec("1.5"))], adjusted }
}

const STRIKES: [&str; 6] = ["120", "125", "185", "190", "280", "285"];
const UNKNOWN: Adjustment = Adjustment::Unknown(Day(20_000));

#[test]
fn a_split_that_still_stands_in_a_file_is_not_taken_out_again() {
    let of =
        |spot: &[Record], known| closes(spot, &[(1, known)]).underlying(&chain(&STRIKES), day(DAY));
    let traded = [close(DAY, 1, "188.06"), close("2023-08-31", 1, "187"), close(SPLIT, 1, "126")];
    assert_eq!(of(&traded, UNKNOWN), Cost(dec("188.06"), "close"));
    let restated =
        [close(DAY, 1, "125.4"), close("2023-08-31", 1, "124.7"), close(SPLIT, 1, "126")];
    assert_eq!(of(&restated, UNKNOWN), Cost(dec("188.10"), "close"));
    // A service takes out what had happened when it was asked.
    let until = |text: &str| Adjustment::Until(day(text));
    assert_eq!(of(&restated, until("2023-10-01")), Cost(dec("188.10"), "close"));
    assert_eq!(of(&traded, until("2023-08-01")), Cost(dec("188.06"), "close"));
    assert_eq!(of(&traded, Adjustment::AsTraded), Cost(dec("188.06"), "close"));
    assert_eq!(of(&traded, Adjustment::Unknown(day("2023-07-01"))), Cost(dec("188.06"), "close"));
}

#[test]
fn without_neighbours_the_strikes_decide_if_they_can() {
    let of = |price: &str, strikes: &[&str]| {
        let spot = [close(DAY, 1, price)];
        closes(&spot, &[(1, UNKNOWN)]).underlying(&chain(strikes), day(DAY))
    };
    assert_eq!(of("125.4", &["180", "185", "190"]), Cost(dec("188.10"), "close"));
    assert_eq!(of("188.06", &["180", "185", "190"]), Cost(dec("188.06"), "close"));
    assert_eq!(of("188.06", &STRIKES), Doubtful(dec("188.06")), "280 is near the product");
    assert_eq!(of("50", &["180"]), Doubtful(dec("50")));
    // Neighbours of which somebody else says what is out of them say nothing of a file's.
    let spot = [close(DAY, 1, "188.06"), close("2023-08-31", 2, "187"), close(SPLIT, 2, "126")];
    let known = [(1, UNKNOWN), (2, Adjustment::AsTraded)];
    let found = closes(&spot, &known).underlying(&chain(&STRIKES), day(DAY));
    assert_eq!(found, Doubtful(dec("188.06")));
}

#[test]
fn a_close_between_wide_strikes_is_sound() {
    let of = |price: &str| {
        let spot = [close(DAY, 1, price)];
        let closes = Closes { spot: &spot, splits: Vec::new(), adjusted: Adjusted::default() };
        closes.underlying(&chain(&["30", "35"]), day(DAY))
    };
    assert_eq!(of("32.5"), Cost(dec("32.5"), "close"));
    assert_eq!((of("36"), of("3.25")), (Cost(dec("36"), "close"), Doubtful(dec("3.25"))));
}

#[test]
fn of_prices_in_the_quotes_the_newest_counts() {
    let quote = |item: &str, price: &str, at: &str| {
        let ns = (crate::domain::eastern::instant(day(at), 12, 0).unwrap() + 1) * 1_000_000;
        let of = [(code::UNDERLYING_PRICE, price), (code::UNDERLYING_UPDATED, &ns.to_string())];
        record(day(DAY), item, 9, &of)
    };
    let spot = [close(DAY, 1, "188.06")];
    let underlying =
        |chain: &[Record]| closes(&spot, &[(1, Adjustment::AsTraded)]).underlying(chain, day(DAY));
    let mut quotes = chain(&["185", "190"]);
    quotes.insert(0, record(day(DAY), "A", 9, &[(code::UNDERLYING_PRICE, "180")]));
    quotes.push(quote("B", "188.09", DAY));
    assert_eq!(underlying(&quotes), Cost(dec("188.09"), "snapshot"));
    // Neither one of another day nor nought is a price of the day.
    quotes = chain(&["185", "190"]);
    quotes.extend([quote("B", "170", "2023-06-26"), quote("C", "0", DAY)]);
    assert_eq!(underlying(&quotes), Cost(dec("188.06"), "close"));
    assert_eq!(closes(&[], &[]).underlying(&quotes, day(DAY)), Unknown);
    // However a table writes the time: that of the day after, and none.
    for at in ["1687968000000000000", "1.687968e+18", "1687968000000000000.0"] {
        let of = [(code::UNDERLYING_PRICE, "170"), (code::UNDERLYING_UPDATED, at)];
        quotes.truncate(2);
        quotes.push(record(day(DAY), "B", 9, &of));
        assert_eq!(instant(&quotes[2], code::UNDERLYING_UPDATED), Some(1_687_968_000_000_000_000));
        assert_eq!(underlying(&quotes), Cost(dec("188.06"), "close"), "{at}");
    }
    let wiped = record(day(DAY), "B", 9, &[(code::UNDERLYING_UPDATED, "0")]);
    assert_eq!(instant(&wiped, code::UNDERLYING_UPDATED), None);
}
