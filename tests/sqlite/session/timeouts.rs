//! Timeouts that a handler sets for its session.

use std::time::Duration;

use rocket::tokio::runtime::Runtime;
use rocket_diesel_session::LiveSessions;
use rocket_diesel_session::store::Store;

use testing::site::*;

const DAY: i64 = 24 * HOUR;

fn signed_in() -> Site {
    let mut site = Site::new();
    site.post("/log_in/ada");
    site
}

/// Sets a timeout, and returns the outcome.
fn set(site: &mut Site, name: &str, millis: i64) -> Answer {
    let uri = format!("/set_{name}_timeout/{millis}");
    let answer = site.ask(site.client.post(uri));
    site.keep(answer)
}

#[test]
fn a_wrong_timeout_is_refused_and_changes_nothing() {
    let mut site = signed_in();
    site.store.calls();
    for (name, millis, words) in [
        ("idle", 0, "cannot be 0s: it must be from 1s to 1day"),
        ("idle", 999, "cannot be 999ms"),
        ("idle", DAY + 1, "its absolute timeout, which set_absolute"),
        ("idle", i64::MAX, "it must be from 1s to 1day"),
        ("absolute", 0, "cannot be 0s: it must be from 1s to 30days"),
        ("absolute", 30 * DAY + 1, "session.remember_timeout"),
    ] {
        let answer = set(&mut site, name, millis);
        let body = &answer.body;
        let named = format!("Value: the {name} timeout of this session");
        assert!(body.starts_with(&named) && body.contains(words), "{body}");
        assert_eq!(answer.set_cookie, None);
        assert_eq!(site.store.calls(), ["load"]);
    }
    site.pass(HOUR);
    let passed = set(&mut site, "absolute", HOUR).body;
    assert!(passed.contains("it began 1h ago"), "{passed}");
    assert_eq!(set(&mut site, "absolute", HOUR + 1).body, "set");
    site.pass(1);
    assert_eq!(site.get("/who").body, "nobody");
}

#[test]
fn the_bounds_are_accepted() {
    let mut site = signed_in();
    for (name, millis) in [
        ("idle", 1_000),
        ("idle", DAY),
        ("absolute", 30 * DAY),
        ("idle", 30 * DAY),
        ("absolute", 1_000),
    ] {
        assert_eq!(set(&mut site, name, millis).body, "set", "{name} {millis}");
    }
    assert_eq!(site.get("/lifetime").body, "1000 1000 false");
}

#[test]
fn timeouts_alone_begin_no_session() {
    let mut site = Site::new();
    let answer = set(&mut site, "idle", HOUR);
    assert_eq!((answer.body.as_str(), answer.set_cookie), ("set", None));
    assert_eq!(site.rows(), 0);
}

#[test]
fn a_remembered_session_has_them_too() {
    let mut site = Site::new();
    site.post("/remember/ada");
    let cookie = set(&mut site, "idle", HOUR).set_cookie.unwrap();
    assert!(cookie.contains("Max-Age=3600"), "{cookie}");
    site.pass(HOUR);
    assert_eq!(site.get("/who").body, "nobody");
}

#[test]
fn reading_resets_a_short_timeout_in_time() {
    let mut site = signed_in();
    set(&mut site, "idle", 5 * MINUTE);
    site.store.calls();
    for (passed, calls) in [
        (4_999, &["load"][..]),
        (1, &["load", "touch"]),
        (1, &["load"]),
    ] {
        site.pass(passed);
        site.get("/who");
        assert_eq!(site.store.calls(), calls, "{passed} ms later");
    }
}

/// A request that came before can be slower than the one that shortens the timeout.
#[test]
fn a_touch_with_the_old_timeout_does_not_lengthen_a_shorter_one() {
    let mut site = signed_in();
    set(&mut site, "idle", 5 * MINUTE);
    let (memory, key) = (&site.store.memory, key(&site));
    memory.touch(&key, START + 1, START + 2 * HOUR).unwrap();
    site.pass(5 * MINUTE + 1);
    assert_eq!(site.get("/who").body, "nobody");
}

#[test]
fn a_timeout_outlives_a_conflict() {
    let mut site = signed_in();
    site.store.against(|memory, key| {
        let before = memory.load(key, START).unwrap().unwrap();
        if !before.data.contains("other") {
            let (data, version) = (r#"{"other":1}"#.to_owned(), before.version ^ 1);
            let after = testing::changed!(before.clone(), data, version);
            memory.update(key, before.version, &after).unwrap();
        }
    });
    assert_eq!(set(&mut site, "absolute", 3 * HOUR).body, "set");
    let record = site.store.memory.load(&key(&site), START).unwrap().unwrap();
    assert!(record.data.contains("other"), "{}", record.data);
    assert_eq!(record.deadline, START + 3 * HOUR);
}

#[test]
fn a_lower_setting_ends_longer_sessions() {
    let mut site = signed_in();
    set(&mut site, "absolute", 30 * DAY);
    set(&mut site, "idle", 30 * DAY);
    let mut later = Site::on(site.store.clone(), "{remember_timeout=\"25h\"}", |it| it);
    later.cookie = site.cookie.clone();
    later.pass(25 * HOUR - 1);
    assert_eq!(later.get("/who").body, "ada");
    later.pass(1);
    assert_eq!(later.get("/who").body, "nobody");
    site.pass(25 * HOUR);
    assert_eq!(site.get("/who").body, "ada");
}

#[test]
fn a_job_sets_the_timeouts_of_a_session_that_it_loads() {
    let mut site = signed_in();
    let live = LiveSessions::of(site.client.rocket()).unwrap();
    let key = key(&site);
    Runtime::new().unwrap().block_on(async {
        let session = live.load(&key).await.unwrap().unwrap();
        session.set_idle_timeout(Duration::from_secs(60)).unwrap();
        session.save().await.unwrap();
    });
    site.pass(MINUTE);
    assert_eq!(site.get("/who").body, "nobody");
}
