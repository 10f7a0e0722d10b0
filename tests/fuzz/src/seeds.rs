//! What the fuzzer begins with: files of the repository, and pieces of a small ledger.

use super::wire;
use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};
use volledger::app::import::{ImportOptions, Input, SymbolChoice, import_csv};
use volledger::app::{Run, decide, large_values, market, outside};
use volledger::domain::{BatchId, EventId, Position, Series};
use volledger::ledger::note::SigningKey;
use volledger::ledger::proof::Checkpoint;
use volledger::ledger::{canon, codec};
use volledger::sources::Mapping;

type Done<T = ()> = Result<T, Box<dyn Error>>;

struct Corpus(PathBuf);

impl Corpus {
    fn put(&self, target: &str, name: &str, parts: &[&[u8]]) -> Done {
        let folder = self.0.join(target);
        fs::create_dir_all(&folder)?;
        Ok(fs::write(folder.join(format!("seed-{name}")), parts.concat())?)
    }
}

/// The first lines of a text.
fn head(text: &str, lines: usize) -> String {
    text.split_inclusive('\n').take(lines).collect()
}

fn files(folder: &Path) -> Done<Vec<PathBuf>> {
    let mut found: Vec<PathBuf> =
        fs::read_dir(folder)?.map(|entry| Ok(entry?.path())).collect::<Done<_>>()?;
    found.sort();
    Ok(found)
}

fn texts(corpus: &Corpus, root: &Path) -> Done {
    for id in Mapping::bundled_ids() {
        let text =
            Mapping::bundled(id).map(|mapping| mapping.text().to_owned()).unwrap_or_default();
        corpus.put("mapping", id, &[text.as_bytes()])?;
    }
    let samples = ["iv/VOLA.csv", "hv/VOLA.csv", "spot/VOLA.csv", "dirty/VOLB_dirty.csv"];
    for (number, sample) in (0_u8..).zip(samples) {
        let text = head(&fs::read_to_string(root.join("data/sample").join(sample))?, 12);
        for mapping in 0..8_u8 {
            corpus.put("csv", &format!("{number}-{mapping}"), &[&[mapping], text.as_bytes()])?;
        }
        let semicolons = text.replace(',', ";").replace('.', ",");
        corpus.put("csv", &format!("{number}-semicolons"), &[&[number], semicolons.as_bytes()])?;
    }
    for rules in files(&root.join("schemas/rules"))? {
        let name = rules.file_name().unwrap_or_default().to_string_lossy().into_owned();
        corpus.put("rules", &name, &[&fs::read(rules)?])?;
    }
    for (number, condition) in (0..).zip([
        "atm_iv > 0.4 and n BETWEEN 1 AND 5",
        "symbol IN ('VOLA', \"VOLB\") OR NOT (atm_iv IS NULL)",
        "0.4 <= atm_iv AND atm_iv < 0.8",
        "CASE WHEN n > 2 THEN atm_iv * 2 ELSE 0 END >= 1 -- remark",
        "abs(n) + max(atm_iv, n) /* x */ > 'a' || 'b'",
        "exists (select 1 from metrics m where m.n > 1)",
    ]) {
        corpus.put("conditions", &number.to_string(), &[condition.as_bytes()])?;
    }
    let flat = "ticker,volume,open,close,high,low,window_start,transactions\n\
                VOLA,120,10.5,10.75,11,10.25,1744810200000000000,4\n\
                O:SPY250417P00390000,80,1.75,1.5,1.75,1.5,1744776000000000000,3\n";
    let chain = "contract,strike,expiration,type,bid,ask,iv,delta,volume,open_interest\n\
                 O:VOLA260116C00100000,100,2026-01-16,C,1.5,1.7,0.45,0.5,10,200\n";
    for kind in 0..8_u8 {
        let text = if kind == 7 { chain } else { flat };
        corpus.put("flat", &kind.to_string(), &[&[kind], text.as_bytes()])?;
    }
    let bodies = [
        r#"{"ticker":"VOLA","status":"OK","resultsCount":1,"results":[{"v":1.5e3,"vw":10.1,"o":10,"c":10.5,"h":11,"l":9.5,"t":1744776000000,"n":7}],"next_url":"https://api.example/x?cursor=1"}"#,
        r#"{"status":"OK","results":[{"details":{"ticker":"O:VOLA260116C00100000","strike_price":100,"expiration_date":"2026-01-16","contract_type":"call"},"greeks":{"delta":0.5},"implied_volatility":0.45,"last_quote":{"bid":1.5,"ask":1.7,"last_updated":1744810200000000000},"open_interest":5}]}"#,
        r#"[{"date":"2026-01-01","exchange":"NYSE","name":"New Year","status":"closed"}]"#,
        r#"[{"date": "2024-05-06", "atm_iv": 0.2411, "skew": null, "naïve": {"deep": [1, 2.50]}}]"#,
        r#"{"results":[{"ticker":"VOLA","execution_date":"2024-05-06","split_from":1,"split_to":2,"id":"x"}],"status":"OK"}"#,
    ];
    for (number, body) in (0..).zip(bodies) {
        for endpoint in 0..18_u8 {
            let name = format!("{number}-{endpoint}");
            corpus.put("bodies", &name, &[&[endpoint], body.as_bytes()])?;
        }
    }
    for (kind, word) in (0_u8..).zip([
        "2024-05-06",
        "BRK.B",
        "rich@2",
        "b7",
        "b7/3",
        "#12",
        "O:VOLA260116C00100000",
        "2024-05-06T12:00:00Z",
    ]) {
        corpus.put("words", &kind.to_string(), &[&[kind], word.as_bytes()])?;
    }
    Ok(())
}

/// A block as it is, without its seal, and what is packed in it.
fn put_block(corpus: &Corpus, name: &str, block: &[u8]) -> Done {
    corpus.put("blocks", &format!("block-{name}"), &[&[0], block])?;
    let open = block.get(..block.len() - 32).unwrap_or_default();
    corpus.put("blocks", &format!("open-{name}"), &[&[1], open])?;
    let (events, series, codec, raw) = wire::of_block(block).ok_or("an odd block")?;
    let kind = match (series, codec) {
        (0, _) => 9,
        (_, 1) => 7,
        (_, 2) => 8,
        (_, 4) => 14,
        (_, 5) => 15,
        _ => return Err("a block of an odd codec".into()),
    };
    corpus.put("blocks", &format!("raw-{name}"), &[&[kind], &events.to_le_bytes(), &raw])?;
    // A chunk of the first version holds the same columns.
    if kind < 9 {
        let parts = [&[kind + 3], &events.to_le_bytes()[..], &raw];
        corpus.put("blocks", &format!("chunk-1-{name}"), &parts)?;
    }
    Ok(())
}

fn stored(corpus: &Corpus, root: &Path) -> Done {
    let folder = tempfile::tempdir()?;
    let run = Run::new("fuzz");
    let mut ledger = run.create(folder.path().join("l"))?;
    for (series, sample) in [(Series::Iv, "iv/VOLA.csv"), (Series::Spot, "dirty/VOLB_dirty.csv")] {
        let file = folder.path().join("VOLA.csv");
        fs::write(&file, head(&fs::read_to_string(root.join("data/sample").join(sample))?, 12))?;
        let options = ImportOptions {
            symbol: SymbolChoice::Given("VOLA".parse()?),
            ..ImportOptions::of(series)
        };
        // The dirty sample may not fit the series: then there is one batch less to begin with.
        let staged = import_csv(&mut ledger, &[Input::file(&file)], &options, &run);
        if let Ok(staged) = staged {
            decide::confirm(
                &mut ledger,
                staged.batch.ok_or("no batch")?,
                staged.review.token.as_deref(),
                &run,
            )?;
        }
    }
    // Bars have items.
    let bars = "ticker,volume,open,close,high,low,window_start,transactions\n\
                VOLA,120,10.5,10.75,11,10.25,1744810200000000000,4\n\
                VOLA,80,10.75,10.5,10.75,10.5,1744810260000000000,3\n";
    let file = folder.path().join("bars.csv");
    fs::write(&file, bars)?;
    let options = market::MarketOptions {
        series: Series::Bars,
        symbol: None,
        date: None,
        keep: false,
        again: None,
        dry_run: false,
        full: false,
    };
    let staged = market::import_market(&mut ledger, &[Input::file(&file)], &options, &run)?;
    decide::confirm_staged(&mut ledger, &staged, &run)?;
    for (id, batch) in ledger.batches().iter() {
        let manifest = ledger.manifest_of(&batch.stage)?;
        let bytes = codec::encode_manifest(&manifest)?;
        corpus.put("blocks", &format!("manifest-{id}"), &[&[2], &bytes])?;
        for source in &manifest.sources {
            let kept = ledger.store().kept(&source.digest)?.ok_or("a source is missing")?;
            corpus.put("blocks", &format!("kept-{id}"), &[&[3], &codec::encode_kept(&kept)?])?;
        }
    }
    decide::roll_back(&mut ledger, BatchId(1), Some("a reason".into()), false, &run)?;
    let ids: Vec<BatchId> = ledger.batches().iter().map(|(id, _)| id).collect();
    for id in &ids {
        for (index, block) in (0..).map_while(|n| Some((n, ledger.block(*id, n).ok()??))) {
            put_block(corpus, &format!("{id}-{index}"), &block)?;
        }
        let bundle = folder.path().join(format!("{id}.vlb"));
        for plain in [false, true] {
            outside::export_batch(&ledger, *id, &bundle, plain)?;
            corpus.put("bundle", &format!("{id}-{plain}"), &[&fs::read(&bundle)?])?;
        }
    }
    // Blocks of the first version.
    let old = fs::read(root.join("tests/fixtures/v2/backup.vlb"))?;
    for (index, block) in wire::blocks_of(&old).iter().enumerate() {
        put_block(corpus, &format!("old-{index}"), block)?;
    }
    for (number, kind) in [(4_u8, b'c'), (5, b's'), (5, b'd'), (5, b'r')] {
        let keys = ledger.store().view_keys(&[kind])?;
        for (index, key) in keys.iter().take(6).enumerate() {
            let value = large_values::get(&ledger, key)?.unwrap_or_default();
            corpus.put(
                "blocks",
                &format!("view-{}-{index}", char::from(kind)),
                &[&[number], &value],
            )?;
            if number == 4 {
                let (events, raw) = wire::of_chunk(&value).ok_or("an odd chunk")?;
                for kind in [12, 13] {
                    let parts = [&[kind], &events.to_le_bytes()[..], &raw];
                    corpus.put("blocks", &format!("chunk-{kind}-{index}"), &parts)?;
                }
            }
        }
    }
    for (number, entry) in (0..).zip(ledger.entries()) {
        corpus.put("entries", &number.to_string(), &[&[0], &codec::encode_entry(entry)?])?;
    }
    let mut window = volledger::domain::Window::default();
    ledger.read(BatchId(1)).read_into(0, &mut window)?;
    for row in window.rows.iter().take(3) {
        let mut bytes = Vec::new();
        canon::put_row(&mut bytes, row);
        corpus.put("entries", &format!("row-{}", row.head.seq), &[&[1], &bytes])?;
    }

    let (key, _) = SigningKey::generate(Some("fuzz.example/log"))?;
    let line = key.verifier().to_string();
    let now = ledger.head();
    let origin = key.verifier().name().to_owned();
    let checkpoint =
        |size, root| Checkpoint { origin: origin.clone(), size, root, extensions: Vec::new() };
    let note = checkpoint(now.size, now.root).sign(&key)?;
    corpus.put("proofs", "note", &[line.as_bytes(), b"\n", note.to_string().as_bytes()])?;
    let row = ledger.prove_event(EventId { batch: BatchId(1), seq: 2 }, &note)?;
    corpus.put("proofs", "row", &[line.as_bytes(), b"\n", row.text()?.as_bytes()])?;
    let entry = ledger.prove_entry(Position(1), &note)?;
    corpus.put("proofs", "entry", &[line.as_bytes(), b"\n", entry.text()?.as_bytes()])?;
    Ok(())
}

/// Writes a folder of seeds for each target.
///
/// # Errors
/// A file of the repository that is not there, a folder that cannot be written.
pub fn write(corpus: &Path, root: &Path) -> Result<(), Box<dyn Error>> {
    let corpus = Corpus(corpus.to_owned());
    texts(&corpus, root)?;
    stored(&corpus, root)
}
