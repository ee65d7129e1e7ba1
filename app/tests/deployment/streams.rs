//! Passes streams on through the proxies: on their paths they may be silent, other responses may not.

use std::io::{Read, Write};
use std::thread;
use std::time::Instant;

use crate::client::request;
use crate::site::{Kind, Site};
use crate::stream_backend::{LARGE, SILENCE, backend, read_until};

behind_both!(
    a_silent_event_stream_lives_on_its_path_alone,
    a_websocket_lives_in_silence_on_its_path_alone,
    no_other_upgrade_reaches_the_application,
    a_client_that_does_not_read_is_cut_off,
);

const STREAM: &str = "/account/events";

/// Flags of HTTP/2.
const END_OF_STREAM: u8 = 1;
const END_OF_HEADERS: u8 = 4;

/// Starts a proxy whose timeouts for ordinary responses are a second, less than the silence of streams.
fn site(kind: Kind) -> Site {
    let changes = match kind {
        Kind::Nginx => [
            ("proxy_read_timeout 15s", "proxy_read_timeout 1s"),
            ("send_timeout 10s", "send_timeout 1s"),
        ],
        Kind::Haproxy => [
            ("timeout server 15s", "timeout server 1s"),
            ("timeout client 10s", "timeout client 1s"),
        ],
    };
    Site::changed(kind, backend(), &changes)
}

fn a_silent_event_stream_lives_on_its_path_alone(kind: Kind) {
    let site = &site(kind);
    thread::scope(|scope| {
        scope.spawn(|| assert_lives(site.connect(), request("GET", STREAM, &[], "").as_bytes()));
        let get = [
            (":method", "GET"),
            (":scheme", "https"),
            (":path", STREAM),
            (":authority", "example.org"),
        ];
        let get = http2(&get, END_OF_HEADERS | END_OF_STREAM);
        scope.spawn(move || assert_lives(site.connect_with_http2(), &get));
        scope.spawn(|| {
            let mut stream = site.connect();
            let ordinary = request("GET", "/account", &[], "");
            stream.write_all(ordinary.as_bytes()).unwrap();
            let read = read_until(&mut stream, "data:second");
            assert!(!read.contains("data:second"), "{read}");
        });
    });
}

/// Expects the first event at once, and the second one after the silence.
fn assert_lives(mut stream: impl Read + Write, request: &[u8]) {
    let start = Instant::now();
    stream.write_all(request).unwrap();
    stream.flush().unwrap();
    let read = read_until(&mut stream, "data:first");
    assert!(read.contains("data:first"), "{read}");
    assert!(start.elapsed() < SILENCE, "{:?}", start.elapsed());
    let read = read + &read_until(&mut stream, "data:second");
    assert!(read.contains("data:second"), "{read}");
}

/// Returns the preface, empty settings and a frame with these headers (RFC 9113 and 7541).
fn http2(headers: &[(&str, &str)], flags: u8) -> Vec<u8> {
    let length = |text: &str| u8::try_from(text.len()).unwrap();
    let mut block = Vec::new();
    for (name, value) in headers {
        block.extend([0, length(name)]);
        block.extend(name.as_bytes());
        block.push(length(value));
        block.extend(value.as_bytes());
    }
    let mut frames = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0".to_vec();
    frames.extend([
        0,
        0,
        u8::try_from(block.len()).unwrap(),
        1,
        flags,
        0,
        0,
        0,
        1,
    ]);
    frames.extend(block);
    frames
}

/// Returns the handshake for another protocol.
fn handshake(path: &str, protocol: &str) -> String {
    let upgrade = format!("Upgrade: {protocol}");
    let headers = [
        upgrade.as_str(),
        "Connection: Upgrade",
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
        "Sec-WebSocket-Version: 13",
    ];
    request("GET", path, &headers, "")
}

fn a_websocket_lives_in_silence_on_its_path_alone(kind: Kind) {
    let site = site(kind);
    thread::scope(|scope| {
        for (path, lives) in [(STREAM, true), ("/account", false)] {
            let mut socket = site.connect();
            scope.spawn(move || {
                let handshake = handshake(path, "websocket");
                socket.write_all(handshake.as_bytes()).unwrap();
                let head = read_until(&mut socket, "\r\n\r\n");
                assert!(head.starts_with("HTTP/1.1 101 "), "{head}");
                thread::sleep(SILENCE);
                let _ = socket.write_all(b"hello").and_then(|()| socket.flush());
                let read = read_until(&mut socket, "hello");
                assert_eq!(read == "hello", lives, "{path}: {read}");
            });
        }
    });
}

/// HAProxy offers it to browsers, and nginx does not (RFC 8441).
#[test]
#[ignore = "needs HAProxy: run ./test.sh"]
fn a_websocket_in_http_2_reaches_the_application() {
    let site = site(Kind::Haproxy);
    let mut socket = site.connect_with_http2();
    let handshake = [
        (":method", "CONNECT"),
        (":protocol", "websocket"),
        (":scheme", "https"),
        (":path", STREAM),
        (":authority", "example.org"),
        ("sec-websocket-version", "13"),
    ];
    socket
        .write_all(&http2(&handshake, END_OF_HEADERS))
        .unwrap();
    socket.flush().unwrap();
    thread::sleep(SILENCE);
    socket.write_all(b"\0\0\x05\0\0\0\0\0\x01hello").unwrap();
    socket.flush().unwrap();
    let read = read_until(&mut socket, "hello");
    assert!(read.ends_with("hello"), "{read:?}");
}

/// With h2c, requests could get past the rules of the proxy.
fn no_other_upgrade_reaches_the_application(kind: Kind) {
    let site = site(kind);
    for protocol in ["h2c", "websocket, h2c", "tls/1.2"] {
        let mut stream = site.connect();
        stream
            .write_all(handshake(STREAM, protocol).as_bytes())
            .unwrap();
        let head = read_until(&mut stream, "data:first");
        assert!(!head.starts_with("HTTP/1.1 101 "), "{protocol}: {head}");
    }
}

fn a_client_that_does_not_read_is_cut_off(kind: Kind) {
    let site = site(kind);
    thread::scope(|scope| {
        for path in ["/account?large", "/account/events?large"] {
            let mut stream = site.connect();
            scope.spawn(move || {
                let large = request("GET", path, &[], "");
                stream.write_all(large.as_bytes()).unwrap();
                stream.flush().unwrap();
                thread::sleep(SILENCE);
                let mut read = Vec::new();
                let _ = stream.read_to_end(&mut read);
                assert!(read.len() < LARGE, "{path}: {} bytes", read.len());
            });
        }
    });
}
