//! What others do to the database while clients work.

use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::thread;
use std::time::Duration;

use rocket_diesel_session::Key;
use testing::database::TestDatabase;
use testing::sql;

#[derive(Clone, Copy, PartialEq)]
pub(super) enum Disturbance {
    None,
    /// Another connection locks one row, again and again; in SQLite all of them.
    LockedRow,
    /// All connections are closed every 100 ms.
    LostConnections,
}

impl Disturbance {
    /// Whether a request may be answered with an error.
    pub(super) fn excuses(self, status: u16) -> bool {
        self == Self::LostConnections && status == 503
    }

    /// Goes on while `work` does; `key` is that of the row.
    pub(super) fn during(self, database: &TestDatabase, key: &Key, work: impl FnOnce()) {
        let (stopped, times) = (AtomicBool::new(false), AtomicU32::new(0));
        thread::scope(|scope| {
            scope.spawn(|| {
                let mut disturb = self.on(database, key);
                while !stopped.load(Ordering::Relaxed) {
                    disturb();
                    times.fetch_add(1, Ordering::Relaxed);
                }
            });
            let _stop = Stop(&stopped);
            work();
        });
        assert!(times.into_inner() > 3, "it was hardly disturbed");
    }

    fn on<'d>(self, database: &'d TestDatabase, key: &Key) -> Box<dyn FnMut() + 'd> {
        match self {
            Self::None => Box::new(|| sleep(10)),
            Self::LockedRow => {
                let mut execute = sql::connection(database);
                let (lock, held) = lock(database, key);
                Box::new(move || {
                    execute(&lock);
                    sleep(held);
                    execute("COMMIT");
                    sleep(100);
                })
            }
            Self::LostConnections => {
                let mut close = closing(database);
                Box::new(move || {
                    close();
                    sleep(100);
                })
            }
        }
    }
}

/// The statements that lock a row, and how many milliseconds they hold it. All writers wait for
/// SQLite's lock, and in no order.
pub(super) fn lock(database: &TestDatabase, key: &Key) -> (String, u64) {
    match sql::backend(database) {
        "sqlite" => (
            "PRAGMA busy_timeout = 10000; BEGIN IMMEDIATE".to_owned(),
            50,
        ),
        _ => {
            let row = format!("SELECT id FROM sessions WHERE id = '{}'", key.as_str());
            (format!("BEGIN; {row} FOR UPDATE"), 300)
        }
    }
}

/// Closes the connections of the application, and no others.
fn closing(database: &TestDatabase) -> Box<dyn FnMut() + '_> {
    let close = match sql::backend(database) {
        // One that is closed already is no error.
        "mysql" => {
            "BEGIN NOT ATOMIC
                DECLARE CONTINUE HANDLER FOR 1094 BEGIN END;
                FOR it IN (SELECT id FROM information_schema.processlist
                    WHERE db = DATABASE() AND id <> CONNECTION_ID())
                DO KILL it.id; END FOR;
            END"
        }
        "postgres" => {
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
                WHERE datname = current_database() AND pid <> pg_backend_pid()"
        }
        #[cfg(feature = "redis")]
        _ => {
            return Box::new(|| {
                for node in testing::redis::nodes(&database.url) {
                    testing::redis::ask(&node, &["CLIENT", "KILL", "TYPE", "normal"]);
                }
            });
        }
        #[cfg(not(feature = "redis"))]
        scheme => panic!("no connections of {scheme} to close"),
    };
    let mut execute = sql::connection(database);
    Box::new(move || execute(close))
}

/// Ends the disturbance when the work has ended, however it has.
pub(super) struct Stop<'a>(pub(super) &'a AtomicBool);

impl Drop for Stop<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

fn sleep(milliseconds: u64) {
    thread::sleep(Duration::from_millis(milliseconds));
}
