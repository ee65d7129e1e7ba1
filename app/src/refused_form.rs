//! The answer to a form that the CSRF protection refused: why, and the form again with what was typed.

use rocket::Either::Left;
use rocket::Request;
use rocket::form::{Form, FromForm};
use rocket::http::{RawStr, Status};
use rocket::response::Redirect;
use rocket::serde::Serialize;
use rocket_diesel_session::Error;
use rocket_diesel_session::csrf::{Reason, Refusal};
use rocket_dyn_templates::context;

use crate::fresh::Fresh;
use crate::next;
use crate::page::{Answer, INFO, Page};
use crate::user::User;

/// What the sign-in page says after a form whose session had ended.
pub(crate) const NOT_SIGNED_IN: &str = "You are not signed in any more: perhaps you signed out in \
    another window, or were away for long. So nothing was changed. Sign in, and do it again.";

/// What is shown again of the forms of all pages. No password is among it.
#[derive(Default, FromForm, Serialize)]
#[serde(crate = "rocket::serde")]
struct Typed {
    #[field(default = String::new())]
    first_name: String,
    #[field(default = String::new())]
    last_name: String,
    #[field(default = String::new())]
    email: String,
    remember: bool,
    #[field(default = String::new())]
    location: String,
    #[serde(skip)]
    next: Option<String>,
}

/// Returns a heading, and why the request was refused.
pub(crate) fn reason(request: &Request<'_>) -> (&'static str, &'static str) {
    match Refusal::of(request).map(Refusal::reason) {
        Some(Reason::OtherOrigin) => (
            "That came from another site",
            "A page of another site sent this, so nothing was changed. If it was you, open the page \
             here and repeat it.",
        ),
        Some(Reason::NoCookie) => (
            "Please send it again",
            "Your browser sent no cookie, so nothing was changed. Allow this site to keep cookies, \
             then send it again.",
        ),
        Some(Reason::PlainHttp) => (
            "This page needs https",
            "This page came over http, and your browser sends the cookie of this site, which is \
             Secure, over https alone. So nothing was changed. Open this site with https:// at the \
             beginning of its address.",
        ),
        _ => (
            "Please send it again",
            "This page was older than your session: perhaps you signed in or out in another window, \
             or the page was open for long. So nothing was changed.",
        ),
    }
}

/// The page of the form, with a token that fits; `None` where no form is to be shown again.
pub(crate) async fn again(request: &Request<'_>) -> Option<Result<Answer, Error>> {
    let refusal = Refusal::of(request)?;
    if matches!(refusal.reason(), Reason::OtherOrigin | Reason::PlainHttp) {
        return None;
    }
    let form = refusal.form().map(RawStr::new);
    let typed = form.and_then(|form| Form::<Typed>::parse_encoded(form).ok());
    let typed = typed.unwrap_or_default();
    let page = request.guard::<Page<'_>>().await.succeeded()?;
    match page.user {
        Some(user) => again_for(user, &typed, &page, request).await,
        None => again_for_nobody(&typed, &page, request),
    }
}

async fn again_for(
    user: &User,
    typed: &Typed,
    page: &Page<'_>,
    request: &Request<'_>,
) -> Option<Result<Answer, Error>> {
    let (status, (_, refused)) = (Status::Forbidden, reason(request));
    let next = typed.next.as_deref();
    Some(match request.uri().path().as_str() {
        "/login" | "/register" => {
            let known = format!(
                "You are signed in already, as {}. Sign out first to use another account.",
                user.email
            );
            page.go(INFO, next::or_home(next), &known)
        }
        "/account/location" => page.mend("account", status, context! { refused, values: typed }),
        "/account/confirm" => page.mend("confirm", status, context! { refused, next }),
        "/account/password" => match request.guard::<Fresh>().await.succeeded() {
            Some(Fresh) => page.mend("password", status, context! { refused }),
            None => {
                let next = "/account/password";
                page.mend("confirm", status, context! { refused, next })
            }
        },
        _ => return None,
    })
}

fn again_for_nobody(
    typed: &Typed,
    page: &Page<'_>,
    request: &Request<'_>,
) -> Option<Result<Answer, Error>> {
    let (status, (_, refused)) = (Status::Forbidden, reason(request));
    let next = typed.next.as_deref();
    let path = request.uri().path().as_str();
    Some(match path {
        "/login" => page.mend("login", status, context! { refused, values: typed, next }),
        "/register" => page.mend(
            "register",
            status,
            context! { refused, values: typed, next },
        ),
        "/logout" => Ok(Left(Redirect::to("/login?signed_out"))),
        _ if path.starts_with("/account/") => {
            sign_in_first(page, status, next::page_of(request), &typed.location)
        }
        _ => return None,
    })
}

/// Has a user sign in who is not signed in any more, and keeps the location that was typed.
pub(crate) fn sign_in_first(
    page: &Page<'_>,
    status: Status,
    next: Option<String>,
    location: &str,
) -> Result<Answer, Error> {
    let (refused, next) = (NOT_SIGNED_IN, next.as_deref().unwrap_or("/account"));
    let own = context! { refused, next, location };
    page.mend("login", status, own)
}
