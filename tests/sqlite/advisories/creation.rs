//! Advisories about sessions that should not begin, or that belong to another user.

use std::process::Stdio;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use rocket_diesel_session::store::Store;

use testing::server::{Browser, Server};
use testing::site::{START, Site, key};

/// All whose sessions were under the empty key shared one.
#[test]
fn cve_2015_3982_an_empty_cookie_opens_no_session() {
    let mut site = Site::new();
    site.post("/log_in/ada");
    site.post("/log_out");
    for empty in ["__Host-id=", "__Host-id=\"\"", "__Host-id"] {
        site.cookie = Some(empty.to_owned());
        site.post("/set/blue");
        assert_ne!(site.cookie.as_deref(), Some(empty));
        assert_eq!(site.get("/get").body, "Some(\"blue\")");
        site.cookie = Some(empty.to_owned());
        assert_eq!(site.get("/get").body, "None", "{empty}");
    }
}

/// A new session replaced the one whose token was drawn again.
#[test]
fn tower_sessions_2024_a_token_that_is_taken_is_drawn_again() {
    let drawn = Arc::new(AtomicUsize::new(0));
    let mut site = Site::on(Arc::default(), "{}", |sessions| {
        let drawn = drawn.clone();
        sessions.with_token_generator(move || {
            // The launch draws two and compares them.
            let number = drawn.fetch_add(1, Ordering::SeqCst);
            Ok([[1, 2, 1, 1, 3][number]; 32])
        })
    });
    site.post("/set/blue");
    let first = site.cookie.take();
    site.post("/set/red");
    assert_ne!(site.cookie, first);
    assert_eq!((drawn.load(Ordering::SeqCst), site.rows()), (5, 2));
    assert_eq!(site.get("/get").body, "Some(\"red\")");
    site.cookie = first;
    assert_eq!(site.get("/get").body, "Some(\"blue\")");
}

/// A cookie's life was calculated from an unchecked record.
#[test]
fn rustsec_2017_0005_a_record_without_end_makes_no_cookie_without_end() {
    let mut site = Site::with("{persistent=true,rolling=true}");
    for end in [i64::MAX, i64::MAX / 1_000, START + 1] {
        site.cookie = None;
        site.post("/set/blue");
        let key = key(&site);
        let mut record = site.store.memory.load(&key, START).unwrap().unwrap();
        site.store.memory.delete(&key).unwrap();
        (record.expires_at, record.deadline) = (end, i64::MAX);
        site.store.memory.insert(&record).unwrap();
        let cookie = site.get("/get").set_cookie.unwrap();
        let (_, max_age) = cookie.split_once("Max-Age=").unwrap();
        let max_age: u32 = max_age.split(';').next().unwrap().parse().unwrap();
        assert!(max_age <= 2 * 60 * 60, "{cookie}");
    }
}

/// A lock on the session made its requests wait for each other, and others for their threads.
#[test]
fn cve_2018_11386_many_requests_of_one_session_delay_no_other() {
    const AT_ONCE: usize = 32;
    let database = testing::database::sqlite();
    let server = Server::busy_with(&database, "", "critical", Stdio::inherit());
    let url = |path: &str| format!("{}{path}", server.base);
    let [mut ada, mut grace] = [(); 2].map(|()| Browser::default());
    ada.post(&url("/log_in/ada"));
    grace.post(&url("/log_in/grace"));
    let start = Instant::now();
    thread::scope(|scope| {
        for _ in 0..AT_ONCE {
            scope.spawn(|| assert_eq!(ada.clone().post(&url("/slow/2000")).0, 200));
        }
        thread::sleep(Duration::from_millis(500));
        for _ in 0..20 {
            assert_eq!(grace.get(&url("/user")).1, "grace");
        }
        let (took, slow) = (start.elapsed(), Duration::from_secs(2));
        assert!(took < slow, "others were answered after {took:?}");
    });
    let took = start.elapsed();
    assert!(
        took < Duration::from_secs(2 + 8),
        "one after the other: {took:?}"
    );
}
