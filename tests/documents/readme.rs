//! README's first steps, pasted into a new package.

use std::path::Path;
use std::process::Command;

use testing::server::{Server, free_port};

use crate::chromium::Chromium;
use crate::package::{Package, block, run};

const README: &str = include_str!("../../README.md");

const MAIN: &str = "```rust,no_run\n";
const CARGO_TOML: &str = "```toml\n# Cargo.toml";
const ROCKET_TOML: &str = "```toml\n# Rocket.toml";
const CURL: &str = "```sh\ncurl ";

fn pasted(folder: &Path) -> Package {
    let package = Package::new(folder, "pasted");
    package.depend_on(block(README, CARGO_TOML));
    package.write("Rocket.toml", block(README, ROCKET_TOML));
    package.write("src/main.rs", block(README, MAIN));
    package
}

fn with_curl(folder: &Path, url: &str) -> String {
    let command = block(README, CURL).split('#').next().unwrap();
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

fn with_chromium(url: &str) -> [String; 3] {
    let chromium = Chromium::start();
    [(); 3].map(|()| {
        chromium.open(url);
        chromium.source()
    })
}

#[test]
#[ignore = "needs Chromium and Python: run ./test.sh"]
fn the_first_steps_run_as_pasted_and_count_for_every_client() {
    let folder = tempfile::tempdir().unwrap();
    let package = pasted(folder.path());
    let port = free_port();
    let mut program = package.built();
    program.env("ROCKET_PORT", port.to_string());
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
    assert!(package.path("app.db").exists());
}
