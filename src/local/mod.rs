//! Signs users in on Rocket's local client, so that the tests of routes need no sign-in page.

pub mod asynchronous;
pub mod blocking;

use std::fmt::Display;

use rocket::Request;
use rocket::http::{Cookie, CookieJar, Method};
use rocket::outcome::Outcome;

use crate::error::Error;
use crate::session::Session;
use crate::state::Factor;

/// A method that applications have no routes for.
const METHOD: Method = Method::Trace;

/// Signs a user in with the session of a request. Returns the name of the cookie that the response sets.
async fn begin(
    request: &Request<'_>,
    user_id: impl Display,
    factors: impl IntoIterator<Item = Factor>,
) -> Result<String, Error> {
    let session = match request.guard::<&Session>().await {
        Outcome::Success(session) => session,
        Outcome::Error((_, error)) => return Err(error.copy()),
        Outcome::Forward(status) => {
            return Err(Error::unavailable(format!(
                "the session was not loaded: {status}"
            )));
        }
    };
    let config = &session.context().config;
    if !config.token_from.cookie {
        return Err(Error::configuration(
            "session.token_from does not have \"cookie\", so no request can send the cookie of a sign-in; begin the \
             session by LiveSessions::begin, and send the value of LiveSessions::cookie as a bearer token",
        ));
    }
    session.log_in(user_id)?;
    let mut factors = factors.into_iter();
    factors.try_for_each(|factor| session.add_proof(factor))?;
    session.save().await?;
    Ok(config.cookie.name_in(request))
}

/// Returns the session's cookie of a response.
fn cookie(cookies: &CookieJar<'_>, name: &str) -> Result<Cookie<'static>, Error> {
    let cookie = cookies.get(name).cloned();
    cookie.ok_or_else(|| {
        Error::configuration(format!(
            "the response to the sign-in has no cookie {name}: attach Sessions::fairing() last, so that no other \
             fairing removes it"
        ))
    })
}
