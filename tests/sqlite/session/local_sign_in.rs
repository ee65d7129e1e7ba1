//! `local::sign_in` signs a user in on Rocket's local client, without a route.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use rocket::http::Header;
use rocket::local::asynchronous::Client as AsyncClient;
use rocket::local::blocking::Client;
use rocket::{Build, Rocket, State, get, routes};
use rocket_diesel_session::local::{asynchronous, blocking};
use rocket_diesel_session::sign_in::{Factor, Fresh, OneTimeCode, Passkey};
use rocket_diesel_session::store::MemoryStore;
use rocket_diesel_session::{ErrorKind, LiveSessions, Sessions};

use testing::site::{self, Watched};

fn application(settings: &str) -> Rocket<Build> {
    site::rocket(settings, Arc::default(), Arc::default())
}

const SHARED: &str = r#"{format="express",secrets=["keyboard cat"]}"#;

#[test]
fn one_line_signs_a_user_in() {
    for settings in [
        "{}",
        "{cookie={secure=false}}",
        "{cookie={domain=\"example.org\"}}",
        SHARED,
    ] {
        let tracked = Client::tracked(application(settings)).unwrap();
        for user in ["ada", "grace"] {
            blocking::sign_in(&tracked, user).unwrap();
            let who = tracked.get("/who").dispatch().into_string().unwrap();
            assert_eq!(who, user, "{settings}");
        }
        let untracked = Client::untracked(application(settings)).unwrap();
        let cookies = ["ada", "grace"].map(|user| blocking::sign_in(&untracked, user).unwrap());
        let who = cookies.map(|cookie| {
            let answer = untracked.get("/who").cookie(cookie).dispatch();
            answer.into_string().unwrap()
        });
        assert_eq!(who, ["ada", "grace"], "{settings}");
    }
}

#[test]
fn one_line_signs_a_user_in_on_the_asynchronous_client() {
    rocket::async_test(async {
        let client = AsyncClient::tracked(application("{}")).await.unwrap();
        asynchronous::sign_in(&client, 7).await.unwrap();
        let answer = client.get("/who").dispatch().await;
        assert_eq!(answer.into_string().await.unwrap(), "7");
    });
}

#[get("/<_..>")]
fn counted(calls: &State<AtomicU32>) {
    calls.fetch_add(1, Ordering::SeqCst);
}

#[test]
fn the_sign_in_calls_no_route_and_passes_the_csrf_protection() {
    let sessions = Sessions::fairing().with_store(Arc::new(MemoryStore::default()));
    let rocket = rocket::custom(site::figment("{}"))
        .manage(AtomicU32::new(0))
        .mount("/who", routes![site::who])
        .mount("/", routes![counted])
        .attach(sessions.with_csrf_protection());
    let client = Client::tracked(rocket).unwrap();
    blocking::sign_in(&client, "ada").unwrap();
    let calls: &AtomicU32 = client.rocket().state().unwrap();
    assert_eq!(calls.load(Ordering::SeqCst), 0);
    let answer = client.get("/who/who").dispatch();
    assert_eq!(answer.into_string().unwrap(), "ada");
}

#[test]
fn a_sign_in_that_fails_says_why() {
    let kind = |rocket: Rocket<Build>, user: &str| {
        let client = Client::untracked(rocket).unwrap();
        blocking::sign_in(&client, user).unwrap_err().kind()
    };
    assert_eq!(kind(application("{}"), ""), ErrorKind::Value);
    let bare = rocket::custom(site::figment("{}"));
    assert_eq!(kind(bare, "ada"), ErrorKind::Configuration);
    let store = Arc::new(Watched::default());
    let client = site::rocket("{}", store.clone(), Arc::default());
    let client = Client::untracked(client).unwrap();
    store.fail(u32::MAX);
    let error = blocking::sign_in(&client, "ada").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unavailable, "{error}");
}

#[test]
fn a_sign_in_without_cookies_says_how_to_send_a_bearer_token() {
    let client = Client::untracked(application(r#"{token_from=["bearer"]}"#)).unwrap();
    let live = LiveSessions::of(client.rocket()).unwrap();
    let runtime = rocket::tokio::runtime::Runtime::new().unwrap();

    let error = blocking::sign_in(&client, "ada").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Configuration, "{error}");
    let error = error.to_string();
    for part in [
        "session.token_from",
        "LiveSessions::begin",
        "LiveSessions::cookie",
    ] {
        assert!(error.contains(part), "{error}");
    }
    assert_eq!(runtime.block_on(live.count()).unwrap(), 0);

    let token = runtime.block_on(live.begin("ada")).unwrap();
    let bearer = format!("Bearer {}", live.cookie(&token).value());
    let request = client
        .get("/who")
        .header(Header::new("Authorization", bearer));
    assert_eq!(request.dispatch().into_string().unwrap(), "ada");
}

#[get("/fresh")]
fn fresh(_fresh: Fresh<10>) {}

#[get("/fresh_code")]
fn fresh_code(_fresh: Fresh<10, OneTimeCode>) {}

#[get("/fresh_passkey")]
fn fresh_passkey(_fresh: Fresh<10, Passkey>) {}

const FRESH: [&str; 3] = ["/fresh", "/fresh_code", "/fresh_passkey"];

#[test]
fn a_sign_in_with_factors_proves_these_and_no_other() {
    let rocket = application("{}").mount("/", routes![fresh, fresh_code, fresh_passkey]);
    let client = Client::tracked(rocket).unwrap();
    let statuses = || FRESH.map(|uri| client.get(uri).dispatch().status().code);
    assert_eq!(statuses(), [401, 401, 401]);
    for (factors, expected) in [
        (vec![], [200, 403, 403]),
        (vec![Factor::OneTimeCode], [200, 200, 403]),
        (vec![Factor::OneTimeCode, Factor::Passkey], [200, 200, 200]),
        (vec![Factor::Passkey], [200, 403, 200]),
    ] {
        blocking::sign_in_with(&client, "ada", factors.clone()).unwrap();
        assert_eq!(statuses(), expected, "{factors:?}");
    }
}

#[test]
fn a_sign_in_with_factors_proves_them_on_the_asynchronous_client() {
    rocket::async_test(async {
        let rocket = application("{}").mount("/", routes![fresh_code]);
        let client = AsyncClient::tracked(rocket).await.unwrap();
        let factors = [Factor::Password, Factor::OneTimeCode];
        asynchronous::sign_in_with(&client, 7, factors)
            .await
            .unwrap();
        let answer = client.get("/fresh_code").dispatch().await;
        assert_eq!(answer.status().code, 200);
    });
}
