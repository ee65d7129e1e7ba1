//! PgBouncer in front of PostgreSQL.

use std::collections::BTreeMap as Map;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use diesel::dsl::sql;
use diesel::r2d2::{ConnectionManager, Pool};
use diesel::sql_types::Text;
use diesel::{Connection, PgConnection, RunQueryDsl};
use diesel_migrations::{EmbeddedMigrations, embed_migrations};
use rocket::local::blocking::Client;
use rocket_diesel_session::Sessions;
use rocket_diesel_session::store::DieselStore;
use testing::database::pgbouncer;
use testing::server::{Browser, Server, example, refusal};

const MIGRATIONS: EmbeddedMigrations = embed_migrations!();
const CLIENTS: usize = 16;
const REQUESTS: u32 = 10_000 / CLIENTS as u32;

fn without_cache(url: &str) -> Server {
    Server::on(
        example("busy").env("ROCKET_LOG_LEVEL", "critical"),
        &format!("url={url:?},statement_cache=false"),
        "cookie={secure=false},touch_interval=\"0s\",cleanup_interval=\"1s\"",
    )
}

/// How many answers of a signed-in user's requests are wrong.
fn wrong_answers(base: &str, user: &str) -> u32 {
    let mut browser = Browser::default();
    let mut wrong = u32::from(browser.post(&format!("{base}/log_in/{user}")).0 != 200);
    let mut visits = 0;
    for number in 1..REQUESTS {
        let (answer, expected) = match number % 4 {
            0 => {
                visits += 1;
                (browser.post(&format!("{base}/visits")), visits.to_string())
            }
            1 => (browser.get(&format!("{base}/visits")), visits.to_string()),
            _ => (browser.get(&format!("{base}/user")), user.to_owned()),
        };
        wrong += u32::from(answer != (200, expected));
    }
    wrong
}

#[test]
#[ignore = "needs PgBouncer: run ./test.sh"]
fn no_answer_is_wrong_without_the_statement_cache() {
    let (_database, [transaction, ..]) = pgbouncer();
    let server = without_cache(&transaction);
    let wrong: Vec<_> = thread::scope(|scope| {
        let client = |number| {
            let base = &server.base;
            scope.spawn(move || wrong_answers(base, &format!("user-{number}")))
        };
        let clients: Vec<_> = (0..CLIENTS).map(client).collect();
        clients.into_iter().map(|it| it.join().unwrap()).collect()
    });
    assert_eq!(wrong, [0; CLIENTS]);
}

/// A node that shares connections, for as long as `work` takes.
fn beside_traffic(transaction: &str, work: impl FnOnce()) {
    let server = without_cache(transaction);
    let over = AtomicBool::new(false);
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                while !over.load(Ordering::Relaxed) {
                    Browser::default().post(&format!("{}/visits", server.base));
                }
            });
        }
        let worked = catch_unwind(AssertUnwindSafe(work));
        over.store(true, Ordering::Relaxed);
        worked.unwrap();
    });
}

#[test]
#[ignore = "needs PgBouncer: run ./test.sh"]
fn a_pooler_that_shares_connections_is_refused_with_the_remedy() {
    let (_database, [transaction, statement, _]) = pgbouncer();
    let is_refused = |url: &str| {
        let line = refusal(&format!("url={url:?}"), "");
        assert!(line.contains("statement_cache = false"), "{line}");
        assert!(line.contains("session mode"), "{line}");
    };
    is_refused(&transaction);
    is_refused(&statement);
    beside_traffic(&transaction, || {
        (0..8).for_each(|_| is_refused(&transaction));
    });
}

#[test]
#[ignore = "needs PgBouncer: run ./test.sh"]
fn a_pooler_that_takes_no_transactions_is_refused() {
    let (_database, [_, statement, _]) = pgbouncer();
    let line = refusal(&format!("url={statement:?},statement_cache=false"), "");
    assert!(line.contains("accepts no transactions"), "{line}");
}

#[test]
#[ignore = "needs PgBouncer: run ./test.sh"]
fn a_pooler_that_lends_connections_for_good_is_used_as_it_is() {
    let (_database, [.., session]) = pgbouncer();
    let server = Server::on(
        example("busy").env("ROCKET_LOG_LEVEL", "critical"),
        &format!("url={session:?}"),
        "cookie={secure=false}",
    );
    assert_eq!(wrong_answers(&server.base, "ada"), 0);
}

#[test]
#[ignore = "needs PgBouncer: run ./test.sh"]
fn nothing_of_a_launch_stays_with_the_shared_connections() {
    let (database, [transaction, ..]) = pgbouncer();
    for table in ["sessions", "users", "attempts", "known_devices"] {
        database.run(&format!("DROP TABLE {table}"));
    }
    database.run("DROP TABLE __diesel_schema_migrations");
    let app = Map::from([("url", transaction.as_str())]);
    let session = Map::from([("migrate", true), ("create_table", true)]);
    let launch = || {
        let figment = rocket::Config::figment()
            .merge(("log_level", "off"))
            .merge(("databases.app", &app))
            .merge(("databases.app.statement_cache", false))
            .merge(("session", &session));
        let sessions = Sessions::fairing().with_migrations(MIGRATIONS);
        drop(Client::untracked(rocket::custom(figment).attach(sessions)).unwrap());
    };
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(launch);
        }
    });
    DieselStore::<PgConnection>::new(Pool::new(ConnectionManager::new(&transaction)).unwrap())
        .create_table()
        .unwrap();
    let locks = "SELECT mode AS line FROM pg_locks JOIN pg_database ON oid = database \
        WHERE locktype = 'advisory' AND datname = current_database()";
    assert!(database.lines(locks).is_empty());
    let mut connection = PgConnection::establish(&transaction).unwrap();
    let timeout = diesel::select(sql::<Text>("current_setting('lock_timeout')"));
    assert_eq!(timeout.get_result::<String>(&mut connection).unwrap(), "0");
}
