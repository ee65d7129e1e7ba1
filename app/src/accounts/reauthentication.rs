//! Lets signed-in users confirm and change their password.

use rocket::form::FromForm;
use rocket::serde::Deserialize;
use rocket::serde::json::json;
use rocket_diesel_session::Error;

use crate::accounts::Profile;
use crate::accounts::auth_request::AuthRequest;
use crate::accounts::authenticated::{Authenticated, SUCCESS};
use crate::accounts::failure::{Failure, FieldErrors, field_errors};
use crate::accounts::throttling::Counter;
use crate::accounts::validation;
use crate::db::users;
use crate::settings::Settings;

#[derive(Default, Deserialize, FromForm)]
#[serde(crate = "rocket::serde", default)]
pub(crate) struct PasswordChange {
    #[field(default = String::new())]
    current: String,
    #[field(default = String::new())]
    new: String,
}

/// The error of a current password that is wrong.
const NOT_YOURS: &str = "This is not your current password.";

impl PasswordChange {
    fn field_errors(&self, owner: &Profile, settings: &Settings) -> FieldErrors {
        let new = validation::other_password(&self.new, &self.current, owner, settings);
        field_errors([
            ("current", validation::present(&self.current)),
            ("new", new),
        ])
    }
}

/// Changes the password, and ends the user's other sessions in the same transaction.
///
/// Saves the message `done` for the next page with the session.
pub(crate) async fn change(
    auth: &AuthRequest<'_>,
    user: &Profile,
    given: &PasswordChange,
    done: Option<&str>,
) -> Result<Result<(), Failure>, Error> {
    let field_errors = given.field_errors(user, auth.settings);
    if !field_errors.is_empty() {
        return Ok(Err(Failure::Invalid(field_errors)));
    }
    let owner = match verify_current(auth, &given.current, "current").await? {
        Ok(owner) => owner,
        Err(refusal) => {
            auth.session.event("authn_password_change_fail", json!({}));
            return Ok(Err(refusal));
        }
    };
    let (new, algorithm) = (given.new.clone(), auth.settings.password_hash);
    let hash = auth.slot(&owner.user.id)?.hash(new, algorithm).await;
    let hash = hash.map_err(|busy| auth.too_busy(busy))?;
    auth.forget_other_devices().await?;
    auth.session.end_others();
    if let Some(done) = done {
        auth.session.flash(SUCCESS, done)?;
    }
    if !users::save_with_hash(auth.database, auth.session, owner.user, hash).await? {
        return Ok(Err(not_yours("current")));
    }
    auth.session.event("authn_password_change", json!({}));
    Ok(Ok(()))
}

/// Signs a signed-in user in again if the password is right.
pub(crate) async fn confirm(
    auth: &AuthRequest<'_>,
    password: &str,
    done: &str,
) -> Result<Result<(), Failure>, Error> {
    if let Err(why) = validation::present(password) {
        return Ok(Err(Failure::Invalid([("password", why)].into())));
    }
    let owner = match verify_current(auth, password, "password").await? {
        Ok(owner) => owner,
        Err(refusal) => return Ok(Err(refusal)),
    };
    let remember = auth.session.is_remembered();
    Ok(match owner.sign_in(auth, remember, Some(done)).await? {
        true => Ok(()),
        false => Err(not_yours("password")),
    })
}

/// Verifies the password of the signed-in user.
///
/// Counts attempts for this session only, so that nobody else can use them up.
async fn verify_current(
    auth: &AuthRequest<'_>,
    password: &str,
    field: &'static str,
) -> Result<Result<Authenticated, Failure>, Error> {
    let id = auth.session.user_id().unwrap_or_default();
    let signed_in_at = auth.session.signed_in_at().timestamp_millis();
    let counter = Counter::session(&id, signed_in_at, auth.settings);
    let known = users::credentials_of(auth.database, id.clone());
    let (attempt, known) = match auth.attempt(&id, vec![counter], known).await? {
        Ok(begun) => begun,
        Err(refusal) => return Ok(Err(refusal)),
    };
    let owner = Authenticated::verify(auth, attempt, known, password).await?;
    Ok(owner.ok_or_else(|| not_yours(field)))
}

fn not_yours(field: &'static str) -> Failure {
    Failure::Invalid([(field, NOT_YOURS.into())].into())
}
