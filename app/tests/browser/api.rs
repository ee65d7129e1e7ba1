//! Calls the API from pages of the application, of a configured origin, and of another one.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::thread;

use rocket::serde::json::{Value, json};
use thirtyfour::prelude::*;

use crate::artefacts;
use crate::chromium::{Browser, with_browser};
use testing::accounts::{EMAIL, PASSWORD, register};
use testing::application::Application;
use testing::database;

/// Serves an empty page on another origin while the tests run. Returns the origin.
pub(crate) fn other_origin() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let origin = format!("http://{}", listener.local_addr().unwrap());
    thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            let _ = stream.read(&mut [0; 4_096]);
            let page = "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 15\r\n\
                        Connection: close\r\n\r\n<!doctype html>";
            let _ = stream.write_all(page.as_bytes());
        }
    });
    origin
}

#[test]
#[ignore = "needs Chromium and its driver: run ./test.sh"]
fn pages_of_the_application_and_of_a_configured_origin_call_the_api_and_no_others() {
    let database = database::sqlite();
    let (trusted, other) = (other_origin(), other_origin());
    let origins = format!("{{trusted_origins=[{trusted:?}]}}");
    let application = Application::start_with(&database, &[("ROCKET_SESSION", &origins)]);
    register(&application.visitor(), EMAIL, &[]);
    let api = format!("{}/api/v1", application.base);
    let artefacts = artefacts().join("api");
    with_browser(&application.base, &artefacts, |browser| async move {
        browser.open("/login").await?;
        call_everything(&browser, "/api/v1").await?;
        browser.visit(&trusted).await?;
        call_everything(&browser, &api).await?;
        browser.visit(&other).await?;
        call_nothing(&browser, &api).await
    });
}

async fn call_everything(browser: &Browser, api: &str) -> WebDriverResult<()> {
    let me = format!("{api}/me");
    let answer = browser.fetch(&me, json!({})).await?;
    assert_eq!(answer["status"], 401, "{answer}");
    assert_eq!(answer["body"]["detail"], "Sign in first.", "{answer}");

    let wrong = json!({ "email": EMAIL, "password": "not the right one" });
    let answer = browser
        .fetch(&format!("{api}/signin"), post(&wrong))
        .await?;
    assert_eq!(answer["status"], 401, "{answer}");
    let right = json!({ "email": EMAIL, "password": PASSWORD });
    let answer = browser
        .fetch(&format!("{api}/signin"), post(&right))
        .await?;
    assert_eq!(answer["status"], 200, "{answer}");
    assert_eq!(answer["body"]["email"], EMAIL, "{answer}");

    let answer = browser.fetch(&me, json!({})).await?;
    assert_eq!(answer["status"], 200, "{answer}");
    let delete = json!({ "method": "DELETE" });
    let answer = browser.fetch(&format!("{api}/devices"), delete).await?;
    assert_eq!(answer["status"], 204, "{answer}");
    let token = browser
        .fetch(&format!("{api}/csrf_token"), json!({}))
        .await?;
    let token = json!({ "X-CSRF-Token": token["body"]["csrf_token"] });
    let sign_out = json!({ "method": "POST", "headers": token });
    let answer = browser.fetch(&format!("{api}/signout"), sign_out).await?;
    assert_eq!(answer["status"], 204, "{answer}");
    assert_eq!(browser.fetch(&me, json!({})).await?["status"], 401);
    Ok(())
}

/// Expects that the page can read nothing and changes nothing.
async fn call_nothing(browser: &Browser, api: &str) -> WebDriverResult<()> {
    let body = json!({ "email": EMAIL, "password": PASSWORD });
    let blind = json!({ "method": "POST", "mode": "no-cors", "body": body.to_string() });
    for (path, options) in [
        ("/me", json!({})),
        ("/openapi.json", json!({})),
        ("/signin", post(&body)),
        ("/signin", blind),
        ("/devices", json!({ "method": "DELETE" })),
        ("/signout", json!({ "method": "POST" })),
    ] {
        let answer = browser.fetch(&format!("{api}{path}"), options).await?;
        let error = answer["error"].as_str().unwrap_or_default();
        assert!(error.contains("Failed to fetch"), "{path}: {answer}");
    }
    browser.open("/home").await?;
    browser.arrive("/login?next=%2Fhome").await
}

fn post(body: &Value) -> Value {
    let headers = json!({ "Content-Type": "application/json" });
    json!({ "method": "POST", "headers": headers, "body": body.to_string() })
}
