//! Opens the store: the one that the application gave, one in memory, Redis or an SQL database.

use std::sync::Arc;

use rocket::figment::Figment;

use super::Sessions;
#[cfg(feature = "redis")]
use crate::config::opened_at;
use crate::config::{Config, DatabaseConfig};
use crate::engine::database::Database;
use crate::engine::threads::Threads;
use crate::error::{Error, require};
use crate::state::Limits;
use crate::store::memory::MemoryStore;
#[cfg(feature = "redis")]
use crate::store::redis::{RedisStore, address::is_redis, string_store::StringStore};
use crate::store::sql::table::Table;
use crate::store::{Adapter, Store};

/// The store of the sessions, and the database of the application's tables.
pub(super) struct OpenedStore {
    pub(super) store: Arc<dyn Store>,
    /// The store that expired sessions are deleted from, or `None` if it does so by itself.
    pub(super) cleaned: Option<Arc<dyn Store>>,
    pub(super) database: Option<Database>,
    /// One line for each file or server that was opened or created.
    pub(super) origins: Vec<String>,
}

impl Sessions {
    pub(super) fn open_store(
        &self,
        config: &Config,
        limits: &Limits,
        entry: &DatabaseConfig,
        threads: &Arc<Threads>,
    ) -> Result<OpenedStore, Error> {
        let adapter = config.adapter(limits)?;
        match self.open_without_sql(config, entry, adapter.as_ref())? {
            Some(opened) => Ok(opened),
            None => self.open_database(config, entry, adapter, threads),
        }
    }

    /// Adds the database of `session.users`, if the sessions are not in an SQL database.
    pub(super) fn with_users(
        &self,
        opened: OpenedStore,
        config: &Config,
        figment: &Figment,
        threads: &Arc<Threads>,
    ) -> Result<OpenedStore, Error> {
        let Some(name) = config.users.as_deref() else {
            // Tests of routes may keep the sessions in memory.
            if opened.database.is_none() && self.user.is_some() {
                log::warn!(
                    "Sessions::with_user has no effect, since the sessions are not in an SQL database of \
                     [default.databases] and session.users names none: Session::user is always None"
                );
            }
            return Ok(opened);
        };
        require(opened.database.is_none(), || {
            format!(
                "session.users is {name:?}, but the sessions are in an SQL database, where the users \
                 are looked up; leave it out"
            )
        })?;
        let mut entry = DatabaseConfig::read(figment, name)?;
        entry.makes_file = config.makes_users_file();
        let database = Database::open(&entry, threads.clone(), Table::default(), self.user, 0)
            .map_err(|error| Error::configuration(format!("databases.{name}: {error}")))?;
        let origins = [opened.origins, vec![database.origin.clone()]].concat();
        Ok(OpenedStore {
            database: Some(database.beside(opened.store.clone())),
            origins,
            ..opened
        })
    }

    /// Opens the store unless it is an SQL database.
    fn open_without_sql(
        &self,
        config: &Config,
        entry: &DatabaseConfig,
        adapter: Option<&Arc<dyn Adapter>>,
    ) -> Result<Option<OpenedStore>, Error> {
        let memory = entry.url.strip_prefix("memory:");
        let in_memory =
            || vec!["keeping the sessions in memory, until this process ends".to_owned()];
        let (store, origins): (Arc<dyn Store>, _) = match (&self.store, memory) {
            (Some(store), _) => (store.clone(), Vec::new()),
            (None, Some(number)) => (Arc::new(MemoryStore::configured(number)?), in_memory()),
            (None, None) => {
                let opened = redis(config, entry, adapter)?;
                let is_usable = self.user.is_none() || config.users.is_some();
                require(is_usable || opened.is_none(), || {
                    "Sessions::with_user has no effect on sessions in Redis; name the entry of [default.databases] \
                     that has the users in session.users, or leave the call out"
                        .to_owned()
                })?;
                return Ok(opened);
            }
        };
        config.warn_of_unshared_store();
        Ok(Some(OpenedStore {
            cleaned: Some(store.clone()),
            store,
            database: None,
            origins,
        }))
    }

    fn open_database(
        &self,
        config: &Config,
        entry: &DatabaseConfig,
        adapter: Option<Arc<dyn Adapter>>,
        threads: &Arc<Threads>,
    ) -> Result<OpenedStore, Error> {
        if config.migrate && self.migrations.is_none() {
            log::warn!(
                "session.migrate has no effect, since the application gave no migrations to \
                 Sessions::with_migrations"
            );
        }
        config.check_url(&entry.url)?;
        let max_data = config.max_data.as_u64();
        let mut database =
            Database::open(entry, threads.clone(), config.table()?, self.user, max_data)?;
        if let Some(adapter) = adapter {
            database = database.shared(adapter);
        }
        Ok(OpenedStore {
            store: database.store(),
            cleaned: Some(database.maintenance()),
            origins: vec![database.origin.clone()],
            database: Some(database),
        })
    }
}

#[cfg(feature = "redis")]
fn redis(
    config: &Config,
    entry: &DatabaseConfig,
    adapter: Option<&Arc<dyn Adapter>>,
) -> Result<Option<OpenedStore>, Error> {
    let (scheme, _) = entry.url.split_once(':').unwrap_or_default();
    if !is_redis(scheme) {
        return Ok(None);
    }
    let redis = RedisStore::open(&entry.url, entry.bounds())?.with_prefix(config.prefix());
    redis.check(entry.allow_eviction, config.max_data.as_u64())?;
    let store: Arc<dyn Store> = match adapter {
        None => Arc::new(redis),
        Some(adapter) => {
            let of_text = adapter.clone();
            let user_of = Box::new(move |text: &str| of_text.user_of(text));
            adapter.adapt(Arc::new(StringStore(redis, user_of)))
        }
    };
    Ok(Some(OpenedStore {
        store,
        cleaned: None,
        database: None,
        origins: vec![opened_at(&entry.url)],
    }))
}

#[cfg(not(feature = "redis"))]
fn redis(
    _: &Config,
    _: &DatabaseConfig,
    _: Option<&Arc<dyn Adapter>>,
) -> Result<Option<OpenedStore>, Error> {
    Ok(None)
}
