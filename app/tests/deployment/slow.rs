//! Sends requests slowly: such clients are cut off, and delay nobody else.

use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use crate::client::{Encrypted, HERE, ask, connect, request};
use crate::site::{Kind, Site, Whole, shipped};

behind_both!(
    what_comes_too_slowly_is_cut_when_the_file_says,
    two_hundred_slow_connections_keep_nobody_waiting,
);

const HEADER: &str = "GET / HTTP/1.1\r\nHost: example.org\r\nX-Slow: ";
const BODY: &str = "POST /login HTTP/1.1\r\nHost: example.org\r\nContent-Length: 20000\r\n\r\n";

/// The part of a request after which a client slows down.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Manner {
    NoHandshake,
    NoRequest,
    /// Half of it, then nothing.
    Stops(&'static str),
    /// Byte by byte.
    Dribbles(&'static str),
}

struct Slow {
    socket: TcpStream,
    dribbling: Option<Encrypted>,
    begun: Instant,
}

impl Slow {
    fn begin(site: &Site, manner: Manner, from: [u8; 4]) -> Self {
        if manner == Manner::NoHandshake {
            return Self::from(connect(site.ports[1], from).unwrap(), None);
        }
        let mut stream = site.connect_from(from);
        if let Manner::Stops(beginning) | Manner::Dribbles(beginning) = manner {
            stream.write_all(beginning.as_bytes()).unwrap();
            stream.flush().unwrap();
        }
        let socket = stream.sock.try_clone().unwrap();
        let dribbles = matches!(manner, Manner::Dribbles(_));
        Self::from(socket, dribbles.then_some(stream))
    }

    fn from(socket: TcpStream, dribbling: Option<Encrypted>) -> Self {
        socket.set_nonblocking(true).unwrap();
        Self {
            socket,
            dribbling,
            begun: Instant::now(),
        }
    }

    /// Returns whether the server has closed the connection.
    fn is_cut(&mut self) -> bool {
        if let Some(stream) = &mut self.dribbling {
            let _ = stream.write_all(b"a").and_then(|()| stream.flush());
        }
        let mut buffer = [0; 4096];
        loop {
            match self.socket.read(&mut buffer) {
                Ok(0) => return true,
                Ok(_) => {}
                Err(error) => return error.kind() != ErrorKind::WouldBlock,
            }
        }
    }

    /// Returns how long the server keeps the connection.
    fn suffered(mut self) -> Duration {
        while !self.is_cut() {
            let took = self.begun.elapsed();
            assert!(took < Duration::from_secs(30), "not cut off");
            thread::sleep(Duration::from_millis(100));
        }
        self.begun.elapsed()
    }
}

fn what_comes_too_slowly_is_cut_when_the_file_says(kind: Kind) {
    let (file, said) = match kind {
        Kind::Nginx => (
            "nginx.conf",
            [
                "client_header_timeout 10s",
                "client_body_timeout 10s",
                "keepalive_timeout 10s",
            ],
        ),
        Kind::Haproxy => (
            "haproxy.cfg",
            [
                "timeout http-request 10s",
                "timeout client 10s",
                "timeout http-keep-alive 10s",
            ],
        ),
    };
    shipped(file, &said.map(|line| (line, String::new())));

    let whole = Whole::start(kind);
    let mut manners = vec![
        Manner::NoHandshake,
        Manner::NoRequest,
        Manner::Stops(HEADER),
        Manner::Dribbles(HEADER),
        Manner::Stops(BODY),
    ];
    // nginx accepts a body as long as it receives some of it.
    if kind == Kind::Haproxy {
        manners.push(Manner::Dribbles(BODY));
    }
    // A machine that is busy with other tests may take longer, but never less.
    let ten_seconds = |what: &str, took: Duration| {
        assert!((9..15).contains(&took.as_secs()), "{what}: {took:?}");
    };
    thread::scope(|scope| {
        for manner in manners {
            let slow = Slow::begin(&whole.site, manner, HERE);
            scope.spawn(move || ten_seconds(&format!("{manner:?}"), slow.suffered()));
        }
        let mut kept = whole.site.connect();
        let answer = ask(&mut kept, &request("GET", "/", &[], ""));
        assert_eq!(answer.unwrap().status, 200);
        let kept = Slow::from(kept.sock.try_clone().unwrap(), None);
        scope.spawn(move || ten_seconds("between two requests", kept.suffered()));
    });
}

/// Opens connections of each kind in equal parts, from 20 addresses below their limits.
fn one_of_many(site: &Site, number: u8) -> Slow {
    let manner = match number % 4 {
        0 => Manner::NoHandshake,
        1 => Manner::NoRequest,
        2 => Manner::Dribbles(HEADER),
        _ => Manner::Dribbles(BODY),
    };
    Slow::begin(site, manner, [127, 0, 1, number % 20 + 1])
}

fn two_hundred_slow_connections_keep_nobody_waiting(kind: Kind) {
    let whole = Whole::start(kind);
    let site = &whole.site;
    let cookie = format!("Cookie: {}", site.register());
    let page = request("GET", "/home", &[&cookie], "");
    let mut slow: Vec<_> = (0..200).map(|number| one_of_many(site, number)).collect();

    let enough = AtomicBool::new(false);
    let (mut times, replaced) = thread::scope(|scope| {
        let others = scope.spawn(|| {
            let mut replaced = 0;
            while !enough.load(Ordering::Relaxed) {
                for (number, slow) in (0..).zip(&mut slow) {
                    if slow.is_cut() {
                        *slow = one_of_many(site, number);
                        replaced += 1;
                    }
                }
                thread::sleep(Duration::from_millis(500));
            }
            replaced
        });
        let times = probe(site, &page, Duration::from_secs(15));
        enough.store(true, Ordering::Relaxed);
        (times, others.join().unwrap())
    });
    times.sort();
    let p99 = times[times.len() * 99 / 100];
    eprintln!(
        "{kind:?}: p99 {p99:?} of {} probes; {replaced} slow ones cut off",
        times.len()
    );
    assert!(times.len() >= 200, "{} probes", times.len());
    assert!(replaced >= 150, "{replaced} cut off");
    assert!(p99 < Duration::from_millis(100), "{p99:?}");
}

/// Returns the time of a page for a new client, including connection and TLS handshake.
fn probe(site: &Site, page: &str, during: Duration) -> Vec<Duration> {
    let end = Instant::now() + during;
    let mut times = Vec::new();
    while Instant::now() < end {
        let start = Instant::now();
        let answer = site.ask(page).unwrap();
        times.push(start.elapsed());
        assert_eq!(answer.status, 200, "{answer:?}");
        thread::sleep(Duration::from_millis(10));
    }
    times
}
