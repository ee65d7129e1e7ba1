//! Hostile texts from browsers and users in events.

use rocket::serde::json::Value;

use super::site::*;

#[test]
fn an_agent_cannot_forge_a_line() {
    let site = Site::with("");
    let long = "é".repeat(2_000);
    for agent in [
        "\u{2028}{\"event\":\"authn_login_success\"}\u{2029}",
        "\u{85}FAKE\u{9b}31m",
        "\"},{\"event\":\"authn_login_success\",\"a\":\"\\",
        "tab\there",
        "\u{202e}desrever",
        &long,
        "",
    ] {
        let emitted = site.emitted_by(|| {
            let mut browser = site.browser().with("user-agent", agent);
            assert_eq!(browser.post("/log_in/ada"), 200);
        });
        assert_eq!(names(&emitted), ["session_created"], "{agent:.40?}");
        let shown: String = agent.chars().take(255).collect();
        assert_eq!(emitted[0]["agent"], shown);
    }
    assert_eq!(
        site.printed()
            .split(['\n', '\u{85}', '\u{2028}', '\u{2029}'])
            .count(),
        9
    );
}

#[test]
fn a_user_id_cannot_forge_a_line() {
    let site = Site::with("");
    for (path, user) in [
        ("a%E2%80%A8FAKE", Some("a\u{2028}FAKE")),
        ("a%22%7D%2C%7B%22event%22", Some("a\"},{\"event\"")),
        ("a%5C", Some("a\\")),
        ("a%E2%80%AEb", Some("a\u{202e}b")),
        ("a%0D%0AFAKE", None),
        ("a%1B%5B2J", None),
        ("a%C2%85FAKE", None),
    ] {
        let emitted = site.emitted_by(|| {
            let status = site.browser().post(&format!("/log_in/{path}"));
            assert_eq!(status, if user.is_some() { 200 } else { 500 }, "{path}");
        });
        let users: Vec<_> = emitted.iter().map(|event| event["user"].as_str()).collect();
        assert_eq!(
            users,
            user.map(Some).into_iter().collect::<Vec<_>>(),
            "{path}"
        );
    }
}

#[test]
fn a_detail_cannot_forge_a_line() {
    let site = Site::with("");
    let mut browser = site.browser();
    browser.post("/log_in/ada");
    let emitted = site.emitted_by(|| {
        browser.delete("/devices/%0A%7B%22event%22%3A%22x%22%7D%E2%80%A9%1B%5B2J");
    });
    assert_eq!(names(&emitted), ["malicious_direct_reference"]);
    assert_eq!(emitted[0]["device"], "\n{\"event\":\"x\"}\u{2029}\u{1b}[2J");
}

/// Rows 1 to 13 of the bad-input matrix, as far as a request can carry them.
#[test]
fn malformed_cookies_are_events_that_do_not_show_them() {
    let site = Site::with("");
    let mut owner = site.browser();
    owner.post("/log_in/ada");
    let good = owner.cookie.clone().unwrap();
    let token = good.strip_prefix("id=").unwrap();
    let malformed = [
        "id=".to_owned(),
        "id=\"\"".to_owned(),
        format!("id=\"{token}\""),
        format!("{good}A"),
        format!("id={}", &token[1..]),
        format!("{good}%20"),
        format!("{good}="),
        "id=' OR 1=1--".to_owned(),
        "id={\"event\":\"x\"}".to_owned(),
        format!("{good}; id={}", "A".repeat(43)),
        format!("id={}; {good}", "A".repeat(43)),
    ];
    let unknown = ["A".repeat(43), format!("B{}A", "A".repeat(41))];
    let unknown = unknown.map(|token| format!("id={token}"));
    let ignored = ["__Host-id=x", "%69d=x", "ID=x", "=id=x", "form=x"].map(str::to_owned);
    for (cookies, expected) in [
        (&malformed[..], &["session_malformed"][..]),
        (&unknown[..], &["session_use_after_expire"][..]),
        (&ignored[..], &[][..]),
        (&[good.clone(), format!("{good}; {good}")][..], &[][..]),
    ] {
        for cookie in cookies {
            let emitted = site.emitted_by(|| {
                let mut browser = site.browser();
                browser.cookie = Some(cookie.clone());
                assert_eq!(browser.get("/devices?token=secret").0, 200);
            });
            assert_eq!(names(&emitted), expected, "{cookie}");
            for event in &emitted {
                assert_eq!(event["route"], "GET /devices", "{cookie}");
                assert_eq!(event["user"], Value::Null, "{cookie}");
            }
        }
    }
    let printed = site.printed();
    let pieces = token
        .as_bytes()
        .windows(8)
        .map(|it| str::from_utf8(it).unwrap());
    for secret in pieces.chain(["secret", "AAAAAAAA", "OR 1=1"]) {
        assert!(!printed.contains(secret), "{secret}: {printed}");
    }
}
