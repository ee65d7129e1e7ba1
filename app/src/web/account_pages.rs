//! Serves the pages of the user's account: location and password.

use rocket::Either::{Left, Right};
use rocket::fairing::AdHoc;
use rocket::form::{Form, FromForm};
use rocket::http::Status;
use rocket::response::Redirect;
use rocket::serde::json::json;
use rocket::{get, post, put, routes};
use rocket_diesel_session::{Database, Error, Session};
use rocket_dyn_templates::{Template, context};

use crate::accounts::auth_request::AuthRequest;
use crate::accounts::reauthentication::{self, PasswordChange};
use crate::accounts::validation;
use crate::accounts::{self, Profile};
use crate::web::current_user::CurrentUser;
use crate::web::layout::{FormAnswer, Page, PageOrRedirect};
use crate::web::recent_sign_in::RecentSignIn;
use crate::web::refused_form;
use crate::web::return_to;
use crate::web::typed_location::TypedLocation;

pub(crate) fn stage() -> AdHoc {
    let routes = routes![
        account,
        location_page,
        move_to,
        password_page,
        change_password,
        confirm_page,
        confirm
    ];
    AdHoc::on_ignite("Account", |rocket| async {
        rocket
            .mount("/account", routes)
            .mount("/.well-known", routes![well_known])
    })
}

/// Shows a location that was typed while the session had ended, until it is saved.
#[get("/")]
fn account(user: CurrentUser, page: Page<'_>, session: &Session) -> Result<Template, Error> {
    match TypedLocation::of(session)? {
        Some(typed) => {
            let refused = typed.notice(&user);
            page.show("account", context! { values: typed, refused })
        }
        None => page.show(
            "account",
            context! { values: context! { location: &user.location } },
        ),
    }
}

/// Redirects from the address of a refused form, which people open again.
#[get("/location")]
fn location_page() -> Redirect {
    Redirect::to("/account")
}

#[derive(FromForm)]
struct LocationForm {
    location: String,
    /// The e-mail address of the account that has the form.
    #[field(default = String::new())]
    location_of: String,
}

/// Changes the location of the signed-in user. The id always comes from the session.
#[put("/location", data = "<form>")]
async fn move_to(
    form: Form<LocationForm>,
    page: Page<'_>,
    session: &Session,
    database: &Database,
) -> Result<Result<FormAnswer, Status>, Error> {
    let location = form.location.trim();
    if page.user.is_none() {
        let (status, next) = (Status::Unauthorized, Some("/account".to_owned()));
        let typed = TypedLocation::new(location, &form.location_of);
        return match session.was_ended() {
            true => refused_form::sign_in_first(&page, status, next, typed.as_ref()).map(Ok),
            false => Ok(Err(status)),
        };
    }
    let id = session.user_id().unwrap_or_default();
    if let Err(why) = validation::location(location) {
        let (errors, values) = (context! { location: why }, context! { location: location });
        let context = context! { errors, values };
        return page
            .show_errors("account", Status::UnprocessableEntity, context)
            .map(Ok);
    }
    let now = database.now().timestamp_millis();
    accounts::set_location(database, id, location.to_owned(), now).await?;
    TypedLocation::forget(session)?;
    session.event("user_updated", json!({ "what": "location" }));
    page.redirect_with_success("/account".to_owned(), "Your location is saved.")
        .map(Ok)
}

/// Redirects password managers to the form
/// (<https://w3c.github.io/webappsec-change-password-url/>).
#[get("/change-password")]
fn well_known() -> Redirect {
    Redirect::to("/account/password")
}

#[get("/password")]
fn password_page(
    _user: CurrentUser,
    _recent: RecentSignIn,
    page: Page<'_>,
) -> Result<Template, Error> {
    page.show("password", context! {})
}

#[post("/password", data = "<form>")]
async fn change_password(
    form: Form<PasswordChange>,
    user: CurrentUser,
    _recent: RecentSignIn,
    page: Page<'_>,
    auth: AuthRequest<'_>,
) -> Result<FormAnswer, Error> {
    let done = "Your password is changed. All your other devices are signed out.";
    match reauthentication::change(&auth, &Profile::from(&*user), &form, Some(done)).await? {
        Ok(()) => Ok(Left(Redirect::to("/account"))),
        Err(refusal) => {
            let (status, errors) = refusal.on_form("current");
            page.show_errors("password", status, context! { errors })
        }
    }
}

#[get("/confirm?<next>")]
pub(crate) fn confirm_page(
    next: Option<&str>,
    _user: CurrentUser,
    recent: Option<RecentSignIn>,
    page: Page<'_>,
) -> Result<PageOrRedirect, Error> {
    Ok(match recent {
        Some(_) => Left(Redirect::to(return_to::or_home(next))),
        None => Right(page.show("confirm", context! { next })?),
    })
}

#[derive(FromForm)]
struct Confirmation {
    #[field(default = String::new())]
    password: String,
    next: Option<String>,
}

#[post("/confirm", data = "<form>")]
async fn confirm(
    form: Form<Confirmation>,
    _user: CurrentUser,
    page: Page<'_>,
    auth: AuthRequest<'_>,
) -> Result<FormAnswer, Error> {
    let next = form.next.as_deref();
    let done = "Your password is confirmed. You can continue.";
    match reauthentication::confirm(&auth, &form.password, done).await? {
        Ok(()) => Ok(Left(Redirect::to(return_to::or_home(next)))),
        Err(refusal) => {
            let (status, errors) = refusal.on_form("password");
            page.show_errors("confirm", status, context! { errors, next })
        }
    }
}
