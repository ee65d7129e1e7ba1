//! A session that cannot be loaded is logged once, with the cause.

use std::sync::Arc;

use rocket::get;
use rocket::http::Header;
use rocket::local::blocking::Client;
use rocket_diesel_session::{Error, Session};

use testing::site::{self, Watched};

use crate::log::log_of;

#[get("/maybe")]
fn maybe(session: Option<&Session>) -> String {
    session.is_some().to_string()
}

#[get("/count")]
fn count(session: &Session) -> Result<String, Error> {
    let count = session.update("count", |count: u64| count + 1)?;
    Ok(count.to_string())
}

#[test]
fn sessions_that_cannot_be_saved_are_logged_once_and_not_for_each_request() {
    let name =
        "session::outage::sessions_that_cannot_be_saved_are_logged_once_and_not_for_each_request";
    let Some(log) = log_of(name, |level| {
        let store = Arc::new(Watched::default());
        let rocket = site::rocket("{}", store.clone(), Arc::default());
        let figment = rocket.figment().clone().merge(("log_level", level));
        let rocket = rocket.configure(figment).mount("/", rocket::routes![count]);
        let client = Client::untracked(rocket).unwrap();
        for _outage in 0..2 {
            store.fail(5);
            let status = || client.get("/count").dispatch().status().code;
            let statuses: Vec<_> = (0..6).map(|_| status()).collect();
            assert_eq!(statuses, [503, 503, 503, 503, 503, 200]);
        }
    }) else {
        return;
    };
    let lines = log.lines().filter(|it| it.contains("switched off"));
    let saved = lines.filter(|it| it.contains("Error: a session could not be saved"));
    assert_eq!(saved.count(), 2, "{log}");
}

#[test]
fn an_outage_is_logged_once_and_not_for_each_request() {
    let name = "session::outage::an_outage_is_logged_once_and_not_for_each_request";
    let Some(log) = log_of(name, |level| {
        let store = Arc::new(Watched::default());
        let rocket = site::rocket("{}", store.clone(), Arc::default());
        let figment = rocket.figment().clone().merge(("log_level", level));
        let rocket = rocket.configure(figment).mount("/", rocket::routes![maybe]);
        let client = Client::untracked(rocket).unwrap();
        let cookie = format!("__Host-id={}", site::invented_token());
        let status = || {
            let request = client.get("/maybe");
            let request = request.header(Header::new("Cookie", cookie.clone()));
            request.dispatch().status().code
        };
        for _outage in 0..2 {
            store.fail(5);
            let statuses: Vec<_> = (0..6).map(|_| status()).collect();
            assert_eq!(statuses, [503, 503, 503, 503, 503, 200]);
        }
    }) else {
        return;
    };
    let lines: Vec<_> = log
        .lines()
        .filter(|it| it.contains("switched off"))
        .collect();
    assert_eq!(lines.len(), 2, "{log}");
    for line in lines {
        assert!(
            line.contains("Error: a session could not be loaded"),
            "{line}"
        );
    }
    assert!(!log.contains("()"), "{log}");
}
