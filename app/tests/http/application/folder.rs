//! Starts the application from another folder.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use tempfile::TempDir;

use testing::accounts::{EMAIL, is_signed_in, register, sign_in};
use testing::root;
use testing::server::{Server, built, ended, free_port, wait_until};
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
fn without_any_other_file_it_runs_from_an_empty_folder() {
    let folder = tempfile::tempdir().unwrap();
    let program = folder.path().join("program");
    fs::copy(built("rocket_diesel_session"), &program).unwrap();
    let (start, port) = (folder.path().join("start"), free_port());
    fs::create_dir(&start).unwrap();
    // Folders of other programs where it is started are not served.
    fs::create_dir(start.join("static")).unwrap();
    fs::write(start.join("static/style.css"), "other").unwrap();
    let mut command = Installed::command(&program, &start);
    let server = Server::start(command.env("ROCKET_PORT", port.to_string()), port);
    let visitor = Visitor::new(&server.base, Default::default());
    let form = sign_in(&visitor, "<b>@example.org", "correct horse battery");
    assert_eq!(form.headers["content-type"], "text/html; charset=utf-8");
    assert!(form.body.contains("&lt;b&gt;@"), "{}", form.body);
    assert!(!form.body.contains("<b>@"), "{}", form.body);
    register(&visitor, EMAIL, &[]);
    assert!(is_signed_in(&visitor));
    for (name, kind) in [
        ("style.css", "text/css; charset=utf-8"),
        ("session_end.js", "text/javascript"),
        ("countdown.js", "text/javascript"),
        ("favicon.svg", "image/svg+xml"),
    ] {
        let file = visitor.get(&format!("/static/{name}"));
        assert_eq!(file.headers["content-type"], kind, "{name}");
        let shipped = fs::read_to_string(root().join("static").join(name)).unwrap();
        assert_eq!(file.body, shipped, "{name}");
    }
    for path in [
        "/static/nowhere",
        "/static",
        "/static/",
        "/static/..%2fprogram",
    ] {
        assert_eq!(visitor.get(path).status, 404, "{path}");
    }
    assert!(
        start.join("app.db").exists(),
        "the settings are the shipped ones"
    );
}

#[test]
fn a_file_beside_the_program_replaces_one_inside_it() {
    let folder = tempfile::tempdir().unwrap();
    let program = folder.path().join("program");
    fs::copy(built("rocket_diesel_session"), &program).unwrap();
    for (name, text) in [
        (
            "templates/index.html.j2",
            "{% extends \"base.html\" %}{% block content %}ours{% endblock %}",
        ),
        ("static/style.css", "body { color: red }"),
        ("static/logo.svg", "<svg/>"),
    ] {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    let (start, port) = (tempfile::tempdir().unwrap(), free_port());
    let mut command = Installed::command(&program, start.path());
    let server = Server::start(command.env("ROCKET_PORT", port.to_string()), port);
    let visitor = Visitor::new(&server.base, Default::default());
    let page = visitor.get("/").body;
    assert!(page.contains("ours") && page.contains("</html>"), "{page}");
    assert_eq!(visitor.get("/static/style.css").body, "body { color: red }");
    assert_eq!(visitor.get("/static/logo.svg").body, "<svg/>");
    assert_eq!(visitor.get("/static/countdown.js").status, 200);
    assert_eq!(visitor.get("/login").status, 200);

    // A debug build reads a page again.
    let index = folder.path().join("templates/index.html.j2");
    fs::write(index, "changed").unwrap();
    let changed = || visitor.get("/").body == "changed";
    wait_until("the page is read again", Duration::from_secs(10), changed);
}

#[test]
fn a_page_or_a_configuration_that_cannot_be_read_stops_the_launch_in_words() {
    let folder = tempfile::tempdir().unwrap();
    let program = folder.path().join("program");
    fs::copy(built("rocket_diesel_session"), &program).unwrap();
    let refusal = |variable: (&str, &str)| {
        let mut command = Installed::command(&program, folder.path());
        let (status, output) = ended(command.env(variable.0, variable.1));
        assert!(!status.success());
        assert!(!output.contains("panicked"), "{output}");
        output
    };
    let output = refusal(("ROCKET_CONFIG", "nowhere/Rocket.toml"));
    assert!(
        output.contains("there is no file nowhere/Rocket.toml"),
        "{output}"
    );
    assert_eq!(output.lines().count(), 1, "{output}");

    let templates = folder.path().join("templates");
    fs::create_dir(&templates).unwrap();
    fs::write(templates.join("login.html.j2"), "{% if %}").unwrap();
    let output = refusal(("ROCKET_PORT", "0"));
    assert!(output.contains("login.html"), "{output}");
}
