//! Sends fields that try to be more than text.

use rocket::serde::json::json;

use testing::accounts::{EMAIL, PASSWORD, is_signed_in, register, sign_in};
use testing::application::Application;
use testing::database::TestDatabase;
use testing::{on_every_backend, sql};

on_every_backend!(cve_2013_0233_a_number_is_no_text);

/// In MySQL, `'abc' = 0` is true.
fn cve_2013_0233_a_number_is_no_text(database: &TestDatabase) {
    let application = Application::start(database);
    register(&application.visitor(), EMAIL, &[]);
    let visitor = application.visitor();
    for value in ["0", "0e1", "0x0", "true", "null", "NaN"] {
        for (email, password) in [(value, PASSWORD), (EMAIL, value), (value, value)] {
            let refused = sign_in(&visitor, email, password);
            assert!([401, 422].contains(&refused.status), "{value}: {refused:?}");
        }
    }
    for value in [
        json!(0),
        json!(true),
        json!(null),
        json!([]),
        json!({ "a": 1 }),
    ] {
        for body in [
            json!({ "email": value, "password": PASSWORD }),
            json!({ "email": EMAIL, "password": value }),
        ] {
            let refused = visitor.post_json("/api/v1/signin", &body.to_string());
            assert!((400..500).contains(&refused.status), "{body}: {refused:?}");
        }
    }
    assert!(!is_signed_in(&visitor));
}

/// An empty token matched an empty column.
#[test]
fn cve_2019_16109_what_is_empty_matches_nothing_that_is_empty() {
    let database = testing::database::sqlite();
    let application = Application::start(&database);
    register(&application.visitor(), EMAIL, &[]);
    sql::execute(
        &database,
        "UPDATE users SET password_hash = ''; UPDATE sessions SET id = ''",
    );
    let visitor = application.visitor();
    for password in ["", " ", "$", "correct horse battery"] {
        assert!([401, 422].contains(&sign_in(&visitor, EMAIL, password).status));
    }
    for cookie in ["id=", "id=\"\"", "id= "] {
        assert!(!is_signed_in(&application.visitor_with(cookie)));
    }
}

#[test]
fn cve_2026_48019_no_address_has_two_lines() {
    let database = testing::database::sqlite();
    let application = Application::start(&database);
    let visitor = application.visitor();
    for bad in [
        "\r\nBcc: eve@example.org",
        "\n",
        "\r",
        "\u{2028}",
        "\u{85}",
        "\0",
        "\t",
    ] {
        let email = format!("ada@exam{bad}ple.org");
        let refused = register(&visitor, &email, &[]);
        assert_eq!(
            (refused.status, refused.cookies().len()),
            (422, 0),
            "{bad:?}"
        );
    }
    assert_eq!(sql::count(&database, "users"), 0);
}

/// Invalid bytes in a text column became an invalid string.
#[test]
fn rustsec_2026_0111_bytes_in_a_column_of_text_are_an_error() {
    let database = testing::database::sqlite();
    let application = Application::start(&database);
    let visitor = application.visitor();
    for (table, column) in [
        ("sessions", "data"),
        ("sessions", "user_agent"),
        ("users", "location"),
    ] {
        register(&visitor, EMAIL, &[]);
        assert!(is_signed_in(&visitor));
        let damage = format!("UPDATE {table} SET {column} = x'ff00fe'");
        sql::execute(&database, &damage);
        let page = visitor.get("/account");
        assert!([303, 500, 503].contains(&page.status), "{damage}: {page:?}");
        sql::execute(&database, "DELETE FROM sessions; DELETE FROM users");
    }
    assert_eq!(visitor.get("/health/ready").status, 200);
}
