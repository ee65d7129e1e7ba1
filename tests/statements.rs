//! How many statements a page costs, counted by MariaDB. Alone in its file, since the server counts for everybody.

#![cfg(all(feature = "app", feature = "sqlite", feature = "mysql"))]
#![allow(clippy::unwrap_used, reason = "a test panics where it fails")]

#[allow(unused_imports, unused_macros, reason = "for one backend only")]
mod support;

use std::sync::Mutex;

use diesel::{Connection, MysqlConnection};

use support::application::Application;
use support::database;
use support::server::{Browser, Server};
use support::sql;
use support::visitor::Visitor;

const REQUESTS: u64 = 20;

/// Held by the test that counts.
static COUNTING: Mutex<()> = Mutex::new(());

fn cost(connection: &mut MysqlConnection, visitor: &Visitor, page: &str) -> u64 {
    let before = sql::statements(connection);
    for _ in 0..REQUESTS {
        assert_eq!(visitor.get(page).status, 200);
    }
    sql::statements(connection) - before - 1
}

#[test]
#[ignore = "needs MariaDB: run ./test.sh"]
fn a_page_costs_one_statement_and_none_for_strangers() {
    let _counting = COUNTING.lock();
    let database = database::mariadb();
    let application = Application::start_with(
        &database,
        &[("ROCKET_SESSION", r#"{sweep_interval="off"}"#)],
    );
    let connection = &mut MysqlConnection::establish(&database.url).unwrap();

    let stranger = application.visitor();
    for page in ["/", "/login", "/register", "/static/style.css"] {
        assert_eq!(cost(connection, &stranger, page), 0, "{page}");
    }
    let user = application.visitor();
    let fields = [
        ("first_name", "Ada"),
        ("last_name", "Lovelace"),
        ("email", "ada@example.org"),
        ("password", "correct horse battery"),
    ];
    assert_eq!(user.post("/register", &fields).location(), "/home");
    // The first page shows the welcome, which is a change.
    assert!(user.get("/home").body.contains("Welcome"));
    for page in ["/home", "/messages", "/"] {
        assert_eq!(cost(connection, &user, page), REQUESTS, "{page}");
    }
    assert_eq!(cost(connection, &user, "/static/style.css"), 0);
    let misled = application.visitor_with(&format!("id={}", "A".repeat(43)));
    assert_eq!(cost(connection, &misled, "/"), REQUESTS);
    let malformed = application.visitor_with("id=nonsense");
    assert_eq!(cost(connection, &malformed, "/"), 0);
}

/// The least that each use of a session can cost.
#[test]
#[ignore = "needs MariaDB: run ./test.sh"]
fn reading_costs_one_statement_changing_two_beginning_one() {
    let _counting = COUNTING.lock();
    let database = database::mariadb();
    let server = Server::busy(&database);
    let connection = &mut MysqlConnection::establish(&database.url).unwrap();
    let mut cost = |use_it: &dyn Fn() -> (u16, String)| {
        let before = sql::statements(connection);
        for _ in 0..REQUESTS {
            assert_eq!(use_it().0, 200);
        }
        sql::statements(connection) - before - 1
    };
    let url = |path: &str| format!("{}{path}", server.base);
    let mut browser = Browser::default();
    browser.post(&url("/log_in/ada"));
    assert_eq!(cost(&|| browser.clone().get(&url("/visits"))), REQUESTS);
    assert_eq!(
        cost(&|| browser.clone().post(&url("/visits"))),
        2 * REQUESTS
    );
    assert_eq!(cost(&|| Browser::default().post(&url("/visits"))), REQUESTS);
    assert_eq!(cost(&|| Browser::default().get(&url("/visits"))), 0);
}
