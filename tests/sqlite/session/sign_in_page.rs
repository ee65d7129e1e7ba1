//! The sign-in page: which requests are redirected to it, and what their answers keep.

use rocket::error::ErrorKind;
use rocket::fairing::AdHoc;
use rocket::http::{ContentType, Header, Method, Status};
use rocket::local::blocking::{Client, LocalResponse};
use rocket::response::Redirect;
use rocket::serde::json::{Value, from_str, json};
use rocket::{Build, Request, Rocket, catch, catchers, get, post, routes};
use rocket_diesel_session::sign_in::SignedIn;
use rocket_diesel_session::{Error, Session, Sessions};

use testing::database::TestDatabase;

use super::signed_in::{User, database, home, log_in, maybe, rocket_on, with_people};
use crate::log::log_of;

pub const CHROMIUM: &str =
    "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8";

#[post("/home")]
fn send(_user: SignedIn<User>) {}

#[get("/own_401")]
fn own_401(_session: &Session) -> Status {
    Status::Unauthorized
}

#[post("/sign_in")]
fn come_back(session: &Session) -> Result<Redirect, Error> {
    session.log_in(7)?;
    Ok(Redirect::to(session.return_to("/welcome")))
}

#[get("/sign_in")]
fn sign_in(session: &Session) -> Result<String, Error> {
    let flashes = session.flashes()?.into_iter();
    Ok(flashes.map(|flash| flash.message).collect())
}

#[post("/flash")]
fn flash(session: &Session) -> Result<(), Error> {
    session.flash("info", "You are signed out.")
}

/// A page that shows what waits, and keeps a value.
#[catch(401)]
async fn unauthorized(request: &Request<'_>) -> Result<(ContentType, String), Error> {
    let mut page = String::from("own 401");
    if let Some(session) = request.guard::<&Session>().await.succeeded() {
        for flash in session.flashes()? {
            page.push_str(&flash.message);
        }
        session.insert("asked_for", request.uri().to_string())?;
    }
    Ok((ContentType::HTML, page))
}

#[catch(401)]
fn elsewhere() -> Redirect {
    Redirect::to("/elsewhere")
}

fn rocket(database: &TestDatabase, page: &'static str) -> Rocket<Build> {
    let sessions = with_people(Sessions::fairing()).with_sign_in_page(page);
    let routes = routes![
        home, maybe, send, own_401, sign_in, come_back, flash, log_in
    ];
    rocket_on(database, sessions).mount("/", routes)
}

fn client(database: &TestDatabase) -> Client {
    Client::tracked(rocket(database, "/sign_in")).unwrap()
}

pub fn ask<'c>(
    client: &'c Client,
    method: Method,
    path: &'static str,
    [accept, mode]: [&'static str; 2],
) -> LocalResponse<'c> {
    let mut request = client.req(method, path);
    for (name, value) in [("Accept", accept), ("Sec-Fetch-Mode", mode)] {
        if !value.is_empty() {
            request.add_header(Header::new(name, value));
        }
    }
    request.dispatch()
}

pub fn leads(answer: &LocalResponse<'_>) -> (u16, Option<String>) {
    let location = answer.headers().get_one("Location");
    (answer.status().code, location.map(str::to_owned))
}

#[test]
fn requests_that_load_a_page_are_redirected_and_others_get_401() {
    let database = database();
    let client = client(&database);
    for (method, accept, mode, redirects) in [
        (Method::Get, CHROMIUM, "navigate", true),
        (Method::Head, CHROMIUM, "navigate", true),
        (Method::Get, CHROMIUM, "", true),
        (Method::Get, "text/html", "", true),
        (Method::Get, "TEXT/HTML; charset=utf-8", "", true),
        (Method::Get, "application/json;q=0.9, text/html", "", true),
        (Method::Get, "*/*", "cors", false),
        (Method::Get, "*/*", "same-origin", false),
        (Method::Get, "*/*", "no-cors", false),
        (Method::Get, "*/*", "", false),
        (Method::Get, "", "", false),
        (Method::Get, "no type at all", "", false),
        (Method::Get, "application/json", "", false),
        (Method::Get, "application/json, text/html;q=0.9", "", false),
        (Method::Get, "text/html, */*", "cors", false),
        (Method::Get, CHROMIUM, "same-origin", false),
        (Method::Get, "text/event-stream", "cors", false),
        (Method::Get, "text/html", "websocket", false),
        (Method::Post, CHROMIUM, "navigate", false),
        (Method::Post, "*/*", "cors", false),
    ] {
        let answer = ask(&client, method, "/home", [accept, mode]);
        let expected = match redirects {
            true => (303, Some("/sign_in?next=%2Fhome".to_owned())),
            false => (401, None),
        };
        let case = format!("{method} {accept:?} {mode:?}");
        assert_eq!(leads(&answer), expected, "{case}");
        let vary: Vec<_> = answer.headers().get("Vary").collect();
        for header in ["Accept", "Sec-Fetch-Mode", "Cookie"] {
            assert!(vary.contains(&header), "{case}: {vary:?}");
        }
        let cache = answer.headers().get_one("Cache-Control");
        assert_eq!(cache, Some("no-store"), "{case}");
    }
}

#[test]
fn only_a_refusal_of_the_guard_is_redirected() {
    let database = database();
    let client = client(&database);
    let load = |path| leads(&ask(&client, Method::Get, path, [CHROMIUM, "navigate"]));
    assert_eq!(load("/own_401"), (401, None));
    assert_eq!(load("/maybe"), (200, None));
    assert_eq!(load("/nowhere"), (404, None));
    assert_eq!(load("/home").0, 303);
    client.post("/log_in/7").dispatch();
    assert_eq!(load("/home"), (200, None));
}

#[test]
fn a_page_for_users_alone_does_not_lead_to_itself() {
    let database = database();
    for page in ["/home", "/home?from=guard"] {
        let client = Client::tracked(rocket(&database, page)).unwrap();
        let answer = ask(&client, Method::Get, "/home", [CHROMIUM, "navigate"]);
        assert_eq!(leads(&answer), (401, None), "{page}");
    }
}

#[test]
fn a_catcher_makes_the_page_of_other_requests_and_redirects_elsewhere() {
    let database = database();
    for (catchers, page, script) in [
        (
            catchers![unauthorized],
            (303, Some("/sign_in?next=%2Fhome")),
            (401, None),
        ),
        (
            catchers![elsewhere],
            (303, Some("/elsewhere")),
            (303, Some("/elsewhere")),
        ),
    ] {
        let rocket = rocket(&database, "/sign_in").register("/", catchers);
        let client = Client::tracked(rocket).unwrap();
        for (accept, (status, location)) in [(CHROMIUM, page), ("*/*", script)] {
            let answer = ask(&client, Method::Get, "/home", [accept, ""]);
            assert_eq!(
                leads(&answer),
                (status, location.map(str::to_owned)),
                "{accept}"
            );
        }
    }
}

#[test]
fn a_sign_in_leads_back_to_the_page_with_its_query() {
    let database = database();
    for page in ["/sign_in", "/sign_in?from=guard"] {
        for (asked, names) in [
            ("/home", true),
            ("/home?page=2&q=a%20b&next=%2Fhome", true),
            ("/home?q=//evil.example", false),
            ("/home?q=%252f%252fevil.example", false),
        ] {
            let client = Client::tracked(rocket(&database, page)).unwrap();
            let answer = ask(&client, Method::Get, asked, [CHROMIUM, "navigate"]);
            let (status, sign_in) = leads(&answer);
            let sign_in = sign_in.unwrap();
            assert_eq!(status, 303, "{asked}");
            assert!(sign_in.starts_with(page), "{sign_in}");
            assert_eq!(sign_in.contains("next="), names, "{asked}: {sign_in}");
            let back = leads(&client.post(sign_in).dispatch());
            let expected = if names { asked } else { "/welcome" };
            assert_eq!(back, (303, Some(expected.to_owned())), "{asked}");
        }
    }
}

#[test]
fn cve_2021_23435_a_sign_in_never_leads_to_another_site() {
    let database = database();
    let client = client(&database);
    for next in [
        "//evil.example",
        "https://evil.example/",
        "https:evil.example",
        "/\\evil.example",
        "/%2f%2fevil.example",
        "%2f%2fevil.example",
        "%2F%252f%252fevil.example",
        "%2F%25252f%25252fevil.example",
        "%2f%5cevil.example",
        "/%5cevil.example",
        "javascript:alert(1)",
        "/a%0d%0aSet-Cookie:%20a=b",
        "/%09/evil.example",
        "%09//evil.example",
        "%20//evil.example",
        "/..//evil.example",
        "/%2e%2e%2f%2fevil.example",
        "/a%23//evil.example",
        "%EF%BC%8F%EF%BC%8Fevil.example",
        "%5c%5cevil.example",
        "/%255cevil.example",
        "/%u002f/evil.example/%2f",
        "/%C0%AF%C0%AFevil.example",
        "//%65vil.example",
        "HTTPS:%2f%2fevil.example",
        "data:text/html,x",
        "%00/home",
        "/home%00",
        "home",
        "?next=/home",
        "%FF",
        "",
        &"/a".repeat(2_000),
        "&next=/home",
    ] {
        let answer = client.post(format!("/sign_in?next={next}")).dispatch();
        assert_eq!(
            leads(&answer),
            (303, Some("/welcome".to_owned())),
            "{next:.60}"
        );
    }
    let answer = client
        .post("/sign_in?a=b&next=/home&next=//evil.example")
        .dispatch();
    assert_eq!(leads(&answer), (303, Some("/home".to_owned())));
}

#[test]
fn a_request_for_no_page_gets_problem_details() {
    let database = database();
    let client = client(&database);
    for (method, accept) in [
        (Method::Get, "application/json"),
        (Method::Get, "*/*"),
        (Method::Post, "*/*"),
        (Method::Get, ""),
    ] {
        let answer = ask(&client, method, "/home", [accept, ""]);
        assert_eq!(answer.status(), Status::Unauthorized, "{accept}");
        let content_type = answer.content_type().unwrap().to_string();
        assert_eq!(content_type, "application/problem+json", "{accept}");
        let problem: Value = from_str(&answer.into_string().unwrap()).unwrap();
        let expected = json!({
            "type": "about:blank",
            "title": "Unauthorized",
            "status": 401,
            "detail": "Sign in first.",
        });
        assert_eq!(problem, expected, "{accept}");
    }
    for (method, path) in [(Method::Post, "/home"), (Method::Get, "/own_401")] {
        let answer = ask(&client, method, path, ["text/html", ""]);
        assert_eq!(answer.content_type(), Some(ContentType::HTML), "{path}");
    }
}

#[test]
fn a_redirect_keeps_messages_values_and_the_headers_of_other_fairings() {
    let database = database();
    let others = AdHoc::on_response("others", |_, response| {
        Box::pin(async move {
            response.set_raw_header("Strict-Transport-Security", "max-age=31536000");
            response.adjoin_raw_header("Vary", "Origin");
            response.set_raw_header("WWW-Authenticate", "Cookie");
        })
    });
    let sessions = with_people(Sessions::fairing()).with_sign_in_page("/sign_in");
    let figment = testing::site::figment("{}").merge(("databases.app.url", &database.url));
    let rocket = rocket::custom(figment)
        .attach(others)
        .attach(sessions)
        .mount("/", routes![home, sign_in, flash])
        .register("/", catchers![unauthorized]);
    let client = Client::tracked(rocket).unwrap();
    client.post("/flash").dispatch();
    let answer = ask(&client, Method::Get, "/home", [CHROMIUM, "navigate"]);
    assert_eq!(
        leads(&answer),
        (303, Some("/sign_in?next=%2Fhome".to_owned()))
    );
    let headers = answer.headers();
    assert_eq!(
        headers.get_one("Strict-Transport-Security"),
        Some("max-age=31536000")
    );
    assert!(headers.get("Vary").any(|it| it == "Origin"));
    for gone in ["WWW-Authenticate", "Content-Type"] {
        assert_eq!(headers.get_one(gone), None, "{gone}");
    }
    assert_eq!(answer.into_string(), None, "the refused page's body");
    let page = client.get("/sign_in").dispatch().into_string();
    assert_eq!(page.as_deref(), Some("You are signed out."));
}

#[test]
fn a_page_that_is_not_local_stops_the_launch() {
    let name = "session::sign_in_page::a_page_that_is_not_local_stops_the_launch";
    const PAGES: [&str; 12] = [
        "",
        "sign_in",
        "//example.org",
        "/a//b",
        "/\\example.org",
        "\\/example.org",
        "https://example.org/",
        "javascript:alert(1)",
        "/sign_in\r\nSet-Cookie: a=b",
        "/\t/example.org",
        "/sign in",
        "/sign_in#form",
    ];
    let Some(log) = log_of(name, |level| {
        let database = database();
        for page in PAGES {
            let rocket = rocket(&database, page);
            let figment = rocket.figment().clone().merge(("log_level", level));
            let error = Client::untracked(rocket.configure(figment)).err().unwrap();
            let stops = matches!(error.kind(), ErrorKind::FailedFairings(_));
            assert!(stops, "{page:?}");
        }
        for page in [
            "/",
            "/sign_in",
            "/sign_in?from=guard",
            "/%C3%A4",
            "/a/b-c.d~e",
        ] {
            assert!(Client::untracked(rocket(&database, page)).is_ok(), "{page}");
        }
    }) else {
        return;
    };
    for page in PAGES {
        let line = format!("Sessions::with_sign_in_page was given {page:?}; give a path");
        assert!(log.contains(&line), "{page:?}: {log}");
    }
}
