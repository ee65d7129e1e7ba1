//! Tests of `streams` over TCP.

mod window;

use std::thread;
use std::time::Duration;

use tungstenite::protocol::frame::coding::CloseCode;

use self::window::Server;

const GONE: (CloseCode, &str) = (CloseCode::Policy, "You signed out in another window.");

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
    assert!(socket.is_cut_off());
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
