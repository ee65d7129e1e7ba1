//! Runs the application behind a proxy with the shipped configuration.

use std::fs;
use std::io;
use std::path::PathBuf;
use std::process::Command;
use std::sync::Arc;

use rustls::ClientConfig;
use tempfile::TempDir;

use crate::authority::{certify, together};
use crate::client::{Answer, Encrypted, HERE, ask, connect, encrypt, request, trusting};
use testing::accounts::{EMAIL, PASSWORD};
use testing::application::Application;
use testing::database::{self, TestDatabase};
use testing::proxy::{NGINX_FOLDERS, Proxy, nginx_with_workers};
use testing::secrets;
use testing::server::{Server, free_port};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Nginx,
    Haproxy,
}

/// Texts of a shipped file, each with what takes its place.
pub type Changes<'a> = &'a [(&'a str, &'a str)];

/// `https://example.org` on ports of this machine.
pub struct Site {
    /// The ports for http and https.
    pub ports: [u16; 2],
    authority: PathBuf,
    client: Arc<ClientConfig>,
    proxy: Proxy,
}

impl Site {
    /// Starts the proxy in front of a port.
    pub fn before(kind: Kind, served: u16) -> Self {
        Self::changed(kind, served, &[])
    }

    /// Starts the proxy with other texts in place of some in its file.
    pub fn changed(kind: Kind, served: u16, changes: Changes<'_>) -> Self {
        let home = secrets::temporary().tempdir().unwrap();
        let ports = [free_port(), free_port()];
        certify(home.path(), "site", "DNS:example.org");
        let authority = home.path().join("ca.crt");
        let proxy = match kind {
            Kind::Nginx => start_nginx(home, ports, served, changes),
            Kind::Haproxy => start_haproxy(home, ports, served, changes),
        };
        Self {
            ports,
            client: trusting(&authority, &["http/1.1"]),
            authority,
            proxy,
        }
    }

    pub fn connect(&self) -> Encrypted {
        self.connect_from(HERE)
    }

    pub fn connect_from(&self, address: [u8; 4]) -> Encrypted {
        self.try_connect(address).unwrap()
    }

    pub fn try_connect(&self, address: [u8; 4]) -> io::Result<Encrypted> {
        encrypt(self.client.clone(), connect(self.ports[1], address)?)
    }

    pub fn connect_with_http2(&self) -> Encrypted {
        let client = trusting(&self.authority, &["h2"]);
        encrypt(client, connect(self.ports[1], HERE).unwrap()).unwrap()
    }

    /// Sends one request on a new connection.
    pub fn ask(&self, request: &str) -> Option<Answer> {
        ask(&mut self.connect(), request)
    }

    pub fn get(&self, path: &str) -> Answer {
        self.ask(&request("GET", path, &[], "")).unwrap()
    }

    /// Replaces a text in nginx's file, and has it read again.
    pub fn reload_nginx(&self, before: &str, after: &str) {
        let file = self.proxy.home.path().join("nginx.conf");
        let settings = fs::read_to_string(&file).unwrap();
        assert!(settings.contains(before), "{before}");
        fs::write(&file, settings.replace(before, after)).unwrap();
        self.proxy.server.signal("-HUP");
    }

    /// Registers a user, and returns the Cookie header of the session.
    pub fn register(&self) -> String {
        self.register_as(EMAIL)
    }

    pub fn register_as(&self, email: &str) -> String {
        let page = self.get("/register");
        let fields = form(&page, &[("first_name", "Ada"), ("last_name", "Lovelace")]);
        let fields = fields + &encoded(&[("email", email), ("password", PASSWORD)]);
        let cookies: Vec<_> = page.cookies().map(value_of).collect();
        let sent = format!("Cookie: {}", cookies.join("; "));
        let headers = [sent.as_str(), "Origin: https://example.org"];
        let done = self.ask(&request("POST", "/register", &headers, &fields));
        let done = done.unwrap();
        assert_eq!(done.status, 303, "{done:?}");
        let mut session = done.cookies().filter(|line| line.starts_with("__Host-id="));
        value_of(session.next().unwrap()).to_owned()
    }
}

/// Returns the part of a `Set-Cookie` line that a browser sends back.
pub fn value_of(line: &str) -> &str {
    line.split(';').next().unwrap()
}

/// Returns the body of a page's form with these fields.
fn form(page: &Answer, fields: &[(&str, &str)]) -> String {
    let token = secrets::csrf_tokens(&page.body).next().unwrap_or_default();
    encoded(&[("_token", token)]) + &encoded(fields)
}

fn encoded(fields: &[(&str, &str)]) -> String {
    let encoded = |(name, value): &(&str, &str)| {
        let value = value.replace('@', "%40").replace(' ', "+");
        format!("{name}={value}&")
    };
    fields.iter().map(encoded).collect()
}

/// Starts the application in production behind a proxy.
pub struct Whole {
    pub site: Site,
    pub application: Application,
    _database: TestDatabase,
}

impl Whole {
    pub fn start(kind: Kind) -> Self {
        let database = database::sqlite();
        let application = Application::start_with(
            &database,
            &[
                ("ROCKET_PROFILE", "prod"),
                ("ROCKET_LOG_LEVEL", "normal"),
                (
                    "ROCKET_SESSION",
                    r#"{trusted_proxies=["127.0.0.1"],client_address="full"}"#,
                ),
            ],
        );
        Self {
            site: Site::before(kind, application.port()),
            application,
            _database: database,
        }
    }

    /// Returns whether a request for this path reached the application, which logs each.
    pub fn has_seen(&self, path: &str) -> bool {
        self.application.output().contains(path)
    }
}

/// Returns a file of `deploy` with the paths and ports of the test.
pub fn shipped(name: &str, changes: &[(&str, String)]) -> String {
    let folder = testing::root().join("deploy");
    let mut settings = fs::read_to_string(folder.join(name)).unwrap();
    for (sample, here) in changes {
        assert!(settings.contains(sample), "{sample} in {name}");
        settings = settings.replace(sample, here);
    }
    settings
}

/// Returns the settings without IPv6, which this machine may lack, and with these changes.
fn adapted(mut settings: String, changes: Changes<'_>) -> String {
    for (shipped, here) in changes {
        assert!(settings.contains(shipped), "{shipped}");
        settings = settings.replace(shipped, here);
    }
    let lines = settings.lines().filter(|line| !line.contains("[::]"));
    lines.map(|line| format!("{line}\n")).collect()
}

fn start_nginx(
    home: TempDir,
    [plain, encrypted]: [u16; 2],
    served: u16,
    changes: Changes<'_>,
) -> Proxy {
    let folder = home.path().display();
    let settings = shipped(
        "nginx.conf",
        &[
            // Ignored for any other account.
            ("user www-data;", "user root;".into()),
            ("/run/nginx.pid", "nginx.pid".into()),
            (
                "error_log /var/log/nginx/error.log",
                "error_log stderr".into(),
            ),
            ("/var/log/nginx/access.log", "access.log".into()),
            ("http {", format!("http {{ {NGINX_FOLDERS}")),
            ("listen 80", format!("listen 127.0.0.1:{plain}")),
            ("listen 443", format!("listen 127.0.0.1:{encrypted}")),
            (
                "/etc/ssl/certs/example.org.pem",
                format!("{folder}/site.crt"),
            ),
            (
                "/etc/ssl/private/example.org.key",
                format!("{folder}/site.key"),
            ),
            ("127.0.0.1:8000", format!("127.0.0.1:{served}")),
        ],
    );
    nginx_with_workers(home, &adapted(settings, changes), encrypted)
}

fn start_haproxy(
    home: TempDir,
    [plain, encrypted]: [u16; 2],
    served: u16,
    changes: Changes<'_>,
) -> Proxy {
    let certificate = together(home.path(), "site").display().to_string();
    let settings = shipped(
        "haproxy.cfg",
        &[
            ("    user haproxy\n    group haproxy\n", String::new()),
            ("log /dev/log local0", "log stderr format raw local0".into()),
            ("bind :80", format!("bind 127.0.0.1:{plain}")),
            ("bind :443", format!("bind 127.0.0.1:{encrypted}")),
            ("/etc/haproxy/example.org.pem", certificate),
            ("127.0.0.1:8000", format!("127.0.0.1:{served}")),
        ],
    );
    let file = home.path().join("haproxy.cfg");
    fs::write(&file, adapted(settings, changes)).unwrap();
    let mut command = Command::new("haproxy");
    let server = Server::start(command.args(["-db", "-f"]).arg(&file), encrypted);
    Proxy { server, home }
}
