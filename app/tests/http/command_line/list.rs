//! Runs `sessions list` and `sessions count`.

use std::collections::HashSet;
use std::io::{BufRead, BufReader};

use rocket::serde::json::{Value, json};

use super::program::{
    ADA, GRACE, HOUR, NOTHING, anonymous, command, execute, many, now, run, sign_in, sign_up,
};
use testing::application::Application;
use testing::database::TestDatabase;
use testing::on_every_backend;

on_every_backend!(
    live_sessions_are_listed_as_a_table,
    live_sessions_are_listed_as_json,
    sessions_are_listed_a_page_at_a_time,
);

const FIREFOX: &str = "Mozilla/5.0 (X11; Linux x86_64; rv:131.0) Gecko/20100101 Firefox/131.0";

/// Stores two sessions of Ada, one of Grace, an anonymous one, one of a deleted account, and
/// two expired ones.
fn inhabit(database: &TestDatabase) {
    let application = Application::start(database);
    sign_up(&application, ADA);
    sign_in(&application, ADA);
    sign_up(&application, GRACE);
    let (mut firefox, mut orphan) = (
        anonymous("f1", now() + HOUR + HOUR / 2),
        anonymous("f2", now() + HOUR),
    );
    firefox.user_agent = Some(FIREFOX.into());
    firefox.seen_at -= HOUR / 20;
    firefox.created_at -= 2 * HOUR;
    orphan.user_id = Some("nobody-any-more".into());
    orphan.user_agent = Some("\u{1b}[31mred".into());
    let mut over = anonymous("f4", now());
    over.user_id = orphan.user_id.clone();
    for record in [firefox, orphan, over, anonymous("f3", now())] {
        database.store.insert(&record).unwrap();
    }
}

fn live_sessions_are_listed_as_a_table(database: &TestDatabase) {
    inhabit(database);
    let table = run(database, &["sessions", "list"]).done();
    let [titles, rows @ ..] = &table.lines().collect::<Vec<_>>()[..] else {
        panic!("{table}");
    };
    let user = titles.find("USER").unwrap();
    let mut users: Vec<_> = rows.iter().map(|row| &row[user..]).collect();
    users.sort_unstable();
    assert_eq!(users, ["-", ADA, ADA, GRACE, "nobody-any-more"]);
    for title in ["KEY", "LAST USED", "SIGNED IN", "ENDS", "BROWSER", "USER"] {
        let column = titles.find(title).unwrap();
        for row in rows {
            assert!(column == 0 || row[..column].ends_with("  "), "{table}");
            assert!(!row[column..].starts_with(' '), "{table}");
        }
    }
    let firefox = "f1000000  3 min ago     2 h ago       in 1 h      Firefox on Linux    -";
    assert!(rows.contains(&firefox), "{table}");
    assert!(!table.contains('\u{1b}'), "{table}");

    let of_ada = run(
        database,
        &["sessions", "list", "--user", " ADA@example.org"],
    )
    .done();
    assert_eq!(of_ada.matches(ADA).count(), 2);
    assert_eq!(of_ada.lines().count(), 3, "{of_ada}");
    let unknown = run(database, &["sessions", "list", "--user", "eve@example.org"]);
    let line = unknown.refused(NOTHING);
    assert!(
        line.contains("eve@example.org") && line.contains("spelling"),
        "{line}"
    );
}

fn live_sessions_are_listed_as_json(database: &TestDatabase) {
    assert_eq!(
        run(database, &["sessions", "list", "--json"]).json(),
        json!([])
    );
    assert_eq!(run(database, &["sessions", "count"]).done(), "0\n");
    inhabit(database);
    assert_eq!(run(database, &["sessions", "count"]).done(), "5\n");
    let count = run(database, &["sessions", "--json", "count"]).json();
    assert_eq!(count, json!({ "live": 5 }));

    let list = run(database, &["sessions", "list", "--json"]).json();
    let list = list.as_array().unwrap();
    assert_eq!(list.len(), 5);
    let of_ada = run(database, &["sessions", "list", "--json", "--user", ADA]).json();
    assert_eq!(of_ada.as_array().unwrap().len(), 2);
    for session in of_ada.as_array().unwrap() {
        assert!(list.contains(session), "{session} in {list:?}");
        assert_eq!(session["email"], ADA);
    }
    let firefox = list
        .iter()
        .find(|session| session["key"] == "f1000000")
        .unwrap();
    let mut fields: Vec<_> = firefox.as_object().unwrap().keys().collect();
    fields.sort_unstable();
    let expected = [
        "email",
        "expires_at",
        "ip",
        "key",
        "seen_at",
        "signed_in_at",
        "user_agent",
        "user_id",
    ];
    assert_eq!(fields, expected);
    assert_eq!(firefox["user_agent"], FIREFOX);
    for absent in ["email", "ip", "user_id"] {
        assert_eq!(firefox[absent], Value::Null);
    }
    for time in ["expires_at", "seen_at", "signed_in_at"] {
        let time = firefox[time].as_str().unwrap();
        assert!(time.ends_with('Z'), "{time}");
        chrono::DateTime::parse_from_rfc3339(time).unwrap();
    }
}

fn sessions_are_listed_a_page_at_a_time(database: &TestDatabase) {
    many(database, 3_000, now() + HOUR);
    let list = run(database, &["sessions", "list", "--json"]).json();
    let keys: HashSet<_> = list
        .as_array()
        .unwrap()
        .iter()
        .map(|it| it["key"].as_str())
        .collect();
    assert_eq!((list.as_array().unwrap().len(), keys.len()), (3_000, 3_000));
    assert_eq!(
        run(database, &["sessions", "list"]).done().lines().count(),
        3_001
    );

    // The number of sessions is a multiple of the page size.
    execute(database, "DELETE FROM sessions WHERE id >= '000003e8'");
    assert_eq!(
        run(database, &["sessions", "list"]).done().lines().count(),
        1_001
    );
}

#[test]
fn a_closed_output_is_no_failure() {
    let database = testing::database::sqlite();
    many(&database, 3_000, now() + HOUR);
    for arguments in [&["sessions", "list"][..], &["sessions", "list", "--json"]] {
        let mut process = command(&database.url, arguments, &[]).spawn().unwrap();
        let mut first = String::new();
        let mut reader = BufReader::new(process.stdout.take().unwrap());
        reader.read_line(&mut first).unwrap();
        assert!(!first.is_empty());
        drop(reader);
        let done = process.wait_with_output().unwrap();
        assert_eq!(done.status.code(), Some(0));
        assert_eq!(String::from_utf8(done.stderr).unwrap(), "");
    }
}
