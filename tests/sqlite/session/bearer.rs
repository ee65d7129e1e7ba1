//! Bearer tokens: malformed and forged ones, saves that fail, and what `session.token_from` allows.

use std::sync::Arc;
use std::sync::atomic::AtomicI64;

use rocket::http::{Accept, Header, Status};
use rocket::local::blocking::Client;
use rocket::{get, post, routes};
use rocket_diesel_session::store::Store;
use rocket_diesel_session::{Error, Session, Sessions};

use testing::site::{self, Answer, START, Watched, invented_token};

use super::signed_in::{database, home, maybe, with_people};

const BOTH: &str = r#"{token_from=["cookie","bearer"]}"#;

#[post("/token")]
async fn token(session: &Session) -> Result<String, Error> {
    session.log_in("ada")?;
    session.bearer_token().await
}

#[post("/token_and_more")]
async fn token_and_more(session: &Session) -> Result<String, Error> {
    session.log_in("ada")?;
    let token = session.bearer_token().await?;
    session.insert("colour", "blue")?;
    Ok(token)
}

#[post("/token_of_nothing")]
async fn token_of_nothing(session: &Session) -> Result<String, Error> {
    session.bearer_token().await
}

#[derive(rocket::Responder)]
struct Shared((), Header<'static>);

#[post("/shared")]
fn shared(session: &Session) -> Shared {
    session.renew();
    Shared((), Header::new("Cache-Control", "public, max-age=60"))
}

#[get("/needs_user")]
fn needs_user(session: &Session) -> Result<String, Status> {
    session.user_id().ok_or(Status::Unauthorized)
}

fn site(session: &str) -> (Client, Arc<Watched>) {
    let store = Arc::<Watched>::default();
    let routes = routes![token, token_and_more, token_of_nothing, shared, needs_user];
    let rocket = site::rocket(session, store.clone(), Arc::new(AtomicI64::new(START)));
    let client = Client::untracked(rocket.mount("/", routes)).unwrap();
    store.calls();
    (client, store)
}

fn get(client: &Client, path: &'static str, headers: &[(&'static str, &str)]) -> Answer {
    let mut request = client.get(path);
    for (name, value) in headers {
        request.add_header(Header::new(*name, (*value).to_owned()));
    }
    Answer::of(request.dispatch())
}

fn post(client: &Client, path: &'static str, token: Option<&str>) -> Answer {
    let mut request = client.post(path);
    if let Some(token) = token {
        request.add_header(Header::new("Authorization", format!("Bearer {token}")));
    }
    Answer::of(request.dispatch())
}

#[test]
fn malformed_bearer_tokens_reach_no_store() {
    let (client, store) = site(BOTH);
    let good = post(&client, "/token", None).body;
    let large = "A".repeat(100_000);
    let not_canonical = format!("Bearer {}B", &good[..42]);
    store.calls();
    for header in [
        "Bearer",
        "Bearer ",
        &format!("Bearer {}", &good[..42]),
        &format!("Bearer {good}A"),
        &format!("Bearer {good}="),
        &format!("Bearer {good} {good}"),
        &format!("Bearer {good}, Bearer {good}"),
        &format!("Bearer {good}{good}"),
        &format!("Bearer \"{good}\""),
        &format!("Bearer\t{good}"),
        &format!("Bearer:{good}"),
        &format!("Bearer token={good}"),
        &format!("Bearer %{good}"),
        "Bearer é",
        "Bearer \0",
        &not_canonical,
        &format!("Bearer {large}"),
    ] {
        let answer = get(&client, "/needs_user", &[("Authorization", header)]);
        assert_eq!(answer.status, 401, "{header:.90}");
        assert_eq!(store.calls(), Vec::<&str>::new(), "{header:.90}");
        assert_eq!(answer.set_cookie, None, "{header:.90}");
        assert_eq!(answer.header("Session-Token"), None, "{header:.90}");
    }
    let good = format!("Bearer {good}");
    for other in [&*good, "Basic YTpi", "", "Bearer x"] {
        let two = [("Authorization", &*good), ("Authorization", other)];
        assert_eq!(get(&client, "/needs_user", &two).status, 401, "{other}");
        assert_eq!(store.calls(), Vec::<&str>::new(), "{other}");
    }
    let forged = format!("Bearer {}", invented_token());
    let answer = get(&client, "/needs_user", &[("Authorization", &forged)]);
    assert_eq!(answer.status, 401);
    assert_eq!(store.calls(), ["load"]);
    let answer = get(&client, "/needs_user", &[("Authorization", &good)]);
    assert_eq!((answer.status, &*answer.body), (200, "ada"));
}

#[test]
fn no_token_is_handed_out_for_a_save_that_failed() {
    let (client, store) = site(BOTH);
    store.fail(100);
    let failed = post(&client, "/token", None);
    store.fail(0);
    assert_eq!(failed.status, 503);
    assert_eq!(failed.header("Session-Token"), None);
    assert_eq!(failed.set_cookie, None);
    assert_eq!(failed.body, "own page 503 for /token");
    assert_eq!(store.memory.count(i64::MIN).unwrap(), 0);

    // The first save succeeded, so the client needs the token to end the session.
    store.fail_after(1, 100);
    let failed = post(&client, "/token_and_more", None);
    store.fail(0);
    assert_eq!(failed.status, 503);
    assert_eq!(failed.set_cookie, None);
    let token = failed.header("Session-Token").unwrap();
    assert!(!failed.body.contains(token));
    let header = format!("Bearer {token}");
    let answer = get(&client, "/who", &[("Authorization", &header)]);
    assert_eq!(answer.body, "ada");
}

#[test]
fn a_renewal_that_fails_leaves_the_client_its_token() {
    let (client, store) = site(BOTH);
    let token = post(&client, "/token", None).body;
    store.fail_after(1, 100);
    let failed = post(&client, "/renew", Some(&token));
    store.fail(0);
    assert_eq!(failed.status, 503);
    assert_eq!(failed.header("Session-Token"), None);
    let header = format!("Bearer {token}");
    let answer = get(&client, "/who", &[("Authorization", &header)]);
    assert_eq!(answer.body, "ada");
}

#[test]
fn an_empty_session_has_no_token() {
    let (client, store) = site(BOTH);
    let answer = post(&client, "/token_of_nothing", None);
    assert_eq!(answer.status, 500);
    assert_eq!(answer.header("Session-Token"), None);
    assert_eq!(store.calls(), Vec::<&str>::new());
}

#[test]
fn by_default_only_cookies_count() {
    let (client, store) = site("{}");
    let refused = post(&client, "/token", None);
    assert_eq!(refused.status, 500);
    assert_eq!(refused.header("Session-Token"), None);
    let cookie = post(&client, "/log_in/ada", None).set_cookie.unwrap();
    let pair = cookie.split(';').next().unwrap();
    let (_, token) = pair.split_once('=').unwrap();
    store.calls();
    let header = format!("Bearer {token}");
    let answer = get(&client, "/who", &[("Authorization", &header)]);
    assert_eq!(answer.body, "nobody");
    assert_eq!(answer.header("Vary"), Some("Cookie"));
    assert_eq!(store.calls(), Vec::<&str>::new());
    let other = format!("Bearer {}", invented_token());
    let both = get(
        &client,
        "/who",
        &[("Authorization", &other), ("Cookie", pair)],
    );
    assert_eq!(both.body, "ada");
}

#[test]
fn bearer_tokens_alone_leave_cookies_unread_and_unset() {
    for settings in [
        r#"{token_from=["bearer"]}"#,
        r#"{token_from=["bearer"],rolling=true,persistent=true}"#,
    ] {
        let (client, store) = site(settings);
        let begun = post(&client, "/log_in/ada", None);
        assert_eq!(begun.set_cookie, None);
        let token = begun.header("Session-Token").unwrap();
        store.calls();
        for name in ["__Host-id", "id"] {
            let pair = format!("{name}={token}");
            let answer = get(&client, "/who", &[("Cookie", &pair)]);
            assert_eq!(answer.body, "nobody");
            assert_eq!(answer.header("Vary"), Some("Authorization"));
            assert_eq!(store.calls(), Vec::<&str>::new());
        }
        let header = format!("Bearer {token}");
        let pair = format!("__Host-id={}", invented_token());
        let headers = [("Authorization", &*header), ("Cookie", &*pair)];
        let answer = get(&client, "/who", &headers);
        assert_eq!(answer.body, "ada", "no cookie counts");
        assert_eq!(answer.header("Session-Token"), None, "it is not new");
        let ended = post(&client, "/log_out", Some(token));
        assert_eq!((ended.status, ended.set_cookie), (200, None));
        assert_eq!(store.memory.count(i64::MIN).unwrap(), 0);
    }
}

#[test]
fn no_cache_shares_a_response_with_a_token() {
    let (client, _) = site(BOTH);
    let token = post(&client, "/token", None).body;
    let answer = post(&client, "/shared", Some(&token));
    assert!(answer.header("Session-Token").is_some());
    assert_eq!(answer.header("Cache-Control"), Some("no-store"));
}

#[test]
fn the_guard_of_signed_in_users_refuses_a_bad_bearer_token() {
    let database = database();
    let figment = site::figment(BOTH).merge(("databases.app.url", &database.url));
    let rocket = rocket::custom(figment)
        .mount("/", routes![home, maybe, token_of_seven])
        .attach(with_people(Sessions::fairing()).with_sign_in_page("/sign_in"));
    let client = Client::untracked(rocket).unwrap();
    let ask = |path: &'static str, authorization: String| {
        let request = client.get(path).header(Accept::HTML);
        let request = request.header(Header::new("Authorization", authorization));
        Answer::of(request.dispatch())
    };
    let token = client.post("/token").dispatch().into_string().unwrap();
    assert_eq!(ask("/home", format!("Bearer {token}")).body, "7 ada");
    let invented = invented_token();
    for bad in ["Bearer", "Bearer x", &format!("Bearer {invented}")] {
        let answer = ask("/home", bad.to_owned());
        assert_eq!(answer.status, 401, "{bad}");
        let scheme = answer.header("WWW-Authenticate");
        assert_eq!(scheme, Some("Bearer error=\"invalid_token\""), "{bad}");
        assert_eq!(ask("/maybe", bad.to_owned()).body, "nobody", "{bad}");
    }
    let (header, pair) = (format!("Bearer {token}"), format!("__Host-id={invented}"));
    for path in ["/home", "/maybe"] {
        let headers = [("Authorization", &*header), ("Cookie", &*pair)];
        assert_eq!(get(&client, path, &headers).status, 400, "{path}");
    }
}

#[post("/token")]
async fn token_of_seven(session: &Session) -> Result<String, Error> {
    session.log_in(7)?;
    session.bearer_token().await
}
