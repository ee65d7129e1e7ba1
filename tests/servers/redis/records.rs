//! The keys of sessions in Redis, and their lifetimes.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use rocket_diesel_session::store::{Inserted, Record, Updated, contract};
use rocket_diesel_session::{Key, Token};

use testing::database::TestDatabase;
use testing::on_redis;
use testing::redis::{Redis, ask, nodes};
use testing::server::wait_until;

on_redis!(
    redis_itself_ends_a_record_a_minute_after_its_time,
    the_list_of_a_user_has_the_existing_sessions,
    ended_sessions_leave_the_list_of_their_user,
    scripts_that_redis_forgot_are_sent_again,
);

/// For how long Redis keeps what has expired, in case that clocks run apart; in milliseconds.
pub(crate) const MINUTE: i64 = 60_000;

pub(crate) fn key() -> Key {
    Token::generate().unwrap().key()
}

/// A record of a user, with a new key.
pub(crate) fn of(user: &str) -> Record {
    testing::changed!(contract::record(), user_id: Some(user.into()))
}

pub(crate) fn stored(database: &TestDatabase, record: Record) -> Record {
    assert_eq!(database.store.insert(&record).unwrap(), Inserted::Done);
    record
}

pub(crate) fn name(database: &TestDatabase, key: &Key) -> String {
    format!("{}:{}", database.table, key.as_str())
}

pub(crate) fn name_of_list(database: &TestDatabase, user: &str) -> String {
    format!("{}:of:{user}", database.table)
}

/// The keys in a user's list.
pub(crate) fn listed(database: &TestDatabase, user: &str) -> Vec<String> {
    let list = name_of_list(database, user);
    let keys = ask(&database.url, &["ZRANGE", &list, "0", "-1"]);
    keys.lines().map(str::to_owned).collect()
}

fn now() -> i64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    now.as_millis() as i64
}

/// Does something and expects that Redis from then on keeps what is under `name` for `lifetime`.
fn keeps_for(lifetime: i64, database: &TestDatabase, name: &str, act: impl FnOnce()) {
    let before = now();
    act();
    let after = now();
    let end = ask(&database.url, &["PEXPIRETIME", name]);
    let start = end.parse::<i64>().unwrap() - lifetime;
    let expected = before..=after;
    assert!(expected.contains(&start), "{start} in {expected:?}");
}

fn redis_itself_ends_a_record_a_minute_after_its_time(database: &TestDatabase) {
    let store = &*database.store;
    let record = testing::changed!(of("ada"), expires_at: contract::record().seen_at + 1_234_567);
    let here = name(database, &record.key);
    keeps_for(1_234_567 + MINUTE, database, &here, || {
        stored(database, record.clone());
    });
    keeps_for(2_345_678 + MINUTE, database, &here, || {
        let seen_at = record.seen_at + 5;
        store
            .touch(&record.key, seen_at, seen_at + 2_345_678)
            .unwrap();
    });
    let changed = testing::changed!(record.clone(), version: 1);
    keeps_for(1_234_567 + MINUTE, database, &here, || {
        assert_eq!(
            store.update(&record.key, 0, &changed).unwrap(),
            Updated::Done
        );
    });
    let renewed = testing::changed!(record.clone(), key: key(), version: 2);
    let there = name(database, &renewed.key);
    keeps_for(1_234_567 + MINUTE, database, &there, || {
        assert_eq!(
            store.update(&record.key, 1, &renewed).unwrap(),
            Updated::Done
        );
    });
    let list = name_of_list(database, "grace");
    keeps_for(24 * 60 * MINUTE + MINUTE, database, &list, || {
        stored(database, of("grace"));
    });
}

fn the_list_of_a_user_has_the_existing_sessions(database: &TestDatabase) {
    let store = &*database.store;
    let [first, second, third] = [(); 3].map(|()| stored(database, of("ada")));
    let listed = |user: &str| listed(database, user);
    let keys = |records: &[&Record]| {
        let mut keys: Vec<_> = records
            .iter()
            .map(|it| it.key.as_str().to_owned())
            .collect();
        keys.sort();
        keys
    };
    assert_eq!(listed("ada"), keys(&[&first, &second, &third]));

    assert!(store.delete(&first.key).unwrap());
    assert_eq!(listed("ada"), keys(&[&second, &third]));

    let renewed = testing::changed!(second.clone(), key: key(), version: 1);
    assert_eq!(
        store.update(&second.key, 0, &renewed).unwrap(),
        Updated::Done
    );
    assert_eq!(listed("ada"), keys(&[&renewed, &third]));

    let of_grace = testing::changed!(third.clone(), user_id: Some("grace".into()), version: 1);
    assert_eq!(
        store.update(&third.key, 0, &of_grace).unwrap(),
        Updated::Done
    );
    assert_eq!(listed("ada"), keys(&[&renewed]));
    assert_eq!(listed("grace"), keys(&[&third]));

    assert_eq!(store.delete_all("ada", None).unwrap(), 1);
    let list = name_of_list(database, "ada");
    assert_eq!(ask(&database.url, &["EXISTS", &list]), "0");
    assert_eq!(listed("grace"), keys(&[&third]));
}

/// Nobody takes a key out of the list of a user when Redis ends the record by itself.
fn ended_sessions_leave_the_list_of_their_user(database: &TestDatabase) {
    let dead = stored(database, of("ada"));
    ask(&database.url, &["DEL", &name(database, &dead.key)]);
    assert_eq!(listed(database, "ada"), [dead.key.as_str()]);
    assert_eq!(database.store.list("ada", 0).unwrap(), []);
    let in_time =
        testing::changed!(of("ada"), seen_at: dead.deadline - 1, deadline: dead.deadline + 10);
    stored(database, in_time);
    assert_eq!(listed(database, "ada").len(), 2);
    let later = testing::changed!(of("ada"), seen_at: dead.deadline, deadline: dead.deadline + 10);
    stored(database, later);
    let listed = listed(database, "ada");
    assert!(listed.len() == 2 && !listed.contains(&dead.key.as_str().to_owned()));
}

fn scripts_that_redis_forgot_are_sent_again(database: &TestDatabase) {
    let store = &*database.store;
    let forget = || {
        for node in nodes(&database.url) {
            ask(&node, &["SCRIPT", "FLUSH"]);
        }
    };
    for _ in 0..10 {
        let record = of("ada");
        forget();
        stored(database, record.clone());
        forget();
        store
            .touch(&record.key, record.seen_at + 1, record.expires_at + 1)
            .unwrap();
        let changed = testing::changed!(record.clone(), version: 1, data: "[1]".into());
        forget();
        assert_eq!(
            store.update(&record.key, 0, &changed).unwrap(),
            Updated::Done
        );
        let renewed = testing::changed!(changed, key: key(), version: 2);
        forget();
        assert_eq!(
            store.update(&record.key, 1, &renewed).unwrap(),
            Updated::Done
        );
        assert_eq!(
            store.list("ada", 0).unwrap(),
            std::slice::from_ref(&renewed)
        );
        forget();
        assert!(store.delete(&renewed.key).unwrap());
    }
}

#[test]
#[ignore = "needs Redis: run ./test.sh"]
fn redis_deletes_expired_sessions() {
    let redis = Redis::start(&[]);
    let database = redis.database();
    let start = Instant::now();
    let short = of("ada");
    let short = testing::changed!(short.clone(), expires_at: short.seen_at + 1, deadline: short.seen_at + 1);
    stored(&database, short);
    assert_eq!(redis.ask(&["DBSIZE"]), "2");
    wait_until("nothing is left", Duration::from_secs(90), || {
        redis.ask(&["DBSIZE"]) == "0"
    });
    assert!(start.elapsed() >= Duration::from_secs(60));
}

/// Alone on its server, since others do walk.
#[test]
#[ignore = "needs Redis: run ./test.sh"]
fn the_sessions_of_a_user_are_found_without_a_walk_over_all() {
    let redis = Redis::start(&[]);
    let database = redis.database();
    let store = &*database.store;
    let [kept, _ended] = [(); 2].map(|()| stored(&database, of("ada")));
    stored(&database, of("grace"));
    assert_eq!(store.list("ada", 0).unwrap().len(), 2);
    assert_eq!(store.delete_all("ada", Some(&kept.key)).unwrap(), 1);
    assert!(store.delete(&kept.key).unwrap());
    let has_been_done = |command: &str| {
        let counted = redis.ask(&["INFO", "commandstats"]);
        counted.contains(&format!("cmdstat_{command}:"))
    };
    assert!(has_been_done("hgetall") && has_been_done("zrange"));
    assert!(!has_been_done("scan") && !has_been_done("keys"));
    assert_eq!(store.count(0).unwrap(), 1);
    assert!(has_been_done("scan"), "as counting shows");
}
