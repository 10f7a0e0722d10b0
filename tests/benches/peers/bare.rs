//! Two stores without a database: a bare append file, and sled with one key for each row.

use super::rows::{self, Latest, Row, WIDTH};
use super::{Adding, Measure, Store};
use std::fs::{File, OpenOptions};
use std::io::{BufReader, BufWriter, Read, Write};
use std::path::{Path, PathBuf};
use std::time::Instant;

/// Rows of a fixed width at the end of a file; durable after each CSV.
pub struct Bare;

fn each_row(file: &Path, take: &mut dyn FnMut(&[u8])) {
    let mut reader = BufReader::with_capacity(1 << 20, File::open(file).unwrap());
    let mut bytes = [0; WIDTH];
    while reader.read_exact(&mut bytes).is_ok() {
        take(&bytes);
    }
}

impl Store for Bare {
    fn load(&self, store: &Path, files: &[PathBuf]) {
        let mut out = BufWriter::with_capacity(1 << 20, File::create(store).unwrap());
        for file in files {
            rows::each(std::slice::from_ref(file), &mut |row| out.write_all(&row.bytes()).unwrap());
            out.flush().unwrap();
            out.get_ref().sync_data().unwrap();
        }
    }

    fn open(&self, store: &Path) {
        let mut bytes = [0; WIDTH];
        File::open(store).unwrap().read_exact(&mut bytes).unwrap();
    }

    fn fold(&self, store: &Path, measured: Measure<'_>) {
        measured(&mut || {
            let (mut latest, mut row) = (Latest::default(), Row::default());
            each_row(store, &mut |bytes| {
                row.read(bytes);
                latest.take(&row);
            });
            latest.finish()
        });
    }

    fn rehash(&self, store: &Path, measured: Measure<'_>) {
        measured(&mut || {
            let (mut hasher, mut count) = (blake3::Hasher::new(), 0);
            each_row(store, &mut |bytes| {
                hasher.update(bytes);
                count += 1;
            });
            std::hint::black_box(hasher.finalize());
            count
        });
    }

    fn commit(&self, store: &Path, one: Adding<'_>) {
        let mut file = OpenOptions::new().append(true).open(store).unwrap();
        one(&mut |row| {
            let begin = Instant::now();
            file.write_all(&row.bytes()).unwrap();
            file.sync_data().unwrap();
            begin
        });
    }
}

/// sled, a key for each row; `flush` and then a sync of its file, which `flush` is not.
pub struct Sled;

fn open(store: &Path) -> (sled::Db, File) {
    let config = sled::Config::new().path(store).flush_every_ms(None).cache_capacity(64 << 20);
    let db = config.open().unwrap();
    (db, File::open(store.join("db")).unwrap())
}

impl Store for Sled {
    fn load(&self, store: &Path, files: &[PathBuf]) {
        let (db, file) = open(store);
        let mut next = 0_u64;
        for (batch, csv) in (0_u32..).zip(files) {
            let first = next;
            rows::each(std::slice::from_ref(csv), &mut |row| {
                db.insert(next.to_be_bytes(), &Row { batch, ..row.clone() }.bytes()[..]).unwrap();
                next += 1;
            });
            let ends = [first.to_be_bytes(), next.to_be_bytes()].concat();
            db.open_tree("batches").unwrap().insert(batch.to_be_bytes(), ends).unwrap();
            db.flush().unwrap();
            file.sync_data().unwrap();
        }
    }

    fn open(&self, store: &Path) {
        assert!(open(store).0.first().unwrap().is_some());
    }

    fn fold(&self, store: &Path, measured: Measure<'_>) {
        let (db, _) = open(store);
        measured(&mut || {
            let (mut latest, mut row) = (Latest::default(), Row::default());
            for item in &*db {
                row.read(&item.unwrap().1);
                latest.take(&row);
            }
            latest.finish()
        });
    }

    fn rehash(&self, store: &Path, measured: Measure<'_>) {
        let (db, _) = open(store);
        measured(&mut || {
            let (mut hasher, mut count) = (blake3::Hasher::new(), 0);
            for item in &*db {
                hasher.update(&item.unwrap().1);
                count += 1;
            }
            std::hint::black_box(hasher.finalize());
            count
        });
    }

    fn commit(&self, store: &Path, one: Adding<'_>) {
        let (db, file) = open(store);
        let last = db.last().unwrap().unwrap().0;
        let mut next = u64::from_be_bytes(last.as_ref().try_into().unwrap()) + 1;
        one(&mut |row| {
            let begin = Instant::now();
            db.insert(next.to_be_bytes(), &row.bytes()[..]).unwrap();
            next += 1;
            db.flush().unwrap();
            file.sync_data().unwrap();
            begin
        });
    }

    fn roll_back(&self, store: &Path, batch: u32, measured: Measure<'_>) {
        let (db, file) = open(store);
        measured(&mut || {
            let ends = db.open_tree("batches").unwrap().get(batch.to_be_bytes()).unwrap().unwrap();
            let end = |at: usize| u64::from_be_bytes(ends[at..at + 8].try_into().unwrap());
            for key in end(0)..end(8) {
                db.remove(key.to_be_bytes()).unwrap();
            }
            db.flush().unwrap();
            file.sync_data().unwrap();
            end(8) - end(0)
        });
    }
}
