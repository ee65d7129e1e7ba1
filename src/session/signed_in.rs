//! The request guard for the row of the signed-in user, whose account is open.

use std::any::type_name;
use std::ops::{Deref, DerefMut};
use std::sync::Arc;

use rocket::request::{FromRequest, Outcome, Request};
use rocket::{Ignite, Rocket, Sentinel};
use serde_json::json;

use super::Session;
use super::account::Account;
use super::response::status_of;
use super::unread_field::unread_field;
use crate::engine::context::Context;
use crate::error::{Error, ErrorKind};

/// The row of the signed-in user, of the columns that [`Sessions::with_user`](crate::Sessions::with_user)
/// names.
///
/// A route that takes it is for signed-in users. The row comes with the session in one statement.
///
/// ```no_run
/// use rocket::{get, routes};
/// use rocket_diesel_session::Sessions;
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
/// #[get("/account")]
/// fn account(user: SignedIn<User>) -> String {
///     format!("This is the account of {}.", user.name)
/// }
///
/// #[get("/")]
/// fn home(user: Option<SignedIn<User>>) -> String {
///     user.map_or("Hello".into(), |user| format!("Hello {}", user.name))
/// }
///
/// #[rocket::launch]
/// fn rocket() -> _ {
///     rocket::build()
///         .mount("/", routes![account, home])
///         .attach(Sessions::fairing().with_user("users", "id", &["name"]))
/// }
/// ```
///
/// The request fails with
///
/// - 401 if no user is signed in, the user's row is gone or the [`Account`] is closed;
///   [`with_sign_in_page`](crate::Sessions::with_sign_in_page) redirects browsers from there, and clients
///   that prefer no HTML get problem details (RFC 9457), unless a catcher of the application answers,
/// - 500 if the row does not fit `T`; the log names the column,
/// - 503 if the session cannot be loaded, also where a route takes `Option<SignedIn<T>>`.
///
/// The launch aborts if a route takes it and [`Sessions::fairing`](crate::Sessions::fairing) is not
/// attached, `with_user` is not called, or it names no column for a field of `T` that is required. For a
/// store of [`Sessions::with_store`](crate::Sessions::with_store), the launch cannot check that it loads users.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SignedIn<T>(pub T);

impl<T> SignedIn<T> {
    /// Returns the row.
    ///
    /// ```
    /// # use rocket_diesel_session::sign_in::{Account, SignedIn};
    /// # struct User;
    /// # impl Account for User {}
    /// #[rocket::get("/account")]
    /// fn account(user: SignedIn<User>) {
    ///     let user: User = user.into_inner();
    /// }
    /// # impl<'de> rocket::serde::Deserialize<'de> for User {
    /// #     fn deserialize<D: rocket::serde::Deserializer<'de>>(_: D) -> Result<Self, D::Error> { Ok(User) }
    /// # }
    /// ```
    pub fn into_inner(self) -> T {
        self.0
    }
}

impl<T> Deref for SignedIn<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}

impl<T> DerefMut for SignedIn<T> {
    fn deref_mut(&mut self) -> &mut T {
        &mut self.0
    }
}

/// Notes that the guard found no signed-in user with an open account.
struct Refused(bool);

pub(super) fn note_refusal(request: &Request<'_>) {
    request.local_cache(|| Refused(true));
}

pub(super) fn has_refused(request: &Request<'_>) -> bool {
    request.local_cache(|| Refused(false)).0
}

#[rocket::async_trait]
impl<'r, T: Account> FromRequest<'r> for SignedIn<T> {
    type Error = Error;

    async fn from_request(request: &'r Request<'_>) -> Outcome<Self, Error> {
        let error = match request.guard::<&Session>().await {
            Outcome::Success(session) => match row::<T>(session) {
                Ok(Some(user)) if user.is_open() => return Outcome::Success(Self(user)),
                Ok(user) => refuse(request, session, user.is_some()),
                Err(error) => error,
            },
            Outcome::Error((_, error)) => error.copy(),
            Outcome::Forward(status) => return Outcome::Forward(status),
        };
        // `Option<SignedIn<T>>` drops it.
        if matches!(error.kind(), ErrorKind::Value | ErrorKind::Configuration) {
            log::error!("{error}");
        }
        Outcome::Error((status_of(&error), error))
    }
}

fn row<T: Account>(session: &Session) -> Result<Option<T>, Error> {
    match session.context().loads_users {
        true => session.user(),
        false => Err(Error::configuration(NO_USERS)),
    }
}

/// Notes the refusal, and emits it once per request if a user is signed in. A session without a row stays:
/// a database that replicates may not have the row of a new user yet.
fn refuse(request: &Request<'_>, session: &Session, is_closed: bool) -> Error {
    request.local_cache(|| {
        let why = match is_closed {
            true => "the account is closed",
            false => "the user has no row",
        };
        if session.user_id().is_some() {
            session.emit("authz_fail", &json!({ "why": why }));
        }
        Refused(true)
    });
    if is_closed {
        session.destroy();
    }
    Error::new(ErrorKind::Anonymous, "nobody is signed in")
}

const NO_USERS: &str =
    "Sessions::with_user is not called: call it with the users' table, its key and the columns";

impl<T: Account> Sentinel for SignedIn<T> {
    fn abort(rocket: &Rocket<Ignite>) -> bool {
        let missing = match rocket.state::<Arc<Context>>() {
            None => "no Sessions::fairing() is attached: attach it".to_owned(),
            Some(context) if !context.loads_users => NO_USERS.to_owned(),
            Some(context) => match context.user_columns.and_then(unread_field::<T>) {
                Some(field) => format!(
                    "Sessions::with_user loads no column for its field {field:?}: add the column, or make the field \
                     an Option"
                ),
                None => return false,
            },
        };
        let user = type_name::<T>();
        log::error!("a route takes SignedIn<{user}>, but {missing}");
        true
    }
}
