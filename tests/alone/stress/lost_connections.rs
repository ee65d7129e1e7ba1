//! All connections are closed every 100 ms.

use testing::database::TestDatabase;
use testing::on_each_server;

use super::disturbance::Disturbance;
use super::{counters, sign_outs};

on_each_server!(
    each_counter_ends_at_what_was_acknowledged,
    no_session_comes_back
);

fn each_counter_ends_at_what_was_acknowledged(database: &TestDatabase) {
    let _alone = crate::alone();
    counters::each_ends_at_what_was_acknowledged(database, Disturbance::LostConnections);
}

fn no_session_comes_back(database: &TestDatabase) {
    let _alone = crate::alone();
    sign_outs::no_session_comes_back(database, Disturbance::LostConnections);
}

/// On a server that only these tests use: it closes the connections of all its clients.
#[cfg(feature = "redis")]
mod redis {
    use testing::redis::Redis;

    #[test]
    #[ignore = "needs Redis: run ./test.sh"]
    fn each_counter_ends_at_what_was_acknowledged() {
        let server = Redis::start(&[]);
        super::each_counter_ends_at_what_was_acknowledged(&server.database());
    }

    #[test]
    #[ignore = "needs Redis: run ./test.sh"]
    fn no_session_comes_back() {
        let server = Redis::start(&[]);
        super::no_session_comes_back(&server.database());
    }
}

#[cfg(feature = "redis")]
mod redis_cluster {
    use testing::redis::Cluster;

    #[test]
    #[ignore = "needs Redis: run ./test.sh"]
    fn each_counter_ends_at_what_was_acknowledged() {
        let cluster = Cluster::start();
        super::each_counter_ends_at_what_was_acknowledged(&cluster.database());
    }

    #[test]
    #[ignore = "needs Redis: run ./test.sh"]
    fn no_session_comes_back() {
        let cluster = Cluster::start();
        super::no_session_comes_back(&cluster.database());
    }
}
