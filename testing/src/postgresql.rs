//! Servers of PostgreSQL that only one test uses: a primary and its standby.

use std::os::unix::fs::chown;
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use diesel::connection::SimpleConnection;
use diesel::{Connection, PgConnection, QueryResult};
use tempfile::TempDir;

use crate::root;
use crate::server::{free_port, wait_until};

/// How long servers may take to come up, and to agree.
const TIMEOUT: Duration = Duration::from_secs(30);

/// A server with a separate folder, on a free port; killed at the end.
pub struct PostgreSql {
    pub port: u16,
    _folder: TempDir,
    process: Child,
}

impl PostgreSql {
    /// A primary. Its standbys are synchronous once one is connected.
    pub fn start() -> Self {
        let folder = folder();
        let mut create = program("initdb", &folder);
        create.args(["-D", "data", "-A", "trust", "-U", "session", "-E", "UTF8"]);
        finished(create.args(["--locale=C", "--no-sync"]));
        Self::run(folder)
    }

    /// A copy that follows this server, and has what it acknowledges from now on.
    pub fn standby(&self) -> Self {
        let (folder, from) = (folder(), self.url());
        let mut copy = program("pg_basebackup", &folder);
        finished(copy.args(["-D", "data", "-R", "-c", "fast", "--no-sync", "-d", &from]));
        let standby = Self::run(folder);
        for sql in [
            "ALTER SYSTEM SET synchronous_standby_names = '*'",
            "SELECT pg_reload_conf()",
        ] {
            self.execute(sql).unwrap();
        }
        let is_synchronous = "DO $$ BEGIN ASSERT EXISTS \
            (SELECT FROM pg_stat_replication WHERE sync_state = 'sync'); END $$";
        wait_until("the standby is synchronous", TIMEOUT, || {
            self.execute(is_synchronous).is_ok()
        });
        standby
    }

    /// Ends the server without giving its processes time for anything.
    pub fn kill(&mut self) {
        let id = self.process.id().to_string();
        // Otherwise it would start again what is killed first.
        let _ = Command::new("kill").args(["-STOP", &id]).status();
        let _ = Command::new("pkill").args(["-KILL", "-P", &id]).status();
        let _ = self.process.kill();
        let _ = self.process.wait();
    }

    /// Makes the standby the primary.
    pub fn promote(&self) {
        self.execute("SELECT pg_promote()").unwrap();
    }

    fn run(folder: TempDir) -> Self {
        let port = free_port();
        let mut command = program("postgres", &folder);
        command.args(["-D", "data", "-c", "listen_addresses=127.0.0.1", "-c"]);
        command.args([&format!("port={port}"), "-c", "unix_socket_directories="]);
        let process = command.spawn().unwrap();
        let server = Self {
            port,
            _folder: folder,
            process,
        };
        wait_until("PostgreSQL is up", TIMEOUT, || {
            server.execute("SELECT 1").is_ok()
        });
        server
    }

    fn url(&self) -> String {
        format!("postgres://session@127.0.0.1:{}/postgres", self.port)
    }

    fn execute(&self, sql: &str) -> QueryResult<()> {
        let connection = PgConnection::establish(&self.url());
        let mut connection = connection.map_err(|_| diesel::result::Error::NotFound)?;
        connection.batch_execute(sql)
    }
}

impl Drop for PostgreSql {
    fn drop(&mut self) {
        self.kill();
    }
}

/// A folder of the account that the server runs as: PostgreSQL refuses to run as root.
fn folder() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    if let Some(id) = account() {
        chown(folder.path(), Some(id), Some(id)).unwrap();
    }
    folder
}

fn program(name: &str, folder: &TempDir) -> Command {
    let find = ["-c", ". testing/packages.sh; postgres_bin"];
    let found = Command::new("bash").args(find).current_dir(root()).output();
    let programs = String::from_utf8(found.unwrap().stdout).unwrap();
    let mut command = Command::new(PathBuf::from(programs.trim()).join(name));
    command
        .current_dir(folder.path())
        .env("HOME", folder.path());
    command.stdout(Stdio::null()).stderr(Stdio::null());
    if let Some(id) = account() {
        command.uid(id).gid(id);
    }
    command
}

fn account() -> Option<u32> {
    let id = |arguments: &[&str]| {
        let id = Command::new("id").args(arguments).output().unwrap().stdout;
        String::from_utf8(id).unwrap().trim().parse().unwrap()
    };
    (id(&["-u"]) == 0).then(|| id(&["-u", "postgres"]))
}

fn finished(command: &mut Command) {
    assert!(command.status().unwrap().success(), "{command:?}");
}
