//! Refuses forged requests before routing, so that no route can forget to.

use std::sync::Arc;

use rocket::data::Data;
use rocket::form::Form;
use rocket::http::Method;
use rocket::{Build, Request, Rocket};
use serde_json::{Value, json};

use super::refusal::{Reason, Refusal};
use super::{answer, exemption};
use crate::csrf::origin::{Sender, Site};
use crate::csrf::token::{self, FIELD, FormCookie};
use crate::engine::context::Context;
use crate::request::Incoming;
use crate::request::cookie;
use crate::token::Token;

/// The header in which scripts send the token.
const HEADER: &str = "X-CSRF-Token";

/// The bytes of a form that are searched for its token: as many as Rocket shows a fairing.
const BEGINNING: usize = 512;

/// Adds the route that responds to refused requests.
pub(crate) fn prepare(rocket: Rocket<Build>) -> Rocket<Build> {
    rocket.mount("/", vec![answer::route()])
}

/// Sends a forged request to the route for refused ones. Returns the event and its details if it refused
/// one.
pub(crate) async fn refuse(
    request: &mut Request<'_>,
    data: &mut Data<'_>,
    exempt: &[&str],
) -> Option<(&'static str, Value)> {
    if !may_change(request) {
        return None;
    }
    let context = request.rocket().state::<Arc<Context>>().cloned()?;
    // Then no cookie counts, and another site can send the header with the consent of CORS alone.
    let has_bearer = Incoming::of(request, &context.config.cookie, &context.tokens).has_bearer;
    if has_bearer || exemption::holds(request, &context, exempt) {
        return None;
    }
    let site = Site {
        host: request.host().map(ToString::to_string),
        secure: context.config.cookie.is_secure(request),
        trusted: &context.config.trusted_origins,
    };
    let sender = site.sender(request.headers());
    let reason = check(request, data, &context, sender).await?;
    let (method, path) = (request.method(), request.uri().path());
    let origin = answer::origin(request, reason);
    let logged = match log::log_enabled!(log::Level::Info) {
        true => format!("; Rocket logs it as {}", answer::METHOD),
        false => String::new(),
    };
    log::warn!("{method} {path} is refused by the CSRF protection: {reason}{origin}{logged}");
    let details = json!({ "method": method.as_str(), "why": reason.to_string() });
    Refusal::note(request, method, reason);
    request.set_method(answer::METHOD);
    Some((event(reason, sender), details))
}

/// Returns the event's name: only a request that no page of the application sends is an attack.
fn event(reason: Reason, sender: Sender) -> &'static str {
    match (reason, sender) {
        (Reason::PlainHttp, _) | (Reason::StaleToken | Reason::NoCookie, Sender::SameOrigin) => {
            "csrf_refused"
        }
        _ => "malicious_csrf",
    }
}

/// Returns why the request is refused, if it is.
async fn check(
    request: &Request<'_>,
    data: &mut Data<'_>,
    context: &Context,
    sender: Sender,
) -> Option<Reason> {
    if sender == Sender::OtherOrigin {
        return Some(match lacks_tls(request, context) {
            true => Reason::PlainHttp,
            false => Reason::OtherOrigin,
        });
    }
    if !needs_token(request, sender) {
        return None;
    }
    let beginning = String::from_utf8_lossy(data.peek(BEGINNING).await);
    let Some(token) = token(request, &beginning).filter(|token| !token.is_empty()) else {
        return Some(Reason::NoToken);
    };
    let is_cut_off = beginning.len() >= BEGINNING && beginning.ends_with(token);
    let mut secrets = secrets(request, context);
    match secrets.any(|secret| token::is_for(token, &secret)) {
        true => None,
        false if is_cut_off => Some(Reason::NoToken),
        false if lacks_tls(request, context) => Some(Reason::PlainHttp),
        false if !has_cookie(request, context) => Some(Reason::NoCookie),
        false => Some(Reason::StaleToken),
    }
}

fn has_cookie(request: &Request<'_>, context: &Context) -> bool {
    let form = context.config.cookie.form_name_in(request);
    Incoming::of(request, &context.config.cookie, &context.tokens).has_cookie
        || cookie(request, &form).is_some()
}

/// Returns `true` if the browser withheld the cookies because they are `Secure`: it sent none, nothing
/// indicates TLS, and `Origin`, if present, is this host without TLS. Browsers send Fetch Metadata only
/// where they also send `Secure` cookies.
fn lacks_tls(request: &Request<'_>, context: &Context) -> bool {
    let (cookie, headers) = (&context.config.cookie, request.headers());
    let without = Site {
        host: request.host().map(ToString::to_string),
        secure: false,
        trusted: &[],
    };
    let forwarded = headers.get("X-Forwarded-Proto").any(|it| it == "https");
    let origin = headers.get_one("Origin");
    cookie.is_secure(request)
        && !cookie.came_over_tls(request)
        && !forwarded
        && !headers.contains("Sec-Fetch-Site")
        && !has_cookie(request, context)
        && origin.is_none_or(|it| it.starts_with("http://") && without.is_same_origin(it))
}

/// Returns `true` if the request may change something. Rocket gives a posted form the method in `_method`,
/// which may be GET, so a form may change something under any method. A WebSocket is opened with GET, and
/// browsers open one for a page of another site without asking (RFC 6455, section 10.2).
fn may_change(request: &Request<'_>) -> bool {
    let safe = matches!(
        request.method(),
        Method::Get | Method::Head | Method::Options
    );
    !safe || request.content_type().is_some_and(|it| it.is_form()) || is_upgrade(request)
}

fn is_upgrade(request: &Request<'_>) -> bool {
    request.headers().contains("Upgrade")
}

/// Returns `true` if the request needs a token: another site can send it without a preflight (a
/// safelisted request of the Fetch Standard), or CORS may allow it to an origin without TLS.
fn needs_token(request: &Request<'_>, sender: Sender) -> bool {
    match request.content_type() {
        _ if sender == Sender::Trusted => false,
        _ if sender == Sender::Insecure => true,
        Some(it) => it.is_form() || it.is_form_data() || it.is_plain(),
        None => request.method() == Method::Post && sender == Sender::Unknown,
    }
}

/// Returns the token in a request's header, or at the beginning of its form.
fn token<'a>(request: &'a Request<'_>, beginning: &'a str) -> Option<&'a str> {
    let is_multipart = request.content_type().is_some_and(|it| it.is_form_data());
    let field = match is_multipart {
        true => in_multipart(beginning),
        false => in_form(beginning),
    };
    request.headers().get_one(HEADER).or(field)
}

/// Returns the secrets of the browser: the session's token, and the one in the cookie of forms.
fn secrets(request: &Request<'_>, context: &Context) -> impl Iterator<Item = Token> {
    let (session, form) = (
        Incoming::of(request, &context.config.cookie, &context.tokens).token,
        FormCookie::of(request, &context.config.cookie),
    );
    let form = form.filter(|form| session.as_ref().is_none_or(|it| form.is_of(it)));
    session.into_iter().chain(form.map(|form| form.secret))
}

fn in_form(beginning: &str) -> Option<&str> {
    let mut fields = Form::values(beginning);
    fields
        .find(|field| field.name == FIELD)
        .map(|field| field.value)
}

fn in_multipart(beginning: &str) -> Option<&str> {
    let (_, part) = beginning.split_once(&format!("name=\"{FIELD}\""))?;
    let (_, value) = part.split_once("\r\n\r\n")?;
    value.split('\r').next()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_token_is_found_at_the_beginning_of_a_form() {
        for (form, token) in [
            ("_token=abc", Some("abc")),
            ("_method=put&_token=abc&a=b", Some("abc")),
            ("_token=abc&_token=def", Some("abc")),
            ("_token=", Some("")),
            ("a=_token&b=1", None),
            ("", None),
        ] {
            assert_eq!(in_form(form), token, "{form}");
        }
        let part = |name: &str| {
            format!(
                "--x\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\nabc\r\n--x--\r\n"
            )
        };
        assert_eq!(in_multipart(&part("_token")), Some("abc"));
        assert_eq!(in_multipart(&part("other")), None);
        assert_eq!(in_multipart("--x\r\nname=\"_token\"\r\n"), None);
    }
}
