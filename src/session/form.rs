//! What a form needs to be accepted.

use std::sync::OnceLock;

use super::Session;
use crate::csrf::token;
use crate::error::Error;
use crate::token::Token;

/// The secrets that the browser's form tokens are computed from.
#[derive(Default)]
pub(super) struct FormSecrets {
    /// The session's token as it came, whether a store knows it or not.
    session: Option<Token>,
    /// What came in the cookie that stands for it.
    form: Option<Token>,
    /// What that cookie is to hold from now on.
    drawn: OnceLock<Token>,
}

impl FormSecrets {
    pub(super) fn of(session: Option<Token>, form: Option<Token>) -> Self {
        Self {
            session,
            form,
            drawn: OnceLock::new(),
        }
    }
}

impl Session {
    /// Returns a token for the hidden field `_token` of a form, which
    /// [`with_cross_site_protection`](crate::Sessions::with_cross_site_protection) demands.
    ///
    /// Put it first into the form, after `_method`: the protection looks for it in the first 512 bytes
    /// of the body. Scripts may send it as the header `X-CSRF-Token` instead.
    ///
    /// It belongs to this browser and its session's present token, so it ends with a sign-in, a
    /// sign-out and [`renew`](Self::renew): after these, redirect to the page with the next form.
    /// Without a session nothing is stored; a second cookie stands for it. When a session begins, its
    /// token signs that cookie, so forms of other tabs are accepted until the user signs in, and a
    /// cookie that another site planted is not.
    ///
    /// Fails if the operating system has no randomness to give.
    ///
    /// ```
    /// use rocket::response::content::RawHtml;
    /// use rocket_diesel_session::{Error, Session};
    ///
    /// #[rocket::get("/cart")]
    /// fn cart(session: &Session) -> Result<RawHtml<String>, Error> {
    ///     let token = session.form_token()?;
    ///     Ok(RawHtml(format!(
    ///         r#"<form method="post"><input type="hidden" name="_token" value="{token}"><button>Buy</button></form>"#
    ///     )))
    /// }
    /// ```
    pub fn form_token(&self) -> Result<String, Error> {
        let came = &self.forms;
        if let Some(secret) = came.session.as_ref().or(came.form.as_ref()) {
            return token::issue(secret);
        }
        let drawn = Token::generate()?;
        token::issue(came.drawn.get_or_init(|| drawn))
    }

    /// What the second cookie is to hold from now on, if that changes; `None` if it is to go. `sets`
    /// says whether the browser gets a token of the session.
    pub(crate) fn form_cookie(&self, sets: bool) -> Option<Option<String>> {
        let came = &self.forms;
        let secret = came.drawn.get().or(came.form.as_ref());
        let state = self.state();
        if sets && state.user_id().is_some() && came.drawn.get().is_none() {
            return came.form.as_ref().map(|_| None);
        }
        let token = state.stored().and_then(|stored| stored.token.as_ref());
        match token.filter(|_| sets && came.session.is_none()) {
            Some(token) => secret.map(|secret| Some(token::bound(secret, token))),
            None => came.drawn.get().map(|it| Some(it.secret().to_owned())),
        }
    }
}
