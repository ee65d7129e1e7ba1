//! Sessions in Redis as connect-redis keeps them: one string each, which expires by itself.
//!
//! Node keeps no index of a user's sessions, so finding them scans all.

use std::collections::BTreeSet;

use redis::{RedisResult, cmd};

use super::script::{READ_TEXT, REMOVE_TEXT, REPLACE_TEXT, TOUCH_TEXT};
use super::{RedisStore, broken, scan};
use crate::error::Error;
use crate::record::Record;
use crate::store::{Gathers, Inserted, Loaded, Store, Updated};
use crate::token::Key;

/// The lifetime that connect-redis gives a text without expiry, in milliseconds.
const DEFAULT_LIFETIME: i64 = 86_400_000;

/// A store of records that have key, version, expiry and text alone.
///
/// The version is the beginning of the text's SHA-1.
pub(crate) struct StringStore(pub(crate) RedisStore, pub(crate) UserOf);

/// Finds the user's id in a text.
pub(crate) type UserOf = Box<dyn Fn(&str) -> Option<String> + Send + Sync>;

impl StringStore {
    fn create(&self, record: &Record) -> Result<bool, Error> {
        let (name, mut set) = (self.0.name(&record.key), cmd("SET"));
        set.arg(&name).arg(&record.data);
        set.arg("NX").arg("EX").arg(seconds(record));
        let set: Option<String> = self.0.write(&name, |connection| connection.query(&set))?;
        Ok(set.is_some())
    }

    /// Moves a text to a new key, which may be in another slot of a cluster. For an instant it stands under
    /// both keys; deleting the old one decides. Nobody knows the new key yet.
    fn renew(&self, key: &Key, version: i64, record: &Record) -> Result<Updated, Error> {
        if !self.create(record)? {
            return Ok(Updated::Taken);
        }
        let (name, version) = (self.0.name(key), hash(version));
        let removed = self.0.write(&name, |connection| {
            REMOVE_TEXT.run(connection, &name, &version)
        })?;
        if removed {
            return Ok(Updated::Done);
        }
        self.delete(&record.key)?;
        Ok(Updated::Stale)
    }

    fn replace(&self, version: i64, record: &Record) -> Result<Updated, Error> {
        let name = self.0.name(&record.key);
        let (version, seconds) = (hash(version), seconds(record).to_string());
        let arguments = [&version, &record.data, &seconds];
        let replaced = self.0.write(&name, |connection| {
            REPLACE_TEXT.run(connection, &name, &arguments[..])
        })?;
        match replaced {
            true => Ok(Updated::Done),
            false => Ok(Updated::Stale),
        }
    }

    /// Returns the keys of all texts.
    fn keys(&self) -> Result<BTreeSet<Key>, Error> {
        let (mut keys, prefix) = (BTreeSet::new(), format!("{}:", self.0.prefix));
        for node in &mut self.0.each()? {
            let walked: RedisResult<()> = scan::walk(node, &prefix, "string", |_, names| {
                keys.extend(names.iter().map(|name| self.0.key(name)));
                Ok(())
            });
            walked.map_err(broken)?;
        }
        Ok(keys)
    }
}

/// Rounds up, as connect-redis does.
fn seconds(record: &Record) -> i64 {
    lifetime(record.seen_at, record.expires_at)
}

fn lifetime(now: i64, end: i64) -> i64 {
    let rest = end.saturating_sub(now).clamp(1, i64::from(u32::MAX) * 1000);
    (rest + 999) / 1000
}

/// A text, its lifetime in milliseconds, and its hash.
type Text = (Vec<u8>, i64, String);

fn record(key: &Key, now: i64, found: Option<Text>) -> Option<Record> {
    let (text, left, hash) = found?;
    let left = if left < 0 { DEFAULT_LIFETIME } else { left };
    Some(Record {
        data: String::from_utf8(text).unwrap_or_default(),
        version: i64::from_str_radix(&hash, 16).unwrap_or_default(),
        expires_at: now.saturating_add(left),
        ..Record::new(key.clone(), 0, 0, 0)
    })
}

fn hash(version: i64) -> String {
    format!("{version:015x}")
}

impl Store for StringStore {
    fn load(&self, key: &Key, now: i64) -> Result<Option<Record>, Error> {
        let name = self.0.name(key);
        let found = self.0.read(&name, |connection| {
            READ_TEXT.run(connection, &name, None::<&str>)
        })?;
        Ok(record(key, now, found))
    }

    fn gathers(&self) -> Gathers {
        Gathers {
            loads: true,
            saves: false,
        }
    }

    fn load_many(&self, keys: &[&Key], now: i64) -> Vec<Result<Loaded, Error>> {
        if self.0.is_lone(keys) {
            return vec![self.load_with_user(keys[0], now)];
        }
        let read = |name: &str| READ_TEXT.call(name, None::<&str>);
        let texts = self.0.read_many(keys, read).into_iter().zip(keys);
        let found =
            texts.map(|(text, key)| Ok(record(key, now, text?).map(|record| (record, None))));
        found.collect()
    }

    fn insert(&self, record: &Record) -> Result<Inserted, Error> {
        match self.create(record)? {
            true => Ok(Inserted::Done),
            false => Ok(Inserted::Taken),
        }
    }

    fn update(&self, key: &Key, version: i64, record: &Record) -> Result<Updated, Error> {
        match record.key == *key {
            true => self.replace(version, record),
            false => self.renew(key, version, record),
        }
    }

    fn touch(&self, key: &Key, seen_at: i64, expires_at: i64) -> Result<(), Error> {
        let (name, seconds) = (self.0.name(key), lifetime(seen_at, expires_at));
        self.0.read(&name, |connection| {
            TOUCH_TEXT.run(connection, &name, seconds)
        })
    }

    fn delete(&self, key: &Key) -> Result<bool, Error> {
        let (name, mut delete) = (self.0.name(key), cmd("DEL"));
        delete.arg(&name);
        self.0.read(&name, |connection| connection.query(&delete))
    }

    fn list(&self, user_id: &str, now: i64) -> Result<Vec<Record>, Error> {
        let mut list = self.all(now, None, u32::MAX)?;
        list.retain(|record| (self.1)(&record.data).as_deref() == Some(user_id));
        Ok(list)
    }

    fn all(&self, now: i64, after: Option<&Key>, limit: u32) -> Result<Vec<Record>, Error> {
        let keys = self.keys()?;
        let follows = |key: &&Key| after.is_none_or(|after| *key > after);
        let mut all = Vec::new();
        for key in keys.iter().filter(follows).take(limit as usize) {
            all.extend(self.load(key, now)?);
        }
        Ok(all)
    }

    fn delete_all(&self, user_id: &str, except: Option<&Key>) -> Result<u64, Error> {
        let mut count = 0;
        // A renewal stores the new text before it deletes the old one, so the next scan finds it.
        loop {
            let mut doomed = self.list(user_id, 0)?;
            doomed.retain(|record| Some(&record.key) != except);
            if doomed.is_empty() {
                return Ok(count);
            }
            for record in doomed {
                count += u64::from(self.delete(&record.key)?);
            }
        }
    }

    /// Redis leaves nothing to clean up.
    fn delete_expired(&self, _now: i64, _limit: u32) -> Result<u64, Error> {
        Ok(0)
    }

    fn count(&self, _now: i64) -> Result<u64, Error> {
        Ok(self.keys()?.len() as u64)
    }

    fn clear(&self) -> Result<u64, Error> {
        let prefix = format!("{}:", self.0.prefix);
        scan::clear(&mut self.0.each()?, &prefix, "string").map_err(broken)
    }

    fn time(&self) -> Result<Option<i64>, Error> {
        self.0.time()
    }
}
