//! Requests while Redis does not answer or fails.

use std::time::{Duration, Instant};

use testing::database::TestDatabase;
use testing::redis::Redis;
use testing::server::{Browser, Server, free_port, wait_until};

/// Somebody who is signed in at the example and has counted one visit.
pub(crate) struct Visitor {
    base: String,
    pub(crate) browser: Browser,
}

impl Visitor {
    pub(crate) fn new(server: &Server, user: &str) -> Self {
        let mut visitor = Self {
            base: server.base.clone(),
            browser: Browser::default(),
        };
        assert_eq!(visitor.post(&format!("/log_in/{user}")).0, 200);
        assert_eq!(visitor.post("/visits"), (200, "1".to_owned()));
        visitor
    }

    /// Gets an answer in less than three seconds.
    fn soon(&mut self, request: impl FnOnce(&mut Browser) -> (u16, String)) -> (u16, String) {
        let start = Instant::now();
        let answer = request(&mut self.browser);
        let took = start.elapsed();
        assert!(took < Duration::from_secs(3), "answered after {took:?}");
        answer
    }

    pub(crate) fn get(&mut self, path: &str) -> (u16, String) {
        let url = format!("{}{path}", self.base);
        self.soon(|browser| browser.get(&url))
    }

    pub(crate) fn post(&mut self, path: &str) -> (u16, String) {
        let url = format!("{}{path}", self.base);
        self.soon(|browser| browser.post(&url))
    }

    /// Expects 503 with Retry-After, and to stay signed in.
    fn is_put_off(&mut self, request: impl FnOnce(&mut Self) -> (u16, String)) {
        let cookie = self.browser.cookie.clone();
        assert_eq!(request(self).0, 503);
        assert_eq!(self.browser.retry_after.as_deref(), Some("2"));
        assert_eq!(self.browser.cookie, cookie);
    }

    pub(crate) fn cannot_read(&mut self) {
        self.is_put_off(|visitor| visitor.get("/user"));
    }

    pub(crate) fn cannot_write(&mut self) {
        self.is_put_off(|visitor| visitor.post("/visits"));
    }

    pub(crate) fn cannot_leave(&mut self) {
        self.is_put_off(|visitor| visitor.post("/log_out"));
    }

    fn cannot_sign_in(&mut self) {
        self.is_put_off(|visitor| visitor.post("/log_in/eve"));
    }

    /// Waits until all is as before, though nothing was restarted, and signs out.
    pub(crate) fn recovers(&mut self, user: &str, visits: &str) {
        wait_until("all is as before", Duration::from_secs(20), || {
            self.get("/user").0 == 200
        });
        assert_eq!(self.get("/user"), (200, user.to_owned()));
        assert_eq!(self.get("/visits"), (200, visits.to_owned()));
        let next = visits.parse::<u32>().unwrap() + 1;
        assert_eq!(self.post("/visits"), (200, next.to_string()));
        let signed_in = self.browser.clone();
        assert_eq!(self.post("/log_out").0, 200);
        self.browser = signed_in;
        assert_eq!(self.get("/user"), (200, String::new()));
    }
}

fn place(arguments: &[&str]) -> (Redis, TestDatabase) {
    let redis = Redis::start(arguments);
    let database = redis.database();
    (redis, database)
}

#[test]
#[ignore = "needs Redis: run ./test.sh"]
fn a_redis_that_does_not_answer_ends_no_session() {
    let (redis, database) = place(&[]);
    let server = Server::busy(&database);
    let mut ada = Visitor::new(&server, "ada");
    redis.stop();
    ada.cannot_read();
    ada.cannot_write();
    ada.cannot_leave();
    let mut anonymous = Visitor {
        base: server.base.clone(),
        browser: Browser::default(),
    };
    anonymous.cannot_sign_in();
    assert_eq!(anonymous.get("/user"), (200, String::new()));
    redis.go_on();
    ada.recovers("ada", "1");
}

#[test]
#[ignore = "needs Redis: run ./test.sh"]
fn sessions_outlive_a_redis_that_is_killed() {
    let (mut redis, database) = place(&["--appendonly", "yes", "--appendfsync", "always"]);
    let server = Server::busy(&database);
    let mut ada = Visitor::new(&server, "ada");
    let mut grace = Visitor::new(&server, "grace");
    let signed_in = grace.browser.clone();
    assert_eq!(grace.post("/log_out").0, 200);
    redis.kill();
    ada.cannot_read();
    ada.cannot_write();
    ada.cannot_leave();
    redis.restart();
    ada.recovers("ada", "1");
    grace.browser = signed_in;
    assert_eq!(
        grace.get("/user"),
        (200, String::new()),
        "a sign-out is final"
    );
}

#[test]
#[ignore = "needs Redis: run ./test.sh"]
fn a_full_redis_refuses_sign_ins_and_keeps_sessions() {
    let (redis, database) = place(&[]);
    let server = Server::busy(&database);
    let mut ada = Visitor::new(&server, "ada");
    let mut grace = Visitor::new(&server, "grace");
    let memory = |limit: &str| redis.ask(&["CONFIG", "SET", "maxmemory", limit]);
    memory("1");
    let mut anonymous = Visitor {
        base: server.base.clone(),
        browser: Browser::default(),
    };
    anonymous.cannot_sign_in();
    ada.cannot_write();
    assert_eq!(ada.get("/user"), (200, "ada".to_owned()));
    let signed_in = grace.browser.clone();
    assert_eq!(grace.post("/log_out").0, 200, "which makes room");
    memory("0");
    ada.recovers("ada", "1");
    grace.browser = signed_in;
    assert_eq!(grace.get("/user"), (200, String::new()));
}

#[test]
#[ignore = "needs Redis: run ./test.sh"]
fn a_replica_that_may_only_be_read_puts_writers_off() {
    let (redis, database) = place(&[]);
    let server = Server::busy(&database);
    let mut ada = Visitor::new(&server, "ada");
    let nobody = free_port().to_string();
    redis.ask(&["REPLICAOF", "127.0.0.1", &nobody]);
    assert_eq!(ada.get("/user"), (200, "ada".to_owned()));
    ada.cannot_write();
    ada.cannot_leave();
    redis.ask(&["REPLICAOF", "NO", "ONE"]);
    ada.recovers("ada", "1");
}
