//! Reuses tokens from before a sign-in.

use rocket::serde::json::json;

use testing::accounts::{EMAIL, PASSWORD, cookie, is_signed_in, register, sign_in};
use testing::application::Application;
use testing::visitor::Answer;

/// One of several ways to sign in kept the old token.
#[test]
fn cve_2022_38054_every_way_that_raises_rights_gives_a_new_token() {
    let database = testing::database::sqlite();
    let application = Application::start(&database);
    let ada = application.visitor();
    let other = "staple battery horse";
    let credentials = json!({ "email": EMAIL, "password": PASSWORD }).to_string();
    let change = json!({ "current": other, "new": PASSWORD }).to_string();
    let grace = json!({
        "email": "grace@example.org", "first_name": "Grace", "last_name": "Hopper", "password": PASSWORD,
    });
    let ways: [(&str, &dyn Fn() -> Answer); 6] = [
        ("signing in", &|| sign_in(&ada, EMAIL, PASSWORD)),
        ("confirming the password", &|| {
            ada.post("/account/confirm", &[("password", PASSWORD)])
        }),
        ("signing a program in", &|| {
            ada.post_json("/api/v1/signin", &credentials)
        }),
        ("changing the password", &|| {
            ada.post(
                "/account/password",
                &[("current", PASSWORD), ("new", other)],
            )
        }),
        ("changing it by a program", &|| {
            ada.put_json("/api/v1/password", &change)
        }),
        ("signing another user up", &|| {
            ada.post_json("/api/v1/signup", &grace.to_string())
        }),
    ];
    let mut before = cookie(&register(&ada, EMAIL, &[]));
    for (way, take) in ways {
        let after = cookie(&take());
        assert_ne!(after, before, "{way}");
        assert!(!is_signed_in(&application.visitor_with(&before)), "{way}");
        assert!(is_signed_in(&application.visitor_with(&after)), "{way}");
        before = after;
    }
}
