//! Launches the application with different settings of Redis, and of its users.

use super::users::settings;
use testing::accounts::{EMAIL, is_signed_in, register};
use testing::application::{Application, refusal};
use testing::database;
use testing::redis::{Cluster, Redis, ask, nodes};
use testing::server::free_port;

/// A password that must not appear anywhere.
pub(crate) const SECRET: &str = "horse-battery-staple";

/// Returns the one line with which the application refuses the settings.
pub(crate) fn refused(entry: &str) -> String {
    let users = database::sqlite();
    let variables = settings(&users, entry, "sessions");
    let (status, output) = refusal(&users.url, &variables.each_ref().map(|(k, v)| (*k, &**v)));
    assert!(!output.contains(SECRET), "{output}");
    // A process that had to be killed has no code.
    let refused = status.code().is_some_and(|code| code != 0);
    assert!(refused, "{entry} was accepted: {output}");
    let lines = output
        .lines()
        .filter(|line| line.contains("databases.sessions"));
    let lines: Vec<_> = lines.collect();
    assert_eq!(lines.len(), 1, "{output}");
    lines[0].to_owned()
}

/// Signs a user in with these settings, and returns the output of the application.
pub(crate) fn accepted(entry: &str, more: &[(&str, &str)]) -> String {
    let users = database::sqlite();
    let variables = settings(&users, entry, "sessions");
    let mut variables = variables.each_ref().map(|(k, v)| (*k, &**v)).to_vec();
    variables.extend(more);
    let application = Application::start_with(&users, &variables);
    let visitor = application.visitor();
    register(&visitor, EMAIL, &[]);
    assert!(is_signed_in(&visitor));
    application.output()
}

fn url(url: &str) -> String {
    format!("url={url:?}")
}

fn has_all(line: &str, words: &[&str]) {
    for word in words {
        assert!(line.contains(word), "{word} in {line}");
    }
}

#[test]
#[ignore = "needs Redis: run ./test.sh"]
fn a_redis_that_evicts_sessions_is_refused_unless_allowed() {
    let redis = Redis::start(&["--maxmemory", "100mb"]);
    for policy in ["allkeys-lru", "volatile-ttl"] {
        redis.ask(&["CONFIG", "SET", "maxmemory-policy", policy]);
        let line = refused(&url(&redis.url()));
        has_all(&line, &[policy, "noeviction", "allow_eviction = true"]);
        accepted(&format!("{},allow_eviction=true", url(&redis.url())), &[]);
    }
    redis.ask(&["CONFIG", "SET", "maxmemory-policy", "noeviction"]);
    accepted(&url(&redis.url()), &[]);
}

#[test]
#[ignore = "needs Redis: run ./test.sh"]
fn a_launch_warns_if_a_restart_of_redis_would_lose_sessions() {
    let redis = Redis::start(&[]);
    let warnings = || {
        let output = accepted(&url(&redis.url()), &[]);
        let warns = |line: &&str| line.contains("sessions are kept in a Redis");
        let lines: Vec<_> = output.lines().filter(warns).map(str::to_owned).collect();
        lines
    };
    let nothing_kept = warnings();
    assert_eq!(nothing_kept.len(), 1);
    let remedy = "set appendonly yes in redis.conf";
    has_all(
        &nothing_kept[0],
        &["keeps nothing on disk", "ends every session", remedy],
    );

    redis.ask(&["CONFIG", "SET", "save", "900 1"]);
    let now_and_then = warnings();
    assert_eq!(now_and_then.len(), 1);
    let words = [
        "save \"900 1\"",
        "loses all sign-ins",
        "brings back what was ended",
        remedy,
    ];
    has_all(&now_and_then[0], &words);

    redis.ask(&["CONFIG", "SET", "appendonly", "yes"]);
    for (fsync, words) in [
        ("everysec", ["its crash loses", "the last second"]),
        (
            "no",
            ["a crash of its machine loses", "the last 30 seconds"],
        ),
    ] {
        redis.ask(&["CONFIG", "SET", "appendfsync", fsync]);
        let by_crash = warnings();
        assert_eq!(by_crash.len(), 1, "{fsync}");
        has_all(&by_crash[0], &words);
        has_all(&by_crash[0], &["appendfsync always loses none"]);
    }
    redis.ask(&["CONFIG", "SET", "appendfsync", "always"]);
    assert_eq!(warnings(), [""; 0]);
}

/// Creates a Redis user with these rights only, and returns its credentials.
fn user_who_may(redis: &Redis, rules: &str) -> &'static str {
    let rule = format!("ACL SETUSER app reset on >open ~sessions:* {rules}");
    redis.ask(&rule.split(' ').collect::<Vec<_>>());
    "app:open@127.0.0.1"
}

/// Returns the warnings of a launch.
fn warnings(url: &str) -> Vec<String> {
    let output = accepted(&format!("url={url:?}"), &[]);
    let warns = |line: &&str| line.contains("Redis") || line.contains("NTP");
    output.lines().filter(warns).map(str::to_owned).collect()
}

#[test]
#[ignore = "needs Redis: run ./test.sh"]
fn missing_rights_are_warned_of_without_false_statements() {
    let redis = Redis::start(&["--appendonly", "yes"]);
    for (rules, words) in [
        ("+@all -@dangerous", &["forbids INFO"][..]),
        ("+@all -@dangerous -cluster", &["forbids INFO"]),
        ("+@all -@dangerous +info", &[]),
        ("+@all -@dangerous +info -cluster", &[]),
        ("+@all -@dangerous +info -time", &["did not say its time"]),
    ] {
        let user = user_who_may(&redis, rules);
        let lines = warnings(&format!("redis://{user}:{}", redis.port));
        assert_eq!(lines.len(), words.len(), "{rules}: {lines:?}");
        lines.iter().for_each(|line| has_all(line, words));
    }
}

#[test]
#[ignore = "needs Redis: run ./test.sh"]
fn a_user_who_may_not_write_is_refused() {
    let redis = Redis::start(&["--appendonly", "yes"]);
    let user = user_who_may(&redis, "+@all -@dangerous +info -@scripting");
    let at = url(&format!("redis://{user}:{}", redis.port));
    has_all(&refused(&at), &["databases.sessions", "permissions"]);
}

#[test]
#[ignore = "needs Redis: run ./test.sh"]
fn missing_rights_on_a_cluster_are_warned_of() {
    let cluster = Cluster::start();
    for (rules, words) in [
        ("+@all -@dangerous", "forbids INFO"),
        ("+@all -@dangerous -cluster", "forbids CLUSTER NODES"),
    ] {
        let users = cluster.nodes.each_ref().map(|it| user_who_may(it, rules));
        let [first, ..] = &cluster.nodes;
        let lines = warnings(&format!("redis-cluster://{}:{}", users[0], first.port));
        assert_eq!(lines.len(), 1, "{rules}: {lines:?}");
        has_all(&lines[0], &[words]);
    }
    let [first, ..] = &cluster.nodes;
    let user = user_who_may(first, "+@all -@dangerous");
    let alone = format!("redis://{user}:{}", first.port);
    has_all(&refused(&url(&alone)), &["it is a node of a cluster"]);
}

#[test]
#[ignore = "needs Redis: run ./test.sh"]
fn a_cluster_url_of_a_single_server_and_the_reverse_are_refused() {
    let cluster = database::redis_cluster();
    for node in nodes(&cluster.url) {
        has_all(
            &refused(&url(&node)),
            &["redis-cluster://host:port,host:port"],
        );
    }
    let alone = database::redis();
    let (alone, _number) = alone.url.rsplit_once('/').unwrap();
    let as_cluster = alone.replace("redis://", "redis-cluster://");
    has_all(&refused(&url(&as_cluster)), &["cluster support disabled"]);
}

#[test]
#[ignore = "needs Redis: run ./test.sh"]
fn an_unreadable_or_unreachable_redis_is_refused_in_one_line() {
    let nobody = free_port();
    for (address, word) in [
        (format!("redis://:{SECRET}@127.0.0.1:{nobody}/0"), "refused"),
        (
            format!("redis-cluster://:{SECRET}@127.0.0.1:{nobody},127.0.0.1:{nobody}"),
            "refused",
        ),
        (
            format!("redis://:{SECRET}@127.0.0.1:port"),
            "redis://USER:PASSWORD@HOST:PORT",
        ),
        (
            format!("redis://:{SECRET}@127.0.0.1/first"),
            "redis://user:password@host:6379/0",
        ),
        (
            format!("redis-cluster://:{SECRET}@"),
            "redis-cluster://user:password@host:6379",
        ),
    ] {
        has_all(&refused(&url(&address)), &[word]);
    }
    let (status, output) = refusal(&format!("redi://:{SECRET}@127.0.0.1"), &[]);
    assert!(status.code().is_some_and(|code| code != 0));
    assert!(!output.contains(SECRET), "{output}");
    let says = |line: &&str| line.contains("unknown scheme \"redi\"") && line.contains("redis://");
    assert_eq!(output.lines().filter(says).count(), 1, "{output}");
}

#[test]
#[ignore = "needs Redis: run ./test.sh"]
fn a_password_a_user_and_a_number_in_the_url_are_used() {
    let redis = Redis::start(&[]);
    let at = |credentials: &str| url(&format!("redis://{credentials}@127.0.0.1:{}/5", redis.port));
    user_who_may(&redis, "+@all -@dangerous +info");
    redis.ask(&["CONFIG", "SET", "requirepass", SECRET]);

    for wrong in [
        format!(":not-{SECRET}"),
        format!("app:{SECRET}"),
        format!("nobody:{SECRET}"),
    ] {
        has_all(&refused(&at(&wrong)), &["assword"]);
    }
    has_all(&refused(&url(&redis.url())), &["NOAUTH"]);
    let output = accepted(&at("app:open"), &[]);
    has_all(&output, &["append-only file is off"]);
    accepted(&at(&format!(":{SECRET}")), &[]);

    let address = format!("redis://default:{SECRET}@127.0.0.1:{}", redis.port);
    let size = |number: u8| ask(&format!("{address}/{number}"), &["DBSIZE"]);
    // Two sessions, and the list of the user for each.
    assert_eq!((size(0), size(5)), ("0".to_owned(), "4".to_owned()));
}
