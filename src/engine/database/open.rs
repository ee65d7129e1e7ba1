//! Opens a database with the backend that the URL's scheme names.

use std::path::absolute;
use std::sync::Arc;

use diesel::migration::MigrationConnection;
use diesel_migrations::MigrationHarness;

use super::opened::Typed;
use super::{Database, SessionsIn, UserTable, file};
use crate::clock::Clock;
use crate::config::{DatabaseConfig, opened_at};
use crate::engine::threads::Threads;
use crate::error::Error;
use crate::store::pool::{Bounds, Outdated};
use crate::store::sql::DieselStore;
use crate::store::sql::backend::Backend;
#[cfg(feature = "mysql")]
use crate::store::sql::backend::encryption;
use crate::store::sql::pool::{DatabaseFile, SqlConnector, open_to_all};
use crate::store::sql::table::Table;
use crate::store::{Adapter, Store};

impl Database {
    /// Opens the pool for sessions of up to `max_data` bytes. Connections are opened on demand.
    pub(crate) fn open(
        config: &DatabaseConfig,
        threads: Arc<Threads>,
        table: Table,
        user: Option<UserTable>,
        max_data: u64,
    ) -> Result<Self, Error> {
        let (scheme, rest) = config.url.split_once(':').unwrap_or(("", &config.url));
        match scheme {
            #[cfg(feature = "sqlite")]
            "sqlite" => {
                Self::with::<diesel::SqliteConnection>(rest, config, threads, table, user, max_data)
            }
            #[cfg(feature = "mysql")]
            "mysql" | "mariadb" => {
                let url = format!("mysql:{rest}");
                encryption::check(&url)?;
                Self::with::<diesel::MysqlConnection>(&url, config, threads, table, user, max_data)
            }
            #[cfg(feature = "postgres")]
            "postgres" | "postgresql" => Self::with::<diesel::PgConnection>(
                &config.url,
                config,
                threads,
                table,
                user,
                max_data,
            ),
            _ => Err(unusable(scheme, rest)),
        }
    }

    /// Reads and writes the sessions in the format of the application that shares their table.
    pub(crate) fn shared(self, adapter: Arc<dyn Adapter>) -> Self {
        Self {
            store: adapter.adapt(self.store),
            maintenance: adapter.adapt(self.maintenance),
            sessions_in: SessionsIn::SharedTable(adapter),
            ..self
        }
    }

    pub(crate) fn with_clock(self, clock: Arc<Clock>) -> Self {
        Self { clock, ..self }
    }

    /// Uses the database for the application's tables only, since the sessions are in `store`.
    pub(crate) fn beside(self, store: Arc<dyn Store>) -> Self {
        let sessions_in = SessionsIn::AnotherStore;
        Self {
            store,
            sessions_in,
            ..self
        }
    }

    #[cfg(any(feature = "sqlite", feature = "mysql", feature = "postgres"))]
    fn with<C>(
        url: &str,
        config: &DatabaseConfig,
        threads: Arc<Threads>,
        table: Table,
        user: Option<UserTable>,
        max_data: u64,
    ) -> Result<Self, Error>
    where
        C: Backend + MigrationConnection + MigrationHarness<C::Backend>,
    {
        let file = C::file(url);
        if let Some(path) = &file {
            file::check(path, config.makes_file)?;
        }
        SqlConnector::<C>::check(url, &config.bounds(), max_data)?;
        let origin = match &file {
            Some(path) => {
                let path = absolute(path).unwrap_or_else(|_| path.clone());
                let opened = if path.exists() { "opened" } else { "made" };
                let remedy = match open_to_all(&path) {
                    Some((may, mode)) => format!(
                        ", which every account of this machine may {may}; take that away: chmod {mode} {}*",
                        path.display()
                    ),
                    None => String::new(),
                };
                format!("{opened} the database file {}{remedy}", path.display())
            }
            None => opened_at(&config.url),
        };
        let file = DatabaseFile::at(file, url);
        let pool = SqlConnector::<C>::pool_until(threads.outdated(), &file, url, config.bounds());
        let mut store = DieselStore::on(pool.clone()).on_table(table);
        if let Some(user) = user {
            store = store.with_user(user.table, user.key, user.columns);
        }
        if config.statement_cache && !C::ONE_WRITER {
            store = store.with_door(pool.door());
        }
        let one = Bounds {
            size: 1,
            ..config.bounds()
        };
        let maintenance = store.with_pool(SqlConnector::<C>::pool_until(
            &Outdated::default(),
            &file,
            url,
            one,
        ));
        let store = Arc::new(store);
        let opened = Typed {
            pool,
            store: store.clone(),
            keeps_locks: config.statement_cache,
        };
        Ok(Self {
            threads,
            clock: Arc::new(Clock::of_this_machine()),
            origin,
            misread: config.misread.clone(),
            opened: Arc::new(opened),
            store,
            sessions_in: SessionsIn::ThisDatabase,
            maintenance: Arc::new(maintenance),
        })
    }
}

fn unusable(scheme: &str, rest: &str) -> Error {
    let feature = match scheme {
        "sqlite" => "sqlite",
        "mysql" | "mariadb" => "mysql",
        "postgres" | "postgresql" => "postgres",
        "redis" | "rediss" | "redis-cluster" | "rediss-cluster" | "redis-sentinel"
        | "rediss-sentinel" | "redis+sentinel" | "rediss+sentinel" | "redis+unix" | "unix"
        | "valkey" | "valkeys" => "redis",
        _ => {
            // The rest of a URL may hold a password.
            let shown = if scheme.is_empty() { rest } else { scheme };
            return Error::configuration(format!(
                "its url has the unknown scheme {shown:?}; write sqlite:FILE, mysql://…, postgres://…, redis://… or memory:"
            ));
        }
    };
    Error::configuration(format!(
        "its url has the scheme {scheme:?}, which is not compiled in; build with --features {feature}"
    ))
}
