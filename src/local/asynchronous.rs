//! Sign-in on the asynchronous [`Client`].

use std::fmt::Display;

use rocket::http::Cookie;
use rocket::local::asynchronous::Client;

use super::METHOD;
use crate::error::Error;
use crate::state::Factor;

/// Signs a user in as [`blocking::sign_in`](crate::local::blocking::sign_in) does.
///
/// ```
/// use rocket::local::asynchronous::Client;
/// use rocket_diesel_session::local::asynchronous::sign_in;
/// use rocket_diesel_session::{Session, Sessions};
///
/// #[rocket::get("/who")]
/// fn who(session: &Session) -> Option<String> {
///     session.user_id()
/// }
///
/// # rocket::async_test(async {
/// let settings = rocket::Config::figment().merge(("databases.app.url", "memory:"));
/// let rocket = rocket::custom(settings).mount("/", rocket::routes![who]);
/// let client = Client::tracked(rocket.attach(Sessions::fairing())).await.unwrap();
///
/// sign_in(&client, 7).await.unwrap();
/// let answer = client.get("/who").dispatch().await;
/// assert_eq!(answer.into_string().await.unwrap(), "7");
/// # });
/// ```
pub async fn sign_in(client: &Client, user_id: impl Display) -> Result<Cookie<'static>, Error> {
    sign_in_with(client, user_id, []).await
}

/// Signs a user in as [`blocking::sign_in_with`](crate::local::blocking::sign_in_with) does.
///
/// ```no_run
/// use rocket::local::asynchronous::Client;
/// use rocket_diesel_session::Error;
/// use rocket_diesel_session::local::asynchronous::sign_in_with;
/// use rocket_diesel_session::sign_in::Factor;
///
/// async fn sign_in_by_code(client: &Client) -> Result<(), Error> {
///     let factors = [Factor::Password, Factor::OneTimeCode];
///     sign_in_with(client, 7, factors).await.map(drop)
/// }
/// ```
pub async fn sign_in_with(
    client: &Client,
    user_id: impl Display,
    factors: impl IntoIterator<Item = Factor>,
) -> Result<Cookie<'static>, Error> {
    let request = client.req(METHOD, "/");
    let name = super::begin(request.inner(), user_id, factors).await?;
    super::cookie(request.dispatch().await.cookies(), &name)
}
