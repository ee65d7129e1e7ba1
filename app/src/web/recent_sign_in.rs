//! For what must not be done at a computer that somebody left: a recent sign-in, as a request guard.

use chrono::TimeDelta;
use rocket::http::Status;
use rocket::outcome::try_outcome;
use rocket::request::{FromRequest, Outcome, Request};
use rocket::serde::json::json;
use rocket_diesel_session::Session;

use crate::accounts::User;

/// For how long after a sign-in nobody is asked for the password again.
const RECENT: TimeDelta = TimeDelta::minutes(10);

/// What programs are told that are signed in for longer.
pub(crate) const NOT_RECENT: &str = "This takes a sign-in of the last 10 minutes. Sign in again.";

/// A user has signed in a moment ago. A route that takes it asks all others for their password.
pub(crate) struct RecentSignIn;

impl RecentSignIn {
    pub(crate) fn is_recent(session: &Session) -> bool {
        session.now() - session.signed_in_at() <= RECENT
    }
}

/// Whether the guard refused somebody who is signed in, but not freshly.
struct NotRecent(bool);

/// For the catcher of the guard's 401, which anonymous users get, too.
pub(crate) fn is_not_recent(request: &Request<'_>) -> bool {
    request.local_cache(|| NotRecent(false)).0
}

#[rocket::async_trait]
impl<'r> FromRequest<'r> for RecentSignIn {
    type Error = String;

    async fn from_request(request: &'r Request<'_>) -> Outcome<Self, String> {
        try_outcome!(request.guard::<&User>().await);
        let session = request.guard::<&Session>().await;
        let session = try_outcome!(session.map_error(|(status, why)| (status, why.to_string())));
        if !Self::is_recent(session) {
            request.local_cache(|| {
                session.event("authz_fail", json!({ "why": "no recent sign-in" }));
                NotRecent(true)
            });
            return Outcome::Error((Status::Unauthorized, "no recent sign-in".into()));
        }
        Outcome::Success(Self)
    }
}
