//! Serves registration, sign-in and sign-out.

use rocket::Either::{Left, Right};
use rocket::fairing::AdHoc;
use rocket::form::Form;
use rocket::response::Redirect;
use rocket::{get, post, routes};
use rocket_diesel_session::{Error, Session};
use rocket_dyn_templates::context;

use crate::accounts::Profile;
use crate::accounts::auth_request::AuthRequest;
use crate::accounts::authentication::{self, SignIn};
use crate::accounts::failure::Failure;
use crate::accounts::registration::{self, Registration};
use crate::web::headers::SignedOut;
use crate::web::layout::{FormAnswer, Page, PageOrRedirect};
use crate::web::refused_form::NOT_SIGNED_IN;
use crate::web::return_to;
use crate::web::typed_location::TypedLocation;

pub(crate) fn stage() -> AdHoc {
    let routes = routes![register_page, register, login_page, login, logout];
    AdHoc::on_ignite("Forms", |rocket| async { rocket.mount("/", routes) })
}

#[get("/register?<next>")]
fn register_page(next: Option<&str>, page: Page<'_>) -> Result<PageOrRedirect, Error> {
    Ok(match page.user {
        Some(_) => Left(Redirect::to(return_to::or_home(next))),
        None => Right(page.show_form("register", context! { next })?),
    })
}

#[post("/register", data = "<form>")]
async fn register(
    form: Form<Registration>,
    page: Page<'_>,
    auth: AuthRequest<'_>,
) -> Result<FormAnswer, Error> {
    let next = form.next.as_deref();
    let done = "Welcome! Your account is ready, and you are signed in.";
    let registered = match registration::register(&auth, &form, Some(done)).await? {
        Err(Failure::Taken) => sign_in_instead(&auth, &form).await?,
        other => other,
    };
    match registered {
        Ok(_) => Ok(Left(Redirect::to(return_to::or_home(next)))),
        Err(refusal) => {
            let (status, errors) = refusal.on_form("form");
            let Registration {
                first_name,
                last_name,
                email,
                remember,
                ..
            } = &*form;
            let values = context! { first_name, last_name, email, remember };
            let context = context! { values, errors, next };
            page.show_errors("register", status, context)
        }
    }
}

/// Signs the user in if the account has this password already, as after a form that was sent twice.
/// Otherwise the address is taken.
async fn sign_in_instead(
    auth: &AuthRequest<'_>,
    form: &Registration,
) -> Result<Result<Profile, Failure>, Error> {
    let given = SignIn {
        email: form.email.clone(),
        password: form.password.clone(),
        remember: form.remember,
        ..SignIn::default()
    };
    let done = "Your account is ready, and you are signed in.";
    let signed_in = authentication::sign_in(auth, &given, Some(done)).await?;
    Ok(signed_in.map_err(|_| Failure::Taken))
}

/// The address says that the user signed out, so that no session begins for a message alone. It
/// also says that a form was sent; that is shown only if the session has ended, since anybody
/// can make a link.
#[get("/login?<next>&<signed_out>&<ended>")]
pub(crate) fn login_page(
    next: Option<&str>,
    signed_out: Option<bool>,
    ended: Option<bool>,
    session: &Session,
    page: Page<'_>,
) -> Result<PageOrRedirect, Error> {
    let sent = ended.unwrap_or(false);
    let refused = (sent && session.was_ended()).then_some(NOT_SIGNED_IN);
    let ended = !sent && session.was_ended();
    Ok(match page.user {
        Some(_) => Left(Redirect::to(return_to::or_home(next))),
        None => Right(page.show_form("login", context! { next, signed_out, ended, refused })?),
    })
}

#[post("/login", data = "<form>")]
async fn login(
    form: Form<SignIn>,
    page: Page<'_>,
    auth: AuthRequest<'_>,
) -> Result<FormAnswer, Error> {
    let next = form.next.as_deref();
    let values = context! { email: &form.email, remember: form.remember };
    let typed = TypedLocation::new(&form.location, &form.location_of);
    match authentication::sign_in(&auth, &form, Some("You are signed in.")).await? {
        Ok(_) => {
            if let Some(typed) = typed {
                typed.keep(auth.session)?;
            }
            Ok(Left(Redirect::to(return_to::or_home(next))))
        }
        Err(refusal) => {
            let (status, errors) = refusal.on_form("form");
            page.show_errors("login", status, context! { values, errors, next, typed })
        }
    }
}

#[post("/logout")]
fn logout(session: &Session) -> SignedOut<Redirect> {
    session.log_out();
    SignedOut::with(Redirect::to("/login?signed_out"))
}
