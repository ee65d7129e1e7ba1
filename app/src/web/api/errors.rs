//! Problem details for each error of the API.

use std::borrow::Cow;

use rocket::data::ByteUnit;
use rocket::http::{Header, Method, Status};
use rocket::response::Responder;
use rocket::route::Route;
use rocket::{Catcher, Request, catch, catchers};
use rocket_diesel_session::csrf::{Reason, Refusal};

use crate::accounts::auth_request;
use crate::web::headers::{WithHeaders, is_unreadable};
use crate::web::problem::Problem;
use crate::web::recent_sign_in;

/// Where each version of the API begins.
pub(super) const BASE: &str = "/api";

/// Whether a request is for the API, as Rocket decides: by the decoded path.
pub(super) fn is_for_api(request: &Request<'_>) -> bool {
    request.uri().path().segments().next() == BASE.strip_prefix('/')
}

pub(super) fn catchers() -> Vec<Catcher> {
    catchers![error]
}

/// A problem with the header that helps to avoid it.
#[derive(Responder)]
enum ProblemAnswer {
    Plain(Problem),
    With(Problem, Header<'static>),
}

/// Rocket answers with 404 for a wrong method and a wrong content type, and with 400, before it looks
/// for a route, for a method that it does not know. The CSRF protection refuses a request before
/// either is looked at.
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
        401 if recent_sign_in::is_not_recent(request) => recent_sign_in::NOT_RECENT,
        401 => "Sign in first.",
        403 => refused(request),
        404 => "There is nothing at this address.",
        405 => {
            "This address does not take this method. The header Allow lists those that it takes."
        }
        413 => {
            let limit = request.limits().get("json").map_or(0, ByteUnit::as_u64);
            return format!("The body is too large. Send at most {} KiB.", limit / 1_024).into();
        }
        415 => "The body has another type. Send JSON with \"Content-Type: application/json\".",
        422 => {
            "The JSON does not have the expected form. Send an object whose members have the types \
             that /api/v1/openapi.json describes."
        }
        503 if auth_request::is_too_busy(request) => {
            "Too many other attempts have not ended yet, so the password was not checked. Nothing \
             was changed. Try again after the seconds in Retry-After."
        }
        503 => {
            "The session cannot be reached. It has not ended. Try again after the seconds in \
             Retry-After."
        }
        _ => "The server failed, which has been logged. Try again later.",
    };
    text.into()
}

/// What to do about a request that the CSRF protection refused.
fn refused(request: &Request<'_>) -> &'static str {
    match Refusal::of(request).map(Refusal::reason) {
        Some(Reason::OtherOrigin) => {
            "A page of another origin sent the request. Its pages can call the API once \
             session.trusted_origins lists that origin."
        }
        Some(Reason::PlainHttp) => {
            "The request came over plain http, where clients keep back a Secure cookie. Use https."
        }
        _ => {
            "The request has no CSRF token that fits its cookies. Send \"Content-Type: \
             application/json\", or in the header X-CSRF-Token the token of GET \
             /api/v1/csrf_token, with the cookies of that answer."
        }
    }
}

/// The method that the client sent; the CSRF protection changes that of a request it refuses.
fn sent(request: &Request<'_>) -> Method {
    match Refusal::of(request).map_or(request.method(), Refusal::method) {
        Method::Head => Method::Get,
        method => method,
    }
}

/// The methods that the requested address takes; none where there is nothing.
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

/// Whether a route has the request's address; one for every address has none.
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
