//! The signed-in user, as a request guard.

use diesel::{Queryable, Selectable};
use rocket::http::Status;
use rocket::outcome::try_outcome;
use rocket::request::{FromRequest, Outcome, Request};
use rocket::serde::json::json;
use rocket::serde::{Deserialize, Serialize};
use rocket_diesel_session::Session;

use crate::db::schema::users;

/// What a session brings along of its user's row.
pub(crate) const COLUMNS: &[&str] = &[
    "email",
    "first_name",
    "last_name",
    "location",
    "disabled_at",
];

/// The signed-in user. A route that takes `&User` sends anonymous users to the sign-in page.
#[derive(Debug, Deserialize, Serialize)]
#[serde(crate = "rocket::serde")]
pub(crate) struct User {
    pub(crate) email: String,
    pub(crate) first_name: String,
    pub(crate) last_name: String,
    pub(crate) location: String,
    disabled_at: Option<i64>,
}

/// What the world may know of an account.
#[derive(Clone, Queryable, Selectable, Serialize)]
#[diesel(table_name = users)]
#[serde(crate = "rocket::serde")]
pub(crate) struct Profile {
    pub(crate) email: String,
    pub(crate) first_name: String,
    pub(crate) last_name: String,
}

impl From<&User> for Profile {
    fn from(user: &User) -> Self {
        Self {
            email: user.email.clone(),
            first_name: user.first_name.clone(),
            last_name: user.last_name.clone(),
        }
    }
}

#[rocket::async_trait]
impl<'r> FromRequest<'r> for &'r User {
    type Error = String;

    async fn from_request(request: &'r Request<'_>) -> Outcome<Self, String> {
        let session = request.guard::<&Session>().await;
        let session = try_outcome!(session.map_error(|(status, why)| (status, why.to_string())));
        match request.local_cache(|| session.user::<User>()) {
            Ok(Some(user)) if user.disabled_at.is_none() => Outcome::Success(user),
            Ok(_) => {
                tell_of_refusal(request, session);
                Outcome::Error((Status::Unauthorized, "nobody is signed in".into()))
            }
            Err(why) => Outcome::Error((Status::InternalServerError, why.to_string())),
        }
    }
}

/// Tells, once for each request, of a user whose account is closed or gone.
fn tell_of_refusal(request: &Request<'_>, session: &Session) {
    struct Told;
    if session.user_id().is_some() {
        request.local_cache(|| {
            session.event("authz_fail", json!({ "why": "the account is closed" }));
            Told
        });
    }
}
