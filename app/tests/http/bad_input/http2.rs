//! Sends HTTP/2 frames without a client library, since libraries follow the rules.

use std::collections::HashSet;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::thread;
use std::time::{Duration, Instant};

use testing::application::Application;
use testing::sql;

const DATA: u8 = 0;
const HEADERS: u8 = 1;
const RESET: u8 = 3;
const SETTINGS: u8 = 4;
const GO_AWAY: u8 = 7;
const CONTINUATION: u8 = 9;
const END_STREAM: u8 = 1;
const END_HEADERS: u8 = 4;

fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
    [&length[1..], &[kind, flags], &stream.to_be_bytes(), payload].concat()
}

fn connect(application: &Application) -> TcpStream {
    let address = application.base.strip_prefix("http://").unwrap();
    let mut stream = TcpStream::connect(address).unwrap();
    stream
        .set_read_timeout(Some(Duration::from_secs(20)))
        .unwrap();
    stream
        .write_all(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")
        .unwrap();
    stream.write_all(&frame(SETTINGS, 0, 0, &[])).unwrap();
    stream
}

/// An HPACK GET of a page for users, with a well-formed token.
fn guarded_page() -> Vec<u8> {
    let text = |text: &str| [&[u8::try_from(text.len()).unwrap()][..], text.as_bytes()].concat();
    let cookie = format!("id={}", "B".repeat(42) + "A");
    // :method GET, :scheme http; then :path, :authority and cookie by their index.
    let mut block = vec![0x82, 0x86];
    for (name, value) in [
        (&[0x04][..], "/home"),
        (&[0x01], "a"),
        (&[0x0f, 0x11], &*cookie),
    ] {
        block.extend_from_slice(name);
        block.extend(text(value));
    }
    block
}

/// Returns kind, flags and stream of the next frame; `None` at the end.
fn next(stream: &mut TcpStream) -> Option<(u8, u8, u32)> {
    let mut head = [0; 9];
    stream.read_exact(&mut head).ok()?;
    let length = u32::from_be_bytes([0, head[0], head[1], head[2]]);
    let mut payload = vec![0; length as usize];
    stream.read_exact(&mut payload).ok()?;
    let of = u32::from_be_bytes([head[5], head[6], head[7], head[8]]);
    Some((head[3], head[4], of))
}

#[test]
fn a_thousand_streams_at_once_are_answered_one_by_one() {
    const STREAMS: u32 = 1_000;
    let database = testing::database::sqlite();
    let application = Application::start(&database);
    let mut stream = connect(&application);
    let mut writer = stream.try_clone().unwrap();
    let page = guarded_page();
    let mut answered = HashSet::new();
    thread::scope(|scope| {
        scope.spawn(move || {
            for number in 0..STREAMS {
                let request = frame(HEADERS, END_STREAM | END_HEADERS, 2 * number + 1, &page);
                writer.write_all(&request).unwrap();
            }
        });
        let start = Instant::now();
        assert_eq!(application.visitor().get("/login").status, 200);
        let took = start.elapsed();
        assert!(
            took < Duration::from_secs(2),
            "others were answered after {took:?}"
        );
        while answered.len() < STREAMS as usize {
            let (kind, flags, of) = next(&mut stream).unwrap();
            let ends = matches!(kind, DATA | HEADERS) && flags & END_STREAM != 0;
            if ends || kind == RESET {
                answered.insert(of);
            }
            assert_ne!(kind, GO_AWAY);
        }
    });
    assert_eq!(sql::count(&database, "sessions"), 0);
}

#[test]
fn headers_without_end_are_cut_off() {
    let database = testing::database::sqlite();
    let application = Application::start(&database);
    let mut stream = connect(&application);
    let mut writer = stream.try_clone().unwrap();
    let writing = thread::spawn(move || {
        // One header of 128 MiB; a server accepts at most 16.
        let name = [0x00, 1, b'x', 0x7f, 0x80, 0x80, 0x80, 0x40];
        let mut sent = writer.write_all(&frame(HEADERS, END_STREAM, 1, &name));
        for _ in 0..8_192 {
            sent = sent
                .and_then(|()| writer.write_all(&frame(CONTINUATION, 0, 1, &[b'x'; 16 * 1024])));
        }
        sent
    });
    let mut refused = false;
    while let Some((kind, ..)) = next(&mut stream) {
        refused |= matches!(kind, RESET | GO_AWAY);
    }
    let sent = writing.join().unwrap();
    assert!(refused || sent.is_err(), "everything was taken");
    assert_eq!(application.visitor().get("/").status, 200);
}
