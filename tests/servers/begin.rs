//! Sessions that begin outside a request, on each store.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use rocket::http::Header;
use rocket::local::blocking::Client;
use rocket::routes;
use rocket::tokio::runtime::Runtime;
use rocket_diesel_session::{ErrorKind, LiveSessions, Sessions, Token};

use testing::database::TestDatabase;
use testing::on_every_store;
use testing::site::{self, HOUR, START};

on_every_store!(
    a_session_begun_outside_a_request_is_like_that_of_a_request,
    the_first_change_names_the_browser,
);

fn wait<F: Future>(future: F) -> F::Output {
    Runtime::new().unwrap().block_on(future)
}

fn client(database: &TestDatabase, now: &Arc<AtomicI64>) -> Client {
    let sessions = Sessions::fairing().with_store(database.store.clone());
    let rocket = rocket::custom(site::figment("{sessions_per_user=2}"))
        .mount(
            "/",
            routes![site::who, site::get_value, site::set, site::log_out],
        )
        .attach(sessions.with_clock(site::clock(now)));
    Client::untracked(rocket).unwrap()
}

fn a_session_begun_outside_a_request_is_like_that_of_a_request(database: &TestDatabase) {
    let now = Arc::new(AtomicI64::new(START));
    let client = client(database, &now);
    let live = LiveSessions::of(client.rocket()).unwrap();
    let ask = |uri: &'static str, token: &Token| {
        let answer = client.get(uri).cookie(live.cookie(token)).dispatch();
        answer.into_string().unwrap()
    };
    let tokens = [(); 3].map(|()| {
        now.fetch_add(1, Ordering::SeqCst);
        wait(live.begin("ada")).unwrap()
    });
    let [_, second, third] = &tokens;
    let who = tokens.each_ref().map(|token| ask("/who", token));
    assert_eq!(who, ["nobody", "ada", "ada"], "the maximum per user is two");
    let devices = wait(live.list("ada")).unwrap();
    let has = |token: &Token| devices.iter().any(|device| device.key == token.key());
    assert!(
        devices.len() == 2 && has(second) && has(third),
        "{devices:?}"
    );

    let session = wait(live.load(&second.key())).unwrap().unwrap();
    session.insert("key", "blue").unwrap();
    wait(session.save()).unwrap();
    assert_eq!(ask("/get", second), "Some(\"blue\")");
    let request = client.post("/log_out").cookie(live.cookie(second));
    assert_eq!(request.dispatch().status().code, 200);
    assert_eq!(ask("/who", second), "nobody");

    let remembered = wait(live.begin_and_remember(7)).unwrap();
    now.fetch_add(2 * HOUR, Ordering::SeqCst);
    assert_eq!(
        [third, &remembered].map(|it| ask("/who", it)),
        ["nobody", "7"]
    );
    let refused = wait(live.begin("")).unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::Value);
}

fn the_first_change_names_the_browser(database: &TestDatabase) {
    let client = client(database, &Arc::new(AtomicI64::new(START)));
    let live = LiveSessions::of(client.rocket()).unwrap();
    let token = wait(live.begin("ada")).unwrap();
    let request = client.post("/set/blue").cookie(live.cookie(&token));
    let request = request.header(Header::new("User-Agent", "Firefox"));
    assert_eq!(request.dispatch().status().code, 200);
    let devices = wait(live.list("ada")).unwrap();
    assert_eq!(devices[0].user_agent.as_deref(), Some("Firefox"));
}
