//! A renewal takes several steps in Redis, and other requests see one.

use std::thread;
use std::time::Duration;

use rocket_diesel_session::store::{Inserted, Record, Updated};

use super::records::{MINUTE, key, listed, name, of, stored};
use testing::database::TestDatabase;
use testing::on_redis;
use testing::redis::ask;

on_redis!(
    a_renewal_that_died_half_way_is_never_seen,
    a_renewal_under_way_ends_with_all_sessions_of_its_user,
    of_renewals_at_once_one_wins,
);

fn renewed(record: &Record) -> Record {
    testing::changed!(record.clone(), key: key(), version: record.version + 1)
}

fn a_renewal_that_died_half_way_is_never_seen(database: &TestDatabase) {
    let (store, url) = (&*database.store, &database.url);
    let [old, other] = [(); 2].map(|()| stored(database, of("ada")));
    let new = renewed(&old);
    // A key that is not a hash makes the removal fail, which is the second step.
    let (here, there) = (name(database, &old.key), name(database, &new.key));
    ask(url, &["SET", &here, "no record"]);
    store.update(&old.key, 0, &new).unwrap_err();
    ask(url, &["DEL", &here]);

    assert_eq!(
        ask(url, &["HGET", &there, "user_id"]),
        "ada",
        "it stopped too early"
    );
    let left: i64 = ask(url, &["PTTL", &there]).parse().unwrap();
    assert!((1..=MINUTE).contains(&left), "{left}");
    assert_eq!(store.load(&new.key, 0).unwrap(), None);
    assert_eq!(store.list("ada", 0).unwrap(), std::slice::from_ref(&other));
    assert_eq!(
        store.all(0, None, 10).unwrap(),
        std::slice::from_ref(&other)
    );
    assert_eq!(store.count(0).unwrap(), 1);
    assert_eq!(store.insert(&new).unwrap(), Inserted::Taken);

    store.delete_all("ada", Some(&other.key)).unwrap();
    assert_eq!(ask(url, &["EXISTS", &there]), "0");
    assert_eq!(store.load(&other.key, 0).unwrap(), Some(other));
}

/// The renewed key comes first in the list, the old one last, and the record is large: so there is
/// time for a renewal to pass by a reader of the list.
fn a_renewal_under_way_ends_with_all_sessions_of_its_user(database: &TestDatabase) {
    let store = &*database.store;
    let mut renewals = 0;
    for round in 0..400 {
        let user = format!("user-{round}");
        let later = |later: i64| {
            let record = of(&user);
            let deadline = record.deadline + later;
            testing::changed!(record, deadline)
        };
        for between in 1..10 {
            stored(database, later(between));
        }
        let old = stored(database, later(10));
        let new = testing::changed!(renewed(&old), deadline: later(0).deadline, data: "x".repeat(500_000));
        let outcome = thread::scope(|scope| {
            let renewal = scope.spawn(|| store.update(&old.key, 0, &new).unwrap());
            thread::sleep(Duration::from_micros(fastrand::u64(..1_500)));
            store.delete_all(&user, None).unwrap();
            renewal.join().unwrap()
        });
        for key in [&new.key, &old.key] {
            let left = store.load(key, 0).unwrap().is_some();
            assert!(!left, "round {round}: {outcome:?}");
        }
        assert_eq!(listed(database, &user), [""; 0]);
        renewals += u32::from(outcome == Updated::Done);
    }
    assert!(
        (1..400).contains(&renewals),
        "they did not meet: {renewals}"
    );
}

fn of_renewals_at_once_one_wins(database: &TestDatabase) {
    let store = &*database.store;
    for _ in 0..50 {
        let old = &stored(database, of("ada"));
        let renewals = [(); 4].map(|()| renewed(old));
        let outcomes = thread::scope(|scope| {
            let renew = |new| scope.spawn(move || store.update(&old.key, 0, new).unwrap());
            renewals.each_ref().map(renew).map(|it| it.join().unwrap())
        });
        let won = |(_, outcome): &(&Record, &Updated)| **outcome == Updated::Done;
        let winners: Vec<_> = renewals.iter().zip(&outcomes).filter(won).collect();
        assert_eq!(winners.len(), 1, "{outcomes:?}");
        assert_eq!(
            store.list("ada", 0).unwrap(),
            std::slice::from_ref(winners[0].0)
        );
        assert_eq!(store.count(0).unwrap(), 1);
        assert_eq!(listed(database, "ada").len(), 1);
        assert_eq!(store.delete_all("ada", None).unwrap(), 1);
    }
}
