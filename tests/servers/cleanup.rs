//! Several nodes delete from one table, and live sessions stay.

use std::sync::{Arc, Barrier, Mutex};
use std::thread;
use std::time::Duration;

use diesel::connection::SimpleConnection;
use diesel::{Connection, QueryResult};
use rocket::figment::providers::Serialized;
use rocket::figment::value::Value;
use rocket::local::blocking::Client;
use rocket::{get, routes};
use rocket_diesel_session::store::{DieselStore, Record, Store, Updated, contract};
use rocket_diesel_session::{Database, Error, Sessions};

use testing::database::{TestDatabase, with_connection};
use testing::on_every_backend;
use testing::server::wait_until;

const EXPIRED: i64 = 900;
const NOW: i64 = 1_790_000_000_000;

/// Sessions that expired one after the other, and a few that live.
fn fill(database: &TestDatabase) -> Vec<Record> {
    database.run(&format!(
        "INSERT INTO sessions (id, data, version, created_at, seen_at, expires_at, deadline)
         WITH RECURSIVE number (n) AS
            (SELECT 1 UNION ALL SELECT n + 1 FROM number WHERE n < {EXPIRED})
         SELECT n, '{{}}', 0, 0, 0, n, 0 FROM number"
    ));
    let live = (0..5).map(|_| testing::changed!(contract::record(), expires_at: i64::MAX));
    let live: Vec<_> = live.collect();
    for record in &live {
        database.store.insert(record).unwrap();
    }
    live
}

/// A connection to the same database as another node has it.
fn node(database: &TestDatabase) -> Arc<dyn Store> {
    with_connection!(database, C => Arc::new(DieselStore::<C>::connect(database.address(), 1)))
}

fn several_nodes_delete_each_expired_session_once(database: &TestDatabase) {
    let live = fill(database);
    let cleanup = |limit: u32| {
        let store = node(database);
        let counts = std::iter::from_fn(|| Some(store.delete_expired(NOW, limit).unwrap()));
        let deleted: u64 = counts.take_while(|count| *count > 0).sum();
        // The others may still hold one batch each.
        let left = database.store.count(i64::MIN).unwrap();
        assert!(left <= 45, "a node ended while {left} were left");
        deleted
    };
    let write = || {
        let store = node(database);
        for version in 0..20 {
            for record in &live {
                let record = testing::changed!(record.clone(), version: version + 1);
                let updated = store.update(&record.key, version, &record).unwrap();
                assert_eq!(updated, Updated::Done);
            }
        }
    };
    let deleted: u64 = thread::scope(|scope| {
        scope.spawn(write);
        let nodes = [7, 10, 10, 13].map(|limit| scope.spawn(move || cleanup(limit)));
        nodes.into_iter().map(|node| node.join().unwrap()).sum()
    });
    assert_eq!(deleted, EXPIRED as u64);
    assert_eq!(database.store.count(i64::MIN).unwrap(), live.len() as u64);
    assert_eq!(database.store.count(NOW).unwrap(), live.len() as u64);
}

fn a_session_that_is_used_at_the_last_moment_stays(database: &TestDatabase) {
    let record = testing::changed!(contract::record(), expires_at: NOW);
    database.store.insert(&record).unwrap();
    let touch = format!(
        "UPDATE sessions SET expires_at = {} WHERE id = '{}'",
        NOW + 1,
        record.key.as_str()
    );
    let deleted = thread::scope(|scope| {
        with_connection!(database, C => {
            let mut connection = C::establish(database.address()).unwrap();
            connection.transaction(|connection| {
                connection.batch_execute(&touch)?;
                let cleanup = scope.spawn(|| node(database).delete_expired(NOW, 10).unwrap());
                // Long enough for the cleanup to meet the row.
                thread::sleep(Duration::from_millis(300));
                QueryResult::Ok(cleanup)
            })
        })
        .unwrap()
        .join()
        .unwrap()
    });
    assert_eq!(deleted, 0);
    assert!(database.store.load(&record.key, NOW).unwrap().is_some());
}

fn a_locked_live_session_does_not_block_it(database: &TestDatabase) {
    let live: Vec<Record> = (0..30)
        .map(|age| testing::changed!(contract::record(), expires_at: NOW + age % 3))
        .collect();
    for record in &live {
        database.store.insert(record).unwrap();
    }
    // SQLite locks no rows.
    let lock = match database.url.starts_with("sqlite") {
        true => format!("SELECT id FROM sessions WHERE expires_at > {NOW}"),
        false => format!("SELECT id FROM sessions WHERE expires_at > {NOW} FOR UPDATE"),
    };
    let deleted = with_connection!(database, C => {
        let mut connection = C::establish(database.address()).unwrap();
        connection.transaction(|connection| {
            connection.batch_execute(&lock)?;
            QueryResult::Ok(node(database).delete_expired(NOW, 200))
        })
    });
    assert_eq!(deleted.unwrap().unwrap(), 10);
}

/// `settings` are further ones of `[default]`.
fn launch(database: &TestDatabase, settings: &str) -> Client {
    let settings: Value = settings.parse().unwrap();
    let figment = rocket::Config::figment()
        .merge(("log_level", "off"))
        .merge(("databases.app.url", &database.url))
        .merge(("session.cleanup_interval", "1s"))
        .join(Serialized::defaults(settings));
    let rocket = rocket::custom(figment).mount("/", routes![hold]);
    Client::untracked(rocket.attach(Sessions::fairing())).unwrap()
}

fn wait_until_deleted(database: &TestDatabase, live: &[Record]) {
    wait_until("no rows are left", Duration::from_secs(30), || {
        database.store.count(i64::MIN).unwrap() <= live.len() as u64
    });
    assert_eq!(database.store.count(NOW).unwrap(), live.len() as u64);
}

fn several_applications_delete_from_one_table(database: &TestDatabase) {
    let live = fill(database);
    let nodes = [0; 3].map(|_| launch(database, "{session={cleanup_batch=300}}"));
    wait_until_deleted(database, &live);
    for node in nodes {
        drop(node.terminate());
    }
}

/// Three hundred batches, for minutes if the rests stayed long.
fn a_long_backlog_is_deleted_soon(database: &TestDatabase) {
    let live = fill(database);
    let node = launch(database, "{session={cleanup_batch=3}}");
    wait_until_deleted(database, &live);
    drop(node.terminate());
}

static HELD: Mutex<()> = Mutex::new(());

/// Keeps a store thread and its connection for as long as the test likes.
#[get("/hold")]
async fn hold(database: &Database) -> Result<(), Error> {
    database
        .run(|_: &mut diesel::SqliteConnection| {
            drop(HELD.lock());
            Ok(())
        })
        .await
}

#[test]
fn the_cleanup_waits_for_no_request() {
    let database = &testing::database::sqlite();
    let live = fill(database);
    let client = launch(
        database,
        "{session={cleanup_batch=1000},databases={app={pool_size=1}}}",
    );
    let begin = Barrier::new(2);
    thread::scope(|scope| {
        scope.spawn(|| {
            let _held = HELD.lock();
            begin.wait();
            wait_until_deleted(database, &live);
        });
        begin.wait();
        client.get("/hold").dispatch();
    });
}

#[test]
fn in_a_file_live_writes_need_not_wait_for_a_whole_batch() {
    let database = &testing::database::sqlite();
    let live = fill(database);
    let cleanup = thread::scope(|scope| {
        let cleanup = scope.spawn(|| node(database).delete_expired(NOW, 1_000).unwrap());
        let store = node(database);
        let mut writes = 0;
        while !cleanup.is_finished() {
            store.touch(&live[0].key, NOW + writes, i64::MAX).unwrap();
            writes += 1;
            thread::sleep(Duration::from_millis(1));
        }
        assert!(writes >= 10, "{writes}");
        cleanup.join().unwrap()
    });
    assert_eq!(cleanup, EXPIRED as u64);
}

#[test]
fn a_shutdown_ends_it() {
    let database = &testing::database::sqlite();
    let rocket = launch(database, "{}").terminate();
    fill(database);
    // Longer than the interval with its jitter.
    thread::sleep(Duration::from_millis(1_500));
    let left = database.store.count(i64::MIN).unwrap();
    assert_eq!(left, EXPIRED as u64 + 5);
    drop(rocket);
}

on_every_backend!(
    several_nodes_delete_each_expired_session_once,
    a_session_that_is_used_at_the_last_moment_stays,
    a_locked_live_session_does_not_block_it,
    several_applications_delete_from_one_table,
    a_long_backlog_is_deleted_soon,
);
