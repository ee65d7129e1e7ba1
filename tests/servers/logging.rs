//! The store's log, read from the output of a process.

use std::fs;

use rocket_diesel_session::Token;
use tempfile::NamedTempFile;

use testing::database::TestDatabase;
use testing::on_every_backend;
use testing::server::{Browser, Server};

/// Somebody signs in, writes and signs out; what the server printed of its store meanwhile.
///
/// `settings` are of `[default.session]`, each after a comma.
fn printed(database: &TestDatabase, settings: &str) -> String {
    let output = NamedTempFile::new().unwrap();
    let file = output.reopen().unwrap().into();
    let server = Server::busy_with(database, settings, "normal", file);
    let url = |path: &str| format!("{}{path}", server.base);
    let mut browser = Browser::default();
    let mut secrets = Vec::new();
    for path in ["/keys/diary", "/log_in/ada-lovelace", "/keys/letters"] {
        assert_eq!(browser.post(&url(path)).0, 200);
        let cookie = browser.cookie.clone().unwrap();
        let token = cookie.split_once('=').unwrap().1;
        secrets.push(token.to_owned());
        secrets.push(Token::parse(token).unwrap().key().as_str().to_owned());
    }
    secrets.extend(database.lines("SELECT data AS line FROM sessions"));
    assert_eq!(secrets.len(), 7);
    assert_eq!(browser.post(&url("/log_out")).0, 200);

    let printed = fs::read_to_string(output.path()).unwrap();
    for secret in &secrets {
        assert!(!printed.contains(secret), "{secret} in {printed}");
    }
    let of_store = printed.lines().filter(|line| line.contains("store:"));
    let of_store: Vec<_> = of_store.collect();
    for word in ["ada", "diary", "letters"] {
        assert!(!of_store.concat().contains(word), "{word} in {of_store:?}");
    }
    of_store.join("\n")
}

fn a_setting_turns_on_the_log_of_the_store_which_has_no_secret(database: &TestDatabase) {
    assert_eq!(printed(database, ""), "");
    let log = printed(database, ",log_store=true");
    for verb in ["insert ", "load ", "update ", "delete "] {
        assert!(log.contains(&format!("store: {verb}")), "{verb} in {log}");
    }
}

on_every_backend!(a_setting_turns_on_the_log_of_the_store_which_has_no_secret);
