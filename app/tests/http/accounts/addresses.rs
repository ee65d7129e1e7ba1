//! Spells the e-mail address of one account in different ways.

use testing::accounts::{PASSWORD, complaint, is_signed_in, register, register_with, sign_in};
use testing::application::Application;
use testing::database::TestDatabase;
use testing::{on_every_backend, sql};

use crate::command_line::program::run;

on_every_backend!(
    each_spelling_of_an_address_is_one_account,
    an_address_of_an_earlier_release_is_canonicalized,
);

const CANONICAL: &str = "ada@xn--bcher-kva.example";
const SPELLINGS: [&str; 3] = [
    "ada@bücher.example",
    "Ada@BÜCHER.example",
    "ada@bu\u{308}cher.example",
];

fn each_spelling_of_an_address_is_one_account(database: &TestDatabase) {
    let application = Application::start(database);
    register(&application.visitor(), CANONICAL, &[]);
    for spelling in SPELLINGS {
        let visitor = application.visitor();
        assert_eq!(sign_in(&visitor, spelling, PASSWORD).location(), "/home");
        let other = "another long password";
        let again = register_with(&application.visitor(), spelling, other, &[]);
        assert!(complaint(&again, "email").contains("account with this e-mail"));
        let done = run(database, &["users", "disable", spelling]).done();
        assert!(
            done.starts_with("ada@xn--bcher-kva.example is disabled"),
            "{done}"
        );
        assert!(!is_signed_in(&visitor));
        run(database, &["users", "enable", spelling]).done();
    }
}

fn an_address_of_an_earlier_release_is_canonicalized(database: &TestDatabase) {
    let mut application = Application::start(database);
    register(&application.visitor(), CANONICAL, &[]);
    register(&application.visitor(), "grace@example.org", &[]);
    let earlier = "UPDATE users SET email = 'ada@bücher.example' WHERE email LIKE 'ada%'";
    sql::execute(database, earlier);
    let emails = || database.lines("SELECT email AS line FROM users ORDER BY email");
    let canonical = [CANONICAL, "grace@example.org"];
    application.kill();
    application.restart();
    assert_eq!(emails(), canonical);

    sql::execute(database, earlier);
    let canonicalize = ["users", "canonicalize"];
    let changed = |count| format!("e-mail addresses changed: {count}\n");
    assert_eq!(run(database, &canonicalize).done(), changed(1));
    assert_eq!(run(database, &canonicalize).done(), changed(0));
    assert_eq!(emails(), canonical);

    // Both have an account, so an operator has to choose.
    register(&application.visitor(), "eve@example.org", &[]);
    sql::execute(
        database,
        "UPDATE users SET email = 'ada@bücher.example' WHERE email LIKE 'eve%'",
    );
    let id = database.lines("SELECT id AS line FROM users WHERE email LIKE 'ada@b%'");
    let kept = run(database, &canonicalize).done();
    let has = format!("another account has the address of {}", id[0]);
    assert!(kept.contains(&has), "{kept}");
}
