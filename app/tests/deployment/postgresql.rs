//! Starts a temporary PostgreSQL that requires TLS.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::{Child, Command, Output, Stdio};
use std::time::Duration;

use tempfile::TempDir;

use crate::authority::certify;
use testing::server::{fed, free_port, wait_until};

/// Stopped at the end.
pub struct Postgresql {
    pub port: u16,
    pub folder: TempDir,
    process: Child,
}

/// Accepts only the administrator on its socket, and only TLS over TCP.
const WHO_MAY_COME: &str = "local all all trust\nhostssl all all 127.0.0.1/32 scram-sha-256\n";

impl Postgresql {
    pub fn start() -> Self {
        let (folder, port) = (tempfile::tempdir().unwrap(), free_port());
        certify(folder.path(), "server", "IP:127.0.0.1");
        give_away(&folder);
        let data = folder.path().join("data");
        let mut initdb = program("initdb");
        initdb.args([
            "-A",
            "trust",
            "-U",
            "postgres",
            "-E",
            "UTF8",
            "--locale=C",
            "-D",
        ]);
        let made = initdb.arg(&data).output().unwrap();
        assert!(made.status.success(), "{made:?}");
        fs::write(data.join("pg_hba.conf"), WHO_MAY_COME).unwrap();

        let at = |name: &str| folder.path().join(name).display().to_string();
        let settings = [
            format!("port={port}"),
            "listen_addresses=127.0.0.1".into(),
            format!("unix_socket_directories={}", folder.path().display()),
            "ssl=on".into(),
            format!("ssl_cert_file={}", at("server.crt")),
            format!("ssl_key_file={}", at("server.key")),
        ];
        let mut postgres = program("postgres");
        postgres.arg("-D").arg(&data).stderr(Stdio::null());
        for setting in settings {
            postgres.args(["-c", &setting]);
        }
        let process = postgres.spawn().unwrap();
        let server = Self {
            port,
            folder,
            process,
        };
        server.wait_until_up();
        server
    }

    fn wait_until_up(&self) {
        wait_until("PostgreSQL is up", Duration::from_secs(30), || {
            self.client(&[], "SELECT 1").status.success()
        });
    }

    /// Returns the client for statements, with further arguments.
    pub fn client(&self, arguments: &[&str], statements: &str) -> Output {
        let mut client = Command::new("psql");
        client
            .args([
                "-X",
                "-q",
                "-v",
                "ON_ERROR_STOP=1",
                "-p",
                &self.port.to_string(),
            ])
            .args(["-d", "postgres", "-U", "postgres", "-h"])
            .arg(self.folder.path())
            .args(arguments)
            .stderr(Stdio::piped());
        fed(&mut client, statements)
    }

    /// Runs statements as the administrator, over the socket.
    pub fn run(&self, statements: &str) {
        let done = self.client(&[], statements);
        assert!(done.status.success(), "{statements}: {done:?}");
    }

    /// Returns a file of the server's folder, such as `ca.crt`.
    pub fn file(&self, name: &str) -> String {
        self.folder.path().join(name).display().to_string()
    }
}

impl Drop for Postgresql {
    fn drop(&mut self) {
        // SIGKILL would leave child processes behind.
        let process = self.process.id().to_string();
        let _ = Command::new("kill").args(["-QUIT", &process]).status();
        let _ = self.process.wait();
    }
}

fn is_root() -> bool {
    fs::metadata("/proc/self").unwrap().uid() == 0
}

/// Returns the id of the user `postgres`, or of its group.
fn number(of: &str) -> u32 {
    let output = Command::new("id").args([of, "postgres"]).output().unwrap();
    let number = String::from_utf8(output.stdout).unwrap();
    number.trim_end().parse().unwrap()
}

/// PostgreSQL refuses to run as root.
fn program(name: &str) -> Command {
    let mut command = Command::new(folder_of_programs().join(name));
    command.current_dir("/");
    if is_root() {
        command.uid(number("-u")).gid(number("-g"));
    }
    command
}

fn give_away(folder: &TempDir) {
    if is_root() {
        let mut command = Command::new("chown");
        let done = command
            .args(["-R", "postgres:"])
            .arg(folder.path())
            .status();
        assert!(done.unwrap().success());
    }
}

/// Debian does not put the server's programs into PATH.
fn folder_of_programs() -> PathBuf {
    let versions = fs::read_dir("/usr/lib/postgresql").into_iter().flatten();
    let folders = versions.map(|version| version.unwrap().path().join("bin"));
    folders.max().unwrap_or_default()
}
