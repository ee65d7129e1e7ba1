//! Audits the states of pages that the walk does not reach.

use std::fs;

use rocket::serde::json::json;
use thirtyfour::prelude::*;

use crate::api::other_origin;
use crate::artefacts;
use crate::chromium::{Browser, with_browser, with_browser_that};
use testing::accounts::{EMAIL, PASSWORD, register};
use testing::application::Application;
use testing::database;

#[test]
#[ignore = "needs Chromium and its driver: run ./test.sh"]
fn forms_with_errors_say_what_to_change() {
    let database = database::sqlite();
    let application = Application::start(&database);
    register(&application.visitor(), EMAIL, &[]);
    let artefacts = artefacts().join("errors");
    with_browser(&application.base, &artefacts, |browser| async move {
        browser.open("/login").await?;
        browser.send("/login", json!({})).await?;
        browser.shows("#email-error", "fill this in").await?;
        browser.photograph("1-empty-sign-in").await?;
        browser.open("/register").await?;
        browser.send("/register", json!({})).await?;
        browser.shows("#password-error", "fill this in").await?;
        assert_eq!(browser.focus().await?, "first_name");
        browser.photograph("2-empty-registration").await?;
        let taken = json!({ "first_name": "Ada", "last_name": "x".repeat(64), "email": EMAIL,
            "password": "staple battery horse" });
        browser.send("/register", taken).await?;
        browser.shows("#email-error", "already exists").await?;
        assert_eq!(browser.focus().await?, "email");
        browser.photograph("3-taken").await?;

        sign_in(&browser).await?;
        browser.open("/").await?;
        browser.photograph("4-index-of-a-user").await?;
        browser.open("/account").await?;
        let long = json!({ "location": "x".repeat(129) });
        browser.send("/account/location", long).await?;
        browser.shows("#location-error", "at most 128").await?;
        browser.photograph("5-long-location").await?;
        browser.open("/account/password").await?;
        browser.send("/account/password", json!({})).await?;
        browser.shows("#new-error", "fill this in").await?;
        browser.photograph("6-empty-passwords").await
    });
}

async fn sign_in(browser: &Browser) -> WebDriverResult<()> {
    browser.open("/login").await?;
    browser.fill_in(&[EMAIL, PASSWORD]).await?;
    browser.arrive("/home").await
}

#[test]
#[ignore = "needs Chromium and its driver: run ./test.sh"]
fn error_pages_say_what_happened_and_offer_a_next_step() {
    let database = database::sqlite();
    let few = [("ROCKET_ACCOUNTS", "{attempts_per_account=1}")];
    let application = Application::start_with(&database, &few);
    register(&application.visitor(), EMAIL, &[]);
    let file = database.url.strip_prefix("sqlite:").unwrap().to_owned();
    let artefacts = artefacts().join("error-pages");
    let base = &application.base;
    with_browser(base, &artefacts, |browser| async move {
        browser.open("/nowhere").await?;
        browser.shows(".status", "404").await?;
        browser.photograph("1-not-found").await?;
        for _ in 0..2 {
            browser.open("/login").await?;
            let wrong = json!({ "email": EMAIL, "password": "not the right one" });
            browser.send("/login", wrong).await?;
            browser.shows(".notice.error", "").await?;
        }
        browser.shows(".notice.error", "too many attempts").await?;
        browser.photograph("2-too-many-attempts").await?;
        browser.visit(&other_origin()).await?;
        let forge = format!(
            "const form = document.body.appendChild(document.createElement('form'));
            form.method = 'post'; form.action = '{base}/login'; form.submit();"
        );
        browser.driver.execute(forge, vec![]).await?;
        browser.shows(".status", "403").await?;
        browser.photograph("3-other-site").await?;

        browser.open("/register").await?;
        let another = json!({ "first_name": "Eve", "last_name": "Lovelace",
            "email": "eve@example.org", "password": PASSWORD });
        browser.send("/register", another).await?;
        browser.arrive("/home").await?;
        browser.open("/nowhere").await?;
        browser.photograph("4-not-found-for-a-user").await?;
        for (number, value, status) in [
            (5, json!(null), "422"),
            (6, json!("x".repeat(100_000)), "413"),
        ] {
            browser.open("/account").await?;
            let values = json!({ "location": value });
            browser.send("/account/location", values).await?;
            browser.shows(".status", status).await?;
            browser.photograph(&format!("{number}-{status}")).await?;
            browser.click(".actions .button").await?;
            browser.arrive("/account").await?;
        }
        let gone = "document.querySelector(\"form[action='/logout']\")
            .setAttribute('action', '/account/devices/0/end')";
        browser.driver.execute(gone, vec![]).await?;
        browser.send("/account/devices/0/end", json!({})).await?;
        browser.shows("h1", "no longer there").await?;
        browser.photograph("7-gone").await?;
        browser.click(".actions .button").await?;
        browser.arrive("/account").await?;
        fs::remove_file(&file).unwrap();
        browser.open("/home").await?;
        browser.shows(".status", "503").await?;
        browser.photograph("8-store-away").await
    });
}

#[test]
#[ignore = "needs Chromium and its driver: run ./test.sh"]
fn a_browser_without_cookies_is_asked_to_allow_them() {
    let database = database::sqlite();
    let application = Application::start(&database);
    let artefacts = artefacts().join("no-cookies");
    let no_cookies = json!({ "profile.default_content_setting_values.cookies": 2 });
    with_browser_that(
        &application.base,
        &artefacts,
        |browser| browser.add_experimental_option("prefs", no_cookies),
        |browser| async move {
            browser.open("/login").await?;
            browser.fill_in(&[EMAIL, PASSWORD]).await?;
            browser.shows(".notice.error", "cookies").await?;
            assert_eq!(browser.value("#email").await?, EMAIL);
            browser.photograph("1-no-cookie").await
        },
    );
}
