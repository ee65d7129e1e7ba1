//! Atomic operations on one record, and the renewal that is built of them.

use super::RedisStore;
use super::encoding::{PENDING, fields, lifetime};
use super::script::{CREATE, REMOVE, REPLACE, SHOW};
use crate::error::Error;
use crate::record::Record;
use crate::store::pool::Idempotent;
use crate::store::{Store, Updated};
use crate::token::Key;

/// The conditions for deleting a record.
#[derive(Default)]
pub(super) struct Only<'a> {
    pub(super) version: Option<i64>,
    pub(super) user_id: Option<&'a str>,
    pub(super) expired_at: Option<i64>,
}

pub(super) fn create_arguments(record: &Record, lifetime: String, more: &[&str]) -> Vec<String> {
    let mut arguments = vec![lifetime];
    arguments.extend(fields(record));
    arguments.extend(more.iter().map(|&field| field.to_owned()));
    arguments
}

pub(super) fn replace_arguments(version: i64, record: &Record, listed: &str) -> Vec<String> {
    let user_id = record.user_id.clone().unwrap_or_default();
    let mut arguments = vec![version.to_string(), user_id, listed.to_owned()];
    arguments.push(lifetime(record.seen_at, record.expires_at));
    arguments.extend(fields(record));
    arguments
}

pub(super) fn touch_arguments(seen_at: i64, expires_at: i64) -> [String; 3] {
    let lifetime = lifetime(seen_at, expires_at);
    [seen_at.to_string(), expires_at.to_string(), lifetime]
}

impl RedisStore {
    /// Stores a record, and returns `false` if its key is taken.
    pub(super) fn create(
        &self,
        record: &Record,
        lifetime: String,
        more: &[&str],
    ) -> Result<bool, Error> {
        let (name, arguments) = (
            self.name(&record.key),
            create_arguments(record, lifetime, more),
        );
        self.write(&name, |connection| {
            CREATE.run(connection, &name, &arguments)
        })
    }

    /// Deletes the record if it meets the conditions, and returns its user.
    fn remove(
        &self,
        idempotent: Idempotent,
        key: &Key,
        only: &Only<'_>,
    ) -> Result<Option<String>, Error> {
        let number = |number: Option<i64>| number.map_or_else(String::new, |it| it.to_string());
        let arguments = [
            number(only.version),
            only.user_id.unwrap_or_default().to_owned(),
            number(only.expired_at),
        ];
        let name = self.name(key);
        self.nodes.run(&name, idempotent, |connection| {
            REMOVE.run(connection, &name, &arguments[..])
        })
    }

    /// Deletes a record and its key in the user's set, and returns `true` if there was one.
    pub(super) fn end(&self, key: &Key, only: &Only<'_>) -> Result<bool, Error> {
        let Some(user_id) = self.remove(Idempotent::Yes, key, only)? else {
            return Ok(false);
        };
        self.strike(&user_id, key)?;
        Ok(true)
    }

    pub(super) fn replace(&self, version: i64, record: &Record) -> Result<Updated, Error> {
        let name = self.name(&record.key);
        let user_id = record.user_id.as_deref().unwrap_or_default();
        for listed in ["0", "1"] {
            let arguments = replace_arguments(version, record, listed);
            let (outcome, before): (String, String) = self.write(&name, |connection| {
                REPLACE.run(connection, &name, &arguments)
            })?;
            match outcome.as_str() {
                "done" => {
                    if before != user_id {
                        self.strike(&before, &record.key)?;
                    }
                    return Ok(Updated::Done);
                }
                "unlisted" => self.enlist(record)?,
                _ => break,
            }
        }
        Ok(Updated::Stale)
    }

    /// Moves a record to a new key, which may be in another slot of a cluster. First it stores a pending
    /// record that nobody can read; then it deletes the old one, which decides; then it ends the pending.
    pub(super) fn renew(&self, key: &Key, version: i64, record: &Record) -> Result<Updated, Error> {
        let only = Only {
            version: Some(version),
            ..Only::default()
        };
        self.enlist(record)?;
        let while_pending = lifetime(0, 0);
        if !self.create(record, while_pending, &[PENDING, "1"])? {
            let present = self.load(key, i64::MIN)?;
            let stale = present.is_none_or(|present| present.version != version);
            return Ok(if stale {
                Updated::Stale
            } else {
                Updated::Taken
            });
        }
        let Some(user_id) = self.remove(Idempotent::No, key, &only)? else {
            self.end(&record.key, &Only::default())?;
            return Ok(Updated::Stale);
        };
        let name = self.name(&record.key);
        let lifetime = lifetime(record.seen_at, record.expires_at);
        let shown: bool = self.read(&name, |connection| SHOW.run(connection, &name, &lifetime))?;
        self.strike(&user_id, key)?;
        // If not shown, all sessions of the user were deleted meanwhile, including this one.
        Ok(if shown { Updated::Done } else { Updated::Stale })
    }
}
