//! Refuses what another site has a browser send: before routing, so that no route can forget it.

use std::sync::Arc;

use rocket::data::Data;
use rocket::form::Form;
use rocket::http::{Method, Status};
use rocket::route::{Handler, Outcome, Route};
use rocket::{Build, Request, Rocket};
use serde_json::json;

use crate::context::Context;
use crate::form_token::{self, FIELD};
use crate::site::{Sender, Site};
use crate::token::Token;

/// For scripts, which have no form to put it into.
const HEADER: &str = "X-CSRF-Token";

/// How much of a form is searched for its token: what Rocket lets a fairing see of a body.
const BEGINNING: usize = 512;

/// A request fairing cannot answer, so a refused request goes to a route that does, under a method
/// that nobody uses.
const REFUSED: Method = Method::Connect;

#[derive(Clone)]
struct Refusal;

#[rocket::async_trait]
impl Handler for Refusal {
    async fn handle<'r>(&self, _: &'r Request<'_>, _: Data<'r>) -> Outcome<'r> {
        Outcome::error(Status::Forbidden)
    }
}

/// Adds the route that refuses.
pub(crate) fn prepare(rocket: Rocket<Build>) -> Rocket<Build> {
    let route = Route::ranked(isize::MIN, REFUSED, "/<_..>", Refusal);
    rocket.mount("/", vec![route])
}

/// Sends a forged request to the route that refuses.
pub(crate) async fn refuse(request: &mut Request<'_>, data: &mut Data<'_>) {
    let Some(context) = request.rocket().state::<Arc<Context>>().cloned() else {
        return;
    };
    if is_forged(request, data, &context).await {
        context.tell(
            request,
            "malicious_csrf",
            &json!({ "method": request.method().as_str() }),
        );
        request.set_method(REFUSED);
    }
}

async fn is_forged(request: &Request<'_>, data: &mut Data<'_>, context: &Context) -> bool {
    if !may_change(request) {
        return false;
    }
    let config = &context.config;
    let site = Site {
        host: request.host().map(ToString::to_string),
        secure: config.cookie.is_secure(request),
        trusted: &config.trusted_origins,
    };
    match site.sender(request.headers()) {
        Sender::Other => true,
        sender if needs_token(request, sender) => !has_token(request, data, context).await,
        _ => false,
    }
}

/// Rocket makes whatever `_method` says of a form that was posted, GET included, so a form may
/// change something under any method. A WebSocket is opened with GET, and no browser asks before it
/// opens one for a page of another site (RFC 6455, section 10.2).
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

/// What a page of another site can send without asking (the Fetch Standard's safelisted requests) has
/// to show that it comes from a page of ours.
fn needs_token(request: &Request<'_>, sender: Sender) -> bool {
    match request.content_type() {
        Some(it) => it.is_form() || it.is_form_data() || it.is_plain(),
        None => request.method() == Method::Post && sender == Sender::Unknown,
    }
}

async fn has_token(request: &Request<'_>, data: &mut Data<'_>, context: &Context) -> bool {
    let beginning = String::from_utf8_lossy(data.peek(BEGINNING).await);
    let is_multipart = request.content_type().is_some_and(|it| it.is_form_data());
    let field = match is_multipart {
        true => in_multipart(&beginning),
        false => in_form(&beginning),
    };
    let token = request.headers().get_one(HEADER).or(field);
    token.is_some_and(|token| {
        let mut secrets = secrets(request, context);
        secrets.any(|secret| form_token::is_for(token, &secret))
    })
}

/// What the browser holds: the session's token, and what stood for it until the session began.
fn secrets(request: &Request<'_>, context: &Context) -> impl Iterator<Item = Token> {
    let (session, form) = (
        context.incoming(request).token,
        context.form_cookie(request),
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
    value.split("\r\n").next()
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
