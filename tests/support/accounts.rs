//! What people do with their accounts, as the forms have it.

#![cfg(all(feature = "app", feature = "sqlite"))]

use super::application::{Answer, Visitor};

pub const EMAIL: &str = "ada@example.org";
pub const PASSWORD: &str = "correct horse battery";

pub fn register(visitor: &Visitor, email: &str, more: &[(&str, &str)]) -> Answer {
    let fields = [
        ("first_name", "Ada"),
        ("last_name", "Lovelace"),
        ("email", email),
        ("password", PASSWORD),
    ];
    visitor.post("/register", &[&fields, more].concat())
}

pub fn sign_in(visitor: &Visitor, email: &str, password: &str) -> Answer {
    visitor.post("/login", &[("email", email), ("password", password)])
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
