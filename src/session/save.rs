//! Saving a session: when a handler asks for it, and before the response leaves.

use std::sync::Arc;

use diesel::QueryResult;
use rocket::tokio::sync::MutexGuard;

use super::Session;
use crate::engine::commit::{Commit, Committed};
use crate::engine::session_locks::LastSave;
use crate::error::{Error, ErrorKind};
use crate::state::{State, Verb};
use crate::store::span::Span;
use crate::store::sql::backend::Backend;

impl Session {
    /// Saves now instead of when the response leaves, for routes that need the outcome.
    ///
    /// Fails as unavailable if the store does not answer, and as gone if the session was ended
    /// meanwhile.
    ///
    /// ```
    /// use rocket_diesel_session::{Error, Session};
    ///
    /// #[rocket::post("/order")]
    /// async fn order(session: &Session) -> Result<(), Error> {
    ///     session.remove("cart")?;
    ///     session.save().await?;
    ///     send_mail().await; // only if the cart is really empty now
    ///     Ok(())
    /// }
    /// # async fn send_mail() {}
    /// ```
    pub async fn save(&self) -> Result<(), Error> {
        self.waited.restart();
        match self.commit().await? {
            (_, true) => Err(Error::gone()),
            _ => Ok(()),
        }
    }

    /// Saves now, in one transaction with `work` on the application's tables: both are committed, or
    /// neither.
    ///
    /// `work` runs again if the database rolls it back, for example after a deadlock. If it returns an
    /// error, nothing is saved, and the session's unsaved changes are discarded.
    /// [`ErrorKind::RolledBack`] means that it returned `diesel::result::Error::RollbackTransaction`.
    ///
    /// If the sessions are in another store than the database of `session.users`, the session is saved
    /// after `work` and before the commit. If the commit fails, the session is saved and the rows are not.
    ///
    /// Fails otherwise as [`save`](Self::save) does, and as unavailable when there is no database
    /// with connections of the type `C`.
    ///
    /// ```no_run
    /// # #[cfg(feature = "sqlite")] mod example {
    /// use diesel::{RunQueryDsl, SqliteConnection, sql_query};
    /// use rocket_diesel_session::{Error, Session};
    ///
    /// #[rocket::post("/order")]
    /// async fn order(session: &Session) -> Result<(), Error> {
    ///     session.remove("cart")?;
    ///     let order = |connection: &mut SqliteConnection| {
    ///         sql_query("INSERT INTO orders (article) VALUES (7)").execute(connection)
    ///     };
    ///     session.save_with(order).await.map(drop)
    /// }
    /// # }
    /// ```
    pub async fn save_with<C, T, F>(&self, work: F) -> Result<T, Error>
    where
        C: Backend,
        T: Send + 'static,
        F: Fn(&mut C) -> QueryResult<T> + Send + 'static,
    {
        self.waited.restart();
        let database = self.context.database.as_ref().ok_or_else(|| {
            Error::unavailable(
                "the sessions are not in an SQL database, and session.users names none",
            )
        })?;
        let now = self.context.now();
        let commit = {
            let mut state = self.state();
            let plan = state.plan(self.limits(), now);
            self.begin_commit(&mut state, plan.verb, now)?
        };
        let _lock = self.lock(&commit).await;
        let work = database.transaction(&self.waited, work, commit.clone());
        let work = Span::of_save(commit.verb).during(work, |(_, committed)| committed.outcome());
        let finished = work.await.and_then(|(value, committed)| {
            self.finish_commit(&commit, committed)?;
            Ok(value)
        });
        match finished.as_ref().map_err(Error::kind) {
            Ok(_) => {}
            Err(ErrorKind::Gone) => {
                self.finish_commit(&commit, Committed::Gone)?;
            }
            Err(_) => self.state().reset(&self.limits().schema),
        }
        finished
    }

    /// Reads the session from the store again, and discards the changes since it was last saved.
    ///
    /// Fails as unavailable if the store does not answer, and as gone if the session was ended
    /// meanwhile.
    ///
    /// ```
    /// # use rocket_diesel_session::{Error, Session};
    /// /// Waits for a change that another request makes.
    /// async fn is_paid(session: &Session) -> Result<bool, Error> {
    ///     session.reload().await?;
    ///     Ok(session.get("paid")?.unwrap_or(false))
    /// }
    /// ```
    pub async fn reload(&self) -> Result<(), Error> {
        self.waited.restart();
        let Some(stored) = self.state().stored().cloned() else {
            self.state().reset(&self.limits().schema);
            return Ok(());
        };
        let fresh = self.read(stored.record.key, stored.token).await?;
        let mut state = self.state();
        match fresh {
            Some(fresh) => {
                state.reload(fresh);
                Ok(())
            }
            None => {
                state.gone();
                Err(Error::gone())
            }
        }
    }

    pub(super) fn begin_commit(
        &self,
        state: &mut State,
        verb: Verb,
        now: i64,
    ) -> Result<Arc<Commit>, Error> {
        if verb == Verb::Renew && state.stored().is_some_and(|it| it.token.is_none()) {
            let message = "a session that was loaded by its key cannot get a new token: no browser would receive it";
            return Err(Error::new(ErrorKind::Value, message));
        }
        let commit = Commit {
            limits: self.limits().clone(),
            tokens: self.context.tokens.clone(),
            client: self.client.clone(),
            pending: state.begin_save(),
            verb,
            now,
            lists_ended: self.context.events.want_records(),
        };
        Ok(Arc::new(commit))
    }

    /// Waits for the lock of this session, if the plan changes its record; see [`SessionLocks::lock`].
    pub(super) async fn lock(&self, commit: &Commit) -> Option<(MutexGuard<'_, LastSave>, bool)> {
        match &commit.pending.stored {
            Some(stored) if matches!(commit.verb, Verb::Update | Verb::Renew) => {
                let lock = self.context.locks.lock(&stored.record.key);
                self.waited.during(lock).await
            }
            _ => None,
        }
    }

    /// Applies the outcome of a plan to the state. Returns `true` if another request ended the session.
    pub(super) fn finish_commit(
        &self,
        commit: &Commit,
        committed: Committed,
    ) -> Result<bool, Error> {
        self.emit_for_commit(commit, &committed);
        let mut state = self.state();
        match committed {
            Committed::Unchanged => {}
            Committed::Saved(saved) => {
                state.saved(saved.stored, saved.contents)?;
            }
            Committed::Deleted(..) => state.ended(),
            Committed::Gone => {
                state.gone();
                return Ok(true);
            }
        }
        Ok(false)
    }
}
