//! Runs a plan on a store: inserts a new session, saves a known one by compare-and-swap, and never
//! recreates one that is gone.

mod attempt;
mod others;

use std::mem;
use std::thread;
use std::time::Duration;

pub(crate) use self::attempt::Attempt;
pub(crate) use self::others::Ended;
use crate::engine::session_locks::LastSave;
use crate::error::Error;
use crate::record::Record;
use crate::request::client::Client;
use crate::state::{Change, Contents, Limits, Pending, Stored, Verb};
use crate::store::{Store, Updated};
use crate::token::{Key, TokenSource};

/// The outcome of a plan.
#[derive(Debug)]
pub(crate) enum Committed {
    Saved(Box<Saved>),
    /// The record is deleted; `true` if there was one. The user's other sessions ended if the request asked for
    /// it.
    Deleted(bool, Ended),
    /// Nothing was to be done.
    Unchanged,
    /// Another request deleted the record, and the changes are not saved.
    Gone,
}

impl Committed {
    /// Returns a word for it.
    pub(crate) fn outcome(&self) -> &'static str {
        match self {
            Self::Saved(_) => "saved",
            Self::Deleted(..) => "deleted",
            Self::Unchanged => "unchanged",
            Self::Gone => "gone",
        }
    }
}

/// The record as it is stored now, and its contents.
#[derive(Debug)]
pub(crate) struct Saved {
    pub(crate) stored: Stored,
    pub(crate) contents: Contents,
    pub(crate) is_new: bool,
    /// The browser's earlier session was ended.
    pub(crate) replaces: bool,
    /// The user's other sessions that ended because the request asked for it.
    pub(crate) others: Ended,
    /// The sessions that ended because of `sessions_per_user`.
    pub(crate) oldest: Ended,
}

/// Attempts to save when other requests save first. With a pause of up to 8 ms after each, the
/// request's deadline comes first in any case but a livelock.
const ATTEMPTS: u32 = 200;

/// A plan with all that running it needs.
#[derive(Debug)]
pub(crate) struct Commit {
    pub(crate) limits: Limits,
    pub(crate) tokens: TokenSource,
    pub(crate) client: Client,
    pub(crate) pending: Pending,
    pub(crate) verb: Verb,
    pub(crate) now: i64,
    /// Listeners or open streams want the records of all sessions that end.
    pub(crate) lists_ended: bool,
}

impl Commit {
    /// Runs the plan. If it `is_stale`, another request has saved the session since it was loaded.
    pub(crate) fn run(&self, store: &dyn Store, is_stale: bool) -> Result<Committed, Error> {
        let Some(others) = self.end_others(store)? else {
            return Ok(Committed::Gone);
        };
        let mut committed = match (self.verb, &self.pending.stored) {
            (Verb::Nothing, _) => Committed::Unchanged,
            (Verb::Touch, Some(stored)) => self.touch(store, stored)?,
            (Verb::Update | Verb::Renew, Some(stored)) => {
                self.update(store, stored.clone(), is_stale)?
            }
            (Verb::Delete, _) => Committed::Deleted(self.delete(store)?, Ended::default()),
            (Verb::Replace, _) => self.replace(store)?,
            _ => self.insert(store, self.pending.contents.clone())?,
        };
        match &mut committed {
            Committed::Saved(saved) => saved.others = others,
            Committed::Deleted(_, ended) => *ended = others,
            Committed::Unchanged | Committed::Gone => {}
        }
        Ok(committed)
    }

    /// Returns `true` if the last save was of this session, and not of the version that it was loaded with.
    pub(crate) fn is_behind(&self, last: &LastSave) -> bool {
        let stored = self.pending.stored.as_ref().map(|it| &it.record);
        let same_key = |(key, version): &(Key, i64), stored: &Record| {
            stored.key == *key && stored.version != *version
        };
        last.as_ref()
            .zip(stored)
            .is_some_and(|(last, stored)| same_key(last, stored))
    }

    /// Returns the first attempt of a plan that is one save, which can share a statement with other requests'.
    pub(crate) fn first(&self) -> Result<Option<Attempt>, Error> {
        if self.pending.ends_others || self.signs_in() && self.limits.per_user.is_some() {
            return Ok(None);
        }
        let contents = || self.pending.contents.clone();
        match (self.verb, &self.pending.stored) {
            (Verb::Insert, _) => self.beginning(contents()).map(Some),
            (Verb::Update, Some(stored)) => {
                let attempt = self.replacement(stored, contents())?;
                Ok(attempt
                    .is_plain_update_of(&stored.record)
                    .then_some(attempt))
            }
            (Verb::Touch, Some(stored)) => Ok(Some(self.use_of(stored))),
            _ => Ok(None),
        }
    }

    /// Runs the plan on after the answer to its first attempt.
    pub(crate) fn run_on(
        &self,
        first: Attempt,
        answer: Result<Updated, Error>,
        store: &dyn Store,
    ) -> Result<Committed, Error> {
        let outcome = answer.or_else(|error| first.save.after(error, store))?;
        match (outcome, &self.pending.stored) {
            (Updated::Done, _) => Ok(first.done()),
            (_, Some(stored)) => self.update(store, stored.clone(), true),
            (_, None) => self.insert(store, first.contents),
        }
    }

    /// Deletes the browser's session. Returns `true` if there was one.
    fn delete(&self, store: &dyn Store) -> Result<bool, Error> {
        let stored = self.pending.stored.as_ref().map(|it| &it.record.key);
        let key = stored.or(self.pending.unknown.as_ref());
        key.map_or(Ok(false), |key| store.delete(key))
    }

    /// Deletes the session, and stores its messages and new values under a new token. Deletes first, so a
    /// failure in between leaves it ended.
    fn replace(&self, store: &dyn Store) -> Result<Committed, Error> {
        let ended = self.delete(store)?;
        let mut committed = self.insert(store, self.pending.contents.clone())?;
        if let Committed::Saved(saved) = &mut committed {
            saved.replaces = ended;
        }
        Ok(committed)
    }

    /// Inserts a new record. Draws another token if one is taken.
    fn insert(&self, store: &dyn Store, mut contents: Contents) -> Result<Committed, Error> {
        for _ in 0..3 {
            let attempt = self.beginning(contents)?;
            match attempt.run(store)? {
                Updated::Done => return Ok(attempt.done()),
                _ => contents = attempt.contents,
            }
        }
        Err(Error::unavailable(
            "three new tokens in a row were taken; check the token generator",
        ))
    }

    /// Replaces the record. If another request changed it first, applies the changes to what that stored.
    fn update(
        &self,
        store: &dyn Store,
        mut stored: Stored,
        mut is_stale: bool,
    ) -> Result<Committed, Error> {
        let mut contents = self.pending.contents.clone();
        for count in 0..ATTEMPTS {
            if !mem::take(&mut is_stale) {
                let attempt = self.replacement(&stored, contents)?;
                match attempt.run(store)? {
                    Updated::Done => return Ok(attempt.done()),
                    Updated::Taken => {
                        contents = attempt.contents;
                        continue;
                    }
                    Updated::Stale => {}
                }
            }
            match store.load_with_user(&stored.record.key, self.now)? {
                Some(fresh) => (stored.record, stored.user) = fresh,
                None if self.begins_anew() => {
                    return self.insert(store, self.replayed(Contents::default())?);
                }
                None => return Ok(Committed::Gone),
            }
            let fresh = Contents::decode(&stored.record, &self.limits.schema);
            contents = self.replayed(fresh.map_err(unreadable)?)?;
            thread::sleep(Duration::from_micros(fastrand::u64(..250 << count.min(5))));
        }
        Err(Error::unavailable(format!(
            "the session changed under {ATTEMPTS} attempts to save it; try again"
        )))
    }

    fn touch(&self, store: &dyn Store, stored: &Stored) -> Result<Committed, Error> {
        let attempt = self.use_of(stored);
        attempt.run(store)?;
        Ok(attempt.done())
    }

    fn replayed(&self, mut contents: Contents) -> Result<Contents, Error> {
        for change in &self.pending.changes {
            change.apply(&mut contents)?;
        }
        Ok(contents)
    }

    fn signs_in(&self) -> bool {
        let mut changes = self.pending.changes.iter();
        changes.any(Change::signs_in)
    }

    /// A sign-in, or the first step of one, always gets a session: if the old one ended during the request, a
    /// new one is created. A later step gets none, because another request may have completed the sign-in.
    fn begins_anew(&self) -> bool {
        let mut changes = self.pending.changes.iter();
        changes.any(|change| matches!(change, Change::LogIn { .. } | Change::Begin(_)))
    }
}

fn unreadable(cause: serde_json::Error) -> Error {
    Error::unavailable("the session's record became unreadable").with_source(cause)
}
