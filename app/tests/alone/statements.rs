//! Counts the statements of a page on MariaDB.

use diesel::{Connection, MysqlConnection};

use testing::application::Application;
use testing::database;
use testing::sql;
use testing::visitor::Visitor;

const REQUESTS: u64 = 20;

fn cost(connection: &mut MysqlConnection, visitor: &Visitor, page: &str) -> u64 {
    let before = sql::statements(connection);
    for _ in 0..REQUESTS {
        assert_eq!(visitor.get(page).status, 200);
    }
    sql::statements(connection) - before - 1
}

#[test]
#[ignore = "needs MariaDB: run ./test.sh"]
fn a_page_costs_one_statement_and_none_for_anonymous_users() {
    let _alone = super::alone();
    let database = database::mariadb();
    let application = Application::start_with(
        &database,
        &[("ROCKET_SESSION", r#"{cleanup_interval="off"}"#)],
    );
    let connection = &mut MysqlConnection::establish(&database.url).unwrap();
    sql::wait_until_quiet(connection);

    let anonymous = application.visitor();
    for page in ["/", "/login", "/register", "/static/style.css"] {
        assert_eq!(cost(connection, &anonymous, page), 0, "{page}");
    }
    let user = application.visitor();
    let fields = [
        ("first_name", "Ada"),
        ("last_name", "Lovelace"),
        ("email", "ada@example.org"),
        ("password", "correct horse battery"),
    ];
    assert_eq!(user.post("/register", &fields).location(), "/home");
    // The first page shows the welcome message, which is a write.
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
