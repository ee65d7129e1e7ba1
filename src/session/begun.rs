//! Sign-ins of several steps, and the request guard for one that waits for its next factor.

use std::fmt::Display;

use rocket::outcome::try_outcome;
use rocket::request::{FromRequest, Outcome, Request};
use rocket::{Ignite, Rocket, Sentinel};

use super::proofs::Proof;
use super::response::status_of;
use super::{Session, is_unattached, signed_in};
use crate::error::Error;
use crate::state::{Evidence, Factor};

/// A sign-in that [`Session::begin_sign_in`](crate::Session::begin_sign_in) began, and that waits for its
/// next factor. Nobody is signed in yet.
///
/// Check that the account is still open, limit wrong codes for each user, and accept each code only once:
/// the library does none of this.
///
/// The session belongs to no user yet, so it does not end when all sessions of the user are ended. If the
/// password has changed since the first step, refuse the second: compare the times of
/// [`proofs`](Self::proofs).
///
/// ```no_run
/// use rocket::form::{Form, FromForm};
/// use rocket::response::Redirect;
/// use rocket_diesel_session::{Error, Session};
/// use rocket_diesel_session::sign_in::{Begun, Factor};
///
/// #[derive(FromForm)]
/// struct Code {
///     code: String,
/// }
///
/// #[rocket::get("/sign_in/code")]
/// fn code_page(_begun: Begun<'_>) -> &'static str {
///     "Enter the code of your authenticator application."
/// }
///
/// #[rocket::post("/sign_in/code", data = "<form>")]
/// async fn code(begun: Begun<'_>, session: &Session, form: Form<Code>) -> Result<Redirect, Error> {
///     if !is_right(begun.user_id(), &form.code).await {
///         session.flash("error", "Wrong code.")?;
///         return Ok(Redirect::to("/sign_in/code"));
///     }
///     begun.complete(Factor::OneTimeCode)?;
///     Ok(Redirect::to("/"))
/// }
/// # async fn is_right(_: &str, _: &str) -> bool { false }
/// ```
///
/// The request fails with
///
/// - 401 if no sign-in is begun, or it was completed or replaced, or began more than 10 minutes ago:
///   [`ErrorKind::NotBegun`](crate::ErrorKind::NotBegun);
///   [`with_sign_in_page`](crate::Sessions::with_sign_in_page) redirects browsers from there,
/// - 503 if the session cannot be loaded, also where a route takes `Option<Begun<'_>>`.
///
/// The launch aborts if a route takes it and [`Sessions::fairing`](crate::Sessions::fairing) is not
/// attached.
#[derive(Debug)]
pub struct Begun<'r> {
    session: &'r Session,
    evidence: Evidence,
}

impl Session {
    /// Begins a sign-in of several steps: records that `user_id` has proved the first factor, and gives
    /// the session a new token.
    ///
    /// Nobody is signed in until [`Begun::complete`](crate::sign_in::Begun::complete): a user who was
    /// signed in is signed out. The begun sign-in ends after 10 minutes, and when another one begins.
    /// Values that an anonymous user stored are kept.
    ///
    /// Fails if the id is one that [`log_in`](Self::log_in) refuses.
    ///
    /// ```
    /// use rocket::form::{Form, FromForm};
    /// use rocket::response::Redirect;
    /// use rocket_diesel_session::{Error, Session};
    /// use rocket_diesel_session::sign_in::Factor;
    ///
    /// #[derive(FromForm)]
    /// struct SignIn {
    ///     email: String,
    ///     password: String,
    /// }
    ///
    /// #[rocket::post("/sign_in", data = "<form>")]
    /// async fn sign_in(session: &Session, form: Form<SignIn>) -> Result<Redirect, Error> {
    ///     let Some(user_id) = user_with(&form.email, &form.password).await else {
    ///         session.flash("error", "Wrong address or password.")?;
    ///         return Ok(Redirect::to("/sign_in"));
    ///     };
    ///     session.begin_sign_in(user_id, Factor::Password)?;
    ///     Ok(Redirect::to("/sign_in/code"))
    /// }
    /// # async fn user_with(_: &str, _: &str) -> Option<u64> { None }
    /// ```
    pub fn begin_sign_in(&self, user_id: impl Display, factor: Factor) -> Result<(), Error> {
        let now = self.context.now();
        self.state()
            .begin_sign_in(user_id.to_string(), factor, now, self.limits())
    }
}

impl Begun<'_> {
    /// Returns the id of the user who has proved the first factor.
    ///
    /// ```
    /// # use rocket_diesel_session::sign_in::Begun;
    /// #[rocket::get("/sign_in/code")]
    /// fn code_page(begun: Begun<'_>) -> String {
    ///     format!("Enter the code for {}.", begun.user_id())
    /// }
    /// ```
    pub fn user_id(&self) -> &str {
        &self.evidence.user_id
    }

    /// Returns the factors that the user has proved so far, each with its time.
    ///
    /// ```
    /// # use rocket_diesel_session::sign_in::{Begun, Factor};
    /// /// Returns `true` if a password would be no second factor.
    /// fn needs_other_than_password(begun: &Begun<'_>) -> bool {
    ///     begun.proofs().iter().any(|proof| proof.factor == Factor::Password)
    /// }
    /// ```
    pub fn proofs(&self) -> Vec<Proof> {
        self.session.proofs_at(self.evidence.times.clone())
    }

    /// Signs the user in by one more proof, with a new token and new timeouts, and keeps the proofs so far.
    ///
    /// Fails with [`ErrorKind::NotBegun`](crate::ErrorKind::NotBegun) if the sign-in was completed,
    /// replaced or has expired. If another request completes or replaces it before this one is saved, the
    /// save fails with [`ErrorKind::Gone`](crate::ErrorKind::Gone), and this request signs nobody in.
    ///
    /// ```
    /// # use rocket_diesel_session::Error;
    /// # use rocket_diesel_session::sign_in::{Begun, Factor};
    /// fn sign_in_after_code(begun: Begun<'_>) -> Result<(), Error> {
    ///     begun.complete(Factor::OneTimeCode)
    /// }
    /// ```
    pub fn complete(self, factor: Factor) -> Result<(), Error> {
        self.sign_in(factor, false)
    }

    /// Signs the user in as [`complete`](Self::complete) does, and remembers the user as
    /// [`log_in_and_remember`](Session::log_in_and_remember) does.
    ///
    /// ```
    /// # use rocket_diesel_session::Error;
    /// # use rocket_diesel_session::sign_in::{Begun, Factor};
    /// fn sign_in_after_code(begun: Begun<'_>, remember: bool) -> Result<(), Error> {
    ///     match remember {
    ///         true => begun.complete_and_remember(Factor::OneTimeCode),
    ///         false => begun.complete(Factor::OneTimeCode),
    ///     }
    /// }
    /// ```
    pub fn complete_and_remember(self, factor: Factor) -> Result<(), Error> {
        self.sign_in(factor, true)
    }

    fn sign_in(self, factor: Factor, remembered: bool) -> Result<(), Error> {
        let Self { session, evidence } = self;
        let last = (factor, session.context.now());
        let mut state = session.state();
        state.complete_sign_in(evidence, remembered, last, session.limits())
    }
}

#[rocket::async_trait]
impl<'r> FromRequest<'r> for Begun<'r> {
    type Error = Error;

    async fn from_request(request: &'r Request<'_>) -> Outcome<Self, Error> {
        let session = request.guard::<&Session>().await;
        let session = try_outcome!(session.map_error(|(status, error)| (status, error.copy())));
        let begun = session.state().begun(session.context.now());
        match begun {
            Ok(evidence) => Outcome::Success(Self { session, evidence }),
            Err(error) => {
                signed_in::note_refusal(request);
                Outcome::Error((status_of(&error), error))
            }
        }
    }
}

impl Sentinel for Begun<'_> {
    fn abort(rocket: &Rocket<Ignite>) -> bool {
        is_unattached(rocket, "Begun")
    }
}
