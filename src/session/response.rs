//! The headers and cookies of a response, its error page, and the status of an error.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use rocket::futures::FutureExt;
use rocket::http::{Header, Status};
use rocket::response::Responder;
use rocket::{Request, Response};

use crate::engine::context::Context;
use crate::error::{Error, ErrorKind};
use crate::request::bearer;
use crate::request::catcher::catcher;
use crate::session::Session;
use crate::session::events::emit_outage;
use crate::session::replace::replace;
use crate::state::SetCookie;

/// After how many seconds a client may try again if the store did not answer.
const RETRY_AFTER: &str = "2";

/// Adds `Retry-After` to a 503.
pub(super) fn retry_later(response: &mut Response<'_>) {
    let retries = response.headers().contains("Retry-After");
    if response.status() == Status::ServiceUnavailable && !retries {
        response.set_raw_header("Retry-After", RETRY_AFTER);
    }
}

/// Keeps caches from giving one user's page to another (as in Flask, CVE-2023-30861). A policy of the
/// application stays, unless it lets caches share a response that has a token.
pub(super) fn keep_private(request: &Request<'_>, response: &mut Response<'_>) {
    let headers = response.headers();
    let policy = headers.get("Cache-Control").collect::<Vec<_>>().join(",");
    let policy = policy.to_ascii_lowercase();
    let is_shared = !policy.contains("private") && !policy.contains("no-store");
    let has_token = headers.contains("Set-Cookie") || headers.contains(bearer::NEW_TOKEN);
    if policy.is_empty() || is_shared && has_token {
        response.set_header(Header::new("Cache-Control", "no-store"));
    }
    let context = request.rocket().state::<Arc<Context>>();
    let from = context.map(|it| it.config.token_from).unwrap_or_default();
    if from.cookie {
        vary(response, "Cookie");
    }
    if from.bearer {
        vary(response, "Authorization");
    }
}

/// Adds a request header to `Vary`, on which caches depend.
pub(super) fn vary(response: &mut Response<'_>, header: &'static str) {
    if !lists(response, "Vary", header) {
        response.adjoin_header(Header::new("Vary", header));
    }
}

/// Returns `true` if a list header of the response has the item.
pub(super) fn lists(response: &Response<'_>, name: &str, item: &str) -> bool {
    let has = |value: &str| {
        value
            .split(',')
            .any(|it| it.trim().eq_ignore_ascii_case(item))
    };
    response.headers().get(name).any(has)
}

/// Sets or removes the session's cookie, and the one that stands for it in forms. For a client with a
/// bearer token, puts a new token into a header instead.
///
/// Rocket has drained its cookie jar before response fairings run (`dispatch` in rocket 0.5.2).
pub(super) fn set_cookies(
    session: &Session,
    cookie: SetCookie,
    request: &Request<'_>,
    response: &mut Response<'_>,
) {
    let transport = &session.transport;
    let (sets, by_header) = (cookie == SetCookie::Set, transport.is_by_header());
    if sets
        && by_header
        && let Some(token) = session.new_token()
    {
        response.set_header(Header::new(bearer::NEW_TOKEN, token));
    }
    let is_unchanged = cookie == SetCookie::Nothing && session.forms.drawn.get().is_none();
    if is_unchanged || transport.has_bearer {
        return;
    }
    let config = &session.context.config.cookie;
    let sets = sets && !by_header;
    if cookie == SetCookie::Remove || transport.has_left_cookie() {
        response.adjoin_header(config.remove(request));
    }
    if let Some((token, max_age)) = session.cookie().filter(|_| sets) {
        response.adjoin_header(config.set(request, token, max_age));
    }
    match session.form_cookie(sets) {
        Some(Some(text)) => response.adjoin_header(config.set_form(request, text)),
        Some(None) => response.adjoin_header(config.remove_form(request)),
        None => {}
    }
}

/// Replaces a response by the application's page for `status`.
pub(super) async fn show_error_page<'r>(
    request: &'r Request<'_>,
    response: &mut Response<'r>,
    status: Status,
) {
    replace(response, error_page(request, status).await);
}

/// Returns the page that the application's catchers make for `status`.
///
/// A response fairing cannot fail, so this chooses the catcher as Rocket's private `invoke_catcher` does.
async fn error_page<'r>(request: &'r Request<'_>, status: Status) -> Response<'r> {
    if let Some(catcher) = catcher(request, status) {
        let page = AssertUnwindSafe(catcher.handler.handle(status, request))
            .catch_unwind()
            .await;
        if let Ok(Ok(page)) = page {
            return page;
        }
        log::error!("the catcher for {status} failed");
    }
    let plain = format!("{status}\n");
    Response::build()
        .status(status)
        .sized_body(plain.len(), std::io::Cursor::new(plain))
        .finalize()
}

impl<'r> Responder<'r, 'static> for Error {
    /// Fails with the status of its kind, so that the application's catchers make the page.
    fn respond_to(self, request: &'r Request<'_>) -> rocket::response::Result<'static> {
        if self.is_outage() {
            emit_outage(request, &self);
        }
        let (method, path) = (request.method(), request.uri().path());
        match status_of(&self) {
            status if status.code >= 500 => log::error!("{method} {path} fails: {self}"),
            _ => log::info!("{method} {path} fails: {self}"),
        }
        Err(status_of(&self))
    }
}

/// Returns the status with which a request fails after this error.
pub(super) fn status_of(error: &Error) -> Status {
    match error.kind() {
        ErrorKind::Unavailable => Status::ServiceUnavailable,
        ErrorKind::Anonymous | ErrorKind::Gone | ErrorKind::NotBegun => Status::Unauthorized,
        ErrorKind::NotFresh => Status::Forbidden,
        ErrorKind::Ambiguous => Status::BadRequest,
        ErrorKind::TooLarge => Status::PayloadTooLarge,
        ErrorKind::Value | ErrorKind::RolledBack | ErrorKind::Configuration => {
            Status::InternalServerError
        }
    }
}
