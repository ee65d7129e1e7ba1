//! Listeners that hang or panic, and saves that fail.

use std::sync::mpsc::{Receiver, channel};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use rocket::local::blocking::Client;
use rocket_diesel_session::events::Event;
use rocket_diesel_session::store::MemoryStore;
use rocket_diesel_session::{Error, Session, Sessions};

use testing::site::{Site, figment};

use crate::log::log_of;

/// The number of events that can wait for a listener.
const QUEUE: usize = 1_024;

#[rocket::post("/begin")]
fn begin(session: &Session) -> Result<(), Error> {
    session.insert("colour", "blue")
}

/// An application at this level of the log.
fn client(level: &str, listen: impl Fn(Sessions) -> Sessions) -> Client {
    let sessions = Sessions::fairing().with_store(Arc::new(MemoryStore::new()));
    let figment = figment("{}").merge(("log_level", level));
    let rocket = rocket::custom(figment).mount("/", rocket::routes![begin]);
    Client::untracked(rocket.attach(listen(sessions))).unwrap()
}

fn begin_sessions(client: &Client, count: usize) {
    for _ in 0..count {
        let status = client.post("/begin").dispatch().status();
        assert_eq!(status.code, 200);
    }
}

/// Waits for so many events, and for no further one.
fn assert_received(events: &Receiver<Event>, count: usize) {
    for _ in 0..count {
        let event = events.recv_timeout(Duration::from_secs(10)).unwrap();
        assert!(matches!(event, Event::Begun { .. }), "{event:?}");
    }
    assert_eq!(
        events.recv_timeout(Duration::from_millis(200)).ok(),
        None,
        "after {count}"
    );
}

#[test]
fn a_listener_that_hangs_holds_up_no_request_and_what_it_misses_is_logged() {
    let name = "session::listeners::a_listener_that_hangs_holds_up_no_request_and_what_it_misses_is_logged";
    let Some(log) = log_of(name, |level| {
        let (release, released) = channel::<()>();
        let (sender, events) = channel();
        let hanging = Arc::new(Mutex::new(released));
        let client = client(level, |sessions| {
            let (sender, hanging) = (sender.clone(), hanging.clone());
            sessions.on_event(move |event| {
                let _ = hanging.lock().unwrap().recv();
                sender.send(event.clone()).unwrap();
            })
        });
        begin_sessions(&client, QUEUE + 6);
        drop(release);
        assert_received(&events, QUEUE);
        begin_sessions(&client, 2);
        assert_received(&events, 2);
    }) else {
        return;
    };
    for line in [
        "a closure of Sessions::on_event is too slow: 1024 events wait for it",
        "6 events of a closure of Sessions::on_event were dropped",
    ] {
        assert_eq!(log.matches(line).count(), 1, "{line}: {log}");
    }
}

#[test]
fn a_listener_that_panics_fails_no_request_and_gets_the_next_events() {
    let name =
        "session::listeners::a_listener_that_panics_fails_no_request_and_gets_the_next_events";
    let Some(log) = log_of(name, |level| {
        let (sender, events) = channel();
        let (beside, other_events) = channel();
        let count = Arc::new(Mutex::new(0));
        let client = client(level, |sessions| {
            let (sender, beside, count) = (sender.clone(), beside.clone(), count.clone());
            let panicking = move |event: &Event| {
                let number = {
                    let mut count = count.lock().unwrap();
                    *count += 1;
                    *count
                };
                assert!(number % 2 == 0, "as ordered");
                sender.send(event.clone()).unwrap();
            };
            let working = move |event: &Event| beside.send(event.clone()).unwrap();
            sessions.on_event(panicking).on_event(working)
        });
        begin_sessions(&client, 4);
        assert_received(&events, 2);
        assert_received(&other_events, 4);
    }) else {
        return;
    };
    let line = "a closure of Sessions::on_event panicked; it missed one event";
    assert_eq!(log.matches(line).count(), 2, "{log}");
}

#[test]
fn a_shutdown_waits_for_the_last_events() {
    let (sender, events) = channel();
    let client = client("off", |sessions| {
        let sender = sender.clone();
        sessions.on_event(move |event| {
            thread::sleep(Duration::from_millis(20));
            sender.send(event.clone()).unwrap();
        })
    });
    begin_sessions(&client, 5);
    drop(client);
    assert_eq!(events.try_iter().count(), 5);
}

#[test]
fn a_save_that_fails_is_no_event() {
    let (sender, events) = channel();
    let mut site = Site::on(Arc::default(), "{}", |sessions| {
        let sender = sender.clone();
        sessions.on_event(move |event| sender.send(event.clone()).unwrap())
    });
    site.store.fail(1);
    assert_eq!(site.post("/log_in/ada").status, 503);
    assert_eq!(site.post("/set/blue").status, 200);
    assert_received(&events, 1);
    let begun = site.cookie.clone();
    site.store.fail(1);
    assert_eq!(site.post("/log_out").status, 503);
    assert_eq!(events.recv_timeout(Duration::from_millis(200)).ok(), None);
    site.cookie = begun;
    site.store.fail_after(1, 1);
    assert_eq!(site.post("/log_out").status, 503, "loaded, and not deleted");
    assert_eq!(events.recv_timeout(Duration::from_millis(200)).ok(), None);
}
