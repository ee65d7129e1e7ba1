//! Runs commands with the server's settings, right and wrong.

use std::fs;

use super::program::{HOUR, Ran, many, now, run, run_with};
use testing::application::make_empty;

/// All commands that use the store.
const COMMANDS: [&[&str]; 7] = [
    &["sessions", "list"],
    &["sessions", "list", "--user", "ada@example.org"],
    &["sessions", "count", "--json"],
    &["sessions", "revoke", "--key", "abcdef12"],
    &["sessions", "revoke", "--all", "--yes"],
    &["sessions", "cleanup"],
    &["users", "disable", "ada@example.org"],
];

/// Returns the result of `sessions check`, with the failed items.
fn checked(url: &str, variables: &[(&str, &str)]) -> (i32, String) {
    let Ran { code, stdout, .. } = run_with(url, &["sessions", "check"], variables);
    let failed = stdout.lines().filter(|line| line.starts_with("failed"));
    (code, failed.collect::<Vec<_>>().join("\n"))
}

#[test]
fn a_wrong_setting_is_reported_in_one_line() {
    let database = testing::database::sqlite();
    for (variable, value, names, remedy) in [
        (
            "ROCKET_SESSION",
            r#"{idle_timeot="2h"}"#,
            "idle_timeot",
            "idle_timeout",
        ),
        (
            "ROCKET_SESSION",
            r#"{idle_timeout="48h"}"#,
            "session.idle_timeout",
            "lower the first",
        ),
        ("ROCKET_PORT", "many", "PORT", "expected u16"),
        ("ROCKET_WORKERS", "many", "WORKERS", "expected"),
    ] {
        for command in COMMANDS {
            let line = run_with(&database.url, command, &[(variable, value)]).refused(1);
            assert!(line.contains(names) && line.contains(remedy), "{line}");
        }
        let (code, failed) = checked(&database.url, &[(variable, value)]);
        assert!(
            code == 1 && failed.starts_with("failed   configuration  "),
            "{failed}"
        );
        assert!(
            failed.contains(names) && failed.contains(remedy),
            "{failed}"
        );
    }
}

fn a_database_out_of_reach_is_told_in_one_line(url: &str, remedy: &str) {
    let soon = format!("{{app={{url={url:?},timeout=\"500ms\"}}}}");
    let soon = [("ROCKET_DATABASES", &*soon)];
    for command in COMMANDS {
        let line = run_with(url, command, &soon).refused(1);
        assert!(line.contains("databases.app"), "{line}");
        assert!(line.contains(remedy), "{line}");
        assert!(!line.contains("secret"), "{line}");
    }
    let (code, failed) = checked(url, &soon);
    assert!(
        code == 1 && failed.starts_with("failed   database "),
        "{failed}"
    );
}

#[test]
fn a_file_out_of_reach() {
    let remedy = "make it, or name another one in its url";
    a_database_out_of_reach_is_told_in_one_line("sqlite:/nowhere/at/all.db", remedy);
}

/// One server is absent, the other accepts connections but never answers.
#[cfg(feature = "test_servers")]
fn a_server_out_of_reach(scheme: &str) {
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let absent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let [silent_port, absent_port] = [&silent, &absent].map(|it| it.local_addr().unwrap().port());
    drop(absent);
    for port in [silent_port, absent_port] {
        let url = format!("{scheme}://ada:secret@127.0.0.1:{port}/app");
        let remedy = "check that it runs, that its url is right";
        a_database_out_of_reach_is_told_in_one_line(&url, remedy);
    }
}

#[cfg(feature = "test_servers")]
#[test]
fn a_mysql_server_out_of_reach() {
    a_server_out_of_reach("mysql");
}

#[cfg(feature = "test_servers")]
#[test]
fn a_postgresql_server_out_of_reach() {
    a_server_out_of_reach("postgres");
}

#[test]
fn sessions_in_memory_are_out_of_reach_of_commands() {
    for command in COMMANDS {
        let line = run_with("memory:", command, &[]).refused(1);
        assert!(line.contains("in the memory of the server"), "{line}");
        assert!(line.contains("[default.databases]"), "{line}");
    }
    assert_eq!(checked("memory:", &[]).0, 1);
}

#[test]
fn tables_are_left_to_the_server() {
    let database = testing::database::sqlite();
    make_empty(&database);
    for _ in 0..2 {
        let line = run(&database, &["sessions", "list"]).refused(1);
        assert!(line.contains("run its migrations"), "{line}");
    }
}

#[test]
fn wrong_usage_and_help() {
    for arguments in [
        &["sessions"][..],
        &["sessions", "revoke"],
        &[
            "sessions",
            "revoke",
            "--key",
            "abcdef12",
            "--user",
            "ada@example.org",
        ],
        &["users", "disable"],
        &["serve"],
        &["--frobnicate"],
    ] {
        let ran = run_with("sqlite:/nowhere/at/all.db", arguments, &[]);
        assert_eq!((ran.code, &*ran.stdout), (2, ""), "{ran:?}");
    }
    // Even while the settings are wrong.
    let help = run_with("oracle:", &["--help"], &[("ROCKET_WORKERS", "many")]).done();
    for words in ["sessions", "users", "Exit codes", "3  nothing found"] {
        assert!(help.contains(words), "{help}");
    }
    let version = run_with("oracle:", &["--version"], &[]).done();
    assert_eq!(
        version,
        format!("rocket_diesel_session {}\n", env!("CARGO_PKG_VERSION"))
    );
}

#[test]
fn a_profile_of_the_file_and_the_environment_above_it() {
    let (first, second) = (testing::database::sqlite(), testing::database::sqlite());
    many(&first, 1, now() + HOUR);
    many(&second, 2, now() + HOUR);
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("Rocket.toml");
    let text = format!(
        "[default.databases.people]\nurl = {:?}\n[default.session]\ndatabase = \"people\"\n\
         [prod.databases.people]\nurl = {:?}\n[broken.session]\nidle_timeout = \"48h\"\n",
        first.url, second.url
    );
    fs::write(&file, text).unwrap();
    let count = |profile: &str, more: &[(&str, &str)]| {
        let path = file.to_str().unwrap();
        let variables = [("ROCKET_CONFIG", path), ("ROCKET_PROFILE", profile)];
        run_with(
            "oracle:",
            &["sessions", "count"],
            &[&variables, more].concat(),
        )
    };
    assert_eq!(count("dev", &[]).done(), "1\n");
    assert_eq!(count("prod", &[]).done(), "2\n");
    let above = format!("{{people={{url={:?}}}}}", first.url);
    assert_eq!(count("prod", &[("ROCKET_DATABASES", &above)]).done(), "1\n");
    let line = count("broken", &[]).refused(1);
    assert!(
        line.contains("session.idle_timeout") && line.contains("lower the first"),
        "{line}"
    );
    assert_eq!(
        count("broken", &[("ROCKET_SESSION", r#"{idle_timeout="1h"}"#)]).done(),
        "1\n"
    );
    let line = count("dev", &[("ROCKET_SESSION", r#"{database="app"}"#)]).refused(1);
    assert!(
        line.contains("oracle") && line.contains("sqlite:FILE"),
        "{line}"
    );
}
