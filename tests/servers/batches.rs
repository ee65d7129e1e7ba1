//! Saves of several sessions by one call, while somebody else writes to the same rows.

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use rocket_diesel_session::store::{Record, Save, Store, Updated, contract};
use testing::database::TestDatabase;
use testing::on_every_backend;

on_every_backend!(
    a_save_that_won_is_done_even_if_it_is_overwritten_at_once,
    of_two_batches_of_the_same_sessions_each_record_has_one_winner,
    data_of_every_kind_and_size_reads_back_from_a_batch,
);

fn stored(store: &dyn Store) -> Record {
    let record = contract::record();
    store.insert(&record).unwrap();
    record
}

/// Returns the save that replaces `record` by one of a drawn version.
fn update(record: &Record, data: &str) -> Save {
    let version = fastrand::i64(..);
    Save::Update {
        version: record.version,
        record: testing::changed!(record.clone(), version, data: data.into()),
    }
}

/// One save of the batch loses, so the store has to find out which, or saves each alone.
fn a_save_that_won_is_done_even_if_it_is_overwritten_at_once(database: &TestDatabase) {
    let store = &*database.store;
    for round in 0..100 {
        let (contested, stale) = (stored(store), stored(store));
        let first = update(&contested, r#"{"n":1}"#);
        let late = update(&testing::changed!(stale, version: 5), "{}");
        let Save::Update { record: ours, .. } = &first else {
            panic!("not an update");
        };
        let over = AtomicBool::new(false);
        thread::scope(|scope| {
            let rival = scope.spawn(|| {
                while !over.load(Ordering::Relaxed) {
                    let found = store.load(&contested.key, 0).unwrap().unwrap();
                    if found.version == ours.version {
                        let next = update(&found, r#"{"n":2}"#);
                        return store.save_many(&[&next]).remove(0).unwrap() == Updated::Done;
                    }
                }
                false
            });
            let outcomes = contract::save_each(store, &[&first, &late]);
            let outcomes: Vec<_> = outcomes.into_iter().map(Result::unwrap).collect();
            assert_eq!(outcomes, [Updated::Done, Updated::Stale], "round {round}");
            over.store(true, Ordering::Relaxed);
            rival.join().unwrap();
        });
    }
}

fn of_two_batches_of_the_same_sessions_each_record_has_one_winner(database: &TestDatabase) {
    let store = &*database.store;
    let records: Vec<_> = (0..8).map(|_| stored(store)).collect();
    let save = |name: &str| -> Vec<bool> {
        let data = format!(r#"{{"by":"{name}"}}"#);
        let saves: Vec<_> = records.iter().map(|record| update(record, &data)).collect();
        let outcomes = store.save_many(&saves.iter().collect::<Vec<_>>());
        let alone = |(outcome, save): (Result<Updated, _>, &Save)| match outcome {
            // The batches met, and one of them was undone: its saves are made one by one.
            Err(_) => save.on(store).unwrap(),
            Ok(outcome) => outcome,
        };
        let outcomes = outcomes.into_iter().zip(&saves).map(alone);
        outcomes.map(|outcome| outcome == Updated::Done).collect()
    };
    let (one, other) = thread::scope(|scope| {
        let one = scope.spawn(|| save("one"));
        let other = save("other");
        (one.join().unwrap(), other)
    });
    for ((record, one), other) in records.iter().zip(one).zip(other) {
        assert!(
            one != other,
            "one of two wins, not both or none: {one} {other}"
        );
        let found = store.load(&record.key, 0).unwrap().unwrap();
        let winner = if one { "one" } else { "other" };
        assert_eq!(found.data, format!(r#"{{"by":"{winner}"}}"#));
    }
}

fn data_of_every_kind_and_size_reads_back_from_a_batch(database: &TestDatabase) {
    let store = &*database.store;
    let texts = [
        "{}".to_owned(),
        r#"{"text":"ü € 𝄞 ' \" \\ ?","null":null}"#.to_owned(),
        format!(r#"{{"long":"{}"}}"#, "x".repeat(200_000)),
        format!(r#"{{"long":"{}"}}"#, "𝄞".repeat(20_000)),
    ];
    let records: Vec<_> = texts.iter().map(|_| stored(store)).collect();
    let pairs = records.iter().zip(&texts);
    let updates: Vec<_> = pairs.map(|(record, text)| update(record, text)).collect();
    let inserts = texts
        .iter()
        .map(|text| Save::Insert(testing::changed!(contract::record(), data: text.clone())));
    let saves: Vec<_> = updates.into_iter().chain(inserts).collect();
    for outcome in store.save_many(&saves.iter().collect::<Vec<_>>()) {
        assert_eq!(outcome.unwrap(), Updated::Done);
    }
    let keys: Vec<_> = saves.iter().map(Save::key).collect();
    let found = store.load_many(&keys, 0).into_iter().map(Result::unwrap);
    for (found, save) in found.zip(&saves) {
        let (Save::Insert(record) | Save::Update { record, .. }) = save else {
            panic!("a touch");
        };
        assert_eq!(found.as_ref().map(|(found, _)| found), Some(record));
    }
}
