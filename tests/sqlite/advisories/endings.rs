//! Advisories about sessions that did not end.

use std::sync::Arc;
use std::sync::atomic::AtomicI64;

use rocket::futures::future::join;
use rocket::http::Header;
use rocket::local::asynchronous::Client;
use rocket_diesel_session::store::Store;

use testing::site::{HOUR, START, Site, Watched, rocket};

/// Two requests of one session at once, of which one signs out.
#[test]
fn cve_2025_32441_no_request_brings_back_a_session_that_another_one_ended() {
    let store = Arc::new(Watched::default());
    let rocket = rocket("{}", store.clone(), Arc::new(AtomicI64::new(START)));
    rocket::execute(async {
        let client = Client::untracked(rocket).await.unwrap();
        for round in 0..2_000 {
            let signed_in = client.post("/log_in/ada").dispatch().await;
            let set = signed_in.headers().get_one("Set-Cookie").unwrap();
            let cookie = set.split(';').next().unwrap().to_owned();
            let post = |uri| {
                let request = client.post(uri);
                request
                    .header(Header::new("Cookie", cookie.clone()))
                    .dispatch()
            };
            let both = match round % 2 {
                0 => join(post("/count"), post("/log_out")),
                _ => join(post("/log_out"), post("/count")),
            };
            both.await;
            let left = store.memory.list("ada", START).unwrap();
            assert!(left.is_empty(), "round {round}: {left:?}");
        }
    });
}

#[test]
fn cve_2022_24444_a_token_stays_worthless_after_the_sign_out() {
    let mut site = Site::new();
    site.post("/log_in/ada");
    let old = site.cookie.clone();
    site.post("/log_out");
    for _ in 0..3 {
        site.cookie = old.clone();
        assert_eq!(site.get("/who").body, "nobody");
        site.post("/log_in/ada");
        assert_ne!(site.cookie, old);
        site.pass(HOUR);
    }
}

/// A session that was only emptied was not saved, and went on.
#[test]
fn cve_2023_20862_a_sign_out_deletes_the_record_and_does_not_empty_it() {
    let mut site = Site::new();
    site.post("/log_in/ada");
    let old = site.cookie.clone();
    site.store.calls();
    site.post("/log_out");
    assert_eq!(site.store.calls(), ["load", "delete"]);
    assert_eq!(site.rows(), 0);
    site.cookie = old;
    assert_eq!(site.get("/who").body, "nobody");
}

#[test]
fn cve_2018_1000814_an_expired_session_is_over_before_the_cleanup() {
    let mut site = Site::with("{cleanup_interval=\"off\"}");
    site.post("/log_in/ada");
    let cookie = site.cookie.clone();
    site.pass(2 * HOUR);
    assert_eq!(site.rows(), 1);
    assert_eq!(site.get("/who").body, "nobody");
    site.cookie = cookie;
    assert_eq!(site.post("/set/blue").status, 200);
    assert_eq!(site.get("/who").body, "nobody");
}
