//! Tests of the routes of `own_users`.

use rocket::Config;
use rocket::http::{Accept, ContentType};
use rocket::local::blocking::{Client, LocalRequest};
use rocket_diesel_session::local::blocking::sign_in;

use testing::database::{TestDatabase, sqlite};
use testing::sql;

const RIGHT: &str = "nickname=ada&password=correct+horse+battery";

/// Returns a browser, and the database of the club, in which ada has the number 7.
fn browser() -> (Client, TestDatabase) {
    let database = sqlite();
    sql::execute(&database, include_str!("members.sql"));
    let settings = Config::figment().merge(("databases.app.url", &database.url));
    let browser = Client::tracked(super::application(settings)).unwrap();
    (browser, database)
}

/// Returns the address to which an answer redirects, or its text.
fn answer(request: LocalRequest<'_>) -> String {
    let answer = request.header(Accept::HTML).dispatch();
    let address = answer.headers().get_one("Location").map(str::to_owned);
    address.unwrap_or_else(|| answer.into_string().unwrap_or_default())
}

fn open(browser: &Client, page: &'static str) -> String {
    answer(browser.get(page))
}

fn submit(browser: &Client, page: &str, form: &str) -> String {
    let request = browser.post(page.to_owned());
    answer(request.header(ContentType::Form).body(form))
}

#[test]
fn a_sign_in_leads_back_if_the_password_is_right() {
    let (browser, _database) = browser();
    let sign_in_page = open(&browser, "/?page=2");
    assert!(submit(&browser, &sign_in_page, "nickname=ada&password=wrong").contains("401"));
    assert_eq!(submit(&browser, &sign_in_page, RIGHT), "/?page=2");
}

#[test]
fn the_safe_demands_the_password_again() {
    let (browser, _database) = browser();
    sign_in(&browser, 7).unwrap(); // without a password
    let sign_in_page = open(&browser, "/safe");
    assert_eq!(submit(&browser, &sign_in_page, RIGHT), "/safe");
    assert_eq!(open(&browser, "/safe"), "The safe of ada is open.");
}

#[test]
fn a_member_sees_the_club_until_the_membership_is_closed() {
    let (browser, database) = browser();
    sign_in(&browser, 7).unwrap();
    assert_eq!(open(&browser, "/"), "Welcome to the club, ada.");
    sql::execute(&database, "UPDATE members SET is_closed = TRUE");
    assert_eq!(open(&browser, "/"), "/sign_in?next=%2F");
}

#[test]
fn a_sign_out_ends_the_session() {
    let (browser, _database) = browser();
    sign_in(&browser, 7).unwrap();
    browser.post("/sign_out").dispatch();
    assert_eq!(open(&browser, "/"), "/sign_in?next=%2F");
}
