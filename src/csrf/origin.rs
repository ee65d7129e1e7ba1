//! Whether a request comes from a page of the application itself: by Fetch Metadata, and by Origin
//! where a browser does not send that.

use rocket::http::HeaderMap;

/// Whose page has sent a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sender {
    Own,
    /// A page of an origin that the settings name.
    Trusted,
    /// The same without TLS, behind which this application is.
    Insecure,
    Other,
    /// Neither header came: a program, or a browser from before 2020.
    Unknown,
}

/// What an application's own pages are known by.
pub(crate) struct Site<'a> {
    /// With its port, as the request names it.
    pub(crate) host: Option<String>,
    /// Whether it is reached over TLS alone.
    pub(crate) secure: bool,
    /// Further origins whose pages are trusted as much.
    pub(crate) trusted: &'a [String],
}

impl Site<'_> {
    pub(crate) fn sender(&self, headers: &HeaderMap<'_>) -> Sender {
        let mut origins = headers.get("Origin");
        let (origin, second) = (origins.next(), origins.next());
        // "same-site" is a neighbouring subdomain, perhaps somebody else's. "none" is the user.
        match (headers.get_one("Sec-Fetch-Site"), origin) {
            _ if second.is_some() => Sender::Other,
            (Some("same-origin" | "none"), _) => Sender::Own,
            (Some("same-site" | "cross-site"), None) => Sender::Other,
            (Some("same-site" | "cross-site"), Some(origin)) => self.foreign(origin),
            (_, None) => Sender::Unknown,
            (_, Some(origin)) if self.is_own(origin) => Sender::Own,
            (_, Some(origin)) => self.foreign(origin),
        }
    }

    /// Behind TLS, a trusted origin without it may be anybody's.
    fn foreign(&self, origin: &str) -> Sender {
        match self.trusts(origin) {
            true if self.secure && !origin.starts_with("https://") => Sender::Insecure,
            true => Sender::Trusted,
            false => Sender::Other,
        }
    }

    fn trusts(&self, origin: &str) -> bool {
        let mut trusted = self.trusted.iter();
        trusted.any(|trusted| trusted.eq_ignore_ascii_case(origin))
    }

    /// Behind TLS, a page of the same name that came without it may be anybody's (CVE-2025-46721 was
    /// that in nosurf).
    pub(crate) fn is_own(&self, origin: &str) -> bool {
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
            ("same-origin", OWN, Sender::Own),
            ("same-origin", None, Sender::Own),
            ("none", None, Sender::Own),
            ("cross-site", OWN, Sender::Other),
            ("cross-site", None, Sender::Other),
            ("same-site", OWN, Sender::Other),
            (
                "same-site",
                Some("https://other.example.org"),
                Sender::Other,
            ),
            (
                "same-site",
                Some("https://www.example.org"),
                Sender::Trusted,
            ),
            ("cross-site", Some("http://blog.example"), Sender::Insecure),
            ("cross-site", Some("null"), Sender::Other),
            ("garbage", OWN, Sender::Own),
            ("garbage", Some("https://evil.example"), Sender::Other),
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
            ("https://example.org", Sender::Own, Sender::Own),
            ("https://EXAMPLE.org", Sender::Own, Sender::Own),
            ("https://www.example.org", Sender::Trusted, Sender::Trusted),
            ("http://blog.example", Sender::Insecure, Sender::Trusted),
            ("http://blog.example:80", Sender::Other, Sender::Other),
            (
                "https://www.example.org, https://www.example.org",
                Sender::Other,
                Sender::Other,
            ),
            ("http://example.org", Sender::Other, Sender::Own),
            ("null", Sender::Other, Sender::Other),
            ("", Sender::Other, Sender::Other),
            ("https://", Sender::Other, Sender::Other),
            ("example.org", Sender::Other, Sender::Other),
            ("https://example.org:8443", Sender::Other, Sender::Other),
            ("http://www.example.org", Sender::Other, Sender::Other),
            ("https://blog.example.org", Sender::Other, Sender::Other),
            ("https://example.org.evil", Sender::Other, Sender::Other),
            ("https://evil-example.org", Sender::Other, Sender::Other),
            ("https://example.org@evil", Sender::Other, Sender::Other),
            ("ftp://example.org", Sender::Other, Sender::Other),
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
            assert_eq!(site.is_own(origin), own, "{host} {origin}");
        }
        let nameless = Site {
            host: None,
            secure: false,
            trusted: &[],
        };
        assert!(!nameless.is_own("http://example.org"));
    }
}
