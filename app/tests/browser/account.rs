//! Walks through the pages of the user's account.

use thirtyfour::prelude::*;

use crate::artefacts;
use crate::chromium::{Browser, with_browser};
use testing::accounts::{EMAIL, PASSWORD, age, is_signed_in, register, sign_in};
use testing::application::Application;
use testing::database::{self, TestDatabase};
use testing::sql;

const NEW_PASSWORD: &str = "staple battery horse";

/// Registers Ada, and signs her in with Firefox and on her telephone.
#[test]
#[ignore = "needs Chromium and its driver: run ./test.sh"]
fn walk_through_the_account() {
    let database = database::sqlite();
    let application = Application::start(&database);
    let firefox = application.visitor_from(
        "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:145.0) Gecko/20100101 Firefox/145.0",
    );
    let telephone = application.visitor_from(
        "Mozilla/5.0 (iPhone; CPU iPhone OS 18_6 like Mac OS X) AppleWebKit/605.1.15 \
         (KHTML, like Gecko) Version/26.0 Mobile/15E148 Safari/604.1",
    );
    register(&firefox, EMAIL, &[]);
    sign_in(&telephone, EMAIL, PASSWORD);
    let artefacts = artefacts().join("account");
    let database = &database;
    with_browser(&application.base, &artefacts, |browser| async move {
        stay_signed_in(&browser).await?;
        change_the_location(&browser).await?;
        sign_out_the_telephone(&browser, database).await?;
        change_the_password(&browser, database).await?;
        sign_in_with_the_new_password(&browser).await
    });
    assert!(!is_signed_in(&telephone) && !is_signed_in(&firefox));
}

async fn stay_signed_in(browser: &Browser) -> WebDriverResult<()> {
    browser.open("/login").await?;
    browser.click("label[for='remember']").await?;
    assert_eq!(browser.focus().await?, "remember");
    browser.photograph("1-remember").await?;
    browser.click("#email").await?;
    browser.fill_in(&[EMAIL, PASSWORD]).await?;
    browser.arrive("/home").await?;
    let days = browser.days_left("id").await?;
    assert_eq!(days, Some(30));
    Ok(())
}

async fn change_the_location(browser: &Browser) -> WebDriverResult<()> {
    browser.click("nav a[href='/account']").await?;
    browser.arrive("/account").await?;
    browser.photograph("2-account").await?;
    browser.click("#location").await?;
    browser.fill_in(&["Łódź"]).await?;
    browser.arrive("/account").await?;
    assert!(browser.text(".notice").await?.contains("location is saved"));
    assert_eq!(browser.value("#location").await?, "Łódź");
    Ok(())
}

/// Lets 15 minutes pass since all sign-ins.
fn wait(database: &TestDatabase) {
    age(database, 15);
    let earlier = "UPDATE sessions SET seen_at = seen_at - 900000";
    sql::execute(database, earlier);
}

async fn sign_out_the_telephone(browser: &Browser, database: &TestDatabase) -> WebDriverResult<()> {
    wait(database);
    browser.click("a[href='/account/devices']").await?;
    browser.arrive("/account/devices").await?;
    let page = browser.text("main").await?;
    for words in [
        "Chrome on Linux",
        "This device",
        "Firefox on Windows",
        "Signed in 15 minutes ago",
        "In use now",
    ] {
        assert!(page.contains(words), "{words} in {page}");
    }
    browser.photograph("3-devices").await?;

    let telephone = "//li[contains(., 'Safari on iPhone')]//button";
    browser.click_on(telephone).await?;
    browser
        .arrive("/account/confirm?next=%2Faccount%2Fdevices")
        .await?;
    assert_eq!(browser.focus().await?, "password");
    browser.photograph("4-confirm").await?;
    browser.fill_in(&["not the right one"]).await?;
    browser.arrive("/account/confirm").await?;
    assert!(
        browser
            .text("#password-error")
            .await?
            .contains("not your current password")
    );
    assert_eq!(browser.focus().await?, "password");
    browser.photograph("5-not-confirmed").await?;
    browser.fill_in(&[PASSWORD]).await?;
    browser.arrive("/account/devices").await?;
    assert!(browser.text(".notice").await?.contains("You can continue."));
    assert_eq!(browser.days_left("id").await?, Some(30));

    browser.click_on(telephone).await?;
    browser
        .shows(".notice", "That device is signed out.")
        .await?;
    assert!(!browser.text("main").await?.contains("iPhone"));
    browser.photograph("6-signed-out-there").await?;
    browser
        .click("form[action='/account/devices/end_others'] button")
        .await?;
    browser
        .shows(".notice", "All other devices are signed out.")
        .await?;
    assert!(!browser.text("main").await?.contains("Firefox"));
    browser.photograph("7-alone").await
}

async fn change_the_password(browser: &Browser, database: &TestDatabase) -> WebDriverResult<()> {
    wait(database);
    browser.click("nav a[href='/account']").await?;
    browser.arrive("/account").await?;
    browser.click("a[href='/account/password']").await?;
    browser
        .arrive("/account/confirm?next=%2Faccount%2Fpassword")
        .await?;
    browser.fill_in(&[PASSWORD]).await?;
    browser.arrive("/account/password").await?;
    assert_eq!(browser.focus().await?, "current");
    browser.photograph("8-password").await?;

    browser
        .fill_in(&["not the right one", NEW_PASSWORD])
        .await?;
    browser
        .shows("#current-error", "not your current password")
        .await?;
    assert_eq!(browser.focus().await?, "current");
    browser.photograph("9-wrong-password").await?;
    browser.fill_in(&[PASSWORD, PASSWORD]).await?;
    browser
        .shows("#new-error", "Please choose another one.")
        .await?;
    assert_eq!(browser.focus().await?, "new");
    assert_eq!(browser.value("#new").await?, "");
    browser.photograph("10-same-password").await?;

    browser.click("#current").await?;
    browser.fill_in(&[PASSWORD, NEW_PASSWORD]).await?;
    browser.arrive("/account").await?;
    assert!(
        browser
            .text(".notice")
            .await?
            .contains("Your password is changed.")
    );
    browser.photograph("11-changed").await
}

async fn sign_in_with_the_new_password(browser: &Browser) -> WebDriverResult<()> {
    browser.click("form[action='/logout'] button").await?;
    browser.arrive("/login?signed_out").await?;
    browser.fill_in(&[EMAIL, PASSWORD]).await?;
    browser.shows(".notice.error", "password is wrong").await?;
    browser.fill_in(&[NEW_PASSWORD]).await?;
    browser.arrive("/home").await?;
    assert_eq!(browser.days_left("id").await?, None);
    Ok(())
}
