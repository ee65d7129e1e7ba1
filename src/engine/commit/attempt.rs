//! One attempt to save a session: the record to store, and the session that it belongs to.

use std::sync::Arc;

use super::{Commit, Committed, Ended, Saved};
use crate::error::Error;
use crate::record::Record;
use crate::state::{Change, Contents, Stored, Verb};
use crate::store::{Save, Store, Updated};
use crate::token::{Key, Token};

pub(crate) struct Attempt {
    pub(crate) save: Arc<Save>,
    pub(super) contents: Contents,
    token: Option<Token>,
    user: Option<String>,
    /// The key that the record leaves for a new one.
    old_key: Option<Key>,
    /// The record after a touch.
    touched: Option<Record>,
}

impl Attempt {
    /// Asks the store.
    pub(super) fn run(&self, store: &dyn Store) -> Result<Updated, Error> {
        if let (Save::Update { version, record }, Some(old_key)) = (&*self.save, &self.old_key) {
            return store.update(old_key, *version, record);
        }
        let answer = self.save.on(store);
        answer.or_else(|error| self.save.after(error, store))
    }

    /// Returns `true` for an update that leaves as it was what [`Save::Update`] does not store.
    pub(super) fn is_plain_update_of(&self, before: &Record) -> bool {
        let Save::Update { record, .. } = &*self.save else {
            return false;
        };
        record.user_id == before.user_id
            && record.created_at == before.created_at
            && record.deadline == before.deadline
            && record.user_agent == before.user_agent
            && record.ip == before.ip
    }

    /// Returns the session after the store has done it.
    pub(crate) fn done(self) -> Committed {
        let is_new = matches!(*self.save, Save::Insert(_));
        let record = match (Arc::unwrap_or_clone(self.save), self.touched) {
            (Save::Insert(record) | Save::Update { record, .. }, _) | (_, Some(record)) => record,
            (Save::Touch { .. }, None) => return Committed::Unchanged,
        };
        Committed::Saved(Box::new(Saved {
            stored: Stored {
                token: self.token,
                record,
                user: self.user,
            },
            contents: self.contents,
            is_new,
            replaces: false,
            others: Ended::default(),
            oldest: Ended::default(),
        }))
    }
}

impl Commit {
    /// Returns the attempt to insert a new session.
    pub(super) fn beginning(&self, contents: Contents) -> Result<Attempt, Error> {
        let token = self.tokens.generate()?;
        let record = self.record(&contents, token.key(), None)?;
        Ok(Attempt {
            save: Arc::new(Save::Insert(record)),
            contents,
            token: Some(token),
            user: None,
            old_key: None,
            touched: None,
        })
    }

    /// Returns the attempt to replace a stored session, under a new token if the plan renews it.
    pub(super) fn replacement(
        &self,
        stored: &Stored,
        contents: Contents,
    ) -> Result<Attempt, Error> {
        let (token, old_key) = match self.verb {
            Verb::Renew => (
                Some(self.tokens.generate()?),
                Some(stored.record.key.clone()),
            ),
            _ => (stored.token.clone(), None),
        };
        let key = match (&token, &old_key) {
            (Some(token), Some(_)) => token.key(),
            _ => stored.record.key.clone(),
        };
        let record = self.record(&contents, key, Some(&stored.record))?;
        let version = stored.record.version;
        Ok(Attempt {
            save: Arc::new(Save::Update { version, record }),
            contents,
            token,
            user: stored.user.clone(),
            old_key,
            touched: None,
        })
    }

    /// Returns the attempt to move the times of a session that was used.
    pub(super) fn use_of(&self, stored: &Stored) -> Attempt {
        let contents = self.pending.contents.clone();
        let record = Record {
            seen_at: self.now,
            expires_at: self.expiry(&contents, self.now, stored.record.deadline),
            ..stored.record.clone()
        };
        Attempt {
            save: Arc::new(Save::Touch {
                key: record.key.clone(),
                seen_at: record.seen_at,
                expires_at: record.expires_at,
            }),
            contents,
            token: stored.token.clone(),
            user: stored.user.clone(),
            old_key: None,
            touched: Some(record),
        }
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
        let deadline = match continued {
            Some(record) if !self.moves_deadline() => record.deadline,
            _ => self.new_deadline(contents, created_at),
        };
        Ok(Record {
            key,
            user_id: contents.user_id.clone(),
            data: contents.encode(&self.limits)?,
            version: drawn_version(before),
            created_at,
            seen_at,
            expires_at: self.expiry(contents, seen_at, deadline),
            deadline,
            // A session that began outside a request gets the browser that first changes it.
            user_agent: before
                .and_then(|record| record.user_agent.clone())
                .or_else(|| self.client.user_agent.clone()),
            ip: continued.map_or_else(
                || self.client.shown_address.clone(),
                |record| record.ip.clone(),
            ),
        })
    }

    fn moves_deadline(&self) -> bool {
        let moves = |change: &Change| matches!(change, Change::AbsoluteTimeout(_));
        self.pending.changes.iter().any(moves)
    }

    fn new_deadline(&self, contents: &Contents, created_at: i64) -> i64 {
        let (_, absolute) = self.limits.timeouts(contents);
        // An application that shares the sessions does not record when one began.
        let begun_at = match created_at {
            0 => self.now,
            created_at => created_at,
        };
        begun_at.saturating_add(absolute)
    }

    fn expiry(&self, contents: &Contents, seen_at: i64, deadline: i64) -> i64 {
        let (idle, _) = self.limits.timeouts(contents);
        seen_at.saturating_add(idle).min(deadline)
    }
}

/// Draws a version other than the one before, so that no other save has the same.
fn drawn_version(before: Option<&Record>) -> i64 {
    let version = fastrand::i64(..);
    match before {
        Some(record) if record.version == version => version.wrapping_add(1),
        _ => version,
    }
}
