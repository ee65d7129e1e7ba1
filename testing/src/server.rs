//! A separate server process for a test: on a free port, stopped at the end.

use std::fs;
use std::io::Write;
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Output, Stdio};
use std::sync::LazyLock;
use std::sync::atomic::{AtomicU16, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use crate::database::TestDatabase;
use crate::secrets;

/// A port that this process has not used before: another test may not have bound its port yet.
///
/// Below the range from which the kernel hands out ports, so that nobody is given it while its
/// server is down.
pub fn free_port() -> u16 {
    static NEXT: LazyLock<AtomicU16> = LazyLock::new(|| AtomicU16::new(fastrand::u16(..)));
    let mut ports =
        std::iter::repeat_with(|| 20_000 + NEXT.fetch_add(1, Ordering::Relaxed) % 12_000);
    ports
        .find(|port| TcpListener::bind(("0.0.0.0", *port)).is_ok())
        .unwrap()
}

/// Waits until something is so, but not forever.
pub fn wait_until(what: &str, timeout: Duration, mut is_so: impl FnMut() -> bool) {
    let end = Instant::now() + timeout;
    while !is_so() {
        assert!(Instant::now() < end, "not within {timeout:?}: {what}");
        thread::sleep(Duration::from_millis(20));
    }
}

/// The example `busy` on a database.
pub struct Server {
    pub base: String,
    process: Child,
}

impl Server {
    pub fn busy(database: &TestDatabase) -> Self {
        Self::busy_with(database, "", "critical", Stdio::inherit())
    }

    /// With further settings of `[default.session]`, each after a comma; what it prints goes to
    /// `output`.
    pub fn busy_with(database: &TestDatabase, settings: &str, level: &str, output: Stdio) -> Self {
        let (url, table) = (&database.url, &database.table);
        let session = format!("cookie={{secure=false}},table={table:?}{settings}");
        let mut command = example("busy");
        command.env("ROCKET_LOG_LEVEL", level).stdout(output);
        Self::on(&mut command, &format!("url={url:?}"), &session)
    }

    /// A program whose database and sessions have these settings.
    pub fn on(command: &mut Command, database: &str, session: &str) -> Self {
        let port = free_port();
        command
            .env("ROCKET_DATABASES", format!("{{app={{{database}}}}}"))
            .env("ROCKET_SESSION", format!("{{events=\"off\",{session}}}"))
            .env("ROCKET_PORT", port.to_string());
        Self::start(command, port)
    }

    /// Any program that serves on this port, once it does.
    pub fn start(command: &mut Command, port: u16) -> Self {
        let process = command
            .spawn()
            .unwrap_or_else(|error| panic!("{command:?} does not start: {error}"));
        let mut server = Self {
            base: format!("http://127.0.0.1:{port}"),
            process,
        };
        wait_until("the server is up", Duration::from_secs(20), || {
            let ended = server.process.try_wait().unwrap();
            assert!(ended.is_none(), "the server ended: {ended:?}");
            TcpStream::connect(("127.0.0.1", port)).is_ok()
        });
        server
    }
}

/// Runs a program that has to end by itself: how it ended, and what it printed.
///
/// After half a minute it is killed, and has no code.
pub fn ended(command: &mut Command) -> (ExitStatus, String) {
    let output = secrets::temporary().tempfile().unwrap();
    let log = || {
        let file = fs::File::options().append(true).open(output.path());
        file.unwrap()
    };
    let mut process = command.stdout(log()).stderr(log()).spawn().unwrap();
    let end = Instant::now() + Duration::from_secs(30);
    let status = loop {
        if let Some(status) = process.try_wait().unwrap() {
            break status;
        }
        if Instant::now() > end {
            let _ = process.kill();
        }
        thread::sleep(Duration::from_millis(20));
    };
    (status, fs::read_to_string(output.path()).unwrap())
}

/// The one line with which the example `busy` refuses to launch.
pub fn refusal(database: &str, session: &str) -> String {
    refusal_of(
        &mut example("busy"),
        &format!("app={{{database}}}"),
        session,
    )
}

/// The same of a command with these databases.
pub fn refusal_of(command: &mut Command, databases: &str, session: &str) -> String {
    let (status, printed) = ended(
        command
            .env("ROCKET_CLI_COLORS", "false")
            .env("ROCKET_LOG_LEVEL", "normal")
            .env("ROCKET_PORT", free_port().to_string())
            .env("ROCKET_DATABASES", format!("{{{databases}}}"))
            .env("ROCKET_SESSION", format!("{{{session}}}")),
    );
    let refused = status.code().is_some_and(|code| code != 0);
    assert!(refused, "{databases}, {session} was accepted: {printed}");
    assert!(!printed.contains("panicked"), "{printed}");
    let mut lines = printed.lines().filter(|line| line.contains("databases."));
    let line = lines
        .next()
        .unwrap_or_else(|| panic!("no reason: {printed}"));
    assert_eq!(lines.next(), None, "{printed}");
    line.to_owned()
}

/// The program of an example.
pub fn example(name: &str) -> Command {
    let program = built(&format!("examples/{name}"));
    assert!(
        is_up_to_date(&program),
        "{program:?} is older than its sources: run `cargo build --examples` with the tests' features"
    );
    Command::new(program)
}

/// Where `cargo test` puts a program, beside the folder of the tests.
pub fn built(path: &str) -> PathBuf {
    let tests = std::env::current_exe().unwrap();
    let folder = tests.parent().and_then(Path::parent).unwrap();
    let program = folder.join(path);
    assert!(
        program.exists(),
        "{program:?} is not built: run `cargo build --bins --examples`"
    );
    program
}

/// Whether a program is newer than the sources that Cargo lists in a file beside it:
/// `cargo test --test NAME` builds no examples.
fn is_up_to_date(program: &Path) -> bool {
    let changed = |path: &Path| fs::metadata(path).and_then(|file| file.modified()).ok();
    let list = fs::read_to_string(program.with_extension("d")).unwrap();
    let (_, sources) = list.trim_end().split_once(": ").unwrap();
    let mut sources = sources.split(' ').map(Path::new);
    sources.all(|source| changed(source) <= changed(program))
}

/// Has a program read `input`, and waits until it has ended.
pub fn fed(program: &mut Command, input: &str) -> Output {
    let program = program.stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut process = program.spawn().unwrap();
    let mut stdin = process.stdin.take().unwrap();
    // A program that fails early reads nothing, and says why in its output.
    let _ = stdin.write_all(input.as_bytes());
    drop(stdin);
    process.wait_with_output().unwrap()
}

impl Server {
    /// Its process.
    pub fn id(&self) -> u32 {
        self.process.id()
    }

    /// Sends it a signal, as `kill` does.
    pub fn signal(&self, signal: &str) {
        let process = self.process.id().to_string();
        let sent = Command::new("kill").args([signal, &process]).status();
        assert!(sent.unwrap().success());
    }

    /// Waits until it has ended by itself.
    pub fn wait(&mut self) -> ExitStatus {
        self.process.wait().unwrap()
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// A browser as far as sessions go: it keeps one cookie and does not mind which of several servers
/// it asks.
#[derive(Clone, Default)]
pub struct Browser {
    client: reqwest::blocking::Client,
    pub cookie: Option<String>,
    /// When the last answer said to try again.
    pub retry_after: Option<String>,
}

impl Browser {
    pub fn get(&mut self, url: &str) -> (u16, String) {
        let request = self.client.get(url);
        self.send(request)
    }

    pub fn post(&mut self, url: &str) -> (u16, String) {
        let request = self.client.post(url);
        self.send(request)
    }

    fn send(&mut self, mut request: reqwest::blocking::RequestBuilder) -> (u16, String) {
        if let Some(cookie) = &self.cookie {
            request = request.header("Cookie", cookie);
        }
        let response = request.send().unwrap();
        if let Some(set) = response.headers().get("Set-Cookie") {
            let set = set.to_str().unwrap();
            secrets::note_cookie(set);
            self.cookie =
                (!set.contains("Max-Age=0")).then(|| set.split(';').next().unwrap().to_owned());
        }
        let retry_after = response.headers().get("Retry-After");
        self.retry_after = retry_after.map(|seconds| seconds.to_str().unwrap().to_owned());
        (response.status().as_u16(), response.text().unwrap())
    }
}
