//! A failover: connections to the old server remain, new ones go to the new server.

use std::fs;
use std::process::Command;
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::Duration;

use tempfile::NamedTempFile;
use testing::database::TestDatabase;
use testing::server::{Browser, Server, example, wait_until};
use testing::switch::Switch;

/// An application that has connections to the first of two servers, behind a switch.
struct Behind {
    application: Server,
    switch: Switch,
    other: u16,
}

impl Behind {
    fn first(databases: &[TestDatabase; 2]) -> Self {
        let [first, other] = databases.each_ref().map(|database| port(&database.url));
        let switch = Switch::to(first);
        let url = databases[0].url.replace(
            &format!("127.0.0.1:{first}"),
            &format!("127.0.0.1:{}", switch.port),
        );
        let application = Server::on(
            example("busy").env("ROCKET_LOG_LEVEL", "off"),
            &format!("url={url:?},pool_size=4,timeout=\"2s\""),
            "cookie={secure=false}",
        );
        let behind = Self {
            application,
            switch,
            other,
        };
        assert!(behind.visits(16).iter().all(|status| *status == 200));
        behind
    }

    /// As many new visitors at once.
    fn visits(&self, visitors: usize) -> Vec<u16> {
        let url = format!("{}/visits", self.application.base);
        thread::scope(|scope| {
            let visit = || Browser::default().post(&url).0;
            let visits: Vec<_> = (0..visitors).map(|_| scope.spawn(visit)).collect();
            visits
                .into_iter()
                .map(|visit| visit.join().unwrap())
                .collect()
        })
    }
}

fn port(url: &str) -> u16 {
    let (authority, _) = url.rsplit_once('/').unwrap();
    let (_, port) = authority.rsplit_once(':').unwrap();
    port.parse().unwrap()
}

/// A server and its processes, stopped in the middle of their work; they continue when this is
/// dropped.
struct Stopped(String);

impl Stopped {
    fn server(process: String) -> Self {
        let stopped = Self(process);
        stopped.signal("-STOP");
        stopped
    }

    fn signal(&self, signal: &str) {
        let _ = Command::new("kill").args([signal, &self.0]).status();
        let children = ["-P", &self.0];
        let _ = Command::new("pkill").arg(signal).args(children).status();
    }
}

impl Drop for Stopped {
    fn drop(&mut self) {
        self.signal("-CONT");
    }
}

/// One test at a time does something to the first server.
static FIRST: [Mutex<()>; 2] = [Mutex::new(()), Mutex::new(())];

fn a_server_that_hangs_keeps_no_request_from_another_one(
    databases: &[TestDatabase; 2],
    process: String,
) {
    let behind = Behind::first(databases);
    let stopped = Stopped::server(process);
    // Each store thread hangs, and so does each attempt to connect.
    for _ in 0..4 {
        assert!(behind.visits(8).iter().all(|status| *status == 503));
    }
    behind.switch.move_to(behind.other);
    wait_until("a visit succeeds", Duration::from_secs(30), || {
        behind.visits(1) == [200]
    });
    for _ in 0..20 {
        assert_eq!(behind.visits(4), [200; 4]);
    }
    drop(stopped);
    assert_eq!(behind.visits(4), [200; 4]);
}

fn writes_go_to_the_new_server_with_the_second_request(
    databases: &[TestDatabase; 2],
    close: impl Fn(bool),
) {
    let behind = Behind::first(databases);
    close(true);
    behind.switch.move_to(behind.other);
    behind.visits(1);
    let after: Vec<_> = (0..40).flat_map(|_| behind.visits(1)).collect();
    close(false);
    assert_eq!(after, [200; 40]);
    let rows = databases[1].lines("SELECT 'row' AS line FROM sessions");
    assert!(rows.len() >= 40, "{}", rows.len());
}

/// An application whose URL lists both servers; it leaves the first one while that is closed to writes,
/// hangs, or is stopped, and returns to it.
fn a_list_of_hosts_is_followed(databases: &[TestDatabase; 2], close: impl Fn(bool)) {
    let [first, other] = databases.each_ref().map(|database| port(&database.url));
    let switch = Switch::to(first);
    let url = databases[0].url.replace(
        &format!("127.0.0.1:{first}"),
        &format!("127.0.0.1:{},127.0.0.1:{other}", switch.port),
    );
    let output = NamedTempFile::new().unwrap();
    let application = Server::on(
        example("busy")
            .env("ROCKET_LOG_LEVEL", "normal")
            .stdout(output.reopen().unwrap()),
        &format!("url={url:?},pool_size=4,timeout=\"2500ms\""),
        "cookie={secure=false}",
    );
    let visit = || {
        let url = format!("{}/visits", application.base);
        Browser::default().post(&url).0
    };
    let rows = || {
        let of =
            |database: &TestDatabase| database.lines("SELECT 'row' AS line FROM sessions").len();
        databases.each_ref().map(of)
    };
    // The former server may carry out what it got before it hung.
    let goes_to = |server: usize| {
        let mut expected = rows();
        expected[server] += 1;
        visit() == 200 && rows() == expected
    };
    let is_used = |server: usize| {
        let long = Duration::from_secs(60);
        wait_until("this host is used", long, || goes_to(server));
        assert!((0..20).all(|_| goes_to(server)));
    };
    is_used(0);
    // Read-only: the other server carries out the request that meets it.
    close(true);
    let all_go = (0..20).all(|_| goes_to(1));
    close(false);
    assert!(all_go);
    is_used(0);
    // It answers nothing, on old connections and on new ones.
    switch.hang(true);
    is_used(1);
    switch.hang(false);
    is_used(0);
    switch.refuse(true);
    is_used(1);
    switch.refuse(false);
    is_used(0);
    let log = fs::read_to_string(output.path()).unwrap();
    let log = log
        .lines()
        .filter(|l| !l.starts_with("POST"))
        .collect::<Vec<_>>()
        .join("\n");
    for says in ["is not used until it is well: ", "is well again"] {
        let place = format!("127.0.0.1:{} {says}", switch.port);
        assert!(log.contains(&place), "{place}: {log}");
    }
    // A connection could be opened each time, though older ones were discarded.
    assert!(!log.contains("no connection"), "{log}");
}

#[cfg(feature = "mysql")]
mod mariadb {
    use diesel::{Connection, MysqlConnection, connection::SimpleConnection};
    use testing::database::two_mariadb;

    use super::*;

    #[test]
    #[ignore = "needs MariaDB: run ./test.sh"]
    fn a_server_that_hangs_keeps_no_request_from_another_one() {
        let _first = FIRST[0].lock().unwrap_or_else(PoisonError::into_inner);
        let process = testing::provided("second_mariadb", "TEST_SECOND_MARIADB_PID");
        super::a_server_that_hangs_keeps_no_request_from_another_one(&two_mariadb(), process);
    }

    #[test]
    #[ignore = "needs MariaDB: run ./test.sh"]
    fn writes_go_to_the_new_server_with_the_second_request() {
        let _first = FIRST[0].lock().unwrap_or_else(PoisonError::into_inner);
        let databases = two_mariadb();
        super::writes_go_to_the_new_server_with_the_second_request(&databases, closing(&databases));
    }

    #[test]
    #[ignore = "needs MariaDB: run ./test.sh"]
    fn a_list_of_hosts_is_followed() {
        let _first = FIRST[0].lock().unwrap_or_else(PoisonError::into_inner);
        let databases = two_mariadb();
        super::a_list_of_hosts_is_followed(&databases, closing(&databases));
    }

    /// Closes the first server to writes, and opens it.
    fn closing(databases: &[TestDatabase; 2]) -> impl Fn(bool) {
        let root = format!("mysql://root@127.0.0.1:{}/mysql", port(&databases[0].url));
        let mut root = MysqlConnection::establish(&root).unwrap();
        // With this right the account would write to a read-only server.
        let revoke = "REVOKE READ_ONLY ADMIN ON *.* FROM session@'%'";
        root.batch_execute(revoke).unwrap();
        let root = Mutex::new(root);
        move |closed| {
            let set = format!("SET GLOBAL read_only = {}", u8::from(closed));
            root.lock().unwrap().batch_execute(&set).unwrap();
        }
    }
}

#[cfg(feature = "postgres")]
mod postgresql {
    use testing::database::two_postgresql;

    use super::*;

    #[test]
    #[ignore = "needs PostgreSQL: run ./test.sh"]
    fn a_server_that_hangs_keeps_no_request_from_another_one() {
        let _first = FIRST[1].lock().unwrap_or_else(PoisonError::into_inner);
        let process = testing::provided("second_postgresql", "TEST_SECOND_POSTGRES_PID");
        super::a_server_that_hangs_keeps_no_request_from_another_one(&two_postgresql(), process);
    }

    #[test]
    #[ignore = "needs PostgreSQL: run ./test.sh"]
    fn writes_go_to_the_new_server_with_the_second_request() {
        let _first = FIRST[1].lock().unwrap_or_else(PoisonError::into_inner);
        let databases = two_postgresql();
        super::writes_go_to_the_new_server_with_the_second_request(&databases, closing(&databases));
    }

    #[test]
    #[ignore = "needs PostgreSQL: run ./test.sh"]
    fn a_list_of_hosts_is_followed() {
        let _first = FIRST[1].lock().unwrap_or_else(PoisonError::into_inner);
        let databases = two_postgresql();
        super::a_list_of_hosts_is_followed(&databases, closing(&databases));
    }

    /// Closes the first server to writes, and opens it.
    fn closing(databases: &[TestDatabase; 2]) -> impl Fn(bool) {
        |closed| {
            let set = if closed { "on" } else { "off" };
            // Each has to be a statement alone.
            databases[0].run(&format!(
                "ALTER SYSTEM SET default_transaction_read_only = {set}"
            ));
            databases[0].lines("SELECT CAST(pg_reload_conf() AS TEXT) AS line");
        }
    }
}
