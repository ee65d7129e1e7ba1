//! Sign-in on the blocking [`Client`].

use std::fmt::Display;

use rocket::http::Cookie;
use rocket::local::blocking::Client;
use rocket::tokio::runtime::Builder;

use super::METHOD;
use crate::error::Error;
use crate::state::Factor;

/// Signs a user in as a request to [`Session::log_in`](crate::Session::log_in) does, without a route.
///
/// A [tracked](Client::tracked) client stays signed in. For an untracked one, add the returned cookie to its
/// requests. The sign-in runs the application's fairings and its catcher for 404, and no route.
///
/// Fails as [`Session::log_in`](crate::Session::log_in) and [`Session::save`](crate::Session::save) do, if
/// [`Sessions::fairing`](crate::Sessions::fairing) is not attached, and if `session.token_from` does not have
/// `"cookie"`.
///
/// ```
/// use rocket::local::blocking::Client;
/// use rocket_diesel_session::local::blocking::sign_in;
/// use rocket_diesel_session::{Session, Sessions};
///
/// #[rocket::get("/who")]
/// fn who(session: &Session) -> Option<String> {
///     session.user_id()
/// }
///
/// let settings = rocket::Config::figment().merge(("databases.app.url", "memory:"));
/// let rocket = rocket::custom(settings).mount("/", rocket::routes![who]);
/// let client = Client::tracked(rocket.attach(Sessions::fairing())).unwrap();
///
/// sign_in(&client, 7).unwrap();
/// assert_eq!(client.get("/who").dispatch().into_string().unwrap(), "7");
/// ```
pub fn sign_in(client: &Client, user_id: impl Display) -> Result<Cookie<'static>, Error> {
    sign_in_with(client, user_id, [])
}

/// Signs a user in as [`sign_in`] does, with a proof of each of these factors, now.
///
/// It is for routes that demand a factor by [`Fresh`](crate::sign_in::Fresh). A sign-in without factors counts
/// as a proof of [`Factor::Unstated`].
///
/// ```
/// use rocket::http::Status;
/// use rocket::local::blocking::Client;
/// use rocket_diesel_session::Sessions;
/// use rocket_diesel_session::local::blocking::{sign_in, sign_in_with};
/// use rocket_diesel_session::sign_in::{Factor, Fresh, Passkey};
///
/// #[rocket::get("/vault")]
/// fn vault(_fresh: Fresh<10, Passkey>) {}
///
/// let settings = rocket::Config::figment().merge(("databases.app.url", "memory:"));
/// let rocket = rocket::custom(settings).mount("/", rocket::routes![vault]);
/// let client = Client::tracked(rocket.attach(Sessions::fairing())).unwrap();
///
/// sign_in(&client, 7).unwrap();
/// assert_eq!(client.get("/vault").dispatch().status(), Status::Forbidden);
/// sign_in_with(&client, 7, [Factor::Passkey]).unwrap();
/// assert_eq!(client.get("/vault").dispatch().status(), Status::Ok);
/// ```
pub fn sign_in_with(
    client: &Client,
    user_id: impl Display,
    factors: impl IntoIterator<Item = Factor>,
) -> Result<Cookie<'static>, Error> {
    // The client's own runtime is private.
    let runtime = Builder::new_current_thread().enable_time().build();
    let runtime = runtime
        .map_err(|cause| Error::unavailable("no runtime can be started").with_source(cause))?;
    let request = client.req(METHOD, "/");
    let name = runtime.block_on(super::begin(request.inner(), user_id, factors))?;
    super::cookie(request.dispatch().cookies(), &name)
}
