use super::*;
use crate::app::Clock;
use crate::domain::collector::WINDOW_EVENTS;

/// Stages files of these texts, and gives the blocks, the root and the findings.
fn staged(texts: &[&str]) -> (Vec<Vec<u8>>, String) {
    let folder = tempfile::tempdir().unwrap();
    let inputs: Vec<Input> = (0..texts.len())
        .map(|index| Input::file(folder.path().join(format!("F{index}.csv"))))
        .collect();
    for (input, text) in inputs.iter().zip(texts) {
        std::fs::write(&input.path, text).unwrap();
    }
    let run = Run { clock: Clock::Fixed(1_765_627_200_000), ..Run::new("tester") };
    let mut ledger = Ledger::in_memory();
    let staged = import_csv(&mut ledger, &inputs, &ImportOptions::of(Series::Spot), &run).unwrap();
    let batch = staged.batch.unwrap();
    assert_eq!(ledger.batches().len(), 1);
    let blocks = (0..).map_while(|index| ledger.block(batch, index).unwrap()).collect();
    let stage = &ledger.batches().get(batch).unwrap().stage;
    let manifest = ledger.manifest_of(stage).unwrap();
    let names: Vec<_> = manifest.sources.iter().map(|source| &source.name).collect();
    let said = format!("{} {:?} {:?} {names:?}", stage.batch_root, stage.rows, stage.findings);
    (blocks, said)
}

#[test]
fn a_file_that_is_not_what_most_are_is_read_again_with_all_before_it() {
    // More than a window, so that blocks of the first file are written when the second one shows it.
    let mut many = String::from("Date,Close\n");
    for line in 0..WINDOW_EVENTS + 10 {
        many += &format!("2024-01-{:02},{}.5\n", 2 + line % 25, line);
    }
    let rows = ["2024-03-04,10.5", "2024-03-05,11.5", "2024-03-13,12.25"];
    let plain = format!("Date,Close\n{}\n", rows.join("\n"));
    let american = plain
        .replace("2024-03-04", "03/04/2024")
        .replace("2024-03-05", "03/05/2024")
        .replace("2024-03-13", "03/13/2024");
    let (blocks, said) = staged(&[&many, &american]);
    let (plain_blocks, plain_said) = staged(&[&many, &plain]);
    assert_eq!(blocks.len(), plain_blocks.len());
    let rows = |said: &str| said.split_once(' ').unwrap().1.to_owned();
    assert_eq!(rows(&said), rows(&plain_said), "the same rows and findings");
    // The day first alone, and one file that says both.
    let european = "Date,Close\n13/03/2024,10.5\n04/03/2024,11.5\n";
    assert_eq!(staged(&[european]).0.len(), 1);
    let folder = tempfile::tempdir().unwrap();
    let input = Input::file(folder.path().join("AAPL.csv"));
    std::fs::write(&input.path, "Date,Close\n13/03/2024,10.5\n03/14/2024,11.5\n").unwrap();
    let mut ledger = Ledger::in_memory();
    let options = ImportOptions::of(Series::Spot);
    let refused = import_csv(&mut ledger, &[input], &options, &Run::new("t")).unwrap_err();
    assert!(matches!(refused, AppError::Fatal { .. }), "{refused}");
    assert_eq!(
        (ledger.batches().len(), ledger.block(crate::domain::BatchId(1), 0).unwrap()),
        (0, None)
    );
}

#[test]
fn a_large_file_is_kept_as_it_was_read_and_once() {
    let folder = tempfile::tempdir().unwrap();
    let input = Input::file(folder.path().join("AAPL.csv"));
    let run = Run { clock: Clock::Fixed(1_765_627_200_000), ..Run::new("tester") };
    let options = ImportOptions::of(Series::Spot);
    let mut plain = String::from("Date,Close\n");
    for line in 0..2 * WINDOW_EVENTS {
        plain += &format!("2024-01-{:02},{}.5\n", 2 + line % 25, line % 1_000 + 1);
    }
    // It shows at its end that it is not what most are.
    let odd = plain.clone() + "03/13/2024,7.5\n";
    let wide = "x".repeat(2 << 20);
    let directory = folder.path().join("l");
    let mut ledger =
        crate::app::outside::create(&directory, "t", std::time::Duration::ZERO).unwrap();
    let pack = |ledger: &Ledger| {
        let pack = ledger.directory().unwrap().join("sources/000001.pack");
        std::fs::metadata(pack).map_or(0, |file| file.len())
    };
    let mut ends = Vec::new();
    for text in [&plain, &plain, &odd] {
        std::fs::write(&input.path, text).unwrap();
        let staged = import_csv(&mut ledger, std::slice::from_ref(&input), &options, &run).unwrap();
        let stage = &ledger.batches().get(staged.batch.unwrap()).unwrap().stage;
        let [source] = &ledger.manifest_of(stage).unwrap().sources[..] else { panic!("one") };
        assert_eq!((source.size, &*source.name), (text.len() as u64, "AAPL.csv"));
        assert_eq!(ledger.source(&source.digest).unwrap(), text.as_bytes());
        ends.push(pack(&ledger));
    }
    assert_eq!(ends[0], ends[1], "it was here already");
    assert!(ends[2] < 2 * ends[0] + 4_096, "what was kept first is gone: {ends:?}");
    std::fs::write(&input.path, wide).unwrap();
    assert!(import_csv(&mut ledger, &[input], &options, &run).is_err());
    assert_eq!(pack(&ledger), ends[2]);
}

/// Hears how far each piece of work came, of how much.
#[derive(Default)]
struct Heard(std::sync::Mutex<Vec<(String, Option<u64>, u64)>>);

impl crate::app::Progress for Heard {
    fn begin(&self, what: &str, total: Option<u64>, _: &'static str) {
        self.0.lock().unwrap().push((what.to_owned(), total, 0));
    }
    fn at(&self, done: u64) {
        let mut heard = self.0.lock().unwrap();
        let (what, total, last) = heard.last_mut().unwrap();
        assert!(
            *last <= done && total.is_none_or(|total| done <= total),
            "{what}: {done} {total:?}"
        );
        *last = done;
    }
    fn end(&self) {}
}

#[test]
fn every_piece_of_work_comes_to_its_end_and_no_further() {
    let folder = tempfile::tempdir().unwrap();
    let heard = Heard::default();
    let clock = Clock::Fixed(1_765_627_200_000);
    let run = Run { clock, progress: &heard, ..Run::new("tester") };
    let mut ledger = Ledger::in_memory();
    // Two views of each row; a second file that changes some of them.
    for step in [0, 1] {
        let mut text = String::from("Symbol,Date,IV30,OHLC 20-Day Vol\n");
        for line in 0..2_000 {
            let (symbol, day) = (line / 20, 2 + line % 20 + step);
            text += &format!("S{symbol:03},2024-01-{day:02},{}.5,20.0\n", 10 + symbol % 7 + step);
        }
        let input = Input::file(folder.path().join(format!("{step}.csv")));
        std::fs::write(&input.path, text).unwrap();
        let options =
            ImportOptions { symbol: SymbolChoice::FromColumn, ..ImportOptions::of(Series::Iv) };
        let staged = import_csv(&mut ledger, &[input], &options, &run).unwrap();
        crate::app::decide::confirm(&mut ledger, staged.batch.unwrap(), None, &run).unwrap();
    }
    let heard = heard.0.into_inner().unwrap();
    let updates = heard.iter().filter(|(what, ..)| what == "updating views");
    assert_eq!(updates.map(|(_, total, _)| *total).collect::<Vec<_>>(), [Some(4_000); 2]);
    for (what, total, done) in heard {
        assert_eq!(Some(done), total, "{what}");
    }
}

/// A bundled mapping learns words without another version: what was rolled back does not come back by that,
/// and what was read rightly is what is here.
#[test]
fn what_a_bundled_mapping_reads_since_is_asked_for_as_before() {
    let folder = tempfile::tempdir().unwrap();
    let run = Run { clock: Clock::Fixed(1_765_627_200_000), ..Run::new("tester") };
    let now = Mapping::default_for(Series::Earnings).unwrap();
    let before = now.text().replace("\"after hours\" = \"AMC\"\n", "");
    let before = Mapping::parse(&before).unwrap();
    assert!(before.text() != now.text() && (&before.id, before.version) == (&now.id, now.version));
    let options =
        ImportOptions { symbol: SymbolChoice::FromColumn, ..ImportOptions::of(Series::Earnings) };
    for (word, out) in [("After Hours", true), ("AMC", false)] {
        let mut ledger = Ledger::in_memory();
        let input = Input::file(folder.path().join("calendar.csv"));
        let text = format!("ticker,announcement_date,timing\nVOLA,2025-11-20,{word}\n");
        std::fs::write(&input.path, text).unwrap();
        let inputs = std::slice::from_ref(&input);
        let first = import_by(&before, &mut ledger, inputs, &options, &run).unwrap();
        crate::app::decide::confirm(&mut ledger, first.batch.unwrap(), None, &run).unwrap();
        if out {
            let id = first.batch.unwrap();
            crate::app::decide::roll_back(&mut ledger, id, None, false, &run).unwrap();
        }
        let again = import_csv(&mut ledger, inputs, &options, &run);
        match again {
            Err(AppError::RolledBackBefore { .. }) => assert!(out),
            again => assert!(!out && again.unwrap().outcome == Outcome::AlreadyActive, "{word}"),
        }
    }
}
