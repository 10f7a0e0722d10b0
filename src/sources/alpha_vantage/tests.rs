use super::*;
use crate::domain::{Series, Window};
use std::convert::Infallible;

const CALENDAR: &str = "symbol,name,reportDate,fiscalDateEnding,estimate,currency,timeOfTheDay\r\n\
    TST,\"Test, Inc.\",2030-01-15,2029-12-31,1.25,USD,post-market\r\n\
    ABC,Abc,2030-01-16,2029-12-31,,USD,\r\n\
    DEF,Def,2030-01-17,2029-12-31,-0.10,USD,pre-market\r\n";
const HISTORY: &str = r#"{"symbol":"TST","annualEarnings":[],"quarterlyEarnings":[{"fiscalDateEnding":"2029-09-30","reportedDate":"2029-10-24","reportedEPS":"1.10","estimatedEPS":"None","surprise":"0.05","surprisePercentage":"4.76","reportTime":"post-market"},{"fiscalDateEnding":"2029-06-30","reportedDate":"None"}]}"#;
const DAILY: &str = r#"{"Meta Data":{"2. Symbol":"TST"},"Time Series (Daily)":{
"2029-10-26":{"1. open":"154.00","2. high":"155.00","3. low":"149.00","4. close":"150","5. volume":"9"},
"2029-10-25":{"1. open":"150.00","2. high":"155.00","3. low":"149.00","4. close":"154.20","5. volume":"1200000"},
"2029-10-24":{"1. open":"150.00","2. high":"140.00","3. low":"149.00","4. close":"154.20","5. volume":"1"},
"2029-10-23":{"1. open":"150.00"},
"2029-10-01":{"1. open":"1","2. high":"1","3. low":"1","4. close":"1","5. volume":"1"}}}"#;

type Told = Vec<(String, String, Vec<(String, String)>)>;

fn events(endpoint: Endpoint, series: Series, body: &str) -> (Told, PageSummary) {
    let wanted = Wanted {
        series,
        symbol: (endpoint != Endpoint::Calendar).then(|| "TST".parse().unwrap()),
        range: Some(("2029-10-20".parse().unwrap(), "2029-10-25".parse().unwrap())),
        as_of: "2029-11-01".parse().unwrap(),
        source: 0,
    };
    let mut windows: Vec<Window> = Vec::new();
    let mut take = |window: &mut Window| -> Result<(), Infallible> {
        windows.push(std::mem::take(window));
        Ok(())
    };
    let mut out = Collector::new(&mut take);
    let summary = read(endpoint, body.as_bytes(), &wanted, &mut out).unwrap();
    out.finish().unwrap();
    let rows = windows.iter().flat_map(|window| window.rows.iter());
    let told = rows.map(|row| {
        let fields = row.fields().map(|(field, value)| {
            (field.name().to_owned(), value.as_ref().map(ToString::to_string).unwrap_or_default())
        });
        (row.symbol.to_string(), row.head.day.to_string(), fields.collect())
    });
    (told.collect(), summary)
}

fn field<'a>(row: &'a (String, String, Vec<(String, String)>), name: &str) -> &'a str {
    row.2.iter().find(|(known, _)| known == name).map_or("-", |(_, value)| value)
}

#[test]
fn a_calendar_is_read_by_its_header_and_quoted_cells() {
    let (rows, summary) = events(Endpoint::Calendar, Series::Earnings, CALENDAR);
    assert_eq!((rows.len(), summary.rows.rejected), (3, 0), "{:?}", summary.findings);
    assert_eq!((rows[0].0.as_str(), rows[0].1.as_str()), ("TST", "2030-01-15"));
    let timing: Vec<&str> = rows.iter().map(|row| field(row, "timing")).collect();
    assert_eq!(timing, ["AMC", "UNKNOWN", "BMO"]);
    assert_eq!(field(&rows[0], "name"), "Test, Inc.");
    assert_eq!(field(&rows[2], "eps_estimate"), "-0.10");
    assert_eq!(field(&rows[0], "fiscal_period_end"), "2029-12-31");
    // The last column is newer than the others: without it nothing is known of the time.
    let older: String =
        CALENDAR.lines().map(|line| line.rsplit_once(',').unwrap().0.to_owned() + "\n").collect();
    let (rows, _) = events(Endpoint::Calendar, Series::Earnings, &older);
    assert_eq!((rows.len(), field(&rows[0], "timing")), (3, "UNKNOWN"));
}

#[test]
fn past_announcements_have_their_digits_and_none_is_none() {
    let (rows, summary) = events(Endpoint::History, Series::Earnings, HISTORY);
    assert_eq!((rows.len(), summary.rows.rejected), (1, 1));
    for (name, value) in [
        ("timing", "AMC"),
        ("eps_actual", "1.10"),
        ("eps_estimate", "-"),
        ("fiscal_period_end", "2029-09-30"),
        ("surprisePercentage", "4.76"),
        ("reportTime", "-"),
    ] {
        assert_eq!(field(&rows[0], name), value, "{name}");
    }
    let one =
        r#"{"symbol":"TST","quarterlyEarnings":{"reportedDate":"2029-10-24","reportTime":"noon"}}"#;
    let (rows, summary) = events(Endpoint::History, Series::Earnings, one);
    assert_eq!((field(&rows[0], "timing"), field(&rows[0], "reportTime")), ("UNKNOWN", "noon"));
    assert_eq!(summary.findings[0].code, "drift_enum");
}

#[test]
fn daily_bars_are_those_of_the_days_asked() {
    let (rows, summary) = events(Endpoint::Daily, Series::Spot, DAILY);
    let counts =
        (summary.rows.read, summary.rows.accepted, summary.rows.rejected, summary.rows.blank);
    assert_eq!(counts, (3, 1, 2, 2), "a later and an earlier bar are left out");
    assert_eq!(rows[0].1, "2029-10-25");
    assert_eq!((field(&rows[0], "close"), field(&rows[0], "volume")), ("154.20", "1200000"));
    let codes: Vec<&str> = summary.findings.iter().map(|f| f.code.as_str()).collect();
    assert_eq!(codes, ["ohlc", "missing"]);
    let rejected = ["2029-10-23", "2029-10-24"].map(|day| day.parse().unwrap());
    assert!(summary.rejected_days.iter().eq(&rejected), "{:?}", summary.rejected_days);
    assert_eq!(summary.undated, 0);
    // One without a day: nobody knows of which day nothing is known.
    let odd = DAILY.replace("2029-10-24", "24 October");
    assert_eq!(events(Endpoint::Daily, Series::Spot, &odd).1.undated, 1);
    let (rows, _) = events(Endpoint::Daily, Series::Bars, DAILY);
    assert_eq!(field(&rows[0], "close"), "154.20");
}

#[test]
fn refusals_are_told_apart() {
    let said =
        |endpoint, body: &str| items(endpoint, Some(&"TST".parse().unwrap()), body.as_bytes());
    let throttled = |today: bool| move |refusal: &Refusal| matches!(refusal, Refusal::Throttled { today: found, .. } if *found == today);
    type Is = Box<dyn Fn(&Refusal) -> bool>;
    let cases: Vec<(&str, Is)> = vec![
        (
            r#"{"Note":"Our standard API call frequency is 5 calls per minute and 500 calls per day."}"#,
            Box::new(throttled(false)),
        ),
        (
            r#"{"Information":"Our standard API rate limit is 25 requests per day. See our premium plans to remove all daily rate limits."}"#,
            Box::new(throttled(true)),
        ),
        (
            r#"{"Information":"Please spread out your requests (1 request per second); the free limit is 25 requests per day."}"#,
            Box::new(throttled(false)),
        ),
        (
            r#"{"Information":"Please spread out your free requests (1 request per second). A premium plan lifts the free key rate limit (25 requests per day), raises the per-second burst limit, and unlocks all premium endpoints"}"#,
            Box::new(throttled(false)),
        ),
        (
            r#"{"Information":"Thank you! This is a premium endpoint. Subscribe to unlock."}"#,
            Box::new(|r| matches!(r, Refusal::Plan(_))),
        ),
        (
            r#"{"Information":"This is a premium endpoint: plans of 75 requests per minute and more have it."}"#,
            Box::new(|r| matches!(r, Refusal::Plan(_))),
        ),
        (
            r#"{"Error Message":"Invalid API call. Please retry."}"#,
            Box::new(|r| matches!(r, Refusal::NoData(_))),
        ),
        (
            r#"{"Error Message":"the parameter apikey is invalid or missing."}"#,
            Box::new(|r| matches!(r, Refusal::Key(_))),
        ),
        ("", Box::new(|r| matches!(r, Refusal::Payload(_)))),
        ("<html>busy</html>", Box::new(|r| matches!(r, Refusal::Payload(_)))),
        (r#"{"symbol":"TST","quarterlyEarn"#, Box::new(|r| matches!(r, Refusal::Payload(_)))),
        (
            r#"{"symbol":"OTHER","quarterlyEarnings":[],"Meta Data":{"2. Symbol":"OTHER"},"Time Series (Daily)":{}}"#,
            Box::new(|r| matches!(r, Refusal::Payload(_))),
        ),
    ];
    for (body, is) in &cases {
        for endpoint in [Endpoint::Calendar, Endpoint::History, Endpoint::Daily] {
            let refusal = said(endpoint, body).unwrap_err();
            assert!(is(&refusal), "{endpoint:?} {body}: {refusal:?}");
        }
    }
    let header = CALENDAR.lines().next().unwrap();
    let spelt = format!("{header}\r\nI,n,f,o,r,m,a\r\n");
    assert!(throttled(false)(&said(Endpoint::Calendar, &spelt).unwrap_err()));
    assert_eq!(said(Endpoint::Calendar, &format!("{header}\r\n")), Ok(0));
    assert_eq!(said(Endpoint::Calendar, CALENDAR), Ok(3));
    assert!(said(Endpoint::Calendar, "a,b\r\n1,2\r\n").is_err());
    assert_eq!(said(Endpoint::History, "{}"), Ok(0), "a symbol that is not known");
    assert_eq!(said(Endpoint::Daily, DAILY), Ok(5));
}

#[test]
fn a_table_that_was_cut_short_is_no_answer() {
    let of = |body: &str| items(Endpoint::Calendar, None, body.as_bytes());
    assert_eq!(of(CALENDAR).unwrap(), 3);
    assert_eq!(of(CALENDAR.trim_end()).unwrap(), 3, "the last line's end says nothing");
    for cut in [CALENDAR.len() - 15, CALENDAR.len() - 25] {
        let error = of(&CALENDAR[..cut]).unwrap_err();
        assert_eq!(error, Refusal::Payload("the table is cut short".to_owned()), "{cut}");
    }
    // A row that is short and ends is the service's own.
    assert_eq!(of(&format!("{CALENDAR}GHI,Ghi,2030-01-18\r\n")).unwrap(), 4);
}

#[test]
fn fields_do_not_take_the_names_that_records_have() {
    let body = HISTORY.replacen("\"reportedEPS\"", "\"date\":\"1999\",\"reportedEPS\"", 1);
    let (rows, _) = events(Endpoint::History, Series::Earnings, &body);
    assert_eq!((field(&rows[0], "date"), field(&rows[0], "$.date")), ("-", "1999"));
    let body = DAILY.replacen("\"1. open\"", "\"symbol\":\"EVIL\",\"1. open\"", 2);
    let (rows, _) = events(Endpoint::Daily, Series::Spot, &body);
    assert_eq!((field(&rows[0], "symbol"), field(&rows[0], "$.symbol")), ("-", "EVIL"));
}
