//! What a response says beside its body: its error page, its headers, and the status of an error.

use std::panic::AssertUnwindSafe;

use rocket::futures::FutureExt;
use rocket::http::{Header, Status};
use rocket::response::{Redirect, Responder};
use rocket::{Request, Response};

use crate::error::{Error, ErrorKind};
use crate::request::accept;
use crate::request::catcher::catcher;
use crate::session::replace::{lists, replace};
use crate::session::signed_in;
use crate::session::tell::store_unavailable;

/// Seconds after which a browser or a proxy may try again when the store did not answer.
const RETRY_AFTER: &str = "2";

/// Tells a client when to try again, where the answer is 503.
pub(super) fn retry_later(response: &mut Response<'_>) {
    let retries = response.headers().contains("Retry-After");
    if response.status() == Status::ServiceUnavailable && !retries {
        response.set_raw_header("Retry-After", RETRY_AFTER);
    }
}

/// Keeps caches from giving one visitor's page to another (CVE-2023-30861 was that in Flask). A policy
/// of the application stays, unless it lets caches share a response that sets a cookie.
pub(super) fn keep_private(response: &mut Response<'_>) {
    let headers = response.headers();
    let policy = headers.get("Cache-Control").collect::<Vec<_>>().join(",");
    let policy = policy.to_ascii_lowercase();
    let is_shared = !policy.contains("private") && !policy.contains("no-store");
    if policy.is_empty() || is_shared && headers.contains("Set-Cookie") {
        response.set_header(Header::new("Cache-Control", "no-store"));
    }
    vary(response, "Cookie");
}

/// Tells caches that the answer differs with a header of the request.
fn vary(response: &mut Response<'_>, header: &'static str) {
    if !lists(response, "Vary", header) {
        response.adjoin_header(Header::new("Vary", header));
    }
}

/// Redirects a browser to the sign-in page in place of a 401 of [`SignedIn`](crate::sign_in::SignedIn).
pub(super) fn redirect_to_sign_in<'r>(
    request: &'r Request<'_>,
    response: &mut Response<'r>,
    page: &'static str,
) {
    if response.status() != Status::Unauthorized || !signed_in::has_refused(request) {
        return;
    }
    // A sign-in page for users alone would lead to itself.
    let is_page = page.split('?').next() == Some(request.uri().path().as_str());
    if !is_page
        && accept::loads_page(request)
        && let Ok(redirect) = Redirect::to(page).respond_to(request)
    {
        replace(response, redirect);
    }
    vary(response, "Accept");
    vary(response, "Sec-Fetch-Mode");
}

/// Puts the application's page for `status` in the place of a response.
pub(super) async fn show_error_page<'r>(
    request: &'r Request<'_>,
    response: &mut Response<'r>,
    status: Status,
) {
    replace(response, error_page(request, status).await);
}

/// The page that the application's catchers make for `status`.
///
/// A response fairing cannot fail, so the choice that Rocket's private `invoke_catcher` makes is
/// made here again.
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
    /// Fails with the status that fits, so that the application's catchers make the page.
    fn respond_to(self, request: &'r Request<'_>) -> rocket::response::Result<'static> {
        if self.is_outage() {
            store_unavailable(request, &self);
        }
        let (method, path) = (request.method(), request.uri().path());
        match self.status() {
            status if status.code >= 500 => log::error!("{method} {path} fails: {self}"),
            _ => log::info!("{method} {path} fails: {self}"),
        }
        Err(self.status())
    }
}

impl Error {
    /// The status with which a request fails that cannot go on after this error.
    pub(crate) fn status(&self) -> Status {
        match self.kind() {
            ErrorKind::Unavailable => Status::ServiceUnavailable,
            ErrorKind::Anonymous | ErrorKind::Gone => Status::Unauthorized,
            ErrorKind::TooLarge => Status::PayloadTooLarge,
            ErrorKind::Value | ErrorKind::RolledBack | ErrorKind::Configuration => {
                Status::InternalServerError
            }
        }
    }
}
