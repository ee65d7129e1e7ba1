//! What users do with their password: change it, and confirm by it that it is them.

use rocket::form::FromForm;
use rocket::serde::Deserialize;
use rocket_diesel_session::{Database, Error, Session};

use crate::app::accounts::{Complaints, complaints};
use crate::app::owner::Owner;
use crate::app::{fields, password, users};

#[derive(Default, Deserialize, FromForm)]
#[serde(crate = "rocket::serde", default)]
pub(crate) struct PasswordChange {
    #[field(default = String::new())]
    current: String,
    #[field(default = String::new())]
    new: String,
}

/// What is said beside a password that is not the present one of whoever is signed in.
const NOT_YOURS: &str = "This is not your present password.";

impl PasswordChange {
    fn complaints(&self) -> Complaints {
        complaints([
            ("current", fields::present(&self.current)),
            ("new", fields::other_password(&self.new, &self.current)),
        ])
    }
}

/// Changes the password of whoever is signed in, and signs out all others in the same transaction.
pub(crate) async fn change(
    database: &Database,
    session: &Session,
    given: &PasswordChange,
) -> Result<Result<(), Complaints>, Error> {
    let complaints = given.complaints();
    if !complaints.is_empty() {
        return Ok(Err(complaints));
    }
    let wrong = Ok(Err([("current", NOT_YOURS)].into()));
    let Some(owner) = prove(database, session, &given.current).await? else {
        return wrong;
    };
    let hash = password::hash(given.new.clone()).await?;
    session.end_others();
    match users::save_with_hash(database, session, owner.user, hash).await? {
        true => Ok(Ok(())),
        false => wrong,
    }
}

/// Signs in again whoever is signed in and knows the password.
pub(crate) async fn confirm(
    database: &Database,
    session: &Session,
    password: &str,
) -> Result<Result<(), Complaints>, Error> {
    if let Err(why) = fields::present(password) {
        return Ok(Err([("password", why)].into()));
    }
    let owner = prove(database, session, password).await?;
    let remember = session.is_remembered();
    let signed_in = match owner {
        Some(owner) => owner.sign_in(database, session, remember).await?,
        None => false,
    };
    Ok(match signed_in {
        true => Ok(()),
        false => Err([("password", NOT_YOURS)].into()),
    })
}

async fn prove(
    database: &Database,
    session: &Session,
    password: &str,
) -> Result<Option<Owner>, Error> {
    let id = session.user_id().unwrap_or_default();
    let known = users::credentials_of(database, id).await?;
    Owner::prove(known, password).await
}
