//! Flash messages and unread responses, on each kind of store.

use rocket::figment::Figment;
use rocket::http::{Header, Status};
use rocket::local::blocking::Client;
use rocket::response::Redirect;
use rocket::{Build, Rocket, get, head, options, post, routes};
use rocket_diesel_session::{Error, Session, Sessions};

use testing::database::TestDatabase;
use testing::on_every_store;
use testing::site;

on_every_store!(
    an_unread_response_takes_no_message,
    a_message_that_is_left_at_the_sign_out_is_shown,
);

/// The same in the format of Express.
#[cfg(all(feature = "mysql", feature = "redis"))]
mod express {
    use super::*;

    fn client(database: &TestDatabase) -> Client {
        let session = r#"{format="express",secrets=["keyboard cat"],create_table=true}"#;
        let url = ("databases.app.url", &database.url);
        let figment = site::figment(session).merge(url);
        Client::tracked(application(figment, Sessions::fairing())).unwrap()
    }

    #[test]
    #[ignore = "needs MariaDB: run ./test.sh"]
    fn mariadb() {
        let database = testing::database::empty_mariadb();
        assert_taken_by_readers_alone(&client(&database));
        assert_shown_after_a_sign_out(&client(&database));
    }

    #[test]
    #[ignore = "needs Redis: run ./test.sh"]
    fn redis() {
        let database = testing::database::redis();
        assert_taken_by_readers_alone(&client(&database));
        assert_shown_after_a_sign_out(&client(&database));
    }
}

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

#[post("/begin")]
fn begin(session: &Session) -> Result<(), Error> {
    session.log_in("ada")?;
    session.insert("secret", "of ada")?;
    session.flash("info", "of before")
}

#[post("/sign_out/<first>")]
fn sign_out(session: &Session, first: &str) -> Result<(), Error> {
    if first == "message" {
        session.flash("success", "signed out")?;
    }
    session.log_out();
    if first == "end" {
        session.flash("success", "signed out")?;
    }
    Ok(())
}

#[get("/secret")]
fn secret(session: &Session) -> Result<String, Error> {
    let secret = session.get::<String>("secret")?;
    Ok(format!("{:?} {secret:?}", session.user_id()))
}

fn application(figment: Figment, sessions: Sessions) -> Rocket<Build> {
    let of_messages = routes![leave, page, own_head, preflight, elsewhere, answer, saved];
    rocket::custom(figment)
        .mount("/", of_messages)
        .mount("/", routes![begin, sign_out, secret])
        .attach(sessions)
}

fn client(database: &TestDatabase) -> Client {
    let sessions = Sessions::fairing().with_store(database.store.clone());
    Client::tracked(application(site::figment("{}"), sessions)).unwrap()
}

fn a_message_that_is_left_at_the_sign_out_is_shown(database: &TestDatabase) {
    assert_shown_after_a_sign_out(&client(database));
}

fn assert_shown_after_a_sign_out(client: &Client) {
    let get = |path| client.get(path).dispatch().into_string().unwrap();
    let cookies = || {
        let cookies = client.cookies();
        cookies.iter().map(ToString::to_string).collect::<Vec<_>>()
    };
    for first in ["end", "message"] {
        client.post("/begin").dispatch();
        assert_eq!(get("/secret"), r#"Some("ada") Some("of ada")"#);
        let old = cookies();
        let answer = client.post(format!("/sign_out/{first}")).dispatch();
        assert_eq!(answer.status(), Status::Ok);
        drop(answer);
        assert_ne!(cookies(), old);
        let old = Header::new("Cookie", old.join("; "));
        let ended = client.get("/secret").header(old).dispatch();
        assert_eq!(ended.into_string().unwrap(), "None None");
        assert_eq!(get("/secret"), "None None");
        assert_eq!(get("/page"), r#"["signed out"] and 0"#);
        assert_eq!(get("/page"), "[] and 0");
    }
}

fn an_unread_response_takes_no_message(database: &TestDatabase) {
    assert_taken_by_readers_alone(&client(database));
}

fn assert_taken_by_readers_alone(client: &Client) {
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
