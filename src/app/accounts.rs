//! What registering and signing in do, whichever way they are asked for.

use std::collections::BTreeMap;

use chrono::Utc;
use rocket::form::FromForm;
use rocket::serde::{Deserialize, Serialize};
use rocket_diesel_session::{Database, Error, Session};
use uuid::Uuid;

use crate::app::password::{self, Verdict};
use crate::app::users::{self, NewUser};
use crate::app::{fields, user};

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

/// What the world may know of an account.
#[derive(Serialize)]
#[serde(crate = "rocket::serde")]
pub(crate) struct Profile {
    pub(crate) email: String,
    pub(crate) first_name: String,
    pub(crate) last_name: String,
}

impl From<&user::User> for Profile {
    fn from(user: &user::User) -> Self {
        let (email, first_name) = (user.email.clone(), user.first_name.clone());
        Self {
            email,
            first_name,
            last_name: user.last_name.clone(),
        }
    }
}

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

fn complaints<const N: usize>(checks: [(&'static str, fields::Check); N]) -> Complaints {
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
    if !users::insert(database, user).await? {
        let taken =
            "There is an account with this e-mail address already. Sign in, or use another one.";
        return Ok(Err([("email", taken)].into()));
    }
    session.log_in(id)?;
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
    let stored = known.as_ref().map(|known| known.password_hash.clone());
    let verdict = password::verify(given.password.clone(), stored).await;
    let open = known.filter(|user| verdict != Verdict::Wrong && user.disabled_at.is_none());
    let Some(user) = open else {
        return Ok(Err(Refusal::Wrong));
    };
    if verdict == Verdict::RightButOld {
        let hash = password::hash(given.password.clone()).await?;
        let now = Utc::now().timestamp_millis();
        users::set_password_hash(database, user.id.clone(), hash, now).await?;
    }
    session.log_in(&user.id)?;
    let (email, first_name, last_name) = (user.email, user.first_name, user.last_name);
    Ok(Ok(Profile {
        email,
        first_name,
        last_name,
    }))
}
