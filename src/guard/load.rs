//! How a session gets to whoever asks for it: once per request, and not before.

use std::sync::{Arc, Mutex, OnceLock};

use rocket::http::Status;
use rocket::request::{FromRequest, Outcome, Request};
use rocket::tokio::sync::OnceCell;
use rocket::{Ignite, Rocket, Sentinel};

use super::Session;
use crate::commit::Client;
use crate::context::{Context, Waited};
use crate::cookie::Incoming;
use crate::database::Database;
use crate::error::Error;
use crate::session::{State, Stored};

impl Session {
    async fn load(request: &Request<'_>, context: Arc<Context>) -> Result<Self, Error> {
        let now = context.now();
        let incoming = Incoming::read(request.headers().get("Cookie"), &context.cookie_name);
        let waited = Waited::default();
        let mut state = State::new(incoming.came);
        if let Some(token) = incoming.token {
            let key = token.key();
            let record = context
                .ask(&waited, move |store| store.load(&key, now))
                .await?;
            if let Some(record) = record.filter(|record| context.limits.alive(record, now)) {
                let key = record.key.clone();
                match State::loaded(Stored { token, record }) {
                    Ok(loaded) => state = loaded,
                    Err(cause) => log::warn!(
                        "the session {key:?} is dropped, its data is unreadable: {cause}"
                    ),
                }
            }
        }
        Ok(Self {
            state: Mutex::new(state),
            client: client(request),
            context,
            waited,
            now,
        })
    }
}

fn client(request: &Request<'_>) -> Client {
    let user_agent = request.headers().get_one("User-Agent");
    Client {
        user_agent: user_agent.map(|text| text.chars().take(255).collect()),
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
    type Error = ();

    async fn from_request(request: &'r Request<'_>) -> Outcome<Self, ()> {
        let context = request.rocket().state::<Arc<Context>>();
        match context.and_then(|context| context.database.as_ref()) {
            Some(database) => Outcome::Success(database),
            None => Outcome::Error((Status::InternalServerError, ())),
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
                "a route takes &Database, but the sessions are in none: set an SQL url in [default.databases]"
            );
        }
        missing
    }
}
