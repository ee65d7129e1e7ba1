//! Several application processes, each on another node of a Galera cluster.

use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::thread;

use testing::database::galera;
use testing::server::{Browser, Server};

/// Sessions that change at every node all the time, for as long as `work` takes.
fn beside_writers(servers: &[Server], work: impl FnOnce()) {
    let over = AtomicBool::new(false);
    thread::scope(|scope| {
        for number in 0..4 {
            let (over, server) = (&over, &servers[number % servers.len()]);
            scope.spawn(move || {
                let mut browser = Browser::default();
                while !over.load(Ordering::Relaxed) {
                    browser.post(&format!("{}/visits", server.base));
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
        work();
    });
}

#[test]
#[ignore = "needs Galera: run ./test.sh"]
fn every_node_has_what_one_node_acknowledged() {
    let nodes = galera();
    let servers = nodes.each_ref().map(Server::busy);
    let [a, b, _] = servers.each_ref().map(|server| server.base.as_str());
    let (mut alive, mut stale, mut replaced) = (0, 0, 0);
    beside_writers(&servers, || {
        for round in 0..1_000 {
            let mut browser = Browser::default();
            assert_eq!(browser.post(&format!("{a}/log_in/ada")).0, 200);
            let signed_in = browser.clone();
            if round % 4 == 0 {
                stale += u32::from(browser.get(&format!("{b}/user")).1 != "ada");
                assert_eq!(browser.post(&format!("{b}/visits")).0, 200);
                replaced += u32::from(browser.cookie != signed_in.cookie);
            }
            assert_eq!(browser.post(&format!("{b}/log_out")).0, 200);
            for server in [a, b] {
                alive += u32::from(signed_in.clone().get(&format!("{server}/user")).1 == "ada");
            }
        }
    });
    assert_eq!((alive, stale, replaced), (0, 0, 0));
}

#[test]
#[ignore = "needs Galera: run ./test.sh"]
fn no_deadlock_between_nodes_reaches_a_user_and_no_update_is_lost() {
    let nodes = galera();
    let servers = nodes.each_ref().map(Server::busy);
    let log_in = || {
        let mut browser = Browser::default();
        let status = browser.post(&format!("{}/log_in/ada", servers[0].base)).0;
        assert_eq!(status, 200);
        browser
    };
    // Each node saves several of them at once.
    let sessions: Vec<_> = (0..8).map(|_| log_in()).collect();
    let failed = AtomicU32::new(0);
    let clients = || {
        thread::scope(|scope| {
            for number in 0..32 {
                let (sessions, failed) = (&sessions, &failed);
                let url = format!("{}/visits", servers[number % 3].base);
                scope.spawn(move || {
                    for round in 0..50 {
                        let mut browser = sessions[(number + round) % sessions.len()].clone();
                        failed.fetch_add(u32::from(browser.post(&url).0 != 200), Ordering::Relaxed);
                    }
                });
            }
        })
    };
    beside_writers(&servers, clients);
    let url = format!("{}/visits", servers[1].base);
    let visits = sessions.iter().map(|session| session.clone().get(&url).1);
    let visits = visits.collect::<Vec<_>>();
    assert_eq!(
        (failed.into_inner(), visits),
        (0, vec!["200".to_owned(); 8])
    );
}
