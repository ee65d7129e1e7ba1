//! Sends requests that no client library would send.

use std::time::{Duration, Instant};

use testing::accounts::{EMAIL, cookie, register};
use testing::application::Application;
use testing::sql;
use testing::wire::{self, is_too_large, send, status};

/// Returns the answer to a GET with further header lines, each with its line end.
fn get(application: &Application, page: &str, lines: &[u8]) -> String {
    wire::get(&application.base, page, lines)
}

#[test]
fn a_cookie_of_any_bytes_is_no_session() {
    let database = testing::database::sqlite();
    let application = Application::start(&database);
    let own = cookie(&register(&application.visitor(), EMAIL, &[]));
    for value in [
        &b"\xff"[..],
        b"\x80\x81",
        b"%00%0d%0aSet-Cookie:%20a=b",
        b"' OR 1=1--",
        b"\"",
        b"a b\tc",
    ] {
        let answer = get(
            &application,
            "/home",
            &[b"Cookie: id=", value, b"\r\n"].concat(),
        );
        assert_eq!(status(&answer), 303, "{value:?}");
        assert!(!answer.to_lowercase().contains("set-cookie"), "{answer}");
    }
    let with_nul = get(
        &application,
        "/home",
        format!("Cookie: id=a\0b; {own}\r\n").as_bytes(),
    );
    assert_eq!(status(&with_nul), 400);
    // The header line ends where its value ends.
    let two_lines = get(
        &application,
        "/home",
        format!("Cookie: id=a\r\nX: {own}\r\n").as_bytes(),
    );
    assert_eq!(status(&two_lines), 303);
    let beside = get(
        &application,
        "/home",
        format!("Cookie: a=%00%ff; {own}; b=\"\"\r\n").as_bytes(),
    );
    assert_eq!(status(&beside), 200);
    assert_eq!(sql::count(&database, "sessions"), 1);
}

#[test]
fn many_and_large_cookies_cost_little() {
    let database = testing::database::sqlite();
    let application = Application::start(&database);
    let own = cookie(&register(&application.visitor(), EMAIL, &[]));
    let many = (0..10_000).map(|n| format!("c{n}=v; ")).collect::<String>();
    let large = format!("id={}", "A".repeat(400 * 1024));
    for (cookies, expected) in [
        (format!("{many}{own}"), 200),
        (format!("{many}id=x"), 303),
        (large, 303),
    ] {
        let line = format!("Cookie: {cookies}\r\n");
        let took = (0..10).map(|_| {
            let start = Instant::now();
            let answer = get(&application, "/home", line.as_bytes());
            assert_eq!(status(&answer), expected, "{cookies:.20}: {answer:.40}");
            start.elapsed()
        });
        let fastest = took.min().unwrap();
        assert!(
            fastest < Duration::from_millis(100),
            "{cookies:.20}: {fastest:?}"
        );
    }
    let endless = format!("Cookie: id={}\r\n", "A".repeat(2 * 1024 * 1024));
    assert!(is_too_large(&get(
        &application,
        "/home",
        endless.as_bytes()
    )));
    assert_eq!(sql::count(&database, "sessions"), 1);
}

#[test]
fn too_many_headers_are_refused() {
    let database = testing::database::sqlite();
    let application = Application::start(&database);
    let with = |count: u32| {
        let lines = (0..count)
            .map(|n| format!("X-{n}: v\r\n"))
            .collect::<String>();
        get(&application, "/", lines.as_bytes())
    };
    assert_eq!(status(&with(90)), 200);
    assert_eq!(status(&with(120)), 431);
    assert!(is_too_large(&with(100_000)));
    let long = format!("/{}", "x".repeat(100_000));
    assert_eq!(status(&get(&application, &long, b"")), 414);
}

#[test]
fn a_host_is_never_believed() {
    let database = testing::database::sqlite();
    let application = Application::start(&database);
    for hosts in [
        "Host: evil.example\r\n",
        "Host: evil.example\r\nHost: example.org\r\n",
        "Host: evil.example:99999999\r\n",
        "Host: evil.example\r\nX-Forwarded-Host: evil.example\r\nForwarded: host=evil.example\r\n",
        "Host: \r\n",
        "",
    ] {
        let request = format!("GET /home HTTP/1.1\r\n{hosts}Connection: close\r\n\r\n");
        let answer = send(&application.base, request.as_bytes());
        assert!([303, 400].contains(&status(&answer)), "{hosts}: {answer}");
        assert!(!answer.contains("evil.example"), "{hosts}: {answer}");
        if status(&answer) == 303 {
            assert!(
                answer.to_lowercase().contains("\r\nlocation: /login"),
                "{answer}"
            );
        }
    }
}

#[test]
fn requests_with_an_ambiguous_end_are_refused() {
    let database = testing::database::sqlite();
    let application = Application::start(&database);
    let post = "POST /login HTTP/1.1\r\nHost: a\r\nConnection: close\r\n";
    for (lines, body) in [
        ("Content-Length: 3\r\nContent-Length: 5\r\n", "abcde"),
        ("Content-Length: -1\r\n", ""),
        ("Content-Length: 1e1\r\n", "abcdefghij"),
        ("Content-Length: 99999999999999999999\r\n", ""),
        ("Transfer-Encoding: gzip\r\n", "abc"),
        ("Transfer-Encoding: chunked, identity\r\n", "0\r\n\r\n"),
        ("X: a\r\n folded\r\n", ""),
        ("X : a\r\n", ""),
        ("X\0: a\r\n", ""),
        (": a\r\n", ""),
    ] {
        let answer = send(
            &application.base,
            format!("{post}{lines}\r\n{body}").as_bytes(),
        );
        assert!(
            answer.is_empty() || status(&answer) == 400,
            "{lines}: {answer}"
        );
    }
    for chunk in [
        "FFFFFFFFFFFFFFFFF\r\nabc",
        "-1\r\nabc",
        "zz\r\nabc",
        "5\r\nabcdefgh\r\n0\r\n\r\n",
    ] {
        let form =
            "Content-Type: application/x-www-form-urlencoded\r\nTransfer-Encoding: chunked\r\n";
        let answer = send(
            &application.base,
            format!("{post}{form}\r\n{chunk}").as_bytes(),
        );
        assert!(
            answer.is_empty() || (400..500).contains(&status(&answer)),
            "{chunk}: {answer}"
        );
        assert_eq!(
            answer.matches("HTTP/1.1 ").count().max(1),
            1,
            "{chunk}: {answer}"
        );
    }
    for garbage in [
        "\0\0\0\0\r\n\r\n",
        "GET\r\n\r\n",
        "GET / HTTP/9.9\r\n\r\n",
        "\u{16}\u{3}\u{1}\u{2}\0\u{1}",
        "SSH-2.0-x\r\n\r\n",
    ] {
        let answer = send(&application.base, garbage.as_bytes());
        assert!(
            answer.is_empty() || [400, 505].contains(&status(&answer)),
            "{garbage:?}: {answer}"
        );
    }
    assert_eq!(application.visitor().get("/").status, 200);
    assert_eq!(sql::count(&database, "sessions"), 0);
}
