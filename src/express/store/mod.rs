//! A store that translates between records and the session texts of Express.

use std::cmp::Reverse;
use std::ops::Deref;
use std::sync::Arc;

use crate::error::Error;
use crate::express::Format;
use crate::record::Record;
use crate::store::{Adapter, Gathers, Inserted, Loaded, Store, Updated};
use crate::token::Key;

/// Keeps records as texts of Express in the store `texts`.
pub(crate) struct ExpressStore<S> {
    pub(crate) texts: S,
    pub(crate) format: Arc<Format>,
}

impl<S> ExpressStore<S> {
    fn records(&self, texts: Vec<Record>, now: i64) -> Vec<Record> {
        let read = |text| self.format.read(text, now);
        texts.into_iter().filter_map(read).collect()
    }
}

impl Adapter for Arc<Format> {
    fn adapt(&self, texts: Arc<dyn Store>) -> Arc<dyn Store> {
        let format = self.clone();
        Arc::new(ExpressStore { texts, format })
    }

    fn adapt_within<'s>(&self, texts: &'s dyn Store) -> Box<dyn Store + 's> {
        let format = self.clone();
        Box::new(ExpressStore { texts, format })
    }

    #[cfg(feature = "redis")]
    fn user_of(&self, data: &str) -> Option<String> {
        self.user_path.user_of(data)
    }
}

impl<S> Store for ExpressStore<S>
where
    S: Deref + Send + Sync,
    S::Target: Store,
{
    fn load(&self, key: &Key, now: i64) -> Result<Option<Record>, Error> {
        let text = self.texts.load(key, now)?;
        Ok(text.and_then(|text| self.format.read(text, now)))
    }

    fn load_with_user(&self, key: &Key, now: i64) -> Result<Loaded, Error> {
        let found = self.texts.load_with_user(key, now)?;
        Ok(found.and_then(|(text, user)| Some((self.format.read(text, now)?, user))))
    }

    fn gathers(&self) -> Gathers {
        self.texts.gathers()
    }

    fn load_many(&self, keys: &[&Key], now: i64) -> Vec<Result<Loaded, Error>> {
        let texts = self.texts.load_many(keys, now).into_iter();
        let read = |found: Loaded| {
            let (text, user) = found?;
            Some((self.format.read(text, now)?, user))
        };
        texts.map(|found| found.map(read)).collect()
    }

    fn expiries(&self, keys: &[&Key], now: i64) -> Vec<Result<Option<i64>, Error>> {
        self.texts.expiries(keys, now)
    }

    fn insert(&self, record: &Record) -> Result<Inserted, Error> {
        self.texts.insert(&self.format.write(record)?)
    }

    fn update(&self, key: &Key, version: i64, record: &Record) -> Result<Updated, Error> {
        self.texts.update(key, version, &self.format.write(record)?)
    }

    fn touch(&self, key: &Key, seen_at: i64, expires_at: i64) -> Result<(), Error> {
        self.texts.touch(key, seen_at, expires_at)
    }

    fn delete(&self, key: &Key) -> Result<bool, Error> {
        self.texts.delete(key)
    }

    fn list(&self, user_id: &str, now: i64) -> Result<Vec<Record>, Error> {
        let mut list = self.records(self.texts.list(user_id, now)?, now);
        list.sort_by_key(|record| Reverse(record.seen_at));
        Ok(list)
    }

    fn all(&self, now: i64, after: Option<&Key>, limit: u32) -> Result<Vec<Record>, Error> {
        let (mut all, mut after) = (Vec::new(), after.cloned());
        loop {
            let missing = limit.saturating_sub(all.len() as u32);
            let texts = self.texts.all(now, after.as_ref(), missing)?;
            match texts.last() {
                Some(last) => after = Some(last.key.clone()),
                None => return Ok(all),
            }
            all.extend(self.records(texts, now));
        }
    }

    fn delete_all(&self, user_id: &str, except: Option<&Key>) -> Result<u64, Error> {
        self.texts.delete_all(user_id, except)
    }

    fn delete_expired(&self, now: i64, limit: u32) -> Result<u64, Error> {
        self.texts.delete_expired(now, limit)
    }

    fn first_expiry(&self) -> Result<Option<i64>, Error> {
        self.texts.first_expiry()
    }

    fn count(&self, now: i64) -> Result<u64, Error> {
        self.texts.count(now)
    }

    fn clear(&self) -> Result<u64, Error> {
        self.texts.clear()
    }

    fn time(&self) -> Result<Option<i64>, Error> {
        self.texts.time()
    }
}

#[cfg(all(test, feature = "mysql", feature = "redis"))]
mod tests;
