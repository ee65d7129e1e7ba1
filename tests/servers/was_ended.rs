//! `Session::was_ended` on each store.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use rocket::http::Cookie;
use rocket::local::blocking::Client;
use rocket::{Build, Rocket, get, post, routes};
use rocket_diesel_session::{Error, Session, Sessions, Token};

use testing::database::TestDatabase;
use testing::on_every_store;
use testing::site::{HOUR, START, clock, figment, log_in, revoke};

on_every_store!(only_the_token_of_an_absent_session_counts_as_ended);

#[post("/log_out")]
fn log_out(session: &Session) -> String {
    session.log_out();
    session.was_ended().to_string()
}

#[post("/begin")]
async fn begin(session: &Session) -> Result<String, Error> {
    session.insert("colour", "blue")?;
    session.save().await?;
    Ok(session.was_ended().to_string())
}

#[get("/")]
fn was_ended(session: &Session) -> String {
    session.was_ended().to_string()
}

fn application(database: &TestDatabase, now: &Arc<AtomicI64>) -> Rocket<Build> {
    let store = database.store.clone();
    let sessions = Sessions::fairing().with_store(store).with_clock(clock(now));
    rocket::custom(figment("{}"))
        .mount("/", routes![log_in, log_out, begin, was_ended, revoke])
        .attach(sessions)
}

fn only_the_token_of_an_absent_session_counts_as_ended(database: &TestDatabase) {
    let now = Arc::new(AtomicI64::new(START));
    let client = Client::untracked(application(database, &now)).unwrap();
    let post = |path: String, cookie: &Cookie<'static>| {
        let answer = client.post(path).cookie(cookie.clone()).dispatch();
        answer.into_string().unwrap()
    };
    let sign_in = || -> Cookie<'static> {
        let answer = client.post("/log_in/ada").dispatch();
        let cookie = answer.cookies().iter().next().unwrap();
        Cookie::new(cookie.name().to_owned(), cookie.value().to_owned())
    };
    let was_ended = |cookie: &Cookie<'static>| {
        let answer = client.get("/").cookie(cookie.clone()).dispatch();
        answer.into_string().unwrap()
    };
    assert_eq!(client.get("/").dispatch().into_string().unwrap(), "false");
    let revoked = sign_in();
    assert_eq!(was_ended(&revoked), "false", "a live session");
    let key = Token::parse(revoked.value()).unwrap().key();
    post(format!("/revoke/{}", key.as_str()), &revoked);
    assert_eq!(was_ended(&revoked), "true", "a revoked session");

    let signed_out = sign_in();
    let before = post("/log_out".into(), &signed_out);
    assert_eq!(before, "false", "its own user ends it");
    assert_eq!(
        was_ended(&signed_out),
        "true",
        "a session after its sign-out"
    );

    let expired = sign_in();
    now.fetch_add(3 * HOUR, Ordering::SeqCst);
    assert_eq!(was_ended(&expired), "true", "an expired session");

    let name = expired.name().to_owned();
    let text = format!("{:A<43}", "");
    assert!(Token::parse(&text).is_some());
    assert_eq!(was_ended(&Cookie::new(name.clone(), text)), "true");
    assert_eq!(was_ended(&Cookie::new(name, "no token")), "false");
    let begun = post("/begin".into(), &expired);
    assert_eq!(begun, "true", "the request came with the old one");
}
