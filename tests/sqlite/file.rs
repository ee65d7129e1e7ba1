//! The database's files, deleted or replaced while an application uses them.

use std::fs::{self, File};
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use testing::database::{self, TestDatabase};
use testing::server::{Browser, Server, example};

/// An application on a file, and somebody who is signed in there.
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

    /// What the application logged of its file, but for single requests.
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
