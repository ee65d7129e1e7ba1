//! How many statements a page costs, counted by MariaDB. Alone in its file, since the server counts for everybody.

#![cfg(all(feature = "app", feature = "sqlite", feature = "mysql"))]
#![allow(clippy::unwrap_used, reason = "a test panics where it fails")]

#[allow(unused_imports, unused_macros, reason = "for one backend only")]
mod support;

use diesel::prelude::*;
use diesel::sql_types::Text;

use support::application::{Application, Visitor};
use support::database;

const REQUESTS: u64 = 20;

#[derive(QueryableByName)]
struct Variable {
    #[diesel(sql_type = Text, column_name = "Value")]
    value: String,
}

/// The server's count of statements; asking is one of them.
fn statements(connection: &mut MysqlConnection) -> u64 {
    let question = diesel::sql_query("SHOW GLOBAL STATUS LIKE 'Questions'");
    let answer: Variable = question.get_result(connection).unwrap();
    answer.value.parse().unwrap()
}

fn cost(connection: &mut MysqlConnection, visitor: &Visitor, page: &str) -> u64 {
    let before = statements(connection);
    for _ in 0..REQUESTS {
        assert_eq!(visitor.get(page).status, 200);
    }
    statements(connection) - before - 1
}

#[test]
#[ignore = "needs MariaDB: run ./test.sh"]
fn a_page_costs_one_statement_and_none_for_strangers() {
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
    for page in ["/home", "/messages", "/"] {
        assert_eq!(cost(connection, &user, page), REQUESTS, "{page}");
    }
    assert_eq!(cost(connection, &user, "/static/style.css"), 0);
    let misled = application.visitor_with(&format!("id={}", "A".repeat(43)));
    assert_eq!(cost(connection, &misled, "/"), REQUESTS);
    let malformed = application.visitor_with("id=nonsense");
    assert_eq!(cost(connection, &malformed, "/"), 0);
}
