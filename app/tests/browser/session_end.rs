//! Pages that stay open while their session ends elsewhere.

use rocket::tokio::task::spawn_blocking;
use rocket::tokio::time::{Duration, Instant, sleep};
use thirtyfour::prelude::*;

use crate::artefacts;
use crate::chromium::{Browser, with_browser};
use testing::accounts::{EMAIL, PASSWORD, age, register};
use testing::application::Application;
use testing::database::{self, TestDatabase};

const NOTICE: &str = "#session-end";
const EVE: &str = "eve@example.org";

#[test]
#[ignore = "needs Chromium and its driver: run ./test.sh"]
fn an_open_page_says_without_a_reload_that_its_session_has_ended() {
    let database = database::sqlite();
    let application = Application::start(&database);
    register(&application.visitor(), EMAIL, &[]);
    let artefacts = artefacts().join("session-end");
    let database = &database;
    with_browser(&application.base, &artefacts, |browser| async move {
        browser.open("/messages").await?;
        browser.fill_in(&[EMAIL, PASSWORD]).await?;
        browser.new_window().await?;
        sign_out_in_another_window(&browser).await?;
        confirm_the_password_in_another_window(&browser, database).await?;
        end_this_device_on_another(&browser).await
    });
}

async fn sign_out_in_another_window(browser: &Browser) -> WebDriverResult<()> {
    look_at_connected_page(browser).await?;
    browser.look_at_tab(1).await?;
    browser.open("/home").await?;
    browser.click("form[action='/logout'] button").await?;
    browser.arrive("/login?signed_out").await?;

    browser.look_at_tab(0).await?;
    let reason = "You signed out in this browser.";
    browser.shows(NOTICE, reason).await?;
    assert!(is_the_same_page(browser).await?);
    assert_eq!(browser.place().await?, "/messages");
    let page = browser.text("body").await?;
    assert!(
        !page.contains("Hello Ada") && !page.contains("Account"),
        "{page}"
    );
    browser.photograph("1-signed-out").await?;
    browser.click(&format!("{NOTICE} a")).await?;
    browser.arrive("/login?next=%2Fmessages").await?;
    browser.fill_in(&[EMAIL, PASSWORD]).await
}

/// The confirmation replaces the token that all windows share.
async fn confirm_the_password_in_another_window(
    browser: &Browser,
    database: &TestDatabase,
) -> WebDriverResult<()> {
    look_at_connected_page(browser).await?;
    age(database, 15);
    browser.look_at_tab(1).await?;
    browser.open("/account/password").await?;
    let confirm = "/account/confirm?next=%2Faccount%2Fpassword";
    browser.arrive(confirm).await?;
    browser.fill_in(&[PASSWORD]).await?;
    browser.arrive("/account/password").await?;

    browser.look_at_tab(0).await?;
    until(browser, "return connections > 1").await?;
    let notices = browser.driver.execute("return notices", vec![]).await?;
    assert_eq!(notices.convert::<u32>()?, 0);
    assert!(is_the_same_page(browser).await?);
    assert!(!browser.find(NOTICE).await?.is_displayed().await?);
    assert!(browser.text("main").await?.contains("Hello Ada"));
    Ok(())
}

async fn end_this_device_on_another(browser: &Browser) -> WebDriverResult<()> {
    let (site, artefacts) = (browser.site.clone(), browser.artefacts.clone());
    let walk = move || with_browser(&site, &artefacts, sign_out_the_other_device);
    spawn_blocking(walk).await.unwrap();
    let reason = "You signed this device out from another one";
    browser.shows(NOTICE, reason).await?;
    assert!(is_the_same_page(browser).await?);
    browser.photograph("2-signed-out-elsewhere").await
}

async fn sign_out_the_other_device(browser: Browser) -> WebDriverResult<()> {
    browser.open("/account/devices").await?;
    browser.fill_in(&[EMAIL, PASSWORD]).await?;
    browser.arrive("/account/devices").await?;
    let other = "//li[contains(., 'Chrome') and not(contains(., 'This device'))]//button";
    browser.click_on(other).await?;
    browser.shows(".notice", "That device is signed out.").await
}

#[test]
#[ignore = "needs Chromium and its driver: run ./test.sh"]
fn a_hidden_page_has_no_stream_and_looks_at_its_session_when_it_is_shown() {
    let database = database::sqlite();
    let application = Application::start(&database);
    for email in [EMAIL, EVE] {
        register(&application.visitor(), email, &[]);
    }
    let artefacts = artefacts().join("session-end-hidden");
    with_browser(&application.base, &artefacts, |browser| async move {
        browser.open("/account").await?;
        browser.fill_in(&[EMAIL, PASSWORD]).await?;
        browser.arrive("/account").await?;
        browser.find("#location").await?.send_keys("Łódź").await?;
        look_at_connected_page(&browser).await?;
        let watch = "window.states = [];
            document.addEventListener('visibilitychange',
                () => states.push(`${document.hidden} ${stream.readyState}`))";
        browser.driver.execute(watch, vec![]).await?;
        browser.new_tab().await?;
        sign_in_as(&browser, EVE).await?;

        show_tab(&browser, 0).await?;
        until(&browser, "return states.length === 2").await?;
        let states = browser.driver.execute("return states", vec![]).await?;
        let [closed, connecting] = states.convert::<[String; 2]>()?;
        assert_eq!((&*closed, &*connecting), ("true 2", "false 0"));
        let reason = "This browser is signed in as eve@example.org now.";
        browser.shows(NOTICE, reason).await?;
        browser.photograph("1-another-user").await?;
        // To keep what was typed.
        let target = browser.find("#session-end a").await?.attr("target").await?;
        assert_eq!(target.as_deref(), Some("_blank"));

        show_tab(&browser, 1).await?;
        sign_in_as(&browser, EMAIL).await?;
        show_tab(&browser, 0).await?;
        let is_back = "return document.querySelector('#session-end').hidden";
        until(&browser, is_back).await?;
        assert_eq!(browser.value("#location").await?, "Łódź");

        show_tab(&browser, 1).await?;
        browser.click("form[action='/logout'] button").await?;
        browser.arrive("/login?signed_out").await?;
        show_tab(&browser, 0).await?;
        browser.shows(NOTICE, "Your session has ended.").await?;
        assert!(is_the_same_page(&browser).await?);
        Ok(())
    });
}

/// Signs in with another account.
async fn sign_in_as(browser: &Browser, email: &str) -> WebDriverResult<()> {
    browser.open("/home").await?;
    browser.click("form[action='/logout'] button").await?;
    browser.arrive("/login?signed_out").await?;
    browser.fill_in(&[email, PASSWORD]).await?;
    browser.arrive("/home").await
}

/// Looks at the first window once its stream is open. Counts its connections and notices from then on.
async fn look_at_connected_page(browser: &Browser) -> WebDriverResult<()> {
    browser.look_at_tab(0).await?;
    until(browser, "return stream.readyState === EventSource.OPEN").await?;
    let count = "window.connections = 1;
        stream.addEventListener('user', () => { connections += 1; });
        window.notices = 0;
        new MutationObserver(() => { notices += !ended.hidden; }).observe(ended, { attributes: true });";
    browser.driver.execute(count, vec![]).await.map(drop)
}

/// Returns `false` after a reload.
async fn is_the_same_page(browser: &Browser) -> WebDriverResult<bool> {
    let script = "return 'connections' in window";
    browser.driver.execute(script, vec![]).await?.convert()
}

async fn show_tab(browser: &Browser, number: usize) -> WebDriverResult<()> {
    browser.look_at_tab(number).await?;
    browser
        .devtools("Page.bringToFront", rocket::serde::json::json!({}))
        .await
}

/// Waits until a script returns `true`.
async fn until(browser: &Browser, script: &str) -> WebDriverResult<()> {
    let end = Instant::now() + Duration::from_secs(20);
    loop {
        let outcome = browser.driver.execute(script, vec![]).await;
        if outcome.is_ok_and(|outcome| outcome.convert::<bool>().unwrap_or(false)) {
            return Ok(());
        }
        assert!(Instant::now() < end, "not true: {script}");
        sleep(Duration::from_millis(50)).await;
    }
}
