//! README's first steps, pasted into a new package.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output};
use std::time::Duration;

use reqwest::blocking::Client;
use rocket::serde::json::{Value, from_str, json};
use testing::server::{Server, free_port, wait_until};

const README: &str = include_str!("../../README.md");

const MAIN: &str = "```rust,no_run\n";
const CARGO_TOML: &str = "```toml\n# Cargo.toml";
const ROCKET_TOML: &str = "```toml\n# Rocket.toml";
const CURL: &str = "```sh\ncurl ";

/// The first block that begins like this, without its fence.
fn block(beginning: &str) -> &'static str {
    let at = README.find(beginning).unwrap();
    let (_, block) = README[at..].split_once('\n').unwrap();
    block.split_once("```").unwrap().0
}

fn run(command: &mut Command) -> String {
    let Output {
        status,
        stdout,
        stderr,
    } = command.output().unwrap();
    let errors = String::from_utf8_lossy(&stderr);
    assert!(status.success(), "{command:?}: {errors}");
    String::from_utf8(stdout).unwrap()
}

/// Builds the package with the versions, profiles and folder of this repository, so that only what
/// differs is compiled.
fn built(folder: &Path) -> PathBuf {
    let package = folder.join("pasted");
    run(Command::new("cargo")
        .args(["new", "--quiet", "--vcs", "none"])
        .arg(&package));
    symlink(testing::root(), folder.join("rocket_diesel_session")).unwrap();
    let manifest = fs::read_to_string(package.join("Cargo.toml")).unwrap();
    assert!(manifest.ends_with("[dependencies]\n"), "{manifest}");
    fs::write(package.join("Cargo.toml"), manifest + block(CARGO_TOML)).unwrap();
    fs::write(package.join("Rocket.toml"), block(ROCKET_TOML)).unwrap();
    fs::write(package.join("src/main.rs"), block(MAIN)).unwrap();
    let versions = testing::root().join("Cargo.lock");
    fs::copy(versions, package.join("Cargo.lock")).unwrap();
    let target = testing::root().join("target");
    run(Command::new("cargo")
        .current_dir(&package)
        .args(["build", "--quiet", "--offline", "--target-dir"])
        .arg(&target)
        .args(["--config", "profile.dev.package.'*'.debug=false"])
        .args(["--config", "profile.dev.package.sha2.opt-level=3"]));
    fs::copy(target.join("debug/pasted"), package.join("program")).unwrap();
    package
}

fn with_curl(folder: &Path, url: &str) -> String {
    let command = block(CURL).split('#').next().unwrap();
    let command = command.replace("http://127.0.0.1:8000", url);
    run(Command::new("sh")
        .current_dir(folder)
        .args(["-c", &command]))
}

fn with_requests(url: &str) -> String {
    let script = "import requests, sys\nbrowser = requests.Session()\n\
        print([browser.get(sys.argv[1]).text for _ in range(3)])";
    run(Command::new("python3").args(["-c", script, url]))
}

/// Stops chromedriver, and its browser with it.
struct Chromium(Child, String);

impl Drop for Chromium {
    fn drop(&mut self) {
        let _ = Client::new().delete(&self.1).send();
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn ask(url: &str, body: &Value) -> Value {
    let answer = Client::new()
        .post(url)
        .body(body.to_string())
        .send()
        .unwrap();
    from_str(&answer.text().unwrap()).unwrap()
}

fn with_chromium(url: &str) -> Vec<String> {
    let port = free_port();
    let driver = Command::new("chromedriver")
        .arg(format!("--port={port}"))
        .spawn();
    let driver = driver.unwrap();
    let base = format!("http://127.0.0.1:{port}/session");
    let mut chromium = Chromium(driver, base.clone());
    wait_until("chromedriver is up", Duration::from_secs(30), || {
        Client::new()
            .get(format!("http://127.0.0.1:{port}/status"))
            .send()
            .is_ok()
    });
    let arguments =
        json!({ "args": ["--headless=new", "--no-sandbox", "--disable-dev-shm-usage"] });
    let options = json!({ "alwaysMatch": { "goog:chromeOptions": arguments } });
    let session = ask(&base, &json!({ "capabilities": options }));
    let id = session["value"]["sessionId"].as_str().expect("a browser");
    chromium.1 = format!("{base}/{id}");
    let look = |_| {
        ask(&format!("{}/url", chromium.1), &json!({ "url": url }));
        let source = Client::new().get(format!("{}/source", chromium.1)).send();
        source.unwrap().text().unwrap()
    };
    (0..3).map(look).collect()
}

#[test]
#[ignore = "needs Chromium and Python: run ./test.sh"]
fn the_first_steps_run_as_pasted_and_count_for_every_client() {
    let folder = tempfile::tempdir().unwrap();
    let package = built(folder.path());
    let port = free_port();
    let mut program = Command::new(package.join("program"));
    program
        .current_dir(&package)
        .env("ROCKET_PORT", port.to_string());
    let server = Server::start(&mut program, port);
    for host in ["127.0.0.1", "localhost"] {
        let url = format!("http://{host}:{port}");
        let visits = [(); 3].map(|()| with_curl(folder.path(), &url));
        assert_eq!(visits, ["visit 1", "visit 2", "visit 3"], "{url}");
        let visits = with_requests(&url);
        assert_eq!(visits.trim(), "['visit 1', 'visit 2', 'visit 3']", "{url}");
        for (number, page) in with_chromium(&url).iter().enumerate() {
            assert!(page.contains(&format!("visit {}", number + 1)), "{page}");
        }
    }
    drop(server);
    assert!(package.join("app.db").exists());
}
