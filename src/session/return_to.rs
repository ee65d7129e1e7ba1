//! The page to which a sign-in leads back.

use super::Session;

impl Session {
    /// Returns the page to go to after a sign-in: the one that the field `next` of the request's query
    /// names, or `fallback`.
    ///
    /// [`with_sign_in_page`](crate::Sessions::with_sign_in_page) and
    /// [`with_confirmation_page`](crate::Sessions::with_confirmation_page) add the field to the address of
    /// their page. A form without an `action` sends it back, because browsers then use the address of the
    /// page. If the form has an `action`, pass the field on in a hidden field, and check that with
    /// [`local_page`](crate::sign_in::local_page).
    ///
    /// The result is a path of this application. If `next` names another site, or anything else that
    /// [`local_page`](crate::sign_in::local_page) refuses, it is the fallback. A session that was loaded by
    /// its key has no request, so it returns the fallback, too.
    ///
    /// ```
    /// use rocket::response::Redirect;
    /// use rocket_diesel_session::{Error, Session};
    ///
    /// #[rocket::post("/sign_in")]
    /// fn sign_in(session: &Session) -> Result<Redirect, Error> {
    ///     session.log_in(7)?; // after the password was compared
    ///     Ok(Redirect::to(session.return_to("/")))
    /// }
    /// ```
    pub fn return_to(&self, fallback: &str) -> String {
        let named = self.named_page.as_deref();
        named.unwrap_or(fallback).to_owned()
    }
}
