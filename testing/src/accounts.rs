//! Registration, sign-in and other steps of a user, by the application's forms.

use std::thread;
use std::time::Duration;

use rocket::serde::json::{Value, from_str};
use rocket_diesel_session::store::Updated;

use crate::database::TestDatabase;
use crate::visitor::{Answer, Visitor};

pub const EMAIL: &str = "ada@example.org";
pub const PASSWORD: &str = "correct horse battery";

/// The pages of the signed-in user.
pub const PAGES: [&str; 6] = [
    "/",
    "/home",
    "/messages",
    "/account",
    "/account/devices",
    "/account/password",
];

pub fn register(visitor: &Visitor, email: &str, more: &[(&str, &str)]) -> Answer {
    register_with(visitor, email, PASSWORD, more)
}

/// Registers with another password, which does not sign in a user who has an account.
pub fn register_with(
    visitor: &Visitor,
    email: &str,
    password: &str,
    more: &[(&str, &str)],
) -> Answer {
    let fields = [
        ("first_name", "Ada"),
        ("last_name", "Lovelace"),
        ("email", email),
        ("password", password),
    ];
    visitor.post("/register", &[&fields, more].concat())
}

pub fn sign_in(visitor: &Visitor, email: &str, password: &str) -> Answer {
    visitor.post("/login", &[("email", email), ("password", password)])
}

/// Does something with a password until it is its turn: so many are hashed at once and no more.
pub fn until_not_busy(ask: impl Fn() -> Answer) -> Answer {
    for _ in 0..200 {
        let answer = ask();
        if answer.status != 503 {
            return answer;
        }
        thread::sleep(Duration::from_millis(100));
    }
    panic!("it is never their turn");
}

pub fn is_signed_in(visitor: &Visitor) -> bool {
    match visitor.get("/home").status {
        200 => true,
        303 => false,
        status => panic!("{status}"),
    }
}

/// `NAME=TOKEN`, as the browser sends it back.
pub fn cookie(answer: &Answer) -> String {
    let line = answer.set_cookie("id").unwrap();
    line.split(';').next().unwrap().to_owned()
}

/// The text that a page shows beside one of its fields.
pub fn complaint<'a>(page: &'a Answer, field: &str) -> &'a str {
    let error = format!(r#"<p class="error" id="{field}-error" role="alert">"#);
    let (_, message) = page
        .body
        .split_once(&error)
        .unwrap_or_else(|| panic!("no error beside {field}: {}", page.body));
    message.split_once("</p>").unwrap().0
}

/// Moves the sign-ins of all sessions, and their proofs of the password, into the past.
pub fn age(database: &TestDatabase, minutes: u32) {
    let time = i64::from(minutes) * 60_000;
    for mut record in database.store.all(i64::MIN, None, 100).unwrap() {
        let mut data: Value = from_str(&record.data).unwrap();
        let proofs = data.pointer_mut("/@proofs/times");
        for proof in proofs.and_then(Value::as_array_mut).into_iter().flatten() {
            proof[1] = (proof[1].as_i64().unwrap() - time).into();
        }
        record.data = data.to_string();
        record.created_at -= time;
        let updated = database.store.update(&record.key, record.version, &record);
        assert_eq!(updated.unwrap(), Updated::Done);
    }
}
