//! An application with its own store: a map here, but any place with compare-and-swap works.
//!
//! `cargo run --example own_store`, then `curl -X POST http://127.0.0.1:8000/visits`.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::ops::Bound::{Excluded, Unbounded};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use rocket::{post, routes};
use rocket_diesel_session::store::{Inserted, Record, Store, Updated};
use rocket_diesel_session::{Error, Key, Session, Sessions};

#[derive(Default)]
struct OwnStore(Mutex<BTreeMap<Key, Record>>);

impl OwnStore {
    fn map(&self) -> MutexGuard<'_, BTreeMap<Key, Record>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Store for OwnStore {
    fn load(&self, key: &Key, now: i64) -> Result<Option<Record>, Error> {
        let found = self.map().get(key).cloned();
        Ok(found.filter(|record| record.expires_at > now))
    }

    fn insert(&self, record: &Record) -> Result<Inserted, Error> {
        let mut map = self.map();
        if map.contains_key(&record.key) {
            return Ok(Inserted::Taken);
        }
        map.insert(record.key.clone(), record.clone());
        Ok(Inserted::Done)
    }

    fn update(&self, key: &Key, version: i64, record: &Record) -> Result<Updated, Error> {
        let mut map = self.map();
        if map.get(key).map(|present| present.version) != Some(version) {
            return Ok(Updated::Stale);
        }
        if record.key != *key && map.contains_key(&record.key) {
            return Ok(Updated::Taken);
        }
        map.remove(key);
        map.insert(record.key.clone(), record.clone());
        Ok(Updated::Done)
    }

    fn touch(&self, key: &Key, seen_at: i64, expires_at: i64) -> Result<(), Error> {
        if let Some(record) = self.map().get_mut(key)
            && record.seen_at < seen_at
            && record.expires_at <= expires_at
        {
            (record.seen_at, record.expires_at) = (seen_at, expires_at);
        }
        Ok(())
    }

    fn delete(&self, key: &Key) -> Result<bool, Error> {
        Ok(self.map().remove(key).is_some())
    }

    fn list(&self, user_id: &str, now: i64) -> Result<Vec<Record>, Error> {
        let mut list = self.all(now, None, u32::MAX)?;
        list.retain(|record| record.user_id.as_deref() == Some(user_id));
        list.sort_by_key(|record| Reverse(record.seen_at));
        Ok(list)
    }

    fn all(&self, now: i64, after: Option<&Key>, limit: u32) -> Result<Vec<Record>, Error> {
        let (map, start) = (self.map(), after.map_or(Unbounded, Excluded));
        let following = map.range((start, Unbounded)).map(|(_, record)| record);
        let live = following.filter(|record| record.expires_at > now);
        Ok(live.take(limit as usize).cloned().collect())
    }

    fn delete_all(&self, user_id: &str, except: Option<&Key>) -> Result<u64, Error> {
        let mut map = self.map();
        let before = map.len();
        map.retain(|key, r| r.user_id.as_deref() != Some(user_id) || Some(key) == except);
        Ok((before - map.len()) as u64)
    }

    fn delete_expired(&self, now: i64, limit: u32) -> Result<u64, Error> {
        let mut map = self.map();
        let mut expired: Vec<_> = map.values().cloned().collect();
        expired.retain(|record| record.expires_at <= now);
        expired.sort_by_key(|record| record.expires_at);
        expired.truncate(limit as usize);
        expired.iter().for_each(|r| drop(map.remove(&r.key)));
        Ok(expired.len() as u64)
    }

    fn count(&self, now: i64) -> Result<u64, Error> {
        Ok(self.all(now, None, u32::MAX)?.len() as u64)
    }

    fn clear(&self) -> Result<u64, Error> {
        Ok(std::mem::take(&mut *self.map()).len() as u64)
    }
}

#[post("/visits")]
fn visits(session: &Session) -> Result<String, Error> {
    Ok(session.update("visits", |n: u64| n + 1)?.to_string())
}

#[rocket::launch]
fn rocket() -> _ {
    // Without the Rocket.toml of this repository, which names a database for the sessions.
    rocket::custom(rocket::Config::default())
        .mount("/", routes![visits])
        .attach(Sessions::fairing().with_store(Arc::new(OwnStore::default())))
}

#[cfg(test)]
mod tests;
