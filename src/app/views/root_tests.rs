use super::super::reader::Roots;
use super::super::stored::{LIVE, MARK, read_periods};
use super::super::{ViewReader, catch_up, compare_with_log, rebuild};
use super::*;
use crate::app::decide::confirm_staged;
use crate::app::error::AppError;
use crate::app::import::{ImportOptions, Input, Staged, SymbolChoice, import_csv};
use crate::app::{Clock, Run, Silent};
use crate::ledger::codec::encode_directory;
use std::collections::{BTreeMap, BTreeSet};

const IV: Place = Place { view: Series::Iv, second: false };

pub(in crate::app::views) fn name(number: usize) -> Symbol {
    Symbol::exact(&format!("S{number:04}")).unwrap()
}

fn listed(events: u64) -> Listed {
    Listed { events, digest: content(&events.to_be_bytes()) }
}

/// All values of views by key.
fn values(ledger: &Ledger) -> BTreeMap<Vec<u8>, Vec<u8>> {
    let keys = ledger.store().view_keys(b"").unwrap();
    keys.into_iter().map(|key| (key.clone(), ledger.store().view(&key).unwrap().unwrap())).collect()
}

/// The keys whose values differ.
fn changed(ledger: &Ledger, before: &BTreeMap<Vec<u8>, Vec<u8>>) -> Vec<Vec<u8>> {
    let mut now = values(ledger);
    now.retain(|key, value| before.get(key) != Some(value));
    now.into_keys().collect()
}

fn set(ledger: &mut Ledger, symbols: impl Iterator<Item = (usize, u64)>) {
    let mut root = Root::read(ledger, Series::Iv).unwrap();
    for (number, events) in symbols {
        root.set(ledger, &name(number), listed(events)).unwrap();
    }
    root.write(ledger).unwrap();
}

/// What is stored, shard by shard.
fn stored(ledger: &Ledger) -> Vec<(String, Vec<(String, Listed)>)> {
    let root = Root::read(ledger, Series::Iv).unwrap();
    let shards = root.shards.iter().map(|shard| {
        let entries = shard.entries(ledger, root.place).unwrap();
        (
            shard.line.from.clone(),
            entries.iter().map(|(of, listed)| (of.clone(), *listed)).collect(),
        )
    });
    shards.collect()
}

#[test]
fn symbols_come_in_any_order_and_shards_stay_small() {
    type Order = fn(usize) -> usize;
    let orders: [Order; 4] =
        [|n| n, |n| 499 - n, |n| n * 211 % 500, |n| if n % 2 == 0 { n / 2 } else { 499 - n / 2 }];
    for (which, order) in orders.into_iter().enumerate() {
        for step in [1, 7, 64, 65, 500] {
            let mut ledger = Ledger::in_memory();
            for first in (0..500).step_by(step) {
                let some = (first..(first + step).min(500)).map(order);
                set(&mut ledger, some.map(|n| (n, n as u64)));
            }
            let shards = stored(&ledger);
            let sizes: Vec<usize> = shards.iter().map(|(_, symbols)| symbols.len()).collect();
            assert!(sizes.iter().all(|size| (1..=MAX_SYMBOLS).contains(size)), "{sizes:?}");
            assert_eq!(shards[0].0, "");
            let named = |(from, symbols): &(String, Vec<(String, _)>)| *from == symbols[0].0;
            assert!(shards[1..].iter().all(named), "order {which} by {step}");
            let all: Vec<_> = shards.into_iter().flat_map(|(_, symbols)| symbols).collect();
            let wanted = (0..500).map(|n| (name(n).to_string(), listed(n as u64)));
            assert_eq!(all, wanted.collect::<Vec<_>>(), "order {which} by {step}");
        }
    }
}

#[test]
fn parts_are_few_and_alike() {
    let of = |count: usize| {
        let entries = (0..count).map(|n| (name(n).to_string(), listed(1)));
        let parts = parts("A".to_owned(), entries.collect());
        assert_eq!(parts[0].0, "A");
        parts.iter().map(|(_, part)| part.len()).collect::<Vec<_>>()
    };
    assert_eq!(of(1), [1]);
    assert_eq!(of(64), [64]);
    assert_eq!(of(65), [33, 32]);
    assert_eq!(of(128), [64, 64]);
    assert_eq!(of(130), [44, 44, 42]);
}

#[test]
fn what_is_not_touched_is_neither_read_nor_written() {
    let mut ledger = Ledger::in_memory();
    set(&mut ledger, (0..500).map(|n| (2 * n, 1)));
    let before = values(&ledger);
    // All shards but one are gone: nobody asks for them.
    let kept = IV.shard_key(&stored(&ledger)[3].0);
    for key in before.keys().filter(|key| key.starts_with(b"d") && **key != kept) {
        ledger.store_mut().remove_view(key).unwrap();
    }
    let inside = 2 * 64 * 3 + 20;
    set(&mut ledger, [(inside, 2), (inside, 3), (inside + 2, 1)].into_iter());
    assert_eq!(changed(&ledger, &before), [kept.clone(), IV.root_key()]);
    let root = Root::read(&ledger, Series::Iv).unwrap();
    assert_eq!(root.entry(&ledger, &name(inside)).unwrap(), Some(listed(3)));
    assert_eq!(root.entry(&ledger, &name(inside + 1)).unwrap(), None);
    assert!(root.entry(&ledger, &name(0)).is_err(), "its shard is missing");
    let knows = |a: usize, b: usize| root.knows(&ledger, name(a).as_str(), name(b).as_str());
    assert!(knows(inside, inside).unwrap() && knows(inside + 1, inside + 2).unwrap());
    assert!(!knows(inside + 1, inside + 1).unwrap());
    assert!(knows(0, 1).is_err());
    // Saying again what is known writes the root alone, which is the same.
    let before = values(&ledger);
    set(&mut ledger, [(inside, 3)].into_iter());
    assert!(changed(&ledger, &before).is_empty());
    assert_eq!(read_position(&ledger, Series::Iv).unwrap(), Position(0));
}

#[test]
fn a_range_of_symbols_is_known_wherever_it_begins_and_ends() {
    let mut ledger = Ledger::in_memory();
    set(&mut ledger, (0..200).map(|n| (10 * n + 5, 1)));
    let root = Root::read(&ledger, Series::Iv).unwrap();
    assert!(root.shards.len() > 2);
    for first in (0..2_010).step_by(3) {
        for last in [0, 1, 2, 4, 9, 30, 900].map(|more| first + more) {
            let wanted = (0..200).any(|n| (first..=last).contains(&(10 * n + 5)));
            let found = root.knows(&ledger, name(first).as_str(), name(last).as_str()).unwrap();
            assert_eq!(found, wanted, "{first} to {last}");
        }
    }
    let empty = Root::empty(IV);
    assert!(
        !empty.knows(&ledger, "A", "Z").unwrap()
            && empty.entry(&ledger, &name(5)).unwrap().is_none()
    );
}

#[test]
fn a_view_without_symbols_has_no_shard() {
    let mut ledger = Ledger::in_memory();
    let old = encode_directory(Position(4), std::iter::empty()).unwrap();
    put(&mut ledger, &IV.root_key(), &with_seal(old)).unwrap();
    for _ in 0..2 {
        let mut root = Root::read(&ledger, Series::Iv).unwrap();
        assert_eq!((root.position, root.shards.len()), (Position(4), 0));
        assert_eq!(read_position(&ledger, Series::Iv).unwrap(), Position(4));
        root.write(&mut ledger).unwrap();
    }
    assert_eq!(values(&ledger).into_keys().collect::<Vec<_>>(), [IV.root_key()]);
    set(&mut ledger, [(1, 1)].into_iter());
    assert_eq!(stored(&ledger).len(), 1);
}

pub(in crate::app::views) fn run() -> Run<'static> {
    Run { clock: Clock::Fixed(1_765_627_200_000), ..Run::new("tester") }
}

/// A day of implied and of realised volatility per row, as a batch.
pub(in crate::app::views) fn staged(
    ledger: &mut Ledger,
    rows: impl Iterator<Item = (usize, u32)>,
) -> Staged {
    let file = tempfile::NamedTempFile::new().unwrap();
    let mut text = String::from("Symbol,Date,IV30,OHLC 20-Day Vol\n");
    for (symbol, day) in rows {
        text += &format!("{},2024-01-{day:02},{}.5,20.25\n", name(symbol), 10 + symbol % 50);
    }
    std::fs::write(file.path(), text).unwrap();
    let options =
        ImportOptions { symbol: SymbolChoice::FromColumn, ..ImportOptions::of(Series::Iv) };
    import_csv(ledger, &[Input::file(file.path())], &options, &run()).unwrap()
}

pub(in crate::app::views) fn import(ledger: &mut Ledger, rows: impl Iterator<Item = (usize, u32)>) {
    let staged = staged(ledger, rows);
    confirm_staged(ledger, &staged, &run()).unwrap();
}

fn imported() -> Ledger {
    let mut ledger = Ledger::in_memory();
    import(&mut ledger, (0..150).flat_map(|n| [(n, 2), (n, 3)]));
    ledger
}

/// What verification finds wrong.
fn differences(ledger: &Ledger) -> Vec<String> {
    let found = compare_with_log(ledger, &[Series::Iv, Series::Hv], &mut |_, _| true);
    let found = found.unwrap_or_else(|error| vec![error.to_string()]);
    found.into_iter().map(|what| what.replace("the ledger is damaged: ", "")).collect()
}

pub(in crate::app::views) fn sound(ledger: &Ledger) {
    assert_eq!(differences(ledger), Vec::<String>::new());
}

fn with_seal(mut body: Vec<u8>) -> Vec<u8> {
    body.extend_from_slice(&content(&body).0);
    body
}

/// Writes the root as programs did that knew of no shards, in place of those.
pub(in crate::app::views) fn old_root(ledger: &mut Ledger, view: Series, first_version: bool) {
    let root = Root::read(ledger, view).unwrap();
    let shards: Vec<&Entries> = root.shards(ledger).map(|shard| shard.unwrap()).collect();
    let symbols: Vec<(&String, &Listed)> = shards.into_iter().flatten().collect();
    let mut old = encode_directory(root.position, symbols.iter().copied()).unwrap();
    if first_version {
        // What it knew less was an option: here it is the none of each entry, left out.
        old[1] = 1;
        for entry in symbols.into_iter().rev() {
            let line = encode_directory(Position(0), [entry].into_iter()).unwrap();
            let at = old.windows(line.len() - 4).position(|of| *of == line[4..]).unwrap();
            old.remove(at + line.len() - 4 - 33);
        }
    }
    let place = root.place;
    for key in ledger.store().view_keys(&place.shard_key("")).unwrap() {
        ledger.store_mut().remove_view(&key).unwrap();
    }
    // Of more symbols, it took several pieces.
    put(ledger, &place.root_key(), &vec![0; 200_000]).unwrap();
    put(ledger, &place.root_key(), &with_seal(old)).unwrap();
    assert_eq!(ledger.store().view_keys(&place.root_key()).unwrap().len(), 1);
}

#[test]
fn an_old_root_is_read_and_has_shards_after_the_next_row() {
    for first_version in [false, true] {
        let mut ledger = imported();
        old_root(&mut ledger, Series::Iv, first_version);
        sound(&ledger);
        let reader = ViewReader::new(&ledger).unwrap();
        assert_eq!(reader.symbols(Series::Iv).unwrap().len(), 150);
        assert_eq!(reader.events(Series::Iv, &name(77)).unwrap(), 2);
        let (known, new) = ((name(3), name(4)), (name(900), name(901)));
        assert!(reader.knows_any(&known).unwrap() && !reader.knows_any(&new).unwrap());
        drop(reader);
        import(&mut ledger, [(77, 4), (900, 4)].into_iter());
        sound(&ledger);
        let shards = stored(&ledger);
        assert_eq!(shards.iter().map(|(_, of)| of.len()).collect::<Vec<_>>(), [51, 51, 49]);
        // It says of each symbol what a ledger says that never had an old one.
        let mut other = imported();
        import(&mut other, [(77, 4), (900, 4)].into_iter());
        assert_eq!(read_position(&ledger, Series::Iv).unwrap(), other.position());
        let all = |shards: Vec<(String, Vec<_>)>| shards.into_iter().flat_map(|(_, of)| of);
        assert!(all(shards).eq(all(stored(&other))));
    }
}

#[test]
fn a_hurt_byte_a_lost_value_and_an_exchanged_one_are_found_at_every_level() {
    // Of one symbol two batches speak: it has a chunk.
    let imported = || {
        let mut ledger = imported();
        import(&mut ledger, [(7, 4)].into_iter());
        ledger
    };
    let whole = imported();
    sound(&whole);
    let place = Place::live(&whole, Series::Iv).unwrap();
    let shards = stored(&whole);
    let [first, second] = [&shards[0].0, &shards[1].0].map(|from| place.shard_key(from));
    let levels = [
        place.root_key(),
        first.clone(),
        second.clone(),
        place.symbol_key(&name(7)),
        place.chunk_key(&name(7), 2024),
    ];
    let found = |hurt: &mut dyn FnMut(&mut Ledger)| {
        let mut ledger = imported();
        hurt(&mut ledger);
        differences(&ledger)
    };
    for key in &levels {
        let bytes = whole.store().view(key).unwrap().unwrap();
        for at in [0, 3, 4, 6, bytes.len() / 2, bytes.len() - 1] {
            let named = found(&mut |ledger| {
                let mut bad = bytes.clone();
                bad[at] ^= 0x10;
                ledger.store_mut().put_view(key, &bad).unwrap();
            });
            assert_eq!(named.len(), 1, "byte {at} of {}: {named:?}", key.escape_ascii());
        }
        let lost = found(&mut |ledger| ledger.store_mut().remove_view(key).unwrap());
        assert!(!lost.is_empty(), "{}", key.escape_ascii());
    }
    let lost = found(&mut |ledger| ledger.store_mut().remove_view(&second).unwrap());
    let from = &shards[1].0;
    assert_eq!(lost, [format!("the shard of view iv from {from} is missing")]);
    let exchanged = found(&mut |ledger| {
        let (a, b) =
            (get(ledger, &first).unwrap().unwrap(), get(ledger, &second).unwrap().unwrap());
        put(ledger, &first, &b).unwrap();
        put(ledger, &second, &a).unwrap();
    });
    assert_eq!(exchanged.len(), 2, "{exchanged:?}");
    // The view of the other place, or of another series, does not fit either.
    let other = found(&mut |ledger| {
        let hv = Place { view: Series::Hv, ..place };
        let bytes = get(ledger, &hv.shard_key("")).unwrap().unwrap();
        put(ledger, &first, &bytes).unwrap();
    });
    assert_eq!(other, ["the first shard of view iv does not match its digest"]);
}

/// A root whose shards are as `change` makes them, every digest right.
fn forged(change: impl Fn(&mut Vec<ListedShard>, &mut Vec<Entries>)) -> Ledger {
    let mut ledger = imported();
    let root = Root::read(&ledger, Series::Iv).unwrap();
    let mut lines: Vec<_> = root.shards.iter().map(|shard| shard.line.clone()).collect();
    let symbols = root.shards.iter().map(|of| of.entries(&ledger, root.place).unwrap().clone());
    let mut symbols: Vec<Entries> = symbols.collect();
    change(&mut lines, &mut symbols);
    for (line, symbols) in lines.iter_mut().zip(&symbols) {
        let bytes = directory_bytes(symbols).unwrap();
        line.digest = content(&bytes);
        put(&mut ledger, &root.place.shard_key(&line.from), &bytes).unwrap();
    }
    let root_bytes = with_seal(encode_root(root.position, lines.iter()).unwrap());
    put(&mut ledger, &root.place.root_key(), &root_bytes).unwrap();
    ledger
}

#[test]
fn root_shards_and_symbols_must_agree() {
    let wrong =
        |change: &dyn Fn(&mut Vec<ListedShard>, &mut Vec<Entries>)| differences(&forged(change));
    assert!(wrong(&|_, _| {}).is_empty());
    let other = |which: &str| vec![format!("{which} has other symbols than the root says")];
    let first = "the first shard of view iv";
    assert_eq!(wrong(&|lines, _| lines[0].events += 1), other(first));
    assert_eq!(wrong(&|lines, _| lines[0].symbols -= 1), other(first));
    // A shard that ends too late, one that begins too early.
    let late = wrong(&|lines, symbols| {
        let (name, of) = symbols[1].pop_first().unwrap();
        (lines[0].symbols, lines[0].events) = (lines[0].symbols + 1, lines[0].events + of.events);
        (lines[1].symbols, lines[1].events) = (lines[1].symbols - 1, lines[1].events - of.events);
        symbols[0].insert(name, of);
    });
    assert_eq!(late, [&other(first)[0], "view iv of S0050 differs from its rebuild"]);
    let early = wrong(&|lines, symbols| {
        let (name, of) = symbols[0].pop_last().unwrap();
        (lines[0].symbols, lines[0].events) = (lines[0].symbols - 1, lines[0].events - of.events);
        (lines[1].symbols, lines[1].events) = (lines[1].symbols + 1, lines[1].events + of.events);
        symbols[1].insert(name, of);
    });
    let from = "the shard of view iv from S0050 has other symbols than the root says";
    assert_eq!(early, [from, "view iv of S0049 differs from its rebuild"]);
    // Symbols that the log has not, or that the view has not.
    let surplus = wrong(&|lines, symbols| {
        symbols[0].insert("S0000A".to_owned(), listed(0));
        lines[0].symbols += 1;
    });
    assert_eq!(surplus, ["view iv has S0000A, which the log has not"]);
    let missing = wrong(&|lines, symbols| {
        let (_, of) = symbols[0].pop_first().unwrap();
        (lines[0].symbols, lines[0].events) = (lines[0].symbols - 1, lines[0].events - of.events);
    });
    assert_eq!(missing, ["view iv of S0000 differs from its rebuild"]);
    let count = wrong(&|lines, symbols| {
        symbols[0].values_mut().next().unwrap().events += 1;
        lines[0].events += 1;
    });
    assert_eq!(count, ["view iv of S0000 differs from its rebuild"]);
    // Lines that are no sequence.
    let sequence = ["the root of view iv names no sequence of shards".to_owned()];
    assert_eq!(wrong(&|lines, _| lines.swap(0, 1)), sequence);
    assert_eq!(wrong(&|lines, _| lines[0].from = "A".to_owned()), sequence);
    assert_eq!(wrong(&|lines, _| lines[2].from = lines[1].from.clone()), sequence);
}

#[test]
fn a_root_of_a_newer_program_is_refused() {
    let mut ledger = imported();
    let place = Place::live(&ledger, Series::Iv).unwrap();
    let mut body = sealed(&ledger, place).unwrap().unwrap();
    body[1] = 4;
    put(&mut ledger, &place.root_key(), &with_seal(body)).unwrap();
    let newer = |error: AppError| matches!(error, AppError::Ledger(LedgerError::Newer { .. }));
    assert!(newer(ViewReader::new(&ledger).unwrap_err()));
    assert!(newer(catch_up(&mut ledger, &Silent).unwrap_err()));
}

#[test]
fn an_update_that_was_cut_short_is_made_anew_and_leaves_nothing_behind() {
    let mut ledger = imported();
    let before = values(&ledger);
    // Died after a shard was replaced under its key, and a new one was begun.
    let first = IV.shard_key("");
    ledger.store_mut().put_view(&[MARK, Series::Iv.code()], &[1]).unwrap();
    put(&mut ledger, &first, &directory_bytes(&Entries::new()).unwrap()).unwrap();
    put(&mut ledger, &IV.shard_key("ZZZ"), b"begun").unwrap();
    assert_eq!(catch_up(&mut ledger, &Silent).unwrap(), [Series::Iv]);
    sound(&ledger);
    let place = Place::live(&ledger, Series::Iv).unwrap();
    assert!(place.second);
    let shards = |place: Place| {
        let keys = ledger.store().view_keys(&place.shard_key("")).unwrap();
        keys.into_iter().map(|key| (key[2..].to_vec(), ledger.store().view(&key).unwrap()))
    };
    assert_eq!(shards(place.other()).count(), 0);
    let was = before.iter().filter(|(key, _)| key.starts_with(&first));
    let was: Vec<_> = was.map(|(key, value)| (key[2..].to_vec(), Some(value.clone()))).collect();
    assert_eq!(shards(place).collect::<Vec<_>>(), was);
    // And back to the first place, over what may stand there.
    put(&mut ledger, &IV.shard_key("YYY"), b"left by somebody").unwrap();
    rebuild(&mut ledger, Series::Iv, &Silent).unwrap();
    sound(&ledger);
    let mut now = values(&ledger);
    assert_eq!(now.remove(&[LIVE, Series::Iv.code()][..]), Some(vec![0]));
    assert_eq!(now, before);
}

#[test]
fn readers_on_several_threads_share_what_they_read() {
    let ledger = imported();
    let first = ViewReader::new(&ledger).unwrap();
    let found: BTreeSet<u64> = std::thread::scope(|scope| {
        let work = |seed: usize| {
            let reader = ViewReader::with(&ledger, first.roots());
            let events = (0..150).map(|n| reader.events(Series::Iv, &name((n * 7 + seed) % 150)));
            events.sum::<Result<u64>>().unwrap()
        };
        let threads: Vec<_> = (0..8).map(|seed| scope.spawn(move || work(seed))).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    assert_eq!(found, BTreeSet::from([300]));
    let root = Root::read(&ledger, Series::Iv).unwrap();
    let of = root.entry(&ledger, &name(7)).unwrap().unwrap();
    assert_eq!(read_periods(&ledger, root.place, &name(7), &of.digest).unwrap().len(), 1);
}

#[test]
fn what_is_remembered_of_an_update_is_what_is_stored() {
    let mut ledger = imported();
    // New symbols split shards; known ones touch one; the views are updated from what is remembered.
    for symbols in [0..150, 70..300, 20..21, 400..401] {
        let day = 4 + ledger.batches().len() as u32;
        import(&mut ledger, symbols.map(|n| (n, day)));
        let remembered = ledger.remembered::<Roots>().unwrap();
        assert_eq!(remembered.0.keys().collect::<Vec<_>>(), [&Series::Iv, &Series::Hv]);
        for (view, root) in &remembered.0 {
            let read = Root::read(&ledger, *view).unwrap();
            assert_eq!((root.place, root.position), (read.place, read.position));
            assert_eq!(root.shards.len(), read.shards.len());
            for (own, read) in root.shards.iter().zip(&read.shards) {
                assert_eq!((&own.line, &own.until, own.changed), (&read.line, &read.until, false));
                let entries = read.entries(&ledger, root.place).unwrap();
                assert!(own.read.get().is_none_or(|own| own == entries));
            }
        }
        sound(&ledger);
    }
    // Whatever is written of views, nothing is remembered: here a shard is lost.
    let first = IV.shard_key("");
    ledger.store_mut().remove_view(&first).unwrap();
    assert!(ledger.remembered::<Roots>().is_none());
    let reader = ViewReader::new(&ledger).unwrap();
    assert!(reader.events(Series::Iv, &name(0)).is_err());
}
