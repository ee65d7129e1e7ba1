//! `LiveSessions`: all sessions of a running application, inside and outside requests.

mod begin;
mod ending;
mod guard;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use humantime::format_duration;
use rocket::{Phase, Rocket};
use serde_json::Value;

use crate::engine::context::Context;
use crate::engine::database::Database;
use crate::engine::probe;
use crate::engine::threads::Waited;
use crate::error::Error;
use crate::events::About;
use crate::record::Record;
use crate::session::Session;
use crate::session::info::SessionInfo;
use crate::store::Store;
use crate::token::Key;

/// All sessions of an application, for jobs, web sockets, command lines and administrators.
///
/// Take it as a request guard, or from an ignited [`Rocket`]. The launch aborts if a route takes it and
/// [`Sessions::fairing`](crate::Sessions::fairing) is not attached. The methods that ask the store fail
/// as unavailable if it does not answer.
///
/// ```no_run
/// use rocket_diesel_session::{Error, Key, LiveSessions};
///
/// async fn gift(live: &LiveSessions, key: &Key) -> Result<(), Error> {
///     if let Some(session) = live.load(key).await? {
///         session.update("credit", |credit: u32| credit + 5)?;
///         session.save().await?;
///     }
///     Ok(())
/// }
/// ```
#[derive(Clone)]
pub struct LiveSessions(Arc<Context>);

impl LiveSessions {
    /// Returns the sessions of this application, or `None` unless
    /// [`Sessions::fairing`](crate::Sessions::fairing) is attached and has ignited.
    ///
    /// ```no_run
    /// use rocket_diesel_session::{LiveSessions, Sessions};
    ///
    /// #[rocket::main]
    /// async fn main() -> Result<(), rocket::Error> {
    ///     let rocket = rocket::build().attach(Sessions::fairing()).ignite().await?;
    ///     if let Some(live) = LiveSessions::of(&rocket) {
    ///         println!("{:?} live sessions", live.count().await);
    ///     }
    ///     rocket.launch().await.map(drop)
    /// }
    /// ```
    pub fn of<P: Phase>(rocket: &Rocket<P>) -> Option<Self> {
        rocket.state::<Arc<Context>>().cloned().map(Self)
    }

    /// Returns the database of the application's tables, or `None` if none is configured.
    pub fn database(&self) -> Option<&Database> {
        self.0.database.as_ref()
    }

    /// Returns the time by which sessions expire: the clock of the store's server, or of this machine
    /// if the store has none.
    pub fn now(&self) -> DateTime<Utc> {
        self.0.clock.now()
    }

    /// Returns how far this machine's clock is ahead of the store's, or `None` if the store has no clock.
    pub fn clock_difference(&self) -> Option<TimeDelta> {
        self.0.clock.difference()
    }

    /// Loads the session under this key.
    ///
    /// It has all methods of a request's session, but cannot get a new token, so it cannot sign a user in.
    /// Its changes are saved by [`save`](Session::save) only.
    ///
    /// ```
    /// use rocket_diesel_session::{Error, Key, LiveSessions};
    ///
    /// async fn cart(live: &LiveSessions, key: &Key) -> Result<Option<Vec<u32>>, Error> {
    ///     match live.load(key).await? {
    ///         Some(session) => session.get("cart"),
    ///         None => Ok(None),
    ///     }
    /// }
    /// ```
    pub async fn load(&self, key: &Key) -> Result<Option<Session>, Error> {
        Session::load_detached(self.0.clone(), key.clone()).await
    }

    /// Returns the live sessions of a user, most recently used first.
    ///
    /// ```
    /// use rocket_diesel_session::{Error, LiveSessions};
    ///
    /// async fn browsers(live: &LiveSessions, user_id: &str) -> Result<Vec<Option<String>>, Error> {
    ///     let devices = live.list(user_id).await?.into_iter();
    ///     Ok(devices.map(|device| device.user_agent).collect())
    /// }
    /// ```
    pub async fn list(&self, user_id: &str) -> Result<Vec<SessionInfo>, Error> {
        let (user_id, now) = (user_id.to_owned(), self.0.now());
        let records = self.ask(move |store| store.list(&user_id, now)).await?;
        Ok(records.into_iter().map(|it| self.device(it)).collect())
    }

    /// Returns up to `limit` live sessions of all users in the order of their keys, from the first one
    /// after `after`.
    ///
    /// ```
    /// use rocket_diesel_session::{Error, LiveSessions};
    ///
    /// async fn anonymous(live: &LiveSessions) -> Result<usize, Error> {
    ///     let (mut count, mut last) = (0, None);
    ///     loop {
    ///         let page = live.all(last.as_ref(), 100).await?;
    ///         count += page.iter().filter(|device| device.user_id.is_none()).count();
    ///         match page.into_iter().last() {
    ///             Some(device) => last = Some(device.key),
    ///             None => return Ok(count),
    ///         }
    ///     }
    /// }
    /// ```
    pub async fn all(&self, after: Option<&Key>, limit: u32) -> Result<Vec<SessionInfo>, Error> {
        let (after, now) = (after.cloned(), self.0.now());
        let all = move |store: &dyn Store| store.all(now, after.as_ref(), limit);
        let records = self.ask(all).await?;
        Ok(records.into_iter().map(|it| self.device(it)).collect())
    }

    /// Counts the live sessions.
    pub async fn count(&self) -> Result<u64, Error> {
        let now = self.0.now();
        self.ask(move |store| store.count(now)).await
    }

    /// Counts the sessions that have expired and are not deleted yet.
    pub async fn expired(&self) -> Result<u64, Error> {
        let now = self.0.now();
        let expired = move |store: &dyn Store| {
            let live = store.count(now)?;
            Ok(store.count(i64::MIN)?.saturating_sub(live))
        };
        self.ask(expired).await
    }

    /// Checks that the store works: inserts a record, changes it, loads it and deletes it.
    ///
    /// The record belongs to no user, and expires within a minute if it is left behind. For a check that is
    /// made often see [`ready`](Self::ready).
    ///
    /// ```
    /// use rocket_diesel_session::{Error, LiveSessions};
    ///
    /// async fn works(live: &LiveSessions) -> Result<&'static str, Error> {
    ///     live.probe().await.map(|()| "the store keeps sessions")
    /// }
    /// ```
    pub async fn probe(&self) -> Result<(), Error> {
        let now = self.0.now();
        self.ask(move |store| probe::run(store, now)).await
    }

    /// Checks that the store has answered `within` this time, for a load balancer that asks whether this
    /// process is ready. Fails as unavailable if it has not.
    ///
    /// Requests that load their session show it, and then this asks nothing. Otherwise one caller loads a
    /// session that does not exist: twice in the time, and once a second at most, however often and by how
    /// many this is called. With the users in another database, that one has to answer, too.
    ///
    /// ```
    /// use std::time::Duration;
    ///
    /// use rocket_diesel_session::{Error, LiveSessions};
    ///
    /// #[rocket::get("/health/ready")]
    /// async fn ready(live: LiveSessions) -> Result<&'static str, Error> {
    ///     live.ready(Duration::from_secs(5)).await.map(|()| "ready")
    /// }
    /// ```
    pub async fn ready(&self, within: Duration) -> Result<(), Error> {
        match self.0.is_ready(within).await {
            true => Ok(()),
            false => Err(Error::unavailable(format!(
                "the store has not answered within the last {}",
                format_duration(within)
            ))),
        }
    }

    /// Emits an event outside a request, as [`Session::event`] does within one.
    ///
    /// ```
    /// use rocket::serde::json::json;
    /// use rocket_diesel_session::LiveSessions;
    ///
    /// fn imported(live: &LiveSessions, count: usize) {
    ///     live.event("user_created", json!({ "count": count }));
    /// }
    /// ```
    pub fn event(&self, name: &'static str, details: Value) {
        self.0.events.emit(name, About::default(), &details);
    }

    async fn ask<T, F>(&self, work: F) -> Result<T, Error>
    where
        T: Send + 'static,
        F: FnOnce(&dyn Store) -> Result<T, Error> + Send + 'static,
    {
        self.0.ask(&Waited::default(), work).await
    }

    fn device(&self, record: Record) -> SessionInfo {
        SessionInfo::of(record, &self.0, None)
    }
}

impl fmt::Debug for LiveSessions {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("LiveSessions(..)")
    }
}
