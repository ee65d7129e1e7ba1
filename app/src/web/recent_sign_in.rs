//! Guards routes that need a recent sign-in, to protect unattended computers.

use chrono::TimeDelta;
use rocket::http::Status;
use rocket::outcome::try_outcome;
use rocket::request::{FromRequest, Outcome, Request};
use rocket::serde::json::json;
use rocket_diesel_session::Session;

use crate::web::current_user::CurrentUser;

/// A sign-in is recent for this long.
const RECENT: TimeDelta = TimeDelta::minutes(10);

/// The answer to programs whose sign-in is too old.
pub(crate) const NOT_RECENT: &str =
    "This needs a sign-in within the last 10 minutes. Sign in again.";

/// A recent sign-in. Routes that take it ask all other users for their password.
pub(crate) struct RecentSignIn;

impl RecentSignIn {
    pub(crate) fn is_recent(session: &Session) -> bool {
        session.now() - session.signed_in_at() <= RECENT
    }
}

/// Whether the guard refused a signed-in user.
struct NotRecent(bool);

/// Returns whether the guard refused a signed-in user. Anonymous ones get a 401 as well.
pub(crate) fn is_not_recent(request: &Request<'_>) -> bool {
    request.local_cache(|| NotRecent(false)).0
}

#[rocket::async_trait]
impl<'r> FromRequest<'r> for RecentSignIn {
    type Error = String;

    async fn from_request(request: &'r Request<'_>) -> Outcome<Self, String> {
        let user = request.guard::<CurrentUser>().await;
        try_outcome!(user.map_error(|(status, why)| (status, why.to_string())));
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
