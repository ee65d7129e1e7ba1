//! `Session::ended`: the use of the session, and a store that fails.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::Duration;

use rocket::State;
use rocket::local::blocking::Client;
use rocket::tokio::spawn;
use rocket_diesel_session::Session;
use rocket_diesel_session::events::StreamEnd;
use rocket_diesel_session::store::Store;

use testing::server::wait_until;
use testing::site::{self, HOUR, START, Site, Watched};

/// Stands for a stream, and sends why it ended.
#[rocket::post("/watch")]
fn watch(session: &Session, ends: &State<Sender<StreamEnd>>) {
    let (ended, ends) = (session.ended(), ends.inner().clone());
    spawn(async move { ends.send(ended.await) });
}

/// A user who is signed in, and the ends of the streams.
fn signed_in() -> (Site, Receiver<StreamEnd>) {
    let (store, now) = (Arc::<Watched>::default(), Arc::new(AtomicI64::new(START)));
    let (sender, ends) = channel::<StreamEnd>();
    let settings = "{stream_check_interval=\"1s\"}";
    let rocket = site::rocket(settings, store.clone(), now.clone()).manage(sender);
    let client = Client::untracked(rocket.mount("/", rocket::routes![watch])).unwrap();
    let mut site = Site {
        client,
        store,
        now,
        cookie: None,
    };
    site.post("/log_in/ada");
    (site, ends)
}

#[test]
fn opening_a_stream_is_no_use_of_the_session() {
    let (mut site, _ends) = signed_in();
    let seen = |site: &Site| {
        let now = site.now.load(Ordering::SeqCst);
        let record = site.store.memory.load(&site::key(site), now).unwrap();
        record.unwrap().seen_at - START
    };
    site.pass(HOUR);
    assert_eq!(site.post("/watch").status, 200);
    assert_eq!(seen(&site), 0);
    site.get("/who");
    assert_eq!(seen(&site), HOUR);
}

#[test]
fn a_store_that_fails_ends_no_stream() {
    let (mut site, ends) = signed_in();
    assert_eq!(site.post("/watch").status, 200);
    site.store.fail(u32::MAX);
    site.store.calls();
    let mut checks = 0;
    wait_until("the store fails twice", Duration::from_secs(20), || {
        checks += site.store.calls().len();
        checks >= 2
    });
    assert!(ends.try_recv().is_err(), "while the store fails");
    site.store.fail(0);
    site.store.memory.delete(&site::key(&site)).unwrap();
    let end = ends.recv_timeout(Duration::from_secs(20)).unwrap();
    assert_eq!(end, StreamEnd::Elsewhere);
}
