//! How a session gets to whoever asks for it: once per request, and not before.

use std::sync::{Arc, Mutex, OnceLock};

use rocket::http::Status;
use rocket::request::{FromRequest, Outcome, Request};
use rocket::tokio::sync::OnceCell;
use rocket::{Ignite, Rocket, Sentinel};

use super::Session;
use super::form::FormSecrets;
use crate::csrf::token::FormCookie;
use crate::engine::context::Context;
use crate::engine::database::Database;
use crate::engine::threads::Waited;
use crate::error::Error;
use crate::request::Incoming;
use crate::request::address;
use crate::request::client::Client;
use crate::state::{State, Stored};
use crate::store::Store;
use crate::token::{Key, Token};

impl Session {
    fn new(context: Arc<Context>, state: State, client: Client, forms: FormSecrets) -> Self {
        Self {
            state: Mutex::new(state),
            client,
            forms,
            now: context.now(),
            context,
            waited: Waited::default(),
        }
    }

    async fn load(request: &Request<'_>, context: Arc<Context>) -> Result<Self, Error> {
        let incoming = Incoming::of(request, &context.config.cookie, &context.tokens);
        let form = FormCookie::of(request, &context.config.cookie).map(|cookie| cookie.secret);
        let forms = FormSecrets::of(incoming.token.clone(), form);
        let unknown = incoming.token.as_ref().map(Token::key);
        let state = State::new(incoming.came, unknown);
        let client = client(request, &context);
        let session = Self::new(context, state, client, forms);
        let Some(token) = incoming.token else {
            if incoming.came {
                session.tell_of_cookie("session_malformed", None);
            }
            return Ok(session);
        };
        let key = token.key();
        match session.read(key.clone(), Some(token)).await? {
            Some(fresh) => *session.state() = fresh,
            None => session.tell_of_cookie("session_use_after_expire", Some(&key)),
        }
        Ok(session)
    }

    /// The session under `key` for whoever is no browser.
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

    /// Asks the store; `None` also when the session's time is over or its data is unreadable.
    pub(super) async fn read(
        &self,
        key: Key,
        token: Option<Token>,
    ) -> Result<Option<State>, Error> {
        let now = self.context.now();
        let user_of = self.context.database.as_ref().and_then(Database::user_of);
        let load = move |store: &dyn Store| {
            let record = store.load(&key, now)?;
            let id = record.as_ref().and_then(|it| it.user_id.as_ref());
            // The users' database fails by itself.
            let user = user_of.zip(id).map(|(user_of, id)| user_of(id)).transpose();
            Ok((record, user))
        };
        let [of_store, of_users] = &self.context.outages;
        let answer = self.context.ask(&self.waited, load).await;
        of_store.note(&answer);
        let (record, user) = answer?;
        let user = user.map_err(Error::of_store);
        // Nothing is known of the other database where nobody was looked for.
        if !matches!(user, Ok(None)) {
            of_users.note(&user);
        }
        let (Some(mut record), user) = (record, user?) else {
            return Ok(None);
        };
        if let Some(user) = user {
            record.user = user;
        }
        let key = record.key.clone();
        let state = State::loaded(Stored { token, record }, self.limits(), now);
        Ok(state.unwrap_or_else(|cause| {
            log::warn!("the session {key:?} is dropped, its data is unreadable: {cause}");
            None
        }))
    }
}

pub(crate) fn client(request: &Request<'_>, context: &Context) -> Client {
    let (config, user_agent) = (&context.config, request.headers().get_one("User-Agent"));
    let address = address::of(request, &config.trusted_proxies);
    let route = request.route().filter(|_| context.events.are_told());
    Client {
        user_agent: user_agent.map(|text| text.chars().take(255).collect()),
        address,
        shown_address: address.and_then(|address| config.client_address.shown(address)),
        route: route.map(|route| format!("{} {}", route.method, route.uri.path())),
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
