//! Puts another page in the place of an answer, under the headers that other fairings have set.

use rocket::Response;
use rocket::http::Header;

use super::response::lists;

/// The headers that describe the original response: its body, its redirect, its caching. All others
/// come from fairings, such as CORS or tracing, and are kept.
const OF_THE_ANSWER: [&str; 22] = [
    "Accept-Ranges",
    "Age",
    "Allow",
    "Authentication-Info",
    "Cache-Control",
    "Clear-Site-Data",
    "Digest",
    "ETag",
    "Expires",
    "Last-Modified",
    "Link",
    "Location",
    "Pragma",
    "Refresh",
    "Repr-Digest",
    "Retry-After",
    "Set-Cookie",
    "SourceMap",
    "Trailer",
    "Transfer-Encoding",
    "WWW-Authenticate",
    "X-Sendfile",
];

/// The same by the beginnings of their names: headers of the body, of nginx and of scripts.
const OF_THE_ANSWER_BEGIN: [&str; 5] = ["Content-", "HX-", "Turbo-", "X-Accel-", "X-Inertia"];

/// The lists that two fairings may both add to.
const LISTS: [&str; 4] = [
    "Access-Control-Allow-Headers",
    "Access-Control-Allow-Methods",
    "Access-Control-Expose-Headers",
    "Vary",
];

fn is_of_the_answer(name: &str) -> bool {
    let is = |other: &&str| name.eq_ignore_ascii_case(other);
    let begins = |beginning: &&str| {
        let start = name.get(..beginning.len());
        start.is_some_and(|start| start.eq_ignore_ascii_case(beginning))
    };
    let policy = begins(&"Content-Security-Policy");
    !policy && (OF_THE_ANSWER.iter().any(is) || OF_THE_ANSWER_BEGIN.iter().any(begins))
}

/// Replaces a response by an error page, and keeps the headers that fairings set. A redirect or a cookie
/// of the response would claim what did not happen.
pub(super) fn replace<'r>(response: &mut Response<'r>, page: Response<'r>) {
    let failed = std::mem::replace(response, page);
    let headers = response.headers().iter();
    let names: Vec<_> = headers.map(|it| it.name.into_owned()).collect();
    for header in failed.headers().iter() {
        let name = header.name();
        if names.iter().any(|it| it == name) {
            merge(response, &header);
        } else if !is_of_the_answer(name.as_str()) {
            response.adjoin_raw_header(name.to_string(), header.value().to_owned());
        }
    }
}

/// Adds the items that the page's list lacks. Of a header that is not a list, the page's value stays.
fn merge(response: &mut Response<'_>, header: &Header<'_>) {
    let name = header.name().as_str();
    if !LISTS.iter().any(|list| name.eq_ignore_ascii_case(list)) {
        return;
    }
    for item in header.value().split(',').map(str::trim) {
        if !lists(response, name, item) {
            response.adjoin_raw_header(name.to_owned(), item.to_owned());
        }
    }
}
