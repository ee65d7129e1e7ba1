//! Sends forms with an outdated token, and checks reason, typed values and next step.

use testing::accounts::{EMAIL, PASSWORD, age, cookie, is_signed_in, register, sign_in};
use testing::application::Application;
use testing::database::sqlite;
use testing::sql;
use testing::visitor::{Answer, Visitor};

const OLDER: &str = "This form has expired";
const SIGNED_OUT: &str = "You are no longer signed in";

/// A restored browser loads two tabs before either has a cookie; it keeps the second cookie.
fn two_tabs(application: &Application, page: &str) -> (Visitor, String) {
    let first = application.visitor().get(page);
    let browser = application.visitor();
    browser.get(page);
    (browser, first.csrf_token().unwrap().to_owned())
}

fn shows(page: &Answer, status: u16, words: &[&str]) {
    assert_eq!(page.status, status, "{}", page.body);
    for words in words {
        assert!(page.body.contains(words), "{words}: {}", page.body);
    }
    assert!(!page.body.contains(PASSWORD));
}

#[test]
fn the_first_of_two_tabs_is_shown_its_form_again() {
    let database = sqlite();
    let application = Application::start(&database);
    let (browser, first) = two_tabs(&application, "/register");
    let typed = [
        ("first_name", "Ada"),
        ("last_name", "Love\"lace"),
        ("email", EMAIL),
        ("password", PASSWORD),
        ("remember", "on"),
        ("next", "/messages"),
    ];
    let page = browser.post_with_token(&first, "/register", &typed);
    let words = [
        OLDER,
        "<h1>Register</h1>",
        r#"value="Ada""#,
        "value=\"Love&quot;lace\"",
        r#"value="ada@example.org""#,
        " checked>",
        r#"name="next" value="&#x2f;messages""#,
        "<title>Error: Register",
    ];
    shows(&page.unwrap(), 403, &words);
    assert_eq!(browser.post("/register", &typed).location(), "/messages");

    let (browser, first) = two_tabs(&application, "/login?next=/account");
    let typed = [
        ("email", EMAIL),
        ("password", PASSWORD),
        ("next", "/account"),
    ];
    let page = browser.post_with_token(&first, "/login", &typed);
    let words = [
        OLDER,
        "<h1>Sign in</h1>",
        r#"value="ada@example.org""#,
        r#"name="next" value="&#x2f;account""#,
    ];
    shows(&page.unwrap(), 403, &words);
    assert_eq!(browser.post("/login", &typed).location(), "/account");
}

#[test]
fn a_browser_that_is_signed_in_by_now_is_redirected() {
    let database = sqlite();
    let application = Application::start(&database);
    register(&application.visitor(), EMAIL, &[]);
    for form in ["/login", "/register"] {
        let (browser, first) = two_tabs(&application, form);
        sign_in(&browser, EMAIL, PASSWORD);
        let fields = [("email", "eve@example.org"), ("next", "/account")];
        let answer = browser.post_with_token(&first, form, &fields).unwrap();
        assert_eq!(answer.location(), "/account");
        let known = "You are signed in already, as ada@example.org.";
        shows(&browser.get("/account"), 200, &[known]);
    }
    // Another site's form has no page to return to.
    let browser = application.visitor();
    sign_in(&browser, EMAIL, PASSWORD);
    let refused = browser.post_with("/login", "Origin", "https://evil.example", &[]);
    shows(&refused, 403, &["A page of another site sent this"]);
}

#[test]
fn a_form_of_the_account_is_shown_again_after_a_second_sign_in() {
    let database = sqlite();
    let application = Application::start(&database);
    let browser = application.visitor();
    register(&browser, EMAIL, &[]);
    let old = browser.csrf_token();
    let send =
        |path: &str, fields: &[(&str, &str)]| browser.post_with_token(&old, path, fields).unwrap();
    let confirmed = browser.post("/account/confirm", &[("password", PASSWORD)]);
    assert_eq!(confirmed.status, 303);
    let place = [("_method", "put"), ("location", "Łódź")];
    let page = send("/account/location", &place);
    shows(&page, 403, &[OLDER, r#"value="Łódź""#, "Your account"]);
    let passwords = [("current", PASSWORD), ("new", "staple battery horse")];
    let page = send("/account/password", &passwords);
    shows(&page, 403, &[OLDER, "<h1>Change your password</h1>"]);
    assert!(!page.body.contains("staple"));
    let fields = [("password", PASSWORD), ("next", "/account/devices")];
    age(&database, 11);
    let page = send("/account/confirm", &fields);
    let next = r#"name="next" value="&#x2f;account&#x2f;devices""#;
    shows(&page, 403, &[OLDER, next]);
    let page = send("/account/devices/end_others", &[]);
    shows(&page, 403, &[OLDER, "Please send it again"]);
    assert!(is_signed_in(&browser), "and nothing has happened");
    assert_eq!(browser.post("/account/location", &place).status, 303);
}

#[test]
fn typed_text_survives_a_sign_out_in_another_tab() {
    let database = sqlite();
    let application = Application::start(&database);
    let browser = application.visitor();
    register(&browser, EMAIL, &[]);
    let old = browser.csrf_token();
    browser.post("/logout", &[]);
    let place = [("_method", "put"), ("location", "Łódź")];
    let page = browser.post_with_token(&old, "/account/location", &place);
    kept_over_the_sign_in(&browser, &page.unwrap(), 403);
    // A second click on another tab's button.
    browser.post("/logout", &[]);
    let again = browser.post_with_token(&old, "/logout", &[]).unwrap();
    assert_eq!(again.location(), "/login?signed_out");
}

#[test]
fn typed_text_survives_the_end_of_its_session() {
    let database = sqlite();
    let application = Application::start(&database);
    let registered = register(&application.visitor(), EMAIL, &[]);
    let browser = application.visitor_with(&cookie(&registered));
    let token = browser.csrf_token();
    sql::execute(&database, "DELETE FROM sessions");
    let place = [("_method", "put"), ("location", "Łódź")];
    let page = browser.post_with_token(&token, "/account/location", &place);
    let browser = application.visitor();
    kept_over_the_sign_in(&browser, &page.unwrap(), 401);
    sql::execute(&database, "DELETE FROM sessions");
    // The reason appears even without a typed value to keep.
    let signed_out = browser.post("/account/devices/end_others", &[]);
    assert_eq!(signed_out.location(), "/login?ended=true");
    shows(&browser.get(signed_out.location()), 200, &[SIGNED_OUT]);
}

fn kept_over_the_sign_in(browser: &Visitor, page: &Answer, status: u16) {
    let next = r#"name="next" value="&#x2f;account""#;
    shows(
        page,
        status,
        &[SIGNED_OUT, "<h1>Sign in</h1>", r#"value="Łódź""#, next],
    );
    let credentials = [
        ("email", EMAIL),
        ("password", PASSWORD),
        ("next", "/account"),
        ("location", "Łódź"),
    ];
    let wrong = [("password", "wrong")];
    let refused = browser.post(
        "/login",
        &[&wrong, &credentials[..1], &credentials[2..]].concat(),
    );
    shows(&refused, 401, &[r#"value="Łódź""#]);
    assert_eq!(browser.post("/login", &credentials).location(), "/account");
    let account = browser.get("/account");
    shows(&account, 200, &["not saved yet", r#"value="Łódź""#]);
    let place = [("_method", "put"), ("location", "Łódź")];
    assert_eq!(browser.post("/account/location", &place).status, 303);
    assert!(!browser.get("/account").body.contains("not saved yet"));
}

/// Browsers send no Secure cookie over http, so no form worked, and each was logged as an
/// attack.
#[test]
fn a_site_over_plain_http_says_that_it_needs_https() {
    let database = sqlite();
    let application = Application::start_with(&database, &[("ROCKET_PROFILE", "prod")]);
    for page in ["/register", "/login"] {
        let token = application.visitor().get(page);
        let token = token.csrf_token().unwrap();
        let without_cookies = application.visitor();
        let refused = without_cookies.post_with_token(token, page, &[]).unwrap();
        shows(&refused, 403, &["does not accept its Secure cookie"]);
    }
    let output = application.output();
    assert!(
        output
            .contains("POST /register is refused by the CSRF protection: it came over plain http")
    );
    assert!(
        output.contains(r#""event":"csrf_refused","level":"warn""#),
        "{output}"
    );
    assert!(!output.contains("malicious_csrf") && !output.contains("critical"));
}
