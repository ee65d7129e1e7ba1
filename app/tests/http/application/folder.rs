//! Starts the application from another folder.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use tempfile::TempDir;

use testing::accounts::{EMAIL, is_signed_in, register};
use testing::root;
use testing::server::{Server, built, free_port};
use testing::visitor::Visitor;

/// Returns a folder with all files of the application, and one to start it in.
struct Installed {
    own: TempDir,
    other: TempDir,
}

impl Installed {
    fn new() -> Self {
        let [own, other] = [(); 2].map(|()| tempfile::tempdir().unwrap());
        for name in ["static", "templates"] {
            symlink(root().join(name), own.path().join(name)).unwrap();
        }
        fs::copy(root().join("Rocket.toml"), own.path().join("Rocket.toml")).unwrap();
        Self { own, other }
    }

    fn config(&self) -> PathBuf {
        self.own.path().join("Rocket.toml")
    }

    fn command(program: &Path, start: &Path) -> Command {
        let mut command = Command::new(program);
        command
            .current_dir(start)
            .env("ROCKET_PROFILE", "dev")
            .env("ROCKET_CLI_COLORS", "false")
            .stderr(Stdio::null());
        command
    }

    /// Starts it, registers a user, and stops it. Returns the logged path of its database
    /// file.
    fn works(&self, command: &mut Command, email: &str) -> String {
        let output = self.own.path().join("output");
        let port = free_port();
        command.env("ROCKET_PORT", port.to_string());
        let server = Server::start(command.stdout(fs::File::create(&output).unwrap()), port);
        let visitor = Visitor::new(&server.base, Default::default());
        register(&visitor, email, &[]);
        assert!(is_signed_in(&visitor));
        assert_eq!(visitor.get("/static/style.css").status, 200);
        drop(server);
        assert!(self.own.path().join("app.db").exists());
        let left = fs::read_dir(self.other.path()).unwrap().count();
        assert_eq!(left, 0, "nothing is made where it is started");
        let output = fs::read_to_string(&output).unwrap();
        let mut lines = output.lines().filter(|line| line.contains("app.db"));
        let line = lines.next().unwrap_or_else(|| panic!("{output}"));
        assert_eq!(lines.next(), None, "{output}");
        line.to_owned()
    }
}

#[test]
fn the_files_are_beside_the_configuration_wherever_it_is_started() {
    let installed = Installed::new();
    let program = built("rocket_diesel_session");
    let mut elsewhere = Installed::command(&program, installed.other.path());
    elsewhere.env("ROCKET_CONFIG", installed.config());
    let file = fs::canonicalize(installed.own.path())
        .unwrap()
        .join("app.db");
    let file = file.display();
    let made = installed.works(&mut elsewhere, EMAIL);
    assert!(
        made.contains(&format!("made the database file {file}")),
        "{made}"
    );
    let opened = installed.works(&mut elsewhere, "grace@example.org");
    assert!(
        opened.contains(&format!("opened the database file {file}")),
        "{opened}"
    );

    let below = installed.own.path().join("below");
    fs::create_dir(&below).unwrap();
    installed.works(&mut Installed::command(&program, &below), "eve@example.org");

    let copy = installed.own.path().join("program");
    fs::copy(&program, &copy).unwrap();
    let mut beside = Installed::command(&copy, installed.other.path());
    installed.works(&mut beside, "mary@example.org");

    let count = beside.args(["sessions", "count"]).stdout(Stdio::piped());
    let count = count.output().unwrap();
    assert_eq!(String::from_utf8(count.stdout).unwrap(), "4\n");
}

#[test]
fn a_folder_without_static_files_is_refused_in_one_line() {
    let installed = Installed::new();
    fs::remove_file(installed.own.path().join("static")).unwrap();
    let program = built("rocket_diesel_session");
    let mut command = Installed::command(&program, installed.own.path());
    let done = command.output().unwrap();
    assert!(!done.status.success());
    let output = String::from_utf8(done.stdout).unwrap();
    assert!(!output.contains("panicked"), "{output}");
    let mut lines = output.lines().filter(|line| line.contains("ROCKET_CONFIG"));
    assert!(
        lines.next().unwrap().contains("there is no folder"),
        "{output}"
    );
}
