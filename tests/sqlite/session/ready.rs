//! What `LiveSessions::ready` costs, and what it says of a store that fails.

use std::sync::atomic::Ordering;
use std::time::Duration;

use rocket::futures::future::join_all;
use rocket::tokio::runtime::Runtime;
use rocket_diesel_session::{ErrorKind, LiveSessions};

use testing::site::*;

const WITHIN: Duration = Duration::from_secs(60);

fn live(site: &Site) -> LiveSessions {
    LiveSessions::of(site.client.rocket()).unwrap()
}

fn wait<F: Future>(future: F) -> F::Output {
    Runtime::new().unwrap().block_on(future)
}

#[test]
fn callers_at_once_share_one_check() {
    let site = Site::new();
    site.store.slowness.store(50, Ordering::SeqCst);
    let live = live(&site);
    let calls = (0..1_000).map(|_| live.ready(WITHIN));
    let answers = wait(async { join_all(calls).await });
    assert!(answers.iter().all(Result::is_ok), "{answers:?}");
    wait(live.ready(WITHIN)).unwrap();
    assert_eq!(site.store.calls(), ["load"]);
}

#[test]
fn a_store_that_fails_is_not_ready_until_a_request_has_its_answer() {
    let mut site = Site::new();
    site.post("/set/blue");
    let live = live(&site);
    site.store.fail(u32::MAX);
    let error = wait(live.ready(WITHIN)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unavailable);
    let said = "the store has not answered within the last 1m";
    assert!(error.to_string().contains(said), "{error}");
    assert_eq!(site.get("/get").status, 503);
    site.store.calls();
    assert!(wait(live.ready(WITHIN)).is_err());
    assert_eq!(site.store.calls(), [""; 0], "one check a second");

    site.store.fail(0);
    assert_eq!(site.get("/get").body, "Some(\"blue\")");
    site.store.calls();
    wait(live.ready(WITHIN)).unwrap();
    assert_eq!(site.store.calls(), [""; 0], "the request showed it");
}
