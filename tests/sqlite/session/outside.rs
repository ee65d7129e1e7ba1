//! Sessions outside a request.

use rocket::tokio::runtime::Runtime;
use rocket_diesel_session::{ErrorKind, LiveSessions, Token};

use testing::site::*;

fn live(site: &Site) -> LiveSessions {
    LiveSessions::of(site.client.rocket()).unwrap()
}

fn wait<F: Future>(future: F) -> F::Output {
    Runtime::new().unwrap().block_on(future)
}

#[test]
fn a_job_loads_changes_and_ends_a_session() {
    let mut site = Site::new();
    site.post("/set/blue");
    let (live, key) = (live(&site), key(&site));
    wait(async {
        let session = live.load(&key).await.unwrap().unwrap();
        assert_eq!(
            session.get::<String>("key").unwrap().as_deref(),
            Some("blue")
        );
        session.insert("key", "red").unwrap();
        session.update("count", |n: u32| n + 41).unwrap();
        session.save().await.unwrap();
    });
    assert_eq!(site.get("/get").body, "Some(\"red\")");
    assert_eq!(site.post("/count").body, "42");
    wait(async {
        let session = live.load(&key).await.unwrap().unwrap();
        session.destroy();
        session.save().await.unwrap();
        assert!(live.load(&key).await.unwrap().is_none());
        let session = session.save().await;
        assert!(session.is_ok(), "there is nothing left to do: {session:?}");
    });
    assert_eq!(site.get("/get").body, "None");
    assert_eq!(site.rows(), 0);
}

#[test]
fn a_job_and_a_request_lose_nothing_of_each_other_s() {
    let mut site = Site::new();
    site.post("/count");
    let (live, key) = (live(&site), key(&site));
    let session = wait(live.load(&key)).unwrap().unwrap();
    session.update("count", |n: u32| n + 10).unwrap();
    site.post("/count");
    wait(session.save()).unwrap();
    assert_eq!(site.post("/count").body, "13");
    let session = wait(live.load(&key)).unwrap().unwrap();
    session.insert("key", "late").unwrap();
    site.post("/log_out");
    assert_eq!(wait(session.save()).unwrap_err().kind(), ErrorKind::Gone);
    assert_eq!(site.rows(), 0, "and brings nothing back");
}

#[test]
fn no_job_signs_anybody_in() {
    let mut site = Site::new();
    site.post("/set/blue");
    let key = key(&site);
    let session = wait(live(&site).load(&key)).unwrap().unwrap();
    session.log_in("ada").unwrap();
    assert_eq!(wait(session.save()).unwrap_err().kind(), ErrorKind::Value);
    assert_eq!(
        (
            site.get("/who").body.as_str(),
            site.get("/get").body.as_str()
        ),
        ("nobody", "Some(\"blue\")")
    );
}

#[test]
fn an_expired_session_is_none() {
    let mut site = Site::new();
    site.post("/set/blue");
    let (live, key) = (live(&site), key(&site));
    site.pass(2 * HOUR);
    assert!(wait(live.load(&key)).unwrap().is_none());
    assert!(
        wait(live.load(&Token::generate().unwrap().key()))
            .unwrap()
            .is_none()
    );
}

#[test]
fn all_sessions_are_listed_counted_and_ended() {
    let mut site = Site::new();
    for user in ["/log_in/ada", "/log_in/ada", "/log_in/grace"] {
        site.cookie = None;
        site.pass(1);
        site.post(user);
    }
    let live = live(&site);
    wait(async {
        assert_eq!(live.count().await.unwrap(), 3);
        let first = live.all(None, 2).await.unwrap();
        let rest = live.all(Some(&first[1].key), 2).await.unwrap();
        assert_eq!((first.len(), rest.len()), (2, 1));
        let ada = live.list("ada").await.unwrap();
        assert!(ada[0].seen_at > ada[1].seen_at && ada.iter().all(|device| !device.current));
        assert!(live.revoke(&ada[0].key).await.unwrap());
        assert!(!live.revoke(&ada[0].key).await.unwrap());
        assert_eq!(live.revoke_all("ada").await.unwrap(), 1);
        assert_eq!(live.clear().await.unwrap(), 1);
        assert_eq!(live.count().await.unwrap(), 0);
    });
}

#[test]
fn a_cleanup_on_request_reports_its_progress() {
    let mut site = Site::with("{cleanup_batch=2,cleanup_interval=\"off\"}");
    for _ in 0..5 {
        site.cookie = None;
        site.post("/set/blue");
    }
    site.pass(2 * HOUR);
    let mut progress = Vec::new();
    let deleted = wait(live(&site).delete_expired(|count| progress.push(count))).unwrap();
    assert_eq!((deleted, progress.as_slice()), (5, &[2, 4, 5][..]));
}
