//! Begins sessions outside a request, for jobs, web sockets and clients that are no browsers.

use std::fmt::Display;

use percent_encoding::percent_decode_str;
use rocket::http::Cookie;

use super::LiveSessions;
use crate::error::Error;
use crate::session::Session;
use crate::token::Token;

impl LiveSessions {
    /// Begins a session for a user outside a request, and returns its token.
    ///
    /// It is like the session of a request that calls [`Session::log_in`]: it has the same timeouts, counts
    /// for `session.sessions_per_user` and emits the same event. It has no address, and no browser until a
    /// request changes it. Check first that the user may sign in. [`cookie`](Self::cookie) makes the cookie
    /// for the client, and [`load`](Self::load) finds the session by [`Token::key`], to store values in it.
    ///
    /// Fails if the id is empty, longer than 64 bytes or holds control characters, and as unavailable if
    /// the store does not answer.
    ///
    /// ```
    /// use rocket_diesel_session::{Error, LiveSessions};
    ///
    /// /// Returns the header `Cookie` for a client that has shown a code of its user.
    /// async fn pair(live: &LiveSessions, user_id: u64) -> Result<String, Error> {
    ///     let token = live.begin(user_id).await?;
    ///     let cookie = live.cookie(&token);
    ///     Ok(format!("{}={}", cookie.name(), cookie.value()))
    /// }
    /// ```
    pub async fn begin(&self, user_id: impl Display) -> Result<Token, Error> {
        let session = Session::detached(self.0.clone());
        session.log_in(user_id)?;
        session.begin().await
    }

    /// Begins a session as [`begin`](Self::begin) does, for `session.remember_timeout`.
    ///
    /// ```
    /// use rocket_diesel_session::{Error, LiveSessions, Token};
    ///
    /// /// An application on a telephone stays signed in for weeks.
    /// async fn pair(live: &LiveSessions, user_id: u64) -> Result<Token, Error> {
    ///     live.begin_and_remember(user_id).await
    /// }
    /// ```
    pub async fn begin_and_remember(&self, user_id: impl Display) -> Result<Token, Error> {
        let session = Session::detached(self.0.clone());
        session.log_in_and_remember(user_id)?;
        session.begin().await
    }

    /// Returns the cookie with which a client sends a token, with the attributes of
    /// `[default.session.cookie]`.
    ///
    /// If `session.token_from` has `"bearer"`, its value is the bearer token, too, for a client that sends
    /// `Authorization: Bearer`.
    ///
    /// It is a secret: give it to the user's client alone, over TLS. It has no `Max-Age`. In a debug build,
    /// requests to `http://localhost` have a cookie of another name unless `session.cookie.secure` is set.
    ///
    /// ```
    /// use rocket::http::CookieJar;
    /// use rocket_diesel_session::{Error, LiveSessions};
    ///
    /// /// Signs a browser in without a route that takes `&Session`.
    /// async fn hand_out(live: &LiveSessions, jar: &CookieJar<'_>) -> Result<(), Error> {
    ///     let token = live.begin(7).await?;
    ///     jar.add(live.cookie(&token));
    ///     Ok(())
    /// }
    ///
    /// /// Returns the header `Authorization` of a client that sends no cookie.
    /// async fn authorization(live: &LiveSessions) -> Result<String, Error> {
    ///     let token = live.begin(7).await?;
    ///     Ok(format!("Bearer {}", live.cookie(&token).value()))
    /// }
    /// ```
    pub fn cookie(&self, token: &Token) -> Cookie<'static> {
        let text = self.0.tokens.write(token);
        // Rocket encodes the value when it sends the cookie.
        let value = percent_decode_str(&text).decode_utf8_lossy();
        self.0.config.cookie.without_request(value.into_owned())
    }
}
