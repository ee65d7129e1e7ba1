//! The request guard `&Session`: loads the session once per request and gives access to its values.

use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use rocket::http::Status;
use rocket::request::{FromRequest, Outcome, Request};
use rocket::tokio::sync::OnceCell;
use rocket::{Ignite, Rocket, Sentinel};
use serde::{Serialize, de::DeserializeOwned};

use self::form::FormSecrets;
use self::response::status_of;
use crate::engine::context::Context;
use crate::engine::threads::Waited;
use crate::error::Error;
use crate::request::client::Client;
use crate::state::{Change, Limits, State};
use crate::token::Key;

/// The browser's session, for the time of one request.
///
/// Take `&Session` as a request guard. Its methods touch memory only; what they changed is saved
/// once, before the response leaves. If the store cannot be reached, the guard fails with 503. If the
/// session cannot be saved, the response becomes the application's page for 503, so no page claims
/// what did not happen.
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
    waited: Waited,
    /// When the request asked for the session, in Unix milliseconds.
    now: i64,
}

impl Session {
    /// Returns the value under `key`, or `None` if there is none.
    ///
    /// Fails if it is of another type than `T`.
    ///
    /// ```
    /// use rocket_diesel_session::{Error, Session};
    ///
    /// #[rocket::get("/colour")]
    /// fn colour(session: &Session) -> Result<String, Error> {
    ///     let colour: Option<String> = session.get("colour")?;
    ///     Ok(colour.unwrap_or("none".into()))
    /// }
    /// ```
    pub fn get<T: DeserializeOwned>(&self, key: &str) -> Result<Option<T>, Error> {
        self.state().get(key)
    }

    /// Stores a value under `key`, in place of one that is there.
    ///
    /// Of two requests that store under different keys at the same time, neither loses its value;
    /// under the same key the one that ends last wins. To compute a value from the present one, use
    /// [`update`](Self::update).
    ///
    /// Fails if the value is no JSON, or the session would become larger than `max_data`; then it
    /// stays as it was. Fails as gone after a save that found that another request had ended the
    /// session.
    ///
    /// ```
    /// # use rocket_diesel_session::{Error, Session};
    /// #[rocket::post("/colour/<colour>")]
    /// fn set_colour(session: &Session, colour: &str) -> Result<(), Error> {
    ///     session.insert("colour", colour)
    /// }
    /// ```
    pub fn insert<T: Serialize>(&self, key: &str, value: T) -> Result<(), Error> {
        self.state().apply(Change::set(key, value)?, self.limits())
    }

    /// Computes a new value from the one under `key`, or from the type's default, and returns it.
    ///
    /// Whenever another request turns out to have changed the session meanwhile, `compute` is
    /// called again with the value that is there by then: no update is lost. What is stored in the
    /// end may therefore differ from what is returned here.
    ///
    /// Fails as [`get`](Self::get) and [`insert`](Self::insert) do.
    ///
    /// ```
    /// # use rocket_diesel_session::{Error, Session};
    /// #[rocket::post("/visits")]
    /// fn visits(session: &Session) -> Result<String, Error> {
    ///     let visits = session.update("visits", |visits: u64| visits + 1)?;
    ///     Ok(format!("visit {visits}"))
    /// }
    /// ```
    pub fn update<T, F>(&self, key: &str, compute: F) -> Result<T, Error>
    where
        T: Serialize + DeserializeOwned + Default,
        F: Fn(T) -> T + Send + Sync + 'static,
    {
        let mut state = self.state();
        state.apply(Change::update(key, compute)?, self.limits())?;
        Ok(state.get(key)?.unwrap_or_default())
    }

    /// Removes the value under `key`, if there is one.
    pub fn remove(&self, key: &str) -> Result<(), Error> {
        self.state().apply(Change::remove(key)?, self.limits())
    }

    /// Removes all values. A signed-in user stays signed in.
    ///
    /// Before [`log_in`](Self::log_in), it drops what an anonymous user stored:
    ///
    /// ```
    /// # use rocket_diesel_session::{Error, Session};
    /// fn sign_in_afresh(session: &Session, user_id: u64) -> Result<(), Error> {
    ///     session.clear()?;
    ///     session.log_in(user_id)
    /// }
    /// ```
    pub fn clear(&self) -> Result<(), Error> {
        self.state().apply(Change::clear(), self.limits())
    }
}

// The documentation of `Session` shows the methods above first, and then those of these modules in this order.
mod user;

mod messages;

mod typed;

mod form;

mod save;

mod lifetime;

mod database_guard;
pub(crate) mod events;
pub(crate) mod info;
pub(crate) mod lifecycle;
mod replace;
pub(crate) mod response;
pub(crate) mod signed_in;

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
        let missing = rocket.state::<Arc<Context>>().is_none();
        if missing {
            log::error!(
                "a route takes &Session, but no Sessions::fairing() is attached: attach it"
            );
        }
        missing
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

    /// Returns the cookie's value, and for how many milliseconds the browser keeps it if it is persistent.
    pub(crate) fn cookie(&self) -> Option<(String, Option<i64>)> {
        let state = self.state();
        let stored = state.stored()?;
        let persistent = state.persistent(self.limits());
        let longest = state.idle_timeout(self.limits());
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
