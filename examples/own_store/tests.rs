//! Tests for authors of stores: the example keeps the contract, and the contract names each broken promise.

#![allow(
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test panics where it fails"
)]

use std::panic::{AssertUnwindSafe, catch_unwind};

use rocket::http::Header;
use rocket::local::blocking::Client;
use rocket_diesel_session::store::{Inserted, MemoryStore, Record, Store, Updated, contract};
use rocket_diesel_session::{Error, Key};

#[test]
fn an_own_store_takes_eighty_lines() {
    contract::check(&super::OwnStore::default());
    let source = include_str!("main.rs");
    let (_, store) = source.split_once("#[derive(Default)]").unwrap();
    let (store, _) = store.split_once("#[post").unwrap();
    let lines = store.lines().filter(|line| !line.is_empty()).count();
    assert!(lines <= 80, "{lines} lines");
}

#[test]
fn an_application_uses_it() {
    let client = Client::untracked(super::rocket()).unwrap();
    let first = client.post("/visits").dispatch();
    let cookie = first.headers().get_one("Set-Cookie").unwrap();
    let pair = cookie.split(';').next().unwrap().to_owned();
    let request = client.post("/visits").header(Header::new("Cookie", pair));
    assert_eq!(request.dispatch().into_string().unwrap(), "2");
}

/// Ways in which a store breaks a promise; matched by [`Flawed`].
const FLAWS: [&str; 28] = [
    "load finds what expired",
    "load forgets the user",
    "insert replaces",
    "update inserts",
    "update ignores the version",
    "update keeps the old key",
    "update takes the key of another",
    "update reads before it writes",
    "touch goes back",
    "touch lets the last use go back",
    "touch changes the version",
    "touch inserts",
    "delete says yes",
    "delete keeps",
    "list ignores case",
    "list forgets expiry",
    "list is oldest first",
    "all ignores its limit",
    "all begins with the last",
    "all forgets expiry",
    "delete_all ignores its exception",
    "delete_all takes other users",
    "delete_expired ignores its limit",
    "delete_expired takes the living",
    "delete_expired takes the newest first",
    "delete_expired counts wrongly",
    "count forgets expiry",
    "clear keeps",
];

/// The memory store with one flaw.
struct Flawed(MemoryStore, &'static str);

impl Flawed {
    fn everything(&self) -> Result<Vec<Record>, Error> {
        self.0.all(i64::MIN, None, u32::MAX)
    }

    /// Whatever its version.
    fn write(&self, key: &Key, record: &Record) -> Result<(), Error> {
        self.0.delete(key)?;
        self.0.insert(record).map(drop)
    }
}

impl Store for Flawed {
    fn load(&self, key: &Key, now: i64) -> Result<Option<Record>, Error> {
        Ok(match self.1 {
            "load finds what expired" => self.0.load(key, i64::MIN)?,
            "load forgets the user" => self
                .0
                .load(key, now)?
                .map(|record| testing::changed!(record, user_id: None)),
            _ => self.0.load(key, now)?,
        })
    }

    fn insert(&self, record: &Record) -> Result<Inserted, Error> {
        if self.1 == "insert replaces" {
            self.0.delete(&record.key)?;
        }
        self.0.insert(record)
    }

    fn update(&self, key: &Key, version: i64, record: &Record) -> Result<Updated, Error> {
        let present = self.0.load(key, i64::MIN)?;
        match (self.1, present) {
            ("update inserts", None) => self.write(key, record)?,
            ("update ignores the version", Some(_)) => self.write(key, record)?,
            ("update reads before it writes", Some(present)) if present.version == version => {
                std::thread::yield_now();
                self.write(key, record)?;
            }
            ("update keeps the old key", Some(old)) if *key != record.key => {
                let updated = self.0.update(key, version, record)?;
                self.0.insert(&old)?;
                return Ok(updated);
            }
            ("update takes the key of another", Some(_)) if *key != record.key => {
                self.0.delete(&record.key)?;
                return self.0.update(key, version, record);
            }
            _ => return self.0.update(key, version, record),
        }
        Ok(Updated::Done)
    }

    fn touch(&self, key: &Key, seen_at: i64, expires_at: i64) -> Result<(), Error> {
        let touched = |record: Record| testing::changed!(record, seen_at, expires_at);
        match (self.1, self.0.load(key, i64::MIN)?) {
            ("touch goes back", Some(record)) => self.write(key, &touched(record)),
            ("touch lets the last use go back", Some(record))
                if record.expires_at <= expires_at =>
            {
                self.write(key, &touched(record))
            }
            ("touch changes the version", Some(record)) if record.seen_at < seen_at => {
                let version = record.version + 1;
                self.write(key, &testing::changed!(touched(record), version))
            }
            ("touch inserts", None) => {
                let key = key.clone();
                self.0
                    .insert(&touched(testing::changed!(contract::record(), key)))
                    .map(drop)
            }
            _ => self.0.touch(key, seen_at, expires_at),
        }
    }

    fn delete(&self, key: &Key) -> Result<bool, Error> {
        match self.1 {
            "delete says yes" => self.0.delete(key).map(|_| true),
            "delete keeps" => Ok(self.0.load(key, i64::MIN)?.is_some()),
            _ => self.0.delete(key),
        }
    }

    fn list(&self, user_id: &str, now: i64) -> Result<Vec<Record>, Error> {
        let mut list = match self.1 {
            "list forgets expiry" => self.0.list(user_id, i64::MIN)?,
            _ => self.0.list(user_id, now)?,
        };
        match self.1 {
            "list ignores case" => {
                let of_user = |record: &Record| {
                    let id = record.user_id.as_deref();
                    id.is_some_and(|id| id.eq_ignore_ascii_case(user_id))
                };
                list = self.0.all(now, None, u32::MAX)?;
                list.retain(of_user);
                list.sort_by_key(|record| -record.seen_at);
            }
            "list is oldest first" => list.reverse(),
            _ => {}
        }
        Ok(list)
    }

    fn all(&self, now: i64, after: Option<&Key>, limit: u32) -> Result<Vec<Record>, Error> {
        match (self.1, after) {
            ("all ignores its limit", _) => self.0.all(now, after, u32::MAX),
            ("all forgets expiry", _) => self.0.all(i64::MIN, after, limit),
            ("all begins with the last", Some(after)) => {
                let mut all = self.0.all(now, None, u32::MAX)?;
                all.retain(|record| record.key >= *after);
                all.truncate(limit as usize);
                Ok(all)
            }
            _ => self.0.all(now, after, limit),
        }
    }

    fn delete_all(&self, user_id: &str, except: Option<&Key>) -> Result<u64, Error> {
        match self.1 {
            "delete_all ignores its exception" => self.0.delete_all(user_id, None),
            "delete_all takes other users" => {
                let count = self.0.delete_all(user_id, except)?;
                for record in self.everything()? {
                    if record.user_id.is_none() {
                        self.0.delete(&record.key)?;
                    }
                }
                Ok(count)
            }
            _ => self.0.delete_all(user_id, except),
        }
    }

    fn delete_expired(&self, now: i64, limit: u32) -> Result<u64, Error> {
        match self.1 {
            "delete_expired ignores its limit" => self.0.delete_expired(now, u32::MAX),
            "delete_expired takes the living" => self.0.delete_expired(i64::MAX, limit),
            "delete_expired takes the newest first" => {
                let mut list = self.everything()?;
                list.retain(|record| record.expires_at <= now);
                list.sort_by_key(|record| -record.expires_at);
                list.truncate(limit as usize);
                for record in &list {
                    self.0.delete(&record.key)?;
                }
                Ok(list.len() as u64)
            }
            "delete_expired counts wrongly" => {
                self.0.delete_expired(now, limit).map(|count| count + 1)
            }
            _ => self.0.delete_expired(now, limit),
        }
    }

    fn count(&self, now: i64) -> Result<u64, Error> {
        match self.1 {
            "count forgets expiry" => self.0.count(i64::MIN),
            _ => self.0.count(now),
        }
    }

    fn clear(&self) -> Result<u64, Error> {
        match self.1 {
            "clear keeps" => Ok(0),
            _ => self.0.clear(),
        }
    }
}

#[test]
fn the_contract_names_the_broken_promise() {
    let passes = |flaw| {
        let store = Flawed(MemoryStore::new(), flaw);
        catch_unwind(AssertUnwindSafe(|| contract::check(&store))).is_ok()
    };
    assert!(passes("none"), "without a flaw it is a store");
    let unnoticed: Vec<_> = FLAWS.into_iter().filter(|flaw| passes(*flaw)).collect();
    assert!(unnoticed.is_empty(), "{unnoticed:?}");
}

#[test]
fn a_broken_promise_has_a_name() {
    for (flaw, promise) in [
        (
            "load finds what expired",
            "a_record_expires_at_the_exact_instant",
        ),
        ("insert replaces", "insert_never_replaces"),
        ("touch goes back", "touch_moves_forward_only"),
        (
            "list ignores case",
            "sessions_of_a_user_are_listed_and_deleted",
        ),
    ] {
        let store = Flawed(MemoryStore::new(), flaw);
        let breaks = |property: &&contract::Property| {
            catch_unwind(AssertUnwindSafe(|| property.check(&store))).is_err()
        };
        let broken = contract::PROPERTIES.iter().filter(breaks);
        let names: Vec<_> = broken.map(contract::Property::name).collect();
        assert!(names.contains(&promise), "{flaw}: {names:?}");
        assert!(
            names.len() < contract::PROPERTIES.len(),
            "{flaw}: {names:?}"
        );
    }
}
