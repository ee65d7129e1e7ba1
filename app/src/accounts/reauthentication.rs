//! What users do with their password: change it, and confirm by it that it is them.

use rocket::form::FromForm;
use rocket::serde::Deserialize;
use rocket::serde::json::json;
use rocket_diesel_session::Error;

use crate::accounts::Profile;
use crate::accounts::auth_request::Caller;
use crate::accounts::authenticated::{Owner, SUCCESS};
use crate::accounts::failure::{Complaints, Refusal, complaints};
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

/// What is said beside a password that is not the signed-in user's current one.
const NOT_YOURS: &str = "This is not your current password.";

impl PasswordChange {
    fn complaints(&self, owner: &Profile, settings: &Settings) -> Complaints {
        let new = validation::other_password(&self.new, &self.current, owner, settings);
        complaints([
            ("current", validation::present(&self.current)),
            ("new", new),
        ])
    }
}

/// Changes the password of the signed-in user, and signs out all others in the same transaction.
/// `done`, for the next page, is saved with it.
pub(crate) async fn change(
    caller: &Caller<'_>,
    user: &Profile,
    given: &PasswordChange,
    done: Option<&str>,
) -> Result<Result<(), Refusal>, Error> {
    let complaints = given.complaints(user, caller.settings);
    if !complaints.is_empty() {
        return Ok(Err(Refusal::Invalid(complaints)));
    }
    let owner = match prove(caller, &given.current, "current").await? {
        Ok(owner) => owner,
        Err(refusal) => {
            caller
                .session
                .event("authn_password_change_fail", json!({}));
            return Ok(Err(refusal));
        }
    };
    let (new, algorithm) = (given.new.clone(), caller.settings.password_hash);
    let hash = caller.place(&owner.user.id)?.hash(new, algorithm).await;
    let hash = hash.map_err(|busy| caller.put_off(busy))?;
    caller.forget_other_devices().await?;
    caller.session.end_others();
    if let Some(done) = done {
        caller.session.flash(SUCCESS, done)?;
    }
    if !users::save_with_hash(caller.database, caller.session, owner.user, hash).await? {
        return Ok(Err(not_yours("current")));
    }
    caller.session.event("authn_password_change", json!({}));
    Ok(Ok(()))
}

/// Signs the signed-in user in again, who knows the password.
pub(crate) async fn confirm(
    caller: &Caller<'_>,
    password: &str,
    done: &str,
) -> Result<Result<(), Refusal>, Error> {
    if let Err(why) = validation::present(password) {
        return Ok(Err(Refusal::Invalid([("password", why)].into())));
    }
    let owner = match prove(caller, password, "password").await? {
        Ok(owner) => owner,
        Err(refusal) => return Ok(Err(refusal)),
    };
    let remember = caller.session.is_remembered();
    Ok(match owner.sign_in(caller, remember, Some(done)).await? {
        true => Ok(()),
        false => Err(not_yours("password")),
    })
}

/// Attempts in a live session count for this session alone: nobody else can use them up.
async fn prove(
    caller: &Caller<'_>,
    password: &str,
    field: &'static str,
) -> Result<Result<Owner, Refusal>, Error> {
    let id = caller.session.user_id().unwrap_or_default();
    let signed_in_at = caller.session.signed_in_at().timestamp_millis();
    let counter = Counter::session(&id, signed_in_at, caller.settings);
    let known = users::credentials_of(caller.database, id.clone());
    let (attempt, known) = match caller.attempt(&id, vec![counter], known).await? {
        Ok(begun) => begun,
        Err(refusal) => return Ok(Err(refusal)),
    };
    let owner = Owner::prove(caller, attempt, known, password).await?;
    Ok(owner.ok_or_else(|| not_yours(field)))
}

fn not_yours(field: &'static str) -> Refusal {
    Refusal::Invalid([(field, NOT_YOURS.into())].into())
}
