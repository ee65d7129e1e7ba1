//! Sends requests that no client library would send.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

/// Sends bytes to a server. Returns its bytes until the connection ends.
pub fn send(base: &str, request: &[u8]) -> String {
    let address = base.strip_prefix("http://").unwrap();
    let mut stream = TcpStream::connect(address).unwrap();
    stream
        .set_read_timeout(Some(Duration::from_secs(20)))
        .unwrap();
    // A server that refuses the beginning may not read the end.
    let _ = stream.write_all(request);
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer);
    String::from_utf8_lossy(&answer).into_owned()
}

/// Sends a GET with further header lines, each with its line end.
pub fn get(base: &str, page: &str, lines: &[u8]) -> String {
    let start = format!("GET {page} HTTP/1.1\r\nHost: example.org\r\nConnection: close\r\n");
    send(base, &[start.as_bytes(), lines, b"\r\n"].concat())
}

pub fn status(answer: &str) -> u16 {
    let code = answer.split(' ').nth(1).unwrap_or_default();
    code.parse()
        .unwrap_or_else(|_| panic!("no answer: {answer:?}"))
}

/// A client that sends on after the refusal may lose the answer.
pub fn is_too_large(answer: &str) -> bool {
    answer.is_empty() || status(answer) == 431
}
