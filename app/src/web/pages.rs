//! Serves the landing page, and the pages home and messages.

use rocket::fairing::AdHoc;
use rocket::serde::Serialize;
use rocket::{get, routes};
use rocket_diesel_session::{Error, Session};
use rocket_dyn_templates::{Template, context};

use crate::web::current_user::CurrentUser;
use crate::web::layout::Page;
use crate::web::time_text;

pub(crate) fn stage() -> AdHoc {
    AdHoc::on_ignite("Pages", |rocket| async {
        rocket.mount("/", routes![index, home, messages])
    })
}

#[derive(Serialize)]
#[serde(crate = "rocket::serde")]
struct Message {
    from: &'static str,
    subject: &'static str,
    body: String,
    sent: &'static str,
}

#[get("/")]
fn index(page: Page<'_>) -> Result<Template, Error> {
    page.show("index", context! {})
}

/// The session as the home page shows it.
#[derive(Serialize)]
#[serde(crate = "rocket::serde")]
struct SessionView {
    short: Option<String>,
    remaining: String,
    remaining_seconds: i64,
    deadline: String,
}

impl From<&Session> for SessionView {
    fn from(session: &Session) -> Self {
        let remaining_seconds = session.remaining().num_seconds();
        Self {
            short: session.short_key(),
            remaining: time_text::countdown(remaining_seconds),
            remaining_seconds,
            deadline: session
                .absolute_expiry()
                .format("%-d %B %Y, %H:%M UTC")
                .to_string(),
        }
    }
}

#[get("/home")]
fn home(_user: CurrentUser, session: &Session, page: Page<'_>) -> Result<Template, Error> {
    page.show("home", context! { session: SessionView::from(session) })
}

#[get("/messages")]
fn messages(user: CurrentUser, page: Page<'_>) -> Result<Template, Error> {
    let welcome = format!(
        "Hello {}! Only you can read this page: it requires a sign-in.",
        user.first_name
    );
    let place = "Your session is one row of a database table. Your browser holds only its key, and the table only a hash of that key.";
    let messages = [
        Message {
            from: "Session",
            subject: "Welcome",
            body: welcome,
            sent: "just now",
        },
        Message {
            from: "Session",
            subject: "Where your session is",
            body: place.to_owned(),
            sent: "just now",
        },
    ];
    page.show("messages", context! { messages })
}
