use super::*;
use crate::app::Clock;
use crate::app::import::{ImportOptions, Input, Outcome, SymbolChoice, import_csv};
use crate::domain::{Entry, Series};
use std::collections::BTreeSet;

fn run() -> Run<'static> {
    Run { clock: Clock::Fixed(1_765_627_200_000), ..Run::new("tester") }
}

/// Stages rows of `AAA`, or of the symbol that stands before a day.
fn stage(ledger: &mut Ledger, rows: &[impl AsRef<str>]) -> Staged {
    stage_over(ledger, rows, false)
}

/// The same; with `keep` they only fill.
fn stage_over(ledger: &mut Ledger, rows: &[impl AsRef<str>], keep: bool) -> Staged {
    let file = tempfile::NamedTempFile::new().unwrap();
    let rows = rows.iter().map(AsRef::as_ref).map(|row| match row.split_once(' ') {
        Some((symbol, row)) => format!("{symbol},{row}\n"),
        None => format!("AAA,{row}\n"),
    });
    std::fs::write(file.path(), format!("Symbol,Date,IV30\n{}", rows.collect::<String>())).unwrap();
    let options =
        ImportOptions { symbol: SymbolChoice::FromColumn, keep, ..ImportOptions::of(Series::Iv) };
    import_csv(ledger, &[Input::file(file.path())], &options, &run()).unwrap()
}

fn staged(ledger: &mut Ledger, rows: &[impl AsRef<str>]) -> BatchId {
    stage(ledger, rows).batch.unwrap()
}

fn token(ledger: &Ledger, id: BatchId) -> String {
    review::review(ledger, id, false, &run()).unwrap().token.unwrap()
}

/// Seals a batch once more, with a root that its events do not give.
fn forge(ledger: &mut Ledger, id: BatchId) {
    let stage = ledger.batches().get(id).unwrap().stage.clone();
    let kind =
        EntryKind::Stage(Box::new(crate::domain::Stage { batch_root: Digest([9; 32]), ..stage }));
    let (actor, tool) = ("tester".into(), "t".into());
    ledger.append(Entry { time_ms: 0, actor, tool, kind }).unwrap();
}

#[test]
fn a_token_is_at_least_eight_signs_of_the_present_reviews() {
    let mut ledger = Ledger::in_memory();
    let id = staged(&mut ledger, &["2024-01-02,10.5"]);
    let token = token(&ledger, id);
    let other = format!("{}x", &token[..9]);
    for wrong in ["", &token[..1], &token[..7], "0123456789abcdef", &token[1..], &other] {
        for refused in [
            confirm(&mut ledger, id, Some(wrong), &run()),
            plan_confirm(&ledger, id, Some(wrong), &run()),
        ] {
            assert!(matches!(refused, Err(AppError::TokenDiffers { .. })), "{wrong}: {refused:?}");
        }
    }
    assert_eq!(ledger.position(), Position(1));
    for right in [&token[..8], &token[..9], &token] {
        assert!(plan_confirm(&ledger, id, Some(right), &run()).unwrap().plan);
    }
    assert_eq!(ledger.position(), Position(1), "a plan appends nothing");
    assert!(!confirm(&mut ledger, id, Some(&token[..8]), &run()).unwrap().plan);
    // What cannot be confirmed at all is refused for that, and not for its token.
    let again = confirm(&mut ledger, id, Some("0123456789abcdef"), &run());
    assert!(matches!(again, Err(AppError::Refused(Refusal::WrongState { .. }))), "{again:?}");
    let id = staged(&mut ledger, &["2024-01-03,10.5"]);
    let alone = Run { two_person: true, ..run() };
    assert!(may_confirm(&ledger, id, &run()).is_ok());
    assert!(matches!(
        may_confirm(&ledger, id, &alone),
        Err(AppError::Refused(Refusal::SamePerson { .. }))
    ));
    let same = confirm(&mut ledger, id, Some("0123456789abcdef"), &alone);
    assert!(matches!(same, Err(AppError::Refused(Refusal::SamePerson { .. }))), "{same:?}");
}

#[test]
fn without_a_token_the_cells_that_changed_since_staging_are_named() {
    let mut ledger = Ledger::in_memory();
    let days = |iv: &str, last: u32| -> Vec<String> {
        (2..=last).map(|day| format!("2024-01-{day:02},{iv}")).collect()
    };
    let first = staged(&mut ledger, &days("10.5", 9));
    let second = staged(&mut ledger, &days("30.5", 8));
    let other = staged(&mut ledger, &["BBB 2024-01-02,10.5"]);
    // A decision about other cells is none of its business.
    confirm(&mut ledger, other, None, &run()).unwrap();
    plan_confirm(&ledger, second, None, &run()).unwrap();
    confirm(&mut ledger, first, None, &run()).unwrap();
    let at = ledger.position();
    match confirm(&mut ledger, second, None, &run()) {
        Err(AppError::Stale { batch, base, cells, count }) => {
            assert_eq!((batch, base, count), (second, Position(2), 7));
            let want = (2..7).map(|day| format!("iv AAA 2024-01-{day:02} atm_iv"));
            assert!(cells.iter().cloned().eq(want), "{cells:?}");
        }
        other => panic!("{other:?}"),
    }
    assert_eq!(ledger.position(), at);
    let token = token(&ledger, second);
    confirm(&mut ledger, second, Some(&token), &run()).unwrap();
}

#[test]
fn what_was_staged_a_moment_ago_is_confirmed_as_it_was_reviewed_or_not() {
    let mut ledger = Ledger::in_memory();
    let first = stage(&mut ledger, &["2024-01-02,10.5"]);
    let second = stage(&mut ledger, &["2024-01-02,30.5"]);
    assert_eq!(confirm_staged(&mut ledger, &first, &run()).unwrap().action, "commit");
    // Its review was made before that, so another one would be confirmed.
    let refused = confirm_staged(&mut ledger, &second, &run());
    assert!(matches!(refused, Err(AppError::TokenDiffers { .. })), "{refused:?}");
}

#[test]
fn what_is_confirmed_still_gives_its_root() {
    let mut ledger = Ledger::in_memory();
    let rows = ["2024-01-02,10.5"];
    let id = staged(&mut ledger, &rows);
    forge(&mut ledger, id);
    let damaged =
        |done: Result<Decided>| matches!(done, Err(AppError::Ledger(LedgerError::Damaged { .. })));
    assert!(damaged(plan_confirm(&ledger, id, None, &run())));
    assert!(damaged(confirm(&mut ledger, id, None, &run())));
    // Also where the same file came again, and this process wrote none of its blocks.
    let again = stage(&mut ledger, &rows);
    assert_ne!(again.outcome, Outcome::New);
    assert!(damaged(confirm_staged(&mut ledger, &again, &run())));
    assert_eq!(ledger.position(), Position(2));
}

#[test]
fn there_is_no_way_back_to_a_position_to_come() {
    let mut ledger = Ledger::in_memory();
    let id = staged(&mut ledger, &["2024-01-02,10.5"]);
    confirm(&mut ledger, id, None, &run()).unwrap();
    let beyond = rollback_to(&mut ledger, Position(3), None, false, &run());
    let wrong = LedgerError::NoSuchPosition { at: Position(3), head: Position(2) };
    assert_eq!(beyond.unwrap_err().to_string(), AppError::from(wrong).to_string());
    // The present is where it is already.
    let here = rollback_to(&mut ledger, Position(2), None, false, &run()).unwrap();
    assert_eq!((here.action, here.position), ("none", 2));
    let plan = rollback_to(&mut ledger, Position(1), None, true, &run()).unwrap();
    assert_eq!((plan.action, plan.plan, ledger.position()), ("rollback", true, Position(2)));
    let done = rollback_to(&mut ledger, Position(1), None, false, &run()).unwrap();
    assert_eq!((done.action, done.plan, ledger.position()), ("rollback", false, Position(3)));
}

#[test]
fn the_token_is_another_one_where_anything_of_the_change_is() {
    let over = |base: &[&str]| {
        let mut ledger = Ledger::in_memory();
        if !base.is_empty() {
            let id = staged(&mut ledger, base);
            confirm(&mut ledger, id, None, &run()).unwrap();
        }
        let id = staged(&mut ledger, &["2024-01-02,30.5", "2024-01-03,30.5"]);
        token(&ledger, id)
    };
    let bases: [&[&str]; 7] = [
        &[],
        &["2024-01-02,30.5"], // not new any more, and the same
        &["2024-01-02,30.4"], // drifted
        &["2024-01-02,30.3"], // drifted from elsewhere
        &["2024-01-03,30.4"], // another day drifted
        &["2024-01-02,10.4"], // changed
        &["2024-01-02,10.3"],
    ];
    let tokens: BTreeSet<String> = bases.map(over).into();
    assert_eq!(tokens.len(), bases.len(), "{tokens:?}");
    // Days and symbols that the batch does not speak of do not matter.
    for base in ["2024-01-04,30.5", "BBB 2024-01-02,10.5"] {
        assert_eq!(over(&[base]), over(&[]));
    }
}

#[test]
fn which_days_are_new_is_part_of_the_review() {
    for keep in [true, false] {
        let mut ledger = Ledger::in_memory();
        let two = staged(&mut ledger, &["2024-03-05,50"]);
        confirm(&mut ledger, two, None, &run()).unwrap();
        let one = staged(&mut ledger, &["2024-03-04,41"]);
        let rows = ["2024-03-04,41", "2024-03-05,50"];
        let both = stage_over(&mut ledger, &rows, keep).batch.unwrap();
        let reviewed = token(&ledger, both);
        // The day that was new is there now, and the one that was there is new.
        confirm(&mut ledger, one, None, &run()).unwrap();
        roll_back(&mut ledger, two, None, false, &run()).unwrap();
        assert_ne!(token(&ledger, both), reviewed, "keep: {keep}");
        let refused = confirm(&mut ledger, both, Some(&reviewed), &run());
        assert!(matches!(refused, Err(AppError::TokenDiffers { .. })), "{refused:?}");
        match confirm(&mut ledger, both, None, &run()) {
            Err(AppError::Stale { cells, count, .. }) => {
                let want = ["2024-03-04", "2024-03-05"].map(|day| format!("iv AAA {day} atm_iv"));
                assert_eq!((cells.as_slice(), count), (want.as_slice(), 2));
            }
            other => panic!("{other:?}"),
        }
        // As it was, it is the same review.
        reinstate(&mut ledger, two, None, false, &run()).unwrap();
        roll_back(&mut ledger, one, None, false, &run()).unwrap();
        assert_eq!(token(&ledger, both), reviewed, "keep: {keep}");
        confirm(&mut ledger, both, Some(&reviewed), &run()).unwrap();
    }
}

#[test]
fn what_was_erased_since_on_its_days_makes_a_review_stale() {
    let mut ledger = Ledger::in_memory();
    for rows in [&["2024-01-02,20"][..], &["2024-01-02,30", "2024-01-03,30", "2024-01-04,30"]] {
        let id = staged(&mut ledger, rows);
        confirm(&mut ledger, id, None, &run()).unwrap();
    }
    let waits = staged(&mut ledger, &["2024-01-02,31", "2024-01-03,31"]);
    let reviewed = token(&ledger, waits);
    let erase = |ledger: &mut Ledger, word: &str| {
        let selection = crate::app::erase::selected(ledger, &[word.to_owned()]).unwrap();
        crate::app::erase::erase(ledger, &selection, "gdpr", &run()).unwrap();
    };
    // Another day is none of its business.
    erase(&mut ledger, "b2/3");
    plan_confirm(&ledger, waits, None, &run()).unwrap();
    plan_confirm(&ledger, waits, Some(&reviewed), &run()).unwrap();
    erase(&mut ledger, "b2/1");
    match confirm(&mut ledger, waits, None, &run()) {
        Err(AppError::Stale { cells, count, .. }) => {
            assert_eq!((cells, count), (vec!["iv AAA 2024-01-02 (erased by #7)".to_owned()], 1));
        }
        other => panic!("{other:?}"),
    }
    let refused = plan_confirm(&ledger, waits, Some(&reviewed), &run());
    assert!(matches!(refused, Err(AppError::TokenDiffers { .. })), "{refused:?}");
    let now = token(&ledger, waits);
    plan_confirm(&ledger, waits, Some(&now), &run()).unwrap();
    // Its own row that is gone was reviewed as well.
    let own = staged(&mut ledger, &["BBB 2024-01-02,31", "BBB 2024-01-03,31"]);
    erase(&mut ledger, "b4/2");
    let refused = confirm(&mut ledger, own, None, &run());
    assert!(matches!(refused, Err(AppError::Stale { count: 1, .. })), "{refused:?}");
}

#[test]
fn a_plan_tells_the_views_that_the_deed_does() {
    let effects = |decided: &Decided| -> Vec<String> {
        decided.changes.iter().map(|effect| format!("{effect:?}")).collect()
    };
    for text in ["Date,IV30,OHLC 20-Day Vol\n2024-01-02,20,21\n", "Date,IV30\n2024-01-02,n/a\n"] {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), text).unwrap();
        let symbol = SymbolChoice::Given("AAA".parse().unwrap());
        let options = ImportOptions { symbol, ..ImportOptions::of(Series::Iv) };
        let mut ledger = Ledger::in_memory();
        let staged = import_csv(&mut ledger, &[Input::file(file.path())], &options, &run());
        let id = staged.unwrap().batch.unwrap();
        let plan = plan_confirm(&ledger, id, None, &run()).unwrap();
        let deed = confirm(&mut ledger, id, None, &run()).unwrap();
        assert_eq!(effects(&plan), effects(&deed), "{text}");
        assert_eq!(deed.changes.first().unwrap().series, "iv");
    }
}
