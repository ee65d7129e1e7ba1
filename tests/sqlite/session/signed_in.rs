//! The guard `SignedIn`: the user's row, or the reason why there is none.

use std::sync::Arc;

use rocket::http::{Accept, Header, Status};
use rocket::local::blocking::Client;
use rocket::serde::Deserialize;
use rocket::{Build, Rocket, get, post, routes};
use rocket_diesel_session::sign_in::SignedIn;
use rocket_diesel_session::{Error, ErrorKind, Session, Sessions};

use testing::database::{TestDatabase, sqlite};
use testing::site::{self, Watched};

use crate::log::log_of;

#[derive(Deserialize)]
#[serde(crate = "rocket::serde")]
pub struct User {
    id: i64,
    name: String,
}

/// A type that the row does not fit.
#[derive(Deserialize)]
#[serde(crate = "rocket::serde")]
struct Account {
    #[serde(rename = "name")]
    _balance: u64,
}

#[get("/home")]
pub fn home(user: SignedIn<User>) -> String {
    format!("{} {}", user.id, user.name)
}

#[get("/upper_case")]
fn upper_case(mut user: SignedIn<User>) -> String {
    user.name.make_ascii_uppercase();
    let SignedIn(shown) = &user;
    let shown = shown.name.clone();
    format!("{shown} {}", user.into_inner().name)
}

#[get("/maybe")]
pub fn maybe(user: Option<SignedIn<User>>) -> String {
    user.map_or("nobody".into(), |user| user.into_inner().name)
}

#[get("/reason")]
fn reason(user: Result<SignedIn<User>, Error>) -> Result<String, Error> {
    match user {
        Err(error) if error.kind() == ErrorKind::Anonymous => Ok(error.to_string()),
        user => Ok(user?.into_inner().name),
    }
}

#[get("/account")]
fn account(_account: SignedIn<Account>) {}

#[get("/maybe_account")]
fn maybe_account(account: Option<SignedIn<Account>>) -> String {
    account.is_some().to_string()
}

#[post("/log_in/<id>")]
pub fn log_in(session: &Session, id: &str) -> Result<(), Error> {
    session.log_in(id)
}

pub fn database() -> TestDatabase {
    let database = sqlite();
    database.run("CREATE TABLE people (id INTEGER PRIMARY KEY, name TEXT NOT NULL)");
    database.run("INSERT INTO people VALUES (7, 'ada')");
    database
}

pub fn rocket_on(database: &TestDatabase, sessions: Sessions) -> Rocket<Build> {
    let figment = site::figment("{}").merge(("databases.app.url", &database.url));
    rocket::custom(figment).attach(sessions)
}

pub fn with_people(sessions: Sessions) -> Sessions {
    sessions.with_user("people", "id", &["id", "name"])
}

fn client(database: &TestDatabase) -> Client {
    let routes = routes![
        home,
        upper_case,
        maybe,
        reason,
        account,
        maybe_account,
        log_in
    ];
    let rocket = rocket_on(database, with_people(Sessions::fairing())).mount("/", routes);
    Client::tracked(rocket).unwrap()
}

fn ask(client: &Client, path: &'static str) -> (u16, String) {
    let answer = client.get(path).dispatch();
    (
        answer.status().code,
        answer.into_string().unwrap_or_default(),
    )
}

#[test]
fn a_signed_in_user_s_row_reaches_the_route() {
    let database = database();
    let client = client(&database);
    client.post("/log_in/7").dispatch();
    for (path, body) in [
        ("/home", "7 ada"),
        ("/upper_case", "ADA ADA"),
        ("/maybe", "ada"),
        ("/reason", "ada"),
    ] {
        assert_eq!(ask(&client, path), (200, body.to_owned()), "{path}");
    }
}

#[test]
fn an_anonymous_request_gets_401() {
    let database = database();
    let client = client(&database);
    let is_refused = |client: &Client| {
        for path in ["/home", "/upper_case", "/account"] {
            assert_eq!(ask(client, path).0, 401, "{path}");
        }
        assert_eq!(ask(client, "/maybe"), (200, "nobody".to_owned()));
        let reason = (200, "nobody is signed in".to_owned());
        assert_eq!(ask(client, "/reason"), reason);
        let page = client.get("/home").header(Accept::HTML).dispatch();
        assert_eq!(page.status(), Status::Unauthorized, "no page is configured");
    };
    is_refused(&client);
    client.post("/log_in/8").dispatch();
    is_refused(&client);
    client.post("/log_in/7").dispatch();
    assert_eq!(ask(&client, "/home").0, 200);
    database.run("DELETE FROM people");
    is_refused(&client);
}

#[test]
fn a_row_that_does_not_fit_is_500_and_logged_with_the_reason() {
    let name = "session::signed_in::a_row_that_does_not_fit_is_500_and_logged_with_the_reason";
    let Some(log) = log_of(name, |level| {
        let database = database();
        let routes = routes![account, maybe_account, log_in];
        let rocket = rocket_on(&database, with_people(Sessions::fairing())).mount("/", routes);
        let figment = rocket.figment().clone().merge(("log_level", level));
        let client = Client::tracked(rocket.configure(figment)).unwrap();
        client.post("/log_in/7").dispatch();
        assert_eq!(ask(&client, "/account").0, 500);
        assert_eq!(ask(&client, "/maybe_account"), (200, "false".to_owned()));
    }) else {
        return;
    };
    let lines = log
        .lines()
        .filter(|line| line.starts_with("Error: the user's row"));
    let lines: Vec<_> = lines.collect();
    assert_eq!(lines.len(), 2, "{log}");
    for line in lines {
        for words in ["::Account", "invalid type: string \"ada\", expected u64"] {
            assert!(line.contains(words), "{line}");
        }
    }
}

#[test]
fn a_session_that_cannot_be_loaded_is_503_and_not_anonymous() {
    let store = Arc::new(Watched::default());
    let sessions = Sessions::fairing().with_store(store.clone());
    let rocket = rocket::custom(site::figment("{}")).attach(sessions.with_sign_in_page("/sign_in"));
    let client = Client::untracked(rocket.mount("/", routes![home, maybe, reason])).unwrap();
    let cookie = format!("__Host-id={}", site::invented_token());
    store.fail(u32::MAX);
    for path in ["/home", "/maybe", "/reason"] {
        let request = client.get(path).header(Accept::HTML);
        let answer = request
            .header(Header::new("Cookie", cookie.clone()))
            .dispatch();
        assert_eq!(answer.status(), Status::ServiceUnavailable, "{path}");
        assert_eq!(answer.headers().get_one("Retry-After"), Some("2"), "{path}");
    }
}

/// A guard that launches unseen, since no route names what it asks for.
struct Inner;

#[rocket::async_trait]
impl<'r> rocket::request::FromRequest<'r> for Inner {
    type Error = Error;

    async fn from_request(
        request: &'r rocket::Request<'_>,
    ) -> rocket::request::Outcome<Self, Error> {
        let user = request.guard::<SignedIn<User>>().await;
        user.map(|_| Self)
    }
}

#[get("/inner")]
fn inner(_inner: Inner) {}

#[test]
fn a_guard_around_it_is_500_without_users_and_never_401() {
    let database = database();
    let bare = rocket::custom(site::figment("{}"));
    for rocket in [rocket_on(&database, Sessions::fairing()), bare] {
        let client = Client::tracked(rocket.mount("/", routes![inner])).unwrap();
        assert_eq!(ask(&client, "/inner").0, 500);
    }
}

#[test]
fn a_route_without_the_fairing_or_its_users_stops_the_launch_with_the_remedy() {
    let name = "session::signed_in::a_route_without_the_fairing_or_its_users_stops_the_launch_with_the_remedy";
    let Some(log) = log_of(name, |level| {
        let database = database();
        let rockets = || {
            let bare = rocket::custom(site::figment("{}"));
            [bare, rocket_on(&database, Sessions::fairing())]
        };
        for routes in [routes![home], routes![maybe], routes![reason]] {
            for rocket in rockets() {
                let figment = rocket.figment().clone().merge(("log_level", level));
                let rocket = rocket.configure(figment).mount("/", routes.clone());
                let error = Client::untracked(rocket).err().unwrap();
                let kind = error.kind();
                let stops = matches!(kind, rocket::error::ErrorKind::SentinelAborts(_));
                assert!(stops, "{kind:?}");
            }
        }
    }) else {
        return;
    };
    let lines = log
        .lines()
        .filter(|line| line.contains("SignedIn<sqlite::"));
    let lines: Vec<_> = lines.collect();
    assert_eq!(lines.len(), 6, "{log}");
    for (line, number) in lines.iter().zip(0..) {
        let remedy = ["attach it", "with_user is not called: call it"][number % 2];
        assert!(
            line.contains("User>, but ") && line.contains(remedy),
            "{line}"
        );
    }
}
