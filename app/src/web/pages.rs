//! The pages: the landing page for everybody, home and messages for users, and the health check for
//! machines.

use rocket::fairing::AdHoc;
use rocket::serde::Serialize;
use rocket::tokio::try_join;
use rocket::{get, routes};
use rocket_diesel_session::{Database, Error, LiveSessions, Session};
use rocket_dyn_templates::{Template, context};

use crate::accounts::{self, User};
use crate::web::layout::Page;
use crate::web::time_text;

pub(crate) fn stage() -> AdHoc {
    AdHoc::on_ignite("Pages", |rocket| async {
        rocket.mount("/", routes![index, home, messages, health])
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

/// What the home page tells of a session.
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
                .deadline()
                .format("%-d %B %Y, %H:%M UTC")
                .to_string(),
        }
    }
}

#[get("/home")]
fn home(_user: &User, session: &Session, page: Page<'_>) -> Result<Template, Error> {
    page.show("home", context! { session: SessionView::from(session) })
}

#[get("/messages")]
fn messages(user: &User, page: Page<'_>) -> Result<Template, Error> {
    let welcome = format!(
        "Hello {}, only you can read this page: it asks for a signed-in user.",
        user.first_name
    );
    let place = "It is one row of a table. Your browser holds only the key to it, and the table only the key's hash.";
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

#[get("/health")]
async fn health(database: &Database, live: LiveSessions) -> Result<&'static str, Error> {
    // Ends nobody's session, but fails where none can be written.
    try_join!(accounts::ping(database), live.end_all(""))?;
    Ok("ok\n")
}
