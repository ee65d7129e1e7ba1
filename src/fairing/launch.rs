//! Reads the settings at launch, opens the store and tests it.

use std::sync::Arc;

use rocket::config::LogLevel;
use rocket::figment::Figment;
use rocket::{Build, Rocket};

use super::{Sessions, given};
use crate::config::{Config, DatabaseConfig};
use crate::csrf::exemption;
use crate::engine::cleanup::{Cleanup, CleanupThread};
use crate::engine::context::{Context, Outage};
use crate::engine::database::Database;
use crate::engine::gathering::Gathering;
use crate::engine::readiness::Readiness;
use crate::engine::session_locks::SessionLocks;
use crate::engine::threads::Threads;
use crate::error::{Error, ErrorKind, require};
use crate::events::Events;
use crate::metrics;
use crate::request::local_page::local_page;
use crate::store::Store;
use crate::store::observed::Observed;
use crate::token::Token;

impl Sessions {
    pub(super) fn open(&self, rocket: &Rocket<Build>) -> Result<Context, Error> {
        metrics::register();
        let figment = rocket.figment();
        check_log(figment)?;
        exemption::check(self.protects_from_csrf, &self.csrf_exempt)?;
        for (call, page) in [
            ("with_sign_in_page", self.sign_in_page),
            ("with_confirmation_page", self.confirmation_page),
        ] {
            page.map_or(Ok(()), |page| check_page(call, page))?;
        }
        let config = Config::read(figment)?;
        let limits = config.limits(self.schema.clone());
        self.tokens.check()?;
        self.check_given(&config, figment)?;
        let mut entry = match self.store {
            Some(_) => DatabaseConfig::for_a_store(),
            None => DatabaseConfig::read(figment, &config.database)?,
        };
        entry.makes_file = config.makes_file();
        let threads = Threads::start(entry.pool_size, entry.queue, entry.timeout())?;
        let threads = Arc::new(threads);
        let opened = self
            .open_store(&config, &limits, &entry, &threads)
            .map_err(|error| named(&config.database, error))?;
        let opened = self.with_users(opened, &config, figment, &threads)?;
        let backend = match self.store {
            Some(_) => "with_store",
            None => entry.url.split(':').next().unwrap_or_default(),
        };
        let observed = |store| Observed::around(store, backend, config.log_store);
        let (store, database) = (observed(opened.store), opened.database);
        self.prepare(&config, database.as_ref(), &*store)?;
        let tokens = self.tokens.clone();
        let tokens = match config.codec() {
            Some(codec) => tokens.with_codec(codec),
            None => tokens,
        };
        let clock = self.clock.clone();
        if let Err(error) = clock.follow(|| store.time()) {
            log::warn!(
                "sessions go by this machine's clock, since the store did not say its time: {error}; \
                 keep the clocks of all nodes together with NTP"
            );
        }
        let database = database.map(|database| database.with_clock(clock.clone()));
        let events = Events::open(config.events, config.events_key.clone(), clock.clone())?
            .with_listeners(&self.listeners)?;
        let cleanup = opened.cleaned.zip(config.cleanup_interval());
        let cleanup = CleanupThread::start(cleanup.map(|(store, interval)| Cleanup {
            store: observed(store),
            clock: clock.clone(),
            interval,
            batch: config.cleanup_batch,
            asked: threads.asked(),
        }))?;
        let gathering = Gathering::of(&store, &clock, &threads, entry.queue)?;
        Ok(Context {
            config,
            limits,
            tokens,
            user_of: database.as_ref().and_then(Database::user_of),
            database,
            loads_users: self.user.is_some() || self.store.is_some(),
            user_columns: self.user.map(|user| user.columns),
            origins: opened.origins,
            store,
            threads,
            gathering,
            clock,
            events,
            outages: [Outage::of("loaded"), Outage::of("loaded")],
            unsaved: Outage::of("saved"),
            readiness: Readiness::default(),
            locks: SessionLocks::default(),
            cleanup,
        })
    }

    /// Tests at launch that the store can be used.
    fn prepare(
        &self,
        config: &Config,
        database: Option<&Database>,
        store: &dyn Store,
    ) -> Result<(), Error> {
        let of = |name: &str, error: Error| match error.kind() {
            ErrorKind::Configuration => named(name, error),
            _ => match database.and_then(|it| it.misread(&error)) {
                Some(misread) => named(name, error).with_source(misread),
                None => unusable(name, config, error),
            },
        };
        if let Some(database) = database {
            let name = config.users.as_ref().unwrap_or(&config.database);
            let made = self.make_tables(config, database);
            made.map_err(|error| of(name, database.explain(error)))?;
            database.check_users().map_err(|error| of(name, error))?;
        }
        let sessions = |error| match database {
            _ if self.store.is_some() => given::unusable(error),
            Some(database) => of(&config.database, database.explain(error)),
            None => of(&config.database, error),
        };
        let unknown = Token::generate()?.key();
        store.load(&unknown, 0).map_err(sessions)?;
        // Changes nothing, but fails where the store may not be written.
        store.touch(&unknown, 0, 0).map_err(sessions)?;
        // The statements above do not use this column.
        if database.is_some() && config.has_user_column() {
            store.list("", 0).map_err(sessions)?;
        }
        Ok(())
    }

    fn make_tables(&self, config: &Config, database: &Database) -> Result<(), Error> {
        if let (true, Some(migrations)) = (config.migrate, &self.migrations) {
            database.migrate(migrations)?;
        }
        match config.creates_table() {
            true => database.create_table(),
            false => Ok(()),
        }
    }
}

fn named(database: &str, error: Error) -> Error {
    let remedy = match is_damaged(&error) {
        true => ": restore it from a backup, or name another file in its url",
        false => "",
    };
    Error::configuration(format!("databases.{database}: {error}{remedy}"))
}

/// Returns `true` if SQLite reports that its file is damaged or not a database.
fn is_damaged(error: &Error) -> bool {
    let text = error.to_string();
    text.contains("file is not a database") || text.contains("disk image is malformed")
}

fn unusable(database: &str, config: &Config, error: Error) -> Error {
    if is_damaged(&error) {
        return named(database, error);
    }
    named(database, error).with_source(match config.creates_table() {
        true => "check that it runs, and that its url and the account's rights are right",
        false => {
            "check that it runs, that its url is right, and that its table is there: run its migrations, or set \
             session.create_table = true"
        }
    })
}

/// Checks the path of [`Sessions::with_sign_in_page`] or [`Sessions::with_confirmation_page`].
fn check_page(call: &str, path: &str) -> Result<(), Error> {
    require(local_page(path).is_some() && !path.contains('#'), || {
        format!(
            "Sessions::{call} was given {path:?}; give a path of this application, such as \"/sign_in\""
        )
    })
}

/// At its level `debug` Rocket logs cookies and bodies.
fn check_log(figment: &Figment) -> Result<(), Error> {
    if !matches!(figment.extract_inner("log_level"), Ok(LogLevel::Debug)) {
        return Ok(());
    }
    let profile = figment.profile();
    require(profile == "dev" || profile == "debug", || {
        format!(
            "log_level is \"debug\" in the profile {profile}, where Rocket would log every cookie and form, \
             and passwords with them; set it to \"normal\", \"critical\" or \"off\""
        )
    })?;
    log::warn!(
        "log_level is \"debug\": Rocket logs every cookie and form, and passwords with them; show that \
         to nobody"
    );
    Ok(())
}
