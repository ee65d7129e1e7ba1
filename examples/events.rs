//! Events of an application's own, beside those that the sessions tell; the tests count them.
//!
//! `ROCKET_SESSION='{events="stdout",client_address="truncated"}' cargo run --example events`

#[path = "../src/launch.rs"]
mod launch;

use std::process::ExitCode;

use rocket::serde::json::json;
use rocket::tokio::time::{Duration, sleep};
use rocket::{delete, get, post, routes};
use rocket_diesel_session::{Error, LiveSessions, Session, Sessions};

#[post("/log_in/<user>")]
fn log_in(session: &Session, user: &str) -> Result<(), Error> {
    session.log_in(user)
}

#[post("/log_out")]
fn log_out(session: &Session) {
    session.log_out();
}

#[post("/renew")]
fn renew(session: &Session) {
    session.renew();
}

/// Takes a while, for others to end the session meanwhile.
#[post("/visits/<milliseconds>")]
async fn visits(session: &Session, milliseconds: u64) -> Result<String, Error> {
    let visits = session.update("visits", |n: u64| n + 1)?;
    sleep(Duration::from_millis(milliseconds)).await;
    Ok(visits.to_string())
}

/// Who else is signed in as the same user, as short keys.
#[get("/devices")]
async fn devices(session: &Session) -> Result<String, Error> {
    let devices = session.devices().await?;
    let others = devices.iter().filter(|device| !device.current);
    let keys: Vec<_> = others.map(|device| device.key.short()).collect();
    Ok(keys.join(" "))
}

#[delete("/devices/<key>")]
async fn end_device(session: &Session, key: &str) -> Result<String, Error> {
    let ended = session.end_device(key).await?;
    if !ended {
        session.event("malicious_direct_reference", json!({ "device": key }));
    }
    Ok(ended.to_string())
}

#[post("/end_others")]
fn end_others(session: &Session) {
    session.end_others();
}

#[get("/address")]
fn address(session: &Session) -> Option<String> {
    session.client_address().map(|address| address.to_string())
}

/// As a handler answers that has too much to do, and whose store has not.
#[get("/busy")]
fn busy() -> Error {
    Error::unavailable("too many others are served")
}

/// A stranger's request that needs the database all the same.
#[get("/count")]
async fn count(sessions: LiveSessions) -> Result<String, Error> {
    Ok(sessions.count().await?.to_string())
}

#[get("/public")]
fn public() -> &'static str {
    "for everybody"
}

fn main() -> ExitCode {
    let routes = routes![
        log_in, log_out, renew, visits, devices, end_device, end_others, address, busy, count,
        public
    ];
    launch::launch(
        rocket::build()
            .mount("/", routes)
            .attach(Sessions::fairing()),
    )
}
