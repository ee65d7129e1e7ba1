//! A session and rows of the application in one transaction, on each backend.

#![cfg(feature = "sqlite")]
#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test panics where it fails"
)]

mod support;

use std::sync::Arc;

use diesel::connection::SimpleConnection;
use diesel::prelude::*;
use diesel::result::Error::RollbackTransaction;
use rocket::futures::future::join_all;
use rocket::{Ignite, Rocket};
use rocket_diesel_session::{
    Error, ErrorKind, Key, LiveSessions, Record, Session, Sessions, contract,
};

use support::database::TestDatabase;
use support::on_every_backend;

/// Calls a macro with the type of the connections that the database has.
macro_rules! connected {
    ($database:expr, |$connection:ident| $work:expr) => {
        match $database.url.split_once(':').unwrap().0 {
            #[cfg(feature = "mysql")]
            "mysql" => {
                type $connection = diesel::MysqlConnection;
                $work
            }
            #[cfg(feature = "postgres")]
            "postgres" => {
                type $connection = diesel::PgConnection;
                $work
            }
            _ => {
                type $connection = diesel::SqliteConnection;
                $work
            }
        }
    };
}

/// An application with one session and a table of orders.
struct Shop<'d> {
    database: &'d TestDatabase,
    rocket: Rocket<Ignite>,
    key: Key,
}

impl<'d> Shop<'d> {
    async fn open(database: &'d TestDatabase) -> Self {
        let url = &database.url;
        connected!(database, |C| execute::<C>(
            url,
            "CREATE TABLE orders (article INT NOT NULL)"
        ));
        let figment = rocket::Config::figment()
            .merge(("log_level", "off"))
            .merge(("databases.app.url", url))
            .merge(("databases.app.timeout", "30s"));
        let rocket = rocket::custom(figment).attach(Sessions::fairing());
        let rocket = rocket.ignite().await.unwrap();
        let record = Record {
            expires_at: i64::MAX,
            deadline: i64::MAX,
            created_at: chrono::Utc::now().timestamp_millis(),
            ..contract::record()
        };
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
        connected!(self.database, |C| session
            .save_with(move |connection: &mut C| {
                connection.batch_execute("INSERT INTO orders VALUES (7)")?;
                then()
            })
            .await)
    }

    fn orders(&self) -> i64 {
        let count = diesel::dsl::sql::<diesel::sql_types::BigInt>("(SELECT COUNT(*) FROM orders)");
        let path = self.database.url.trim_start_matches("sqlite:");
        connected!(self.database, |C| {
            let mut connection = C::establish(path).unwrap();
            diesel::select(count).get_result(&mut connection).unwrap()
        })
    }

    async fn counted(&self) -> i64 {
        self.session().await.get("orders").unwrap().unwrap_or(0)
    }
}

fn execute<C: Connection>(url: &str, sql: &str) {
    let mut connection = C::establish(url.trim_start_matches("sqlite:")).unwrap();
    connection.batch_execute(sql).unwrap();
}

fn s23_session_and_rows_are_kept_together_or_not_at_all(database: &TestDatabase) {
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
        assert_eq!(
            shop.orders(),
            2,
            "nothing is ordered for a session that is over"
        );
    });
}

fn s23_a_session_that_has_nothing_to_save_lets_the_work_be_done(database: &TestDatabase) {
    rocket::execute(async {
        let shop = Shop::open(database).await;
        let session = shop.session().await;
        session.update("orders", |n: u32| n + 1).unwrap();
        session.save().await.unwrap();
        let work = connected!(database, |C| session
            .save_with(
                |connection: &mut C| connection.batch_execute("INSERT INTO orders VALUES (1)")
            )
            .await);
        work.unwrap();
        assert_eq!((shop.orders(), shop.counted().await), (1, 1));
    });
}

fn s23_no_order_is_lost_or_made_twice_under_concurrent_requests(database: &TestDatabase) {
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

on_every_backend!(
    s23_session_and_rows_are_kept_together_or_not_at_all,
    s23_a_session_that_has_nothing_to_save_lets_the_work_be_done,
    s23_no_order_is_lost_or_made_twice_under_concurrent_requests,
);
