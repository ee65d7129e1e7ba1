//! From the configuration to `Set-Cookie`, and from the raw `Cookie` header to a token.

mod domain;
mod plain_http;

use std::net::IpAddr;

use rocket::Request;
use rocket::http::{Cookie, Header, SameSite};
use rocket::time::Duration;
use serde_json::{Map, Value, json};

use crate::error::{Error, require};
use crate::request::address::is_trusted;

/// `[default.session.cookie]`.
#[derive(Clone, Debug, serde::Deserialize)]
#[serde(
    deny_unknown_fields,
    default,
    expecting = "a table, [default.session.cookie]"
)]
pub(crate) struct CookieConfig {
    /// Its name, without `__Host-` or `__Secure-`: the prefix that the other settings allow is put
    /// before it. Where another application shares the cookie, its whole name.
    pub(crate) name: Option<String>,
    path: String,
    domain: Option<String>,
    /// Sent over TLS only: true, false, or "auto": when this request came that way. Where it is left
    /// out, a debug build does without on `http://localhost`.
    secure: Secure,
    http_only: bool,
    same_site: SameSiteConfig,
    partitioned: bool,
    priority: Option<Priority>,
    /// Whose `X-Forwarded-Proto` is believed when `secure` is "auto".
    #[serde(skip)]
    pub(crate) trusted_proxies: Vec<IpAddr>,
    /// Another application shares the cookie, so the name gets no prefix.
    #[serde(skip)]
    pub(crate) is_shared: bool,
    /// Goes over http to this machine, as in development.
    #[serde(skip)]
    plain_on_loopback: bool,
}

impl Default for CookieConfig {
    fn default() -> Self {
        Self {
            name: None,
            path: "/".into(),
            domain: None,
            secure: Secure::Always(true),
            http_only: true,
            same_site: SameSiteConfig::Lax,
            partitioned: false,
            priority: None,
            trusted_proxies: Vec::new(),
            is_shared: false,
            plain_on_loopback: false,
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Deserialize)]
#[serde(untagged, expecting = "it must be true, false or \"auto\"")]
enum Secure {
    Always(bool),
    When(Auto),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
enum Auto {
    Auto,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Deserialize, serde::Serialize)]
#[serde(
    rename_all = "lowercase",
    expecting = "\"strict\", \"lax\" or \"none\""
)]
enum SameSiteConfig {
    Strict,
    Lax,
    None,
}

#[derive(Clone, Copy, Debug, serde::Deserialize, serde::Serialize)]
#[serde(
    rename_all = "lowercase",
    expecting = "\"low\", \"medium\" or \"high\""
)]
enum Priority {
    Low,
    Medium,
    High,
}

impl CookieConfig {
    pub(crate) fn check(&self) -> Result<(), Error> {
        let name = self.name();
        let is_token =
            |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
        require(!name.is_empty() && name.bytes().all(is_token), || {
            format!("session.cookie.name is {name:?}; use letters, digits, - and _")
        })?;
        require(self.is_shared || !name.starts_with("__"), || {
            format!(
                "session.cookie.name is {name:?}; leave the prefix out, it is chosen from the other settings"
            )
        })?;
        let printable = |text: &str| {
            text.bytes()
                .all(|byte| byte.is_ascii_graphic() && byte != b';')
        };
        require(self.path.starts_with('/') && printable(&self.path), || {
            format!(
                "session.cookie.path is {:?}; it must be a path such as \"/\"",
                self.path
            )
        })?;
        let domain = self.domain.as_deref();
        if let Some((domain, remedy)) = domain.and_then(|it| Some((it, domain::refusal(it)?))) {
            return Err(Error::configuration(format!(
                "session.cookie.domain is {domain:?}; {remedy}"
            )));
        }
        let insecure = self.secure != Secure::Always(true);
        require(
            !(insecure && self.same_site == SameSiteConfig::None),
            || {
                "session.cookie.same_site is \"none\", which browsers accept with session.cookie.secure = true alone".into()
            },
        )?;
        require(!(insecure && self.partitioned), || {
            "session.cookie.partitioned is true, which browsers accept with session.cookie.secure = true alone".into()
        })
    }

    /// The name on the wire. The strongest prefix that browsers will accept makes them refuse a
    /// cookie that a neighbouring subdomain or an unencrypted page tries to plant.
    pub(crate) fn full_name(&self) -> String {
        let prefix = match self.secure {
            _ if self.is_shared => "",
            Secure::Always(true) if self.path == "/" && self.domain.is_none() => "__Host-",
            Secure::Always(true) => "__Secure-",
            _ => "",
        };
        format!("{prefix}{}", self.name())
    }

    /// The name in this request and its response.
    pub(crate) fn name_in(&self, request: &Request<'_>) -> String {
        match self.is_plain(request) {
            true => self.name().to_owned(),
            false => self.full_name(),
        }
    }

    /// The cookie that stands for the session's in the forms of anonymous users.
    pub(crate) fn form_name_in(&self, request: &Request<'_>) -> String {
        format!("{}-form", self.name_in(request))
    }

    fn name(&self) -> &str {
        self.name.as_deref().unwrap_or("id")
    }

    /// Returns these settings for an application in JavaScript that shares the sessions, without those
    /// that are off.
    pub(crate) fn to_json(&self) -> Map<String, Value> {
        let settings = json!({
            "path": self.path,
            "httpOnly": self.http_only,
            "sameSite": self.same_site,
            "secure": (self.secure == Secure::Always(true)).then_some(true),
            "domain": self.domain,
            "partitioned": self.partitioned.then_some(true),
            "priority": self.priority,
        });
        let settings = settings.as_object().cloned().unwrap_or_default();
        settings
            .into_iter()
            .filter(|(_, value)| !value.is_null())
            .collect()
    }

    /// `Set-Cookie` with a token's text; without `max_age` it lives as long as the browser.
    pub(crate) fn set(
        &self,
        request: &Request<'_>,
        token: String,
        max_age: Option<i64>,
    ) -> Header<'static> {
        let mut cookie = self.cookie(request, self.name_in(request), token);
        cookie.set_max_age(max_age.map(Duration::milliseconds));
        self.header(&cookie)
    }

    /// `Set-Cookie` that makes the browser forget it.
    pub(crate) fn remove(&self, request: &Request<'_>) -> Header<'static> {
        self.removal(request, self.name_in(request))
    }

    /// `Set-Cookie` with the secret of an anonymous user's forms.
    pub(crate) fn set_form(&self, request: &Request<'_>, secret: String) -> Header<'static> {
        self.header(&self.cookie(request, self.form_name_in(request), secret))
    }

    pub(crate) fn remove_form(&self, request: &Request<'_>) -> Header<'static> {
        self.removal(request, self.form_name_in(request))
    }

    fn removal(&self, request: &Request<'_>, name: String) -> Header<'static> {
        let mut cookie = self.cookie(request, name, String::new());
        cookie.make_removal();
        self.header(&cookie)
    }

    /// Whether cookies for this request's browser are to come back over TLS alone.
    pub(crate) fn is_secure(&self, request: &Request<'_>) -> bool {
        match self.secure {
            Secure::Always(secure) => secure && !self.is_plain(request),
            Secure::When(Auto::Auto) => self.came_over_tls(request),
        }
    }

    fn cookie(&self, request: &Request<'_>, name: String, value: String) -> Cookie<'static> {
        let mut cookie = Cookie::new(name, value);
        cookie.set_path(self.path.clone());
        if let Some(domain) = &self.domain {
            cookie.set_domain(domain.clone());
        }
        cookie.set_secure(self.is_secure(request));
        cookie.set_http_only(self.http_only);
        cookie.set_partitioned(self.partitioned);
        cookie.set_same_site(match self.same_site {
            SameSiteConfig::Strict => SameSite::Strict,
            SameSiteConfig::Lax => SameSite::Lax,
            SameSiteConfig::None => SameSite::None,
        });
        cookie
    }

    /// Whether the client, or a proxy that is trusted, used TLS.
    pub(crate) fn came_over_tls(&self, request: &Request<'_>) -> bool {
        let proxy = request
            .remote()
            .is_some_and(|remote| is_trusted(remote.ip(), &self.trusted_proxies));
        let forwarded = || request.headers().get_one("X-Forwarded-Proto");
        request.rocket().config().tls_enabled()
            || proxy && forwarded().is_some_and(|scheme| scheme == "https")
    }

    fn header(&self, cookie: &Cookie<'_>) -> Header<'static> {
        let priority = match self.priority {
            Some(Priority::Low) => "; Priority=Low",
            Some(Priority::Medium) => "; Priority=Medium",
            Some(Priority::High) => "; Priority=High",
            None => "",
        };
        Header::new("Set-Cookie", format!("{cookie}{priority}"))
    }
}

#[cfg(test)]
mod tests;
