//! What registering and signing in do, whichever way they are asked for.

use std::collections::BTreeMap;

use chrono::Utc;
use rocket::form::FromForm;
use rocket::serde::Deserialize;
use rocket_diesel_session::{Database, Error, Session};
use uuid::Uuid;

use crate::app::owner::{Owner, log_in};
use crate::app::user::Profile;
use crate::app::users::{self, NewUser};
use crate::app::{fields, password};

/// What is wrong with each field.
pub(crate) type Complaints = BTreeMap<&'static str, &'static str>;

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
}

/// Why somebody is not signed in now.
pub(crate) enum Refusal {
    Mend(Complaints),
    /// Address and password do not belong together, or the account is closed: nobody learns which.
    Wrong,
}

/// What a refused sign-in is told, whether the account exists or not.
pub(crate) const WRONG: &str = "This e-mail address and password do not belong together.";

impl Registration {
    fn complaints(&self) -> Complaints {
        complaints([
            ("first_name", fields::name(&self.first_name)),
            ("last_name", fields::name(&self.last_name)),
            ("email", fields::email(&self.email)),
            ("password", fields::new_password(&self.password)),
        ])
    }
}

impl SignIn {
    fn complaints(&self) -> Complaints {
        complaints([
            ("email", fields::present(&self.email)),
            ("password", fields::present(&self.password)),
        ])
    }
}

/// What is wrong with the fields that were checked.
pub(crate) fn complaints<const N: usize>(checks: [(&'static str, fields::Check); N]) -> Complaints {
    let wrong = |(field, check): (_, fields::Check)| check.err().map(|why| (field, why));
    checks.into_iter().filter_map(wrong).collect()
}

/// Makes an account and signs its owner in.
pub(crate) async fn register(
    database: &Database,
    session: &Session,
    given: &Registration,
) -> Result<Result<Profile, Complaints>, Error> {
    let complaints = given.complaints();
    if !complaints.is_empty() {
        return Ok(Err(complaints));
    }
    let password_hash = password::hash(given.password.clone()).await?;
    let profile = Profile {
        email: fields::canonical_email(&given.email),
        first_name: given.first_name.trim().to_owned(),
        last_name: given.last_name.trim().to_owned(),
    };
    let (id, now) = (Uuid::now_v7().to_string(), Utc::now().timestamp_millis());
    let user = NewUser {
        id: id.clone(),
        email: profile.email.clone(),
        first_name: profile.first_name.clone(),
        last_name: profile.last_name.clone(),
        password_hash,
        created_at: now,
        updated_at: now,
    };
    log_in(session, &id, given.remember)?;
    if !users::insert_and_save(database, session, user).await? {
        let taken =
            "There is an account with this e-mail address already. Sign in, or use another one.";
        return Ok(Err([("email", taken)].into()));
    }
    Ok(Ok(profile))
}

/// Signs in whoever knows the password of an open account.
pub(crate) async fn sign_in(
    database: &Database,
    session: &Session,
    given: &SignIn,
) -> Result<Result<Profile, Refusal>, Error> {
    let complaints = given.complaints();
    if !complaints.is_empty() {
        return Ok(Err(Refusal::Mend(complaints)));
    }
    let known = users::credentials(database, fields::canonical_email(&given.email)).await?;
    let Some(owner) = Owner::prove(known, &given.password).await? else {
        return Ok(Err(Refusal::Wrong));
    };
    let profile = owner.user.profile.clone();
    Ok(
        match owner.sign_in(database, session, given.remember).await? {
            true => Ok(profile),
            false => Err(Refusal::Wrong),
        },
    )
}
