//! Connects to databases over TLS, and refuses servers that cannot be verified.

use crate::authority::certify;
use crate::mariadb::MariaDb;
use crate::postgresql::Postgresql;
use testing::accounts::{EMAIL, is_signed_in, register};
use testing::application::{Application, refusal};
use testing::database;

/// Creates an authority that has signed no certificate here.
fn another_authority() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    certify(folder.path(), "other", "IP:127.0.0.1");
    folder
}

/// Starts the application, and uses the database.
fn is_used(url: &str) {
    let application = Application::start_at(url, &[]);
    let user = application.visitor();
    assert_eq!(register(&user, EMAIL, &[]).location(), "/home");
    assert!(is_signed_in(&user));
}

/// Expects that the launch aborts with one line that has this word.
fn is_refused(url: &str, word: &str) {
    let (status, output) = refusal(url, &[]);
    assert!(status.code().is_some_and(|code| code != 0), "{output}");
    let of_database = output
        .lines()
        .filter(|line| line.contains("databases.app: "));
    let lines: Vec<_> = of_database.collect();
    assert_eq!(lines.len(), 1, "{url}: {output}");
    assert!(lines[0].contains(word), "{url}: {output}");
    assert!(!output.contains("hunter2"), "{output}");
}

#[test]
#[ignore = "needs MariaDB: run ./test.sh"]
fn mariadb_over_tls_with_a_private_authority() {
    let server = MariaDb::start();
    server.run(
        "CREATE DATABASE app CHARACTER SET utf8mb4; \
         CREATE USER app@'127.0.0.1' IDENTIFIED BY 'hunter2hunter2'; GRANT ALL ON app.* TO app@'127.0.0.1'",
    );
    let url = format!("mysql://app:hunter2hunter2@127.0.0.1:{}/app", server.port);
    is_refused(&url, "Access denied");
    let other = another_authority();
    let wrong = other.path().join("ca.crt").display().to_string();
    is_refused(
        &format!("{url}?ssl_mode=verify_ca&ssl_ca={wrong}"),
        "certificate",
    );
    let authority = server.file("ca.crt");
    is_used(&format!("{url}?ssl_mode=verify_ca&ssl_ca={authority}"));
}

#[test]
#[ignore = "needs PostgreSQL: run ./test.sh"]
fn postgresql_over_tls_with_a_private_authority() {
    let server = Postgresql::start();
    server.run("CREATE ROLE app LOGIN PASSWORD 'hunter2hunter2'");
    server.run("CREATE DATABASE app OWNER app");
    let url = |host: &str| format!("postgres://app:hunter2hunter2@{host}:{}/app", server.port);
    is_refused(
        &format!("{}?sslmode=disable", url("127.0.0.1")),
        "no pg_hba.conf entry",
    );
    let verify = |host: &str, authority: &str| {
        format!("{}?sslmode=verify-full&sslrootcert={authority}", url(host))
    };
    let other = another_authority();
    let wrong = other.path().join("ca.crt").display().to_string();
    is_refused(&verify("127.0.0.1", &wrong), "certificate verify failed");
    let authority = server.file("ca.crt");
    is_refused(&verify("localhost", &authority), "does not match host name");
    is_used(&verify("127.0.0.1", &authority));
}

/// MariaDB's client library would continue without TLS.
#[test]
#[ignore = "needs MariaDB: run ./test.sh"]
fn a_mariadb_without_tls_is_refused_where_tls_was_asked_for() {
    let plain = database::mariadb();
    let folder = another_authority();
    let authority = folder.path().join("ca.crt").display().to_string();
    for parameters in [
        format!("ssl_ca={authority}"),
        format!("ssl_mode=verify_ca&ssl_ca={authority}"),
        "ssl_mode=required".to_owned(),
    ] {
        is_refused(&format!("{}?{parameters}", plain.url), "has none");
    }
}

/// Debian's client library is MariaDB's.
#[test]
#[ignore = "needs MariaDB: run ./test.sh"]
fn a_verification_that_the_client_library_lacks_is_refused() {
    let url = format!(
        "{}?ssl_mode=VERIFY_IDENTITY&ssl_ca=ca.crt",
        database::mariadb().url
    );
    is_refused(&url, "verifies no names");
}
