//! The store, the settings and the clock that all requests of a running application share.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Weak};
use std::time::Duration;

use chrono::{DateTime, Utc};
use rocket::tokio::time::sleep;

use crate::clock::Clock;
use crate::config::Config;
use crate::engine::cleanup::CleanupThread;
use crate::engine::commit::{Attempt, Commit, Committed};
use crate::engine::database::{Database, UserLookup};
use crate::engine::door::Door;
use crate::engine::gathering::{Gathering, Load};
use crate::engine::readiness::Readiness;
use crate::engine::session_locks::SessionLocks;
use crate::engine::threads::{Threads, Waited};
use crate::error::{Effect, Error};
use crate::events::Events;
use crate::state::Limits;
use crate::store::span::Span;
use crate::store::{Loaded, Save, Store, Updated};
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
    /// The columns of the users that the application asked for.
    pub(crate) user_columns: Option<&'static [&'static str]>,
    /// One line for each file or server that was opened or created.
    pub(crate) origins: Vec<String>,
    pub(crate) clock: Arc<Clock>,
    pub(crate) events: Events,
    pub(crate) store: Arc<dyn Store>,
    pub(crate) threads: Arc<Threads>,
    pub(crate) gathering: Gathering,
    /// The outages of loading: of the store, and of the users' database if it is another one.
    pub(crate) outages: [Outage; 2],
    /// The outage of saving.
    pub(crate) unsaved: Outage,
    pub(crate) readiness: Readiness,
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
    pub(crate) async fn load(&self, waited: &Waited, key: Key, now: i64) -> Result<Loaded, Error> {
        let load = self.load_with_user(waited, key, now);
        Span::of_load()
            .during(load, |loaded| match loaded {
                Some(_) => "found",
                None => "not found",
            })
            .await
    }

    async fn load_with_user(&self, waited: &Waited, key: Key, now: i64) -> Result<Loaded, Error> {
        let [of_store, of_users] = &self.outages;
        let alone = {
            let key = key.clone();
            move |store: &dyn Store| store.load_with_user(&key, now)
        };
        let answer = match &self.gathering.loads {
            None => self.ask(waited, alone).await,
            Some(door) => match door.ask(waited, Load(key)).await {
                Err(error) if error.effect() == Effect::Undone => self.ask(waited, alone).await,
                answer => answer,
            },
        };
        of_store.note(&answer);
        let mut found = answer?;
        let Some(user_of) = self.user_of.clone() else {
            self.readiness.answered();
            return Ok(found);
        };
        if let Some((record, joined)) = &mut found
            && let Some(id) = record.user_id.clone()
        {
            // The users' database can fail while the store works.
            let user = self.threads.ask(waited, move || user_of(&id)).await;
            of_users.note(&user);
            *joined = user?;
            self.readiness.answered();
        }
        Ok(found)
    }

    /// Runs a plan: with other requests' if it is one save, otherwise on a store thread. `is_stale` says that
    /// another request has saved the session since it was loaded.
    pub(crate) async fn commit(
        &self,
        waited: &Waited,
        commit: Arc<Commit>,
        is_stale: bool,
    ) -> Result<Committed, Error> {
        let span = Span::of_save(commit.verb);
        let committed = self.run(waited, commit, is_stale);
        let committed = span.during(committed, Committed::outcome).await;
        self.unsaved.note(&committed);
        committed
    }

    async fn run(
        &self,
        waited: &Waited,
        commit: Arc<Commit>,
        is_stale: bool,
    ) -> Result<Committed, Error> {
        let first = match &self.gathering.saves {
            Some(door) if !is_stale => commit.first()?.map(|first| (door, first)),
            _ => None,
        };
        match first {
            Some((door, first)) => self.save(waited, door, first, commit).await,
            None => {
                let run = move |store: &dyn Store| {
                    let mut committed = commit.run(store, is_stale)?;
                    commit.limit(store, &mut committed);
                    Ok(committed)
                };
                self.ask(waited, run).await
            }
        }
    }

    /// Makes the first attempt with other requests', and those after it on a store thread.
    async fn save(
        &self,
        waited: &Waited,
        door: &Door<Arc<Save>>,
        first: Attempt,
        commit: Arc<Commit>,
    ) -> Result<Committed, Error> {
        match door.ask(waited, first.save.clone()).await {
            Ok(Updated::Done) => Ok(first.done()),
            Err(error) if error.effect() == Effect::Final => Err(error),
            answer => {
                let run_on = move |store: &dyn Store| commit.run_on(first, answer, store);
                self.ask(waited, run_on).await
            }
        }
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
