//! Increments and sign-outs by three processes on one database, while others disturb it.

mod counters;
mod disturbance;
mod locked_row;
mod lost_connections;
mod neighbours;
mod sign_outs;
mod undisturbed;

use std::process::Stdio;

use rocket_diesel_session::{Key, Token};

use testing::database::TestDatabase;
use testing::server::{Browser, Server};

/// The number of increments in a test; another test has a tenth as many sign-outs.
fn increments() -> usize {
    let number = std::env::var("TEST_INCREMENTS").ok();
    number.map_or(3_000, |number| number.parse().unwrap())
}

fn processes(database: &TestDatabase) -> [Server; 3] {
    [(); 3].map(|()| Server::busy_with(database, "", "off", Stdio::inherit()))
}

/// The key of the session that a browser is in.
fn key(browser: &Browser) -> Key {
    let cookie = browser.cookie.as_ref().unwrap();
    let (_, token) = cookie.split_once('=').unwrap();
    Token::parse(token).unwrap().key()
}
