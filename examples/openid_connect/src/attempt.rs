//! Sign-ins that have begun and wait for the provider's answer.

use openidconnect::{CsrfToken, Nonce};
use rocket::serde::{Deserialize, Serialize};
use rocket_diesel_session::{Error, Session};

/// How many a session keeps, one for each tab; another one removes the oldest.
const MOST: usize = 5;

/// What the answer of the provider has to fit.
#[derive(Clone, Deserialize, Serialize)]
#[serde(crate = "rocket::serde")]
pub(crate) struct Attempt {
    pub(crate) state: CsrfToken,
    pub(crate) nonce: Nonce,
    /// Of PKCE.
    pub(crate) verifier: String,
    /// The page behind the sign-in.
    pub(crate) next: String,
}

/// The values of the session that are about sign-ins.
#[derive(Default, Deserialize, Serialize)]
#[serde(crate = "rocket::serde", default)]
struct SignIns {
    #[serde(skip_serializing_if = "Vec::is_empty")]
    attempts: Vec<Attempt>,
}

impl Attempt {
    /// Keeps it in the session.
    pub(crate) fn keep(self, session: &Session) -> Result<(), Error> {
        let add = move |sign_ins: &mut SignIns| {
            let surplus = (sign_ins.attempts.len() + 1).saturating_sub(MOST);
            sign_ins.attempts.drain(..surplus);
            sign_ins.attempts.push(self.clone());
        };
        session.modify(add).map(drop)
    }

    /// Takes the attempt with this state out of the session, so that it counts once.
    pub(crate) fn take(session: &Session, state: &str) -> Result<Option<Self>, Error> {
        // Comparing two takes the same time wherever they differ.
        let state = CsrfToken::new(state.to_owned());
        let SignIns { attempts } = session.data()?;
        let Some(attempt) = attempts.into_iter().find(|it| it.state == state) else {
            return Ok(None);
        };
        session.modify(move |it: &mut SignIns| it.attempts.retain(|it| it.state != state))?;
        Ok(Some(attempt))
    }
}
