//! The kind of answer that a client asks for.

use rocket::Request;
use rocket::http::MediaType;

/// In bytes: Rocket 0.5 parses a header in time that grows with the square of its length.
const LONGEST: usize = 1_024;

/// Returns the type that the header `Accept` prefers.
pub(crate) fn preferred<'r>(request: &'r Request<'_>) -> Option<&'r MediaType> {
    let header = request.headers().get_one("Accept")?;
    let accept = (header.len() <= LONGEST).then(|| request.accept());
    Some(accept.flatten()?.preferred().media_type())
}
