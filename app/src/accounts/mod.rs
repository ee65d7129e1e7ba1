//! What registering and signing in do, whichever way they are asked for.

pub(crate) mod auth_request;
pub(crate) mod authenticated;
pub(crate) mod failure;
pub(crate) mod known_device;
pub(crate) mod listed_devices;
pub(crate) mod reauthentication;
mod throttling;
pub(crate) mod validation;

use rocket::fairing::AdHoc;
use rocket::form::FromForm;
use rocket::serde::Deserialize;
use rocket::serde::json::json;
use rocket_diesel_session::{Error, LiveSessions};
use uuid::Uuid;

use crate::accounts::auth_request::Caller;
use crate::accounts::authenticated::{Owner, log_in};
use crate::accounts::failure::{Complaints, Refusal, complaints};
use crate::accounts::throttling::Counter;
use crate::db::users::{self, NewUser};
use crate::settings::Settings;
use crate::web::current_user::Profile;

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

#[derive(Default, Deserialize, FromForm)]
#[serde(crate = "rocket::serde", default)]
pub(crate) struct SignIn {
    #[field(default = String::new())]
    pub(crate) email: String,
    #[field(default = String::new())]
    pub(crate) password: String,
    /// Whether to stay signed in on this device.
    pub(crate) remember: bool,
    /// The page to go to afterwards; programs have none.
    #[serde(skip)]
    pub(crate) next: Option<String>,
    /// What was typed into the account's form before its user had to sign in again.
    #[serde(skip)]
    #[field(default = String::new())]
    pub(crate) location: String,
    /// The e-mail address of that user.
    #[serde(skip)]
    #[field(default = String::new())]
    pub(crate) location_of: String,
}

/// Brings stored e-mail addresses into their canonical form at launch, where `session.migrate` is true.
pub(crate) fn migration() -> AdHoc {
    AdHoc::on_ignite("Addresses of accounts", |rocket| async {
        let migrates = rocket.figment().extract_inner("session.migrate");
        let live = LiveSessions::of(&rocket).filter(|_| migrates.unwrap_or(false));
        if let Some(database) = live.as_ref().and_then(LiveSessions::database) {
            match users::canonicalize_emails(database).await {
                Ok(done) => warn_of(&done.kept),
                Err(error) => rocket::error!("e-mail addresses are not canonical yet: {error}"),
            }
        }
        rocket
    })
}

fn warn_of(kept: &[String]) {
    for id in kept {
        rocket::warn!("the user {id} cannot sign in: another account has the same e-mail address");
    }
}

impl Registration {
    fn profile(&self) -> Profile {
        Profile {
            email: validation::canonical_email(&self.email),
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

impl SignIn {
    fn complaints(&self) -> Complaints {
        complaints([
            ("email", validation::email(&self.email)),
            ("password", validation::present(&self.password)),
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

/// Signs in a client that knows the password of an open account. `done`, for the next page, is saved with
/// it.
pub(crate) async fn sign_in(
    caller: &Caller<'_>,
    given: &SignIn,
    done: Option<&str>,
) -> Result<Result<Profile, Refusal>, Error> {
    let complaints = given.complaints();
    if !complaints.is_empty() {
        return Ok(Err(Refusal::Invalid(complaints)));
    }
    let email = validation::canonical_email(&given.email);
    let device = caller.known_device(&email).await?;
    let counters = caller.counters(&email, device.as_ref());
    let known = users::credentials(caller.database, email.clone());
    let (attempt, known) = match caller.attempt(&email, counters, known).await? {
        Ok(begun) => begun,
        Err(refusal) => return Ok(Err(refusal)),
    };
    let Some(owner) = Owner::prove(caller, attempt, known, &given.password).await? else {
        return Ok(Err(Refusal::Wrong));
    };
    let (id, profile) = (owner.user.id.clone(), owner.user.profile.clone());
    if !owner.sign_in(caller, given.remember, done).await? {
        return Ok(Err(Refusal::Wrong));
    }
    caller.remember_device(device, &id).await;
    Ok(Ok(profile))
}
