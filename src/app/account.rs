//! Register, sign in, sign out.

use std::collections::BTreeMap;

use chrono::Utc;
use rocket::Either::{self, Left, Right};
use rocket::fairing::AdHoc;
use rocket::form::{Contextual, Form, FromForm};
use rocket::http::Status;
use rocket::request::FlashMessage;
use rocket::response::{Flash, Redirect};
use rocket::{get, post, routes};
use rocket_diesel_session::{Database, Error, Session};
use rocket_dyn_templates::{Template, context};
use uuid::Uuid;

use crate::app::pages::Notice;
use crate::app::password::{self, Verdict};
use crate::app::user::User;
use crate::app::users::{self, NewUser};
use crate::app::{fields, next};

pub(crate) fn stage() -> AdHoc {
    let routes = routes![register_page, register, login_page, login, logout];
    AdHoc::on_ignite("Account", |rocket| async { rocket.mount("/", routes) })
}

/// A form is answered with a page to go to, or with itself and what is to be mended.
type Answer = Either<Flash<Redirect>, (Status, Template)>;

#[derive(FromForm)]
struct Registration<'r> {
    #[field(validate = fields::name())]
    first_name: &'r str,
    #[field(validate = fields::name())]
    last_name: &'r str,
    #[field(validate = fields::email())]
    email: &'r str,
    #[field(validate = fields::new_password())]
    password: &'r str,
    next: Option<&'r str>,
}

#[derive(FromForm)]
struct SignIn<'r> {
    #[field(validate = fields::present())]
    email: &'r str,
    #[field(validate = fields::present())]
    password: &'r str,
    next: Option<&'r str>,
}

#[get("/register?<next>")]
fn register_page(next: Option<&str>, user: Option<&User>) -> Either<Redirect, Template> {
    match user {
        Some(_) => Left(Redirect::to(next::or_home(next))),
        None => Right(Template::render("register", context! { next })),
    }
}

#[post("/register", data = "<form>")]
async fn register(
    form: Form<Contextual<'_, Registration<'_>>>,
    session: &Session,
    database: &Database,
) -> Result<Answer, Error> {
    let Some(new) = &form.value else {
        let errors = fields::errors(&form.context);
        return Ok(mend("register", Status::UnprocessableEntity, &form, errors));
    };
    let password_hash = password::hash(new.password.to_owned())
        .await
        .ok_or_else(no_hash)?;
    let (id, now) = (Uuid::now_v7().to_string(), Utc::now().timestamp_millis());
    let user = NewUser {
        id: id.clone(),
        email: fields::canonical_email(new.email),
        first_name: new.first_name.trim().to_owned(),
        last_name: new.last_name.trim().to_owned(),
        password_hash,
        created_at: now,
        updated_at: now,
    };
    if !users::insert(database, user).await? {
        let taken =
            "There is an account with this e-mail address already. Sign in, or use another one.";
        let errors = [("email", taken.to_owned())].into();
        return Ok(mend("register", Status::UnprocessableEntity, &form, errors));
    }
    session.log_in(id)?;
    Ok(go(
        next::or_home(new.next),
        "Welcome! Your account is ready, and you are signed in.",
    ))
}

#[get("/login?<next>")]
pub(crate) fn login_page(
    next: Option<&str>,
    user: Option<&User>,
    flash: Option<FlashMessage<'_>>,
) -> Either<Redirect, Template> {
    match user {
        Some(_) => Left(Redirect::to(next::or_home(next))),
        None => Right(Template::render(
            "login",
            context! { next, flash: flash.as_ref().map(Notice::of) },
        )),
    }
}

#[post("/login", data = "<form>")]
async fn login(
    form: Form<Contextual<'_, SignIn<'_>>>,
    session: &Session,
    database: &Database,
) -> Result<Answer, Error> {
    let Some(given) = &form.value else {
        let errors = fields::errors(&form.context);
        return Ok(mend("login", Status::UnprocessableEntity, &form, errors));
    };
    let known = users::credentials(database, fields::canonical_email(given.email)).await?;
    let stored = known.as_ref().map(|known| known.password_hash.clone());
    let verdict = password::verify(given.password.to_owned(), stored).await;
    let Some(user) = known.filter(|user| verdict != Verdict::Wrong && user.disabled_at.is_none())
    else {
        // The same words whether the account exists or not.
        let wrong = "This e-mail address and password do not belong together.";
        let errors = [("form", wrong.to_owned())].into();
        return Ok(mend("login", Status::Unauthorized, &form, errors));
    };
    if verdict == Verdict::RightButOld {
        let hash = password::hash(given.password.to_owned())
            .await
            .ok_or_else(no_hash)?;
        users::set_password_hash(
            database,
            user.id.clone(),
            hash,
            Utc::now().timestamp_millis(),
        )
        .await?;
    }
    session.log_in(&user.id)?;
    Ok(go(next::or_home(given.next), "You are signed in."))
}

#[post("/logout")]
fn logout(session: &Session) -> Flash<Redirect> {
    session.log_out();
    Flash::success(Redirect::to("/login"), "You are signed out.")
}

fn go(to: String, message: &str) -> Answer {
    Left(Flash::success(Redirect::to(to), message))
}

/// The form again, with what was typed but the password, and what is wrong beside each field.
fn mend<T>(
    template: &'static str,
    status: Status,
    form: &Contextual<'_, T>,
    errors: BTreeMap<&'static str, String>,
) -> Answer {
    let typed = |name| {
        form.context
            .field_value(name)
            .filter(|value| value.len() <= 1_024)
    };
    let values = context! {
        first_name: typed("first_name"),
        last_name: typed("last_name"),
        email: typed("email"),
    };
    let page = Template::render(template, context! { values, errors, next: typed("next") });
    Right((status, page))
}

fn no_hash() -> Error {
    Error::unavailable("the password could not be hashed")
}
