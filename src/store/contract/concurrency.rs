//! Properties of writes by several threads to one record.

use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::thread;

use serde_json::{Value, json};

use super::batches::{load_each, saved, update};
use super::{NOW, key, record, stored};
use crate::record::Record;
use crate::store::{Inserted, Save, Store, Updated};
use crate::token::Key;

pub(super) fn one_of_many_inserts_wins(store: &dyn Store) {
    let record = record();
    let winners = AtomicU32::new(0);
    thread::scope(|scope| {
        for n in 0..8 {
            let record = Record {
                data: format!("{{\"n\":{n}}}"),
                ..record.clone()
            };
            let winners = &winners;
            scope.spawn(move || {
                if store.insert(&record).unwrap() == Inserted::Done {
                    winners.fetch_add(1, Ordering::Relaxed);
                }
            });
        }
    });
    assert_eq!(winners.into_inner(), 1);
}

/// Reads, changes and swaps until it succeeds; returns `None` if the record is gone.
fn swap(store: &dyn Store, key: &Key, change: impl Fn(Record) -> Record) -> Option<()> {
    loop {
        let before = store.load(key, NOW).unwrap()?;
        let version = before.version;
        let after = Record {
            version: version + 1,
            ..change(before)
        };
        if store.update(key, version, &after).unwrap() == Updated::Done {
            return Some(());
        }
        thread::yield_now();
    }
}

fn add_one(store: &dyn Store, key: &Key) -> Option<()> {
    swap(store, key, |record| Record {
        data: json!({ "n": number(&record) + 1 }).to_string(),
        ..record
    })
}

fn number(record: &Record) -> i64 {
    let data: Value = serde_json::from_str(&record.data).unwrap();
    data["n"].as_i64().unwrap()
}

/// Stores a record with the number that [`add_one`] increments.
fn zero(store: &dyn Store) -> Record {
    let data = r#"{"n":0}"#.into();
    stored(store, Record { data, ..record() })
}

pub(super) fn two_writers_lose_no_update(store: &dyn Store) {
    let record = zero(store);
    thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| (0..50).for_each(|_| add_one(store, &record.key).unwrap()));
        }
    });
    let record = store.load(&record.key, NOW).unwrap().unwrap();
    assert_eq!(number(&record), 100);
}

pub(super) fn a_writer_never_outlives_a_delete(store: &dyn Store) {
    for _ in 0..50 {
        let record = zero(store);
        against_a_writer(store, &record.key, || {
            assert!(store.delete(&record.key).unwrap())
        });
        assert_eq!(store.count(0).unwrap(), 0);
    }
}

pub(super) fn a_writer_never_undoes_a_renewal(store: &dyn Store) {
    for _ in 0..50 {
        let record = zero(store);
        let new = key();
        against_a_writer(store, &record.key, || {
            let renewed = |record| Record {
                key: new.clone(),
                ..record
            };
            swap(store, &record.key, renewed).unwrap();
        });
        assert_eq!(store.load(&record.key, NOW).unwrap(), None);
        assert!(store.delete(&new).unwrap());
        assert_eq!(
            store.count(0).unwrap(),
            0,
            "old and new key must not both lead to the session"
        );
    }
}

/// Runs `act` while another thread writes the record until it is gone.
fn against_a_writer(store: &dyn Store, key: &Key, act: impl FnOnce()) {
    struct Stop<'a>(&'a AtomicBool);
    impl Drop for Stop<'_> {
        fn drop(&mut self) {
            self.0.store(true, Ordering::Relaxed);
        }
    }
    let stopped = AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| {
            while !stopped.load(Ordering::Relaxed) {
                if add_one(store, key).is_none() {
                    break;
                }
            }
        });
        let _stop = Stop(&stopped);
        act();
    });
}

pub(super) fn batches_lose_no_update(store: &dyn Store) {
    let records = [(); 5].map(|()| zero(store));
    let keys = records.each_ref().map(|record| &record.key);
    thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| (0..20).for_each(|_| add_one_to_each(store, &keys)));
        }
        scope.spawn(|| {
            for key in keys.repeat(20) {
                add_one(store, key).unwrap();
            }
        });
    });
    let counts = keys.map(|key| number(&store.load(key, NOW).unwrap().unwrap()));
    assert_eq!(counts, [60; 5]);
}

/// Reads, changes and swaps all at once, until each has succeeded.
fn add_one_to_each(store: &dyn Store, keys: &[&Key]) {
    let mut left = keys.to_vec();
    while !left.is_empty() {
        let loaded = load_each(store, &left, NOW).into_iter();
        let increments = loaded.map(|loaded| {
            let (record, _) = loaded.unwrap().unwrap();
            update(&record, &json!({ "n": number(&record) + 1 }).to_string())
        });
        let saves: Vec<Save> = increments.collect();
        let mut outcomes = saved(store, &saves.iter().collect::<Vec<_>>()).into_iter();
        left.retain(|_| outcomes.next() != Some(Updated::Done));
        thread::yield_now();
    }
}
