//! Addresses that lead to a page of this site and to no other: where a sign-in page sends users back to.

use std::borrow::Cow;

use rocket::Request;
use rocket::http::RawStr;
use rocket::http::uri::Origin;

/// The field of a sign-in page's query that names the page behind it.
const FIELD: &str = "next";

/// In bytes.
const LONGEST: usize = 2_048;

/// How many texts are checked: the address, and what proxies and the application decode it to.
const TEXTS: usize = 4;

/// Returns `page` if it is a path of this site, with or without a query, in which a browser finds no other
/// site.
///
/// Check each address that comes from outside, such as a form's hidden field, before you redirect to it.
/// [`Session::return_to`](crate::Session::return_to) does so for the query of the request.
///
/// Refuses an address of another host or scheme, a path that does not begin with `/`, control characters,
/// `//` and `\`, also percent-encoded and encoded again, also in the query, and more than 2,048 bytes.
///
/// ```
/// use rocket_diesel_session::sign_in::local_page;
///
/// assert_eq!(local_page("/orders?page=2"), Some("/orders?page=2"));
/// for other in ["https://example.org/", "//example.org", "/\\example.org", "/%252f%252fexample.org"] {
///     assert_eq!(local_page(other), None);
/// }
/// ```
#[must_use]
pub fn local_page(page: &str) -> Option<&str> {
    let is_path = page.len() <= LONGEST && Origin::parse(page).is_ok();
    (is_path && stays_local(page)).then_some(page)
}

/// Returns `true` if the text is local however often it is decoded. Browsers read `\` as `/`, and `//` as
/// the beginning of a host.
fn stays_local(page: &str) -> bool {
    let mut text = Cow::Borrowed(page);
    for _ in 0..TEXTS {
        let is_other = |it: char| it == '\\' || it.is_control();
        if text.contains("//") || text.contains(is_other) {
            return false;
        }
        let decoded = RawStr::new(&*text).percent_decode_lossy().into_owned();
        if decoded == *text {
            return true;
        }
        text = Cow::Owned(decoded);
    }
    false
}

/// Returns the page that the query of a request names, if it is local.
pub(crate) fn named_page(request: &Request<'_>) -> Option<String> {
    let mut fields = request.uri().query()?.raw_segments();
    let next = fields.find_map(|field| field.as_str().strip_prefix(FIELD)?.strip_prefix('='))?;
    let next = RawStr::new(next).url_decode().ok()?;
    local_page(&next).map(str::to_owned)
}

/// Returns the address of `page`, whose query names the request's own page.
pub(crate) fn with_return(page: &str, request: &Request<'_>) -> String {
    let asked = request.uri().to_string();
    let Some(asked) = local_page(&asked) else {
        return page.to_owned();
    };
    let joint = if page.contains('?') { '&' } else { '?' };
    let asked = RawStr::new(asked).percent_encode();
    format!("{page}{joint}{FIELD}={asked}")
}

#[cfg(test)]
mod tests {
    use reqwest::Url;

    use super::*;

    #[test]
    fn a_path_of_this_site_is_local() {
        for page in [
            "/",
            "/?a=b",
            "/messages",
            "/messages?page=2&q=a%20b",
            "/a/b/c",
            "/%C3%A4?q=100%25",
            "/confirm?next=%2Fdevices%3Fa%3Db%2520c",
            &format!("/{}", "x".repeat(LONGEST - 1)),
        ] {
            assert_eq!(local_page(page), Some(page));
        }
    }

    #[test]
    fn cve_2021_23435_an_address_of_another_site_is_not_local() {
        for page in [
            "",
            "*",
            "messages",
            "../x",
            "//evil",
            "///evil",
            "/\\evil",
            "\\/evil",
            "/a//evil",
            "/?a=//evil",
            "/%2f%2fevil",
            "/%2Fevil%2f/",
            "/%5cevil",
            "/%5C/evil",
            "/%252f%252fevil",
            "/%255cevil",
            "/%25252f%25252fevil",
            "/%2525252525252fevil",
            "https:evil",
            "https://evil",
            "http://host@evil",
            "javascript:alert(1)",
            "data:text/html,x",
            "/a\r\nSet-Cookie:x",
            "/\tevil",
            "/%0d%0aSet-Cookie:x",
            "/%250d%250aSet-Cookie:x",
            "/%00",
            "/%c2%85",
            "/a b",
            "/é\u{202e}",
            "HTTPS:/evil",
            "//evil/..",
            "/..//evil",
            "/%2e%2e//evil",
            "/;@//evil",
            "/%09//evil",
            "/%0a/evil",
            "/%20/%2fevil",
            "\u{a0}//evil",
            "\u{feff}/evil",
            "/\u{2028}/evil",
            "／／evil",
            "%2f%2fevil",
            "?next=/",
            "#/a",
            "/a#//evil",
            "view-source:/a",
            "//[::1]/",
            "//0x7f.1/",
            "//evil%2fa",
            "/\0/evil",
            "/%5c%5cevil",
            "/a?b=%5c",
            &format!("/{}", "x".repeat(LONGEST)),
        ] {
            assert_eq!(local_page(page), None, "{page:.60}");
        }
    }

    /// Browsers, proxies and the application read an address as it is, or decode it first.
    #[test]
    fn cve_2021_23435_a_local_page_leads_a_browser_to_this_site() {
        const PIECES: [&str; 28] = [
            "/",
            "/",
            "/",
            "\\",
            "%2f",
            "%2F",
            "%5c",
            "%25",
            "%252f",
            "%09",
            "%0a",
            "%00",
            "%2e",
            ".",
            "..",
            "?",
            "#",
            ":",
            "@",
            ";",
            "evil.example",
            "https:",
            "\t",
            "\n",
            " ",
            "é",
            "a",
            "[",
        ];
        let mut random = fastrand::Rng::with_seed(601);
        let sign_in = Url::parse("https://this.example/account/sign_in").unwrap();
        let (mut local, mut refused) = (0, 0);
        for _ in 0..100_000 {
            let pieces = (0..random.usize(1..8)).map(|_| random.choice(PIECES).unwrap());
            let page = format!("/{}", pieces.collect::<String>());
            if local_page(&page).is_none() {
                refused += 1;
                continue;
            }
            local += 1;
            let mut read = page.clone();
            for _ in 0..TEXTS {
                let place = sign_in.join(&read);
                let place = place.unwrap_or_else(|error| panic!("{page:?}: {error}"));
                assert_eq!(
                    place.host_str(),
                    Some("this.example"),
                    "{page:?} as {read:?}"
                );
                assert_eq!(place.scheme(), "https", "{page:?} as {read:?}");
                read = RawStr::new(&read).percent_decode_lossy().into_owned();
            }
        }
        assert!(local > 3_000 && refused > 3_000, "{local} {refused}");
    }
}
