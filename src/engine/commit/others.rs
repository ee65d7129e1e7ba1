//! The sessions that a plan ends beside its own: the user's others, and those above the limit.

use super::{Commit, Committed, Saved};
use crate::error::Error;
use crate::record::Record;
use crate::state::Verb;
use crate::store::Store;

/// Sessions that ended together.
#[derive(Debug, Default)]
pub(crate) struct Ended {
    pub(crate) count: u64,
    /// Their records, if the plan `lists_ended`.
    pub(crate) records: Vec<Record>,
}

/// Sign-ins up to this many milliseconds apart may run concurrently.
const AT_ONCE: i64 = 10_000;

impl Commit {
    /// Ends the user's other sessions if the request asked for it. Returns them, or `None` if this
    /// session is gone. Runs first: if it failed after a new token was stored, that token would not reach
    /// the browser.
    pub(super) fn end_others(&self, store: &dyn Store) -> Result<Option<Ended>, Error> {
        let stored = self.pending.stored.as_ref().map(|it| &it.record);
        // A sign-out has no user any more.
        let before = stored.and_then(|record| record.user_id.as_ref());
        let user_id = self.pending.contents.user_id.as_ref().or(before);
        let (Some(user_id), true) = (user_id, self.pending.ends_others) else {
            return Ok(Some(Ended::default()));
        };
        let current = stored.map(|record| &record.key);
        if let (Some(current), false) = (current, self.begins_anew())
            && store.load(current, self.now)?.is_none()
        {
            let signs_out = matches!(self.verb, Verb::Delete | Verb::Replace);
            return Ok(signs_out.then(Ended::default));
        }
        let mut records = match self.lists_ended {
            true => store.list(user_id, self.now)?,
            false => Vec::new(),
        };
        records.retain(|record| Some(&record.key) != current);
        let count = store.delete_all(user_id, current)?;
        Ok(Some(Ended { count, records }))
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
        for record in records.into_iter().skip(kept) {
            if store.delete(&record.key)? {
                saved.oldest.count += 1;
                saved.oldest.records.push(record);
            }
        }
        Ok(())
    }
}
