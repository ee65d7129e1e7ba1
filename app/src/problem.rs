//! Errors for programs.

use rocket::http::Status;
use rocket::serde::json::{Json, Value, json};

/// An error as RFC 9457 has it.
pub(crate) fn problem(status: Status, detail: &str) -> Json<Value> {
    Json(json!({ "title": status.reason_lossy(), "status": status.code, "detail": detail }))
}
