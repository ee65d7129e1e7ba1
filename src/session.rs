//! The session during a request: what it holds, what was changed, and what is to be done at the
//! end.
//!
//! Knows neither Rocket nor Diesel.

mod contents;
mod plan;

use serde::{Serialize, de::DeserializeOwned};

pub(crate) use self::contents::{Change, Contents};
pub(crate) use self::plan::{Plan, SetCookie, Verb};

use self::contents::{decode, encode};
use self::plan::{Facts, Status};
use crate::error::{Error, ErrorKind};
use crate::record::Record;
use crate::token::Token;

/// The configured bounds of every session; times in milliseconds.
#[derive(Clone, Debug)]
pub(crate) struct Limits {
    pub(crate) idle: i64,
    pub(crate) absolute: i64,
    /// `None`: the idle time-out is moved by changes only.
    pub(crate) touch_interval: Option<i64>,
    pub(crate) max_data: usize,
    pub(crate) save_uninitialized: bool,
    pub(crate) rolling: bool,
    pub(crate) persistent: bool,
}

/// How far the clocks of two application nodes may differ before a record counts as made up.
const CLOCK_SKEW: i64 = 5 * 60 * 1000;

impl Limits {
    /// Whether a record that a store returned still is a session; a row with absurd times is not.
    pub(crate) fn alive(&self, record: &Record, now: i64) -> bool {
        let deadline = record
            .deadline
            .min(record.created_at.saturating_add(self.absolute));
        record.expires_at > now
            && deadline > now
            && record.created_at <= now.saturating_add(CLOCK_SKEW)
    }

    fn touch_due(&self, record: &Record, now: i64) -> bool {
        self.touch_interval
            .is_some_and(|interval| now.saturating_sub(record.seen_at) >= interval)
    }
}

/// A record together with the token that leads to it.
#[derive(Clone, Debug)]
pub(crate) struct Stored {
    pub(crate) token: Token,
    pub(crate) record: Record,
}

/// What one store verb works on.
#[derive(Debug)]
pub(crate) struct Pending {
    pub(crate) stored: Option<Stored>,
    pub(crate) changes: Vec<Change>,
    /// What the session holds with these changes made.
    pub(crate) contents: Contents,
    status: Status,
}

/// The state of one session: what the store last knew, plus the changes since.
#[derive(Debug, Default)]
pub(crate) struct State {
    stored: Option<Stored>,
    contents: Contents,
    changes: Vec<Change>,
    status: Status,
    /// The browser sent a cookie of our name.
    cookie_came: bool,
    /// The token was saved during the request, and the browser does not have it yet.
    token_unsent: bool,
    touch_asked: bool,
}

impl State {
    /// A session that no store knows.
    pub(crate) fn new(cookie_came: bool) -> Self {
        Self {
            cookie_came,
            ..Self::default()
        }
    }

    /// A session as the store has it; fails when its data is not a JSON object.
    pub(crate) fn loaded(stored: Stored) -> Result<Self, serde_json::Error> {
        let contents = Contents::decode(&stored.record)?;
        Ok(Self {
            stored: Some(stored),
            contents,
            cookie_came: true,
            ..Self::default()
        })
    }

    pub(crate) fn stored(&self) -> Option<&Stored> {
        self.stored.as_ref()
    }

    pub(crate) fn user_id(&self) -> Option<&str> {
        self.contents.user_id.as_deref()
    }

    /// The user's row as it was when the session was loaded, unless somebody else is signed in by
    /// now.
    pub(crate) fn user(&self) -> Option<&str> {
        let record = &self.stored.as_ref()?.record;
        record
            .user
            .as_deref()
            .filter(|_| self.contents.user_id.is_some() && self.contents.user_id == record.user_id)
    }

    pub(crate) fn get<T: DeserializeOwned>(&self, key: &str) -> Result<Option<T>, Error> {
        let value = self.contents.data.get(key);
        value.map(|value| decode(key, value)).transpose()
    }

    pub(crate) fn insert<T: Serialize>(
        &mut self,
        key: &str,
        value: T,
        limits: &Limits,
    ) -> Result<(), Error> {
        let value = encode(key, value)?;
        self.apply(Change::Set(key.to_owned(), value), limits)
    }

    /// The one door for everything that changes the contents; a value set to what it is changes
    /// nothing.
    pub(crate) fn apply(&mut self, change: Change, limits: &Limits) -> Result<(), Error> {
        let mut contents = self.contents.clone();
        change.apply(&mut contents)?;
        if contents != self.contents {
            contents.encode(limits.max_data)?;
            self.contents = contents;
            self.changes.push(change);
            self.mark(Status::Changed);
        }
        Ok(())
    }

    /// Signs a user in. What a stranger put into the session is kept, what another user did is not.
    pub(crate) fn log_in(&mut self, user_id: String, limits: &Limits) -> Result<(), Error> {
        if user_id.is_empty() || user_id.len() > 64 || user_id.contains(char::is_control) {
            let message = format!(
                "the user id {user_id:?} must have 1 to 64 bytes and no control characters"
            );
            return Err(Error::new(ErrorKind::Value, message));
        }
        if self
            .contents
            .user_id
            .as_ref()
            .is_some_and(|present| *present != user_id)
        {
            self.apply(Change::Clear, limits)?;
        }
        let change = Change::LogIn(user_id);
        change.apply(&mut self.contents)?;
        self.changes.push(change);
        self.mark(Status::Renewed);
        Ok(())
    }

    pub(crate) fn renew(&mut self) {
        self.mark(Status::Renewed);
    }

    pub(crate) fn destroy(&mut self) {
        self.contents = Contents::default();
        self.changes.clear();
        self.mark(Status::Destroyed);
    }

    pub(crate) fn touch(&mut self) {
        self.touch_asked = true;
    }

    fn mark(&mut self, status: Status) {
        self.status = self.status.max(status);
    }

    /// What is to be done now to bring store and browser up to date.
    pub(crate) fn plan(&self, limits: &Limits, now: i64) -> Plan {
        let stored = self.stored.as_ref();
        Plan::of(&Facts {
            loaded: stored.is_some(),
            status: self.status,
            empty: self.contents.is_empty() && !limits.save_uninitialized,
            touch_due: stored
                .is_some_and(|it| self.touch_asked || limits.touch_due(&it.record, now)),
            cookie_came: self.cookie_came,
            token_unsent: self.token_unsent,
            cookie_expires: limits.persistent,
            rolling: limits.rolling,
            save_uninitialized: limits.save_uninitialized,
        })
    }

    /// Hands out what a store verb needs; what happens from here on waits for the next one.
    pub(crate) fn begin_save(&mut self) -> Pending {
        Pending {
            stored: self.stored.clone(),
            changes: std::mem::take(&mut self.changes),
            contents: self.contents.clone(),
            status: std::mem::take(&mut self.status),
        }
    }

    /// The store has the record now, under this token, and this is what it holds.
    pub(crate) fn saved(&mut self, stored: Stored, contents: Contents) -> Result<(), Error> {
        let renewed = self
            .stored
            .as_ref()
            .is_none_or(|before| before.token != stored.token);
        self.token_unsent |= renewed;
        self.replace(stored, contents)
    }

    /// Takes over what is in the store; changes not saved yet stay on top of it.
    pub(crate) fn replace(&mut self, stored: Stored, mut contents: Contents) -> Result<(), Error> {
        for change in &self.changes {
            change.apply(&mut contents)?;
        }
        self.contents = contents;
        self.stored = Some(stored);
        self.touch_asked = false;
        Ok(())
    }

    /// Forgets what happened since the session was last loaded or saved; what the store has is to
    /// be put in its place.
    pub(crate) fn reset(&mut self) {
        self.contents = Contents::default();
        self.changes.clear();
        self.status = Status::Clean;
        self.touch_asked = false;
    }

    /// The saving failed: what was handed out counts as not saved again.
    pub(crate) fn save_failed(&mut self, pending: &Pending) {
        self.changes.splice(..0, pending.changes.iter().cloned());
        self.mark(pending.status);
    }

    /// The session was ended by this request.
    pub(crate) fn ended(&mut self) {
        self.stored = None;
        self.token_unsent = false;
        self.destroy();
    }

    /// The session was ended by another request, which told the browser; it may have a newer
    /// cookie by now, so this one says nothing about it.
    pub(crate) fn gone(&mut self) {
        self.cookie_came = false;
        self.ended();
    }
}
