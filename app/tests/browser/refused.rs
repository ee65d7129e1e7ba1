//! Sends forms that are older than the session, in two tabs of one browser.

use rocket::serde::json::json;
use thirtyfour::prelude::*;

use crate::artefacts;
use crate::chromium::{Browser, with_browser, with_browser_that};
use testing::accounts::{EMAIL, PASSWORD, register};
use testing::application::Application;
use testing::database;
use testing::sql;

const EXPIRED: &str = "This form has expired";
const SIGNED_OUT: &str = "You are no longer signed in";

const SMALL_TELEPHONE: (u32, u32) = (360, 600);

/// A browser that restores its tabs loads both before either has a cookie.
async fn open_in_two_tabs(browser: &Browser, page: &str) -> WebDriverResult<()> {
    browser.open(page).await?;
    browser.driver.delete_all_cookies().await?;
    browser.new_tab().await?;
    browser.open(page).await?;
    browser.focus().await?;
    browser.look_at_tab(0).await
}

#[test]
#[ignore = "needs Chromium and its driver: run ./test.sh"]
fn the_first_of_two_restored_tabs_keeps_what_was_typed() {
    let database = database::sqlite();
    let application = Application::start(&database);
    let artefacts = artefacts().join("two-tabs");
    with_browser(&application.base, &artefacts, |browser| async move {
        browser.set_size(SMALL_TELEPHONE).await?;
        open_in_two_tabs(&browser, "/register?next=/account").await?;
        let typed = ["Ada", "Love\"lace", EMAIL, PASSWORD];
        browser.fill_in(&typed).await?;
        browser.shows(".notice.error", EXPIRED).await?;
        browser.shows_in_view(".notice.error").await?;
        for (field, text) in ["#first_name", "#last_name", "#email"].iter().zip(typed) {
            assert_eq!(browser.value(field).await?, text);
        }
        goes_on_with_the_password(&browser, "1-register").await?;

        browser.click("form[action='/logout'] button").await?;
        browser.arrive("/login?signed_out").await?;
        browser.look_at_tab(1).await?;
        browser.driver.close_window().await?;
        browser.look_at_tab(0).await?;
        open_in_two_tabs(&browser, "/login?next=/account").await?;
        browser.fill_in(&[EMAIL, PASSWORD]).await?;
        browser.shows(".notice.error", EXPIRED).await?;
        assert_eq!(browser.value("#email").await?, EMAIL);
        goes_on_with_the_password(&browser, "2-login").await?;

        browser.look_at_tab(1).await?;
        browser.fill_in(&["eve@example.org", PASSWORD]).await?;
        browser.arrive("/account").await?;
        let known = "You are signed in already, as ada@example.org.";
        browser.shows(".notice.info", known).await?;
        browser.photograph("3-signed-in-already").await
    });
}

async fn goes_on_with_the_password(browser: &Browser, name: &str) -> WebDriverResult<()> {
    assert_eq!(browser.value("#password").await?, "");
    browser.photograph(name).await?;
    browser.click("#password").await?;
    browser.fill_in(&[PASSWORD]).await?;
    browser.arrive("/account").await
}

#[test]
#[ignore = "needs Chromium and its driver: run ./test.sh"]
fn a_form_sent_after_a_sign_out_in_another_tab_says_why_and_keeps_its_text() {
    let database = database::sqlite();
    let application = Application::start(&database);
    register(&application.visitor(), EMAIL, &[]);
    let artefacts = artefacts().join("signed-out");
    with_browser(&application.base, &artefacts, |browser| async move {
        browser.new_tab().await?;
        for (form, wrong, values) in [
            (
                "/account/location",
                json!({ "location": "x".repeat(129) }),
                json!({ "location": "Łódź" }),
            ),
            (
                "/account/password",
                json!({}),
                json!({ "current": PASSWORD, "new": "staple battery horse" }),
            ),
        ] {
            let page = form.strip_suffix("/location").unwrap_or(form);
            sign_in_and_open(&browser, page).await?;
            // The browser now shows the address that the form was sent to.
            browser.send(form, wrong).await?;
            browser.shows(".field .error", "Please").await?;
            browser.look_at_tab(0).await?;
            browser.open("/home").await?;
            browser.click("form[action='/logout'] button").await?;
            browser.arrive("/login?signed_out").await?;
            browser.look_at_tab(1).await?;
            browser.send(form, values).await?;
            asks_for_a_sign_in(&browser, page).await?;
        }
        // A second press on another tab's button signs out as well.
        browser.look_at_tab(0).await?;
        browser.open("/home").await?;
        browser.look_at_tab(1).await?;
        for tab in [1, 0] {
            browser.look_at_tab(tab).await?;
            browser.send("/logout", json!({})).await?;
            browser.arrive("/login?signed_out").await?;
        }
        Ok(())
    });
}

#[test]
#[ignore = "needs Chromium and its driver: run ./test.sh"]
fn a_form_that_outlived_its_session_says_why_and_keeps_its_text() {
    let database = database::sqlite();
    let application = Application::start(&database);
    register(&application.visitor(), EMAIL, &[]);
    let artefacts = artefacts().join("outlived");
    let database = &database;
    with_browser(&application.base, &artefacts, |browser| async move {
        for (form, values) in [
            ("/account/location", json!({ "location": "Łódź" })),
            (
                "/account/password",
                json!({ "current": PASSWORD, "new": "staple battery horse" }),
            ),
        ] {
            let page = form.strip_suffix("/location").unwrap_or(form);
            sign_in_and_open(&browser, page).await?;
            sql::execute(database, "DELETE FROM sessions");
            browser.send(form, values).await?;
            asks_for_a_sign_in(&browser, page).await?;
            browser.driver.delete_all_cookies().await?;
        }
        Ok(())
    });
}

async fn sign_in_and_open(browser: &Browser, page: &str) -> WebDriverResult<()> {
    browser.open("/login").await?;
    if browser.place().await? == "/login" {
        browser.fill_in(&[EMAIL, PASSWORD]).await?;
        browser.arrive("/home").await?;
    }
    browser.open(page).await
}

/// Expects a reason, the typed location, and a way back to the page of the form.
async fn asks_for_a_sign_in(browser: &Browser, page: &str) -> WebDriverResult<()> {
    browser.shows(".notice.error", SIGNED_OUT).await?;
    browser.shows("h1", "Sign in").await?;
    assert!(!browser.source().await?.contains("staple"));
    browser.photograph(&page.replace('/', "-")).await?;
    if page == "/account" {
        assert_eq!(browser.value("#location").await?, "Łódź");
    }
    browser.click("#email").await?;
    browser.fill_in(&[EMAIL, PASSWORD]).await?;
    browser.arrive(page).await?;
    // The address alone proves nothing, since a form and its page can have the same one.
    browser.shows("form[action='/logout']", "Sign out").await?;
    if page == "/account" {
        browser.shows(".notice.error", "not saved yet").await?;
        assert_eq!(browser.value("#location").await?, "Łódź");
        browser.photograph("not-saved-yet").await?;
        browser.click(".place button").await?;
        browser.shows(".notice.success", "is saved").await?;
    }
    Ok(())
}

/// Browsers store no Secure cookie over http, except for localhost.
#[test]
#[ignore = "needs Chromium and its driver: run ./test.sh"]
fn a_page_over_plain_http_says_that_it_needs_https() {
    let database = database::sqlite();
    let application = Application::start_with(&database, &[("ROCKET_PROFILE", "prod")]);
    let site = application.base.replace("127.0.0.1", "shop.example");
    let artefacts = artefacts().join("plain-http");
    with_browser_that(
        &site,
        &artefacts,
        |browser| browser.add_arg("--host-resolver-rules=MAP shop.example 127.0.0.1"),
        |browser| async move {
            for page in ["/login", "/register"] {
                browser.open(page).await?;
                browser
                    .send(page, json!({ "email": EMAIL, "password": PASSWORD }))
                    .await?;
                browser
                    .shows(".lead", "does not accept its Secure cookie")
                    .await?;
                browser.shows("h1", "This page needs https").await?;
                assert_eq!(browser.text(".actions").await?, "Go to the start page");
                assert!(browser.driver.get_all_cookies().await?.is_empty());
            }
            browser.photograph("1-needs-https").await
        },
    );
}
