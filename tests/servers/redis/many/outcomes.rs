//! Each load and each save of a batch has its own outcome.

use rocket_diesel_session::store::{Record, Save, Updated};

use super::{changed, forget_scripts, load, new, record_of, save};
use crate::redis::cluster::move_slot;
use crate::redis::records::{name, stored};
use testing::database::TestDatabase;
use testing::redis::{Cluster, Redis, ask};

/// Tests on separate servers, since the tests that share one make it forget its scripts.
macro_rules! on_separate_servers {
    ($($test:ident),+ $(,)?) => {
        mod separate {
            $(#[test] #[ignore = "needs Redis: run ./test.sh"]
            fn $test() { super::$test(&super::Redis::start(&[]).database()) })+
        }
        mod separate_cluster {
            $(#[test] #[ignore = "needs Redis: run ./test.sh"]
            fn $test() { super::$test(&super::Cluster::start().database()) })+
        }
    };
}

on_separate_servers!(
    each_of_many_saves_has_its_own_outcome,
    a_save_that_changes_the_list_of_a_user_is_left_undone,
    a_record_that_is_none_keeps_no_other_from_being_loaded_or_saved,
    the_same_key_twice_is_served_in_order,
    a_batch_whose_scripts_redis_forgot_is_left_undone,
);

fn each_of_many_saves_has_its_own_outcome(database: &TestDatabase) {
    let [first, second, third, of_ada] = [
        stored(database, new(database)),
        stored(database, new(database)),
        stored(database, new(database)),
        stored(
            database,
            testing::changed!(new(database), user_id: Some("ada".into())),
        ),
    ];
    let (absent, added) = (new(database), new(database));
    let touch = |record: &Record| Save::Touch {
        key: record.key.clone(),
        seen_at: record.seen_at + 5,
        expires_at: record.expires_at + 5,
    };
    let saves = [
        changed(&first, 1),
        changed(&second, 2),
        Save::Insert(first.clone()),
        touch(&third),
        changed(&of_ada, 1),
        changed(&absent, 1),
        touch(&absent),
        Save::Insert(added.clone()),
    ];
    use Updated::{Done, Stale, Taken};
    assert_eq!(
        save(database, &saves),
        [Done, Stale, Taken, Done, Done, Stale, Done, Done].map(Some)
    );
    let touched = testing::changed!(third.clone(), seen_at: third.seen_at + 5, expires_at: third.expires_at + 5);
    let keys = [&first, &second, &third, &of_ada, &absent, &added].map(|record| &record.key);
    assert_eq!(
        load(database, &keys),
        [
            Some(record_of(&saves[0])),
            Some(second),
            Some(touched),
            Some(record_of(&saves[4])),
            None,
            Some(added)
        ]
        .map(Ok)
    );
}

fn a_save_that_changes_the_list_of_a_user_is_left_undone(database: &TestDatabase) {
    let [anonymous, other] = [(); 2].map(|()| stored(database, new(database)));
    let signed_in = testing::changed!(new(database), user_id: Some("ada".into()));
    let signs_in = testing::changed!(anonymous.clone(), user_id: Some("ada".into()), version: 1);
    let saves = [
        Save::Insert(signed_in.clone()),
        Save::Update {
            version: 0,
            record: signs_in,
        },
        changed(&other, 1),
    ];
    assert_eq!(save(database, &saves), [None, None, Some(Updated::Done)]);
    let keys = [&signed_in.key, &anonymous.key];
    assert_eq!(load(database, &keys), [Ok(None), Ok(Some(anonymous))]);
    for save in &saves[..2] {
        assert_eq!(save.on(&*database.store).unwrap(), Updated::Done);
    }
    assert_eq!(database.store.list("ada", 0).unwrap().len(), 2);
}

fn a_record_that_is_none_keeps_no_other_from_being_loaded_or_saved(database: &TestDatabase) {
    let [before, text, torn, after] = [(); 4].map(|()| stored(database, new(database)));
    ask(&database.url, &["DEL", &name(database, &text.key)]);
    ask(
        &database.url,
        &["SET", &name(database, &text.key), "no hash"],
    );
    ask(&database.url, &["HDEL", &name(database, &torn.key), "data"]);
    let keys = [&before.key, &text.key, &torn.key, &after.key];
    assert_eq!(
        load(database, &keys),
        [
            Ok(Some(before.clone())),
            Err(()),
            Ok(None),
            Ok(Some(after.clone()))
        ]
    );
    let saves = [&before, &text, &after].map(|record| changed(record, 1));
    let done = Some(Updated::Done);
    assert_eq!(save(database, &saves), [done, None, done]);
}

fn the_same_key_twice_is_served_in_order(database: &TestDatabase) {
    let [record, other] = [(); 2].map(|()| stored(database, new(database)));
    let saves = [
        changed(&record, 1),
        changed(&other, 1),
        changed(&record, 2),
        changed(&record, 1),
    ];
    use Updated::{Done, Stale};
    assert_eq!(save(database, &saves), [Done, Done, Done, Stale].map(Some));
    let last = Ok(Some(record_of(&saves[2])));
    let keys = [&record.key, &other.key, &record.key];
    assert_eq!(
        load(database, &keys),
        [last.clone(), Ok(Some(record_of(&saves[1]))), last]
    );
}

fn a_batch_whose_scripts_redis_forgot_is_left_undone(database: &TestDatabase) {
    let records = [(); 3].map(|()| stored(database, new(database)));
    let saves = records.each_ref().map(|record| changed(record, 1));
    forget_scripts(database);
    assert_eq!(save(database, &saves), [None; 3]);
    let keys = records.each_ref().map(|record| &record.key);
    assert_eq!(
        load(database, &keys),
        records.each_ref().map(|it| Ok(Some(it.clone())))
    );
    for save in &saves {
        assert_eq!(save.on(&*database.store).unwrap(), Updated::Done);
    }
    let saves = records.each_ref().map(|record| changed(record, 2));
    assert_eq!(save(database, &saves), [Some(Updated::Done); 3]);
}

#[test]
#[ignore = "needs Redis: run ./test.sh"]
fn a_moved_slot_leaves_its_record_undone_in_a_batch() {
    let cluster = Cluster::start();
    let database = cluster.database();
    let records: Vec<_> = (0..6).map(|_| stored(&database, new(&database))).collect();
    let keys: Vec<_> = records.iter().map(|record| &record.key).collect();
    let all: Vec<_> = records.iter().cloned().map(|it| Ok(Some(it))).collect();
    assert_eq!(load(&database, &keys), all);

    move_slot(&cluster, &name(&database, keys[3]), || {});
    let loaded = load(&database, &keys);
    let saves: Vec<_> = records.iter().map(|record| changed(record, 1)).collect();
    let saved = save(&database, &saves);
    for place in 0..6 {
        let moved = place == 3;
        assert_eq!(loaded[place].is_err(), moved, "{loaded:?}");
        assert_eq!(saved[place].is_none(), moved, "{saved:?}");
    }
    // The verb for one follows the redirect, and the next batch knows the node.
    assert_eq!(
        database.store.load(keys[3], 0).unwrap(),
        Some(records[3].clone())
    );
    assert_eq!(saves[3].on(&*database.store).unwrap(), Updated::Done);
    let all: Vec<_> = saves.iter().map(|it| Ok(Some(record_of(it)))).collect();
    assert_eq!(load(&database, &keys), all);
}
