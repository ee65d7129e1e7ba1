//! The settings of the session's cookie, `[default.session.cookie]`.

mod domain;
mod header;
mod plain_http;

use serde_json::{Map, Value, json};

use crate::error::{Error, require};
use crate::request::bearer::TokenFrom;
use crate::request::network::TrustedProxies;

/// `[default.session.cookie]`.
#[derive(Clone, Debug, serde::Deserialize)]
#[serde(
    deny_unknown_fields,
    default,
    expecting = "a table, [default.session.cookie]"
)]
pub(crate) struct CookieConfig {
    /// The name without `__Host-` or `__Secure-`; the prefix that the other settings permit is added. If
    /// another application shares the cookie, the whole name.
    pub(crate) name: Option<String>,
    path: String,
    domain: Option<String>,
    /// Browsers send it over TLS only: true, false, or "auto" for requests over TLS. If it is not
    /// set, a debug build sets a cookie without `Secure` on `http://localhost`.
    secure: Secure,
    http_only: bool,
    same_site: SameSiteConfig,
    partitioned: bool,
    priority: Option<Priority>,
    /// The proxies whose `X-Forwarded-Proto` is trusted.
    #[serde(skip)]
    pub(crate) trusted_proxies: TrustedProxies,
    /// The parts of a request in which the session's token counts.
    #[serde(skip)]
    pub(crate) token_from: TokenFrom,
    /// Another application shares the cookie, so the name gets no prefix.
    #[serde(skip)]
    pub(crate) is_shared: bool,
    /// The cookie goes over plain http to this machine.
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
            trusted_proxies: TrustedProxies::default(),
            token_from: TokenFrom::default(),
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
}

#[cfg(test)]
mod tests;
