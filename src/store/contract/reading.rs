//! Properties of reading: a record reads back as written until it expires.

use super::{HOUR, NOW, key, record, stored};
use crate::record::Record;
use crate::store::Store;

pub(super) fn a_record_reads_back_as_it_was_written(store: &dyn Store) {
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

pub(super) fn text_of_every_kind_and_size_reads_back(store: &dyn Store) {
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

pub(super) fn a_missing_record_is_not_found(store: &dyn Store) {
    assert_eq!(store.load(&key(), NOW).unwrap(), None);
    assert!(!store.delete(&key()).unwrap());
    store.touch(&key(), NOW, NOW + HOUR).unwrap();
    assert_eq!(store.list("nobody", NOW).unwrap(), []);
    assert_eq!(store.delete_all("nobody", None).unwrap(), 0);
    assert_eq!(store.count(0).unwrap(), 0);
}

pub(super) fn a_record_expires_at_the_exact_instant(store: &dyn Store) {
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
