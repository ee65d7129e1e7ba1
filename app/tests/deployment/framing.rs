//! Sends requests with an ambiguous end: proxy and application agree, or refuse them.

use std::io::{Read, Write};
use std::time::Duration;

use crate::site::{Kind, Whole};

behind_both!(nothing_hides_in_another_request);

const HIDDEN: &str = "GET /smuggled HTTP/1.1\r\nHost: example.org\r\nX: ";

/// Returns a request with these header lines and `body`, in which another request hides.
fn post(lines: &str, body: &str) -> String {
    let lines = lines.replace("LENGTH", &body.len().to_string());
    format!("POST /login HTTP/1.1\r\nHost: example.org\r\n{lines}\r\n\r\n{body}")
}

fn ambiguous() -> Vec<String> {
    let ended = format!("0\r\n\r\n{HIDDEN}");
    let chunk = format!("{:x}\r\n{HIDDEN}\r\n0\r\n\r\n", HIDDEN.len());
    let mut requests = Vec::new();
    for transfer in [
        "Transfer-Encoding: chunked",
        "Transfer-Encoding: Chunked",
        "Transfer-Encoding : chunked",
        "Transfer-Encoding:\tchunked",
        "Transfer-Encoding: \x0bchunked",
        "Transfer-Encoding: xchunked",
        "Transfer-Encoding: chunked, identity",
        "Transfer-Encoding: identity\r\nTransfer-Encoding: chunked",
        "Transfer-Encoding: chunked\r\nTransfer-Encoding: x",
        "Transfer-Encoding:\r\n chunked",
        "X: a\r\n Transfer-Encoding: chunked",
        "X: a\nTransfer-Encoding: chunked",
        "X: a\rTransfer-Encoding: chunked",
    ] {
        for length in ["LENGTH", "4", "0"] {
            requests.push(post(
                &format!("Content-Length: {length}\r\n{transfer}"),
                &ended,
            ));
            requests.push(post(
                &format!("{transfer}\r\nContent-Length: {length}"),
                &chunk,
            ));
        }
    }
    for lengths in [
        "Content-Length: 0\r\nContent-Length: LENGTH",
        "Content-Length: LENGTH\r\nContent-Length: 0",
        "Content-Length: 0, LENGTH",
        "Content-Length: +LENGTH\r\nContent-Length: 0",
        "Content-Length: -1",
        "Content-Length: 0x0",
        "Content-Length:\r\n 0",
        "Content-Length : 0",
        "X: a\nContent-Length: LENGTH",
        "Content-Length: LENGTH\nX: a",
    ] {
        requests.push(post(lengths, HIDDEN));
    }
    // The line end of a chunk.
    for line in [
        "1;\n",
        "1\n",
        "1 ;\r\r\n",
        "+1\r\n",
        "0x1\r\n",
        "10000000000000001\r\n",
    ] {
        let body = format!("{line}a\r\n0\r\n\r\n{HIDDEN}");
        requests.push(post(
            "Transfer-Encoding: chunked\r\nConnection: close",
            &body,
        ));
    }
    requests
}

/// Returns all responses within a moment.
fn answers(stream: &mut (impl Read + Write)) -> String {
    let mut all = Vec::new();
    let _ = stream.read_to_end(&mut all);
    String::from_utf8_lossy(&all).into_owned()
}

/// A hidden request may be answered on the client's own connection, where the proxy counts it
/// with the first. It must never reach another client.
fn nothing_hides_in_another_request(kind: Kind) {
    let whole = Whole::start(kind);
    let mut refused = 0;
    let requests = ambiguous();
    for request in &requests {
        let mut stream = whole.site.connect();
        let timeout = Some(Duration::from_millis(150));
        stream.sock.set_read_timeout(timeout).unwrap();
        stream.write_all(request.as_bytes()).unwrap();
        stream.flush().unwrap();
        refused += u32::from(answers(&mut stream).starts_with("HTTP/1.1 400"));
        // On the next connection to the application.
        for _ in 0..3 {
            let other = whole.site.get("/static/favicon.svg");
            assert_eq!(other.status, 200, "after {request:?}");
            assert!(other.body.starts_with("<svg"), "after {request:?}");
        }
        assert!(!whole.has_seen("/smuggled"), "{request:?}");
    }
    assert!(whole.has_seen("/static/favicon.svg"));
    assert!(refused > 20, "{refused} of {} refused", requests.len());
}
