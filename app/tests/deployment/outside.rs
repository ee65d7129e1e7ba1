//! Checks the requests that a proxy lets in, and the headers that it adds or removes.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::sync::{Arc, Mutex};
use std::thread;

use crate::client::{Answer, HERE, ask, connect, read, request};
use crate::site::{Kind, Site, Whole, value_of};
use testing::secrets;

behind_both!(
    the_whole_walk_over_tls,
    without_tls_there_is_nothing_but_the_way_to_it,
    another_name_is_not_answered,
    nobody_tells_the_application_another_address_than_his_own,
    the_application_knows_where_somebody_is,
    too_large_a_header_or_body_does_not_reach_the_application,
    nobody_has_more_than_fifty_at_once,
    http_2_has_bounds,
);

const HSTS: Option<&str> = Some("max-age=31536000; includeSubDomains");

fn the_whole_walk_over_tls(kind: Kind) {
    let whole = Whole::start(kind);
    let cookie = whole.site.register();
    let cookies = format!("Cookie: {cookie}");
    let home = whole
        .site
        .ask(&request("GET", "/home", &[&cookies], ""))
        .unwrap();
    assert_eq!(home.status, 200, "{home:?}");
    assert!(home.body.contains("Ada Lovelace"), "{home:?}");
    assert_eq!(home.header("Strict-Transport-Security"), HSTS);
    let twice = home
        .headers
        .iter()
        .filter(|line| line.to_lowercase().contains("max-age="));
    assert_eq!(twice.count(), 1, "{home:?}");

    let form = whole.site.get("/login");
    assert_eq!(form.status, 200);
    let signed_out = whole.site.ask(&request(
        "POST",
        "/logout",
        &[&cookies, "Origin: https://example.org"],
        &token_of(&home),
    ));
    let signed_out = signed_out.unwrap();
    assert_eq!(signed_out.status, 303, "{signed_out:?}");
    assert_eq!(signed_out.header("Location"), Some("/login?signed_out"));
    let mut cookies = signed_out.cookies();
    let removed = cookies.find(|line| line.starts_with("__Host-id=")).unwrap();
    for attribute in ["Secure", "HttpOnly", "SameSite=Lax", "Path=/", "Max-Age=0"] {
        assert!(removed.contains(attribute), "{attribute}: {removed}");
    }
    assert_eq!(value_of(removed), "__Host-id=");
}

/// Returns the body of a form with only the page's token.
fn token_of(page: &Answer) -> String {
    let token = secrets::csrf_tokens(&page.body).next().unwrap_or_default();
    format!("_token={token}")
}

fn without_tls_there_is_nothing_but_the_way_to_it(kind: Kind) {
    let whole = Whole::start(kind);
    let mut plain = connect(whole.site.ports[0], HERE).unwrap();
    let answer = ask(&mut plain, &request("GET", "/secret?next=/home", &[], "")).unwrap();
    assert_eq!(answer.status, 301);
    let location = answer.header("Location");
    assert_eq!(location, Some("https://example.org/secret?next=/home"));
    assert!(!whole.has_seen("/secret"));
}

fn another_name_is_not_answered(kind: Kind) {
    let whole = Whole::start(kind);
    for host in [
        "evil.example",
        "example.org.evil.example",
        "evil.example, example.org",
        "example.org,evil.example",
        "127.0.0.1",
        "",
    ] {
        let request = format!("GET /named HTTP/1.1\r\nHost: {host}\r\n\r\n");
        let status = whole.site.ask(&request).map(|answer| answer.status);
        assert!(
            matches!(status, None | Some(400 | 421)),
            "{host}: {status:?}"
        );
    }
    let twice = "GET /named HTTP/1.1\r\nHost: example.org\r\nHost: evil.example\r\n\r\n";
    let status = whole.site.ask(twice).map(|answer| answer.status);
    assert_eq!(status, Some(400));
    assert!(!whole.has_seen("/named"));
}

/// Serves one request after the other, and records the head of each.
fn recorder() -> (u16, Arc<Mutex<Vec<String>>>) {
    let listener = TcpListener::bind((std::net::Ipv4Addr::LOCALHOST, 0)).unwrap();
    let port = listener.local_addr().unwrap().port();
    let heads = Arc::new(Mutex::new(Vec::new()));
    let record = heads.clone();
    thread::spawn(move || {
        for stream in listener.incoming() {
            let (mut stream, mut head) = (stream.unwrap(), Vec::new());
            let mut byte = [0];
            while !head.ends_with(b"\r\n\r\n") && stream.read_exact(&mut byte).is_ok() {
                head.push(byte[0]);
            }
            // HAProxy itself asks for the health.
            if !head.starts_with(b"GET /health/") {
                let head = String::from_utf8(head).unwrap();
                record.lock().unwrap().push(head);
            }
            let close = b"HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n";
            let _ = stream.write_all(close);
        }
    });
    (port, heads)
}

/// Headers of a client that pretends to be another one.
const SPOOFED: [&str; 8] = [
    "X-Forwarded-For: 6.6.6.6",
    "X-Forwarded-For: 127.0.0.1, 6.6.6.7",
    "x-forwarded-for: 6.6.6.8",
    "X_Forwarded_For: 6.6.6.9",
    "X-Forwarded-Proto: http",
    "X-Forwarded-Host: 6.6.6.10",
    "X-Real-IP: 6.6.6.11",
    "Forwarded: for=6.6.6.12;proto=http",
];

fn nobody_tells_the_application_another_address_than_his_own(kind: Kind) {
    let (port, heads) = recorder();
    let site = Site::before(kind, port);
    let mut stream = site.connect_from([127, 0, 0, 7]);
    let answer = ask(&mut stream, &request("GET", "/", &SPOOFED, "")).unwrap();
    assert_eq!(answer.status, 204);

    let head = heads.lock().unwrap().concat().to_lowercase();
    let lines = |name: &str| {
        let lines = head.lines().filter(|line| line.starts_with(name));
        lines.map(str::to_owned).collect::<Vec<_>>()
    };
    assert_eq!(lines("x-forwarded-for:"), ["x-forwarded-for: 127.0.0.7"]);
    assert_eq!(lines("x-forwarded-proto:"), ["x-forwarded-proto: https"]);
    assert_eq!(lines("host:"), ["host: example.org"]);
    for name in ["x-forwarded-host", "x-real-ip", "forwarded:"] {
        assert_eq!(lines(name), [""; 0], "{head}");
    }
    let rest = head.replace("x_forwarded_for: 6.6.6.9", "");
    assert!(!rest.contains("6.6.6."), "{head}");
}

fn the_application_knows_where_somebody_is(kind: Kind) {
    let whole = Whole::start(kind);
    let invented = format!("Cookie: __Host-id={}", "A".repeat(43));
    let headers = [&SPOOFED[..], &[invented.as_str()]].concat();
    let mut stream = whole.site.connect_from([127, 0, 0, 7]);
    let answer = ask(&mut stream, &request("GET", "/home", &headers, "")).unwrap();
    assert_eq!(answer.status, 303, "{answer:?}");
    let output = whole.application.output();
    let events = output
        .lines()
        .filter(|line| line.contains("session_use_after_expire"));
    let events: Vec<_> = events.collect();
    assert_eq!(events.len(), 1, "{output}");
    assert!(events[0].contains(r#""address":"127.0.0.7""#), "{events:?}");
    assert!(!output.contains("6.6.6."), "{output}");
}

fn too_large_a_header_or_body_does_not_reach_the_application(kind: Kind) {
    let whole = Whole::start(kind);
    let ask = |request: &str| whole.site.ask(request).map(|answer| answer.status);
    let lines: Vec<_> = (0..8)
        .map(|n| format!("X-{n}: {}", "a".repeat(7_000)))
        .collect();
    let many: Vec<_> = lines.iter().map(String::as_str).collect();
    let status = ask(&request("GET", "/large/header", &many, ""));
    assert!(matches!(status, Some(400 | 431)), "{status:?}");

    let body = "a".repeat(33 * 1024);
    let refused = whole.site.ask(&request("POST", "/large/body", &[], &body));
    let refused = refused.unwrap();
    assert_eq!(refused.status, 413);
    assert_eq!(refused.header("Strict-Transport-Security"), HSTS);
    let chunked = format!(
        "POST /large/chunks HTTP/1.1\r\nHost: example.org\r\nTransfer-Encoding: chunked\r\n\r\n\
         {:x}\r\n{body}\r\n0\r\n\r\n",
        body.len()
    );
    assert_eq!(ask(&chunked), Some(413));
    assert!(!whole.has_seen("/large"));

    let body = "a".repeat(31 * 1024);
    let header = format!("X-Much: {}", "a".repeat(7_000));
    let fits = request("POST", "/small", &[&header], &body);
    assert!(matches!(ask(&fits), Some(403 | 404)));
    assert!(whole.has_seen("/small"));
}

fn nobody_has_more_than_fifty_at_once(kind: Kind) {
    let whole = Whole::start(kind);
    let address = [127, 0, 0, 9];
    let begun = "POST /login HTTP/1.1\r\nHost: example.org\r\nContent-Length: 9\r\n\r\n";
    let mut open = Vec::new();
    let mut refused = 0;
    for _ in 0..60 {
        match whole.site.try_connect(address) {
            Err(_) => refused += 1,
            Ok(mut stream) => {
                stream.write_all(begun.as_bytes()).unwrap();
                stream.flush().unwrap();
                open.push(stream);
            }
        }
    }
    for stream in open.iter_mut().skip(50) {
        assert_eq!(read(stream).unwrap().status, 429);
        refused += 1;
    }
    assert_eq!(refused, 10);
    assert_eq!(whole.site.get("/").status, 200);
    drop(open);
}

/// Returns the first SETTINGS of an HTTP/2 server: numbers and values (RFC 9113, 6.5).
fn settings(stream: &mut impl Read) -> Vec<(u16, u32)> {
    let mut head = [0; 9];
    stream.read_exact(&mut head).unwrap();
    assert_eq!(head[3], 4, "no SETTINGS: {head:?}");
    let length = u32::from_be_bytes([0, head[0], head[1], head[2]]);
    let mut frame = vec![0; length as usize];
    stream.read_exact(&mut frame).unwrap();
    let of = |setting: &[u8]| {
        let number = u16::from_be_bytes([setting[0], setting[1]]);
        (
            number,
            u32::from_be_bytes(setting[2..6].try_into().unwrap()),
        )
    };
    frame.chunks(6).map(of).collect()
}

fn http_2_has_bounds(kind: Kind) {
    let whole = Whole::start(kind);
    let mut stream = whole.site.connect_with_http2();
    assert_eq!(stream.conn.alpn_protocol(), Some(&b"h2"[..]));
    let preface = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0";
    stream.write_all(preface).unwrap();
    stream.flush().unwrap();
    let streams = settings(&mut stream)
        .into_iter()
        .find(|(number, _)| *number == 3);
    assert_eq!(streams, Some((3, 32)));
}
