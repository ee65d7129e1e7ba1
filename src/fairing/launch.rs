//! The launch: settings are read, the store is opened, made ready and tried.

use std::sync::Arc;

use rocket::{Build, Rocket};

use super::Sessions;
use crate::config::{Config, DatabaseConfig};
use crate::context::{Context, Turns};
use crate::database::Database;
use crate::error::Error;
use crate::store::Store;
use crate::store::logged::Logged;
use crate::store::memory::MemoryStore;
use crate::sweeper::{Sweep, Sweeper};
use crate::threads::Threads;
use crate::token::Token;

impl Sessions {
    pub(super) fn open(&self, rocket: &Rocket<Build>) -> Result<Context, Error> {
        let config = Config::read(rocket.figment())?;
        self.tokens.check()?;
        let entry = match self.store {
            Some(_) => DatabaseConfig::for_a_store(),
            None => DatabaseConfig::read(rocket.figment(), &config.database)?,
        };
        let threads = Threads::start(entry.pool_size, entry.queue, entry.timeout())?;
        let threads = Arc::new(threads);
        let named =
            |error: Error| Error::configuration(format!("databases.{}: {error}", config.database));
        let (database, store) = self.place(&config, &entry, &threads).map_err(named)?;
        let logged = |store: Arc<dyn Store>| match config.log_store {
            true => Arc::new(Logged(store)),
            false => store,
        };
        let swept = database.as_ref().map(Database::apart);
        let swept = logged(swept.unwrap_or_else(|| store.clone()));
        let store = logged(store);
        self.prepare(&config, database.as_ref(), &*store)
            .map_err(|error| {
                named(error).because(
                    "check that it runs, that its url is right, and that its table is there: run its \
                     migrations, or set session.create_table = true",
                )
            })?;
        let (limits, cookie_name) = (
            config.limits(self.schema.clone()),
            config.cookie.full_name(),
        );
        let (tokens, clock) = (self.tokens.clone(), self.clock.clone());
        let sweeper = Sweeper::start(config.sweep_interval().map(|interval| Sweep {
            store: swept,
            clock: clock.clone(),
            interval,
            batch: config.sweep_batch,
        }))?;
        Ok(Context {
            config,
            limits,
            tokens,
            cookie_name,
            database,
            store,
            threads,
            clock,
            turns: Turns::default(),
            sweeper,
        })
    }

    /// Where the sessions are to be kept.
    fn place(
        &self,
        config: &Config,
        entry: &DatabaseConfig,
        threads: &Arc<Threads>,
    ) -> Result<(Option<Database>, Arc<dyn Store>), Error> {
        let elsewhere: Option<Arc<dyn Store>> =
            match (&self.store, entry.url.strip_prefix("memory:")) {
                (Some(store), _) => Some(store.clone()),
                (None, Some(number)) => Some(Arc::new(MemoryStore::configured(number)?)),
                (None, None) => None,
            };
        if let Some(store) = elsewhere {
            if self.user.is_some() {
                log::warn!(
                    "Sessions::with_user has no effect, since the sessions are not in an SQL database of \
                     [default.databases]: Session::user is always None"
                );
            }
            return Ok((None, store));
        }
        if config.migrate && self.migrations.is_none() {
            log::warn!(
                "session.migrate has no effect, since the application gave no migrations to \
                 Sessions::with_migrations"
            );
        }
        let database = Database::open(entry, threads.clone(), config.table()?, self.user)?;
        let store = database.store();
        Ok((Some(database), store))
    }

    /// Finds out now, and not with the first visitor, whether the store can be used.
    fn prepare(
        &self,
        config: &Config,
        database: Option<&Database>,
        store: &dyn Store,
    ) -> Result<(), Error> {
        if let (true, Some(database), Some(migrations)) =
            (config.migrate, database, &self.migrations)
        {
            database.migrate(migrations)?;
        }
        if let (true, Some(database)) = (config.create_table, database) {
            database.create_table()?;
        }
        store.load(&Token::generate()?.key(), 0).map(drop)
    }
}
