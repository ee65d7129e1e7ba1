//! The request guard `&Database`.

use std::sync::Arc;

use rocket::http::Status;
use rocket::request::{FromRequest, Outcome, Request};
use rocket::{Ignite, Rocket, Sentinel};

use crate::engine::context::Context;
use crate::engine::database::Database;
use crate::error::Error;

#[rocket::async_trait]
impl<'r> FromRequest<'r> for &'r Database {
    type Error = Error;

    async fn from_request(request: &'r Request<'_>) -> Outcome<Self, Error> {
        let context = request.rocket().state::<Arc<Context>>();
        match context.and_then(|context| context.database.as_ref()) {
            Some(database) => Outcome::Success(database),
            None => {
                let error = Error::configuration("no SQL database is configured");
                Outcome::Error((Status::InternalServerError, error))
            }
        }
    }
}

impl Sentinel for &Database {
    fn abort(rocket: &Rocket<Ignite>) -> bool {
        let missing = rocket
            .state::<Arc<Context>>()
            .is_none_or(|context| context.database.is_none());
        if missing {
            log::error!(
                "a route takes &Database, but there is none: set an SQL url in [default.databases], and \
                 session.users to its name where the sessions are in Redis or in a store of \
                 Sessions::with_store"
            );
        }
        missing
    }
}
