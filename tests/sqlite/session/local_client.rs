//! Rocket's local client keeps its cookies in the jar and sends no `Cookie` header.

use std::sync::Arc;

use rocket::http::{ContentType, Cookie, Header};
use rocket::local::asynchronous::Client as AsyncClient;
use rocket::local::blocking::Client;
use rocket::{Build, Request, Rocket, get, routes};
use rocket_diesel_session::request::cookie;
use rocket_diesel_session::store::MemoryStore;
use rocket_diesel_session::{Error, Session, Sessions};

use testing::site::{self, Answer};

struct Theme(String);

#[rocket::async_trait]
impl<'r> rocket::request::FromRequest<'r> for Theme {
    type Error = std::convert::Infallible;

    async fn from_request(request: &'r Request<'_>) -> rocket::request::Outcome<Self, Self::Error> {
        let theme = cookie(request, "__Host-theme").unwrap_or("none");
        rocket::request::Outcome::Success(Self(theme.to_owned()))
    }
}

#[get("/theme")]
fn theme(theme: Theme) -> String {
    theme.0
}

#[get("/form")]
fn form(session: &Session) -> Result<String, Error> {
    session.csrf_token()
}

fn application() -> Rocket<Build> {
    site::rocket("{}", Arc::default(), Arc::default()).mount("/", routes![theme, form])
}

#[test]
fn a_tracked_client_stays_signed_in_until_it_signs_out() {
    let client = Client::tracked(application()).unwrap();
    let ask = |uri: &'static str| client.get(uri).dispatch().into_string().unwrap();
    let send = |uri: &'static str| Answer::of(client.post(uri).dispatch()).status;
    assert_eq!(ask("/who"), "nobody");
    assert_eq!(send("/log_in/ada"), 200);
    assert_eq!(ask("/who"), "ada");
    assert_eq!(send("/renew?drop=true"), 200);
    assert_eq!(ask("/who"), "ada");
    assert_eq!(send("/log_out"), 200);
    assert_eq!(ask("/who"), "nobody");
    assert!(client.cookies().get("__Host-id").is_none());
}

#[test]
fn an_asynchronous_client_stays_signed_in() {
    rocket::async_test(async {
        let client = AsyncClient::tracked(application()).await.unwrap();
        client.post("/log_in/ada").dispatch().await;
        let answer = client.get("/who").dispatch().await;
        assert_eq!(answer.into_string().await.unwrap(), "ada");
    });
}

#[test]
fn an_untracked_client_sends_the_cookies_that_it_is_given() {
    let client = Client::untracked(application()).unwrap();
    let answer = client.post("/log_in/ada").dispatch();
    let session = answer.cookies().get("__Host-id").unwrap().clone();
    let who = |request: rocket::local::blocking::LocalRequest<'_>| {
        request.dispatch().into_string().unwrap()
    };
    assert_eq!(who(client.get("/who")), "nobody");
    assert_eq!(who(client.get("/who").cookie(session.clone())), "ada");
    let twin = Cookie::new("__%48ost-id", session.value().to_owned());
    assert_eq!(who(client.get("/who").cookie(twin)), "nobody");
}

#[test]
fn beside_a_header_the_jar_does_not_count() {
    let client = Client::tracked(application()).unwrap();
    client.post("/log_in/ada").dispatch();
    let token = client
        .cookies()
        .get("__Host-id")
        .unwrap()
        .value()
        .to_owned();
    for (header, expected) in [
        (String::new(), "nobody"),
        ("a=b".into(), "nobody"),
        (format!("__%48ost-id={token}"), "nobody"),
        (format!("__Host-id={token}; __Host-id=other"), "nobody"),
        (format!("__Host-id={token}"), "ada"),
    ] {
        let request = client.get("/who");
        let answer = request
            .header(Header::new("Cookie", header.clone()))
            .dispatch();
        assert_eq!(answer.into_string().unwrap(), expected, "{header}");
    }
}

#[test]
fn the_application_reads_its_own_cookies_in_the_same_way() {
    let client = Client::untracked(application()).unwrap();
    let ask = |name: &'static str| {
        let request = client.get("/theme").cookie((name, "dark"));
        request.dispatch().into_string().unwrap()
    };
    assert_eq!(ask("__Host-theme"), "dark");
    assert_eq!(ask("__%48ost-theme"), "none");
    assert_eq!(ask("__host-theme"), "none");
    let request = client.get("/theme").cookie(("__Host-theme", "dark"));
    let request = request.header(Header::new("Cookie", "__Host-theme=light"));
    assert_eq!(request.dispatch().into_string().unwrap(), "light");
}

#[test]
fn a_form_of_a_tracked_client_is_accepted() {
    let store = Arc::new(MemoryStore::default());
    let sessions = Sessions::fairing().with_store(store);
    let rocket = rocket::custom(site::figment("{}"))
        .mount("/", routes![form, site::log_in, site::who])
        .attach(sessions.with_csrf_protection());
    let client = Client::tracked(rocket).unwrap();
    let submit = || {
        let token = client.get("/form").dispatch().into_string().unwrap();
        let request = client.post("/log_in/ada").header(ContentType::Form);
        let answer = request.body(format!("_token={token}")).dispatch();
        answer.status().code
    };
    assert_eq!(submit(), 200);
    assert_eq!(submit(), 200);
    let answer = client.get("/who").dispatch();
    assert_eq!(answer.into_string().unwrap(), "ada");
}

/// Rocket's local client reads a cookie's value as percent-encoded, which Express's values are.
#[test]
fn a_session_that_express_shares_is_found_in_the_jar() {
    let settings = r#"{format="express",secrets=["keyboard cat"]}"#;
    let client = Client::tracked(site::rocket(settings, Arc::default(), Arc::default())).unwrap();
    client.post("/log_in/ada").dispatch();
    let answer = client.get("/who").dispatch();
    assert_eq!(answer.into_string().unwrap(), "ada");
}
