//! The database's files, deleted or replaced while an application uses them.

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use testing::database::{self, TestDatabase};
use testing::server::{Browser, Server, example};

/// An application on a file, and a signed-in browser.
struct Place {
    server: Server,
    browser: Browser,
    database: TestDatabase,
    folder: TempDir,
}

impl Place {
    fn new() -> Self {
        let database = database::sqlite();
        let folder = tempfile::tempdir().unwrap();
        let server = start(&database, folder.path());
        let mut browser = Browser::default();
        let (status, _) = browser.post(&format!("{}/log_in/ada", server.base));
        assert_eq!(status, 200);
        Self {
            server,
            browser,
            database,
            folder,
        }
    }

    /// The database, or with `-wal` and `-shm` a file beside it.
    fn file(&self, ending: &str) -> PathBuf {
        format!("{}{ending}", self.database.address()).into()
    }

    fn get(&mut self) -> (u16, String) {
        self.browser.get(&format!("{}/user", self.server.base))
    }

    fn post(&mut self) -> u16 {
        self.browser.post(&format!("{}/visits", self.server.base)).0
    }

    /// The application's log about its file, without lines about single requests.
    fn errors(&self) -> Vec<String> {
        let output = fs::read_to_string(self.folder.path().join("output")).unwrap();
        let is_wanted = |line: &&str| line.contains("while the application used it, so");
        output
            .lines()
            .filter(is_wanted)
            .map(str::to_owned)
            .collect()
    }

    fn stop(&mut self) {
        self.server.signal("-TERM");
        assert!(self.server.wait().success());
    }

    fn restart(&mut self) {
        self.server = start(&self.database, self.folder.path());
    }

    fn refuses(&mut self, what: &str) {
        for _ in 0..2 {
            assert_eq!(self.post(), 503, "{what}");
            assert_eq!(self.browser.retry_after.as_deref(), Some("2"));
            assert_eq!(self.get().0, 503, "{what}");
        }
        let errors = self.errors();
        assert_eq!(errors.len(), 1, "{errors:?}");
        assert!(errors[0].contains(what), "{errors:?}");
    }

    fn works(&mut self) {
        assert_eq!(self.get(), (200, "ada".to_owned()));
        assert_eq!(self.post(), 200);
    }
}

fn start(database: &TestDatabase, folder: &Path) -> Server {
    let output = File::create(folder.join("output")).unwrap();
    let mut command = example("busy");
    command.env("ROCKET_LOG_LEVEL", "normal");
    command.env("ROCKET_CLI_COLORS", "false");
    command.stdout(output.try_clone().unwrap()).stderr(output);
    let url = &database.url;
    Server::on(
        &mut command,
        &format!("url={url:?}"),
        "cookie={secure=false}",
    )
}

#[test]
fn a_file_that_is_moved_away_stores_nothing_until_it_is_back() {
    let mut place = Place::new();
    let (file, away) = (place.file(""), place.file(".away"));
    fs::rename(&file, &away).unwrap();
    place.refuses("was deleted or moved while the application used it");
    assert!(!file.exists(), "nobody has made another one");
    fs::rename(&away, &file).unwrap();
    place.works();
    fs::remove_file(&file).unwrap();
    assert_eq!(place.post(), 503);
}

#[test]
fn a_file_that_is_replaced_takes_a_restart() {
    let mut place = Place::new();
    let (file, copy) = (place.file(""), place.file(".copy"));
    place
        .database
        .run(&format!("VACUUM INTO '{}'", copy.display()));
    assert_eq!(place.post(), 200);
    fs::rename(&copy, &file).unwrap();
    place.refuses("was replaced while the application used it");
    place.stop();
    for ending in ["-wal", "-shm"] {
        let _ = fs::remove_file(place.file(ending));
    }
    place.restart();
    place.works();
}

#[test]
fn a_write_ahead_log_that_is_deleted_is_written_back_by_a_restart() {
    let mut place = Place::new();
    assert_eq!(place.post(), 200);
    fs::remove_file(place.file("-wal")).unwrap();
    place.refuses("-wal was deleted or moved while the application used it");
    place.stop();
    place.restart();
    let visits = format!("{}/visits", place.server.base);
    assert_eq!(place.browser.get(&visits), (200, "1".to_owned()));
    place.works();
}

#[cfg(unix)]
mod modes {
    use std::os::unix::fs::PermissionsExt;
    use std::process::Command;

    use super::*;

    fn mode(path: &Path) -> u32 {
        fs::metadata(path).unwrap().permissions().mode() & 0o777
    }

    /// Starts an application on `file` under this umask; returns what it logged by its first visit.
    fn visited(file: &Path, umask: &str) -> (Server, String) {
        let output = tempfile::NamedTempFile::new().unwrap();
        let mut command = Command::new("sh");
        command
            .args(["-c", &format!("umask {umask}; exec \"$0\"")])
            .arg(example("busy").get_program())
            .env("ROCKET_CLI_COLORS", "false")
            .stdout(output.reopen().unwrap());
        let entry = format!("url=\"sqlite:{}\"", file.display());
        let server = Server::on(&mut command, &entry, "cookie={secure=false}");
        let visit = Browser::default().post(&format!("{}/visits", server.base));
        assert_eq!(visit, (200, "1".to_owned()));
        (server, fs::read_to_string(output.path()).unwrap())
    }

    #[test]
    fn a_new_file_is_for_its_account_alone_whatever_the_umask() {
        for umask in ["022", "000", "077", "777"] {
            let folder = tempfile::tempdir().unwrap();
            let file = folder.path().join("app.db");
            let (_server, output) = visited(&file, umask);
            for name in ["app.db", "app.db-wal", "app.db-shm"] {
                assert_eq!(mode(&folder.path().join(name)), 0o600, "{umask} {name}");
            }
            let made = format!("made the database file {}", file.display());
            assert!(output.contains(&made), "{output}");
            assert!(!output.contains("every account"), "{output}");
        }
    }

    #[test]
    fn an_existing_file_keeps_its_mode_and_one_warning_says_what_every_account_may_do() {
        for (given, of_folder, warning) in [
            (0o644, 0o755, Some(("read", "chmod o-r"))),
            (0o646, 0o711, Some(("read and write", "chmod o-rw"))),
            (0o666, 0o711, Some(("read and write", "chmod o-rw"))),
            (0o642, 0o755, Some(("write", "chmod o-w"))),
            (0o644, 0o750, None),
            (0o640, 0o755, None),
            (0o600, 0o755, None),
        ] {
            let folder = tempfile::tempdir().unwrap();
            fs::set_permissions(folder.path(), fs::Permissions::from_mode(of_folder)).unwrap();
            let file = folder.path().join("app.db");
            File::create(&file).unwrap();
            fs::set_permissions(&file, fs::Permissions::from_mode(given)).unwrap();
            let (_server, output) = visited(&file, "022");
            assert_eq!(mode(&file), given);
            let lines = output.lines().filter(|line| line.contains("every account"));
            let expected = warning.map(|(may, remedy)| {
                let file = file.display();
                format!("{file}, which every account of this machine may {may}; take that away: {remedy} {file}*")
            });
            let lines: Vec<_> = lines.collect();
            assert_eq!(lines.len(), expected.iter().len(), "{given:o}: {output}");
            if let Some(expected) = expected {
                assert!(lines[0].ends_with(&expected), "{given:o}: {lines:?}");
            }
        }
    }
}
