//! The request guard `&Session`, which loads the session once per request.

// In the order in which the documentation of `Session` shows their methods.
mod values;

mod user;

pub(crate) mod proofs;

pub(crate) mod begun;

mod return_to;

mod messages;

mod typed;

mod form;

mod bearer;

mod save;

mod lifetime;

mod timeouts;

mod ending;

pub(crate) mod account;
mod anonymous;
mod database_guard;
mod detached;
pub(crate) mod events;
pub(crate) mod fresh;
pub(crate) mod info;
pub(crate) mod lifecycle;
mod replace;
pub(crate) mod response;
pub(crate) mod signed_in;
mod unread_field;
mod user_row;

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use rocket::http::Status;
use rocket::request::{FromRequest, Outcome, Request};
use rocket::tokio::sync::OnceCell;
use rocket::{Ignite, Rocket, Sentinel};

use self::bearer::Transport;
use self::form::FormSecrets;
use self::response::status_of;
use crate::engine::context::Context;
use crate::engine::threads::Waited;
use crate::error::Error;
use crate::request::client::Client;
use crate::state::{Limits, State};

/// The browser's session, for the time of one request.
///
/// Take `&Session` as a request guard. Its synchronous methods change memory only, and the changes
/// are saved once, before the response leaves; its async methods ask the store. If the store cannot be
/// reached, the guard fails with 503. If the session cannot be saved, the response becomes the
/// application's page for 503, so no page claims what did not happen.
///
/// ```
/// use rocket_diesel_session::{Error, Session};
///
/// #[rocket::post("/cart/<article>")]
/// fn add(session: &Session, article: u32) -> Result<String, Error> {
///     let cart = session.update("cart", move |mut cart: Vec<u32>| {
///         cart.push(article);
///         cart
///     })?;
///     Ok(format!("{} articles in your cart", cart.len()))
/// }
/// ```
pub struct Session {
    state: Mutex<State>,
    context: Arc<Context>,
    client: Client,
    forms: FormSecrets,
    /// The local page that the request's query names.
    named_page: Option<String>,
    transport: Transport,
    waited: Waited,
    /// When the request asked for the session, in Unix milliseconds.
    now: i64,
}

/// The session of one request, once a guard has asked for it.
#[derive(Default)]
pub(crate) struct RequestSession(OnceCell<Result<Session, Error>>);

impl RequestSession {
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
        let session = RequestSession::of(request)
            .0
            .get_or_init(|| Session::load(request, context.clone()))
            .await;
        match session {
            Ok(session) => Outcome::Success(session),
            Err(error) => Outcome::Error((status_of(error), error)),
        }
    }
}

impl Sentinel for &Session {
    fn abort(rocket: &Rocket<Ignite>) -> bool {
        is_unattached(rocket, "&Session")
    }
}

/// Returns `true`, and logs the remedy, if a route takes this guard without the fairing.
fn is_unattached(rocket: &Rocket<Ignite>, guard: &str) -> bool {
    let missing = rocket.state::<Arc<Context>>().is_none();
    if missing {
        log::error!("a route takes {guard}, but no Sessions::fairing() is attached: attach it");
    }
    missing
}

impl fmt::Debug for Session {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut session = formatter.debug_struct("Session");
        session.field("key", &self.key()).finish_non_exhaustive()
    }
}

/// Reads the client of a request, with its route if events are on.
fn client(request: &Request<'_>, context: &Context) -> Client {
    let config = &context.config;
    let with_route = context.events.are_on();
    Client::of(
        request,
        &config.trusted_proxies,
        config.client_address,
        with_route,
    )
}

impl Session {
    fn new(context: Arc<Context>, state: State, client: Client, forms: FormSecrets) -> Self {
        Self {
            state: Mutex::new(state),
            client,
            forms,
            named_page: None,
            transport: Transport::default(),
            now: context.now(),
            context,
            waited: Waited::default(),
        }
    }

    /// Returns the cookie's value, and for how many milliseconds the browser keeps it if it is persistent.
    pub(crate) fn cookie(&self) -> Option<(String, Option<i64>)> {
        let state = self.state();
        let stored = state.stored()?;
        let persistent = state.persistent(self.limits());
        let (longest, _) = state.timeouts(self.limits());
        let left = stored.record.expires_at.saturating_sub(self.context.now());
        let token = self.context.tokens.write(stored.token.as_ref()?);
        Some((token, persistent.then(|| left.min(longest))))
    }

    pub(crate) fn context(&self) -> &Context {
        &self.context
    }

    fn limits(&self) -> &Limits {
        &self.context.limits
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // A panic in an `update` closure leaves the state as it was before the call.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
