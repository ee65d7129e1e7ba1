//! Registers with unusual names and passwords.

use testing::accounts::{EMAIL, PASSWORD, is_signed_in, register, sign_in};
use testing::application::Application;
use testing::database::TestDatabase;
use testing::visitor::{Answer, Visitor};
use testing::{on_every_backend, sql};

on_every_backend!(different_addresses_are_different_accounts);

#[test]
fn names_that_are_too_short_or_too_long_are_not_stored() {
    let database = testing::database::sqlite();
    let application = Application::start(&database);
    let visitor = application.visitor();
    let of_length = |length: usize| {
        let address = "@example.org";
        format!("{}{address}", "x".repeat(length - address.len()))
    };
    let names = [
        "".to_owned(),
        "a".to_owned(),
        of_length(255),
        of_length(256),
        of_length(30_000),
    ];
    for name in names {
        for refused in [
            register(&visitor, &name, &[]),
            sign_in(&visitor, &name, PASSWORD),
        ] {
            assert_eq!(
                (refused.status, refused.set_cookie("id")),
                (422, None),
                "{name:.20}"
            );
        }
    }
    let rows = ["users", "sessions"].map(|table| sql::count(&database, table));
    assert_eq!(rows, [0, 0]);
    assert_eq!(register(&visitor, &of_length(70), &[]).status, 303);
}

/// Some collations consider each pair equal.
fn different_addresses_are_different_accounts(database: &TestDatabase) {
    let application = Application::start(database);
    for (one, other) in [
        ("straße@example.org", "strasse@example.org"),
        ("ada@example.org", "ａda@example.org"),
        ("eve@example.org", "e\u{200d}ve@example.org"),
    ] {
        let visitor = application.visitor();
        assert_eq!(register(&visitor, one, &[]).status, 303, "{one}");
        let password = ("password", "staple battery horse");
        let fields = [
            ("first_name", "A"),
            ("last_name", "B"),
            ("email", other),
            password,
        ];
        let visitor = application.visitor();
        let registered = visitor.post("/register", &fields);
        assert!([303, 422].contains(&registered.status), "{other:?}");
        assert_eq!(is_signed_in(&visitor), registered.status == 303);

        let visitor = application.visitor();
        assert_ne!(sign_in(&visitor, other, PASSWORD).status, 303, "{other:?}");
        assert!(!is_signed_in(&visitor));
        assert_eq!(sign_in(&visitor, one, PASSWORD).status, 303, "{one}");
        let page = visitor.get("/account").body;
        assert!(page.contains(one) && !page.contains(other), "{page}");
    }
}

#[test]
fn no_name_or_address_has_characters_that_cannot_be_seen() {
    let database = testing::database::sqlite();
    let application = Application::start(&database);
    let visitor = application.visitor();
    for bad in [
        "\0", "\r\nx", "\n", "\u{7f}", "\u{85}", "\u{202e}", "\u{2066}", "\u{2028}",
    ] {
        for (field, value) in [
            ("email", format!("a{bad}da@example.org")),
            ("first_name", format!("A{bad}da")),
        ] {
            let refused = visitor.post("/register", &registration(field, &value));
            assert_eq!(refused.status, 422, "{field} {value:?}");
        }
    }
    assert_eq!(sql::count(&database, "users"), 0);
}

fn registration<'a>(field: &str, value: &'a str) -> Vec<(&'static str, &'a str)> {
    let right = [
        ("first_name", "Ada"),
        ("last_name", "Lovelace"),
        ("email", EMAIL),
        ("password", PASSWORD),
    ];
    let change = |(name, right)| (name, if name == field { value } else { right });
    right.into_iter().map(change).collect()
}

/// Returns uncommon words, cut to a number of bytes.
fn password(length: usize) -> String {
    "Quartz lynx 7 hums beyond Vienna; "
        .chars()
        .cycle()
        .take(length)
        .collect()
}

fn register_with(visitor: &Visitor, length: usize, password: &str) -> Answer {
    let email = format!("ada{length}@example.org");
    let mut fields = registration("password", password);
    fields[2].1 = &email;
    visitor.post("/register", &fields)
}

#[test]
fn a_password_is_refused_or_taken_whole() {
    let database = testing::database::sqlite();
    let application = Application::start(&database);
    for (length, accepted) in [
        (14, false),
        (15, true),
        (64, true),
        (128, true),
        (1_024, true),
        (1_025, false),
    ] {
        let (visitor, password) = (application.visitor(), password(length));
        let registered = register_with(&visitor, length, &password);
        assert_eq!(registered.status == 303, accepted, "{length}");
        if accepted {
            let email = format!("ada{length}@example.org");
            let visitor = application.visitor();
            assert_eq!(
                sign_in(&visitor, &email, &password[..length - 1]).status,
                401
            );
            assert_eq!(sign_in(&visitor, &email, &password).status, 303, "{length}");
        } else {
            assert_eq!(registered.status, 422, "{length}");
        }
    }
}

#[test]
fn a_password_is_compared_as_it_was_typed() {
    let database = testing::database::sqlite();
    let application = Application::start(&database);
    let password = " Quartz\0 \u{1f980} пароль é ";
    assert_eq!(
        register_with(&application.visitor(), 1, password).status,
        303
    );
    for (typed, status) in [
        (password, 303),
        (password.trim(), 401),
        (&password.replace('\0', ""), 401),
        (&password.replace('é', "e\u{301}"), 401),
        (&password.to_lowercase(), 401),
        (&format!("{password}\0"), 401),
    ] {
        let visitor = application.visitor();
        assert_eq!(
            sign_in(&visitor, "ada1@example.org", typed).status,
            status,
            "{typed:?}"
        );
    }
    let endless = "x".repeat(32 * 1024);
    assert_eq!(sign_in(&application.visitor(), EMAIL, &endless).status, 413);
    let ends_with_nul = "Quartz lynx 7 hums\0";
    assert_eq!(
        register_with(&application.visitor(), 2, ends_with_nul).status,
        422
    );
}
