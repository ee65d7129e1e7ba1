//! The client's address: where it comes from, and how much of it is stored.

use rocket::serde::json::Value;

use super::site::*;
use testing::database;

/// The client address of a request with such a header.
fn taken_for(site: &Site, name: &'static str, value: &str) -> String {
    site.browser().with(name, value).get("/address").1
}

#[test]
fn spoofed_addresses_are_ignored_unless_a_trusted_proxy_has_them() {
    let alone = Site::with("");
    let proxied = Site::with(",trusted_proxies=[\"127.0.0.0/8\",\"10.0.0.1\"]");
    for header in [
        "x-real-ip",
        "forwarded",
        "x-client-ip",
        "true-client-ip",
        "cf-connecting-ip",
    ] {
        for value in ["6.6.6.6", "for=6.6.6.6"] {
            for site in [&alone, &proxied] {
                assert_eq!(taken_for(site, header, value), "127.0.0.1", "{header}");
            }
        }
    }
    for (value, expected) in [
        ("6.6.6.6", "6.6.6.6"),
        ("6.6.6.6, 192.0.2.7", "192.0.2.7"),
        ("6.6.6.6, 192.0.2.7, 10.0.0.1", "192.0.2.7"),
        ("2001:db8::7", "2001:db8::7"),
        ("garbage", "127.0.0.1"),
        ("6.6.6.6, garbage", "127.0.0.1"),
        ("fe80::1%eth0", "127.0.0.1"),
        ("", "127.0.0.1"),
    ] {
        assert_eq!(
            taken_for(&alone, "x-forwarded-for", value),
            "127.0.0.1",
            "{value}"
        );
        assert_eq!(
            taken_for(&proxied, "x-forwarded-for", value),
            expected,
            "{value}"
        );
    }
    let mut twice = proxied
        .browser()
        .with("x-forwarded-for", "6.6.6.6")
        .with("x-forwarded-for", "192.0.2.7")
        .with("x-real-ip", "7.7.7.7");
    assert_eq!(twice.get("/address").1, "192.0.2.7");
}

#[test]
fn an_address_is_emitted_and_stored_as_configured() {
    let trusting = ",trusted_proxies=[\"127.0.0.1\"]";
    for (setting, address, kept) in [
        ("", "192.0.2.77", None),
        (",client_address=\"off\"", "192.0.2.77", None),
        (
            ",client_address=\"truncated\"",
            "192.0.2.77",
            Some("192.0.2.0"),
        ),
        (
            ",client_address=\"truncated\"",
            "2001:db8:1:2ff:3:4:5:6",
            Some("2001:db8:1:200::"),
        ),
        (",client_address=\"full\"", "192.0.2.77", Some("192.0.2.77")),
        (
            ",client_address=\"full\"",
            "2001:db8:1:2ff:3:4:5:6",
            Some("2001:db8:1:2ff:3:4:5:6"),
        ),
    ] {
        let database = database::sqlite();
        let site = Site::on(&database.url, &format!("{trusting}{setting}"), "off");
        let mut browser = site.browser().with("x-forwarded-for", address);
        let emitted = site.emitted_by(|| assert_eq!(browser.post("/log_in/ada"), 200));
        let emitted: Vec<_> = emitted.iter().map(|event| event.get("address")).collect();
        assert_eq!(
            emitted,
            [kept.map(Value::from).as_ref()],
            "{setting} {address}"
        );
        let stored = database.lines("SELECT COALESCE(ip, 'nothing') AS line FROM sessions");
        assert_eq!(stored, [kept.unwrap_or("nothing")], "{setting} {address}");
    }
}

#[test]
fn the_stored_address_is_that_of_the_sign_in() {
    let database = database::sqlite();
    let settings = ",client_address=\"full\",trusted_proxies=[\"127.0.0.1\"]";
    let site = Site::on(&database.url, settings, "off");
    let mut cookie = None;
    for (address, path, stored) in [
        ("192.0.2.1", "/visits/0", "192.0.2.1"),
        ("192.0.2.2", "/visits/0", "192.0.2.1"),
        ("192.0.2.3", "/renew", "192.0.2.1"),
        ("192.0.2.4", "/log_in/ada", "192.0.2.4"),
        ("192.0.2.5", "/visits/0", "192.0.2.4"),
        ("192.0.2.6", "/log_in/ada", "192.0.2.6"),
    ] {
        let mut browser = site.browser().with("x-forwarded-for", address);
        browser.cookie = cookie;
        assert_eq!(browser.post(path), 200);
        let ip = database.lines("SELECT ip AS line FROM sessions");
        assert_eq!(ip, [stored], "{address} {path}");
        cookie = browser.cookie;
    }
}
