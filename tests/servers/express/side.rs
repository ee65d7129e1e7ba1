//! The two applications on one store.

use std::path::PathBuf;
use std::process::{Command, Stdio};

use reqwest::header::HeaderMap;
use rocket::serde::json::{Value, from_slice, to_string};

use testing::database::{self, TestDatabase, empty_mariadb};
use testing::provided;
use testing::server::{Server, example, fed, free_port};
use testing::visitor::{Answer, Visitor};

pub const SECRET: &str = "keyboard cat";

/// A browser that asks any of the servers and shows each of them the cookies of all, as browsers
/// do with servers that differ in their ports alone.
pub fn browser() -> Visitor {
    Visitor::new("", HeaderMap::new())
}

/// A browser that always sends this cookie, whichever cookies the responses set.
pub fn browser_with(cookie: &str) -> Visitor {
    Visitor::with_cookie("", cookie)
}

/// `NAME=VALUE`, as the browser sends it back.
pub fn cookie(answer: &Answer) -> String {
    let line = answer.set_cookie("connect.sid").unwrap();
    line.split(';').next().unwrap().to_owned()
}

/// One of the two applications.
pub struct Side {
    server: Server,
    /// Before the paths of its routes.
    mount: &'static str,
}

impl Side {
    pub fn at(&self, path: &str) -> String {
        format!("{}{}{path}", self.server.base, self.mount)
    }

    /// Does something that leads back to the front page.
    pub fn post(&self, browser: &Visitor, path: &str) -> Answer {
        let answer = browser.post(&self.at(path), &[]);
        assert_eq!(answer.location(), "/", "{path}");
        answer
    }

    pub fn sign_in(&self, browser: &Visitor) -> Answer {
        let credentials = [("username", "ada"), ("password", "correct horse battery")];
        let answer = browser.post(&self.at("/login"), &credentials);
        assert_eq!(answer.location(), "/");
        answer
    }

    pub fn me(&self, browser: &Visitor) -> Value {
        let answer = browser.get(&self.at("/me"));
        assert_eq!(answer.status, 200, "{answer:?}");
        answer.json()
    }

    pub fn knows(&self, browser: &Visitor) -> bool {
        self.me(browser)["user"] == "ada"
    }
}

/// The store of both applications, which no other test uses.
pub struct Place {
    url: String,
    _database: TestDatabase,
}

impl Place {
    pub fn mariadb() -> Self {
        Self::on(empty_mariadb())
    }

    pub fn redis() -> Self {
        Self::on(database::redis())
    }

    fn on(database: TestDatabase) -> Self {
        Self {
            url: database.url.clone(),
            _database: database,
        }
    }

    /// Node, with the place in its environment.
    fn node(&self) -> Command {
        let variable = match self.url.starts_with("redis:") {
            true => "REDIS_URL",
            false => "DATABASE_URL",
        };
        let mut command = Command::new("node");
        command.env(variable, &self.url);
        command
    }

    pub fn express(&self, secrets: &[&str]) -> Side {
        self.express_with(secrets, "")
    }

    /// With cookies that live for so many milliseconds, unless that is empty.
    pub fn express_with(&self, secrets: &[&str], max_age: &str) -> Side {
        let port = free_port();
        let mut command = self.node();
        command
            .arg(express_folder().join("server.js"))
            .env("COOKIE_MAX_AGE", max_age)
            .env("PORT", port.to_string())
            .env("SESSION_SECRETS", secrets.join(","))
            .stdout(Stdio::null());
        Side {
            server: Server::start(&mut command, port),
            mount: "",
        }
    }

    pub fn rocket(&self, secrets: &[&str]) -> Side {
        self.rocket_with(secrets, Stdio::inherit())
    }

    /// Its output, such as warnings, goes to `output`.
    pub fn rocket_with(&self, secrets: &[&str], output: Stdio) -> Side {
        Side {
            server: self.example("moving_from_express", secrets, output),
            mount: "/new",
        }
    }

    pub fn busy(&self) -> Server {
        self.busy_with("")
    }

    /// With further settings of `[default.session]`, each after a comma.
    pub fn busy_with(&self, settings: &str) -> Server {
        let session = format!("secrets={:?}{settings}", [SECRET]);
        self.configured("busy", &session, Stdio::inherit())
    }

    /// The application of a tutorial, with the user's id at a path of its sessions.
    pub fn tutorial(&self, user_path: &str) -> Server {
        let port = free_port();
        let mut command = self.node();
        command
            .arg(concat!(
                env!("CARGO_MANIFEST_DIR"),
                "/tests/servers/express/tutorial.mjs"
            ))
            .env("TEST_EXPRESS", express_folder())
            .env("PORT", port.to_string())
            .env("SESSION_SECRETS", SECRET)
            .env("USER_PATH", user_path);
        Server::start(&mut command, port)
    }

    fn example(&self, name: &str, secrets: &[&str], output: Stdio) -> Server {
        self.configured(name, &format!("secrets={secrets:?}"), output)
    }

    fn configured(&self, name: &str, session: &str, output: Stdio) -> Server {
        let port = free_port();
        let mut command = example(name);
        command
            .env("ROCKET_CONFIG", folder().join("Rocket.toml"))
            .env("ROCKET_PORT", port.to_string())
            .env("ROCKET_LOG_LEVEL", "critical")
            .env(
                "ROCKET_DATABASES",
                format!("{{app={{url={:?}}}}}", self.url),
            )
            .env("ROCKET_SESSION", format!("{{{session}}}"))
            .stdout(output);
        Server::start(&mut command, port)
    }

    /// Has `sessions.mjs` do something by Express's own means.
    pub fn node_sessions(&self, task: &str, input: &Value) -> Value {
        let mut node = self.node();
        node.arg(concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/tests/servers/express/sessions.mjs"
        ))
        .arg(task)
        .env("TEST_EXPRESS", express_folder())
        .env("SESSION_SECRETS", SECRET);
        let done = fed(&mut node, &to_string(input).unwrap());
        assert!(done.status.success(), "{task}: what Node says stands above");
        from_slice(&done.stdout).unwrap()
    }
}

/// The example's folder.
pub fn folder() -> PathBuf {
    testing::root().join("examples/moving_from_express")
}

/// Where the Express application and its packages are.
fn express_folder() -> PathBuf {
    provided("express", "TEST_EXPRESS").into()
}
