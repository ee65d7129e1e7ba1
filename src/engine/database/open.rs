//! What opens a database: the URL's scheme picks the backend.

use std::fmt;
use std::io;
use std::path::{Path, absolute};
use std::sync::Arc;

use diesel::migration::{Migration, MigrationConnection, MigrationSource};
use diesel_migrations::{EmbeddedMigrations, MigrationHarness};

use super::{Database, Opened, Place, Typed, UserTable};
use crate::clock::Clock;
use crate::config::{DatabaseConfig, opened_at};
use crate::engine::threads::Threads;
use crate::error::{Error, require};
use crate::store::pool::{Bounds, Outdated};
use crate::store::sql::DieselStore;
use crate::store::sql::backend::Backend;
#[cfg(feature = "mysql")]
use crate::store::sql::backend::encryption;
use crate::store::sql::pool::{Connections, DatabaseFile, Manager, open_to_all};
use crate::store::sql::table::Table;
use crate::store::{Adapter, Store};

impl Database {
    /// Opens the pool for sessions of up to `max_data`; connections are made when they are needed.
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

    /// Reads and writes the sessions as another application does that shares their table.
    pub(crate) fn shared(self, adapter: Arc<dyn Adapter>) -> Self {
        Self {
            store: adapter.adapt(self.store),
            apart: adapter.adapt(self.apart),
            place: Place::Shared(adapter),
            ..self
        }
    }

    pub(crate) fn with_clock(self, clock: Arc<Clock>) -> Self {
        Self { clock, ..self }
    }

    /// For the application's own tables alone, since the sessions are in `store`.
    pub(crate) fn beside(self, store: Arc<dyn Store>) -> Self {
        let place = Place::Elsewhere;
        Self {
            store,
            place,
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
            check_file(path, config.makes_file)?;
        }
        Manager::<C>::check(url, &config.bounds(), max_data)?;
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
        let pool = Manager::<C>::pool_until(threads.outdated(), &file, url, config.bounds());
        let mut store = DieselStore::on(pool.clone()).on_table(table);
        if let Some(user) = user {
            store = store.with_user(user.table, user.key, user.columns);
        }
        let one = Bounds {
            size: 1,
            ..config.bounds()
        };
        let apart = store.with_pool(Manager::<C>::pool_until(
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
            place: Place::Here,
            apart: Arc::new(apart),
        })
    }
}

/// Refuses what SQLite could not write, before it makes other files beside it with the same rights.
fn check_file(path: &Path, is_made: bool) -> Result<(), Error> {
    let folder = match path.parent() {
        Some(folder) if folder != Path::new("") => folder,
        _ => Path::new("."),
    };
    require(folder.is_dir(), || {
        format!(
            "the folder {} of its file does not exist; make it, or name another one in its url",
            folder.display()
        )
    })?;
    require(is_made || path.exists(), || {
        format!(
            "its file {} does not exist; check the path in its url, or have the application make it: start it with \
             session.create_table or session.migrate",
            absolute(path).unwrap_or_else(|_| path.to_owned()).display()
        )
    })?;
    let writable = match path.exists() {
        true => writable(path),
        false => Ok(()),
    };
    writable.map_err(|error| {
        Error::configuration(format!(
            "its file {0} cannot be written: {error}; the application needs the right to write it, its folder, \
             and {0}-wal and {0}-shm where they are there",
            path.display()
        ))
    })
}

/// Opens nothing: a process that closes a file gives up all its locks on it, which are SQLite's (POSIX,
/// `fcntl`), and another pool of the application may have the file open.
#[cfg(unix)]
fn writable(path: &Path) -> io::Result<()> {
    if path.is_dir() {
        return Err(io::ErrorKind::IsADirectory.into());
    }
    Ok(rustix::fs::access(path, rustix::fs::Access::WRITE_OK)?)
}

#[cfg(not(unix))]
fn writable(path: &Path) -> io::Result<()> {
    std::fs::OpenOptions::new()
        .append(true)
        .open(path)
        .map(drop)
}

#[cfg(any(feature = "sqlite", feature = "mysql", feature = "postgres"))]
impl<C> Opened for Typed<C>
where
    C: Backend + MigrationHarness<C::Backend>,
{
    fn user(&self, id: &str) -> Result<Option<String>, Error> {
        self.store.user(id)
    }

    fn create_table(&self) -> Result<(), Error> {
        self.store.create_table()
    }

    fn explain(&self, error: Error) -> Error {
        self.store.explain(error)
    }

    fn migrate(&self, migrations: &EmbeddedMigrations) -> Result<(), Error> {
        let failed = |why: &dyn fmt::Display| {
            Error::configuration(format!("the migrations did not run: {why}"))
        };
        let mut connection = self.pool.checkout().map_err(|cause| failed(&cause))?;
        let run = |connection: &mut C| {
            let run = connection.run_pending_migrations(Borrowed(migrations));
            run.map(drop)
        };
        let run = match self.keeps_locks {
            true => connection.exclusively(run),
            false => connection.transact_exclusively(run),
        };
        run.map_err(|cause| failed(&cause))
    }
}

struct Borrowed<'a>(&'a EmbeddedMigrations);

impl<DB: diesel::backend::Backend> MigrationSource<DB> for Borrowed<'_> {
    fn migrations(&self) -> diesel::migration::Result<Vec<Box<dyn Migration<DB>>>> {
        self.0.migrations()
    }
}

fn unusable(scheme: &str, rest: &str) -> Error {
    let feature = match scheme {
        "sqlite" => "sqlite",
        "mysql" | "mariadb" => "mysql",
        "postgres" | "postgresql" => "postgres",
        "redis" | "rediss" | "redis-cluster" | "rediss-cluster" | "redis+unix" | "unix"
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
