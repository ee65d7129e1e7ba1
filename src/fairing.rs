//! The fairing: opens the store at launch, and saves each session before its response leaves.

use std::sync::Arc;

use chrono::{DateTime, Utc};
use diesel_migrations::EmbeddedMigrations;
use rocket::fairing::{self, Fairing, Info, Kind};
use rocket::{Build, Orbit, Request, Response, Rocket};

use crate::config::{Config, DatabaseConfig};
use crate::context::{Clock, Context, Turns};
use crate::database::{Database, UserTable};
use crate::error::Error;
use crate::store::Store;
use crate::store::memory::MemoryStore;
use crate::threads::Threads;
use crate::token::Token;
use crate::{response, sweeper};

/// Sessions for a Rocket application: attach it, and routes can take [`&Session`](crate::Session).
///
/// Attach it last, so that no other fairing changes the response after the session was saved.
///
/// ```no_run
/// use rocket_diesel_session::Sessions;
///
/// #[rocket::launch]
/// fn rocket() -> _ {
///     rocket::build().attach(Sessions::fairing())
/// }
/// ```
pub struct Sessions {
    store: Option<Arc<dyn Store>>,
    migrations: Option<EmbeddedMigrations>,
    user: Option<UserTable>,
    clock: Clock,
}

impl Sessions {
    /// Reads `[default.session]` and its database from Rocket's configuration.
    ///
    /// The launch stops, with one line that names the key and the remedy, when a setting is wrong
    /// or the database cannot be used.
    pub fn fairing() -> Self {
        Self {
            store: None,
            migrations: None,
            user: None,
            clock: Arc::new(Utc::now),
        }
    }

    /// Keeps the sessions in a store of one's own; no database is opened.
    #[must_use]
    pub fn with_store(mut self, store: Arc<dyn Store>) -> Self {
        self.store = Some(store);
        self
    }

    /// Runs these migrations at launch where `session.migrate` is true.
    #[must_use]
    pub fn with_migrations(mut self, migrations: EmbeddedMigrations) -> Self {
        self.migrations = Some(migrations);
        self
    }

    /// Brings columns of the signed-in user's row along with the session, for
    /// [`Session::user`](crate::Session::user).
    ///
    /// The row is found by the id that was given to [`Session::log_in`](crate::Session::log_in), in
    /// the column `key` of `table`; it costs no further statement. The names must be as SQL takes
    /// them.
    #[must_use]
    pub fn with_user(
        mut self,
        table: &'static str,
        key: &'static str,
        columns: &'static [&'static str],
    ) -> Self {
        self.user = Some(UserTable {
            table,
            key,
            columns,
        });
        self
    }

    /// Takes the time from `clock`, so that a test can let hours pass.
    #[must_use]
    pub fn with_clock(mut self, clock: impl Fn() -> DateTime<Utc> + Send + Sync + 'static) -> Self {
        self.clock = Arc::new(clock);
        self
    }

    fn open(&self, rocket: &Rocket<Build>) -> Result<Context, Error> {
        let config = Config::read(rocket.figment())?;
        let entry = match self.store {
            Some(_) => DatabaseConfig::for_a_store(),
            None => DatabaseConfig::read(rocket.figment(), &config.database)?,
        };
        let threads = Threads::start(entry.pool_size, entry.queue, entry.timeout())?;
        let threads = Arc::new(threads);
        let named =
            |error: Error| Error::configuration(format!("databases.{}: {error}", config.database));
        let (database, store) = self.place(&entry, &threads).map_err(named)?;
        self.prepare(config.migrate, database.as_ref(), &*store)
            .map_err(|error| {
                named(error).because(
                    "check that it runs, that its url is right, and that its migrations have run",
                )
            })?;
        let (limits, cookie_name) = (config.limits(), config.cookie.full_name());
        let clock = self.clock.clone();
        Ok(Context {
            config,
            limits,
            cookie_name,
            database,
            store,
            threads,
            clock,
            turns: Turns::default(),
        })
    }

    /// Where the sessions are to be kept.
    fn place(
        &self,
        entry: &DatabaseConfig,
        threads: &Arc<Threads>,
    ) -> Result<(Option<Database>, Arc<dyn Store>), Error> {
        if let Some(store) = &self.store {
            return Ok((None, store.clone()));
        }
        if entry.url.starts_with("memory:") {
            return Ok((None, Arc::new(MemoryStore::new())));
        }
        let database = Database::open(entry, threads.clone(), self.user)?;
        let store = database.store();
        Ok((Some(database), store))
    }

    /// Finds out now, and not with the first visitor, whether the store can be used.
    fn prepare(
        &self,
        migrate: bool,
        database: Option<&Database>,
        store: &dyn Store,
    ) -> Result<(), Error> {
        if let (true, Some(database), Some(migrations)) = (migrate, database, &self.migrations) {
            database.migrate(migrations)?;
        }
        store.load(&Token::generate()?.key(), 0).map(drop)
    }
}

#[rocket::async_trait]
impl Fairing for Sessions {
    fn info(&self) -> Info {
        Info {
            name: "Sessions",
            kind: Kind::Ignite | Kind::Liftoff | Kind::Response | Kind::Singleton,
        }
    }

    async fn on_ignite(&self, rocket: Rocket<Build>) -> fairing::Result {
        match self.open(&rocket) {
            Ok(context) => Ok(rocket.manage(Arc::new(context))),
            Err(error) => {
                log::error!("{error}");
                Err(rocket)
            }
        }
    }

    async fn on_liftoff(&self, rocket: &Rocket<Orbit>) {
        if let Some(context) = rocket.state::<Arc<Context>>() {
            sweeper::start(context.clone(), rocket.shutdown());
        }
    }

    async fn on_response<'r>(&self, request: &'r Request<'_>, response: &mut Response<'r>) {
        response::finish(request, response).await;
    }
}
