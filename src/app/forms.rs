//! The forms of strangers, register and sign in, and the way out.

use rocket::Either::{Left, Right};
use rocket::fairing::AdHoc;
use rocket::form::Form;
use rocket::http::{Header, Status};
use rocket::response::{Redirect, Responder};
use rocket::{get, post, routes};
use rocket_diesel_session::{Database, Error, Session};
use rocket_dyn_templates::context;

use crate::app::accounts::{self, Refusal, Registration, SignIn, WRONG};
use crate::app::next;
use crate::app::page::{Answer, Page, Visit};

pub(crate) fn stage() -> AdHoc {
    let routes = routes![register_page, register, login_page, login, logout];
    AdHoc::on_ignite("Forms", |rocket| async { rocket.mount("/", routes) })
}

#[get("/register?<next>")]
fn register_page(next: Option<&str>, page: Page<'_>) -> Result<Visit, Error> {
    Ok(match page.user {
        Some(_) => Left(Redirect::to(next::or_home(next))),
        None => Right(page.show("register", context! { next })?),
    })
}

#[post("/register", data = "<form>")]
async fn register(
    form: Form<Registration>,
    page: Page<'_>,
    session: &Session,
    database: &Database,
) -> Result<Answer, Error> {
    let next = form.next.as_deref();
    match accounts::register(database, session, &form).await? {
        Ok(_) => page.go(
            next::or_home(next),
            "Welcome! Your account is ready, and you are signed in.",
        ),
        Err(errors) => {
            let Registration {
                first_name,
                last_name,
                email,
                remember,
                ..
            } = &*form;
            let values = context! { first_name, last_name, email, remember };
            let own = context! { values, errors, next };
            page.mend("register", Status::UnprocessableEntity, own)
        }
    }
}

/// After a sign-out there is no session that could hold a message, so the address says it.
#[get("/login?<next>&<signed_out>")]
pub(crate) fn login_page(
    next: Option<&str>,
    signed_out: Option<bool>,
    page: Page<'_>,
) -> Result<Visit, Error> {
    Ok(match page.user {
        Some(_) => Left(Redirect::to(next::or_home(next))),
        None => Right(page.show("login", context! { next, signed_out })?),
    })
}

#[post("/login", data = "<form>")]
async fn login(
    form: Form<SignIn>,
    page: Page<'_>,
    session: &Session,
    database: &Database,
) -> Result<Answer, Error> {
    let next = form.next.as_deref();
    let values = context! { email: &form.email, remember: form.remember };
    match accounts::sign_in(database, session, &form).await? {
        Ok(_) => page.go(next::or_home(next), "You are signed in."),
        Err(Refusal::Mend(errors)) => {
            let own = context! { values, errors, next };
            page.mend("login", Status::UnprocessableEntity, own)
        }
        Err(Refusal::Wrong) => {
            let errors = context! { form: WRONG };
            let own = context! { values, errors, next };
            page.mend("login", Status::Unauthorized, own)
        }
    }
}

#[derive(Responder)]
struct SignedOut {
    sign_in: Redirect,
    /// Chromium may keep pages for its button Back, though they say no-store.
    forget: Header<'static>,
}

#[post("/logout")]
fn logout(session: &Session) -> SignedOut {
    session.log_out();
    SignedOut {
        sign_in: Redirect::to("/login?signed_out"),
        forget: Header::new("Clear-Site-Data", "\"cache\""),
    }
}
