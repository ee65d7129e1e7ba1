//! The kind of answer that a client asks for.

use rocket::Request;
use rocket::http::{MediaType, Method};

use super::reading;

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
    matches!(reading::method(request), Method::Get | Method::Head)
        && mode.is_none_or(|mode| mode == "navigate")
        && preferred(request).is_some_and(MediaType::is_html)
}
