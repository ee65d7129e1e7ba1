//! Answers forms that the CSRF protection refused: the reason, and the form with its values.

use rocket::Either::Left;
use rocket::Request;
use rocket::form::{Form, FromForm};
use rocket::http::{RawStr, Status};
use rocket::response::Redirect;
use rocket::serde::Serialize;
use rocket_diesel_session::Error;
use rocket_diesel_session::csrf::{Reason, Refusal};
use rocket_dyn_templates::context;

use crate::accounts::{User, email};
use crate::web::layout::{FormAnswer, INFO, Page};
use crate::web::recent_sign_in::RecentSignIn;
use crate::web::return_to;
use crate::web::typed_location::TypedLocation;

/// A heading, and the reason with the next step.
pub(crate) type Explanation = (&'static str, &'static str);

/// The notice on the sign-in page after a form whose session had ended.
pub(crate) const NOT_SIGNED_IN: Explanation = (
    "Please sign in again",
    "You are no longer signed in, perhaps because you signed out in another window or were away for \
     a long time. Nothing was changed. Sign in, then repeat what you did.",
);

/// The values that a refused form shows again. Passwords are never among them.
#[derive(Default, FromForm, Serialize)]
#[serde(crate = "rocket::serde")]
struct SubmittedFields {
    #[field(default = String::new())]
    first_name: String,
    #[field(default = String::new())]
    last_name: String,
    #[field(default = String::new())]
    email: String,
    remember: bool,
    #[field(default = String::new())]
    location: String,
    #[field(default = String::new())]
    location_of: String,
    #[serde(skip)]
    next: Option<String>,
}

/// Returns the reason for the refusal.
pub(crate) fn reason(request: &Request<'_>) -> Explanation {
    match Refusal::of(request).map(Refusal::reason) {
        Some(Reason::OtherOrigin) => (
            "This came from another site",
            "A page of another site sent this, so nothing was changed. If you meant to do it, open \
             the page on this site and do it there.",
        ),
        Some(Reason::NoCookie) => (
            "Please allow cookies",
            "Your browser sent no cookie, so nothing was changed. Allow this site to store cookies, \
             then send the form again.",
        ),
        Some(Reason::PlainHttp) => (
            "This page needs https",
            "You opened this site over http, where your browser does not accept its Secure cookie. \
             Nothing was changed. Open the site again with https:// at the beginning of the address.",
        ),
        _ => (
            "Please send it again",
            "This form has expired, perhaps because you signed in or out in another window, or left \
             it open for a long time. Nothing was changed.",
        ),
    }
}

/// Returns whether the form is accepted after its page was opened again.
pub(crate) fn can_retry(request: &Request<'_>) -> bool {
    let reason = Refusal::of(request).map(Refusal::reason);
    !matches!(reason, Some(Reason::OtherOrigin | Reason::PlainHttp))
}

/// Returns the form with a valid token, or `None` if there is none to show.
pub(crate) async fn show_again(request: &Request<'_>) -> Option<Result<FormAnswer, Error>> {
    let refusal = Refusal::of(request).filter(|_| can_retry(request))?;
    let form = refusal.form().map(RawStr::new);
    let typed = form.and_then(|form| Form::<SubmittedFields>::parse_encoded(form).ok());
    let typed = typed.unwrap_or_default();
    let page = request.guard::<Page<'_>>().await.succeeded()?;
    match page.user.as_deref() {
        Some(user) => show_to_user(user, &typed, &page, request).await,
        None => show_to_anonymous(&typed, &page, request),
    }
}

async fn show_to_user(
    user: &User,
    typed: &SubmittedFields,
    page: &Page<'_>,
    request: &Request<'_>,
) -> Option<Result<FormAnswer, Error>> {
    let (status, refused) = (Status::Forbidden, reason(request));
    let next = typed.next.as_deref();
    let location = TypedLocation::new(&typed.location, &typed.location_of);
    Some(match (request.uri().path().as_str(), location) {
        ("/login", Some(location)) => {
            let refused = location.notice(user);
            page.show_errors("account", status, context! { refused, values: location })
        }
        ("/login" | "/register", _) => {
            page.redirect(INFO, return_to::or_home(next), &known(user, typed))
        }
        ("/account/location", Some(location)) if location.is_of_another(user) => {
            let refused = location.notice(user);
            page.show_errors("account", status, context! { refused, values: location })
        }
        ("/account/location", _) => {
            page.show_errors("account", status, context! { refused, values: typed })
        }
        ("/account/confirm", _) => match request.guard::<RecentSignIn>().await.succeeded() {
            Some(_) => Ok(Left(Redirect::to(return_to::or_home(next)))),
            None => page.show_errors("confirm", status, context! { refused, next }),
        },
        ("/account/password", _) => match request.guard::<RecentSignIn>().await.succeeded() {
            Some(_) => page.show_errors("password", status, context! { refused }),
            None => {
                let next = "/account/password";
                page.show_errors("confirm", status, context! { refused, next })
            }
        },
        _ => return None,
    })
}

/// Returns the message for a signed-in user who signs in or registers again.
fn known(user: &User, typed: &SubmittedFields) -> String {
    let email = &user.email;
    match email::canonical(&typed.email) == *email {
        true => format!("You are signed in already, as {email}."),
        false => {
            format!("You are signed in already, as {email}. Sign out first to use another account.")
        }
    }
}

fn show_to_anonymous(
    typed: &SubmittedFields,
    page: &Page<'_>,
    request: &Request<'_>,
) -> Option<Result<FormAnswer, Error>> {
    let (status, refused) = (Status::Forbidden, reason(request));
    let next = typed.next.as_deref();
    let location = TypedLocation::new(&typed.location, &typed.location_of);
    let path = request.uri().path().as_str();
    Some(match path {
        "/login" => page.show_errors(
            "login",
            status,
            context! { refused, values: typed, next, typed: location },
        ),
        "/register" => page.show_errors(
            "register",
            status,
            context! { refused, values: typed, next },
        ),
        "/logout" => Ok(Left(Redirect::to("/login?signed_out"))),
        _ if path.starts_with("/account/") => sign_in_first(
            page,
            status,
            return_to::requested_page(request),
            location.as_ref(),
        ),
        _ => return None,
    })
}

/// Shows the sign-in page for a form whose session had ended, and keeps the typed location.
pub(crate) fn sign_in_first(
    page: &Page<'_>,
    status: Status,
    next: Option<String>,
    typed: Option<&TypedLocation>,
) -> Result<FormAnswer, Error> {
    let (refused, next) = (NOT_SIGNED_IN, next.as_deref().unwrap_or("/account"));
    let context = context! { refused, next, typed };
    page.show_errors("login", status, context)
}
