//! Checks the cookie that lets owners sign in while others try passwords.

use super::WRONG;
use testing::accounts::{EMAIL, PASSWORD, is_signed_in, register, sign_in};
use testing::application::Application;
use testing::sql;

#[test]
fn the_cookie_of_a_known_device_is_a_secret_of_its_browser() {
    for (profile, name, secure) in [("dev", "device", false), ("prod", "__Host-device", true)] {
        let database = testing::database::sqlite();
        let application = Application::start_with(&database, &[("ROCKET_PROFILE", profile)]);
        let registered = register(&application.visitor(), EMAIL, &[]);
        let line = registered.set_cookie(name).unwrap();
        let (cookie, attributes) = line.split_once("; ").unwrap();
        let mut attributes: Vec<_> = attributes.split("; ").collect();
        attributes.sort_unstable();
        let mut expected = vec!["HttpOnly", "Max-Age=15552000", "Path=/", "SameSite=Lax"];
        expected.extend(secure.then_some("Secure"));
        attributes.retain(|attribute| !attribute.starts_with("Expires="));
        assert_eq!(attributes, expected, "{line}");

        let ids = sql::texts(&database, "SELECT id AS text FROM known_devices");
        let (_, token) = cookie.split_once('=').unwrap();
        assert_eq!((token.len(), ids.len(), ids[0].len()), (43, 1, 64));
        assert!(!ids[0].contains(token));

        // The browser keeps its cookie; a planted one is not adopted.
        let again = sign_in(&application.visitor_with(cookie), EMAIL, PASSWORD);
        assert!(again.set_cookie(name).unwrap().starts_with(cookie));
        for planted in [
            format!("{name}={}", "A".repeat(43)),
            format!("{name}=nonsense"),
        ] {
            let signed_in = sign_in(&application.visitor_with(&planted), EMAIL, PASSWORD);
            let line = signed_in.set_cookie(name).unwrap();
            assert!(!line.starts_with(&planted), "{line}");
        }
        let wrong = sign_in(&application.visitor_with(cookie), EMAIL, WRONG);
        assert_eq!((wrong.status, wrong.set_cookie(name)), (401, None));
    }
}

#[test]
fn a_browser_is_unknown_after_its_session_was_ended() {
    let database = testing::database::sqlite();
    let application = Application::start(&database);
    let [ada, other] = [(); 2].map(|()| application.visitor());
    let known = || sql::texts(&database, "SELECT id AS text FROM known_devices");
    register(&ada, EMAIL, &[]);
    let own = known();
    let new = "staple battery horse";
    let change = [("current", PASSWORD), ("new", new)];
    let ways: [(&str, &dyn Fn()); 3] = [
        (PASSWORD, &|| {
            drop(ada.post("/account/devices/end_others", &[]))
        }),
        (PASSWORD, &|| drop(ada.delete("/api/v1/devices"))),
        (PASSWORD, &|| drop(ada.post("/account/password", &change))),
    ];
    for (password, end) in ways {
        assert_eq!(sign_in(&other, EMAIL, password).location(), "/home");
        assert_eq!(known().len(), 2);
        assert_eq!(ada.get("/account/devices").status, 200);
        end();
        assert_eq!(known(), own, "but for the browser that asked for it");
    }
    assert_eq!(sign_in(&other, EMAIL, new).location(), "/home");
    assert_eq!(known().len(), 2);
}

#[test]
fn only_the_exact_name_and_one_value_make_a_browser_known() {
    for (profile, name, decoded) in [
        ("dev", "device", "%64evice"),
        ("prod", "__Host-device", "__%48ost-device"),
    ] {
        let database = testing::database::sqlite();
        let application = Application::start_with(&database, &[("ROCKET_PROFILE", profile)]);
        let registered = register(&application.visitor(), EMAIL, &[]);
        let good = registered.set_cookie(name).unwrap().split_once(';');
        let (good, _) = good.unwrap();
        let (_, token) = good.split_once('=').unwrap();
        let other = "A".repeat(43);
        for (cookies, known) in [
            (good.to_owned(), true),
            (format!("{good}; {decoded}={other}"), true),
            (format!("{decoded}={other}; {good}"), true),
            (format!("{good}; {good}"), true),
            (format!("{decoded}={token}"), false),
            (format!("{good}; {name}={other}"), false),
            (format!("{name}={other}; {good}"), false),
            (
                format!("{name}=%{:x}{}", token.as_bytes()[0], &token[1..]),
                false,
            ),
        ] {
            let signed_in = sign_in(&application.visitor_with(&cookies), EMAIL, PASSWORD);
            let kept = signed_in.set_cookie(name).unwrap().starts_with(good);
            assert_eq!(kept, known, "{cookies}");
        }
    }
}

#[test]
fn browsers_that_cannot_be_forgotten_keep_their_sessions() {
    let database = testing::database::sqlite();
    let application = Application::start(&database);
    let [ada, other] = [(); 2].map(|()| application.visitor());
    register(&ada, EMAIL, &[]);
    sign_in(&other, EMAIL, PASSWORD);
    assert_eq!(ada.get("/account/devices").status, 200);
    let refused = "CREATE TRIGGER refused BEFORE DELETE ON known_devices \
                   BEGIN SELECT RAISE(ABORT, 'refused'); END";
    sql::execute(&database, refused);
    let change = [("current", PASSWORD), ("new", "staple battery horse")];
    assert_eq!(ada.post("/account/password", &change).status, 503);
    assert_eq!(ada.post("/account/devices/end_others", &[]).status, 503);
    assert_eq!(ada.delete("/api/v1/devices").status, 503);
    assert!(is_signed_in(&ada) && is_signed_in(&other));
    let wrong = sign_in(&application.visitor(), EMAIL, "staple battery horse");
    assert_eq!(wrong.status, 401, "the password is not changed");
}
