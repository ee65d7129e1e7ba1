//! Sessions in Redis, on one server or in a cluster: a hash for each record, which expires by itself,
//! and a sorted set of keys for each user.

pub(crate) mod address;
mod connection;
mod encoding;
mod many;
mod nodes;
mod record_ops;
mod scan;
mod script;
mod sentinel;
mod server;
pub(crate) mod string_store;
mod tls;
mod user_index;

use std::collections::HashSet;
use std::fmt;

use redis::{Cmd, RedisResult, cmd};

use self::address::Address;
use self::connection::Connection;
use self::encoding::{lifetime, record};
use self::nodes::Nodes;
use self::record_ops::{Only, touch_arguments};
use self::scan::FoundKey;
use self::script::TOUCH;
use crate::error::Error;
use crate::record::Record;
use crate::store::pool::{Bounds, Idempotent};
use crate::store::{Gathers, Inserted, Loaded, Save, Store, Updated};
use crate::token::Key;

/// A store in Redis or Valkey, on one server, in a cluster, or on the primary that sentinels name.
///
/// Needs version 6.2 or later. Records are found under `sessions:` and their key, unless another
/// prefix is chosen.
pub struct RedisStore {
    nodes: Nodes,
    prefix: String,
}

impl RedisStore {
    /// Returns a store with a pool of up to `size` connections. They open when they are needed, and close
    /// after 10 minutes without use.
    ///
    /// `url` is `redis://user:password@host:port/number`, `rediss://…` for TLS, or for a cluster
    /// `redis-cluster://user:password@host:port,host:port` (`rediss-cluster://…`), or for sentinels
    /// `redis-sentinel://user:password@host:port,host:port/service/number` (`rediss-sentinel://…`). With TLS,
    /// `?ssl_ca=FILE` names the only authority whose certificates are accepted.
    ///
    /// # Errors
    ///
    /// Fails if `url` is none of these.
    pub fn connect(url: &str, size: u32) -> Result<Self, Error> {
        Self::open(url, Bounds::of_size(size))
    }

    pub(crate) fn open(url: &str, bounds: Bounds) -> Result<Self, Error> {
        let address = Address::parse(url, bounds.timeout)?;
        Ok(Self {
            nodes: Nodes::new(address, bounds),
            prefix: "sessions".into(),
        })
    }

    /// Sets the prefix of all names in Redis, before a colon, instead of `sessions`.
    #[must_use]
    pub fn with_prefix(mut self, prefix: impl Into<String>) -> Self {
        self.prefix = prefix.into();
        self
    }

    /// Fails if the server may evict sessions, or does not accept `max_data` bytes.
    pub(crate) fn check(&self, allow_eviction: bool, max_data: u64) -> Result<(), Error> {
        let mut nodes = match self.nodes.address.open_each() {
            Err(error) if server::is_forbidden(&error) => {
                log::warn!("{}", server::unchecked("CLUSTER NODES"));
                return Ok(());
            }
            other => other.map_err(|cause| {
                let message =
                    "Redis cannot be reached; check that it runs, and that its url is right";
                Error::unavailable(message).with_source(cause)
            })?,
        };
        let cluster = self.nodes.address.cluster;
        server::check(&mut nodes, cluster, allow_eviction, max_data)
    }

    /// Opens a connection to each server, to scan all records.
    fn each(&self) -> Result<Vec<redis::Connection>, Error> {
        self.nodes.address.open_each().map_err(broken)
    }

    fn read<T>(
        &self,
        name: &str,
        work: impl FnMut(&mut Connection) -> RedisResult<T>,
    ) -> Result<T, Error> {
        self.nodes.run(name, Idempotent::Yes, work)
    }

    fn write<T>(
        &self,
        name: &str,
        work: impl FnMut(&mut Connection) -> RedisResult<T>,
    ) -> Result<T, Error> {
        self.nodes.run(name, Idempotent::No, work)
    }

    fn name(&self, key: &Key) -> String {
        format!("{}:{}", self.prefix, key.as_str())
    }

    fn records(&self) -> Result<Vec<FoundKey>, Error> {
        let prefix = format!("{}:", self.prefix);
        scan::records(&mut self.each()?, &prefix).map_err(broken)
    }

    fn key(&self, name: &str) -> Key {
        Key::from_stored(name[self.prefix.len() + 1..].to_owned())
    }
}

fn fields_of(name: &str) -> Cmd {
    let mut read = cmd("HGETALL");
    read.arg(name);
    read
}

fn broken(cause: redis::RedisError) -> Error {
    Error::unavailable("the Redis command failed").with_source(cause)
}

impl Store for RedisStore {
    fn load(&self, key: &Key, now: i64) -> Result<Option<Record>, Error> {
        let name = self.name(key);
        let fields = self.read(&name, |connection| connection.query(&fields_of(&name)))?;
        Ok(record(key, fields).filter(|record| record.expires_at > now))
    }

    fn gathers(&self) -> Gathers {
        Gathers {
            loads: true,
            saves: true,
        }
    }

    fn load_many(&self, keys: &[&Key], now: i64) -> Vec<Result<Loaded, Error>> {
        match keys {
            [key] if self.is_lone(keys) => vec![self.load_with_user(key, now)],
            _ => self.load_batch(keys, now),
        }
    }

    fn expiries(&self, keys: &[&Key], now: i64) -> Vec<Result<Option<i64>, Error>> {
        self.expiry_batch(keys, now)
    }

    fn save_many(&self, saves: &[&Save]) -> Vec<Result<Updated, Error>> {
        match saves {
            [save] if self.is_lone(saves) => vec![save.on(self)],
            _ => self.save_batch(saves),
        }
    }

    fn insert(&self, record: &Record) -> Result<Inserted, Error> {
        self.enlist(record)?;
        let lifetime = lifetime(record.seen_at, record.expires_at);
        match self.create(record, lifetime, &[])? {
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
        let (name, arguments) = (self.name(key), touch_arguments(seen_at, expires_at));
        self.read(&name, |connection| {
            TOUCH.run(connection, &name, &arguments[..])
        })
    }

    fn delete(&self, key: &Key) -> Result<bool, Error> {
        self.end(key, &Only::default())
    }

    fn list(&self, user_id: &str, now: i64) -> Result<Vec<Record>, Error> {
        let mut list = Vec::new();
        for key in self.listed(user_id)? {
            let record = self.load(&key, now)?;
            list.extend(record.filter(|it| it.user_id.as_deref() == Some(user_id)));
        }
        list.sort_by(|a, b| b.seen_at.cmp(&a.seen_at).then_with(|| a.key.cmp(&b.key)));
        Ok(list)
    }

    fn all(&self, now: i64, after: Option<&Key>, limit: u32) -> Result<Vec<Record>, Error> {
        let live = self.records()?.into_iter().filter(|it| it.expires_at > now);
        let mut keys: Vec<Key> = live.map(|it| self.key(&it.name)).collect();
        keys.retain(|key| after.is_none_or(|after| key > after));
        keys.sort();
        let mut all = Vec::new();
        for key in keys.iter().take(limit as usize) {
            all.extend(self.load(key, now)?);
        }
        Ok(all)
    }

    fn delete_all(&self, user_id: &str, except: Option<&Key>) -> Result<u64, Error> {
        let only = Only {
            user_id: Some(user_id),
            ..Only::default()
        };
        let (mut count, mut before) = (0, HashSet::new());
        // A renewal may move a session from a key that this pass has not reached to one that it has passed.
        // The next pass deletes it there. A pass that meets no new key has missed none.
        loop {
            let mut keys = self.listed(user_id)?;
            keys.retain(|key| Some(key) != except);
            for key in &keys {
                count += u64::from(self.end(key, &only)?);
            }
            if keys.iter().all(|key| before.contains(key)) {
                return Ok(count);
            }
            before = keys.into_iter().collect();
        }
    }

    /// Redis does so by itself a minute after a record has expired.
    fn delete_expired(&self, now: i64, limit: u32) -> Result<u64, Error> {
        let mut expired = self.records()?;
        expired.retain(|it| it.expires_at <= now);
        expired.sort_by_key(|it| it.expires_at);
        let only = Only {
            expired_at: Some(now),
            ..Only::default()
        };
        let mut count = 0;
        for it in expired.iter().take(limit as usize) {
            count += u64::from(self.end(&self.key(&it.name), &only)?);
        }
        Ok(count)
    }

    fn count(&self, now: i64) -> Result<u64, Error> {
        let records = self.records()?;
        Ok(records.iter().filter(|it| it.expires_at > now).count() as u64)
    }

    fn clear(&self) -> Result<u64, Error> {
        let (mut nodes, prefix) = (self.each()?, format!("{}:", self.prefix));
        let count = scan::clear(&mut nodes, &prefix, "hash").map_err(broken)?;
        scan::clear(&mut nodes, &format!("{prefix}of:"), "zset").map_err(broken)?;
        Ok(count)
    }

    fn time(&self) -> Result<Option<i64>, Error> {
        let ask = |connection: &mut Connection| connection.query(&cmd("TIME"));
        let (seconds, micros): (i64, i64) = self.read(&self.prefix, ask)?;
        Ok(Some(seconds * 1_000 + micros / 1_000))
    }
}

impl fmt::Debug for RedisStore {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "RedisStore({:?})", self.prefix)
    }
}
