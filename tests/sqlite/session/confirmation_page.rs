//! The confirmation page: which requests without a fresh proof are redirected to it, and what others get.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use rocket::error::ErrorKind;
use rocket::http::{Method, Status};
use rocket::local::blocking::Client;
use rocket::serde::json::{Value, json};
use rocket::{Build, Request, Rocket, Route, catch, catchers, get, post, routes};
use rocket_diesel_session::sign_in::{self, Begun, Factor, Fresh};
use rocket_diesel_session::{Error, Session, Sessions};

use testing::database::TestDatabase;
use testing::site::{self, MINUTE, START};

use super::sign_in_page::{CHROMIUM, ask, leads};
use super::signed_in::{database, home, log_in, rocket_on, with_people};
use crate::log::log_of;

#[get("/password")]
fn password_page(_fresh: Fresh<10>) {}

#[post("/password")]
fn change_password(_fresh: Fresh<10>) {}

#[get("/maybe_fresh")]
fn maybe_fresh(fresh: Option<Fresh<10>>) -> String {
    fresh.is_some().to_string()
}

#[get("/own_403")]
fn own_403(_session: &Session) -> Status {
    Status::Forbidden
}

#[get("/confirm?<_next>")]
fn confirmation_page(_next: Option<&str>) -> &'static str {
    "Confirm that it is you."
}

#[post("/begin/<id>")]
fn begin(session: &Session, id: &str) -> Result<(), Error> {
    session.begin_sign_in(id, Factor::Password)
}

#[get("/code")]
fn code_page(begun: Begun<'_>) -> String {
    begun.user_id().to_owned()
}

#[post("/code")]
fn code(begun: Begun<'_>) -> Result<(), Error> {
    begun.complete(Factor::OneTimeCode)
}

#[catch(403)]
fn forbidden(request: &Request<'_>) -> String {
    format!("stale: {}", sign_in::needs_confirmation(request))
}

fn rocket(database: &TestDatabase, page: &'static str, now: &Arc<AtomicI64>) -> Rocket<Build> {
    let sessions = with_people(Sessions::fairing())
        .with_clock(site::clock(now))
        .with_sign_in_page("/sign_in")
        .with_confirmation_page(page);
    let of_users = routes![home, log_in, begin, code_page, code];
    let fresh = routes![
        password_page,
        change_password,
        maybe_fresh,
        own_403,
        confirmation_page
    ];
    rocket_on(database, sessions)
        .mount("/", of_users)
        .mount("/", fresh)
}

/// The browser of a user who signed in eleven minutes ago.
fn late(database: &TestDatabase, adapt: impl FnOnce(Rocket<Build>) -> Rocket<Build>) -> Client {
    let now = Arc::new(AtomicI64::new(START));
    let client = Client::tracked(adapt(rocket(database, "/confirm", &now))).unwrap();
    client.post("/log_in/7").dispatch();
    now.fetch_add(11 * MINUTE, Ordering::SeqCst);
    client
}

#[test]
fn requests_that_load_a_page_are_redirected_and_others_get_403() {
    let database = database();
    let client = late(&database, |rocket| rocket);
    for (method, accept, mode, redirects) in [
        (Method::Get, CHROMIUM, "navigate", true),
        (Method::Head, CHROMIUM, "navigate", true),
        (Method::Get, "text/html", "", true),
        (Method::Get, "*/*", "cors", false),
        (Method::Get, "application/json", "", false),
        (Method::Get, "text/html", "cors", false),
        (Method::Post, CHROMIUM, "navigate", false),
        (Method::Post, "*/*", "cors", false),
    ] {
        let answer = ask(&client, method, "/password?step=2", [accept, mode]);
        let expected = match redirects {
            true => {
                let page = "/confirm?next=%2Fpassword%3Fstep%3D2";
                (303, Some(page.to_owned()))
            }
            false => (403, None),
        };
        let case = format!("{method} {accept:?} {mode:?}");
        assert_eq!(leads(&answer), expected, "{case}");
        let vary: Vec<_> = answer.headers().get("Vary").collect();
        for header in ["Accept", "Sec-Fetch-Mode", "Cookie"] {
            assert!(vary.contains(&header), "{case}: {vary:?}");
        }
    }
}

#[test]
fn a_program_gets_problem_details_unless_a_catcher_answers() {
    let database = database();
    let client = late(&database, |rocket| rocket);
    let answer = ask(&client, Method::Post, "/password", ["application/json", ""]);
    assert_eq!(answer.status(), Status::Forbidden);
    let content_type = answer.headers().get_one("Content-Type");
    assert_eq!(content_type, Some("application/problem+json"));
    let body = answer.into_json::<Value>().unwrap();
    let expected = json!({
        "type": "about:blank",
        "title": "Forbidden",
        "status": 403,
        "detail": "Confirm that it is you first.",
    });
    assert_eq!(body, expected);

    let client = late(&database, |rocket| {
        rocket.register("/", catchers![forbidden])
    });
    let text = |method, path, accept| {
        let answer = ask(&client, method, path, [accept, ""]);
        answer.into_string().unwrap_or_default()
    };
    assert_eq!(text(Method::Post, "/password", "*/*"), "stale: true");
    assert_eq!(text(Method::Post, "/password", CHROMIUM), "stale: true");
    assert_eq!(text(Method::Get, "/own_403", "*/*"), "stale: false");
}

#[test]
fn only_a_refusal_of_the_guard_is_redirected() {
    let database = database();
    let client = late(&database, |rocket| rocket);
    let load = |path| leads(&ask(&client, Method::Get, path, [CHROMIUM, "navigate"]));
    assert_eq!(load("/own_403"), (403, None));
    assert_eq!(load("/maybe_fresh"), (200, None));
    assert_eq!(load("/home"), (200, None));
    assert_eq!(load("/password").0, 303);
    client.post("/log_in/7").dispatch();
    assert_eq!(load("/password"), (200, None));
}

/// The library leaves it to the application whether the next factor is asked for.
#[test]
fn a_sign_in_that_was_begun_before_its_account_was_closed_opens_nothing() {
    for (change, left) in [
        ("UPDATE people SET is_closed = TRUE", 0),
        // A row may be late, where the database replicates.
        ("DELETE FROM people", 1),
    ] {
        let (database, now) = (database(), Arc::new(AtomicI64::new(START)));
        let client = Client::tracked(rocket(&database, "/confirm", &now)).unwrap();
        let post = |path| client.post(path).dispatch().status().code;
        assert_eq!(post("/begin/7"), 200);
        assert_eq!(client.get("/home").dispatch().status().code, 401);
        database.run(change);
        assert_eq!(client.get("/code").dispatch().into_string().unwrap(), "7");
        assert_eq!(post("/code"), 200);
        assert_eq!(
            client.get("/home").dispatch().status().code,
            401,
            "{change}"
        );
        assert_eq!(database.store.count(0).unwrap(), left, "{change}");
        assert_eq!(post("/code"), 401, "{change}");
    }
}

#[get("/late?<_next>")]
fn late_page(_next: Option<&str>, _fresh: Fresh<10>) {}

#[test]
fn a_page_that_needs_a_proof_itself_does_not_lead_to_itself() {
    let (database, now) = (database(), Arc::new(AtomicI64::new(START)));
    let rocket = rocket(&database, "/late", &now).mount("/", routes![late_page]);
    let client = Client::tracked(rocket).unwrap();
    client.post("/log_in/7").dispatch();
    now.fetch_add(11 * MINUTE, Ordering::SeqCst);
    let answer = ask(&client, Method::Get, "/late", [CHROMIUM, "navigate"]);
    assert_eq!(leads(&answer), (403, None));
}

#[test]
fn anonymous_users_and_begun_sign_ins_lead_to_the_sign_in_page() {
    let (database, now) = (database(), Arc::new(AtomicI64::new(START)));
    let client = Client::tracked(rocket(&database, "/confirm", &now)).unwrap();
    let load = |path| {
        let answer = ask(&client, Method::Get, path, [CHROMIUM, "navigate"]);
        let (status, location) = leads(&answer);
        let page = location.map(|it| it.split('?').next().unwrap().to_owned());
        (status, page)
    };
    let to_sign_in = (303, Some("/sign_in".to_owned()));
    for path in ["/home", "/password", "/code"] {
        assert_eq!(load(path), to_sign_in, "{path}");
    }
    client.post("/begin/7").dispatch();
    assert_eq!(load("/code"), (200, None));
    for path in ["/home", "/password"] {
        assert_eq!(load(path), to_sign_in, "{path} before the code");
    }
    now.fetch_add(11 * MINUTE, Ordering::SeqCst);
    assert_eq!(load("/code"), to_sign_in, "too late");
    client.post("/begin/7").dispatch();
    client.post("/code").dispatch();
    for path in ["/home", "/password"] {
        assert_eq!(load(path), (200, None), "{path} after the code");
    }
}

#[test]
fn a_page_that_is_not_local_stops_the_launch() {
    let name = "session::confirmation_page::a_page_that_is_not_local_stops_the_launch";
    let Some(log) = log_of(name, |level| {
        let (database, now) = (database(), Arc::default());
        let rocket = rocket(&database, "//example.org", &now);
        let figment = rocket.figment().clone().merge(("log_level", level));
        let error = Client::untracked(rocket.configure(figment)).err().unwrap();
        assert!(matches!(error.kind(), ErrorKind::FailedFairings(_)));
    }) else {
        return;
    };
    let line = "Sessions::with_confirmation_page was given \"//example.org\"; give a path";
    assert!(log.contains(line), "{log}");
}

#[test]
fn a_route_without_the_fairing_stops_the_launch_with_the_remedy() {
    let name =
        "session::confirmation_page::a_route_without_the_fairing_stops_the_launch_with_the_remedy";
    let Some(log) = log_of(name, |level| {
        let all: [Vec<Route>; 3] = [routes![password_page], routes![maybe_fresh], routes![code]];
        for routes in all {
            let figment = site::figment("{}").merge(("log_level", level));
            let rocket = rocket::custom(figment).mount("/", routes);
            let error = Client::untracked(rocket).err().unwrap();
            assert!(matches!(error.kind(), ErrorKind::SentinelAborts(_)));
        }
    }) else {
        return;
    };
    for (guard, count) in [("Fresh", 2), ("Begun", 1)] {
        let line = format!("a route takes {guard}, but no Sessions::fairing() is attached");
        assert_eq!(log.matches(&line).count(), count, "{log}");
    }
}
