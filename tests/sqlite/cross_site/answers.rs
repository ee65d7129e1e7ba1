//! A refusal says why: in the answer, where the application has no page for 403, and in the log.

use rocket::http::{Accept, ContentType, Header, Status};
use rocket::local::blocking::{Client, LocalRequest};
use rocket::serde::json::{Value, from_str};

use super::site::{self, Site};
use crate::log::log_of;

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
        (client.post("/change"), "it has no CSRF token"),
        (form().body("a=b"), "it has no CSRF token"),
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
fn the_answer_says_why_in_plain_words_or_in_json() {
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
        assert_eq!(answer.content_type(), Some(ContentType::JSON));
        let json: Value = from_str(&answer.into_string().unwrap()).unwrap();
        assert_eq!(json["error"]["code"], 403);
        assert_eq!(json["error"]["reason"], "Forbidden");
        let description = json["error"]["description"].as_str().unwrap();
        assert!(description.contains(why), "{description}");
    }
}

#[test]
fn the_log_names_method_path_and_why_once() {
    let Some(log) = log_of(
        "cross_site::answers::the_log_names_method_path_and_why_once",
        |level| {
            let rocket = site::rocket("{cookie={secure=false}}");
            let figment = rocket.figment().clone().merge(("log_level", level));
            let client = Client::untracked(rocket.configure(figment)).unwrap();
            for (request, _) in refused(&client) {
                request.dispatch();
            }
            let form = client.post("/change?secret=1").header(ContentType::Form);
            form.body("_method=delete").dispatch();
        },
    ) else {
        return;
    };
    let lines: Vec<_> = log
        .lines()
        .filter(|line| line.contains("is refused with 403:"))
        .collect();
    assert_eq!(lines.len(), 6, "{log}");
    for line in &lines[..5] {
        assert!(line.contains("POST /change is refused with 403"), "{line}");
    }
    assert!(
        lines[0].contains(r#"Origin: "https://evil.example""#),
        "{log}"
    );
    assert!(lines[0].contains("session.trusted_origins"), "{log}");
    assert!(
        lines[5].contains("DELETE /change is refused with 403"),
        "{log}"
    );
    assert!(!lines[5].contains("secret"), "{log}");
}
