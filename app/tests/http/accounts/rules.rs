//! Checks which passwords are accepted, and that they are hashed as typed.

use rocket::serde::json::json;

use testing::accounts::{EMAIL, PASSWORD, complaint, register, sign_in};
use testing::application::Application;
use testing::database::TestDatabase;
use testing::visitor::{Answer, Visitor};
use testing::{on_every_backend, sql};

on_every_backend!(a_sign_in_renews_an_outdated_hash);

/// Registers Ada with a password.
fn choose(visitor: &Visitor, email: &str, password: &str) -> Answer {
    let fields = [
        ("first_name", "Ada"),
        ("last_name", "King-Lovelace"),
        ("email", email),
        ("password", password),
    ];
    visitor.post("/register", &fields)
}

/// Returns this many letters that form no word.
fn text(length: usize) -> String {
    let letters = (0..length).map(|at| b'a' + ((at * at * 7 + at / 26) % 26) as u8);
    letters.map(char::from).collect()
}

#[test]
fn passwords_are_hashed_whole_or_refused() {
    let database = testing::database::sqlite();
    let application = Application::start(&database);
    for (number, (password, variants)) in [
        (text(15), vec![text(14), text(16)]),
        (text(64), vec![text(63), text(65)]),
        (text(128), vec![text(127), text(129)]),
        (text(1_024), vec![text(1_023), text(1_025)]),
        (
            "a NUL \0 in the middle".into(),
            vec!["a NUL ".into(), "a NUL  in the middle".into()],
        ),
        (
            "🦀🐢🐍🐘🐧🐳🦉🦜🦊🐝🐞🦋🐌🐙🦑".into(),
            vec!["🦀🐢🐍🐘🐧🐳🦉🦜🦊🐝🐞🦋🐌🐙".into()],
        ),
        (
            "  blanks at the ends  ".into(),
            vec!["blanks at the ends".into()],
        ),
        (
            "Upper and lower case".into(),
            vec!["upper and lower case".into()],
        ),
        // An accented letter as one character and as two.
        (
            "caf\u{e9} at the corner".into(),
            vec!["cafe\u{301} at the corner".into()],
        ),
        (
            "straße nach Łódź".into(),
            vec!["strasse nach Łódź".into(), "straße nach Lodz".into()],
        ),
    ]
    .into_iter()
    .enumerate()
    {
        let email = format!("ada+{number}@example.org");
        let chosen = choose(&application.visitor(), &email, &password);
        assert_eq!(chosen.status, 303, "{password:?}: {}", chosen.body);
        let visitor = application.visitor();
        for variant in variants {
            assert_eq!(
                sign_in(&visitor, &email, &variant).status,
                401,
                "{variant:?}"
            );
        }
        assert_eq!(sign_in(&visitor, &email, &password).location(), "/home");
    }
    for (password, words) in [
        (text(14), "at least 15 characters"),
        (
            "🦀🐢🐍🐘🐧🐳🦉🦜🦊🐝🐞🦋🐌🐙".into(),
            "at least 15 characters",
        ),
        (text(1_025), "at most 1024 bytes"),
    ] {
        let refused = choose(&application.visitor(), EMAIL, &password);
        assert_eq!(refused.status, 422);
        assert!(complaint(&refused, "password").contains(words));
        assert!(!refused.body.contains(&password));
    }
    // More than the limit of a form.
    assert_eq!(
        choose(&application.visitor(), EMAIL, &text(40_000)).status,
        413
    );
}

#[test]
fn common_passwords_and_words_of_the_context_are_refused_with_the_reason() {
    let (common, context) = (
        "This password is too common",
        "consists of your name, your e-mail address or the name of this site",
    );
    let database = testing::database::sqlite();
    let application = Application::start(&database);
    let visitor = application.visitor();
    let cases = [
        ("passwordpassword", common),
        ("Password12345678", common),
        ("qwertyuiopasdfghjkl", common),
        ("xyxyxyxyxyxyxyxyxy", common),
        ("1Q2w3e4r5t6y7u8i", common),
        ("session-session-2026", context),
        ("Ada.Lovelace.1815", context),
        ("king lovelace!!!", context),
        ("ada@example.org", context),
        ("**EXAMPLE**example**", context),
    ];
    for (password, reason) in cases {
        let refused = choose(&visitor, EMAIL, password);
        assert_eq!(refused.status, 422, "{password}");
        let text = complaint(&refused, "password");
        assert!(text.contains(reason), "{password}: {text}");
        let account = json!({
            "first_name": "Ada", "last_name": "King-Lovelace", "email": EMAIL, "password": password,
        });
        let refused = visitor.post_json("/api/v1/signup", &account.to_string());
        let text = refused.json()["errors"]["password"].clone();
        assert_eq!(refused.status, 400, "{password}");
        assert!(text.as_str().unwrap().contains(reason), "{text}");
    }
    assert_eq!(sql::count(&database, "users"), 0);
    assert_eq!(sql::count(&database, "attempts"), 0);

    assert_eq!(choose(&visitor, EMAIL, PASSWORD).location(), "/home");
    for (password, reason) in cases {
        let change = [("current", PASSWORD), ("new", password)];
        let refused = visitor.post("/account/password", &change);
        let text = complaint(&refused, "new");
        assert!(text.contains(reason), "{password}: {text}");
    }
}

#[test]
fn words_and_minimum_length_come_from_the_settings() {
    let database = testing::database::sqlite();
    let settings = [(
        "ROCKET_ACCOUNTS",
        r#"{password_min=8,words=["Example Shop"]}"#,
    )];
    let application = Application::start_with(&database, &settings);
    let visitor = application.visitor();
    let page = visitor.get("/register").body;
    assert!(
        page.contains("At least 8 characters") && page.contains(r#"minlength="8""#),
        "{page}"
    );
    for (password, words) in [
        ("7 chars", "at least 8 characters"),
        ("password1", "too common"),
        ("shop-example-8", "the name of this site"),
    ] {
        let refused = choose(&visitor, EMAIL, password);
        assert!(
            complaint(&refused, "password").contains(words),
            "{password}"
        );
    }
    assert_eq!(choose(&visitor, EMAIL, "8 chars!").location(), "/home");
    let page = visitor.get("/account/password").body;
    assert!(
        page.contains("At least 8 characters") && page.contains(r#"minlength="8""#),
        "{page}"
    );
}

fn a_sign_in_renews_an_outdated_hash(database: &TestDatabase) {
    let hash = || sql::texts(database, "SELECT password_hash AS text FROM users")[0].clone();
    let with = |algorithm: &str| {
        let settings = format!("{{password_hash={algorithm:?}}}");
        Application::start_with(database, &[("ROCKET_ACCOUNTS", &settings)])
    };
    let application = Application::start(database);
    register(&application.visitor(), EMAIL, &[]);
    let first = hash();
    assert!(first.starts_with("$pbkdf2-sha256$i=600000,"), "{first}");
    assert_eq!(
        sign_in(&application.visitor(), EMAIL, PASSWORD).location(),
        "/home"
    );
    assert_eq!(hash(), first);

    let application = with("pbkdf2-sha512");
    assert_eq!(
        sign_in(&application.visitor(), EMAIL, "not the right one").status,
        401
    );
    assert_eq!(hash(), first);
    assert_eq!(
        sign_in(&application.visitor(), EMAIL, PASSWORD).location(),
        "/home"
    );
    let second = hash();
    assert!(second.starts_with("$pbkdf2-sha512$i=220000,"), "{second}");
    assert_eq!(
        sign_in(&application.visitor(), EMAIL, PASSWORD).location(),
        "/home"
    );
    assert_eq!(hash(), second);

    let application = with("pbkdf2-sha256");
    assert_eq!(
        sign_in(&application.visitor(), EMAIL, PASSWORD).location(),
        "/home"
    );
    assert!(hash().starts_with("$pbkdf2-sha256$i=600000,"));
}
