//! `Database`: the SQL database of the configuration, its queries and transactions.

#![cfg_attr(
    not(any(feature = "sqlite", feature = "mysql", feature = "postgres")),
    allow(
        dead_code,
        unused_imports,
        unused_variables,
        reason = "without a backend there is nothing to open"
    )
)]

mod file;
mod open;
mod opened;

use std::any::Any;
use std::fmt;
use std::sync::Arc;

use chrono::{DateTime, Utc};
use diesel::QueryResult;
use diesel::result::Error as DieselError;
use diesel_migrations::EmbeddedMigrations;

use self::opened::{Opened, Typed};
use crate::clock::Clock;
use crate::engine::commit::{Commit, Committed};
use crate::engine::threads::{Threads, Waited};
use crate::error::Error;
use crate::store::pool::Idempotent;
use crate::store::sql::backend::Backend;
use crate::store::sql::pool::run;
use crate::store::{Adapter, Store};

/// The SQL database of the application's tables, which also holds the sessions unless they are in
/// another store.
///
/// Take it as a request guard:
///
/// ```no_run
/// # #[cfg(feature = "sqlite")] mod example {
/// use diesel::{QueryResult, RunQueryDsl, SqliteConnection, sql_types::BigInt};
/// use rocket_diesel_session::{Database, Error};
///
/// #[rocket::get("/one")]
/// async fn one(database: &Database) -> Result<String, Error> {
///     let one = database.run(|connection: &mut SqliteConnection| {
///         diesel::select(diesel::dsl::sql::<BigInt>("1")).get_result::<i64>(connection)
///     });
///     Ok(one.await?.to_string())
/// }
/// # }
/// ```
pub struct Database {
    threads: Arc<Threads>,
    clock: Arc<Clock>,
    /// The line for the log about the file or server that was opened or created.
    pub(crate) origin: String,
    /// See [`DatabaseConfig`](crate::config::DatabaseConfig).
    misread: Option<String>,
    opened: Arc<dyn Opened>,
    /// The store of the sessions.
    store: Arc<dyn Store>,
    sessions_in: SessionsIn,
    maintenance: Arc<dyn Store>,
}

/// The place of the sessions, seen from a transaction in this database.
#[derive(Clone)]
enum SessionsIn {
    ThisDatabase,
    /// Here, in a table that another application shares.
    SharedTable(Arc<dyn Adapter>),
    AnotherStore,
}

/// The users' table, and its columns that are loaded with each session.
#[derive(Clone, Copy)]
pub(crate) struct UserTable {
    pub(crate) table: &'static str,
    pub(crate) key: &'static str,
    pub(crate) columns: &'static [&'static str],
}

/// Looks up the row of the user with an id.
pub(crate) type UserLookup = Arc<dyn Fn(&str) -> Result<Option<String>, Error> + Send + Sync>;

impl Database {
    /// Returns what looks up the signed-in user, if the sessions are elsewhere.
    pub(crate) fn user_of(&self) -> Option<UserLookup> {
        matches!(self.sessions_in, SessionsIn::AnotherStore).then(|| {
            let opened = self.opened.clone();
            Arc::new(move |id: &str| opened.user(id)) as _
        })
    }

    /// Checks the names of the users' table with a query for a user who does not exist.
    pub(crate) fn check_users(&self) -> Result<(), Error> {
        let looked = self.opened.user("").map(drop);
        looked.map_err(|error| match error.into_cause::<DieselError>() {
            Ok(cause) => {
                let misread = self.misread(&cause);
                let remedy = misread.unwrap_or_else(|| {
                    "run its migrations, attach the sessions after the fairing that runs them, or name a table, its \
                     key and its columns as they are called there"
                        .to_owned()
                });
                Error::configuration(format!(
                    "Sessions::with_user cannot be used: {cause}; {remedy}"
                ))
            }
            Err(error) => error,
        })
    }

    /// Returns why a table is missing, if Rocket's own pools open another file for the same URL.
    pub(crate) fn misread(&self, error: &dyn fmt::Display) -> Option<String> {
        let misread = self.misread.as_ref();
        let misread = misread.filter(|_| error.to_string().contains("no such table"));
        misread.map(|misread| format!("it is likely in another file: {misread}"))
    }

    pub(crate) fn store(&self) -> Arc<dyn Store> {
        self.store.clone()
    }

    /// Returns the store on the maintenance connection, for work outside requests.
    pub(crate) fn maintenance(&self) -> Arc<dyn Store> {
        self.maintenance.clone()
    }

    /// Runs the migrations, and keeps other nodes from running them at the same time. Blocks.
    pub(crate) fn migrate(&self, migrations: &EmbeddedMigrations) -> Result<(), Error> {
        self.opened.migrate(migrations)
    }

    /// Makes the sessions table where there is none and one is needed; blocks.
    pub(crate) fn create_table(&self) -> Result<(), Error> {
        match self.sessions_in {
            SessionsIn::AnotherStore => Ok(()),
            _ => self.opened.create_table(),
        }
    }

    /// Returns the reason for an error of the sessions table, if it lacks columns; blocks.
    pub(crate) fn explain(&self, error: Error) -> Error {
        match self.sessions_in {
            SessionsIn::AnotherStore => error,
            _ => self.opened.explain(error),
        }
    }

    /// Returns the SQL statements that give the sessions table what this version needs: columns, their types and
    /// NULL, and indexes. It returns none if nothing is missing, and none for a table that another application defines.
    ///
    /// ```no_run
    /// use rocket_diesel_session::{Database, Error};
    ///
    /// async fn report(database: &Database) -> Result<(), Error> {
    ///     for statement in database.alterations().await? {
    ///         println!("{statement};");
    ///     }
    ///     Ok(())
    /// }
    /// ```
    pub async fn alterations(&self) -> Result<Vec<String>, Error> {
        if let SessionsIn::AnotherStore = self.sessions_in {
            return Ok(Vec::new());
        }
        let opened = self.opened.clone();
        self.threads
            .ask(&Waited::default(), move || opened.alterations())
            .await
    }

    /// Returns the time by which sessions expire: the clock of the store's server, or of this machine
    /// if the store has none.
    ///
    /// ```
    /// # use rocket_diesel_session::Database;
    /// /// A time for a column of the application's tables, in Unix milliseconds.
    /// fn created_at(database: &Database) -> i64 {
    ///     database.now().timestamp_millis()
    /// }
    /// ```
    pub fn now(&self) -> DateTime<Utc> {
        self.clock.now()
    }

    /// Returns `true` if its connections are of the type `C`.
    ///
    /// ```
    /// # #[cfg(feature = "sqlite")] mod example {
    /// use diesel::SqliteConnection;
    /// use rocket_diesel_session::Database;
    ///
    /// fn like(database: &Database) -> &'static str {
    ///     match database.is::<SqliteConnection>() {
    ///         true => "LIKE",
    ///         false => "ILIKE",
    ///     }
    /// }
    /// # }
    /// ```
    pub fn is<C: Backend>(&self) -> bool {
        self.typed::<C>().is_ok()
    }

    /// Runs `work` with a connection, on one of the store threads.
    ///
    /// `work` runs again only if the database says that it did not happen, as after a deadlock. So it
    /// borrows what it captured, as `&name` below, and several statements belong in
    /// [`transaction`](diesel::Connection::transaction).
    ///
    /// # Errors
    ///
    /// Diesel's error becomes an [`Error`], whose [`source`](std::error::Error::source) it is:
    /// - [`Unavailable`](crate::ErrorKind::Unavailable), which responds with 503, for a violated
    ///   constraint and for `NotFound`, too;
    /// - [`TooLarge`](crate::ErrorKind::TooLarge) for a value that the database does not take;
    /// - [`RolledBack`](crate::ErrorKind::RolledBack), without a source, for `RollbackTransaction`.
    ///
    /// Fails as unavailable, too, when no connection is free in time, and when the connections are of
    /// another type than `C`.
    ///
    /// So `work` answers a value for each error of Diesel that the application expects:
    ///
    /// ```
    /// # #[cfg(feature = "sqlite")] mod example {
    /// use diesel::prelude::*;
    /// use diesel::result::{DatabaseErrorKind::UniqueViolation, Error::DatabaseError};
    /// use rocket_diesel_session::{Database, Error};
    ///
    /// diesel::table! {
    ///     users {
    ///         id -> BigInt,
    ///         name -> Text,
    ///     }
    /// }
    ///
    /// /// Adds a user; returns `None` if the name is taken.
    /// async fn register(database: &Database, name: String) -> Result<Option<usize>, Error> {
    ///     let insert = move |connection: &mut SqliteConnection| {
    ///         let row = diesel::insert_into(users::table).values(users::name.eq(&name));
    ///         match row.execute(connection) {
    ///             Err(DatabaseError(UniqueViolation, _)) => Ok(None),
    ///             inserted => inserted.map(Some),
    ///         }
    ///     };
    ///     database.run(insert).await
    /// }
    /// # }
    /// ```
    pub async fn run<C, T, F>(&self, work: F) -> Result<T, Error>
    where
        C: Backend,
        T: Send + 'static,
        F: Fn(&mut C) -> QueryResult<T> + Send + 'static,
    {
        let pool = self.typed::<C>()?.pool.clone();
        self.threads
            .ask(&Waited::default(), move || run(&pool, Idempotent::No, work))
            .await
    }

    /// Runs `work` and the plan for a session in one transaction.
    pub(crate) async fn transaction<C, T, F>(
        &self,
        waited: &Waited,
        work: F,
        commit: Arc<Commit>,
    ) -> Result<(T, Committed), Error>
    where
        C: Backend,
        T: Send + 'static,
        F: Fn(&mut C) -> QueryResult<T> + Send + 'static,
    {
        let store = self.typed::<C>()?.store.clone();
        let (everything, sessions_in) = (self.store.clone(), self.sessions_in.clone());
        let work = move || {
            let (value, mut committed) = store.transaction(work, |texts| {
                let committed = match sessions_in.clone() {
                    SessionsIn::ThisDatabase => commit.run(texts, false),
                    SessionsIn::SharedTable(adapter) => {
                        commit.run(&*adapter.adapt_within(texts), false)
                    }
                    SessionsIn::AnotherStore => commit.run(&*everything, false),
                };
                match committed? {
                    Committed::Gone => Err(Error::gone()),
                    committed => Ok(committed),
                }
            })?;
            // The transaction does not see what others have stored meanwhile.
            commit.limit(&*everything, &mut committed);
            Ok((value, committed))
        };
        self.threads.ask(waited, work).await
    }
}

impl Database {
    fn typed<C: Backend>(&self) -> Result<&Typed<C>, Error> {
        let opened: &dyn Any = &*self.opened;
        opened.downcast_ref().ok_or_else(|| {
            Error::unavailable(format!(
                "the configured database has no {}",
                std::any::type_name::<C>()
            ))
        })
    }
}

impl fmt::Debug for Database {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Database(..)")
    }
}
