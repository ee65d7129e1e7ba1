//! The event stream that ends with the session of an open page.

use testing::accounts::{EMAIL, PAGES, PASSWORD, register, sign_in};
use testing::application::Application;
use testing::database;
use testing::streams::PageStream;
use testing::visitor::Visitor;

/// Expects the end of a stream, with this reason or without any.
fn assert_ends(stream: PageStream, reason: Option<&str>) {
    let rest = stream.rest();
    match reason {
        Some(reason) => {
            let found =
                rest.contains(&format!("data:{reason}\n")) && rest.contains("event:ended\n");
            assert!(found, "{reason}: {rest}");
        }
        None => assert!(!rest.contains("event:"), "{rest}"),
    }
}

#[test]
fn an_open_page_learns_why_its_session_ended() {
    let database = database::sqlite();
    let limit = ("ROCKET_SESSION", "{sessions_per_user=2}");
    let application = Application::start_with(&database, &[limit]);
    let page = |visitor: &Visitor| PageStream::open(&application.base, &visitor.cookies());
    let (browser, telephone) = (application.visitor(), application.visitor());
    register(&browser, EMAIL, &[]);
    let stream = page(&browser);
    browser.post("/logout", &[]);
    assert_ends(stream, Some("You signed out in this browser."));

    sign_in(&browser, EMAIL, PASSWORD);
    sign_in(&telephone, EMAIL, PASSWORD);
    let other_device =
        "You signed this device out from another one, or changed your password there.";
    let stream = page(&telephone);
    browser.post("/account/devices/end_others", &[]);
    assert_ends(stream, Some(other_device));

    sign_in(&telephone, EMAIL, PASSWORD);
    let stream = page(&telephone);
    let change = [("current", PASSWORD), ("new", "staple battery horse")];
    assert_eq!(
        browser.post("/account/password", &change).location(),
        "/account"
    );
    assert_ends(stream, Some(other_device));

    let stream = page(&browser);
    for _ in 0..2 {
        sign_in(&application.visitor(), EMAIL, "staple battery horse");
    }
    assert_ends(
        stream,
        Some("You signed in on more devices than this site allows, so the oldest sign-in ended."),
    );
}

#[test]
fn a_new_token_ends_the_stream_without_a_reason() {
    let database = database::sqlite();
    let application = Application::start(&database);
    let page = |visitor: &Visitor| PageStream::open(&application.base, &visitor.cookies());
    let browser = application.visitor();
    register(&browser, EMAIL, &[]);
    let stream = page(&browser);
    let confirmed = browser.post("/account/confirm", &[("password", PASSWORD)]);
    assert_eq!(confirmed.location(), "/home");
    assert_ends(stream, None);
    let stream = page(&browser);
    browser.post("/logout", &[]);
    assert_ends(stream, Some("You signed out in this browser."));
}

#[test]
fn the_stream_is_private_and_unbuffered_and_for_users_only() {
    let database = database::sqlite();
    let application = Application::start(&database);
    let user = application.visitor();
    register(&user, EMAIL, &[]);
    let head = PageStream::open(&application.base, &user.cookies()).head;
    for header in [
        "content-type: text/event-stream",
        "cache-control: no-store",
        "x-accel-buffering: no",
        "vary: cookie",
        "x-content-type-options: nosniff",
    ] {
        assert!(
            head.contains(&format!("\r\n{header}\r\n")),
            "{header}: {head}"
        );
    }
    let anonymous = application.visitor();
    let refused = anonymous.get_as("text/event-stream", "/account/events");
    assert_eq!(refused.status, 401);
    assert_eq!(refused.json()["detail"], "Sign in first.");
    // How a page finds out why its stream was refused.
    assert_eq!(anonymous.head("/account/events").status, 401);
    assert_eq!(user.head("/account/events").status, 200);
}

#[test]
fn every_page_of_a_user_and_no_other_connects_to_the_stream() {
    let database = database::sqlite();
    let application = Application::start(&database);
    let (user, anonymous) = (application.visitor(), application.visitor());
    register(&user, EMAIL, &[]);
    let script = r#"<script src="/static/session_end.js" defer>"#;
    for page in PAGES.into_iter().chain(["/nowhere"]) {
        let body = user.get(page).body;
        let name = r#"data-user="ada@example.org""#;
        assert!(
            body.contains(script) && body.contains(name),
            "{page}: {body}"
        );
        assert!(!anonymous.get(page).body.contains(script), "{page}");
    }
}
