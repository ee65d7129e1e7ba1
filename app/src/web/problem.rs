//! Describes errors to programs as problem details (RFC 9457).

use rocket::Request;
use rocket::http::{ContentType, Header, Status};
use rocket::response::{self, Responder};
use rocket::serde::json::{Json, Value, json};

/// A problem of the type `about:blank`, whose title is the name of its status.
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

/// Returns the challenge of each 401 (RFC 9110). Browsers open no password dialog for an unknown
/// scheme.
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
