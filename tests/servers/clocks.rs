//! Wrong and changing clocks of nodes end and delete no session.

use std::fs::{self, File};
use std::thread;
use std::time::Duration;

use tempfile::TempDir;

use testing::database::{self, TestDatabase};
use testing::server::{Browser, Server, example, wait_until};

/// An application whose clock can be set, and that often deletes what it takes for expired.
struct Node {
    server: Server,
    folder: TempDir,
}

impl Node {
    fn start(database: &TestDatabase, offset: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("offset"), offset).unwrap();
        let output = File::create(folder.path().join("output")).unwrap();
        let mut command = example("busy");
        command
            .env("LD_PRELOAD", "/usr/$LIB/faketime/libfaketimeMT.so.1")
            .env("FAKETIME_DONT_FAKE_MONOTONIC", "1")
            .env("FAKETIME_NO_CACHE", "1")
            .env("FAKETIME_TIMESTAMP_FILE", folder.path().join("offset"))
            .env("ROCKET_LOG_LEVEL", "normal")
            .stdout(output);
        let TestDatabase { url, table, .. } = database;
        let session = format!("cookie={{secure=false}},table={table:?},cleanup_interval=\"1s\"");
        let server = Server::on(&mut command, &format!("url={url:?}"), &session);
        Self { server, folder }
    }

    fn set_clock(&self, offset: &str) {
        fs::write(self.folder.path().join("offset"), offset).unwrap();
    }

    fn output(&self) -> String {
        fs::read_to_string(self.folder.path().join("output")).unwrap()
    }

    fn sign_in(&self) -> Browser {
        let mut browser = Browser::default();
        let (status, _) = browser.post(&format!("{}/log_in/ada", self.server.base));
        assert_eq!(status, 200);
        browser
    }

    /// Whether the browser is signed in here, and keeps its cookie when it reads and writes.
    fn knows(&self, browser: &Browser) -> bool {
        let mut copy = browser.clone();
        let user = copy.get(&format!("{}/user", self.server.base));
        let (status, _) = copy.post(&format!("{}/visits", self.server.base));
        user == (200, "ada".into()) && status == 200 && copy.cookie == browser.cookie
    }
}

/// Longer than a node waits before it deletes what has expired, with its jitter.
fn let_nodes_clean_up() {
    thread::sleep(Duration::from_secs(2));
}

fn no_clock_that_is_off_signs_anybody_out(database: &TestDatabase) {
    let right = Node::start(database, "+0");
    for offset in ["-6m", "+6m", "-3h", "+3h"] {
        let off = Node::start(database, offset);
        let browsers = [right.sign_in(), off.sign_in()];
        let_nodes_clean_up();
        for browser in &browsers {
            assert!(off.knows(browser), "{offset}");
            assert!(right.knows(browser), "{offset}");
        }
    }
    assert_eq!(database.store.count(i64::MIN).unwrap(), 8);
}

fn a_clock_that_is_off_is_warned_of(database: &TestDatabase) {
    let off = Node::start(database, "-6m");
    let warning = "this machine's clock is 6m behind the database server's";
    wait_until("there is a warning", Duration::from_secs(5), || {
        off.output().contains(warning)
    });
    let right = Node::start(database, "+0");
    assert!(!right.output().contains("clock"), "{}", right.output());
}

fn setting_the_clock_ends_no_session(database: &TestDatabase) {
    let node = Node::start(database, "+0");
    for offset in ["-6m", "+0", "+3h", "-3h"] {
        let browser = node.sign_in();
        node.set_clock(offset);
        let_nodes_clean_up();
        assert!(node.knows(&browser), "{offset}");
    }
    assert_eq!(database.store.count(i64::MIN).unwrap(), 4);
}

/// The processes of one machine share a clock, so it is off in all of them.
#[test]
#[ignore = "needs faketime: run ./test.sh"]
fn in_a_file_a_clock_that_goes_back_ends_no_session() {
    let database = &database::sqlite();
    let node = Node::start(database, "+0");
    let browser = node.sign_in();
    for offset in ["-6m", "-3h", "-23h"] {
        node.set_clock(offset);
        assert!(node.knows(&browser), "{offset}");
        let restarted = Node::start(database, offset);
        assert!(restarted.knows(&browser), "{offset}");
    }
    node.set_clock("+0");
    assert!(node.knows(&browser));
}

#[test]
#[ignore = "needs faketime: run ./test.sh"]
fn in_a_file_nothing_is_deleted_that_has_expired_for_less_than_a_day() {
    let database = &database::sqlite();
    let right = Node::start(database, "+0");
    let browser = right.sign_in();
    let ahead = Node::start(database, "+23h");
    let_nodes_clean_up();
    assert!(right.knows(&browser));
    ahead.set_clock("+50h");
    let_nodes_clean_up();
    assert_eq!(database.store.count(i64::MIN).unwrap(), 0);
}

testing::on_each_server!(
    no_clock_that_is_off_signs_anybody_out,
    a_clock_that_is_off_is_warned_of,
    setting_the_clock_ends_no_session,
);

testing::on_redis!(
    no_clock_that_is_off_signs_anybody_out,
    a_clock_that_is_off_is_warned_of,
    setting_the_clock_ends_no_session,
);
