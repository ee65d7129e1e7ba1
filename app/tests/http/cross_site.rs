//! Sends the application's forms without a valid CSRF token.

use testing::accounts::{EMAIL, PASSWORD, is_signed_in, register, sign_in};
use testing::application::Application;
use testing::database::sqlite;

#[test]
fn every_form_has_a_token() {
    let database = sqlite();
    let application = Application::start(&database);
    let visitor = application.visitor();
    let count = |page: &str, expected: usize| {
        let page = visitor.get(page);
        let forms = page.body.matches("method=\"post\"").count();
        let tokens = page.body.matches("name=\"_token\" value=\"").count();
        assert_eq!((forms, tokens), (expected, expected), "{}", page.body);
        assert!(!page.body.contains("value=\"\""), "{}", page.body);
        // Chromium sends no such field for a hidden name such as jörg.
        assert!(!page.body.contains("type=\"email\""), "{}", page.body);
    };
    count("/", 0);
    count("/login", 1);
    count("/register", 1);
    count("/nowhere", 0);
    register(&visitor, EMAIL, &[]);
    sign_in(&application.visitor(), EMAIL, PASSWORD);
    for (page, forms) in [
        ("/", 1),
        ("/home", 1),
        ("/messages", 1),
        ("/account", 2),
        ("/account/password", 2),
        ("/account/devices", 3),
        ("/nowhere", 1),
    ] {
        count(page, forms);
    }
}

#[test]
fn a_refused_form_changes_nothing_and_says_what_to_do() {
    let database = sqlite();
    let application = Application::start(&database);
    let visitor = application.visitor();
    register(&visitor, EMAIL, &[]);
    for token in ["", "AAAA"] {
        let refused = visitor.post_with_token(token, "/logout", &[]).unwrap();
        assert_eq!(refused.status, 403);
        assert!(
            refused.body.contains("Please send it again"),
            "{}",
            refused.body
        );
        assert_eq!(refused.cookies(), [""; 0]);
    }
    assert!(is_signed_in(&visitor));

    // The form stayed open while its user signed in in another window.
    let tab = application.visitor();
    let old = tab.csrf_token();
    sign_in(&tab, EMAIL, PASSWORD);
    let fields = [("email", EMAIL), ("password", PASSWORD)];
    let gone_on = tab.post_with_token(&old, "/login", &fields).unwrap();
    assert_eq!(gone_on.location(), "/home");
    assert!(is_signed_in(&tab));
}

#[test]
fn programs_get_problem_details() {
    let database = sqlite();
    let application = Application::start(&database);
    let refused = application
        .visitor()
        .post_with_token("", "/api/v1/signout", &[])
        .unwrap();
    assert_eq!(refused.status, 403);
    assert_eq!(refused.json()["title"], "Forbidden");
}
