//! Launches and restarts the application, and loses connections to its database.

use std::net::TcpListener;
use std::time::Duration;

#[cfg(feature = "test_servers")]
use diesel::prelude::*;

use testing::accounts::{EMAIL, cookie, is_signed_in, register};
use testing::application::{Application, make_empty, refusal};
use testing::database::TestDatabase;
use testing::server::wait_until;
use testing::{on_every_backend, sql};

on_every_backend!(
    sessions_outlive_a_killed_process,
    two_processes_create_the_tables_once,
    an_application_without_a_table_is_not_ready,
);

fn sessions_outlive_a_killed_process(database: &TestDatabase) {
    let mut application = Application::start(database);
    let (ada, grace) = (application.visitor(), application.visitor());
    register(&ada, EMAIL, &[]);
    register(&grace, "grace@example.org", &[]);
    grace.post("/logout", &[]);
    application.kill();
    application.restart();
    let home = ada.get("/home");
    assert_eq!(home.status, 200);
    assert!(home.body.contains(EMAIL));
    assert!(!is_signed_in(&grace));
}

fn an_application_without_a_table_is_not_ready(database: &TestDatabase) {
    let soon = ("ROCKET_HEALTH", "{ready_within=2}");
    let application = Application::start_with(database, &[soon]);
    let visitor = application.visitor();
    let becomes = |status: u16, table: &str| {
        wait_until(table, Duration::from_secs(20), || {
            visitor.get("/health/ready").status == status
        });
    };
    for table in [database.table.as_str(), "users"] {
        let rename = |from: &str, to: &str| {
            sql::execute(database, &format!("ALTER TABLE {from} RENAME TO {to}"));
        };
        rename(table, "aside");
        becomes(503, table);
        rename("aside", table);
        becomes(200, table);
    }
}

fn two_processes_create_the_tables_once(database: &TestDatabase) {
    make_empty(database);
    let mut nodes = [(); 2].map(|()| Application::launch(database, &[]));
    for node in &mut nodes {
        node.wait_until_healthy();
    }
    let [first, second] = &nodes;
    let signed_in = register(&first.visitor(), EMAIL, &[]);
    assert!(is_signed_in(&second.visitor_with(&cookie(&signed_in))));
}

#[test]
fn an_empty_database_is_brought_up_to_date() {
    let database = testing::database::sqlite();
    make_empty(&database);
    let application = Application::start(&database);
    let visitor = application.visitor();
    register(&visitor, EMAIL, &[]);
    assert!(is_signed_in(&visitor));
}

/// The server closes the application's connections, which fail only at their next use.
#[cfg(feature = "test_servers")]
fn closed_connections_are_replaced(database: &TestDatabase, close: impl Fn(&str)) {
    let application = Application::start(database);
    let visitor = application.visitor();
    register(&visitor, EMAIL, &[]);
    for _ in 0..3 {
        close(&database.url);
        assert_eq!(visitor.get("/home").status, 200);
    }
}

#[cfg(feature = "test_servers")]
#[test]
#[ignore = "needs MariaDB: run ./test.sh"]
fn connections_that_mariadb_closes_are_replaced() {
    closed_connections_are_replaced(&testing::database::mariadb(), |url| {
        let mut connection = MysqlConnection::establish(url).unwrap();
        let others = "(SELECT GROUP_CONCAT(id) FROM information_schema.processlist \
                      WHERE db = DATABASE() AND id <> CONNECTION_ID())";
        let others = diesel::dsl::sql::<diesel::sql_types::Text>(others);
        let others: String = diesel::select(others).first(&mut connection).unwrap();
        for id in others.split(',') {
            let kill = diesel::sql_query(format!("KILL {id}"));
            kill.execute(&mut connection).unwrap();
        }
    });
}

#[cfg(feature = "test_servers")]
#[test]
#[ignore = "needs PostgreSQL: run ./test.sh"]
fn connections_that_postgresql_closes_are_replaced() {
    closed_connections_are_replaced(&testing::database::postgresql(), |url| {
        let mut connection = PgConnection::establish(url).unwrap();
        let close = diesel::sql_query(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
             WHERE datname = current_database() AND pid <> pg_backend_pid()",
        );
        assert!(close.execute(&mut connection).unwrap() > 0);
    });
}

#[test]
fn a_wrong_setting_stops_the_launch_in_one_line() {
    let database = testing::database::sqlite();
    let sqlite = &*database.url;
    let session = "ROCKET_SESSION";
    for (url, setting, names, remedy) in [
        (
            sqlite,
            (session, r#"{idle_timeot="2h"}"#),
            "idle_timeot",
            "idle_timeout",
        ),
        (
            sqlite,
            (session, r#"{idle_timeout="soon"}"#),
            "session.idle_timeout",
            "write one like",
        ),
        (
            sqlite,
            (session, r#"{idle_timeout="48h"}"#),
            "session.idle_timeout",
            "lower the first or raise the second",
        ),
        (
            sqlite,
            (session, r#"{database="nope"}"#),
            "session.database",
            "add [default.databases.nope]",
        ),
        (
            sqlite,
            (session, r#"{cookie={same_site="none"}}"#),
            "session.cookie.same_site",
            "session.cookie.secure = true",
        ),
        (
            sqlite,
            (
                "ROCKET_DATABASES",
                &format!("{{app={{url={sqlite:?},pool_size=0}}}}"),
            ),
            "databases.app.pool_size",
            "from 1 to 256",
        ),
        (
            "oracle://example.org/app",
            (session, "{}"),
            "databases.app",
            "write sqlite:FILE",
        ),
        (
            "sqlite:/nowhere/at/all.db",
            (session, "{}"),
            "databases.app",
            "make it, or name another one in its url",
        ),
        // Root, too, can create no file there.
        (
            "sqlite:/proc/all.db",
            (session, "{}"),
            "databases.app",
            "the file /proc/all.db cannot be created",
        ),
    ] {
        let (status, output) = refusal(url, &[setting]);
        // A process that had to be killed has no code.
        let refused = status.code().is_some_and(|code| code != 0);
        assert!(refused, "{setting:?} was accepted: {output}");
        let lines: Vec<_> = output.lines().filter(|line| line.contains(names)).collect();
        let [line] = lines[..] else {
            panic!("{setting:?}: not one line about {names}: {output}");
        };
        assert!(line.contains(remedy), "{setting:?}: {line}");
    }
}

#[test]
fn a_port_that_is_taken_is_named() {
    let (database, taken) = (
        testing::database::sqlite(),
        TcpListener::bind("127.0.0.1:0"),
    );
    let port = taken
        .as_ref()
        .unwrap()
        .local_addr()
        .unwrap()
        .port()
        .to_string();
    let variables = [("ROCKET_PORT", &*port), ("ROCKET_LOG_LEVEL", "critical")];
    let (status, output) = refusal(&database.url, &variables);
    assert_eq!(status.code(), Some(1), "{output}");
    let line = output.lines().last().unwrap();
    let expected = format!("cannot listen on 127.0.0.1 port {port}: Address already in use");
    assert!(line.contains(&expected), "{output}");
}

#[test]
fn a_configuration_that_cannot_be_read_stops_the_launch_in_one_line() {
    let (database, folder) = (testing::database::sqlite(), tempfile::tempdir().unwrap());
    let path = folder.path().join("Rocket.toml");
    for (toml, names) in [
        ("[prod]\n[prod]\n", "duplicate key"),
        ("[default]\nkeep_alive = \"long\"\n", "keep_alive"),
        ("[default]\nworkers = \"many\"\n", "workers"),
        ("[default.shutdown]\ngrace = -1\n", "grace"),
    ] {
        std::fs::write(&path, toml).unwrap();
        let path = path.to_str().unwrap();
        let (status, output) = refusal(&database.url, &[("ROCKET_CONFIG", path)]);
        assert!(!status.success(), "{toml}");
        assert_eq!(output.lines().count(), 1, "{output}");
        assert!(
            output.contains(names) && output.contains("Rocket.toml"),
            "{output}"
        );
    }
}
