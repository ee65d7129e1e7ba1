//! Walks through the application in Chromium, as a person would.

#![allow(
    clippy::expect_used,
    clippy::unwrap_used,
    reason = "a test panics where it fails"
)]

mod account;
mod api;
mod chromium;
mod look;
mod no_scripts;
mod refused;
mod session_end;
mod states;

use std::env;
use std::path::PathBuf;
use std::time::Duration;

use rocket::tokio::time::{Instant, sleep};
use thirtyfour::prelude::*;

use chromium::{Browser, with_browser};
use testing::accounts::{EMAIL, PASSWORD};
use testing::application::Application;
use testing::database::{self, TestDatabase};

#[test]
#[ignore = "needs Chromium and its driver: run ./test.sh"]
fn walk_on_sqlite() {
    walk(&database::sqlite(), "sqlite", "dev", "id");
}

#[test]
#[ignore = "needs Chromium and its driver: run ./test.sh"]
fn walk_on_mariadb() {
    walk(&database::mariadb(), "mariadb", "dev", "id");
}

#[test]
#[ignore = "needs Chromium and its driver: run ./test.sh"]
fn walk_in_the_profile_prod() {
    walk(&database::sqlite(), "prod", "prod", "__Host-id");
}

fn walk(database: &TestDatabase, name: &str, profile: &str, cookie: &str) {
    let application = Application::start_with(database, &[("ROCKET_PROFILE", profile)]);
    let artefacts = artefacts().join(name);
    with_browser(&application.base, &artefacts, |browser| async move {
        register_from_a_guarded_page(&browser).await?;
        see_the_session(&browser, cookie).await?;
        sign_out_for_good(&browser).await?;
        sign_in_at_the_second_attempt(&browser).await
    });
}

fn artefacts() -> PathBuf {
    let default = || env::temp_dir().join("rocket_diesel_session-artefacts");
    env::var_os("TEST_ARTEFACTS").map_or_else(default, PathBuf::from)
}

async fn register_from_a_guarded_page(browser: &Browser) -> WebDriverResult<()> {
    browser.open("/").await?;
    browser.photograph("1-index").await?;
    browser.open("/messages").await?;
    browser.arrive("/login?next=%2Fmessages").await?;
    assert_eq!(browser.focus().await?, "email");
    browser.photograph("2-login").await?;

    browser.click(".aside a").await?;
    browser.arrive("/register?next=/messages").await?;
    assert_eq!(browser.focus().await?, "first_name");
    browser.photograph("3-register").await?;
    browser
        .fill_in(&["Ada", "Lovelace", EMAIL, PASSWORD])
        .await?;
    browser.arrive("/messages").await?;
    assert!(browser.text(".notice").await?.contains("Welcome"));
    assert!(browser.text("main").await?.contains("Hello Ada"));
    browser.photograph("4-messages").await
}

async fn see_the_session(browser: &Browser, cookie: &str) -> WebDriverResult<()> {
    browser.click("nav a[href='/home']").await?;
    browser.arrive("/home").await?;
    assert_eq!(browser.text("#name").await?, "Ada Lovelace");
    assert_eq!(browser.text("#email").await?, EMAIL);
    let id = browser.text("#session-id").await?;
    assert!(
        id.len() == 8 && id.chars().all(|c| c.is_ascii_hexdigit()),
        "{id}"
    );
    counts_down(browser).await?;
    browser.photograph("5-home").await?;

    let found = browser.cookie(cookie).await?;
    assert_eq!(found.secure, Some(cookie.starts_with("__Host-")));
    assert_eq!(browser.cookies_of_scripts().await?, "");
    Ok(())
}

async fn counts_down(browser: &Browser) -> WebDriverResult<()> {
    let first = browser.text("#time-left").await?;
    assert!(first.starts_with("1"), "{first}");
    let before = seconds_left(browser).await?;
    let end = Instant::now() + Duration::from_secs(10);
    while browser.text("#time-left").await? == first || seconds_left(browser).await? >= before {
        assert!(Instant::now() < end, "stands still at {first}");
        sleep(Duration::from_millis(100)).await;
    }
    Ok(())
}

async fn seconds_left(browser: &Browser) -> WebDriverResult<u32> {
    let period = browser.find("#time-left").await?.attr("datetime").await?;
    let period = period.unwrap();
    let seconds = period
        .strip_prefix("PT")
        .and_then(|text| text.strip_suffix('S'));
    Ok(seconds.unwrap().parse().unwrap())
}

async fn sign_out_for_good(browser: &Browser) -> WebDriverResult<()> {
    browser.click("form[action='/logout'] button").await?;
    browser.arrive("/login?signed_out").await?;
    assert!(browser.text(".notice").await?.contains("signed out"));
    browser.photograph("6-signed-out").await?;

    browser.open("/messages").await?;
    browser.arrive("/login?next=%2Fmessages").await?;
    // Back through sign-in page, home and messages to the registration.
    for _ in 0..4 {
        browser.back().await?;
        let source = browser.source().await?;
        for private in ["Ada", EMAIL, "session-id", "Sign out"] {
            assert!(!source.contains(private), "{private} in {source}");
        }
    }
    Ok(())
}

async fn sign_in_at_the_second_attempt(browser: &Browser) -> WebDriverResult<()> {
    browser.open("/messages").await?;
    browser.fill_in(&[EMAIL, "not the right one"]).await?;
    browser.arrive("/login").await?;
    assert!(
        browser
            .text(".notice.error")
            .await?
            .contains("password is wrong")
    );
    assert_eq!(browser.value("#email").await?, EMAIL);
    assert_eq!(browser.value("#password").await?, "");
    assert_eq!(browser.focus().await?, "password");
    browser.photograph("7-refused").await?;

    browser.fill_in(&[PASSWORD]).await?;
    browser.arrive("/messages").await?;
    assert!(browser.text("main").await?.contains("Hello Ada"));
    browser.open("/nowhere").await?;
    browser.photograph("8-not-found").await
}
