//! Starts a temporary MariaDB that requires TLS.

use std::process::{Child, Command, Output, Stdio};
use std::time::Duration;

use tempfile::TempDir;

use crate::authority::certify;
use testing::server::{fed, free_port, wait_until};

/// Killed at the end.
pub struct MariaDb {
    pub port: u16,
    pub folder: TempDir,
    process: Child,
}

impl MariaDb {
    pub fn start() -> Self {
        let (folder, port) = (tempfile::tempdir().unwrap(), free_port());
        certify(folder.path(), "server", "IP:127.0.0.1");
        let at = |name: &str| folder.path().join(name).display().to_string();
        let user = Command::new("id").arg("-un").output().unwrap().stdout;
        let user = String::from_utf8(user).unwrap();
        let own = [
            "--no-defaults".to_owned(),
            format!("--user={}", user.trim_end()),
            format!("--datadir={}", at("data")),
        ];
        let installed = Command::new("mariadb-install-db")
            .args(&own)
            .args(["--auth-root-authentication-method=normal", "--skip-test-db"])
            .output()
            .unwrap();
        assert!(installed.status.success(), "{installed:?}");
        let process = Command::new("mariadbd")
            .args(&own)
            .args([
                format!("--socket={}", at("socket")),
                format!("--port={port}"),
                "--bind-address=127.0.0.1".into(),
                "--skip-name-resolve".into(),
                "--performance-schema=OFF".into(),
                "--require-secure-transport=ON".into(),
                format!("--ssl-cert={}", at("server.crt")),
                format!("--ssl-key={}", at("server.key")),
            ])
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let server = Self {
            port,
            folder,
            process,
        };
        server.wait_until_up();
        server
    }

    fn wait_until_up(&self) {
        wait_until("MariaDB is up", Duration::from_secs(30), || {
            self.client(&[], "SELECT 1").status.success()
        });
    }

    /// Returns the client for statements, with further arguments.
    pub fn client(&self, arguments: &[&str], statements: &str) -> Output {
        let mut client = Command::new("mariadb");
        client
            .args(["--no-defaults", "--connect-timeout=2"])
            .args(match arguments {
                [] => vec!["--user=root"],
                arguments => arguments.to_vec(),
            })
            .arg(format!(
                "--socket={}",
                self.folder.path().join("socket").display()
            ))
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

impl Drop for MariaDb {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
