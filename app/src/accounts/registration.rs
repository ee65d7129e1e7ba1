//! Registers accounts and signs their owners in.

use rocket::form::FromForm;
use rocket::serde::Deserialize;
use rocket::serde::json::json;
use rocket_diesel_session::Error;
use uuid::Uuid;

use super::auth_request::Caller;
use super::authenticated::log_in;
use super::failure::{Complaints, Refusal, complaints};
use super::throttling::Counter;
use super::{email, validation};
use crate::db::users::{self, NewUser, Profile};
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
    /// The page to go to afterwards; programs have none.
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

    fn complaints(&self, profile: &Profile, settings: &Settings) -> Complaints {
        let password = validation::new_password(&self.password, profile, settings);
        complaints([
            ("first_name", validation::name(&self.first_name)),
            ("last_name", validation::name(&self.last_name)),
            ("email", validation::email(&self.email)),
            ("password", password),
        ])
    }
}

/// Makes an account and signs its owner in. `done`, for the next page, is saved with it.
pub(crate) async fn register(
    caller: &Caller<'_>,
    given: &Registration,
    done: Option<&str>,
) -> Result<Result<Profile, Refusal>, Error> {
    let profile = given.profile();
    let complaints = given.complaints(&profile, caller.settings);
    if !complaints.is_empty() {
        return Ok(Err(Refusal::Invalid(complaints)));
    }
    let address = caller.session.client_address();
    let counter = address.map(|address| Counter::registrations(address, caller.settings));
    let counters = counter.into_iter().collect();
    let nothing = std::future::ready(Ok(()));
    let attempt = match caller.attempt(&profile.email, counters, nothing).await? {
        Ok((attempt, ())) => attempt,
        Err(refusal) => return Ok(Err(refusal)),
    };
    let (password, algorithm) = (given.password.clone(), caller.settings.password_hash);
    let hash = attempt.place.hash(password, algorithm).await;
    let (password_hash, attempt) = caller.hashed(attempt, hash).await?;
    attempt.fail(caller.database).await?;
    let now = caller.database.now().timestamp_millis();
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
    log_in(caller.session, &id, given.remember, done)?;
    if !users::insert_and_save(caller.database, caller.session, user).await? {
        return Ok(Err(Refusal::Taken));
    }
    caller.session.event("user_created", json!({ "user": &id }));
    caller.remember_device(None, &id).await;
    Ok(Ok(profile))
}
