//! Properties of verbs on many records: a user's, all, and the expired ones.

use super::{HOUR, NOW, record, stored};
use crate::record::Record;
use crate::store::{Inserted, Store};

pub(super) fn sessions_of_a_user_are_listed_and_deleted(store: &dyn Store) {
    let of = |user: &str, seen_at: i64, expires_at: i64| {
        stored(
            store,
            Record {
                user_id: Some(user.into()),
                seen_at,
                expires_at,
                ..record()
            },
        )
    };
    let (first, second) = (
        of("ada", NOW + 1, NOW + HOUR),
        of("ada", NOW + 2, NOW + HOUR),
    );
    of("ada", NOW + 3, NOW);
    let others = [
        of("Ada", NOW, NOW + HOUR),
        of("ada ", NOW, NOW + HOUR),
        of("grace", NOW, NOW + HOUR),
    ];
    let anonymous = stored(store, record());
    assert_eq!(
        store.list("ada", NOW).unwrap(),
        [second.clone(), first.clone()]
    );
    assert_eq!(store.delete_all("ada", Some(&first.key)).unwrap(), 2);
    assert_eq!(store.list("ada", NOW).unwrap(), [first]);
    assert_eq!(store.delete_all("ada", None).unwrap(), 1);
    assert_eq!(store.load(&second.key, NOW).unwrap(), None);
    for other in others.iter().chain([&anonymous]) {
        assert!(
            store.load(&other.key, NOW).unwrap().is_some(),
            "{:?} belongs to somebody else",
            other.user_id
        );
    }
}

pub(super) fn all_returns_records_in_pages(store: &dyn Store) {
    let mut live: Vec<Record> = (0..5).map(|_| stored(store, record())).collect();
    live.sort_by(|a, b| a.key.cmp(&b.key));
    let expires_at = NOW;
    stored(
        store,
        Record {
            expires_at,
            ..record()
        },
    );
    assert_eq!(store.all(NOW, None, 3).unwrap(), live[..3]);
    assert_eq!(store.all(NOW, Some(&live[2].key), 3).unwrap(), live[3..]);
    assert_eq!(store.all(NOW, Some(&live[4].key), 3).unwrap(), []);
    assert_eq!(store.all(NOW, None, 100).unwrap(), live);
}

pub(super) fn delete_expired_takes_the_oldest_up_to_its_limit(store: &dyn Store) {
    let live = stored(store, record());
    let expired: Vec<Record> = (0..5)
        .map(|age| {
            stored(
                store,
                Record {
                    expires_at: NOW - age,
                    ..record()
                },
            )
        })
        .collect();
    if let Some(first) = store.first_expiry().unwrap() {
        assert_eq!(first, NOW - 4, "the earliest expiry");
    }
    assert_eq!(store.delete_expired(NOW, 2).unwrap(), 2);
    for (age, record) in expired.iter().enumerate() {
        let there = store.insert(record).unwrap() == Inserted::Taken;
        assert_eq!(
            there,
            age < 3,
            "the two that expired first go first; this one {age} ms ago"
        );
        if !there {
            store.delete(&record.key).unwrap();
        }
    }
    assert_eq!(store.delete_expired(NOW, 100).unwrap(), 3);
    assert_eq!(store.delete_expired(NOW, 100).unwrap(), 0);
    assert_eq!(store.load(&live.key, NOW).unwrap(), Some(live));
}
