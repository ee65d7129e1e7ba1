//! Bearer tokens on each store: sign-in, use, renewal, sign-out, and a cookie beside them.

use rocket::http::{ContentType, Header, Status};
use rocket::local::blocking::Client;
use rocket::{get, post, routes};
use rocket_diesel_session::{Error, Session, Sessions, Token};

use testing::database::TestDatabase;
use testing::on_every_store;
use testing::site::{end_others, figment, log_in, log_out, renew};

on_every_store!(
    a_client_with_a_token_needs_no_cookie_and_no_csrf_token,
    each_new_token_of_a_bearer_session_is_handed_out,
    a_cookie_beside_a_bearer_token_is_equal_or_refused,
    a_session_of_a_cookie_becomes_one_of_a_token,
);

#[post("/token")]
async fn token(session: &Session) -> Result<String, Error> {
    session.log_in("ada")?;
    session.bearer_token().await
}

#[post("/exchange")]
async fn exchange(session: &Session) -> Result<String, Error> {
    session.bearer_token().await
}

#[post("/who")]
fn who(session: &Session) -> Result<String, Status> {
    session.user_id().ok_or(Status::Unauthorized)
}

#[get("/maybe")]
fn maybe(session: Option<&Session>) -> String {
    session.is_some().to_string()
}

fn client(database: &TestDatabase) -> Client {
    let sessions = Sessions::fairing()
        .with_store(database.store.clone())
        .with_csrf_protection();
    let routes = routes![
        token, exchange, log_in, renew, end_others, log_out, who, maybe
    ];
    let figment = figment(r#"{token_from=["cookie","bearer"]}"#);
    let rocket = rocket::custom(figment).mount("/", routes).attach(sessions);
    Client::untracked(rocket).unwrap()
}

#[derive(Debug)]
struct Answer {
    status: u16,
    headers: Vec<(String, String)>,
    body: String,
}

impl Answer {
    fn all(&self, name: &str) -> Vec<&str> {
        let headers = self.headers.iter();
        let named = headers.filter(|(key, _)| key.eq_ignore_ascii_case(name));
        named.map(|(_, value)| value.as_str()).collect()
    }

    fn new_token(&self) -> Option<&str> {
        self.all("Session-Token").first().copied()
    }
}

type Headers<'h> = &'h [(&'static str, &'h str)];

/// Posts JSON, which needs no CSRF token.
fn post(client: &Client, path: &'static str, headers: Headers<'_>) -> Answer {
    post_as(client, path, ContentType::JSON, headers)
}

fn post_as(
    client: &Client,
    path: &'static str,
    content: ContentType,
    headers: Headers<'_>,
) -> Answer {
    let mut request = client.post(path).header(content);
    for (name, value) in headers {
        request.add_header(Header::new(*name, (*value).to_owned()));
    }
    let response = request.dispatch();
    let headers = response.headers().iter();
    let headers = headers.map(|it| (it.name.to_string(), it.value.to_string()));
    Answer {
        status: response.status().code,
        headers: headers.collect(),
        body: response.into_string().unwrap_or_default(),
    }
}

fn bearer(token: &str) -> String {
    format!("Bearer {token}")
}

fn who_has(client: &Client, token: &str) -> (u16, String) {
    let answer = post(client, "/who", &[("Authorization", &bearer(token))]);
    (answer.status, answer.body)
}

fn signed_in_as(user: &str) -> (u16, String) {
    (200, user.to_owned())
}

fn a_client_with_a_token_needs_no_cookie_and_no_csrf_token(database: &TestDatabase) {
    let client = client(database);
    let begun = post(&client, "/token", &[]);
    let token = begun.body.as_str();
    assert!(Token::parse(token).is_some(), "{begun:?}");
    assert_eq!(begun.new_token(), Some(token));
    assert!(begun.all("Set-Cookie").is_empty(), "{begun:?}");
    assert_eq!(begun.all("Cache-Control"), ["no-store"]);

    for scheme in ["Bearer", "bearer", "BEARER", "bEaReR "] {
        let header = format!("{scheme} {token}");
        let headers: Headers<'_> = &[("Authorization", &header), ("Sec-Fetch-Site", "none")];
        let answer = post_as(&client, "/who", ContentType::Form, headers);
        assert_eq!((answer.status, &*answer.body), (200, "ada"), "{scheme}");
        assert!(answer.all("Set-Cookie").is_empty(), "{answer:?}");
        assert_eq!(answer.new_token(), None);
        assert_eq!(answer.all("Cache-Control"), ["no-store"]);
        assert_eq!(answer.all("Vary"), ["Cookie", "Authorization"]);
    }

    let header = bearer(token);
    let headers: Headers<'_> = &[("Authorization", &header)];
    let ended = post_as(&client, "/log_out", ContentType::Form, headers);
    assert_eq!(ended.status, 200);
    assert!(ended.all("Set-Cookie").is_empty(), "{ended:?}");
    let after = post(&client, "/who", headers);
    assert_eq!(after.status, 401);
    let challenge = after.all("WWW-Authenticate");
    assert_eq!(challenge, ["Bearer error=\"invalid_token\""]);
    let anonymous = post(&client, "/who", &[]);
    assert_eq!(anonymous.status, 401);
    assert_eq!(anonymous.all("WWW-Authenticate"), ["Bearer"]);
}

fn each_new_token_of_a_bearer_session_is_handed_out(database: &TestDatabase) {
    let client = client(database);
    let mut current = post(&client, "/token", &[]).body;
    for (path, user) in [
        ("/renew", "ada"),
        ("/end_others", "ada"),
        ("/token", "ada"),
        ("/log_in/grace", "grace"),
    ] {
        let before = current;
        let answer = post(&client, path, &[("Authorization", &bearer(&before))]);
        assert_eq!(answer.status, 200, "{path}");
        assert!(answer.all("Set-Cookie").is_empty(), "{path}: {answer:?}");
        assert_eq!(answer.all("Cache-Control"), ["no-store"], "{path}");
        current = answer.new_token().unwrap_or(&before).to_owned();
        assert_ne!(current, before, "{path}");
        assert_eq!(who_has(&client, &current), signed_in_as(user), "{path}");
        assert_eq!(who_has(&client, &before).0, 401, "{path}");
    }
    let header = bearer(&current);
    let same = post(&client, "/exchange", &[("Authorization", &header)]);
    assert_eq!(same.body, current, "the client has it already");
    assert_eq!(same.new_token(), None);
}

/// Signs in as a browser: the cookie as the browser sends it, and its token.
fn cookie_of_grace(client: &Client) -> (String, String) {
    let answer = post(client, "/log_in/grace", &[]);
    assert_eq!(answer.new_token(), None);
    let cookies = answer.all("Set-Cookie");
    let pair = cookies[0].split(';').next().unwrap();
    let (_, token) = pair.split_once('=').unwrap();
    (pair.to_owned(), token.to_owned())
}

fn a_cookie_beside_a_bearer_token_is_equal_or_refused(database: &TestDatabase) {
    let client = client(database);
    let (cookie, equal) = cookie_of_grace(&client);
    let other = post(&client, "/token", &[]).body;
    let beside = |path, content, authorization: &str| {
        let headers: Headers<'_> = &[("Cookie", &cookie), ("Authorization", authorization)];
        post_as(&client, path, content, headers)
    };

    let answer = beside("/who", ContentType::Form, &bearer(&equal));
    assert_eq!((answer.status, &*answer.body), (200, "grace"));
    let renewed = beside("/renew", ContentType::Form, &bearer(&other));
    assert_eq!(renewed.status, 400);
    assert_eq!(renewed.new_token(), None);
    assert!(renewed.all("Set-Cookie").is_empty(), "{renewed:?}");
    let mut maybe = client.get("/maybe");
    maybe.add_header(Header::new("Cookie", cookie.clone()));
    maybe.add_header(Header::new("Authorization", bearer(&other)));
    assert_eq!(maybe.dispatch().status(), Status::BadRequest);

    for scheme in ["Basic YTpi", "Digest username=\"a\"", "BearerX y", ""] {
        let answer = beside("/who", ContentType::JSON, scheme);
        assert_eq!((answer.status, &*answer.body), (200, "grace"), "{scheme}");
        let forged = beside("/who", ContentType::Form, scheme);
        assert_eq!(forged.status, 403, "{scheme}");
    }
    for malformed in ["Bearer", "Bearer x", "bearer\tx", "Bearer x, Bearer x"] {
        let answer = beside("/who", ContentType::Form, malformed);
        assert_eq!(answer.status, 401, "{malformed}: the cookie is not used");
    }
    let header = bearer(&equal);
    let two: Headers<'_> = &[
        ("Cookie", &cookie),
        ("Authorization", "Basic YTpi"),
        ("Authorization", &header),
    ];
    assert_eq!(post(&client, "/who", two).status, 401);
    assert_eq!(who_has(&client, &equal), signed_in_as("grace"));
    assert_eq!(who_has(&client, &other), signed_in_as("ada"));
}

fn a_session_of_a_cookie_becomes_one_of_a_token(database: &TestDatabase) {
    let client = client(database);
    let (cookie, before) = cookie_of_grace(&client);
    let answer = post(&client, "/exchange", &[("Cookie", &cookie)]);
    let token = answer.body.as_str();
    assert_ne!(token, before, "no script learns the cookie's token");
    assert_eq!(answer.new_token(), Some(token));
    let cookies = answer.all("Set-Cookie");
    assert_eq!(cookies.len(), 1, "{cookies:?}");
    assert!(cookies[0].contains("Max-Age=0"), "{cookies:?}");
    assert_eq!(who_has(&client, token), signed_in_as("grace"));
    let old = post(&client, "/who", &[("Cookie", &cookie)]);
    assert_eq!(old.status, 401);
    assert_eq!(who_has(&client, &before).0, 401);
}
