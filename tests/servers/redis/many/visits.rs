//! Requests that arrive at the same time, while Redis forgets scripts or connections are lost.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::process::Stdio;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use super::forget_scripts;
use crate::redis::outage::Visitor;
use testing::database::{TestDatabase, in_redis};
use testing::on_redis;
use testing::redis::Redis;
use testing::server::Server;

on_redis!(
    requests_at_once_go_on_while_redis_forgets_its_scripts,
    texts_at_once_go_on_while_redis_forgets_its_scripts,
);

/// Has visitors of separate sessions count their visits at the same time, while `disturb` runs again and again.
fn visits_go_on(database: &TestDatabase, settings: &str, disturb: impl Fn() + Sync) {
    let server = Server::busy_with(database, settings, "critical", Stdio::inherit());
    let visitors: Vec<_> = (0..8)
        .map(|number| Visitor::new(&server, &format!("{number}")))
        .collect();
    let over = AtomicBool::new(false);
    thread::scope(|scope| {
        let count_visits = |mut visitor: Visitor| {
            for visits in 2..80 {
                assert_eq!(visitor.post("/visits"), (200, visits.to_string()));
            }
        };
        let spawn = |visitor| scope.spawn(move || count_visits(visitor));
        let counting: Vec<_> = visitors.into_iter().map(spawn).collect();
        scope.spawn(|| {
            while !over.load(Ordering::Relaxed) {
                disturb();
                thread::sleep(Duration::from_millis(10));
            }
        });
        let ends: Vec<_> = counting.into_iter().map(|it| it.join()).collect();
        over.store(true, Ordering::Relaxed);
        assert!(ends.iter().all(Result::is_ok));
    });
}

fn requests_at_once_go_on_while_redis_forgets_its_scripts(database: &TestDatabase) {
    visits_go_on(database, "", || forget_scripts(database));
}

fn texts_at_once_go_on_while_redis_forgets_its_scripts(database: &TestDatabase) {
    let settings = r#",format="express",secrets=["keyboard cat"]"#;
    visits_go_on(database, settings, || forget_scripts(database));
}

/// Forwards connections to a server, and while `loses` closes one in place of a fiftieth of the replies.
fn between(port: u16, loses: &Arc<AtomicBool>) -> u16 {
    let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
    let here = listener.local_addr().unwrap().port();
    let loses = loses.clone();
    thread::spawn(move || {
        for client in listener.incoming().flatten() {
            let server = TcpStream::connect(("127.0.0.1", port)).unwrap();
            let never = Arc::default();
            forward(
                client.try_clone().unwrap(),
                server.try_clone().unwrap(),
                &never,
            );
            forward(server, client, &loses);
        }
    });
    here
}

fn forward(mut from: TcpStream, mut to: TcpStream, loses: &Arc<AtomicBool>) {
    let loses = loses.clone();
    thread::spawn(move || {
        let mut bytes = vec![0; 1 << 16];
        while let Ok(read @ 1..) = from.read(&mut bytes) {
            let lost = loses.load(Ordering::Relaxed) && fastrand::u8(..50) == 0;
            if lost || to.write_all(&bytes[..read]).is_err() {
                break;
            }
        }
        let _ = to.shutdown(Shutdown::Both);
        let _ = from.shutdown(Shutdown::Both);
    });
}

#[test]
#[ignore = "needs Redis: run ./test.sh"]
fn lost_replies_lose_no_visit_and_count_none_twice() {
    let (redis, loses) = (Redis::start(&[]), Arc::default());
    let url = format!("redis://127.0.0.1:{}", between(redis.port, &loses));
    let database = in_redis(url, "sessions");
    visits_go_on(&database, "", || loses.store(true, Ordering::Relaxed));
}
