//! The event stream of an open page, as a browser reads it.

use std::io::{BufRead, BufReader, ErrorKind, Read, Write};
use std::net::TcpStream;
use std::time::Duration;

/// Longer than the time between two heartbeats.
const TIMEOUT: Duration = Duration::from_secs(60);

pub struct PageStream {
    /// The status line and the headers, in lower case.
    pub head: String,
    reader: BufReader<TcpStream>,
}

impl PageStream {
    /// With these cookies; the user's event has arrived.
    pub fn open(base: &str, cookies: &str) -> Self {
        let mut connection = TcpStream::connect(base.strip_prefix("http://").unwrap()).unwrap();
        connection.set_read_timeout(Some(TIMEOUT)).unwrap();
        // HTTP/1.0 has no chunks between the lines, and closes the connection at the end.
        let request =
            format!("GET /account/events HTTP/1.0\r\nHost: a\r\nCookie: {cookies}\r\n\r\n");
        connection.write_all(request.as_bytes()).unwrap();
        let mut stream = Self {
            head: String::new(),
            reader: BufReader::new(connection),
        };
        stream.head = stream.until("").to_ascii_lowercase();
        stream.until("event:user");
        stream
    }

    fn until(&mut self, line: &str) -> String {
        let mut read = String::new();
        loop {
            let start = read.len();
            let length = self.reader.read_line(&mut read).unwrap();
            assert!(length > 0, "the stream ended: {}{read}", self.head);
            if read[start..].trim_end() == line {
                return read;
            }
        }
    }

    /// Returns what comes until the end.
    pub fn rest(mut self) -> String {
        let mut rest = String::new();
        self.reader.read_to_string(&mut rest).unwrap();
        rest
    }

    /// Reads what has come. Returns `false` at the end.
    pub fn is_open(&mut self) -> bool {
        let connection = self.reader.get_ref();
        connection.set_nonblocking(true).unwrap();
        let end = self.reader.read_to_end(&mut Vec::new());
        end.is_err_and(|error| error.kind() == ErrorKind::WouldBlock)
    }
}
