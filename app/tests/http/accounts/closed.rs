//! Closes or deletes accounts while their users are signed in.

use rocket::serde::json::json;

use testing::accounts::{EMAIL, PASSWORD, is_signed_in, register, sign_in};
use testing::application::Application;
use testing::database::TestDatabase;
use testing::visitor::Visitor;
use testing::{on_every_backend, sql};

on_every_backend!(the_next_request_of_a_closed_account_is_refused);

/// Returns whether every way in is closed.
fn is_shut_out(visitor: &Visitor) -> bool {
    let pages = [
        "/home",
        "/messages",
        "/account",
        "/account/devices",
        "/account/password",
    ];
    let forms = [
        "/account/password",
        "/account/confirm",
        "/account/devices/end_others",
    ];
    let to_sign_in = |answer: testing::visitor::Answer| {
        answer.status == 303 && answer.location().starts_with("/login")
    };
    let password = json!({ "current": PASSWORD, "new": "staple battery horse" });
    pages.iter().all(|page| to_sign_in(visitor.get(page)))
        && forms
            .iter()
            .all(|form| to_sign_in(visitor.post(form, &[("password", PASSWORD)])))
        && visitor.get("/api/v1/me").status == 401
        && visitor.get("/api/v1/devices").status == 401
        && visitor.delete("/api/v1/devices").status == 401
        && visitor
            .put_json("/api/v1/password", &password.to_string())
            .status
            == 401
        && visitor.get("/").body.contains("Register")
}

fn the_next_request_of_a_closed_account_is_refused(database: &TestDatabase) {
    let application = Application::start(database);
    let [ada, telephone, program, grace] = [(); 4].map(|()| application.visitor());
    register(&ada, EMAIL, &[]);
    let credentials = json!({ "email": EMAIL, "password": PASSWORD }).to_string();
    register(&grace, "grace@example.org", &[]);
    let of_ada = [&ada, &telephone, &program];
    let by_ada = format!("WHERE email = '{EMAIL}'");

    for closing in [
        format!("UPDATE users SET disabled_at = 1 {by_ada}"),
        format!("DELETE FROM users {by_ada}"),
    ] {
        sign_in(&ada, EMAIL, PASSWORD);
        sign_in(&telephone, EMAIL, PASSWORD);
        program.post_json("/api/v1/signin", &credentials);
        assert!(of_ada.iter().all(|visitor| is_signed_in(visitor)));
        sql::execute(database, &closing);
        for visitor in of_ada {
            assert!(is_shut_out(visitor), "{closing}");
        }
        assert_eq!(sign_in(&ada, EMAIL, PASSWORD).status, 401);
        assert_eq!(
            program.post_json("/api/v1/signin", &credentials).status,
            401
        );
        assert!(is_signed_in(&grace));
        sql::execute(
            database,
            &format!("UPDATE users SET disabled_at = NULL {by_ada}"),
        );
        // The sessions of a closed account have ended.
        assert!(of_ada.iter().all(|visitor| !is_signed_in(visitor)));
    }
}
