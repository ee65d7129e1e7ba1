//! Saves: their number and order, and conflicts of concurrent requests.

use rocket::http::Header;
use rocket::local::blocking::Client;
use rocket::{get, routes};
use rocket_diesel_session::Session;
use rocket_diesel_session::store::Store;

use testing::site::*;

#[test]
fn a_value_is_kept_for_one_browser() {
    let mut site = Site::new();
    let answer = site.post("/set/blue");
    let cookie = answer.set_cookie.unwrap();
    let token = cookie
        .strip_prefix("__Host-id=")
        .unwrap()
        .split(';')
        .next()
        .unwrap();
    assert_eq!(token.len(), 43);
    assert_eq!(
        cookie,
        format!("__Host-id={token}; HttpOnly; SameSite=Lax; Secure; Path=/")
    );
    assert_eq!(site.get("/get").body, "Some(\"blue\")");
    let anonymous = site.cookie.take();
    assert_eq!(site.get("/get").body, "None");
    site.cookie = anonymous;
    assert_eq!(site.get("/get").body, "Some(\"blue\")");
}

#[test]
fn nothing_written_stores_nothing_and_sets_no_cookie() {
    let mut site = Site::new();
    for uri in ["/public", "/get", "/who", "/nowhere"] {
        assert_eq!(site.get(uri).set_cookie, None);
    }
    for uri in ["/set_and_remove", "/touch", "/renew?drop=false", "/log_out"] {
        assert_eq!(site.post(uri).set_cookie, None, "{uri}");
    }
    assert!(site.store.calls().is_empty());

    let mut eager = Site::with("{save_uninitialized=true}");
    assert!(eager.get("/get").set_cookie.is_some());
    assert_eq!(eager.rows(), 1);
    assert_eq!(
        eager.get("/public").set_cookie,
        None,
        "a route that takes no session has none"
    );
}

#[test]
fn a_session_that_is_only_read_is_not_written() {
    let mut site = Site::new();
    site.post("/set/blue");
    site.store.calls();
    site.get("/get");
    assert_eq!(site.store.calls(), ["load"]);
    site.post("/set/blue");
    assert_eq!(
        site.store.calls(),
        ["load"],
        "the same value again is no change"
    );
    site.post("/set/red");
    assert_eq!(site.store.calls(), ["load", "update"]);
}

#[test]
fn renewal_changes_the_token_and_keeps_or_drops_the_data() {
    for (uri, kept) in [
        ("/renew?drop=false", "Some(\"blue\")"),
        ("/renew?drop=true", "None"),
    ] {
        let mut site = Site::new();
        site.post("/set/blue");
        let old = site.cookie.clone();
        site.store.calls();
        site.post(uri);
        assert_eq!(
            site.store.calls(),
            ["load", "update"],
            "one statement renews"
        );
        assert_ne!(site.cookie, old);
        assert_eq!(site.get("/get").body, kept);
        assert_eq!(site.rows(), 1);
        site.cookie = old;
        assert_eq!(site.get("/get").body, "None", "the old token is worthless");
    }
}

#[test]
fn signing_in_renews_keeps_an_anonymous_user_s_data_and_drops_another_user_s() {
    let mut site = Site::new();
    site.post("/set/blue");
    let anonymous = site.cookie.clone();
    site.post("/log_in/ada");
    assert_ne!(site.cookie, anonymous);
    assert_eq!(
        (
            site.get("/who").body.as_str(),
            site.get("/get").body.as_str()
        ),
        ("ada", "Some(\"blue\")")
    );
    site.post("/log_in/ada");
    assert_eq!(site.get("/get").body, "Some(\"blue\")");
    site.post("/log_in/grace");
    assert_eq!(
        (
            site.get("/who").body.as_str(),
            site.get("/get").body.as_str()
        ),
        ("grace", "None")
    );
    assert_eq!(site.rows(), 1);
}

#[test]
fn destroying_ends_the_session_in_store_and_browser() {
    let mut site = Site::new();
    site.post("/log_in/ada");
    let old = site.cookie.clone();
    let cookie = site.post("/log_out").set_cookie.unwrap();
    assert!(
        cookie
            .starts_with("__Host-id=; HttpOnly; SameSite=Lax; Secure; Path=/; Max-Age=0; Expires="),
        "{cookie}"
    );
    assert_eq!(site.rows(), 0);
    site.cookie = old;
    assert_eq!(site.get("/who").body, "nobody");
    let again = site.post("/log_out").set_cookie.unwrap();
    assert!(
        again.contains("Max-Age=0"),
        "a cookie that came in is removed: {again}"
    );
}

#[test]
fn save_reload_and_touch_at_once() {
    let mut site = Site::new();
    let answer = site.post("/save");
    assert!(answer.body.starts_with("Some("));
    assert!(
        answer.set_cookie.is_some(),
        "a token saved in mid-request reaches the browser"
    );
    assert_eq!(site.store.calls(), ["insert"], "saved once");
    assert_eq!(site.post("/set_and_reload").body, "Some(\"saved\")");
    assert_eq!(site.store.calls(), ["load", "load"]);
    site.pass(1);
    site.post("/touch");
    assert_eq!(site.store.calls(), ["load", "touch"]);
}

#[test]
fn no_guard_no_store_call_and_one_load_for_many_guards() {
    let mut site = Site::new();
    site.post("/set/blue");
    site.store.calls();
    let answer = site.get("/public");
    assert!(site.store.calls().is_empty());
    assert_eq!(
        (answer.header("Cache-Control"), answer.header("Vary")),
        (None, None)
    );
    #[get("/twice")]
    fn twice(one: &Session, two: &Session) -> String {
        format!("{} {}", std::ptr::eq(one, two), one.is_new())
    }
    let rocket = rocket("{}", site.store.clone(), site.now.clone()).mount("/", routes![twice]);
    let client = Client::untracked(rocket).unwrap();
    site.store.calls();
    let answer = client
        .get("/twice")
        .header(Header::new("Cookie", site.cookie.clone().unwrap()))
        .dispatch();
    assert_eq!(answer.into_string().unwrap(), "true false");
    assert_eq!(site.store.calls(), ["load"]);
}

#[test]
fn a_change_is_made_again_on_a_record_that_moved() {
    let mut site = Site::new();
    site.post("/count");
    site.store.against(|memory, key| {
        let before = memory.load(key, START).unwrap().unwrap();
        // The session's own version is drawn.
        let next = match before.version {
            version @ 1..4 => version + 1,
            _ => 1,
        };
        if next < 4 {
            let n = next + 9;
            let data = format!(r#"{{"count":{n},"other":true}}"#);
            memory
                .update(
                    key,
                    before.version,
                    &testing::changed!(before.clone(), version: next, data),
                )
                .unwrap();
        }
    });
    site.store.calls();
    assert_eq!(
        site.post("/count").body,
        "2",
        "what was there when the handler ran"
    );
    assert_eq!(
        site.store.calls(),
        [
            "load", "update", "load", "update", "load", "update", "load", "update"
        ]
    );
    let record = site.store.memory.load(&key(&site), START).unwrap().unwrap();
    assert_eq!(record.data, r#"{"count":13,"other":true}"#);
}

#[test]
fn a_session_that_was_ended_meanwhile_stays_ended() {
    for (settings, status) in [("{}", 200), ("{on_gone=\"unauthorized\"}", 401)] {
        let mut site = Site::with(settings);
        site.store
            .against(|memory, key| assert!(memory.delete(key).unwrap()));
        for uri in ["/set/red", "/count", "/renew?drop=false"] {
            site.post("/set/blue");
            let answer = site.post(uri);
            assert_eq!(
                (answer.status, answer.set_cookie.as_deref()),
                (status, None),
                "{uri}"
            );
            assert_eq!((site.get("/get").body.as_str(), site.rows()), ("None", 0));
        }
        site.post("/set/blue");
        let answer = site.post("/save");
        assert_eq!(
            (answer.status, answer.set_cookie),
            (401, None),
            "the handler that asks gets it"
        );
        assert_eq!(site.rows(), 0);
    }
}

#[test]
fn a_sign_in_outlives_the_end_of_the_old_session() {
    let mut site = Site::new();
    site.post("/set/secret");
    site.store.against(|memory, key| drop(memory.delete(key)));
    assert!(site.post("/log_in/ada").set_cookie.is_some());
    assert_eq!(
        (
            site.get("/who").body.as_str(),
            site.get("/get").body.as_str()
        ),
        ("ada", "None")
    );
    assert_eq!(site.rows(), 1);
}
