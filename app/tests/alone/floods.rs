//! Sends requests of very many anonymous clients, and looks for what they leave behind.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::thread;
#[cfg(feature = "test_servers")]
use std::time::Instant;

use testing::accounts::{PASSWORD, sign_in};
use testing::application::Application;
use testing::database::{self, TestDatabase};
use testing::sql;

/// Connections that send requests at once.
const CONNECTIONS: usize = 8;

/// The parts of a response that the tests look at.
struct Answer {
    status: u16,
    sets_cookie: bool,
}

/// Sends requests, many at once, and checks each response. Reuses connections as far as the
/// server allows.
fn ask(base: &str, requests: &[Vec<u8>], mut look: impl FnMut(usize, Answer)) {
    const AT_ONCE: usize = 64;
    let mut answered = 0;
    while answered < requests.len() {
        let stream = TcpStream::connect(base.strip_prefix("http://").unwrap()).unwrap();
        let mut writer = stream.try_clone().unwrap();
        let mut reader = BufReader::new(stream);
        let before = answered;
        'connection: for batch in requests[before..].chunks(AT_ONCE) {
            if writer.write_all(&batch.concat()).is_err() {
                break;
            }
            for _ in batch {
                let Some(answer) = read(&mut reader) else {
                    break 'connection;
                };
                look(answered, answer);
                answered += 1;
            }
        }
        assert!(answered > before, "no answer to {answered}");
    }
}

/// Returns the next response; `None` at the end of the connection.
fn read(reader: &mut impl BufRead) -> Option<Answer> {
    let lines = super::head(reader)?;
    let header = |name: &str| lines.iter().find_map(|line| line.strip_prefix(name));
    let status = header("http/1.1 ")?.split(' ').next()?.parse().unwrap();
    let length = header("content-length: ").map_or(0, |length| length.parse().unwrap());
    let sets_cookie = header("set-cookie: id=").is_some();
    std::io::copy(&mut reader.take(length), &mut std::io::sink()).unwrap();
    Some(Answer {
        status,
        sets_cookie,
    })
}

/// Returns a cookie of any kind except a well-formed token.
#[cfg(feature = "test_servers")]
fn cookie(number: usize) -> String {
    let random = |length: usize| -> String {
        let character = || fastrand::char('!'..='~');
        let characters = std::iter::repeat_with(character).filter(|it| *it != ';');
        characters.take(length).collect()
    };
    let letters = |length: usize| -> String {
        std::iter::repeat_with(fastrand::alphanumeric)
            .take(length)
            .collect()
    };
    let cookie = match number % 10 {
        0 => return String::new(),
        1 => "id=".into(),
        2 => "id=\"\"".into(),
        3 => format!("id={}", letters(42)),
        4 => format!("id={}", letters(44)),
        5 => format!("id={}%", letters(42)),
        6 => format!("%69d={}A", letters(42)),
        7 => format!("__Host-id={}A; a=b", letters(42)),
        8 => format!("id={}A; id={}E", letters(42), letters(42)),
        _ => format!("{}; id={}=", random(30), random(50)),
    };
    format!("Cookie: {cookie}\r\n")
}

/// Requests pages, mistyped addresses, and forms that are refused.
#[cfg(feature = "test_servers")]
fn request(number: usize) -> Vec<u8> {
    const LINES: [&str; 16] = [
        "GET /",
        "GET /login",
        "GET /register",
        "GET /home",
        "GET /messages",
        "GET /account",
        "GET /account/devices",
        "GET /api/v1/me",
        "GET /nowhere",
        "GET /static/favicon.svg",
        "POST /login",
        "POST /register",
        "POST /logout",
        "POST /account/password",
        "POST /api/v1/signin",
        "DELETE /api/v1/devices",
    ];
    // Each request line meets each kind of cookie.
    let (line, cookie) = (LINES[number % LINES.len()], cookie(number / LINES.len()));
    let body = match line {
        _ if line.starts_with("GET") => "",
        "POST /api/v1/signin" => "{}",
        "POST /logout" => "_method=delete&a=b",
        _ => "email=&password=&first_name=x",
    };
    let kind = match line.contains("/api/") {
        true => "application/json",
        false => "application/x-www-form-urlencoded",
    };
    let length = body.len();
    let headers =
        format!("Host: a\r\nContent-Type: {kind}\r\nContent-Length: {length}\r\n{cookie}");
    format!("{line} HTTP/1.1\r\n{headers}\r\n{body}").into_bytes()
}

/// Sends `count` requests on all connections together.
fn flood(
    application: &Application,
    count: usize,
    request: impl Fn(usize) -> Vec<u8> + Sync,
    look: impl Fn(usize, Answer) + Sync,
) {
    let share = count / CONNECTIONS;
    thread::scope(|scope| {
        for connection in 0..CONNECTIONS {
            let (request, look) = (&request, &look);
            scope.spawn(move || {
                let first = connection * share;
                let requests: Vec<_> = (first..first + share).map(request).collect();
                ask(&application.base, &requests, |at, answer| {
                    look(first + at, answer)
                });
            });
        }
    });
}

fn rows(database: &TestDatabase) -> [usize; 2] {
    ["users", "sessions"].map(|table| sql::count(database, table))
}

#[cfg(feature = "test_servers")]
mod counted {
    use diesel::{Connection, MysqlConnection};

    use super::*;

    /// Each visit created a session and filled the store.
    #[test]
    #[ignore = "needs MariaDB: run ./test.sh"]
    fn cve_2015_5143_a_hundred_thousand_anonymous_clients_cost_no_row_and_no_statement() {
        let _alone = super::super::alone();
        let database = database::mariadb();
        let setting = [
            ("ROCKET_SESSION", r#"{cleanup_interval="off"}"#),
            ("ROCKET_LOG_LEVEL", "off"),
        ];
        let start = Instant::now();
        let application = Application::start_with(&database, &setting);
        let connection = &mut MysqlConnection::establish(&database.url).unwrap();
        sql::wait_until_quiet(connection);
        let before = sql::statements(connection);
        flood(&application, 100_000, request, |number, answer| {
            let line = String::from_utf8_lossy(&request(number)).into_owned();
            assert!(
                (200..500).contains(&answer.status),
                "{}: {line}",
                answer.status
            );
            // A response that ends the session removes the cookie.
            assert!(!answer.sets_cookie || line.contains("/logout"), "{line}");
        });
        // Once a minute the application asks the server for its time, perhaps on a new
        // connection.
        let most = 10 * (start.elapsed().as_secs() / 60);
        let statements = sql::statements(connection) - before - 1;
        assert!(statements <= most, "{statements}");
        assert_eq!(rows(&database), [0, 0]);
    }
}

fn forged_tokens_are_looked_up_and_left(database: &TestDatabase) {
    let setting = [("ROCKET_LOG_LEVEL", "off")];
    let application = Application::start_with(database, &setting);
    let tokens: Vec<String> = (0..10_000).map(|_| forged()).collect();
    let pages = [
        ("GET /home", 303),
        ("GET /api/v1/me", 401),
        ("GET /nowhere", 404),
        ("DELETE /api/v1/devices", 401),
    ];
    let request = |number: usize| {
        let (page, token) = (pages[number % pages.len()].0, &tokens[number]);
        format!("{page} HTTP/1.1\r\nHost: a\r\nCookie: id={token}\r\n\r\n").into_bytes()
    };
    flood(&application, tokens.len(), request, |number, answer| {
        let (page, status) = pages[number % pages.len()];
        let refused = page.starts_with("DELETE") && answer.status == 403;
        assert!(
            answer.status == status || refused,
            "{page}: {}",
            answer.status
        );
        assert!(!answer.sets_cookie, "{page}");
    });
    assert_eq!(rows(database), [0, 0]);
}

/// Returns 43 characters like those of issued tokens.
fn forged() -> String {
    let letters = std::iter::repeat_with(fastrand::alphanumeric).take(42);
    letters.chain(['A']).collect()
}

mod forged_tokens {
    use super::*;

    #[test]
    fn sqlite() {
        forged_tokens_are_looked_up_and_left(&database::sqlite());
    }

    #[test]
    #[ignore = "needs MariaDB: run ./test.sh"]
    fn mariadb() {
        let _alone = super::super::alone();
        forged_tokens_are_looked_up_and_left(&database::mariadb());
    }

    #[test]
    #[ignore = "needs PostgreSQL: run ./test.sh"]
    fn postgresql() {
        forged_tokens_are_looked_up_and_left(&database::postgresql());
    }
}

/// Long names of unknown users were stored for the next page.
#[test]
fn cve_2016_4423_a_thousand_long_names_leave_nothing() {
    let database = database::sqlite();
    let setting = [("ROCKET_LOG_LEVEL", "off")];
    let application = Application::start_with(&database, &setting);
    let visitor = application.visitor();
    let before = size(&database);
    for number in 0..1_000 {
        let name = format!("{number}{}@example.org", "x".repeat(30_000));
        let refused = sign_in(&visitor, &name, PASSWORD);
        assert_eq!((refused.status, refused.set_cookie("id")), (422, None));
    }
    let after = size(&database);
    assert!(after < before + 10 * 1024, "{before} bytes, {after} bytes");
    assert_eq!(rows(&database), [0, 0]);
}

/// Returns the size of all files of a SQLite database.
fn size(database: &TestDatabase) -> u64 {
    let folder = Path::new(database.address()).parent().unwrap();
    let files = fs::read_dir(folder).unwrap();
    files
        .map(|file| file.unwrap().metadata().unwrap().len())
        .sum()
}
