//! A server behind the proxies, for tests of streams.

use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::thread;
use std::time::Duration;

use tungstenite::handshake::derive_accept_key;

/// The pause of an event stream.
pub const SILENCE: Duration = Duration::from_secs(4);

/// More than all buffers on the way.
pub const LARGE: usize = 32 << 20;

/// Serves event streams that pause, WebSockets that send back what they read, and large bodies.
pub fn backend() -> u16 {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let port = listener.local_addr().unwrap().port();
    thread::spawn(move || {
        for stream in listener.incoming() {
            let stream = stream.unwrap();
            thread::spawn(|| serve(stream));
        }
    });
    port
}

fn serve(mut stream: TcpStream) -> io::Result<()> {
    let head = read_until(&mut stream, "\r\n\r\n");
    if value(&head, "Upgrade").is_some() {
        let connection = value(&head, "Connection").unwrap_or_default();
        assert!(connection.eq_ignore_ascii_case("upgrade"), "{head}");
        // HAProxy checks it.
        let key = value(&head, "Sec-WebSocket-Key").unwrap_or_default();
        let accept = derive_accept_key(key.as_bytes());
        let upgraded =
            "HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: websocket";
        let accepted = format!("{upgraded}\r\nSec-WebSocket-Accept: {accept}\r\n\r\n");
        stream.write_all(accepted.as_bytes())?;
        let mut reader = stream.try_clone()?;
        return io::copy(&mut reader, &mut stream).map(drop);
    }
    stream.write_all(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n")?;
    if head.contains("?large") {
        stream.write_all(format!("Content-Length: {LARGE}\r\n\r\n").as_bytes())?;
        return stream.write_all(&vec![b'a'; LARGE]);
    }
    stream.write_all(b"Connection: close\r\n\r\ndata:first\n\n")?;
    thread::sleep(SILENCE);
    stream.write_all(b"data:second\n\n")
}

/// Returns a header's value.
fn value<'a>(head: &'a str, name: &str) -> Option<&'a str> {
    let mut headers = head.lines().filter_map(|line| line.split_once(": "));
    let named = headers.find(|(key, _)| key.eq_ignore_ascii_case(name));
    named.map(|(_, value)| value)
}

/// Reads until this has come, or the connection ends.
pub fn read_until(stream: &mut impl Read, text: &str) -> String {
    let (mut all, mut piece) = (String::new(), [0; 4096]);
    while !all.contains(text) {
        match stream.read(&mut piece) {
            Ok(0) | Err(_) => break,
            Ok(length) => all += &String::from_utf8_lossy(&piece[..length]),
        }
    }
    all
}
