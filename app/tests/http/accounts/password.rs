//! Changes and confirms passwords, also during concurrent sign-ins.

use std::thread;
use std::time::Duration;

use rocket::serde::json::json;

use testing::accounts::{
    EMAIL, PASSWORD, age, complaint, cookie, is_signed_in, register, register_with, sign_in,
};
use testing::application::Application;
use testing::database::TestDatabase;
use testing::visitor::{Answer, Visitor};
use testing::{on_every_backend, sql};

on_every_backend!(
    an_account_and_its_first_session_are_stored_together_or_not_at_all,
    a_concurrent_sign_in_with_the_old_password_fails,
    a_password_change_ends_the_other_sessions_at_once,
    cve_2026_32700_of_two_password_changes_at_once_one_wins,
    changing_the_password_needs_a_recent_sign_in,
);

fn an_account_and_its_first_session_are_stored_together_or_not_at_all(database: &TestDatabase) {
    let application = Application::start(database);
    let visitor = application.visitor();
    sql::execute(database, "ALTER TABLE sessions RENAME TO away");
    let failed = register(&visitor, EMAIL, &[]);
    assert_eq!((failed.status, failed.cookies().len()), (503, 0));
    assert_eq!(sql::count(database, "users"), 0);

    sql::execute(database, "ALTER TABLE away RENAME TO sessions");
    assert_eq!(register(&visitor, EMAIL, &[]).location(), "/home");
    let taken = register_with(&application.visitor(), EMAIL, NEW_PASSWORD, &[]);
    assert_eq!((taken.status, taken.cookies().len()), (422, 0));
    let rows = ["users", "sessions"].map(|table| sql::count(database, table));
    assert_eq!(rows, [1, 1]);
}

/// The password is changed after a sign-in has read the old one and before it is saved.
fn a_concurrent_sign_in_with_the_old_password_fails(database: &TestDatabase) {
    let application = Application::start(database);
    register(&application.visitor(), EMAIL, &[]);
    for change in ["password_hash = 'another one'", "disabled_at = 1"] {
        sql::execute(database, "DELETE FROM sessions");
        let hash = &sql::texts(database, "SELECT password_hash AS text FROM users")[0];
        let mut beside = sql::connection(database);
        beside("BEGIN");
        beside(&format!("UPDATE users SET {change}"));
        let refused = thread::scope(|scope| {
            let visitor = application.visitor();
            let sign_in = scope.spawn(move || sign_in(&visitor, EMAIL, PASSWORD));
            // The password is verified by now, and the sign-in waits for the row.
            thread::sleep(Duration::from_millis(800));
            beside("COMMIT");
            sign_in.join().unwrap()
        });
        assert_eq!(
            (refused.status, refused.cookies().len()),
            (401, 0),
            "{change}"
        );
        assert_eq!(sql::count(database, "sessions"), 0, "{change}");
        beside(&format!(
            "UPDATE users SET password_hash = '{hash}', disabled_at = NULL"
        ));
    }
    assert_eq!(
        sign_in(&application.visitor(), EMAIL, PASSWORD).location(),
        "/home"
    );
}

pub(crate) const NEW_PASSWORD: &str = "staple battery horse";

fn change_password(visitor: &Visitor, current: &str, new: &str) -> Answer {
    visitor.post("/account/password", &[("current", current), ("new", new)])
}

fn change_password_by_program(program: &Visitor, current: &str, new: &str) -> Answer {
    let change = json!({ "current": current, "new": new });
    program.put_json("/api/v1/password", &change.to_string())
}

fn a_password_change_ends_the_other_sessions_at_once(database: &TestDatabase) {
    let application = Application::start(database);
    let signed_in = |password: &str| {
        let visitor = application.visitor();
        assert_eq!(sign_in(&visitor, EMAIL, password).location(), "/home");
        visitor
    };
    let visitor = application.visitor();
    let before = cookie(&register(&visitor, EMAIL, &[]));
    let grace = application.visitor();
    register(&grace, "grace@example.org", &[]);

    let others = [signed_in(PASSWORD), signed_in(PASSWORD)];
    let changed = change_password(&visitor, PASSWORD, NEW_PASSWORD);
    assert_eq!(changed.location(), "/account");
    assert_ne!(cookie(&changed), before);
    assert!(
        visitor
            .get("/account")
            .body
            .contains("Your password is changed.")
    );
    assert!(is_signed_in(&visitor) && is_signed_in(&grace));
    assert!(!is_signed_in(&application.visitor_with(&before)));
    for other in &others {
        assert!(!is_signed_in(other));
    }
    assert_eq!(sql::count(database, "sessions"), 2);
    assert_eq!(sign_in(&application.visitor(), EMAIL, PASSWORD).status, 401);

    let other = signed_in(NEW_PASSWORD);
    let changed = change_password_by_program(&visitor, NEW_PASSWORD, PASSWORD);
    assert_eq!(changed.status, 204);
    assert!(is_signed_in(&visitor) && !is_signed_in(&other));
    signed_in(PASSWORD);
}

fn cve_2026_32700_of_two_password_changes_at_once_one_wins(database: &TestDatabase) {
    let application = Application::start(database);
    let browsers = [(); 2].map(|()| application.visitor());
    register(&browsers[0], EMAIL, &[]);
    sign_in(&browsers[1], EMAIL, PASSWORD);
    let new = [NEW_PASSWORD, "horse staple battery"];
    let changed = thread::scope(|scope| {
        let changes = browsers.each_ref().into_iter().zip(new);
        let changes = changes
            .map(|(browser, new)| scope.spawn(move || change_password(browser, PASSWORD, new)));
        let changes: Vec<_> = changes.collect();
        let answers = changes.into_iter().map(|one| one.join().unwrap());
        answers
            .map(|answer| answer.status == 303 && answer.location() == "/account")
            .collect::<Vec<_>>()
    });
    let winner = changed.iter().position(|changed| *changed).unwrap();
    let loser = 1 - winner;
    assert!(!changed[loser], "both won");
    assert!(is_signed_in(&browsers[winner]) && !is_signed_in(&browsers[loser]));
    let anonymous = application.visitor();
    assert_eq!(sign_in(&anonymous, EMAIL, PASSWORD).status, 401);
    assert_eq!(sign_in(&anonymous, EMAIL, new[loser]).status, 401);
    assert_eq!(sign_in(&anonymous, EMAIL, new[winner]).location(), "/home");
}

#[test]
fn errors_of_a_new_password_appear_beside_it() {
    let database = testing::database::sqlite();
    let application = Application::start(&database);
    let visitor = application.visitor();
    register(&visitor, EMAIL, &[]);
    let other = application.visitor();
    sign_in(&other, EMAIL, PASSWORD);
    let long = "x".repeat(1_025);
    for (current, new, field, words) in [
        ("", NEW_PASSWORD, "current", "Please fill this in."),
        (
            "not the right one",
            NEW_PASSWORD,
            "current",
            "not your current password",
        ),
        (PASSWORD, "", "new", "Please fill this in."),
        (PASSWORD, "14 characters!", "new", "at least 15 characters"),
        (PASSWORD, &long, "new", "at most 1024 bytes"),
        (PASSWORD, PASSWORD, "new", "Please choose another one."),
    ] {
        let refused = change_password(&visitor, current, new);
        assert_eq!(
            (refused.status, refused.cookies().len()),
            (422, 0),
            "{new:.20}"
        );
        assert!(
            complaint(&refused, field).contains(words),
            "{}",
            refused.body
        );
        for typed in [current, new] {
            assert!(typed.is_empty() || !refused.body.contains(typed));
        }
        let refused = change_password_by_program(&visitor, current, new);
        assert_eq!(
            (refused.status, refused.cookies().len()),
            (400, 0),
            "{new:.20}"
        );
        let message = &refused.json()["errors"][field];
        assert!(message.as_str().unwrap().contains(words), "{message}");
    }
    let nothing = visitor.post("/account/password", &[]);
    assert_eq!(complaint(&nothing, "current"), complaint(&nothing, "new"));
    assert!(is_signed_in(&visitor) && is_signed_in(&other));
    assert_eq!(
        sign_in(&application.visitor(), EMAIL, PASSWORD).location(),
        "/home"
    );
}

fn changing_the_password_needs_a_recent_sign_in(database: &TestDatabase) {
    let application = Application::start(database);
    let visitor = application.visitor();
    let before = cookie(&register(&visitor, EMAIL, &[]));
    age(database, 9);
    assert_eq!(visitor.get("/account/password").status, 200);
    age(database, 2);
    let confirm = "/account/confirm?next=%2Faccount%2Fpassword";
    assert_eq!(visitor.get("/account/password").location(), confirm);
    let fields = [("current", PASSWORD), ("new", NEW_PASSWORD)];
    let page = "/account/password";
    assert_eq!(visitor.post_from(page, page, &fields).location(), confirm);
    let program = change_password_by_program(&visitor, PASSWORD, NEW_PASSWORD);
    assert_eq!(program.status, 403);
    let detail = &program.json()["detail"];
    assert!(
        detail.as_str().unwrap().contains("last 10 minutes"),
        "{detail}"
    );
    // Everything else still works.
    assert!(is_signed_in(&visitor) && visitor.get("/account").status == 200);

    assert!(visitor.get(confirm).body.contains("Confirm your password"));
    let next = ("next", "/account/password");
    for (password, words) in [
        ("", "Please fill this in."),
        ("not the right one", "not your current password"),
        (NEW_PASSWORD, "not your current password"),
    ] {
        let refused = visitor.post("/account/confirm", &[("password", password), next]);
        assert_eq!((refused.status, refused.cookies().len()), (422, 0));
        assert!(complaint(&refused, "password").contains(words));
        assert!(
            refused
                .body
                .contains("value=\"&#x2f;account&#x2f;password\"")
        );
        assert_eq!(visitor.get("/account/password").location(), confirm);
    }
    let confirmed = visitor.post("/account/confirm", &[("password", PASSWORD), next]);
    assert_eq!(confirmed.location(), "/account/password");
    assert_ne!(cookie(&confirmed), before);
    assert!(!is_signed_in(&application.visitor_with(&before)));
    assert!(
        visitor
            .get("/account/password")
            .body
            .contains("You can continue.")
    );
    assert_eq!(sql::count(database, "sessions"), 1);
}

#[test]
fn confirming_leads_to_a_page_of_this_site_and_is_for_users() {
    let database = testing::database::sqlite();
    let application = Application::start(&database);
    let visitor = application.visitor();
    let confirm = |visitor: &Visitor, next: &str| {
        visitor.post(
            "/account/confirm",
            &[("password", PASSWORD), ("next", next)],
        )
    };
    register(&visitor, EMAIL, &[]);
    let nobody_is_asked_twice = visitor.get("/account/confirm?next=/messages");
    assert_eq!(nobody_is_asked_twice.location(), "/messages");
    for (next, expected) in [
        ("/account/devices?a=b", "/account/devices?a=b"),
        ("//evil.example", "/home"),
        ("https://evil.example/", "/home"),
        ("/account/confirm", "/home"),
    ] {
        assert_eq!(confirm(&visitor, next).location(), expected);
    }
    let anonymous = application.visitor();
    assert_eq!(
        anonymous.get("/account/confirm").location(),
        "/login?next=%2Faccount%2Fconfirm"
    );
    assert_eq!(confirm(&anonymous, "/home").location(), "/login");
    assert_eq!(
        anonymous.get("/account/password").location(),
        "/login?next=%2Faccount%2Fpassword"
    );
    assert_eq!(
        change_password_by_program(&anonymous, PASSWORD, NEW_PASSWORD).status,
        401
    );

    // Without a Referer the page of the form is unknown.
    age(&database, 11);
    assert_eq!(
        visitor.post("/account/password", &[]).location(),
        "/account/confirm"
    );
}

#[test]
fn a_password_manager_finds_the_form_through_the_sign_in() {
    let database = testing::database::sqlite();
    let application = Application::start(&database);
    let visitor = application.visitor();
    let well_known = "/.well-known/change-password";
    for answer in [visitor.get(well_known), visitor.head(well_known)] {
        assert_eq!(answer.location(), "/account/password");
    }
    let to_sign_in = visitor.get("/account/password");
    assert_eq!(to_sign_in.location(), "/login?next=%2Faccount%2Fpassword");
    register(&visitor, EMAIL, &[("next", "/account/password")]);
    let form = visitor.get(visitor.get(well_known).location());
    assert!(form.status == 200 && form.body.contains("autocomplete=\"new-password\""));
}

/// The message was saved after the change: the page promised that nothing is lost, and the
/// browser was signed out.
#[test]
fn a_change_and_its_message_are_saved_together_or_not_at_all() {
    let database = testing::database::sqlite();
    let application = Application::start(&database);
    let [ada, other] = [(); 2].map(|()| application.visitor());
    register(&ada, EMAIL, &[]);
    ada.get("/home");
    let refuse = |event: &str| {
        sql::execute(
            &database,
            &format!(
                "CREATE TRIGGER refused BEFORE {event} ON sessions WHEN NEW.data LIKE '%success%' \
                 BEGIN SELECT RAISE(ABORT, 'no'); END"
            ),
        );
    };
    let allow = || sql::execute(&database, "DROP TRIGGER refused");
    let change = [("current", PASSWORD), ("new", NEW_PASSWORD)];
    refuse("UPDATE");
    for (path, fields) in [
        ("/account/password", &change as &[(&str, &str)]),
        ("/account/confirm", &[("password", PASSWORD)]),
    ] {
        let refused = ada.post(path, fields);
        assert_eq!(
            (refused.status, refused.set_cookie("id")),
            (503, None),
            "{path}"
        );
        assert!(is_signed_in(&ada), "{path}");
    }
    allow();
    refuse("INSERT");
    let refused = register(&other, "grace@example.org", &[]);
    assert_eq!((refused.status, refused.set_cookie("id")), (503, None));
    assert_eq!(sign_in(&other, EMAIL, PASSWORD).status, 503);
    allow();
    assert_eq!(sql::count(&database, "users"), 1);
    assert_eq!(
        sign_in(&other, EMAIL, PASSWORD).location(),
        "/home",
        "the old one"
    );
}
