//! The response to a request that a guard refused: the sign-in page, the confirmation page, or problem details.

use rocket::http::{MediaType, Status};
use rocket::response::{Redirect, Responder};
use rocket::{Request, Response};

use super::replace::replace;
use super::response::vary;
use super::{fresh, signed_in};
use crate::request::catcher::catcher;
use crate::request::local_page::with_return;
use crate::request::problem::problem;
use crate::request::reading;

/// Puts a redirect to the sign-in page, or problem details, in place of a 401 of
/// [`SignedIn`](crate::sign_in::SignedIn).
pub(super) fn answer_anonymous<'r>(
    request: &'r Request<'_>,
    response: &mut Response<'r>,
    sign_in_page: Option<&'static str>,
) {
    if signed_in::has_refused(request) {
        let status = Status::Unauthorized;
        answer_refused(request, response, status, sign_in_page, "Sign in first.");
    }
}

/// Puts a redirect to the confirmation page, or problem details, in place of a 403 of
/// [`Fresh`](crate::sign_in::Fresh).
pub(super) fn answer_stale<'r>(
    request: &'r Request<'_>,
    response: &mut Response<'r>,
    confirmation_page: Option<&'static str>,
) {
    if fresh::needs_confirmation(request) {
        let (status, detail) = (Status::Forbidden, "Confirm that it is you first.");
        answer_refused(request, response, status, confirmation_page, detail);
    }
}

fn answer_refused<'r>(
    request: &'r Request<'_>,
    response: &mut Response<'r>,
    status: Status,
    page: Option<&'static str>,
    detail: &str,
) {
    if response.status() != status {
        return;
    }
    // A page that the guard itself protects would redirect to itself.
    let is_here = |page: &str| page.split('?').next() == Some(request.uri().path().as_str());
    let page = page.filter(|page| reading::loads_page(request) && !is_here(page));
    let answer = match page {
        Some(page) => Some(Redirect::to(with_return(page, request)).respond_to(request)),
        None if accepts_problem(request, status) => Some(problem(request, status, detail)),
        None => None,
    };
    if let Some(Ok(answer)) = answer {
        replace(response, answer);
    }
    vary(response, "Accept");
    vary(response, "Sec-Fetch-Mode");
}

/// Returns `true` if the client prefers no page, and the application has no catcher that answers it.
fn accepts_problem(request: &Request<'_>, status: Status) -> bool {
    let wants_page = reading::preferred(request).is_some_and(MediaType::is_html);
    !wants_page && catcher(request, status).is_none()
}
