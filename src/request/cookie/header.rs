//! The name of the session's cookie in a request, and the `Set-Cookie` headers that set and remove it.

use std::net::IpAddr;

use rocket::Request;
use rocket::http::uri::Host;
use rocket::http::{Cookie, Header, SameSite};
use rocket::time::Duration;

use super::{Auto, CookieConfig, Priority, SameSiteConfig, Secure};

impl CookieConfig {
    /// Returns the name with the strongest prefix that browsers accept. With it they refuse a cookie that
    /// another subdomain or an unencrypted page sets.
    pub(crate) fn full_name(&self) -> String {
        let prefix = match self.secure {
            _ if self.is_shared => "",
            Secure::Always(true) if self.path == "/" && self.domain.is_none() => "__Host-",
            Secure::Always(true) => "__Secure-",
            _ => "",
        };
        format!("{prefix}{}", self.name())
    }

    /// Returns the name in this request and its response.
    pub(crate) fn name_in(&self, request: &Request<'_>) -> String {
        match self.is_plain(request) {
            true => self.name().to_owned(),
            false => self.full_name(),
        }
    }

    /// Returns the name of the cookie that stands for the session's in the forms of anonymous users.
    pub(crate) fn form_name_in(&self, request: &Request<'_>) -> String {
        format!("{}-form", self.name_in(request))
    }

    /// Returns the `Set-Cookie` header for a token's text. Without `max_age`, in milliseconds, the cookie
    /// ends with the browser's session.
    pub(crate) fn set(
        &self,
        request: &Request<'_>,
        token: String,
        max_age: Option<i64>,
    ) -> Header<'static> {
        let secure = self.is_secure(request);
        let mut cookie = self.cookie(secure, self.name_in(request), token);
        cookie.set_max_age(max_age.map(Duration::milliseconds));
        self.header(&cookie)
    }

    /// Returns the cookie with this value for a client outside a request.
    pub(crate) fn without_request(&self, value: String) -> Cookie<'static> {
        self.cookie(self.secure == Secure::Always(true), self.full_name(), value)
    }

    /// Returns the `Set-Cookie` header that removes the cookie.
    pub(crate) fn remove(&self, request: &Request<'_>) -> Header<'static> {
        self.removal(request, self.name_in(request))
    }

    /// Returns the `Set-Cookie` header with the secret of an anonymous user's forms.
    pub(crate) fn set_form(&self, request: &Request<'_>, secret: String) -> Header<'static> {
        let secure = self.is_secure(request);
        self.header(&self.cookie(secure, self.form_name_in(request), secret))
    }

    pub(crate) fn remove_form(&self, request: &Request<'_>) -> Header<'static> {
        self.removal(request, self.form_name_in(request))
    }

    fn removal(&self, request: &Request<'_>, name: String) -> Header<'static> {
        let mut cookie = self.cookie(self.is_secure(request), name, String::new());
        cookie.make_removal();
        self.header(&cookie)
    }

    /// Returns `true` if this request's browser is to send cookies over TLS only.
    pub(crate) fn is_secure(&self, request: &Request<'_>) -> bool {
        match self.secure {
            Secure::Always(secure) => secure && !self.is_plain(request),
            Secure::When(Auto::Auto) => self.came_over_tls(request),
        }
    }

    fn cookie(&self, secure: bool, name: String, value: String) -> Cookie<'static> {
        let mut cookie = Cookie::new(name, value);
        cookie.set_path(self.path.clone());
        if let Some(domain) = &self.domain {
            cookie.set_domain(domain.clone());
        }
        cookie.set_secure(secure);
        cookie.set_http_only(self.http_only);
        cookie.set_partitioned(self.partitioned);
        cookie.set_same_site(match self.same_site {
            SameSiteConfig::Strict => SameSite::Strict,
            SameSiteConfig::Lax => SameSite::Lax,
            SameSiteConfig::None => SameSite::None,
        });
        cookie
    }

    /// Returns `true` if the client connected over TLS, to the server or to a trusted proxy.
    pub(crate) fn came_over_tls(&self, request: &Request<'_>) -> bool {
        let proxy = request
            .remote()
            .is_some_and(|remote| self.trusted_proxies.contains(remote.ip()));
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

    /// Returns `true` if the client uses an `http://` address of its own machine.
    pub(super) fn is_plain(&self, request: &Request<'_>) -> bool {
        self.plain_on_loopback
            && request.host().is_some_and(is_loopback)
            && !self.came_over_tls(request)
    }
}

fn is_loopback(host: &Host<'_>) -> bool {
    let name = host.domain().as_str().to_ascii_lowercase();
    let address = name.trim_start_matches('[').trim_end_matches(']');
    let is_address = address
        .parse()
        .is_ok_and(|address: IpAddr| address.is_loopback());
    is_address || name == "localhost" || name.ends_with(".localhost")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, reason = "a test panics where it fails")]

    use super::*;

    #[test]
    fn a_host_is_this_machine_by_its_name_or_its_address() {
        for (host, expected) in [
            ("localhost", true),
            ("localhost:8000", true),
            ("LocalHost:8000", true),
            ("app.localhost:8000", true),
            ("127.0.0.1:8000", true),
            ("127.9.8.7", true),
            ("[::1]:8000", true),
            ("localhost.example.org", false),
            ("notlocalhost", false),
            ("127.0.0.1.example.org", false),
            ("192.168.0.7:8000", false),
            ("0.0.0.0:8000", false),
            ("[::]:8000", false),
            ("[2001:db8::1]", false),
            ("example.org:8000", false),
        ] {
            let parsed = Host::parse(host).unwrap();
            assert_eq!(is_loopback(&parsed), expected, "{host}");
        }
    }
}
