//! Runs the application with a least-privilege database account.

use std::process::Output;

use crate::mariadb::MariaDb;
use crate::postgresql::Postgresql;
use crate::site::shipped;
use testing::accounts::{EMAIL, PASSWORD, is_signed_in, register, sign_in};
use testing::application::Application;

/// The owner creates the tables; a least-privilege account does everything else.
fn walk(owner: &str, least: &str) {
    drop(Application::start_at(owner, &[]));
    let keeps = r#"{migrate=false,cleanup_interval="1s"}"#;
    let application = Application::start_at(least, &[("ROCKET_SESSION", keeps)]);
    let (user, other) = (application.visitor(), application.visitor());
    assert_eq!(register(&user, EMAIL, &[]).location(), "/home");
    assert_eq!(sign_in(&other, EMAIL, "not the right one").status, 401);
    assert_eq!(sign_in(&other, EMAIL, PASSWORD).location(), "/home");
    for page in ["/home", "/messages", "/account", "/account/devices"] {
        assert_eq!(user.get(page).status, 200, "{page}");
    }
    let place = [("_method", "put"), ("location", "London")];
    assert_eq!(
        user.post("/account/location", &place).location(),
        "/account"
    );
    let passwords = [
        ("current", PASSWORD),
        ("new", "another correct horse battery"),
    ];
    assert_eq!(
        user.post("/account/password", &passwords).location(),
        "/account"
    );
    assert!(!is_signed_in(&other));
    assert_eq!(user.post("/logout", &[]).location(), "/login?signed_out");
    assert_eq!(user.get("/health/ready").status, 200);
    let output = application.output().to_lowercase();
    assert!(!output.contains("denied"), "{output}");
}

/// Statements that the account must not run, on either database.
const TOO_MUCH: [&str; 8] = [
    "DROP TABLE users",
    "DROP TABLE sessions",
    "ALTER TABLE users ADD COLUMN more INT",
    "TRUNCATE TABLE sessions",
    "CREATE TABLE more (id INT)",
    "CREATE INDEX more ON users (first_name)",
    "SELECT * FROM __diesel_schema_migrations",
    "DELETE FROM __diesel_schema_migrations",
];

fn is_denied(statement: &str, done: &Output) {
    let said = String::from_utf8_lossy(&done.stderr).to_lowercase();
    let denied = said.contains("denied") || said.contains("must be owner");
    assert!(!done.status.success() && denied, "{statement}: {done:?}");
}

#[test]
#[ignore = "needs MariaDB: run ./test.sh"]
fn the_application_runs_with_the_least_rights_on_mariadb() {
    let server = MariaDb::start();
    server.run(&shipped("grants-mariadb.sql", &[]));
    server.run("CREATE DATABASE other; CREATE TABLE other.things (id INT)");
    let url = |account: &str| {
        let (port, authority) = (server.port, server.file("ca.crt"));
        format!("mysql://{account}@127.0.0.1:{port}/app?ssl_mode=verify_ca&ssl_ca={authority}")
    };
    walk(
        &url("session_owner:change%20me"),
        &url("session:change%20me%20too"),
    );

    let (authority, port) = (server.file("ca.crt"), server.port.to_string());
    let least = |statement: &str| {
        let encrypted = [format!("--ssl-ca={authority}"), format!("--port={port}")];
        let [authority, port] = encrypted.each_ref().map(String::as_str);
        let arguments = [
            "--user=session",
            "--password=change me too",
            "--host=127.0.0.1",
            "--protocol=tcp",
            authority,
            port,
            "app",
        ];
        server.client(&arguments, statement)
    };
    assert!(least("SELECT id FROM users").status.success());
    let of_mariadb = [
        "SELECT * FROM other.things",
        "SELECT * FROM mysql.global_priv",
        "SHOW GRANTS FOR root@localhost",
        "GRANT SELECT ON users TO root@localhost",
        "CREATE TABLE users (id INT)",
        "CREATE TABLE sessions (id INT)",
        "CREATE TABLE attempts (id INT)",
        "CREATE TABLE known_devices (id INT)",
    ];
    for statement in TOO_MUCH.into_iter().chain(of_mariadb) {
        is_denied(statement, &least(statement));
    }
}

#[test]
#[ignore = "needs PostgreSQL: run ./test.sh"]
fn the_application_runs_with_the_least_rights_on_postgresql() {
    let server = Postgresql::start();
    server.run(&shipped("grants-postgres.sql", &[]));
    let url = |account: &str| {
        let (port, authority) = (server.port, server.file("ca.crt"));
        let tls = format!("sslmode=verify-full&sslrootcert={authority}");
        format!("postgres://{account}@127.0.0.1:{port}/app?{tls}")
    };
    walk(
        &url("session_owner:change%20me"),
        &url("session:change%20me%20too"),
    );

    let least = |statement: &str| server.client(&["-d", "app", "-U", "session"], statement);
    assert!(least("SELECT id FROM users").status.success());
    let of_postgresql = [
        "CREATE SCHEMA more",
        "CREATE DATABASE more",
        "SELECT * FROM pg_authid",
        "SELECT pg_read_file('postgresql.conf')",
    ];
    for statement in TOO_MUCH.into_iter().chain(of_postgresql) {
        is_denied(statement, &least(statement));
    }
}
