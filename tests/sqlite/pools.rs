//! One entry of `[default.databases]` for Rocket's own pool and for the sessions.

use std::fs::{self, File};
use std::path::Path;

use tempfile::TempDir;
use testing::server::{Browser, Server, ended, example, free_port};

/// An application that has both, configured in `conf` and started in `start` below `folder`.
struct Application {
    server: Server,
    folder: TempDir,
    browser: Browser,
}

fn folders() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    for name in ["conf/data", "start/data"] {
        fs::create_dir_all(folder.path().join(name)).unwrap();
    }
    folder
}

fn configure(folder: &Path, entry: &str) {
    let absolute = folder.join("conf").display().to_string();
    let entry = entry.replace("/abs", &absolute);
    let rest = "[default.session]\ncreate_table = true\ncookie.secure = false";
    let toml = format!("[default.databases.app]\n{entry}\n{rest}");
    fs::write(folder.join("conf/Rocket.toml"), toml).unwrap();
}

fn command(folder: &Path, start: &str, port: u16) -> std::process::Command {
    let mut command = example("pools");
    command
        .current_dir(folder.join(start))
        .env("ROCKET_CONFIG", folder.join("conf/Rocket.toml"))
        .env("ROCKET_LOG_LEVEL", "normal")
        .env("ROCKET_CLI_COLORS", "false")
        .env("ROCKET_PORT", port.to_string());
    command
}

impl Application {
    fn new(start: &str, entry: &str) -> Self {
        let folder = folders();
        configure(folder.path(), entry);
        let output = File::create(folder.path().join("output")).unwrap();
        let port = free_port();
        let mut command = command(folder.path(), start, port);
        command.stdout(output.try_clone().unwrap()).stderr(output);
        Self {
            server: Server::start(&mut command, port),
            folder,
            browser: Browser::default(),
        }
    }

    /// Fails unless Rocket's pool finds a session in the file that it has open, which it returns.
    fn shared_file(&mut self, entry: &str) -> String {
        let base = &self.server.base;
        assert_eq!(
            self.browser.post(&format!("{base}/visits")).0,
            200,
            "{entry}"
        );
        let (status, seen) = self.browser.get(&format!("{base}/seen"));
        assert_eq!(
            status, 200,
            "{entry}: Rocket's pool finds no sessions table"
        );
        let (file, sessions) = seen.rsplit_once(' ').unwrap();
        assert_eq!(sessions, "1", "{entry}: {seen}");
        let real = fs::canonicalize(self.folder.path()).unwrap();
        let file = Path::new(file).strip_prefix(real).unwrap();
        file.display().to_string()
    }

    fn lines(&self, wanted: &str) -> Vec<String> {
        let output = fs::read_to_string(self.folder.path().join("output")).unwrap();
        let lines = output.lines().filter(|line| line.contains(wanted));
        lines.map(str::to_owned).collect()
    }
}

#[test]
fn each_spelling_of_rockets_pools_opens_the_same_file() {
    for (url, file) in [
        ("app.db", "conf/app.db"),
        ("./app", "conf/app"),
        ("data/app.sqlite", "conf/data/app.sqlite"),
        ("my%20app.db", "conf/my%20app.db"),
        ("a=b.db", "conf/a=b.db"),
        ("data/a:b.db", "conf/data/a:b.db"),
        ("/abs/app.db", "conf/app.db"),
        ("sqlite://app.db", "conf/app.db"),
        ("sqlite://data/my%20app.db", "conf/data/my app.db"),
        ("sqlite:///abs/app.db", "conf/app.db"),
        ("sqlite://app.db?mode=rwc", "conf/app.db"),
        ("file:app.db", "conf/app.db"),
        ("file:data/app.db?mode=rwc", "conf/data/app.db"),
        ("file:/abs/my%20app.db", "conf/my app.db"),
        ("file:///abs/app.db", "conf/app.db"),
    ] {
        let mut application = Application::new("conf", &format!("url = {url:?}"));
        assert_eq!(application.shared_file(url), file, "{url}");
        assert_eq!(application.lines("Rocket's own pools"), [""; 0], "{url}");
    }
}

#[test]
fn a_relative_file_that_rockets_pool_has_opened_elsewhere_is_shared_and_logged() {
    for url in ["app.db", "sqlite://app.db", "file:app.db"] {
        let mut application = Application::new("start", &format!("url = {url:?}"));
        assert_eq!(application.shared_file(url), "start/app.db");
        let lines = application.lines("Rocket's own pools");
        assert_eq!(lines.len(), 1, "{lines:?}");
        for words in [
            &format!("databases.app.url is {url:?}"),
            "start/app.db",
            "conf",
            "absolute",
        ] {
            assert!(lines[0].contains(words), "{words}: {lines:?}");
        }
    }
}

#[test]
fn a_spelling_that_rockets_pool_reads_otherwise_is_logged() {
    let application = Application::new("conf", "url = \"sqlite:app.db\"");
    let lines = application.lines("Rocket's own pools");
    assert_eq!(lines.len(), 1, "{lines:?}");
    assert!(lines[0].contains("write \"app.db\""), "{lines:?}");
}

#[test]
fn settings_of_rockets_pools_are_ignored_in_one_line() {
    let entry = r#"url = "app.db"
        timeout = 5
        idle_timeout = 120
        connect_timeout = 3
        min_connections = 1
        max_connections = 9
        extensions = ["pcre"]
        open_flags = ["read_write"]
        certs = "ca.pem""#;
    let mut application = Application::new("conf", entry);
    assert_eq!(application.shared_file(entry), "conf/app.db");
    let lines = application.lines("min_connections");
    assert_eq!(lines.len(), 1, "{lines:?}");
    for key in [
        "databases.app",
        "max_connections",
        "connect_timeout",
        "extensions",
        "open_flags",
        "certs",
        "pool_size",
    ] {
        assert!(lines[0].contains(key), "{key}: {lines:?}");
    }
    let (theirs, _) = lines[0].split_once(" are for").unwrap();
    assert!(!theirs.contains("idle_timeout"), "{lines:?}");
}

#[test]
fn numbers_that_are_too_large_for_the_sessions_are_bounded_in_a_line_each() {
    let entry = "url = \"app.db\"\ntimeout = 120\nidle_timeout = 90000\npool_size = 300";
    let mut application = Application::new("conf", entry);
    assert_eq!(application.shared_file(entry), "conf/app.db");
    for (given, used) in [
        ("databases.app.timeout is 120", "use 60 seconds"),
        ("databases.app.idle_timeout is 90000", "use 86400 seconds"),
        ("databases.app.pool_size is 300", "use 256"),
    ] {
        let lines = application.lines(given);
        assert_eq!(lines.len(), 1, "{lines:?}");
        assert!(lines[0].contains(used), "{lines:?}");
    }
}

/// The name of a file below another folder for sqlx.
#[test]
fn a_relative_file_of_sqlx_that_is_there_is_logged() {
    for url in ["sqlite:other.db", "sqlite:other.db?mode=rwc"] {
        let folder = folders();
        let theirs = folder.path().join("start/other.db");
        File::create(&theirs).unwrap();
        configure(folder.path(), &format!("url = {url:?}"));
        let port = free_port();
        let output = folder.path().join("output");
        let mut command = command(folder.path(), "start", port);
        command.stdout(File::create(&output).unwrap());
        drop(Server::start(&mut command, port));
        let output = fs::read_to_string(output).unwrap();
        let line = output
            .lines()
            .find(|line| line.contains("Rocket's own pools"));
        let line = line.unwrap_or_else(|| panic!("{url}: {output}"));
        for words in [&format!("read {}", theirs.display()), "absolute path"] {
            assert!(line.contains(words), "{words}: {line}");
        }
    }
}

/// Rocket's own pool has made the users there.
#[test]
fn a_missing_table_is_blamed_on_a_url_that_rockets_pool_reads_otherwise() {
    let session = "[default.session]\ncreate_table = false";
    for (theirs, start, url, remedy) in [
        (
            "conf/sqlite:app.db",
            "conf",
            "sqlite:app.db",
            "write \"app.db\"",
        ),
        (
            "conf/sqlite:app.db?mode=rwc",
            "conf",
            "sqlite:app.db?mode=rwc",
            "write \"sqlite://app.db?mode=rwc\"",
        ),
        ("start/app.db", "start", "sqlite:app.db", "an absolute path"),
    ] {
        for (users, session, table) in [
            ("users,id,name", "", "no such table: users"),
            ("", session, "no such table: sessions"),
        ] {
            let folder = folders();
            let toml = format!("[default.databases.app]\nurl = {url:?}\n{session}");
            fs::write(folder.path().join("conf/Rocket.toml"), toml).unwrap();
            for name in [theirs, "conf/app.db"] {
                File::create(folder.path().join(name)).unwrap();
            }
            let mut command = command(folder.path(), start, free_port());
            command.env("USERS", users);
            let (status, printed) = ended(&mut command);
            assert!(!status.success(), "{url}: {printed}");
            let is_reason = |line: &&str| line.starts_with("Error: databases.app: ");
            let line = printed.lines().find(is_reason);
            let line = line.unwrap_or_else(|| panic!("{url}: {printed}"));
            for words in [table, &format!("databases.app.url is {url:?}"), remedy] {
                assert!(line.contains(words), "{words}: {line}");
            }
            assert!(!line.contains("run its migrations"), "{line}");
        }
    }
}

#[test]
fn unknown_settings_are_refused() {
    for (entry, words) in [
        (
            "url = \"app.db\"\nmax_connection = 9",
            ["max_connection", "pool_size"],
        ),
        (
            "url = \"app.db\"\nconnection_timeout = 9",
            ["connection_timeout", "timeout"],
        ),
        ("url = \"memory\"", ["memory", "memory:"]),
        (
            "url = \"app.db?mode=rwc\"",
            ["app.db?mode=rwc", "file:FILE"],
        ),
        ("url = \"sqlite://a#b.db\"", ["a#b.db", "%23"]),
        ("url = \":memory:\"", [":memory:", "write sqlite:FILE"]),
        (
            "url = \"host=localhost user=ada password=secret:1\"",
            ["postgres://", "databases.app"],
        ),
    ] {
        let folder = folders();
        configure(folder.path(), entry);
        let (status, printed) = ended(&mut command(folder.path(), "conf", free_port()));
        assert!(!status.success(), "{entry}: {printed}");
        let line = printed.lines().find(|line| line.contains("databases.app"));
        let line = line.unwrap_or_else(|| panic!("{entry}: {printed}"));
        for words in words {
            assert!(line.contains(words), "{words}: {line}");
        }
        assert!(!line.contains("secret"), "{line}");
    }
}
