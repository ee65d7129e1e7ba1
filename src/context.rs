//! What every request of a running application shares: the store, the way to it, the settings, the
//! clock.

use std::sync::Arc;

use chrono::{DateTime, Utc};

use crate::config::Config;
use crate::database::Database;
use crate::error::Error;
use crate::session::Limits;
use crate::store::Store;
use crate::threads::Threads;

pub(crate) type Clock = Arc<dyn Fn() -> DateTime<Utc> + Send + Sync>;

pub(crate) struct Context {
    pub(crate) config: Config,
    pub(crate) limits: Limits,
    pub(crate) cookie_name: String,
    pub(crate) database: Option<Database>,
    pub(crate) clock: Clock,
    pub(crate) store: Arc<dyn Store>,
    pub(crate) threads: Arc<Threads>,
}

impl Context {
    /// Has a verb of the store done on a store thread.
    pub(crate) async fn ask<T, F>(&self, work: F) -> Result<T, Error>
    where
        T: Send + 'static,
        F: FnOnce(&dyn Store) -> Result<T, Error> + Send + 'static,
    {
        let store = self.store.clone();
        self.threads.ask(move || work(&*store)).await
    }

    /// A point in time as an application sees it; the farthest one for a time that chrono cannot
    /// express.
    pub(crate) fn time(&self, millis: i64) -> DateTime<Utc> {
        DateTime::from_timestamp_millis(millis).unwrap_or(DateTime::<Utc>::MAX_UTC)
    }

    /// Unix milliseconds.
    pub(crate) fn now(&self) -> i64 {
        (self.clock)().timestamp_millis()
    }
}
