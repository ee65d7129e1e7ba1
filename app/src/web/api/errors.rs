//! Answers each error of the API with problem details.

use std::borrow::Cow;

use rocket::data::ByteUnit;
use rocket::http::{Header, Method, Status};
use rocket::response::Responder;
use rocket::route::Route;
use rocket::{Catcher, Request, catch, catchers};
use rocket_diesel_session::csrf::{Reason, Refusal};
use rocket_diesel_session::sign_in::needs_confirmation;

use crate::accounts::auth_request;
use crate::web::headers::{WithHeaders, is_unreadable};
use crate::web::problem::Problem;
use crate::web::recent_sign_in::NOT_RECENT;

/// The path below which all versions of the API are.
pub(super) const BASE: &str = "/api";

/// Returns whether a request is for the API. Compares the decoded path, as Rocket does.
pub(super) fn is_for_api(request: &Request<'_>) -> bool {
    request.uri().path().segments().next() == BASE.strip_prefix('/')
}

pub(super) fn catchers() -> Vec<Catcher> {
    catchers![error]
}

/// A problem, with a header that helps the client.
#[derive(Responder)]
enum ProblemAnswer {
    Plain(Problem),
    With(Problem, Header<'static>),
}

/// Finds the status that fits the error.
///
/// Rocket answers 404 for a wrong method or content type, and 400 for an unknown method, before
/// routing. The CSRF protection refuses a request before either.
#[catch(default)]
async fn error(status: Status, request: &Request<'_>) -> WithHeaders<ProblemAnswer> {
    let answer = answer(status, request, is_unreadable(status, request));
    WithHeaders::new(status, request, answer).await
}

fn answer(status: Status, request: &Request<'_>, is_unreadable: bool) -> ProblemAnswer {
    let problem = |status| Problem::new(status, &detail(status, request));
    if !is_unreadable && !matches!(status.code, 403 | 404) {
        return ProblemAnswer::Plain(problem(status));
    }
    let route = routes_at(request).find(|route| !is_unreadable && route.method == sent(request));
    let is_json = request.content_type().is_some_and(|it| it.is_json());
    match (route, methods_at(request)) {
        (None, methods) if !methods.is_empty() => {
            let allow = Header::new("Allow", methods.join(", "));
            ProblemAnswer::With(problem(Status::MethodNotAllowed), allow)
        }
        (Some(route), _) if route.format.is_some() && !is_json => {
            let accept = Header::new("Accept", "application/json");
            ProblemAnswer::With(problem(Status::UnsupportedMediaType), accept)
        }
        (None, _) if is_unreadable => ProblemAnswer::Plain(problem(Status::NotFound)),
        _ => ProblemAnswer::Plain(problem(status)),
    }
}

fn detail(status: Status, request: &Request<'_>) -> Cow<'static, str> {
    let text = match status.code {
        400 => "The request cannot be read. Send one JSON object, in UTF-8.",
        401 => "Sign in first.",
        403 if needs_confirmation(request) => NOT_RECENT,
        403 => refused(request),
        404 => "There is nothing at this address.",
        405 => {
            "This address does not support this method. The Allow header lists those that it supports."
        }
        413 => {
            let limit = request.limits().get("json").map_or(0, ByteUnit::as_u64);
            return format!("The body is too large. Send at most {} KiB.", limit / 1_024).into();
        }
        415 => "The body is not JSON. Send JSON with \"Content-Type: application/json\".",
        422 => {
            "The JSON does not have the expected form. Send an object whose members have the types \
             that /api/v1/openapi.json describes."
        }
        503 if auth_request::is_too_busy(request) => {
            "Too many passwords are being checked, so yours was not checked. Nothing \
             was changed. Try again after the seconds in Retry-After."
        }
        503 => {
            "The session cannot be reached. It has not ended. Try again after the seconds in \
             Retry-After."
        }
        _ => "The server failed. The error was logged. Try again later.",
    };
    text.into()
}

/// Returns what to do about a request that the CSRF protection refused.
fn refused(request: &Request<'_>) -> &'static str {
    match Refusal::of(request).map(Refusal::reason) {
        Some(Reason::OtherOrigin) => {
            "A page of another origin sent the request. Its pages can call the API once \
             session.trusted_origins lists that origin."
        }
        Some(Reason::PlainHttp) => {
            "The request came over plain http, where clients do not send a Secure cookie. Use https."
        }
        _ => {
            "The request has no CSRF token that fits its cookies. Send \"Content-Type: \
             application/json\", or in the header X-CSRF-Token the token of GET \
             /api/v1/csrf_token, with the cookies of that answer."
        }
    }
}

/// Returns the method of the client. The CSRF protection changes that of a refused request.
fn sent(request: &Request<'_>) -> Method {
    match Refusal::of(request).map_or(request.method(), Refusal::method) {
        Method::Head => Method::Get,
        method => method,
    }
}

/// Returns the methods of the requested address; none if it has no route.
pub(super) fn methods_at(request: &Request<'_>) -> Vec<&'static str> {
    let mut methods: Vec<_> = routes_at(request)
        .map(|route| route.method.as_str())
        .collect();
    methods.sort_unstable();
    if methods.contains(&"GET") {
        methods.push("HEAD");
    }
    if !methods.is_empty() {
        methods.push("OPTIONS");
    }
    methods
}

fn routes_at<'r>(request: &'r Request<'_>) -> impl Iterator<Item = &'r Route> {
    let routes = request.rocket().routes();
    routes.filter(|route| is_at(route.uri.path(), request))
}

/// Returns whether a route matches the request's address. A route for every address does not.
fn is_at(route: &str, request: &Request<'_>) -> bool {
    let (route, segments) = (route.split('/').skip(1), request.uri().path().segments());
    is_for_api(request)
        && route.clone().count() == segments.len()
        && route
            .zip(segments)
            .all(|(known, given)| match known.strip_prefix('<') {
                Some(name) => !name.ends_with("..>"),
                None => known == given,
            })
}
