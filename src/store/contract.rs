//! The contract of a [`Store`](crate::Store), as a test suite for authors of stores.
//!
//! [`check`] **empties the store**, panics where the contract is broken, and may grow with any
//! release.
//!
//! ```
//! # use rocket_diesel_session::{MemoryStore, contract};
//! contract::check(&MemoryStore::new());
//! ```

#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test suite panics where a test fails"
)]

mod concurrency;

use crate::record::Record;
use crate::store::{Inserted, Store, Updated};
use crate::token::{Key, Token};

/// Some instant in 2026, in Unix milliseconds; the suite never looks at the clock.
const NOW: i64 = 1_790_000_000_000;
const HOUR: i64 = 3_600_000;

/// Runs the whole suite.
pub fn check(store: &dyn Store) {
    for property in [
        a_record_reads_back_as_it_was_written,
        text_of_every_kind_and_size_reads_back,
        what_is_not_there_is_not_found,
        a_record_expires_at_the_exact_instant,
        insert_never_replaces,
        update_needs_the_version_it_read,
        update_never_brings_back,
        renewal_moves_the_record_in_one_step,
        renewal_never_takes_the_key_of_another,
        touch_moves_forward_only,
        touch_leaves_version_and_data_alone,
        a_user_s_sessions_are_listed_and_ended,
        all_records_come_a_page_at_a_time,
        sweep_takes_the_oldest_expired_up_to_its_limit,
        concurrency::of_many_inserts_one_wins,
        concurrency::of_two_writers_none_is_lost,
        concurrency::a_writer_never_outlives_a_delete,
        concurrency::a_writer_never_undoes_a_renewal,
    ] {
        store.clear().unwrap();
        property(store);
    }
    store.clear().unwrap();
}

/// A record with a fresh key.
pub fn record() -> Record {
    Record {
        key: key(),
        user_id: None,
        data: "{}".into(),
        version: 0,
        created_at: NOW,
        seen_at: NOW,
        expires_at: NOW + HOUR,
        deadline: NOW + 24 * HOUR,
        user_agent: None,
        ip: None,
        user: None,
    }
}

fn key() -> Key {
    Token::generate().unwrap().key()
}

fn stored(store: &dyn Store, record: Record) -> Record {
    assert_eq!(store.insert(&record).unwrap(), Inserted::Done);
    record
}

fn a_record_reads_back_as_it_was_written(store: &dyn Store) {
    let full = Record {
        user_id: Some("01994f0c-7d1f-7000-8000-000000000000".into()),
        data: r#"{"cart":[1,2.5,null],"name":"Zoë"}"#.into(),
        version: i64::MAX,
        created_at: 1,
        seen_at: -1,
        expires_at: i64::MAX,
        deadline: i64::MIN,
        user_agent: Some("Mozilla/5.0 ☃".into()),
        ip: Some("2001:db8:ffff:ffff:ffff:ffff:255.255.255.255".into()),
        ..record()
    };
    for record in [record(), full] {
        let record = stored(store, record);
        assert_eq!(store.load(&record.key, NOW).unwrap(), Some(record));
    }
}

fn text_of_every_kind_and_size_reads_back(store: &dyn Store) {
    let texts = [
        "",
        "' \" \\ % _ ; --",
        "日本語",
        "🦀👩‍👩‍👧",
        "e\u{301} é",
        "\u{202e}rtl",
        "tab\there",
        "\\u0000",
    ];
    let mut texts: Vec<String> = texts.into_iter().map(str::to_owned).collect();
    texts.extend([65_535, 65_536, 1_000_000].map(|size| "x".repeat(size)));
    texts.push("é🦀".repeat(50_000));
    for text in texts {
        let record = stored(
            store,
            Record {
                data: text.clone(),
                ..record()
            },
        );
        let read = store.load(&record.key, NOW).unwrap().unwrap().data;
        assert!(
            read == text,
            "{} bytes came back as {}: {text:.40}",
            text.len(),
            read.len()
        );
    }
}

fn what_is_not_there_is_not_found(store: &dyn Store) {
    assert_eq!(store.load(&key(), NOW).unwrap(), None);
    assert!(!store.delete(&key()).unwrap());
    store.touch(&key(), NOW, NOW + HOUR).unwrap();
    assert_eq!(store.list("nobody", NOW).unwrap(), []);
    assert_eq!(store.delete_all("nobody", None).unwrap(), 0);
    assert_eq!(store.count(0).unwrap(), 0);
}

fn a_record_expires_at_the_exact_instant(store: &dyn Store) {
    let record = stored(store, record());
    assert!(
        store
            .load(&record.key, record.expires_at - 1)
            .unwrap()
            .is_some()
    );
    assert_eq!(store.load(&record.key, record.expires_at).unwrap(), None);
    assert_eq!(store.count(record.expires_at - 1).unwrap(), 1);
    assert_eq!(store.count(record.expires_at).unwrap(), 0);
    for never in [0, -1, i64::MIN] {
        let record = stored(
            store,
            Record {
                expires_at: never,
                ..self::record()
            },
        );
        assert_eq!(store.load(&record.key, NOW).unwrap(), None);
    }
}

fn insert_never_replaces(store: &dyn Store) {
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

fn update_needs_the_version_it_read(store: &dyn Store) {
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

fn update_never_brings_back(store: &dyn Store) {
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

fn renewal_moves_the_record_in_one_step(store: &dyn Store) {
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

fn renewal_never_takes_the_key_of_another(store: &dyn Store) {
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

fn touch_moves_forward_only(store: &dyn Store) {
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
        "a slow request must not turn the time back"
    );
    store.touch(&record.key, NOW + 90, NOW + HOUR + 60).unwrap();
    assert_eq!(
        times(store),
        (90, 60),
        "at the deadline only the last use moves"
    );
    store.touch(&record.key, NOW + 80, NOW + HOUR + 60).unwrap();
    assert_eq!(times(store), (90, 60), "nor does it turn back alone");
}

fn touch_leaves_version_and_data_alone(store: &dyn Store) {
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

fn a_user_s_sessions_are_listed_and_ended(store: &dyn Store) {
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
    let stranger = stored(store, record());
    assert_eq!(
        store.list("ada", NOW).unwrap(),
        [second.clone(), first.clone()]
    );
    assert_eq!(store.delete_all("ada", Some(&first.key)).unwrap(), 2);
    assert_eq!(store.list("ada", NOW).unwrap(), [first]);
    assert_eq!(store.delete_all("ada", None).unwrap(), 1);
    assert_eq!(store.load(&second.key, NOW).unwrap(), None);
    for other in others.iter().chain([&stranger]) {
        assert!(
            store.load(&other.key, NOW).unwrap().is_some(),
            "{:?} belongs to somebody else",
            other.user_id
        );
    }
}

fn all_records_come_a_page_at_a_time(store: &dyn Store) {
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

fn sweep_takes_the_oldest_expired_up_to_its_limit(store: &dyn Store) {
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
    assert_eq!(store.sweep(NOW, 2).unwrap(), 2);
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
    assert_eq!(store.sweep(NOW, 100).unwrap(), 3);
    assert_eq!(store.sweep(NOW, 100).unwrap(), 0);
    assert_eq!(store.load(&live.key, NOW).unwrap(), Some(live));
}
