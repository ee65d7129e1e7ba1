//! The store, the settings and the clock that all requests of a running application share.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Weak};
use std::time::Duration;

use chrono::{DateTime, Utc};
use rocket::tokio::sync::{Mutex, MutexGuard};
use rocket::tokio::time::{sleep, timeout};

use crate::clock::Clock;
use crate::config::Config;
use crate::engine::cleanup::CleanupThread;
use crate::engine::database::{Database, UserLookup};
use crate::engine::threads::{Threads, Waited};
use crate::error::Error;
use crate::events::Events;
use crate::record::Record;
use crate::state::Limits;
use crate::store::Store;
use crate::token::{Key, TokenSource};

pub(crate) struct Context {
    pub(crate) config: Config,
    pub(crate) limits: Limits,
    pub(crate) tokens: TokenSource,
    pub(crate) database: Option<Database>,
    /// Looks up the signed-in user, if the users are not in the database of the sessions.
    pub(crate) user_of: Option<UserLookup>,
    /// `true` if a session is loaded with its user's row; unknown for a store of the application.
    pub(crate) loads_users: bool,
    /// One line for each file or server that was opened or created.
    pub(crate) origins: Vec<String>,
    pub(crate) clock: Arc<Clock>,
    pub(crate) events: Events,
    pub(crate) store: Arc<dyn Store>,
    pub(crate) threads: Arc<Threads>,
    /// The outages of loading: of the store, and of the users' database if it is another one.
    pub(crate) outages: [Outage; 2],
    /// The outage of saving.
    pub(crate) unsaved: Outage,
    pub(crate) locks: SessionLocks,
    pub(crate) cleanup: CleanupThread,
}

impl Context {
    /// Runs `work` with the store on a store thread; see [`Threads::ask`].
    pub(crate) async fn ask<T, F>(&self, waited: &Waited, work: F) -> Result<T, Error>
    where
        T: Send + 'static,
        F: FnOnce(&dyn Store) -> Result<T, Error> + Send + 'static,
    {
        let store = self.store.clone();
        self.threads.ask(waited, move || work(&*store)).await
    }

    /// Loads a session's row, with its user's where that is in another database.
    pub(crate) async fn load(
        &self,
        waited: &Waited,
        key: Key,
        now: i64,
    ) -> Result<Option<(Record, Option<String>)>, Error> {
        let user_of = self.user_of.clone();
        let load = move |store: &dyn Store| {
            let found = store.load_with_user(&key, now)?;
            let id = found
                .as_ref()
                .and_then(|(record, _)| record.user_id.as_ref());
            // The users' database can fail while the store works.
            let user = user_of.zip(id).map(|(user_of, id)| user_of(id)).transpose();
            Ok((found, user))
        };
        let [of_store, of_users] = &self.outages;
        let answer = self.ask(waited, load).await;
        of_store.note(&answer);
        let (mut found, user) = answer?;
        let user = user.map_err(Error::of_store);
        // Without a lookup, nothing is known about the users' database.
        if !matches!(user, Ok(None)) {
            of_users.note(&user);
        }
        if let (Some((_, joined)), Some(user)) = (&mut found, user?) {
            *joined = user;
        }
        Ok(found)
    }

    /// Returns a time in Unix milliseconds as chrono's, or chrono's latest for one out of its range.
    pub(crate) fn time(&self, millis: i64) -> DateTime<Utc> {
        DateTime::from_timestamp_millis(millis).unwrap_or(DateTime::<Utc>::MAX_UTC)
    }

    /// Unix milliseconds.
    pub(crate) fn now(&self) -> i64 {
        self.clock.millis()
    }
}

/// Logs the beginning and the end of an outage, and not each request in it.
pub(crate) struct Outage {
    lasts: AtomicBool,
    /// "loaded" or "saved".
    done: &'static str,
}

impl Outage {
    pub(crate) fn of(done: &'static str) -> Self {
        Self {
            lasts: AtomicBool::new(false),
            done,
        }
    }

    pub(crate) fn note<T>(&self, answer: &Result<T, Error>) {
        let Self { lasts, done } = self;
        match answer {
            Ok(_) => {
                if lasts.load(Ordering::Relaxed) && lasts.swap(false, Ordering::Relaxed) {
                    log::info!("sessions can be {done} again");
                }
            }
            Err(error) => {
                if error.is_outage() && !lasts.swap(true, Ordering::Relaxed) {
                    log::error!(
                        "a session could not be {done}, and requests that need it are answered with 503 \
                         (logged once until one is {done} again): {error}"
                    );
                }
            }
        }
    }
}

/// Checks every second whether the store has to be asked for its time.
pub(crate) async fn follow_clock(context: Weak<Context>) {
    loop {
        sleep(Duration::from_secs(1)).await;
        let Some(context) = context.upgrade() else {
            return;
        };
        if context.clock.is_due() {
            let clock = context.clock.clone();
            let ask = move |store: &dyn Store| clock.follow(|| store.time());
            if let Err(error) = context.ask(&Waited::default(), ask).await {
                log::debug!("the store was not asked for its time: {error}");
            }
        }
    }
}

/// A lock for each session, so that its saves run one after the other in the order in which they came.
///
/// The store decides between concurrent saves in any case, but by refusing all but one each time. Without
/// locks, many requests of one session would keep the store threads busy, and some would be refused again
/// and again. Sessions whose keys share a lock by chance wait for each other for a moment.
#[derive(Default)]
pub(crate) struct SessionLocks([Mutex<()>; 32]);

/// A save that has waited this long goes on without the lock.
const LOCK_TIMEOUT: Duration = Duration::from_millis(400);

impl SessionLocks {
    pub(crate) async fn lock(&self, key: &Key) -> Option<MutexGuard<'_, ()>> {
        let mut hasher = DefaultHasher::new();
        key.hash(&mut hasher);
        let lock = &self.0[hasher.finish() as usize % self.0.len()];
        timeout(LOCK_TIMEOUT, lock.lock()).await.ok()
    }
}
