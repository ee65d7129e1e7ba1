//! Asks for the health of the application while its database does not answer, and counts what it costs.

use std::cell::Cell;
use std::thread;
use std::time::{Duration, Instant};

use diesel::{Connection, MysqlConnection};

use crate::outage::Stopped;
use testing::application::Application;
use testing::clients::at_once;
use testing::database;
use testing::server::wait_until;
use testing::sql;
use testing::switch::Switch;
use testing::visitor::Visitor;

/// The shortest that the settings accept.
const SOON: (&str, &str) = ("ROCKET_HEALTH", "{ready_within=2}");

fn is_ready(visitor: &Visitor) -> bool {
    match visitor.get("/health/ready") {
        answer if answer.status == 200 => true,
        answer => {
            assert_eq!(answer.status, 503);
            let kind = answer.header("Content-Type");
            assert_eq!(kind, Some("application/problem+json"));
            let problem = answer.json();
            assert_eq!(problem["status"], 503);
            let detail = "The database has not answered for 2 seconds.";
            assert_eq!(problem["detail"], detail);
            assert!(answer.header("Retry-After").is_some());
            false
        }
    }
}

/// Expects that readiness ends after `stop`, and is back after `go_on`. Requests of a user do not matter.
fn follows(application: &Application, stop: impl FnOnce(), go_on: impl FnOnce()) {
    let visitor = application.visitor();
    let until = |what, ready| {
        let begin = Instant::now();
        wait_until(what, Duration::from_secs(15), || {
            assert_eq!(visitor.get("/health/live").status, 200);
            is_ready(&visitor) == ready
        });
        begin.elapsed()
    };
    until("ready at first", true);
    stop();
    let lost = until("not ready", false);
    // Long enough for several checks to hang or to fail.
    thread::sleep(Duration::from_secs(4));
    assert!(!is_ready(&visitor));
    go_on();
    let found = until("ready again", true);
    eprintln!("not ready after {lost:?}, and ready again after {found:?}");
}

#[test]
#[ignore = "needs MariaDB: run ./test.sh"]
fn readiness_ends_while_the_database_hangs() {
    let _alone = super::alone();
    let database = database::mariadb();
    let application = Application::start_with(&database, &[SOON]);
    let stopped = Cell::new(None);
    let stop = || stopped.set(Some(Stopped::server()));
    follows(&application, stop, || drop(stopped.take()));
}

#[test]
#[ignore = "needs MariaDB: run ./test.sh"]
fn readiness_ends_while_the_database_refuses_connections() {
    let _alone = super::alone();
    let database = database::mariadb();
    let mut url = url::Url::parse(&database.url).unwrap();
    let switch = Switch::to(url.port().unwrap());
    url.set_port(Some(switch.port)).unwrap();
    let application = Application::start_at(url.as_str(), &[SOON]);
    let refuse = |refuses| switch.refuse(refuses);
    follows(&application, || refuse(true), || refuse(false));
}

#[test]
#[ignore = "needs MariaDB: run ./test.sh"]
fn a_thousand_health_requests_a_second_cost_one_statement() {
    const CLIENTS: usize = 4;
    const SECONDS: u32 = 5;
    let _alone = super::alone();
    let database = database::mariadb();
    let settings = ("ROCKET_SESSION", r#"{cleanup_interval="off"}"#);
    let application = Application::start_with(&database, &[settings]);
    let connection = &mut MysqlConnection::establish(&database.url).unwrap();
    sql::wait_until_quiet(connection);

    let (begin, before) = (Instant::now(), sql::statements(connection));
    at_once(CLIENTS, CLIENTS, |_| {
        let visitor = application.visitor();
        for second in 1..=SECONDS {
            for _ in 0..1_000 / CLIENTS {
                assert_eq!(visitor.get("/health/ready").status, 200);
            }
            let rest = Duration::from_secs(second.into()).saturating_sub(begin.elapsed());
            thread::sleep(rest);
        }
    });
    let (took, cost) = (begin.elapsed(), sql::statements(connection) - before - 1);
    eprintln!(
        "{} requests in {took:?}: {cost} statements",
        1_000 * SECONDS
    );
    assert!(cost <= took.as_secs() + 1, "{cost} statements in {took:?}");
}
