//! Errors for programs, as problem details (RFC 9457).

use rocket::Request;
use rocket::http::{ContentType, Status};
use rocket::response::{self, Responder};
use rocket::serde::json::{Json, Value, json};

/// An error as RFC 9457 has it. Its type is its status alone, so its title is the status's own.
pub(crate) struct Problem {
    status: Status,
    pub(crate) members: Value,
}

impl Problem {
    pub(crate) fn new(status: Status, detail: &str) -> Self {
        let members = json!({
            "title": status.reason_lossy(),
            "status": status.code,
            "detail": detail,
        });
        Self { status, members }
    }
}

impl<'r> Responder<'r, 'static> for Problem {
    fn respond_to(mut self, request: &'r Request<'_>) -> response::Result<'static> {
        self.members["type"] = "about:blank".into();
        let problem = ContentType::new("application", "problem+json");
        (self.status, (problem, Json(self.members))).respond_to(request)
    }
}
