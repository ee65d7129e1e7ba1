//! The metrics, at an address of their own.

use std::io::{ErrorKind, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::time::Duration;

use testing::accounts::{EMAIL, PASSWORD, register, register_with, sign_in};
use testing::application::{Application, refusal};
use testing::database::{self, TestDatabase};
use testing::server::free_port;
use testing::visitor::Visitor;

/// More than the exporter serves at once.
const READERS: usize = 100;

fn setting(port: u16) -> String {
    format!("{{address=\"127.0.0.1:{port}\"}}")
}

/// Starts the application, and returns it with the port of its metrics.
fn start(database: &TestDatabase) -> (Application, u16) {
    let port = free_port();
    let variables = [
        ("ROCKET_METRICS", &*setting(port)),
        ("ROCKET_ACCOUNTS", "{attempts_per_account=3}"),
    ];
    (Application::start_with(database, &variables), port)
}

fn connect(port: u16) -> TcpStream {
    let stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
    let timeout = Some(Duration::from_secs(30));
    stream.set_read_timeout(timeout).unwrap();
    stream
}

/// Sends a request, and returns the whole answer.
fn ask(port: u16, request: &str) -> String {
    let mut stream = connect(port);
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

fn scrape(port: u16) -> String {
    ask(port, "GET /metrics HTTP/1.1\r\nHost: metrics\r\n\r\n")
}

fn has(metrics: &str, line: &str) {
    assert!(metrics.lines().any(|it| it == line), "{line}: {metrics}");
}

#[test]
fn metrics_count_sign_ins_and_registrations_and_name_nobody() {
    let database = database::sqlite();
    let (application, port) = start(&database);
    let before = scrape(port);
    has(&before, "HTTP/1.1 200 OK");
    has(
        &before,
        "Content-Type: text/plain; version=0.0.4; charset=utf-8",
    );
    has(&before, r#"accounts_sign_ins_total{outcome="wrong"} 0"#);
    let visitor = application.visitor();
    assert_eq!(register(&visitor, EMAIL, &[]).status, 303);
    let other = application.visitor();
    let taken = register_with(&other, EMAIL, "another horse battery", &[]);
    assert_eq!(taken.status, 422);
    assert_eq!(sign_in(&other, EMAIL, "nothing of the sort").status, 401);
    assert_eq!(sign_in(&other, "nobody", PASSWORD).status, 422);
    assert_eq!(sign_in(&other, EMAIL, PASSWORD).status, 303);
    for status in [401, 401, 401, 429] {
        let answer = sign_in(&application.visitor(), "bob@example.org", PASSWORD);
        assert_eq!(answer.status, status);
    }
    let after = scrape(port);
    for line in [
        r#"accounts_registrations_total{outcome="done"} 1"#,
        r#"accounts_registrations_total{outcome="taken"} 1"#,
        r#"accounts_sign_ins_total{outcome="done"} 1"#,
        r#"accounts_sign_ins_total{outcome="invalid"} 1"#,
        r#"accounts_sign_ins_total{outcome="limited"} 1"#,
        // One is that of the registration with a taken address, which is tried as a sign-in.
        r#"accounts_sign_ins_total{outcome="wrong"} 5"#,
        r#"accounts_refused_total{reason="limit"} 1"#,
        r#"accounts_refused_total{reason="busy"} 0"#,
        "accounts_passwords_hashing 0",
        "accounts_passwords_waiting 0",
        "accounts_passwords_wait_seconds_count 8",
        "session_begun_total 2",
        r#"session_store_asks_total{verb="load",outcome="found"} 0"#,
    ] {
        has(&after, line);
    }
    let cookie = other.cookie("id").unwrap();
    for secret in [EMAIL, "nobody", "127.0.0.1", "/login", &cookie] {
        assert!(!after.contains(secret), "{secret}: {after}");
    }
}

#[test]
fn nothing_but_the_metrics_is_at_their_address() {
    let database = database::sqlite();
    let (application, port) = start(&database);
    for request in [
        "GET / HTTP/1.1\r\n\r\n",
        "GET /metricsandmore HTTP/1.1\r\n\r\n",
        "GET /login HTTP/1.1\r\n\r\n",
        "POST /metrics HTTP/1.1\r\nContent-Length: 0\r\n\r\n",
        "\0\r\n\r\n",
    ] {
        let answer = ask(port, request);
        assert!(answer.starts_with("HTTP/1.1 404 "), "{request}: {answer}");
    }
    let query = ask(port, "GET /metrics?a=b HTTP/1.0\r\n\r\n");
    assert!(query.starts_with("HTTP/1.1 200 "), "{query}");
    assert_eq!(ask(port, &"a".repeat(9_000)), "", "the head is too long");
    assert_eq!(application.visitor().get("/metrics").status, 404);
}

#[test]
fn readers_that_hang_hold_up_neither_other_readers_nor_requests() {
    let database = database::sqlite();
    let (application, port) = start(&database);
    let ask_both = |visitor: &Visitor| {
        has(&scrape(port), "HTTP/1.1 200 OK");
        assert_eq!(visitor.get("/login").status, 200);
    };
    let visitor = application.visitor();
    let mut readers: Vec<_> = [(); READERS].map(|()| connect(port)).into();
    ask_both(&visitor);
    // It made room, long before its time was over.
    let first = &mut readers[0];
    first
        .set_read_timeout(Some(Duration::from_secs(2)))
        .unwrap();
    assert_eq!(first.read(&mut [0]).unwrap(), 0);
    for reader in &mut readers[1..] {
        // More of them are closed by now.
        let _ = reader.write_all(b"GET /metrics HTTP/1.1\r\nHost: ");
    }
    ask_both(&visitor);
    for reader in &mut readers {
        let closed = match reader.read(&mut [0]) {
            Ok(read) => read == 0,
            Err(error) => error.kind() == ErrorKind::ConnectionReset,
        };
        assert!(closed, "a reader that hangs is closed in the end");
    }
    ask_both(&visitor);
}

#[test]
fn an_address_that_cannot_be_bound_is_refused_with_its_remedy() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port();
    let database = database::sqlite();
    for (setting, words) in [
        (
            setting(port),
            format!(
                "metrics.address is \"127.0.0.1:{port}\", which cannot be bound: Address already in use"
            ),
        ),
        (
            "{address=\"192.0.2.1:9464\"}".to_owned(),
            "choose an address of this machine and a free port".to_owned(),
        ),
        (
            "{address=\"metrics\"}".to_owned(),
            "metrics.address is \"metrics\"; it must be an IP address and a port".to_owned(),
        ),
        (
            "{port=9464}".to_owned(),
            "metrics.port cannot be used".to_owned(),
        ),
    ] {
        let (status, output) = refusal(&database.url, &[("ROCKET_METRICS", &setting)]);
        assert!(status.code().is_some_and(|code| code != 0), "{setting}");
        let lines = output.lines().filter(|line| line.contains(&words));
        assert_eq!(lines.count(), 1, "{setting}: {output}");
    }
}
