//! Tells the answers that somebody reads from those that a browser or a proxy drops.

use rocket::Request;
use rocket::http::{Method, Status, StatusClass};

/// The method with which a request came. Rocket turns HEAD into GET where no route is made for it, and
/// the CSRF protection changes the method of what it refuses.
struct Came(Method);

/// Notes the method before routing.
pub(crate) fn note_method(request: &Request<'_>) {
    request.local_cache(|| Came(request.method()));
}

/// Returns the method that the client sent, or that the field `_method` of its form chose.
pub(crate) fn method(request: &Request<'_>) -> Method {
    request.local_cache(|| Came(request.method())).0
}

/// Whether the answer's body reaches somebody, so that what it shows counts as shown.
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

/// Headers of requests that a browser makes before anybody asks for the page. The first is the
/// standard's; the others are what browsers sent before, and partly still send.
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
