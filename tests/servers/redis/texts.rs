//! Sessions as connect-redis keeps them, on one server and in a cluster.

use std::process::Stdio;
use std::thread;

use rocket_diesel_session::Key;

use super::records::name;
use testing::database::TestDatabase;
use testing::on_redis;
use testing::redis::{ask, nodes};
use testing::server::{Browser, Server};

on_redis!(
    texts_of_connect_redis_are_begun_changed_renewed_and_ended,
    of_many_that_write_one_text_none_loses_anything,
);

fn server(database: &TestDatabase) -> Server {
    let settings = r#",format="express",secrets=["keyboard cat"]"#;
    Server::busy_with(database, settings, "critical", Stdio::inherit())
}

/// The text of a browser's session, and for how many seconds it stays.
fn text(database: &TestDatabase, browser: &Browser) -> (String, i64) {
    let cookie = browser.cookie.as_ref().unwrap();
    let (_, value) = cookie.split_once("=s%3A").unwrap();
    let (id, _) = value.split_once('.').unwrap();
    let name = name(database, &Key::from_stored(id.to_owned()));
    let left = ask(&database.url, &["TTL", &name]).parse().unwrap();
    (ask(&database.url, &["GET", &name]), left)
}

fn how_many(database: &TestDatabase) -> usize {
    let pattern = format!("{}:*", database.table);
    let keys = nodes(&database.url);
    let keys = keys.iter().map(|node| ask(node, &["KEYS", &pattern]));
    keys.map(|keys| keys.split_whitespace().count()).sum()
}

fn texts_of_connect_redis_are_begun_changed_renewed_and_ended(database: &TestDatabase) {
    let server = server(database);
    let at = |path: &str| format!("{}{path}", server.base);
    let mut browser = Browser::default();
    assert_eq!(browser.post(&at("/visits")), (200, "1".into()));
    let (begun, left) = text(database, &browser);
    assert!(
        begun.contains(r#""visits":1"#) && begun.contains(r#""cookie":{"#),
        "{begun}"
    );
    assert!((7_190..=7_200).contains(&left), "two hours, not {left} s");

    let anonymous = browser.clone();
    assert_eq!(browser.post(&at("/log_in/7")).0, 200);
    let (renewed, _) = text(database, &browser);
    assert!(renewed.contains(r#""passport":{"user":7}"#), "{renewed}");
    assert_eq!(text(database, &anonymous).0, "", "the old text is gone");
    assert_eq!(browser.post(&at("/visits")), (200, "2".into()));
    assert_eq!(how_many(database), 1);

    let signed_in = browser.clone();
    assert_eq!(browser.post(&at("/log_out")).0, 200);
    assert_eq!(how_many(database), 0);
    for mut browser in [anonymous, signed_in] {
        assert_eq!(browser.get(&at("/user")), (200, String::new()));
    }
}

fn of_many_that_write_one_text_none_loses_anything(database: &TestDatabase) {
    let servers = [server(database), server(database)];
    let mut browser = Browser::default();
    browser.post(&format!("{}/log_in/ada", servers[0].base));
    thread::scope(|scope| {
        for number in 0..20 {
            let (mut browser, server) = (browser.clone(), &servers[number % 2]);
            let url = format!("{}/keys/key-{number}", server.base);
            scope.spawn(move || assert_eq!(browser.post(&url).0, 200));
        }
    });
    let (text, _) = text(database, &browser);
    for number in 0..20 {
        assert!(text.contains(&format!(r#""key-{number}":true"#)), "{text}");
    }
}
