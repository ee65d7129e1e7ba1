//! The record: one session as a store keeps it.

use crate::token::Key;

/// One row of the sessions table.
///
/// All times are Unix milliseconds UTC, computed by the application and never by the database.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Record {
    /// The hash of the browser's token; unique.
    pub key: Key,
    /// Whose session this is; `None` before sign-in.
    pub user_id: Option<String>,
    /// The session's values, one JSON object.
    pub data: String,
    /// Changed by every update; [`Store::update`](crate::store::Store::update) compares it.
    pub version: i64,
    /// When the session began, or its user last signed in.
    pub created_at: i64,
    /// When the session was last used, exact to one touch interval.
    pub seen_at: i64,
    /// The end of the idle time-out. From this instant on the record is not loaded.
    pub expires_at: i64,
    /// The end of the absolute time-out, never moved by use.
    pub deadline: i64,
    /// The browser's `User-Agent`, at most 255 characters.
    pub user_agent: Option<String>,
    /// The browser's address, where the configuration allows it to be kept.
    pub ip: Option<String>,
}
