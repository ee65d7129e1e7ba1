//! One save among those of [`Store::save_many`].

use super::{Inserted, Store, Updated};
use crate::error::{Effect, Error};
use crate::record::Record;
use crate::token::Key;

/// One save of [`Store::save_many`], which never changes the key of a record.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Save {
    /// Stores a new record, as [`Store::insert`] does.
    Insert(Record),
    /// Replaces the record with the key of `record` if its version is `version`, as [`Store::update`] does.
    /// Of that version, `data`, `version`, `seen_at` and `expires_at` alone differ from `record`.
    Update {
        /// The version that is replaced.
        version: i64,
        /// What is stored.
        record: Record,
    },
    /// Moves the two times forward, as [`Store::touch`] does.
    Touch {
        /// The key of the record.
        key: Key,
        /// The time of this use.
        seen_at: i64,
        /// The new end of the idle timeout.
        expires_at: i64,
    },
}

impl Save {
    /// Returns the key of the record.
    pub fn key(&self) -> &Key {
        match self {
            Self::Insert(record) | Self::Update { record, .. } => &record.key,
            Self::Touch { key, .. } => key,
        }
    }

    /// Runs the verb for this save alone. A touch is done even if there is no such record.
    pub fn on<S: Store + ?Sized>(&self, store: &S) -> Result<Updated, Error> {
        match self {
            Self::Insert(record) => store.insert(record).map(|inserted| match inserted {
                Inserted::Done => Updated::Done,
                Inserted::Taken => Updated::Taken,
            }),
            Self::Update { version, record } => store.update(&record.key, *version, record),
            Self::Touch {
                key,
                seen_at,
                expires_at,
            } => store
                .touch(key, *seen_at, *expires_at)
                .map(|()| Updated::Done),
        }
    }

    /// Saves alone after `error`, if that left nothing behind or can be told from the stored record.
    ///
    /// Versions are drawn at random, so a record with the version of this save was written by it.
    pub(crate) fn after(&self, mut error: Error, store: &dyn Store) -> Result<Updated, Error> {
        let mut may_be_done = false;
        for _ in 0..ATTEMPTS {
            may_be_done |= error.effect() == Effect::Unknown;
            if error.effect() == Effect::Final {
                return Err(error);
            }
            if may_be_done {
                match self.found(store)? {
                    Found::Done => return Ok(Updated::Done),
                    Found::Undone => {}
                    Found::Other => return Err(error),
                }
            }
            match self.on(store) {
                // The lost attempt may have come after the look.
                Ok(Updated::Stale | Updated::Taken) if may_be_done => {
                    return match self.found(store)? {
                        Found::Done => Ok(Updated::Done),
                        _ => Err(error),
                    };
                }
                Ok(outcome) => return Ok(outcome),
                Err(next) => error = next,
            }
        }
        Err(error)
    }

    fn found(&self, store: &dyn Store) -> Result<Found, Error> {
        let (record, before) = match self {
            Self::Insert(record) => (record, None),
            Self::Update { version, record } => (record, Some(*version)),
            Self::Touch { .. } => return Ok(Found::Undone),
        };
        let version = store.load(&record.key, 0)?.map(|found| found.version);
        Ok(match version {
            version if version == before => Found::Undone,
            Some(version) if version == record.version => Found::Done,
            _ => Found::Other,
        })
    }
}

const ATTEMPTS: u32 = 3;

/// What the stored record says about a save that may have happened.
enum Found {
    Done,
    Undone,
    /// Another save came first, or after it.
    Other,
}

#[cfg(test)]
mod tests;
