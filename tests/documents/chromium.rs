//! Chromium, driven over chromedriver's interface.

use std::process::{Child, Command};
use std::time::Duration;

use reqwest::blocking::Client;
use rocket::serde::json::{Value, from_str, json};
use testing::server::{free_port, wait_until};

/// Stops chromedriver, and its browser with it.
pub struct Chromium {
    driver: Child,
    session: String,
}

impl Drop for Chromium {
    fn drop(&mut self) {
        let _ = Client::new().delete(&self.session).send();
        let _ = self.driver.kill();
        let _ = self.driver.wait();
    }
}

impl Chromium {
    pub fn start() -> Self {
        let port = free_port();
        let driver = Command::new("chromedriver")
            .arg(format!("--port={port}"))
            .spawn();
        let base = format!("http://127.0.0.1:{port}");
        let mut chromium = Self {
            driver: driver.unwrap(),
            session: base.clone(),
        };
        wait_until("chromedriver is up", Duration::from_secs(30), || {
            Client::new().get(format!("{base}/status")).send().is_ok()
        });
        let arguments =
            json!({ "args": ["--headless=new", "--no-sandbox", "--disable-dev-shm-usage"] });
        let options = json!({ "alwaysMatch": { "goog:chromeOptions": arguments } });
        let started = chromium.post("/session", &json!({ "capabilities": options }));
        let id = started["sessionId"].as_str().expect("a browser");
        chromium.session = format!("{base}/session/{id}");
        chromium
    }

    fn post(&self, path: &str, body: &Value) -> Value {
        let answer = self.ask(path, body);
        assert!(answer["error"].is_null(), "{path}: {answer}");
        answer
    }

    fn ask(&self, path: &str, body: &Value) -> Value {
        let request = Client::new().post(format!("{}{path}", self.session));
        let answer = request.body(body.to_string()).send().unwrap();
        let answer: Value = from_str(&answer.text().unwrap()).unwrap();
        answer["value"].clone()
    }

    fn get(&self, path: &str) -> String {
        let answer = Client::new().get(format!("{}{path}", self.session)).send();
        let answer: Value = from_str(&answer.unwrap().text().unwrap()).unwrap();
        answer["value"].as_str().unwrap_or_default().to_owned()
    }

    pub fn open(&self, url: &str) {
        self.post("/url", &json!({ "url": url }));
    }

    pub fn source(&self) -> String {
        self.get("/source")
    }

    pub fn url(&self) -> String {
        self.get("/url")
    }

    fn find(&self, css: &str) -> Option<String> {
        let what = json!({ "using": "css selector", "value": css });
        let found = self.ask("/element", &what);
        let id = found.as_object()?.values().next()?.as_str()?;
        found["error"].is_null().then(|| format!("/element/{id}"))
    }

    /// An element of the page, or of the one that is on its way.
    fn element(&self, css: &str) -> String {
        let mut found = None;
        wait_until(css, Duration::from_secs(30), || {
            found = self.find(css);
            found.is_some()
        });
        found.unwrap()
    }

    /// The element's text, empty if there is no such element.
    pub fn text(&self, css: &str) -> String {
        let text = |element| self.get(&format!("{element}/text"));
        self.find(css).map(text).unwrap_or_default()
    }

    /// The value of a field.
    pub fn value(&self, css: &str) -> String {
        self.get(&format!("{}/property/value", self.element(css)))
    }

    pub fn click(&self, css: &str) {
        self.post(&format!("{}/click", self.element(css)), &json!({}));
    }

    /// Types into a field; into one for files, their paths.
    pub fn type_into(&self, css: &str, text: &str) {
        let path = format!("{}/value", self.element(css));
        self.post(&path, &json!({ "text": text }));
    }
}
