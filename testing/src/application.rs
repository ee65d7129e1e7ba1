//! The application as a separate process.

use std::fs;
use std::process::{Child, Command, ExitStatus};
use std::thread;
use std::time::Duration;

use reqwest::header::{HeaderMap, HeaderValue};
use tempfile::NamedTempFile;

use crate::database::TestDatabase;
use crate::root;
use crate::secrets;
use crate::server::{built, ended, free_port, wait_until};
use crate::visitor::Visitor;

const TIMEOUT: Duration = Duration::from_secs(30);

/// The application on a database; killed at the end.
pub struct Application {
    pub base: String,
    command: Command,
    process: Child,
    output: NamedTempFile,
}

impl Application {
    /// In the profile dev, whatever the tests were built with.
    pub fn start(database: &TestDatabase) -> Self {
        Self::start_with(database, &[])
    }

    /// With further variables in its environment.
    pub fn start_with(database: &TestDatabase, variables: &[(&str, &str)]) -> Self {
        let mut application = Self::launch(database, variables);
        application.wait_until_healthy();
        application
    }

    /// On a database that is somewhere else.
    pub fn start_at(url: &str, variables: &[(&str, &str)]) -> Self {
        let mut application = Self::launch_at(url, variables);
        application.wait_until_healthy();
        application
    }

    /// Does not wait until it is up.
    pub fn launch(database: &TestDatabase, variables: &[(&str, &str)]) -> Self {
        Self::launch_at(&database.url, variables)
    }

    fn launch_at(url: &str, variables: &[(&str, &str)]) -> Self {
        let port = free_port();
        let output = secrets::temporary().tempfile().unwrap();
        // Appending, so that a second start continues where the first one ended.
        let log = || {
            let file = fs::File::options().append(true).open(output.path());
            file.unwrap()
        };
        let mut command = command(url);
        command
            .stdout(log())
            .stderr(log())
            .env("ROCKET_PORT", port.to_string())
            .envs(variables.iter().copied());
        let process = command.spawn().unwrap();
        Self {
            base: format!("http://127.0.0.1:{port}"),
            command,
            process,
            output,
        }
    }

    pub fn wait_until_healthy(&mut self) {
        let health = format!("{}/health/ready", self.base);
        wait_until("the application is up", TIMEOUT, || {
            let ended = self.process.try_wait().unwrap();
            assert!(ended.is_none(), "the application ended: {ended:?}");
            reqwest::blocking::get(&health).is_ok_and(|answer| answer.status() == 200)
        });
    }

    pub fn port(&self) -> u16 {
        let (_, port) = self.base.rsplit_once(':').unwrap();
        port.parse().unwrap()
    }

    /// Its process.
    pub fn id(&self) -> u32 {
        self.process.id()
    }

    /// Its output, once it prints no more: a thread writes the events.
    pub fn output(&self) -> String {
        let read = || fs::read_to_string(self.output.path()).unwrap();
        let mut output = read();
        loop {
            thread::sleep(Duration::from_millis(100));
            let later = read();
            if later == output {
                return output;
            }
            output = later;
        }
    }

    /// Ends it without giving it time for anything.
    pub fn kill(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }

    /// Ends it as a deployment does, and waits until it has ended.
    pub fn stop(&mut self) -> ExitStatus {
        self.begin_stop();
        self.wait()
    }

    /// Tells it to end, and does not wait.
    pub fn begin_stop(&self) {
        let process = self.process.id().to_string();
        let sent = Command::new("kill").args(["-TERM", &process]).status();
        assert!(sent.unwrap().success());
    }

    /// Waits until it has ended by itself.
    pub fn wait(&mut self) -> ExitStatus {
        self.process.wait().unwrap()
    }

    /// Starts it again after [`kill`](Self::kill), on the same port and database.
    pub fn restart(&mut self) {
        self.process = self.command.spawn().unwrap();
        self.wait_until_healthy();
    }

    /// Somebody with an empty cookie jar.
    pub fn visitor(&self) -> Visitor {
        Visitor::new(&self.base, HeaderMap::new())
    }

    /// Somebody with an empty cookie jar and this browser or program.
    pub fn visitor_from(&self, user_agent: &str) -> Visitor {
        let user_agent = HeaderValue::from_str(user_agent).unwrap();
        Visitor::new(
            &self.base,
            HeaderMap::from_iter([("User-Agent".parse().unwrap(), user_agent)]),
        )
    }

    /// A client that always sends this `Cookie` header, whichever cookies the application sets.
    pub fn visitor_with(&self, cookie: &str) -> Visitor {
        Visitor::with_cookie(&self.base, cookie)
    }
}

impl Drop for Application {
    fn drop(&mut self) {
        self.kill();
        // Shown by the test runner where the test failed.
        if thread::panicking() {
            eprintln!("{}", self.output());
        }
    }
}

/// Starts the application where it has to refuse: how it ended, and what it printed.
pub fn refusal(url: &str, variables: &[(&str, &str)]) -> (ExitStatus, String) {
    let mut command = command(url);
    ended(
        command
            .env("ROCKET_PORT", free_port().to_string())
            .envs(variables.iter().copied()),
    )
}

fn command(url: &str) -> Command {
    let mut command = Command::new(built("rocket_diesel_session"));
    command
        .current_dir(root())
        .env("ROCKET_PROFILE", "dev")
        .env("ROCKET_CLI_COLORS", "false")
        .env("ROCKET_DATABASES", format!("{{app={{url={url:?}}}}}"));
    command
}

/// Takes everything out of a database, the record of its migrations too.
pub fn make_empty(database: &TestDatabase) {
    let (scheme, rest) = database.url.split_once(':').unwrap();
    match scheme {
        "sqlite" => {
            fs::remove_file(rest).unwrap();
            fs::write(rest, "").unwrap();
        }
        #[cfg(feature = "mysql")]
        "mysql" => drop_tables::<diesel::MysqlConnection>(&database.url),
        #[cfg(feature = "postgres")]
        "postgres" => drop_tables::<diesel::PgConnection>(&database.url),
        _ => panic!("no backend for {scheme}"),
    }
}

#[cfg(any(feature = "mysql", feature = "postgres"))]
fn drop_tables<C: diesel::Connection>(url: &str) {
    let mut connection = C::establish(url).unwrap();
    let tables = ["sessions", "users", "attempts", "known_devices"];
    for table in tables.into_iter().chain(["__diesel_schema_migrations"]) {
        connection
            .batch_execute(&format!("DROP TABLE {table}"))
            .unwrap();
    }
}
