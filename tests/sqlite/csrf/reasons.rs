//! The reason of a refusal, and the form that its error page can show again.

use rocket::http::{ContentType, Header, Status};
use rocket::local::blocking::Client;
use rocket::{Build, Request, Rocket, catch, catchers, get, post, routes, uri};
use rocket_diesel_session::csrf::Refusal;
use rocket_diesel_session::{Error, Session, Sessions};

use testing::site;

#[get("/form")]
fn form(session: &Session) -> Result<String, Error> {
    session.csrf_token()
}

#[post("/log_in")]
fn log_in(session: &Session) -> Result<(), Error> {
    session.log_in("ada")
}

#[catch(403)]
fn refused(request: &Request<'_>) -> String {
    let refusal = Refusal::of(request).unwrap();
    let (method, reason) = (refusal.method(), refusal.reason());
    format!("{method} {reason:?} {:?}", refusal.form())
}

#[catch(default)]
fn other(status: Status, request: &Request<'_>) -> String {
    format!("{status} {}", Refusal::of(request).is_some())
}

fn application(session: &str) -> Rocket<Build> {
    let sessions = Sessions::fairing().with_store(std::sync::Arc::new(
        rocket_diesel_session::store::MemoryStore::default(),
    ));
    rocket::custom(site::figment(session))
        .mount("/", routes![form, log_in])
        .register("/", catchers![refused, other])
        .attach(sessions.with_csrf_protection())
}

/// The page after a form with these headers and this body.
fn send(client: &Client, headers: &[(&'static str, &'static str)], body: &str) -> String {
    let mut request = client.post("/log_in").header(ContentType::Form);
    request.inner_mut().set_host(uri!("app.example").into());
    for (name, value) in headers {
        request.add_header(Header::new(*name, *value));
    }
    let answer = request.body(body).dispatch();
    answer.into_string().unwrap_or_default()
}

const OWN: &[(&str, &str)] = &[("Sec-Fetch-Site", "same-origin")];

#[test]
fn the_error_page_gets_the_reason_and_the_form() {
    let client = Client::tracked(application("{}")).unwrap();
    let token = || client.get("/form").dispatch().into_string().unwrap();
    assert_eq!(send(&client, OWN, "a=b"), r#"POST NoToken Some("a=b")"#);
    let other_tab = Client::tracked(application("{}")).unwrap();
    let stale = other_tab.get("/form").dispatch().into_string().unwrap();
    let body = format!("_token={stale}&text=h%C3%AB+y");
    let no_cookie = format!("POST NoCookie Some({body:?})");
    assert_eq!(send(&client, OWN, &body), no_cookie);
    token();
    let is_stale = format!("POST StaleToken Some({body:?})");
    assert_eq!(send(&client, OWN, &body), is_stale);
    let elsewhere = [("Origin", "https://evil.example")];
    assert_eq!(send(&client, &elsewhere, &body), "POST OtherOrigin None");
    let put = format!("_method=PUT&{body}");
    let with_its_method = format!("PUT StaleToken Some({put:?})");
    assert_eq!(send(&client, OWN, &put), with_its_method);
    let large = format!("{body}{}", "x".repeat(64 * 1024));
    assert_eq!(send(&client, OWN, &large), "POST StaleToken None");
    assert_eq!(send(&client, OWN, &format!("_token={}", token())), "");
    let missing = client.get("/nowhere").dispatch().into_string().unwrap();
    assert_eq!(missing, "404 Not Found false");
}

/// Browsers keep Secure cookies back over plain http: a browser that opens the site so can send no form.
#[test]
fn a_form_over_plain_http_is_not_an_attack() {
    let client = Client::untracked(application("{}")).unwrap();
    let token = client.get("/form").dispatch().into_string().unwrap();
    let body = format!("_token={token}");
    let reason = |headers: &[(&'static str, &'static str)]| {
        let page = send(&client, headers, &body);
        page.split(' ').nth(1).unwrap_or_default().to_owned()
    };
    assert_eq!(reason(&[]), "PlainHttp");
    assert_eq!(reason(&[("Origin", "http://app.example")]), "PlainHttp");
    for (headers, other) in [
        (&[("Origin", "http://evil.example")] as &[_], "OtherOrigin"),
        (&[("Origin", "null")], "OtherOrigin"),
        (&[("Origin", "https://app.example")], "NoCookie"),
        (&[("X-Forwarded-Proto", "https")], "NoCookie"),
        (OWN, "NoCookie"),
        (
            &[("Origin", "http://app.example"), ("Cookie", "__Host-id=a")],
            "OtherOrigin",
        ),
        (
            &[
                ("Origin", "http://app.example"),
                ("X-Forwarded-Proto", "https"),
            ],
            "OtherOrigin",
        ),
    ] {
        assert_eq!(reason(headers), other, "{headers:?}");
    }
    let client = Client::untracked(application("{cookie={secure=false}}")).unwrap();
    let token = client.get("/form").dispatch().into_string().unwrap();
    let page = send(&client, &[], &format!("_token={token}"));
    assert!(page.starts_with("POST NoCookie"), "{page}");
}
