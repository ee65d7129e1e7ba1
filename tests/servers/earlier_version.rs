//! Two versions side by side on one table, as in a rolling upgrade.
//!
//! The statements are those of a version that knew neither proofs nor timeouts of one session, in its
//! order of columns. It wrote each column with each update, as it had read the row.

use rocket::serde::json::{Value, from_str, json};
use rocket_diesel_session::{Key, Token};

use testing::database::TestDatabase;
use testing::on_every_backend;
use testing::server::{Browser, Server};

on_every_backend!(
    an_earlier_version_reads_and_writes_the_same_sessions,
    a_conflict_with_an_earlier_version_loses_no_update,
);

const COLUMNS: &str =
    "id, user_id, data, version, created_at, seen_at, expires_at, deadline, user_agent, ip";
const TOKEN: &str = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

/// What the earlier version does with a session.
struct Earlier<'a> {
    database: &'a TestDatabase,
    key: Key,
}

/// The row, as it was read.
struct Row {
    data: Value,
    version: i64,
}

impl Earlier<'_> {
    fn sign_in(&self, user: &str, data: &Value) {
        let now = self.database.store.time().unwrap().unwrap_or_else(|| {
            let now = std::time::SystemTime::UNIX_EPOCH.elapsed().unwrap();
            i64::try_from(now.as_millis()).unwrap()
        });
        let (key, end) = (self.key.as_str(), now + 7_200_000);
        self.database.run(&format!(
            "INSERT INTO sessions ({COLUMNS}) VALUES ('{key}', '{user}', '{data}', 0, {now}, {now}, \
             {end}, {end}, NULL, NULL)"
        ));
    }

    fn load(&self) -> Option<Row> {
        let text = match self.database.url.starts_with("mysql") {
            true => "CHAR",
            false => "TEXT",
        };
        let line = |column: &str| {
            let column = format!("CAST({column} AS {text}) AS line");
            let select = format!(
                "SELECT {column} FROM sessions WHERE id = '{}'",
                self.key.as_str()
            );
            self.database.lines(&select).pop()
        };
        let (data, version) = (line("data")?, line("version")?);
        Some(Row {
            data: from_str(&data).unwrap(),
            version: version.parse().unwrap(),
        })
    }

    fn update(&self, row: &Row, data: &Value) {
        let (key, version) = (self.key.as_str(), row.version);
        self.database.run(&format!(
            "UPDATE sessions SET id = '{key}', user_id = user_id, data = '{data}', \
             version = {version} + 1, created_at = created_at, seen_at = seen_at, \
             expires_at = expires_at, deadline = deadline, user_agent = NULL, ip = NULL \
             WHERE id = '{key}' AND version = {version}"
        ));
    }

    fn log_out(&self) {
        let key = self.key.as_str();
        self.database
            .run(&format!("DELETE FROM sessions WHERE id = '{key}'"));
    }
}

/// A session that the earlier version began, and a browser in it that asks this version.
fn begun(database: &TestDatabase) -> (Earlier<'_>, Server, Browser) {
    let key = Token::parse(TOKEN).unwrap().key();
    let earlier = Earlier { database, key };
    earlier.sign_in("ada", &json!({ "visits": 3, "colour": "blue" }));
    let mut browser = Browser::default();
    browser.cookie = Some(format!("id={TOKEN}"));
    (earlier, Server::busy(database), browser)
}

fn an_earlier_version_reads_and_writes_the_same_sessions(database: &TestDatabase) {
    let (earlier, server, mut browser) = begun(database);
    let [user, visits] = ["user", "visits"].map(|path| format!("{}/{path}", server.base));
    assert_eq!(browser.get(&user), (200, "ada".into()));
    assert_eq!(browser.post(&visits), (200, "4".into()));
    let row = earlier.load().unwrap();
    assert_eq!(row.data["visits"], 4);
    assert_eq!(row.data["colour"], "blue");
    earlier.update(&row, &json!({ "visits": 5, "colour": "blue" }));
    assert_eq!(browser.post(&visits), (200, "6".into()));
    earlier.log_out();
    assert_eq!(browser.get(&user), (200, String::new()));
}

fn a_conflict_with_an_earlier_version_loses_no_update(database: &TestDatabase) {
    let (earlier, server, mut browser) = begun(database);
    let visits = format!("{}/visits", server.base);
    let read = earlier.load().unwrap();
    assert_eq!(browser.post(&visits), (200, "4".into()));
    // It finds another version, reads again, and repeats its change.
    earlier.update(&read, &json!({ "visits": 4 }));
    let read = earlier.load().unwrap();
    assert_eq!(read.data, json!({ "visits": 4, "colour": "blue" }));
    earlier.update(&read, &json!({ "visits": 5 }));
    assert_eq!(browser.post(&visits), (200, "6".into()));
    // What this version removed does not come back.
    let read = earlier.load().unwrap();
    assert_eq!(browser.post(&format!("{}/log_out", server.base)).0, 200);
    earlier.update(&read, &json!({ "visits": 7 }));
    assert!(earlier.load().is_none());
}
