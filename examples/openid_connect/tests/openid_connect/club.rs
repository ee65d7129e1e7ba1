//! The application and its provider as processes, on a database.

use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Mutex;

use reqwest::header::{ACCEPT, HeaderMap, HeaderValue};
use testing::database::{self, TestDatabase};
use testing::server::{Server, free_port};
use testing::visitor::Visitor;
use testing::{provided, sql};

use crate::browser::Browser;

pub struct Club {
    pub database: TestDatabase,
    pub base: String,
    /// The provider's address.
    pub issuer: String,
    provider: Mutex<Server>,
    _application: Server,
}

impl Club {
    /// Nobody is a member yet.
    pub fn open() -> Self {
        let database = database::sqlite();
        sql::execute(&database, include_str!("../../members.sql"));
        let (port, provider_port) = (free_port(), free_port());
        let base = format!("http://127.0.0.1:{port}");
        let provider = provider(provider_port, &base);
        let (issuer, callback) = (provider.base.clone(), callback(&base));
        let mut program = Command::new(env!("CARGO_BIN_EXE_openid_connect"));
        program
            .env(
                "ROCKET_CONFIG",
                Path::new(env!("CARGO_MANIFEST_DIR")).join("Rocket.toml"),
            )
            .env(
                "ROCKET_DATABASES",
                format!("{{app={{url={:?}}}}}", database.url),
            )
            .env(
                "ROCKET_PROVIDER",
                format!("{{issuer={issuer:?},callback={callback:?}}}"),
            )
            .env("ROCKET_SESSION", "{events=\"off\"}")
            .env("ROCKET_LOG_LEVEL", "off")
            .env("ROCKET_PORT", port.to_string());
        let application = Server::start(&mut program, port);
        Self {
            database,
            base,
            issuer,
            provider: Mutex::new(provider),
            _application: application,
        }
    }

    pub fn browser(&self) -> Browser<'_> {
        let page = HeaderValue::from_static("text/html");
        Browser::new(
            self,
            Visitor::new("", HeaderMap::from_iter([(ACCEPT, page)])),
        )
    }

    /// Another browser that has the application's cookie with this value.
    pub fn browser_with(&self, cookie: &str) -> Browser<'_> {
        let cookie = format!("id={cookie}");
        Browser::new(self, Visitor::with_cookie("", &cookie))
    }

    /// How many attempts wait in the sessions.
    pub fn attempts(&self) -> usize {
        let data = sql::texts(&self.database, "SELECT data AS text FROM sessions");
        let nonces = data.iter().map(|data| data.matches("\"nonce\"").count());
        nonces.sum()
    }

    pub fn stop_provider(&self) {
        let mut provider = self.provider.lock().unwrap();
        provider.signal("-KILL");
        provider.wait();
    }

    /// Starts it again, without what it knew.
    pub fn start_provider(&self) {
        let (_, port) = self.issuer.rsplit_once(':').unwrap();
        *self.provider.lock().unwrap() = provider(port.parse().unwrap(), &self.base);
    }
}

pub fn callback(base: &str) -> String {
    format!("{base}/sign_in/callback")
}

fn provider(port: u16, club: &str) -> Server {
    let folder = provided("openid_provider", "TEST_OPENID_PROVIDER");
    let mut node = Command::new("node");
    node.arg(Path::new(&folder).join("provider.js"))
        .env("PORT", port.to_string())
        .env("CALLBACK", callback(club))
        .stdout(Stdio::null());
    Server::start(&mut node, port)
}
