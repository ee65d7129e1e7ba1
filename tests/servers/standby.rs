//! A primary of PostgreSQL dies, and its standby takes its place: no application is restarted.

use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use testing::postgresql::PostgreSql;
use testing::server::{Browser, Server, example, wait_until};

const LONG: Duration = Duration::from_secs(60);

#[test]
#[ignore = "needs PostgreSQL: run ./test.sh"]
fn a_promoted_standby_has_what_the_primary_acknowledged() {
    let mut primary = PostgreSql::start();
    let standby = primary.standby();
    let hosts = format!("127.0.0.1:{},127.0.0.1:{}", primary.port, standby.port);
    let application = Server::on(
        example("busy").env("ROCKET_LOG_LEVEL", "off"),
        &format!("url=\"postgres://session@{hosts}/postgres\",pool_size=4"),
        "cookie={secure=false}",
    );
    let url = format!("{}/visits", application.base);
    let (acknowledged, promoted) = (AtomicU32::new(0), AtomicBool::new(false));
    let visitor = || {
        let (mut browser, mut last, mut since) = (Browser::default(), 0, 0);
        let end = Instant::now() + LONG;
        while since < 20 {
            assert!(Instant::now() < end, "{since} visits since the promotion");
            let is_since = promoted.load(Ordering::SeqCst);
            let (status, number) = browser.post(&url);
            if status != 200 {
                assert_eq!(status, 503);
                continue;
            }
            let number = number.parse().unwrap();
            // A visit that got 503 may count, too.
            assert!(number > last, "{number} after {last}");
            last = number;
            acknowledged.fetch_add(1, Ordering::SeqCst);
            since += u32::from(is_since);
        }
    };
    thread::scope(|scope| {
        for _ in 0..8 {
            scope.spawn(visitor);
        }
        wait_until("there are sessions", LONG / 2, || {
            acknowledged.load(Ordering::SeqCst) > 200
        });
        primary.kill();
        standby.promote();
        promoted.store(true, Ordering::SeqCst);
    });
}
