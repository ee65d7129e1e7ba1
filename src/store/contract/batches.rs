//! Properties of batches: each load and each save has the outcome that it has alone.

use super::{HOUR, NOW, key, record, stored};
use crate::error::{Effect, Error};
use crate::record::Record;
use crate::store::{Loaded, Save, Store, Updated};
use crate::token::Key;

/// Loads records as requests do: by one call, and then alone those that another one kept from it.
pub fn load_each(store: &dyn Store, keys: &[&Key], now: i64) -> Vec<Result<Loaded, Error>> {
    let loaded = store.load_many(keys, now);
    assert_eq!(loaded.len(), keys.len(), "one result for each key");
    let alone = |(loaded, key): (Result<Loaded, Error>, &&Key)| match loaded {
        Err(error) if error.effect() == Effect::Undone => store.load_with_user(key, now),
        loaded => loaded,
    };
    loaded.into_iter().zip(keys).map(alone).collect()
}

/// Saves records as requests do: by one call, and then alone those that another one kept from it.
pub fn save_each(store: &dyn Store, saves: &[&Save]) -> Vec<Result<Updated, Error>> {
    let saved = store.save_many(saves);
    assert_eq!(saved.len(), saves.len(), "one result for each save");
    let alone = |(saved, save): (Result<Updated, Error>, &&Save)| {
        saved.or_else(|error| save.after(error, store))
    };
    saved.into_iter().zip(saves).map(alone).collect()
}

pub(super) fn saved(store: &dyn Store, saves: &[&Save]) -> Vec<Updated> {
    let saved = save_each(store, saves).into_iter();
    saved.map(Result::unwrap).collect()
}

/// Returns the save of new data for a record.
pub(super) fn update(before: &Record, data: &str) -> Save {
    Save::Update {
        version: before.version,
        record: Record {
            data: data.into(),
            version: fastrand::i64(1..),
            seen_at: before.seen_at + 1,
            expires_at: before.expires_at + 1,
            ..before.clone()
        },
    }
}

fn touch(key: Key) -> Save {
    let (seen_at, expires_at) = (NOW + 1, NOW + HOUR + 1);
    Save::Touch {
        key,
        seen_at,
        expires_at,
    }
}

/// Returns what is stored after a save, if this was stored before.
fn after(save: &Save, outcome: Updated, before: Option<&Record>) -> Option<Record> {
    match (outcome, save) {
        (Updated::Done, Save::Insert(record) | Save::Update { record, .. }) => Some(record.clone()),
        (
            Updated::Done,
            Save::Touch {
                seen_at,
                expires_at,
                ..
            },
        ) => before.map(|record| Record {
            seen_at: *seen_at,
            expires_at: *expires_at,
            ..record.clone()
        }),
        _ => before.cloned(),
    }
}

/// More than a store is likely to serve by one statement.
const MANY: usize = 40;

/// Stores records, expired ones among them. Returns their keys and unknown ones, one of them twice.
fn mixed_keys(store: &dyn Store) -> Vec<Key> {
    let mut keys: Vec<Key> = Vec::new();
    for (_, age) in (0..MANY).zip([0, 1, 2].into_iter().cycle()) {
        let expires_at = NOW + age;
        let record = Record {
            expires_at,
            ..record()
        };
        keys.extend([stored(store, record).key, key()]);
    }
    fastrand::shuffle(&mut keys);
    keys.push(keys[0].clone());
    keys
}

/// Returns the first of the keys, in numbers that a store may serve in different ways.
fn beginnings(keys: &[Key]) -> [Vec<&Key>; 5] {
    [0, 1, 2, 7, keys.len()].map(|count| keys[..count].iter().collect())
}

pub(super) fn loads_of_a_batch_are_in_the_order_of_their_keys(store: &dyn Store) {
    for asked in beginnings(&mixed_keys(store)) {
        let loaded = load_each(store, &asked, NOW).into_iter();
        let loaded: Vec<Loaded> = loaded.map(Result::unwrap).collect();
        let alone = asked.iter().map(|key| store.load_with_user(key, NOW));
        assert_eq!(loaded, alone.map(Result::unwrap).collect::<Vec<_>>());
    }
}

pub(super) fn expiries_are_those_of_live_records(store: &dyn Store) {
    for asked in beginnings(&mixed_keys(store)) {
        let found = store.expiries(&asked, NOW);
        assert_eq!(found.len(), asked.len(), "one result for each key");
        for (key, found) in asked.into_iter().zip(found) {
            let record = store.load(key, NOW).unwrap();
            let expiry = record.map(|record| record.expires_at);
            match found {
                // The next call reads it, perhaps from another node.
                Err(error) if error.effect() == Effect::Undone => {}
                found => assert_eq!(found.unwrap(), expiry),
            }
        }
    }
}

pub(super) fn saves_of_a_batch_have_the_outcomes_that_they_have_alone(store: &dyn Store) {
    assert_eq!(saved(store, &[]), []);
    for turn in 0..7 {
        let present = [(); 4].map(|()| stored(store, record()));
        let [updated, stale, taken, touched] = &present;
        let older = Record {
            version: stale.version + 1,
            ..stale.clone()
        };
        let mut saves = [
            (Save::Insert(record()), Updated::Done),
            (
                Save::Insert(Record {
                    data: "{}".into(),
                    ..taken.clone()
                }),
                Updated::Taken,
            ),
            (update(updated, "1"), Updated::Done),
            (update(&older, "2"), Updated::Stale),
            (update(&record(), "3"), Updated::Stale),
            (touch(touched.key.clone()), Updated::Done),
            (touch(key()), Updated::Done),
        ];
        saves.rotate_left(turn);
        let (saves, outcomes): (Vec<_>, Vec<_>) = saves.into_iter().unzip();
        assert_eq!(saved(store, &saves.iter().collect::<Vec<_>>()), outcomes);
        for (save, outcome) in saves.iter().zip(outcomes) {
            let before = present.iter().find(|record| record.key == *save.key());
            let after = after(save, outcome, before);
            assert_eq!(
                store.load(save.key(), NOW).unwrap(),
                after,
                "after {save:?}"
            );
        }
    }
}

pub(super) fn a_save_that_loses_keeps_no_other_of_its_batch_from_winning(store: &dyn Store) {
    let present: Vec<Record> = (0..MANY).map(|_| stored(store, record())).collect();
    let newer = Record {
        version: 1,
        data: r#"{"newer":true}"#.into(),
        ..present[MANY / 2].clone()
    };
    assert_eq!(store.update(&newer.key, 0, &newer).unwrap(), Updated::Done);
    let updates = present.iter().map(|record| update(record, r#"{"n":1}"#));
    let inserts = (0..MANY).map(|number| match number {
        7 => Save::Insert(newer.clone()),
        _ => Save::Insert(record()),
    });
    for saves in [updates.collect::<Vec<_>>(), inserts.collect()] {
        let outcomes = saved(store, &saves.iter().collect::<Vec<_>>());
        for (save, outcome) in saves.iter().zip(outcomes) {
            let loses = *save.key() == newer.key;
            assert_eq!(outcome != Updated::Done, loses, "{outcome:?}");
            let after = after(save, outcome, loses.then_some(&newer));
            assert_eq!(store.load(save.key(), NOW).unwrap(), after);
        }
    }
}

/// Whether the long texts fail depends on the store.
pub(super) fn a_save_that_fails_keeps_no_other_of_its_batch_from_winning(store: &dyn Store) {
    let present = [(); 4].map(|()| stored(store, record()));
    let long_agent = Record {
        user_agent: Some("x".repeat(100_000)),
        ..record()
    };
    let long_data = "x".repeat(17_000_000);
    for bad in [Save::Insert(long_agent), update(&present[3], &long_data)] {
        let good = [
            Save::Insert(record()),
            update(&store.load(&present[0].key, NOW).unwrap().unwrap(), "1"),
            update(&store.load(&present[1].key, NOW).unwrap().unwrap(), "2"),
        ];
        let saves = [&good[0], &good[1], &bad, &good[2]];
        for (save, saved) in saves.iter().zip(save_each(store, &saves)) {
            let found = store.load(save.key(), NOW).unwrap();
            let is_stored = found == after(save, Updated::Done, None);
            assert_eq!(saved.is_ok(), is_stored, "an error must leave nothing");
            assert!(is_stored || *save == &bad, "a good one was not saved");
        }
    }
}

/// Requests leave the second save to another call; a store has to stay exact all the same.
pub(super) fn of_two_saves_of_one_record_in_a_batch_one_wins(store: &dyn Store) {
    let (updated, inserted) = (stored(store, record()), record());
    let second = Record {
        data: "2".into(),
        ..inserted.clone()
    };
    for [first, second] in [
        [update(&updated, "1"), update(&updated, "2")],
        [Save::Insert(inserted), Save::Insert(second)],
    ] {
        let outcomes = saved(store, &[&first, &touch(key()), &second]);
        let won = match (outcomes[0], outcomes[2]) {
            (Updated::Done, Updated::Stale | Updated::Taken) => &first,
            (Updated::Stale | Updated::Taken, Updated::Done) => &second,
            outcomes => panic!("{outcomes:?}"),
        };
        let stored = store.load(first.key(), NOW).unwrap();
        assert_eq!(stored, after(won, Updated::Done, None));
    }
}
