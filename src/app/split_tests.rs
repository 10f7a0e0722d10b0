use super::*;
use crate::app::import::{ImportOptions, Input, SymbolChoice, import_csv};
use crate::app::{Clock, lookup, trace, verify};
use crate::domain::{EventId, Series};

fn run() -> Run<'static> {
    Run { clock: Clock::Fixed(1_765_627_200_000), ..Run::new("tester") }
}

/// Three symbols in turn, a repeated day, two rows that cannot be used.
const CSV: &str = "Symbol,Date,IV30\nAAA,2024-01-02,10.5\nBBB,2024-01-02,20.5\nCCC,2024-01-02,30.5\n\
    AAA,2024-01-03,n/a\nBBB,2024-01-03,21.5\n\nAAA,2024-01-03,11.5\nCCC,2024-01-03,31.5\n\
    AAA,2024-01-03,12.5\nBBB,never,1\nBBB,2024-01-04,22.5\n";

fn staged(csv: &str) -> (Ledger, BatchId) {
    let mut ledger = Ledger::in_memory();
    let id = stage(&mut ledger, csv);
    (ledger, id)
}

fn stage(ledger: &mut Ledger, csv: &str) -> BatchId {
    stage_over(ledger, csv, false)
}

/// The same; with `keep` it only fills.
fn stage_over(ledger: &mut Ledger, csv: &str, keep: bool) -> BatchId {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), csv).unwrap();
    let options =
        ImportOptions { symbol: SymbolChoice::FromColumn, keep, ..ImportOptions::of(Series::Iv) };
    import_csv(ledger, &[Input::file(file.path())], &options, &run()).unwrap().batch.unwrap()
}

fn shown(ledger: &Ledger) -> Vec<String> {
    let views = lookup::view(ledger, &lookup::ViewQuery::of(Series::Iv)).unwrap_or_default();
    views.into_iter().map(|view| format!("{} {}", view.symbol, view.digest)).collect()
}

/// Leaves of a batch in its order, with line and offset of each.
fn events(ledger: &Ledger, batch: BatchId) -> Vec<(u64, u32, String)> {
    let count = ledger.batches().get(batch).unwrap().stage.events as u32;
    let told = |seq| {
        let found = ledger.locate(EventId { batch, seq }).unwrap().unwrap();
        let row = found.rows.heads().first().map(|head| (head.offset, head.line));
        let reject = found.reject.as_ref().map(|reject| (reject.offset, reject.line));
        let (offset, line) = row.or(reject).unwrap();
        (offset, line, found.leaf.to_string())
    };
    (0..count).map(told).collect()
}

fn choice(words: &str) -> Choice {
    Choice::of([words]).unwrap()
}

#[test]
fn two_parts_are_the_whole_and_show_what_it_would_have_shown() {
    let (mut ledger, old) = staged(CSV);
    let report = split(&mut ledger, old, &choice("bbb,A*"), Some("why".into()), &run()).unwrap();
    assert_eq!((report.chosen.batch.as_str(), report.rest.batch.as_str()), ("b2", "b3"));
    assert_eq!((report.chosen.symbols, report.rest.symbols), (2, 1));
    assert_eq!((report.chosen.rows, report.chosen.rejected), (6, 0));
    assert_eq!((report.rest.rows, report.rest.rejected), (2, 2));
    // The same leaves at the same places of the same source, in the order of the source.
    let (one, other) = (events(&ledger, BatchId(2)), events(&ledger, BatchId(3)));
    assert!(one.is_sorted() && other.is_sorted());
    let mut both = [one, other].concat();
    both.sort();
    assert_eq!(both, events(&ledger, old));
    let stages: Vec<Stage> = ledger.batches().iter().map(|(_, b)| b.stage.clone()).collect();
    let sum = |of: fn(&RowCounts) -> u64| {
        assert_eq!(of(&stages[0].rows), of(&stages[1].rows) + of(&stages[2].rows));
    };
    sum(|rows| rows.read);
    sum(|rows| rows.accepted);
    sum(|rows| rows.rejected);
    sum(|rows| rows.blank);
    sum(|rows| rows.effective);
    sum(|rows| rows.retracted);
    assert_eq!(stages[1].duplicates_conflicting, 1);
    assert_eq!(stages[2].duplicates_conflicting, 0);
    let sources = |stage: &Stage| ledger.manifest_of(stage).unwrap().sources;
    assert!(
        sources(&stages[0]) == sources(&stages[1]) && sources(&stages[0]) == sources(&stages[2])
    );
    let old_batch = ledger.batches().get(old).unwrap();
    assert_eq!(old_batch.state(), BatchState::Discarded);
    let reason = ledger.batches().reason_at(old_batch, ledger.position());
    assert_eq!(reason, Some("split into b2 (AAA BBB) and b3: why"));

    let (mut whole, id) = staged(CSV);
    decide::confirm(&mut whole, id, None, &run()).unwrap();
    let token = report.chosen.token.unwrap();
    decide::confirm(&mut ledger, BatchId(2), Some(&token), &run()).unwrap();
    assert_eq!(shown(&ledger), shown(&whole)[..2]);
    let (day, symbol) = ("2024-01-03".parse().unwrap(), "AAA".parse().unwrap());
    let why = trace::why(&ledger, Series::Iv, &symbol, day, None, None, None).unwrap();
    let event = &why.fields[0].event;
    assert_eq!((event.line, event.raw.trim_end(), event.proven), (10, "AAA,2024-01-03,12.5", true));
    // Its sources hold what the other part has: reading them again would bring that in.
    let mapping = crate::app::import::MappingChoice::Default;
    let refused = decide::replay(&mut ledger, BatchId(2), mapping, false, &run()).unwrap_err();
    assert!(refused.to_string().contains("part of a batch that was split"), "{refused}");
    decide::confirm(&mut ledger, BatchId(3), None, &run()).unwrap();
    assert_eq!(shown(&ledger), shown(&whole));
    let report = verify::verify(&ledger, true, &run()).unwrap();
    assert!(report.ok, "{report:?}");
}

#[test]
fn a_split_that_was_cut_short_goes_on_where_it_stopped() {
    let (mut ledger, old) = staged(CSV);
    let stage = ledger.batches().get(old).unwrap().stage.clone();
    let chosen = choice("CCC").among(&symbols(&ledger, old).unwrap()).unwrap();
    part(&mut ledger, old, &stage, &chosen, true, &run()).unwrap();
    // All is there, nothing shows, and the whole could still be confirmed.
    assert_eq!(ledger.batches().get(old).unwrap().state(), BatchState::Staged);
    assert!(shown(&ledger).is_empty());
    let report = split(&mut ledger, old, &choice("CCC"), None, &run()).unwrap();
    assert_eq!((report.chosen.batch.as_str(), report.rest.batch.as_str()), ("b2", "b3"));
    assert_eq!(report.position, 4);
    // Taken back and done again, it finds both.
    decide::undo(&mut ledger, false, &run()).unwrap();
    let again = split(&mut ledger, old, &choice("CCC"), None, &run()).unwrap();
    assert_eq!((again.chosen.batch.as_str(), again.rest.batch.as_str()), ("b2", "b3"));
    assert_eq!(again.position, 6);
}

#[test]
fn what_cannot_be_split_is_left_alone() {
    let clean = "Symbol,Date,IV30\nAAA,2024-01-02,10.5\nBBB,2024-01-02,20.5\n";
    let (mut ledger, old) = staged(clean);
    let mut refused = |id: BatchId, words: &str| {
        let before = ledger.position();
        let error = split(&mut ledger, id, &choice(words), None, &run()).unwrap_err();
        assert_eq!(ledger.position(), before);
        error.to_string()
    };
    assert_eq!(refused(old, "AAA BBB"), "that is all of b1: nothing would be left");
    assert_eq!(refused(old, "*"), "that is all of b1: nothing would be left");
    assert_eq!(refused(old, "AAA ZZZ"), "there is no ZZZ in it");
    assert_eq!(refused(old, "Z*"), "no symbol of it fits `Z*`");
    assert_eq!(refused(old, "<b>"), "there is no <b> in it");
    assert!(refused(BatchId(9), "AAA").contains("no batch b9"));
    assert!(Choice::of(["", " , "]).is_err());
    // Decided meanwhile.
    decide::confirm(&mut ledger, old, None, &run()).unwrap();
    let error = split(&mut ledger, old, &choice("AAA"), None, &run()).unwrap_err();
    assert_eq!(error.to_string(), "cannot split b1: it is active");
    // Rejected rows alone are a rest.
    let id = stage(&mut ledger, CSV);
    let report = split(&mut ledger, id, &choice("*"), None, &run()).unwrap();
    assert_eq!((report.rest.symbols, report.rest.rows, report.rest.rejected), (0, 0, 2));
    assert_eq!((report.chosen.symbols, report.chosen.rejected), (3, 0));
}

#[test]
fn a_part_that_is_here_with_another_overlap_is_none_of_it() {
    let (mut ledger, replaces) = staged(CSV);
    split(&mut ledger, replaces, &choice("AAA"), None, &run()).unwrap();
    let fills = stage_over(&mut ledger, CSV, true);
    // The chosen symbols, and the rest: which of the two is here does not matter.
    for (words, part, away) in [("AAA", "b2", "discard"), ("AAA", "b3", "rollback")] {
        let before = (ledger.position(), ledger.batches().len());
        let refused = split(&mut ledger, fills, &choice(words), None, &run()).unwrap_err();
        let told = format!(
            "{part} has some of these rows already, with `--overlap replace`, and b4 was staged with \
             `--overlap keep`: take it away first, with `volledger batch {away} {part}`"
        );
        assert_eq!(refused.to_string(), told);
        assert_eq!((ledger.position(), ledger.batches().len()), before);
        if part == "b2" {
            decide::discard(&mut ledger, BatchId(2), None, false, &run()).unwrap();
            decide::confirm(&mut ledger, BatchId(3), None, &run()).unwrap();
        }
    }
    // Other symbols are other parts.
    split(&mut ledger, fills, &choice("AAA BBB"), None, &run()).unwrap();
    decide::undo(&mut ledger, false, &run()).unwrap();
    decide::roll_back(&mut ledger, BatchId(3), None, false, &run()).unwrap();
    let report = split(&mut ledger, fills, &choice("AAA"), None, &run()).unwrap();
    for part in [&report.chosen, &report.rest] {
        let batch = ledger.batches().get(part.batch.parse().unwrap()).unwrap();
        assert_eq!((batch.class(Series::Iv), part.state), (crate::domain::Class::Fill, "staged"));
    }
}

#[test]
fn a_part_that_counts_already_is_told_to() {
    let (mut ledger, old) = staged(CSV);
    split(&mut ledger, old, &choice("AAA"), None, &run()).unwrap();
    decide::confirm(&mut ledger, BatchId(2), None, &run()).unwrap();
    decide::reinstate(&mut ledger, old, None, false, &run()).unwrap();
    let report = split(&mut ledger, old, &choice("AAA"), None, &run()).unwrap();
    assert_eq!((report.chosen.batch.as_str(), report.chosen.state), ("b2", "active"));
    assert_eq!((report.rest.batch.as_str(), report.rest.state), ("b3", "staged"));
}

#[test]
fn a_reason_that_is_too_long_with_the_names_of_the_parts_leaves_none_behind() {
    let (mut ledger, old) = staged(CSV);
    let refused = split(&mut ledger, old, &choice("AAA"), Some("x".repeat(3_990)), &run());
    assert!(matches!(refused, Err(AppError::Usage(_))), "{refused:?}");
    assert_eq!((ledger.batches().len(), ledger.position().0), (1, 1));
    split(&mut ledger, old, &choice("AAA"), Some("x".repeat(3_900)), &run()).unwrap();
}

#[test]
fn patterns_fit_as_people_mean_them() {
    for (pattern, text, want) in [
        ("*", "", true),
        ("A*", "AAPL", true),
        ("*L", "AAPL", true),
        ("A*P*", "AAPL", true),
        ("A?PL", "AAPL", true),
        ("A?L", "AAPL", false),
        ("?", "", false),
        ("*B*", "AAPL", false),
        ("A**L", "AAPL", true),
    ] {
        assert_eq!(fits(pattern.as_bytes(), text.as_bytes()), want, "{pattern} {text}");
    }
}
