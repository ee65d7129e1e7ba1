//! Bearer tokens: how the client sends the session's token, and how it gets a new one.

use std::sync::atomic::{AtomicBool, Ordering};

use rocket::Response;
use rocket::http::Status;

use super::Session;
use crate::error::{Error, ErrorKind};
use crate::request::Incoming;
use crate::request::bearer::TokenFrom;

/// The way of the session's token between client and application.
#[derive(Default)]
pub(super) struct Transport {
    /// The request has a bearer token, usable or not.
    pub(super) has_bearer: bool,
    has_cookie: bool,
    /// A new token leaves in a header, not in a cookie.
    by_header: AtomicBool,
}

impl Transport {
    pub(super) fn of(incoming: &Incoming, from: TokenFrom) -> Self {
        Self {
            has_bearer: incoming.has_bearer,
            has_cookie: incoming.has_cookie,
            by_header: AtomicBool::new(incoming.has_bearer || !from.cookie),
        }
    }

    /// Returns `true` if a new token leaves in a header, not in a cookie.
    pub(super) fn is_by_header(&self) -> bool {
        self.by_header.load(Ordering::Relaxed)
    }

    /// Returns `true` if the client sent a cookie and gets a bearer token in its place.
    pub(super) fn has_left_cookie(&self) -> bool {
        self.has_cookie && self.is_by_header()
    }
}

impl Session {
    /// Saves now, and returns the session's token for a client that sends it as `Authorization: Bearer`.
    ///
    /// The response sets no cookie then, and has the token in the header `Session-Token`, too. If the
    /// session came with a cookie, it gets a new token, and the response removes the cookie. Call it in the
    /// route that checks the password, so that a script in a page cannot get a token.
    ///
    /// Fails as [`save`](Self::save) does, so a token is never returned for a session that was not saved.
    /// Fails, too, if the session is empty, and if `session.token_from` does not have `"bearer"`.
    ///
    /// ```
    /// use rocket::serde::json::{Json, Value, json};
    /// use rocket_diesel_session::{Error, Session};
    ///
    /// #[rocket::post("/api/sign_in", data = "<password>")]
    /// async fn sign_in(session: &Session, password: Json<String>) -> Result<Value, Error> {
    ///     let user_id = user_with(&password).ok_or_else(wrong)?;
    ///     session.log_in(user_id)?;
    ///     Ok(json!({ "token": session.bearer_token().await? }))
    /// }
    /// # fn user_with(_: &str) -> Option<u64> { None }
    /// # fn wrong() -> Error { Error::unavailable("") }
    /// ```
    pub async fn bearer_token(&self) -> Result<String, Error> {
        if !self.context.config.token_from.bearer {
            return Err(Error::configuration(
                "session.token_from does not have \"bearer\", so no request could use a bearer token; \
                 set it to [\"cookie\", \"bearer\"]",
            ));
        }
        self.leave_cookie();
        self.save().await?;
        let state = self.state();
        let token = state.stored().and_then(|stored| stored.token.as_ref());
        token
            .map(|token| self.context.tokens.write(token))
            .ok_or_else(|| {
                let message = "the session has no token, because it is empty, was ended or was loaded by its key";
                Error::new(ErrorKind::Value, message)
            })
    }

    /// Sends new tokens in a header from now on. A token that came in a cookie is replaced, since scripts
    /// could not read it there.
    fn leave_cookie(&self) {
        self.transport.by_header.store(true, Ordering::Relaxed);
        let mut state = self.state();
        let token = state.stored().and_then(|stored| stored.token.as_ref());
        let came = token.is_some() && token == self.forms.session.as_ref();
        if came && !self.transport.has_bearer {
            state.renew();
        }
    }

    /// Returns the session's token if the request did not come with it.
    pub(super) fn new_token(&self) -> Option<String> {
        let state = self.state();
        let token = state.stored()?.token.as_ref();
        let token = token.filter(|token| self.forms.session.as_ref() != Some(*token))?;
        Some(self.context.tokens.write(token))
    }
}

/// Names the scheme in a 401 (RFC 9110, section 15.5.2), and whether the token was no good (RFC 6750,
/// section 3).
pub(super) fn name_scheme(session: &Session, response: &mut Response<'_>) {
    let is_named = response.headers().contains("WWW-Authenticate");
    let counts = session.context.config.token_from.bearer;
    if !counts || is_named || response.status() != Status::Unauthorized {
        return;
    }
    let is_invalid = session.transport.has_bearer && session.is_new();
    response.set_raw_header(
        "WWW-Authenticate",
        match is_invalid {
            true => "Bearer error=\"invalid_token\"",
            false => "Bearer",
        },
    );
}
