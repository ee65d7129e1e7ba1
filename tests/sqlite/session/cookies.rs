//! The cookie: its attributes, and a token that the store never gets.

use std::sync::Arc;

use rocket::fairing::AdHoc;
use rocket::http::Header;
use rocket::local::blocking::Client;
use rocket_diesel_session::store::{MemoryStore, Store};
use rocket_diesel_session::{Error, LiveSessions, Session, Sessions, Token};

use testing::site::*;

#[test]
fn every_cookie_attribute_and_the_prefix() {
    for (settings, expected) in [
        (
            "{cookie={secure=false}}",
            "id=T; HttpOnly; SameSite=Lax; Path=/",
        ),
        (
            "{cookie={secure=\"auto\"}}",
            "id=T; HttpOnly; SameSite=Lax; Path=/",
        ),
        (
            "{cookie={http_only=false,same_site=\"strict\"}}",
            "__Host-id=T; SameSite=Strict; Secure; Path=/",
        ),
        (
            "{cookie={same_site=\"none\",partitioned=true,priority=\"high\"}}",
            "__Host-id=T; HttpOnly; SameSite=None; Partitioned; Secure; Path=/; Priority=High",
        ),
        (
            "{cookie={name=\"sid\",path=\"/app\"}}",
            "__Secure-sid=T; HttpOnly; SameSite=Lax; Secure; Path=/app",
        ),
        (
            "{cookie={domain=\"example.org\"}}",
            "__Secure-id=T; HttpOnly; SameSite=Lax; Secure; Path=/; Domain=example.org",
        ),
        (
            "{persistent=true}",
            "__Host-id=T; HttpOnly; SameSite=Lax; Secure; Path=/; Max-Age=7200",
        ),
        (
            "{persistent=true,idle_timeout=\"24h\",absolute_timeout=\"24h\"}",
            "__Host-id=T; HttpOnly; SameSite=Lax; Secure; Path=/; Max-Age=86400",
        ),
    ] {
        let cookie = Site::with(settings).post("/set/x").set_cookie.unwrap();
        let (name, rest) = cookie.split_once('=').unwrap();
        assert_eq!(format!("{name}=T{}", &rest[43..]), expected, "{settings}");
    }
}

#[test]
fn the_cookie_for_a_client_outside_a_request_is_that_of_a_response() {
    for settings in [
        "{}",
        "{cookie={secure=false}}",
        "{cookie={secure=\"auto\"}}",
        "{cookie={http_only=false,same_site=\"strict\"}}",
        "{cookie={same_site=\"none\",partitioned=true}}",
        "{cookie={name=\"sid\",path=\"/app\"}}",
        "{cookie={domain=\"example.org\"}}",
    ] {
        let mut site = Site::with(settings);
        let set = site.post("/set/x").set_cookie.unwrap();
        let (_, token) = site.cookie.as_deref().unwrap().split_once('=').unwrap();
        let token = Token::parse(token).unwrap();
        let live = LiveSessions::of(site.client.rocket()).unwrap();
        assert_eq!(live.cookie(&token).to_string(), set, "{settings}");
    }
}

#[test]
fn secure_auto_believes_a_trusted_proxy_alone() {
    let forwarded = |settings: &str, remote: &str| {
        let site = Site::with(settings);
        let request = site
            .client
            .post("/set/x")
            .header(Header::new("X-Forwarded-Proto", "https"));
        Answer::of(request.remote(remote.parse().unwrap()).dispatch())
            .set_cookie
            .unwrap()
            .contains("Secure")
    };
    let trusting = "{trusted_proxies=[\"10.0.0.0/31\"],cookie={secure=\"auto\"}}";
    assert!(forwarded(trusting, "10.0.0.1:1"));
    assert!(!forwarded(trusting, "10.0.0.2:1"));
    assert!(!forwarded("{cookie={secure=\"auto\"}}", "127.0.0.1:1"));
}

#[test]
fn rolling_sets_the_cookie_with_every_response() {
    let mut site = Site::with("{rolling=true,persistent=true}");
    assert_eq!(
        site.get("/get").set_cookie,
        None,
        "a new session still gets none"
    );
    let first = site.post("/set/blue").set_cookie.unwrap();
    let again = site.get("/get").set_cookie.unwrap();
    assert_eq!(first, again);
    assert_eq!(Site::with("{persistent=true}").get("/get").set_cookie, None);
}

#[test]
fn the_store_never_sees_the_token() {
    let mut site = Site::new();
    site.post("/log_in/ada");
    let cookie = site.cookie.clone().unwrap();
    let token = cookie.split_once('=').unwrap().1;
    let record = site.store.memory.list("ada", START).unwrap().remove(0);
    assert_eq!(record.key, Token::parse(token).unwrap().key());
    assert!(!format!("{record:?}{}", record.key.as_str()).contains(&token[..8]));
    site.cookie = Some(format!("__Host-id={}", record.key.as_str()));
    assert_eq!(
        site.get("/who").body,
        "nobody",
        "what the store holds opens nothing"
    );
}

#[test]
fn pages_that_read_a_session_are_not_cached() {
    let mut site = Site::new();
    let answer = site.get("/who");
    assert_eq!(
        (answer.header("Cache-Control"), answer.header("Vary")),
        (Some("no-store"), Some("Cookie"))
    );
    let answer = site.get("/cached");
    assert_eq!(
        answer.header("Cache-Control"),
        Some("private, max-age=60"),
        "a handler's own header is left alone"
    );
}

#[test]
fn no_policy_lets_caches_share_a_response_that_sets_the_cookie() {
    for (policy, expected) in [
        ("public, max-age=600", "no-store"),
        ("s-maxage=600", "no-store"),
        ("max-age=600", "no-store"),
        ("private, max-age=600", "private, max-age=600"),
        ("No-Store", "No-Store"),
    ] {
        let fairing = AdHoc::on_response("policy", move |_, response| {
            Box::pin(async move {
                response.set_raw_header("Cache-Control", policy);
            })
        });
        let rocket = rocket::custom(figment("{}"))
            .attach(fairing)
            .attach(Sessions::fairing().with_store(Arc::new(MemoryStore::new())))
            .mount("/", rocket::routes![begins]);
        let client = Client::tracked(rocket).unwrap();
        let answer = client.post("/begins").dispatch();
        assert!(answer.headers().contains("Set-Cookie"));
        let policies: Vec<_> = answer.headers().get("Cache-Control").collect();
        assert_eq!(policies, [expected], "{policy}");
    }
}

#[rocket::post("/begins")]
fn begins(session: &Session) -> Result<(), Error> {
    session.insert("language", "en")
}
