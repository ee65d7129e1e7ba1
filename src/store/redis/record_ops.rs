//! What is done to one record, each in one step, and a renewal out of them.

use super::RedisStore;
use super::encoding::{PENDING, fields, lifetime};
use super::script::{CREATE, REMOVE, REPLACE, SHOW};
use crate::error::Error;
use crate::record::Record;
use crate::store::pool::Idempotent;
use crate::store::{Store, Updated};
use crate::token::Key;

/// What has to be true of a record that is removed.
#[derive(Default)]
pub(super) struct Only<'a> {
    pub(super) version: Option<i64>,
    pub(super) user_id: Option<&'a str>,
    pub(super) expired_at: Option<i64>,
}

impl RedisStore {
    /// Whether there was no record of this key.
    pub(super) fn create(
        &self,
        record: &Record,
        lifetime: String,
        more: &[&str],
    ) -> Result<bool, Error> {
        let mut arguments = vec![lifetime];
        arguments.extend(fields(record));
        arguments.extend(more.iter().map(|&field| field.to_owned()));
        let name = self.name(&record.key);
        self.write(&name, |connection| {
            CREATE.run(connection, &name, &arguments)
        })
    }

    /// Whose record it was, or `None` if there is none such.
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

    /// Removes a record and takes it out of its user's list; whether there was one such.
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
            let mut arguments = vec![version.to_string(), user_id.to_owned(), listed.to_owned()];
            arguments.push(lifetime(record.seen_at, record.expires_at));
            arguments.extend(fields(record));
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

    /// Old and new key are in different slots of a cluster. So the record first stands under the new
    /// key where nobody sees it; that the old one is removed decides; then the new one is shown.
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
        // If not, somebody has ended the user's sessions meanwhile, this one included.
        Ok(if shown { Updated::Done } else { Updated::Stale })
    }
}
