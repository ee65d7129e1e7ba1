//! The forms: register, sign in, sign out, and where one is.

use chrono::Utc;
use rocket::Either::{self, Left, Right};
use rocket::fairing::AdHoc;
use rocket::form::{Form, FromForm};
use rocket::http::Status;
use rocket::request::FlashMessage;
use rocket::response::{Flash, Redirect};
use rocket::serde::Serialize;
use rocket::{get, post, put, routes};
use rocket_diesel_session::{Database, Error, Session};
use rocket_dyn_templates::{Template, context};

use crate::app::accounts::{self, Refusal, Registration, SignIn, WRONG};
use crate::app::pages::{Notice, Ticket};
use crate::app::user::User;
use crate::app::{fields, next, users};

pub(crate) fn stage() -> AdHoc {
    let routes = routes![register_page, register, login_page, login, logout, move_to];
    AdHoc::on_ignite("Forms", |rocket| async { rocket.mount("/", routes) })
}

/// A form is answered with a page to go to, or with itself and what is to be mended.
type Answer = Either<Flash<Redirect>, (Status, Template)>;

#[get("/register?<next>")]
fn register_page(next: Option<&str>, user: Option<&User>) -> Either<Redirect, Template> {
    match user {
        Some(_) => Left(Redirect::to(next::or_home(next))),
        None => Right(Template::render("register", context! { next })),
    }
}

#[post("/register", data = "<form>")]
async fn register(
    form: Form<Registration>,
    session: &Session,
    database: &Database,
) -> Result<Answer, Error> {
    let next = form.next.as_deref();
    Ok(match accounts::register(database, session, &form).await? {
        Ok(_) => go(
            next::or_home(next),
            "Welcome! Your account is ready, and you are signed in.",
        ),
        Err(errors) => {
            let Registration {
                first_name,
                last_name,
                email,
                ..
            } = &*form;
            let values = context! { first_name, last_name, email };
            mend(
                "register",
                Status::UnprocessableEntity,
                context! { values, errors, next },
            )
        }
    })
}

#[get("/login?<next>")]
pub(crate) fn login_page(
    next: Option<&str>,
    user: Option<&User>,
    flash: Option<FlashMessage<'_>>,
) -> Either<Redirect, Template> {
    let flash = flash.as_ref().map(Notice::of);
    match user {
        Some(_) => Left(Redirect::to(next::or_home(next))),
        None => Right(Template::render("login", context! { next, flash })),
    }
}

#[post("/login", data = "<form>")]
async fn login(
    form: Form<SignIn>,
    session: &Session,
    database: &Database,
) -> Result<Answer, Error> {
    let next = form.next.as_deref();
    let values = context! { email: &form.email };
    Ok(match accounts::sign_in(database, session, &form).await? {
        Ok(_) => go(next::or_home(next), "You are signed in."),
        Err(Refusal::Mend(errors)) => mend(
            "login",
            Status::UnprocessableEntity,
            context! { values, errors, next },
        ),
        Err(Refusal::Wrong) => {
            let errors = context! { form: WRONG };
            mend(
                "login",
                Status::Unauthorized,
                context! { values, errors, next },
            )
        }
    })
}

#[post("/logout")]
fn logout(session: &Session) -> Flash<Redirect> {
    session.log_out();
    Flash::success(Redirect::to("/login"), "You are signed out.")
}

#[derive(FromForm)]
struct Place {
    location: String,
}

/// Changes the row of whoever is signed in, and nobody else's: the id comes from the session alone.
#[put("/account/location", data = "<form>")]
async fn move_to(
    form: Form<Place>,
    user: &User,
    session: &Session,
    database: &Database,
) -> Result<Answer, Error> {
    let (place, id) = (form.location.trim(), session.user_id().unwrap_or_default());
    if let Err(why) = fields::location(place) {
        let errors = context! { location: why };
        let (session, values) = (Ticket::from(session), context! { location: place });
        let page = context! { user, errors, values, session };
        return Ok(mend("home", Status::UnprocessableEntity, page));
    }
    users::set_location(
        database,
        id,
        place.to_owned(),
        Utc::now().timestamp_millis(),
    )
    .await?;
    Ok(go("/home".to_owned(), "Your location is saved."))
}

fn go(to: String, message: &str) -> Answer {
    Left(Flash::success(Redirect::to(to), message))
}

/// The form again, with what was typed but the password, and what is wrong beside each field.
fn mend(template: &'static str, status: Status, context: impl Serialize) -> Answer {
    Right((status, Template::render(template, context)))
}
