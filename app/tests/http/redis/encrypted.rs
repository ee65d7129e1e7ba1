//! Connects to Redis over TLS.

use std::process::Command;

use super::launch::{accepted, refused};
use testing::redis::Redis;
use testing::server::free_port;

/// Runs openssl in the folder of a server.
fn openssl(redis: &Redis, arguments: &str) {
    let mut command = Command::new("openssl");
    command
        .current_dir(redis.folder.path())
        .args(arguments.split(' '));
    let done = command.output().unwrap();
    assert!(done.status.success(), "{done:?}");
}

/// Starts a server with a certificate of a private authority, and returns its TLS port.
fn redis() -> (Redis, u16) {
    let (redis, port) = (Redis::start(&[]), free_port());
    let make = "req -x509 -newkey rsa:2048 -nodes -days 2";
    openssl(
        &redis,
        &format!("{make} -keyout ca.key -out ca.crt -subj /CN=authority"),
    );
    openssl(
        &redis,
        &format!(
            "{make} -keyout redis.key -out redis.crt -subj /CN=redis -CA ca.crt -CAkey ca.key \
             -addext basicConstraints=critical,CA:FALSE -addext subjectAltName=IP:127.0.0.1"
        ),
    );
    let set = "CONFIG SET tls-cert-file redis.crt tls-key-file redis.key tls-ca-cert-file ca.crt \
               tls-auth-clients no tls-port";
    let set = format!("{set} {port}");
    redis.ask(&set.split(' ').collect::<Vec<_>>());
    (redis, port)
}

#[test]
#[ignore = "needs Redis: run ./test.sh"]
fn tls_connects_to_servers_that_it_verifies_or_is_set_to_trust() {
    let (redis, port) = redis();
    let entry = |more: &str| format!("url=\"rediss://127.0.0.1:{port}{more}\"");
    let line = refused(&entry("/0"));
    assert!(line.contains("certificate"), "{line}");
    assert_eq!(redis.ask(&["DBSIZE"]), "0");

    let authority = redis.folder.path().join("ca.crt");
    accepted(
        &entry("/0"),
        &[("SSL_CERT_FILE", authority.to_str().unwrap())],
    );
    assert_eq!(redis.ask(&["DBSIZE"]), "2");
    accepted(&entry(&format!("/0?ssl_ca={}", authority.display())), &[]);
    assert_eq!(redis.ask(&["DBSIZE"]), "4");
    // An authority of no server is trusted alone, too.
    openssl(
        &redis,
        "req -x509 -newkey rsa:2048 -nodes -keyout b.key -out b.crt -subj /CN=b",
    );
    let other = redis.folder.path().join("b.crt");
    let line = refused(&entry(&format!("/0?ssl_ca={}", other.display())));
    assert!(line.contains("certificate"), "{line}");
    accepted(&entry("/0#insecure"), &[]);
    assert_eq!(redis.ask(&["DBSIZE"]), "6");
}
