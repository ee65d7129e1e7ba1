//! The application on a port, and windows of its pages.

use std::io::{BufRead, BufReader, Read};
use std::net::TcpStream;
use std::sync::mpsc;
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use reqwest::blocking::{Client, Response};
use reqwest::header::HeaderMap;
use rocket::fairing::AdHoc;
use rocket::{Config, Shutdown};
use tungstenite::client::IntoClientRequest;
use tungstenite::handshake::HandshakeError;
use tungstenite::protocol::CloseFrame;
use tungstenite::protocol::frame::coding::CloseCode;
use tungstenite::{Message, WebSocket};

use testing::visitor::Visitor;

use crate::application;

/// How long a read waits.
const PATIENCE: Duration = Duration::from_secs(20);

/// The application on a free port.
pub(super) struct Server {
    port: u16,
    shutdown: Shutdown,
    thread: JoinHandle<Result<(), String>>,
}

impl Server {
    /// The store is asked too late for the tests, and a stream that stays open holds up the end for 32 seconds.
    pub(super) fn start() -> Self {
        let figment = Config::figment()
            .merge(("address", "127.0.0.1"))
            .merge(("port", 0))
            .merge(("log_level", "off"))
            .merge(("shutdown.grace", 2))
            .merge(("shutdown.mercy", 30))
            .merge(("databases.app.url", "memory:"))
            .merge(("session.events", "off"))
            .merge(("session.stream_check_interval", "1h"));
        let (sender, started) = mpsc::channel();
        let listens = AdHoc::on_liftoff("listens", move |rocket| {
            let started = (rocket.config().port, rocket.shutdown());
            sender.send(started).unwrap();
            Box::pin(async {})
        });
        let launch = application(figment).attach(listens).launch();
        let thread = thread::spawn(|| {
            let ended = rocket::execute(launch);
            ended.map(drop).map_err(|error| error.to_string())
        });
        let (port, shutdown) = started.recv_timeout(PATIENCE).unwrap();
        Self {
            port,
            shutdown,
            thread,
        }
    }

    /// A browser, signed in under this name.
    pub(super) fn window(&self, name: &str) -> Window {
        let base = format!("http://127.0.0.1:{}", self.port);
        let window = Window {
            visitor: Visitor::new(&base, HeaderMap::new()),
            port: self.port,
        };
        window.post("/sign_in", &[("name", name)]);
        window
    }

    /// Stops the application. Returns how long that took.
    pub(super) fn stop(self) -> Duration {
        let start = Instant::now();
        self.shutdown.notify();
        assert_eq!(self.thread.join().unwrap(), Ok(()));
        start.elapsed()
    }
}

pub(super) struct Window {
    visitor: Visitor,
    port: u16,
}

impl Window {
    pub(super) fn post(&self, path: &str, fields: &[(&str, &str)]) {
        self.visitor.get("/");
        assert_eq!(self.visitor.post(path, fields).location(), "/");
    }

    pub(super) fn stream(&self) -> EventStream {
        let url = format!("http://127.0.0.1:{}/messages", self.port);
        let request = Client::new().get(url).timeout(PATIENCE);
        let answer = request.header("Cookie", self.visitor.cookies()).send();
        EventStream(BufReader::new(answer.unwrap()))
    }

    pub(super) fn socket(&self) -> Socket {
        let origin = format!("http://127.0.0.1:{}", self.port);
        self.try_socket(&origin).unwrap()
    }

    /// Returns the status if the socket is not opened.
    pub(super) fn try_socket(&self, origin: &str) -> Result<Socket, u16> {
        let url = format!("ws://127.0.0.1:{}/chat", self.port);
        let mut request = url.into_client_request().unwrap();
        let headers = [
            ("cookie", self.visitor.cookies()),
            ("origin", origin.to_owned()),
        ];
        for (name, value) in headers {
            request.headers_mut().insert(name, value.parse().unwrap());
        }
        let stream = TcpStream::connect(("127.0.0.1", self.port)).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        match tungstenite::client(request, stream) {
            Ok((socket, _)) => Ok(Socket(socket)),
            Err(HandshakeError::Failure(tungstenite::Error::Http(answer))) => {
                Err(answer.status().as_u16())
            }
            Err(error) => panic!("{error}"),
        }
    }
}

pub(super) struct EventStream(BufReader<Response>);

impl EventStream {
    /// Reads the next lines up to one that is empty, without comments.
    pub(super) fn next(&mut self) -> Vec<String> {
        let lines = self.0.by_ref().lines().map(Result::unwrap);
        let lines = lines.filter(|line| !line.starts_with(':'));
        let lines = lines.skip_while(String::is_empty);
        lines.take_while(|line| !line.is_empty()).collect()
    }

    pub(super) fn assert_ends(&mut self, event: &str, reason: &str) {
        let last = self.next();
        for line in [format!("event:{event}"), format!("data:{reason}")] {
            assert!(last.contains(&line), "{line}: {last:?}");
        }
        assert_eq!(self.next(), [""; 0]);
    }
}

pub(super) struct Socket(WebSocket<TcpStream>);

impl Socket {
    pub(super) fn say(&mut self, text: &str) {
        self.0.send(Message::Text(text.into())).unwrap();
    }

    fn next(&mut self) -> Message {
        let mut messages = std::iter::repeat_with(|| self.0.read().unwrap());
        messages.find(|message| !message.is_ping()).unwrap()
    }

    /// Returns whether the next read fails.
    pub(super) fn is_cut_off(&mut self) -> bool {
        let mut reads = std::iter::repeat_with(|| self.0.read().ok());
        let next = reads.find(|read| !read.as_ref().is_some_and(Message::is_ping));
        next.flatten().is_none()
    }

    pub(super) fn assert_says(&mut self, text: &str) {
        assert_eq!(self.next(), Message::Text(text.into()));
    }

    pub(super) fn assert_ends(&mut self, (code, reason): (CloseCode, &'static str)) {
        let reason = reason.into();
        let last = Message::Close(Some(CloseFrame { code, reason }));
        assert_eq!(self.next(), last);
    }
}
