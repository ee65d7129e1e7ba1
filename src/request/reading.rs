//! The client's use of a response: whether it loads a page, which type it prefers, whether it reads the body.

use rocket::Request;
use rocket::http::{MediaType, Method, Status, StatusClass};

use super::incoming::method;

/// In bytes: Rocket 0.5 parses a header in time that grows with the square of its length.
const LONGEST: usize = 1_024;

/// Returns the type that the header `Accept` prefers.
pub(crate) fn preferred<'r>(request: &'r Request<'_>) -> Option<&'r MediaType> {
    let header = request.headers().get_one("Accept")?;
    let accept = (header.len() <= LONGEST).then(|| request.accept());
    Some(accept.flatten()?.preferred().media_type())
}

/// Returns `true` if a browser loads a page with the request. A script's `fetch` loads none, even if it
/// accepts HTML.
pub(crate) fn loads_page(request: &Request<'_>) -> bool {
    let mode = request.headers().get_one("Sec-Fetch-Mode");
    matches!(method(request), Method::Get | Method::Head)
        && mode.is_none_or(|mode| mode == "navigate")
        && preferred(request).is_some_and(MediaType::is_html)
}

/// Returns `true` if a user can see the body of a response with this status, so that its messages count as
/// shown.
pub(crate) fn is_read(request: &Request<'_>, status: Status) -> bool {
    let has_body = match status.class() {
        StatusClass::Success => !matches!(status.code, 204 | 205),
        StatusClass::ClientError => true,
        _ => false,
    };
    let unread = matches!(
        method(request),
        Method::Head | Method::Options | Method::Trace
    );
    has_body && !unread && !is_ahead(request)
}

/// The headers of requests that a browser sends in advance: the standard one, and older ones.
const PURPOSES: [&str; 4] = ["Sec-Purpose", "Purpose", "X-Purpose", "X-Moz"];

fn is_ahead(request: &Request<'_>) -> bool {
    let mut purposes = PURPOSES.iter().flat_map(|name| request.headers().get(name));
    purposes.any(|value| {
        let value = value.to_ascii_lowercase();
        ["prefetch", "prerender", "preview"]
            .iter()
            .any(|purpose| value.contains(purpose))
    })
}
