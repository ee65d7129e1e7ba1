//! Launches with invalid settings of the store; each aborts the launch with one line.

use std::fs;

use testing::application::refusal;

/// Starts the application with `variable` and expects one line that has all of `words`.
fn is_refused(variable: (&str, &str), words: &[&str]) {
    let database = testing::database::sqlite();
    let (status, output) = refusal(&database.url, &[variable]);
    // A process that had to be killed has no code.
    let refused = status.code().is_some_and(|code| code != 0);
    assert!(refused, "{variable:?} was accepted: {output}");
    let has_all = |line: &&str| words.iter().all(|word| line.contains(word));
    let lines = output.lines().filter(has_all).count();
    assert_eq!(lines, 1, "{variable:?}, {words:?}: {output}");
}

#[test]
fn a_name_that_no_table_has_is_refused() {
    let accepted = "has 1 to 63 of the characters a-z, A-Z, 0-9 and _";
    for (session, words) in [
        (
            r#"{table="my sessions"}"#,
            ["session.table is \"my sessions\"", accepted],
        ),
        (
            r#"{columns={id="id;"}}"#,
            ["session.columns.id is \"id;\"", accepted],
        ),
        (
            r#"{columns={sid="key"}}"#,
            ["session.columns.sid", "the columns are id, user_id"],
        ),
        (
            r#"{columns={id="key",ip="key"}}"#,
            [
                "session.columns.id and columns.ip are both \"key\"",
                "give each another name",
            ],
        ),
        (
            r#"{columns={user_agent="nonsense"}}"#,
            ["databases.app", "nonsense"],
        ),
    ] {
        is_refused(("ROCKET_SESSION", session), &words);
    }
}

#[test]
fn an_invalid_maximum_of_sessions_is_refused() {
    for number in ["0", "-1", "10000001", "many", "//", "99999999999999999999"] {
        let databases = format!("{{app={{url=\"memory:{number}\"}}}}");
        let given = format!("its url is \"memory:{number}\"");
        let words = ["databases.app", &given, "from 1 to 10000000"];
        is_refused(("ROCKET_DATABASES", &databases), &words);
    }
}

#[test]
fn an_invalid_lifetime_of_connections_is_refused() {
    for (setting, given, accepted) in [
        (
            "idle_timeout=\"0s\"",
            "databases.app.idle_timeout is 0s",
            "from 1s to 24h",
        ),
        (
            "max_lifetime=\"25h\"",
            "databases.app.max_lifetime is 1day 1h",
            "from 1s to 24h",
        ),
        (
            "max_lifetime=\"long\"",
            "databases.app.max_lifetime",
            "write one like \"30s\"",
        ),
        ("max_liftime=\"1h\"", "databases.app", "max_lifetime"),
    ] {
        let databases = format!("{{app={{url=\"sqlite:app.db\",{setting}}}}}");
        is_refused(("ROCKET_DATABASES", &databases), &[given, accepted]);
    }
}

#[test]
fn a_launch_refuses_invalid_settings_of_accounts() {
    for (setting, given, accepted) in [
        (
            "password_min=7",
            "accounts.password_min is 7",
            "a number from 8 to 64",
        ),
        (
            "password_hash=\"md5\"",
            "md5",
            "\"pbkdf2-sha256\" or \"pbkdf2-sha512\"",
        ),
        (
            "attempts_per_account=\"many\"",
            "accounts.attempts_per_account",
            "a number from 1 to 100",
        ),
        (
            "attempts_per_address=0",
            "accounts.attempts_per_address is 0",
            "a number from 1 to 10000",
        ),
        ("attempts=10", "attempts", "attempts_per_account"),
    ] {
        is_refused(
            ("ROCKET_ACCOUNTS", &format!("{{{setting}}}")),
            &[given, accepted],
        );
    }
}

#[test]
fn invalid_values_are_refused() {
    for (setting, given, accepted) in [
        (
            r#"cookie={name="__Host-id"}"#,
            "session.cookie.name",
            "leave the prefix out",
        ),
        (r#"cookie={name=""}"#, "session.cookie.name", "use letters"),
        (
            r#"user_path="userId""#,
            "session.user_path is set",
            r#"session.format = "express""#,
        ),
        (
            r#"user_path="",format="native""#,
            "session.user_path is set",
            "leave it out",
        ),
        (
            r#"cookie={secure=false,same_site="none"}"#,
            "session.cookie.same_site",
            "session.cookie.secure = true",
        ),
        (
            r#"idle_timeout="2h",absolute_timeout="1h""#,
            "session.idle_timeout is 2h",
            "raise the second",
        ),
        (
            r#"idle_timeout="0s""#,
            "session.idle_timeout is 0s",
            "at least 1s",
        ),
        (
            r#"idle_timeout="-1h""#,
            "session.idle_timeout",
            "write one like",
        ),
        (
            r#"idle_timeout="7200""#,
            "session.idle_timeout",
            "write 7200 without quotes",
        ),
        (
            r#"absolute_timeout="401days""#,
            "session.absolute_timeout",
            "at most 400days",
        ),
        (
            r#"cleanup_interval="584542046090years""#,
            "session.cleanup_interval",
            "at most ten years",
        ),
        (
            r#"idle_timeout="18446744073709551615s 1000ms""#,
            "session.idle_timeout",
            "at most ten years",
        ),
        (
            r#"cleanup_batch=0"#,
            "session.cleanup_batch is 0",
            "from 1 to 10000",
        ),
        (
            r#"max_data="0B""#,
            "session.max_data is 0B",
            "from 1B to 16MB",
        ),
    ] {
        let session = format!("{{{setting}}}");
        is_refused(("ROCKET_SESSION", &session), &[given, accepted]);
    }
    for (setting, given, accepted) in [
        (
            "pool_size=0",
            "databases.app.pool_size is 0",
            "from 1 to 256",
        ),
        ("queue=0", "databases.app.queue is 0", "from 1 to 1000000"),
        (
            "timeout=\"0s\"",
            "databases.app.timeout is 0s",
            "from 10ms to 60s",
        ),
    ] {
        let databases = format!("{{app={{url=\"sqlite:app.db\",{setting}}}}}");
        is_refused(("ROCKET_DATABASES", &databases), &[given, accepted]);
    }
}

#[test]
fn a_database_private_to_each_connection_is_refused() {
    for url in [
        "sqlite::memory:",
        "sqlite://:memory:",
        "sqlite::MEMORY:",
        "sqlite:file::memory:",
        "sqlite:file:%3Amemory%3A?cache=shared",
        "sqlite:file:x?mode=memory",
        "sqlite:file:x?mode=%6demory",
        "sqlite:file:x?cache=shared&mode=memory",
        "sqlite:file:/x?vfs=memdb",
        "sqlite:",
        "sqlite://",
        "sqlite:file:",
        "sqlite:file:?mode=rwc",
        "sqlite:file://",
    ] {
        let databases = format!("{{app={{url={url:?}}}}}");
        let given = format!("databases.app: its url is {url:?}");
        let words = [&*given, "write sqlite:FILE", "memory:"];
        is_refused(("ROCKET_DATABASES", &databases), &words);
    }
}

#[test]
fn an_unusable_file_is_refused_at_once() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("damaged"), [b'x'; 8_192]).unwrap();
    let folder = folder.path().display();
    for (url, words) in [
        (
            format!("sqlite:{folder}/damaged"),
            ["file is not a database", "from a backup"],
        ),
        (
            format!("sqlite:{folder}/none/app.db"),
            ["none", "does not exist"],
        ),
        (
            format!("sqlite:{folder}"),
            ["cannot be written", "directory"],
        ),
        (
            "sqlite:file:x?mode=memory%00".to_owned(),
            ["%00", "leave that out"],
        ),
    ] {
        let databases = format!("{{app={{url={url:?}}}}}");
        is_refused(("ROCKET_DATABASES", &databases), &words);
    }
}

#[test]
fn an_unknown_parameter_of_a_url_is_refused() {
    for (url, name, known) in [
        ("sqlite:app.db?mood=ro", "mood", "sqlite:file:FILE"),
        ("sqlite:file:app.db?mode=rwc&timeout=5", "timeout", "mode, "),
        ("memory:9?size=1", "9?size=1", "from 1 to"),
    ] {
        let databases = format!("{{app={{url={url:?}}}}}");
        is_refused(("ROCKET_DATABASES", &databases), &[name, known]);
    }
    #[cfg(feature = "test_servers")]
    for (query, name) in [
        ("init_command=SET%20x&read_timeout=2", "init_command"),
        ("ssl_ca=a.crt&read_timeout=2", "read_timeout"),
        ("ssl%5Fmode=verify_ca", "ssl%5Fmode"),
        ("SSL_MODE=verify_ca", "SSL_MODE"),
        ("sslmode", "sslmode"),
    ] {
        for scheme in ["mysql", "mariadb"] {
            let url = format!("{scheme}://ada:secret@127.0.0.1/app?{query}");
            let databases = format!("{{app={{url={url:?}}}}}");
            let name = format!("databases.app: its url has the parameter {name:?}");
            let known = "ssl_ca, ssl_cert, ssl_key, ssl_mode, unix_socket";
            is_refused(("ROCKET_DATABASES", &databases), &[&name, known]);
        }
    }
    #[cfg(feature = "test_servers")]
    {
        let url = "postgres://ada:secret@127.0.0.1/app?read_timeout=2";
        let databases = format!("{{app={{url={url:?}}}}}");
        let words = ["databases.app: its url", "\"read_timeout\"", "libpq"];
        is_refused(("ROCKET_DATABASES", &databases), &words);
    }
    #[cfg(feature = "test_servers")]
    for (url, name) in [
        ("redis://:secret@127.0.0.1/0?timeout=2", "timeout"),
        ("rediss://127.0.0.1?protocol=3&db=1", "db"),
        (
            "redis-cluster://127.0.0.1:1,127.0.0.1:2?protocol=3",
            "protocol",
        ),
    ] {
        let databases = format!("{{app={{url={url:?}}}}}");
        let name = format!("databases.app: its url has the parameter {name:?}");
        is_refused(("ROCKET_DATABASES", &databases), &[&name]);
    }
}
