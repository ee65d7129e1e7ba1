//! Represents the owner of an account after a right password.

use rocket::serde::json::json;
use rocket_diesel_session::sign_in::Factor;
use rocket_diesel_session::{Error, Session};

use crate::accounts::auth_request::AuthRequest;
use crate::accounts::throttling::Attempt;
use crate::db::users::{self, Credentials};
use crate::passwords::Verdict;

/// The kind of flash messages that report a success.
pub(crate) const SUCCESS: &str = "success";

pub(crate) struct Authenticated {
    pub(crate) user: Credentials,
    /// The hash to store: the current one, or a new one if that is outdated.
    hash: String,
    /// Failed attempts before this one.
    failures: i64,
}

impl Authenticated {
    /// Returns `None` for a wrong password, a closed account, or no account. All three take the
    /// same time.
    pub(crate) async fn verify(
        auth: &AuthRequest<'_>,
        attempt: Attempt,
        known: Option<Credentials>,
        password: &str,
    ) -> Result<Option<Self>, Error> {
        let id = known.as_ref().map(|user| user.id.clone());
        let open = known.filter(|user| user.disabled_at.is_none());
        let stored = open.as_ref().map(|user| user.password_hash.clone());
        let algorithm = auth.settings.password_hash;
        let verdict = attempt
            .slot
            .verify(password.to_owned(), stored, algorithm)
            .await;
        let (verdict, attempt) = auth.hashed(attempt, verdict).await?;
        let (user, hash) = match (open, verdict) {
            (Some(user), Verdict::Right) => (user, None),
            (Some(user), Verdict::RightButOld(hash)) => (user, Some(hash)),
            _ => {
                let limit = attempt.limit();
                let failures = attempt.fail(auth.database).await?;
                log_failure(auth.session, failures, limit, id.as_deref());
                return Ok(None);
            }
        };
        let failures = attempt.succeed(auth.database).await?;
        let hash = hash.unwrap_or_else(|| user.password_hash.clone());
        Ok(Some(Self {
            user,
            hash,
            failures,
        }))
    }

    /// Signs the owner in and saves the session.
    ///
    /// Returns `false` if the password was changed or the account was closed in the meantime.
    pub(crate) async fn sign_in(
        self,
        auth: &AuthRequest<'_>,
        remember: bool,
        done: Option<&str>,
    ) -> Result<bool, Error> {
        let session = auth.session;
        log_in(session, &self.user.id, remember, done)?;
        let saved = users::save_with_hash(auth.database, session, self.user, self.hash).await?;
        match self.failures {
            _ if !saved => {}
            0 => session.event("authn_login_success", json!({})),
            failures => {
                let details = json!({ "retries": failures });
                session.event("authn_login_successafterfail", details);
            }
        }
        Ok(saved)
    }
}

/// Logs the account's id, never the typed address: people type passwords into the wrong field.
fn log_failure(session: &Session, failures: i64, limit: Option<i64>, id: Option<&str>) {
    let mut details = json!({ "attempts": failures });
    if let Some(id) = id {
        details["user"] = id.into();
    }
    session.event("authn_login_fail", details.clone());
    if let Some(limit) = limit.filter(|limit| failures >= *limit) {
        details["max"] = limit.into();
        session.event("authn_login_fail_max", details);
    }
}

/// Signs in a user who has just entered or chosen the password, with a message for the next page.
pub(crate) fn log_in(
    session: &Session,
    id: &str,
    remember: bool,
    done: Option<&str>,
) -> Result<(), Error> {
    match remember {
        true => session.log_in_and_remember(id)?,
        false => session.log_in(id)?,
    }
    session.add_proof(Factor::Password)?;
    done.map_or(Ok(()), |done| session.flash(SUCCESS, done))
}
