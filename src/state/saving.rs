//! What becomes of the session when it is saved, and when that fails.

use super::plan::Status;
use super::{Change, Contents, Schema, State, Stored};
use crate::error::Error;
use crate::token::Key;

/// What one store verb works on.
#[derive(Debug)]
pub(crate) struct Pending {
    pub(crate) stored: Option<Stored>,
    /// The key that the browser came with, if the store has no record of it.
    pub(crate) unknown: Option<Key>,
    pub(crate) changes: Vec<Change>,
    /// What the session holds with these changes made.
    pub(crate) contents: Contents,
    /// The user's other sessions end, too.
    pub(crate) ends_others: bool,
    status: Status,
}

impl State {
    /// Hands out what a store verb needs; what happens from here on waits for the next one.
    pub(crate) fn begin_save(&mut self) -> Pending {
        Pending {
            stored: self.stored.clone(),
            unknown: self.unknown.clone(),
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
            unknown: self.unknown.take(),
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
        self.unknown = None;
        self.token_unsent = false;
        self.added.clear();
        self.destroy();
    }

    /// The session was ended by another request, which told the browser; it may have a newer
    /// cookie by now, so this one says nothing about it.
    pub(crate) fn gone(&mut self) {
        self.cookie_came = false;
        self.ended();
        self.mark(Status::Gone);
    }
}
