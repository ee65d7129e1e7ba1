//! The sorted set of a user's keys.
//!
//! It may contain keys of deleted records, but lacks no key of a record that is there: a key is added
//! before its record belongs to the user, and removed after the record.

use redis::cmd;

use super::RedisStore;
use super::encoding::lifetime;
use super::script::LIST;
use crate::error::Error;
use crate::record::Record;
use crate::token::Key;

impl RedisStore {
    /// Adds a record's key to the set of its user.
    pub(super) fn enlist(&self, record: &Record) -> Result<(), Error> {
        let Some(user_id) = &record.user_id else {
            return Ok(());
        };
        let (list, key) = (self.name_of_list(user_id), record.key.as_str());
        let (deadline, now) = (record.deadline.to_string(), record.seen_at.to_string());
        let lifetime = lifetime(record.seen_at, record.deadline);
        let arguments = [key, &deadline, &now, &lifetime];
        self.read(&list, |connection| {
            LIST.run(connection, &list, &arguments[..])
        })
    }

    pub(super) fn strike(&self, user_id: &str, key: &Key) -> Result<(), Error> {
        if user_id.is_empty() {
            return Ok(());
        }
        let (list, mut strike) = (self.name_of_list(user_id), cmd("ZREM"));
        strike.arg(&list).arg(key.as_str());
        self.read(&list, |connection| connection.query(&strike))
    }

    /// Returns the keys of a user's records, and perhaps of some that are deleted or another user's.
    pub(super) fn listed(&self, user_id: &str) -> Result<Vec<Key>, Error> {
        let (list, mut range) = (self.name_of_list(user_id), cmd("ZRANGE"));
        range.arg(&list).arg(0).arg(-1);
        let keys: Vec<String> = self.read(&list, |connection| connection.query(&range))?;
        Ok(keys.into_iter().map(Key::from_stored).collect())
    }

    fn name_of_list(&self, user_id: &str) -> String {
        format!("{}:of:{user_id}", self.prefix)
    }
}
