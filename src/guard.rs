//! The request guard: `&Session`, loaded from the store by the first route, guard or catcher that
//! asks for it.

mod devices;
pub(crate) mod load;
mod save;

use std::fmt::Display;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Serialize, de::DeserializeOwned};

use crate::commit::Client;
use crate::context::{Context, Waited};
use crate::error::{Error, ErrorKind};
use crate::session::{Change, Flash, Limits, State, Stored};
use crate::token::{Key, Token};

/// The browser's session, for the time of one request.
///
/// Take `&Session` as a request guard. Its methods touch memory only; what they changed is saved
/// once, before the response leaves. If the store cannot be reached, the guard fails with 503, and
/// if it cannot save, the response becomes the application's own page for 503: a visitor is never
/// told that something happened which did not.
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
    waited: Waited,
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
    /// Of two requests that store under different keys at the same time, neither loses its value;
    /// under the same key the one that ends last wins. To compute a value from the present one, use
    /// [`update`](Self::update).
    ///
    /// Fails when the value is no JSON, or the session would become larger than `max_data`; then it
    /// stays as it was.
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

    /// Removes all values; whoever is signed in stays so.
    pub fn clear(&self) -> Result<(), Error> {
        self.state().apply(Change::clear(), self.limits())
    }

    /// All values together as one struct, whose fields they are.
    ///
    /// A session without values is the struct's default. Fails when a value is of another type than
    /// its field, or is missing; give the struct `#[serde(default)]` to have it filled in.
    ///
    /// ```
    /// use rocket_diesel_session::{Error, Session};
    ///
    /// #[derive(Default, rocket::serde::Serialize, rocket::serde::Deserialize)]
    /// #[serde(crate = "rocket::serde", default)]
    /// struct Shop {
    ///     cart: Vec<u32>,
    ///     currency: Option<String>,
    /// }
    ///
    /// #[rocket::post("/cart/<article>")]
    /// fn add(session: &Session, article: u32) -> Result<String, Error> {
    ///     let shop = session.modify(move |shop: &mut Shop| shop.cart.push(article))?;
    ///     Ok(format!("{} articles in your cart", shop.cart.len()))
    /// }
    ///
    /// #[rocket::get("/cart")]
    /// fn cart(session: &Session) -> Result<String, Error> {
    ///     Ok(format!("{:?}", session.data::<Shop>()?.cart))
    /// }
    /// ```
    pub fn data<T: DeserializeOwned + Default>(&self) -> Result<T, Error> {
        self.state().typed()
    }

    /// Changes all values together as one struct, and returns it.
    ///
    /// As with [`update`](Self::update), the change is made again on what another request has
    /// stored meanwhile. Values that are no fields of the struct are left alone.
    ///
    /// Fails as [`data`](Self::data) and [`insert`](Self::insert) do.
    pub fn modify<T, F>(&self, change: F) -> Result<T, Error>
    where
        T: Serialize + DeserializeOwned + Default,
        F: Fn(&mut T) + Send + Sync + 'static,
    {
        let mut state = self.state();
        state.apply(Change::modify(change), self.limits())?;
        state.typed()
    }

    /// Leaves a message for the next page that asks for [`flashes`](Self::flashes).
    pub fn flash(&self, kind: impl Display, message: impl Display) -> Result<(), Error> {
        let (kind, message) = (kind.to_string(), message.to_string());
        self.state()
            .apply(Change::show(Flash { kind, message }), self.limits())
    }

    /// The messages that wait to be shown, which from now on they do no more.
    pub fn flashes(&self) -> Result<Vec<Flash>, Error> {
        self.state().take_flashes(self.limits())
    }

    /// Signs a user in: the session belongs to `user_id` from now on, under a new token and with
    /// fresh time-outs.
    ///
    /// What a stranger had put into the session is kept; what another user had is removed. Call
    /// [`clear`](Self::clear) first to keep nothing.
    ///
    /// Fails when the id is empty, longer than 64 bytes or holds control characters.
    pub fn log_in(&self, user_id: impl Display) -> Result<(), Error> {
        self.state()
            .log_in(user_id.to_string(), false, self.limits())
    }

    /// Signs a user in for as long as `remember_timeout` says, with a cookie that outlives the
    /// browser; otherwise as [`log_in`](Self::log_in) does.
    pub fn log_in_and_remember(&self, user_id: impl Display) -> Result<(), Error> {
        self.state()
            .log_in(user_id.to_string(), true, self.limits())
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

    /// Gives the session a new token and leaves all else as it is; the old token is worthless from
    /// then on.
    ///
    /// To be called when what its user may do changes. [`log_in`](Self::log_in) does it by itself.
    pub fn renew(&self) {
        self.state().renew();
    }

    /// Ends the user's other sessions together with saving this one, which gets a new token.
    ///
    /// To be called when the password changes, best within [`save_with`](Self::save_with).
    pub fn end_others(&self) {
        self.state().end_others();
    }

    /// Ends the session, in the store and in the browser. What is written to it afterwards is not
    /// kept.
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

    /// The key under which the store has the session, by which [`LiveSessions`](crate::LiveSessions)
    /// finds it again; `None` while it is new.
    pub fn key(&self) -> Option<Key> {
        let state = self.state();
        state.stored().map(|stored| stored.record.key.clone())
    }

    /// The first 8 characters of the session's key, for a page or a log; `None` while it is new.
    pub fn short_key(&self) -> Option<String> {
        self.key().map(|key| key.short().to_owned())
    }

    /// When the user signed in, or the session began if nobody did.
    pub fn signed_in_at(&self) -> DateTime<Utc> {
        self.time(|stored| stored.record.created_at, self.now)
    }

    /// How long the session may be idle: what [`remaining`](Self::remaining) starts from.
    pub fn idle_timeout(&self) -> TimeDelta {
        TimeDelta::milliseconds(self.state().idle_timeout(self.limits()))
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

    /// The token for the cookie, and how many milliseconds the cookie may live.
    pub(crate) fn cookie(&self) -> Option<(Token, Option<i64>)> {
        let state = self.state();
        let stored = state.stored()?;
        let persistent = state.persistent(self.limits());
        let max_age = || stored.record.expires_at.saturating_sub(self.context.now());
        Some((stored.token.clone()?, persistent.then(max_age)))
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
}
