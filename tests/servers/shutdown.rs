//! A server that gets SIGTERM while it works.

#![cfg(unix)]

use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::atomic::{AtomicU64, Ordering};
use std::thread;
use std::time::Duration;

use reqwest::blocking::Client;
use rocket::serde::json::{Value, from_str};

use testing::database::TestDatabase;
use testing::on_every_backend;
use testing::server::{Browser, Server};
#[cfg(feature = "mysql")]
use testing::{database, switch::Switch};

on_every_backend!(writes_acknowledged_before_a_shutdown_are_stored);

/// Sends a request and does not wait for its answer.
fn begin(server: &Server, path: &str, cookie: &str) -> TcpStream {
    let address = server.base.trim_start_matches("http://");
    let mut connection = TcpStream::connect(address).unwrap();
    let head = format!("POST {path} HTTP/1.1\r\nHost: {address}\r\nCookie: {cookie}");
    let rest = "Content-Length: 0\r\nConnection: close\r\n\r\n";
    write!(connection, "{head}\r\n{rest}").unwrap();
    connection
}

fn writes_acknowledged_before_a_shutdown_are_stored(database: &TestDatabase) {
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
    let mut slow = begin(&server, "/slow/700", &cookie);
    thread::scope(|scope| {
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
    });
    let mut answer = String::new();
    slow.read_to_string(&mut answer).unwrap();
    let answered = answer.starts_with("HTTP/1.1 200");
    assert!(answered, "a request that had begun is answered: {answer}");
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

#[cfg(feature = "mysql")]
#[test]
#[ignore = "needs MariaDB: run ./test.sh"]
fn requests_that_wait_for_a_database_that_hangs_are_answered_before_the_end() {
    let mut database = database::mariadb();
    let (before, rest) = database.url.rsplit_once(':').unwrap();
    let (port, name) = rest.split_once('/').unwrap();
    let switch = Switch::to(port.parse().unwrap());
    database.url = format!("{before}:{}/{name}", switch.port);
    let mut server = Server::busy(&database);
    let mut browser = Browser::default();
    browser.post(&format!("{}/log_in/ada", server.base));
    let cookie = browser.cookie.unwrap();
    switch.hang(true);
    let begun: Vec<_> = (0..20)
        .map(|_| begin(&server, "/visits", &cookie))
        .collect();
    thread::sleep(Duration::from_millis(100));
    server.signal("-TERM");
    for mut connection in begun {
        let mut answer = String::new();
        let _ = connection.read_to_string(&mut answer);
        assert!(answer.starts_with("HTTP/1.1 503"), "{answer:?}");
    }
    assert!(server.wait().success());
    switch.hang(false);
}
