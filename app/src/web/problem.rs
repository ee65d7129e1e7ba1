//! Errors for programs, as problem details (RFC 9457).

use rocket::Request;
use rocket::http::{ContentType, Header, Status};
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

/// The challenge that each 401 has (RFC 9110). No browser asks for a password at a scheme that it does
/// not know.
pub(crate) fn challenge() -> Header<'static> {
    Header::new("WWW-Authenticate", "Cookie realm=\"session\"")
}

impl<'r> Responder<'r, 'static> for Problem {
    fn respond_to(mut self, request: &'r Request<'_>) -> response::Result<'static> {
        self.members["type"] = "about:blank".into();
        let problem = ContentType::new("application", "problem+json");
        let mut response = (self.status, (problem, Json(self.members))).respond_to(request)?;
        if self.status == Status::Unauthorized {
            response.set_header(challenge());
        }
        Ok(response)
    }
}
