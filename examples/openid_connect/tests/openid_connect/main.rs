//! Signs in at a provider that the tests start, over HTTP.

#![allow(
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test panics where it fails"
)]
#![allow(unreachable_pub, reason = "a test is nobody's library")]

mod attempts;
mod browser;
mod club;
mod outage;

use testing::sql;

use crate::browser::{with_parameter, without_parameter};
use crate::club::Club;

#[test]
#[ignore = "needs Node: run ./test.sh"]
fn a_sign_in_leads_back_under_a_new_token_and_leaves_nothing_behind() {
    let club = Club::open();
    let browser = club.browser();
    let page = browser.begin("/minutes?page=2");
    let before = browser.cookie();
    assert_eq!(club.attempts(), 1);

    let answer = browser.get(&browser.pass(&page, "ada"));
    assert_eq!(answer.location(), "/minutes?page=2");
    assert_eq!(browser.get("/minutes?page=2").body, "page 2 of the minutes");
    assert!(browser.get("/").body.contains("Welcome to the club, ada."));
    assert_eq!(club.attempts(), 0);
    let data = sql::texts(&club.database, "SELECT data AS text FROM sessions");
    assert_eq!(data.len(), 1);
    assert!(data[0].contains("provider"), "{data:?}");

    assert_ne!(browser.cookie(), before);
    let old = club.browser_with(&before);
    assert_eq!(old.get("/").status, 401);
}

#[test]
#[ignore = "needs Node: run ./test.sh"]
fn a_sign_in_never_leads_to_another_site() {
    let club = Club::open();
    let browser = club.browser();
    for next in [
        "https:%2F%2Fevil.example",
        "%2F%2Fevil.example",
        "%2F%5Cevil.example",
    ] {
        let page = browser.get(&format!("/sign_in?next={next}"));
        let back = browser.pass(page.location(), "ada");
        // The answer's own address cannot name a page either.
        let answer = browser.get(&format!("{back}&next={next}"));
        assert_eq!(answer.location(), "/", "{next}");
    }
}

#[test]
#[ignore = "needs Node: run ./test.sh"]
fn a_member_is_found_by_issuer_and_subject() {
    let club = Club::open();
    let other = "INSERT INTO members (number, issuer, subject, name) \
        VALUES (7, 'http://0.example', 'ada', 'ada')";
    sql::execute(&club.database, other);
    for _ in 0..2 {
        let browser = club.browser();
        assert_eq!(browser.sign_in("ada").location(), "/");
        assert!(browser.get("/").body.contains("the club, ada."));
        sql::execute(&club.database, "UPDATE members SET name = 'an old name'");
    }
    let browser = club.browser();
    browser.sign_in("<i>eve");
    assert!(browser.get("/").body.contains("the club, &lt;i&gt;eve."));

    let users = sql::texts(
        &club.database,
        "SELECT DISTINCT user_id AS text FROM sessions",
    );
    assert_eq!(users.len(), 2);
    assert!(!users.contains(&"7".to_owned()), "{users:?}");
    let members = "SELECT issuer || ' ' || subject AS text FROM members ORDER BY number";
    let here = &club.issuer;
    assert_eq!(
        sql::texts(&club.database, members),
        [
            "http://0.example ada".to_owned(),
            format!("{here} ada"),
            format!("{here} <i>eve"),
        ]
    );
}

#[test]
#[ignore = "needs Node: run ./test.sh"]
fn a_user_who_cancels_is_not_signed_in() {
    let club = Club::open();
    let browser = club.browser();
    let page = browser.begin("/");
    let back = browser.cancel(&page);
    assert!(back.contains("error=access_denied"), "{back}");
    assert_eq!(browser.get(&back).status, 401);
    assert_eq!(club.attempts(), 0);
    assert_eq!(browser.get("/").location(), "/sign_in?next=%2F");
    assert_eq!(browser.sign_in("ada").location(), "/");
}

#[test]
#[ignore = "needs Node: run ./test.sh"]
fn an_id_token_with_another_nonce_is_refused() {
    let club = Club::open();
    let browser = club.browser();
    let page = with_parameter(&browser.begin("/"), "nonce", "of-another-sign-in");
    let back = browser.pass(&page, "ada");
    assert_eq!(browser.get(&back).status, 401);
    assert_eq!(browser.get("/").location(), "/sign_in?next=%2F");

    let page = without_parameter(&browser.begin("/"), "nonce");
    let back = browser.pass(&page, "ada");
    assert_eq!(browser.get(&back).status, 401);
    assert_eq!(sql::count(&club.database, "members"), 0);
}

#[test]
#[ignore = "needs Node: run ./test.sh"]
fn a_sign_out_holds_here_and_the_next_sign_in_begins_anew() {
    let club = Club::open();
    let browser = club.browser();
    browser.sign_in("ada");
    browser.get("/"); // has the form
    let answer = browser.post("/sign_out", &[]);
    assert_eq!(answer.status, 200, "{answer:?}");
    assert_eq!(sql::count(&club.database, "sessions"), 0);
    assert_eq!(browser.get("/").location(), "/sign_in?next=%2F");
    assert_eq!(browser.sign_in("ada").location(), "/");
}
