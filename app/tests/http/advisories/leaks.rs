//! Looks for tokens and passwords in places that others can read.

use std::fs;
use std::path::Path;

use base64::prelude::{BASE64_URL_SAFE_NO_PAD, Engine};

use testing::accounts::{EMAIL, PAGES, PASSWORD, cookie, is_signed_in, register, sign_in};
use testing::application::Application;
use testing::database::TestDatabase;
use testing::visitor::{Answer, Visitor};
use testing::{on_every_backend, sql};

on_every_backend!(cve_2019_16782_the_table_has_nothing_that_signs_anybody_in);

/// The table held the ids of the cookies, which were compared character by character.
fn cve_2019_16782_the_table_has_nothing_that_signs_anybody_in(database: &TestDatabase) {
    let application = Application::start(database);
    let cookie = cookie(&register(&application.visitor(), EMAIL, &[]));
    let token = cookie.strip_prefix("id=").unwrap();
    for column in ["id", "user_id", "data", "user_agent", "ip"] {
        let select = format!("SELECT COALESCE({column}, '') AS text FROM sessions");
        let text = sql::texts(database, &select).remove(0);
        for at in 0..=token.len() - 8 {
            assert!(!text.contains(&token[at..at + 8]), "{column}: {text}");
        }
    }
    let id = sql::texts(database, "SELECT id AS text FROM sessions").remove(0);
    let bytes = (0..64).step_by(2);
    let bytes: Vec<u8> = bytes
        .map(|at| u8::from_str_radix(&id[at..at + 2], 16).unwrap())
        .collect();
    for value in [id, BASE64_URL_SAFE_NO_PAD.encode(bytes)] {
        assert!(!is_signed_in(
            &application.visitor_with(&format!("id={value}"))
        ));
    }
    assert!(is_signed_in(&application.visitor_with(&cookie)));
}

/// Returns all secrets that a walk through the application uses.
fn walk(visitor: &Visitor) -> Vec<String> {
    let wrong = "a wrong horse battery";
    let new = "staple battery horse";
    let steps: [&dyn Fn() -> Answer; 7] = [
        &|| register(visitor, EMAIL, &[]),
        &|| sign_in(visitor, EMAIL, wrong),
        &|| sign_in(visitor, EMAIL, PASSWORD),
        &|| visitor.post("/account/confirm", &[("password", wrong)]),
        &|| visitor.post("/account/confirm", &[("password", PASSWORD)]),
        &|| visitor.post("/account/password", &[("current", wrong), ("new", new)]),
        &|| visitor.post("/account/password", &[("current", PASSWORD), ("new", new)]),
    ];
    let mut secrets = vec![wrong.to_owned(), new.to_owned(), PASSWORD.to_owned()];
    for step in steps {
        let answer = step();
        let set = answer.set_cookie("id").is_some();
        secrets.extend(set.then(|| cookie(&answer).replace("id=", "")));
    }
    assert_eq!(secrets.len(), 3 + 4);
    secrets
}

/// Looks in the rows, and in deleted content of the files.
#[test]
fn cve_2020_26228_no_file_of_the_database_has_a_token_or_a_password() {
    let database = testing::database::sqlite();
    let application = Application::start(&database);
    let secrets = walk(&application.visitor());
    let folder = Path::new(database.address()).parent().unwrap();
    let files: Vec<_> = fs::read_dir(folder).unwrap().collect();
    let mut written = Vec::new();
    for file in files {
        written.extend(fs::read(file.unwrap().path()).unwrap());
    }
    let stands = |text: &str| written.windows(text.len()).any(|it| it == text.as_bytes());
    assert!(stands(EMAIL), "this would be found");
    for secret in secrets {
        assert!(!stands(&secret), "{secret}");
    }
}

/// The session stored the password until the second step.
#[test]
fn cve_2020_15105_no_step_leaves_a_password_in_the_session() {
    let database = testing::database::sqlite();
    let application = Application::start(&database);
    // All values that any session has had.
    sql::execute(&database, "CREATE TABLE written (data TEXT)");
    let note = "INSERT INTO written VALUES (NEW.data)";
    sql::at_each(&database, "AFTER INSERT", note);
    sql::execute(
        &database,
        "CREATE TRIGGER changed AFTER UPDATE ON sessions FOR EACH ROW BEGIN \
         INSERT INTO written VALUES (NEW.data); END",
    );
    let secrets = walk(&application.visitor());
    let written = sql::texts(&database, "SELECT data AS text FROM written");
    assert!(written.len() >= 4, "{written:?}");
    for secret in secrets {
        let beside = written.iter().find(|data| data.contains(&secret));
        assert_eq!(beside, None, "{secret}");
    }
}

/// The page of the sessions showed their keys.
#[test]
fn cve_2020_5224_no_page_shows_a_token_or_a_key() {
    let database = testing::database::sqlite();
    let application = Application::start(&database);
    let visitor = application.visitor();
    let mut secrets = vec![cookie(&register(&visitor, EMAIL, &[])).replace("id=", "")];
    let other = application.visitor();
    secrets.push(cookie(&sign_in(&other, EMAIL, PASSWORD)).replace("id=", ""));
    secrets.extend(sql::texts(&database, "SELECT id AS text FROM sessions"));
    assert_eq!(secrets.len(), 4);
    let further = ["/api/v1/me", "/api/v1/devices", "/nowhere"];
    for page in PAGES.into_iter().chain(further) {
        let answer = visitor.get(page);
        let expected = if page == "/nowhere" { 404 } else { 200 };
        assert_eq!(answer.status, expected, "{page}");
        for secret in &secrets {
            assert!(!answer.body.contains(secret), "{page}: {answer:?}");
        }
    }
}
