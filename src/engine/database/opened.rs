//! The parts of a database that depend on the type of its connections: the pool, the store, the migrations.

use std::any::Any;
use std::fmt;
use std::sync::Arc;

use diesel::migration::{Migration, MigrationSource};
use diesel_migrations::{EmbeddedMigrations, MigrationHarness};

use crate::error::Error;
use crate::store::sql::DieselStore;
use crate::store::sql::backend::Backend;
use crate::store::sql::pool::{ConnectionSource, Renewed};

/// The beginning of the line for the log about a migration, before its version.
const MIGRATED: &str = "ran the migration ";

/// A [`Typed`] database without the type of its connections.
pub(super) trait Opened: Any + Send + Sync {
    /// Looks up a user's row by the user's id.
    fn user(&self, id: &str) -> Result<Option<String>, Error>;

    fn create_table(&self) -> Result<(), Error>;

    /// Returns the reason for an error of the sessions table, if it lacks columns.
    fn explain(&self, error: Error) -> Error;

    /// Returns the statements that give the sessions table what this version needs.
    fn alterations(&self) -> Result<Vec<String>, Error>;

    fn migrate(&self, migrations: &EmbeddedMigrations) -> Result<(), Error>;
}

/// A database with the type of its connections.
pub(super) struct Typed<C: Backend> {
    pub(super) pool: Renewed<C>,
    pub(super) store: Arc<DieselStore<C>>,
    /// `true` if a lock lasts from one statement to the next.
    pub(super) keeps_locks: bool,
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

    fn alterations(&self) -> Result<Vec<String>, Error> {
        self.store.alterations()
    }

    fn migrate(&self, migrations: &EmbeddedMigrations) -> Result<(), Error> {
        let failed = |why: &dyn fmt::Display| {
            Error::configuration(format!("the migrations did not run: {why}"))
        };
        let mut connection = self.pool.checkout().map_err(|cause| failed(&cause))?;
        let run = |connection: &mut C| {
            let run = connection.run_pending_migrations(BorrowedMigrations(migrations));
            for version in run? {
                log::info!("{MIGRATED}{version}");
            }
            Ok(())
        };
        let run = match self.keeps_locks {
            true => connection.exclusively(run),
            false => connection.transact_exclusively(run),
        };
        run.map_err(|cause| failed(&cause))
    }
}

struct BorrowedMigrations<'a>(&'a EmbeddedMigrations);

impl<DB: diesel::backend::Backend> MigrationSource<DB> for BorrowedMigrations<'_> {
    fn migrations(&self) -> diesel::migration::Result<Vec<Box<dyn Migration<DB>>>> {
        self.0.migrations()
    }
}
