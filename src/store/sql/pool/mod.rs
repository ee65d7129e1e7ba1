//! Pools of connections to SQL databases.

mod connect;
mod error_class;
mod file;
mod file_rights;
mod hosts;
mod kept;
mod lease;
mod log_length;
mod renewed;
mod run;
mod server_full;

use std::marker::PhantomData;
use std::sync::Arc;
use std::time::{Duration, Instant};

use diesel::ConnectionError;
use diesel::connection::CacheSize;

use self::file::Connected;
pub(crate) use self::file::DatabaseFile;
pub(crate) use self::file_rights::open_to_all;
#[cfg(any(feature = "mysql", feature = "postgres"))]
pub(crate) use self::hosts::urls_of;
use self::hosts::{Host, Hosts};
pub(crate) use self::kept::DoorConnections;
pub(crate) use self::lease::{ApplicationPool, ConnectionSource, Single};
pub(crate) use self::renewed::Renewed;
#[cfg(feature = "mysql")]
pub(crate) use self::run::is_disconnected;
pub(crate) use self::run::{is_rolled_back, run};
use self::server_full::ServerFull;
use crate::error::{Error, ErrorKind};
use crate::store::pool::connection_errors::LogConnectionErrors;
use crate::store::pool::{Bounds, Outdated, Trust};
use crate::store::sql::backend::{Backend, SYNC_WAIT};

/// Opens and checks connections for r2d2; clones share their state.
///
/// Unlike Diesel's manager it pings only idle connections, and discards failed ones, so that the next
/// request uses a database that is back.
pub(crate) struct SqlConnector<C> {
    hosts: Arc<Hosts>,
    file: DatabaseFile,
    limit: Arc<ServerFull>,
    idle_timeout: Duration,
    max_lifetime: Duration,
    statement_cache: bool,
    set_up: String,
    trust: Arc<Trust>,
    outdated: Outdated,
    errors: Arc<LogConnectionErrors>,
    backend: PhantomData<fn() -> C>,
}

impl<C> Clone for SqlConnector<C> {
    fn clone(&self) -> Self {
        Self {
            hosts: self.hosts.clone(),
            file: self.file.clone(),
            limit: self.limit.clone(),
            set_up: self.set_up.clone(),
            trust: self.trust.clone(),
            outdated: self.outdated.clone(),
            errors: self.errors.clone(),
            ..*self
        }
    }
}

impl<C: Backend> SqlConnector<C> {
    /// Returns a pool that discards connections marked as outdated.
    pub(crate) fn pool_until(
        outdated: &Outdated,
        file: &DatabaseFile,
        url: &str,
        bounds: Bounds,
    ) -> Renewed<C> {
        let manager = Self {
            file: file.clone(),
            ..Self::new(outdated, url, &bounds)
        };
        Renewed::new(manager, bounds)
    }

    fn new(outdated: &Outdated, url: &str, bounds: &Bounds) -> Self {
        let text = match bounds.statement_cache {
            true => C::SET_UP,
            false => C::SET_UP_SHARED,
        };
        Self {
            hosts: Arc::new(Hosts::new(C::hosts(url))),
            file: DatabaseFile::default(),
            limit: Arc::default(),
            idle_timeout: bounds.idle_timeout,
            max_lifetime: bounds.max_lifetime,
            statement_cache: bounds.statement_cache,
            set_up: set_up(text, bounds),
            trust: Arc::default(),
            outdated: outdated.clone(),
            errors: Arc::default(),
            backend: PhantomData,
        }
    }

    /// Fails if the server cannot be used as configured for sessions of up to `max_data` bytes. A server that
    /// cannot be reached is not checked.
    pub(crate) fn check(url: &str, bounds: &Bounds, max_data: u64) -> Result<(), Error> {
        let manager = Self::new(&Outdated::default(), url, bounds);
        let connect = || {
            manager
                .establish()
                .map(|(_, it)| it)
                .map_err(without_connection)
        };
        match C::check(connect, bounds.statement_cache, max_data) {
            Err(error) if error.kind() == ErrorKind::Unavailable => {
                log::warn!("the database's settings could not be checked: {error}");
                Ok(())
            }
            checked => checked,
        }
    }

    /// Opens a connection and sets it up.
    fn open(&self) -> Result<Pooled<C>, diesel::r2d2::Error> {
        self.file.make().map_err(bad)?;
        self.file.check().map_err(bad)?;
        let (open, (host, mut connection)) = self.limit.keep(|| self.establish())?;
        if !self.set_up.is_empty() {
            let set_up = connection.batch_execute(&self.set_up);
            set_up.map_err(diesel::r2d2::Error::QueryError)?;
        }
        let now = Instant::now();
        Ok(Pooled {
            host,
            connected: self.file.connected(),
            connection,
            _open: open,
            made_at: now,
            used_at: now,
            lost: false,
            outdated: false,
        })
    }

    /// Opens a connection without setting it up; returns the number of its host, too.
    fn establish(&self) -> Result<(usize, C), diesel::r2d2::Error> {
        let (listed, statement_cache) = (self.hosts.has_others(), self.statement_cache);
        let open =
            move |host: &Arc<Host>, hurried| open::<C>(host, hurried, listed, statement_cache);
        let opened = self.hosts.connect(open);
        self.hosts.watch(move |host| open(host, true).is_ok());
        opened
    }
}

/// Opens a connection as the URL demands it; of several that are `listed`, only to a server that takes
/// writes.
fn open<C: Backend>(
    host: &Arc<Host>,
    hurried: bool,
    listed: bool,
    statement_cache: bool,
) -> Result<C, diesel::r2d2::Error> {
    let of_thread = host.clone();
    let connect = move || {
        let url = &of_thread.url;
        let mut connection = C::establish(url).map_err(diesel::r2d2::Error::ConnectionError)?;
        let mut fault = connection.check_connection(url);
        if listed && matches!(fault, Ok(None)) {
            fault = connection.unready();
        }
        match fault.map_err(diesel::r2d2::Error::QueryError)? {
            None => Ok(connection),
            Some(fault) => Err(bad(fault.to_owned())),
        }
    };
    let mut connection = host.attempts.bounded(hurried, connect).map_err(bad)??;
    if !statement_cache {
        connection.set_prepared_statement_cache_size(CacheSize::Disabled);
    }
    Ok(connection)
}

fn bad(why: String) -> diesel::r2d2::Error {
    diesel::r2d2::Error::ConnectionError(ConnectionError::BadConnection(why))
}

fn set_up(text: &str, bounds: &Bounds) -> String {
    match bounds.sync_wait {
        true => text.to_owned(),
        false => text.replace(SYNC_WAIT, ""),
    }
}

fn without_connection(cause: diesel::r2d2::Error) -> Error {
    let text = cause.to_string();
    match text
        .lines()
        .find(|line| line.contains("URI query parameter"))
    {
        Some(line) => Error::configuration(format!(
            "its url has a parameter that libpq does not know: {}",
            line.trim()
        )),
        None => Error::unavailable("no connection").with_source(cause),
    }
}

pub(crate) struct Pooled<C> {
    /// The number of its host.
    host: usize,
    connected: Connected,
    connection: C,
    /// Counts the connection, see [`ServerFull`].
    _open: Arc<()>,
    made_at: Instant,
    used_at: Instant,
    lost: bool,
    outdated: bool,
}

impl<C: Backend> r2d2::ManageConnection for SqlConnector<C> {
    type Connection = Pooled<C>;
    type Error = diesel::r2d2::Error;

    fn connect(&self) -> Result<Pooled<C>, Self::Error> {
        self.open().inspect_err(|error| self.errors.log(error))
    }

    fn is_valid(&self, pooled: &mut Pooled<C>) -> Result<(), Self::Error> {
        // r2d2 itself checks the ages every 30 seconds only.
        let is_old = pooled.used_at.elapsed() > self.idle_timeout
            || pooled.made_at.elapsed() > self.max_lifetime;
        if is_old
            || self.outdated.covers(pooled.made_at)
            || self.hosts.prefer_another_than(pooled.host)
        {
            return Err(bad("the connection is outdated".to_owned()));
        }
        if self.trust.covers(pooled.used_at) {
            return Ok(());
        }
        pooled.connection.ping().map_err(Self::Error::QueryError)
    }

    fn has_broken(&self, pooled: &mut Pooled<C>) -> bool {
        pooled.used_at = Instant::now();
        if pooled.lost {
            self.trust.end();
        }
        if pooled.outdated {
            self.outdated.mark_all();
        }
        pooled.lost || pooled.outdated || std::thread::panicking() || pooled.connection.is_broken()
    }
}

#[cfg(all(test, any(feature = "sqlite", feature = "mysql", feature = "postgres")))]
mod tests;
