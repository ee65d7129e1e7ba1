//! Tests requirements of OWASP ASVS 5.0 that no other test covers; SECURITY.md lists all.

use reqwest::Method;
use reqwest::blocking::Client;
use reqwest::header::HeaderMap;
use rocket::serde::json::Value;

use testing::accounts::{EMAIL, PAGES, PASSWORD, cookie, is_signed_in, register, sign_in};
use testing::application::Application;
use testing::database;
use testing::sql::{count, texts};
use testing::visitor::Visitor;

#[test]
fn asvs_1_2_4_what_somebody_writes_is_never_a_part_of_a_statement() {
    let database = database::sqlite();
    let application = Application::start(&database);
    let user = application.visitor();
    register(&user, EMAIL, &[]);
    let evil = "x', password_hash = ''; DROP TABLE users; -- \" ; ) %s ? $1";
    let place = [("_method", "put"), ("location", evil)];
    assert_eq!(
        user.post("/account/location", &place).location(),
        "/account"
    );
    let kept = texts(
        &database,
        "SELECT location AS text FROM users WHERE password_hash <> ''",
    );
    assert_eq!(kept, [evil]);
}

#[test]
fn asvs_3_4_2_no_other_site_may_read_an_answer() {
    let database = database::sqlite();
    let application = Application::start(&database);
    let says = (
        "Origin".parse().unwrap(),
        "https://evil.example".parse().unwrap(),
    );
    let elsewhere = Visitor::new(&application.base, HeaderMap::from_iter([says]));
    for page in [
        "/",
        "/login",
        "/home",
        "/api/v1/me",
        "/static/style.css",
        "/nowhere",
    ] {
        let answer = elsewhere.get(page);
        let mut names = answer.headers.keys().map(|name| name.as_str());
        let allowed = names.find(|name| name.starts_with("access-control-"));
        assert_eq!(allowed, None, "{page}");
    }
}

/// Returns the tags of inputs of this type.
fn inputs(page: &str, kind: &str) -> Vec<String> {
    let tags = page
        .split("<input")
        .skip(1)
        .map(|rest| rest.split('>').next().unwrap());
    let of_kind = tags.filter(|tag| tag.contains(&format!("type=\"{kind}\"")));
    of_kind.map(str::to_owned).collect()
}

#[test]
fn asvs_6_2_6_and_6_2_7_passwords_are_hidden_and_password_managers_may_fill_them_in() {
    let database = database::sqlite();
    let application = Application::start(&database);
    let user = application.visitor();
    let forms = ["/login", "/register"].map(|page| user.get(page).body);
    register(&user, EMAIL, &[]);
    let change = user.get("/account/password").body;
    let expected = [
        (&forms[0], &["current-password"][..]),
        (&forms[1], &["new-password"][..]),
        (&change, &["current-password", "new-password"][..]),
    ];
    for (page, expected) in expected {
        let passwords = inputs(page, "password");
        assert_eq!(passwords.len(), expected.len(), "{page}");
        for (tag, purpose) in passwords.iter().zip(expected) {
            assert!(
                tag.contains(&format!("autocomplete=\"{purpose}\"")),
                "{tag}"
            );
            for forbidden in ["maxlength", "onpaste", "value=", "pattern"] {
                assert!(!tag.contains(forbidden), "{forbidden}: {tag}");
            }
        }
    }
}

#[test]
fn asvs_6_3_2_nobody_has_an_account_who_has_not_registered() {
    let database = database::sqlite();
    let _application = Application::start(&database);
    assert_eq!(count(&database, "users"), 0);
    assert_eq!(count(&database, "sessions"), 0);
}

#[test]
fn asvs_7_4_4_every_page_of_a_user_offers_the_way_out() {
    let database = database::sqlite();
    let application = Application::start(&database);
    let user = application.visitor();
    register(&user, EMAIL, &[]);
    for page in PAGES.into_iter().chain(["/nowhere"]) {
        let body = user.get(page).body;
        assert!(
            body.contains(r#"<form method="post" action="/logout">"#),
            "{page}: {body}"
        );
    }
}

#[test]
fn asvs_13_4_4_a_request_is_not_echoed() {
    let database = database::sqlite();
    let application = Application::start(&database);
    let request = Client::new().request(Method::TRACE, &application.base);
    let answer = request
        .header("X-Private", "not for the page")
        .send()
        .unwrap();
    assert_eq!(answer.status(), 404);
    assert!(!answer.text().unwrap().contains("not for the page"));
}

#[test]
fn asvs_14_2_1_a_token_counts_only_in_its_cookie() {
    let database = database::sqlite();
    // Other levels log addresses, some of which hold the token in this test.
    let application = Application::start_with(&database, &[("ROCKET_LOG_LEVEL", "off")]);
    let user = application.visitor();
    let named = cookie(&register(&user, EMAIL, &[]));
    let (_, token) = named.split_once('=').unwrap();
    let anonymous = application.visitor();
    for page in [
        format!("/home?{named}"),
        format!("/home?sid={token}"),
        format!("/home;{named}"),
        format!("/home?token={token}"),
    ] {
        assert_ne!(anonymous.get(&page).status, 200, "{page}");
    }
    for (name, value) in [
        ("Authorization", format!("Bearer {token}")),
        ("X-Session", token.to_owned()),
        ("Cookie2", named.clone()),
        ("Set-Cookie", named.clone()),
    ] {
        let says = (name.parse().unwrap(), value.parse().unwrap());
        let visitor = Visitor::new(&application.base, HeaderMap::from_iter([says]));
        assert!(!is_signed_in(&visitor), "{name}");
    }
    assert!(is_signed_in(&application.visitor_with(&named)));
}

#[test]
fn asvs_15_3_3_a_form_sets_what_it_asks_for_and_nothing_else() {
    let database = database::sqlite();
    let application = Application::start(&database);
    let (form, program) = (application.visitor(), application.visitor());
    let more = [
        ("id", "1"),
        ("is_admin", "1"),
        ("created_at", "1"),
        ("disabled_at", "1"),
    ];
    assert_eq!(register(&form, EMAIL, &more).status, 303);
    let body = format!(
        r#"{{"first_name":"Mary","last_name":"Shelley","email":"mary@example.org",
            "password":"{PASSWORD}","id":"2","created_at":2,"password_hash":"x"}}"#
    );
    assert_eq!(program.post_json("/api/v1/signup", &body).status, 201);
    let place = [
        ("_method", "put"),
        ("location", "London"),
        ("email", "eve@example.org"),
    ];
    form.post("/account/location", &place);
    let own = "length(id) = 36 AND created_at > 1000 AND disabled_at IS NULL \
        AND password_hash LIKE '$pbkdf2-%' AND email <> 'eve@example.org'";
    assert_eq!(count(&database, &format!("users WHERE {own}")), 2);
}

#[test]
fn asvs_4_1_1_a_page_says_which_characters_it_has() {
    let database = database::sqlite();
    let application = Application::start(&database);
    let anonymous = application.visitor();
    for (page, kind) in [
        ("/", "text/html; charset=utf-8"),
        ("/nowhere", "text/html; charset=utf-8"),
        ("/static/style.css", "text/css; charset=utf-8"),
        ("/api/v1/me", "application/problem+json"),
    ] {
        assert_eq!(
            anonymous.get(page).header("Content-Type"),
            Some(kind),
            "{page}"
        );
    }
}

/// Returns the logged events of users and passwords, in order.
fn emitted(application: &Application) -> Vec<String> {
    let output = application.output();
    let lines = output.lines().filter(|line| line.starts_with('{'));
    let events = lines.map(|line| {
        let line: Value = rocket::serde::json::from_str(line).unwrap();
        line["event"].as_str().unwrap().to_owned()
    });
    let words = ["authn_", "user_", "excess_rate"];
    let about_users = |event: &String| words.iter().any(|word| event.starts_with(word));
    events.filter(about_users).collect()
}

#[test]
fn asvs_16_3_1_every_sign_in_is_logged_whether_it_succeeds_or_not() {
    let database = database::sqlite();
    let limit = ("ROCKET_ACCOUNTS", "{attempts_per_account=3}");
    let application = Application::start_with(&database, &[limit]);
    let user = application.visitor();
    register(&user, EMAIL, &[]);
    let wrong = [
        ("current", "not the right one"),
        ("new", "another correct horse"),
    ];
    let right = [("current", PASSWORD), ("new", "another correct horse")];
    user.post("/account/password", &wrong);
    user.post("/account/password", &right);
    for (email, password) in [
        (EMAIL, "not the right one"),
        (EMAIL, "another correct horse"),
        (EMAIL, "another correct horse"),
        ("nobody@example.org", PASSWORD),
        (EMAIL, PASSWORD),
        (EMAIL, PASSWORD),
        (EMAIL, PASSWORD),
        (EMAIL, PASSWORD),
    ] {
        sign_in(&application.visitor(), email, password);
    }
    let emitted = emitted(&application);
    assert_eq!(
        emitted,
        [
            "user_created",
            "authn_login_fail",
            "authn_password_change_fail",
            "authn_password_change",
            "authn_login_fail",
            "authn_login_successafterfail",
            "authn_login_success",
            "authn_login_fail",
            "authn_login_fail",
            "authn_login_fail",
            "authn_login_fail",
            "authn_login_fail_max",
            "excess_rate_limit_exceeded",
        ]
    );
}
