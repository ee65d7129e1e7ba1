//! Compares the API with its description, by hundreds of requests of schemathesis.

use std::fs;
use std::process::{Command, Output};

use testing::accounts::{EMAIL, PASSWORD, register};
use testing::application::Application;
use testing::database::{TestDatabase, sqlite};
use testing::provided;

/// In seconds.
const TIME: &str = "25";

/// Sends each operation all requests that its description allows, and others.
fn ask(application: &Application, variables: &[(&str, &str)]) -> Output {
    let api = format!("{}/api/v1", application.base);
    let folder = tempfile::tempdir().unwrap();
    let description = folder.path().join("openapi.json");
    let text = application.visitor().get("/api/v1/openapi.json").body;
    fs::write(&description, text).unwrap();
    let own = testing::root().join("app/tests/http/api/schemathesis");
    let mut command = Command::new(provided("schemathesis", "TEST_SCHEMATHESIS"));
    command
        .current_dir(folder.path())
        .arg("run")
        .arg(description)
        .args(["--url", &api, "--checks", "all", "--seed", "1"])
        .args(["--max-time", TIME, "--generation-database", "none"])
        .args(["--no-color", "--warnings", "off"])
        .env("API", &api)
        .env("SCHEMATHESIS_HOOKS", own.join("hooks.py"))
        .envs(variables.iter().copied());
    command.output().unwrap()
}

/// Raises the limits of attempts, which are not under test.
fn start(database: &TestDatabase) -> Application {
    let many = "{attempts_per_account=100,attempts_per_address=10000}";
    Application::start_with(database, &[("ROCKET_ACCOUNTS", many)])
}

fn assert_nothing_found(asked: &Output) {
    let report = String::from_utf8_lossy(&asked.stdout);
    let errors = String::from_utf8_lossy(&asked.stderr);
    assert!(asked.status.success(), "{report}{errors}");
    for words in ["Tested: 10", "No issues found"] {
        assert!(report.contains(words), "{words} in {report}");
    }
}

#[test]
#[ignore = "needs schemathesis: run ./test.sh"]
fn an_anonymous_program_gets_what_the_description_says() {
    let database = sqlite();
    assert_nothing_found(&ask(&start(&database), &[]));
}

#[test]
#[ignore = "needs schemathesis: run ./test.sh"]
fn a_signed_in_program_gets_what_the_description_says() {
    let database = sqlite();
    let application = start(&database);
    register(&application.visitor(), EMAIL, &[]);
    let user = [("EMAIL", EMAIL), ("PASSWORD", PASSWORD)];
    assert_nothing_found(&ask(&application, &user));
}
