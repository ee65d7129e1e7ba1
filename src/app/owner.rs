//! Whoever proved to be the owner of an account, by its password.

use rocket_diesel_session::{Database, Error, Session};

use crate::app::password::{self, Verdict};
use crate::app::users::{self, Credentials};

pub(crate) struct Owner {
    pub(crate) user: Credentials,
    /// The hash to be stored from now on: of the same password, with today's rounds.
    hash: String,
}

impl Owner {
    /// `None` for a wrong password, a closed account or none; all three take the same time.
    pub(crate) async fn prove(
        known: Option<Credentials>,
        password: &str,
    ) -> Result<Option<Self>, Error> {
        let stored = known.as_ref().map(|known| known.password_hash.clone());
        let verdict = password::verify(password.to_owned(), stored).await;
        let open = known.filter(|user| verdict != Verdict::Wrong && user.disabled_at.is_none());
        let Some(user) = open else {
            return Ok(None);
        };
        let hash = match verdict {
            Verdict::RightButOld => password::hash(password.to_owned()).await?,
            _ => user.password_hash.clone(),
        };
        Ok(Some(Self { user, hash }))
    }

    /// Signs the owner in and saves the session; `false` when the password was changed or the
    /// account was closed since it was proved.
    pub(crate) async fn sign_in(
        self,
        database: &Database,
        session: &Session,
        remember: bool,
    ) -> Result<bool, Error> {
        log_in(session, &self.user.id, remember)?;
        users::save_with_hash(database, session, self.user, self.hash).await
    }
}

/// Signs a user in: for as long as the browser runs, or to stay.
pub(crate) fn log_in(session: &Session, id: &str, remember: bool) -> Result<(), Error> {
    match remember {
        true => session.log_in_and_remember(id),
        false => session.log_in(id),
    }
}
