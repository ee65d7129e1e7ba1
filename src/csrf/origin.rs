//! The origin of the page that sent a request, from `Sec-Fetch-Site` or, without it, from `Origin`.

use rocket::http::HeaderMap;

/// The page that sent a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sender {
    SameOrigin,
    /// A page of an origin in `session.trusted_origins`.
    Trusted,
    /// A page of a trusted origin without TLS, while this application uses TLS.
    Insecure,
    OtherOrigin,
    /// Neither header was sent: a program, or a browser from before 2020.
    Unknown,
}

/// The origin of the application's own pages, and the trusted ones.
pub(crate) struct Site<'a> {
    /// The request's host, with its port.
    pub(crate) host: Option<String>,
    /// Whether the application is reached over TLS only.
    pub(crate) secure: bool,
    /// The other origins whose pages are trusted.
    pub(crate) trusted: &'a [String],
}

impl Site<'_> {
    pub(crate) fn sender(&self, headers: &HeaderMap<'_>) -> Sender {
        let mut origins = headers.get("Origin");
        let (origin, second) = (origins.next(), origins.next());
        // "same-site" is another subdomain, perhaps of another owner. "none" is the user's own action.
        match (headers.get_one("Sec-Fetch-Site"), origin) {
            _ if second.is_some() => Sender::OtherOrigin,
            (Some("same-origin" | "none"), _) => Sender::SameOrigin,
            (Some("same-site" | "cross-site"), None) => Sender::OtherOrigin,
            (Some("same-site" | "cross-site"), Some(origin)) => self.foreign(origin),
            (_, None) => Sender::Unknown,
            (_, Some(origin)) if self.is_same_origin(origin) => Sender::SameOrigin,
            (_, Some(origin)) => self.foreign(origin),
        }
    }

    /// Behind TLS, anyone on the network can send a page of a trusted origin without TLS.
    fn foreign(&self, origin: &str) -> Sender {
        match self.trusts(origin) {
            true if self.secure && !origin.starts_with("https://") => Sender::Insecure,
            true => Sender::Trusted,
            false => Sender::OtherOrigin,
        }
    }

    fn trusts(&self, origin: &str) -> bool {
        let mut trusted = self.trusted.iter();
        trusted.any(|trusted| trusted.eq_ignore_ascii_case(origin))
    }

    /// Returns `true` for the application's own origin. Behind TLS, anyone on the network can send a page of
    /// the same host without TLS (as in nosurf, CVE-2025-46721).
    pub(crate) fn is_same_origin(&self, origin: &str) -> bool {
        let (usual_port, authority) = match origin.split_once("://") {
            Some(("https", authority)) => (":443", authority),
            Some(("http", authority)) if !self.secure => (":80", authority),
            _ => return false,
        };
        self.host.as_deref().is_some_and(|host| {
            let host = host.strip_suffix(usual_port).unwrap_or(host);
            host.eq_ignore_ascii_case(authority)
        })
    }
}

#[cfg(test)]
mod tests {
    use rocket::http::Header;

    use super::*;

    fn sender(secure: bool, fetch: Option<&str>, origin: Option<&str>) -> Sender {
        let mut headers = HeaderMap::new();
        let fetch = fetch.map(|value| Header::new("Sec-Fetch-Site", value.to_owned()));
        let origin = origin.map(|value| Header::new("Origin", value.to_owned()));
        for header in fetch.into_iter().chain(origin) {
            headers.add(header);
        }
        let site = Site {
            host: Some("example.org".into()),
            secure,
            trusted: &[
                "https://www.example.org".into(),
                "http://blog.example".into(),
            ],
        };
        site.sender(&headers)
    }

    const OWN: Option<&str> = Some("https://example.org");

    #[test]
    fn fetch_metadata_decides_first() {
        for (fetch, origin, expected) in [
            ("same-origin", OWN, Sender::SameOrigin),
            ("same-origin", None, Sender::SameOrigin),
            ("none", None, Sender::SameOrigin),
            ("cross-site", OWN, Sender::OtherOrigin),
            ("cross-site", None, Sender::OtherOrigin),
            ("same-site", OWN, Sender::OtherOrigin),
            (
                "same-site",
                Some("https://other.example.org"),
                Sender::OtherOrigin,
            ),
            (
                "same-site",
                Some("https://www.example.org"),
                Sender::Trusted,
            ),
            ("cross-site", Some("http://blog.example"), Sender::Insecure),
            ("cross-site", Some("null"), Sender::OtherOrigin),
            ("garbage", OWN, Sender::SameOrigin),
            ("garbage", Some("https://evil.example"), Sender::OtherOrigin),
            ("garbage", None, Sender::Unknown),
            ("", None, Sender::Unknown),
        ] {
            let decided = sender(true, Some(fetch), origin);
            assert_eq!(decided, expected, "{fetch} {origin:?}");
        }
    }

    #[test]
    fn cve_2025_46721_origin_decides_where_there_is_no_fetch_metadata() {
        for (origin, over_tls, without) in [
            (
                "https://example.org",
                Sender::SameOrigin,
                Sender::SameOrigin,
            ),
            (
                "https://EXAMPLE.org",
                Sender::SameOrigin,
                Sender::SameOrigin,
            ),
            ("https://www.example.org", Sender::Trusted, Sender::Trusted),
            ("http://blog.example", Sender::Insecure, Sender::Trusted),
            (
                "http://blog.example:80",
                Sender::OtherOrigin,
                Sender::OtherOrigin,
            ),
            (
                "https://www.example.org, https://www.example.org",
                Sender::OtherOrigin,
                Sender::OtherOrigin,
            ),
            (
                "http://example.org",
                Sender::OtherOrigin,
                Sender::SameOrigin,
            ),
            ("null", Sender::OtherOrigin, Sender::OtherOrigin),
            ("", Sender::OtherOrigin, Sender::OtherOrigin),
            ("https://", Sender::OtherOrigin, Sender::OtherOrigin),
            ("example.org", Sender::OtherOrigin, Sender::OtherOrigin),
            (
                "https://example.org:8443",
                Sender::OtherOrigin,
                Sender::OtherOrigin,
            ),
            (
                "http://www.example.org",
                Sender::OtherOrigin,
                Sender::OtherOrigin,
            ),
            (
                "https://blog.example.org",
                Sender::OtherOrigin,
                Sender::OtherOrigin,
            ),
            (
                "https://example.org.evil",
                Sender::OtherOrigin,
                Sender::OtherOrigin,
            ),
            (
                "https://evil-example.org",
                Sender::OtherOrigin,
                Sender::OtherOrigin,
            ),
            (
                "https://example.org@evil",
                Sender::OtherOrigin,
                Sender::OtherOrigin,
            ),
            (
                "ftp://example.org",
                Sender::OtherOrigin,
                Sender::OtherOrigin,
            ),
        ] {
            assert_eq!(sender(true, None, Some(origin)), over_tls, "{origin}");
            assert_eq!(sender(false, None, Some(origin)), without, "{origin}");
        }
        assert_eq!(sender(true, None, None), Sender::Unknown);
    }

    #[test]
    fn the_usual_port_is_the_same_origin() {
        for (host, origin, own) in [
            ("example.org:443", "https://example.org", true),
            ("example.org:80", "http://example.org", true),
            ("example.org:80", "https://example.org", false),
            ("127.0.0.1:8000", "http://127.0.0.1:8000", true),
            ("[::1]:8000", "http://[::1]:8000", true),
        ] {
            let site = Site {
                host: Some(host.into()),
                secure: false,
                trusted: &[],
            };
            assert_eq!(site.is_same_origin(origin), own, "{host} {origin}");
        }
        let nameless = Site {
            host: None,
            secure: false,
            trusted: &[],
        };
        assert!(!nameless.is_same_origin("http://example.org"));
    }
}
