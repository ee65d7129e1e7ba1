//! A store in the memory of one process.

use std::collections::HashMap;
use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::error::{Error, require};
use crate::record::Record;
use crate::store::{Inserted, Store, Updated};
use crate::token::Key;

const DEFAULT_LIMIT: usize = 100_000;

/// A store for tests and trials: its records end with the process.
///
/// It is bounded. In a full store, a new record replaces expired ones and never a live one.
///
/// It is the simplest implementation of [`Store`], and the tests compare the other stores with it.
pub struct MemoryStore {
    records: Mutex<HashMap<Key, Record>>,
    limit: usize,
}

impl Default for MemoryStore {
    fn default() -> Self {
        Self::with_limit(DEFAULT_LIMIT)
    }
}

impl MemoryStore {
    /// Returns an empty store for up to 100,000 records.
    pub fn new() -> Self {
        Self::default()
    }

    /// Returns an empty store for up to `limit` records; one more insert fails as unavailable.
    pub fn with_limit(limit: usize) -> Self {
        let records = Mutex::default();
        Self { records, limit }
    }

    /// Returns the store of a URL; `number` is the part after its scheme: nothing, or the limit.
    pub(crate) fn configured(number: &str) -> Result<Self, Error> {
        let limit = match number {
            "" => DEFAULT_LIMIT,
            _ => number.parse().unwrap_or_default(),
        };
        require((1..=10_000_000).contains(&limit), || {
            format!(
                "its url is \"memory:{number}\"; write memory: or memory:N with N from 1 to 10000000 \
                 sessions"
            )
        })?;
        Ok(Self::with_limit(limit))
    }

    fn records(&self) -> MutexGuard<'_, HashMap<Key, Record>> {
        // Every verb leaves the map whole, so it stays usable after a panic elsewhere.
        self.records.lock().unwrap_or_else(PoisonError::into_inner)
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
        if records.len() >= self.limit {
            records.retain(|_, present| present.expires_at > record.seen_at);
        }
        if records.len() >= self.limit {
            return Err(Error::unavailable(format!(
                "the memory store is full with {} sessions; allow for more (memory:N, or \
                 MemoryStore::with_limit), or keep them in a database",
                self.limit
            )));
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

    fn delete_expired(&self, now: i64, limit: u32) -> Result<u64, Error> {
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

impl fmt::Debug for MemoryStore {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "MemoryStore({})", self.limit)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::contract;

    fn insert(store: &MemoryStore, seen_at: i64, expires_at: i64) -> Result<Record, Error> {
        let record = Record {
            seen_at,
            expires_at,
            ..contract::record()
        };
        store.insert(&record).map(|_| record)
    }

    #[test]
    fn expired_records_make_room_and_live_ones_never() {
        let store = MemoryStore::with_limit(3);
        insert(&store, 0, 10).unwrap();
        let kept = [(0, 11), (0, 12), (10, 20)]
            .map(|(seen_at, expires_at)| insert(&store, seen_at, expires_at).unwrap());
        assert_eq!(store.count(i64::MIN).unwrap(), 3, "the first one made room");
        let error = insert(&store, 10, 20).unwrap_err();
        assert_eq!(error.kind(), crate::ErrorKind::Unavailable);
        assert!(
            error
                .to_string()
                .contains("full with 3 sessions; allow for more (memory:N")
        );
        for record in &kept {
            assert_eq!(store.load(&record.key, 10).unwrap().as_ref(), Some(record));
        }
        assert_eq!(store.insert(&kept[0]).unwrap(), Inserted::Taken, "as ever");
        let (key, version) = (&kept[0].key, kept[0].version);
        assert_eq!(store.update(key, version, &kept[0]).unwrap(), Updated::Done);
        store.delete(&kept[0].key).unwrap();
        insert(&store, 10, 20).unwrap();
    }

    #[test]
    fn the_contract_holds_in_a_small_store() {
        contract::check(&MemoryStore::with_limit(100));
    }

    #[test]
    fn by_default_there_is_a_limit() {
        for store in [MemoryStore::new(), MemoryStore::configured("").unwrap()] {
            assert_eq!(store.limit, 100_000);
        }
        assert_eq!(MemoryStore::configured("5000").unwrap().limit, 5_000);
    }
}
