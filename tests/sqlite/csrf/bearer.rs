//! Requests with a bearer token: no CSRF token, and no cookie.

use rocket::http::{ContentType, Header};
use rocket::local::blocking::Client;
use rocket::{post, routes};
use rocket_diesel_session::Session;

use super::site;

const BOTH: &str = r#"{token_from=["cookie","bearer"],cookie={secure=false}}"#;
const COOKIE_ALONE: &str = "{cookie={secure=false}}";

#[post("/who")]
fn who(session: &Session) -> String {
    session.user_id().unwrap_or_else(|| "nobody".into())
}

/// Posts a form without a CSRF token, with the cookie of a signed-in browser.
fn post(settings: &str, authorization: &[&str], from: &str) -> (u16, String) {
    let rocket = site::rocket(settings).mount("/", routes![who]);
    let client = Client::untracked(rocket).unwrap();
    let signed_in = client.post("/log_in").header(ContentType::JSON).dispatch();
    let cookie = signed_in.headers().get_one("Set-Cookie").unwrap();
    let cookie = cookie.split(';').next().unwrap().to_owned();
    let mut request = client.post("/who").header(ContentType::Form).body("a=b");
    request.add_header(Header::new("Cookie", cookie));
    request.add_header(Header::new("Sec-Fetch-Site", from.to_owned()));
    for value in authorization {
        request.add_header(Header::new("Authorization", (*value).to_owned()));
    }
    let answer = request.dispatch();
    (
        answer.status().code,
        answer.into_string().unwrap_or_default(),
    )
}

#[test]
fn a_form_with_a_made_up_bearer_token_does_not_use_the_cookie() {
    for authorization in [
        &["Bearer x"][..],
        &["bearer x"],
        &["Bearer"],
        &["Bearer\tx"],
        &["Basic YTpi", "Bearer x"],
        &["Basic YTpi", "Basic YTpi"],
    ] {
        for from in ["same-origin", "cross-site", "none"] {
            let (status, user) = post(BOTH, authorization, from);
            assert_eq!(
                (status, &*user),
                (200, "nobody"),
                "{authorization:?} {from}"
            );
        }
    }
}

#[test]
fn without_a_bearer_token_a_form_needs_the_csrf_token() {
    for from in ["same-origin", "cross-site", "none"] {
        for authorization in [
            &[][..],
            &["Basic YTpi"],
            &["BearerX y"],
            &["Bear er"],
            &[""],
        ] {
            let (status, _) = post(BOTH, authorization, from);
            assert_eq!(status, 403, "{authorization:?} {from}");
        }
        let (status, _) = post(COOKIE_ALONE, &["Bearer x"], from);
        assert_eq!(status, 403, "where only cookies count: {from}");
    }
}
