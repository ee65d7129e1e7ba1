//! Walks through the application in a browser without scripts.

use rocket::serde::json::json;
use thirtyfour::prelude::*;

use crate::artefacts;
use crate::chromium::{Browser, with_browser_that};
use testing::accounts::{EMAIL, PASSWORD};
use testing::application::Application;
use testing::database;

const NEW_PASSWORD: &str = "staple battery horse";

#[test]
#[ignore = "needs Chromium and its driver: run ./test.sh"]
fn every_form_works_without_scripts() {
    let database = database::sqlite();
    let application = Application::start(&database);
    let artefacts = artefacts().join("no-scripts");
    let no_scripts = json!({ "profile.managed_default_content_settings.javascript": 2 });
    with_browser_that(
        &application.base,
        &artefacts,
        |browser| browser.add_experimental_option("prefs", no_scripts),
        |browser| async move {
            browser
                .visit("data:text/html,<p>off<script>document.write('on')</script>")
                .await?;
            assert_eq!(browser.text("body").await?, "off");
            register(&browser).await?;
            end_another_device(&browser).await?;
            change_the_password(&browser).await?;
            send_a_refused_form_again(&browser).await
        },
    );
}

async fn register(browser: &Browser) -> WebDriverResult<()> {
    browser.open("/home").await?;
    browser.arrive("/login?next=%2Fhome").await?;
    browser.click(".aside a").await?;
    type_into(
        browser,
        &[
            ("first_name", "Ada"),
            ("last_name", "Lovelace"),
            ("email", EMAIL),
            ("password", PASSWORD),
        ],
    )
    .await?;
    browser.arrive("/home").await?;
    assert!(browser.text("#time-left").await?.starts_with("1 h 59 min"));
    Ok(())
}

/// Fills in these fields of a form, and sends it by Enter.
async fn type_into(browser: &Browser, fields: &[(&str, &str)]) -> WebDriverResult<()> {
    for (name, text) in fields {
        let field = browser.find(&format!("[name='{name}']")).await?;
        field.send_keys(*text).await?;
    }
    let (last, _) = fields.last().unwrap();
    browser
        .find(&format!("[name='{last}']"))
        .await?
        .send_keys(Key::Enter + "")
        .await
}

/// The browser lost the cookie of its first sign-in, so that session is another device.
async fn end_another_device(browser: &Browser) -> WebDriverResult<()> {
    browser.driver.delete_all_cookies().await?;
    browser.open("/account/devices").await?;
    type_into(browser, &[("email", EMAIL), ("password", PASSWORD)]).await?;
    browser.arrive("/account/devices").await?;
    browser.click(".device button").await?;
    browser
        .shows(".notice", "That device is signed out.")
        .await?;
    browser.shows(".lead", "on this device only").await
}

async fn change_the_password(browser: &Browser) -> WebDriverResult<()> {
    browser.open("/account/password").await?;
    type_into(browser, &[("current", PASSWORD), ("new", NEW_PASSWORD)]).await?;
    browser.arrive("/account").await?;
    browser
        .shows(".notice", "Your password is changed.")
        .await?;
    browser.click("form[action='/logout'] button").await?;
    browser.arrive("/login?signed_out").await
}

async fn send_a_refused_form_again(browser: &Browser) -> WebDriverResult<()> {
    browser.driver.delete_all_cookies().await?;
    type_into(browser, &[("email", EMAIL), ("password", NEW_PASSWORD)]).await?;
    browser
        .shows(".notice.error", "send the form again")
        .await?;
    assert_eq!(
        browser
            .find("#email")
            .await?
            .attr("value")
            .await?
            .as_deref(),
        Some(EMAIL)
    );
    type_into(browser, &[("password", NEW_PASSWORD)]).await?;
    browser.arrive("/home").await
}
