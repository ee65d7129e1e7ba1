//! A session and rows of the application in one transaction, on each backend.

use std::sync::Arc;

use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel::result::Error::RollbackTransaction;
use rocket::futures::future::join_all;
use rocket::{Ignite, Rocket};
use rocket_diesel_session::store::contract;
use rocket_diesel_session::{Error, ErrorKind, Key, LiveSessions, Session, Sessions};

use testing::database::{TestDatabase, with_connection};
use testing::on_every_backend;

/// An application with one session and a table of orders.
struct Shop<'d> {
    database: &'d TestDatabase,
    rocket: Rocket<Ignite>,
    key: Key,
}

impl<'d> Shop<'d> {
    async fn open(database: &'d TestDatabase) -> Self {
        let url = &database.url;
        database.run("CREATE TABLE orders (article INT NOT NULL)");
        let figment = rocket::Config::figment()
            .merge(("log_level", "off"))
            .merge(("databases.app.url", url))
            .merge(("databases.app.timeout", "30s"));
        let rocket = rocket::custom(figment).attach(Sessions::fairing());
        let rocket = rocket.ignite().await.unwrap();
        let record = testing::changed!(contract::record(), expires_at: i64::MAX, deadline: i64::MAX, created_at: chrono::Utc::now().timestamp_millis());
        database.store.insert(&record).unwrap();
        let key = record.key;
        Self {
            database,
            rocket,
            key,
        }
    }

    async fn session(&self) -> Session {
        let live = LiveSessions::of(&self.rocket).unwrap();
        live.load(&self.key).await.unwrap().unwrap()
    }

    /// Counts in the session and orders, both or neither; what `then` answers comes after the order.
    async fn order(&self, session: &Session, then: fn() -> QueryResult<()>) -> Result<(), Error> {
        session.update("orders", |n: u32| n + 1)?;
        with_connection!(self.database, C => session
            .save_with(move |connection: &mut C| {
                connection.batch_execute("INSERT INTO orders VALUES (7)")?;
                then()
            })
            .await)
    }

    fn orders(&self) -> usize {
        count(self.database, "orders")
    }

    async fn counted(&self) -> usize {
        self.session().await.get("orders").unwrap().unwrap_or(0)
    }
}

fn count(database: &TestDatabase, rows: &str) -> usize {
    database
        .lines(&format!("SELECT 'row' AS line FROM {rows}"))
        .len()
}

fn session_and_rows_are_kept_together_or_not_at_all(database: &TestDatabase) {
    rocket::execute(async {
        let shop = Shop::open(database).await;
        let session = shop.session().await;
        shop.order(&session, || Ok(())).await.unwrap();
        assert_eq!((shop.orders(), shop.counted().await), (1, 1));

        let refused = shop.order(&session, || Err(RollbackTransaction)).await;
        assert_eq!(refused.unwrap_err().kind(), ErrorKind::RolledBack);
        let failed = shop.order(&session, || Err(diesel::NotFound)).await;
        assert_eq!(failed.unwrap_err().kind(), ErrorKind::Unavailable);
        assert_eq!((shop.orders(), shop.counted().await), (1, 1));

        session.save().await.unwrap();
        assert_eq!(
            shop.counted().await,
            1,
            "what was called off is not saved later"
        );
        shop.order(&session, || Ok(())).await.unwrap();
        assert_eq!((shop.orders(), shop.counted().await), (2, 2));

        shop.database.store.delete(&shop.key).unwrap();
        let gone = shop.order(&session, || Ok(())).await;
        assert_eq!(gone.unwrap_err().kind(), ErrorKind::Gone);
        assert!(session.is_new() && session.get::<u32>("orders").unwrap().is_none());
        assert_eq!(
            shop.orders(),
            2,
            "nothing is ordered for a session that is over"
        );
    });
}

fn a_session_that_has_nothing_to_save_lets_the_work_be_done(database: &TestDatabase) {
    rocket::execute(async {
        let shop = Shop::open(database).await;
        let session = shop.session().await;
        session.update("orders", |n: u32| n + 1).unwrap();
        session.save().await.unwrap();
        let work = with_connection!(database, C => session
            .save_with(
                |connection: &mut C| connection.batch_execute("INSERT INTO orders VALUES (1)")
            )
            .await);
        work.unwrap();
        assert_eq!((shop.orders(), shop.counted().await), (1, 1));
    });
}

fn no_order_is_lost_or_made_twice_under_concurrent_requests(database: &TestDatabase) {
    const EACH: u32 = 10;
    rocket::execute(async {
        let shop = Arc::new(Shop::open(database).await);
        let orders = (0..8).map(|_| async {
            let session = shop.session().await;
            for _ in 0..EACH {
                shop.order(&session, || Ok(())).await.unwrap();
            }
        });
        let others = (0..4).map(|number| {
            let shop = shop.clone();
            async move {
                let session = shop.session().await;
                for round in 0..EACH {
                    session.insert(&format!("{number}-{round}"), true).unwrap();
                    session.save().await.unwrap();
                }
            }
        });
        rocket::futures::future::join(join_all(orders), join_all(others)).await;
        assert_eq!((shop.orders(), shop.counted().await), (80, 80));
        let record = database.store.load(&shop.key, 0).unwrap().unwrap();
        assert_eq!(record.data.matches("true").count(), 40);
    });
}

#[cfg(any(feature = "mysql", feature = "postgres"))]
mod undone {
    use std::sync::atomic::{AtomicU32, Ordering};
    use std::sync::mpsc::channel;
    use std::thread;
    use std::time::Duration;

    use rocket_diesel_session::store::Backend;

    use super::*;

    /// Another transaction locks the session, and then waits for the order that ours has locked before
    /// it waits for the session: the database has to undo one of them. It is ours, which has waited
    /// longer (PostgreSQL) and changed less (MariaDB).
    fn work_that_the_database_undid_is_done_again<C: Backend>(database: &TestDatabase) {
        let attempts = Arc::new(AtomicU32::new(0));
        rocket::execute(async {
            let shop = Shop::open(database).await;
            let session = shop.session().await;
            session.insert("key", "value").unwrap();
            database.run("INSERT INTO orders VALUES (1)");
            let mut rival = C::establish(&database.url).unwrap();
            let key = shop.key.as_str();
            for sql in [
                "CREATE TABLE notes (note INT)",
                "BEGIN",
                &format!("UPDATE sessions SET seen_at = seen_at WHERE id = '{key}'"),
                "INSERT INTO notes VALUES (1), (2), (3), (4), (5), (6), (7), (8)",
            ] {
                rival.batch_execute(sql).unwrap();
            }
            let (ordered, order) = channel();
            let rival = thread::spawn(move || {
                order.recv().unwrap();
                // Until ours waits for the session.
                thread::sleep(Duration::from_millis(200));
                rival
                    .batch_execute("UPDATE orders SET article = article + 1")
                    .unwrap();
                rival.batch_execute("COMMIT").unwrap();
            });
            let counted = attempts.clone();
            let work = move |connection: &mut C| {
                counted.fetch_add(1, Ordering::SeqCst);
                connection.batch_execute("UPDATE orders SET article = article + 10")?;
                let _ = ordered.send(());
                Ok(())
            };
            session.save_with(work).await.unwrap();
            rival.join().unwrap();
            let value = shop.session().await.get::<String>("key").unwrap();
            assert_eq!(value.as_deref(), Some("value"));
        });
        assert_eq!(attempts.load(Ordering::SeqCst), 2, "the first was undone");
        assert_eq!(
            count(database, "orders WHERE article = 12"),
            1,
            "each transaction counts once"
        );
    }

    #[cfg(feature = "mysql")]
    #[test]
    #[ignore = "needs MariaDB: run ./test.sh"]
    fn work_that_mariadb_undid_is_done_again() {
        let database = testing::database::mariadb();
        work_that_the_database_undid_is_done_again::<diesel::MysqlConnection>(&database);
    }

    #[cfg(feature = "postgres")]
    #[test]
    #[ignore = "needs PostgreSQL: run ./test.sh"]
    fn work_that_postgresql_undid_is_done_again() {
        let database = testing::database::postgresql();
        work_that_the_database_undid_is_done_again::<diesel::PgConnection>(&database);
    }
}

on_every_backend!(
    session_and_rows_are_kept_together_or_not_at_all,
    a_session_that_has_nothing_to_save_lets_the_work_be_done,
    no_order_is_lost_or_made_twice_under_concurrent_requests,
);
