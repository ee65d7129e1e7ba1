//! The commands of the guide to backups, as written there.

use std::path::Path;
use std::process::Command;

use testing::database::{self, TestDatabase};
use testing::server::{Browser, Server};

const GUIDE: &str = include_str!("../../src/guide/backup.md");

/// The commands of a section: how to back up, and how to restore.
fn commands(section: &str) -> [&'static str; 2] {
    let (_, section) = GUIDE.split_once(&format!("# {section}\n")).unwrap();
    let section = section.split("\n# ").next().unwrap();
    let blocks = section.split("```sh\n").skip(1);
    let blocks: Vec<_> = blocks.map(|it| it.split("```").next().unwrap()).collect();
    blocks.try_into().unwrap()
}

fn run(commands: &str, folder: &Path, variables: &[(&str, &str)]) {
    let mut shell = Command::new("sh");
    shell.args(["-e", "-c", commands]).current_dir(folder);
    let done = shell.envs(variables.iter().copied()).output().unwrap();
    assert!(done.status.success(), "{commands}: {done:?}");
}

/// Somebody who is signed in, on a database of which there is a backup.
struct Place<'a> {
    server: Server,
    browser: Browser,
    database: &'a TestDatabase,
}

impl<'a> Place<'a> {
    /// Has `back_up` work on a running application, and then all sessions end.
    fn backed_up(database: &'a TestDatabase, back_up: impl FnOnce()) -> Self {
        let server = Server::busy(database);
        let mut browser = Browser::default();
        let mut post = |path: &str| browser.post(&format!("{}{path}", server.base)).0;
        assert_eq!([post("/log_in/ada"), post("/visits")], [200; 2]);
        back_up();
        let mut other = browser.clone();
        assert_eq!(other.post(&format!("{}/log_out", server.base)).0, 200);
        Self {
            server,
            browser,
            database,
        }
    }

    fn restored(self, restore: impl FnOnce()) {
        let Self {
            server,
            mut browser,
            database,
        } = self;
        drop(server);
        restore();
        let server = Server::busy(database);
        let mut get = |path: &str| browser.get(&format!("{}{path}", server.base)).1;
        assert_eq!([get("/user"), get("/visits")], ["ada", "1"]);
    }
}

#[test]
#[ignore = "needs sqlite3: run ./test.sh"]
fn sqlite() {
    let database = &database::sqlite();
    let folder = Path::new(database.address()).parent().unwrap();
    let [back_up, restore] = commands("SQLite").map(|it| it.replace("app.db", "test.db"));
    let place = Place::backed_up(database, || run(&back_up, folder, &[]));
    place.restored(|| run(&restore, folder, &[]));
}

/// User, password, host, port and database of a URL.
#[cfg(any(feature = "mysql", feature = "postgres"))]
fn parts(url: &str) -> [&str; 5] {
    let (_, rest) = url.split_once("://").unwrap();
    let (authority, name) = rest.rsplit_once('/').unwrap();
    let (user, address) = authority.split_once('@').unwrap();
    let (user, password) = user.split_once(':').unwrap_or((user, ""));
    let (host, port) = address.split_once(':').unwrap();
    [user, password, host, port, name]
}

#[test]
#[cfg(feature = "mysql")]
#[ignore = "needs MariaDB: run ./test.sh"]
fn mariadb() {
    let database = &database::mariadb();
    let folder = tempfile::tempdir().unwrap();
    let [user, password, host, port, name] = parts(&database.url);
    let client = format!("[client]\nuser={user}\npassword={password}\nhost={host}\nport={port}\n");
    std::fs::write(folder.path().join(".my.cnf"), client).unwrap();
    let home = [("HOME", folder.path().to_str().unwrap())];
    let commands = commands("MariaDB and MySQL");
    let [back_up, restore] = commands.map(|it| it.replace(" app ", &format!(" {name} ")));
    let place = Place::backed_up(database, || run(&back_up, folder.path(), &home));
    place.restored(|| run(&restore, folder.path(), &home));
}

#[test]
#[cfg(feature = "postgres")]
#[ignore = "needs PostgreSQL: run ./test.sh"]
fn postgresql() {
    let database = &database::postgresql();
    let folder = tempfile::tempdir().unwrap();
    let [user, _, host, port, name] = parts(&database.url);
    let server = [("PGUSER", user), ("PGHOST", host), ("PGPORT", port)];
    let named = |commands: &str| {
        let commands = commands.replace("=app ", &format!("={name} "));
        commands.replace(" app\n", &format!(" {name}\n"))
    };
    let [back_up, restore] = commands("PostgreSQL").map(named);
    let place = Place::backed_up(database, || run(&back_up, folder.path(), &server));
    place.restored(|| run(&restore, folder.path(), &server));
}

/// Ends the Redis on a port, which a command has left running, with the test.
#[cfg(feature = "redis")]
struct LeftRunning(String);

#[cfg(feature = "redis")]
impl Drop for LeftRunning {
    fn drop(&mut self) {
        let mut client = Command::new("redis-cli");
        let _ = client
            .args(["-p", &self.0, "SHUTDOWN", "NOSAVE", "NOW", "FORCE"])
            .output();
    }
}

#[test]
#[cfg(feature = "redis")]
#[ignore = "needs Redis: run ./test.sh"]
fn redis() {
    let mut redis = testing::redis::Redis::start(&["--appendonly", "yes"]);
    let database = &redis.database();
    let folder = tempfile::tempdir().unwrap();
    let port = redis.port.to_string();
    let here = |commands: &str| {
        let commands = commands.replace("redis-cli", &format!("redis-cli -p {port}"));
        let server = format!("redis-server --bind 127.0.0.1 --port {port}");
        commands.replace("redis-server", &server)
    };
    let [back_up, restore] = commands("Redis").map(here);
    let place = Place::backed_up(database, || run(&back_up, folder.path(), &[]));
    let _left_running = LeftRunning(port.clone());
    place.restored(|| {
        redis.kill();
        run(&restore, folder.path(), &[]);
    });
    let stop = here("redis-cli SHUTDOWN; ! redis-cli PING");
    let start = restore.replace("--appendonly no", "--appendonly yes");
    run(&stop, folder.path(), &[]);
    run(&start, folder.path(), &[]);
    let count = redis.ask(&["DBSIZE"]);
    assert_eq!(
        count, "2",
        "a session and its user's list, kept from now on"
    );
}
