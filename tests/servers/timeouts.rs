//! Timeouts that a handler sets for its session, on each store.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use rocket::local::blocking::Client;
use rocket::routes;
use rocket_diesel_session::Sessions;
use rocket_diesel_session::local::blocking::sign_in;

use testing::database::TestDatabase;
use testing::on_every_store;
use testing::site::{self, HOUR, MINUTE, START};

on_every_store!(
    a_shorter_idle_timeout_holds_for_its_session_alone,
    longer_timeouts_hold_until_the_next_sign_in,
);

const DAY: i64 = 24 * HOUR;

/// A browser of an application on a database.
struct Visit {
    client: Client,
    now: Arc<AtomicI64>,
}

impl Visit {
    fn to(database: &TestDatabase, now: &Arc<AtomicI64>) -> Self {
        let sessions = Sessions::fairing().with_store(database.store.clone());
        let routes = routes![
            site::who,
            site::renew,
            site::set_idle_timeout,
            site::set_absolute_timeout
        ];
        let rocket = rocket::custom(site::figment("{}")).mount("/", routes);
        let client = Client::tracked(rocket.attach(sessions.with_clock(site::clock(now)))).unwrap();
        sign_in(&client, "ada").unwrap();
        let now = now.clone();
        Self { client, now }
    }

    /// The response's `Max-Age`.
    fn post(&self, path: String) -> Option<i64> {
        let answer = self.client.post(path).dispatch();
        let cookie = answer.cookies().get("__Host-id").cloned();
        let body = answer.into_string().unwrap_or_default();
        assert!(body.is_empty() || body == "set", "{body}");
        Some(cookie?.max_age()?.whole_seconds())
    }

    /// The user, and the response's `Max-Age`, after a time.
    fn after(&self, time: i64) -> (String, Option<i64>) {
        self.now.fetch_add(time, Ordering::SeqCst);
        let answer = self.client.get("/who").dispatch();
        let max_age = answer
            .cookies()
            .get("__Host-id")
            .and_then(|it| it.max_age());
        let max_age = max_age.map(|it| it.whole_seconds());
        (answer.into_string().unwrap(), max_age)
    }
}

fn a_shorter_idle_timeout_holds_for_its_session_alone(database: &TestDatabase) {
    let now = Arc::new(AtomicI64::new(START));
    let [bank, shop] = [(); 2].map(|()| Visit::to(database, &now));
    let time = 5 * MINUTE;
    assert_eq!(bank.post(format!("/set_idle_timeout/{time}")), Some(300));
    for _ in 0..3 {
        let (user, max_age) = bank.after(time - 1);
        assert_eq!((user.as_str(), max_age), ("ada", Some(300)));
    }
    assert_eq!(bank.post("/renew?drop=true".into()), Some(300));
    assert_eq!(
        bank.after(time - 1).0,
        "ada",
        "it is kept under a new token"
    );
    assert_eq!(bank.after(time).0, "nobody");
    assert_eq!(shop.after(0), ("ada".into(), None));

    let now = now.load(Ordering::SeqCst);
    assert_eq!(database.store.count(now).unwrap(), 1);
    // Redis deletes what has expired by itself, at the server's time.
    if !database.url.starts_with("redis") {
        assert_eq!(database.store.delete_expired(now, 10).unwrap(), 1);
    }
}

fn longer_timeouts_hold_until_the_next_sign_in(database: &TestDatabase) {
    let now = Arc::new(AtomicI64::new(START));
    let visit = Visit::to(database, &now);
    visit.after(HOUR);
    visit.post(format!("/set_absolute_timeout/{}", 3 * DAY));
    let max_age = visit.post(format!("/set_idle_timeout/{}", 2 * DAY));
    assert_eq!(max_age, Some(2 * 24 * 60 * 60));
    assert_eq!(visit.after(2 * DAY - 1).0, "ada");
    let _other = Visit::to(database, &now);
    let devices = database.store.list("ada", now.load(Ordering::SeqCst));
    let devices = devices.unwrap();
    assert_eq!(devices.len(), 2, "both can be ended: {devices:?}");
    assert_eq!(visit.after(DAY - HOUR).0, "ada");
    assert_eq!(visit.after(1).0, "nobody", "three days after the sign-in");

    sign_in(&visit.client, "ada").unwrap();
    visit.post(format!("/set_idle_timeout/{}", 3 * HOUR));
    sign_in(&visit.client, "ada").unwrap();
    assert_eq!(visit.after(2 * HOUR), ("nobody".into(), None));
}
