//! The record: one session as a store keeps it.

use crate::token::Key;

/// One row of the sessions table.
///
/// All times are Unix milliseconds UTC. The application computes them, never the database.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Record {
    /// The hash of the browser's token; unique.
    pub key: Key,
    /// The user who is signed in; `None` before sign-in.
    pub user_id: Option<String>,
    /// The session's values: one JSON object.
    pub data: String,
    /// Changed by every update; [`Store::update`](crate::store::Store::update) compares it.
    pub version: i64,
    /// When the session began, or its user last signed in.
    pub created_at: i64,
    /// When the session was last used, exact to one touch interval.
    pub seen_at: i64,
    /// The end of the idle timeout. From this instant on the record is not loaded.
    pub expires_at: i64,
    /// The end of the absolute timeout. Use does not move it.
    pub deadline: i64,
    /// The browser's `User-Agent`, at most 255 characters.
    pub user_agent: Option<String>,
    /// The browser's IP address, if the configuration allows the application to keep it.
    pub ip: Option<String>,
}

impl Record {
    /// Returns a record of version 0, without user and values, that begins at `now`.
    ///
    /// `expires_at` and `deadline` are the ends of its idle and its absolute timeout.
    pub fn new(key: Key, now: i64, expires_at: i64, deadline: i64) -> Self {
        Self {
            key,
            user_id: None,
            data: "{}".into(),
            version: 0,
            created_at: now,
            seen_at: now,
            expires_at,
            deadline,
            user_agent: None,
            ip: None,
        }
    }
}
