//! The state of a session while it is saved, and after the save succeeded or failed.

use super::plan::Status;
use super::{Change, Contents, Schema, State, Stored};
use crate::error::Error;
use crate::token::Key;

/// The state that one save writes.
#[derive(Debug)]
pub(crate) struct Pending {
    pub(crate) stored: Option<Stored>,
    /// The key of the browser's token, if the store has no record under it.
    pub(crate) unknown: Option<Key>,
    pub(crate) changes: Vec<Change>,
    /// The contents with these changes applied.
    pub(crate) contents: Contents,
    /// The user's other sessions end, too.
    pub(crate) ends_others: bool,
    status: Status,
}

impl State {
    /// Takes the changes for a save. Later changes wait for the next one.
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

    /// Notes that the record is stored with these contents. Changes made since are applied on top.
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

    /// Replaces the state by the stored one, and keeps what is known of the browser.
    pub(crate) fn reload(&mut self, fresh: Self) {
        *self = Self {
            has_cookie: self.has_cookie,
            unknown: self.unknown.take(),
            token_unsent: self.token_unsent,
            opens_stream: self.opens_stream,
            ..fresh
        };
    }

    /// Discards the changes since the session was last loaded or saved.
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

    /// Returns the changes of a failed save to the unsaved ones.
    pub(crate) fn save_failed(&mut self, pending: &Pending) {
        self.changes.splice(..0, pending.changes.iter().cloned());
        self.ends_others |= pending.ends_others;
        self.mark(pending.status);
    }

    /// Notes that this request ended the session.
    pub(crate) fn ended(&mut self) {
        self.stored = None;
        self.unknown = None;
        self.token_unsent = false;
        self.added.clear();
        self.destroy();
    }

    /// Notes that another request ended the session. That request updated the browser's cookie, so this one
    /// leaves it alone.
    pub(crate) fn gone(&mut self) {
        self.has_cookie = false;
        self.ended();
        self.mark(Status::Gone);
    }
}
