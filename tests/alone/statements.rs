//! The number of statements that a session costs, counted by MariaDB.

use std::thread;
use std::time::Duration;

use diesel::{Connection, MysqlConnection};
use rocket::http::{Cookie, Status};
use rocket::local::blocking::Client;
use rocket::tokio::spawn;
use rocket::{post, routes};
use rocket_diesel_session::{Error, Session, Sessions};

use testing::server::{Browser, Server};
use testing::{database, site, sql};

const REQUESTS: u64 = 20;

/// The least that each use of a session can cost.
#[test]
#[ignore = "needs MariaDB: run ./test.sh"]
fn reading_costs_one_statement_changing_two_beginning_one() {
    let _alone = crate::alone();
    let database = database::mariadb();
    let server = Server::busy(&database);
    let connection = &mut MysqlConnection::establish(&database.url).unwrap();
    let url = |path: &str| format!("{}{path}", server.base);
    let mut browser = Browser::default();
    browser.post(&url("/log_in/ada"));
    browser.post(&url("/visits")); // opens the last connection
    sql::wait_until_quiet(connection);
    let mut cost = |use_it: &dyn Fn() -> (u16, String)| {
        let before = sql::statements(connection);
        for _ in 0..REQUESTS {
            assert_eq!(use_it().0, 200);
        }
        sql::statements(connection) - before - 1
    };
    assert_eq!(cost(&|| browser.clone().get(&url("/visits"))), REQUESTS);
    assert_eq!(
        cost(&|| browser.clone().post(&url("/visits"))),
        2 * REQUESTS
    );
    assert_eq!(cost(&|| Browser::default().post(&url("/visits"))), REQUESTS);
    assert_eq!(cost(&|| Browser::default().get(&url("/visits"))), 0);
}

/// Stands for a stream.
#[post("/watch")]
fn watch(session: &Session) {
    let ended = session.ended();
    spawn(ended);
}

#[post("/log_in")]
fn log_in(session: &Session) -> Result<(), Error> {
    session.log_in("ada")
}

#[test]
#[ignore = "needs MariaDB: run ./test.sh"]
fn a_check_of_a_thousand_open_streams_costs_one_statement() {
    let _alone = crate::alone();
    let database = database::mariadb();
    let sessions = Sessions::fairing().with_store(database.store.clone());
    let settings = "{stream_check_interval=\"1s\",cleanup_interval=\"off\"}";
    let rocket = rocket::custom(site::figment(settings)).mount("/", routes![watch, log_in]);
    let client = Client::untracked(rocket.attach(sessions)).unwrap();
    for _ in 0..1_000 {
        let answer = client.post("/log_in").dispatch();
        let set = answer.cookies().iter().next().unwrap();
        let cookie = Cookie::new(set.name().to_owned(), set.value().to_owned());
        let answer = client.post("/watch").cookie(cookie).dispatch();
        assert_eq!(answer.status(), Status::Ok);
    }
    let connection = &mut MysqlConnection::establish(&database.url).unwrap();
    let before = sql::statements(connection);
    thread::sleep(Duration::from_secs(4));
    let count = sql::statements(connection) - before - 1;
    // Before a check, the pool tests its connection.
    let is_few = (2..=8).contains(&count);
    assert!(is_few, "{count} statements in 4 intervals");
}
