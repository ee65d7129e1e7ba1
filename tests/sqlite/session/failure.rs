//! A store that does not answer, and handlers that fail.

use rocket::http::Header;
use rocket::local::blocking::Client;
use rocket::{get, routes};
use rocket_diesel_session::{Error, LiveSessions, Session};

use std::sync::atomic::Ordering;

use testing::site::*;

#[test]
fn a_save_that_fails_is_the_application_s_own_503_page() {
    let mut site = Site::new();
    for uri in ["/set/blue", "/log_in/ada", "/save"] {
        site.store.fail(u32::MAX);
        let answer = site.post(uri);
        assert_eq!(
            (answer.status, answer.set_cookie.as_deref()),
            (503, None),
            "{uri}"
        );
        assert_eq!(answer.body, format!("own page 503 for {uri}"));
        assert_eq!(answer.header("Retry-After"), Some("2"));
        assert_eq!(answer.header("Cache-Control"), Some("no-store"));
        assert_eq!(
            answer.header("X-Content-Type-Options"),
            Some("nosniff"),
            "Shield's"
        );
        site.store.fail(0);
        assert_eq!(site.post(uri).status, 200, "it heals by itself");
    }
}

#[test]
fn a_load_that_fails_is_503_and_never_signed_out() {
    let mut site = Site::new();
    site.post("/log_in/ada");
    let cookie = site.cookie.clone();
    site.store.fail(u32::MAX);
    for answer in [site.get("/who"), site.post("/log_out")] {
        assert_eq!((answer.status, answer.set_cookie.as_deref()), (503, None));
        assert_eq!(answer.header("Retry-After"), Some("2"));
    }
    assert_eq!(
        site.get("/public").status,
        200,
        "who asks for no session notices nothing"
    );
    site.store.fail(0);
    assert_eq!(site.cookie, cookie);
    assert_eq!(site.get("/who").body, "ada");
}

/// The browser's old token opens nothing any more.
#[test]
fn a_token_that_is_stored_reaches_the_browser_though_a_later_save_fails() {
    let mut site = Site::new();
    site.post("/set/red");
    let before = site.cookie.clone();
    site.store.fail_after(2, u32::MAX);
    assert_eq!(site.post("/log_in_and_save/ada").status, 503);
    site.store.fail(0);
    assert_ne!(site.cookie, before);
    assert_eq!(site.get("/who").body, "ada");
    assert_eq!(site.get("/get").body, "Some(\"red\")", "what was not saved");
}

#[test]
fn others_that_could_not_be_ended_leave_the_browser_signed_in() {
    let mut site = Site::new();
    site.post("/log_in/ada");
    let before = site.cookie.clone();
    // The load, the look at the session, and the end of the others.
    for calls in 0..3 {
        site.store.fail_after(calls, u32::MAX);
        assert_eq!(site.post("/end_others").status, 503, "{calls}");
        site.store.fail(0);
        assert_eq!(site.cookie, before);
        assert_eq!(site.get("/who").body, "ada", "{calls}");
    }
}

/// A node of a cluster may be asked before it has heard of the record.
#[test]
fn a_sign_out_ends_a_session_that_the_store_did_not_find() {
    let mut site = Site::new();
    site.post("/log_in/ada");
    let cookie = site.cookie.clone();
    site.store.calls();
    site.store.lags.store(true, Ordering::SeqCst);
    let answer = site.post("/log_out");
    assert_eq!(answer.status, 200);
    assert!(answer.set_cookie.unwrap().contains("Max-Age=0"));
    assert_eq!(site.store.calls(), ["load", "delete"]);
    assert_eq!(site.rows(), 0);
    site.cookie = cookie;
    assert_eq!(site.get("/who").body, "nobody");
}

#[test]
fn a_route_that_shrugs_off_a_missing_session_is_503_all_the_same() {
    #[get("/maybe")]
    fn maybe(session: Option<&Session>) -> String {
        format!("{}", session.is_some())
    }
    let mut site = Site::new();
    site.post("/log_in/ada");
    let rocket = rocket("{}", site.store.clone(), site.now.clone()).mount("/", routes![maybe]);
    let client = Client::untracked(rocket).unwrap();
    let ask = || {
        Answer::of(
            client
                .get("/maybe")
                .header(Header::new("Cookie", site.cookie.clone().unwrap()))
                .dispatch(),
        )
    };
    assert_eq!(ask().body, "true");
    site.store.fail(u32::MAX);
    assert_eq!(ask().status, 503);
}

#[test]
fn errors_of_the_handler_keep_the_session() {
    let mut site = Site::new();
    let answer = site.post("/fail_after_log_in");
    assert_eq!(answer.status, 418);
    assert!(
        answer.set_cookie.is_some(),
        "catchers drop cookies of Rocket's jar, not ours"
    );
    assert_eq!(site.get("/who").body, "ada");
    let answer = site.post("/panic");
    assert_eq!(
        (answer.status, answer.body.as_str()),
        (500, "own page 500 for /panic")
    );
    assert_eq!(site.get("/get").body, "Some(\"before the panic\")");
}

#[test]
fn a_forgotten_fairing_stops_the_launch() {
    for routes in [routes![who], routes![count]] {
        let rocket = rocket::custom(rocket::Config::figment().merge(("log_level", "off")));
        let error = Client::untracked(rocket.mount("/", routes)).err().unwrap();
        assert!(
            matches!(error.kind(), rocket::error::ErrorKind::SentinelAborts(_)),
            "{error}"
        );
    }
}

#[get("/count")]
async fn count(live: LiveSessions) -> Result<String, Error> {
    Ok(live.count().await?.to_string())
}

#[test]
fn a_failed_save_is_repeated_at_the_end() {
    let mut site = Site::new();
    site.store.fail(1);
    assert_eq!(site.post("/save_and_shrug").status, 200);
    assert_eq!(site.store.calls(), ["insert", "insert"]);
    assert_eq!(site.get("/get").body, "Some(\"shrugged\")");
}

#[test]
fn one_deadline_holds_for_load_and_save_together() {
    let mut site = Site::new();
    site.post("/set/blue");
    site.store.slowness.store(1_500, Ordering::SeqCst);
    assert_eq!(site.get("/get").status, 200, "one of the two is in time");
    assert_eq!(
        site.post("/set/red").status,
        503,
        "the two together are not"
    );
    let answer = site.post("/save");
    assert_eq!(
        answer.status, 200,
        "a handler that asks by itself has its own"
    );
    site.store.slowness.store(0, Ordering::SeqCst);
    assert_eq!(site.post("/set/green").status, 200);
}
