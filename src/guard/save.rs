//! How a session gets back into the store: when a handler asks for it, and before the response
//! leaves.

use std::sync::Arc;

use super::Session;
use crate::commit::{Commit, Committed, unreadable};
use crate::error::Error;
use crate::session::{Contents, SetCookie, Stored, Verb};
use crate::token::Token;

impl Session {
    /// Saves now instead of when the response leaves, for handlers that have to know.
    ///
    /// Fails as unavailable when the store does not answer, and as gone when the session was ended
    /// meanwhile.
    pub async fn save(&self) -> Result<(), Error> {
        self.waited.restart();
        match self.commit().await? {
            (_, true) => Err(Error::gone()),
            _ => Ok(()),
        }
    }

    /// Reads the session from the store again and forgets what was changed since it was last saved.
    ///
    /// Fails as unavailable when the store does not answer, and as gone when the session was ended
    /// meanwhile.
    pub async fn reload(&self) -> Result<(), Error> {
        self.waited.restart();
        let stored = self.state().stored().cloned();
        let Some(Stored { token, record }) = stored else {
            self.state().reset();
            return Ok(());
        };
        let now = self.context.now();
        let fresh = self
            .context
            .ask(&self.waited, move |store| store.load(&record.key, now))
            .await?;
        let fresh = fresh.filter(|record| self.limits().alive(record, now));
        let mut state = self.state();
        match fresh {
            Some(record) => {
                let contents = Contents::decode(&record).map_err(unreadable)?;
                state.reset();
                state.replace(Stored { token, record }, contents)
            }
            None => {
                state.gone();
                Err(Error::gone())
            }
        }
    }

    /// Brings the store up to date; what the browser is to be told, and whether the session was
    /// ended meanwhile.
    pub(crate) async fn commit(&self) -> Result<(SetCookie, bool), Error> {
        let now = self.context.now();
        let (plan, pending) = {
            let mut state = self.state();
            let plan = state.plan(self.limits(), now);
            if plan.verb == Verb::Nothing {
                return Ok((plan.cookie, false));
            }
            (plan, Arc::new(state.begin_save()))
        };
        let _turn = match &pending.stored {
            Some(stored) if matches!(plan.verb, Verb::Update | Verb::Renew) => {
                let turn = self.context.turns.wait(&stored.record.key);
                self.waited.during(turn).await
            }
            _ => None,
        };
        let (work, limits, client) = (pending.clone(), self.limits().clone(), self.client.clone());
        let committed = self.context.ask(&self.waited, move |store| {
            let commit = Commit {
                limits: &limits,
                client: &client,
                pending: &work,
                now,
            };
            commit.run(store, plan.verb)
        });
        let committed = committed.await;
        let mut state = self.state();
        match committed {
            Ok(Committed::Saved(saved)) => {
                let (stored, contents) = *saved;
                state.saved(stored, contents).map(|()| (plan.cookie, false))
            }
            Ok(Committed::Deleted) => {
                state.ended();
                Ok((plan.cookie, false))
            }
            Ok(Committed::Gone) => {
                state.gone();
                Ok((SetCookie::Nothing, true))
            }
            Err(error) => {
                state.save_failed(&pending);
                Err(error)
            }
        }
    }

    /// The token for the cookie, and how many milliseconds the cookie may live.
    pub(crate) fn cookie(&self) -> Option<(Token, Option<i64>)> {
        let state = self.state();
        let stored = state.stored()?;
        let max_age = self
            .limits()
            .persistent
            .then(|| stored.record.expires_at.saturating_sub(self.context.now()));
        Some((stored.token.clone(), max_age))
    }
}
