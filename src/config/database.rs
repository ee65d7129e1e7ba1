//! Reads an entry of `[default.databases]`.

use std::path::Path;
use std::time::Duration;

use rocket::figment::Figment;

use super::missing::missing;
use super::period::Period;
use super::{shared, sqlite};
use crate::error::{Error, require};
#[cfg(any(
    feature = "sqlite",
    feature = "mysql",
    feature = "postgres",
    feature = "redis"
))]
use crate::store::pool::Bounds;

/// The database of the sessions, and the limits of its use.
#[derive(Clone, Debug, serde::Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct DatabaseConfig {
    /// `sqlite:FILE`, `mysql://…`, `postgres://…`, `redis://…` and for a cluster
    /// `redis-cluster://HOST:PORT,HOST:PORT`, `rediss` for TLS, or `memory:N` for up to N sessions:
    /// from 1 to 10000000, 100000 where the number is left out.
    pub(crate) url: String,
    /// The number of connections, and of threads that use them.
    #[serde(default = "default_pool_size")]
    pub(crate) pool_size: u32,
    /// The largest number of requests that wait for a thread.
    #[serde(default = "default_queue")]
    pub(crate) queue: usize,
    /// The longest time that a request waits for the store before its 503.
    #[serde(default = "default_timeout")]
    timeout: Period,
    /// A connection that is idle for this long is closed; "10m", from 1s to 24h.
    #[serde(default = "default_idle_timeout")]
    idle_timeout: Period,
    /// A connection is replaced when it is this old; "30m", from 1s to 24h.
    #[serde(default = "default_max_lifetime")]
    max_lifetime: Period,
    /// Keeps prepared statements, and on PostgreSQL settings and locks, with their connection; false
    /// behind a pooler that shares connections; by default true.
    #[serde(default = "default_statement_cache")]
    #[cfg_attr(
        not(any(feature = "sqlite", feature = "mysql", feature = "postgres")),
        allow(dead_code, reason = "for databases of SQL alone")
    )]
    pub(crate) statement_cache: bool,
    /// On a Galera cluster, has each node wait until it knows what the others have acknowledged; by
    /// default true.
    #[serde(default = "default_sync_wait")]
    #[cfg_attr(not(feature = "mysql"), allow(dead_code, reason = "for Galera alone"))]
    wsrep_sync_wait: bool,
    /// Accepts a Redis that ends sessions when its memory runs out; by default false.
    #[serde(default)]
    #[cfg_attr(not(feature = "redis"), allow(dead_code, reason = "for Redis alone"))]
    pub(crate) allow_eviction: bool,
    /// A missing SQLite file is created, since its tables will be.
    #[serde(skip)]
    #[cfg_attr(not(feature = "sqlite"), allow(dead_code, reason = "for SQLite alone"))]
    pub(crate) makes_file: bool,
    /// How Rocket's own pools read an SQLite URL, if they read it differently.
    #[serde(skip)]
    pub(crate) misread: Option<String>,
}

fn default_pool_size() -> u32 {
    8
}

fn default_queue() -> usize {
    1_024
}

fn default_timeout() -> Period {
    Period(Duration::from_millis(2_500))
}

fn default_idle_timeout() -> Period {
    Period(Duration::from_secs(10 * 60))
}

fn default_max_lifetime() -> Period {
    Period(Duration::from_secs(30 * 60))
}

fn default_statement_cache() -> bool {
    true
}

fn default_sync_wait() -> bool {
    true
}

impl DatabaseConfig {
    /// Reads and checks the entry `name`.
    pub(crate) fn read(figment: &Figment, name: &str) -> Result<Self, Error> {
        let key = format!("databases.{name}");
        if figment.find_value(&key).is_err() {
            return Err(missing(figment, name));
        }
        let mut config = shared::read(figment, &key)?;
        super::url::check(&config.url)
            .map_err(|error| Error::configuration(format!("{key}: {error}")))?;
        let written = figment.find_metadata(&format!("{key}.url"));
        let file = written.and_then(|it| it.source.as_ref()?.file_path());
        let (url, remark) = sqlite::resolve(&config.url, file.and_then(Path::parent));
        config.misread = remark.map(|remark| format!("{key}.url is {:?}: {remark}", config.url));
        if let Some(misread) = &config.misread {
            log::warn!("{misread}");
        }
        config.url = url;
        require((1..=256).contains(&config.pool_size), || {
            format!(
                "{key}.pool_size is {}; it must be from 1 to 256",
                config.pool_size
            )
        })?;
        require((1..=1_000_000).contains(&config.queue), || {
            format!(
                "{key}.queue is {}; it must be from 1 to 1000000",
                config.queue
            )
        })?;
        require(
            (Duration::from_millis(10)..=Duration::from_secs(60)).contains(&config.timeout.0),
            || {
                format!(
                    "{key}.timeout is {}; it must be from 10ms to 60s",
                    config.timeout
                )
            },
        )?;
        for (setting, period) in [
            ("idle_timeout", config.idle_timeout),
            ("max_lifetime", config.max_lifetime),
        ] {
            let accepted = Duration::from_secs(1)..=Duration::from_secs(24 * 60 * 60);
            require(accepted.contains(&period.0), || {
                format!("{key}.{setting} is {period}; it must be from 1s to 24h")
            })?;
        }
        Ok(config)
    }

    /// Returns the limits for a store of the application.
    pub(crate) fn for_a_store() -> Self {
        let (pool_size, queue, timeout) = (default_pool_size(), default_queue(), default_timeout());
        Self {
            url: String::new(),
            pool_size,
            queue,
            timeout,
            idle_timeout: default_idle_timeout(),
            max_lifetime: default_max_lifetime(),
            statement_cache: true,
            wsrep_sync_wait: true,
            allow_eviction: false,
            makes_file: false,
            misread: None,
        }
    }

    pub(crate) fn timeout(&self) -> Duration {
        self.timeout.0
    }

    #[cfg(any(
        feature = "sqlite",
        feature = "mysql",
        feature = "postgres",
        feature = "redis"
    ))]
    pub(crate) fn bounds(&self) -> Bounds {
        Bounds {
            size: self.pool_size,
            // Shorter than the request's timeout, so that its error can name the cause.
            timeout: self.timeout() * 4 / 5,
            idle_timeout: self.idle_timeout.0,
            max_lifetime: self.max_lifetime.0,
            statement_cache: self.statement_cache,
            sync_wait: self.wsrep_sync_wait,
        }
    }
}

#[cfg(all(test, feature = "sqlite"))]
mod tests {
    use rocket::figment::providers::{Format, Toml};

    use super::*;

    #[test]
    fn a_relative_file_is_beside_the_configuration_file_that_names_it() {
        let folder = tempfile::tempdir().unwrap();
        let config = folder.path().join("Rocket.toml");
        let own = folder.path().display();
        for (url, expected) in [
            ("sqlite:app.db", format!("sqlite:{own}/app.db")),
            (
                "sqlite://data/app.db",
                format!("sqlite:file:{own}/data/app.db"),
            ),
            (
                "sqlite:file:app.db?mode=rw",
                format!("sqlite:file:{own}/app.db?mode=rw"),
            ),
            ("sqlite:/app.db", "sqlite:/app.db".into()),
            ("sqlite:///app.db", "sqlite:file:/app.db".into()),
            ("app.db", format!("sqlite:{own}/app.db")),
            ("/app.db", "sqlite:/app.db".into()),
            ("sqlite:file:/app.db", "sqlite:file:/app.db".into()),
            ("mysql://host/app", "mysql://host/app".into()),
        ] {
            let toml = format!("[databases.app]\nurl = {url:?}");
            std::fs::write(&config, &toml).unwrap();
            let figment = Figment::from(Toml::file_exact(&config));
            assert_eq!(DatabaseConfig::read(&figment, "app").unwrap().url, expected);
            let figment = Figment::from(Toml::string(&toml));
            let without_file = DatabaseConfig::read(&figment, "app").unwrap().url;
            assert_eq!(without_file, sqlite::resolve(url, None).0);
        }
    }

    #[test]
    fn the_pool_is_bounded_as_configured() {
        let read = |settings: &str| {
            let toml = format!("[databases.app]\nurl = \"sqlite:app.db\"\n{settings}");
            let figment = Figment::from(Toml::string(&toml));
            let bounds = DatabaseConfig::read(&figment, "app").unwrap().bounds();
            let Bounds {
                size,
                timeout,
                idle_timeout,
                max_lifetime,
                ..
            } = bounds;
            let seconds = [timeout, idle_timeout, max_lifetime].map(|time| time.as_secs());
            (size, seconds)
        };
        assert_eq!(read(""), (8, [2, 600, 1_800]));
        let settings =
            "pool_size = 3\ntimeout = \"5s\"\nidle_timeout = \"1s\"\nmax_lifetime = \"24h\"";
        assert_eq!(read(settings), (3, [4, 1, 86_400]));
    }
}
