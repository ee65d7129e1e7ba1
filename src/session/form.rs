//! The CSRF token of a session, and the cookie that it is computed from until a session begins.

use std::sync::OnceLock;

use super::Session;
use crate::csrf::token::{self, FormCookie};
use crate::error::Error;
use crate::token::Token;

/// The secrets that the CSRF tokens of this browser are computed from.
#[derive(Default)]
pub(super) struct FormSecrets {
    /// The session's token as it came, whether or not the store knows it.
    pub(super) session: Option<Token>,
    /// The text of the cookie that stands for the session until one begins.
    pub(super) cookie: Option<String>,
    /// The secret that this request has drawn for that cookie.
    pub(super) drawn: OnceLock<Token>,
}

impl FormSecrets {
    fn came(&self) -> Option<Token> {
        let cookie = self.cookie.as_deref().and_then(FormCookie::parse);
        cookie.map(|cookie| cookie.secret)
    }
}

impl Session {
    /// Returns a token for the hidden field `_token` of a form, which
    /// [`with_csrf_protection`](crate::Sessions::with_csrf_protection) demands.
    ///
    /// Put it first into the form, after `_method`: the protection looks for it in the first 512 bytes
    /// of the body. Scripts may send it as the header `X-CSRF-Token` instead.
    ///
    /// It belongs to this browser and its session's present token, so it ends with a sign-in, a
    /// sign-out and [`renew`](Self::renew): after these, redirect to the page with the next form.
    /// Before a session exists, a second cookie holds the secret and nothing is stored. When a session
    /// begins, that cookie is signed with the session's token: forms that are open in other tabs stay
    /// valid until the sign-in, and a cookie that another site planted is refused.
    ///
    /// Fails if the operating system provides no random bytes.
    ///
    /// ```
    /// use rocket::response::content::RawHtml;
    /// use rocket_diesel_session::{Error, Session};
    ///
    /// #[rocket::get("/cart")]
    /// fn cart(session: &Session) -> Result<RawHtml<String>, Error> {
    ///     let token = session.csrf_token()?;
    ///     Ok(RawHtml(format!(
    ///         r#"<form method="post"><input type="hidden" name="_token" value="{token}"><button>Buy</button></form>"#
    ///     )))
    /// }
    /// ```
    pub fn csrf_token(&self) -> Result<String, Error> {
        let forms = &self.forms;
        // The token of a session that this request has ended is removed from the browser.
        let session = forms
            .session
            .clone()
            .filter(|_| !self.state().is_destroyed());
        if let Some(secret) = session.or_else(|| forms.came()) {
            return token::issue(&secret);
        }
        let drawn = Token::generate()?;
        token::issue(forms.drawn.get_or_init(|| drawn))
    }

    /// Returns how the second cookie changes: `None` leaves it, `Some(None)` removes it, and
    /// `Some(Some(text))` sets it. `sets` says whether the browser gets a token of the session.
    pub(crate) fn form_cookie(&self, sets: bool) -> Option<Option<String>> {
        let forms = &self.forms;
        let drawn = forms.drawn.get();
        let state = self.state();
        if sets && state.user_id().is_some() && drawn.is_none() {
            return forms.came().map(|_| None);
        }
        let token = state.stored().and_then(|stored| stored.token.as_ref());
        match token.filter(|_| sets && forms.session.is_none()) {
            Some(token) => {
                let secret = drawn.cloned().or_else(|| forms.came());
                secret.map(|secret| Some(token::bound(&secret, token)))
            }
            None => drawn.map(|it| Some(it.secret().to_owned())),
        }
    }
}
