//! The response to a refused request: the application's page for 403, or the reason as text or problem details.

use rocket::Request;
use rocket::data::Data;
use rocket::http::{ContentType, Method, Status};
use rocket::response::Responder;
use rocket::route::{Handler, Outcome, Route};

use super::refusal::{Reason, Refusal};
use crate::request::catcher::catcher;
use crate::request::problem::problem;
use crate::request::reading;

/// The method of refused requests. A request fairing cannot respond, so a route with this unused method
/// does.
pub(super) const METHOD: Method = Method::Connect;

pub(super) fn route() -> Route {
    let mut route = Route::ranked(isize::MIN, METHOD, "/<_..>", Refuse);
    route.name = Some("refused by the CSRF protection".into());
    route
}

#[derive(Clone)]
struct Refuse;

#[rocket::async_trait]
impl Handler for Refuse {
    async fn handle<'r>(&self, request: &'r Request<'_>, data: Data<'r>) -> Outcome<'r> {
        let Some(refusal) = Refusal::of(request) else {
            return Outcome::error(Status::Forbidden);
        };
        refusal.read(request, data).await;
        if catcher(request, Status::Forbidden).is_some() {
            return Outcome::error(Status::Forbidden);
        }
        match answer(request, refusal.reason()) {
            Ok(answer) => Outcome::Success(answer),
            Err(status) => Outcome::error(status),
        }
    }
}

/// Returns the response if the application has no catcher for 403: text, or problem details.
fn answer<'r>(request: &'r Request<'_>, reason: Reason) -> rocket::response::Result<'r> {
    let status = Status::Forbidden;
    let why = format!("The request was refused: {reason}. {}", remedy(reason));
    if prefers_json(request) {
        return problem(request, status, &why);
    }
    let text = format!("{status}\n{why}\n");
    (status, (ContentType::Plain, text)).respond_to(request)
}

fn remedy(reason: Reason) -> &'static str {
    match reason {
        Reason::OtherOrigin | Reason::PlainHttp => {
            "Open the site's own page and send it from there."
        }
        Reason::NoToken => {
            "Send the page's CSRF token as the field _token at the beginning of the form, or in the header \
             X-CSRF-Token."
        }
        Reason::StaleToken => {
            "A token ends with each sign-in and sign-out. Reload the page and send it again."
        }
        Reason::NoCookie => "Send the cookies of the page that has the token.",
    }
}

/// Returns the part of the log line with the headers that decided, this server's host, and the remedy.
pub(super) fn origin(request: &Request<'_>, reason: Reason) -> String {
    if reason != Reason::OtherOrigin {
        return String::new();
    }
    let shown = |values: &mut dyn Iterator<Item = &str>| {
        let short = |value: &str| value.chars().take(100).collect::<String>();
        let values = values.take(2).map(|value| format!("{:?}", short(value)));
        let values = values.collect::<Vec<_>>().join(", ");
        // Without quotes: "none" is a value of Sec-Fetch-Site.
        match values.is_empty() {
            true => "absent".to_owned(),
            false => values,
        }
    };
    let header = |name| shown(&mut request.headers().get(name));
    let host = request.host().map(ToString::to_string);
    format!(
        " (Origin: {}, Sec-Fetch-Site: {}, Host: {}); if that origin is yours, add it to \
         session.trusted_origins, or have the proxy pass the Host header on",
        header("Origin"),
        header("Sec-Fetch-Site"),
        shown(&mut host.as_deref().into_iter()),
    )
}

fn prefers_json(request: &Request<'_>) -> bool {
    let json = |sub: &str| sub == "json" || sub.ends_with("+json");
    reading::preferred(request).is_some_and(|it| json(&it.sub().as_str().to_ascii_lowercase()))
}
