//! A store on the application's pool: no setting and no call is ignored without a message.

use std::path::Path;

use testing::database::{TestDatabase, sqlite};
use testing::server::{Browser, Server, ended, example, free_port};

fn command(database: &TestDatabase) -> std::process::Command {
    let mut command = example("busy");
    // Away from the application's Rocket.toml.
    let folder = Path::new(database.address()).parent().unwrap();
    command
        .current_dir(folder)
        .env("POOL", database.address())
        .env("ROCKET_CLI_COLORS", "false")
        .env("ROCKET_LOG_LEVEL", "normal");
    command
}

/// The line with which the launch aborts.
fn refusal(command: &mut std::process::Command, session: &str) -> String {
    let command = command
        .env("ROCKET_PORT", free_port().to_string())
        .env("ROCKET_SESSION", format!("{{{session}}}"));
    let (status, printed) = ended(command);
    assert!(!status.success(), "{session}: {printed}");
    assert!(!printed.contains("panicked"), "{printed}");
    let is_reason = |line: &&str| line.starts_with("Error: ") && !line.contains("failing fairings");
    let lines = printed.lines().filter(is_reason);
    let [line] = lines.collect::<Vec<_>>()[..] else {
        panic!("{printed}");
    };
    line.to_owned()
}

#[test]
fn it_works_without_an_entry_of_databases() {
    let database = sqlite();
    let port = free_port();
    let mut command = command(&database);
    command
        .env("ROCKET_PORT", port.to_string())
        .env("ROCKET_SESSION", "{cookie={secure=false}}");
    let server = Server::start(&mut command, port);
    let mut browser = Browser::default();
    let visits = format!("{}/visits", server.base);
    assert_eq!(browser.post(&visits), (200, "1".to_owned()));
    assert_eq!(database.store.count(0).unwrap(), 1);
}

#[test]
fn users_of_the_fairing_are_refused_with_the_remedy() {
    let database = sqlite();
    let mut command = command(&database);
    let line = refusal(command.env("USERS", "people,id,name"), "");
    for words in [
        "Sessions::with_user",
        "Sessions::with_store",
        "DieselStore::with_user",
        "session.users",
    ] {
        assert!(line.contains(words), "{words}: {line}");
    }
}

#[test]
fn a_pool_without_a_busy_timeout_is_logged_with_the_remedy() {
    for (timeout, expected) in [("0", 1), ("1000", 0)] {
        let database = sqlite();
        let folder = tempfile::tempdir().unwrap();
        let output = folder.path().join("output");
        let port = free_port();
        let mut command = command(&database);
        command
            .env("BUSY_TIMEOUT", timeout)
            .env("ROCKET_PORT", port.to_string())
            .env("ROCKET_SESSION", "{cookie={secure=false}}")
            .stdout(std::fs::File::create(&output).unwrap());
        let server = Server::start(&mut command, port);
        for _ in 0..3 {
            let mut browser = Browser::default();
            assert_eq!(browser.post(&format!("{}/visits", server.base)).0, 200);
        }
        let output = std::fs::read_to_string(&output).unwrap();
        let lines = output.lines().filter(|line| line.contains("busy_timeout"));
        let lines: Vec<_> = lines.collect();
        assert_eq!(lines.len(), expected, "{output}");
        for words in ["DieselStore::new", "CustomizeConnection"] {
            assert!(lines.iter().all(|line| line.contains(words)), "{lines:?}");
        }
    }
}

#[test]
fn users_in_a_database_of_the_configuration_are_accepted() {
    let [database, people] = [sqlite(), sqlite()];
    people.run("CREATE TABLE people (id VARCHAR(9) PRIMARY KEY, name VARCHAR(9))");
    let port = free_port();
    let mut command = command(&database);
    command
        .env("USERS", "people,id,name")
        .env("ROCKET_PORT", port.to_string())
        .env(
            "ROCKET_DATABASES",
            format!("{{people={{url={:?}}}}}", people.url),
        )
        .env("ROCKET_SESSION", "{users=\"people\",cookie={secure=false}}");
    let server = Server::start(&mut command, port);
    let mut browser = Browser::default();
    assert_eq!(browser.post(&format!("{}/visits", server.base)).0, 200);
}

#[test]
fn settings_of_the_table_are_refused_with_the_remedy() {
    let database = sqlite();
    for (session, words) in [
        (
            "table=\"visits\"",
            ["session.table", "DieselStore::with_table"],
        ),
        (
            "columns={ip=\"address\"}",
            ["session.columns", "DieselStore::with_table"],
        ),
        (
            "create_table=true",
            ["session.create_table", "DieselStore::create_table"],
        ),
        ("migrate=true", ["session.migrate", "session.users"]),
        ("database=\"other\"", ["session.database", "leave"]),
    ] {
        let line = refusal(&mut command(&database), session);
        for words in words.into_iter().chain(["Sessions::with_store"]) {
            assert!(line.contains(words), "{words}: {line}");
        }
    }
}

#[test]
fn a_pool_without_the_table_is_refused_with_the_remedy() {
    let database = sqlite();
    database.run("DROP TABLE sessions");
    let line = refusal(&mut command(&database), "");
    for words in [
        "Sessions::with_store",
        "no such table",
        "DieselStore::create_table",
    ] {
        assert!(line.contains(words), "{words}: {line}");
    }
    for words in ["databases.", "url", "session.create_table"] {
        assert!(!line.contains(words), "{words}: {line}");
    }
}
