//! Tests of `streams` over TCP.

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

const GONE: (CloseCode, &str) = (CloseCode::Policy, "You signed out in another window.");

/// How long a read waits.
const PATIENCE: Duration = Duration::from_secs(20);

/// The application on a free port.
struct Server {
    port: u16,
    shutdown: Shutdown,
    thread: JoinHandle<Result<(), String>>,
}

impl Server {
    /// The store is asked too late for the tests, and a stream that stays open holds up the end for 32 seconds.
    fn start() -> Self {
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
        let launch = super::application(figment).attach(listens).launch();
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
    fn window(&self, name: &str) -> Window {
        let base = format!("http://127.0.0.1:{}", self.port);
        let window = Window {
            visitor: Visitor::new(&base, HeaderMap::new()),
            port: self.port,
        };
        window.post("/sign_in", &[("name", name)]);
        window
    }

    /// Stops the application. Returns how long that took.
    fn stop(self) -> Duration {
        let start = Instant::now();
        self.shutdown.notify();
        assert_eq!(self.thread.join().unwrap(), Ok(()));
        start.elapsed()
    }
}

struct Window {
    visitor: Visitor,
    port: u16,
}

impl Window {
    fn post(&self, path: &str, fields: &[(&str, &str)]) {
        self.visitor.get("/");
        assert_eq!(self.visitor.post(path, fields).location(), "/");
    }

    fn stream(&self) -> EventStream {
        let url = format!("http://127.0.0.1:{}/messages", self.port);
        let request = Client::new().get(url).timeout(PATIENCE);
        let answer = request.header("Cookie", self.visitor.cookies()).send();
        EventStream(BufReader::new(answer.unwrap()))
    }

    fn socket(&self) -> Socket {
        let origin = format!("http://127.0.0.1:{}", self.port);
        self.try_socket(&origin).unwrap()
    }

    /// Returns the status if the socket is not opened.
    fn try_socket(&self, origin: &str) -> Result<Socket, u16> {
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

struct EventStream(BufReader<Response>);

impl EventStream {
    /// Reads the next lines up to one that is empty, without comments.
    fn next(&mut self) -> Vec<String> {
        let lines = self.0.by_ref().lines().map(Result::unwrap);
        let lines = lines.filter(|line| !line.starts_with(':'));
        let lines = lines.skip_while(String::is_empty);
        lines.take_while(|line| !line.is_empty()).collect()
    }

    fn assert_ends(&mut self, event: &str, reason: &str) {
        let last = self.next();
        for line in [format!("event:{event}"), format!("data:{reason}")] {
            assert!(last.contains(&line), "{line}: {last:?}");
        }
        assert_eq!(self.next(), [""; 0]);
    }
}

struct Socket(WebSocket<TcpStream>);

impl Socket {
    fn say(&mut self, text: &str) {
        self.0.send(Message::Text(text.into())).unwrap();
    }

    fn next(&mut self) -> Message {
        let mut messages = std::iter::repeat_with(|| self.0.read().unwrap());
        messages.find(|message| !message.is_ping()).unwrap()
    }

    fn assert_says(&mut self, text: &str) {
        assert_eq!(self.next(), Message::Text(text.into()));
    }

    fn assert_ends(&mut self, (code, reason): (CloseCode, &'static str)) {
        let reason = reason.into();
        let last = Message::Close(Some(CloseFrame { code, reason }));
        assert_eq!(self.next(), last);
    }
}

#[test]
fn a_sign_out_in_another_window_ends_both_streams_of_the_session_and_says_why() {
    let server = Server::start();
    let (ada, grace) = (server.window("ada"), server.window("grace"));
    let (mut stream, mut socket) = (ada.stream(), ada.socket());
    let (mut other_stream, mut other_socket) = (grace.stream(), grace.socket());
    socket.say("hello");
    for socket in [&mut socket, &mut other_socket] {
        socket.assert_says("ada: hello");
    }
    for stream in [&mut stream, &mut other_stream] {
        assert_eq!(stream.next(), ["data:ada: hello"]);
    }
    ada.post("/sign_out", &[]);
    stream.assert_ends("gone", GONE.1);
    socket.assert_ends(GONE);
    other_socket.say("I am here");
    other_socket.assert_says("grace: I am here");
    assert_eq!(other_stream.next(), ["data:grace: I am here"]);

    let last = "You are not signed in.";
    ada.stream().assert_ends("gone", last);
    ada.socket().assert_ends((CloseCode::Policy, last));
    server.stop();
}

#[test]
fn after_a_new_cookie_the_page_connects_again() {
    let server = Server::start();
    let ada = server.window("ada");
    let (mut stream, mut socket) = (ada.stream(), ada.socket());
    ada.post("/sign_in", &[("name", "ada")]);
    let last = "The page connects again.";
    stream.assert_ends("again", last);
    socket.assert_ends((CloseCode::Restart, last));
    let mut socket = ada.socket();
    socket.say("hello");
    socket.assert_says("ada: hello");
    server.stop();
}

#[test]
fn a_page_of_another_site_opens_no_socket() {
    let server = Server::start();
    let ada = server.window("ada");
    for origin in ["http://evil.example", "null", "http://127.0.0.1:1"] {
        assert_eq!(ada.try_socket(origin).map(drop), Err(403), "{origin}");
    }
    ada.socket();
    server.stop();
}

#[test]
fn a_message_that_is_too_long_closes_the_socket() {
    let server = Server::start();
    let ada = server.window("ada");
    let mut socket = ada.socket();
    socket.say(&"a".repeat(super::LONGEST + 1));
    assert!(socket.0.read().is_err() || socket.0.read().is_err());
    server.stop();
}

#[test]
fn a_shutdown_ends_both_streams_with_its_reason_and_in_time() {
    let server = Server::start();
    let ada = server.window("ada");
    let (mut stream, mut socket) = (ada.stream(), ada.socket());
    socket.say("hello");
    socket.assert_says("ada: hello");
    assert_eq!(stream.next(), ["data:ada: hello"]);
    let last = "The server stops.";
    let ended = thread::spawn(move || {
        stream.assert_ends("again", last);
        socket.assert_ends((CloseCode::Restart, last));
    });
    let took = server.stop();
    ended.join().unwrap();
    assert!(took < Duration::from_secs(30), "{took:?}");
}
