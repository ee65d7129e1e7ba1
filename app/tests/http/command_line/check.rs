//! Runs `sessions check`.

use rocket::serde::json::{Value, from_str};

use super::program::{ADA, GRACE, HOUR, anonymous, execute, many, now, register, run, run_with};
use testing::application::{Application, make_empty};
use testing::database::TestDatabase;
use testing::on_every_backend;

on_every_backend!(
    a_working_configuration_passes_the_check,
    unusable_tables_fail_the_check,
    a_missing_table_fails_the_check,
    the_sql_that_the_check_prints_completes_the_table,
    migrate_runs_what_is_pending_and_says_so,
);

const PROD: [(&str, &str); 1] = [("ROCKET_PROFILE", "prod")];

/// Returns names and results of the checks.
fn found(check: &Value) -> Vec<(&str, &str)> {
    let lines = check["checks"].as_array().unwrap().iter();
    let line = lines.map(|it| (it["name"].as_str().unwrap(), it["status"].as_str().unwrap()));
    line.collect()
}

fn found_of<'a>(check: &'a Value, name: &str) -> &'a str {
    let found = found(check).into_iter();
    let mut lines = found.filter(|(it, _)| *it == name);
    lines.next().unwrap().1
}

fn detail<'a>(check: &'a Value, name: &str) -> &'a str {
    let mut lines = check["checks"].as_array().unwrap().iter();
    let line = lines.find(|line| line["name"] == name).unwrap();
    line["detail"].as_str().unwrap()
}

fn a_working_configuration_passes_the_check(database: &TestDatabase) {
    many(database, 3, now() - 1);
    database
        .store
        .insert(&anonymous("f1", now() + HOUR))
        .unwrap();
    let check = run_with(&database.url, &["sessions", "check", "--json"], &PROD).json();
    assert_eq!(check["status"], "ok", "{check}");
    let names = [
        "configuration",
        "cookie",
        "database",
        "clock",
        "tables",
        "columns",
        "sessions",
    ];
    assert_eq!(found(&check), names.map(|name| (name, "ok")));
    assert!(detail(&check, "configuration").contains("profile prod"));
    assert!(detail(&check, "database").ends_with(" ms"));
    assert_eq!(detail(&check, "sessions"), "1 live, 3 expired");
    assert_eq!(database.store.count(0).unwrap(), 4, "the probe is gone");

    let text = run(database, &["sessions", "check"]).done();
    let statuses: Vec<_> = text
        .lines()
        .map(|line| line.split(' ').next().unwrap())
        .collect();
    assert_eq!(
        statuses,
        ["ok", "warning", "ok", "ok", "ok", "ok", "ok"],
        "{text}"
    );
    assert!(text.contains("not Secure") && text.contains("session.cookie.secure = true"));
}

fn unusable_tables_fail_the_check(database: &TestDatabase) {
    // Makes each further insert of a first version fail.
    database
        .store
        .insert(&anonymous("f1", now() + HOUR))
        .unwrap();
    execute(database, "CREATE UNIQUE INDEX one ON sessions (version)");
    let check = run(database, &["sessions", "check", "--json"]);
    assert_eq!(
        (check.code, check.stderr.lines().count()),
        (1, 1),
        "{check:?}"
    );
    let check: Value = from_str(&check.stdout).unwrap();
    assert_eq!(check["status"], "failed");
    assert_eq!(
        found(&check)[3..],
        [
            ("clock", "ok"),
            ("tables", "failed"),
            ("columns", "ok"),
            ("sessions", "ok")
        ]
    );

    make_empty(database);
    for _ in 0..2 {
        let check = run(database, &["sessions", "check"]);
        assert_eq!(check.code, 1, "{check:?}");
        let last = check.stdout.lines().last().unwrap();
        assert!(last.starts_with("failed   database "), "{last}");
        assert!(last.contains("run its migrations"), "{last}");
    }
}

fn a_missing_table_fails_the_check(database: &TestDatabase) {
    execute(database, "DROP TABLE known_devices");
    let check = run(database, &["sessions", "check"]);
    assert_eq!(check.code, 1, "{check:?}");
    let mut lines = check.stdout.lines();
    let tables = lines.find(|line| line.starts_with("failed   tables "));
    assert!(tables.unwrap().contains("known_devices"), "{check:?}");
}

/// Changes of the table, each with a word of the SQL that takes it back.
fn changes(database: &TestDatabase) -> Vec<(&'static str, &'static str)> {
    let mut changes = vec![
        ("ALTER TABLE sessions DROP COLUMN user_agent", "ADD COLUMN"),
        ("ALTER TABLE sessions DROP COLUMN deadline", "DEFAULT 0"),
        ("ALTER TABLE sessions DROP COLUMN data", "DEFAULT ('{}')"),
    ];
    changes.extend(match database.url.split(':').next().unwrap() {
        "sqlite" => vec![
            ("DROP INDEX sessions_user_id", "sessions_user_id"),
            (
                "ALTER TABLE sessions RENAME TO before; CREATE TABLE sessions AS SELECT * FROM before;
                 DROP TABLE before",
                "DROP TABLE",
            ),
        ],
        "mysql" => vec![
            ("DROP INDEX sessions_user_id ON sessions", "sessions_user_id"),
            ("ALTER TABLE sessions DROP PRIMARY KEY", "UNIQUE"),
            (
                "DROP INDEX sessions_id ON sessions; CREATE INDEX plain ON sessions (id)",
                "UNIQUE",
            ),
            ("ALTER TABLE sessions MODIFY data TEXT NOT NULL", "1000000"),
            ("ALTER TABLE sessions MODIFY version BIGINT NULL", "NOT NULL"),
            ("ALTER TABLE sessions MODIFY ip VARCHAR(9)", "VARCHAR(45)"),
            (
                "ALTER TABLE sessions MODIFY user_id VARCHAR(64) COLLATE utf8mb4_general_ci",
                "binary",
            ),
        ],
        _ => vec![
            ("DROP INDEX sessions_user_id", "sessions_user_id"),
            ("ALTER TABLE sessions DROP CONSTRAINT sessions_pkey", "UNIQUE"),
            (
                "DROP INDEX sessions_id; CREATE INDEX plain ON sessions (id)",
                "UNIQUE",
            ),
            ("ALTER TABLE sessions ALTER version DROP NOT NULL", "SET NOT NULL"),
            (
                "UPDATE sessions SET ip = ''; ALTER TABLE sessions ALTER ip SET NOT NULL",
                "DROP NOT NULL",
            ),
            ("ALTER TABLE sessions ALTER ip TYPE VARCHAR(9)", "VARCHAR(45)"),
            ("ALTER TABLE sessions ALTER created_at TYPE TEXT", "USING"),
            ("ALTER TABLE sessions ALTER seen_at TYPE INTEGER USING 0", "BIGINT"),
        ],
    });
    changes
}

fn the_sql_that_the_check_prints_completes_the_table(database: &TestDatabase) {
    many(database, 3, now() + HOUR);
    for (change, word) in changes(database) {
        execute(database, change);
        let check = run(database, &["sessions", "check"]);
        let beginnings = ["by this SQL: ", "run as its owner: "];
        let mut found = beginnings
            .iter()
            .filter_map(|it| check.stdout.split_once(it));
        let (_, sql) = found
            .next()
            .unwrap_or_else(|| panic!("{change}: {check:?}"));
        let sql = sql.lines().next().unwrap();
        assert!(sql.contains(word) && sql.ends_with(';'), "{change}: {sql}");
        execute(database, sql);
        let check = run(database, &["sessions", "check", "--json"]).json();
        assert_eq!(found_of(&check, "columns"), "ok", "{change}: {check}");
        assert_eq!(database.store.count(0).unwrap(), 3, "{change}");
    }
}

fn migrate_runs_what_is_pending_and_says_so(database: &TestDatabase) {
    make_empty(database);
    let ran = run(database, &["migrate"]).done();
    let versions = ["000001", "000002", "000003", "000004", "000005"];
    assert_eq!(ran.lines().count(), versions.len(), "{ran}");
    for (line, version) in ran.lines().zip(versions) {
        assert!(
            line.starts_with("ran the migration 2026") && line.ends_with(version),
            "{ran}"
        );
    }
    let again = run(database, &["migrate"]).done();
    assert_eq!(again, "all migrations ran before\n");
    run(database, &["sessions", "check"]).done();
}

#[test]
fn the_cookie_is_as_the_check_says() {
    let database = testing::database::sqlite();
    for (profile, email) in [("dev", ADA), ("prod", GRACE)] {
        let variables = [
            ("ROCKET_PROFILE", profile),
            (
                "ROCKET_SESSION",
                r#"{cookie={name="sid",same_site="strict"}}"#,
            ),
        ];
        let check = run_with(&database.url, &["sessions", "check", "--json"], &variables).json();
        let application = Application::start_with(&database, &variables);
        let registered = register(&application.visitor(), email);
        let name = if profile == "prod" {
            "__Host-sid"
        } else {
            "sid"
        };
        let cookie = registered.set_cookie(name).unwrap();
        let text = detail(&check, "cookie").to_lowercase();
        for attribute in ["HttpOnly", "SameSite=Strict", "Secure"] {
            let has = cookie.contains(attribute);
            let attribute = attribute.to_lowercase();
            let says = text.contains(&attribute) && !text.contains(&format!("not {attribute}"));
            assert_eq!(says, has, "{attribute}: {text}: {cookie}");
        }
    }
    let open = [("ROCKET_SESSION", "{cookie={http_only=false}}"), PROD[0]];
    let check = run_with(&database.url, &["sessions", "check"], &open).done();
    assert!(
        check.contains("warning  cookie") && check.contains("not HttpOnly"),
        "{check}"
    );
    let auto = [("ROCKET_SESSION", r#"{cookie={secure="auto"}}"#), PROD[0]];
    let check = run_with(&database.url, &["sessions", "check"], &auto).done();
    assert!(
        check.contains("Secure where the request came over TLS"),
        "{check}"
    );
}
