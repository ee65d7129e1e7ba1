//! Timeouts and touch, with a clock of the test.

use std::thread;
use std::time::{Duration, Instant};

use testing::site::*;

#[test]
fn the_page_knows_how_long_the_session_lives() {
    let mut site = Site::new();
    assert_eq!(
        site.get("/lifetime").body,
        format!("{} {} true", 2 * HOUR, 24 * HOUR)
    );
    site.post("/set/blue");
    site.pass(MINUTE);
    assert_eq!(
        site.get("/lifetime").body,
        format!("{} {} false", 2 * HOUR, 24 * HOUR)
    );
}

#[test]
fn the_idle_timeout_slides_and_ends_the_session() {
    let mut site = Site::new();
    site.post("/set/blue");
    for _ in 0..3 {
        site.pass(2 * HOUR - 1);
        assert_eq!(site.get("/get").body, "Some(\"blue\")");
    }
    site.pass(2 * HOUR);
    assert_eq!(site.get("/get").body, "None");
}

#[test]
fn the_absolute_timeout_is_never_moved_but_by_signing_in() {
    let mut site = Site::new();
    site.post("/log_in/ada");
    for _ in 0..23 {
        site.pass(HOUR);
        assert_eq!(site.get("/who").body, "ada");
    }
    let signed_in_again = site.cookie.clone();
    site.pass(HOUR - 1);
    assert_eq!(site.get("/who").body, "ada");
    site.pass(1);
    assert_eq!(site.get("/who").body, "nobody");
    site.cookie = signed_in_again;
    assert_eq!(site.post("/log_in/ada").status, 200);
    site.pass(HOUR);
    assert_eq!(site.get("/who").body, "ada");
}

#[test]
fn touch_is_throttled_capped_and_can_be_off() {
    let mut site = Site::new();
    site.post("/set/blue");
    site.store.calls();
    for (passed, calls) in [
        (1, &["load"][..]),
        (2 * MINUTE - 2, &["load"]),
        (1, &["load", "touch"]),
        (1, &["load"]),
    ] {
        site.pass(passed);
        site.get("/get");
        assert_eq!(site.store.calls(), calls, "{passed} ms later");
    }
    let mut off = Site::with("{touch_interval=\"off\"}");
    off.post("/set/blue");
    off.pass(HOUR);
    off.get("/get");
    assert_eq!(off.store.calls(), ["insert", "load"]);
    off.pass(HOUR);
    assert_eq!(off.get("/get").body, "None");
}

#[test]
fn a_clock_that_goes_back_and_returns_ends_no_session() {
    let mut site = Site::new();
    site.post("/log_in/ada");
    for back in [6 * MINUTE, 3 * HOUR, 24 * HOUR] {
        site.pass(-back);
        for uri in ["/set/blue", "/renew", "/touch"] {
            let before = site.cookie.clone();
            assert_eq!(site.post(uri).status, 200, "{uri} {back}");
            assert_eq!(site.get("/who").body, "ada", "{uri} {back}");
            let is_same = uri != "/renew";
            assert_eq!(site.cookie == before, is_same, "{uri} {back}");
        }
        site.pass(back);
        assert_eq!(site.get("/who").body, "ada", "{back}");
    }
    site.pass(2 * HOUR);
    assert_eq!(site.get("/who").body, "nobody");
}

#[test]
fn a_record_of_the_day_after_tomorrow_is_no_session() {
    let mut site = Site::new();
    site.post("/log_in/ada");
    site.pass(-24 * HOUR - 1);
    assert_eq!(site.get("/who").body, "nobody");
}

#[test]
fn a_sign_in_after_the_clock_went_back_is_not_the_one_that_is_too_many() {
    let mut site = Site::with("{sessions_per_user=2}");
    for _ in 0..2 {
        site.cookie = None;
        site.post("/log_in/ada");
        site.pass(1);
    }
    site.pass(-6 * MINUTE);
    site.cookie = None;
    site.post("/log_in/ada");
    assert_eq!(site.get("/who").body, "ada");
    assert_eq!(site.rows(), 2);
}

#[test]
fn expired_sessions_are_deleted_batch_by_batch() {
    let mut site = Site::with("{cleanup_interval=\"1s\",cleanup_batch=2}");
    for _ in 0..5 {
        site.cookie = None;
        site.post("/set/blue");
    }
    site.pass(HOUR);
    site.cookie = None;
    site.post("/set/red");
    site.pass(HOUR);
    let end = Instant::now() + Duration::from_secs(10);
    while site.rows() > 1 {
        assert!(Instant::now() < end, "{} rows are left", site.rows());
        thread::sleep(Duration::from_millis(20));
    }
    assert_eq!(site.get("/get").body, "Some(\"red\")");
}
