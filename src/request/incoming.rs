//! The method, the cookies and the bearer token with which a request came.
//!
//! Cookies are read from the raw `Cookie` headers. Rocket's jar decodes names, so that `__%48ost-id` would pass for `__Host-id`, and keeps the last of
//! two cookies of one name (CVE-2020-8184 was the same in Rack). Only a request without the header is
//! read from the jar: the requests of Rocket's local client have their cookies there and nowhere else.

use rocket::Request;
use rocket::http::Method;

use super::bearer;
use super::cookie::CookieConfig;
use crate::token::{Token, TokenSource};

/// The method with which a request came: Rocket turns HEAD into GET where no route is made for it, and
/// the CSRF protection changes the method of what it refuses.
struct Came(Method);

/// Notes the method before routing.
pub(crate) fn note_method(request: &Request<'_>) {
    request.local_cache(|| Came(request.method()));
}

/// Returns the method that the client sent, or that the field `_method` of its form chose.
pub(crate) fn method(request: &Request<'_>) -> Method {
    request.local_cache(|| Came(request.method())).0
}

/// The session's token in a request.
#[derive(Debug, PartialEq)]
pub(crate) struct Incoming {
    /// The request has a cookie with the name of the session's, usable or not, and cookies count.
    pub(crate) has_cookie: bool,
    /// The request has a bearer token, usable or not, and these count. Its cookie does not.
    pub(crate) has_bearer: bool,
    /// The cookie has another token than the header, so neither counts.
    pub(crate) differs: bool,
    pub(crate) token: Option<Token>,
}

impl Incoming {
    /// Reads the session's token of a request.
    pub(crate) fn of(request: &Request<'_>, config: &CookieConfig, tokens: &TokenSource) -> Self {
        let from = config.token_from;
        let cookie = from.cookie.then(|| find(request, &config.name_in(request)));
        let bearer = from.bearer.then(|| bearer::find(request));
        Self::new(cookie.flatten(), bearer.flatten(), tokens)
    }

    #[cfg(any(test, fuzzing))]
    pub(crate) fn read<'h>(
        headers: impl Iterator<Item = &'h str>,
        name: &str,
        tokens: &TokenSource,
    ) -> Self {
        Self::new(read(headers, name), None, tokens)
    }

    fn new(
        cookie: Option<Option<&str>>,
        bearer: Option<Option<&str>>,
        tokens: &TokenSource,
    ) -> Self {
        let parse = |value: Option<&str>| value.and_then(|value| tokens.parse(value));
        let of_cookie = cookie.and_then(parse);
        let of_bearer = bearer.map(parse);
        let differs = match (&of_cookie, &of_bearer) {
            (Some(cookie), Some(Some(bearer))) => cookie != bearer,
            _ => false,
        };
        Self {
            has_cookie: cookie.is_some(),
            has_bearer: bearer.is_some(),
            differs,
            token: of_bearer.unwrap_or(of_cookie).filter(|_| !differs),
        }
    }
}

/// Returns the value of a request's cookie as the browser sent it.
///
/// The name is compared byte for byte, so `__%48ost-a` does not pass for `__Host-a` as it does in
/// Rocket's [`CookieJar`](rocket::http::CookieJar). Two cookies of this name with different values
/// count as none. A request without a `Cookie` header, as Rocket's local client sends, is searched for
/// the same name in its jar.
#[must_use]
pub fn cookie<'r>(request: &'r Request<'_>, name: &str) -> Option<&'r str> {
    find(request, name).flatten()
}

/// The value of a request's cookie, `Some(None)` for several.
fn find<'r>(request: &'r Request<'_>, name: &str) -> Option<Option<&'r str>> {
    if request.headers().contains("Cookie") {
        return read(request.headers().get("Cookie"), name);
    }
    let cookie = request.cookies().get(name)?;
    Some(Some(cookie.value()))
}

fn read<'h>(headers: impl Iterator<Item = &'h str>, name: &str) -> Option<Option<&'h str>> {
    let mut values = headers
        .flat_map(pairs)
        .filter_map(|(key, value)| (key == name).then_some(value));
    let value = values.next()?;
    Some(values.all(|other| other == value).then_some(value))
}

/// The pairs of one header, byte for byte but for the one space after each semicolon (RFC 6265,
/// section 4.2.1).
fn pairs(header: &str) -> impl Iterator<Item = (&str, &str)> {
    let pieces = header.split(';').enumerate();
    let pieces = pieces.map(|(at, piece)| {
        if at == 0 {
            piece
        } else {
            piece.strip_prefix(' ').unwrap_or(piece)
        }
    });
    pieces.filter_map(|piece| piece.split_once('='))
}
