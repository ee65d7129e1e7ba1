//! Parts that the pools of SQL and Redis connections share.

pub(crate) mod connection_errors;
mod outdated;
mod ping;

use std::time::Duration;

pub(crate) use self::outdated::Outdated;
pub(crate) use self::ping::Trust;
#[cfg(feature = "metrics")]
use crate::metrics::Connections;

/// Tells whether work may run again after its connection was lost in the middle of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Idempotent {
    Yes,
    No,
    /// As `No`. Nor does it run again after the database rolled it back: it is work for several requests, and
    /// one of them may be in the way of the others.
    Batch,
}

/// The limits of a pool of connections.
pub(crate) struct Bounds {
    pub(crate) size: u32,
    /// The longest wait for a connection.
    pub(crate) timeout: Duration,
    /// A connection that was not used for this long is closed.
    pub(crate) idle_timeout: Duration,
    /// A connection this old is closed.
    pub(crate) max_lifetime: Duration,
    /// A connection keeps prepared statements, settings and locks.
    pub(crate) statement_cache: bool,
    /// A node of a Galera cluster waits until it knows what the other nodes have acknowledged.
    pub(crate) sync_wait: bool,
}

impl Bounds {
    /// Returns the defaults for a pool of this size.
    pub(crate) fn of_size(size: u32) -> Self {
        Self {
            size,
            timeout: Duration::from_secs(2),
            idle_timeout: Duration::from_secs(10 * 60),
            max_lifetime: Duration::from_secs(30 * 60),
            statement_cache: true,
            sync_wait: true,
        }
    }

    /// Returns a pool that opens connections when they are needed.
    pub(crate) fn pool<M: r2d2::ManageConnection>(&self, manager: M) -> r2d2::Pool<M> {
        let pool = r2d2::Pool::builder();
        #[cfg(feature = "metrics")]
        let pool = pool.event_handler(Box::new(Connections::of_new_pool()));
        pool.max_size(self.size)
            .min_idle(Some(0))
            .connection_timeout(self.timeout)
            .idle_timeout(Some(self.idle_timeout))
            .max_lifetime(Some(self.max_lifetime))
            .error_handler(Box::new(r2d2::NopErrorHandler))
            .build_unchecked(manager)
    }
}
