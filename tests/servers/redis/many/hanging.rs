//! Batches while a server does not answer.

use std::thread;
use std::time::{Duration, Instant};

use super::{changed, load, new, save};
use crate::redis::records::{name, stored};
use testing::redis::{Cluster, Redis};

#[test]
#[ignore = "needs Redis: run ./test.sh"]
fn a_batch_waits_once_for_a_redis_that_does_not_answer() {
    let redis = Redis::start(&[]);
    let database = redis.database();
    let records: Vec<_> = (0..16).map(|_| stored(&database, new(&database))).collect();
    let keys: Vec<_> = records.iter().map(|record| &record.key).collect();
    let saves: Vec<_> = records.iter().map(|record| changed(record, 1)).collect();
    redis.stop();
    let start = Instant::now();
    assert!(load(&database, &keys).iter().all(Result::is_err));
    let waited_to_load = start.elapsed();
    assert!(save(&database, &saves).iter().all(Option::is_none));
    let waited = (waited_to_load, start.elapsed());
    redis.go_on();
    // Two seconds for a reply, and as many for another connection.
    assert!(waited.1 < Duration::from_secs(10), "{waited:?}");
    let all: Vec<_> = records.iter().cloned().map(|it| Ok(Some(it))).collect();
    assert_eq!(load(&database, &keys), all);
}

#[test]
#[ignore = "needs Redis: run ./test.sh"]
fn a_node_that_does_not_answer_holds_up_one_batch() {
    let cluster = Cluster::start();
    let database = cluster.database();
    let records: Vec<_> = (0..16).map(|_| stored(&database, new(&database))).collect();
    let keys: Vec<_> = records.iter().map(|record| &record.key).collect();
    let there: Vec<_> = keys
        .iter()
        .map(|key| cluster.holder(&name(&database, key)) == 0)
        .collect();
    assert!(there.contains(&true) && there.contains(&false));
    cluster.nodes[0].stop();
    let expect_others = || {
        let loaded = load(&database, &keys);
        for (place, record) in records.iter().enumerate() {
            let expected = match there[place] {
                true => Err(()),
                false => Ok(Some(record.clone())),
            };
            assert_eq!(loaded[place], expected);
        }
    };
    expect_others();
    // A request alone finds the node again, in vain.
    let lost = there.iter().position(|there| *there).unwrap();
    thread::scope(|scope| {
        scope.spawn(|| {
            for _ in 0..2 {
                database.store.load(keys[lost], 0).unwrap_err();
            }
        });
        let end = Instant::now() + Duration::from_secs(4);
        while Instant::now() < end {
            let start = Instant::now();
            expect_others();
            assert_eq!(load(&database, &keys[lost..=lost]), [Err(())]);
            let took = start.elapsed();
            assert!(took < Duration::from_millis(1_500), "{took:?}");
        }
    });
    cluster.nodes[0].go_on();
}
