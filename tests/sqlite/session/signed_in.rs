//! The guard `SignedIn`: the user's row, or the reason why there is none.

use std::sync::Arc;

use rocket::http::{Accept, ContentType, Header, Status};
use rocket::local::blocking::Client;
use rocket::serde::Deserialize;
use rocket::{Build, Rocket, get, post, routes};
use rocket_diesel_session::sign_in::{Account, SignedIn};
use rocket_diesel_session::{Error, ErrorKind, Session, Sessions};

use testing::database::{TestDatabase, sqlite};
use testing::site::{self, Watched};

use crate::log::log_of;

#[derive(Deserialize)]
#[serde(crate = "rocket::serde")]
pub struct User {
    id: i64,
    name: String,
    is_closed: bool,
}

impl Account for User {
    fn is_open(&self) -> bool {
        !self.is_closed
    }
}

/// A type that the row does not fit.
#[derive(Deserialize)]
#[serde(crate = "rocket::serde")]
struct Balance {
    #[serde(rename = "name")]
    _balance: u64,
}

impl Account for Balance {}

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

#[get("/balance")]
fn balance(_balance: SignedIn<Balance>) {}

#[get("/maybe_balance")]
fn maybe_balance(balance: Option<SignedIn<Balance>>) -> String {
    balance.is_some().to_string()
}

/// A page with the form of the sign-in for anonymous users.
#[get("/token")]
fn token(user: Option<SignedIn<User>>, session: &Session) -> Result<String, Error> {
    let id = session.user_id().unwrap_or("anonymous".into());
    assert_eq!(user.is_some(), id != "anonymous");
    session.csrf_token()
}

#[post("/sign_in")]
fn sign_in(session: &Session) -> Result<(), Error> {
    session.log_in(7)
}

#[post("/log_in/<id>")]
pub fn log_in(session: &Session, id: &str) -> Result<(), Error> {
    session.log_in(id)
}

pub fn database() -> TestDatabase {
    let database = sqlite();
    database
        .run("CREATE TABLE people (id INTEGER PRIMARY KEY, name TEXT NOT NULL, is_closed BOOLEAN)");
    database.run("INSERT INTO people VALUES (7, 'ada', FALSE)");
    database
}

pub fn rocket_on(database: &TestDatabase, sessions: Sessions) -> Rocket<Build> {
    let figment = site::figment("{}").merge(("databases.app.url", &database.url));
    rocket::custom(figment).attach(sessions)
}

pub fn with_people(sessions: Sessions) -> Sessions {
    sessions.with_user("people", "id", &["id", "name", "is_closed"])
}

fn client(database: &TestDatabase) -> Client {
    let routes = routes![
        home,
        upper_case,
        maybe,
        reason,
        balance,
        maybe_balance,
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
        for path in ["/home", "/upper_case", "/balance"] {
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
fn the_session_of_a_closed_account_ends() {
    let database = database();
    let client = client(&database);
    let sessions = || testing::sql::count(&database, "sessions");
    for path in ["/home", "/maybe"] {
        client.post("/log_in/7").dispatch();
        assert_eq!((ask(&client, path).0, sessions()), (200, 1), "{path}");
        database.run("UPDATE people SET is_closed = TRUE");
        let answer = client.get(path).dispatch();
        let expected = if path == "/home" { 401 } else { 200 };
        assert_eq!(answer.status().code, expected, "{path}");
        let cookie = answer.headers().get_one("Set-Cookie").unwrap_or_default();
        assert!(cookie.contains("Max-Age=0"), "{path}: {cookie}");
        assert_eq!(sessions(), 0, "{path}");
        database.run("UPDATE people SET is_closed = FALSE");
        assert_eq!(ask(&client, "/home").0, 401, "{path}: opened again");
    }
}

#[test]
fn a_form_on_the_page_that_ends_the_session_of_a_closed_account_is_accepted() {
    let database = database();
    let sessions = with_people(Sessions::fairing()).with_csrf_protection();
    let rocket = rocket_on(&database, sessions).mount("/", routes![token, sign_in]);
    let client = Client::tracked(rocket).unwrap();
    let sign_in = || {
        let token = client.get("/token").dispatch().into_string().unwrap();
        let form = client.post("/sign_in").header(ContentType::Form);
        form.body(format!("_token={token}")).dispatch().status()
    };
    assert_eq!(sign_in(), Status::Ok);
    database.run("UPDATE people SET is_closed = TRUE");
    assert_eq!(sign_in(), Status::Ok);
}

#[test]
fn a_row_that_does_not_fit_is_500_and_logged_with_its_column() {
    let name = "session::signed_in::a_row_that_does_not_fit_is_500_and_logged_with_its_column";
    let Some(log) = log_of(name, |level| {
        let database = database();
        let routes = routes![balance, maybe_balance, log_in];
        let rocket = rocket_on(&database, with_people(Sessions::fairing())).mount("/", routes);
        let figment = rocket.figment().clone().merge(("log_level", level));
        let client = Client::tracked(rocket.configure(figment)).unwrap();
        client.post("/log_in/7").dispatch();
        assert_eq!(ask(&client, "/balance").0, 500);
        assert_eq!(ask(&client, "/maybe_balance"), (200, "false".to_owned()));
    }) else {
        return;
    };
    let lines = log
        .lines()
        .filter(|line| line.starts_with("Error: the user's row"));
    let lines: Vec<_> = lines.collect();
    assert_eq!(lines.len(), 2, "{log}");
    for line in lines {
        let reason = "column name: invalid type: string \"ada\", expected u64";
        for words in ["::Balance", reason] {
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

/// A type with a field that no column fills.
#[derive(Deserialize)]
#[serde(crate = "rocket::serde")]
struct Admin {
    #[serde(rename = "isAdmin")]
    _is_admin: bool,
}

impl Account for Admin {}

#[get("/admin")]
fn admin(_admin: Option<SignedIn<Admin>>) {}

/// Launches, and fails unless a sentinel stops that.
fn expect_abort(rocket: Rocket<Build>, level: &str) {
    let figment = rocket.figment().clone().merge(("log_level", level));
    let error = Client::untracked(rocket.configure(figment)).err().unwrap();
    let kind = error.kind();
    let stops = matches!(kind, rocket::error::ErrorKind::SentinelAborts(_));
    assert!(stops, "{kind:?}");
}

#[test]
fn a_field_that_no_column_fills_stops_the_launch() {
    let name = "session::signed_in::a_field_that_no_column_fills_stops_the_launch";
    let Some(log) = log_of(name, |level| {
        let database = database();
        let rocket = rocket_on(&database, with_people(Sessions::fairing()));
        expect_abort(rocket.mount("/", routes![admin]), level);
    }) else {
        return;
    };
    let words =
        "Admin>, but Sessions::with_user loads no column for its field \"isAdmin\": add the column";
    assert!(log.contains(words), "{log}");
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
                expect_abort(rocket.mount("/", routes.clone()), level);
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
