//! Problem details (RFC 9457), the errors of JSON clients.

use rocket::Request;
use rocket::http::{ContentType, Status};
use rocket::response::Responder;
use rocket::serde::json::Json;
use serde_json::json;

/// Returns problem details of the type `about:blank`.
pub(crate) fn problem<'r>(
    request: &'r Request<'_>,
    status: Status,
    detail: &str,
) -> rocket::response::Result<'r> {
    let members = json!({
        "type": "about:blank",
        "title": status.reason_lossy(),
        "status": status.code,
        "detail": detail,
    });
    let content_type = ContentType::new("application", "problem+json");
    (status, (content_type, Json(members))).respond_to(request)
}
