//! Servers that sentinels watch: a replica takes over, and no application is restarted.

use testing::sentinels::Replicated;
use testing::server::Server;

use super::outage::Visitor;

#[test]
#[ignore = "needs Redis: run ./test.sh"]
fn a_replica_takes_over_and_no_application_is_restarted() {
    let mut redis = Replicated::start();
    let database = redis.database();
    let server = Server::busy(&database);
    let mut visitors = ["ada", "bob", "eve"].map(|user| (user, Visitor::new(&server, user)));
    let mut recovers = |number: usize| {
        let (user, visitor) = &mut visitors[number];
        visitor.recovers(user, "1");
    };
    redis.wait_until_copied(2);
    // The former primary lives on, as a replica.
    redis.fail_over();
    recovers(0);
    // The first in the URL keeps each connection, and answers nothing.
    redis.sentinels[0].stop();
    redis.wait_until_copied(2);
    let primary = redis.primary();
    redis.servers[primary].kill();
    recovers(1);
    redis.wait_until_copied(1);
    // So does the primary.
    let primary = redis.primary();
    redis.servers[primary].stop();
    recovers(2);
}
