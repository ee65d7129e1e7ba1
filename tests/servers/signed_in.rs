//! The guard `SignedIn` on each database: the way to the sign-in page and back, and closed accounts.

use rocket::http::{Accept, Status};
use rocket::local::blocking::Client;
use rocket::response::Redirect;
use rocket::serde::Deserialize;
use rocket::{Build, Rocket, get, post, routes};
use rocket_diesel_session::sign_in::{Account, SignedIn};
use rocket_diesel_session::{Error, Session, Sessions};

use testing::database::TestDatabase;
use testing::{on_every_backend, on_redis, site};

#[derive(Deserialize)]
#[serde(crate = "rocket::serde")]
struct Member {
    nickname: String,
    is_open: bool,
    is_known: Option<bool>,
}

impl Account for Member {
    fn is_open(&self) -> bool {
        self.is_open
    }
}

/// A type that the row does not fit.
#[derive(Deserialize)]
#[serde(crate = "rocket::serde")]
struct Misread {
    #[serde(rename = "nickname")]
    _nickname: bool,
}

impl Account for Misread {}

#[get("/club")]
fn club(member: SignedIn<Member>) -> String {
    format!("{} {:?}", member.nickname, member.is_known)
}

#[get("/misread")]
fn misread(_member: SignedIn<Misread>) {}

#[post("/sign_in")]
fn sign_in(session: &Session) -> Result<Redirect, Error> {
    session.log_in(7)?;
    Ok(Redirect::to(session.return_to("/")))
}

fn make_members(database: &TestDatabase) {
    database.run(
        "CREATE TABLE members (number INT PRIMARY KEY, nickname VARCHAR(9), is_open BOOLEAN, is_known BOOLEAN)",
    );
    database.run("INSERT INTO members VALUES (7, 'ada', TRUE, NULL)");
}

/// The members in one database, the sessions in the same or in Redis.
fn application(sessions: &TestDatabase, members: &TestDatabase) -> Rocket<Build> {
    let mut figment = site::figment("{}")
        .merge(("databases.app.url", &sessions.url))
        .merge(("session.table", &sessions.table));
    if members.url != sessions.url {
        figment = figment
            .merge(("databases.members.url", &members.url))
            .merge(("session.users", "members"));
    }
    let columns = &["nickname", "is_open", "is_known"];
    let fairing = Sessions::fairing().with_user("members", "number", columns);
    rocket::custom(figment)
        .mount("/", routes![club, misread, sign_in])
        .attach(fairing.with_sign_in_page("/sign_in"))
}

fn members_sign_in_until_their_account_is_closed(sessions: &TestDatabase, members: &TestDatabase) {
    make_members(members);
    let client = Client::tracked(application(sessions, members)).unwrap();
    let leads_to = |answer: &rocket::local::blocking::LocalResponse<'_>| {
        let location = answer.headers().get_one("Location");
        location.unwrap_or_default().to_owned()
    };
    let club = || {
        let answer = client.get("/club").dispatch();
        (
            answer.status().code,
            answer.into_string().unwrap_or_default(),
        )
    };
    let page = client.get("/club?page=2").header(Accept::HTML).dispatch();
    assert_eq!(leads_to(&page), "/sign_in?next=%2Fclub%3Fpage%3D2");
    let refused = client.get("/club").header(Accept::JSON).dispatch();
    assert_eq!(refused.status(), Status::Unauthorized);
    let content_type = refused.content_type().unwrap().to_string();
    assert_eq!(content_type, "application/problem+json");

    let sign_in = || client.post(leads_to(&page)).dispatch();
    assert_eq!(leads_to(&sign_in()), "/club?page=2");
    assert_eq!(club(), (200, "ada None".to_owned()));
    members.run("UPDATE members SET is_known = FALSE");
    assert_eq!(club(), (200, "ada Some(false)".to_owned()));
    assert_eq!(client.get("/misread").dispatch().status().code, 500);

    assert_eq!(sessions.store.count(0).unwrap(), 1);
    members.run("UPDATE members SET is_open = FALSE");
    assert_eq!(club().0, 401);
    assert_eq!(sessions.store.count(0).unwrap(), 0);
    members.run("UPDATE members SET is_open = TRUE, is_known = TRUE");
    assert_eq!(club().0, 401, "the session has ended");
    sign_in();
    assert_eq!(club(), (200, "ada Some(true)".to_owned()));
    members.run("DELETE FROM members");
    assert_eq!(club().0, 401);
}

fn members_sign_in_beside_their_table(database: &TestDatabase) {
    members_sign_in_until_their_account_is_closed(database, database);
}

fn members_of_sqlite_sign_in(sessions: &TestDatabase) {
    members_sign_in_until_their_account_is_closed(sessions, &testing::database::sqlite());
}

on_every_backend!(members_sign_in_beside_their_table);
on_redis!(members_of_sqlite_sign_in);
