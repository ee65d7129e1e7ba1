//! Uses two tabs of one browser, and presses buttons twice.

use testing::accounts::{
    EMAIL, PASSWORD, age, complaint, is_signed_in, register, register_with, sign_in,
};
use testing::application::Application;
use testing::database::{TestDatabase, sqlite};
use testing::visitor::{Answer, Visitor};
use testing::{on_every_backend, sql};

on_every_backend!(
    a_registration_that_is_sent_twice_signs_in,
    ending_an_ended_device_is_no_attack,
);

const ZOE: &str = "zoe@example.org";
const PLACE: [(&str, &str); 3] = [
    ("_method", "put"),
    ("location", "Łódź"),
    ("location_of", EMAIL),
];

fn shows(page: &Answer, words: &[&str], none: &[&str]) {
    for words in words {
        assert!(page.body.contains(words), "{words}: {}", page.body);
    }
    for none in none {
        assert!(!page.body.contains(none), "{none}: {}", page.body);
    }
}

/// Returns a browser whose tab shows the sign-in form with a typed location, and the form's
/// token.
fn typed_before_the_sign_in(application: &Application) -> (Visitor, String) {
    let browser = application.visitor();
    sign_in(&browser, EMAIL, PASSWORD);
    let page = browser.get("/account");
    shows(
        &page,
        &[r#"name="location_of" value="ada@example.org""#],
        &[],
    );
    let old = browser.csrf_token();
    browser.post("/logout", &[]);
    let asked = browser.post_with_token(&old, "/account/location", &PLACE);
    let asked = asked.unwrap();
    shows(
        &asked,
        &[
            "Location that you typed",
            r#"name="location_of" value="ada@example.org""#,
        ],
        &[],
    );
    let token = asked.csrf_token().unwrap().to_owned();
    (browser, token)
}

fn credentials(email: &str) -> [(&str, &str); 5] {
    [
        ("email", email),
        ("password", PASSWORD),
        ("next", "/account"),
        ("location", "Łódź"),
        ("location_of", EMAIL),
    ]
}

#[test]
fn a_typed_location_survives_a_sign_in_in_another_tab() {
    let database = sqlite();
    let application = Application::start(&database);
    register(&application.visitor(), EMAIL, &[]);
    register(&application.visitor(), ZOE, &[]);

    let (browser, token) = typed_before_the_sign_in(&application);
    sign_in(&browser, EMAIL, PASSWORD);
    let page = browser.post_with_token(&token, "/login", &credentials(EMAIL));
    let page = page.unwrap();
    let typed = [r#"value="Łódź""#, "/account/location", "not saved yet"];
    shows(&page, &typed, &["another account", "signed in already"]);
    assert!(
        !browser.get("/account").body.contains("Łódź"),
        "nothing is stored"
    );

    // The sign-in form appears again first, because the cookie is another user's.
    let (browser, token) = typed_before_the_sign_in(&application);
    sign_in(&browser, ZOE, PASSWORD);
    browser.post("/logout", &[]);
    let again = browser.post_with_token(&token, "/login", &credentials(EMAIL));
    shows(
        &again.unwrap(),
        &["<h1>Sign in</h1>", r#"value="Łódź""#],
        &[],
    );

    let (browser, token) = typed_before_the_sign_in(&application);
    sign_in(&browser, ZOE, PASSWORD);
    let theirs = [
        "as ada@example.org",
        "as zoe@example.org",
        r#"value="Łódź""#,
    ];
    for email in [EMAIL, ZOE] {
        let page = browser.post_with_token(&token, "/login", &credentials(email));
        shows(&page.unwrap(), &theirs, &["not saved yet"]);
    }
    let page = browser.post_with_token(&token, "/account/location", &PLACE);
    shows(&page.unwrap(), &theirs, &["This form has expired"]);

    let (browser, _) = typed_before_the_sign_in(&application);
    assert_eq!(
        browser.post("/login", &credentials(ZOE)).location(),
        "/account"
    );
    shows(&browser.get("/account"), &theirs, &["not saved yet"]);
    assert_eq!(browser.post("/account/location", &PLACE).status, 303);
    shows(&browser.get("/account"), &[], &["ada@example.org"]);
}

#[test]
fn nobody_is_asked_to_sign_out_for_the_account_that_is_signed_in() {
    let database = sqlite();
    let application = Application::start(&database);
    let browser = application.visitor();
    let old = browser.csrf_token();
    register(&browser, EMAIL, &[]);
    browser.get("/home");
    for (email, other) in [("Ada@Example.org", false), (ZOE, true)] {
        let fields = [("email", email), ("password", PASSWORD), ("next", "/home")];
        for form in ["/login", "/register"] {
            let sent = browser.post_with_token(&old, form, &fields).unwrap();
            assert_eq!(sent.location(), "/home");
            let page = browser.get("/home");
            shows(
                &page,
                &["You are signed in already, as ada@example.org."],
                &[],
            );
            assert_eq!(page.body.contains("another account"), other, "{email}");
        }
    }
}

fn a_registration_that_is_sent_twice_signs_in(database: &TestDatabase) {
    let few = [("ROCKET_ACCOUNTS", "{attempts_per_account=2}")];
    let application = Application::start_with(database, &few);
    assert_eq!(
        register(&application.visitor(), EMAIL, &[]).location(),
        "/home"
    );
    let browser = application.visitor();
    let again = register(&browser, " ADA@example.org", &[("next", "/account")]);
    assert_eq!(again.location(), "/account", "{}", again.body);
    assert!(is_signed_in(&browser));
    assert_eq!(sql::count(database, "users"), 1);

    for _ in 0..2 {
        let other = "staple battery horse";
        let taken = register_with(&application.visitor(), EMAIL, other, &[]);
        assert_eq!(taken.status, 422);
        assert!(complaint(&taken, "email").contains("already exists"));
    }
    // The limits of a sign-in hold here as well.
    let refused = register(&application.visitor(), EMAIL, &[]);
    assert_eq!((refused.status, refused.cookies().len()), (422, 0));
    assert_eq!(sign_in(&application.visitor(), EMAIL, PASSWORD).status, 429);
}

fn ending_an_ended_device_is_no_attack(database: &TestDatabase) {
    let application = Application::start(database);
    let [ada, other] = [(); 2].map(|()| application.visitor());
    register(&ada, EMAIL, &[]);
    sign_in(&other, EMAIL, PASSWORD);
    let devices = ada.get("/api/v1/devices").json();
    let mut devices = devices.as_array().unwrap().iter();
    let other = devices.find(|device| device["current"] == false).unwrap();
    let key = other["key"].as_str().unwrap();
    let path = format!("/account/devices/{key}/end");
    assert_eq!(ada.post(&path, &[]).location(), "/account/devices");
    ada.get("/account/devices");
    let again = ada.post(&path, &[]);
    assert_eq!(again.status, 303, "{}", again.body);
    assert_eq!(again.location(), "/account/devices");
    let list = ada.get("/account/devices");
    shows(
        &list,
        &["That device is signed out already."],
        &["That device is signed out."],
    );
    assert_eq!(ada.delete(&format!("/api/v1/devices/{key}")).status, 404);
    let output = application.output();
    assert!(
        !output.contains("malicious") && !output.contains("critical"),
        "{output}"
    );
}

#[test]
fn a_password_that_was_confirmed_in_another_tab_is_not_asked_for_again() {
    let database = sqlite();
    let application = Application::start(&database);
    let browser = application.visitor();
    register(&browser, EMAIL, &[]);
    age(&database, 11);
    browser.get("/account/confirm?next=/account/password");
    let second = browser.csrf_token();
    let fields = [("password", PASSWORD), ("next", "/account/password")];
    let first = browser.post("/account/confirm", &fields);
    assert_eq!(first.location(), "/account/password");
    let send = || {
        let sent = browser.post_with_token(&second, "/account/confirm", &fields);
        sent.unwrap()
    };
    let answer = send();
    assert_eq!(answer.status, 303, "{}", answer.body);
    assert_eq!(answer.location(), "/account/password");
    age(&database, 11);
    shows(
        &send(),
        &["This form has expired", "Confirm your password"],
        &[],
    );
}

/// A page that asks for the password leads nowhere; the page behind it does.
#[test]
fn a_sign_in_leads_to_the_page_behind_the_confirmation() {
    let database = sqlite();
    let application = Application::start(&database);
    register(&application.visitor(), EMAIL, &[]);
    for (next, page) in [
        (
            "/account/confirm?next=/account/password",
            "/account/password",
        ),
        (
            "/account/confirm?next=%2Faccount%2Fdevices%3Fa%3Db",
            "/account/devices?a=b",
        ),
        ("/account/confirm?next=%2F%2Fevil.example", "/home"),
        ("/account/confirm", "/home"),
    ] {
        let fields = [("email", EMAIL), ("password", PASSWORD), ("next", next)];
        let signed_in = application.visitor().post("/login", &fields);
        assert_eq!(signed_in.location(), page, "{next}");
    }
}
