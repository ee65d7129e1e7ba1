//! Sessions in the memory of one process.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::error::Error;
use crate::record::Record;
use crate::store::{Inserted, Store, Updated};
use crate::token::Key;

/// A store for tests and for trying things out: everything is gone when the process ends.
///
/// It is also the plainest reading of the [`Store`] contract, against which the other stores are
/// checked.
#[derive(Debug, Default)]
pub struct MemoryStore(Mutex<HashMap<Key, Record>>);

impl MemoryStore {
    /// Makes an empty store.
    pub fn new() -> Self {
        Self::default()
    }

    fn records(&self) -> MutexGuard<'_, HashMap<Key, Record>> {
        // Every verb leaves the map whole, so a panic elsewhere says nothing against it.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn remove_if(&self, doomed: impl Fn(&Record) -> bool) -> u64 {
        let mut records = self.records();
        let before = records.len();
        records.retain(|_, record| !doomed(record));
        (before - records.len()) as u64
    }
}

impl Store for MemoryStore {
    fn load(&self, key: &Key, now: i64) -> Result<Option<Record>, Error> {
        Ok(self
            .records()
            .get(key)
            .filter(|record| record.expires_at > now)
            .cloned())
    }

    fn insert(&self, record: &Record) -> Result<Inserted, Error> {
        let mut records = self.records();
        if records.contains_key(&record.key) {
            return Ok(Inserted::Taken);
        }
        records.insert(record.key.clone(), record.clone());
        Ok(Inserted::Done)
    }

    fn update(&self, key: &Key, version: i64, record: &Record) -> Result<Updated, Error> {
        let mut records = self.records();
        if records
            .get(key)
            .is_none_or(|present| present.version != version)
        {
            return Ok(Updated::Stale);
        }
        if record.key != *key && records.contains_key(&record.key) {
            return Ok(Updated::Taken);
        }
        records.remove(key);
        records.insert(record.key.clone(), record.clone());
        Ok(Updated::Done)
    }

    fn touch(&self, key: &Key, seen_at: i64, expires_at: i64) -> Result<(), Error> {
        let mut records = self.records();
        let older =
            |record: &&mut Record| record.seen_at < seen_at && record.expires_at <= expires_at;
        if let Some(record) = records.get_mut(key).filter(older) {
            record.seen_at = seen_at;
            record.expires_at = expires_at;
        }
        Ok(())
    }

    fn delete(&self, key: &Key) -> Result<bool, Error> {
        Ok(self.records().remove(key).is_some())
    }

    fn list(&self, user_id: &str, now: i64) -> Result<Vec<Record>, Error> {
        let records = self.records();
        let of_user = |record: &&Record| {
            record.user_id.as_deref() == Some(user_id) && record.expires_at > now
        };
        let mut list: Vec<Record> = records.values().filter(of_user).cloned().collect();
        list.sort_by(|a, b| b.seen_at.cmp(&a.seen_at).then_with(|| a.key.cmp(&b.key)));
        Ok(list)
    }

    fn all(&self, now: i64, after: Option<&Key>, limit: u32) -> Result<Vec<Record>, Error> {
        let records = self.records();
        let follows = |record: &&Record| {
            record.expires_at > now && after.is_none_or(|after| record.key > *after)
        };
        let mut all: Vec<Record> = records.values().filter(follows).cloned().collect();
        all.sort_by(|a, b| a.key.cmp(&b.key));
        all.truncate(limit as usize);
        Ok(all)
    }

    fn delete_all(&self, user_id: &str, except: Option<&Key>) -> Result<u64, Error> {
        Ok(self.remove_if(|record| {
            record.user_id.as_deref() == Some(user_id) && Some(&record.key) != except
        }))
    }

    fn sweep(&self, now: i64, limit: u32) -> Result<u64, Error> {
        let mut records = self.records();
        let expired = records.values().filter(|record| record.expires_at <= now);
        let mut expired: Vec<(i64, Key)> = expired
            .map(|record| (record.expires_at, record.key.clone()))
            .collect();
        expired.sort();
        expired.truncate(limit as usize);
        for (_, key) in &expired {
            records.remove(key);
        }
        Ok(expired.len() as u64)
    }

    fn count(&self, now: i64) -> Result<u64, Error> {
        Ok(self
            .records()
            .values()
            .filter(|record| record.expires_at > now)
            .count() as u64)
    }

    fn clear(&self) -> Result<u64, Error> {
        Ok(self.remove_if(|_| true))
    }
}
