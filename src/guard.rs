//! The request guard: `&Session`, loaded from the store by the first route, guard or catcher that asks for it.

use std::fmt::Display;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use chrono::{DateTime, TimeDelta, Utc};
use rocket::http::Status;
use rocket::request::{FromRequest, Outcome, Request};
use rocket::tokio::sync::OnceCell;
use rocket::{Rocket, Sentinel};
use serde::{Serialize, de::DeserializeOwned};

use crate::commit::{Client, Commit, Committed};
use crate::context::Context;
use crate::cookie::Incoming;
use crate::database::Database;
use crate::error::{Error, ErrorKind};
use crate::session::{Change, Limits, SetCookie, State, Stored, Verb};
use crate::token::Token;

/// The browser's session, for the time of one request.
///
/// Take `&Session` as a request guard. Its methods touch memory only; what they changed is saved once, before the
/// response leaves. If the store cannot be reached, the guard fails with 503, and if it cannot save, the response
/// becomes the application's own page for 503: a visitor is never told that something happened which did not.
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
    /// When the request asked for the session, in Unix milliseconds.
    now: i64,
}

impl Session {
    /// The value stored under `key`.
    ///
    /// Fails when it is of another type than `T`.
    pub fn get<T: DeserializeOwned>(&self, key: &str) -> Result<Option<T>, Error> {
        self.state().get(key)
    }

    /// Stores a value under `key`, in place of one that is there.
    ///
    /// Of two requests that store under different keys at the same time, neither loses its value; under the same
    /// key the one that ends last wins. To compute a value from the present one, use [`update`](Self::update).
    ///
    /// Fails when the value is no JSON, or the session would become larger than `max_data`; then it stays as it was.
    pub fn insert<T: Serialize>(&self, key: &str, value: T) -> Result<(), Error> {
        self.state().insert(key, value, self.limits())
    }

    /// Computes a new value from the one under `key`, or from the type's default, and returns it.
    ///
    /// Whenever another request turns out to have changed the session meanwhile, `compute` is called again with the
    /// value that is there by then: no update is lost. What is stored in the end may therefore differ from what is
    /// returned here.
    ///
    /// Fails as [`get`](Self::get) and [`insert`](Self::insert) do.
    pub fn update<T, F>(&self, key: &str, compute: F) -> Result<T, Error>
    where
        T: Serialize + DeserializeOwned + Default,
        F: Fn(T) -> T + Send + Sync + 'static,
    {
        let mut state = self.state();
        state.apply(Change::update(key, compute), self.limits())?;
        Ok(state.get(key)?.unwrap_or_default())
    }

    /// Removes the value under `key`, if there is one.
    pub fn remove(&self, key: &str) -> Result<(), Error> {
        self.state()
            .apply(Change::Remove(key.to_owned()), self.limits())
    }

    /// Removes all values; whoever is signed in stays so.
    pub fn clear(&self) -> Result<(), Error> {
        self.state().apply(Change::Clear, self.limits())
    }

    /// Signs a user in: the session belongs to `user_id` from now on, under a new token and with fresh time-outs.
    ///
    /// What a stranger had put into the session is kept; what another user had is removed. Call
    /// [`clear`](Self::clear) first to keep nothing.
    ///
    /// Fails when the id is empty, longer than 64 bytes or holds control characters.
    pub fn log_in(&self, user_id: impl Display) -> Result<(), Error> {
        self.state().log_in(user_id.to_string(), self.limits())
    }

    /// Signs the user out, by ending the session.
    pub fn log_out(&self) {
        self.destroy();
    }

    /// Who is signed in.
    pub fn user_id(&self) -> Option<String> {
        self.state().user_id().map(str::to_owned)
    }

    /// The signed-in user's row, which came with the session in one statement.
    ///
    /// `None` when nobody is signed in, when the row is gone, or when
    /// [`Sessions::with_user`](crate::Sessions::with_user) was not called.
    /// Fails when the row does not fit `T`.
    ///
    /// With it, an application's own guard takes a few lines:
    ///
    /// ```
    /// use rocket::http::Status;
    /// use rocket::outcome::{Outcome, try_outcome};
    /// use rocket::request::{self, FromRequest, Request};
    /// use rocket_diesel_session::Session;
    ///
    /// #[derive(rocket::serde::Deserialize)]
    /// #[serde(crate = "rocket::serde")]
    /// struct User {
    ///     email: String,
    /// }
    ///
    /// #[rocket::async_trait]
    /// impl<'r> FromRequest<'r> for User {
    ///     type Error = ();
    ///
    ///     async fn from_request(request: &'r Request<'_>) -> request::Outcome<Self, ()> {
    ///         let session = try_outcome!(request.guard::<&Session>().await.map_error(|(status, _)| (status, ())));
    ///         match session.user() {
    ///             Ok(Some(user)) => Outcome::Success(user),
    ///             Ok(None) => Outcome::Error((Status::Unauthorized, ())),
    ///             Err(_) => Outcome::Error((Status::InternalServerError, ())),
    ///         }
    ///     }
    /// }
    /// ```
    pub fn user<T: DeserializeOwned>(&self) -> Result<Option<T>, Error> {
        let state = self.state();
        let user = state.user().map(serde_json::from_str).transpose();
        user.map_err(|cause| {
            let wanted = std::any::type_name::<T>();
            Error::new(
                ErrorKind::Value,
                format!("the user's row is not of the type {wanted}"),
            )
            .because(cause)
        })
    }

    /// Gives the session a new token and leaves all else as it is; the old token is worthless from then on.
    ///
    /// To be called when what its user may do changes. [`log_in`](Self::log_in) does it by itself.
    pub fn renew(&self) {
        self.state().renew();
    }

    /// Ends the session, in the store and in the browser. What is written to it afterwards is not kept.
    pub fn destroy(&self) {
        self.state().destroy();
    }

    /// Counts as use now, whether or not the touch interval has passed.
    pub fn touch(&self) {
        self.state().touch();
    }

    /// Whether no store knows this session yet.
    pub fn is_new(&self) -> bool {
        self.state().stored().is_none()
    }

    /// The first 8 characters of the session's key, for a page or a log; `None` while it is new.
    pub fn short_key(&self) -> Option<String> {
        self.state()
            .stored()
            .map(|stored| stored.record.key.short().to_owned())
    }

    /// When the session ends unless it is used before.
    pub fn expires_at(&self) -> DateTime<Utc> {
        let new = self.now.saturating_add(self.limits().idle);
        self.time(|stored| stored.record.expires_at, new)
    }

    /// When the session ends however much it is used.
    pub fn deadline(&self) -> DateTime<Utc> {
        let new = self.now.saturating_add(self.limits().absolute);
        self.time(|stored| stored.record.deadline, new)
    }

    /// How long until [`expires_at`](Self::expires_at), seen from the request.
    pub fn remaining(&self) -> TimeDelta {
        self.expires_at() - self.context.time(self.now)
    }

    /// Saves now instead of when the response leaves, for handlers that have to know.
    ///
    /// Fails as unavailable when the store does not answer, and as gone when the session was ended meanwhile.
    pub async fn save(&self) -> Result<(), Error> {
        match self.commit().await? {
            (_, true) => Err(Error::gone()),
            _ => Ok(()),
        }
    }

    /// Reads the session from the store again and forgets what was changed since it was last saved.
    ///
    /// Fails as unavailable when the store does not answer, and as gone when the session was ended meanwhile.
    pub async fn reload(&self) -> Result<(), Error> {
        let stored = self.state().stored().cloned();
        let Some(Stored { token, record }) = stored else {
            *self.state() = State::new(false);
            return Ok(());
        };
        let now = self.context.now();
        let fresh = self
            .context
            .ask(move |store| store.load(&record.key, now))
            .await?;
        let fresh = fresh.filter(|record| self.limits().alive(record, now));
        let mut state = self.state();
        match fresh {
            Some(record) => {
                state.reset();
                state.replace(Stored { token, record })
            }
            None => {
                state.ended();
                Err(Error::gone())
            }
        }
    }

    /// Brings the store up to date; what the browser is to be told, and whether the session was ended meanwhile.
    pub(crate) async fn commit(&self) -> Result<(SetCookie, bool), Error> {
        let now = self.context.now();
        let (plan, pending) = {
            let mut state = self.state();
            let plan = state.plan(self.limits(), now);
            if plan.verb == Verb::Nothing {
                return Ok((plan.cookie, false));
            }
            (plan, Arc::new(state.begin_save()))
        };
        let (work, limits, client) = (pending.clone(), self.limits().clone(), self.client.clone());
        let committed = self.context.ask(move |store| {
            let commit = Commit {
                limits: &limits,
                client: &client,
                changes: &work.changes,
                now,
            };
            commit.run(store, plan.verb, work.stored.clone())
        });
        let committed = committed.await;
        let mut state = self.state();
        match committed {
            Ok(Committed::Saved(stored)) => state.saved(stored).map(|()| (plan.cookie, false)),
            Ok(Committed::Deleted) => {
                state.ended();
                Ok((plan.cookie, false))
            }
            Ok(Committed::Gone) => {
                state.ended();
                Ok((SetCookie::Nothing, true))
            }
            Err(error) => {
                state.save_failed(&pending);
                Err(error)
            }
        }
    }

    /// The token for the cookie, and how many milliseconds the cookie may live.
    pub(crate) fn cookie(&self) -> Option<(Token, Option<i64>)> {
        let state = self.state();
        let stored = state.stored()?;
        let max_age = self
            .limits()
            .persistent
            .then(|| stored.record.expires_at.saturating_sub(self.context.now()));
        Some((stored.token.clone(), max_age))
    }

    pub(crate) fn context(&self) -> &Context {
        &self.context
    }

    fn limits(&self) -> &Limits {
        &self.context.limits
    }

    fn time(&self, of: impl Fn(&Stored) -> i64, new: i64) -> DateTime<Utc> {
        self.context.time(self.state().stored().map_or(new, of))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // A panic in an `update` closure leaves the state as it was before the call.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn load(request: &Request<'_>, context: Arc<Context>) -> Result<Self, Error> {
        let now = context.now();
        let incoming = Incoming::read(request.headers().get("Cookie"), &context.cookie_name);
        let mut state = State::new(incoming.came);
        if let Some(token) = incoming.token {
            let key = token.key();
            let record = context.ask(move |store| store.load(&key, now)).await?;
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
        static UNATTACHED: std::sync::OnceLock<Error> = std::sync::OnceLock::new();
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
    fn abort(rocket: &Rocket<rocket::Ignite>) -> bool {
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
    fn abort(rocket: &Rocket<rocket::Ignite>) -> bool {
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

impl Error {
    /// The status with which a request fails that cannot go on after this error.
    pub(crate) fn status(&self) -> Status {
        match self.kind() {
            ErrorKind::Unavailable => Status::ServiceUnavailable,
            ErrorKind::Gone => Status::Unauthorized,
            ErrorKind::TooLarge => Status::PayloadTooLarge,
            ErrorKind::Value | ErrorKind::Configuration => Status::InternalServerError,
        }
    }
}
