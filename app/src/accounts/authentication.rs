//! Signs users in with their e-mail address and password.

use rocket::form::FromForm;
use rocket::serde::Deserialize;
use rocket_diesel_session::Error;

use super::auth_request::AuthRequest;
use super::authenticated::Authenticated;
use super::failure::{Failure, FieldErrors, field_errors, outcome};
use super::{email, validation};
use crate::db::users::{self, Profile};
use crate::metrics;

#[derive(Default, Deserialize, FromForm)]
#[serde(crate = "rocket::serde", default)]
pub(crate) struct SignIn {
    #[field(default = String::new())]
    pub(crate) email: String,
    #[field(default = String::new())]
    pub(crate) password: String,
    /// Whether to stay signed in on this device.
    pub(crate) remember: bool,
    /// The page to go to afterwards. Programs have none.
    #[serde(skip)]
    pub(crate) next: Option<String>,
    /// The location from a form of the account that was sent after its session had ended.
    #[serde(skip)]
    #[field(default = String::new())]
    pub(crate) location: String,
    /// The e-mail address of the account to which that form belongs.
    #[serde(skip)]
    #[field(default = String::new())]
    pub(crate) location_of: String,
}

impl SignIn {
    fn field_errors(&self) -> FieldErrors {
        field_errors([
            ("email", validation::email(&self.email)),
            ("password", validation::present(&self.password)),
        ])
    }
}

/// Signs the client in if the password is right and the account is open.
///
/// Saves the message `done` for the next page with the session.
pub(crate) async fn sign_in(
    auth: &AuthRequest<'_>,
    given: &SignIn,
    done: Option<&str>,
) -> Result<Result<Profile, Failure>, Error> {
    let signed_in = attempt(auth, given, done).await;
    metrics::signed_in(outcome(&signed_in));
    signed_in
}

async fn attempt(
    auth: &AuthRequest<'_>,
    given: &SignIn,
    done: Option<&str>,
) -> Result<Result<Profile, Failure>, Error> {
    let field_errors = given.field_errors();
    if !field_errors.is_empty() {
        return Ok(Err(Failure::Invalid(field_errors)));
    }
    let email = email::canonical(&given.email);
    let device = auth.known_device(&email).await?;
    let counters = auth.counters(&email, device.as_ref());
    let known = users::credentials(auth.database, email.clone());
    let (attempt, known) = match auth.attempt(&email, counters, known).await? {
        Ok(begun) => begun,
        Err(refusal) => return Ok(Err(refusal)),
    };
    let Some(owner) = Authenticated::verify(auth, attempt, known, &given.password).await? else {
        return Ok(Err(Failure::Wrong));
    };
    let (id, profile) = (owner.user.id.clone(), owner.user.profile.clone());
    if !owner.sign_in(auth, given.remember, done).await? {
        return Ok(Err(Failure::Wrong));
    }
    auth.remember_device(device, &id).await;
    Ok(Ok(profile))
}
