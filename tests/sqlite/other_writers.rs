//! Another connection that writes nearly all the time.

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use rocket_diesel_session::store::{Inserted, contract};
use testing::database;
use testing::server::wait_until;
use testing::sql;

#[test]
fn a_save_finds_the_short_moments_in_which_no_other_connection_writes() {
    let database = database::sqlite();
    // Opens the connection, which needs the lock as well.
    database.store.insert(&contract::record()).unwrap();
    let has_ended = AtomicBool::new(false);
    let mut execute = sql::connection(&database);
    thread::scope(|scope| {
        scope.spawn(|| {
            while !has_ended.load(Ordering::Relaxed) {
                execute("PRAGMA busy_timeout = 10000; BEGIN IMMEDIATE");
                thread::sleep(Duration::from_millis(40));
                execute("COMMIT");
                thread::sleep(Duration::from_millis(2));
            }
        });
        let save = |_| {
            let is_locked = || sql::is_locked(&database);
            wait_until("the other one writes", Duration::from_secs(20), is_locked);
            database.store.insert(&contract::record())
        };
        let saved: Vec<_> = (0..30).map(save).collect();
        has_ended.store(true, Ordering::Relaxed);
        for outcome in saved {
            assert_eq!(outcome.unwrap(), Inserted::Done);
        }
    });
}
