//! Guards routes that need a signed-in user: `&User` redirects anonymous clients to the sign-in
//! page.

use rocket::http::Status;
use rocket::outcome::try_outcome;
use rocket::request::{FromRequest, Outcome, Request};
use rocket::serde::json::json;
use rocket_diesel_session::Session;

use crate::accounts::User;

#[rocket::async_trait]
impl<'r> FromRequest<'r> for &'r User {
    type Error = String;

    async fn from_request(request: &'r Request<'_>) -> Outcome<Self, String> {
        let session = request.guard::<&Session>().await;
        let session = try_outcome!(session.map_error(|(status, why)| (status, why.to_string())));
        match request.local_cache(|| session.user::<User>()) {
            Ok(Some(user)) if user.disabled_at.is_none() => Outcome::Success(user),
            Ok(_) => {
                log_refusal(request, session);
                Outcome::Error((Status::Unauthorized, "nobody is signed in".into()))
            }
            Err(why) => Outcome::Error((Status::InternalServerError, why.to_string())),
        }
    }
}

/// Logs, once per request, a session of an account that is closed or gone.
fn log_refusal(request: &Request<'_>, session: &Session) {
    struct Logged;
    if session.user_id().is_some() {
        request.local_cache(|| {
            session.event("authz_fail", json!({ "why": "the account is closed" }));
            Logged
        });
    }
}
