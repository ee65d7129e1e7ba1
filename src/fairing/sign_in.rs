//! The calls that configure the users of `Sessions`, and the pages where they sign in and confirm it.

use super::Sessions;
use crate::engine::database::UserTable;

impl Sessions {
    /// Loads columns of the signed-in user's row together with the session, for
    /// [`SignedIn`](crate::sign_in::SignedIn) and [`Session::user`](crate::Session::user).
    ///
    /// The row is the one whose column `key`, a text or a number, has the id that was passed to
    /// [`Session::log_in`](crate::Session::log_in); it takes no further statement. Write the names exactly
    /// as in the database and without quotes; the table may be `schema.table`. A name that does not exist
    /// aborts the launch.
    ///
    /// ```
    /// # use rocket_diesel_session::Sessions;
    /// // A table of Prisma or Sequelize: "User" ("id", "firstName").
    /// let sessions = Sessions::fairing().with_user("User", "id", &["firstName"]);
    /// ```
    #[must_use]
    pub fn with_user(
        mut self,
        table: &'static str,
        key: &'static str,
        columns: &'static [&'static str],
    ) -> Self {
        self.user = Some(UserTable {
            table,
            key,
            columns,
        });
        self
    }

    /// Redirects browsers to a path of this application where [`SignedIn`](crate::sign_in::SignedIn)
    /// finds no signed-in user.
    ///
    /// A request that loads a page (GET or HEAD, HTML preferred in `Accept`, and `navigate` in
    /// `Sec-Fetch-Mode` where a browser sends that header) gets 303 in place of the 401. The field `next` of
    /// the query names its path, so that [`Session::return_to`](crate::Session::return_to) leads back.
    /// Other requests, such as a script's `fetch` and a form's POST, get the 401, so a script does not take
    /// the sign-in page for success.
    ///
    /// A path that is not local aborts the launch.
    ///
    /// ```no_run
    /// # use rocket_diesel_session::Sessions;
    /// use rocket_diesel_session::sign_in::{Account, SignedIn};
    ///
    /// #[derive(rocket::serde::Deserialize)]
    /// #[serde(crate = "rocket::serde")]
    /// struct User {
    ///     name: String,
    /// }
    ///
    /// impl Account for User {}
    ///
    /// #[rocket::get("/")]
    /// fn home(user: SignedIn<User>) -> String {
    ///     format!("Hello {}", user.name)
    /// }
    ///
    /// #[rocket::get("/sign_in")]
    /// fn sign_in() -> &'static str {
    ///     "Sign in."
    /// }
    ///
    /// #[rocket::launch]
    /// fn rocket() -> _ {
    ///     let sessions = Sessions::fairing()
    ///         .with_user("users", "id", &["name"])
    ///         .with_sign_in_page("/sign_in");
    ///     rocket::build().mount("/", rocket::routes![home, sign_in]).attach(sessions)
    /// }
    /// ```
    #[must_use]
    pub fn with_sign_in_page(mut self, path: &'static str) -> Self {
        self.sign_in_page = Some(path);
        self
    }

    /// Redirects browsers to a path of this application where [`Fresh`](crate::sign_in::Fresh) finds no
    /// fresh proof of a signed-in user.
    ///
    /// The page asks for the password, or for another factor. It can be the sign-in page, because a sign-in is
    /// a fresh proof.
    ///
    /// A request that loads a page gets 303 in place of the 403, as with
    /// [`with_sign_in_page`](Self::with_sign_in_page), also with the way back in the field `next`. Other
    /// requests get the 403: problem details (RFC 9457) if the client prefers no HTML and no catcher
    /// answers. A catcher of 403 asks
    /// [`needs_confirmation`](crate::sign_in::needs_confirmation) for the reason.
    ///
    /// A path that is not local aborts the launch.
    ///
    /// ```no_run
    /// use rocket::form::{Form, FromForm};
    /// use rocket::response::Redirect;
    /// use rocket_diesel_session::{Error, Session, Sessions};
    /// use rocket_diesel_session::sign_in::{Factor, Fresh};
    ///
    /// #[rocket::get("/password")]
    /// fn password_page(_fresh: Fresh<10>) -> &'static str {
    ///     "Choose a new password."
    /// }
    ///
    /// #[rocket::get("/confirm")]
    /// fn confirmation_page() -> &'static str {
    ///     "Enter your password."
    /// }
    ///
    /// #[derive(FromForm)]
    /// struct Confirmation {
    ///     password: String,
    /// }
    ///
    /// #[rocket::post("/confirm", data = "<form>")]
    /// async fn confirm(session: &Session, form: Form<Confirmation>) -> Result<Redirect, Error> {
    ///     if is_right(session.user_id(), &form.password).await {
    ///         session.add_proof(Factor::Password)?;
    ///     }
    ///     Ok(Redirect::to(session.return_to("/")))
    /// }
    /// # async fn is_right(_: Option<String>, _: &str) -> bool { false }
    ///
    /// #[rocket::launch]
    /// fn rocket() -> _ {
    ///     rocket::build()
    ///         .mount("/", rocket::routes![password_page, confirmation_page, confirm])
    ///         .attach(Sessions::fairing().with_confirmation_page("/confirm"))
    /// }
    /// ```
    #[must_use]
    pub fn with_confirmation_page(mut self, path: &'static str) -> Self {
        self.confirmation_page = Some(path);
        self
    }
}
