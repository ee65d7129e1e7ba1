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

/// nginx with these settings, which say that it listens on `port`; `home` is its prefix.
pub fn nginx(home: TempDir, settings: &str, port: u16) -> Proxy {
    fs::write(home.path().join("nginx.conf"), settings).unwrap();
    let mut command = Command::new("nginx");
    command
        .args(["-g", "daemon off; master_process off;"]) // so that it can be killed
        .args(["-e", "stderr", "-c", "nginx.conf", "-p"])
        .arg(home.path());
    let server = Server::start(&mut command, port);
    Proxy { server, home }
}

/// Puts nginx's files into a separate folder, so that it runs without root.
pub const NGINX_FOLDERS: &str = "client_body_temp_path body; proxy_temp_path proxy; \
    fastcgi_temp_path fastcgi; uwsgi_temp_path uwsgi; scgi_temp_path scgi;";
