//! The routes of the small site. Other tests mount some of them, too.

use std::time::Duration;

use rocket::http::{Header, Status};
use rocket::{Route, get, post, routes};
use rocket_diesel_session::{Error, Key, LiveSessions, Session};

use crate::site::START;

pub(crate) fn routes() -> Vec<Route> {
    routes![
        public,
        get_value,
        set,
        set_and_remove,
        count,
        log_in,
        log_in_and_save,
        log_out,
        end_others,
        who,
        renew,
        touch,
        set_idle_timeout,
        set_absolute_timeout,
        save,
        save_and_shrug,
        set_and_reload,
        fill,
        fill_and_go_on,
        fail_after_log_in,
        panics,
        lifetime,
        cached
    ]
}

#[get("/public")]
pub fn public() -> &'static str {
    "public"
}

#[get("/get")]
pub fn get_value(session: &Session) -> Result<String, Error> {
    Ok(format!("{:?}", session.get::<String>("key")?))
}

#[post("/set/<value>")]
pub fn set(session: &Session, value: &str) -> Result<(), Error> {
    session.insert("key", value)
}

#[post("/set_and_remove")]
pub fn set_and_remove(session: &Session) -> Result<(), Error> {
    session.insert("key", 1)?;
    session.remove("key")
}

#[post("/count")]
pub fn count(session: &Session) -> Result<String, Error> {
    Ok(session.update("count", |n: u64| n + 1)?.to_string())
}

#[post("/log_in/<user>")]
pub fn log_in(session: &Session, user: &str) -> Result<(), Error> {
    session.log_in(user)
}

#[post("/log_out")]
pub fn log_out(session: &Session) {
    session.log_out();
}

#[post("/end_others")]
pub fn end_others(session: &Session) {
    session.end_others();
}

#[post("/end_device/<key>")]
pub async fn end_device(session: &Session, key: &str) -> Result<(), Error> {
    session.end_device(key).await.map(drop)
}

#[get("/who")]
pub fn who(session: &Session) -> String {
    session.user_id().unwrap_or_else(|| "nobody".into())
}

#[post("/renew?<drop>")]
pub fn renew(session: &Session, drop: bool) -> Result<(), Error> {
    if drop {
        session.clear()?;
    }
    session.renew();
    Ok(())
}

#[post("/touch")]
pub fn touch(session: &Session) {
    session.touch();
}

#[post("/set_idle_timeout/<millis>")]
pub fn set_idle_timeout(session: &Session, millis: u64) -> String {
    outcome(session.set_idle_timeout(Duration::from_millis(millis)))
}

#[post("/set_absolute_timeout/<millis>")]
pub fn set_absolute_timeout(session: &Session, millis: u64) -> String {
    outcome(session.set_absolute_timeout(Duration::from_millis(millis)))
}

fn outcome(result: Result<(), Error>) -> String {
    result.map_or_else(|error| format!("{error:?}"), |()| "set".into())
}

/// Outside the request's session.
#[post("/revoke/<key>")]
pub async fn revoke(live: LiveSessions, key: String) -> Result<String, Error> {
    let ended = live.revoke(&Key::from_stored(key)).await?;
    Ok(ended.to_string())
}

#[post("/revoke_all/<user>")]
pub async fn revoke_all(live: LiveSessions, user: &str) -> Result<(), Error> {
    live.revoke_all(user).await.map(drop)
}

/// Revokes all sessions.
#[post("/clear")]
pub async fn clear(live: LiveSessions) -> Result<(), Error> {
    live.clear().await.map(drop)
}

#[post("/log_in_and_save/<user>")]
async fn log_in_and_save(session: &Session, user: &str) -> Result<(), Error> {
    session.log_in(user)?;
    session.save().await?;
    session.insert("colour", "blue")
}

#[post("/save")]
async fn save(session: &Session) -> Result<String, Error> {
    session.insert("key", "saved")?;
    session.save().await?;
    Ok(format!("{:?}", session.short_key()))
}

#[post("/save_and_shrug")]
async fn save_and_shrug(session: &Session) -> Result<(), Error> {
    session.insert("key", "shrugged")?;
    let _ = session.save().await;
    Ok(())
}

#[post("/set_and_reload")]
async fn set_and_reload(session: &Session) -> Result<String, Error> {
    session.insert("key", "not kept")?;
    session.reload().await?;
    Ok(format!("{:?}", session.get::<String>("key")?))
}

#[post("/fill/<bytes>")]
pub fn fill(session: &Session, bytes: usize) -> Result<(), Error> {
    session.insert("big", "x".repeat(bytes))
}

#[post("/fill_and_go_on/<bytes>")]
pub fn fill_and_go_on(session: &Session, bytes: usize) -> String {
    format!(
        "{:?}",
        session
            .insert("big", "x".repeat(bytes))
            .map_err(|error| error.kind())
    )
}

#[post("/fail_after_log_in")]
pub fn fail_after_log_in(session: &Session) -> Result<Status, Error> {
    session.log_in("ada")?;
    Ok(Status::ImATeapot)
}

#[post("/panic")]
pub fn panics(session: &Session) -> String {
    session.insert("key", "before the panic").unwrap();
    panic!("as ordered");
}

#[get("/lifetime")]
pub fn lifetime(session: &Session) -> String {
    let (expires, deadline) = (
        session.expires_at().timestamp_millis(),
        session.absolute_expiry().timestamp_millis(),
    );
    format!(
        "{} {} {}",
        expires - START,
        deadline - START,
        session.is_new()
    )
}

#[get("/cached")]
pub fn cached(session: &Session) -> (rocket::http::ContentType, WithHeader) {
    let _ = session;
    (
        rocket::http::ContentType::Plain,
        WithHeader(
            "cached",
            Header::new("Cache-Control", "private, max-age=60"),
        ),
    )
}

#[derive(rocket::Responder)]
pub struct WithHeader(&'static str, Header<'static>);
