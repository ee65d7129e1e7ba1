//! The number of connections stays within the limits of the pool and of the account.

use std::fs;
use std::thread;
use std::time::Duration;

use tempfile::NamedTempFile;
use testing::database::TestDatabase;
use testing::server::{Browser, Server, example};

/// Eight clients of a pool of eight, and a moment of rest.
fn an_account_with_three_connections_serves_everybody_and_warns_once(
    database: &TestDatabase,
    account: &str,
) {
    let (scheme, rest) = database.url.split_once("://").unwrap();
    let (_, place) = rest.rsplit_once('@').unwrap();
    let url = format!("{scheme}://{account}@{place}");
    let output = NamedTempFile::new().unwrap();
    let mut command = example("busy");
    command.env("ROCKET_LOG_LEVEL", "normal");
    command.stdout(output.reopen().unwrap());
    let database = format!("url={url:?},pool_size=8");
    let server = Server::on(&mut command, &database, "cookie={secure=false}");
    thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(|| {
                let mut browser = Browser::default();
                for visit in 1..=50 {
                    // A sign-in has a connection for itself, while visits share one.
                    browser.post(&format!("{}/log_in/ada", server.base));
                    let answer = browser.post(&format!("{}/visits", server.base));
                    assert_eq!(answer, (200, visit.to_string()));
                }
            });
        }
    });
    // Attempts that fail are made again within a second.
    thread::sleep(Duration::from_secs(3));
    let printed = fs::read_to_string(output.path()).unwrap();
    let warnings = printed
        .lines()
        .filter(|line| line.contains("no connection to the database could be opened"));
    let warnings: Vec<_> = warnings.collect();
    assert_eq!(warnings.len(), 1, "{warnings:?}");
    assert!(warnings[0].contains("lower pool_size"), "{warnings:?}");
}

#[cfg(feature = "mysql")]
#[test]
#[ignore = "needs MariaDB: run ./test.sh"]
fn an_account_of_mariadb_with_three_connections_serves_everybody_and_warns_once() {
    use diesel::{Connection, MysqlConnection, connection::SimpleConnection};
    let database = testing::database::mariadb();
    let (_, name) = database.url.rsplit_once('/').unwrap();
    let (authority, _) = database.url.rsplit_once('/').unwrap();
    let (_, server) = authority.rsplit_once('@').unwrap();
    let mut root = MysqlConnection::establish(&format!("mysql://root@{server}/mysql")).unwrap();
    let mut run = |sql: &str| root.batch_execute(sql).unwrap();
    run(&format!(
        "CREATE USER {name}@'%' IDENTIFIED BY 'session' WITH MAX_USER_CONNECTIONS 3; \
         GRANT ALL ON {name}.* TO {name}@'%'"
    ));
    let account = format!("{name}:session");
    an_account_with_three_connections_serves_everybody_and_warns_once(&database, &account);
    run(&format!("DROP USER {name}@'%'"));
}

#[cfg(feature = "postgres")]
#[test]
#[ignore = "needs PostgreSQL: run ./test.sh"]
fn an_account_of_postgresql_with_three_connections_serves_everybody_and_warns_once() {
    let database = testing::database::postgresql();
    let (_, name) = database.url.rsplit_once('/').unwrap();
    database.run(&format!("CREATE ROLE {name} LOGIN CONNECTION LIMIT 3"));
    database.run(&format!(
        "GRANT ALL ON ALL TABLES IN SCHEMA public TO {name}"
    ));
    an_account_with_three_connections_serves_everybody_and_warns_once(&database, name);
    database.run(&format!("DROP OWNED BY {name}"));
    database.run(&format!("DROP ROLE {name}"));
}

fn a_pool_has_no_more_connections_than_its_size(database: &TestDatabase, open: &str) {
    let settings = format!("url={:?},pool_size=3", database.url);
    let server = Server::on(&mut example("busy"), &settings, "cookie={secure=false}");
    for _ in 0..10 {
        thread::scope(|scope| {
            for _ in 0..16 {
                scope.spawn(|| Browser::default().post(&format!("{}/visits", server.base)));
            }
        });
        let (_, name) = database.url.rsplit_once('/').unwrap();
        let open = database.lines(&format!("{open} '{name}'"));
        // That of this question, and the one for maintenance.
        assert!(open.len() <= 3 + 2, "{open:?}");
    }
}

#[cfg(feature = "mysql")]
#[test]
#[ignore = "needs MariaDB: run ./test.sh"]
fn a_pool_of_mariadb_has_no_more_connections_than_its_size() {
    let open = "SELECT CAST(id AS CHAR) AS line FROM information_schema.processlist WHERE db =";
    a_pool_has_no_more_connections_than_its_size(&testing::database::mariadb(), open);
}

#[cfg(feature = "postgres")]
#[test]
#[ignore = "needs PostgreSQL: run ./test.sh"]
fn a_pool_of_postgresql_has_no_more_connections_than_its_size() {
    let open = "SELECT CAST(pid AS TEXT) AS line FROM pg_stat_activity WHERE datname =";
    a_pool_has_no_more_connections_than_its_size(&testing::database::postgresql(), open);
}
