//! The session during a request: what it holds, what was changed, and what is to be done at the
//! end.
//!
//! Knows neither Rocket nor Diesel.

mod change;
mod contents;
mod flash;
mod limits;
mod plan;
pub(crate) mod reserved;
mod schema;

use serde::de::DeserializeOwned;

pub(crate) use self::change::Change;
pub(crate) use self::contents::{Contents, max_age};
pub use self::flash::Flash;
pub(crate) use self::limits::Limits;
pub(crate) use self::plan::{Plan, SetCookie, Verb};
pub(crate) use self::schema::Schema;

use self::plan::{Facts, Status};
use crate::error::{Error, ErrorKind};
use crate::record::Record;
use crate::token::Token;

/// A record together with the token that leads to it, where a browser sent one.
#[derive(Clone, Debug)]
pub(crate) struct Stored {
    pub(crate) token: Option<Token>,
    pub(crate) record: Record,
}

/// What one store verb works on.
#[derive(Debug)]
pub(crate) struct Pending {
    pub(crate) stored: Option<Stored>,
    pub(crate) changes: Vec<Change>,
    /// What the session holds with these changes made.
    pub(crate) contents: Contents,
    /// The user's other sessions end, too.
    pub(crate) ends_others: bool,
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
    ends_others: bool,
}

impl State {
    /// A session that no store knows.
    pub(crate) fn new(cookie_came: bool) -> Self {
        Self {
            cookie_came,
            ..Self::default()
        }
    }

    /// A session as the store has it, unless its time is over; fails when its data is not a JSON
    /// object.
    pub(crate) fn loaded(
        stored: Stored,
        limits: &Limits,
        now: i64,
    ) -> Result<Option<Self>, serde_json::Error> {
        let contents = Contents::decode(&stored.record, &limits.schema)?;
        let alive = limits.alive(&stored.record, &contents, now);
        Ok(alive.then(|| Self {
            stored: Some(stored),
            contents,
            cookie_came: true,
            ..Self::default()
        }))
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
        self.contents.get(key)
    }

    pub(crate) fn typed<T: DeserializeOwned + Default>(&self) -> Result<T, Error> {
        self.contents.typed()
    }

    /// The messages that wait for a page, which from now on they do no more.
    pub(crate) fn take_flashes(&mut self, limits: &Limits) -> Result<Vec<Flash>, Error> {
        let waiting = flash::waiting(&self.contents)?;
        if !waiting.is_empty() {
            self.apply(Change::shown(waiting.clone()), limits)?;
        }
        Ok(waiting)
    }

    /// How long the session may be idle.
    pub(crate) fn idle_timeout(&self, limits: &Limits) -> i64 {
        limits.timeouts(&self.contents).0
    }

    /// Whether the user asked to stay signed in.
    pub(crate) fn remembered(&self) -> bool {
        self.contents.remembered()
    }

    /// Whether the cookie is to outlive the browser.
    pub(crate) fn persistent(&self, limits: &Limits) -> bool {
        limits.persistent || self.remembered() || self.contents.max_age().is_some()
    }

    /// The one door for everything that changes the contents; a value set to what it is changes
    /// nothing.
    pub(crate) fn apply(&mut self, change: Change, limits: &Limits) -> Result<(), Error> {
        let mut contents = self.contents.clone();
        change.apply(&mut contents)?;
        if contents != self.contents {
            contents.encode(limits)?;
            self.contents = contents;
            self.changes.push(change);
            self.mark(Status::Changed);
        }
        Ok(())
    }

    /// Signs a user in. What a stranger put into the session is kept, what another user did is not.
    pub(crate) fn log_in(
        &mut self,
        user_id: String,
        remembered: bool,
        limits: &Limits,
    ) -> Result<(), Error> {
        if user_id.is_empty() || user_id.len() > 64 || user_id.contains(char::is_control) {
            let message = format!(
                "the user id {user_id:?} must have 1 to 64 bytes and no control characters"
            );
            return Err(Error::new(ErrorKind::Value, message));
        }
        if self.status == Status::Destroyed {
            // The record goes on under another token and without its data, which ends it as well.
            self.status = Status::Clean;
            self.changes = vec![Change::clear()];
        }
        if self
            .contents
            .user_id
            .as_ref()
            .is_some_and(|present| *present != user_id)
        {
            self.apply(Change::clear(), limits)?;
        }
        let change = Change::LogIn {
            user_id,
            remembered,
        };
        change.apply(&mut self.contents)?;
        self.changes.push(change);
        self.mark(Status::Renewed);
        Ok(())
    }

    pub(crate) fn renew(&mut self) {
        self.mark(Status::Renewed);
    }

    pub(crate) fn end_others(&mut self) {
        self.ends_others = true;
        self.renew();
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
            cookie_expires: self.persistent(limits),
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
            ends_others: std::mem::take(&mut self.ends_others),
            status: std::mem::take(&mut self.status),
        }
    }

    /// The store has the record now, under this token, and this is what it holds; changes made since
    /// stay on top of it.
    pub(crate) fn saved(&mut self, stored: Stored, mut contents: Contents) -> Result<(), Error> {
        let renewed = self
            .stored
            .as_ref()
            .is_none_or(|before| before.token != stored.token);
        self.token_unsent |= renewed;
        for change in &self.changes {
            change.apply(&mut contents)?;
        }
        self.contents = contents;
        self.stored = Some(stored);
        self.touch_asked = false;
        Ok(())
    }

    /// Puts what the store has in the place of all that happened since.
    pub(crate) fn reload(&mut self, fresh: Self) {
        *self = Self {
            cookie_came: self.cookie_came,
            token_unsent: self.token_unsent,
            ..fresh
        };
    }

    /// Forgets what happened since the session was last loaded or saved.
    pub(crate) fn reset(&mut self, schema: &Schema) {
        let stored = self.stored.take();
        let contents = stored
            .as_ref()
            .and_then(|stored| Contents::decode(&stored.record, schema).ok());
        let contents = contents.unwrap_or_default();
        self.reload(Self {
            stored,
            contents,
            ..Self::default()
        });
    }

    /// The saving failed: what was handed out counts as not saved again.
    pub(crate) fn save_failed(&mut self, pending: &Pending) {
        self.changes.splice(..0, pending.changes.iter().cloned());
        self.ends_others |= pending.ends_others;
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
