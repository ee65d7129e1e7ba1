//! Cross-site requests are refused before a handler runs.

use rocket::http::{ContentType, Header, Method};
use rocket::uri;
use rocket_diesel_session::Sessions;

use super::site::Site;

/// With TLS, as in production.
const SECURE: &str = "{}";
const OWN: &str = "https://example.org";

type Headers = &'static [(&'static str, &'static str)];

const UNSAFE: [Method; 4] = [Method::Post, Method::Put, Method::Patch, Method::Delete];

/// A request with the browser's cookies and, in its body, the token of its form.
fn send(
    site: &Site,
    method: Method,
    content: Option<ContentType>,
    headers: Headers,
    body: &str,
) -> u16 {
    let mut request = site.client.req(method, "/change").body(body);
    request.inner_mut().set_host(uri!("example.org").into());
    if let Some(content) = content {
        request.add_header(content);
    }
    for (name, value) in headers {
        request.add_header(Header::new(*name, *value));
    }
    site.send(request).status
}

fn form(site: &Site) -> String {
    format!("_token={}&a=b", site.csrf_token("/form"))
}

const ELSEWHERE: [Headers; 10] = [
    &[("Sec-Fetch-Site", "cross-site")],
    &[("Sec-Fetch-Site", "same-site")],
    &[("Sec-Fetch-Site", "cross-site"), ("Origin", OWN)],
    &[
        ("Sec-Fetch-Site", "same-site"),
        ("Origin", "https://blog.example.org"),
    ],
    &[
        ("Sec-Fetch-Site", "garbage"),
        ("Origin", "https://evil.example"),
    ],
    &[("Origin", "null")],
    &[("Origin", "http://example.org")],
    &[("Origin", "https://example.org:8443")],
    &[("Origin", "https://blog.example.org")],
    &[("Origin", "https://example.org.evil")],
];

const HERE: [Headers; 4] = [
    &[("Sec-Fetch-Site", "same-origin"), ("Origin", OWN)],
    &[("Sec-Fetch-Site", "none")],
    &[("Origin", OWN)],
    &[],
];

fn contents() -> [Option<ContentType>; 5] {
    [
        Some(ContentType::Form),
        Some(ContentType::FormData),
        Some(ContentType::Plain),
        Some(ContentType::JSON),
        None,
    ]
}

#[test]
fn every_unsafe_request_from_elsewhere_is_refused() {
    let site = Site::new(SECURE);
    site.log_in();
    let body = form(&site);
    for method in UNSAFE {
        for content in contents() {
            for headers in ELSEWHERE {
                let status = send(&site, method, content.clone(), headers, &body);
                assert_eq!(status, 403, "{method} {content:?} {headers:?}");
            }
        }
    }
    assert_eq!(site.done(), 0);
}

#[test]
fn same_origin_requests_are_served() {
    let site = Site::new(SECURE);
    site.log_in();
    let body = form(&site);
    for method in UNSAFE {
        for headers in HERE {
            for content in [ContentType::Form, ContentType::JSON] {
                let status = send(&site, method, Some(content.clone()), headers, &body);
                assert_eq!(status, 200, "{method} {content} {headers:?}");
            }
        }
    }
    assert_eq!(site.done(), 32);
}

#[test]
fn safe_methods_are_served_from_every_origin() {
    let site = Site::new(SECURE);
    for method in [Method::Get, Method::Head, Method::Options] {
        for headers in ELSEWHERE {
            assert_eq!(send(&site, method, None, headers, ""), 200, "{method}");
        }
    }
}

/// A page of another site can send these without asking; programs that send no content send no form.
#[test]
fn without_any_header_the_token_decides() {
    let site = Site::new(SECURE);
    let body = form(&site);
    for (method, content, without, with) in [
        (Method::Post, Some(ContentType::Form), 403, 200),
        (Method::Post, Some(ContentType::Plain), 403, 200),
        (Method::Post, Some(ContentType::JSON), 200, 200),
        (Method::Delete, Some(ContentType::Form), 403, 200),
        (Method::Delete, None, 200, 200),
        (Method::Post, None, 403, 200),
    ] {
        let status = send(&site, method, content.clone(), &[], "a=b");
        assert_eq!(status, without, "{method} {content:?}");
        let status = send(&site, method, content.clone(), &[], &body);
        assert_eq!(status, with, "{method} {content:?}");
    }
}

#[test]
fn a_form_is_checked_whatever_its_method_says() {
    let site = Site::new(SECURE);
    let form = form(&site);
    for method in [
        "get", "head", "options", "put", "delete", "patch", "trace", "connect",
    ] {
        let other: Headers = &[("Sec-Fetch-Site", "cross-site")];
        let body = format!("_method={method}&{form}");
        let status = send(&site, Method::Post, Some(ContentType::Form), other, &body);
        assert_eq!(status, 403, "{method}");
        let body = format!("_method={method}&a=b");
        for headers in HERE {
            let status = send(&site, Method::Post, Some(ContentType::Form), headers, &body);
            assert_eq!(status, 403, "{method}");
        }
    }
    assert_eq!(site.done(), 0);
    let body = format!("_method=put&{form}");
    assert_eq!(
        send(&site, Method::Post, Some(ContentType::Form), &[], &body),
        200
    );
    assert_eq!(site.done(), 1);
}

/// No browser asks before it opens one, and its handshake is a GET.
#[test]
fn a_websocket_is_opened_by_pages_of_this_origin_alone() {
    let site = Site::new(r#"{trusted_origins=["https://www.example.org"]}"#);
    for (headers, expected) in [
        (&[("Origin", "https://evil.example")] as Headers, 403),
        (&[("Origin", "null")], 403),
        (&[("Sec-Fetch-Site", "cross-site")], 403),
        (
            &[
                ("Sec-Fetch-Site", "same-site"),
                ("Origin", "https://blog.example.org"),
            ],
            403,
        ),
        (&[("Origin", OWN)], 200),
        (&[("Origin", "https://www.example.org")], 200),
        (&[("Sec-Fetch-Site", "same-origin"), ("Origin", OWN)], 200),
        (&[], 200),
    ] {
        for upgrade in ["websocket", "WebSocket"] {
            let headers = [headers, &[("Upgrade", upgrade)]].concat().leak();
            let status = send(&site, Method::Get, None, headers, "");
            assert_eq!(status, expected, "{headers:?}");
        }
    }
}

const TRUSTS: &str = r#"{trusted_origins=["https://www.example.org","http://www.example.org"]}"#;

/// A sign-in provider posts its answer as a form (`response_mode=form_post`), and knows no token.
#[test]
fn a_form_of_a_trusted_origin_needs_no_token() {
    let site = Site::new(TRUSTS);
    site.log_in();
    for fetch in [None, Some("cross-site"), Some("same-site"), Some("garbage")] {
        for (origin, expected) in [
            (Some("https://www.example.org"), 200),
            (Some("https://WWW.example.org"), 200),
            (Some("http://www.example.org"), 403),
            (Some("https://www.example.org:444"), 403),
            (Some("https://www.example.org.evil"), 403),
            (Some("https://blog.example.org"), 403),
            (Some("null"), 403),
            (Some(""), 403),
            (None, 403),
        ] {
            for content in [ContentType::Form, ContentType::FormData, ContentType::Plain] {
                let fetch = fetch.map(|value| ("Sec-Fetch-Site", value));
                let origin = origin.map(|value| ("Origin", value));
                let headers: Vec<_> = fetch.into_iter().chain(origin).collect();
                let headers = &*headers.leak();
                for body in ["id_token=x", "_token=wrong"] {
                    let status = send(&site, Method::Post, Some(content.clone()), headers, body);
                    assert_eq!(status, expected, "{content} {headers:?} {body}");
                }
            }
        }
    }
}

#[test]
fn two_origins_are_none_of_those_that_are_trusted() {
    let site = Site::new(TRUSTS);
    for (first, second) in [
        ("https://www.example.org", "https://evil.example"),
        ("https://evil.example", "https://www.example.org"),
        (OWN, "https://evil.example"),
    ] {
        let headers: Headers = Box::leak(Box::new([("Origin", first), ("Origin", second)]));
        let status = send(&site, Method::Post, Some(ContentType::JSON), headers, "");
        assert_eq!(status, 403, "{first} {second}");
    }
}

/// Its pages may be anybody's who sits in between.
#[test]
fn a_trusted_origin_without_tls_needs_a_token_behind_tls() {
    let site = Site::new(TRUSTS);
    let form = form(&site);
    let headers: Headers = &[("Origin", "http://www.example.org")];
    for (body, expected) in [(&*form, 200), ("a=b", 403)] {
        let status = send(&site, Method::Post, Some(ContentType::Form), headers, body);
        assert_eq!(status, expected, "{body}");
    }
    for method in [Method::Post, Method::Put, Method::Delete] {
        for content in [Some(ContentType::JSON), None] {
            let status = send(&site, method, content.clone(), headers, "{}");
            assert_eq!(status, 403, "{method} {content:?}");
        }
    }
}

#[test]
fn without_the_protection_nothing_is_refused() {
    let site = Site::with(SECURE, |sessions: Sessions| sessions);
    for headers in ELSEWHERE {
        assert_eq!(
            send(&site, Method::Post, Some(ContentType::Form), headers, ""),
            200
        );
    }
}
