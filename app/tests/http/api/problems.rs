//! Each error of the API is a problem that says what to do (RFC 9457).

use reqwest::Method;
use reqwest::blocking::{Client, RequestBuilder, Response};
use rocket::serde::json::{Value, from_str, json};

use testing::accounts::{EMAIL, PASSWORD, register};
use testing::application::Application;
use testing::database::sqlite;
use testing::sql::execute;

fn ask(application: &Application, method: &str, path: &str) -> RequestBuilder {
    let method: Method = method.parse().unwrap();
    Client::new().request(method, format!("{}/api/v1{path}", application.base))
}

/// Returns the problem of a response, and its value of `header`.
fn problem(answer: Response, status: u16, header: &str) -> (Value, Option<String>) {
    let what = format!("{} {status}: {answer:?}", answer.url());
    let content_type = answer.headers()["Content-Type"].to_str().unwrap();
    assert_eq!(content_type, "application/problem+json", "{what}");
    assert_eq!(answer.status(), status, "{what}");
    let value = answer.headers().get(header);
    let value = value.map(|value| value.to_str().unwrap().to_owned());
    let problem: Value = from_str(&answer.text().unwrap()).unwrap();
    assert_eq!(problem["status"], status, "{what}");
    assert_eq!(problem["type"], "about:blank", "{what}");
    for member in ["title", "detail"] {
        let text = problem[member].as_str().unwrap_or_default();
        assert!(!text.is_empty(), "{member} of {what}");
    }
    (problem, value)
}

#[test]
fn a_sign_out_without_a_token_says_how_to_get_one() {
    let database = sqlite();
    let application = Application::start(&database);
    let refused = ask(&application, "POST", "/signout").send().unwrap();
    let (problem, _) = problem(refused, 403, "");
    let detail = problem["detail"].as_str().unwrap();
    for words in ["X-CSRF-Token", "GET /api/v1/csrf_token", "application/json"] {
        assert!(detail.contains(words), "{words} in {detail}");
    }

    let visitor = application.visitor();
    register(&visitor, EMAIL, &[]);
    let token = visitor.get("/api/v1/csrf_token").json();
    let sign_out = ask(&application, "POST", "/signout")
        .header("X-CSRF-Token", token["csrf_token"].as_str().unwrap())
        .header("Cookie", visitor.cookies());
    assert_eq!(sign_out.send().unwrap().status(), 204);
    assert_eq!(visitor.get("/api/v1/me").status, 401);
}

#[test]
fn a_token_signs_out_an_anonymous_program() {
    let database = sqlite();
    let application = Application::start(&database);
    let visitor = application.visitor();
    let token = visitor.get("/api/v1/csrf_token").json();
    let sign_out = ask(&application, "POST", "/signout")
        .header("X-CSRF-Token", token["csrf_token"].as_str().unwrap())
        .header("Cookie", visitor.cookies());
    assert_eq!(sign_out.send().unwrap().status(), 204);
}

#[test]
fn another_content_type_is_415_and_not_a_forgery() {
    let database = sqlite();
    let application = Application::start(&database);
    let body = json!({ "email": EMAIL, "password": PASSWORD }).to_string();
    for (method, path) in [
        ("POST", "/signin"),
        ("POST", "/signup"),
        ("PUT", "/password"),
    ] {
        for content_type in [
            None,
            Some("text/plain"),
            Some("application/x-www-form-urlencoded"),
            Some("multipart/form-data; boundary=x"),
            Some("application/xml"),
            Some("application/*"),
            Some("nonsense"),
        ] {
            let mut request = ask(&application, method, path).body(body.clone());
            if let Some(content_type) = content_type {
                request = request.header("Content-Type", content_type);
            }
            let (_, accepts) = problem(request.send().unwrap(), 415, "Accept");
            assert_eq!(accepts.as_deref(), Some("application/json"));
        }
    }
    for content_type in ["application/json", "Application/JSON; charset=utf-8"] {
        let request = ask(&application, "POST", "/signin").body(body.clone());
        let request = request.header("Content-Type", content_type);
        let (_, challenge) = problem(request.send().unwrap(), 401, "WWW-Authenticate");
        assert_eq!(challenge.as_deref(), Some("Cookie realm=\"session\""));
    }
}

#[test]
fn another_method_is_405_and_lists_those_that_there_are() {
    let database = sqlite();
    let application = Application::start(&database);
    for (method, path, allowed) in [
        ("POST", "/me", "GET, HEAD, OPTIONS"),
        ("PATCH", "/me", "GET, HEAD, OPTIONS"),
        ("PATCH", "/%6de", "GET, HEAD, OPTIONS"),
        ("TRACE", "/me", "GET, HEAD, OPTIONS"),
        ("QUERY", "/me", "GET, HEAD, OPTIONS"),
        ("QUERY", "/signin", "POST, OPTIONS"),
        ("PUT", "/devices", "DELETE, GET, HEAD, OPTIONS"),
        ("GET", "/devices/abc", "DELETE, OPTIONS"),
        ("POST", "/devices/abc", "DELETE, OPTIONS"),
        ("GET", "/signin", "POST, OPTIONS"),
        ("DELETE", "/password", "PUT, OPTIONS"),
    ] {
        let answer = ask(&application, method, path).send().unwrap();
        let (_, allow) = problem(answer, 405, "Allow");
        assert_eq!(allow.as_deref(), Some(allowed), "{method} {path}");
        let answer = ask(&application, "OPTIONS", path).send().unwrap();
        assert_eq!(answer.status(), 204, "{path}");
        assert_eq!(answer.headers()["Allow"], allowed, "{path}");
    }
    assert_eq!(
        ask(&application, "HEAD", "/signin")
            .send()
            .unwrap()
            .status(),
        405
    );
    for (method, path) in [
        ("GET", ""),
        ("GET", "/"),
        ("GET", "/nowhere"),
        ("OPTIONS", "/nowhere"),
        ("DELETE", "/devices/a/b"),
        ("PUT", "/me%2f"),
    ] {
        problem(ask(&application, method, path).send().unwrap(), 404, "");
    }
}

#[test]
fn a_method_that_http_does_not_know_is_answered_like_others() {
    let database = sqlite();
    let origins = [(
        "ROCKET_SESSION",
        "{trusted_origins=[\"https://app.example\"]}",
    )];
    let application = Application::start_with(&database, &origins);
    let visitor = application.visitor();
    let usual = visitor.get("/login");
    for (path, status, allow) in [
        ("/api/v1/me", 405, Some("GET, HEAD, OPTIONS")),
        ("/api/v1/nowhere", 404, None),
        ("/login", 400, None),
    ] {
        let request = Client::new().request(
            "FOO".parse().unwrap(),
            format!("{}{path}", application.base),
        );
        let answer = request
            .header("Origin", "https://app.example")
            .send()
            .unwrap();
        assert_eq!(answer.status(), status, "{path}");
        let value = |name| {
            answer
                .headers()
                .get(name)
                .map(|value| value.to_str().unwrap())
        };
        assert_eq!(value("Allow"), allow, "{path}");
        for name in [
            "Content-Security-Policy",
            "Cross-Origin-Opener-Policy",
            "Cross-Origin-Resource-Policy",
            "Permissions-Policy",
            "Referrer-Policy",
            "X-Content-Type-Options",
            "X-Frame-Options",
        ] {
            assert_eq!(value(name), usual.header(name), "{name} of {path}");
        }
        let is_api = path.starts_with("/api");
        let origin = value("Access-Control-Allow-Origin");
        assert_eq!(origin, is_api.then_some("https://app.example"), "{path}");
        if is_api {
            problem(answer, status, "");
        }
    }
}

#[test]
fn a_client_that_prefers_json_gets_a_challenge_for_pages_too() {
    let database = sqlite();
    let application = Application::start(&database);
    let request = Client::new().get(format!("{}/account", application.base));
    let answer = request.header("Accept", "application/json").send().unwrap();
    let (_, challenge) = problem(answer, 401, "WWW-Authenticate");
    assert_eq!(challenge.as_deref(), Some("Cookie realm=\"session\""));
}

/// Bodies that are no JSON object, or whose members have other types.
#[test]
fn a_body_that_is_wrong_is_a_problem_of_its_kind() {
    let database = sqlite();
    let application = Application::start(&database);
    let right = format!(r#"{{"email":{EMAIL:?},"password":"x"}}"#);
    let post = |content_type: &str, body: &[u8]| {
        let request = ask(&application, "POST", "/signin").body(body.to_vec());
        request.header("Content-Type", content_type).send().unwrap()
    };
    let json = "application/json";
    let deep = [b'['; 30_000];
    let many = format!(r#"{{"email":{},"password":"x"}}"#, "9".repeat(400));
    for (content_type, body, status) in [
        (json, &b""[..], 400),
        (json, b"{", 400),
        (json, b"{\"email\":\"a@b.de\",\"password\":\"\xe9\"}", 400),
        (json, &[b"\xef\xbb\xbf", right.as_bytes()].concat(), 400),
        (json, &[right.as_bytes(), b" x"].concat(), 400),
        (json, br#"{"email":1e999}"#, 400),
        (json, b"null", 422),
        (json, b"[]", 422),
        (json, br#"["ada@example.org","x"]"#, 422),
        (json, br#""text""#, 422),
        (json, &deep, 422),
        (json, many.as_bytes(), 400),
        (json, br#"{"email":"a@b.de","email":"c@d.de"}"#, 422),
        (json, br#"{"email":null,"password":["x"]}"#, 422),
        ("application/merge-patch+json", right.as_bytes(), 415),
        ("application/problem+json", right.as_bytes(), 415),
        ("text/json", right.as_bytes(), 415),
        // JSON is UTF-8, whatever charset the header names (RFC 8259).
        ("application/json; charset=latin1", right.as_bytes(), 401),
    ] {
        problem(post(content_type, body), status, "");
    }
}

#[test]
fn bodies_and_outages_are_problems_too() {
    let database = sqlite();
    let application = Application::start(&database);
    let sign_in = |body: String| {
        let request = ask(&application, "POST", "/signin").body(body);
        let request = request.header("Content-Type", "application/json");
        request.send().unwrap()
    };
    problem(sign_in("{".into()), 400, "");
    problem(sign_in(r#"{"email":1}"#.into()), 422, "");
    problem(sign_in(format!("{{}}{}", " ".repeat(32_700))), 400, "");
    for length in [32_768, 40_000, 2_000_000] {
        let (large, _) = problem(sign_in(format!("{{}}{}", " ".repeat(length))), 413, "");
        let detail = large["detail"].as_str().unwrap();
        assert!(detail.contains("at most 32 KiB"), "{detail}");
    }
    let (problem_of_fields, _) = problem(sign_in("{}".into()), 400, "");
    assert!(problem_of_fields["errors"]["email"].is_string());
    problem(
        ask(&application, "GET", "/devices").send().unwrap(),
        401,
        "",
    );

    let foreign = ask(&application, "POST", "/signin")
        .header("Content-Type", "application/json")
        .header("Origin", "https://evil.example");
    let (problem_of_origin, _) = problem(foreign.body("{}").send().unwrap(), 403, "");
    let detail = problem_of_origin["detail"].as_str().unwrap();
    assert!(detail.contains("session.trusted_origins"), "{detail}");

    execute(&database, "ALTER TABLE sessions RENAME TO away");
    let unreachable = ask(&application, "GET", "/me")
        .header("Cookie", "id=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA");
    let (_, retry) = problem(unreachable.send().unwrap(), 503, "Retry-After");
    assert!(retry.is_some_and(|it| it.parse::<u32>().is_ok()));
}

#[test]
fn an_address_that_is_taken_is_a_conflict_and_too_many_attempts_name_the_seconds() {
    let database = sqlite();
    let few = [("ROCKET_ACCOUNTS", "{attempts_per_account=1}")];
    let application = Application::start_with(&database, &few);
    register(&application.visitor(), EMAIL, &[]);
    let post = |path: &str, body: Value| {
        let request = ask(&application, "POST", path).body(body.to_string());
        let request = request.header("Content-Type", "application/json");
        request.send().unwrap()
    };
    let account = json!({
        "first_name": "Ada", "last_name": "Lovelace", "email": EMAIL, "password": PASSWORD,
    });
    let (taken, _) = problem(post("/signup", account), 409, "");
    assert!(
        taken["errors"]["email"]
            .as_str()
            .unwrap()
            .contains("Sign in")
    );

    let wrong = json!({ "email": EMAIL, "password": "not the right one" });
    problem(post("/signin", wrong.clone()), 401, "");
    let (_, seconds) = problem(post("/signin", wrong), 429, "Retry-After");
    assert!(seconds.is_some_and(|it| it.parse::<u32>().is_ok_and(|it| it > 0)));
}
