//! The sessions of a running application, for whoever is not in the middle of a request.

use std::sync::Arc;
use std::time::Instant;

use chrono::{DateTime, TimeDelta, Utc};
use rocket::http::Status;
use rocket::request::{FromRequest, Outcome, Request};
use rocket::tokio::time::sleep;
use rocket::{Phase, Rocket};
use serde_json::{Value, json};

use crate::context::Context;
use crate::database::Database;
use crate::device::Device;
use crate::error::Error;
use crate::event::About;
use crate::guard::Session;
use crate::record::Record;
use crate::store::{Inserted, Store, Updated};
use crate::sweeper;
use crate::threads::Waited;
use crate::token::{Key, Token};

/// All sessions of an application, for jobs, web sockets, command lines and administrators.
///
/// It is had from an ignited [`Rocket`], or by a request guard. All its methods fail as unavailable
/// when the store does not answer.
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
    /// The sessions of this application; `None` unless
    /// [`Sessions::fairing`](crate::Sessions::fairing) is attached and has ignited.
    pub fn of<P: Phase>(rocket: &Rocket<P>) -> Option<Self> {
        rocket.state::<Arc<Context>>().cloned().map(Self)
    }

    /// The database of the application's own tables, where there is one.
    pub fn database(&self) -> Option<&Database> {
        self.0.database.as_ref()
    }

    /// Returns the time with which sessions are measured, which all nodes share: that of the server
    /// that keeps the sessions.
    pub fn now(&self) -> DateTime<Utc> {
        self.0.clock.now()
    }

    /// Returns how far this machine's clock is ahead of that of the server that keeps the sessions;
    /// `None` where that has no clock of its own.
    pub fn clock_difference(&self) -> Option<TimeDelta> {
        self.0.clock.difference()
    }

    /// The session under this key.
    ///
    /// It can do what a request's can, but cannot have a new token, and so sign nobody in. Nobody
    /// saves it but its [`save`](Session::save).
    pub async fn load(&self, key: &Key) -> Result<Option<Session>, Error> {
        Session::load_detached(self.0.clone(), key.clone()).await
    }

    /// The live sessions of a user, the one used last first.
    pub async fn list(&self, user_id: &str) -> Result<Vec<Device>, Error> {
        let (user_id, now) = (user_id.to_owned(), self.0.now());
        let records = self.ask(move |store| store.list(&user_id, now)).await?;
        Ok(records.into_iter().map(|it| self.device(it)).collect())
    }

    /// Up to `limit` live sessions, whosesoever, in the order of their keys and from the first one
    /// after `after`.
    pub async fn all(&self, after: Option<&Key>, limit: u32) -> Result<Vec<Device>, Error> {
        let (after, now) = (after.cloned(), self.0.now());
        let all = move |store: &dyn Store| store.all(now, after.as_ref(), limit);
        let records = self.ask(all).await?;
        Ok(records.into_iter().map(|it| self.device(it)).collect())
    }

    /// How many live sessions there are.
    pub async fn count(&self) -> Result<u64, Error> {
        let now = self.0.now();
        self.ask(move |store| store.count(now)).await
    }

    /// How many sessions have expired and wait to be swept.
    pub async fn expired(&self) -> Result<u64, Error> {
        let now = self.0.now();
        let expired = move |store: &dyn Store| {
            let live = store.count(now)?;
            Ok(store.count(i64::MIN)?.saturating_sub(live))
        };
        self.ask(expired).await
    }

    /// Whether the store can be used: has it store a record, change it, give it back and delete it.
    ///
    /// The record is nobody's, and expires within a minute should it be left behind.
    pub async fn probe(&self) -> Result<(), Error> {
        let now = self.0.now();
        self.ask(move |store| probe(store, now)).await
    }

    /// Ends the session under this key; whether there was one.
    pub async fn end(&self, key: &Key) -> Result<bool, Error> {
        let gone = key.clone();
        let ended = self.ask(move |store| store.delete(&gone)).await?;
        if ended {
            let ended = self.0.events.name(key);
            self.event(
                "session_expired",
                json!({ "why": "revoked", "ended": ended }),
            );
        }
        Ok(ended)
    }

    /// Ends all sessions of a user; how many.
    pub async fn end_all(&self, user_id: &str) -> Result<u64, Error> {
        let id = user_id.to_owned();
        let count = self.ask(move |store| store.delete_all(&id, None)).await?;
        if count > 0 {
            let details = json!({ "why": "revoked", "user": user_id, "count": count });
            self.event("session_expired", details);
        }
        Ok(count)
    }

    /// Ends every session there is; how many.
    pub async fn clear(&self) -> Result<u64, Error> {
        let count = self.ask(|store| store.clear()).await?;
        if count > 0 {
            self.event(
                "session_expired",
                json!({ "why": "revoked", "count": count }),
            );
        }
        Ok(count)
    }

    /// Tells of something that happened outside a request, as [`Session::event`] does within one.
    pub fn event(&self, name: &'static str, details: Value) {
        self.0.events.tell(name, About::default(), &details);
    }

    /// Deletes what has expired, a batch after the other; how much.
    ///
    /// `progress` is told after each batch how much it was so far.
    pub async fn sweep(&self, mut progress: impl FnMut(u64) + Send) -> Result<u64, Error> {
        let batch = self.0.config.sweep_batch;
        let mut count = 0;
        loop {
            let (start, now) = (Instant::now(), self.0.now());
            let deleted = self.ask(move |store| store.sweep(now, batch)).await?;
            if deleted == 0 {
                return Ok(count);
            }
            count += deleted;
            progress(count);
            sleep(sweeper::rest_after(start.elapsed())).await;
        }
    }

    async fn ask<T, F>(&self, work: F) -> Result<T, Error>
    where
        T: Send + 'static,
        F: FnOnce(&dyn Store) -> Result<T, Error> + Send + 'static,
    {
        self.0.ask(&Waited::default(), work).await
    }

    fn device(&self, record: Record) -> Device {
        Device::of(record, &self.0, None)
    }
}

fn probe(store: &dyn Store, now: i64) -> Result<(), Error> {
    let end = now.saturating_add(60_000);
    let record = Record {
        key: Token::generate()?.key(),
        user_id: None,
        data: "{}".into(),
        version: 1,
        created_at: now,
        seen_at: now,
        expires_at: end,
        deadline: end,
        user_agent: None,
        ip: None,
        user: None,
    };
    let key = &record.key;
    let inserted = store.insert(&record)? == Inserted::Done;
    let changed = match store.load(key, now)? {
        Some(record) => change(store, record, now)?,
        None => false,
    };
    let deleted = store.delete(key)?;
    if inserted && changed && deleted {
        Ok(())
    } else {
        Err(Error::unavailable(
            "the store did not keep a record as it was given; something else changes it",
        ))
    }
}

/// Whether the record is found again as it was changed.
fn change(store: &dyn Store, before: Record, now: i64) -> Result<bool, Error> {
    let (key, version) = (before.key.clone(), before.version);
    let after = Record {
        version: version.wrapping_add(1),
        user_agent: Some("probe".into()),
        ..before
    };
    let updated = store.update(&key, version, &after)? == Updated::Done;
    let found = store.load(&key, now)?;
    Ok(updated && found.is_some_and(|found| found.user_agent == after.user_agent))
}

#[rocket::async_trait]
impl<'r> FromRequest<'r> for LiveSessions {
    type Error = Error;

    async fn from_request(request: &'r Request<'_>) -> Outcome<Self, Error> {
        match Self::of(request.rocket()) {
            Some(live) => Outcome::Success(live),
            None => {
                let error = Error::configuration("Sessions::fairing() is not attached");
                Outcome::Error((Status::InternalServerError, error))
            }
        }
    }
}
