//! Loads and saves of several sessions by one pipeline for each node.

mod hanging;
mod outcomes;
mod visits;

use rocket_diesel_session::store::{Loaded, Record, Save, Updated, contract};
use rocket_diesel_session::{Error, Key};

use super::records::{key, stored};
use testing::database::TestDatabase;
use testing::redis::{ask, nodes};

pub(super) fn changed(record: &Record, version: i64) -> Save {
    let record = testing::changed!(record.clone(), data: format!("[{version}]"), version: version);
    Save::Update {
        version: version - 1,
        record,
    }
}

pub(super) fn record_of(save: &Save) -> Record {
    match save {
        Save::Insert(record) | Save::Update { record, .. } => record.clone(),
        _ => panic!("{save:?} has no record"),
    }
}

/// Saves them together, and returns `None` for one that could not be saved so.
pub(super) fn save(database: &TestDatabase, saves: &[Save]) -> Vec<Option<Updated>> {
    let outcomes = database.store.save_many(&saves.iter().collect::<Vec<_>>());
    outcomes.into_iter().map(Result::ok).collect()
}

pub(super) fn load(database: &TestDatabase, keys: &[&Key]) -> Vec<Result<Option<Record>, ()>> {
    let record = |loaded: Result<Loaded, Error>| match loaded {
        Ok(found) => Ok(found.map(|(record, _)| record)),
        Err(_) => Err(()),
    };
    let loaded = database.store.load_many(keys, 0);
    loaded.into_iter().map(record).collect()
}

/// A record that is not stored yet. The store knows its node, and that node knows the scripts.
pub(super) fn new(database: &TestDatabase) -> Record {
    let (store, record) = (
        &*database.store,
        testing::changed!(contract::record(), key: key()),
    );
    stored(database, record.clone());
    assert_eq!(
        store.update(&record.key, 9, &record).unwrap(),
        Updated::Stale
    );
    store.touch(&record.key, 0, 0).unwrap();
    assert!(store.delete(&record.key).unwrap());
    record
}

pub(super) fn forget_scripts(database: &TestDatabase) {
    for node in nodes(&database.url) {
        ask(&node, &["SCRIPT", "FLUSH"]);
    }
}
