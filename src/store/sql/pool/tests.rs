//! Errors of real servers, of which Diesel passes on the texts alone, and the life of connections.

#![allow(
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test panics where it fails"
)]
#![allow(
    dead_code,
    unused_imports,
    reason = "SQLite has no server that could err"
)]

use std::sync::Barrier;
use std::thread;
use std::time::{Duration, Instant};

use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel::result::{DatabaseErrorKind, Error as DieselError};

use super::error_class::Fault;
use super::{ConnectionSource, DatabaseFile, Renewed, SqlConnector, run};
use crate::error::Effect;
use crate::store::pool::{Bounds, Idempotent, Outdated};
use crate::store::sql::backend::{Backend, Dialect};

const BOUNDS: Bounds = Bounds {
    size: 4,
    timeout: Duration::from_secs(2),
    idle_timeout: Duration::from_secs(600),
    max_lifetime: Duration::from_secs(1_800),
    statement_cache: true,
    sync_wait: true,
};

impl<C: Backend> SqlConnector<C> {
    fn pool(url: &str, bounds: &Bounds) -> r2d2::Pool<Self> {
        let file = DatabaseFile::at(C::file(url), url);
        bounds.pool(Self {
            file,
            ..Self::new(&Outdated::default(), url, bounds)
        })
    }
}

/// Two transactions that each wait for the other's row: the loser's error.
fn deadlock<C: Backend>(url: &str) -> Fault {
    let connect = || C::establish(url).unwrap();
    let table = format!("deadlock_{}", fastrand::u32(..));
    connect()
        .batch_execute(&format!(
            "CREATE TABLE {table} (id INT PRIMARY KEY, n INT); \
             INSERT INTO {table} VALUES (1, 0), (2, 0)"
        ))
        .unwrap();
    let both = Barrier::new(2);
    let cross = |first: u32, second: u32| {
        let mut connection = connect();
        connection.transaction(|connection| {
            let update = |id| format!("UPDATE {table} SET n = n + 1 WHERE id = {id}");
            connection.batch_execute(&update(first))?;
            both.wait();
            connection.batch_execute(&update(second))
        })
    };
    let results = thread::scope(|scope| {
        let other = scope.spawn(|| cross(2, 1));
        [cross(1, 2), other.join().unwrap()]
    });
    connect()
        .batch_execute(&format!("DROP TABLE {table}"))
        .unwrap();
    let [lost] = results
        .iter()
        .filter_map(|result| result.as_ref().err())
        .collect::<Vec<_>>()[..]
    else {
        panic!("one of the two must lose: {results:?}");
    };
    Fault::of(lost)
}

/// A statement on a connection that the server has ended.
fn ended<C>(url: &str, own_id: &str, end: impl Fn(&str) -> String) -> Fault
where
    C: Backend + diesel::connection::LoadConnection,
    for<'q> diesel::query_builder::SqlQuery: diesel::query_dsl::LoadQuery<'q, C, Id>,
{
    let (mut connection, mut other) = (C::establish(url).unwrap(), C::establish(url).unwrap());
    let id = diesel::sql_query(own_id)
        .get_result::<Id>(&mut connection)
        .unwrap()
        .id;
    other.batch_execute(&end(&id)).unwrap();
    Fault::of(&connection.batch_execute("SELECT 1").unwrap_err())
}

#[derive(diesel::QueryableByName)]
struct Id {
    #[diesel(sql_type = diesel::sql_types::Text)]
    id: String,
}

/// Every connection of a pool is ended by the server; the next read does not notice.
#[cfg(feature = "postgres")]
fn heals<C: Backend>(url: &str, end_all_others: &str) {
    let pool = SqlConnector::<C>::pool(url, &BOUNDS);
    let select = || {
        run(&pool, Idempotent::Yes, |connection| {
            connection.batch_execute("SELECT 1")
        })
    };
    let leases = (0..4).map(|_| {
        let mut lease = pool.checkout().unwrap();
        lease.batch_execute("SELECT 1").unwrap();
        lease
    });
    drop(leases.collect::<Vec<_>>());
    C::establish(url)
        .unwrap()
        .batch_execute(end_all_others)
        .unwrap();
    for _ in 0..4 {
        select().unwrap();
    }
}

/// A value that a statement is refused for says what it likes.
fn no_value_decides_what_an_error_means<C: Backend>(url: &str) {
    let mut connection = C::establish(url).unwrap();
    let table = format!("values_{}", fastrand::u32(..));
    let create = format!("CREATE TABLE {table} (text VARCHAR(64) PRIMARY KEY, number INT)");
    connection.batch_execute(&create).unwrap();
    for text in [
        "Lost connection to",
        "Deadlock found",
        "deadlock detected",
        "read-only option",
    ] {
        let insert = format!("INSERT INTO {table} (text) VALUES ('{text}')");
        connection.batch_execute(&insert).unwrap();
        let taken = connection.batch_execute(&insert).unwrap_err();
        assert_eq!(Fault::of(&taken), Fault::Other, "{taken}");
        let insert = format!("INSERT INTO {table} VALUES ('', '{text}')");
        if let Err(error) = connection.batch_execute(&insert) {
            assert_eq!(Fault::of(&error), Fault::Other, "{error}");
        }
    }
    let drop_it = format!("DROP TABLE {table}");
    connection.batch_execute(&drop_it).unwrap();
}

#[test]
fn a_text_of_each_condition_says_what_follows() {
    let fault = |message: &str| {
        let information = Box::new(message.to_owned());
        Fault::of(&DieselError::DatabaseError(
            DatabaseErrorKind::Unknown,
            information,
        ))
    };
    for (message, follows) in [
        (
            "The MariaDB server is running with the --read-only option so it cannot execute this statement",
            Fault::Outdated,
        ),
        ("Running in read-only mode", Fault::Outdated),
        (
            "Cannot execute statement in a READ ONLY transaction",
            Fault::Outdated,
        ),
        (
            "Deadlock found when trying to get lock; try restarting transaction",
            Fault::RolledBack,
        ),
        (
            "Record has changed since last read in table 'sessions'",
            Fault::RolledBack,
        ),
        ("MySQL server has gone away", Fault::NotSent),
        ("Server has gone away", Fault::NotSent),
        (
            "WSREP has not yet prepared node for application use",
            Fault::NotSent,
        ),
        ("Lost connection to server during query", Fault::Lost),
        (
            "Got error 5 \"Input/output error\" during COMMIT",
            Fault::Lost,
        ),
        ("Connection was killed", Fault::Lost),
        ("Server shutdown in progress", Fault::Lost),
        (
            "Lock wait timeout exceeded; try restarting transaction",
            Fault::Other,
        ),
        ("Query execution was interrupted", Fault::Other),
        ("cached plan must not change result type", Fault::Outdated),
        ("deadlock detected", Fault::RolledBack),
        ("no connection to the server", Fault::NotSent),
        (
            "terminating connection due to administrator command",
            Fault::Lost,
        ),
        ("server closed the connection unexpectedly", Fault::Lost),
        ("the database system is shutting down", Fault::Lost),
        ("canceling statement due to lock timeout", Fault::Other),
        ("attempt to write a readonly database", Fault::Outdated),
        ("database is locked", Fault::Other),
        (
            "Incorrect integer value: 'Deadlock found' for column `a`.`b`.`c` at row 1",
            Fault::Other,
        ),
    ] {
        assert_eq!(fault(message), follows, "{message}");
    }
}

/// Every connection of a pool is made by `old` to one that takes no writes, as those to a server
/// from which another one has taken over; new ones take them.
fn writes_go_to_new_connections<C: Backend>(url: &str, old: &str) {
    let pool = SqlConnector::<C>::pool(url, &BOUNDS);
    let table = format!("switched_{}", fastrand::u32(..));
    C::establish(url)
        .unwrap()
        .batch_execute(&format!("CREATE TABLE {table} (n INT)"))
        .unwrap();
    let leases = (0..4).map(|_| {
        let mut lease = pool.checkout().unwrap();
        lease.batch_execute(old).unwrap();
        lease
    });
    drop(leases.collect::<Vec<_>>());
    let insert = format!("INSERT INTO {table} VALUES (1)");
    let mut refused = pool.checkout().unwrap();
    let error = refused.batch_execute(&insert).unwrap_err();
    assert_eq!(Fault::of(&error), Fault::Outdated, "{error}");
    drop(refused);
    for _ in 0..8 {
        run(&pool, Idempotent::No, |connection| {
            connection.batch_execute(&insert)
        })
        .unwrap();
    }
    let drop_it = format!("DROP TABLE {table}");
    C::establish(url).unwrap().batch_execute(&drop_it).unwrap();
}

#[cfg(feature = "sqlite")]
mod sqlite {
    use super::*;

    #[test]
    fn no_value_decides_what_an_error_means() {
        super::no_value_decides_what_an_error_means::<SqliteConnection>(":memory:");
    }

    #[test]
    fn writes_go_to_new_connections() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("app.db").display().to_string();
        super::writes_go_to_new_connections::<SqliteConnection>(&path, "PRAGMA query_only = ON");
    }

    fn pool(bounds: &Bounds) -> r2d2::Pool<SqlConnector<SqliteConnection>> {
        SqlConnector::pool(":memory:", bounds)
    }

    #[test]
    fn connections_are_made_when_they_are_needed_and_no_more_than_allowed() {
        let timeout = Duration::from_millis(10);
        let pool = pool(&Bounds { timeout, ..BOUNDS });
        assert_eq!(pool.state().connections, 0);
        let leases: Vec<_> = (0..4).map(|_| pool.checkout().unwrap()).collect();
        assert_eq!(pool.state().connections, 4);
        assert!(pool.checkout().is_err(), "a fifth one");
        drop(leases);
        assert_eq!(pool.state().idle_connections, 4);
    }

    /// For connections that end when they are idle, and for those that end when they are old.
    fn ending_after(moment: Duration) -> [Bounds; 2] {
        [
            Bounds {
                idle_timeout: moment,
                ..BOUNDS
            },
            Bounds {
                max_lifetime: moment,
                ..BOUNDS
            },
        ]
    }

    #[test]
    fn a_connection_that_is_idle_or_old_is_not_used_again() {
        let moment = Duration::from_millis(20);
        let [idle, old] = ending_after(moment);
        for (bounds, is_used) in [(idle, false), (old, false), (BOUNDS, true)] {
            let pool = pool(&bounds);
            let ask = |sql| pool.checkout().unwrap().batch_execute(sql);
            ask("CREATE TABLE here (n INT)").unwrap();
            thread::sleep(2 * moment);
            assert_eq!(ask("SELECT n FROM here").is_ok(), is_used);
        }
    }

    #[test]
    fn a_door_has_a_new_connection_once_another_one_hung() {
        let outdated = Outdated::default();
        let pool =
            SqlConnector::pool_until(&outdated, &DatabaseFile::default(), ":memory:", BOUNDS);
        let door = Renewed::<SqliteConnection>::door(&pool);
        let ask = |sql| door.run(|connection| connection.batch_execute(sql));
        let hang = |connection: &mut SqliteConnection| {
            assert!(ask("SELECT 1").is_none(), "the connection is lent");
            outdated.hang();
            ask("CREATE TABLE here (n INT)").unwrap().unwrap();
            connection.batch_execute("SELECT 1")
        };
        door.run(hang).unwrap().unwrap();
        // The one that hung does not take the place of the new one.
        ask("SELECT n FROM here").unwrap().unwrap();
    }

    #[test]
    #[ignore = "takes half a minute: run ./test.sh"]
    fn connections_are_closed_when_they_are_idle_or_old() {
        let moment = Duration::from_secs(1);
        let [idle, old] = ending_after(moment);
        let [idle, old, neither] = [idle, old, BOUNDS].map(|bounds| pool(&bounds));
        for pool in [&idle, &old, &neither] {
            drop(pool.checkout().unwrap());
            assert_eq!(pool.state().connections, 1);
        }
        let end = Instant::now() + Duration::from_secs(40);
        let open = || [&idle, &old].map(|pool| pool.state().connections);
        while open() != [0, 0] {
            assert!(Instant::now() < end, "{:?}", open());
            thread::sleep(Duration::from_millis(100));
        }
        assert_eq!(neither.state().connections, 1);
    }
}

#[cfg(feature = "mysql")]
mod mariadb {
    use super::*;

    #[test]
    #[ignore = "needs MariaDB: run ./test.sh"]
    fn no_value_decides_what_an_error_means() {
        super::no_value_decides_what_an_error_means::<MysqlConnection>(&url());
    }

    #[test]
    #[ignore = "needs MariaDB: run ./test.sh"]
    fn a_pool_without_a_strict_mode_lacks_it() {
        let mut connection = MysqlConnection::establish(&url()).unwrap();
        let mut lack_in = |mode: &str| {
            let set = format!("SET SESSION sql_mode = {mode}");
            connection.batch_execute(&set).unwrap();
            connection.lack().unwrap()
        };
        let lack = lack_in("'PIPES_AS_CONCAT'").unwrap();
        let (_, remedy) = lack.split_once("SET SESSION sql_mode = ").unwrap();
        for mode in [
            remedy,
            "'STRICT_TRANS_TABLES'",
            "'STRICT_ALL_TABLES'",
            "'TRADITIONAL'",
        ] {
            assert_eq!(lack_in(mode), None, "{mode}");
        }
    }

    #[test]
    #[ignore = "needs MariaDB: run ./test.sh"]
    fn a_row_that_changed_since_the_snapshot_is_rolled_back() {
        let connect = || MysqlConnection::establish(&url()).unwrap();
        let (mut connection, mut other) = (connect(), connect());
        let table = format!("snapshot_{}", fastrand::u32(..));
        let run = |connection: &mut MysqlConnection, sql: &str| {
            connection.batch_execute(&sql.replace("TABLE_NAME", &table))
        };
        let create = "CREATE TABLE TABLE_NAME (id INT PRIMARY KEY, n INT); \
            INSERT INTO TABLE_NAME VALUES (1, 0)";
        run(&mut connection, create).unwrap();
        let begin = "SET SESSION innodb_snapshot_isolation = ON; BEGIN; \
            SELECT COUNT(*) INTO @n FROM TABLE_NAME";
        run(&mut connection, begin).unwrap();
        let update = "UPDATE TABLE_NAME SET n = n + 1";
        run(&mut other, update).unwrap();
        let error = run(&mut connection, update).unwrap_err();
        assert_eq!(Fault::of(&error), Fault::RolledBack, "{error}");
        drop(connection);
        run(&mut other, "DROP TABLE TABLE_NAME").unwrap();
    }

    fn setting(name: &str, bounds: &Bounds) -> String {
        let pool = SqlConnector::<MysqlConnection>::pool(&url(), bounds);
        let select = format!("SELECT CAST(@@SESSION.{name} AS CHAR) AS id");
        let mut lease = pool.checkout().unwrap();
        let value = diesel::sql_query(select).get_result::<Id>(&mut **lease);
        value.unwrap().id
    }

    #[test]
    #[ignore = "needs MariaDB: run ./test.sh"]
    fn a_node_of_a_cluster_waits_unless_that_is_switched_off() {
        for (sync_wait, expected) in [(true, "7"), (false, "0")] {
            let bounds = Bounds {
                sync_wait,
                ..BOUNDS
            };
            assert_eq!(setting("wsrep_sync_wait", &bounds), expected);
        }
    }

    #[test]
    #[ignore = "needs MariaDB: run ./test.sh"]
    fn the_server_closes_a_connection_after_an_idle_hour() {
        assert_eq!(setting("wait_timeout", &BOUNDS), "3600");
    }

    #[test]
    #[ignore = "needs MariaDB: run ./test.sh"]
    fn a_door_does_not_use_a_connection_again_whose_transaction_did_not_end() {
        let (outdated, file) = (Outdated::default(), DatabaseFile::default());
        let pool = SqlConnector::pool_until(&outdated, &file, &url(), BOUNDS);
        let door = Renewed::<MysqlConnection>::door(&pool);
        let own_id = "SELECT CAST(CONNECTION_ID() AS CHAR) AS id";
        let id = |connection: &mut MysqlConnection| {
            diesel::sql_query(own_id).get_result::<Id>(connection)
        };
        for done in [true, false] {
            let before = door.transact(id).unwrap().unwrap().id;
            // MariaDB refuses COMMIT and ROLLBACK in a transaction that began so.
            let error = door.transact(|connection| {
                connection.batch_execute("XA START 'door'")?;
                done.then_some(()).ok_or(DieselError::RollbackTransaction)
            });
            let error = error.unwrap().unwrap_err();
            assert_eq!(error.effect(), Effect::Unknown, "{error}");
            assert_ne!(door.transact(id).unwrap().unwrap().id, before);
        }
    }

    fn url() -> String {
        testing::provided("mariadb", "TEST_MYSQL_URL")
    }

    #[test]
    #[ignore = "needs MariaDB: run ./test.sh"]
    fn writes_go_to_new_connections() {
        let old = "SET SESSION TRANSACTION READ ONLY";
        super::writes_go_to_new_connections::<MysqlConnection>(&url(), old);
    }

    #[test]
    #[ignore = "needs MariaDB: run ./test.sh"]
    fn a_deadlock_is_rolled_back() {
        assert_eq!(deadlock::<MysqlConnection>(&url()), Fault::RolledBack);
    }

    #[test]
    #[ignore = "needs MariaDB: run ./test.sh"]
    fn a_killed_connection_is_lost() {
        let own_id = "SELECT CAST(CONNECTION_ID() AS CHAR) AS id";
        let fault = ended::<MysqlConnection>(&url(), own_id, |id| format!("KILL {id}"));
        assert!(matches!(fault, Fault::Lost | Fault::NotSent), "{fault:?}");
    }
}

#[cfg(feature = "postgres")]
mod postgresql {
    use super::*;

    #[test]
    #[ignore = "needs PostgreSQL: run ./test.sh"]
    fn no_value_decides_what_an_error_means() {
        super::no_value_decides_what_an_error_means::<PgConnection>(&url());
    }

    fn url() -> String {
        testing::provided("postgresql", "TEST_POSTGRES_URL")
    }

    #[test]
    #[ignore = "needs PostgreSQL: run ./test.sh"]
    fn writes_go_to_new_connections() {
        let old = "SET default_transaction_read_only = on";
        super::writes_go_to_new_connections::<PgConnection>(&url(), old);
    }

    #[test]
    #[ignore = "needs PostgreSQL: run ./test.sh"]
    fn a_connection_that_looks_for_tables_elsewhere_is_discarded() {
        let old = "SET search_path = nowhere";
        super::writes_go_to_new_connections::<PgConnection>(&url(), old);
    }

    #[test]
    #[ignore = "needs PostgreSQL: run ./test.sh"]
    fn a_deadlock_is_rolled_back() {
        assert_eq!(deadlock::<PgConnection>(&url()), Fault::RolledBack);
    }

    #[test]
    #[ignore = "needs PostgreSQL: run ./test.sh"]
    fn a_killed_connection_is_lost() {
        let own_id = "SELECT CAST(pg_backend_pid() AS TEXT) AS id";
        let end = |id: &str| format!("SELECT pg_terminate_backend({id})");
        let fault = ended::<PgConnection>(&url(), own_id, end);
        assert!(matches!(fault, Fault::Lost | Fault::NotSent), "{fault:?}");
    }

    #[test]
    #[ignore = "needs PostgreSQL: run ./test.sh"]
    fn a_pool_whose_connections_were_killed_heals() {
        heals::<PgConnection>(
            &url(),
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
             WHERE application_name = '' AND pid <> pg_backend_pid() AND query = 'SELECT 1'",
        );
    }
}
