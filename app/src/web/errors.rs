//! Shows error pages, and redirects anonymous users to the sign-in page.

use rocket::Either::{self, Left, Right};
use rocket::fairing::AdHoc;
use rocket::http::{Method, Status};
use rocket::response::Redirect;
use rocket::{Request, catch, catchers, uri};
use rocket_diesel_session::sign_in::needs_confirmation;
use rocket_diesel_session::{Error, Session};
use rocket_dyn_templates::{Template, context};

use crate::accounts::auth_request;
use crate::web::account_pages;
use crate::web::headers::WithHeaders;
use crate::web::layout::{FormAnswer, Page};
use crate::web::problem::Problem;
use crate::web::recent_sign_in::NOT_RECENT;
use crate::web::refused_form;
use crate::web::return_to;
use crate::web::sign_in_forms;

pub(crate) fn stage() -> AdHoc {
    AdHoc::on_ignite("Errors", |rocket| async {
        rocket.register("/", catchers![bad_request, unauthorized, forbidden, other])
    })
}

#[catch(400)]
async fn bad_request(
    status: Status,
    request: &Request<'_>,
) -> WithHeaders<Either<Template, Problem>> {
    let answer = other(status, request).await;
    WithHeaders::new(status, request, answer).await
}

/// Redirects to the sign-in page, and then back.
#[catch(401)]
async fn unauthorized(request: &Request<'_>) -> Either<Redirect, Problem> {
    if accepts_json(request) {
        return Right(Problem::new(Status::Unauthorized, "Sign in first."));
    }
    let next = return_to::requested_page(request);
    let session = request.guard::<&Session>().await.succeeded();
    let ended = is_sent(request) && session.is_some_and(Session::was_ended);
    Left(Redirect::to(uri!(sign_in_forms::login_page(
        next,
        _,
        ended.then_some(true)
    ))))
}

/// Redirects to the confirmation of the password and then back, or shows the refused form again if there is
/// one.
#[catch(403)]
async fn forbidden(
    status: Status,
    request: &Request<'_>,
) -> Result<Either<FormAnswer, Either<Template, Problem>>, Error> {
    if needs_confirmation(request) {
        if accepts_json(request) {
            return Ok(Right(Right(Problem::new(status, NOT_RECENT))));
        }
        let next = return_to::requested_page(request);
        let page = uri!("/account", account_pages::confirm_page(next));
        return Ok(Left(Left(Redirect::to(page))));
    }
    if !accepts_json(request)
        && let Some(again) = refused_form::show_again(request).await
    {
        return again.map(Left);
    }
    Ok(Right(other(status, request).await))
}

#[catch(default)]
async fn other(status: Status, request: &Request<'_>) -> Either<Template, Problem> {
    let (title, message) = match status.code {
        400 | 422 => (
            "The form could not be read",
            "A field is missing, or its value has the wrong format. Open the page again and fill in \
             the form again.",
        ),
        403 => refused_form::reason(request),
        404 if request.method() != Method::Get => (
            "This is no longer there",
            "What you wanted to change does not exist, perhaps because you changed it in another \
             window. Open the page again.",
        ),
        404 => (
            "Page not found",
            "There is no page at this address. Check the address for typing errors.",
        ),
        413 => (
            "The form is too large",
            "You sent more than this page accepts. Shorten your text and send the form again.",
        ),
        503 if auth_request::is_too_busy(request) => (
            "One moment, please",
            "Too many passwords are being checked, so yours was not checked. Nothing was changed.",
        ),
        503 if is_anonymous(request).await => (
            "One moment, please",
            "The site cannot reach its database right now. Nothing was changed.",
        ),
        503 => (
            "One moment, please",
            "The site cannot reach your session right now. If you were signed in, you still are.",
        ),
        _ => (
            "Something went wrong",
            "The error is on our side, and it was logged.",
        ),
    };
    let failed = status.code >= 500;
    if accepts_json(request) {
        let step = if failed {
            " Try again in a few seconds."
        } else {
            ""
        };
        return Right(Problem::new(status, &format!("{message}{step}")));
    }
    let step = match failed {
        true if is_sent(request) => {
            " Reload this page in a few seconds. Your browser then sends what you typed again."
        }
        true => " Try again in a few seconds.",
        false => "",
    };
    let message = format!("{message}{step}");
    // Without the store nobody knows who is signed in, so the page shows neither menu.
    let known = status != Status::ServiceUnavailable;
    let page = match known {
        true => request.guard::<Page<'_>>().await.succeeded(),
        false => None,
    };
    let user = page.as_ref().and_then(|page| page.user.as_deref());
    let csrf_token = page
        .as_ref()
        .and_then(|page| page.csrf_token().ok().flatten());
    // A link would lose what was typed.
    let reload = failed && is_sent(request);
    let retry = failed && !reload;
    let again = return_to::page_of_form(request).filter(|_| refused_form::can_retry(request));
    Left(Template::render(
        "error.html",
        context! { user, csrf_token, status: status.code, title, message, reload, retry, again, without_account: !known },
    ))
}

/// Returns whether the client has no session. Without a cookie that is known even if the store
/// fails.
async fn is_anonymous(request: &Request<'_>) -> bool {
    let session = request.guard::<&Session>().await.succeeded();
    session.is_some_and(Session::is_new)
}

fn is_sent(request: &Request<'_>) -> bool {
    !matches!(request.method(), Method::Get | Method::Head)
}

/// In bytes; browsers send about 150.
const LONGEST_ACCEPT: usize = 1_024;

/// Returns whether the client prefers JSON.
///
/// Ignores longer headers: Rocket 0.5 parses them in quadratic time, 19 seconds for 300 kB.
fn accepts_json(request: &Request<'_>) -> bool {
    let header = request.headers().get_one("Accept").unwrap_or_default();
    let accept = (header.len() <= LONGEST_ACCEPT).then(|| request.accept());
    accept
        .flatten()
        .is_some_and(|accept| accept.preferred().is_json())
}
