//! A refusal gives its reason: in the log, and in the response if the application has no page for 403.

use rocket::http::{Accept, ContentType, Header, Status};
use rocket::local::blocking::{Client, LocalRequest};
use rocket::serde::json::{Value, from_str};

use super::site::{self, Site};
use crate::log::log_of;

const NO_TOKEN: &str =
    "it has no CSRF token in its first 512 bytes, nor in the header X-CSRF-Token";

/// Requests that are refused, and a part of the reason.
fn refused(client: &Client) -> [(LocalRequest<'_>, &'static str); 5] {
    let other = client.post("/change").header(ContentType::JSON);
    let form = || client.post("/change").header(ContentType::Form);
    let token = client.get("/form").dispatch().into_string().unwrap();
    let own = Header::new("Cookie", format!("id={}A", "B".repeat(42)));
    let without_cookie = Header::new("Cookie", "a=b");
    [
        (
            other.header(Header::new("Origin", "https://evil.example")),
            "a page of another origin sent it",
        ),
        (client.post("/change"), NO_TOKEN),
        (form().body("a=b"), NO_TOKEN),
        (
            form()
                .header(without_cookie)
                .body(format!("_token={token}")),
            "sent no cookie",
        ),
        (
            form().header(own).body(format!("_token={token}")),
            "of another session",
        ),
    ]
}

#[test]
fn the_answer_says_why_in_plain_words_or_in_problem_details() {
    let client = Site::new("{cookie={secure=false}}").client;
    for (request, why) in refused(&client) {
        let answer = request.clone().dispatch();
        assert_eq!(answer.status(), Status::Forbidden);
        assert_eq!(answer.content_type(), Some(ContentType::Plain));
        let text = answer.into_string().unwrap();
        assert!(
            text.starts_with("403 Forbidden\n") && text.contains(why),
            "{text}"
        );

        let answer = request.header(Accept::JSON).dispatch();
        assert_eq!(answer.status(), Status::Forbidden);
        let problem = ContentType::new("application", "problem+json");
        assert_eq!(answer.content_type(), Some(problem));
        let json: Value = from_str(&answer.into_string().unwrap()).unwrap();
        assert_eq!(
            (&json["status"], &json["title"]),
            (&403.into(), &"Forbidden".into())
        );
        let detail = json["detail"].as_str().unwrap();
        assert!(detail.contains(why), "{detail}");
    }
}

#[test]
fn the_log_names_method_path_and_why_once() {
    let Some(log) = log_of(
        "csrf::answers::the_log_names_method_path_and_why_once",
        |level| {
            let rocket = site::rocket("{cookie={secure=false}}");
            let figment = rocket.figment().clone().merge(("log_level", level));
            let client = Client::untracked(rocket.configure(figment)).unwrap();
            for (request, _) in refused(&client) {
                request.dispatch();
            }
            let form = client.post("/change?secret=1").header(ContentType::Form);
            form.body("_method=delete").dispatch();
            let json = || client.post("/change").header(ContentType::JSON);
            let fetch = Header::new("Sec-Fetch-Site", "cross-site");
            json().header(fetch).dispatch();
            let two =
                ["https://a.example", "https://b.example"].map(|it| Header::new("Origin", it));
            let two = two.into_iter().fold(json(), |it, origin| it.header(origin));
            two.dispatch();
        },
    ) else {
        return;
    };
    let lines: Vec<_> = log
        .lines()
        .filter(|line| line.contains("is refused by the CSRF protection:"))
        .collect();
    assert_eq!(lines.len(), 8, "{log}");
    for line in &lines[..5] {
        assert!(
            line.contains("POST /change is refused by the CSRF protection"),
            "{line}"
        );
    }
    assert!(
        lines[0]
            .contains(r#"(Origin: "https://evil.example", Sec-Fetch-Site: absent, Host: absent)"#),
        "{log}"
    );
    assert!(
        lines[6].contains(r#"(Origin: absent, Sec-Fetch-Site: "cross-site","#),
        "{log}"
    );
    assert!(
        lines[7].contains(r#"(Origin: "https://a.example", "https://b.example","#),
        "{log}"
    );
    assert!(lines[0].contains("session.trusted_origins"), "{log}");
    assert!(
        lines[5].contains("DELETE /change is refused by the CSRF protection"),
        "{log}"
    );
    assert!(!lines[5].contains("secret"), "{log}");
}

/// A fairing sees the beginning of a body alone, which may end within a token.
#[test]
fn a_token_after_the_first_512_bytes_is_said_to_be_too_late() {
    let client = Site::new("{cookie={secure=false}}").client;
    let token = client.get("/form").dispatch().into_string().unwrap();
    let multipart = ContentType::parse_flexible("multipart/form-data; boundary=x").unwrap();
    let part = |name: &str, value: &str| {
        format!("--x\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n")
    };
    for length in [440, 480, 511, 600] {
        let long = "y".repeat(length);
        let [text, token] = [part("text", &long), part("_token", &token)];
        let of_parts = format!("{text}{token}--x--\r\n");
        let encoded = format!(
            "text={long}&_token={}&a=b",
            client.get("/form").dispatch().into_string().unwrap()
        );
        for (kind, body) in [
            (ContentType::Form, &encoded),
            (ContentType::Plain, &encoded),
            (multipart.clone(), &of_parts),
        ] {
            let answer = client
                .post("/change")
                .header(kind.clone())
                .body(body)
                .dispatch();
            let text = answer.into_string().unwrap();
            assert!(text.contains(NO_TOKEN), "{kind} {length}: {text}");
        }
    }
}

#[test]
fn the_log_explains_the_method_that_rocket_logs() {
    let Some(log) = log_of(
        "csrf::answers::the_log_explains_the_method_that_rocket_logs",
        |_| {
            for level in ["normal", "critical"] {
                let rocket = site::rocket("{cookie={secure=false}}");
                let figment = rocket.figment().clone().merge(("log_level", level));
                let client = Client::untracked(rocket.configure(figment)).unwrap();
                client.post("/change").dispatch();
            }
        },
    ) else {
        return;
    };
    let lines: Vec<_> = log.lines().collect();
    let refused = |line: &&str| line.contains("POST /change is refused by the CSRF protection");
    let [first, second] = lines.iter().copied().filter(refused).collect::<Vec<_>>()[..] else {
        panic!("{log}");
    };
    assert!(first.ends_with("; Rocket logs it as CONNECT"), "{log}");
    assert!(!second.contains("CONNECT"), "{log}");
    assert!(
        lines.iter().any(|line| line.contains("CONNECT /change:")),
        "{log}"
    );
}
