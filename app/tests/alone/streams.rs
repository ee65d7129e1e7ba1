//! Holds very many streams of open pages, counts their cost, and ends some from the command line.

use std::process::Command;
use std::sync::Mutex;
#[cfg(feature = "test_servers")]
use std::thread;
use std::time::Duration;
#[cfg(feature = "test_servers")]
use std::time::Instant;

#[cfg(feature = "test_servers")]
use diesel::{Connection, MysqlConnection};
use rocket_diesel_session::Token;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use testing::application::Application;
use testing::clients::at_once;
use testing::database::TestDatabase;
use testing::server::{built, ended, wait_until};
use testing::streams::PageStream;
use testing::{on_each_server, sql};

on_each_server!(a_revocation_ends_the_right_streams_of_a_thousand);

const PROCESSES: usize = 2;
/// The streams of each process, each with a session of its own.
const STREAMS: usize = 500;
/// Each has sessions in all processes.
const USERS: usize = 100;

/// The default of `session.stream_check_interval`.
const INTERVAL: Duration = Duration::from_secs(5);
/// Together as long as the time between two heartbeats.
#[cfg(feature = "test_servers")]
const INTERVALS: u32 = 6;

fn a_revocation_ends_the_right_streams_of_a_thousand(database: &TestDatabase) {
    let _alone = super::alone();
    allow_as_many_files_as_streams();
    store_sessions(database);
    let quiet = [
        ("ROCKET_LOG_LEVEL", "off"),
        ("ROCKET_SESSION", r#"{cleanup_interval="off",events="off"}"#),
    ];
    let processes: [_; PROCESSES] =
        std::array::from_fn(|_| Application::start_with(database, &quiet));
    let streams = open(&processes);
    #[cfg(feature = "test_servers")]
    if sql::backend(database) == "mysql" {
        let mut connection = MysqlConnection::establish(&database.url).unwrap();
        assert_cost_is_low(&mut connection, &processes);
    }

    let key = Token::parse(&token(1)).unwrap().key();
    revoke(database, &["--user", "user7@example.org"]);
    revoke(database, &["--key", key.as_str()]);
    let is_revoked = |number: usize| number == 1 || number % USERS == 7;
    let (mut revoked, mut others): (Vec<_>, Vec<_>) = streams
        .into_iter()
        .partition(|(number, _)| is_revoked(*number));
    assert_eq!(revoked.len(), 1 + PROCESSES * STREAMS / USERS);
    wait_until(
        "the revoked sessions' streams end",
        INTERVAL + Duration::from_secs(1),
        || {
            revoked.retain_mut(|(_, stream)| stream.is_open());
            revoked.is_empty()
        },
    );
    others.retain_mut(|(_, stream)| !stream.is_open());
    let numbers = others.iter().map(|(number, _)| number).collect::<Vec<_>>();
    assert!(numbers.is_empty(), "these streams ended, too: {numbers:?}");
}

/// Raises the limit for this process, and for those that it starts.
fn allow_as_many_files_as_streams() {
    let wanted = 2 * (PROCESSES * STREAMS) as u64;
    let limit = getrlimit(Resource::Nofile);
    if limit.current.is_some_and(|current| current < wanted) {
        let current = Some(limit.maximum.map_or(wanted, |most| most.min(wanted)));
        setrlimit(Resource::Nofile, Rlimit { current, ..limit }).unwrap();
    }
}

/// The token of a session.
fn token(number: usize) -> String {
    format!("{number:042}A")
}

fn store_sessions(database: &TestDatabase) {
    let now = chrono::Utc::now().timestamp_millis();
    let end = now + 60 * 60 * 1_000;
    let user = |user: usize| {
        format!("('user{user}', 'user{user}@example.org', 'Ada', 'Lovelace', '', {now}, {now})")
    };
    let session = |number: usize| {
        let key = Token::parse(&token(number)).unwrap().key();
        let (key, user) = (key.as_str().to_owned(), number % USERS);
        format!("('{key}', 'user{user}', '{{}}', 1, {now}, {now}, {end}, {end})")
    };
    let users = (0..USERS).map(user).collect::<Vec<_>>().join(", ");
    let sessions = (0..PROCESSES * STREAMS).map(session);
    let sessions = sessions.collect::<Vec<_>>().join(", ");
    sql::execute(
        database,
        &format!(
            "INSERT INTO users (id, email, first_name, last_name, password_hash, created_at, updated_at) \
             VALUES {users}; \
             INSERT INTO sessions (id, user_id, data, version, created_at, seen_at, expires_at, deadline) \
             VALUES {sessions}"
        ),
    );
}

/// Opens the streams, with their numbers.
fn open(processes: &[Application; PROCESSES]) -> Vec<(usize, PageStream)> {
    let streams = Mutex::default();
    at_once(16, PROCESSES * STREAMS, |number| {
        let process = &processes[number / STREAMS];
        let stream = PageStream::open(&process.base, &format!("id={}", token(number)));
        Mutex::<Vec<_>>::lock(&streams)
            .unwrap()
            .push((number, stream));
    });
    streams.into_inner().unwrap()
}

/// Expects one statement for each process and interval, and almost no work.
#[cfg(feature = "test_servers")]
fn assert_cost_is_low(connection: &mut MysqlConnection, processes: &[Application; PROCESSES]) {
    let spent = || {
        processes
            .iter()
            .map(|it| super::spent(it.id()))
            .sum::<f64>()
    };
    sql::wait_until_quiet(connection);
    let (begin, before) = (Instant::now(), sql::statements(connection));
    let spent_before = spent();
    thread::sleep(INTERVALS * INTERVAL);
    let share = (spent() - spent_before) / begin.elapsed().as_secs_f64() / 10.0;
    let count = sql::statements(connection) - before - 1;
    let streams = PROCESSES * STREAMS;
    eprintln!(
        "{streams} streams: {share:.2} % of a core, {count} statements in {INTERVALS} intervals"
    );
    let of_each = |intervals: u32| PROCESSES as u64 * u64::from(intervals);
    // Before a check, the pool tests its connection.
    let accepted = of_each(INTERVALS - 1)..=2 * of_each(INTERVALS + 1);
    assert!(accepted.contains(&count), "{count} statements");
    assert!(share < 1.0, "{share} % of a core");
}

fn revoke(database: &TestDatabase, which: &[&str]) {
    let mut command = Command::new(built("rocket_diesel_session"));
    command
        .current_dir(testing::root())
        .env("ROCKET_PROFILE", "dev")
        .env(
            "ROCKET_DATABASES",
            format!("{{app={{url={:?}}}}}", database.url),
        )
        .args(["sessions", "revoke"])
        .args(which);
    let (status, printed) = ended(&mut command);
    assert!(status.success(), "{printed}");
}
