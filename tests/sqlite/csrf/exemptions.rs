//! Exempt paths, for servers that post without a token.

use std::sync::Arc;

use rocket::http::{ContentType, Header, Method};
use rocket::local::blocking::Client;
use rocket_diesel_session::Sessions;
use rocket_diesel_session::store::MemoryStore;

use testing::site::figment;

use super::site::Site;
use crate::log::log_of;

const PLAIN_HTTP: &str = "{cookie={secure=false}}";
const EXEMPT: &str = "/webhooks/payments";

fn site() -> Site {
    Site::with(PLAIN_HTTP, |sessions| {
        sessions.with_csrf_protection().with_csrf_exemption(EXEMPT)
    })
}

/// A form without a token and without cookies, as a payment provider sends it.
fn post(site: &Site, path: &'static str, body: &str) -> u16 {
    let request = site.client.post(path).header(ContentType::Form);
    request.body(body).dispatch().status().code
}

#[test]
fn a_webhook_reaches_the_path_that_is_exempt() {
    let site = site();
    for content in [
        Some(ContentType::Form),
        Some(ContentType::FormData),
        Some(ContentType::Plain),
        Some(ContentType::JSON),
        None,
    ] {
        let mut request = site.client.post(EXEMPT).body("event=paid");
        if let Some(content) = content.clone() {
            request.add_header(content);
        }
        assert_eq!(request.dispatch().status().code, 200, "{content:?}");
    }
    assert_eq!(post(&site, "/webhooks/payments?attempt=2", "a=b"), 200);
    assert_eq!(post(&site, EXEMPT, "_method=post&a=b"), 200);
    assert_eq!(site.done(), 7);
    assert_eq!(post(&Site::new(PLAIN_HTTP), EXEMPT, "event=paid"), 403);
}

#[test]
fn no_other_spelling_and_no_other_path_is_exempt() {
    let site = site();
    for path in [
        "/change",
        "/change?/webhooks/payments",
        "/webhooks",
        "/webhooks/",
        "/webhooks/payments/",
        "/webhooks/payments//",
        "/webhooks//payments",
        "//webhooks/payments",
        "/webhooks/payments/..",
        "/webhooks/payments/../../change",
        "/webhooks/payments/%2e%2e/%2e%2e/change",
        "/webhooks/./payments",
        "/%2e/webhooks/payments",
        "/webhooks/payments%2f",
        "/webhooks%2fpayments",
        "/webhooks/payments%00",
        "/webhooks/%70ayments",
        "/webhooks/Payments",
        "/WEBHOOKS/PAYMENTS",
        "/webhooks/payments;a=b",
        "/webhooks/payments2",
    ] {
        assert_eq!(post(&site, path, "a=b"), 403, "{path}");
    }
    assert_eq!(site.done(), 0);
}

#[test]
fn no_other_method_is_exempt() {
    let site = site();
    for method in ["get", "put", "patch", "delete", "head"] {
        let body = format!("_method={method}&a=b");
        assert_eq!(post(&site, EXEMPT, &body), 403, "{method}");
    }
    for method in [Method::Put, Method::Patch, Method::Delete] {
        let request = site.client.req(method, EXEMPT).header(ContentType::Form);
        assert_eq!(request.dispatch().status().code, 403, "{method}");
    }
    let socket = site.client.get(EXEMPT);
    let socket = socket.header(Header::new("Upgrade", "websocket"));
    let socket = socket.header(Header::new("Origin", "https://evil.example"));
    assert_eq!(socket.dispatch().status().code, 403);
    assert_eq!(site.done(), 0);
}

/// Otherwise a page of another site could act for the user whose browser it is in.
#[test]
fn a_request_with_a_session_is_not_exempt() {
    let site = site();
    site.log_in();
    let token = site.csrf_token("/form");
    site.done();
    assert_eq!(site.submit(EXEMPT, "a=b").status, 403);
    assert_eq!(site.submit(EXEMPT, &format!("_token={token}")).status, 200);
    let foreign = site.client.post(EXEMPT).header(ContentType::Form);
    let foreign = foreign.header(Header::new("Sec-Fetch-Site", "cross-site"));
    let foreign = foreign.body(format!("_token={token}"));
    assert_eq!(site.send(foreign).status, 403);
    for cookie in ["id=garbage", "id=a; id=b", "id="] {
        let request = site.client.post(EXEMPT).header(ContentType::Form);
        let request = request.header(Header::new("Cookie", cookie));
        assert_eq!(request.dispatch().status().code, 403, "{cookie}");
    }
    assert_eq!(site.done(), 1);
}

fn stops_the_launch(taste: fn(Sessions) -> Sessions) -> bool {
    std::panic::catch_unwind(|| Site::with(PLAIN_HTTP, taste).rows()).is_err()
}

#[test]
fn an_exemption_without_a_route_is_warned_of() {
    let name = "csrf::exemptions::an_exemption_without_a_route_is_warned_of";
    let Some(log) = log_of(name, |level| {
        let exempt = ["/hooks/pay", "/hooks/pya", "/any/thing", "/read"];
        let sessions = Sessions::fairing().with_csrf_protection();
        let sessions = exempt
            .into_iter()
            .fold(sessions, Sessions::with_csrf_exemption);
        let settings = figment("{}").merge(("log_level", level));
        let rocket = rocket::custom(settings)
            .attach(sessions.with_store(Arc::new(MemoryStore::new())))
            .mount("/hooks", rocket::routes![pay])
            .mount("/", rocket::routes![any, read]);
        drop(Client::untracked(rocket).unwrap());
    }) else {
        return;
    };
    let lines: Vec<_> = log
        .lines()
        .filter(|it| it.contains("no route takes"))
        .collect();
    assert_eq!(lines.len(), 2, "{log}");
    assert!(lines[0].contains("/hooks/pya"), "{log}");
    assert!(lines[1].contains("/read"), "{log}");
}

#[rocket::post("/pay")]
fn pay() {}

#[rocket::post("/any/<_..>")]
fn any() {}

#[rocket::get("/read")]
fn read() {}

#[test]
fn an_exemption_that_is_no_path_or_of_no_use_stops_the_launch() {
    assert!(stops_the_launch(|it| it.with_csrf_exemption(EXEMPT)));
    macro_rules! refused {
        ($($path:literal)*) => {$(
            assert!(stops_the_launch(|sessions| sessions
                .with_csrf_protection()
                .with_csrf_exemption($path)), $path);
        )*};
    }
    refused!("" "webhooks" "/a//b" "/a/../b" "/a/<b>" "/a/<b..>" "/a?b" "/a#b" "/a%20b" "/*");
}
