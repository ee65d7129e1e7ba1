//! Redis through `redis-cli`, and servers that only one test uses.

use std::fs;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use tempfile::TempDir;

use crate::database::{self, TestDatabase};
use crate::server::{free_port, wait_until};

/// How long servers may take to come up, and to agree.
const TIMEOUT: Duration = Duration::from_secs(20);

/// Redis's answer to a command, as `redis-cli` prints it.
pub fn ask(url: &str, words: &[&str]) -> String {
    let (succeeded, answer) = try_ask(&nodes(url)[0], words);
    assert!(succeeded, "{words:?}: {answer}");
    answer
}

pub(crate) fn try_ask(node: &str, words: &[&str]) -> (bool, String) {
    let mut client = Command::new("redis-cli");
    // In a cluster it goes where the key is.
    client
        .args(["-e", "-c", "--no-auth-warning", "-u", node])
        .args(words);
    let output = client.output().unwrap();
    let succeeded = output.status.success();
    let answer = if succeeded {
        output.stdout
    } else {
        output.stderr
    };
    let answer = String::from_utf8(answer).unwrap();
    (succeeded, answer.trim_end().to_owned())
}

/// The servers at a URL of the store, one by one.
pub fn nodes(url: &str) -> Vec<String> {
    match url.strip_prefix("redis-cluster://") {
        None => vec![url.to_owned()],
        Some(hosts) => hosts
            .split(',')
            .map(|host| format!("redis://{host}"))
            .collect(),
    }
}

/// A server with a separate folder, on a free port; killed at the end.
pub struct Redis {
    pub port: u16,
    pub folder: TempDir,
    command: Command,
    process: Child,
}

impl Redis {
    /// It keeps nothing on disk unless the arguments say otherwise.
    pub fn start(arguments: &[&str]) -> Self {
        let (port, folder) = (free_port(), tempfile::tempdir().unwrap());
        let mut command = Command::new("redis-server");
        command
            .current_dir(folder.path())
            .args([
                "--bind",
                "127.0.0.1",
                "--save",
                "",
                "--port",
                &port.to_string(),
            ])
            .args(arguments);
        Self::spawn(port, folder, command)
    }

    /// A sentinel, which keeps its settings in a file.
    pub fn sentinel(settings: &str) -> Self {
        let (port, folder) = (free_port(), tempfile::tempdir().unwrap());
        let settings = format!("port {port}\nbind 127.0.0.1\n{settings}");
        fs::write(folder.path().join("sentinel.conf"), settings).unwrap();
        let mut command = Command::new("redis-server");
        command
            .current_dir(folder.path())
            .args(["sentinel.conf", "--sentinel"]);
        Self::spawn(port, folder, command)
    }

    fn spawn(port: u16, folder: TempDir, mut command: Command) -> Self {
        let process = command.stdout(Stdio::null()).spawn().unwrap();
        let redis = Self {
            port,
            folder,
            command,
            process,
        };
        redis.wait_until_up();
        redis
    }

    fn wait_until_up(&self) {
        wait_until("Redis is up", TIMEOUT, || {
            let answer = try_ask(&self.url(), &["PING"]).1;
            answer == "PONG" || answer.starts_with("NOAUTH")
        });
    }

    pub fn url(&self) -> String {
        format!("redis://127.0.0.1:{}", self.port)
    }

    /// For tests that use the store itself, or the example on it.
    pub fn database(&self) -> TestDatabase {
        database::in_redis(self.url(), "sessions")
    }

    pub fn ask(&self, words: &[&str]) -> String {
        ask(&self.url(), words)
    }

    pub fn stop(&self) {
        self.signal("-STOP");
    }

    pub fn go_on(&self) {
        self.signal("-CONT");
    }

    fn signal(&self, signal: &str) {
        let process = self.process.id().to_string();
        let sent = Command::new("kill").args([signal, &process]).status();
        assert!(sent.unwrap().success());
    }

    /// Ends it without giving it time for anything.
    pub fn kill(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }

    /// Starts it again after [`kill`](Self::kill), in the same folder and on the same port.
    pub fn restart(&mut self) {
        self.process = self.command.spawn().unwrap();
        self.wait_until_up();
    }
}

impl Drop for Redis {
    fn drop(&mut self) {
        self.kill();
    }
}

/// A cluster of three servers, each with a third of the slots and no replica.
pub struct Cluster {
    pub nodes: [Redis; 3],
}

impl Cluster {
    pub fn start() -> Self {
        let nodes = [(); 3].map(|()| Self::node());
        let addresses = nodes.each_ref().map(|it| format!("127.0.0.1:{}", it.port));
        let mut create = Command::new("redis-cli");
        create.args(["--cluster", "create"]).args(addresses);
        let created = create.arg("--cluster-yes").output().unwrap();
        assert!(created.status.success(), "{created:?}");
        for node in &nodes {
            wait_until("the cluster is ready", TIMEOUT, || {
                let info = node.ask(&["CLUSTER", "INFO"]);
                info.contains("cluster_state:ok") && info.contains("cluster_known_nodes:3")
            });
        }
        Self { nodes }
    }

    fn node() -> Redis {
        let bus = free_port().to_string();
        // Where a node is missing, the others go on with what they have.
        Redis::start(&[
            "--cluster-enabled",
            "yes",
            "--cluster-port",
            &bus,
            "--cluster-require-full-coverage",
            "no",
            "--cluster-node-timeout",
            "1000",
        ])
    }

    /// A server that has all that a node has, and takes its place should it die.
    pub fn replica_of(&self, node: &Redis) -> Redis {
        let replica = Self::node();
        let bus = node.ask(&["CONFIG", "GET", "cluster-port"]);
        let bus = bus.lines().last().unwrap();
        replica.ask(&["CLUSTER", "MEET", "127.0.0.1", &node.port.to_string(), bus]);
        let id = node.ask(&["CLUSTER", "MYID"]);
        wait_until("the nodes know each other", TIMEOUT, || {
            replica.ask(&["CLUSTER", "NODES"]).contains(&id)
        });
        replica.ask(&["CLUSTER", "REPLICATE", &id]);
        wait_until("the replica has everything", TIMEOUT, || {
            let state = replica.ask(&["INFO", "replication"]);
            state.contains("master_link_status:up")
        });
        for other in &self.nodes {
            wait_until("all know the replica", TIMEOUT, || {
                other.ask(&["CLUSTER", "NODES"]).contains(" slave ")
            });
        }
        replica
    }

    pub fn database(&self) -> TestDatabase {
        let addresses = self
            .nodes
            .each_ref()
            .map(|it| format!("127.0.0.1:{}", it.port));
        database::in_redis(
            format!("redis-cluster://{}", addresses.join(",")),
            "sessions",
        )
    }

    pub fn slot(&self, name: &str) -> String {
        self.nodes[0].ask(&["CLUSTER", "KEYSLOT", name])
    }

    /// The place among the nodes of the one that has a key.
    pub fn holder(&self, name: &str) -> usize {
        let has = |node: &Redis| {
            let slot = self.slot(name);
            node.ask(&["CLUSTER", "COUNTKEYSINSLOT", &slot]) != "0"
        };
        self.nodes.iter().position(has).unwrap()
    }
}
