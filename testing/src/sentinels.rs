//! Redis servers that sentinels watch.

use std::time::Duration;

use crate::database::{self, TestDatabase};
use crate::redis::{Redis, try_ask};
use crate::server::wait_until;

/// A primary with two replicas, and three sentinels that call them `sessions`. Only sentinels and
/// applications that know the passwords may ask them.
pub struct Replicated {
    pub servers: [Redis; 3],
    /// The first may be stopped.
    pub sentinels: [Redis; 3],
}

/// How long a failover may take on a busy machine.
const LONG: Duration = Duration::from_secs(40);

impl Replicated {
    pub fn start() -> Self {
        let servers = [(); 3]
            .map(|()| Redis::start(&["--masterauth", "server", "--repl-diskless-sync-delay", "0"]));
        let primary = servers[0].port.to_string();
        for replica in &servers[1..] {
            replica.ask(&["REPLICAOF", "127.0.0.1", &primary]);
        }
        for server in &servers {
            server.ask(&["CONFIG", "SET", "requirepass", "server"]);
        }
        // Otherwise the sentinels learn of replicas 10 seconds later.
        wait_until("the replicas are connected", LONG, || {
            ask_as("server", &servers[0], &["WAIT", "2", "1000"]) == "2"
        });
        let settings = format!(
            "sentinel monitor sessions 127.0.0.1 {primary} 2\n\
             sentinel auth-pass sessions server\n\
             sentinel down-after-milliseconds sessions 500\n\
             sentinel failover-timeout sessions 2000\n\
             sentinel sentinel-pass sentinel\n\
             requirepass sentinel\n"
        );
        let replicated = Self {
            servers,
            sentinels: [(); 3].map(|()| Redis::sentinel(&settings)),
        };
        replicated.wait_until_agreed();
        replicated
    }

    pub fn database(&self) -> TestDatabase {
        let places = self.sentinels.each_ref();
        let places = places.map(|it| format!("127.0.0.1:{}", it.port)).join(",");
        let url = format!("redis-sentinel://:server@{places}/sessions/0?sentinel_pass=sentinel");
        database::in_redis(url, "sessions")
    }

    /// The number of the server that the sentinels call the primary.
    pub fn primary(&self) -> usize {
        let name = ["SENTINEL", "GET-MASTER-ADDR-BY-NAME", "sessions"];
        let named = ask_as("sentinel", &self.sentinels[2], &name);
        let is_it = |server: &Redis| named.ends_with(&server.port.to_string());
        self.servers.iter().position(is_it).unwrap()
    }

    /// Has a replica take over, and the primary follow it.
    pub fn fail_over(&self) {
        let before = self.primary();
        ask_as(
            "sentinel",
            &self.sentinels[2],
            &["SENTINEL", "FAILOVER", "sessions"],
        );
        wait_until("another one is the primary", LONG, || {
            self.primary() != before
        });
    }

    /// Waits until this many replicas have everything.
    pub fn wait_until_copied(&self, replicas: usize) {
        let wait = ["WAIT", &replicas.to_string(), "1000"];
        wait_until("the replicas have everything", LONG, || {
            let copied = ask_as("server", &self.servers[self.primary()], &wait);
            copied
                .parse::<usize>()
                .is_ok_and(|copied| copied >= replicas)
        });
    }

    fn wait_until_agreed(&self) {
        for sentinel in &self.sentinels {
            wait_until("the sentinels know all", LONG, || {
                let known = ask_as("sentinel", sentinel, &["SENTINEL", "MASTER", "sessions"]);
                let lines: Vec<_> = known.lines().collect();
                let is = |name, value| lines.windows(2).any(|pair| pair == [name, value]);
                is("num-slaves", "2") && is("num-other-sentinels", "2")
            });
        }
    }
}

/// The answer, or why there is none: a server may be dead.
fn ask_as(password: &str, server: &Redis, words: &[&str]) -> String {
    let url = format!("redis://default:{password}@127.0.0.1:{}", server.port);
    try_ask(&url, words).1
}
