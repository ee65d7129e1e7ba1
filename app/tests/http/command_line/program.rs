//! Runs the program with arguments, and prepares sessions for it.

use std::process::{Command, Output, Stdio};

use diesel::Connection;
use rocket::serde::json::{Value, from_str, json};
use rocket_diesel_session::store::Record;
use rocket_diesel_session::{Key, Token};

use testing::application::Application;
use testing::database::TestDatabase;
use testing::visitor::{Answer, Visitor};

pub const ADA: &str = "ada@example.org";
pub const GRACE: &str = "grace@example.org";
pub const PASSWORD: &str = "correct horse battery";

/// In milliseconds.
pub const HOUR: i64 = 60 * 60 * 1_000;

/// The exit code and the output.
#[derive(Debug)]
pub struct Ran {
    pub code: i32,
    pub stdout: String,
    pub stderr: String,
    /// The events on stderr.
    pub events: Vec<Value>,
}

/// Returns the program in the profile dev, not yet started.
pub fn command(url: &str, arguments: &[&str], variables: &[(&str, &str)]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_rocket_diesel_session"));
    command
        .current_dir(testing::root())
        .env("ROCKET_PROFILE", "dev")
        .env("ROCKET_DATABASES", format!("{{app={{url={url:?}}}}}"))
        .envs(variables.iter().copied())
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command
}

/// Runs it, and checks that its output has no token or whole key: nothing else is as long.
pub fn run_with(url: &str, arguments: &[&str], variables: &[(&str, &str)]) -> Ran {
    let done = command(url, arguments, variables).output().unwrap();
    let Output { status, .. } = done;
    let [stdout, stderr] = [done.stdout, done.stderr].map(|text| String::from_utf8(text).unwrap());
    let part_of_a_token = |letter: char| letter.is_ascii_alphanumeric() || "-_".contains(letter);
    for word in [&stdout, &stderr]
        .into_iter()
        .flat_map(|text| text.split(|letter| !part_of_a_token(letter)))
    {
        assert!(word.len() < 43, "{arguments:?} shows {word}");
    }
    let (events, stderr): (Vec<_>, Vec<_>) = stderr
        .split_inclusive('\n')
        .partition(|line| line.starts_with('{'));
    Ran {
        code: status.code().unwrap(),
        stdout,
        stderr: stderr.concat(),
        events: events.iter().map(|line| from_str(line).unwrap()).collect(),
    }
}

pub fn run(database: &TestDatabase, arguments: &[&str]) -> Ran {
    run_with(&database.url, arguments, &[])
}

impl Ran {
    /// Returns each event's name and its optional members.
    pub fn emitted(&self) -> Vec<Value> {
        let events = self.events.iter().cloned().map(|mut event| {
            let members = event.as_object_mut().unwrap();
            assert!(members.remove("at").is_some() && members.remove("level").is_some());
            event
        });
        events.collect()
    }

    /// Returns the output of a successful command.
    pub fn done(self) -> String {
        assert_eq!((self.code, &*self.stderr), (0, ""), "{self:?}");
        self.stdout
    }

    pub fn json(self) -> Value {
        from_str(&self.done()).unwrap()
    }

    /// Returns the one line of a failed command.
    pub fn refused(self, code: i32) -> String {
        assert_eq!((self.code, &*self.stdout), (code, ""), "{self:?}");
        let line = self.stderr.strip_prefix("rocket_diesel_session: ").unwrap();
        assert_eq!(line.lines().count(), 1, "{self:?}");
        line.to_owned()
    }
}

/// The exit code for nothing found.
pub const NOTHING: i32 = 3;

pub fn sign_up(application: &Application, email: &str) -> Visitor {
    let visitor = application.visitor();
    register(&visitor, email);
    visitor
}

pub fn register(visitor: &Visitor, email: &str) -> Answer {
    let account = json!({
        "first_name": "Ada", "last_name": "Lovelace", "email": email, "password": PASSWORD,
    });
    let answer = visitor.post_json("/api/v1/signup", &account.to_string());
    assert_eq!(answer.status, 201, "{answer:?}");
    answer
}

/// Signs a user in with a further browser, and returns the session's key.
pub fn sign_in(application: &Application, email: &str) -> (Visitor, Key) {
    let visitor = application.visitor();
    let credentials = json!({ "email": email, "password": PASSWORD });
    let answer = visitor.post_json("/api/v1/signin", &credentials.to_string());
    assert_eq!(answer.status, 200, "{answer:?}");
    let cookie = answer.set_cookie("id").unwrap();
    let token = cookie.split(&['=', ';'][..]).nth(1).unwrap();
    (visitor, Token::parse(token).unwrap().key())
}

pub fn is_signed_in(visitor: &Visitor) -> bool {
    visitor.get("/api/v1/me").status == 200
}

pub fn now() -> i64 {
    chrono::Utc::now().timestamp_millis()
}

/// Stores an anonymous session whose key begins with this text.
pub fn anonymous(beginning: &str, expires_at: i64) -> Record {
    let key = Key::from_stored(format!("{beginning:0<64}"));
    Record::new(key, now(), expires_at, expires_at)
}

/// Stores this many anonymous sessions with numbered keys.
pub fn many(database: &TestDatabase, count: u32, expires_at: i64) {
    let numbers: Vec<_> = (0..count).collect();
    for numbers in numbers.chunks(1_000) {
        let row = |number: &u32| {
            format!(
                "('{number:08x}{:056}', '{{}}', 1, 1, 1, {expires_at}, {expires_at})",
                0
            )
        };
        let rows: Vec<_> = numbers.iter().map(row).collect();
        let columns = "id, data, version, created_at, seen_at, expires_at, deadline";
        let rows = rows.join(", ");
        execute(
            database,
            &format!("INSERT INTO sessions ({columns}) VALUES {rows}"),
        );
    }
}

/// Runs SQL on a connection beside the application.
pub fn execute(database: &TestDatabase, sql: &str) {
    let (scheme, rest) = database.url.split_once(':').unwrap();
    match scheme {
        "sqlite" => batch::<diesel::SqliteConnection>(rest, sql),
        #[cfg(feature = "test_servers")]
        "mysql" => batch::<diesel::MysqlConnection>(&database.url, sql),
        #[cfg(feature = "test_servers")]
        "postgres" => batch::<diesel::PgConnection>(&database.url, sql),
        _ => panic!("no backend for {scheme}"),
    }
}

fn batch<C: Connection>(url: &str, sql: &str) {
    C::establish(url).unwrap().batch_execute(sql).unwrap();
}
