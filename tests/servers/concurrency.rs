//! Concurrent requests of one session, in several processes on one database.

use std::process::Stdio;
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;

use rocket::serde::json::{Value, from_str};
use rocket_diesel_session::Token;

use testing::clients::at_once;
use testing::database::TestDatabase;
use testing::on_every_store;
use testing::server::{Browser, Server};

on_every_store!(
    a_hundred_requests_that_write_a_key_each_keep_all_keys,
    a_thousand_updates_over_two_processes_end_at_a_thousand,
    cve_2025_46336_a_slow_request_does_not_undo_a_sign_out,
    of_sign_ins_at_two_processes_at_once_exactly_the_limit_stays,
);

/// Sends `count` requests by so many clients, and expects success of each.
fn storm(count: usize, clients: usize, browser: &Browser, url: impl Fn(usize) -> String + Sync) {
    at_once(clients, count, |number| {
        let answer = browser.clone().post(&url(number));
        assert_eq!(answer.0, 200, "request {number}: {}", answer.1);
    });
}

fn a_hundred_requests_that_write_a_key_each_keep_all_keys(database: &TestDatabase) {
    let server = Server::busy(database);
    let mut browser = Browser::default();
    browser.post(&format!("{}/log_in/ada", server.base));
    storm(100, 100, &browser, |number| {
        format!("{}/keys/key-{number}", server.base)
    });
    let record = database.store.list("ada", 0).unwrap().remove(0);
    let data: Value = from_str(&record.data).unwrap();
    assert_eq!(data.as_object().unwrap().len(), 100);
}

fn a_thousand_updates_over_two_processes_end_at_a_thousand(database: &TestDatabase) {
    let servers = [Server::busy(database), Server::busy(database)];
    let mut browser = Browser::default();
    browser.post(&format!("{}/log_in/ada", servers[0].base));
    storm(1_000, 32, &browser, |number| {
        format!("{}/visits", servers[number % 2].base)
    });
    for server in &servers {
        assert_eq!(browser.get(&format!("{}/visits", server.base)).1, "1000");
    }
}

fn cve_2025_46336_a_slow_request_does_not_undo_a_sign_out(database: &TestDatabase) {
    let servers = [Server::busy(database), Server::busy(database)];
    let races = AtomicU32::new(0);
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                while races.fetch_add(1, Ordering::Relaxed) < 1_000 {
                    race(database, &servers);
                }
            });
        }
    });
    assert_eq!(database.store.count(0).unwrap(), 0, "a session came back");
}

/// One request sleeps for up to 6 ms before it saves; the sign-out falls before, into or after
/// that.
fn race(database: &TestDatabase, [slow, other]: &[Server; 2]) {
    let mut browser = Browser::default();
    browser.post(&format!("{}/log_in/ada", slow.base));
    let signed_in = browser.clone();
    let sleep = fastrand::u32(..6);
    let (mut writing, mut leaving) = (signed_in.clone(), signed_in.clone());
    thread::scope(|scope| {
        scope.spawn(|| writing.post(&format!("{}/slow/{sleep}", slow.base)));
        scope.spawn(|| assert_eq!(leaving.post(&format!("{}/log_out", other.base)).0, 200));
    });
    let key = Token::parse(
        signed_in
            .cookie
            .as_ref()
            .unwrap()
            .split_once('=')
            .unwrap()
            .1,
    )
    .unwrap()
    .key();
    assert_eq!(database.store.load(&key, 0).unwrap(), None);
    for mut browser in [signed_in, writing, leaving] {
        assert_eq!(
            browser.get(&format!("{}/user", slow.base)),
            (200, String::new())
        );
    }
}

fn of_sign_ins_at_two_processes_at_once_exactly_the_limit_stays(database: &TestDatabase) {
    let settings = ",sessions_per_user=5";
    let server = || Server::busy_with(database, settings, "critical", Stdio::inherit());
    let servers = [server(), server()];
    for round in 1..=10 {
        storm(32, 32, &Browser::default(), |number| {
            format!("{}/log_in/user-{round}", servers[number % 2].base)
        });
        let live = database.store.list(&format!("user-{round}"), 0).unwrap();
        assert_eq!(live.len(), 5);
    }
}
