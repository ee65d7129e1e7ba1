//! Follows links to pages that an attacker chose.

use testing::accounts::{EMAIL, PASSWORD, cookie, is_signed_in, register};
use testing::application::Application;

#[test]
fn nobody_is_signed_out_by_a_link() {
    let database = testing::database::sqlite();
    let application = Application::start(&database);
    let visitor = application.visitor();
    register(&visitor, EMAIL, &[]);
    assert_eq!(
        visitor
            .get("/login?next=%2Flogin%3Fnext%3D%2Flogin")
            .location(),
        "/home"
    );
    assert_eq!(visitor.get("/login?next=%2Flogout").location(), "/home");
    for page in ["/logout", "/logout?", "/logout/"] {
        assert_eq!(visitor.get(page).status, 404, "{page}");
    }
    assert_eq!(visitor.get("/api/v1/signout").status, 405);
    assert!(is_signed_in(&visitor));
}

#[test]
fn users_can_end_only_their_own_devices() {
    let database = testing::database::sqlite();
    let application = Application::start(&database);
    let [ada, grace] = [(); 2].map(|()| application.visitor());
    register(&ada, EMAIL, &[]);
    register(&grace, "grace@example.org", &[]);
    let keys = testing::sql::texts(&database, "SELECT id AS text FROM sessions");
    let long = "0".repeat(10_000);
    for key in [
        "-1",
        "0",
        "9223372036854775808",
        "%27%20OR%201=1--",
        "%25",
        "________",
        "%2e%2e",
        "..%2f..%2f",
        "%ff",
        &long,
        &keys[0],
        &keys[1],
        &keys[0].to_uppercase(),
    ] {
        let page = ada.post(&format!("/account/devices/{key}/end"), &[]);
        assert!([404, 422].contains(&page.status), "{key}: {}", page.status);
        let gone = ada.delete(&format!("/api/v1/devices/{key}"));
        assert!([404, 422].contains(&gone.status), "{key}: {}", gone.status);
    }
    assert!(is_signed_in(&ada) && is_signed_in(&grace));
}

/// A user who signs in returns to the page of the form, whatever page the form names.
#[test]
fn cve_2026_40295_a_referer_leads_to_no_other_site() {
    let database = testing::database::sqlite();
    let application = Application::start(&database);
    register(&application.visitor(), EMAIL, &[]);
    for referer in [
        "https://evil.example/",
        "https://evil.example//evil.example/",
        "https://evil.example/\\evil.example",
        "https://evil.example/%2f%2fevil.example",
        "//evil.example/",
        "javascript:alert(1)",
        "https://evil.example/logout",
        "nonsense",
        "",
    ] {
        let visitor = application.visitor();
        let asked = visitor.post_with(
            "/account/location",
            "Referer",
            referer,
            &[("_method", "put"), ("location", "x")],
        );
        let to_sign_in = asked.location().to_owned();
        assert!(to_sign_in.starts_with("/login"), "{referer}: {to_sign_in}");
        let next = to_sign_in.strip_prefix("/login?next=").unwrap_or_default();
        let next = percent_encoding::percent_decode_str(next)
            .decode_utf8()
            .unwrap();
        let fields = [("email", EMAIL), ("password", PASSWORD), ("next", &*next)];
        let signed_in = visitor.post("/login", &fields);
        let location = signed_in.location();
        assert!(
            location.starts_with('/') && !location.contains("evil.example"),
            "{referer}: {location}"
        );
        assert!(!cookie(&signed_in).is_empty());
    }
}
