//! Finds the catcher that Rocket would choose.

use rocket::Request;
use rocket::catcher::Catcher;
use rocket::http::{Status, uri::Origin};

/// The catcher with the longest base; of two with the same, the one made for the code.
pub(crate) fn catcher<'r>(request: &'r Request<'_>, status: Status) -> Option<&'r Catcher> {
    let candidates = request.rocket().catchers().filter(|catcher| {
        catcher.code.is_none_or(|code| code == status.code) && covers(&catcher.base, request.uri())
    });
    candidates.max_by_key(|catcher| (catcher.base.path().segments().len(), catcher.code.is_some()))
}

fn covers(base: &Origin<'_>, uri: &Origin<'_>) -> bool {
    let mut segments = uri.path().segments();
    base.path()
        .segments()
        .filter(|segment| !segment.is_empty())
        .all(|segment| segments.next() == Some(segment))
}
