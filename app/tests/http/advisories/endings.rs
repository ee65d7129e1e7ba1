//! Checks that sessions end when they have to.

use rocket::serde::json::json;

use testing::accounts::{EMAIL, PASSWORD, cookie, is_signed_in, register, sign_in};
use testing::application::Application;
use testing::sql;

#[test]
fn cve_2023_40273_a_password_change_ends_all_other_sessions_at_once() {
    let database = testing::database::sqlite();
    let application = Application::start(&database);
    let [ada, telephone, program] = [(); 3].map(|()| application.visitor());
    register(&ada, EMAIL, &[]);
    sign_in(&telephone, EMAIL, PASSWORD);
    let before = cookie(&sign_in(&program, EMAIL, PASSWORD));
    let fields = [("current", PASSWORD), ("new", "staple battery horse")];
    let after = cookie(&program.post("/account/password", &fields));
    assert_ne!(after, before);
    assert!(!is_signed_in(&ada) && !is_signed_in(&telephone) && is_signed_in(&program));
    assert!(!is_signed_in(&application.visitor_with(&before)));
}

#[test]
fn cve_2022_31050_a_closed_account_is_out_with_its_next_request() {
    let database = testing::database::sqlite();
    let application = Application::start(&database);
    let [ada, telephone] = [(); 2].map(|()| application.visitor());
    register(&ada, EMAIL, &[]);
    sign_in(&telephone, EMAIL, PASSWORD);
    assert!(is_signed_in(&ada) && is_signed_in(&telephone));
    sql::execute(&database, "UPDATE users SET disabled_at = 1");
    assert!(!is_signed_in(&ada) && !is_signed_in(&telephone));
}

/// The sign-in for programs did not check whether the account is open.
#[test]
fn cve_2024_50341_a_closed_account_lets_nobody_in_by_any_way() {
    let database = testing::database::sqlite();
    let application = Application::start(&database);
    register(&application.visitor(), EMAIL, &[]);
    sql::execute(&database, "UPDATE users SET disabled_at = 1");
    let visitor = application.visitor();
    let [right, wrong] = [PASSWORD, "a wrong horse battery"].map(|password| {
        let page = sign_in(&visitor, EMAIL, password);
        assert_eq!((page.status, page.set_cookie("id")), (401, None));
        assert!(page.body.contains("password is wrong"), "{page:?}");
        let credentials = json!({ "email": EMAIL, "password": password });
        visitor.post_json("/api/v1/signin", &credentials.to_string())
    });
    assert_eq!((right.status, right.set_cookie("id")), (401, None));
    assert_eq!((right.status, right.body), (wrong.status, wrong.body));
    assert!(!is_signed_in(&visitor));
}
