//! The pages: the landing page for everybody, home and messages for users, and the health check for
//! machines.

use rocket::fairing::AdHoc;
use rocket::serde::Serialize;
use rocket::tokio::try_join;
use rocket::{get, routes};
use rocket_diesel_session::{Database, Error, LiveSessions, Session};
use rocket_dyn_templates::{Template, context};

use crate::db::users;
use crate::web::current_user::User;
use crate::web::layout::Page;

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
struct Ticket {
    short: Option<String>,
    remaining: String,
    remaining_seconds: i64,
    deadline: String,
}

impl From<&Session> for Ticket {
    fn from(session: &Session) -> Self {
        let remaining_seconds = session.remaining().num_seconds();
        Self {
            short: session.short_key(),
            remaining: in_words(remaining_seconds),
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
    page.show("home", context! { session: Ticket::from(session) })
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
    try_join!(users::ping(database), live.end_all(""))?;
    Ok("ok\n")
}

/// Seconds as the page counts them down: "1 h 59 min 12 s".
fn in_words(seconds: i64) -> String {
    let units = [
        (seconds / 86_400, "d"),
        (seconds / 3_600 % 24, "h"),
        (seconds / 60 % 60, "min"),
        (seconds % 60, "s"),
    ];
    let shown = units
        .iter()
        .skip_while(|(count, unit)| *count == 0 && *unit != "s");
    shown
        .map(|(count, unit)| format!("{count} {unit}"))
        .collect::<Vec<_>>()
        .join(" ")
}

#[cfg(test)]
mod tests {
    use super::in_words;

    #[test]
    fn time_left_in_words() {
        assert_eq!(in_words(7_199), "1 h 59 min 59 s");
        assert_eq!(in_words(86_400), "1 d 0 h 0 min 0 s");
        assert_eq!(in_words(61), "1 min 1 s");
        assert_eq!(in_words(0), "0 s");
    }
}
