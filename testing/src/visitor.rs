//! An HTTP client of the application, like a browser or a program.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::time::Duration;

use reqwest::blocking::{Client, RequestBuilder};
use reqwest::header::HeaderMap;
use reqwest::redirect::Policy;
use rocket::serde::json::Value;

use crate::secrets;

/// A browser as far as requests and cookies go; it does not follow redirects.
pub struct Visitor {
    client: Client,
    base: String,
    cookies: Mutex<BTreeMap<String, String>>,
    /// Cookies that no answer replaces.
    fixed: Option<String>,
    /// The token for forms that stood on the last page that had one, until the session changes.
    csrf_token: Mutex<Option<String>>,
}

impl Visitor {
    /// With no cookies and these headers in each request.
    pub fn new(base: &str, headers: HeaderMap) -> Self {
        let client = Client::builder()
            .redirect(Policy::none())
            .default_headers(headers)
            .timeout(Duration::from_secs(30));
        Self {
            client: client.build().unwrap(),
            base: base.to_owned(),
            cookies: Mutex::default(),
            fixed: None,
            csrf_token: Mutex::default(),
        }
    }

    /// With cookies that no answer replaces.
    pub fn with_cookie(base: &str, cookie: &str) -> Self {
        Self {
            fixed: Some(cookie.to_owned()),
            ..Self::new(base, HeaderMap::new())
        }
    }

    pub fn get(&self, path: &str) -> Answer {
        self.send(self.client.get(self.at(path)))
    }

    pub fn head(&self, path: &str) -> Answer {
        self.send(self.client.head(self.at(path)))
    }

    pub fn get_as(&self, accept: &str, path: &str) -> Answer {
        self.send(self.client.get(self.at(path)).header("Accept", accept))
    }

    /// Sends a form as it stands on the last page, or on the page for signing in.
    pub fn post(&self, path: &str, fields: &[(&str, &str)]) -> Answer {
        self.try_post(path, fields).unwrap()
    }

    /// `None` if the application ends before it answers.
    pub fn try_post(&self, path: &str, fields: &[(&str, &str)]) -> Option<Answer> {
        self.post_with_token(&self.csrf_token(), path, fields)
    }

    /// Sends a form with another token than that of the last page.
    pub fn post_with_token(
        &self,
        token: &str,
        path: &str,
        fields: &[(&str, &str)],
    ) -> Option<Answer> {
        let mut form = [fields, &[("_token", token)]].concat();
        form.sort_by_key(|(name, _)| !name.starts_with('_'));
        let request = self.client.post(self.at(path)).form(&form);
        let answer = self.try_send(request).ok()?;
        if answer.status == 303 {
            secrets::note_passwords(fields);
        }
        Some(answer)
    }

    /// The value of the cookie of this name.
    pub fn cookie(&self, name: &str) -> Option<String> {
        self.cookies.lock().unwrap().get(name).cloned()
    }

    /// The token that a form needs; visits a page with a form if none was seen yet.
    pub fn csrf_token(&self) -> String {
        let known = || self.csrf_token.lock().unwrap().clone();
        for page in ["/login", "/home"] {
            if known().is_none() {
                let _ = self.try_send(self.client.get(self.at(page)));
            }
        }
        known().unwrap_or_default()
    }

    /// As a program asks: JSON goes out and comes in.
    pub fn post_json(&self, path: &str, body: &str) -> Answer {
        let request = self.client.post(self.at(path)).body(body.to_owned());
        self.send(request.header("Content-Type", "application/json"))
    }

    pub fn put_json(&self, path: &str, body: &str) -> Answer {
        let request = self.client.put(self.at(path)).body(body.to_owned());
        self.send(request.header("Content-Type", "application/json"))
    }

    pub fn delete(&self, path: &str) -> Answer {
        self.send(self.client.delete(self.at(path)))
    }

    /// Sends the form of a page, and says so as browsers do.
    pub fn post_from(&self, page: &str, path: &str, fields: &[(&str, &str)]) -> Answer {
        let token = self.csrf_token();
        let form = [&[("_token", token.as_str())], fields].concat();
        let request = self.client.post(self.at(path)).form(&form);
        self.send(request.header("Referer", self.at(page)))
    }

    /// Sends a form with one more header.
    pub fn post_with(
        &self,
        path: &str,
        name: &str,
        value: &str,
        fields: &[(&str, &str)],
    ) -> Answer {
        let request = self.client.post(self.at(path)).form(fields);
        let request = request.header("X-CSRF-Token", self.csrf_token());
        self.send(request.header(name, value))
    }

    /// Sends a body of any kind.
    pub fn post_body(&self, path: &str, content_type: &str, body: Vec<u8>) -> Answer {
        let request = self.client.post(self.at(path)).body(body);
        let request = request.header("X-CSRF-Token", self.csrf_token());
        self.send(request.header("Content-Type", content_type))
    }

    fn at(&self, path: &str) -> String {
        format!("{}{path}", self.base)
    }

    fn send(&self, request: RequestBuilder) -> Answer {
        self.try_send(request).unwrap()
    }

    fn try_send(&self, request: RequestBuilder) -> reqwest::Result<Answer> {
        let response = match self.cookies() {
            cookies if cookies.is_empty() => request.send()?,
            cookies => request.header("Cookie", cookies).send()?,
        };
        let answer = Answer {
            status: response.status().as_u16(),
            headers: response.headers().clone(),
            body: response.text()?,
        };
        secrets::note_csrf_tokens(&answer.body);
        for line in answer.cookies() {
            secrets::note_cookie(line);
            let (name, value) = line.split(';').next().unwrap().split_once('=').unwrap();
            let mut cookies = self.cookies.lock().unwrap();
            match line.contains("Max-Age=0") {
                true => cookies.remove(name),
                false => cookies.insert(name.to_owned(), value.to_owned()),
            };
        }
        let token = answer.csrf_token().map(str::to_owned);
        if token.is_some() || !answer.cookies().is_empty() {
            *self.csrf_token.lock().unwrap() = token;
        }
        Ok(answer)
    }

    /// The `Cookie` header, Secure ones included: browsers take a loopback address for secure.
    pub fn cookies(&self) -> String {
        let cookies = self.cookies.lock().unwrap();
        let kept = cookies
            .iter()
            .map(|(name, value)| format!("{name}={value}"));
        let fixed = self.fixed.as_deref().unwrap_or_default();
        let is_free = |cookie: &String| {
            let (name, _) = cookie.split_once('=').unwrap();
            !fixed.starts_with(&format!("{name}="))
        };
        let fixed = self.fixed.iter().cloned();
        fixed
            .chain(kept.filter(is_free))
            .collect::<Vec<_>>()
            .join("; ")
    }
}

#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: HeaderMap,
    pub body: String,
}

impl Answer {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(|value| value.to_str().unwrap())
    }

    /// The body as JSON.
    pub fn json(&self) -> Value {
        rocket::serde::json::from_str(&self.body).unwrap_or_else(|_| panic!("no JSON: {self:?}"))
    }

    /// The token of the page's first form.
    pub fn csrf_token(&self) -> Option<&str> {
        secrets::csrf_tokens(&self.body).next()
    }

    /// The page it sends to.
    pub fn location(&self) -> &str {
        assert_eq!(self.status, 303, "{self:?}");
        self.header("Location").unwrap()
    }

    /// All `Set-Cookie` lines.
    pub fn cookies(&self) -> Vec<&str> {
        let lines = self.headers.get_all("Set-Cookie").iter();
        lines.map(|line| line.to_str().unwrap()).collect()
    }

    /// The `Set-Cookie` line for the cookie of this name.
    pub fn set_cookie(&self, name: &str) -> Option<&str> {
        let lines = self.cookies();
        lines
            .into_iter()
            .find(|line| line.starts_with(&format!("{name}=")))
    }
}
