//! `Session::ended` on each store: an event stream ends with its session.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use rocket::http::{Cookie, Status};
use rocket::local::blocking::{Client, LocalResponse};
use rocket::response::stream::{Event, EventStream};
use rocket::{Build, Rocket, get, routes};
use rocket_diesel_session::{Session, Sessions, Token};

use testing::database::TestDatabase;
use testing::on_every_store;
use testing::site::{
    HOUR, START, clear, clock, end_others, figment, log_in, log_out, renew, revoke, touch,
};

on_every_store!(
    a_stream_ends_at_once_with_its_session,
    a_stream_ends_soon_after_its_session_ended_elsewhere,
);

#[get("/stream")]
fn stream(session: &Session) -> EventStream![] {
    let ended = session.ended();
    EventStream! {
        yield Event::data(format!("{:?}", ended.await));
    }
}

fn application(database: &TestDatabase, now: &Arc<AtomicI64>, interval: &str) -> Rocket<Build> {
    let sessions = Sessions::fairing()
        .with_store(database.store.clone())
        .with_clock(clock(now));
    let routes = routes![
        stream, log_in, renew, touch, log_out, end_others, revoke, clear
    ];
    let settings = format!("{{stream_check_interval={interval:?}}}");
    rocket::custom(figment(&settings))
        .mount("/", routes)
        .attach(sessions)
}

/// One process of the application.
struct Node(Client);

impl Node {
    fn on(database: &TestDatabase, now: &Arc<AtomicI64>, interval: &str) -> Self {
        Self(Client::untracked(application(database, now, interval)).unwrap())
    }

    fn post(&self, path: &str, cookie: Option<&Cookie<'static>>) -> Option<Cookie<'static>> {
        let mut request = self.0.post(path.to_owned());
        if let Some(cookie) = cookie {
            request = request.cookie(cookie.clone());
        }
        let answer = request.dispatch();
        assert_eq!(answer.status(), Status::Ok, "{path}");
        let set = answer.cookies().iter().next();
        set.map(|it| Cookie::new(it.name().to_owned(), it.value().to_owned()))
    }

    fn sign_in(&self, user: &str) -> Cookie<'static> {
        self.post(&format!("/log_in/{user}"), None).unwrap()
    }

    /// Opens the stream of a session.
    fn stream(&self, cookie: &Cookie<'static>) -> LocalResponse<'_> {
        let answer = self.0.get("/stream").cookie(cookie.clone()).dispatch();
        assert_eq!(answer.status(), Status::Ok);
        answer
    }
}

fn assert_ends(stream: LocalResponse<'_>, reason: &str) {
    let read = stream.into_string().unwrap();
    assert!(
        read.contains(&format!("data:{reason}\n")),
        "{reason}: {read}"
    );
}

fn key(cookie: &Cookie<'_>) -> String {
    let key = Token::parse(cookie.value()).unwrap().key();
    key.as_str().to_owned()
}

fn a_stream_ends_at_once_with_its_session(database: &TestDatabase) {
    let now = Arc::new(AtomicI64::new(START));
    // The checks come too late for all of it.
    let node = Node::on(database, &now, "1h");
    let grace = node.sign_in("grace");
    let cleared = node.stream(&grace);

    let ada = node.sign_in("ada");
    let streams = [(); 2].map(|()| node.stream(&ada));
    let renewed = node.post("/renew", Some(&ada)).unwrap();
    streams
        .into_iter()
        .for_each(|it| assert_ends(it, "Renewed"));

    let stream = node.stream(&renewed);
    node.post("/log_out", Some(&renewed));
    assert_ends(stream, "Ended(SignedOut)");

    let [ada, twin] = [(); 2].map(|()| node.sign_in("ada"));
    let stream = node.stream(&twin);
    node.post("/end_others", Some(&ada));
    assert_ends(stream, "Ended(OtherSession)");

    let ada = node.sign_in("ada");
    let stream = node.stream(&ada);
    node.post(&format!("/revoke/{}", key(&ada)), None);
    assert_ends(stream, "Ended(Revoked)");

    let stream = node.stream(&node.sign_in("ada"));
    node.post("/clear", None);
    assert_ends(stream, "Ended(Revoked)");
    assert_ends(cleared, "Ended(Revoked)");
    let (grace, ada) = (node.sign_in("grace"), node.sign_in("ada"));
    let (other, stream) = (node.stream(&grace), node.stream(&ada));
    node.0.rocket().shutdown().notify();
    assert_ends(other, "Shutdown");
    assert_ends(stream, "Shutdown");
    assert_ends(node.stream(&ada), "Shutdown");
}

fn a_stream_ends_soon_after_its_session_ended_elsewhere(database: &TestDatabase) {
    let now = Arc::new(AtomicI64::new(START));
    let [node, elsewhere] = [(); 2].map(|()| Node::on(database, &now, "1s"));
    let [stays, renewed, signed_out, revoked] =
        ["ada", "grace", "eve", "bob"].map(|user| node.sign_in(user));
    let stays_open = node.stream(&stays);
    let ends = [&renewed, &signed_out, &revoked].map(|cookie| node.stream(cookie));
    elsewhere.post("/renew", Some(&renewed));
    elsewhere.post("/log_out", Some(&signed_out));
    elsewhere.post(&format!("/revoke/{}", key(&revoked)), None);
    ends.into_iter().for_each(|it| assert_ends(it, "Elsewhere"));

    let expires = node.sign_in("eve");
    let expires_open = node.stream(&expires);
    now.fetch_add(HOUR, Ordering::SeqCst);
    // By this use the other session lives on.
    elsewhere.post("/touch", Some(&stays));
    now.fetch_add(HOUR + 1, Ordering::SeqCst);
    assert_ends(expires_open, "Ended(Expired)");

    let cleared = node.stream(&node.sign_in("bob"));
    node.post("/log_out", Some(&stays));
    assert_ends(stays_open, "Ended(SignedOut)");
    elsewhere.post("/clear", None);
    assert_ends(cleared, "Elsewhere");
}
