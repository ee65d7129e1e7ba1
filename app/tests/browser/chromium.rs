//! Controls a Chromium with a temporary profile through its own chromedriver.

#![allow(unreachable_pub, reason = "a test is nobody's library")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use reqwest::Method;
use rocket::serde::json::{Value, json};
use rocket::tokio::time::{Instant, sleep};
use tempfile::TempDir;
use thirtyfour::common::command::FormatRequestData;
use thirtyfour::prelude::*;
use thirtyfour::{ChromeCapabilities, RequestData, SessionId};

use testing::secrets;
use testing::server::free_port;

const TIMEOUT: Duration = Duration::from_secs(20);
pub const WIDE: (u32, u32) = (1280, 800);

/// The driver process, which is killed at the end.
pub struct Driver {
    url: String,
    process: Child,
}

impl Driver {
    pub fn start() -> Self {
        let port = free_port();
        let process = Command::new("chromedriver")
            .arg(format!("--port={port}"))
            .stdout(Stdio::null())
            .spawn()
            .expect("chromedriver is installed by ./test.sh");
        let url = format!("http://127.0.0.1:{port}");
        let driver = Self { url, process };
        driver.wait_until_up();
        driver
    }

    fn wait_until_up(&self) {
        let end = std::time::Instant::now() + TIMEOUT;
        while reqwest::blocking::get(format!("{}/status", self.url)).is_err() {
            assert!(
                std::time::Instant::now() < end,
                "chromedriver did not come up"
            );
            std::thread::sleep(Duration::from_millis(50));
        }
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// One browser window on one site.
#[derive(Clone)]
pub struct Browser {
    pub driver: WebDriver,
    pub site: String,
    pub artefacts: PathBuf,
}

/// Opens a browser for `walk`, and closes it even if `walk` fails.
pub fn with_browser<F>(site: &str, artefacts: &Path, walk: impl FnOnce(Browser) -> F)
where
    F: Future<Output = WebDriverResult<()>>,
{
    with_browser_that(site, artefacts, |_| Ok(()), walk);
}

/// Opens a browser with further preferences.
pub fn with_browser_that<F>(
    site: &str,
    artefacts: &Path,
    configure: impl FnOnce(&mut ChromeCapabilities) -> WebDriverResult<()>,
    walk: impl FnOnce(Browser) -> F,
) where
    F: Future<Output = WebDriverResult<()>>,
{
    fs::create_dir_all(artefacts).unwrap();
    let chromedriver = Driver::start();
    let profile = tempfile::tempdir().unwrap();
    let runtime = rocket::tokio::runtime::Runtime::new().unwrap();
    let walked = runtime.block_on(async {
        let mut capabilities = capabilities(&profile)?;
        configure(&mut capabilities)?;
        let driver = WebDriver::new(&chromedriver.url, capabilities).await?;
        let walk = |driver| {
            walk(Browser {
                driver,
                site: site.to_owned(),
                artefacts: artefacts.to_owned(),
            })
        };
        driver.run_and_quit(walk).await.map_err(|error| {
            WebDriverError::FatalError(format!(
                "{error}: {}",
                fs::canonicalize(artefacts).unwrap().display()
            ))
        })
    });
    walked.unwrap();
}

fn capabilities(profile: &TempDir) -> WebDriverResult<ChromeCapabilities> {
    let mut capabilities = DesiredCapabilities::chrome();
    let (width, height) = WIDE;
    let arguments = [
        "--headless=new",
        "--no-sandbox",
        "--disable-gpu",
        "--disable-dev-shm-usage",
        "--no-first-run",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
        "--disable-quic",
        &format!("--window-size={width},{height}"),
        &format!("--user-data-dir={}", profile.path().display()),
    ];
    for argument in arguments {
        capabilities.add_arg(argument)?;
    }
    Ok(capabilities)
}

impl Browser {
    pub async fn open(&self, path: &str) -> WebDriverResult<()> {
        self.driver.goto(format!("{}{path}", self.site)).await
    }

    /// Opens a page of any origin.
    pub async fn visit(&self, url: &str) -> WebDriverResult<()> {
        self.driver.goto(url).await
    }

    /// Opens a second tab and switches to it.
    pub async fn new_tab(&self) -> WebDriverResult<()> {
        let tab = self.driver.new_tab().await?;
        self.driver.switch_to_window(tab).await
    }

    /// Opens a second window, beside the first.
    pub async fn new_window(&self) -> WebDriverResult<()> {
        self.driver.new_window().await.map(drop)
    }

    /// Switches to a tab; 0 is the first.
    pub async fn look_at_tab(&self, number: usize) -> WebDriverResult<()> {
        let tabs = self.driver.windows().await?;
        self.driver.switch_to_window(tabs[number].clone()).await
    }

    /// Submits a form with these values, without its checks; `null` removes a field.
    pub async fn send(&self, action: &str, values: Value) -> WebDriverResult<()> {
        let script = "const [action, values] = arguments;
            const form = document.querySelector(`form[action='${action}']`);
            form.noValidate = true;
            for (const [name, value] of Object.entries(values))
                value === null ? form.elements[name].remove() : (form.elements[name].value = value);
            form.querySelector('button').click();";
        let arguments = vec![json!(action), values];
        self.driver.execute(script, arguments).await.map(drop)
    }

    /// Calls an address from the page, with its cookies. Returns `status` and `body`, or
    /// `error`.
    pub async fn fetch(&self, url: &str, options: Value) -> WebDriverResult<Value> {
        let script = "const [url, options, done] = arguments;
            fetch(url, { credentials: 'include', ...options })
                .then(async (answer) => {
                    const body = await answer.json().catch(() => null);
                    done({ status: answer.status, body });
                })
                .catch((error) => done({ error: String(error) }));";
        let arguments = vec![json!(url), options];
        let answer: Value = self
            .driver
            .execute_async(script, arguments)
            .await?
            .convert()?;
        if let Some(token) = answer["body"]["csrf_token"].as_str() {
            secrets::note(token);
        }
        Ok(answer)
    }

    pub async fn back(&self) -> WebDriverResult<()> {
        self.driver.back().await
    }

    /// Returns path and query of the page.
    pub async fn place(&self) -> WebDriverResult<String> {
        let url = self.driver.current_url().await?;
        let place = url.as_str().strip_prefix(&self.site);
        Ok(place.unwrap_or(url.as_str()).to_owned())
    }

    /// Marks the page, since the next one may have the same address.
    async fn mark(&self) -> WebDriverResult<()> {
        let script = "window.isLeft = true";
        self.driver.execute(script, vec![]).await.map(drop)
    }

    async fn is_marked(&self) -> WebDriverResult<bool> {
        let script = "return window.isLeft === true";
        self.driver.execute(script, vec![]).await?.convert()
    }

    /// Waits for another page with this path and query.
    pub async fn arrive(&self, at: &str) -> WebDriverResult<()> {
        let end = Instant::now() + TIMEOUT;
        while self.place().await? != at || self.is_marked().await? {
            assert!(
                Instant::now() < end,
                "{} instead of {at}",
                self.place().await?
            );
            sleep(Duration::from_millis(50)).await;
        }
        Ok(())
    }

    pub async fn find(&self, css: &str) -> WebDriverResult<WebElement> {
        self.driver.find(By::Css(css)).await
    }

    pub async fn text(&self, css: &str) -> WebDriverResult<String> {
        self.find(css).await?.text().await
    }

    pub async fn click(&self, css: &str) -> WebDriverResult<()> {
        self.mark().await?;
        self.find(css).await?.click().await
    }

    pub async fn click_on(&self, xpath: &str) -> WebDriverResult<()> {
        self.mark().await?;
        self.driver.find(By::XPath(xpath)).await?.click().await
    }

    /// Waits until an element contains a text.
    pub async fn shows(&self, css: &str, words: &str) -> WebDriverResult<()> {
        let end = Instant::now() + TIMEOUT;
        while !self.text(css).await.is_ok_and(|text| text.contains(words)) {
            assert!(Instant::now() < end, "{css} does not say {words}");
            sleep(Duration::from_millis(50)).await;
        }
        Ok(())
    }

    /// Returns the value of a field.
    pub async fn value(&self, css: &str) -> WebDriverResult<String> {
        Ok(self
            .find(css)
            .await?
            .prop("value")
            .await?
            .unwrap_or_default())
    }

    /// Returns the id of the element with the focus. Waits for one, since a page sets the
    /// focus only when it is drawn.
    pub async fn focus(&self) -> WebDriverResult<String> {
        let end = Instant::now() + TIMEOUT;
        loop {
            let element = self.driver.active_element().await?;
            if let Some(id) = element.id().await? {
                return Ok(id);
            }
            assert!(Instant::now() < end, "nothing has the keyboard");
            sleep(Duration::from_millis(20)).await;
        }
    }

    /// Types with the keyboard only: Tab between the texts, Enter after the last.
    pub async fn fill_in(&self, texts: &[&str]) -> WebDriverResult<()> {
        self.mark().await?;
        self.focus().await?;
        let mut keys = self.driver.action_chain();
        for (index, text) in texts.iter().enumerate() {
            if index > 0 {
                keys = keys.send_keys(Key::Tab);
            }
            keys = keys.send_keys(*text);
        }
        keys.send_keys(Key::Enter).perform().await
    }

    pub async fn cookie(&self, name: &str) -> WebDriverResult<thirtyfour::Cookie> {
        let cookie = self.driver.get_named_cookie(name).await?;
        secrets::note(&cookie.value);
        Ok(cookie)
    }

    /// Returns the lifetime of a cookie in days; `None` until the browser is closed.
    pub async fn days_left(&self, name: &str) -> WebDriverResult<Option<i64>> {
        let expiry = self.cookie(name).await?.expiry;
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
        let left = |expiry: i64| (expiry - now.as_secs() as i64 + 3_600) / 86_400;
        Ok(expiry.map(left))
    }

    /// Returns the cookies that scripts can read.
    pub async fn cookies_of_scripts(&self) -> WebDriverResult<String> {
        self.driver
            .execute("return document.cookie", vec![])
            .await?
            .convert()
    }

    pub async fn source(&self) -> WebDriverResult<String> {
        let source = self.driver.source().await?;
        secrets::note_csrf_tokens(&source);
        Ok(source)
    }

    pub async fn devtools(&self, command: &'static str, parameters: Value) -> WebDriverResult<()> {
        self.driver
            .cmd(DevTools(command, parameters))
            .await
            .map(drop)
    }
}

/// Sends a command to Chromium itself, where the driver protocol has none.
#[derive(Debug)]
struct DevTools(&'static str, Value);

impl FormatRequestData for DevTools {
    fn format_request(&self, session: &SessionId) -> RequestData {
        let Self(command, parameters) = self;
        RequestData::new(Method::POST, format!("/session/{session}/goog/cdp/execute"))
            .add_body(json!({ "cmd": command, "params": parameters }))
    }
}
