//! Every store keeps the contract, and answers random calls as the memory store does.

use diesel::Connection;
use diesel::connection::SimpleConnection;
use diesel::r2d2::{ConnectionManager, Pool};
use proptest::prelude::*;
use proptest::test_runner::{Config, TestRunner};
use rocket_diesel_session::store::{DieselStore, MemoryStore, Record, Store, contract};
use rocket_diesel_session::{Key, Token};

use testing::database::TestDatabase;
use testing::on_every_store;

/// A call on a few keys, users and instants, so that calls meet each other.
#[derive(Clone, Debug)]
enum Call {
    Load(usize, i64),
    Insert(usize, Option<u8>, i64),
    Update(usize, i64, usize, Option<u8>, i64),
    Touch(usize, i64, i64),
    Delete(usize),
    List(u8, i64),
    DeleteAll(u8, Option<usize>),
    DeleteExpired(i64, u32),
    Count(i64),
}

fn call() -> impl Strategy<Value = Call> {
    let (key, time, user) = (0..4usize, 0..6i64, 0..2u8);
    let nobody = proptest::option::of(user.clone());
    prop_oneof![
        1 => (key.clone(), time.clone()).prop_map(|(key, now)| Call::Load(key, now)),
        3 => (key.clone(), nobody.clone(), time.clone()).prop_map(|(key, user, time)| Call::Insert(key, user, time)),
        2 => (key.clone(), 0..3i64, key.clone(), nobody, time.clone())
            .prop_map(|(key, version, to, user, time)| Call::Update(key, version, to, user, time)),
        1 => (key.clone(), time.clone(), time.clone()).prop_map(|(key, seen, expires)| Call::Touch(key, seen, expires)),
        1 => key.clone().prop_map(Call::Delete),
        1 => (user.clone(), time.clone()).prop_map(|(user, now)| Call::List(user, now)),
        1 => (user, proptest::option::of(key)).prop_map(|(user, except)| Call::DeleteAll(user, except)),
        1 => (time.clone(), 0..3u32).prop_map(|(now, limit)| Call::DeleteExpired(now, limit)),
        1 => time.prop_map(Call::Count),
    ]
}

fn record(keys: &[Key], key: usize, user: Option<u8>, time: i64, version: i64) -> Record {
    // Different for each key, so that the order of deletion is the same everywhere.
    let expires_at = 4 * time + key as i64;
    let user_id = user.map(|user| format!("user-{user}"));
    testing::changed!(contract::record(), key: keys[key].clone(), user_id, version, seen_at: time, expires_at)
}

fn answer(store: &dyn Store, keys: &[Key], call: &Call) -> String {
    let user = |user: u8| format!("user-{user}");
    match *call {
        Call::Load(key, now) => format!("{:?}", store.load(&keys[key], 4 * now)),
        Call::Insert(key, user, time) => {
            format!("{:?}", store.insert(&record(keys, key, user, time, 0)))
        }
        Call::Update(key, version, to, user, time) => {
            format!(
                "{:?}",
                store.update(
                    &keys[key],
                    version,
                    &record(keys, to, user, time, version + 1)
                )
            )
        }
        Call::Touch(key, seen, expires) => format!(
            "{:?}",
            store.touch(&keys[key], seen, 4 * expires + key as i64)
        ),
        Call::Delete(key) => format!("{:?}", store.delete(&keys[key])),
        Call::List(of, now) => format!("{:?}", store.list(&user(of), 4 * now)),
        Call::DeleteAll(of, except) => format!(
            "{:?}",
            store.delete_all(&user(of), except.map(|key| &keys[key]))
        ),
        Call::DeleteExpired(now, limit) => format!("{:?}", store.delete_expired(4 * now, limit)),
        Call::Count(now) => format!("{:?}", store.count(4 * now)),
    }
}

fn answers_as_memory_does(database: &TestDatabase) {
    let store = &*database.store;
    let keys: Vec<Key> = (0..4).map(|_| Token::generate().unwrap().key()).collect();
    let mut runner = TestRunner::new(Config {
        cases: 1_000,
        failure_persistence: None,
        ..Config::default()
    });
    let sequences = prop::collection::vec(call(), 1..16);
    let agree = runner.run(&sequences, |calls| {
        store.clear().unwrap();
        let model = MemoryStore::new();
        for call in calls {
            prop_assert_eq!(
                answer(store, &keys, &call),
                answer(&model, &keys, &call),
                "{:?}",
                call
            );
        }
        Ok(())
    });
    agree.unwrap();
}

fn keeps_the_contract(database: &TestDatabase) {
    contract::check(&*database.store);
}

on_every_store!(keeps_the_contract, answers_as_memory_does);

#[test]
fn memory_keeps_the_contract() {
    contract::check(&MemoryStore::new());
}

#[test]
fn an_existing_pool_is_used() {
    let database = testing::database::sqlite();
    let manager =
        ConnectionManager::<diesel::SqliteConnection>::new(database.url.replace("sqlite:", ""));
    let pool = Pool::builder().max_size(1).build(manager).unwrap();
    contract::check(&DieselStore::new(pool));
}

/// SQLite takes anything in any column.
#[test]
fn an_unreadable_row_ends_one_session_only() {
    let database = testing::database::sqlite();
    let path = database.url.replace("sqlite:", "");
    let mut connection = diesel::SqliteConnection::establish(&path).unwrap();
    let user_id = Some("ada".to_owned());
    let good = testing::changed!(contract::record(), user_id: user_id.clone());
    database.store.insert(&good).unwrap();
    for garbage in [
        "data = x'ff'",
        "data = x'00ff00'",
        "data = ''",
        "data = 17",
        "data = zeroblob(16000000)",
        "user_agent = x'c328'",
        "version = 'one'",
        "version = 1.5e300",
        "expires_at = 'later'",
        "expires_at = 9.9e99",
        "created_at = x'ff'",
        "id = x'fffe'",
        "id = 'short'",
    ] {
        let bad = testing::changed!(contract::record(), user_id: user_id.clone());
        database.store.insert(&bad).unwrap();
        let sql = format!(
            "UPDATE sessions SET {garbage} WHERE id = '{}'",
            bad.key.as_str()
        );
        connection.batch_execute(&sql).unwrap();
        database
            .store
            .load(&bad.key, 0)
            .unwrap_or_else(|error| panic!("{garbage}: {error}"));
        let mut loaded = contract::load_each(&*database.store, &[&bad.key, &good.key], 0);
        let (beside, unreadable) = (loaded.pop().unwrap(), loaded.pop().unwrap());
        assert!(unreadable.is_ok(), "{garbage}");
        let beside = beside.unwrap().map(|(record, _)| record);
        assert_eq!(beside.as_ref(), Some(&good), "{garbage}");
        let list = database
            .store
            .list("ada", 0)
            .unwrap_or_else(|error| panic!("{garbage}: {error}"));
        assert!(list.contains(&good), "{garbage}");
        connection
            .batch_execute("DELETE FROM sessions WHERE rowid > 1")
            .unwrap();
    }
}
