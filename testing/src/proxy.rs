//! A proxy in front of the application, with a separate folder.

use std::fs;
use std::process::Command;

use tempfile::TempDir;

use crate::server::Server;

/// Stopped at the end, before its folder is removed.
pub struct Proxy {
    pub server: Server,
    pub home: TempDir,
}

impl Drop for Proxy {
    /// Lets nginx end its workers, which would outlive it if it was killed.
    fn drop(&mut self) {
        let process = self.server.id().to_string();
        let sent = Command::new("kill").args(["-TERM", &process]).status();
        if sent.is_ok_and(|sent| sent.success()) {
            self.server.wait();
        }
    }
}

/// nginx as one process, with these settings, which say that it listens on `port`; `home` is its prefix.
pub fn nginx(home: TempDir, settings: &str, port: u16) -> Proxy {
    start(home, settings, port, "daemon off; master_process off;")
}

/// nginx with workers, which SIGHUP replaces.
pub fn nginx_with_workers(home: TempDir, settings: &str, port: u16) -> Proxy {
    start(home, settings, port, "daemon off;")
}

fn start(home: TempDir, settings: &str, port: u16, mode: &str) -> Proxy {
    fs::write(home.path().join("nginx.conf"), settings).unwrap();
    let mut command = Command::new("nginx");
    command
        .args(["-g", mode])
        .args(["-e", "stderr", "-c", "nginx.conf", "-p"])
        .arg(home.path());
    let server = Server::start(&mut command, port);
    Proxy { server, home }
}

/// Puts nginx's files into a separate folder, so that it runs without root.
pub const NGINX_FOLDERS: &str = "client_body_temp_path body; proxy_temp_path proxy; \
    fastcgi_temp_path fastcgi; uwsgi_temp_path uwsgi; scgi_temp_path scgi;";
