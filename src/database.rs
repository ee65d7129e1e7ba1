//! An SQL database as the configuration names it: the URL's scheme picks the backend.

#![cfg_attr(
    not(any(feature = "sqlite", feature = "mysql", feature = "postgres")),
    allow(
        dead_code,
        unused_imports,
        unused_variables,
        reason = "without a backend there is nothing to open"
    )
)]

use std::any::Any;
use std::fmt;
use std::sync::Arc;

use diesel::QueryResult;
use diesel::migration::{Migration, MigrationConnection, MigrationSource};
use diesel_migrations::{EmbeddedMigrations, MigrationHarness};

use crate::backend::Backend;
use crate::commit::{Commit, Committed};
use crate::config::DatabaseConfig;
use crate::error::{Error, require};
use crate::express::Format;
use crate::pool::{Bounds, Connections, Manager, Repeat, run};
use crate::store::Store;
use crate::store::diesel::DieselStore;
use crate::store::diesel::statement::Execute;
use crate::store::diesel::transaction::Within;
use crate::store::express::ExpressStore;
use crate::store::table::Table;
use crate::threads::{Threads, Waited};

/// The database of the application's own tables, which also holds the sessions unless they are in
/// Redis.
///
/// A request guard hands it out, where there is one:
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
    /// An [`Opened`].
    opened: Box<dyn Any + Send + Sync>,
    /// Where the sessions are.
    store: Arc<dyn Store>,
    place: Place,
    apart: Arc<dyn Store>,
    user: Arc<UserOf>,
    create_table: Box<dyn Fn() -> Result<(), Error> + Send + Sync>,
    migrate: fn(&dyn Any, &EmbeddedMigrations) -> Result<(), Error>,
}

/// Looks up a user's row by the user's id.
pub(crate) type UserOf = dyn Fn(&str) -> Result<Option<String>, Error> + Send + Sync;

/// Where the sessions are, seen from a transaction in this database.
#[derive(Clone)]
enum Place {
    Here,
    /// Here, in a table that an Express application shares.
    WithExpress(Arc<Format>),
    Elsewhere,
}

/// What is known of a database together with its connections' type.
struct Opened<C: Backend> {
    pool: r2d2::Pool<Manager<C>>,
    store: Arc<DieselStore<C>>,
    within: Within<C>,
}

/// Which columns of the application's users come along with each session.
#[derive(Clone, Copy)]
pub(crate) struct UserTable {
    pub(crate) table: &'static str,
    pub(crate) key: &'static str,
    pub(crate) columns: &'static [&'static str],
}

impl Database {
    /// Opens the pool; connections are made when they are needed.
    pub(crate) fn open(
        config: &DatabaseConfig,
        threads: Arc<Threads>,
        table: Table,
        user: Option<UserTable>,
    ) -> Result<Self, Error> {
        let (scheme, rest) = config.url.split_once(':').unwrap_or(("", &config.url));
        require(
            !table.is_of_express() || ["mysql", "mariadb"].contains(&scheme),
            || {
                format!(
                    "its url has the scheme {scheme:?}, and session.format is \"express\"; an Express application \
                 shares its sessions in mysql://… (express-mysql-session) or redis://… (connect-redis)"
                )
            },
        )?;
        match scheme {
            #[cfg(feature = "sqlite")]
            "sqlite" => {
                let path = rest.strip_prefix("//").unwrap_or(rest);
                Self::with::<diesel::SqliteConnection>(path, config, threads, table, user)
            }
            #[cfg(feature = "mysql")]
            "mysql" | "mariadb" => {
                let url = format!("mysql:{rest}");
                Self::with::<diesel::MysqlConnection>(&url, config, threads, table, user)
            }
            #[cfg(feature = "postgres")]
            "postgres" | "postgresql" => {
                Self::with::<diesel::PgConnection>(&config.url, config, threads, table, user)
            }
            _ => Err(unusable(scheme, rest)),
        }
    }

    /// Reads and writes the sessions as an Express application does that shares their table.
    pub(crate) fn shared_with_express(self, format: Arc<Format>) -> Self {
        let shared = |texts| {
            let format = format.clone();
            Arc::new(ExpressStore { texts, format })
        };
        Self {
            store: shared(self.store),
            apart: shared(self.apart),
            place: Place::WithExpress(format),
            ..self
        }
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

    /// What looks up the signed-in user, where that cannot be done together with the session.
    pub(crate) fn user_of(&self) -> Option<Arc<UserOf>> {
        matches!(self.place, Place::Elsewhere).then(|| self.user.clone())
    }

    #[cfg(any(feature = "sqlite", feature = "mysql", feature = "postgres"))]
    fn with<C>(
        url: &str,
        config: &DatabaseConfig,
        threads: Arc<Threads>,
        table: Table,
        user: Option<UserTable>,
    ) -> Result<Self, Error>
    where
        C: Execute + MigrationConnection + MigrationHarness<C::Backend>,
    {
        let pool = Manager::<C>::pool(url, &config.bounds());
        let mut store = DieselStore::on(pool.clone()).on_table(table);
        if let Some(user) = user {
            store = store.with_user(user.table, user.key, user.columns);
        }
        let one = Bounds {
            size: 1,
            ..config.bounds()
        };
        let apart = store.apart(Manager::<C>::pool(url, &one));
        let store = Arc::new(store);
        let (own, with_user) = (store.clone(), store.clone());
        let opened = Opened {
            pool,
            store: store.clone(),
            within: DieselStore::within,
        };
        Ok(Self {
            threads,
            opened: Box::new(opened),
            store,
            place: Place::Here,
            apart: Arc::new(apart),
            user: Arc::new(move |user_id| with_user.user(user_id)),
            create_table: Box::new(move || own.create_table()),
            migrate: migrate::<C>,
        })
    }

    pub(crate) fn store(&self) -> Arc<dyn Store> {
        self.store.clone()
    }

    /// The same store, with a connection of its own for work that is not a request's.
    pub(crate) fn apart(&self) -> Arc<dyn Store> {
        self.apart.clone()
    }

    /// Brings the tables up to date; blocks, and keeps other nodes from doing the same meanwhile.
    pub(crate) fn migrate(&self, migrations: &EmbeddedMigrations) -> Result<(), Error> {
        (self.migrate)(&*self.opened, migrations)
    }

    /// Makes the sessions table where there is none and one is needed; blocks.
    pub(crate) fn create_table(&self) -> Result<(), Error> {
        match self.place {
            Place::Elsewhere => Ok(()),
            _ => (self.create_table)(),
        }
    }

    /// Whether its connections are of the type `C`.
    pub fn speaks<C: Backend>(&self) -> bool {
        self.opened.is::<Opened<C>>()
    }

    /// Does `work` on a connection, on one of the store threads.
    ///
    /// It is done again only when the database says that it did not happen, as after a deadlock.
    /// Fails as unavailable when the connections are of another type than `C`.
    pub async fn run<C, T, F>(&self, work: F) -> Result<T, Error>
    where
        C: Backend,
        T: Send + 'static,
        F: Fn(&mut C) -> QueryResult<T> + Send + 'static,
    {
        let pool = opened::<C>(&*self.opened)?.pool.clone();
        self.threads
            .ask(&Waited::default(), move || {
                run(&pool, Repeat::Harmful, work)
            })
            .await
    }

    /// Does `work` and carries out a plan for a session, in one transaction.
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
        let Opened { store, within, .. } = opened::<C>(&*self.opened)?;
        let (store, within) = (store.clone(), *within);
        let (everything, place) = (self.store.clone(), self.place.clone());
        let work = move || {
            let saved = store.transaction(within, work, |texts| {
                let committed = match place.clone() {
                    Place::Here => commit.run(texts),
                    Place::WithExpress(format) => commit.run(&ExpressStore { texts, format }),
                    Place::Elsewhere => commit.run(&*everything),
                };
                match committed? {
                    Committed::Gone => Err(Error::gone()),
                    committed => Ok(committed),
                }
            })?;
            // What others have stored meanwhile is seen after the transaction only.
            commit.limit(&*everything);
            Ok(saved)
        };
        self.threads.ask(waited, work).await
    }
}

impl fmt::Debug for Database {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Database(..)")
    }
}

fn opened<C: Backend>(opened: &dyn Any) -> Result<&Opened<C>, Error> {
    opened.downcast_ref().ok_or_else(|| {
        Error::unavailable(format!(
            "the configured database has no {}",
            std::any::type_name::<C>()
        ))
    })
}

fn migrate<C>(database: &dyn Any, migrations: &EmbeddedMigrations) -> Result<(), Error>
where
    C: Backend + MigrationHarness<C::Backend>,
{
    let failed =
        |why: &dyn fmt::Display| Error::configuration(format!("the migrations did not run: {why}"));
    let mut connection = opened::<C>(database)?
        .pool
        .checkout()
        .map_err(|cause| failed(&cause))?;
    connection
        .exclusively(|connection| {
            connection
                .run_pending_migrations(Borrowed(migrations))
                .map(drop)
        })
        .map_err(|cause| failed(&cause))
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
        "redis" | "rediss" | "redis-cluster" | "rediss-cluster" => "redis",
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
