//! The number of statements that a session costs, counted by MariaDB.

use diesel::{Connection, MysqlConnection};

use testing::database;
use testing::server::{Browser, Server};
use testing::sql;

const REQUESTS: u64 = 20;

/// The least that each use of a session can cost.
#[test]
#[ignore = "needs MariaDB: run ./test.sh"]
fn reading_costs_one_statement_changing_two_beginning_one() {
    let _alone = crate::alone();
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
    browser.post(&url("/visits")); // opens the last connection
    assert_eq!(cost(&|| browser.clone().get(&url("/visits"))), REQUESTS);
    assert_eq!(
        cost(&|| browser.clone().post(&url("/visits"))),
        2 * REQUESTS
    );
    assert_eq!(cost(&|| Browser::default().post(&url("/visits"))), REQUESTS);
    assert_eq!(cost(&|| Browser::default().get(&url("/visits"))), 0);
}
