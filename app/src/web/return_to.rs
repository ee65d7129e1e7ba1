//! Decides where a sign-in leads: to a path of this application, never to another site.

use rocket::Request;
use rocket::http::uri::{Absolute, Origin};
use rocket::http::{Method, RawStr};
use rocket_diesel_session::sign_in::local_page;

/// The page to go to if the user asked for none.
const HOME: &str = "/home";

/// Pages that are no use after a sign-in, without a trailing slash: the landing page, those
/// that ask for a sign-in, and the sign-out.
const ELSEWHERE: &[&str] = &["", "/login", "/register", "/logout", "/account/confirm"];

/// Returns `next` if it is a suitable page of this application, or else the home page.
///
/// For a page that asks for a sign-in it returns the page behind it.
pub(crate) fn or_home(next: Option<&str>) -> String {
    let behind = next.and_then(behind);
    let local = next.filter(|next| is_local(next)).map(str::to_owned);
    local
        .or(behind.filter(|next| is_local(next)))
        .unwrap_or_else(|| HOME.to_owned())
}

/// Returns the `next` of a page that asks for a sign-in.
fn behind(page: &str) -> Option<String> {
    let page = Origin::parse(page).ok().filter(|_| is_path(page, &[]))?;
    let asks = ["/login", "/register", "/account/confirm"].contains(&page.path().as_str());
    let mut fields = page.query().filter(|_| asks)?.raw_segments();
    let next = fields.find_map(|field| field.as_str().strip_prefix("next=").map(RawStr::new))?;
    next.url_decode().ok().map(Into::into)
}

/// Returns the requested page, or for a form the page that has it.
pub(crate) fn requested_page(request: &Request<'_>) -> Option<String> {
    if request.method() == Method::Get {
        return Some(request.uri().to_string());
    }
    let form = Absolute::parse(request.headers().get_one("Referer")?).ok()?;
    let query = form
        .query()
        .map_or(String::new(), |query| format!("?{query}"));
    Some(format!("{}{query}", form.path()))
}

/// Returns the page that has the form, if it is one of this application.
pub(crate) fn page_of_form(request: &Request<'_>) -> Option<String> {
    let sent = request.method() != Method::Get;
    let page = requested_page(request).filter(|_| sent)?;
    is_path(&page, &["", "/logout"]).then_some(page)
}

fn is_local(next: &str) -> bool {
    is_path(next, ELSEWHERE)
}

/// Returns whether `next` is a path of this site and not one of `others`.
fn is_path(next: &str, others: &[&str]) -> bool {
    let path = local_page(next).and_then(|page| page.split('?').next());
    path.is_some_and(|path| !others.contains(&path.trim_end_matches('/')))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_of_this_application_is_kept() {
        for next in ["/messages", "/messages?page=2&q=a%20b", "/a/b/c"] {
            assert_eq!(or_home(Some(next)), next);
        }
        assert_eq!(or_home(None), HOME);
        let confirm = "/account/confirm?a=b&next=%2Faccount%2Fdevices%3Fa%3Db%2520c";
        assert_eq!(or_home(Some(confirm)), "/account/devices?a=b%20c");
    }

    #[test]
    fn cve_2021_23435_other_sites_lead_home() {
        for next in [
            "//evil",
            "/\\evil",
            "\\/evil",
            "///evil",
            "/%2f%2fevil",
            "/%5cevil",
            "/%5C/evil",
            "https:evil",
            "https://evil",
            "javascript:alert(1)",
            "data:text/html,x",
            "http://host@evil",
            "/a\r\nSet-Cookie:x",
            "/\tevil",
            "/%0d%0aSet-Cookie:x",
            "/%00",
            "/",
            "/?a=b",
            "/login?next=/login",
            "/logout",
            "/logout/",
            "/register",
            "/account/confirm?next=/account/confirm",
            "/account/confirm?next=%2F%2Fevil",
            "/login?next=https:evil",
            "",
            "messages",
            "../x",
            &format!("/{}", "x".repeat(8 * 1024)),
            "/é\u{202e}",
            "/a//evil",
        ] {
            assert_eq!(or_home(Some(next)), HOME, "{next:.60}");
        }
    }
}
