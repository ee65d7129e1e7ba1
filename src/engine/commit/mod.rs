//! Runs a plan on a store: inserts a new session, saves a known one by compare-and-swap, and never
//! recreates one that is gone.

use std::thread;
use std::time::Duration;

use crate::error::Error;
use crate::record::Record;
use crate::request::client::Client;
use crate::state::{Change, Contents, Limits, Pending, Stored, Verb};
use crate::store::{Inserted, Store, Updated};
use crate::token::{Key, TokenSource};

/// The outcome of a plan.
#[derive(Debug)]
pub(crate) enum Committed {
    Saved(Box<Saved>),
    /// The record is deleted; `true` if there was one.
    Deleted(bool),
    /// Nothing was to be done.
    Unchanged,
    /// Another request deleted the record, and the changes are not saved.
    Gone,
}

/// The record as it is stored now, and its contents.
#[derive(Debug)]
pub(crate) struct Saved {
    pub(crate) stored: Stored,
    pub(crate) contents: Contents,
    pub(crate) is_new: bool,
    /// The browser's earlier session was ended.
    pub(crate) replaces: bool,
    /// The number of the user's other sessions that ended because the request asked for it.
    pub(crate) others_ended: u64,
    /// The number of sessions that ended because of `sessions_per_user`.
    pub(crate) oldest_ended: u64,
}

/// Attempts to save when other requests save first. With a pause of up to 8 ms after each, the
/// request's deadline comes first in any case but a livelock.
const ATTEMPTS: u32 = 200;

/// Sign-ins up to this many milliseconds apart may run concurrently.
const AT_ONCE: i64 = 10_000;

/// A plan with all that running it needs.
#[derive(Debug)]
pub(crate) struct Commit {
    pub(crate) limits: Limits,
    pub(crate) tokens: TokenSource,
    pub(crate) client: Client,
    pub(crate) pending: Pending,
    pub(crate) verb: Verb,
    pub(crate) now: i64,
}

impl Commit {
    pub(crate) fn run(&self, store: &dyn Store) -> Result<Committed, Error> {
        let Some(others_ended) = self.end_others(store)? else {
            return Ok(Committed::Gone);
        };
        let mut committed = match (self.verb, &self.pending.stored) {
            (Verb::Nothing, _) => Committed::Unchanged,
            (Verb::Touch, Some(stored)) => self.touch(store, stored.clone())?,
            (Verb::Update, Some(stored)) => self.update(store, stored.clone(), false)?,
            (Verb::Renew, Some(stored)) => self.update(store, stored.clone(), true)?,
            (Verb::Delete, _) => Committed::Deleted(self.delete(store)?),
            (Verb::Replace, _) => self.replace(store)?,
            _ => self.insert(store, self.pending.contents.clone())?,
        };
        if let Committed::Saved(saved) = &mut committed {
            saved.others_ended = others_ended;
        }
        Ok(committed)
    }

    /// Ends the user's other sessions if the request asked for it. Returns how many, or `None` if this
    /// session is gone. Runs first: if it failed after a new token was stored, that token would not reach
    /// the browser.
    fn end_others(&self, store: &dyn Store) -> Result<Option<u64>, Error> {
        let stored = self.pending.stored.as_ref().map(|it| &it.record);
        // A sign-out has no user any more.
        let before = stored.and_then(|record| record.user_id.as_ref());
        let user_id = self.pending.contents.user_id.as_ref().or(before);
        let (Some(user_id), true) = (user_id, self.pending.ends_others) else {
            return Ok(Some(0));
        };
        let current = stored.map(|record| &record.key);
        if let (Some(current), false) = (current, self.signs_in())
            && store.load(current, self.now)?.is_none()
        {
            let signs_out = matches!(self.verb, Verb::Delete | Verb::Replace);
            return Ok(signs_out.then_some(0));
        }
        store.delete_all(user_id, current).map(Some)
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

    /// Ends the oldest sessions of a user who has just signed in and now has too many.
    ///
    /// Runs after the sign-in is stored. Of concurrent sign-ins, the one stored last sees all the
    /// others. One that lists earlier sees fewer sessions, so it never ends one of the newest `limit`.
    ///
    /// If the store fails here, the sign-in remains valid, and the next one ends the surplus.
    pub(crate) fn limit(&self, store: &dyn Store, committed: &mut Committed) {
        let user_id = self.pending.contents.user_id.as_ref();
        if let (Committed::Saved(saved), Some(limit), Some(user_id), true) =
            (committed, self.limits.per_user, user_id, self.signs_in())
            && let Err(error) = self.end_oldest(store, user_id, limit, saved)
        {
            log::error!("a user has more than {limit} sessions until the next sign-in: {error}");
        }
    }

    fn end_oldest(
        &self,
        store: &dyn Store,
        user_id: &str,
        limit: u32,
        saved: &mut Saved,
    ) -> Result<(), Error> {
        let mut records = store.list(user_id, self.now)?;
        records.sort_by(|a, b| (b.created_at, &b.key).cmp(&(a.created_at, &a.key)));
        let (current, mut kept) = (&saved.stored.record, limit as usize);
        let last = kept.checked_sub(1).and_then(|last| records.get(last));
        // A clock that went back must not end the session of this very sign-in.
        if last.is_some_and(|last| last.created_at - current.created_at > AT_ONCE) {
            records.retain(|record| record.key != current.key);
            kept -= 1;
        }
        for record in records.iter().skip(kept) {
            saved.oldest_ended += u64::from(store.delete(&record.key)?);
        }
        Ok(())
    }

    /// Inserts a new record. Draws another token if one is taken.
    fn insert(&self, store: &dyn Store, contents: Contents) -> Result<Committed, Error> {
        for _ in 0..3 {
            let token = self.tokens.generate()?;
            let record = self.record(&contents, token.key(), None)?;
            if store.insert(&record)? == Inserted::Done {
                let stored = Stored {
                    token: Some(token),
                    record,
                    user: None,
                };
                return Ok(saved(stored, contents, true));
            }
        }
        Err(Error::unavailable(
            "three new tokens in a row were taken; check the token generator",
        ))
    }

    fn update(
        &self,
        store: &dyn Store,
        mut stored: Stored,
        renew: bool,
    ) -> Result<Committed, Error> {
        let mut contents = self.pending.contents.clone();
        for attempt in 0..ATTEMPTS {
            let (token, key) = match renew {
                true => self
                    .tokens
                    .generate()
                    .map(|token| (Some(token.clone()), token.key()))?,
                false => (stored.token.clone(), stored.record.key.clone()),
            };
            let record = self.record(&contents, key, Some(&stored.record))?;
            match store.update(&stored.record.key, stored.record.version, &record)? {
                Updated::Done => {
                    let user = stored.user;
                    let stored = Stored {
                        token,
                        record,
                        user,
                    };
                    return Ok(saved(stored, contents, false));
                }
                Updated::Taken => continue,
                Updated::Stale => {}
            }
            match store.load_with_user(&stored.record.key, self.now)? {
                Some(fresh) => (stored.record, stored.user) = fresh,
                None if self.signs_in() => {
                    return self.insert(store, self.replayed(Contents::default())?);
                }
                None => return Ok(Committed::Gone),
            }
            let fresh = Contents::decode(&stored.record, &self.limits.schema);
            contents = self.replayed(fresh.map_err(unreadable)?)?;
            thread::sleep(Duration::from_micros(fastrand::u64(
                ..250 << attempt.min(5),
            )));
        }
        Err(Error::unavailable(format!(
            "the session changed under {ATTEMPTS} attempts to save it; try again"
        )))
    }

    fn touch(&self, store: &dyn Store, mut stored: Stored) -> Result<Committed, Error> {
        let contents = &self.pending.contents;
        let seen_at = self.now;
        let expires_at = self.expiry(contents, seen_at, stored.record.deadline);
        store.touch(&stored.record.key, seen_at, expires_at)?;
        stored.record.seen_at = seen_at;
        stored.record.expires_at = expires_at;
        Ok(saved(stored, contents.clone(), false))
    }

    fn replayed(&self, mut contents: Contents) -> Result<Contents, Error> {
        for change in &self.pending.changes {
            change.apply(&mut contents)?;
        }
        Ok(contents)
    }

    fn record(
        &self,
        contents: &Contents,
        key: Key,
        before: Option<&Record>,
    ) -> Result<Record, Error> {
        // Signing in, again or for the first time, starts both time-outs afresh (NIST SP 800-63B-4,
        // section 5.2).
        let continued = before.filter(|_| !self.signs_in());
        let created_at = continued.map_or(self.now, |record| record.created_at);
        // A clock that went back shortens no session. An application that shares the sessions does not
        // record when one was last used.
        let seen_at = match continued {
            Some(record) if self.limits.shared_with.is_none() => record.seen_at.max(self.now),
            _ => self.now,
        };
        let (_, absolute) = self.limits.timeouts(contents);
        let new_deadline = self.now.saturating_add(absolute);
        let deadline = continued.map_or(new_deadline, |record| record.deadline);
        Ok(Record {
            key,
            user_id: contents.user_id.clone(),
            data: contents.encode(&self.limits)?,
            version: before.map_or(0, |record| record.version.wrapping_add(1)),
            created_at,
            seen_at,
            expires_at: self.expiry(contents, seen_at, deadline),
            deadline,
            user_agent: before.map_or_else(
                || self.client.user_agent.clone(),
                |record| record.user_agent.clone(),
            ),
            ip: continued.map_or_else(
                || self.client.shown_address.clone(),
                |record| record.ip.clone(),
            ),
        })
    }

    fn expiry(&self, contents: &Contents, seen_at: i64, deadline: i64) -> i64 {
        let (idle, _) = self.limits.timeouts(contents);
        seen_at.saturating_add(idle).min(deadline)
    }

    /// A sign-in always gets a session: if the old one ended during the request, a new one is created.
    fn signs_in(&self) -> bool {
        self.pending
            .changes
            .iter()
            .any(|change| matches!(change, Change::LogIn { .. }))
    }
}

fn saved(stored: Stored, contents: Contents, is_new: bool) -> Committed {
    Committed::Saved(Box::new(Saved {
        stored,
        contents,
        is_new,
        replaces: false,
        others_ended: 0,
        oldest_ended: 0,
    }))
}

fn unreadable(cause: serde_json::Error) -> Error {
    Error::unavailable("the session's record became unreadable").with_source(cause)
}
