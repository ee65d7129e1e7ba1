//! The request guard `LiveSessions`.

use rocket::http::Status;
use rocket::request::{FromRequest, Outcome, Request};
use rocket::{Ignite, Rocket, Sentinel};

use super::LiveSessions;
use crate::error::Error;

#[rocket::async_trait]
impl<'r> FromRequest<'r> for LiveSessions {
    type Error = Error;

    async fn from_request(request: &'r Request<'_>) -> Outcome<Self, Error> {
        match Self::of(request.rocket()) {
            Some(live) => Outcome::Success(live),
            None => {
                let error = Error::configuration("Sessions::fairing() is not attached");
                Outcome::Error((Status::InternalServerError, error))
            }
        }
    }
}

impl Sentinel for LiveSessions {
    fn abort(rocket: &Rocket<Ignite>) -> bool {
        let missing = Self::of(rocket).is_none();
        if missing {
            log::error!(
                "a route takes LiveSessions, but no Sessions::fairing() is attached: attach it"
            );
        }
        missing
    }
}
