//! Properties of writing: an update needs the version that it read, and a touch moves times alone.

use super::{HOUR, NOW, key, record, stored};
use crate::record::Record;
use crate::store::{Inserted, Store, Updated};

pub(super) fn insert_never_replaces(store: &dyn Store) {
    let record = stored(store, record());
    let thief = Record {
        data: r#"{"stolen":true}"#.into(),
        user_id: Some("thief".into()),
        ..record.clone()
    };
    assert_eq!(store.insert(&thief).unwrap(), Inserted::Taken);
    assert_eq!(store.load(&record.key, NOW).unwrap(), Some(record.clone()));
    let expired = stored(
        store,
        Record {
            key: key(),
            expires_at: NOW,
            ..record
        },
    );
    assert_eq!(
        store.insert(&expired).unwrap(),
        Inserted::Taken,
        "an expired record keeps its key"
    );
}

pub(super) fn update_needs_the_version_it_read(store: &dyn Store) {
    let old = stored(store, record());
    let new = Record {
        version: 1,
        data: r#"{"n":1}"#.into(),
        user_id: Some("u".into()),
        ..old.clone()
    };
    assert_eq!(store.update(&old.key, 0, &new).unwrap(), Updated::Done);
    assert_eq!(store.load(&old.key, NOW).unwrap(), Some(new.clone()));
    let late = Record {
        data: r#"{"n":2}"#.into(),
        ..new.clone()
    };
    assert_eq!(store.update(&old.key, 0, &late).unwrap(), Updated::Stale);
    assert_eq!(store.load(&old.key, NOW).unwrap(), Some(new.clone()));
    assert_eq!(
        store.update(&old.key, 1, &new).unwrap(),
        Updated::Done,
        "writing what is there already is done"
    );
}

pub(super) fn update_never_brings_back_a_record(store: &dyn Store) {
    let record = stored(store, record());
    assert!(store.delete(&record.key).unwrap());
    assert_eq!(
        store
            .update(
                &record.key,
                0,
                &Record {
                    version: 1,
                    ..record.clone()
                }
            )
            .unwrap(),
        Updated::Stale
    );
    store.touch(&record.key, NOW + 1, NOW + 2 * HOUR).unwrap();
    assert_eq!(
        store
            .update(
                &record.key,
                0,
                &Record {
                    key: key(),
                    ..record.clone()
                }
            )
            .unwrap(),
        Updated::Stale
    );
    assert_eq!(store.count(0).unwrap(), 0);
}

pub(super) fn renewal_moves_the_record_in_one_step(store: &dyn Store) {
    let old = stored(store, record());
    let new = Record {
        key: key(),
        version: 1,
        ..old.clone()
    };
    assert_eq!(store.update(&old.key, 0, &new).unwrap(), Updated::Done);
    assert_eq!(store.load(&old.key, NOW).unwrap(), None);
    assert_eq!(store.load(&new.key, NOW).unwrap(), Some(new));
    assert_eq!(store.count(0).unwrap(), 1);
}

pub(super) fn a_renewal_never_takes_a_key_in_use(store: &dyn Store) {
    let (mine, other) = (stored(store, record()), stored(store, record()));
    let renewed = Record {
        key: other.key.clone(),
        version: 1,
        ..mine.clone()
    };
    assert_eq!(
        store.update(&mine.key, 0, &renewed).unwrap(),
        Updated::Taken
    );
    assert_eq!(store.load(&mine.key, NOW).unwrap(), Some(mine));
    assert_eq!(store.load(&other.key, NOW).unwrap(), Some(other));
}

pub(super) fn touch_moves_forward_only(store: &dyn Store) {
    let record = stored(store, record());
    let times = |store: &dyn Store| {
        let record = store.load(&record.key, NOW).unwrap().unwrap();
        (record.seen_at - NOW, record.expires_at - NOW - HOUR)
    };
    store.touch(&record.key, NOW + 60, NOW + HOUR + 60).unwrap();
    assert_eq!(times(store), (60, 60));
    store.touch(&record.key, NOW + 30, NOW + HOUR + 30).unwrap();
    assert_eq!(
        times(store),
        (60, 60),
        "a slow request does not turn the time back"
    );
    store.touch(&record.key, NOW + 90, NOW + HOUR + 60).unwrap();
    assert_eq!(
        times(store),
        (90, 60),
        "at the absolute expiry only the last use moves"
    );
    store.touch(&record.key, NOW + 80, NOW + HOUR + 60).unwrap();
    assert_eq!(times(store), (90, 60), "nor does it turn back alone");
}

pub(super) fn touch_leaves_version_and_data_alone(store: &dyn Store) {
    let record = stored(
        store,
        Record {
            version: 7,
            data: r#"{"n":1}"#.into(),
            ..record()
        },
    );
    store.touch(&record.key, NOW + 1, NOW + 2 * HOUR).unwrap();
    let touched = Record {
        seen_at: NOW + 1,
        expires_at: NOW + 2 * HOUR,
        ..record.clone()
    };
    assert_eq!(store.load(&record.key, NOW).unwrap(), Some(touched));
}
