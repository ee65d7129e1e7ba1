//! What many requests of one session do to it at once; the whole-system tests run it as several
//! processes.
//!
//! `ROCKET_DATABASES='{app={url="sqlite:app.db"}}' cargo run --example busy`

#[path = "../src/launch.rs"]
mod launch;

use std::process::ExitCode;
use std::time::Duration;

use rocket::tokio::time::sleep;
use rocket::{get, post, routes};
use rocket_diesel_session::{Error, Session, Sessions};

/// Each request writes a key of its own: all of them are there in the end.
#[post("/keys/<key>")]
fn write(session: &Session, key: &str) -> Result<(), Error> {
    session.insert(key, true)
}

/// Each request adds one to the same number: none is lost.
#[post("/visits")]
fn visits(session: &Session) -> Result<String, Error> {
    let visits = session.update("visits", |n: u64| n + 1)?;
    Ok(visits.to_string())
}

#[get("/visits")]
fn read(session: &Session) -> Result<String, Error> {
    Ok(session
        .get::<u64>("visits")?
        .unwrap_or_default()
        .to_string())
}

/// A slow request of a user that writes: if the session ends meanwhile, it stays ended.
#[post("/slow/<milliseconds>")]
async fn slow(session: &Session, milliseconds: u64) -> Result<(), Error> {
    if session.user_id().is_some() {
        sleep(Duration::from_millis(milliseconds)).await;
        session.insert("slow", true)?;
    }
    Ok(())
}

#[post("/log_in/<user>")]
fn log_in(session: &Session, user: &str) -> Result<(), Error> {
    session.log_in(user)
}

#[post("/log_out")]
fn log_out(session: &Session) {
    session.log_out();
}

#[get("/user")]
fn user(session: &Session) -> String {
    session.user_id().unwrap_or_default()
}

fn main() -> ExitCode {
    let routes = routes![write, visits, read, slow, log_in, log_out, user];
    launch::launch(
        rocket::build()
            .mount("/", routes)
            .attach(Sessions::fairing()),
    )
}
