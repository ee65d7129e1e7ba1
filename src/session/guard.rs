//! The request guards: a session is loaded once per request, by the first guard that asks.

use std::sync::{Arc, Mutex, OnceLock};

use rocket::http::Status;
use rocket::request::{FromRequest, Outcome, Request};
use rocket::tokio::sync::OnceCell;
use rocket::{Ignite, Rocket, Sentinel};

use super::Session;
use super::form::FormSecrets;
use crate::engine::context::Context;
use crate::engine::database::Database;
use crate::engine::threads::Waited;
use crate::error::Error;
use crate::request::client::Client;
use crate::state::State;
use crate::token::Key;

impl Session {
    pub(super) fn new(
        context: Arc<Context>,
        state: State,
        client: Client,
        forms: FormSecrets,
    ) -> Self {
        Self {
            state: Mutex::new(state),
            client,
            forms,
            now: context.now(),
            context,
            waited: Waited::default(),
        }
    }

    /// Loads the session under `key` outside a request.
    pub(crate) async fn load_detached(
        context: Arc<Context>,
        key: Key,
    ) -> Result<Option<Self>, Error> {
        let session = Self::new(
            context,
            State::default(),
            Client::default(),
            FormSecrets::default(),
        );
        let fresh = session.read(key, None).await?;
        Ok(fresh.map(|fresh| {
            *session.state() = fresh;
            session
        }))
    }
}

/// One request's session, if somebody asked for it.
#[derive(Default)]
pub(crate) struct Slot(OnceCell<Result<Session, Error>>);

impl Slot {
    pub(crate) fn of<'r>(request: &'r Request<'_>) -> &'r Self {
        request.local_cache(Self::default)
    }

    pub(crate) fn get(&self) -> Option<&Result<Session, Error>> {
        self.0.get()
    }
}

#[rocket::async_trait]
impl<'r> FromRequest<'r> for &'r Session {
    type Error = &'r Error;

    async fn from_request(request: &'r Request<'_>) -> Outcome<Self, Self::Error> {
        static UNATTACHED: OnceLock<Error> = OnceLock::new();
        let Some(context) = request.rocket().state::<Arc<Context>>() else {
            let error = UNATTACHED
                .get_or_init(|| Error::configuration("Sessions::fairing() is not attached"));
            return Outcome::Error((Status::InternalServerError, error));
        };
        let session = Slot::of(request)
            .0
            .get_or_init(|| Session::load(request, context.clone()))
            .await;
        match session {
            Ok(session) => Outcome::Success(session),
            Err(error) => Outcome::Error((error.status(), error)),
        }
    }
}

impl Sentinel for &Session {
    fn abort(rocket: &Rocket<Ignite>) -> bool {
        let missing = rocket.state::<Arc<Context>>().is_none();
        if missing {
            log::error!(
                "a route takes &Session, but no Sessions::fairing() is attached: attach it"
            );
        }
        missing
    }
}

#[rocket::async_trait]
impl<'r> FromRequest<'r> for &'r Database {
    type Error = Error;

    async fn from_request(request: &'r Request<'_>) -> Outcome<Self, Error> {
        let context = request.rocket().state::<Arc<Context>>();
        match context.and_then(|context| context.database.as_ref()) {
            Some(database) => Outcome::Success(database),
            None => {
                let error = Error::configuration("no database of SQL is configured");
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
