//! Flash messages for the next page.

use std::fmt::Display;

use super::Session;
use crate::error::Error;
use crate::state::Flash;

impl Session {
    /// Adds a message for the next page that calls [`flashes`](Self::flashes).
    ///
    /// [`log_out`](Self::log_out) keeps the messages of the same request, added before or after it: they
    /// begin a new, anonymous session.
    ///
    /// Fails as [`insert`](Self::insert) does.
    ///
    /// ```
    /// use rocket::response::Redirect;
    /// use rocket_diesel_session::{Error, Session};
    ///
    /// #[rocket::post("/sign_out")]
    /// fn sign_out(session: &Session) -> Result<Redirect, Error> {
    ///     session.log_out();
    ///     session.flash("success", "You are signed out.")?;
    ///     Ok(Redirect::to("/"))
    /// }
    /// ```
    pub fn flash(&self, kind: impl Display, message: impl Display) -> Result<(), Error> {
        let (kind, message) = (kind.to_string(), message.to_string());
        self.state().leave(Flash::new(kind, message), self.limits())
    }

    /// Takes the pending flash messages. Each is returned once.
    ///
    /// They stay in the session if no user sees the response: to `HEAD`, `OPTIONS` or a prefetch, a
    /// redirect, one without a body (204, 205, 304), or a server error.
    ///
    /// ```
    /// use rocket_diesel_session::{Error, Session};
    ///
    /// #[rocket::get("/")]
    /// fn page(session: &Session) -> Result<String, Error> {
    ///     let messages = session.flashes()?.into_iter();
    ///     Ok(messages.map(|flash| format!("{}: {}\n", flash.kind, flash.message)).collect())
    /// }
    /// ```
    pub fn flashes(&self) -> Result<Vec<Flash>, Error> {
        self.state().take_flashes(self.limits())
    }
}
