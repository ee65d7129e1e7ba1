//! The request guard: `&Session`, loaded from the store by the first route, guard or catcher that
//! asks for it.

mod form;
pub(crate) mod load;
mod save;
pub(crate) mod tell;
mod user;
mod values;

use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use chrono::{DateTime, TimeDelta, Utc};

use self::form::FormSecrets;
use crate::client::Client;
use crate::context::Context;
use crate::session::{Limits, State, Stored};
use crate::threads::Waited;
use crate::token::Key;

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
    forms: FormSecrets,
    waited: Waited,
    /// When the request asked for the session, in Unix milliseconds.
    now: i64,
}

impl Session {
    /// Gives the session a new token and leaves all else as it is; the old token is worthless from
    /// then on.
    ///
    /// To be called when what its user may do changes. [`log_in`](Self::log_in) does it by itself.
    pub fn renew(&self) {
        self.state().renew();
    }

    /// Ends the session, in the store and in the browser.
    ///
    /// The messages that this request leaves with [`flash`](Self::flash), before or after, and the
    /// values that it stores afterwards begin a new, anonymous session under another token. All else
    /// that the session held is removed.
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

    /// Returns `true` if the browser came with the token of a session that is not there: it expired,
    /// was ended, or never was. A page can say so to a user who has to sign in again.
    pub fn was_ended(&self) -> bool {
        self.state().came_unknown()
    }

    /// Whether the user asked to stay signed in, by
    /// [`log_in_and_remember`](Self::log_in_and_remember).
    pub fn is_remembered(&self) -> bool {
        self.state().remembered()
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

    /// Returns the time with which sessions are measured, which all nodes share: that of the server
    /// that keeps the sessions.
    pub fn now(&self) -> DateTime<Utc> {
        self.context.clock.now()
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

    /// Whose request this is: the address at the other end of the connection, or what a proxy of
    /// `session.trusted_proxies` says of it in `X-Forwarded-For`; `None` outside a request.
    ///
    /// It is the whole address, for counting attempts; what is kept of it is up to
    /// `session.client_address`.
    pub fn client_address(&self) -> Option<IpAddr> {
        self.client.address
    }

    /// The token's text for the cookie, and how many milliseconds the cookie may live.
    pub(crate) fn cookie(&self) -> Option<(String, Option<i64>)> {
        let state = self.state();
        let stored = state.stored()?;
        let persistent = state.persistent(self.limits());
        let longest = state.idle_timeout(self.limits());
        let left = stored.record.expires_at.saturating_sub(self.context.now());
        let token = self.context.tokens.write(stored.token.as_ref()?);
        Some((token, persistent.then(|| left.min(longest))))
    }

    /// Whether the store has a token that the browser does not have yet.
    pub(crate) fn has_unsent_token(&self) -> bool {
        self.state().has_unsent_token()
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
