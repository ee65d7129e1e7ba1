//! Flash messages and the answers that nobody reads, on each kind of store.

use rocket::http::{Header, Status};
use rocket::local::blocking::Client;
use rocket::response::Redirect;
use rocket::{Build, Rocket, get, head, options, post, routes};
use rocket_diesel_session::{Error, Session, Sessions};

use testing::database::TestDatabase;
use testing::site;
use testing::{on_every_backend, on_redis};

on_every_backend!(an_answer_that_nobody_reads_takes_no_message);
on_redis!(an_answer_that_nobody_reads_takes_no_message);

#[post("/leave/<message>")]
fn leave(session: &Session, message: &str) -> Result<(), Error> {
    session.flash("success", message)
}

#[get("/page")]
fn page(session: &Session) -> Result<String, Error> {
    let taken = session.flashes()?.into_iter().map(|flash| flash.message);
    let again = session.flashes()?.len();
    Ok(format!("{:?} and {again}", taken.collect::<Vec<_>>()))
}

#[head("/own_head")]
fn own_head(session: &Session) -> Result<(), Error> {
    session.flashes().map(drop)
}

#[options("/page")]
fn preflight(session: &Session) -> Result<(), Error> {
    session.flashes().map(drop)
}

#[get("/elsewhere")]
fn elsewhere(session: &Session) -> Result<Redirect, Error> {
    session.flashes().map(|_| Redirect::to("/page"))
}

#[get("/answer/<code>")]
fn answer(session: &Session, code: u16) -> Result<Status, Error> {
    session.flashes().map(|_| Status::new(code))
}

/// Saves before it answers, and takes the messages before and after.
#[get("/saved/<code>")]
async fn saved(session: &Session, code: u16) -> Result<Status, Error> {
    session.flashes()?;
    session.insert("saved", code)?;
    session.save().await?;
    session.flashes().map(|_| Status::new(code))
}

fn application(sessions: Sessions) -> Rocket<Build> {
    let routes = routes![leave, page, own_head, preflight, elsewhere, answer, saved];
    rocket::custom(site::figment("{}"))
        .mount("/", routes)
        .attach(sessions)
}

fn an_answer_that_nobody_reads_takes_no_message(database: &TestDatabase) {
    let sessions = Sessions::fairing().with_store(database.store.clone());
    let client = Client::tracked(application(sessions)).unwrap();
    let shown = || client.get("/page").dispatch().into_string().unwrap();
    client.post("/leave/hello").dispatch();

    client.head("/page").dispatch();
    client.head("/own_head").dispatch();
    client.options("/page").dispatch();
    client.get("/elsewhere").dispatch();
    for code in [204, 205, 301, 302, 303, 304, 307, 308, 500, 503] {
        client.get(format!("/answer/{code}")).dispatch();
    }
    client.get("/saved/303").dispatch();
    for (name, value) in [
        ("Sec-Purpose", "prefetch"),
        ("Sec-Purpose", "prefetch;prerender"),
        ("Sec-Purpose", "Prefetch;anonymous-client-ip"),
        ("Purpose", "prefetch"),
        ("X-Purpose", "preview"),
        ("X-Moz", "prefetch"),
    ] {
        let ahead = client.get("/page").header(Header::new(name, value));
        ahead.dispatch();
    }
    assert_eq!(shown(), r#"["hello"] and 0"#);
    assert_eq!(shown(), "[] and 0");

    client.post("/leave/again").dispatch();
    client.get("/saved/200").dispatch();
    assert_eq!(shown(), "[] and 0", "a page that was shown takes it");
    client.post("/leave/same").dispatch();
    client.post("/leave/same").dispatch();
    assert_eq!(shown(), r#"["same", "same"] and 0"#);
    client.post("/leave/refused").dispatch();
    client.get("/answer/404").dispatch();
    assert_eq!(shown(), "[] and 0", "a page that says what is wrong");
}
