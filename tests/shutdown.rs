//! A server that is told to stop in the middle of its work, as every deployment does.

#![cfg(all(unix, feature = "sqlite"))]
#![allow(clippy::unwrap_used, reason = "a test panics where it fails")]

mod support;

use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::Duration;

use reqwest::blocking::Client;
use rocket::serde::json::{Value, from_str};

use support::database::TestDatabase;
use support::on_every_backend;
use support::server::{Browser, Server};

on_every_backend!(o8_what_was_acknowledged_before_a_shutdown_is_stored);

fn o8_what_was_acknowledged_before_a_shutdown_is_stored(database: &TestDatabase) {
    let mut server = Server::busy(database);
    let mut browser = Browser::default();
    browser.post(&format!("{}/log_in/ada", server.base));
    let cookie = browser.cookie.unwrap();
    let post = |path: &str| {
        let request = Client::new().post(format!("{}{path}", server.base));
        let answer = request.header("Cookie", &cookie).send();
        answer.is_ok_and(|answer| answer.status() == 200)
    };
    let acknowledged = AtomicU64::new(0);
    let slow = thread::scope(|scope| {
        let slow = scope.spawn(|| post("/slow/700"));
        for _ in 0..8 {
            scope.spawn(|| {
                while post("/visits") {
                    acknowledged.fetch_add(1, Ordering::SeqCst);
                }
            });
        }
        while acknowledged.load(Ordering::SeqCst) < 100 {
            thread::sleep(Duration::from_millis(1));
        }
        server.signal("-TERM");
        slow.join().unwrap()
    });
    assert!(slow, "a request that had begun is answered");
    assert!(server.wait().success());
    let record = database.store.list("ada", 0).unwrap().remove(0);
    let data: Value = from_str(&record.data).unwrap();
    let stored = data["visits"].as_u64().unwrap();
    let acknowledged = acknowledged.into_inner();
    assert!(
        stored >= acknowledged,
        "{acknowledged} acknowledged, {stored} stored"
    );
    assert!(
        stored <= acknowledged + 8,
        "at most one for each client is in doubt"
    );
    assert_eq!(data["slow"], true);
}
