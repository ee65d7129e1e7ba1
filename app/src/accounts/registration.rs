//! Registers accounts and signs their owners in.

use rocket::form::FromForm;
use rocket::serde::Deserialize;
use rocket::serde::json::json;
use rocket_diesel_session::Error;
use uuid::Uuid;

use super::auth_request::AuthRequest;
use super::authenticated::log_in;
use super::failure::{Failure, FieldErrors, field_errors, outcome};
use super::throttling::Counter;
use super::{email, validation};
use crate::db::users::{self, NewUser, Profile};
use crate::metrics;
use crate::settings::Settings;

#[derive(Default, Deserialize, FromForm)]
#[serde(crate = "rocket::serde", default)]
pub(crate) struct Registration {
    #[field(default = String::new())]
    pub(crate) first_name: String,
    #[field(default = String::new())]
    pub(crate) last_name: String,
    #[field(default = String::new())]
    pub(crate) email: String,
    #[field(default = String::new())]
    pub(crate) password: String,
    /// Whether to stay signed in on this device.
    pub(crate) remember: bool,
    /// The page to go to afterwards. Programs have none.
    #[serde(skip)]
    pub(crate) next: Option<String>,
}

impl Registration {
    fn profile(&self) -> Profile {
        Profile {
            email: email::canonical(&self.email),
            first_name: self.first_name.trim().to_owned(),
            last_name: self.last_name.trim().to_owned(),
        }
    }

    fn field_errors(&self, profile: &Profile, settings: &Settings) -> FieldErrors {
        let password = validation::new_password(&self.password, profile, settings);
        field_errors([
            ("first_name", validation::name(&self.first_name)),
            ("last_name", validation::name(&self.last_name)),
            ("email", validation::email(&self.email)),
            ("password", password),
        ])
    }
}

/// Creates an account and signs its owner in.
///
/// Saves the message `done` for the next page with the session.
pub(crate) async fn register(
    auth: &AuthRequest<'_>,
    given: &Registration,
    done: Option<&str>,
) -> Result<Result<Profile, Failure>, Error> {
    let registered = attempt(auth, given, done).await;
    metrics::registered(outcome(&registered));
    registered
}

async fn attempt(
    auth: &AuthRequest<'_>,
    given: &Registration,
    done: Option<&str>,
) -> Result<Result<Profile, Failure>, Error> {
    let profile = given.profile();
    let field_errors = given.field_errors(&profile, auth.settings);
    if !field_errors.is_empty() {
        return Ok(Err(Failure::Invalid(field_errors)));
    }
    let network = auth.session.client_network();
    let counter = network.map(|network| Counter::registrations(network, auth.settings));
    let counters = counter.into_iter().collect();
    let nothing = std::future::ready(Ok(()));
    let attempt = match auth.attempt(&profile.email, counters, nothing).await? {
        Ok((attempt, ())) => attempt,
        Err(refusal) => return Ok(Err(refusal)),
    };
    let (password, algorithm) = (given.password.clone(), auth.settings.password_hash);
    let hash = attempt.slot.hash(password, algorithm).await;
    let (password_hash, attempt) = auth.hashed(attempt, hash).await?;
    attempt.fail(auth.database).await?;
    let now = auth.database.now().timestamp_millis();
    let id = Uuid::now_v7().to_string();
    let user = NewUser {
        id: id.clone(),
        email: profile.email.clone(),
        first_name: profile.first_name.clone(),
        last_name: profile.last_name.clone(),
        password_hash,
        created_at: now,
        updated_at: now,
    };
    log_in(auth.session, &id, given.remember, done)?;
    if !users::insert_and_save(auth.database, auth.session, user).await? {
        return Ok(Err(Failure::Taken));
    }
    auth.session.event("user_created", json!({ "user": &id }));
    auth.remember_device(None, &id).await;
    Ok(Ok(profile))
}
