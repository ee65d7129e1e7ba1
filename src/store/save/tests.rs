use super::*;
use crate::store::contract::record;
use crate::store::memory::MemoryStore;

const VERSION: i64 = -7;
const DRAWN: i64 = 4_711;
const ANOTHER: i64 = 815;

fn error(effect: Effect) -> Error {
    Error::unavailable("the connection was lost").with_effect(effect)
}

/// Returns a store whose only record has this version, and a save that replaces [`VERSION`] of it by [`DRAWN`].
fn store_at(version: Option<i64>) -> (MemoryStore, Save) {
    let (store, record) = (MemoryStore::new(), record());
    if let Some(version) = version {
        let stored = Record {
            version,
            ..record.clone()
        };
        store.insert(&stored).unwrap();
    }
    let record = Record {
        version: DRAWN,
        data: r#"{"n":1}"#.into(),
        ..record
    };
    let version = VERSION;
    (store, Save::Update { version, record })
}

/// Saves after an error of this effect, and returns the outcome with the version that is stored then.
fn after(effect: Effect, stored: Option<i64>) -> (Option<Updated>, Option<i64>) {
    let (store, save) = store_at(stored);
    let outcome = save.after(error(effect), &store).ok();
    let stored = store.load(save.key(), 0).unwrap();
    (outcome, stored.map(|record| record.version))
}

#[test]
fn a_save_that_was_undone_is_made_alone() {
    let after = |stored| after(Effect::Undone, stored);
    assert_eq!(after(Some(VERSION)), (Some(Updated::Done), Some(DRAWN)));
    assert_eq!(after(Some(ANOTHER)), (Some(Updated::Stale), Some(ANOTHER)));
    assert_eq!(after(None), (Some(Updated::Stale), None));
}

#[test]
fn one_look_tells_whether_a_save_was_made_on_a_lost_connection() {
    let after = |stored| after(Effect::Unknown, stored);
    assert_eq!(after(Some(DRAWN)), (Some(Updated::Done), Some(DRAWN)));
    assert_eq!(after(Some(VERSION)), (Some(Updated::Done), Some(DRAWN)));
    assert_eq!(
        after(Some(ANOTHER)),
        (None, Some(ANOTHER)),
        "perhaps over ours"
    );
    assert_eq!(after(None), (None, None), "no save brings a session back");
}

#[test]
fn a_final_error_is_not_followed_by_another_attempt() {
    assert_eq!(after(Effect::Final, Some(VERSION)), (None, Some(VERSION)));
}

#[test]
fn an_insert_on_a_lost_connection_is_made_once() {
    let (store, record) = (MemoryStore::new(), record());
    let insert = Save::Insert(record.clone());
    for _ in 0..2 {
        let outcome = insert.after(error(Effect::Unknown), &store).unwrap();
        assert_eq!(outcome, Updated::Done);
    }
    let other = Save::Insert(Record {
        version: ANOTHER,
        ..record
    });
    other.after(error(Effect::Unknown), &store).unwrap_err();
    let undone = other.after(error(Effect::Undone), &store).unwrap();
    assert_eq!(undone, Updated::Taken);
}
