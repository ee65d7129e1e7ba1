//! A cluster in which a node fails or a slot moves.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use rocket_diesel_session::Token;
use rocket_diesel_session::store::{Record, Updated};

use super::outage::Visitor;
use super::records::{name, name_of_list, of, stored};
use testing::database::TestDatabase;
use testing::redis::Cluster;
use testing::server::{Server, wait_until};

/// The nodes that have a visitor's session and the list of all sessions of the user.
fn places(cluster: &Cluster, database: &TestDatabase, visitor: &Visitor, user: &str) -> [usize; 2] {
    let cookie = visitor.browser.cookie.as_ref().unwrap();
    let token = cookie.split_once('=').unwrap().1;
    let key = Token::parse(token).unwrap().key();
    let names = [name(database, &key), name_of_list(database, user)];
    names.map(|name| cluster.holder(&name))
}

/// Visitors with sessions on the first node, and others who have nothing to do with it.
fn visitors(cluster: &Cluster, database: &TestDatabase, server: &Server) -> [Vec<Named>; 2] {
    let (mut there, mut elsewhere) = (Vec::new(), Vec::new());
    for number in 0..40 {
        let user = format!("user-{number}");
        let visitor = Visitor::new(server, &user);
        match places(cluster, database, &visitor, &user) {
            [0, _] => there.push((user, visitor)),
            [_, 0] => {}
            _ => elsewhere.push((user, visitor)),
        }
    }
    assert!(there.len() >= 3 && elsewhere.len() >= 3);
    [there, elsewhere]
}

type Named = (String, Visitor);

#[test]
#[ignore = "needs Redis: run ./test.sh"]
fn a_node_that_does_not_answer_puts_off_its_own_sessions_alone() {
    let cluster = Cluster::start();
    let database = cluster.database();
    let server = Server::busy(&database);
    let [mut lost, mut others] = visitors(&cluster, &database, &server);

    cluster.nodes[0].stop();
    let (_, first) = &mut lost[0];
    first.cannot_read();
    first.cannot_write();
    first.cannot_leave();
    // Some ask in vain all the time, until the cluster has long noticed that it lacks a node.
    let end = Instant::now() + Duration::from_secs(8);
    thread::scope(|scope| {
        for (_, visitor) in lost.iter_mut().take(2) {
            scope.spawn(move || {
                while Instant::now() < end {
                    visitor.cannot_read();
                }
            });
        }
        let mut visits = 1;
        while Instant::now() < end {
            visits += 1;
            for (user, visitor) in &mut others {
                assert_eq!(visitor.get("/user"), (200, user.clone()));
                assert_eq!(visitor.post("/visits"), (200, visits.to_string()));
            }
        }
    });
    let (_, mut leaving) = others.pop().unwrap();
    assert_eq!(leaving.post("/log_out").0, 200);
    cluster.nodes[0].go_on();
    for (user, visitor) in &mut lost {
        visitor.recovers(user, "1");
    }
}

#[test]
#[ignore = "needs Redis: run ./test.sh"]
fn sessions_go_on_at_the_replica_of_a_node_that_died() {
    let mut cluster = Cluster::start();
    let _replica = cluster.replica_of(&cluster.nodes[0]);
    let database = cluster.database();
    let server = Server::busy(&database);
    let [mut lost, others] = visitors(&cluster, &database, &server);
    assert_eq!(cluster.nodes[0].ask(&["WAIT", "1", "10000"]), "1");
    cluster.nodes[0].kill();
    let (_, first) = &mut lost[0];
    first.cannot_read();
    for (user, mut visitor) in lost.into_iter().chain(others) {
        visitor.recovers(&user, "1");
    }
}

/// Adds one to the number that a record holds, however often it takes.
fn add_one(database: &TestDatabase, record: &Record) {
    loop {
        let before = database
            .store
            .load(&record.key, 0)
            .unwrap()
            .expect("a session is lost");
        let number: u64 = before.data.parse().unwrap();
        let after = testing::changed!(before.clone(), data: (number + 1).to_string(), version: before.version + 1);
        let updated = database.store.update(&record.key, before.version, &after);
        if updated.unwrap() == Updated::Done {
            return;
        }
    }
}

#[test]
#[ignore = "needs Redis: run ./test.sh"]
fn a_slot_on_its_way_to_another_node_loses_no_session_and_no_update() {
    let cluster = Cluster::start();
    let database = cluster.database();
    let data = "0".to_owned();
    let record = stored(&database, testing::changed!(of("ada"), data));
    let name = name(&database, &record.key);
    let (count, over) = (AtomicU64::new(0), AtomicBool::new(false));
    thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                while !over.load(Ordering::Relaxed) {
                    add_one(&database, &record);
                    count.fetch_add(1, Ordering::Relaxed);
                }
            });
        }
        // Also when an assertion fails, or the writers would go on for ever.
        struct Over<'a>(&'a AtomicBool);
        impl Drop for Over<'_> {
            fn drop(&mut self) {
                self.0.store(true, Ordering::Relaxed);
            }
        }
        let _over = Over(&over);
        let some_updates = || {
            let before = count.load(Ordering::Relaxed);
            wait_until("updates go on", Duration::from_secs(10), || {
                count.load(Ordering::Relaxed) > before + 20
            });
        };
        for _ in 0..6 {
            move_slot(&cluster, &name, some_updates);
        }
    });
    let stored = database.store.load(&record.key, 0).unwrap().unwrap();
    assert_eq!(stored.data, count.into_inner().to_string());
    assert_eq!(database.store.count(0).unwrap(), 1);
    assert!(database.store.delete(&record.key).unwrap());
}

/// Moves the slot of a record to the next node, and lets something happen after each step.
pub(crate) fn move_slot(cluster: &Cluster, name: &str, meanwhile: impl Fn()) {
    let (slot, here) = (cluster.slot(name), cluster.holder(name));
    let (here, there) = (&cluster.nodes[here], &cluster.nodes[(here + 1) % 3]);
    let [id_here, id_there] = [here, there].map(|node| node.ask(&["CLUSTER", "MYID"]));
    meanwhile();
    there.ask(&["CLUSTER", "SETSLOT", &slot, "IMPORTING", &id_here]);
    here.ask(&["CLUSTER", "SETSLOT", &slot, "MIGRATING", &id_there]);
    meanwhile();
    let port = there.port.to_string();
    here.ask(&["MIGRATE", "127.0.0.1", &port, "", "0", "5000", "KEYS", name]);
    meanwhile();
    for node in [there, here] {
        node.ask(&["CLUSTER", "SETSLOT", &slot, "NODE", &id_there]);
    }
    meanwhile();
}
