//! Where the sessions are to be kept: in a store of the application's own, in memory, in Redis or in
//! a database.

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
use crate::store::redis::{RedisStore, address::is_redis, text::TextStore};
use crate::store::sql::table::Table;
use crate::store::{Adapter, Store};

/// Where the sessions are to be kept.
pub(super) struct Place {
    pub(super) store: Arc<dyn Store>,
    /// The same for the cleanup; `None` if nothing has to be deleted.
    pub(super) cleaned: Option<Arc<dyn Store>>,
    pub(super) database: Option<Database>,
    /// Which files and servers were opened or made.
    pub(super) origins: Vec<String>,
}

impl Sessions {
    pub(super) fn place(
        &self,
        config: &Config,
        limits: &Limits,
        entry: &DatabaseConfig,
        threads: &Arc<Threads>,
    ) -> Result<Place, Error> {
        let adapter = config.adapter(limits)?;
        match self.elsewhere(config, entry, adapter.as_ref())? {
            Some(place) => Ok(place),
            None => self.in_database(config, entry, adapter, threads),
        }
    }

    /// Adds the database of the application's own tables, where it is another one.
    pub(super) fn with_users(
        &self,
        place: Place,
        config: &Config,
        figment: &Figment,
        threads: &Arc<Threads>,
    ) -> Result<Place, Error> {
        let Some(name) = config.users.as_deref() else {
            // Tests of routes may keep the sessions in memory.
            if place.database.is_none() && self.user.is_some() {
                log::warn!(
                    "Sessions::with_user has no effect, since the sessions are not in an SQL database of \
                     [default.databases] and session.users names none: Session::user is always None"
                );
            }
            return Ok(place);
        };
        require(place.database.is_none(), || {
            format!(
                "session.users is {name:?}, but the sessions are in a database of SQL, where the users \
                 are looked for; leave it out"
            )
        })?;
        let mut entry = DatabaseConfig::read(figment, name)?;
        entry.makes_file = config.makes_users_file();
        let database = Database::open(&entry, threads.clone(), Table::default(), self.user, 0)
            .map_err(|error| Error::configuration(format!("databases.{name}: {error}")))?;
        let origins = [place.origins, vec![database.origin.clone()]].concat();
        Ok(Place {
            database: Some(database.beside(place.store.clone())),
            origins,
            ..place
        })
    }

    /// A store without an SQL database.
    fn elsewhere(
        &self,
        config: &Config,
        entry: &DatabaseConfig,
        adapter: Option<&Arc<dyn Adapter>>,
    ) -> Result<Option<Place>, Error> {
        let memory = entry.url.strip_prefix("memory:");
        let in_memory =
            || vec!["keeping the sessions in memory, until this process ends".to_owned()];
        let (store, origins): (Arc<dyn Store>, _) = match (&self.store, memory) {
            (Some(store), _) => (store.clone(), Vec::new()),
            (None, Some(number)) => (Arc::new(MemoryStore::configured(number)?), in_memory()),
            (None, None) => {
                let place = redis(config, entry, adapter)?;
                let is_usable = self.user.is_none() || config.users.is_some();
                require(is_usable || place.is_none(), || {
                    "Sessions::with_user has no effect on sessions in Redis; name the entry of [default.databases] \
                     that has the users in session.users, or leave the call out"
                        .to_owned()
                })?;
                return Ok(place);
            }
        };
        config.warn_of_unshared_store();
        Ok(Some(Place {
            cleaned: Some(store.clone()),
            store,
            database: None,
            origins,
        }))
    }

    fn in_database(
        &self,
        config: &Config,
        entry: &DatabaseConfig,
        adapter: Option<Arc<dyn Adapter>>,
        threads: &Arc<Threads>,
    ) -> Result<Place, Error> {
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
        Ok(Place {
            store: database.store(),
            cleaned: Some(database.apart()),
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
) -> Result<Option<Place>, Error> {
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
            adapter.adapt(Arc::new(TextStore(redis, user_of)))
        }
    };
    Ok(Some(Place {
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
) -> Result<Option<Place>, Error> {
    Ok(None)
}
