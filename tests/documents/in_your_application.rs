//! The applications of two guides, pasted into new packages: their tests, their commands, their pages.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use testing::server::{Server, free_port, wait_until};

use crate::chromium::Chromium;
use crate::package::{Package, block, run, shown};

const README: &str = include_str!("../../README.md");
const GUIDE: &str = include_str!("../../src/guide/in_your_application.md");
const TESTING: &str = include_str!("../../src/guide/testing_your_routes.md");

/// The block whose first visible line names this file.
fn file(comment: &str, path: &str) -> String {
    let named = format!("\n{comment} {path}");
    let at = GUIDE.find(&named).unwrap_or_else(|| panic!("no {path}")) + 1;
    shown_from(&GUIDE[at..])
}

fn shown_from(text: &str) -> String {
    let text = text.split_once("\n```").unwrap().0;
    shown(text)
}

/// All files of the guide; the comment in their first line names each.
fn application(parent: &Path) -> Package {
    let package = Package::new(parent, "existing");
    let manifest = block(GUIDE, "```toml\n# Cargo.toml");
    let (_, dependencies) = manifest.split_once("[dependencies]\n").unwrap();
    package.depend_on(dependencies);
    package.write("Rocket.toml", block(GUIDE, "```toml\n# Rocket.toml"));
    package.write("users.sql", block(GUIDE, "```sql\n-- users.sql"));
    package.write("static/like.js", block(GUIDE, "```js\n// static/like.js"));
    package.write("src/main.rs", &file("//", "src/main.rs"));
    package.write("src/tests.rs", &file("//", "src/tests.rs"));
    package
}

fn in_shell(folder: &Path, commands: &str) -> String {
    run(Command::new("bash")
        .current_dir(folder)
        .args(["-e", "-o", "pipefail", "-c", commands]))
}

fn with_chromium(url: &str, photo: &Path) {
    let chromium = Chromium::start();
    let becomes = |css: &str, text: &str| {
        wait_until(text, Duration::from_secs(30), || chromium.text(css) == text);
    };
    chromium.open(url);
    let page = chromium.url();
    assert!(page.ends_with("/sign_in?next=%2F"), "{page}");
    let submit = |button: &str| {
        chromium.type_into("[name=email]", "grace");
        chromium.type_into("[name=password]", "secret");
        chromium.click(button);
    };
    submit("button[formaction]");
    wait_until("the next page", Duration::from_secs(30), || {
        chromium.value("[name=email]").is_empty()
    });
    submit("button");
    becomes("p", "You are signed in.");
    becomes("h1", "grace");
    for stars in ["1 stars", "2 stars"] {
        chromium.click("#like");
        becomes("#like", stars);
    }
    chromium.type_into("[type=file]", &photo.display().to_string());
    chromium.click("[action='/photo'] button");
    becomes("body", "6 bytes of user 2");
    chromium.open(url);
    chromium.click("[action='/sign_out'] button");
    becomes("p", "You are signed out.");
    submit("button");
    becomes("h1", "grace");
    let folder = photo.parent().unwrap();
    in_shell(folder, "sqlite3 app.db 'DELETE FROM sessions'");
    chromium.click("#like");
    wait_until("the sign-in page", Duration::from_secs(30), || {
        chromium.url().ends_with("/sign_in")
    });
}

/// The lines of the sign-in, and those of the other routes and of the launch that name what it has.
fn lines_about_sessions(main: &str) -> usize {
    let (before, rest) = main.split_once("// Only users").unwrap();
    let (sign_in, after) = rest.split_once("// A page").unwrap();
    let names = ["ession", "SignedIn", "field(", "messages(", "csrf", "with_"];
    let names_one = |line: &&str| names.iter().any(|name| line.contains(name));
    let others = before.lines().chain(after.lines()).filter(names_one);
    let sign_in = sign_in.lines().filter(|line| !line.trim().is_empty());
    others.count() + sign_in.count()
}

#[test]
fn the_guide_says_how_many_lines_are_about_sessions() {
    let main = file("//", "src/main.rs");
    let words = format!("{} lines of its `src/main.rs`", lines_about_sessions(&main));
    assert!(GUIDE.contains(&words), "{words}");
}

#[test]
#[ignore = "needs Chromium and SQLite's command line: run ./test.sh"]
fn an_application_is_pasted_from_the_guide_and_works_as_it_says() {
    let folder = tempfile::tempdir().unwrap();
    let package = application(folder.path());
    package.cargo("test");
    let mut program = package.built();
    let first = block(GUIDE, "```sh\nsqlite3 ");
    let commands = first.strip_suffix("cargo run\n").unwrap();
    in_shell(&package.folder, commands);
    let port = free_port();
    program.env("ROCKET_PORT", port.to_string());
    let server = Server::start(&mut program, port);
    let here = |text: &str| text.replace("http://127.0.0.1:8000", &server.base);
    let printed = in_shell(&package.folder, &here(block(GUIDE, "```sh\nurl=")));
    assert_eq!(printed, here(block(GUIDE, "```text\n303 ")));
    with_chromium(&server.base, &package.path("photo.png"));
    let members = fs::read_dir(&package.folder).unwrap();
    let databases = members.filter(|file| {
        let name = file.as_ref().unwrap().file_name();
        name.to_string_lossy().ends_with("app.db")
    });
    assert_eq!(databases.count(), 1, "one entry is one database");
}

/// The blocks of Rust: the application, what its tests share, and the body of each test.
fn tests_of_routes() -> [String; 2] {
    let fences = TESTING.split("\n```rust").skip(1);
    let mut blocks = fences.map(|block| shown_from(block.split_once('\n').unwrap().1));
    let (main, shared) = (blocks.next().unwrap(), blocks.next().unwrap());
    let bodies = blocks.enumerate();
    let tests = bodies.map(|(number, body)| format!("#[test]\nfn test_{number}() {{\n{body}}}\n"));
    let tests: String = tests.collect();
    [main, format!("use super::*;\n{shared}{tests}")]
}

#[test]
#[ignore = "compiles a package: run ./test.sh"]
fn tests_are_pasted_from_the_guide_and_pass() {
    let folder = tempfile::tempdir().unwrap();
    let package = Package::new(folder.path(), "routes");
    let dependencies = block(README, "```toml\n# Cargo.toml");
    let for_tests = block(TESTING, "```toml\n# Cargo.toml");
    package.depend_on(&format!("{dependencies}[dev-dependencies]\n{for_tests}"));
    package.write("Rocket.toml", block(README, "```toml\n# Rocket.toml"));
    let [main, tests] = tests_of_routes();
    package.write("src/main.rs", &format!("{main}#[cfg(test)]\nmod tests;\n"));
    package.write("src/tests.rs", &tests);
    package.cargo("test");
}
