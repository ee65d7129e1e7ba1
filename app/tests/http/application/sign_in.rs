//! Registers, signs in and out, and follows the requested page.

use std::thread;

use rocket::serde::json::{Value, json};

use super::MADE_UP;
use testing::accounts::{
    EMAIL, PASSWORD, cookie, is_signed_in, register, register_with, sign_in, until_not_busy,
};
use testing::application::Application;
use testing::database::TestDatabase;
use testing::on_every_backend;
use testing::visitor::Answer;

on_every_backend!(
    users_register_sign_in_and_sign_out,
    a_token_from_before_the_sign_in_is_invalid,
    a_refusal_does_not_show_whether_an_account_exists,
    an_address_has_one_account,
    one_of_concurrent_registrations_succeeds,
    anonymous_users_are_sent_to_sign_in,
    a_sign_in_returns_to_the_requested_page,
);

fn users_register_sign_in_and_sign_out(database: &TestDatabase) {
    let application = Application::start(database);
    let visitor = application.visitor();
    let registered = register(&visitor, EMAIL, &[]);
    assert_eq!(registered.location(), "/home");
    let home = visitor.get("/home");
    assert_eq!(home.status, 200);
    assert!(home.body.contains("Ada Lovelace") && home.body.contains(EMAIL));
    assert_eq!(home.header("Cache-Control"), Some("no-store"));
    // These pages redirect signed-in users.
    assert_eq!(visitor.get("/login?next=/messages").location(), "/messages");
    assert_eq!(visitor.get("/register").location(), "/home");

    let signed_out = visitor.post("/logout", &[]);
    assert_eq!(signed_out.location(), "/login?signed_out");
    let removal = signed_out.set_cookie("id").unwrap();
    assert!(
        removal.starts_with("id=;") && removal.contains("Max-Age=0"),
        "{removal}"
    );
    assert!(!is_signed_in(&visitor));
    assert!(!is_signed_in(
        &application.visitor_with(&cookie(&registered))
    ));
    assert!(visitor.get("/").body.contains("Register"));

    let signed_in = sign_in(&visitor, EMAIL, PASSWORD);
    assert_eq!(signed_in.location(), "/home");
    assert_ne!(cookie(&signed_in), cookie(&registered));
    assert!(is_signed_in(&visitor));
}

fn a_token_from_before_the_sign_in_is_invalid(database: &TestDatabase) {
    let application = Application::start(database);
    register(&application.visitor(), EMAIL, &[]);

    // An unknown token is not adopted.
    let planted = format!("id={MADE_UP}");
    let victim = application.visitor_with(&planted);
    let own = cookie(&sign_in(&victim, EMAIL, PASSWORD));
    assert_ne!(own, planted);
    assert!(!is_signed_in(&application.visitor_with(&planted)));
    assert!(is_signed_in(&application.visitor_with(&own)));

    // Another user's live session ends when this user signs in with its cookie.
    let victim = application.visitor_with(&own);
    let grace = cookie(&register(&victim, "grace@example.org", &[]));
    assert_ne!(grace, own);
    assert!(!is_signed_in(&application.visitor_with(&own)));
    let home = application.visitor_with(&grace).get("/home");
    assert!(home.body.contains("grace@example.org") && !home.body.contains(EMAIL));
}

fn anonymous_users_are_sent_to_sign_in(database: &TestDatabase) {
    let application = Application::start(database);
    for visitor in [
        application.visitor(),
        application.visitor_with(&format!("id={MADE_UP}")),
        application.visitor_with("id=nonsense"),
    ] {
        assert_eq!(
            visitor.get("/messages").location(),
            "/login?next=%2Fmessages"
        );
        let page = visitor.get("/messages?page=2&of=a%20b");
        assert_eq!(
            page.location(),
            "/login?next=%2Fmessages%3Fpage%3D2%26of%3Da%2520b"
        );
        let refused = visitor.get_as("application/json", "/messages");
        assert_eq!(refused.status, 401);
        let content_type = refused.header("Content-Type");
        assert_eq!(content_type, Some("application/problem+json"));
        let problem: Value = rocket::serde::json::from_str(&refused.body).unwrap();
        assert_eq!(
            problem,
            json!({
                "type": "about:blank",
                "title": "Unauthorized",
                "status": 401,
                "detail": "Sign in first.",
            })
        );
    }
}

fn a_sign_in_returns_to_the_requested_page(database: &TestDatabase) {
    let application = Application::start(database);
    register(&application.visitor(), EMAIL, &[]);
    let cases = [
        ("/messages", "/messages"),
        ("/messages?page=2&of=a%20b", "/messages?page=2&of=a%20b"),
        ("//evil.example", "/home"),
        ("https://evil.example/", "/home"),
        ("/\\evil.example", "/home"),
        ("/%2f%2fevil.example", "/home"),
        ("javascript:alert(1)", "/home"),
        ("/messages\r\nSet-Cookie: a=b", "/home"),
        ("/logout", "/home"),
    ];
    for (index, (next, expected)) in cases.into_iter().enumerate() {
        let visitor = application.visitor();
        let fields = [("email", EMAIL), ("password", PASSWORD), ("next", next)];
        assert_eq!(visitor.post("/login", &fields).location(), expected);
        let visitor = application.visitor();
        let email = format!("ada+{index}@example.org");
        let registered = register(&visitor, &email, &[("next", next)]);
        assert_eq!(registered.location(), expected);
        assert_eq!(registered.set_cookie("a"), None);
    }
}

#[test]
fn the_requested_page_is_passed_on() {
    the_page_asked_for_goes_from_page_to_page(&testing::database::sqlite());
}

/// The sign-in page passes the requested page to its form and to the registration, even after a
/// wrong password.
fn the_page_asked_for_goes_from_page_to_page(database: &TestDatabase) {
    let application = Application::start(database);
    let visitor = application.visitor();
    let field = r#"<input type="hidden" name="next" value="&#x2f;messages?page=2">"#;
    for page in ["/login", "/register"] {
        let page = visitor.get(&format!("{page}?next=%2Fmessages%3Fpage%3D2"));
        assert_eq!(page.status, 200);
        assert!(page.body.contains(field), "{}", page.body);
        assert!(
            page.body.contains("?next=&#x2f;messages%3Fpage%3D2\""),
            "{}",
            page.body
        );
    }
    let fields = [
        ("email", EMAIL),
        ("password", PASSWORD),
        ("next", "/messages?page=2"),
    ];
    assert!(visitor.post("/login", &fields).body.contains(field));
}

const OTHER_PASSWORD: &str = "another long password";

fn an_address_has_one_account(database: &TestDatabase) {
    let application = Application::start(database);
    register(&application.visitor(), EMAIL, &[]);
    for again in [EMAIL, "ADA@Example.ORG", "  ada@example.org "] {
        let visitor = application.visitor();
        let refused = register_with(&visitor, again, OTHER_PASSWORD, &[]);
        assert_eq!(refused.status, 422, "{again}");
        assert!(
            refused
                .body
                .contains("An account with this e-mail address already exists")
        );
        assert!(!refused.body.contains(OTHER_PASSWORD));
        assert_eq!(refused.set_cookie("id"), None);
        assert!(!is_signed_in(&visitor));
        assert_eq!(sign_in(&visitor, again, PASSWORD).location(), "/home");
    }
}

fn one_of_concurrent_registrations_succeeds(database: &TestDatabase) {
    let application = Application::start(database);
    let mut statuses = thread::scope(|scope| {
        let application = &application;
        let registrations: Vec<_> = (0..8)
            .map(|number| {
                scope.spawn(move || {
                    let visitor = application.visitor();
                    let password = format!("{OTHER_PASSWORD} {number}");
                    until_not_busy(|| register_with(&visitor, EMAIL, &password, &[])).status
                })
            })
            .collect();
        let statuses = registrations.into_iter().map(|one| one.join().unwrap());
        statuses.collect::<Vec<_>>()
    });
    statuses.sort_unstable();
    assert_eq!(statuses, [303, 422, 422, 422, 422, 422, 422, 422]);
}

fn a_refusal_does_not_show_whether_an_account_exists(database: &TestDatabase) {
    let application = Application::start(database);
    register(&application.visitor(), EMAIL, &[]);
    let visitor = application.visitor();
    let wrong = sign_in(&visitor, EMAIL, "not the right one");
    let unknown = sign_in(&visitor, "eve@example.org", "not the right one");
    assert_eq!((wrong.status, unknown.status), (401, 401));
    let shown = |page: &Answer| page.body.replace(page.csrf_token().unwrap(), "TOKEN");
    let unknown_shown = shown(&unknown).replace("eve@example.org", EMAIL);
    assert_eq!(shown(&wrong), unknown_shown);
    assert!(wrong.body.contains("password is wrong"));
    assert!(!wrong.body.contains("not the right one"));
    assert_eq!(
        (wrong.set_cookie("id"), unknown.set_cookie("id")),
        (None, None)
    );
    assert!(!is_signed_in(&visitor));
}

#[test]
fn attributes_of_the_cookie() {
    for (profile, name, secure) in [("dev", "id", false), ("prod", "__Host-id", true)] {
        let database = testing::database::sqlite();
        let application = Application::start_with(&database, &[("ROCKET_PROFILE", profile)]);
        let registered = register(&application.visitor(), EMAIL, &[]);
        let line = registered.set_cookie(name).unwrap();
        let (token, mut attributes) = split(line);
        let value = token.strip_prefix(&format!("{name}=")).unwrap();
        assert_eq!(value.len(), MADE_UP.len(), "{line}");
        let mut expected = vec!["HttpOnly", "Path=/", "SameSite=Lax"];
        expected.extend(secure.then_some("Secure"));
        attributes.sort_unstable();
        assert_eq!(attributes, expected, "{profile}");

        let removal = application.visitor_with(token).post("/logout", &[]);
        let removal = removal.set_cookie(name).unwrap();
        let (token, attributes) = split(removal);
        assert_eq!(token, format!("{name}="));
        for attribute in expected.iter().chain(&["Max-Age=0"]) {
            assert!(attributes.contains(attribute), "{attribute} in {removal}");
        }
    }
}

fn split(line: &str) -> (&str, Vec<&str>) {
    let mut parts = line.split("; ");
    (parts.next().unwrap(), parts.collect())
}
