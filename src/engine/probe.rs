//! A check that the store works, with a record that belongs to no user.

use crate::error::Error;
use crate::record::Record;
use crate::store::{Inserted, Store, Updated};
use crate::token::Token;

/// Inserts a record, changes it, loads it and deletes it. Fails if the store did not keep what it was given.
pub(crate) fn run(store: &dyn Store, now: i64) -> Result<(), Error> {
    let end = now.saturating_add(60_000);
    let record = Record::new(Token::generate()?.key(), now, end, end);
    let key = &record.key;
    let inserted = store.insert(&record)? == Inserted::Done;
    let changed = match store.load(key, now)? {
        Some(record) => change(store, record, now)?,
        None => false,
    };
    let deleted = store.delete(key)?;
    if inserted && changed && deleted {
        Ok(())
    } else {
        Err(Error::unavailable(
            "the store did not keep a record as it was given; something else changes it",
        ))
    }
}

/// Returns `true` if the record is found again as it was changed.
fn change(store: &dyn Store, before: Record, now: i64) -> Result<bool, Error> {
    let (key, version) = (before.key.clone(), before.version);
    let after = Record {
        version: version.wrapping_add(1),
        user_agent: Some("probe".into()),
        ..before
    };
    let updated = store.update(&key, version, &after)? == Updated::Done;
    let found = store.load(&key, now)?;
    Ok(updated && found.is_some_and(|found| found.user_agent == after.user_agent))
}
