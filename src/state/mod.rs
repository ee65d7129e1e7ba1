//! The state of a session during a request: its contents, its recorded changes, and the plan for its end.
//!
//! Knows neither Rocket nor Diesel.

mod begun;
mod change;
mod contents;
mod flash;
mod limits;
mod plan;
mod proofs;
pub(crate) mod reserved;
mod saving;
mod schema;
mod timeouts;

use serde::de::DeserializeOwned;

pub(crate) use self::change::Change;
pub(crate) use self::contents::{Contents, max_age};
pub use self::flash::Flash;
pub(crate) use self::limits::{Limits, Sharer};
pub(crate) use self::plan::{Plan, SetCookie, Verb};
pub use self::proofs::Factor;
pub(crate) use self::proofs::{Evidence, is_within};
pub(crate) use self::saving::Pending;
pub(crate) use self::schema::Schema;

use self::plan::{Facts, Status};
use crate::error::{Error, ErrorKind};
use crate::record::Record;
use crate::token::{Key, Token};

/// A record with the browser's token for it, if a browser sent one.
#[derive(Clone, Debug)]
pub(crate) struct Stored {
    pub(crate) token: Option<Token>,
    pub(crate) record: Record,
    /// The row of the record's user, as a JSON object.
    pub(crate) user: Option<String>,
}

/// The state of one session: the record as it was last read or saved, and the changes since.
#[derive(Debug, Default)]
pub(crate) struct State {
    stored: Option<Stored>,
    contents: Contents,
    changes: Vec<Change>,
    /// The messages that were taken; they are removed once the response is known to be read.
    taken: Vec<Flash>,
    status: Status,
    /// The browser sent a cookie of the session's name.
    has_cookie: bool,
    /// The key of the token in that cookie, if the store has no record under it.
    unknown: Option<Key>,
    /// The token was saved during the request, and the browser does not have it yet.
    token_unsent: bool,
    touch_asked: bool,
    /// The request opens a stream, so that it is no use of the session by itself.
    opens_stream: bool,
    ends_others: bool,
    /// The messages that this request added.
    added: Vec<Flash>,
}

impl State {
    /// Returns the state of a session that is not stored. The browser may have sent a cookie with a token.
    pub(crate) fn new(has_cookie: bool, unknown: Option<Key>) -> Self {
        Self {
            has_cookie,
            unknown,
            ..Self::default()
        }
    }

    /// Returns the state of a stored session, or `None` if it has expired. Fails if its data is not a JSON
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
            has_cookie: true,
            ..Self::default()
        }))
    }

    pub(crate) fn stored(&self) -> Option<&Stored> {
        self.stored.as_ref()
    }

    /// Returns `true` if the store has a token that the browser does not have yet.
    pub(crate) fn has_unsent_token(&self) -> bool {
        self.token_unsent && self.stored.is_some()
    }

    /// Returns `true` if this request ends the session.
    pub(crate) fn is_destroyed(&self) -> bool {
        self.status == Status::Destroyed
    }

    /// Returns `true` if the browser sent a token that the store has no record for.
    pub(crate) fn came_unknown(&self) -> bool {
        self.unknown.is_some()
    }

    pub(crate) fn user_id(&self) -> Option<&str> {
        self.contents.user_id.as_deref()
    }

    /// Returns the user's row as it was loaded, or `None` if another user has signed in since.
    pub(crate) fn user(&self) -> Option<&str> {
        let stored = self.stored.as_ref()?;
        let user_id = &self.contents.user_id;
        let is_same = user_id.is_some() && *user_id == stored.record.user_id;
        stored.user.as_deref().filter(|_| is_same)
    }

    pub(crate) fn get<T: DeserializeOwned>(&self, key: &str) -> Result<Option<T>, Error> {
        self.contents.get(key)
    }

    pub(crate) fn typed<T: DeserializeOwned + Default>(&self) -> Result<T, Error> {
        self.contents.typed()
    }

    /// Takes the pending messages. [`remove_taken`](Self::remove_taken) removes them from the session; a
    /// session that was loaded by its key has no response, so they are removed at once.
    pub(crate) fn take_flashes(&mut self, limits: &Limits) -> Result<Vec<Flash>, Error> {
        let waiting = flash::without(flash::waiting(&self.contents)?, &self.taken);
        self.taken.extend_from_slice(&waiting);
        if self.stored().is_some_and(|stored| stored.token.is_none()) {
            self.remove_taken(limits)?;
        }
        Ok(waiting)
    }

    pub(crate) fn leave(&mut self, flash: Flash, limits: &Limits) -> Result<(), Error> {
        self.apply(Change::add_flash(flash.clone()), limits)?;
        self.added.push(flash);
        Ok(())
    }

    /// Returns `true` if messages were taken and are not removed yet.
    pub(crate) fn has_taken(&self) -> bool {
        !self.taken.is_empty()
    }

    /// Removes the messages that were taken.
    pub(crate) fn remove_taken(&mut self, limits: &Limits) -> Result<(), Error> {
        match std::mem::take(&mut self.taken) {
            taken if taken.is_empty() => Ok(()),
            taken => self.apply(Change::remove_flashes(taken), limits),
        }
    }

    /// Returns the idle and the absolute timeout in milliseconds.
    pub(crate) fn timeouts(&self, limits: &Limits) -> (i64, i64) {
        limits.timeouts(&self.contents)
    }

    /// Returns `true` if the user asked to stay signed in.
    pub(crate) fn remembered(&self) -> bool {
        self.contents.remembered()
    }

    /// Returns `true` if the cookie is to outlive the browser's session.
    pub(crate) fn persistent(&self, limits: &Limits) -> bool {
        let contents = &self.contents;
        limits.persistent
            || self.remembered()
            || contents.idle_timeout().or(contents.max_age()).is_some()
    }

    /// Applies a change to the values; one that changes nothing is not recorded.
    pub(crate) fn apply(&mut self, change: Change, limits: &Limits) -> Result<(), Error> {
        let mut contents = self.contents.clone();
        change.apply(&mut contents)?;
        if contents != self.contents {
            if self.status == Status::Gone {
                return Err(Error::gone());
            }
            contents.encode(limits)?;
            self.contents = contents;
            self.changes.push(change);
            self.mark(Status::Changed);
        }
        Ok(())
    }

    /// Signs a user in. Keeps what an anonymous user stored, and removes what another user did.
    pub(crate) fn log_in(
        &mut self,
        user_id: String,
        remembered: bool,
        limits: &Limits,
    ) -> Result<(), Error> {
        check_user_id(&user_id)?;
        self.drop_data_of_others(Some(&user_id), limits)?;
        let change = Change::LogIn {
            user_id,
            remembered,
        };
        change.apply(&mut self.contents)?;
        self.changes.push(change);
        self.mark(Status::Renewed);
        Ok(())
    }

    /// Removes what a sign-in does not keep: the data of an ended session, and that of a user other than
    /// `next`.
    fn drop_data_of_others(&mut self, next: Option<&str>, limits: &Limits) -> Result<(), Error> {
        if self.status >= Status::Destroyed {
            // The record continues under a new token without its data, which ends the old session as well.
            self.status = Status::Clean;
            self.changes.insert(0, Change::clear());
        }
        let current = self.contents.user_id.as_deref();
        if current.is_some_and(|current| Some(current) != next) {
            // The messages of this request are for the user who signs in.
            let waiting = flash::waiting(&self.contents).unwrap_or_default();
            self.added.retain(|flash| waiting.contains(flash));
            self.apply(Change::clear(), limits)?;
            for flash in self.added.clone() {
                self.apply(Change::add_flash(flash), limits)?;
            }
        }
        Ok(())
    }

    pub(crate) fn renew(&mut self) {
        self.mark(Status::Renewed);
    }

    pub(crate) fn end_others(&mut self) {
        self.ends_others = true;
        self.renew();
    }

    /// Ends the session. The pending messages of this request begin a new one.
    pub(crate) fn destroy(&mut self) {
        let before = std::mem::take(&mut self.contents);
        let waiting = flash::waiting(&before).unwrap_or_default();
        self.added.retain(|flash| waiting.contains(flash));
        self.changes = self.added.iter().cloned().map(Change::add_flash).collect();
        for change in &self.changes {
            // A list of messages that was stored once can be stored again.
            let _ = change.apply(&mut self.contents);
        }
        self.mark(Status::Destroyed);
    }

    pub(crate) fn touch(&mut self) {
        self.touch_asked = true;
    }

    pub(crate) fn open_stream(&mut self) {
        self.opens_stream = true;
    }

    fn mark(&mut self, status: Status) {
        self.status = self.status.max(status);
    }

    /// Returns what brings the store and the browser up to date.
    pub(crate) fn plan(&self, limits: &Limits, now: i64) -> Plan {
        let stored = self.stored.as_ref();
        Plan::of(&Facts {
            loaded: stored.is_some(),
            status: self.status,
            empty: self.contents.is_empty() && !limits.save_uninitialized,
            begins_anew: !self.contents.is_empty() && stored.is_none_or(|it| it.token.is_some()),
            touch_due: stored.is_some_and(|it| {
                let is_due = || limits.touch_due(&it.record, &self.contents, now);
                self.touch_asked || !self.opens_stream && is_due()
            }),
            has_cookie: self.has_cookie,
            unknown_token: self.unknown.is_some(),
            token_unsent: self.token_unsent,
            cookie_expires: self.persistent(limits),
            rolling: limits.rolling,
            save_uninitialized: limits.save_uninitialized,
        })
    }
}

fn check_user_id(user_id: &str) -> Result<(), Error> {
    if user_id.is_empty() || user_id.len() > 64 || user_id.contains(char::is_control) {
        let message =
            format!("the user id {user_id:?} must have 1 to 64 bytes and no control characters");
        return Err(Error::new(ErrorKind::Value, message));
    }
    Ok(())
}
