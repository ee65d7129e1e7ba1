//! Calls the API from configured origins and from others.

use reqwest::Method;
use reqwest::blocking::{Client, Response};

use testing::accounts::{EMAIL, register};
use testing::application::Application;
use testing::database::{self, TestDatabase};
use testing::sql::execute;

const TRUSTED: &str = "https://app.example.org";

fn start(database: &TestDatabase) -> Application {
    let origins = format!("{{trusted_origins=[{TRUSTED:?},\"http://127.0.0.1:9\"]}}");
    Application::start_with(database, &[("ROCKET_SESSION", &origins)])
}

fn ask(
    application: &Application,
    method: Method,
    path: &str,
    headers: &[(&str, &str)],
) -> Response {
    let request = Client::new().request(method, format!("{}{path}", application.base));
    let request = headers.iter().fold(request, |request, (name, value)| {
        request.header(*name, *value)
    });
    request.send().unwrap()
}

fn value<'a>(answer: &'a Response, name: &str) -> Option<&'a str> {
    let value = answer.headers().get(name);
    value.map(|value| value.to_str().unwrap())
}

fn varies(answer: &Response) -> bool {
    let mut lines = answer.headers().get_all("Vary").iter();
    lines.any(|line| line.to_str().unwrap().contains("Origin"))
}

fn assert_allowed(answer: &Response, origin: &str, what: &str) {
    let name = "Access-Control-Allow-Origin";
    let lines = answer.headers().get_all(name).iter();
    assert_eq!(lines.collect::<Vec<_>>(), [origin], "{what}: {answer:?}");
    assert_eq!(
        value(answer, "Access-Control-Allow-Credentials"),
        Some("true"),
        "{what}"
    );
    let exposed = value(answer, "Access-Control-Expose-Headers").unwrap();
    assert!(exposed.contains("Retry-After"), "{what}: {exposed}");
    assert!(varies(answer), "{what}");
}

fn assert_not_allowed(answer: &Response, what: &str) {
    let mut names = answer.headers().keys();
    let allowed = names.find(|name| name.as_str().starts_with("access-control"));
    assert_eq!(allowed, None, "{what}: {answer:?}");
    assert!(
        varies(answer) || !what.contains("/api "),
        "{what}: {answer:?}"
    );
}

#[test]
fn every_answer_to_a_configured_origin_may_be_read_there() {
    let database = database::sqlite();
    let application = start(&database);
    let user = application.visitor();
    register(&user, EMAIL, &[]);
    let cookie = user.cookies();
    let from = ("Origin", TRUSTED);
    let json = ("Content-Type", "application/json");
    let post = Method::POST;
    for (method, path, headers, status) in [
        (Method::GET, "/api/v1/me", vec![("Cookie", &*cookie)], 200),
        (Method::GET, "/api/v1/me", vec![], 401),
        (post.clone(), "/api/v1/signin", vec![json], 400),
        (post.clone(), "/api/v1/signin", vec![], 415),
        (post.clone(), "/api/v1/me", vec![json], 405),
        (Method::GET, "/api/v1/nowhere", vec![], 404),
        (Method::GET, "/%61pi/v1/me", vec![], 401),
        (Method::GET, "/api/v1/openapi.json", vec![], 200),
        (post.clone(), "/api/v1/signout", vec![json], 204),
    ] {
        let headers = [headers, vec![from]].concat();
        let answer = ask(&application, method, path, &headers);
        assert_eq!(answer.status(), status, "{path}");
        assert_allowed(&answer, TRUSTED, path);
    }
    let form = ("Content-Type", "text/plain");
    let taken = ask(&application, post.clone(), "/api/v1/signout", &[from, form]);
    assert_eq!(taken.status(), 204);
    assert_allowed(&taken, TRUSTED, "a form of a trusted origin needs no token");

    execute(&database, "ALTER TABLE sessions RENAME TO away");
    let down = ask(
        &application,
        Method::GET,
        "/api/v1/me",
        &[from, ("Cookie", &cookie)],
    );
    assert_eq!(down.status(), 503);
    assert_allowed(&down, TRUSTED, "the store is down");
}

#[test]
fn a_preflight_lists_the_methods_and_headers() {
    let database = database::sqlite();
    let application = start(&database);
    let asks = [
        ("Access-Control-Request-Method", "DELETE"),
        (
            "Access-Control-Request-Headers",
            "content-type,x-csrf-token",
        ),
        ("Origin", TRUSTED),
    ];
    let answer = ask(&application, Method::OPTIONS, "/api/v1/devices/abc", &asks);
    assert_eq!(answer.status(), 204);
    assert_allowed(&answer, TRUSTED, "a preflight");
    let methods = value(&answer, "Access-Control-Allow-Methods").unwrap();
    assert!(methods.contains("DELETE"), "{methods}");
    let headers = value(&answer, "Access-Control-Allow-Headers").unwrap();
    for header in ["Content-Type", "X-CSRF-Token"] {
        assert!(headers.contains(header), "{headers}");
    }
}

/// The page can read the problem; after a refused preflight it would get a network error.
#[test]
fn a_page_reads_the_problem_of_a_wrong_address_and_of_a_wrong_method() {
    let database = database::sqlite();
    let application = start(&database);
    for (path, method) in [
        ("/api/v1/nowhere", "GET"),
        ("/api/v2", "PUT"),
        ("/api/v1/me", "PATCH"),
        ("/api/v1/me", "FOO"),
    ] {
        let asks = [
            ("Access-Control-Request-Method", method),
            ("Access-Control-Request-Headers", "x-requested-with"),
            ("Origin", TRUSTED),
        ];
        let answer = ask(&application, Method::OPTIONS, path, &asks);
        assert_eq!(answer.status(), 204, "{path}");
        assert_allowed(&answer, TRUSTED, path);
        let methods = value(&answer, "Access-Control-Allow-Methods").unwrap();
        assert!(methods.split(", ").any(|it| it == method), "{methods}");
        let headers = value(&answer, "Access-Control-Allow-Headers").unwrap();
        assert!(headers.contains("X-Requested-With"), "{headers}");
        let foreign = [asks[0], ("Origin", "https://evil.example")];
        let answer = ask(&application, Method::OPTIONS, path, &foreign);
        assert_not_allowed(&answer, &format!("/api of {path}"));
    }
    let odd = [
        ("Access-Control-Request-Method", "A, *"),
        ("Origin", TRUSTED),
    ];
    let answer = ask(&application, Method::OPTIONS, "/api/v1/me", &odd);
    let methods = value(&answer, "Access-Control-Allow-Methods").unwrap();
    assert!(!methods.contains('*'), "{methods}");
}

#[test]
fn no_other_origin_may_read_anything() {
    let database = database::sqlite();
    let application = start(&database);
    let preflight = ("Access-Control-Request-Method", "GET");
    for origin in [
        "null",
        "",
        "*",
        "https://evil.example",
        "http://app.example.org",
        "https://app.example.org:8443",
        "https://app.example.org.evil.example",
        "https://app.example.org/",
        "https://xapp.example.org",
        "http://127.0.0.1:90",
    ] {
        let from = ("Origin", origin);
        for (method, headers) in [
            (Method::GET, vec![from]),
            (Method::OPTIONS, vec![from, preflight]),
        ] {
            let answer = ask(&application, method, "/api/v1/me", &headers);
            assert_not_allowed(&answer, &format!("/api to {origin}"));
        }
    }
    let two = [("Origin", TRUSTED), ("Origin", "https://evil.example")];
    assert_not_allowed(
        &ask(&application, Method::GET, "/api/v1/me", &two),
        "/api to two",
    );
    for page in ["/login", "/apis", "/static/style.css"] {
        let answer = ask(&application, Method::GET, page, &[("Origin", TRUSTED)]);
        assert_not_allowed(&answer, page);
    }
    let none = ask(&application, Method::GET, "/api/v1/me", &[]);
    assert_not_allowed(&none, "/api without an origin");

    let unconfigured = Application::start(&database);
    let answer = ask(
        &unconfigured,
        Method::GET,
        "/api/v1/me",
        &[("Origin", TRUSTED)],
    );
    assert_not_allowed(&answer, "/api where no origin is configured");
}
