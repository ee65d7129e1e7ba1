//! The cookie and the names of sessions that Express shares.

use std::sync::Arc;

use rocket::tokio::runtime::Runtime;
use rocket_diesel_session::LiveSessions;
use rocket_diesel_session::store::Store;

use testing::site::{Site, Watched};

const SHARED: &str = r#"{format="express",secrets=["keyboard cat"],cookie={secure=false}}"#;
const NEW_SECRET: &str =
    r#"{format="express",secrets=["new","keyboard cat"],cookie={secure=false}}"#;
const OTHER_SECRET: &str = r#"{format="express",secrets=["new"],cookie={secure=false}}"#;

fn on(store: &Arc<Watched>, session: &str, cookie: &Option<String>) -> Site {
    let mut site = Site::on(store.clone(), session, |sessions| sessions);
    site.cookie = cookie.clone();
    site
}

#[test]
fn the_cookie_is_signed_and_the_store_knows_its_id() {
    let mut site = Site::with(SHARED);
    let cookie = site.post("/set/blue").set_cookie.unwrap();
    assert!(cookie.starts_with("connect.sid=s%3A"), "{cookie}");
    let (_, value) = cookie.split_once("s%3A").unwrap();
    let (id, signature) = value.split(';').next().unwrap().split_once('.').unwrap();
    assert!(id.len() >= 32 && signature.len() >= 43, "{cookie}");
    let record = site.store.memory.all(0, None, 9).unwrap().remove(0);
    assert_eq!(record.key.as_str(), id);
    assert_eq!(site.get("/get").body, "Some(\"blue\")");
}

#[test]
fn the_cookie_of_a_session_begun_outside_a_request_is_signed() {
    let mut site = Site::with(SHARED);
    let live = LiveSessions::of(site.client.rocket()).unwrap();
    let token = Runtime::new().unwrap().block_on(live.begin("ada")).unwrap();
    let sent = live.cookie(&token).encoded().to_string();
    assert!(sent.starts_with("connect.sid=s%3A"), "{sent}");
    site.cookie = sent.split(';').next().map(str::to_owned);
    assert_eq!(site.get("/who").body, "ada");
}

#[test]
fn a_cookie_of_an_old_secret_is_accepted_and_replaced() {
    let mut site = Site::with(SHARED);
    site.post("/log_in/ada");
    let old = site.cookie.clone();

    let mut moved = on(&site.store, NEW_SECRET, &old);
    assert_eq!(moved.get("/who").body, "ada");
    assert_eq!(moved.post("/log_in/ada").status, 200);
    let new = moved.cookie.clone();
    let mut later = on(&site.store, OTHER_SECRET, &new);
    assert_eq!(later.get("/who").body, "ada");
    later.cookie = old;
    assert_eq!(later.get("/who").body, "nobody");
}

#[test]
fn a_forged_cookie_never_reaches_the_store() {
    let mut site = Site::with(SHARED);
    let good = site.post("/set/blue").set_cookie.unwrap();
    let good = good.split(';').next().unwrap();
    let forged = [
        format!("{good}%3D"),
        good.replace("s%3A", ""),
        good.replace("s%3A", "j%3A"),
        good.replace('%', "%25"),
        format!("{good}.x"),
        "connect.sid=s%3Aid.".to_owned(),
        format!("connect.sid={}", "A".repeat(43)),
    ];
    for cookie in forged {
        site.cookie = Some(cookie.clone());
        site.store.calls();
        assert_eq!(site.get("/get").body, "None", "{cookie}");
        assert_eq!(site.store.calls(), Vec::<&str>::new(), "{cookie}");
    }
}

#[test]
fn names_that_express_drops_are_refused() {
    for name in ["cookie", "id", "touch", "save", "__proto__", "constructor"] {
        let uri: &'static str = format!("/name/{name}").leak();
        let mut shared = Site::with(SHARED);
        assert_eq!(shared.post(uri).body, "Err(Value)", "{name}");
        assert_eq!(shared.rows(), 0);
        assert_eq!(
            Site::with("{cookie={secure=false}}").post(uri).body,
            "Ok(())"
        );
    }
    let mut shared = Site::with(SHARED);
    assert_eq!(shared.post("/name/passport").body, "Ok(())");
}
