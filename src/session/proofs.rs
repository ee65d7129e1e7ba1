//! The factors that the signed-in user has proved, with their times.

use chrono::{DateTime, Utc};
use serde::Serialize;

use super::Session;
use crate::error::Error;
use crate::state::Factor;

/// A proof of a user's identity.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Proof {
    /// The factor, such as a password.
    pub factor: Factor,
    /// When the user last proved it.
    pub at: DateTime<Utc>,
}

impl Session {
    /// Records that the signed-in user has just proved a factor, and gives the session a new token.
    ///
    /// Call it right after [`log_in`](Self::log_in), and whenever the user confirms a password or another
    /// factor later. It checks nothing itself. The guard [`Fresh`](crate::sign_in::Fresh) looks for what it
    /// recorded.
    ///
    /// The session keeps the newest proof of each factor until the next sign-in. A proof changes neither
    /// [`signed_in_at`](Self::signed_in_at) nor [`absolute_expiry`](Self::absolute_expiry).
    ///
    /// Fails with [`ErrorKind::Anonymous`](crate::ErrorKind::Anonymous) if no user is signed in, and as
    /// [`insert`](Self::insert) does.
    ///
    /// ```
    /// use rocket::form::{Form, FromForm};
    /// use rocket::response::Redirect;
    /// use rocket_diesel_session::{Error, Session};
    /// use rocket_diesel_session::sign_in::Factor;
    ///
    /// #[derive(FromForm)]
    /// struct Confirmation {
    ///     password: String,
    /// }
    ///
    /// #[rocket::post("/confirm", data = "<form>")]
    /// async fn confirm(session: &Session, form: Form<Confirmation>) -> Result<Redirect, Error> {
    ///     if !is_right(session.user_id(), &form.password).await {
    ///         session.flash("error", "Wrong password.")?;
    ///         return Ok(Redirect::to("/confirm"));
    ///     }
    ///     session.add_proof(Factor::Password)?;
    ///     Ok(Redirect::to(session.return_to("/")))
    /// }
    /// # async fn is_right(_: Option<String>, _: &str) -> bool { false }
    /// ```
    pub fn add_proof(&self, factor: Factor) -> Result<(), Error> {
        let now = self.context.now();
        self.state().add_proof(factor, now, self.limits())
    }

    /// Returns the factors that the user has proved since the sign-in, each with its time, the newest last.
    ///
    /// Without [`add_proof`](Self::add_proof), the only proof is the sign-in itself, of
    /// [`Factor::Unstated`](crate::sign_in::Factor::Unstated). The list is empty if no user is signed in.
    ///
    /// ```
    /// use rocket_diesel_session::Session;
    /// use rocket_diesel_session::sign_in::Factor;
    ///
    /// fn has_two_factors(session: &Session) -> bool {
    ///     let proofs = session.proofs();
    ///     proofs.len() > 1 || proofs.iter().any(|proof| proof.factor == Factor::Passkey)
    /// }
    /// ```
    pub fn proofs(&self) -> Vec<Proof> {
        let times = self.state().proofs();
        if times.is_empty() && self.user_id().is_some() {
            let (factor, at) = (Factor::Unstated, self.signed_in_at());
            return vec![Proof { factor, at }];
        }
        self.proofs_at(times)
    }

    pub(super) fn proofs_at(&self, times: Vec<(Factor, i64)>) -> Vec<Proof> {
        let proof = |(factor, at)| Proof {
            factor,
            at: self.context.time(at),
        };
        times.into_iter().map(proof).collect()
    }
}
