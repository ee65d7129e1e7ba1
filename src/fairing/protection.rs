//! The calls that configure the CSRF protection of `Sessions`.

use super::Sessions;

impl Sessions {
    /// Refuses cross-site requests with 403: every request that may change something and does not come
    /// from a page of this application, and every form without the token of its browser's session,
    /// [`Session::csrf_token`](crate::Session::csrf_token).
    ///
    /// The check runs before routing, whatever a form's `_method` is, and does not ask the store. It uses
    /// `Sec-Fetch-Site`, or `Origin` if the browser does not send that, and the token. A form without its
    /// token is refused, and so is a POST without a content type that has neither a token nor one of these
    /// headers. Other content, such as JSON, and a request with an `Upgrade` header, such as a WebSocket's,
    /// is refused only if another origin sent it.
    ///
    /// `session.trusted_origins` names other origins whose pages are trusted: their requests, forms
    /// included, need no token. A catcher finds the reason for a refusal in
    /// [`csrf::Refusal`](crate::csrf::Refusal), and the log has one line for it.
    ///
    /// ```no_run
    /// # use rocket_diesel_session::Sessions;
    /// #[rocket::launch]
    /// fn rocket() -> _ {
    ///     rocket::build().attach(Sessions::fairing().with_csrf_protection())
    /// }
    /// ```
    #[must_use]
    pub fn with_csrf_protection(mut self) -> Self {
        self.protects_from_csrf = true;
        self
    }

    /// Exempts POST requests to one path from the CSRF protection, for servers that send webhooks:
    /// they have no token.
    ///
    /// `path` is the whole path of a route, with the base of its mount, and is compared byte for byte.
    /// Other spellings of the path, other methods, also by `_method`, and each request with a session's
    /// cookie are checked as before, so a page of another site cannot use the exemption on behalf of a
    /// user. Verify the sender's signature in the route, and sign no user in.
    ///
    /// ```no_run
    /// # use rocket_diesel_session::Sessions;
    /// #[rocket::post("/webhooks/payments", data = "<event>")]
    /// fn payments(event: Vec<u8>) {
    ///     // Verifies the signature of the event first.
    /// }
    ///
    /// #[rocket::launch]
    /// fn rocket() -> _ {
    ///     let sessions = Sessions::fairing()
    ///         .with_csrf_protection()
    ///         .with_csrf_exemption("/webhooks/payments");
    ///     rocket::build().mount("/", rocket::routes![payments]).attach(sessions)
    /// }
    /// ```
    #[must_use]
    pub fn with_csrf_exemption(mut self, path: &'static str) -> Self {
        self.csrf_exempt.push(path);
        self
    }
}
